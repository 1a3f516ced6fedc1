/** AMD XDNA, the NPU of Ryzen AI: mainline amdxdna, signed firmware, XRT. The revision tells the chip. Documentation/accel/amdxdna */

import { fact, type Source } from "../base/source.ts";
import { pci, type DriverSpec, type Family, type FirmwareSpec, type NodeSpec, type RuntimeSpec } from "./family.ts";

const ids: Source = { kernel: "drivers/accel/amdxdna/amdxdna_pci_drv.c", module: "amdxdna", release: "7.3.4" };
const aie2: Source = { kernel: "drivers/accel/amdxdna/aie2_pci.c", module: "amdxdna", release: "7.3.4" };
const aie4: Source = { kernel: "drivers/accel/amdxdna/aie4_pci.c", module: "amdxdna", release: "7.3.4" };
const uapi: Source = { kernel: "include/uapi/drm/amdxdna_accel.h", module: "amdxdna", release: "7.3.4" };
const kconfig: Source = { kernel: "drivers/accel/amdxdna/Kconfig", module: "amdxdna", release: "7.3.4" };
const manual: Source = { cited: "https://docs.kernel.org/accel/amdxdna/amdnpu.html", seen: "2026-11-25" };
const vendorTree: Source = {
  cited: "https://github.com/amd/xdna-driver",
  says: "@856409ca (2026-08-21) drivers/accel/amdxdna/amdxdna_pci_drv.c",
  seen: "2026-11-22",
};
const xrt: Source = {
  cited: "Debian packages libxrt2, libxrt-npu2, libxrt-utils 1:2.25.0-4~bpo13+1 (file lists, dynamic sections)",
  seen: "2026-11-22",
};
const xrtSource: Source = { cited: "https://github.com/Xilinx/XRT", seen: "2026-11-22" };
const mlirAie: Source = { cited: "https://github.com/Xilinx/mlir-aie", seen: "2026-11-22" };
const ryzenAi: Source = { cited: "https://ryzenai.docs.amd.com/", seen: "2026-11-22" };
const flm: Source = { cited: "https://github.com/ROCm/FastFlowLM/issues/403", seen: "2026-11-22" };
const udev: Source = { cited: "Debian packages udev 254.26, 257.13, 262.1: 50-udev-default.rules", seen: "2026-11-22" };
const pciids: Source = {
  cited: "https://github.com/pciutils/pciids",
  says: "@c1c12547 (2026-08-22)",
  seen: "2026-11-22",
};
const hawkPoint: Source = {
  cited:
    "https://techpowerup.com/316436/amd-ryzen-8040-series-hawk-point-mobile-processors-announced-with-a-faster-npu",
  says: 'NPU performance has been increased to 16 TOPS, compared to 10 TOPS of the NPU on the "Phoenix" silicon',
  seen: "2026-11-25",
};
const strix: Source = {
  cited: "https://www.cnet.com/tech/computing/amd-rebrands-next-gen-mobile-cpus-ryzen-ai-claims-50-tops-npus/",
  says: "XDNA 2, with up to 50 TOPS",
  seen: "2026-11-25",
};
const halo: Source = {
  cited: "https://raw.githubusercontent.com/kyuz0/strixhalo-homelab/HEAD/Hardware/PCs/Minix_Elite_ER939-AI.md",
  says: "AMD Ryzen AI Max+ 395: 50 TOPS NPU",
  seen: "2026-11-25",
};

const driver: DriverSpec = {
  module: "amdxdna",
  origin: "mainline",
  since: "6.14",
  config: { symbol: "DRM_ACCEL_AMDXDNA", needs: ["DRM_ACCEL", "AMD_IOMMU", "X86_64", "PCI"] },
  openness: "open",
  licence: "GPL-2.0",
  repository: "https://github.com/amd/xdna-driver",
  packages: {
    debian: [
      {
        name: "linux-image-amd64",
        from: "trixie-backports 7.3.4, sid 7.2.13 (on since 6.18.1; trixie's 6.12 has no amdxdna)",
      },
    ],
    ubuntu: [{ name: "linux-generic", from: "25.04 or later (kernel 6.14)" }],
    vendor: {
      says: "xrt_plugin.<version>_<distro>-amdxdna: DKMS driver, firmware and shim, ahead of mainline",
      link: "https://github.com/amd/xdna-driver",
    },
  },
  source: kconfig,
};

