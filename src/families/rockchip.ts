/** Rockchip NPU of RK35xx and RV11xx SoCs: two worlds, mainline rocket with Mesa's Teflon and the vendor's rknpu with librknnrt. */

import { fact, type Source } from "../base/source.ts";
import { of, pci, type DriverSpec, type Family, type NodeSpec } from "./family.ts";

const rocket: Source = { kernel: "drivers/accel/rocket/rocket_drv.c", module: "rocket", release: "7.3.4" };
const rocketConfig: Source = { kernel: "drivers/accel/rocket/Kconfig", module: "rocket", release: "7.3.4" };
const rknpu: Source = {
  cited: "https://github.com/w568w/rknpu-module",
  says: "@a8792fe src/rknpu_drv.c:66-71,312-336, rknpu_debugger.c:309-318",
  seen: "2026-11-22",
};
const rknpuConfig: Source = { cited: "https://github.com/airockchip/rknn-toolkit2/issues/68", seen: "2026-11-22" };
const toolkit: Source = {
  cited: "https://github.com/airockchip/rknn-toolkit2",
  says: "@59a913d1 (v2.3.2)",
  seen: "2026-11-22",
};
const llm: Source = { cited: "https://github.com/airockchip/rknn-llm", seen: "2026-11-22" };
const firefly: Source = { cited: "https://wiki.t-firefly.com/en/iCore-3588Q/usage_npu.html", seen: "2026-11-22" };
const teflon: Source = { cited: "https://docs.mesa3d.org/teflon.html", seen: "2026-11-22" };
const mesaPackages: Source = {
  cited: "Debian packages mesa-teflon-delegate 25.0.7, 26.1.6, 26.2.6 (arm64)",
  seen: "2026-11-22",
};
const pciids: Source = {
  cited: "https://github.com/pciutils/pciids",
  says: "@c1c12547 (2026-08-22)",
  seen: "2026-11-22",
};
const boardLog: Source = { cited: "https://github.com/blakeblackshear/frigate/pull/21259", seen: "2026-11-22" };
const dtsi: Source = { kernel: "arch/arm64/boot/dts/rockchip/rk3588-base.dtsi", release: "7.3.4" };
const rk3568: Source = {
  cited: "http://mbb.eet-china.com/tags/17067.html",
  says: "RK3568 overview: Neural network acceleration engine with processing performance up to 1 TOPS",
  seen: "2026-11-25",
};
const rk3566: Source = { cited: "https://laosan.tv/?p=66", says: "RK3566: 0.8 TOPS", seen: "2026-11-25" };
const rv1106: Source = {
  cited: "https://wiki.t-firefly.com/en/CT36L/usage_npu.html",
  says: "RV1106 has a built-in NPU module, with a processing performance of up to 0.5TOPS",
  seen: "2026-11-25",
};

/** SoCs of the RKNN2 runtime (librknnrt); RV1106 has a smaller one of its own. */
const large = ["rk3588", "rk3576", "rk3568", "rk3562", "rv1126b", "rknpu"];

const rknpuDriver: DriverSpec = {
  module: "rknpu",
  binds: ["RKNPU", "rknpu"],
  compatibles: [
    "rockchip,rk3588-rknpu",
    "rockchip,rk3576-rknpu",
    "rockchip,rk3568-rknpu",
    "rockchip,rk3562-rknpu",
    "rockchip,rv1106-rknpu",
    "rockchip,rv1126b-rknpu",
    "rockchip,rknpu",
  ],
  origin: "vendor-kernel",
  config: { symbol: "ROCKCHIP_RKNPU" },
  openness: "open",
  licence: "GPL-2.0",
  repository: "https://github.com/rockchip-linux/kernel",
  packages: {
    vendor: {
      says: "part of Rockchip's kernel (and of the vendor kernels of Armbian and board makers); for newer kernels there is an out-of-tree port",
      link: "https://github.com/w568w/rknpu-module",
    },
  },
  source: rknpu,
};

const rknpuNode: NodeSpec = {
  // A render node when built with DRM_GEM, a misc device when built with DMA heaps.
  paths: ["/dev/dri/renderD*", "/dev/rknpu"],
  class: "drm",
  drmName: "rknpu",
  group: "render",
  source: rknpu,
};

