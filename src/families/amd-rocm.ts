/** AMD GPUs for compute: amdgpu with amdkfd, ROCm. Instinct cards are of class 1200, Radeons of 0300 or 0380. */

import { fact, type Source } from "../base/source.ts";
import { pci, type DriverSpec, type Family, type FirmwareSpec } from "./family.ts";

const driverTable: Source = { kernel: "drivers/gpu/drm/amd/amdgpu/amdgpu_drv.c", module: "amdgpu", release: "7.3.4" };
const power: Source = { kernel: "drivers/gpu/drm/amd/pm/amdgpu_pm.c", module: "amdgpu", release: "7.3.4" };
const vram: Source = { kernel: "drivers/gpu/drm/amd/amdgpu/amdgpu_vram_mgr.c", module: "amdgpu", release: "7.3.4" };
const kfd: Source = { kernel: "drivers/gpu/drm/amd/amdkfd/kfd_topology.c", module: "amdgpu", release: "7.3.4" };
const gtt: Source = { kernel: "drivers/gpu/drm/amd/amdgpu/amdgpu_gtt_mgr.c", module: "amdgpu" };
const pcie: Source = { kernel: "drivers/gpu/drm/amd/amdgpu/amdgpu_device.c", module: "amdgpu" };
const kfdProcess: Source = { kernel: "drivers/gpu/drm/amd/amdkfd/kfd_process.c", module: "amdgpu" };
const usage: Source = { kernel: "Documentation/gpu/drm-usage-stats.rst", module: "amdgpu", release: "7.3.4" };
const udev: Source = { cited: "Debian packages udev 254.26, 257.13, 262.1: 50-udev-default.rules", seen: "2026-11-22" };
const rocm: Source = {
  cited:
    "Debian packages libhsa-runtime64-1, libamdhip64-5, libamdhip64-6, libmigraphx-c3, librocm-smi64-1, rocminfo (file lists)",
  seen: "2026-11-22",
};
const clr: Source = { cited: "https://github.com/ROCm/clr", seen: "2026-11-22" };
const migraphx: Source = { cited: "https://pypi.org/project/onnxruntime-migraphx/", seen: "2026-11-25" };
const ggml: Source = {
  cited: "https://github.com/ggml-org/llama.cpp",
  says: "ggml/src/ggml-hip, ggml-vulkan",
  seen: "2026-11-25",
};
const radv: Source = { cited: "https://docs.mesa3d.org/drivers/radv.html", seen: "2026-11-25" };
const jax: Source = { cited: "https://pypi.org/project/jax-rocm7-pjrt/", seen: "2026-11-25" };
const rooflines: Source = {
  cited: "https://rooflinenotes.dev/accelerators/",
  says: "MI300X: BF16 1.3 PFLOPS, FP8 dense 2.61 PFLOPS; MI355X: BF16 2.5 PFLOPS, 288 GB HBM3E",
  seen: "2026-11-25",
};
const mi300x: Source = {
  cited: "https://www.jaredwatkins.com/research/ai-accelerators/amd-instinct/mi300-series/",
  says: "TDP: 750W (MI300X)",
  seen: "2026-11-25",
};
const mi355x: Source = {
  cited: "https://www.tomshardware.com/pc-components/gpus/amds-instinct-mi355x-accelerator-will-consume-1-400-watts",
  says: "MI355X that will consume up to 1400W",
  seen: "2026-11-25",
};

const tableHeader: Source = { kernel: "drivers/gpu/drm/amd/include/kgd_pp_interface.h", module: "amdgpu" };
/** Levels of clocks, as the driver calls them; hwmon has the first two. */
const levels = [
  ["sclk", "pp_dpm_sclk"],
  ["mclk", "pp_dpm_mclk"],
  ["socclk", "pp_dpm_socclk"],
  ["fclk", "pp_dpm_fclk"],
  ["vclk", "pp_dpm_vclk"],
  ["dclk", "pp_dpm_dclk"],
] as const;

