/**
 * What Vela calls a node's tensors: IFM, IFM2, weights, bias, OFM, by operator (tflite_mapping.py and operation.py of ethos-u-vela).
 * Nodes of other formats reach Vela through a converter to TFLite: of them only what the converter does not change is looked at.
 */

import { bytesOf, elementsOf, type Tensor } from "../model/graph.ts";
import { isTflite, type View } from "./view.ts";

export interface Operands {
  readonly ifm: Tensor | undefined;
  readonly ifm2: Tensor | undefined;
  readonly weights: Tensor | undefined;
  readonly bias: Tensor | undefined;
  readonly ofm: Tensor | undefined;
}

/** Places of IFM, IFM2, weights and bias among the inputs where they are not [0]. "-": Vela knows none. */
const places: Readonly<Record<string, readonly [number, number, number, number]>> = {
  ADD: [0, 1, -1, -1],
  SUB: [0, 1, -1, -1],
  MUL: [0, 1, -1, -1],
  MAXIMUM: [0, 1, -1, -1],
  MINIMUM: [0, 1, -1, -1],
  SQUARED_DIFFERENCE: [0, 1, -1, -1],
  PRELU: [0, 1, -1, -1],
  TRANSPOSE: [0, 1, -1, -1],
  ATAN2: [0, 1, -1, -1],
  // Vela's table gives it the second and the third.
  CONCATENATION: [1, 2, -1, -1],
  SPLIT: [1, -1, -1, -1],
  CONV_2D: [0, -1, 1, 2],
  DEPTHWISE_CONV_2D: [0, -1, 1, 2],
  FULLY_CONNECTED: [0, -1, 1, 2],
  TRANSPOSE_CONV: [2, -1, 1, 3],
  UNIDIRECTIONAL_SEQUENCE_LSTM: [0, -1, 1, -1],
};

/** Operators whose input Vela's table names though the NPU does not take them; of all others it looks at none. */
const named: ReadonlySet<string> = new Set(["DEQUANTIZE", "RELU_0_TO_1", "SIGN", "LSTM", "RNN", "ATAN2"]);

const held = new WeakMap<View, Operands>();

export function operandsOf(view: View, taken: boolean): Operands {
  let operands = held.get(view);
  if (operands === undefined) {
    operands = isTflite(view) ? inTflite(view, taken) : elsewhere(view);
    held.set(view, operands);
  }
  return operands;
}

function inTflite(view: View, taken: boolean): Operands {
  const [ifm, ifm2, weights, bias] = places[view.spelled] ?? [taken || named.has(view.spelled) ? 0 : -1, -1, -1, -1];
  const at = (index: number): Tensor | undefined => (index < 0 ? undefined : view.inputs[index]);
  return { ifm: at(ifm), ifm2: at(ifm2), weights: at(weights), bias: at(bias), ofm: view.outputs[0] };
}

function elsewhere({ inputs, outputs, weights, bias, kind }: View): Operands {
  const variable = inputs.filter((tensor) => tensor !== undefined && tensor.data === undefined);
  const binary = kind === "elementwise";
  return {
    ifm: variable[0] ?? inputs[0],
    ifm2: binary ? (variable[1] ?? weights) : undefined,
    weights: binary ? undefined : weights,
    bias,
    ofm: outputs[0],
  };
}

/** The tensors Vela's generic checks look at: IFM, IFM2, weights, OFM. */
export const checked = (view: View, taken: boolean): readonly Tensor[] => {
  const { ifm, ifm2, weights, ofm } = operandsOf(view, taken);
  return [ifm, ifm2, weights, ofm].filter((tensor) => tensor !== undefined);
};

/** Shape as numbers; an unknown rank is Vela's []. */
export const shapeOf = (tensor: Tensor | undefined): readonly number[] =>
  (tensor?.shape ?? []).map((dimension) => (typeof dimension === "number" ? dimension : 1));

/** [batch, height, width, channels] of what goes in and comes out, of images in any layout. */
export const imageIn = (view: View): readonly number[] | undefined => {
  if (isTflite(view)) {
    const shape = shapeOf(operandsOf(view, true).ifm);
    return shape.length === 4 ? shape : undefined;
  }
  return image(view.batch, view.inSize, view.inChannels);
};
export const imageOut = (view: View): readonly number[] | undefined => {
  if (isTflite(view)) {
    const shape = shapeOf(view.outputs[0]);
    return shape.length === 4 ? shape : undefined;
  }
  return image(view.batch, view.outSize, view.outChannels);
};

const image = (
  batch: number | undefined,
  size: View["inSize"],
  channels: number | undefined,
): readonly number[] | undefined =>
  batch === undefined || size === undefined || channels === undefined ? undefined : [batch, ...size, channels];

export const elements = (tensor: Tensor | undefined): number | undefined => elementsOf(tensor?.shape);
export const isConstant = (tensor: Tensor | undefined): boolean => tensor?.data !== undefined;
export const bytesOfTensor = (tensor: Tensor | undefined): number | undefined => tensor && bytesOf(tensor);
export const sameShape = (a: Tensor | undefined, b: Tensor | undefined): boolean =>
  a !== undefined && b !== undefined && String(shapeOf(a)) === String(shapeOf(b));

const integer = /^u?int(?:8|16|32|64)$/;

/** One scale and one zero point, and the same ones. */
export function sameQuantization(a: Tensor | undefined, b: Tensor | undefined): boolean {
  const [p, q] = [a?.quantization, b?.quantization];
  if (a === undefined || b === undefined || p === undefined || q === undefined) return false;
  if (!integer.test(a.type) || !integer.test(b.type) || p.zeroPoint.length === 0 || q.zeroPoint.length === 0)
    return false;
  return String(p.scale) === String(q.scale) && String(p.zeroPoint) === String(q.zeroPoint);
}
