/** Shapes of operators that slide a window or multiply matrices. Rules as in onnx/docs/Operators.md. */

import type { Dimension, ElementType } from "../../model/graph.ts";
import { einsum } from "../../model/einsum.ts";
import { broadcast, type Rule, type Shape, type Step } from "./shapes.ts";

export function windowRules(): [string, Rule][] {
  return [
    ["Conv", (step) => convolution(step, 0, 1)],
    ["DeformConv", (step) => convolution(step, 0, 1)],
    ["FusedConv", (step) => convolution(step, 0, 1)],
    ["ConvInteger", (step) => convolution(step, 0, 1, "int32")],
    ["QLinearConv", (step) => convolution(step, 0, 3, step.has(7) ? step.type(7) : step.type(0))],
    ["ConvTranspose", transposed],
    ...["MaxPool", "AveragePool", "LpPool", "QLinearAveragePool"].map((name): [string, Rule] => [name, pool]),
    ...["GlobalAveragePool", "GlobalMaxPool", "GlobalLpPool", "QLinearGlobalAveragePool"].map(
      (name): [string, Rule] => [name, globalPool],
    ),
    ["MatMul", (step) => multiply(step, 0, 1)],
    ["FusedMatMul", fusedMatMul],
    ["MatMulInteger", (step) => multiply(step, 0, 1, "int32")],
    ["MatMulIntegerToFloat", (step) => multiply(step, 0, 1, "float32")],
    ["DynamicQuantizeMatMul", (step) => multiply(step, 0, 1, "float32")],
    ["QLinearMatMul", (step) => multiply(step, 0, 3, step.has(7) ? step.type(7) : step.type(0))],
    ["MatMulNBits", (step) => step.set(0, replaceLast(step.shape(0), step.int("N", -1)))],
    ["Einsum", summed],
    ["Gemm", (step) => gemm(step, 1)],
    ["FusedGemm", (step) => gemm(step, 1)],
    ["QGemm", (step) => gemm(step, 3)],
  ];
}

function summed(step: Step): void {
  const equation = step.attribute("equation");
  if (typeof equation !== "string") return;
  const found = einsum(
    equation,
    step.node.inputs.map((_, input) => step.shape(input)),
  );
  if (found) step.set(0, found.shape);
}

