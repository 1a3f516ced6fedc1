/**
 * Execution providers that a build of ONNX Runtime has compiled in or loads beside itself: for which device each is asked, and how.
 * Names of providers and their options: onnxruntime_c_api.h and https://onnxruntime.ai/docs/execution-providers/.
 */

import { CannotError } from "../../base/errors.ts";
import type { Ort, OrtFunction, Pointer } from "./api.ts";
import { builtIn } from "./devices.ts";

interface Provider {
  /** As GetAvailableProviders and the placement name it. */
  readonly name: string;
  /** As `--option provider=` and SessionOptionsAppendExecutionProvider name it. */
  readonly short: string;
  /** Function of its own that takes keys and values; the general one where absent. */
  readonly append?: OrtFunction;
  /** It has an object for its options. */
  readonly object?: readonly [create: OrtFunction, update: OrtFunction, append: OrtFunction, release: OrtFunction];
  /** Families of the catalogue it is chosen for, and with which options. */
  readonly devices?: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

const providers: readonly Provider[] = [
  {
    name: "CUDAExecutionProvider",
    short: "CUDA",
    object: [
      "CreateCUDAProviderOptions",
      "UpdateCUDAProviderOptions",
      "SessionOptionsAppendExecutionProvider_CUDA_V2",
      "ReleaseCUDAProviderOptions",
    ],
    devices: { nvidia: {} },
  },
  {
    name: "TensorrtExecutionProvider",
    short: "TensorRT",
    object: [
      "CreateTensorRTProviderOptions",
      "UpdateTensorRTProviderOptions",
      "SessionOptionsAppendExecutionProvider_TensorRT_V2",
      "ReleaseTensorRTProviderOptions",
    ],
  },
  {
    name: "OpenVINOExecutionProvider",
    short: "OpenVINO",
    append: "SessionOptionsAppendExecutionProvider_OpenVINO_V2",
    devices: { "intel-npu": { device_type: "NPU" }, "intel-gpu": { device_type: "GPU" } },
  },
  {
    name: "VitisAIExecutionProvider",
    short: "VitisAI",
    append: "SessionOptionsAppendExecutionProvider_VitisAI",
    devices: { "amd-xdna": {} },
  },
  { name: "MIGraphXExecutionProvider", short: "MIGraphX", devices: { "amd-rocm": {} } },
  { name: "QNNExecutionProvider", short: "QNN", devices: { qualcomm: {} } },
  { name: "WebGpuExecutionProvider", short: "WebGPU" },
  { name: "XnnpackExecutionProvider", short: "XNNPACK" },
];

/** Device words: the CPU and what a provider is chosen for. */
export const deviceWords: readonly string[] = [
  "cpu",
  ...new Set(providers.flatMap(({ devices }) => Object.keys(devices ?? {}))),
];

/** The provider's name that was appended. Throws CannotError in one sentence where the library has none or it refuses. */
export function appendProvider(
  ort: Ort,
  options: Pointer,
  {
    device,
    asked,
    given,
  }: { readonly device: string; readonly asked?: string; readonly given: ReadonlyMap<string, string> },
): string {
  const provider = providers.find(({ name, short, devices }) =>
    asked === undefined
      ? Object.hasOwn(devices ?? {}, device)
      : [name, short].some((own) => own.toLowerCase() === asked.toLowerCase()),
  );
  if (provider === undefined) {
    const known = providers.map(({ short }) => short).join(", ");
    throw new CannotError(
      asked === undefined
        ? `ONNX Runtime has no provider that is asked for ${device} by itself; name one with provider=, of ${known}`
        : `no provider "${asked}" is known; there are ${known}`,
    );
  }
  const here = builtIn(ort);
  if (!here.includes(provider.name)) {
    const has = here.map((name) => name.replace("ExecutionProvider", "")).join(", ");
    throw new CannotError(`this build of ONNX Runtime ${ort.version} has no ${provider.name}; it has ${has}`);
  }
  const all = new Map([...Object.entries(provider.devices?.[device] ?? {}), ...given]);
  const [keys, values] = [[...all.keys()], [...all.values()]];
  try {
    if (provider.object !== undefined) appendObject(ort, options, provider.object, keys, values);
    else if (provider.append !== undefined) ort.call(provider.append, options, keys, values, all.size);
    else ort.call("SessionOptionsAppendExecutionProvider", options, provider.short, keys, values, all.size);
  } catch (error) {
    if (!(error instanceof CannotError)) throw error;
    throw new CannotError(`${provider.name}: ${error.message}`, { cause: error });
  }
  return provider.name;
}

function appendObject(
  ort: Ort,
  options: Pointer,
  [create, update, append, release]: NonNullable<Provider["object"]>,
  keys: readonly string[],
  values: readonly string[],
): void {
  const object = ort.pointer(create);
  try {
    if (keys.length > 0) ort.call(update, object, keys, values, keys.length);
    ort.call(append, options, object);
  } finally {
    ort.release(release, object);
  }
}
