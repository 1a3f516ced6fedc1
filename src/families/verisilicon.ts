/**
 * VeriSilicon (Vivante) VIP: the NPU inside i.MX8M Plus, Amlogic A311D, Allwinner T527 and others. Two kernel drivers can own it,
 * never both: etnaviv (mainline, Mesa's Teflon) and galcore or vipcore (vendor kernels, closed libraries).
 */

import { fact, type Source } from "../base/source.ts";
import { of, type Family } from "./family.ts";

const kernel: Source = { kernel: "drivers/gpu/drm/etnaviv", module: "etnaviv", release: "7.3.4" };
const bindings: Source = { kernel: "Documentation/devicetree/bindings/gpu/vivante,gc.yaml", release: "7.3.4" };
const trees: Source = { kernel: "arch/arm64/boot/dts (Debian 7.3.4 arm64: 160 npu@ nodes)", release: "7.3.4" };
const udev: Source = { cited: "Debian udev 257.13: 50-udev-default.rules, renderD*", seen: "2026-11-22" };
const mesa: Source = { cited: "https://docs.mesa3d.org/teflon.html", seen: "2026-11-22" };
const tim: Source = { cited: "https://github.com/VeriSilicon/TIM-VX@19ac74c4", seen: "2026-11-22" };
const vx: Source = { cited: "https://github.com/VeriSilicon/tflite-vx-delegate", seen: "2026-11-22" };
const imx: Source = {
  cited:
    "https://github.com/nxp-imx/linux-imx drivers/mxc/gpu-viv/hal/os/linux/kernel/platform/freescale/gc_hal_kernel_platform_imx.c",
  seen: "2026-11-25",
};
const amlogic: Source = {
  cited: "gc_hal_kernel_platform_amlogic.c and Khadas device trees, public copies",
  says: "compatible = amlogic, galcore (with a blank); the spelling without is a captured machine's",
  seen: "2026-11-25",
};
const allwinner: Source = {
  cited: "galcore and vipcore platform files of Allwinner kernels, public copies",
  says: "of_device_id tables of both drivers hold allwinner,npu",
  seen: "2026-11-25",
};
const rockchip: Source = {
  cited: "https://github.com/rockchip-linux/rknpu drivers/npu_ko: modinfo alias",
  seen: "2026-11-25",
};
const record: Source = { cited: "https://github.com/flappyjet/npu-toolbox README.md", seen: "2026-11-25" };
const stm32mp2: Source = {
  cited: "https://wiki.st.com/stm32mpu-ecosystem-v5/wiki/STM32MP2_NPU_description",
  says: "one AI core that delivers 1.2 TOPS at 800 MHz; only supports 8-bits NN models",
  seen: "2026-11-25",
};
const imx8mpPeak: Source = {
  cited: "https://emb-exp.com/nxp-npus-understanding-the-shift",
  says: "i.MX8M Plus: ~2.3 TOPS",
  seen: "2026-11-25",
};
const rv1126: Source = {
  cited: "https://huggingface.co/opencv/opencv_zoo/commit/443b117dfaad489de1a1a1435e96d6a884ef59bd",
  says: "Toybrick RV1126: NPU 2.0TOPS, support 8bit / 16bit",
  seen: "2026-11-25",
};

