/** Intel (Habana) Goya and Gaudi: mainline habanalabs up to Gaudi 2, vendor DKMS for Gaudi 3, closed SynapseAI. Documentation/ABI/testing/sysfs-driver-habanalabs */

import { fact, type Source } from "../base/source.ts";
import { pci, type DelegateSpec, type Family, type FirmwareSpec, type RuntimeSpec } from "./family.ts";

const ids: Source = {
  kernel: "drivers/accel/habanalabs/common/habanalabs_drv.c",
  module: "habanalabs",
  release: "7.3.4",
};
const abi: Source = {
  kernel: "Documentation/ABI/testing/sysfs-driver-habanalabs",
  module: "habanalabs",
  release: "7.3.4",
};
const uapi: Source = { kernel: "include/uapi/drm/habanalabs_accel.h", module: "habanalabs", release: "7.3.4" };
const devices: Source = { kernel: "drivers/accel/habanalabs/common/device.c", module: "habanalabs", release: "7.3.4" };
const goyaFiles: Source = { kernel: "drivers/accel/habanalabs/goya/goya.c", module: "habanalabs", release: "7.3.4" };
const gaudiFiles: Source = { kernel: "drivers/accel/habanalabs/gaudi/gaudi.c", module: "habanalabs", release: "7.3.4" };
const gaudi2Files: Source = {
  kernel: "drivers/accel/habanalabs/gaudi2/gaudi2.c",
  module: "habanalabs",
  release: "7.3.4",
};
const hwmon: Source = { kernel: "drivers/accel/habanalabs/common/hwmon.c", module: "habanalabs", release: "7.3.4" };
const udev: Source = { cited: "Debian packages udev 254.26, 257.13, 262.1: 50-udev-default.rules", seen: "2026-11-22" };
const vendor: Source = {
  cited: "https://docs.habana.ai/en/latest/Installation_Guide/Installers_Appendix.html",
  seen: "2026-11-22",
};
const thunk: Source = { cited: "https://github.com/HabanaAI/hl-thunk", seen: "2026-11-22" };
const pciids: Source = {
  cited: "https://github.com/pciutils/pciids",
  says: "@c1c12547 (2026-08-22)",
  seen: "2026-11-22",
};
const vision2024: Source = {
  cited: "https://pcguia.pt/2024/04/nvidia-e-amd-tem-um-novo-rival-no-mercado-de-ia-a-intel",
  says: "Gaudi 3: 1835 TFLOPS in FP8 and BF16, 900 W, 128 GB HBM2e at 3.7 TB/s, 64 cores; Gaudi 2: BF16 432 TFLOPS, 600 W, 96 GB HBM2e at 2.45 TB/s, 24 cores",
  seen: "2026-11-25",
};
const firstMemory: Source = {
  cited: "https://huggingface.co/docs/transformers/v5.10.2/perf_train_gaudi",
  says: "128GB of memory on Gaudi 3, 96GB on Gaudi 2, and 32GB on first-gen Gaudi",
  seen: "2026-11-25",
};

const firmware: FirmwareSpec = {
  files: [
    { path: "habanalabs/goya/goya-boot-fit.itb", chips: ["goya"], source: goyaFiles },
    { path: "habanalabs/goya/goya-fit.itb", chips: ["goya"], source: goyaFiles },
    { path: "habanalabs/gaudi/gaudi-boot-fit.itb", chips: ["gaudi", "gaudi-sec"], source: gaudiFiles },
    { path: "habanalabs/gaudi/gaudi-fit.itb", chips: ["gaudi", "gaudi-sec"], source: gaudiFiles },
    { path: "habanalabs/gaudi/gaudi_tpc.bin", chips: ["gaudi", "gaudi-sec"], source: gaudiFiles },
    { path: "habanalabs/gaudi2/gaudi2-boot-fit.itb", chips: ["gaudi2"], source: gaudi2Files },
    { path: "habanalabs/gaudi2/gaudi2-fit.itb", chips: ["gaudi2"], source: gaudi2Files },
  ],
  openness: "closed",
  packages: {
    vendor: {
      says: "habanalabs-firmware and habanalabs-firmware-odm of Habana's repository; in no Debian package",
      link: "https://docs.habana.ai/en/latest/Installation_Guide/",
    },
  },
};

