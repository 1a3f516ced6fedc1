/** What Vela makes of convolutions, products with matrices, poolings, activations, and operators of two feature maps. */

import { isConstant, shapeOf } from "../vela-tensors.ts";
import type { View } from "../view.ts";
import { constant, kernelOf, limits, size, tables, type Lowering } from "./vela-lowering.ts";
import type { Kernel } from "./vela-machine.ts";

export function activate(lowering: Lowering, view: View): void {
  const table = tables.has(view.spelled);
  const [from = -1] = view.node.inputs;
  const key = lowering.key(from);
  const before = lowering.made.get(key);
  const alone = (lowering.consumers.get(from)?.length ?? 0) === 1;
  if (
    before !== undefined &&
    before.unit !== "copy" &&
    alone &&
    before.activation === undefined &&
    before.upscale === "none"
  ) {
    const ofm = lowering.out(view);
    before.activation = table ? "table" : "limits";
    before.table = table ? 256 : 0;
    before.ofm = { ...before.ofm, tensor: ofm.tensor };
    lowering.made.set(ofm.tensor, before);
    return;
  }
  if (!table) return void lowering.copy(view, lowering.ref(view, 0), lowering.out(view), { activation: "limits" });
  lowering.emit(view, "Add", "elementwise", lowering.ref(view, 0), lowering.out(view), {
    kind: "sum",
    ifm2: constant(8),
    activation: "table",
    table: 256,
    scalar: true,
  });
}

export function convolve(lowering: Lowering, view: View, first: boolean): void {
  let ifm = lowering.ref(view, 0);
  const ofm = lowering.out(view);
  let kernel = kernelOf(view);
  let weights = view.weights === undefined ? 0 : size(shapeOf(view.weights));
  if (ifm.shape[0] === 1 && ifm.shape[1] === 1 && kernel.h === 1 && kernel.w === 1) {
    lowering.emit(view, "FullyConnected", "vector", ifm, ofm, { weights, biased: true, activation: limits(view) });
    return;
  }
  if ((first && kernel.sx > 1) || kernel.sx > 3) {
    const [h, w, d] = ifm.shape;
    const factor = folds(w, kernel.sx);
    if (factor > 1 && (d * factor <= 8 || kernel.sx > 3)) {
      const left = kernel.sx / factor;
      const wide = Math.ceil(kernel.w / factor);
      weights = Math.round((weights / kernel.w) * wide * factor);
      ifm = { ...ifm, shape: [h, w / factor, d * factor] };
      kernel = { ...kernel, w: wide, sx: left };
    }
  }
  if (ofm.shape[0] === 1) kernel = { ...kernel, sy: 1 };
  if (ofm.shape[1] === 1) kernel = { ...kernel, sx: 1 };
  if (kernel.dy > 2 || kernel.dx > 2) kernel = spread(kernel);
  lowering.emit(view, "Conv2DBias", "conv", ifm, ofm, { kernel, weights, biased: true, activation: limits(view) });
}

export function depthwise(lowering: Lowering, view: View): void {
  const ifm = lowering.ref(view, 0);
  const ofm = lowering.out(view);
  let kernel = kernelOf(view);
  if (kernel.dy > 2 || kernel.dx > 2) kernel = spread(kernel);
  const weights = view.weights === undefined ? 0 : size(shapeOf(view.weights));
  const more = { kernel, weights, biased: true, activation: limits(view) };
  if (ifm.shape[2] === 1 && ofm.shape[2] > 1) lowering.emit(view, "Conv2DBias", "conv", ifm, ofm, more);
  else lowering.emit(view, "DepthwiseConv2DBias", "depthwise", ifm, ofm, more);
}

export function transposed(lowering: Lowering, view: View): void {
  const kernel = kernelOf(view);
  const weights = view.weights === undefined ? 0 : size(shapeOf(view.weights));
  const upscale = kernel.sx > 1 || kernel.sy > 1 ? "zeros" : "none";
  lowering.emit(view, "Conv2DBackpropInputSwitchedBias", "conv", lowering.ref(view, 2), lowering.out(view), {
    kernel: { ...kernel, sx: 1, sy: 1 },
    weights,
    biased: true,
    upscale,
    activation: limits(view),
  });
}

export function connect(lowering: Lowering, view: View): void {
  const [outputs = 1, inputs = 1] = shapeOf(view.inputs[1]);
  const rows = Math.max(1, Math.round(size(shapeOf(view.inputs[0])) / inputs));
  const grid = ({ 4: [2, 2], 8: [2, 4], 16: [4, 4] } as Readonly<Record<number, readonly [number, number]>>)[rows] ?? [
    1,
    rows,
  ];
  const part = lowering.ref(view, 0);
  const ifm = part.part === undefined ? { ...part, shape: [...grid, inputs] as const } : part;
  lowering.emit(view, "FullyConnected", "vector", ifm, lowering.out(view, [...grid, outputs]), {
    weights: inputs * outputs,
    biased: true,
    activation: limits(view),
  });
}

export function pool(lowering: Lowering, view: View): void {
  const kernel = kernelOf(view);
  const ifm = lowering.ref(view, 0);
  const all =
    kernel.h === ifm.shape[0] && kernel.w === ifm.shape[1] && kernel.sy === kernel.h && kernel.sx === kernel.w;
  const maximum = view.spelled === "MAX_POOL_2D";
  lowering.emit(view, maximum ? "MaxPool" : "AvgPool", "pool", ifm, lowering.out(view), {
    kernel: all ? { ...kernel, sx: 1, sy: 1 } : kernel,
    kind: maximum ? "maximum" : "other",
    activation: limits(view),
  });
}

export function binary(lowering: Lowering, view: View): void {
  const [a, b] = [lowering.ref(view, 0), lowering.ref(view, 1)];
  const name = view.spelled.charAt(0) + view.spelled.slice(1).toLowerCase();
  const bare = (at: number): boolean => shapeOf(view.inputs[at]).length === 0;
  const swap = (isConstant(view.inputs[0]) || bare(0)) && !isConstant(view.inputs[1]) && !bare(1);
  lowering.emit(view, name, "elementwise", swap ? b : a, lowering.out(view), {
    ifm2: swap ? a : b,
    kind: view.spelled === "MUL" ? "product" : view.spelled === "ADD" || view.spelled === "SUB" ? "sum" : "other",
    activation: limits(view),
    scalar: bare(0) || bare(1),
  });
}

/** How often a stride is folded into the depth. */
function folds(width: number, stride: number): number {
  if (width % stride === 0) return stride;
  const by = [2, 3].find((one) => stride % one === 0 && width % (stride / one) === 0);
  return by === undefined ? 1 : stride / by;
}

/** Dilations beyond 2 become zeros in the filter. */
function spread(kernel: Kernel): Kernel {
  const wide = (extent: number, dilation: number): readonly [number, number] => {
    const left = dilation % 2 === 0 ? 2 : 1;
    return [(extent - 1) * (dilation / left) + 1, left];
  };
  const [h, dy] = wide(kernel.h, kernel.dy);
  const [w, dx] = wide(kernel.w, kernel.dx);
  return { ...kernel, h, w, dy, dx };
}