export default {
  id: "verisilicon",
  vendor: "VeriSilicon",
  name: "VeriSilicon/Vivante VIP NPU",
  aliases: ["vivante", "etnaviv", "galcore"],
  says:
    "NPU core licensed to NXP (i.MX8M Plus), Amlogic (A311D, S905D3), Allwinner (T527) and older Rockchips. " +
    "Mainline drives it with etnaviv; vendor kernels with galcore or vipcore.",
  architecture: "MAC array",
  architectureDetail: fact("neural-network cores, tensor processing and a programmable OpenVX shader", tim),
  use: "inference",
  chips: [
    {
      id: "vip",
      name: "Vivante VIP (npu@ of the device tree)",
      // The same compatible names 2D, 3D and NPU cores: only the node's name tells them apart.
      matches: [of("vivante,gc", { names: ["npu"] })],
      peak: [{ ops: 1.2e12, precision: "int8 (STM32MP25 at 800 MHz)", source: stm32mp2 }],
      source: bindings,
    },
    {
      id: "imx8mp",
      name: "i.MX8M Plus VIPNano-SI+",
      matches: [of("fsl,imx8-vipsi"), of("fsl,imx8mp", { hint: true })],
      peak: [{ ops: 2.3e12, precision: "unstated", source: imx8mpPeak }],
      source: imx,
    },
    {
      id: "amlogic",
      name: "Amlogic A311D, S905D3 VIPNano-Q",
      matches: [of("amlogic, galcore"), of("amlogic,galcore"), of("amlogic,a311d", { hint: true })],
      peak: [{ ops: 5e12, precision: "int8 (A311D)", source: record }],
      source: amlogic,
    },
    {
      id: "allwinner",
      name: "Allwinner T527, A527, A733 VIP9000",
      matches: [
        of("allwinner,npu"),
        of("allwinner,sun55i-t527", { hint: true }),
        of("allwinner,sun55i-a527", { hint: true }),
        of("allwinner,sun55i-h728", { hint: true }),
      ],
      source: allwinner,
    },
    {
      id: "rk1808",
      name: "Rockchip RK1808, RK3399Pro, RV1109, RV1126",
      matches: [of("rockchip,npu")],
      peak: [{ ops: 2e12, precision: "unstated (RV1126)", source: rv1126 }],
      source: rockchip,
    },
  ],
  routes: [
    {
      name: "open",
      says: "mainline etnaviv, Mesa's Teflon, int8 TFLite: nothing closed anywhere",
      chips: ["vip"],
      driver: {
        module: "etnaviv",
        binds: ["etnaviv-gpu", "etnaviv"],
        origin: "mainline",
        config: { symbol: "DRM_ETNAVIV" },
        openness: "open",
        licence: "GPL-2.0",
        packages: { debian: [{ name: "linux-image-arm64" }] },
        source: kernel,
      },
      node: {
        paths: ["/dev/dri/renderD*"],
        class: "drm",
        drmName: "etnaviv",
        group: "render",
        mode: "0660",
        facade: "etnaviv",
        source: udev,
      },
      runtime: {
        libraries: ["libteflon.so"],
        paths: ["/usr/lib/teflon/libteflon.so", "/usr/lib64/libteflon.so"],
        name: "Mesa Teflon",
        openness: "open",
        licence: "MIT",
        packages: {
          debian: [{ name: "mesa-teflon-delegate", from: "trixie 25.0.7, trixie-backports 26.1.6" }],
          ubuntu: [{ name: "mesa-teflon-delegate", from: "noble-updates or later, universe" }],
          fedora: [{ name: "mesa-libTeflon" }],
        },
        source: mesa,
      },
      delegate: {
        id: "tflite",
        name: "TFLite external delegate",
        libraries: ["libteflon.so"],
        openness: "open",
        source: mesa,
      },
      models: [{ format: "tflite", openness: "open" }],
    },
    {
      name: "galcore",
      says: "vendor kernel's galcore with the maker's OpenVX libraries; TIM-VX and the vx delegate on top",
      driver: {
        module: "galcore",
        binds: ["galcore"],
        origin: "vendor-kernel",
        openness: "open",
        licence: "Dual MIT/GPL",
        packages: { vendor: { says: "galcore comes with the board's kernel (NXP, Amlogic, Khadas)" } },
        source: tim,
      },
      node: { paths: ["/dev/galcore"], class: "graphics_class", source: imx },
      runtime: {
        libraries: ["libGAL.so", "libOpenVX.so.1"],
        name: "Vivante OpenVX driver (libGAL)",
        openness: "closed",
        licence: "proprietary",
        also: ["libVSC.so"],
        packages: {
          vendor: { says: "of the same release as galcore: libraries and module check each other's version" },
        },
        source: tim,
      },
      delegate: {
        id: "tflite",
        name: "TFLite vx delegate over TIM-VX",
        libraries: ["libvx_delegate.so", "libtim-vx.so"],
        openness: "open",
        source: vx,
      },
      models: [
        { format: "tflite", openness: "open" },
        { format: "nbg", compiler: "ACUITY", openness: "closed" },
      ],
    },
    {
      name: "viplite",
      says: "Allwinner's vipcore driver with VIPLite: runs network binary graphs only",
      chips: ["allwinner"],
      driver: { module: "vipcore", origin: "vendor-kernel", openness: "open", source: allwinner },
      node: { paths: ["/dev/vipcore"], class: "unknown", source: allwinner },
      runtime: {
        libraries: ["libVIPhal.so", "libVIPuser.so", "libVIPlite.so"],
        name: "VIPLite",
        openness: "closed",
        source: { cited: "https://github.com/ut-slayer/orangepi-4a-mainline/issues/6", seen: "2026-11-25" },
      },
      delegate: { id: "vendor", name: "VIPLite programs", openness: "closed", source: allwinner },
      models: [{ format: "nbg", compiler: "ACUITY", openness: "closed" }],
    },
  ],
  traps: [
    "vivante,gc is a 2D or 3D GPU unless its node is named npu: i.MX8MP has two GPU cores and one NPU, all on one render node",
    "the render node belongs to a facade device named etnaviv; one node serves GPU and NPU",
    "an NPU that etnaviv reports as GC0 was not powered or clocked and cannot be used",
    "etnaviv and galcore exclude each other: only one may own the core",
    "fsl,imx8-gpu and fsl,imx8-gpu-ss name GPU cores too; only fsl,imx8-vipsi is the NPU",
  ],
  openness: {
    kernel: "open",
    firmware: "none",
    runtime: "mixed",
    compiler: "mixed",
    says: "open with etnaviv and Teflon; with galcore the libraries and the ACUITY compiler are closed",
  },
  maintained: "yes",
  verified: [
    {
      how: "documents",
      says: "kernel logs of i.MX8MP (etnaviv) and RK1808 (galcore) by others; device trees of Debian 7.3.4",
    },
  ],
  sources: [kernel, bindings, trees, mesa, tim, vx, imx, amlogic, allwinner, rockchip],
  unknown: [
    "power",
    "mode and owner of /dev/galcore: the board's image sets them",
    "galcore's debugfs gc/ (info, version, clk, idle, load seen in use) differs from release to release",
  ],
} as const satisfies Family;
