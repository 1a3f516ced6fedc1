/** Intel NPU of Core Ultra processors: mainline driver intel_vpu (ivpu), closed firmware, open user space. Documentation/ABI/testing/sysfs-driver-ivpu */

import { fact, type Source } from "../base/source.ts";
import { pci, type DriverSpec, type Family, type FirmwareSpec, type NodeSpec, type RuntimeSpec } from "./family.ts";

const ids: Source = { kernel: "drivers/accel/ivpu/ivpu_drv.h", module: "intel_vpu", release: "7.3.4" };
const firmwareNames: Source = { kernel: "drivers/accel/ivpu/ivpu_fw.c", module: "intel_vpu", release: "7.3.4" };
const abi: Source = { kernel: "Documentation/ABI/testing/sysfs-driver-ivpu", module: "intel_vpu", release: "7.3.4" };
const debugfs: Source = { kernel: "drivers/accel/ivpu/ivpu_debugfs.c", module: "intel_vpu", release: "7.3.4" };
const userMode: Source = {
  cited: "https://github.com/intel/linux-npu-driver",
  says: "@7b138739 (v1.32.1)",
  seen: "2026-11-22",
};
const udev: Source = { cited: "Debian packages udev 254.26, 257.13, 262.1: 50-udev-default.rules", seen: "2026-11-22" };
const openvino: Source = { cited: "https://github.com/openvinotoolkit/openvino", seen: "2026-11-22" };
const onnxruntime: Source = { cited: "https://pypi.org/project/onnxruntime-openvino/", seen: "2026-11-25" };
const ggml: Source = {
  cited: "https://github.com/ggml-org/llama.cpp",
  says: "ggml/src/ggml-openvino",
  seen: "2026-11-22",
};
const pciids: Source = {
  cited: "https://github.com/pciutils/pciids",
  says: "@c1c12547 (2026-08-22)",
  seen: "2026-11-22",
};
const meteorLake: Source = {
  cited: "https://www.theregister.com/2024/04/10/hailo_10h_ai_chip/?td=readmore",
  says: "Intel's Core Ultra Meteor Lake NPU is capable of 11 TOPS at INT8",
  seen: "2026-11-25",
};
const arrowLake: Source = {
  cited: "https://chip.pl/2024/07/intel-core-ultra-200-wydajnosc-mozliwosci",
  says: "NPU of 13 TOPS, INT8",
  seen: "2026-11-25",
};
const lunarLake: Source = {
  cited: "https://kitguru.net/components/cpu/joao-silva/panther-lake-will-reportedly-get-5th-generation-intel-npus",
  says: "Lunar Lake's NPU4 offering an impressive 48 TOPs of peak AI computation",
  seen: "2026-11-25",
};
const pantherLake: Source = {
  cited: "https://rcrtech.com/semiconductor-news/intel-panther-lake-ai-performance/amp",
  says: "the NPU itself rated at roughly 50 TOPS",
  seen: "2026-11-25",
};
const engines: Source = {
  cited: "https://overclock3d.net/reviews/cpu_mainboard/how-intel-supercharged-mobile-and-gaming-with-panther-lake/5/",
  says: "Instead of having six with NPU 4, Intel has three with NPU 5 (Neural Compute Engines)",
  seen: "2026-11-25",
};

const driver: DriverSpec = {
  module: "intel_vpu",
  origin: "mainline",
  since: "6.3",
  config: { symbol: "DRM_ACCEL_IVPU", needs: ["DRM_ACCEL", "X86_64", "PCI_MSI"] },
  openness: "open",
  licence: "GPL-2.0-only",
  repository: "https://git.kernel.org/pub/scm/linux/kernel/git/torvalds/linux.git",
  packages: {
    debian: [
      {
        name: "linux-image-amd64",
        from: "trixie 6.12 (7d1d ad1d 643e b03e), trixie-backports 7.3 (all six ids); bookworm 6.1 has no driver",
      },
    ],
  },
  source: ids,
};

