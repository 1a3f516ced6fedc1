/** Intel GPUs for compute: i915 or xe in the kernel, Level Zero and OpenVINO above. Every GPU of vendor 8086 with a display class. */

import { type Source } from "../base/source.ts";
import { pci, type DelegateSpec, type DriverSpec, type Family, type RuntimeSpec } from "./family.ts";

const xe: Source = { kernel: "drivers/gpu/drm/xe", module: "xe", release: "7.3.4" };
const i915: Source = { kernel: "drivers/gpu/drm/i915", module: "i915", release: "7.3.4" };
const udev: Source = { cited: "Debian packages udev 254.26, 257.13, 262.1: 50-udev-default.rules", seen: "2026-11-22" };
const usage: Source = { kernel: "Documentation/gpu/drm-usage-stats.rst", release: "7.3.4" };
const xeAbi: Source = {
  kernel: "Documentation/ABI/testing/sysfs-driver-intel-xe-hwmon",
  module: "xe",
  release: "7.3.4",
};
const xeFreq: Source = { kernel: "drivers/gpu/drm/xe/xe_gt_freq.c", module: "xe" };
const xeIdle: Source = { kernel: "drivers/gpu/drm/xe/xe_gt_idle.c", module: "xe" };
const xeThrottle: Source = { kernel: "drivers/gpu/drm/xe/xe_gt_throttle.c", module: "xe" };
const i915Gt: Source = { kernel: "drivers/gpu/drm/i915/gt/intel_gt_sysfs_pm.c", module: "i915" };
const levelZero: Source = {
  cited: "https://packages.ubuntu.com/resolute/amd64/libze-intel-gpu1/filelist",
  says: "/usr/lib/x86_64-linux-gnu/libze_intel_gpu.so.1",
  seen: "2026-11-25",
};
const platforms: Source = { cited: "https://packages.debian.org/sid/intel-opencl-icd", seen: "2026-11-25" };
const debian: Source = { cited: "https://packages.debian.org/forky/libze-intel-gpu1", seen: "2026-11-25" };
const fedora: Source = {
  cited: "https://packages.fedoraproject.org/pkgs/intel-compute-runtime/intel-level-zero",
  seen: "2026-11-25",
};
const arch: Source = {
  cited: "https://archlinux.org/packages/extra/x86_64/openvino-intel-gpu-plugin/",
  seen: "2026-11-25",
};
const openvino: Source = { cited: "https://pypi.org/project/openvino/", seen: "2026-11-25" };
const ggml: Source = {
  cited: "https://github.com/ggml-org/llama.cpp",
  says: "ggml/src/ggml-sycl, ggml-vulkan",
  seen: "2026-11-25",
};
const anv: Source = { cited: "https://docs.mesa3d.org/drivers/anv.html", seen: "2026-11-25" };
const pciids: Source = {
  cited: "https://github.com/pciutils/pciids",
  says: "@c1c12547 (2026-08-22)",
  seen: "2026-11-22",
};

const node = {
  paths: ["/dev/dri/renderD*"],
  class: "drm",
  group: "render",
  mode: "0660",
  source: udev,
} as const;

const runtime: RuntimeSpec = {
  name: "Intel compute runtime (Level Zero)",
  libraries: ["libze_intel_gpu.so.1"],
  also: ["libze_loader.so.1"],
  openness: "open",
  licence: "MIT",
  packages: {
    debian: [
      { name: "libze-intel-gpu1", from: "forky 26.05", gives: "libze_intel_gpu.so.1" },
      { name: "libze1", from: "trixie 1.20.6", gives: "libze_loader.so.1" },
      { name: "intel-opencl-icd", gives: "OpenCL on the same GPU" },
    ],
    ubuntu: [{ name: "libze-intel-gpu1", from: "24.04 and later (universe)" }, { name: "libze1" }],
    fedora: [{ name: "intel-level-zero" }],
    arch: [{ name: "intel-compute-runtime" }],
    vendor: { says: "release page", link: "https://github.com/intel/compute-runtime/releases" },
  },
  source: levelZero,
};

