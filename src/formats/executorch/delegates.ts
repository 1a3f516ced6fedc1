/** Back ends of ExecuTorch by the id their delegates carry, and who reads what their payload says. */

import { specText, textOf, whole, type Delegate, type DelegateContext, type Told } from "./delegate.ts";
import { readEthosU } from "./ethosu.ts";
import { readQnn } from "./qnn.ts";
import { readVulkan } from "./vulkan.ts";
import { readXnnpack } from "./xnnpack.ts";

type Reader = (delegate: Delegate, context: DelegateContext) => Told;

const sealed =
  (words: string): Reader =>
  (delegate) => ({ sections: whole(delegate), unseen: [`operators inside ${delegate.id}: ${words}`], sealed: true });

const readers: Readonly<Record<string, Reader>> = {
  EthosUBackend: readEthosU,
  // Its name of before 2025.
  ArmBackend: readEthosU,
  QnnBackend: readQnn,
  XnnpackBackend: readXnnpack,
  VulkanBackend: readVulkan,
  NeuropilotBackend: readNeuropilot,
  NeutronBackend: readNeutron,
  OpenvinoBackend: readOpenvino,
  EnnBackend: (delegate) => ({
    targets: [{ family: "samsung", says: "Exynos" }],
    sections: whole(delegate, "code"),
    unseen: ["operators inside EnnBackend: a binary of Samsung's ENN compiler"],
    sealed: true,
  }),
  CoreMLBackend: sealed("a Core ML model of Apple's, which Core ML alone loads"),
  MPSBackend: sealed("a graph of Metal Performance Shaders, for GPUs of Apple's"),
  MetalBackend: sealed("kernels compiled for Metal, for GPUs of Apple's"),
  MLXBackend: sealed("a graph of MLX, for chips of Apple's"),
  VgfBackend: sealed("a VGF of Arm's ML extensions for Vulkan"),
  TOSABackend: sealed("a TOSA graph"),
  CudaBackend: (delegate) => ({
    targets: [{ family: "nvidia", says: "CUDA" }],
    sections: whole(delegate, "code"),
    unseen: ["operators inside CudaBackend: a library compiled by AOTInductor"],
    sealed: true,
  }),
};

/** What the payload of a delegate says. A back end that is not known is named, and its payload stays as it is. */
export function readPayload(delegate: Delegate, context: DelegateContext): Told {
  const reader = Object.hasOwn(readers, delegate.id) ? readers[delegate.id] : undefined;
  if (reader !== undefined) return reader(delegate, context);
  return sealed("its back end's format is not known")(delegate, context);
}

/** Compile specs that are text: the flags of a compiler, a target. */
export function specWords(delegate: Delegate, context: DelegateContext): Record<string, string> {
  const out: Record<string, string> = {};
  for (const spec of delegate.specs.slice(0, 64)) {
    const text = textOf(context.file, spec);
    if (text !== undefined) out[`${delegate.id} ${spec.key.slice(0, 64)}`] = text;
  }
  return out;
}

/** A byte of version, counts of inputs and outputs, size; then MediaTek's DLA. backends/mediatek/preprocess.py */
function readNeuropilot(delegate: Delegate, context: DelegateContext): Told {
  const { file, notes } = context;
  const { payload } = delegate;
  const platform = specText(file, delegate, "platform-config");
  const told: Told = {
    targets: [{ family: "mediatek", says: platform ?? "MediaTek" }],
    sections: whole(delegate, "code"),
    unseen: ["operators inside NeuropilotBackend: compiled by MediaTek's mtk_neuron"],
    sealed: true,
  };
  if (payload === undefined || payload.bytes < 13) return told;
  const cursor = file.cursor(payload.offset, 13);
  const version = cursor.u8();
  const [, outputs, bytes] = [cursor.u32(), cursor.u32(), cursor.u32()];
  if (version !== 1) return told;
  if (13 + bytes !== payload.bytes) {
    const says = `the payload of NeuropilotBackend declares ${bytes} bytes and has ${payload.bytes - 13}`;
    notes.error("payload/size", says, payload.offset + 9);
  }
  return { ...told, outputs };
}

function readNeutron(delegate: Delegate, { file }: DelegateContext): Told {
  const target = specText(file, delegate, "target");
  return {
    targets: [
      {
        family: "nxp-neutron",
        ...(target === "imx95" ? { chip: "imx95" } : {}),
        says: target ?? "Neutron",
      },
    ],
    sections: whole(delegate, "code"),
    unseen: ["operators inside NeutronBackend: they are microcode of NXP's Neutron NPU now"],
    sealed: true,
  };
}

/** The device is a compile spec; the payload is a compiled model as OpenVINO exports it. */
function readOpenvino(delegate: Delegate, { file }: DelegateContext): Told {
  const device = specText(file, delegate, "device");
  return {
    targets: device === "NPU" ? [{ family: "intel-npu", says: "OpenVINO device NPU" }] : [],
    sections: whole(delegate, "code"),
    unseen: ["operators inside OpenvinoBackend: a model that OpenVINO compiled"],
    // A model exported for the CPU or GPU carries its graph; one for the NPU is machine code.
    sealed: true,
  };
}
