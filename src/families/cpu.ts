/** The CPU: the route every machine has. What its instruction sets give stands in cpu-features.ts. */

import type { Source } from "../base/source.ts";
import type { CpuMatch, Family } from "./family.ts";

const kernel: Source = { kernel: "Documentation/arch", release: "7.3.4" };
const onnxruntime: Source = { cited: "https://onnxruntime.ai/docs/execution-providers/", seen: "2026-11-22" };
const xnnpack: Source = { cited: "https://github.com/google/XNNPACK", seen: "2026-11-22" };
const litert: Source = { cited: "https://ai.google.dev/edge/litert", seen: "2026-11-22" };
const openvino: Source = { cited: "https://github.com/openvinotoolkit/openvino", seen: "2026-11-22" };
const ggml: Source = { cited: "https://github.com/ggml-org/ggml", seen: "2026-11-22" };
const executorch: Source = {
  cited: "PyPI executorch 1.5.1, programs of portable kernels and of XNNPACK loaded and run",
  seen: "2026-11-25",
};
const debian: Source = {
  cited: "Debian sid packages libonnxruntime 1.23.2, libtensorflow-lite2.14.1 and libggml0, loaded and run",
  seen: "2026-11-22",
};

const cpu = (arch: string): CpuMatch => ({ bus: "cpu", arch });
const none = { origin: "none", openness: "open", source: kernel } as const;

export default {
  id: "cpu",
  vendor: "various",
  name: "CPU",
  says: "Any Linux machine can run models on its processor; vector and matrix instructions decide how fast.",
  architecture: "general purpose",
  use: "both",
  chips: [
    { id: "x86", name: "x86 processor", matches: [cpu("x86_64"), cpu("i?86")], source: kernel },
    { id: "arm64", name: "64-bit Arm processor", matches: [cpu("aarch64"), cpu("arm64")], source: kernel },
    { id: "arm", name: "32-bit Arm processor", matches: [cpu("armv*")], source: kernel },
    { id: "riscv", name: "RISC-V processor", matches: [cpu("riscv64"), cpu("riscv32")], source: kernel },
    { id: "power", name: "POWER processor", matches: [cpu("ppc64le"), cpu("ppc64")], source: kernel },
    { id: "s390x", name: "IBM Z processor", matches: [cpu("s390x")], source: kernel },
    { id: "loongarch", name: "LoongArch processor", matches: [cpu("loongarch64")], source: kernel },
  ],
  routes: [
    {
      name: "onnxruntime",
      says: "ONNX Runtime's CPU execution provider",
      driver: none,
      runtime: {
        libraries: ["libonnxruntime.so.1*"],
        name: "ONNX Runtime",
        openness: "open",
        licence: "MIT",
        packages: {
          pypi: [{ name: "onnxruntime" }],
          vendor: { says: "npm: onnxruntime-node brings libonnxruntime.so.1" },
        },
        wheels: ["onnxruntime", "onnxruntime-gpu", "onnxruntime-openvino"],
        source: debian,
      },
      delegate: { id: "onnxruntime", name: "CPUExecutionProvider", openness: "open", source: onnxruntime },
      models: [{ format: "onnx", openness: "open" }],
    },
    {
      name: "tflite",
      says: "TensorFlow Lite (LiteRT) with XNNPACK",
      chips: ["x86", "arm64", "arm", "riscv"],
      driver: none,
      runtime: {
        libraries: ["libtensorflowlite_c.so*", "libtensorflow-lite.so*", "libLiteRt.so*"],
        name: "TensorFlow Lite",
        openness: "open",
        licence: "Apache-2.0",
        packages: {
          debian: [{ name: "libtensorflow-lite2.14.1", from: "sid; built without XNNPACK, so several times slower" }],
          pypi: [{ name: "ai-edge-litert" }],
        },
        wheels: ["ai-edge-litert", "tflite-runtime", "tensorflow"],
        source: debian,
      },
      delegate: { id: "tflite", name: "XNNPACK", openness: "open", source: xnnpack },
      models: [{ format: "tflite", openness: "open" }],
    },
    {
      name: "openvino",
      says: "OpenVINO's CPU device",
      chips: ["x86", "arm64"],
      driver: none,
      runtime: {
        libraries: ["libopenvino.so*", "libopenvino_c.so*"],
        name: "OpenVINO",
        openness: "open",
        licence: "Apache-2.0",
        packages: { pypi: [{ name: "openvino" }] },
        wheels: ["openvino"],
        source: openvino,
      },
      delegate: { id: "openvino", name: "OpenVINO CPU device", openness: "open", source: openvino },
      models: [
        { format: "openvino-ir", openness: "open" },
        { format: "onnx", openness: "open" },
        { format: "tflite", openness: "open" },
      ],
    },
    {
      name: "ggml",
      says: "ggml and llama.cpp: language models in GGUF",
      driver: none,
      runtime: {
        libraries: ["libggml.so*", "libggml-base.so*", "libllama.so*"],
        name: "ggml",
        openness: "open",
        licence: "MIT",
        packages: { debian: [{ name: "libggml0", from: "trixie, sid" }], pypi: [{ name: "llama-cpp-python" }] },
        wheels: ["llama-cpp-python"],
        source: debian,
      },
      delegate: {
        id: "ggml",
        name: "ggml CPU back end",
        libraries: ["libggml-cpu*.so*"],
        openness: "open",
        source: ggml,
      },
      models: [{ format: "gguf", openness: "open" }],
    },
    {
      name: "executorch",
      says: "ExecuTorch: its own kernels and XNNPACK",
      chips: ["x86", "arm64"],
      driver: none,
      runtime: {
        libraries: [],
        name: "ExecuTorch",
        openness: "open",
        licence: "BSD-3-Clause",
        packages: { pypi: [{ name: "executorch" }] },
        wheels: ["executorch"],
        source: executorch,
      },
      delegate: { id: "vendor", name: "XNNPACK in ExecuTorch", openness: "open", source: executorch },
      models: [{ format: "pte", compiler: "ExecuTorch with XNNPACK", openness: "open" }],
    },
  ],
  traps: [
    "a flag in /proc/cpuinfo says that kernel and processor have it; in a container or emulator it may still be slow",
    "XNNPACK is compiled into TensorFlow Lite or is not: the library's file does not show it",
  ],
  openness: { kernel: "none", firmware: "none", runtime: "open", compiler: "open", says: "open" },
  maintained: "yes",
  verified: [
    { how: "hardware", says: "x86_64: ONNX Runtime, TensorFlow Lite, ggml and ExecuTorch loaded and run" },
    { how: "documents", says: "the other architectures" },
  ],
  sources: [kernel, onnxruntime, xnnpack, litert, openvino, ggml, executorch, debian],
} as const satisfies Family;