const runtime: RuntimeSpec = {
  name: "SynapseAI",
  libraries: ["libSynapse.so", "libSynapse.so.1"],
  paths: ["/usr/lib/habanalabs/libSynapse.so"],
  openness: "closed",
  licence: "proprietary",
  packages: {
    vendor: {
      says: "habanalabs-graph and habanalabs-thunk of Habana's repository, or Habana's containers",
      link: "https://docs.habana.ai/en/latest/Installation_Guide/",
    },
  },
  source: vendor,
};

const delegate: DelegateSpec = {
  id: "vendor",
  name: "PyTorch for Gaudi (habana_frameworks)",
  openness: "closed",
  packages: { pypi: [{ name: "optimum-habana" }] },
  source: vendor,
};

export default {
  id: "intel-gaudi",
  vendor: "Intel",
  name: "Intel Gaudi (Habana)",
  aliases: ["habana", "gaudi", "goya"],
  says: "Data-centre accelerators on PCIe cards and OAM modules: Goya for inference, Gaudi for training and inference, with RDMA ports on the chip.",
  architecture: "VLIW DSP",
  architectureDetail: fact("matrix engines (MME) with VLIW tensor cores (TPC) and RDMA on the chip", ids),
  use: "both",
  chips: [
    { id: "goya", name: "Goya (HL-1000)", matches: [pci("1da3:0001")], source: ids },
    {
      id: "gaudi",
      name: "Gaudi (HL-2000)",
      matches: [pci("1da3:1000")],
      memory: fact("32 GB", firstMemory),
      source: ids,
    },
    {
      id: "gaudi-sec",
      name: "Gaudi, secured (HL-2000)",
      matches: [pci("1da3:1010")],
      memory: fact("32 GB", firstMemory),
      source: ids,
    },
    {
      id: "gaudi2",
      name: "Gaudi 2",
      matches: [pci("1da3:1020")],
      peak: [{ ops: 432e12, precision: "bf16", source: vision2024 }],
      memory: fact("96 GB HBM2e, 2.45 TB/s", vision2024),
      watts: fact(600, vision2024),
      cores: fact(24, vision2024),
      source: ids,
    },
    {
      id: "gaudi3",
      name: "Gaudi 3",
      matches: [pci("1da3:1060"), pci("1da3:1063")],
      peak: [
        { ops: 1835e12, precision: "fp8", source: vision2024 },
        { ops: 1835e12, precision: "bf16", source: vision2024 },
      ],
      memory: fact("128 GB HBM2e, 3.7 TB/s", vision2024),
      watts: fact(900, vision2024),
      cores: fact(64, vision2024),
      source: pciids,
    },
    { id: "greco", name: "Greco", matches: [pci("1da3:0030")], source: pciids },
  ],
  routes: [
    {
      name: "mainline",
      says: "mainline habanalabs (Goya to Gaudi 2), closed SynapseAI",
      chips: ["goya", "gaudi", "gaudi-sec", "gaudi2"],
      driver: {
        module: "habanalabs",
        origin: "mainline",
        since: "5.1",
        config: { symbol: "DRM_ACCEL_HABANALABS", needs: ["DRM_ACCEL", "X86_64", "PCI"] },
        openness: "open",
        licence: "GPL-2.0",
        repository: "https://git.kernel.org/pub/scm/linux/kernel/git/torvalds/linux.git",
        packages: { debian: [{ name: "linux-image-amd64", from: "trixie 6.12 and later; off in bookworm's 6.1" }] },
        source: ids,
      },
      firmware,
      node: {
        paths: ["/dev/accel/accel*"],
        class: "accel",
        drmName: "habanalabs",
        group: "render",
        mode: "0660",
        rule: 'SUBSYSTEM=="accel"',
        source: udev,
      },
      runtime,
      delegate,
      models: [{ format: "hl-recipe", compiler: "SynapseAI graph compiler", openness: "closed" }],
    },
    {
      name: "vendor",
      says: "Habana's own DKMS driver (needed for Gaudi 3), closed SynapseAI",
      chips: ["gaudi", "gaudi-sec", "gaudi2", "gaudi3"],
      driver: {
        module: "habanalabs",
        with: ["habanalabs_cn", "habanalabs_en"],
        origin: "out-of-tree",
        openness: "open",
        licence: "GPL-2.0",
        repository: "https://github.com/HabanaAI/drivers.accel.habanalabs.kernel",
        packages: {
          vendor: {
            says: "habanalabs-dkms of Habana's repository",
            link: "https://docs.habana.ai/en/latest/Installation_Guide/",
          },
        },
        source: vendor,
      },
      firmware: { files: [], elsewhere: "habanalabs/* of the package habanalabs-firmware", openness: "closed" },
      node: {
        paths: ["/dev/accel/accel*", "/dev/hl?", "/dev/hl??"],
        class: "accel",
        group: "render",
        mode: "0660",
        source: devices,
      },
      runtime,
      delegate,
      models: [{ format: "hl-recipe", compiler: "SynapseAI graph compiler", openness: "closed" }],
    },
  ],
  metrics: [
    { name: "clock_hertz", read: "device:clk_cur_freq_mhz", scale: 1e6, since: "5.7", source: abi },
    { name: "clock_max_hertz", read: "device:clk_max_freq_mhz", scale: 1e6, since: "5.7", source: abi },
    // Up to Linux 6.6 and in Habana's own driver these lie with the class device (hlN).
    { name: "clock_hertz", read: "class:clk_cur_freq_mhz", scale: 1e6, source: abi },
    { name: "clock_max_hertz", read: "class:clk_max_freq_mhz", scale: 1e6, source: abi },
    { name: "power_limit_watts", read: "device:max_power", scale: 0.001, source: abi },
    { name: "temperature_celsius", read: "hwmon:temp1_input", scale: 0.001, source: hwmon },
    { name: "power_watts", read: "hwmon:power1_input", scale: 1e-6, source: hwmon },
    // The card's own processor answers, which may be busy or dead.
    { name: "busy_ratio", read: "ask:INFO/DEVICE_UTILIZATION", scale: 0.01, wakes: true, source: uapi },
    { name: "memory_bytes", read: "ask:INFO/DRAM_USAGE", source: uapi },
    { name: "memory_total_bytes", read: "ask:INFO/HW_IP_INFO", source: uapi },
    { name: "hard_reset_count", read: "device:hard_reset_cnt", source: abi },
    { name: "soft_reset_count", read: "device:soft_reset_cnt", source: abi },
  ],
  traps: [
    "Mainline 7.3.4 does not know Gaudi 3 (1060, 1063): it needs Habana's DKMS driver.",
    "Modinfo names only Gaudi's firmware; Goya's and Gaudi 2's are asked for all the same.",
    "The driver reports the kernel's version as its own through DRM.",
    "accel_controlD<N> is the control node of the same card, not another card.",
    "Older kernels and vendor stacks have /dev/hlN and /sys/class/habanalabs/hlN; the driver lived in drivers/misc up to 6.2 (HABANA_AI).",
    "One process at a time acquires a card: synStatus 20 means busy, 26 a version mismatch or a card in reset.",
    "Driver, firmware and SynapseAI belong to one release.",
    "8086:4940 (QAT) and 8086:0b25 (DSA) are Intel accelerators of other kinds.",
  ],
  openness: {
    kernel: "open",
    firmware: "closed",
    runtime: "closed",
    compiler: "closed",
    says: "open kernel driver, closed rest",
  },
  maintained: "vendor stack yes; the mainline driver sees little change",
  verified: [
    {
      how: "real kernel driver",
      says: "Debian 7.3.4 amd64 probes emulated Goya and Gaudi 2 and refuses their BAR sizes; it was not seen to bind",
    },
    { how: "documents", says: "a capture of real Gaudi cards, read by our tests" },
  ],
  sources: [ids, abi, uapi, devices, goyaFiles, gaudiFiles, gaudi2Files, hwmon, udev, vendor, thunk, pciids],
  unknown: [
    "peak operations of Goya and Gaudi, of Gaudi 2 at 8 bits",
    "power of Goya and Gaudi",
    "memory from a primary source",
    "group of /dev/hl* nodes",
    "any Linux driver of Greco",
  ],
} as const satisfies Family;
