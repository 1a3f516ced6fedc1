/** NVIDIA GPUs: CUDA on the proprietary or the open kernel module (same names), nouveau with NVK, nova growing; Tegra's GPU on L4T. */

import { fact, type Source } from "../base/source.ts";
import {
  of,
  pci,
  type DelegateSpec,
  type DriverSpec,
  type Family,
  type FirmwareSpec,
  type NodeSpec,
  type RuntimeSpec,
} from "./family.ts";

const table: Source = {
  cited: "https://github.com/NVIDIA/open-gpu-kernel-modules",
  says: "@df1c9a3d (595.45.04) kernel-open/nvidia/nv-pci-table.c:33-82, nv-reg.h:146-160,1042, common/inc/nv-firmware.h",
  seen: "2026-11-22",
};
const nvml: Source = { cited: "https://docs.nvidia.com/deploy/nvml-api/", seen: "2026-11-25" };
const turing: Source = {
  cited: "https://github.com/NVIDIA/open-gpu-kernel-modules",
  says: "README.md, Compatible GPUs: Turing or later; the lowest id of its table is 1E02",
  seen: "2026-11-25",
};
const packages: Source = {
  cited:
    "Debian packages nvidia-open-kernel-dkms, nvidia-kernel-dkms, nvidia-kernel-support, firmware-nvidia-gsp, firmware-nvidia-graphics, libcuda1, libnvidia-ml1, libcudart12 (file lists)",
  seen: "2026-11-22",
};
const nouveau: Source = { kernel: "drivers/gpu/drm/nouveau", module: "nouveau", release: "7.3.4" };
const nova: Source = { kernel: "drivers/gpu/nova-core", release: "7.3.4" };
const nvk: Source = { cited: "https://docs.mesa3d.org/drivers/nvk.html", seen: "2026-11-25" };
const nvgpu: Source = {
  cited: "https://github.com/OE4T/linux-nvgpu",
  says: "@5a2ed4df drivers/gpu/nvgpu/os/linux/module.c (public copy of L4T's nvgpu)",
  seen: "2026-11-25",
};
const onnxruntime: Source = { cited: "https://pypi.org/project/onnxruntime-gpu/", seen: "2026-11-25" };
const tensorrt: Source = { cited: "https://pypi.org/project/tensorrt/", seen: "2026-11-25" };
const jax: Source = { cited: "https://pypi.org/project/jax-cuda13-plugin/", seen: "2026-11-25" };
const ggml: Source = {
  cited: "https://github.com/ggml-org/llama.cpp",
  says: "ggml/src/ggml-cuda, ggml-vulkan",
  seen: "2026-11-25",
};
const pciids: Source = {
  cited: "https://github.com/pciutils/pciids",
  says: "@c1c12547 (2026-08-22)",
  seen: "2026-11-22",
};
const h100: Source = {
  cited: "https://glennklockwood.com/garden/processors/h100",
  says: "FP8 1978.9, FP16 989.4, INT8 1978.9 TFLOPS (matrix, not sparse); 80 GB HBM3; 700 W maximum",
  seen: "2026-11-25",
};
const a100: Source = {
  cited: "https://www.tomshw.it/hardware/la-cina-sfida-nvidia-baidu-svela-il-chip-kunlun-ii/",
  says: "Nvidia A100 624/1248 (sparse) INT8 TOPS",
  seen: "2026-11-25",
};
const a100Half: Source = {
  cited: "https://github.com/calculon-ai/calculon/blob/main/systems/a100_80g.json",
  says: "matrix float16: 312 tflops",
  seen: "2026-11-25",
};
const a100Power: Source = {
  cited: "https://fudzilla.com/news/ai/50832-nvidia-unveils-the-a100-tensor-core-gpu",
  says: "SXM4 board form factor and has a TDP of 400W",
  seen: "2026-11-25",
};
const t4: Source = {
  cited: "https://hmc-tech.com/gpu/nvidia-l4-vs-nvidia-t4",
  says: "T4: INT8 130.25 TOPS Tensor; TDP 70W",
  seen: "2026-11-25",
};
const l4: Source = {
  cited: "https://store.sourcecode.com/en-us/bg-bucket-compare/125/9820",
  says: "NVIDIA L4: INT8 Tensor Core 485 TOPS | Sparsity",
  seen: "2026-11-25",
};
const l4Power: Source = {
  cited: "https://hmc-tech.com/gpu/nvidia-l4-vs-nvidia-t4",
  says: "L4: TDP 72W",
  seen: "2026-11-25",
};
const b200: Source = {
  cited: "https://rooflinenotes.dev/accelerators/",
  says: "B200 SXM: BF16 2.25 PFLOPS",
  seen: "2026-11-25",
};
const b200Power: Source = {
  cited: "https://hmc-tech.com/gpus/nvidia-b200-vs-nvidia-l4",
  says: "B200: TDP 1000W",
  seen: "2026-11-25",
};
const orin: Source = {
  cited: "https://github.com/NVIDIA/Deep-Learning-Accelerator-SW",
  says: "Jetson AGX Orin 64GB, MAXN: GPU sparse INT8 peak DL performance 171 TOPs",
  seen: "2026-11-25",
};

