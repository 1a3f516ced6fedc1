/** What Vela makes of operators that fall into many: softmax, means, the largest, LSTM. */

import { shapeOf } from "../vela-tensors.ts";
import type { View } from "../view.ts";
import { constant, type Lowered, type Lowering, type Ref } from "./vela-lowering.ts";
import { POINT, type Volume } from "./vela-machine.ts";

export function softmax(lowering: Lowering, view: View): void {
  const ifm = lowering.ref(view, 0);
  const out = lowering.out(view);
  const [h, w, d] = ifm.shape;
  const small: Volume = [h, w, 1];
  const deep = { ...ifm, shape: [h * w, d, 1] as const };
  const most = lowering.temporary([h * w, 1, 1], ifm.bits);
  lowering.shapes.set(most.tensor, small);
  lowering.emit(view, "MaxPool", "pool", deep, most, { kernel: { ...POINT, w: d }, kind: "maximum", linear: true });
  const each = (
    name: string,
    kind: Lowered["kind"],
    a: Ref,
    b: Ref | undefined,
    shape: Volume,
    bits: number,
    more: Partial<Lowered> = {},
  ): Ref => {
    const ofm = lowering.temporary(shape, bits);
    lowering.emit(view, name, "elementwise", a, ofm, { kind, ...(b === undefined ? {} : { ifm2: b }), ...more });
    return ofm;
  };
  const c = (): Ref => constant(32, `=s${++lowering.own}`);
  const exp = each("Sub", "sum", ifm, { ...most, shape: small }, ifm.shape, 32, { activation: "table", table: 1024 });
  const shifted = each("SHR", "other", exp, c(), ifm.shape, 32, { linear: true });
  const total = lowering.temporary(small, 32);
  lowering.emit(view, "ReduceSum", "sum", shifted, total);
  const zeros = each("CLZ", "other", total, undefined, small, 32);
  const headroom = each("Sub", "sum", zeros, c(), small, 32);
  const right = each("Sub", "sum", zeros, c(), small, 32);
  let value = each("SHL", "other", total, headroom, small, 32);
  value = each("Sub", "sum", value, c(), small, 32);
  const half = each("SHL", "other", value, c(), small, 32);
  value = each("Add", "sum", half, c(), small, 32);
  value = each("Mul", "product", value, c(), small, 32);
  let guess = each("Add", "sum", value, c(), small, 32);
  for (let turn = 0; turn < 3; turn++) {
    let step = each("Mul", "product", guess, half, small, 32);
    step = each("Sub", "sum", step, c(), small, 32);
    step = each("Mul", "product", guess, step, small, 32);
    step = each("Mul", "product", step, c(), small, 32);
    guess = each("Add", "sum", guess, step, small, 32);
  }
  const scale = each("Mul", "product", guess, c(), small, 32);
  const result = each("Mul", "product", exp, scale, ifm.shape, 32);
  lowering.emit(view, "SHR", "elementwise", result, out, { ifm2: right });
}

export function mean(lowering: Lowering, view: View): void {
  const ifm = lowering.ref(view, 0);
  const [h, w, d] = ifm.shape;
  const sum = lowering.temporary([1, 1, d], 32);
  lowering.emit(view, "DepthwiseConv2DBias", "depthwise", ifm, sum, {
    kernel: { ...POINT, h, w },
    weights: h * w * d,
    biased: true,
  });
  lowering.emit(view, "Mul", "elementwise", sum, lowering.out(view, [1, 1, d]), {
    kind: "product",
    ifm2: constant(32),
  });
}

export function argMax(lowering: Lowering, view: View): void {
  const ifm = lowering.ref(view, 0);
  const [h, w, d] = ifm.shape;
  const wide = lowering.temporary(ifm.shape, 16);
  lowering.emit(view, "DepthwiseConv2DBias", "depthwise", ifm, wide, { weights: d, biased: true, linear: true });
  const places = lowering.temporary([h, w, 1], 16);
  // Feature maps have at most 65535 rows.
  const rows = Math.floor(65535 / w) * w;
  for (let left = h * w; left > 0; left -= rows) {
    const part: Volume = [Math.min(rows, left), 1, 1];
    const from: Ref = { ...wide, shape: [h * w, d, 1], part: [part[0], d, 1] };
    lowering.emit(
      view,
      "MaxPool",
      "pool",
      from,
      { ...places, shape: [h * w, 1, 1], part },
      {
        kernel: { ...POINT, w: d },
        kind: "maximum",
        activation: "table",
        linear: true,
      },
    );
  }
  const widen = { weights: 1, biased: true, scaled: false, linear: true } as const;
  const long = view.outputs[0]?.type === "int64";
  const out = lowering.out(view);
  const first = long ? lowering.temporary([h, w, 1], 32) : out;
  lowering.emit(view, "DepthwiseConv2DBias", "depthwise", places, { ...first, bits: 32, shape: [h, w, 1] }, widen);
  if (!long) return;
  const halves = lowering.temporary([h, w, 2], 16);
  lowering.emit(view, "Memcpy", "copy", first, halves, { linear: true });
  const whole = lowering.temporary([h, w, 2], 32);
  lowering.emit(view, "DepthwiseConv2DBias", "depthwise", halves, whole, { ...widen, weights: 2 });
  lowering.emit(view, "Memcpy", "copy", whole, out, { linear: true });
}

/** Step by step: four gates of two products each, the state, the output. */
export function lstm(lowering: Lowering, view: View): void {
  const whole = lowering.ref(view, 0);
  const [rows, steps, features] = whole.shape;
  const timeMajor = view.node.attributes["time_major"] === true;
  const cells = shapeOf(view.inputs[5])[1] ?? 1;
  const out = lowering.out(view);
  const count = Math.min(timeMajor ? rows : steps, 4096);
  const state = (): Ref => ({ tensor: "h", shape: [1, 1, cells], bits: 8 });
  const memory = (): Ref => ({ tensor: "c", shape: [1, 1, cells], bits: 16 });
  const wide: Volume = [1, 1, cells];
  lowering.kept.add(state().tensor).add(memory().tensor);
  for (let step = 0; step < count; step++) {
    const gates: Ref[] = [];
    for (let gate = 0; gate < 4; gate++) {
      const recurrent = lowering.temporary(wide, 16);
      lowering.emit(view, "FullyConnected", "vector", state(), recurrent, { weights: cells * cells, biased: true });
      const input = lowering.temporary(wide, 16);
      lowering.emit(view, "FullyConnected", "vector", { ...whole, part: [1, 1, features] }, input, {
        weights: cells * features,
        biased: true,
      });
      const sum = lowering.temporary(wide, 16);
      lowering.emit(view, "Add", "elementwise", input, sum, { kind: "sum", ifm2: recurrent, activation: "table" });
      gates.push(sum);
    }
    const [a = state(), b = state(), , d = state()] = gates;
    const kept = lowering.temporary(wide, 16);
    lowering.emit(view, "Mul", "elementwise", memory(), kept, { kind: "product", ifm2: b });
    const added = lowering.temporary(wide, 16);
    lowering.emit(view, "Mul", "elementwise", a, added, { kind: "product", ifm2: d });
    lowering.emit(view, "Add", "elementwise", kept, memory(), { kind: "sum", ifm2: added });
    const seen = lowering.temporary(wide, 16);
    lowering.copy(view, memory(), seen, { activation: "table" });
    lowering.emit(view, "Mul", "elementwise", seen, state(), { kind: "product", ifm2: d });
    lowering.copy(view, state(), { ...out, part: wide }, { linear: true });
  }
}