const firmware: FirmwareSpec = {
  files: [
    { path: "amdnpu/1502_00/npu_7.sbin", chips: ["npu1"], oneOf: "1502_00", source: aie2 },
    { path: "amdnpu/1502_00/npu.sbin", chips: ["npu1"], oneOf: "1502_00", source: aie2 },
    // Revision 20 (npu6) loads from 17f0_10 too; modinfo's 17f0_20 is asked for by nobody in 7.2 and 7.3.
    { path: "amdnpu/17f0_10/npu_7.sbin", chips: ["npu4", "npu6"], oneOf: "17f0_10", source: aie2 },
    { path: "amdnpu/17f0_10/npu.sbin", chips: ["npu4", "npu6"], oneOf: "17f0_10", source: aie2 },
    { path: "amdnpu/17f0_11/npu_7.sbin", chips: ["npu5"], oneOf: "17f0_11", source: aie2 },
    { path: "amdnpu/17f0_11/npu.sbin", chips: ["npu5"], oneOf: "17f0_11", source: aie2 },
    { path: "amdnpu/*/npu.dev.sbin", chips: ["npu3"], source: aie4 },
    { path: "amdnpu/*/cert.dev.sbin", chips: ["npu3"], source: aie4 },
  ],
  openness: "closed",
  packages: {
    debian: [
      {
        name: "firmware-amd-graphics",
        from: "non-free-firmware: trixie 20250410-2 has npu.sbin; sid 20260916-1 adds npu_7.sbin",
      },
    ],
    arch: [{ name: "linux-firmware-amd" }],
    vendor: { says: "in AMD's xrt_plugin package", link: "https://github.com/amd/xdna-driver" },
  },
};

const node: NodeSpec = {
  paths: ["/dev/accel/accel*"],
  class: "accel",
  drmName: "amdxdna_accel_driver",
  group: "render",
  mode: "0660",
  rule: 'SUBSYSTEM=="accel"',
  source: udev,
};

const runtime: RuntimeSpec = {
  name: "XRT with its XDNA shim",
  libraries: ["libxrt_driver_xdna.so.2"],
  paths: ["/opt/xilinx/xrt/lib/libxrt_driver_xdna.so.2"],
  also: ["libxrt_coreutil.so.2", "libxrt_core.so.2"],
  openness: "open",
  licence: "Apache-2.0",
  packages: {
    debian: [
      { name: "libxrt-npu2", from: "trixie-backports 1:2.25.0-4~bpo13+1, sid", gives: "libxrt_driver_xdna.so.2" },
      { name: "libxrt2", from: "trixie-backports, sid", gives: "libxrt_coreutil.so.2, libxrt_core.so.2" },
      { name: "libxrt-utils", from: "trixie-backports, sid", gives: "xrt-smi" },
    ],
    ubuntu: [
      { name: "libxrt-npu2", from: "26.04" },
      { name: "libxrt2", from: "26.04" },
    ],
    fedora: [{ name: "xrt", from: "rawhide 2.25.0, EPEL 10.4" }],
    arch: [{ name: "xrt-plugin-amdxdna", gives: "/opt/xilinx/xrt/lib/libxrt_driver_xdna.so.2" }],
    vendor: {
      says: "xrt and xrt_plugin built from AMD's tree, in /opt/xilinx/xrt",
      link: "https://github.com/amd/xdna-driver",
    },
  },
  source: xrt,
};