const node: NodeSpec = {
  paths: ["/dev/nvidia?", "/dev/nvidia??"],
  class: "",
  mode: "0666",
  also: ["/dev/nvidiactl", "/dev/nvidia-uvm"],
  source: table,
};

const runtime: RuntimeSpec = {
  name: "CUDA driver library",
  libraries: ["libcuda.so.1"],
  openness: "closed",
  licence: "proprietary",
  packages: {
    debian: [
      { name: "libcuda1", from: "non-free" },
      { name: "libnvidia-ml1", from: "non-free", gives: "libnvidia-ml.so.1" },
      { name: "nvidia-driver", from: "non-free", gives: "everything" },
    ],
    vendor: { says: "NVIDIA's driver installer or its package repositories", link: "https://www.nvidia.com/drivers" },
  },
  source: packages,
};

const onnx: DelegateSpec = {
  id: "onnxruntime",
  name: "ONNX Runtime CUDA and TensorRT execution providers",
  libraries: ["libonnxruntime_providers_cuda.so"],
  openness: "mixed",
  packages: { pypi: [{ name: "onnxruntime-gpu" }] },
  source: onnxruntime,
};

const onnxModels = [
  { format: "onnx", openness: "open" },
  { format: "tensorrt", compiler: "TensorRT", openness: "closed" },
] as const;

const llama: DelegateSpec = {
  id: "ggml",
  name: "ggml CUDA or Vulkan",
  libraries: ["libggml-cuda.so", "libggml-vulkan.so"],
  openness: "open",
  packages: { debian: [{ name: "libggml0-backend-vulkan" }] },
  source: ggml,
};

const xla: DelegateSpec = {
  id: "pjrt",
  name: "XLA's PJRT plug-in for CUDA",
  libraries: ["xla_cuda_plugin.so"],
  openness: "mixed",
  packages: {
    pypi: [
      { name: "jax-cuda13-pjrt", gives: "for CUDA 13" },
      { name: "jax-cuda12-pjrt", gives: "for CUDA 12" },
    ],
  },
  source: jax,
};

const openDriver: DriverSpec = {
  module: "nvidia",
  with: ["nvidia_uvm"],
  origin: "out-of-tree",
  openness: "open",
  licence: "Dual MIT/GPL",
  repository: "https://github.com/NVIDIA/open-gpu-kernel-modules",
  packages: { debian: [{ name: "nvidia-open-kernel-dkms", from: "contrib: trixie, sid 550.163.01" }] },
  source: table,
};
const openFirmware: FirmwareSpec = {
  files: [
    { path: "nvidia/*/gsp_ga10x.bin", oneOf: "gsp", source: table },
    { path: "nvidia/*/gsp_tu10x.bin", oneOf: "gsp", source: table },
  ],
  openness: "closed",
  packages: {
    debian: [{ name: "firmware-nvidia-gsp", from: "non-free-firmware", gives: "nvidia/550.163.01/gsp_*.bin" }],
  },
};
const closedDriver: DriverSpec = {
  module: "nvidia",
  with: ["nvidia_uvm"],
  origin: "out-of-tree",
  openness: "closed",
  licence: "NVIDIA",
  packages: {
    debian: [{ name: "nvidia-kernel-dkms", from: "non-free: trixie, sid 550.163.01" }],
    vendor: {
      says: "NVIDIA's driver installer or its package repositories",
      link: "https://www.nvidia.com/drivers",
    },
  },
  source: packages,
};
const closedFirmware: FirmwareSpec = {
  files: [],
  elsewhere: "inside the module, and nvidia/<driver version>/gsp_*.bin of the same package where the GPU has a GSP",
  openness: "closed",
};
const overOpen = { chips: ["gpu"], driver: openDriver, firmware: openFirmware, node, runtime } as const;
const overClosed = { driver: closedDriver, firmware: closedFirmware, node, runtime } as const;