const xeDriver: DriverSpec = {
  module: "xe",
  // Older GPUs are i915's; either name on the driver link is right.
  binds: ["xe", "i915"],
  origin: "mainline",
  since: "6.8",
  config: { symbol: "DRM_XE", needs: ["DRM", "PCI"] },
  openness: "open",
  licence: "GPL and additional rights",
  packages: { debian: [{ name: "linux-image-amd64", from: "trixie 6.12 and later" }] },
  source: xe,
};

const i915Driver: DriverSpec = {
  module: "i915",
  binds: ["i915", "xe"],
  origin: "mainline",
  config: { symbol: "DRM_I915", needs: ["DRM", "PCI"] },
  openness: "open",
  licence: "GPL and additional rights",
  packages: { debian: [{ name: "linux-image-amd64" }] },
  source: i915,
};

const mesa: RuntimeSpec = {
  name: "Mesa ANV",
  libraries: ["libvulkan_intel.so"],
  openness: "open",
  licence: "MIT",
  source: anv,
};

const vulkan: DelegateSpec = {
  id: "ggml",
  name: "ggml Vulkan",
  libraries: ["libggml-vulkan.so"],
  openness: "open",
  source: ggml,
};

/** Chips that only xe drives; the others may be i915's. */
const xeOnly = ["battlemage", "lunar-lake", "panther-lake"];
const either = ["alchemist", "flex", "gpu"];

