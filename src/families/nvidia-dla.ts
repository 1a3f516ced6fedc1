/** NVDLA: the DLA cores of Jetson Xavier and Orin (nvhost-nvdla of L4T) and NVIDIA's open hardware design of the same name (opendla). */

import { fact, type Source } from "../base/source.ts";
import { of, type Family } from "./family.ts";

const l4t: Source = {
  cited: "https://github.com/OE4T/linux-nv-oot",
  says: "@473ef693 drivers/video/tegra/host/nvdla/nvdla.c (public copy of L4T's driver)",
  seen: "2026-11-25",
};
const firmware: Source = {
  cited:
    "L4T nvhost device table and firmware recipes (public copies; strings nvhost_nvdla010.fw, nvidia,tegra234-nvdla)",
  seen: "2026-11-22",
};
const open: Source = {
  cited: "https://github.com/nvdla/sw",
  says: "@79538ba1 (2019) kmd/port/linux/nvdla_core_callbacks.c:349-434, nvdla_gem.c:410, umd/port/linux/nvdla.c:53",
  seen: "2026-11-22",
};
const orin: Source = {
  cited: "https://github.com/NVIDIA/Deep-Learning-Accelerator-SW",
  says: "Jetson AGX Orin 64GB, MAXN: 2x DLA sparse INT8 peak performance 105 TOPs",
  seen: "2026-11-25",
};
const xavier: Source = {
  cited: "https://codestudyblog.com/8ten84/80426044521.html",
  says: "NVIDIA's words of Jetson AGX Xavier, put into another language and back: each DLA up to 5 TOPS INT8 or 2.5 TFLOPS FP16 at 0.5 to 1.5 W",
  seen: "2026-11-26",
};

export default {
  id: "nvdla",
  vendor: "NVIDIA",
  name: "NVIDIA DLA (NVDLA)",
  aliases: ["dla", "nvidia-dla"],
  says: "Fixed-function convolution engine: two cores in Jetson AGX Xavier and Orin, reached through TensorRT only, and an open hardware design found in FPGAs and a few SoCs.",
  architecture: "MAC array",
  architectureDetail: fact("fixed-function CNN pipeline", open),
  use: "inference",
  chips: [
    {
      id: "tegra194",
      name: "DLA of Xavier",
      matches: [of("nvidia,tegra194-nvdla")],
      // Of one of the two.
      peak: [
        { ops: 5e12, precision: "int8", source: xavier },
        { ops: 2.5e12, precision: "fp16", source: xavier },
      ],
      watts: fact(1.5, xavier),
      source: l4t,
    },
    {
      id: "tegra234",
      name: "DLA of Orin",
      matches: [of("nvidia,tegra234-nvdla")],
      peak: [{ ops: 105e12, precision: "int8 sparse (both of Jetson AGX Orin 64GB)", source: orin }],
      source: l4t,
    },
    {
      id: "open",
      name: "NVDLA (open design)",
      matches: [of("nvidia,nvdla_os_initial"), of("nvidia,nv_small"), of("nvidia,nv_large")],
      source: open,
    },
  ],
  routes: [
    {
      name: "tensorrt",
      says: "NVIDIA's Jetson Linux, layers placed on the DLA by TensorRT",
      chips: ["tegra194", "tegra234"],
      driver: {
        module: "nvhost_nvdla",
        origin: "vendor-kernel",
        openness: "open",
        licence: "GPL-2.0",
        repository: "https://github.com/OE4T/linux-nv-oot",
        packages: {
          vendor: { says: "part of Jetson Linux (L4T)", link: "https://developer.nvidia.com/embedded/jetson-linux" },
        },
        source: l4t,
      },
      firmware: {
        files: [
          { path: "nvhost_nvdla010.fw", chips: ["tegra194"], source: firmware },
          { path: "nvhost_nvdla020.fw", chips: ["tegra234"], source: firmware },
        ],
        openness: "closed",
        packages: {
          vendor: { says: "part of Jetson Linux (L4T)", link: "https://developer.nvidia.com/embedded/jetson-linux" },
        },
      },
      node: { paths: ["/dev/nvhost-ctrl-nvdla?", "/dev/nvhost-nvdla?"], class: "", source: l4t },
      runtime: {
        name: "NVDLA runtime of JetPack",
        libraries: ["libnvdla_compiler.so", "libnvdla_runtime.so", "libcudla.so.1"],
        paths: ["/usr/lib/aarch64-linux-gnu/tegra/libnvdla_*.so*", "/usr/lib/aarch64-linux-gnu/nvidia/libnvdla_*.so*"],
        openness: "closed",
        licence: "proprietary",
        packages: { vendor: { says: "part of JetPack", link: "https://developer.nvidia.com/embedded/jetpack" } },
        source: firmware,
      },
      delegate: {
        id: "vendor",
        name: "TensorRT (--useDLACore)",
        libraries: ["libnvinfer.so.*"],
        openness: "closed",
        source: firmware,
      },
      models: [
        { format: "tensorrt", compiler: "TensorRT", openness: "closed" },
        { format: "nvdla-loadable", compiler: "TensorRT", openness: "closed" },
      ],
    },
    {
      name: "opendla",
      says: "nvdla/sw for the open design: out of tree and left since 2019",
      chips: ["open"],
      driver: {
        module: "opendla",
        binds: ["NVDLA"],
        origin: "out-of-tree",
        openness: "open",
        licence: "Dual BSD/GPL",
        repository: "https://github.com/nvdla/sw",
        source: open,
      },
      node: { paths: ["/dev/dri/renderD*"], class: "drm", drmName: "nvdla", source: open },
      runtime: {
        name: "NVDLA user-mode driver",
        libraries: ["libnvdla_runtime.so"],
        openness: "open",
        licence: "BSD",
        source: open,
      },
      delegate: { id: "vendor", name: "nvdla_runtime", openness: "open", source: open },
      models: [{ format: "nvdla-loadable", compiler: "nvdla_compiler", openness: "open" }],
    },
  ],
  traps: [
    "Mainline device trees of Tegra have no DLA node: a Jetson on a distribution's kernel shows none.",
    "A DLA node in /dev is not proof: TensorRT built for servers (SBSA) reports no DLA on the same board.",
    "Newer Jetson Linux has /dev/nvhost-ctrl-nvdla0 and 1 and no /dev/nvhost-nvdla0.",
    "A DLA may be fused off: the driver says 'IP is disabled in Fuse' or 'in SKU'.",
    "The open user-mode driver opens /dev/dri/renderD128 by that fixed name; another GPU may have it.",
    "nvidia,tegra194-dspk and the like are sound, not the DLA.",
  ],
  openness: {
    kernel: "open",
    firmware: "closed",
    runtime: "mixed",
    compiler: "mixed",
    says: "the open hardware project is dead; on Jetson everything above the kernel is closed",
  },
  maintained: "Jetson yes; nvdla/sw no (2019)",
  verified: [
    {
      how: "documents",
      says: "read only; a device-tree node of Xavier's DLA without driver is in our kernel captures",
    },
  ],
  sources: [l4t, firmware, open],
  unknown: [
    "peak operations of Xavier's DLA",
    "power",
    "group of the nodes on L4T",
    "package names of L4T",
    "device-tree compatible of Thor's successor, if any",
  ],
} as const satisfies Family;