const firmware: FirmwareSpec = {
  files: [
    { path: "intel/vpu/vpu_37xx_v1.bin", chips: ["mtl", "arl"], oneOf: "37xx", source: firmwareNames },
    { path: "intel/vpu/vpu_37xx_v0.0.bin", chips: ["mtl", "arl"], oneOf: "37xx", source: firmwareNames },
    {
      // Name of older kernels only; newer ones do not ask for it.
      path: "intel/vpu/mtl_vpu_v0.0.bin",
      chips: ["mtl", "arl"],
      oneOf: "37xx",
      source: { cited: "https://github.com/intel/linux-npu-driver", seen: "2026-11-22" },
    },
    { path: "intel/vpu/vpu_40xx_v1.bin", chips: ["lnl"], oneOf: "40xx", source: firmwareNames },
    { path: "intel/vpu/vpu_40xx_v0.0.bin", chips: ["lnl"], oneOf: "40xx", source: firmwareNames },
    { path: "intel/vpu/vpu_50xx_v1.bin", chips: ["ptl", "wcl"], oneOf: "50xx", source: firmwareNames },
    { path: "intel/vpu/vpu_50xx_v0.0.bin", chips: ["ptl", "wcl"], oneOf: "50xx", source: firmwareNames },
    { path: "intel/vpu/vpu_60xx_v1.bin", chips: ["nvl"], packaged: false, source: firmwareNames },
  ],
  openness: "closed",
  packages: {
    debian: [
      {
        name: "firmware-intel-misc",
        from: "non-free-firmware: trixie 20250410-2 holds 37xx and 40xx only; sid 20260916-1 adds 50xx; 60xx is in none",
      },
    ],
    fedora: [{ name: "linux-firmware" }],
    arch: [{ name: "intel-npu-driver", gives: "/usr/lib/firmware/updates/intel/vpu" }],
    vendor: {
      says: "intel-fw-npu, a .deb of Intel's release page",
      link: "https://github.com/intel/linux-npu-driver/releases",
    },
  },
};

const node: NodeSpec = {
  paths: ["/dev/accel/accel*"],
  class: "accel",
  drmName: "intel_vpu",
  group: "render",
  mode: "0660",
  rule: 'SUBSYSTEM=="accel"',
  source: udev,
};

const runtime: RuntimeSpec = {
  name: "NPU Level Zero driver",
  libraries: ["libze_intel_npu.so.1"],
  also: ["libze_loader.so.1", "libnpu_driver_compiler.so"],
  openness: "open",
  licence: "MIT",
  packages: {
    debian: [
      {
        name: "libze1",
        from: "trixie 1.20.6, sid 1.32.0",
        gives: "libze_loader.so.1 only; the NPU driver is in no Debian suite",
      },
    ],
    ubuntu: [
      {
        name: "intel-npu-driver",
        by: "snap",
        from: "snap of Canonical",
        gives: "user-mode driver, compiler, firmware",
      },
    ],
    fedora: [{ name: "intel-npu-driver", from: "44: 1.16.0, 45: 1.32.0, rawhide 1.35.0, EPEL 10.2: 1.32.0" }],
    arch: [{ name: "intel-npu-driver", gives: "libze_intel_npu.so.1" }, { name: "intel-npu-compiler" }],
    vendor: {
      says: "intel-level-zero-npu and intel-driver-compiler-npu, .debs of Intel's release page",
      link: "https://github.com/intel/linux-npu-driver/releases",
    },
  },
  source: userMode,
};