export default {
  id: "intel-gpu",
  vendor: "Intel",
  name: "Intel GPU",
  aliases: ["arc", "xe", "i915"],
  says: "Arc cards, data-centre Flex and Max cards and the GPUs inside Intel processors. Compute goes through Level Zero, most often by OpenVINO's GPU plugin.",
  architecture: "SIMT",
  use: "both",
  chips: [
    {
      id: "alchemist",
      name: "Intel Arc A-series (Alchemist)",
      matches: [
        pci("8086:5690"),
        pci("8086:5691"),
        pci("8086:5692"),
        pci("8086:5693"),
        pci("8086:5694"),
        pci("8086:5695"),
        pci("8086:5696"),
        pci("8086:5697"),
        pci("8086:56a0"),
        pci("8086:56a1"),
        pci("8086:56a2"),
        pci("8086:56a3"),
        pci("8086:56a4"),
        pci("8086:56a5"),
        pci("8086:56a6"),
        pci("8086:56b0"),
        pci("8086:56b1"),
        pci("8086:56b2"),
        pci("8086:56b3"),
        pci("8086:56ba"),
        pci("8086:56bb"),
        pci("8086:56bc"),
        pci("8086:56bd"),
        pci("8086:56be"),
        pci("8086:56bf"),
      ],
      source: xe,
    },
    {
      id: "flex",
      name: "Intel Data Center GPU Flex",
      matches: [pci("8086:56c0"), pci("8086:56c1"), pci("8086:56c2")],
      source: xe,
    },
    {
      id: "battlemage",
      name: "Intel Arc B-series (Battlemage)",
      matches: [
        pci("8086:e202"),
        pci("8086:e209"),
        pci("8086:e20b"),
        pci("8086:e20c"),
        pci("8086:e20d"),
        pci("8086:e210"),
        pci("8086:e211"),
        pci("8086:e212"),
        pci("8086:e216"),
        pci("8086:e220"),
        pci("8086:e221"),
        pci("8086:e222"),
        pci("8086:e223"),
      ],
      source: xe,
    },
    {
      // Not in xe's or i915's table of 7.3.4: no mainline driver binds it.
      id: "max",
      name: "Intel Data Center GPU Max (Ponte Vecchio)",
      matches: [
        pci("8086:0b69"),
        pci("8086:0b6e"),
        pci("8086:0bd4"),
        pci("8086:0bd5"),
        pci("8086:0bd6"),
        pci("8086:0bd7"),
        pci("8086:0bd8"),
        pci("8086:0bd9"),
        pci("8086:0bda"),
        pci("8086:0bdb"),
      ],
      source: pciids,
    },
    {
      id: "lunar-lake",
      name: "Intel GPU of Lunar Lake",
      matches: [pci("8086:6420"), pci("8086:64a0"), pci("8086:64b0")],
      source: xe,
    },
    {
      id: "panther-lake",
      name: "Intel GPU of Panther Lake",
      matches: [
        pci("8086:b080"),
        pci("8086:b081"),
        pci("8086:b082"),
        pci("8086:b083"),
        pci("8086:b084"),
        pci("8086:b085"),
        pci("8086:b086"),
        pci("8086:b087"),
        pci("8086:b08f"),
        pci("8086:b090"),
        pci("8086:b0a0"),
        pci("8086:b0b0"),
      ],
      source: xe,
    },
    { id: "gpu", name: "Intel GPU", matches: [pci("8086:*", { classes: ["0300", "0302", "0380"] })], source: i915 },
  ],
  routes: [
    {
      name: "openvino",
      says: "xe, Intel's open compute runtime, OpenVINO's GPU plugin",
      chips: xeOnly,
      driver: xeDriver,
      firmware: {
        files: [
          { path: "xe/bmg_guc_70.bin", chips: ["battlemage"], source: xe },
          { path: "xe/lnl_guc_70.bin", chips: ["lunar-lake"], source: xe },
          { path: "xe/ptl_guc_70.bin", chips: ["panther-lake"], source: xe },
        ],
        openness: "closed",
      },
      node: { ...node, drmName: "xe" },
      runtime,
      delegate: {
        id: "openvino",
        name: "OpenVINO GPU plugin",
        libraries: ["libopenvino_intel_gpu_plugin.so"],
        openness: "open",
        packages: {
          fedora: [{ name: "openvino-plugins" }],
          arch: [{ name: "openvino-intel-gpu-plugin" }],
          pypi: [{ name: "openvino" }],
        },
        source: openvino,
      },
      models: [
        { format: "openvino-ir", openness: "open" },
        { format: "onnx", openness: "open" },
      ],
    },
    {
      name: "openvino-i915",
      says: "i915 (or xe), Intel's open compute runtime, OpenVINO's GPU plugin",
      chips: either,
      driver: i915Driver,
      firmware: {
        files: [{ path: "i915/dg2_guc_70.bin", chips: ["alchemist", "flex"], source: i915 }],
        elsewhere: "GPUs inside processors: i915/<platform>_guc_*.bin, needed from Alder Lake on",
        openness: "closed",
      },
      node,
      runtime,
      delegate: {
        id: "openvino",
        name: "OpenVINO GPU plugin",
        libraries: ["libopenvino_intel_gpu_plugin.so"],
        openness: "open",
        packages: {
          fedora: [{ name: "openvino-plugins" }],
          arch: [{ name: "openvino-intel-gpu-plugin" }],
          pypi: [{ name: "openvino" }],
        },
        source: openvino,
      },
      models: [
        { format: "openvino-ir", openness: "open" },
        { format: "onnx", openness: "open" },
      ],
    },
    {
      name: "vulkan",
      says: "xe and Mesa's ANV, models through a Vulkan backend",
      chips: xeOnly,
      driver: xeDriver,
      node: { ...node, drmName: "xe" },
      runtime: mesa,
      delegate: vulkan,
      models: [{ format: "gguf", openness: "open" }],
    },
    {
      name: "vulkan-i915",
      says: "i915 (or xe) and Mesa's ANV, models through a Vulkan backend",
      chips: either,
      driver: i915Driver,
      node,
      runtime: mesa,
      delegate: vulkan,
      models: [{ format: "gguf", openness: "open" }],
    },
  ],
  metrics: [
    { name: "clock_hertz", read: "device:tile*/gt*/freq0/act_freq", scale: 1e6, drivers: ["xe"], source: xeFreq },
    { name: "clock_max_hertz", read: "device:tile*/gt*/freq0/max_freq", scale: 1e6, drivers: ["xe"], source: xeFreq },
    {
      name: "idle_seconds",
      read: "device:tile*/gt*/gtidle/idle_residency_ms",
      scale: 0.001,
      derived: { name: "engines_awake_ratio", how: "rest" },
      drivers: ["xe"],
      source: xeIdle,
    },
    // 1 while anything holds the clock back.
    { name: "throttled_state", read: "device:tile*/gt*/freq0/throttle/status", drivers: ["xe"], source: xeThrottle },
    {
      name: "clock_hertz",
      read: "device:drm/card*/gt/gt*/rps_act_freq_mhz",
      scale: 1e6,
      drivers: ["i915"],
      source: i915Gt,
    },
    {
      name: "clock_max_hertz",
      read: "device:drm/card*/gt/gt*/rps_max_freq_mhz",
      scale: 1e6,
      drivers: ["i915"],
      source: i915Gt,
    },
    {
      name: "idle_seconds",
      read: "device:drm/card*/gt/gt*/rc6_residency_ms",
      scale: 0.001,
      derived: { name: "engines_awake_ratio", how: "rest" },
      drivers: ["i915"],
      source: i915Gt,
    },
    {
      name: "throttled_state",
      read: "device:drm/card*/gt/gt*/throttle_reason_status",
      drivers: ["i915"],
      source: i915Gt,
    },
    // Reasons by name: pl1, pl2, pl4, thermal, prochot, ratl, vr_thermalert, vr_tdc; newer chips have others.
    {
      name: "throttled_state",
      read: "device:tile*/gt*/freq0/throttle/reason_*",
      drivers: ["xe"],
      source: xeThrottle,
    },
    {
      name: "throttled_state",
      read: "device:drm/card*/gt/gt*/throttle_reason_*",
      drivers: ["i915"],
      source: i915Gt,
    },
    {
      name: "temperature_celsius",
      part: "pkg",
      read: "hwmon:temp2_input",
      scale: 0.001,
      drivers: ["xe"],
      source: xeAbi,
    },
    {
      name: "energy_joules",
      read: "hwmon:energy1_input",
      scale: 1e-6,
      derived: { name: "power_watts", how: "rate" },
      source: xeAbi,
    },
    { name: "busy_ratio", read: "fdinfo:drm-cycles-*, drm-total-cycles-*", drivers: ["xe"], source: usage },
    { name: "busy_ratio", read: "fdinfo:drm-engine-*", scale: 1e-9, drivers: ["i915"], source: usage },
    { name: "memory_bytes", read: "fdinfo:drm-resident-*", scale: 1024, source: usage },
  ],
  traps: [
    "i915 and xe both claim many GPUs; one binds (xe.force_probe and i915.force_probe shift it). Neither name is wrong for those.",
    "Virtual functions of the GPU inside a processor (00:02.1 to 00:02.7 with the id of 00:02.0) are no further cards.",
    "A loaded driver with a failed GuC ('wedged', 'GuC load failed') is no working GPU.",
    "The compute runtime has dropped older generations: they need the legacy packages of it.",
    "Ponte Vecchio (Max) is bound by no mainline driver of 7.3.4.",
    "PCI class 0380 has no display connector and is a GPU all the same.",
  ],
  openness: {
    kernel: "open",
    firmware: "closed",
    runtime: "open",
    compiler: "open",
    says: "open but for the GuC and HuC firmware",
  },
  maintained: "yes",
  verified: [
    {
      how: "documents",
      says: "captures of real hardware (A750, A770, Lunar Lake, Panther Lake), read by our tests; never run here",
    },
  ],
  sources: [
    i915Gt,
    xeThrottle,
    xeIdle,
    xeFreq,
    xe,
    i915,
    udev,
    usage,
    xeAbi,
    levelZero,
    platforms,
    debian,
    fedora,
    arch,
    openvino,
    ggml,
    anv,
    pciids,
  ],
  unknown: ["peak, memory and power: they differ per product", "which Debian package holds the guc files: not read"],
} as const satisfies Family;
