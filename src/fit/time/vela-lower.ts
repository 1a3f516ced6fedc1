/**
 * What Vela makes of TFLite's operators before it counts cycles: paddings melt into convolutions, activations into what comes before,
 * softmax falls into some thirty operations, a concatenation into copies (graph optimiser of ethos-u-vela 3.10, and NXP's fork of it).
 */

import { isConstant } from "../vela-tensors.ts";
import type { View } from "../view.ts";
import { concatenate, pad, read, reshape, resize, transpose } from "./vela-lower-moves.ts";
import { activate, binary, connect, convolve, depthwise, pool, transposed } from "./vela-lower-products.ts";
import { argMax, lstm, mean, softmax } from "./vela-lower-sums.ts";
import { aliases, Lowering, tables, type LoweredGraph } from "./vela-lowering.ts";

const activations: ReadonlySet<string> = new Set(["RELU", "RELU6", "RELU_N1_TO_1"]);
const readers: ReadonlySet<string> = new Set(["SPLIT", "SPLIT_V", "SLICE", "STRIDED_SLICE", "UNPACK"]);

/** `sums`: NXP's fork adds a zero after each concatenation. */
export function lower(views: readonly View[], taken: (view: View) => boolean, sums: boolean): LoweredGraph {
  const lowering = new Lowering(views, taken, sums);
  for (const view of lowering.views) if (lowering.taken(view)) lowerOne(lowering, view);
  const outside = new Set(lowering.kept);
  for (const [index, view] of lowering.producer) {
    const readers = lowering.consumers.get(index) ?? [];
    const left = readers.length === 0 || readers.some((reader) => !lowering.taken(reader));
    if (!lowering.taken(view) || left) outside.add(lowering.key(index));
  }
  for (const view of lowering.views)
    view.node.inputs.forEach((input, at) => {
      if (!lowering.producer.has(input) && !isConstant(view.inputs[at])) outside.add(lowering.key(input));
    });
  return { operations: lowering.operations, outside, shapes: lowering.shapes };
}

function lowerOne(lowering: Lowering, view: View): void {
  const first = lowering.first;
  lowering.first = false;
  const { spelled } = view;
  if (aliases.has(spelled)) return reshape(lowering, view);
  if (readers.has(spelled)) return read(lowering, view);
  if (activations.has(spelled) || tables.has(spelled)) return activate(lowering, view);
  switch (spelled) {
    case "CONV_2D":
      return convolve(lowering, view, first);
    case "DEPTHWISE_CONV_2D":
      return depthwise(lowering, view);
    case "TRANSPOSE_CONV":
      return transposed(lowering, view);
    case "FULLY_CONNECTED":
      return connect(lowering, view);
    case "AVERAGE_POOL_2D":
    case "MAX_POOL_2D":
      return pool(lowering, view);
    case "ADD":
    case "SUB":
    case "MUL":
    case "MINIMUM":
    case "MAXIMUM":
    case "SQUARED_DIFFERENCE":
      return binary(lowering, view);
    case "ABS":
      return void lowering.emit(view, "Abs", "elementwise", lowering.ref(view, 0), lowering.out(view));
    case "QUANTIZE":
      if (!isConstant(view.inputs[0])) lowering.copy(view, lowering.ref(view, 0), lowering.out(view));
      return;
    case "PAD":
    case "MIRROR_PAD":
      return pad(lowering, view);
    case "CONCATENATION":
    case "PACK":
      return concatenate(lowering, view);
    case "SOFTMAX":
      return softmax(lowering, view);
    case "MEAN":
      return mean(lowering, view);
    case "RESIZE_BILINEAR":
    case "RESIZE_NEAREST_NEIGHBOR":
      return resize(lowering, view);
    case "TRANSPOSE":
      return transpose(lowering, view);
    case "ARG_MAX":
      return argMax(lowering, view);
    case "UNIDIRECTIONAL_SEQUENCE_LSTM":
      return lstm(lowering, view);
  }
}