export default {
  id: "intel-npu",
  vendor: "Intel",
  name: "Intel NPU",
  aliases: ["ivpu", "vpu"],
  says: "Inference engine inside Core Ultra processors, at PCI address 00:0b.0. Models are compiled on the host by Intel's NPU compiler, most often through OpenVINO.",
  architecture: "MAC array",
  architectureDetail: fact("tiles of MAC arrays (NCE) with SHAVE VLIW DSPs", userMode),
  use: "inference",
  chips: [
    {
      id: "mtl",
      name: "NPU of Meteor Lake (37xx)",
      matches: [pci("8086:7d1d")],
      memory: fact("shared system RAM", userMode),
      peak: [{ ops: 11e12, precision: "int8", source: meteorLake }],
      source: ids,
    },
    {
      id: "arl",
      name: "NPU of Arrow Lake (37xx)",
      matches: [pci("8086:ad1d")],
      memory: fact("shared system RAM", userMode),
      peak: [{ ops: 13e12, precision: "int8", source: arrowLake }],
      source: ids,
    },
    {
      id: "lnl",
      name: "NPU of Lunar Lake (40xx)",
      matches: [pci("8086:643e")],
      memory: fact("shared system RAM", userMode),
      peak: [{ ops: 48e12, precision: "unstated", source: lunarLake }],
      cores: fact(6, engines),
      source: ids,
    },
    {
      id: "ptl",
      name: "NPU of Panther Lake (50xx)",
      matches: [pci("8086:b03e")],
      memory: fact("shared system RAM", userMode),
      peak: [{ ops: 50e12, precision: "unstated", source: pantherLake }],
      cores: fact(3, engines),
      source: ids,
    },
    {
      id: "wcl",
      name: "NPU of Wildcat Lake (50xx)",
      matches: [pci("8086:fd3e")],
      memory: fact("shared system RAM", userMode),
      source: ids,
    },
    {
      id: "nvl",
      name: "NPU of Nova Lake (60xx)",
      matches: [pci("8086:d71d")],
      memory: fact("shared system RAM", userMode),
      source: ids,
    },
  ],
  routes: [
    {
      name: "openvino",
      says: "mainline driver, Intel's open Level Zero driver and compiler, OpenVINO's NPU plugin",
      driver,
      firmware,
      node,
      runtime,
      delegate: {
        id: "openvino",
        name: "OpenVINO NPU plugin",
        libraries: ["libopenvino_intel_npu_plugin.so"],
        openness: "open",
        packages: {
          fedora: [{ name: "openvino-plugins" }],
          arch: [{ name: "openvino-intel-npu-plugin" }],
          pypi: [{ name: "openvino" }],
        },
        source: openvino,
      },
      models: [
        { format: "openvino-ir", compiler: "NPU compiler", openness: "open" },
        { format: "onnx", compiler: "NPU compiler", openness: "open" },
        { format: "openvino-npu-blob", openness: "open" },
        { format: "pte", compiler: "ExecuTorch with OpenVINO", openness: "open" },
      ],
    },
    {
      name: "onnxruntime",
      says: "the same stack under ONNX Runtime's OpenVINO execution provider",
      driver,
      firmware,
      node,
      runtime,
      delegate: {
        id: "onnxruntime",
        name: "ONNX Runtime OpenVINO execution provider",
        libraries: ["libonnxruntime_providers_openvino.so"],
        openness: "open",
        packages: { pypi: [{ name: "onnxruntime-openvino" }] },
        source: onnxruntime,
      },
      models: [{ format: "onnx", compiler: "NPU compiler", openness: "open" }],
    },
    {
      name: "ggml",
      says: "the same stack under llama.cpp's OpenVINO backend (GGML_OPENVINO_DEVICE=NPU)",
      driver,
      firmware,
      node,
      runtime,
      delegate: {
        id: "ggml",
        name: "ggml-openvino",
        libraries: ["libggml-openvino.so"],
        openness: "open",
        source: ggml,
      },
      models: [{ format: "gguf", compiler: "NPU compiler", openness: "open" }],
    },
  ],
  metrics: [
    // Counted by the driver itself: none of these asks the device (drivers/accel/ivpu/ivpu_sysfs.c).
    {
      name: "busy_seconds",
      read: "device:npu_busy_time_us",
      scale: 1e-6,
      derived: { name: "busy_ratio", how: "rate" },
      safe: true,
      since: "6.11",
      source: abi,
    },
    { name: "memory_bytes", read: "device:npu_memory_utilization", safe: true, since: "6.15", source: abi },
    // The clock reads 0 while the device sleeps, which is no clock.
    { name: "clock_hertz", read: "device:freq/current_freq", scale: 1e6, since: "7.2", source: abi },
    { name: "clock_max_hertz", read: "device:freq/hw_max_freq", scale: 1e6, safe: true, since: "7.2", source: abi },
    { name: "clock_min_hertz", read: "device:freq/hw_min_freq", scale: 1e6, safe: true, since: "7.2", source: abi },
    {
      name: "clock_efficient_hertz",
      read: "device:freq/hw_efficient_freq",
      scale: 1e6,
      safe: true,
      since: "7.2",
      source: abi,
    },
    // 50XX and newer: what somebody has set, within what the hardware can.
    {
      name: "clock_limit_hertz",
      part: "least",
      read: "device:freq/set_min_freq",
      scale: 1e6,
      safe: true,
      since: "7.2",
      source: abi,
    },
    {
      name: "clock_limit_hertz",
      part: "most",
      read: "device:freq/set_max_freq",
      scale: 1e6,
      safe: true,
      since: "7.2",
      source: abi,
    },
    // Obsolete names, to be removed in 2027: only where freq/ is not there.
    { name: "clock_hertz", read: "device:npu_current_frequency_mhz", scale: 1e6, since: "6.15", source: abi },
    {
      name: "clock_max_hertz",
      read: "device:npu_max_frequency_mhz",
      scale: 1e6,
      safe: true,
      since: "6.15",
      source: abi,
    },
    { name: "reset_count", read: "debug:accel/{address}/reset_counter", root: true, safe: true, source: debugfs },
    {
      name: "engine_reset_count",
      read: "debug:accel/{address}/engine_reset_counter",
      root: true,
      safe: true,
      source: debugfs,
    },
  ],
  traps: [
    "The driver tries several firmware names: a first 'failed to load ... error -2' followed by 'Firmware: intel/vpu/...' is harmless.",
    "Modinfo names only the *_v1.bin files; *_v0.0.bin is accepted too.",
    "udev before 254 has no rule for the accel class: the node stays root:root 0600 on Debian bookworm.",
    "Clock and busy time read 0 while the NPU is suspended; that is idle, not missing.",
    "A firmware (BIOS) switch can hide the whole PCI function: no 8086 NPU id in lspci does not mean that the processor has none.",
    "8086:647d of class 1180 (intel_vsec telemetry) is no NPU.",
    "Neither temperature nor power is offered by the kernel driver.",
    "A level-zero loader before 1.17.17 looks for libze_intel_vpu.so.1, the old name; the old library must be removed.",
    "Release 1.32.1 of the user-mode driver does not know Nova Lake (d71d).",
  ],
  openness: {
    kernel: "open",
    firmware: "closed",
    runtime: "open",
    compiler: "open",
    says: "open above a closed firmware file",
  },
  maintained: "yes, active (user-mode driver 1.38 seen in November 2026)",
  verified: [
    {
      how: "real kernel driver",
      says: "Debian 7.3.4 amd64 binds 7d1d, boots Intel's firmware on emulated registers and makes accel0; also its failures without firmware and without hardware behind the registers",
    },
    { how: "documents", says: "captures of real hardware (Meteor, Arrow, Lunar and Panther Lake), read by our tests" },
  ],
  sources: [ids, firmwareNames, abi, debugfs, udev, userMode, openvino, onnxruntime, ggml, pciids],
  unknown: [
    "peak operations per second from a primary source, and of Wildcat Lake and Nova Lake",
    "power",
    "whether Ubuntu's linux-firmware holds the vpu files",
  ],
} as const satisfies Family;