export default {
  id: "rockchip",
  vendor: "Rockchip",
  name: "Rockchip NPU",
  aliases: ["rknpu", "rocket", "rknn"],
  says: "Convolution engine of Rockchip's SoCs, met on single-board computers. The vendor's kernel and library are complete and closed above the kernel; the open route works on RK3588.",
  architecture: "MAC array",
  architectureDetail: fact(
    "convolution (CNA), post-processing (DPU) and pooling (PPU) units per core, related to NVDLA",
    rocket,
  ),
  use: "inference",
  chips: [
    {
      id: "rk3588",
      name: "RK3588 NPU",
      matches: [of("rockchip,rk3588-rknn-core"), of("rockchip,rk3588-rknpu")],
      peak: [{ ops: 6e12, precision: "int8", source: firefly }],
      cores: fact(3, rocket),
      memory: fact("shared system RAM", toolkit),
      grouped: true,
      source: rocket,
    },
    {
      id: "rk3576",
      name: "RK3576 NPU",
      matches: [of("rockchip,rk3576-rknpu")],
      peak: [{ ops: 6e12, precision: "int8", source: toolkit }],
      memory: fact("shared system RAM", toolkit),
      source: rknpu,
    },
    {
      id: "rk3568",
      name: "RK3566/RK3568 NPU",
      matches: [of("rockchip,rk3568-rknpu")],
      memory: fact("shared system RAM; its IOMMU reaches 4 GB", rknpu),
      peak: [
        { ops: 1e12, precision: "unstated (RK3568)", source: rk3568 },
        { ops: 0.8e12, precision: "unstated (RK3566)", source: rk3566 },
      ],
      source: rknpu,
    },
    { id: "rk3562", name: "RK3562 NPU", matches: [of("rockchip,rk3562-rknpu")], source: rknpu },
    {
      id: "rv1106",
      name: "RV1103/RV1106 NPU",
      matches: [of("rockchip,rv1106-rknpu")],
      peak: [{ ops: 0.5e12, precision: "unstated", source: rv1106 }],
      source: rknpu,
    },
    { id: "rv1126b", name: "RV1126B NPU", matches: [of("rockchip,rv1126b-rknpu")], source: rknpu },
    { id: "rknpu", name: "Rockchip NPU (generic compatible)", matches: [of("rockchip,rknpu")], source: rknpu },
    { id: "rk1808", name: "RK1808 NPU card", matches: [pci("1d87:1808")], source: pciids },
    { id: "rk182x", name: "RK182x coprocessor", matches: [pci("1d87:182a")], source: pciids },
  ],
  routes: [
    {
      name: "open",
      says: "mainline rocket and Mesa's Teflon, int8 TFLite: nothing closed anywhere",
      chips: ["rk3588"],
      driver: {
        module: "rocket",
        compatibles: ["rockchip,rk3588-rknn-core"],
        origin: "mainline",
        since: "6.18",
        config: {
          symbol: "DRM_ACCEL_ROCKET",
          needs: ["DRM_ACCEL", "ARCH_ROCKCHIP", "ROCKCHIP_IOMMU"],
          never: "no Debian kernel has set it, up to 7.3",
        },
        openness: "open",
        licence: "GPL-2.0-only",
        repository: "https://git.kernel.org/pub/scm/linux/kernel/git/torvalds/linux.git",
        // No package: Debian 7.2 and 7.3 have it in the tree and switched off.
        source: rocketConfig,
      },
      node: {
        paths: ["/dev/accel/accel*"],
        class: "accel",
        drmName: "rocket",
        facade: "rknn",
        group: "render",
        mode: "0660",
        rule: 'SUBSYSTEM=="accel"',
        source: rocket,
      },
      runtime: {
        name: "Mesa Teflon",
        libraries: ["libteflon.so"],
        paths: ["/usr/lib/teflon/libteflon.so", "/usr/lib64/libteflon.so"],
        openness: "open",
        licence: "MIT",
        packages: {
          debian: [
            {
              name: "mesa-teflon-delegate",
              from: "trixie-backports 26.1.6, sid 26.2.6 (25.0.7 of trixie has no rocket)",
              gives: "/usr/lib/teflon/libteflon.so",
            },
          ],
          ubuntu: [{ name: "mesa-teflon-delegate", from: "universe, 26.04 or later (25.2.8 is before rocket)" }],
          fedora: [{ name: "mesa-libTeflon", from: "43: 25.3.6, 44: 26.1.7", gives: "/usr/lib64/libteflon.so" }],
        },
        source: mesaPackages,
      },
      delegate: {
        id: "tflite",
        name: "Teflon, TFLite external delegate",
        libraries: ["libteflon.so"],
        paths: ["/usr/lib/teflon/libteflon.so", "/usr/lib64/libteflon.so"],
        openness: "open",
        packages: { debian: [{ name: "libtensorflow-lite2.14.1", from: "sid", gives: "the TFLite runtime itself" }] },
        source: teflon,
      },
      models: [{ format: "tflite", openness: "open" }],
    },
    {
      name: "vendor",
      says: "the vendor kernel's rknpu and the closed RKNN runtime",
      chips: large,
      driver: rknpuDriver,
      node: rknpuNode,
      runtime: {
        name: "RKNN runtime",
        libraries: ["librknnrt.so"],
        openness: "closed",
        licence: "proprietary, forbids reverse engineering",
        packages: {
          pypi: [{ name: "rknn-toolkit-lite2", gives: "Python binding for the board" }],
          vendor: {
            says: "librknnrt.so out of Rockchip's repository",
            link: "https://github.com/airockchip/rknn-toolkit2",
          },
        },
        wheels: ["rknn-toolkit-lite2"],
        source: toolkit,
      },
      delegate: { id: "rknn", name: "RKNN API", libraries: ["librknnrt.so"], openness: "closed", source: toolkit },
      models: [
        { format: "rknn", compiler: "rknn-toolkit2", openness: "closed" },
        { format: "rknn-encrypted", compiler: "rknn-toolkit2", openness: "closed" },
      ],
    },
    {
      name: "vendor-small",
      says: "the vendor kernel's rknpu and the small RKNN runtime of RV1103/RV1106",
      chips: ["rv1106"],
      driver: rknpuDriver,
      node: rknpuNode,
      runtime: {
        name: "RKNN runtime, small",
        libraries: ["librknnmrt.so"],
        openness: "closed",
        licence: "proprietary",
        packages: {
          vendor: {
            says: "librknnmrt.so out of Rockchip's repository",
            link: "https://github.com/airockchip/rknn-toolkit2",
          },
        },
        source: toolkit,
      },
      delegate: { id: "rknn", name: "RKNN API", libraries: ["librknnmrt.so"], openness: "closed", source: toolkit },
      models: [{ format: "rknn", compiler: "rknn-toolkit2", openness: "closed" }],
    },
    {
      name: "llm",
      says: "language models by the closed RKLLM runtime on the vendor's rknpu",
      chips: ["rk3588", "rk3576", "rk3562", "rv1126b"],
      driver: rknpuDriver,
      node: rknpuNode,
      runtime: {
        name: "RKLLM runtime",
        libraries: ["librkllmrt.so"],
        openness: "closed",
        licence: "proprietary",
        packages: {
          vendor: {
            says: "librkllmrt.so out of Rockchip's repository",
            link: "https://github.com/airockchip/rknn-llm",
          },
        },
        source: llm,
      },
      delegate: { id: "vendor", name: "RKLLM API", libraries: ["librkllmrt.so"], openness: "closed", source: llm },
      models: [{ format: "rkllm", compiler: "rkllm-toolkit", openness: "closed" }],
    },
  ],
  metrics: [
    // Text, "NPU load:  Core0: 12%, Core1:  0%, Core2:  0%," or "NPU load: 12%"; percent. Vendor driver only.
    {
      name: "busy_ratio",
      read: "proc:rknpu/load",
      scale: 0.01,
      form: "percents",
      drivers: ["RKNPU", "rknpu"],
      source: rknpu,
    },
    {
      name: "busy_ratio",
      read: "debug:rknpu/load",
      scale: 0.01,
      form: "percents",
      drivers: ["RKNPU", "rknpu"],
      root: true,
      source: rknpu,
    },
    { name: "clock_hertz", read: "device:devfreq/*/cur_freq", drivers: ["RKNPU", "rknpu"], source: boardLog },
    // A sensor of the SoC, awake whatever the NPU does.
    { name: "temperature_celsius", read: "thermal:npu*thermal", scale: 0.001, safe: true, source: dtsi },
  ],
  traps: [
    "Three RK3588 cores are one accel device: accel0 hangs from a software device 'rknn' without driver link; the cores fdab0000.npu, fdac0000.npu, fdad0000.npu are bound to rocket and have no node of their own.",
    "Each core must be 'okay' in the device tree; 29 of 57 RK3588 boards of Debian 7.3 ship with the cores disabled.",
    "A render node may be the NPU: ask its DRM driver name (rknpu) before calling it a GPU.",
    "rocket and rknpu are different interfaces: librknnrt finds no device on a mainline kernel although accel0 is there.",
    "rocket of 7.3.4 matches rockchip,rk3588-rknn-core only; RK3566, RK3568 and RK3576 have no NPU node in mainline device trees.",
    "rocket answers no query but its version: no load, clock or temperature comes from the driver.",
    "An ethosn module may load on an RK3588; the NPU is Rockchip's own all the same.",
    "RK1808, RK3399Pro, RV1109 and RV1126 carry a VeriSilicon core under galcore and take models of the old rknn-toolkit only.",
    "1d87:3588, 3576, 3566 and the like on PCI are root ports or endpoints, no accelerators.",
  ],
  openness: {
    kernel: "open",
    firmware: "none",
    runtime: "mixed",
    compiler: "mixed",
    says: "two worlds: fully open but young (rocket and Teflon, RK3588) and closed but complete (rknpu)",
  },
  maintained: "yes, both routes",
  verified: [
    {
      how: "real kernel driver",
      says: "rocket built for Debian 7.3.4 arm64 binds three emulated cores and makes one accel node; the same kernel with the vendor's compatible has no driver for it",
    },
    {
      how: "documents",
      says: "captures of real hardware (RK3568, RK3576, RK3588 with vendor kernels; RK3588 with rocket), read by our tests",
    },
  ],
  sources: [
    rocket,
    rocketConfig,
    rknpu,
    rknpuConfig,
    toolkit,
    llm,
    firefly,
    teflon,
    mesaPackages,
    boardLog,
    dtsi,
    pciids,
  ],
  unknown: [
    "power",
    "whether rocket will cover RK3568 or RK3576, and from which release",
    "drivers of the RK1808 and RK182x PCI cards",
  ],
} as const satisfies Family;