export default {
  id: "amd-xdna",
  vendor: "AMD",
  name: "AMD XDNA NPU",
  aliases: ["ryzen-ai", "amdxdna"],
  says: "Array of AI Engine tiles inside Ryzen AI processors. The PCI revision tells the generation: one device id stands for several chips.",
  architecture: "dataflow",
  architectureDetail: fact(
    "columns of 4 compute tiles (VLIW processors) and a memory tile, partitioned by column",
    manual,
  ),
  use: "inference",
  chips: [
    {
      id: "npu1",
      name: "XDNA of Phoenix and Hawk Point (npu1)",
      matches: [pci("1022:1502", { revisions: ["00"] })],
      cores: fact(20, manual),
      memory: fact("2560 KB of memory tiles; shared system RAM", manual),
      peak: [
        { ops: 16e12, precision: "unstated (Hawk Point)", source: hawkPoint },
        { ops: 10e12, precision: "unstated (Phoenix)", source: hawkPoint },
      ],
      source: ids,
    },
    {
      id: "npu4",
      name: "XDNA 2 of Strix (npu4)",
      matches: [pci("1022:17f0", { revisions: ["10"] })],
      cores: fact(32, manual),
      memory: fact("4096 KB of memory tiles; shared system RAM", manual),
      peak: [{ ops: 50e12, precision: "unstated", source: strix }],
      source: ids,
    },
    {
      id: "npu5",
      name: "XDNA 2 of Strix Halo (npu5)",
      matches: [pci("1022:17f0", { revisions: ["11"] })],
      peak: [{ ops: 50e12, precision: "unstated", source: halo }],
      source: ids,
    },
    { id: "npu6", name: "XDNA 2 of Krackan (npu6)", matches: [pci("1022:17f0", { revisions: ["20"] })], source: ids },
    {
      id: "npu3",
      name: "XDNA AIE4 (npu3)",
      matches: [
        pci("1022:17f2", { revisions: ["10"] }),
        pci("1022:1b0b", { revisions: ["10"] }),
        pci("1022:17f3", { revisions: ["10"], virtual: true }),
        pci("1022:1b0c", { revisions: ["10"], virtual: true }),
      ],
      source: ids,
    },
    {
      id: "npu3-dkms",
      name: "XDNA npu3 variants of AMD's own tree",
      matches: [
        pci("1022:17f1", { revisions: ["10"] }),
        pci("1022:1b0a", { revisions: ["00"] }),
        pci("1022:1b0b", { revisions: ["00"] }),
        pci("1022:1b0c", { revisions: ["00"] }),
      ],
      source: vendorTree,
    },
    {
      id: "npu9-11",
      name: "XDNA npu9, npu10, npu11 (AMD's own tree)",
      matches: [
        pci("1022:17f1", { revisions: ["13", "14", "15"] }),
        pci("1022:17f2", { revisions: ["13", "14", "15"] }),
        pci("1022:17f3", { revisions: ["13", "14", "15"] }),
      ],
      source: vendorTree,
    },
  ],
  routes: [
    {
      name: "xrt",
      says: "mainline driver, XRT, kernels compiled by the open mlir-aie and Peano",
      chips: ["npu1", "npu4", "npu5", "npu6", "npu3"],
      driver,
      firmware,
      node,
      runtime,
      delegate: { id: "vendor", name: "XRT (mlir-aie, IRON, IREE amd-aie)", openness: "open", source: mlirAie },
      models: [{ format: "xclbin", compiler: "mlir-aie and Peano", openness: "open" }],
    },
    {
      name: "ryzen-ai",
      says: "the same stack under ONNX Runtime's Vitis AI provider of AMD's Ryzen AI software",
      chips: ["npu1", "npu4", "npu5", "npu6"],
      driver,
      firmware,
      node,
      runtime,
      delegate: {
        id: "onnxruntime",
        name: "ONNX Runtime Vitis AI execution provider",
        libraries: ["libonnxruntime_providers_vitisai.so"],
        openness: "mixed",
        packages: { vendor: { says: "Ryzen AI software", link: "https://ryzenai.docs.amd.com/" } },
        source: ryzenAi,
      },
      models: [{ format: "onnx", compiler: "Vitis AI", openness: "closed" }],
    },
    {
      name: "flm",
      says: "language models by FastFlowLM on XDNA 2",
      chips: ["npu4", "npu5", "npu6"],
      driver,
      firmware,
      node,
      runtime,
      delegate: { id: "vendor", name: "FastFlowLM (flm)", openness: "mixed", source: flm },
      models: [],
    },
    {
      name: "xrt-dkms",
      says: "AMD's own driver, ahead of mainline, and XRT: for chips that mainline does not know yet",
      chips: ["npu3-dkms", "npu9-11"],
      driver: {
        module: "amdxdna",
        origin: "out-of-tree",
        openness: "open",
        licence: "GPL-2.0",
        repository: "https://github.com/amd/xdna-driver",
        packages: {
          vendor: {
            says: "xrt_plugin.<version>_<distro>-amdxdna, or built from AMD's tree",
            link: "https://github.com/amd/xdna-driver",
          },
        },
        source: vendorTree,
      },
      firmware: { files: [], elsewhere: "amdnpu/* of AMD's package", openness: "closed" },
      node,
      runtime,
      delegate: { id: "vendor", name: "XRT (mlir-aie, IRON, IREE amd-aie)", openness: "open", source: mlirAie },
      models: [{ format: "xclbin", compiler: "mlir-aie and Peano", openness: "open" }],
    },
  ],
  metrics: [
    { name: "power_watts", read: "ask:AMDXDNA_GET_INFO/QUERY_SENSORS", wakes: true, source: uapi },
    { name: "busy_ratio", part: "column *", read: "ask:AMDXDNA_GET_INFO/QUERY_SENSORS", wakes: true, source: uapi },
    { name: "clock_hertz", read: "ask:AMDXDNA_GET_INFO/QUERY_CLOCK_METADATA", scale: 1e6, wakes: true, source: uapi },
    { name: "task_count", read: "ask:AMDXDNA_GET_INFO/QUERY_RESOURCE_INFO", wakes: true, source: uapi },
    { name: "memory_bytes", read: "fdinfo:drm-total-memory", scale: 1024, source: uapi },
  ],
  traps: [
    "The revision decides the chip: 1022:17f0 is Strix (10), Strix Halo (11) or Krackan (20), each with its firmware.",
    "The class is 1180 (signal processing), not 1200.",
    "The DRM driver answers as amdxdna_accel_driver, the module is amdxdna.",
    "17f3 and 1b0c of revision 10 are virtual functions: no further cards.",
    "npu_7.sbin is tried before npu.sbin; a failed load of the first followed by the second is harmless. It needs a newer driver (firmware protocol 7).",
    "It needs an IOMMU with SVA (PASID): probe fails with -22 without one, opening fails with -19 or -95 in passthrough mode.",
    "XRT without libxrt_driver_xdna.so.2 sees 0 devices; trixie's libxrt1 (2022) knows Alveo only and conflicts with it.",
    "Large models need RLIMIT_MEMLOCK unlimited.",
    "Every query wakes the NPU; the sensors come from amd_pmf.",
    "AIE4 (npu3) answers AIE_METADATA only.",
    "VE2 (Versal) is an auxiliary device 'xilinx_aie.amdxdna', in AMD's legacy tree only.",
    "Debian configures it off in 6.16 and 6.17.",
  ],
  openness: {
    kernel: "open",
    firmware: "closed",
    runtime: "open",
    compiler: "mixed",
    says: "open plumbing, signed closed firmware; models mostly by closed compilers, mlir-aie and Peano are open",
  },
  maintained: "yes, active",
  verified: [
    {
      how: "real kernel driver",
      says: "Debian 7.3.4 amd64 probes emulated 1502 and 17f0 and refuses for want of an IOMMU; it was not seen to bind",
    },
    { how: "documents", says: "captures of real hardware (Phoenix, Strix), read by our tests" },
  ],
  sources: [ids, aie2, aie4, uapi, kconfig, manual, vendorTree, xrt, xrtSource, mlirAie, ryzenAi, flm, udev, pciids],
  unknown: [
    "power",
    "peak operations per second from a primary source, and of which numbers",
    "product names of npu3 and npu9 to npu11",
  ],
} as const satisfies Family;