export default {
  id: "nvidia",
  vendor: "NVIDIA",
  name: "NVIDIA GPU",
  aliases: ["cuda", "geforce", "tesla", "jetson"],
  says: "GeForce, RTX and data-centre GPUs, and the GPU inside Tegra (Jetson). CUDA needs NVIDIA's closed libraries, over either of two kernel modules of the same name.",
  architecture: "SIMT",
  use: "both",
  chips: [
    {
      id: "gpu-before-turing",
      name: "NVIDIA GPU older than Turing",
      matches: [pci("10de:*", { classes: ["0300", "0302"], below: "1e00" })],
      source: turing,
    },
    {
      // Never by vendor alone: 0680 is NVSwitch, 0604 a bridge, 0403 the card's sound function.
      id: "gpu",
      name: "NVIDIA GPU",
      matches: [pci("10de:*", { classes: ["0300", "0302"] })],
      peak: [
        { ops: 1978.9e12, precision: "int8 (H100 SXM)", watts: fact(700, h100), source: h100 },
        { ops: 1978.9e12, precision: "fp8 (H100 SXM)", watts: fact(700, h100), source: h100 },
        { ops: 989.4e12, precision: "fp16 (H100 SXM)", watts: fact(700, h100), source: h100 },
        { ops: 624e12, precision: "int8 (A100 SXM)", watts: fact(400, a100Power), source: a100 },
        { ops: 312e12, precision: "fp16 (A100 SXM)", watts: fact(400, a100Power), source: a100Half },
        { ops: 485e12, precision: "int8 sparse (L4)", watts: fact(72, l4Power), source: l4 },
        { ops: 130.25e12, precision: "int8 (T4)", watts: fact(70, t4), source: t4 },
        { ops: 2.25e15, precision: "bf16 (B200 SXM)", watts: fact(1000, b200Power), source: b200 },
      ],
      source: table,
    },
    {
      id: "tegra",
      name: "NVIDIA Tegra GPU (Jetson)",
      matches: [
        of("nvidia,ga10b"),
        // In mainline device trees these are a GPU for nouveau; as an accelerator they count where the kernel made a device.
        of("nvidia,gv11b", { hint: true }),
        of("nvidia,gp10b", { hint: true }),
        of("nvidia,gm20b", { hint: true }),
        { bus: "platform", modalias: "of:N*T*Cnvidia,gv11b*" },
        { bus: "platform", modalias: "of:N*T*Cnvidia,gp10b*" },
        { bus: "platform", modalias: "of:N*T*Cnvidia,gm20b*" },
      ],
      peak: [{ ops: 171e12, precision: "int8 sparse (GPU of Jetson AGX Orin 64GB)", source: orin }],
      source: nvgpu,
    },
  ],
  routes: [
    {
      name: "cuda-open",
      says: "ONNX Runtime on NVIDIA's open kernel modules under closed CUDA libraries (Turing and newer)",
      ...overOpen,
      delegate: onnx,
      models: onnxModels,
    },
    {
      name: "cuda",
      says: "ONNX Runtime on NVIDIA's proprietary kernel modules and CUDA libraries",
      chips: ["gpu", "gpu-before-turing"],
      ...overClosed,
      delegate: onnx,
      models: onnxModels,
    },
    {
      name: "ggml-open",
      says: "llama.cpp over CUDA or NVIDIA's own Vulkan, on the open kernel modules",
      ...overOpen,
      delegate: llama,
      models: [{ format: "gguf", openness: "open" }],
    },
    {
      name: "ggml",
      says: "llama.cpp over CUDA or NVIDIA's own Vulkan, on the proprietary kernel modules",
      chips: ["gpu", "gpu-before-turing"],
      ...overClosed,
      delegate: llama,
      models: [{ format: "gguf", openness: "open" }],
    },
    {
      name: "pjrt-open",
      says: "XLA (JAX, PyTorch/XLA) over CUDA, on the open kernel modules",
      ...overOpen,
      delegate: xla,
      models: [{ format: "stablehlo", compiler: "XLA", openness: "open" }],
    },
    {
      name: "pjrt",
      says: "XLA (JAX, PyTorch/XLA) over CUDA, on the proprietary kernel modules",
      chips: ["gpu"],
      ...overClosed,
      delegate: xla,
      models: [{ format: "stablehlo", compiler: "XLA", openness: "open" }],
    },
    {
      name: "vulkan",
      says: "mainline nouveau and Mesa's NVK, models through a Vulkan backend",
      chips: ["gpu", "gpu-before-turing"],
      driver: {
        module: "nouveau",
        origin: "mainline",
        config: { symbol: "DRM_NOUVEAU", needs: ["DRM", "PCI"] },
        openness: "open",
        licence: "GPL and additional rights",
        packages: { debian: [{ name: "linux-image-amd64" }] },
        source: nouveau,
      },
      firmware: {
        files: [{ path: "nvidia/*/gsp/gsp-*.bin", source: nouveau }],
        elsewhere: "the GSP image is for Turing and newer; older generations have acr, gr and pmu images of their own",
        openness: "closed",
        packages: {
          debian: [{ name: "firmware-nvidia-graphics", from: "non-free-firmware" }],
          fedora: [{ name: "nvidia-gpu-firmware" }],
        },
      },
      node: {
        paths: ["/dev/dri/renderD*"],
        class: "drm",
        drmName: "nouveau",
        group: "render",
        mode: "0660",
        source: nouveau,
      },
      runtime: {
        name: "Mesa NVK",
        libraries: ["libvulkan_nouveau.so"],
        openness: "open",
        licence: "MIT",
        source: nvk,
      },
      delegate: { id: "ggml", name: "ggml Vulkan", libraries: ["libggml-vulkan.so"], openness: "open", source: ggml },
      models: [{ format: "gguf", openness: "open" }],
    },
    {
      name: "nova",
      says: "nova, the mainline driver to come: nothing runs on it yet",
      chips: ["gpu"],
      driver: {
        module: "nova_core",
        with: ["nova_drm"],
        origin: "mainline",
        since: "6.15",
        config: { symbol: "NOVA_CORE" },
        openness: "open",
        licence: "GPL v2",
        source: nova,
      },
      runtime: { name: "none yet", libraries: [], openness: "none", source: nova },
      delegate: { id: "vendor", name: "none yet", openness: "none", source: nova },
      models: [],
    },
    {
      name: "l4t",
      says: "nvgpu of NVIDIA's Jetson Linux, CUDA and TensorRT of JetPack",
      chips: ["tegra"],
      driver: {
        module: "nvgpu",
        binds: ["gk20a", "nvgpu"],
        origin: "vendor-kernel",
        openness: "open",
        licence: "GPL v2",
        repository: "https://github.com/OE4T/linux-nvgpu",
        packages: {
          vendor: { says: "part of Jetson Linux (L4T)", link: "https://developer.nvidia.com/embedded/jetson-linux" },
        },
        source: nvgpu,
      },
      node: { paths: ["/dev/nvhost-gpu", "/dev/nvidia?"], class: "", also: ["/dev/nvmap"], source: nvgpu },
      runtime: {
        ...runtime,
        paths: ["/usr/lib/aarch64-linux-gnu/tegra/libcuda.so.1*", "/usr/lib/aarch64-linux-gnu/nvidia/libcuda.so.1*"],
        packages: { vendor: { says: "part of JetPack", link: "https://developer.nvidia.com/embedded/jetpack" } },
      },
      delegate: {
        id: "vendor",
        name: "TensorRT",
        libraries: ["libnvinfer.so.*"],
        openness: "closed",
        packages: { pypi: [{ name: "tensorrt", gives: "not on Jetson: JetPack brings its own" }] },
        source: tensorrt,
      },
      models: [
        { format: "tensorrt", compiler: "TensorRT", openness: "closed" },
        { format: "onnx", compiler: "TensorRT", openness: "closed" },
      ],
    },
  ],
  metrics: [
    // The driver offers one text file per GPU; all else comes from NVML (libnvidia-ml.so.1) only.
    { name: "model", read: "proc:driver/nvidia/gpus/{address}/information", form: "word", source: table },
    { name: "busy_ratio", read: "vendor:nvmlDeviceGetUtilizationRates", vendor: true, source: nvml },
    { name: "memory_busy_ratio", read: "vendor:nvmlDeviceGetUtilizationRates", vendor: true, source: nvml },
    { name: "memory_bytes", read: "vendor:nvmlDeviceGetMemoryInfo", vendor: true, source: nvml },
    { name: "memory_total_bytes", read: "vendor:nvmlDeviceGetMemoryInfo", vendor: true, source: nvml },
    { name: "clock_hertz", read: "vendor:nvmlDeviceGetClockInfo", vendor: true, source: nvml },
    { name: "temperature_celsius", read: "vendor:nvmlDeviceGetTemperature", vendor: true, source: nvml },
    { name: "power_watts", read: "vendor:nvmlDeviceGetPowerUsage", vendor: true, source: nvml },
    { name: "power_limit_watts", read: "vendor:nvmlDeviceGetEnforcedPowerLimit", vendor: true, source: nvml },
    { name: "energy_joules", read: "vendor:nvmlDeviceGetTotalEnergyConsumption", vendor: true, source: nvml },
    { name: "fan_ratio", read: "vendor:nvmlDeviceGetFanSpeed", vendor: true, source: nvml },
    { name: "throttled_state", read: "vendor:nvmlDeviceGetCurrentClocksThrottleReasons", vendor: true, source: nvml },
    { name: "pcie_replay_count", read: "vendor:nvmlDeviceGetPcieReplayCounter", vendor: true, source: nvml },
  ],
  traps: [
    "The open and the proprietary module share their names: modinfo's licence (Dual MIT/GPL or NVIDIA) or /proc/driver/nvidia/version tells them apart.",
    "Module, GSP firmware and libraries must be of one version, exactly; an upgrade without reboot gives 'Driver/library version mismatch'.",
    "Blackwell GPUs need the open modules; GPUs before Turing need the proprietary ones.",
    "10de of class 0680 is NVSwitch and 0604 a bridge or root port (10de:1ad0 on Jetson): no GPUs.",
    "Debian's files are nvidia-current*.ko and nvidia-current-open*.ko; once loaded the names are as everywhere.",
    "/dev/nvidia* are made by nvidia-modprobe (setuid root), not by udev: they can be missing until the first use.",
    "nouveau bound means that CUDA cannot work: one driver owns the GPU.",
    "nouveau's GSP images (535.113.01, 570.144) are other files than those of NVIDIA's driver.",
    "Under WSL the node is /dev/dxg and there is no PCI function.",
    "GPU memory may appear as NUMA nodes (POWER9, Grace); PCI domains other than 0000 are usual there.",
    "A capture without PCI says nothing about the GPU: DGX Spark's may be missing from it.",
    "TensorRT engines run on the GPU architecture and the TensorRT release that built them.",
  ],
  openness: {
    kernel: "mixed",
    firmware: "closed",
    runtime: "closed",
    compiler: "closed",
    says: "open kernel modules exist, all above is closed; nouveau with NVK gives Vulkan only",
  },
  maintained: "yes",
  verified: [
    {
      how: "hardware",
      says:
        "H200 with the open module 580.159.04: reviewed, captured and replayed; load, memory, power, clock and temperature beside nvidia-smi under load; " +
        "models run by XLA's plug-in for CUDA 13 (equal to JAX's own outputs), by llama.cpp over Vulkan and by ONNX Runtime's WebGPU plugin; CUDA and TensorRT providers of ONNX Runtime, and nouveau, were not run",
    },
    {
      how: "documents",
      says: "captures of real hardware (P100 with nvidia, a POWER9 host, an RTX 5090 that fails), read by our tests; on Debian 7.3.4 an emulated L4 is claimed by nouveau's alias and stays unbound",
    },
  ],
  sources: [table, nvml, turing, packages, nouveau, nova, nvk, nvgpu, onnxruntime, tensorrt, jax, ggml, pciids],
  unknown: [
    "peak, memory and power of most products; of the rest from their maker",
    "packages of Ubuntu and Arch were not read",
  ],
} as const satisfies Family;
