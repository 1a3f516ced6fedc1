/** What a model's file says of an input beyond type and shape: metadata of its author, and how the graph quantises it. */

import type { Port } from "../delegates/delegate.ts";
import type { Fit } from "../media/resize.ts";
import type { Expected, Model } from "../model/graph.ts";
import { realRange } from "./store.ts";

export interface InputFacts {
  readonly expected?: Expected;
  /** Who says so: "its TFLite metadata". */
  readonly source?: string;
  /** Of a float input that the model quantises first: the real numbers that survive. */
  readonly range?: readonly [number, number];
  /** How pictures of other proportions were fitted when the model was trained, and who says so. */
  readonly fit?: { readonly how: Fit; readonly says: string };
  /** Where the format's models have their channels when a shape leaves it open. */
  readonly channelsFirst: boolean;
}

/** TensorFlow's family has channels last; everybody else has them first. */
const channelsLast: readonly string[] = [
  "tflite",
  "tflite-vela",
  "edgetpu",
  "tfjs",
  "tensorflow-savedmodel",
  "keras",
  "rknn",
];

/** Of the input at `index` of `ports`; by name where the model's graph knows it, else by order. */
export function inputFacts(model: Model | undefined, ports: readonly Port[], index: number): InputFacts {
  if (model === undefined) return { channelsFirst: true };
  const channelsFirst = !channelsLast.includes(model.format);
  const graph = model.graphs[model.main ?? 0];
  const names = (graph?.inputs ?? []).map((tensor) => graph?.tensors[tensor]?.name);
  const named = names.indexOf(ports[index]?.name);
  const at = named >= 0 ? named : index;
  const said = model.expects?.[at] ?? undefined;
  const expected = said ?? onnxImage(model);
  const source = said !== undefined ? "its metadata" : "its ONNX metadata";
  const fit = ultralytics(model);
  const range = quantisedRange(model, graph?.inputs[at]);
  return {
    channelsFirst,
    ...(expected === undefined ? {} : { expected, source }),
    ...(range === undefined ? {} : { range }),
    ...(fit === undefined ? {} : { fit }),
  };
}

/** https://docs.ultralytics.com/modes/predict: its predictor letterboxes, but for classes of whole pictures, whose middle it takes. */
function ultralytics({ author, metadata }: Model): InputFacts["fit"] {
  if (author !== "Ultralytics") return undefined;
  const how = metadata["task"] === "classify" ? "crop" : "letterbox";
  return { how, says: `as Ultralytics feeds its models${how === "crop" ? " of classes" : ""}` };
}

/** https://github.com/onnx/onnx/blob/main/docs/MetadataProps.md: of all image inputs; neither keys nor values have a case. */
const pixelFormats: Readonly<Record<string, Expected["color"]>> = {
  gray8: "gray",
  rgb8: "rgb",
  rgba8: "rgb",
  bgr8: "bgr",
  bgra8: "bgr",
};
const pixelRanges: Readonly<Record<string, readonly [mean: number, std: number]>> = {
  nominalrange_0_255: [0, 1],
  normalized_0_1: [0, 255],
  normalized_1_1: [127.5, 127.5],
};

function onnxImage({ format, metadata }: Model): Expected | undefined {
  if (format !== "onnx") return undefined;
  const lower = new Map(Object.entries(metadata).map(([key, value]) => [key.toLowerCase(), value.toLowerCase()]));
  const color = pixelFormats[lower.get("image.bitmappixelformat") ?? ""];
  const range = pixelRanges[lower.get("image.nominalpixelrange") ?? ""];
  if (color === undefined && range === undefined) return undefined;
  return {
    kind: "image",
    ...(color === undefined ? {} : { color }),
    ...(range === undefined ? {} : { mean: [range[0]], std: [range[1]] }),
  };
}

/** The range of the tensor that the only consumer of the input quantises it to. */
function quantisedRange(model: Model, tensor: number | undefined): readonly [number, number] | undefined {
  const graph = model.graphs[model.main ?? 0];
  if (graph === undefined || tensor === undefined) return undefined;
  const consumers = graph.nodes.filter(({ inputs }) => inputs.includes(tensor));
  const [first] = consumers;
  if (consumers.length !== 1 || first === undefined || !/^quantize/i.test(first.spelled)) return undefined;
  const output = graph.tensors[first.outputs[0] ?? -1];
  const [scale, zero] = [output?.quantization?.scale[0], output?.quantization?.zeroPoint[0] ?? 0];
  if (output === undefined || scale === undefined || output.quantization?.scale.length !== 1) return undefined;
  return realRange({ type: output.type, quantization: { scale, zero } });
}