const driver: DriverSpec = {
  module: "amdgpu",
  origin: "mainline",
  config: { symbol: "DRM_AMDGPU", needs: ["HSA_AMD"] },
  openness: "open",
  licence: "MIT and GPL-2.0",
  repository: "https://git.kernel.org/pub/scm/linux/kernel/git/torvalds/linux.git",
  packages: {
    debian: [{ name: "linux-image-amd64", from: "HSA_AMD on in 6.1 to 7.3; on arm64 only from 6.18" }],
    vendor: { says: "amdgpu-dkms, ahead of mainline", link: "https://rocm.docs.amd.com/" },
  },
  source: driverTable,
};

const firmware: FirmwareSpec = {
  // Some 700 names; which of them a card asks for depends on its IP blocks. Any file proves the package.
  files: [{ path: "amdgpu/*.bin", source: driverTable }],
  openness: "closed",
  packages: {
    debian: [{ name: "firmware-amd-graphics", from: "non-free-firmware" }],
    fedora: [{ name: "amd-gpu-firmware" }],
  },
};

const compute = {
  paths: ["/dev/dri/renderD*"],
  class: "drm",
  drmName: "amdgpu",
  group: "render",
  mode: "0660",
  also: ["/dev/kfd"],
  rule: 'KERNEL=="kfd"',
  source: udev,
} as const;

const hip = {
  name: "HIP over the HSA runtime",
  libraries: ["libamdhip64.so.*"],
  paths: ["/opt/rocm/lib/libamdhip64.so.*", "/opt/rocm-*/lib/libamdhip64.so.*"],
  also: ["libhsa-runtime64.so.1"],
  openness: "open",
  licence: "MIT",
  packages: {
    debian: [
      { name: "libamdhip64-5", from: "trixie 5.7.1" },
      { name: "libamdhip64-6", from: "sid 6.4.3" },
      { name: "libhsa-runtime64-1", from: "trixie 6.1.2, sid 6.4.3" },
      { name: "rocminfo", from: "trixie, sid" },
    ],
    ubuntu: [{ name: "libamdhip64-7", from: "26.04 7.1.0" }, { name: "libhsa-runtime64-1" }],
    fedora: [{ name: "rocm-runtime", from: "42: 6.3.1 to rawhide 7.2.0" }, { name: "rocm" }],
    arch: [{ name: "hip-runtime-amd" }],
    vendor: { says: "AMD's ROCm repositories, in /opt/rocm", link: "https://rocm.docs.amd.com/" },
  },
  source: rocm,
} as const;