/** Strides, dilations, pads of a window of `kernel`, defaults filled in. */
interface Window {
  readonly kernel: readonly number[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  readonly pads: readonly number[];
  readonly auto: string;
}

const isBelowOne = (value: number): boolean => value < 1;

const defaults = new Map<number, readonly number[]>();

/** Attributes left out, which are most: one list for each value and length. */
function repeated(value: 0 | 1, length: number): readonly number[] {
  const key = length * 2 + value;
  let held = defaults.get(key);
  if (held === undefined) defaults.set(key, (held = Array.from({ length }, () => value)));
  return held;
}

function windowOf(step: Step, kernel: readonly number[]): Window | undefined {
  const rank = kernel.length;
  const strides = step.ints("strides") ?? repeated(1, rank);
  const dilations = step.ints("dilations") ?? repeated(1, rank);
  const pads = step.ints("pads") ?? repeated(0, 2 * rank);
  const auto = step.attribute("auto_pad");
  if (
    strides.length !== rank ||
    dilations.length !== rank ||
    pads.length !== 2 * rank ||
    strides.some(isBelowOne) ||
    dilations.some(isBelowOne) ||
    kernel.some(isBelowOne)
  ) {
    step.contradicts(
      `has kernel [${kernel.join(", ")}], strides [${strides.join(", ")}], dilations [${dilations.join(", ")}], pads [${pads.join(", ")}]`,
    );
    return undefined;
  }
  return { kernel, strides, dilations, pads, auto: typeof auto === "string" ? auto : "NOTSET" };
}

/** One output dimension; negative when the window is larger than what it slides over. */
function slide(input: Dimension | undefined, at: number, window: Window, ceil: boolean): Dimension {
  if (typeof input !== "number") return null;
  const rank = window.kernel.length;
  const stride = window.strides[at] ?? 1;
  if (window.auto.startsWith("SAME")) return Math.ceil(input / stride);
  const before = window.auto === "VALID" ? 0 : (window.pads[at] ?? 0);
  const after = window.auto === "VALID" ? 0 : (window.pads[at + rank] ?? 0);
  const reach = ((window.kernel[at] ?? 1) - 1) * (window.dilations[at] ?? 1) + 1;
  const span = input + before + after - reach;
  if (span < 0) return -1;
  if (!ceil) return Math.floor(span / stride) + 1;
  const positions = Math.ceil(span / stride) + 1;
  // A window that would begin in the padding behind the input is left out
  return (positions - 1) * stride >= input + before ? positions - 1 : positions;
}

function convolution(step: Step, data: number, weights: number, type?: ElementType): void {
  const x = step.shape(data);
  const w = step.shape(weights);
  if (!x || !w) {
    step.set(0, undefined, type);
    return;
  }
  const rank = x.length - 2;
  const kernel = step.ints("kernel_shape") ?? w.slice(2);
  if (rank < 1 || w.length !== x.length || kernel.length !== rank) {
    step.contradicts(`has input [${x.join(", ")}] and weights [${w.join(", ")}]`);
    return;
  }
  const [, channels = null] = x;
  const [, each = null] = w;
  const group = step.int("group", 1);
  if (typeof channels === "number" && typeof each === "number" && channels !== each * group) {
    step.contradicts(`has ${channels} channels for weights of ${each} in ${group} groups`);
  }
  if (kernel.some((one, at) => typeof one === "number" && typeof w[at + 2] === "number" && one !== w[at + 2])) {
    step.contradicts(`has the kernel [${kernel.join(", ")}] and weights [${w.join(", ")}]`);
  }
  const known = numbersOf(kernel);
  const window = known && windowOf(step, known);
  if (!window) {
    if (!known) step.set(0, [x[0] ?? null, w[0] ?? null, ...kernel.map(() => null)], type);
    return;
  }
  step.set(0, [x[0] ?? null, w[0] ?? null, ...window.kernel.map((_, at) => slide(x[at + 2], at, window, false))], type);
}

const numbersOf = (shape: Shape): readonly number[] | undefined =>
  shape.every((one) => typeof one === "number") ? shape : undefined;

function transposed(step: Step): void {
  const x = step.shape(0);
  const w = step.shape(1);
  if (!x || !w || x.length < 3 || w.length !== x.length) return;
  const kernel = step.ints("kernel_shape") ?? numbersOf(w.slice(2));
  if (kernel?.length !== x.length - 2) return;
  const window = windowOf(step, kernel);
  if (!window) return;
  const each = w[1];
  const fixed = step.ints("output_shape");
  const more = step.ints("output_padding");
  const rank = kernel.length;
  const spatial = kernel.map((size, at): Dimension => {
    if (fixed) return fixed[fixed.length - rank + at] ?? null;
    const input = x[at + 2];
    if (typeof input !== "number") return null;
    const stride = window.strides[at] ?? 1;
    if (window.auto.startsWith("SAME")) return input * stride;
    const pads = window.auto === "VALID" ? 0 : (window.pads[at] ?? 0) + (window.pads[at + rank] ?? 0);
    return stride * (input - 1) + (more?.[at] ?? 0) + (size - 1) * (window.dilations[at] ?? 1) + 1 - pads;
  });
  step.set(0, [x[0] ?? null, typeof each === "number" ? each * step.int("group", 1) : null, ...spatial]);
}

function pool(step: Step): void {
  const x = step.shape(0);
  const kernel = step.ints("kernel_shape");
  if (!x || !kernel) return;
  if (x.length !== kernel.length + 2) {
    step.contradicts(`has the kernel [${kernel.join(", ")}] over [${x.join(", ")}]`);
    return;
  }
  const window = windowOf(step, kernel);
  if (!window) return;
  const ceil = step.int("ceil_mode", 0) === 1;
  const shape = [x[0] ?? null, x[1] ?? null, ...kernel.map((_, at) => slide(x[at + 2], at, window, ceil))];
  step.set(0, shape);
  step.set(1, shape, "int64");
}

function globalPool(step: Step): void {
  const x = step.shape(0);
  if (x && x.length >= 2) step.set(0, [x[0] ?? null, x[1] ?? null, ...x.slice(2).map(() => 1)]);
}

function multiply(step: Step, left: number, right: number, type?: ElementType): void {
  step.set(0, product(step, step.shape(left), step.shape(right)), type);
}

/** NumPy's matmul. */
function product(step: Step, a: Shape | undefined, b: Shape | undefined): Shape | undefined {
  if (!a || !b) return undefined;
  const [depth] = a.slice(-1);
  const other = b.length === 1 ? b[0] : b[b.length - 2];
  if (a.length === 0 || b.length === 0 || (typeof depth === "number" && typeof other === "number" && depth !== other)) {
    step.contradicts(`multiplies [${a.join(", ")}] by [${b.join(", ")}]`);
    return undefined;
  }
  const batch = broadcast(a.slice(0, -2), b.slice(0, -2));
  if (!batch) {
    step.contradicts(`multiplies [${a.join(", ")}] by [${b.join(", ")}]`);
    return undefined;
  }
  const rows = a.length > 1 ? [a[a.length - 2] ?? null] : [];
  const columns = b.length > 1 ? [b[b.length - 1] ?? null] : [];
  return [...batch, ...rows, ...columns];
}

function fusedMatMul(step: Step): void {
  const flip = (shape: Shape | undefined, doIt: boolean): Shape | undefined =>
    !doIt || !shape || shape.length < 2
      ? shape
      : [...shape.slice(0, -2), shape[shape.length - 1] ?? null, shape[shape.length - 2] ?? null];
  step.set(
    0,
    product(step, flip(step.shape(0), step.int("transA", 0) === 1), flip(step.shape(1), step.int("transB", 0) === 1)),
  );
}

function replaceLast(shape: Shape | undefined, last: number): Shape | undefined {
  return shape === undefined || shape.length === 0 || last < 0 ? undefined : [...shape.slice(0, -1), last];
}

function gemm(step: Step, right: number): void {
  const a = step.shape(0);
  const b = step.shape(right);
  if (!a || !b) return;
  if (a.length !== 2 || b.length !== 2) {
    // Until opset 7 more dimensions were met, and folded
    if (step.version >= 7) step.contradicts(`multiplies [${a.join(", ")}] by [${b.join(", ")}]`);
    return;
  }
  const [m = null, k = null] = step.int("transA", 0) === 0 ? a : [a[1], a[0]];
  const [other = null, n = null] = step.int("transB", 0) === 0 ? b : [b[1], b[0]];
  if (typeof k === "number" && typeof other === "number" && k !== other) {
    step.contradicts(`multiplies [${a.join(", ")}] by [${b.join(", ")}]`);
  }
  step.set(0, [m, n]);
}