export default {
  id: "amd-rocm",
  vendor: "AMD",
  name: "AMD GPU (ROCm)",
  aliases: ["rocm", "amdgpu", "radeon", "instinct"],
  says: "Radeon graphics, the GPUs of Ryzen processors, and Instinct accelerators. Compute goes through /dev/kfd with the open ROCm stack, or through Vulkan.",
  architecture: "SIMT",
  use: "both",
  chips: [
    {
      id: "instinct",
      name: "AMD Instinct",
      matches: [pci("1002:*", { classes: ["1200"] })],
      peak: [
        { ops: 2.61e15, precision: "fp8 (MI300X)", watts: fact(750, mi300x), source: rooflines },
        { ops: 1.3e15, precision: "bf16 (MI300X)", watts: fact(750, mi300x), source: rooflines },
        { ops: 2.5e15, precision: "bf16 (MI355X)", watts: fact(1400, mi355x), source: rooflines },
      ],
      memory: fact("MI300X 192 GB HBM3, MI355X 288 GB HBM3E", rooflines),
      source: driverTable,
    },
    {
      // 0380: cards without a display connector. 0302 is not in the driver's table.
      id: "gpu",
      name: "AMD GPU",
      matches: [pci("1002:*", { classes: ["0300", "0380"] })],
      source: driverTable,
    },
  ],
  routes: [
    {
      name: "rocm",
      says: "mainline amdgpu and amdkfd, ROCm's HIP runtime (PyTorch, ggml)",
      driver,
      firmware,
      node: compute,
      runtime: hip,
      delegate: { id: "ggml", name: "ggml HIP", libraries: ["libggml-hip.so"], openness: "open", source: ggml },
      models: [{ format: "gguf", openness: "open" }],
    },
    {
      name: "migraphx",
      says: "the same stack under ONNX Runtime's MIGraphX execution provider",
      driver,
      firmware,
      node: compute,
      runtime: hip,
      delegate: {
        id: "onnxruntime",
        name: "ONNX Runtime MIGraphX execution provider",
        libraries: ["libmigraphx_c.so.3"],
        openness: "open",
        packages: {
          debian: [{ name: "libmigraphx-c3", from: "sid 7.1.1" }],
          pypi: [{ name: "onnxruntime-migraphx" }],
        },
        source: migraphx,
      },
      models: [{ format: "onnx", compiler: "MIGraphX", openness: "open" }],
    },
    {
      name: "pjrt",
      says: "the same stack under XLA (JAX, PyTorch/XLA)",
      driver,
      firmware,
      node: compute,
      runtime: hip,
      delegate: {
        id: "pjrt",
        name: "XLA's PJRT plug-in for ROCm",
        libraries: ["xla_rocm_plugin.so"],
        openness: "open",
        packages: { pypi: [{ name: "jax-rocm7-pjrt" }] },
        source: jax,
      },
      models: [{ format: "stablehlo", compiler: "XLA", openness: "open" }],
    },
    {
      name: "vulkan",
      says: "mainline amdgpu and Mesa's RADV, models through a Vulkan backend; no kfd needed",
      chips: ["gpu"],
      driver,
      firmware,
      node: {
        paths: ["/dev/dri/renderD*"],
        class: "drm",
        drmName: "amdgpu",
        group: "render",
        mode: "0660",
        source: udev,
      },
      runtime: {
        name: "Mesa RADV",
        libraries: ["libvulkan_radeon.so"],
        openness: "open",
        licence: "MIT",
        source: radv,
      },
      delegate: { id: "ggml", name: "ggml Vulkan", libraries: ["libggml-vulkan.so"], openness: "open", source: ggml },
      models: [{ format: "gguf", openness: "open" }],
    },
  ],
  metrics: [
    { name: "busy_ratio", read: "device:gpu_busy_percent", scale: 0.01, source: power },
    { name: "busy_ratio", part: "video", read: "device:vcn_busy_percent", scale: 0.01, source: power },
    { name: "memory_busy_ratio", read: "device:mem_busy_percent", scale: 0.01, source: power },
    { name: "memory_bytes", read: "device:mem_info_vram_used", source: vram },
    { name: "memory_total_bytes", read: "device:mem_info_vram_total", source: vram },
    { name: "memory_bytes", part: "gtt", read: "device:mem_info_gtt_used", source: gtt },
    { name: "memory_total_bytes", part: "gtt", read: "device:mem_info_gtt_total", source: gtt },
    // Channels are labelled: edge, junction, mem; sclk, mclk; PPT.
    { name: "temperature_celsius", read: "hwmon:temp1_input", scale: 0.001, source: power },
    { name: "power_watts", read: "hwmon:power1_average", scale: 1e-6, source: power },
    { name: "power_watts", read: "hwmon:power1_input", scale: 1e-6, source: power },
    { name: "clock_hertz", read: "hwmon:freq1_input", source: power },
    { name: "clock_hertz", read: "hwmon:freq2_input", source: power },
    ...levels.map(([part, file]) => ({
      name: "clock_hertz",
      part,
      read: `device:${file}`,
      form: "current" as const,
      scale: 1e6,
      source: power,
    })),
    { name: "pcie_replay_count", read: "device:pcie_replay_count", source: pcie },
    // The table that the firmware fills: what is told depends on its version.
    { name: "throttled_state", read: "table:gpu_metrics/indep_throttle_status", source: tableHeader },
    { name: "throttled_state", read: "table:gpu_metrics/throttle_status", source: tableHeader },
    { name: "throttled_ratio", read: "table:gpu_metrics/*_residency_acc", source: tableHeader },
    { name: "throttled_update_count", read: "table:gpu_metrics/throttle_residency_*", source: tableHeader },
    { name: "pcie_link_lanes", part: "firmware", read: "table:gpu_metrics/pcie_link_width", source: tableHeader },
    {
      name: "pcie_link_transfers_per_second",
      part: "firmware",
      read: "table:gpu_metrics/pcie_link_speed",
      scale: 1e8,
      source: tableHeader,
    },
    {
      name: "energy_joules",
      part: "socket",
      read: "table:gpu_metrics/energy_accumulator",
      scale: 2 ** -16,
      source: tableHeader,
    },
    { name: "busy_ratio", part: "video *", read: "table:gpu_metrics/vcn_activity", scale: 0.01, source: tableHeader },
    {
      name: "busy_ratio",
      part: "NPU column *",
      read: "table:gpu_metrics/average_ipu_activity",
      scale: 0.01,
      source: tableHeader,
    },
    {
      name: "power_watts",
      part: "NPU",
      read: "table:gpu_metrics/average_ipu_power",
      scale: 0.001,
      source: tableHeader,
    },
    {
      name: "clock_hertz",
      part: "NPU",
      read: "table:gpu_metrics/average_ipuclk_frequency",
      scale: 1e6,
      source: tableHeader,
    },
    {
      name: "memory_read_bytes_per_second",
      read: "table:gpu_metrics/average_{dram,ipu}_reads",
      scale: 1e6,
      source: tableHeader,
    },
    {
      name: "memory_write_bytes_per_second",
      read: "table:gpu_metrics/average_{dram,ipu}_writes",
      scale: 1e6,
      source: tableHeader,
    },
    { name: "busy_ratio", read: "fdinfo:drm-engine-*", source: usage },
    { name: "memory_bytes", read: "fdinfo:drm-memory-*", scale: 1024, source: usage },
    { name: "memory_bytes", part: "compute", read: "kfd:proc/*/vram_*", source: kfdProcess },
  ],
  traps: [
    "A bound amdgpu is not compute: amdkfd may skip the card ('not supported in kfd', 'PCI rejects atomics'). Its topology /sys/class/kfd/kfd/topology/nodes/N with simd_count above 0 is the proof.",
    "Opening /dev/kfd with no usable GPU gives ENOMEM on older kernels and EINVAL from 7.2.",
    "The group is render for kfd and render nodes; video is for card nodes only.",
    "Instinct cards are of class 1200 and have no display: do not look for VGA only.",
    "In partitioned modes (CPX) one MI300 shows several render nodes and topology nodes: still one card.",
    "Old cards bind radeon: no compute.",
    "AMD's 1002 functions of class 0403 (sound) are part of the card.",
    "libamdhip64's soname number is ROCm's generation: 5 in trixie, 6 in sid, 7 in ROCm 7 and later.",
    "Not each GPU that kfd accepts is supported by ROCm's libraries: gfx_target_version decides.",
  ],
  openness: {
    kernel: "open",
    firmware: "closed",
    runtime: "open",
    compiler: "open",
    says: "open but for the firmware",
  },
  maintained: "yes",
  verified: [
    {
      how: "documents",
      says: "captures of real hardware (Polaris, RX 6900 XT, MI300), read by our tests; an emulated MI300X is claimed by amdgpu on Debian 7.3.4 and stays unbound",
    },
  ],
  sources: [kfdProcess, pcie, gtt, driverTable, power, vram, kfd, usage, udev, rocm, clr, migraphx, ggml, radv, jax],
  unknown: ["peak, memory and power of Radeons, and of Instincts but MI300X and MI355X: they differ per product"],
} as const satisfies Family;
