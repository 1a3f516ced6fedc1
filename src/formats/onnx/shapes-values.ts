/**
 * Operators whose small integer results become shapes: Shape, Gather, Concat, Slice, Unsqueeze, arithmetic. Each gives the shape of its
 * output and, where the values are known or named ("batch"), these too. Rules as in onnx/docs/Operators.md.
 */

import { elementsOf, type Dimension } from "../../model/graph.ts";
import type { Rule, Shape, Step } from "./shapes.ts";
import { elementType } from "./tensor.ts";

export function valueRules(): [string, Rule][] {
  return [
    ["Constant", (step) => step.follow(0, undefined)],
    ["Identity", passOn],
    ["Cast", cast],
    ["Floor", rounding],
    ["Ceil", rounding],
    ["Shape", shapeOf],
    ["Size", sizeOf],
    ["Gather", gather],
    ["Concat", concatenate],
    ["Slice", slice],
    ["Squeeze", squeeze],
    ["Unsqueeze", unsqueeze],
    ["Reshape", reshape],
    ["ConstantOfShape", constantOfShape],
    ["Range", range],
  ];
}

/** Add, Sub, Mul, Div of followed values; shapes are said elsewhere. */
export function arithmetic(step: Step): void {
  const rank = Math.max(step.shape(0)?.length ?? 9, step.shape(1)?.length ?? 9);
  if (rank > 1) return;
  const [left, right] = [step.numbers(0), step.numbers(1)];
  if (!left || !right || (left.length !== right.length && left.length !== 1 && right.length !== 1)) return;
  const whole = step.type(0).includes("int");
  const count = left.length === 0 || right.length === 0 ? 0 : Math.max(left.length, right.length);
  const out: number[] = [];
  for (let at = 0; at < count; at++) {
    const one = left[left.length === 1 ? 0 : at] ?? 0;
    const other = right[right.length === 1 ? 0 : at] ?? 0;
    const value = compute(step.node.spelled, one, other);
    if (!Number.isFinite(value)) return;
    out.push(whole ? Math.trunc(value) : value);
  }
  step.follow(0, out);
}

const compute = (op: string, one: number, other: number): number =>
  op === "Add" ? one + other : op === "Sub" ? one - other : op === "Mul" ? one * other : one / other;

function passOn(step: Step): void {
  step.set(0, step.shape(0));
  if (isSmall(step)) step.follow(0, step.values(0));
}

const isSmall = (step: Step): boolean => (step.shape(0)?.length ?? 9) <= 1;

function cast(step: Step): void {
  const to = step.attribute("to");
  step.set(0, step.shape(0), typeof to === "number" ? elementType(to).type : "unknown");
  if (isSmall(step)) step.follow(0, step.values(0));
}

function rounding(step: Step): void {
  step.set(0, step.shape(0));
  if (isSmall(step)) step.follow(0, step.numbers(0)?.map(step.node.spelled === "Floor" ? Math.floor : Math.ceil));
}

function shapeOf(step: Step): void {
  const shape = step.shape(0);
  if (!shape) {
    step.set(0, [null], "int64");
    return;
  }
  const clamp = (at: number): number => Math.max(0, Math.min(shape.length, at < 0 ? at + shape.length : at));
  const part = shape.slice(clamp(step.int("start", 0)), clamp(step.int("end", shape.length)));
  step.set(0, [part.length], "int64");
  step.follow(0, part);
}

function sizeOf(step: Step): void {
  step.set(0, [], "int64");
  const elements = elementsOf(step.shape(0));
  if (elements !== undefined) step.follow(0, [elements]);
}

function gather(step: Step): void {
  const data = step.shape(0);
  const indices = step.shape(1);
  if (!data || !indices) return;
  const axis = step.axis(step.int("axis", 0), data.length);
  if (axis === undefined) return;
  step.set(0, [...data.slice(0, axis), ...indices, ...data.slice(axis + 1)]);
  if (data.length !== 1 || indices.length > 1) return;
  const values = step.values(0);
  const at = step.numbers(1);
  if (!values || !at) return;
  const picked = at.map((index) => values[index < 0 ? index + values.length : index]);
  if (picked.some((value) => value === undefined))
    step.contradicts(`takes [${at.join(", ")}] of ${values.length} values`);
  else step.follow(0, picked as Dimension[]); // undefined was ruled out just above
}

function concatenate(step: Step): void {
  const shapes = step.node.inputs.map((_, at) => step.shape(at));
  const [first] = shapes;
  if (!first) return;
  const axis = step.axis(step.int("axis", step.version < 4 ? 1 : 0), first.length);
  if (axis === undefined) return;
  const out: Dimension[] = [...first];
  for (const shape of shapes.slice(1)) {
    if (!shape) return;
    if (shape.length !== first.length) {
      step.contradicts(`joins ${first.length} dimensions with ${shape.length}`);
      return;
    }
    for (const [at, one] of shape.entries()) {
      const held = out[at] ?? null;
      if (at === axis) out[at] = typeof held === "number" && typeof one === "number" ? held + one : null;
      else if (typeof held !== "number") out[at] = typeof one === "number" ? one : held === one ? held : null;
      else if (typeof one === "number" && one !== held) {
        step.contradicts(`joins [${first.join(", ")}] with [${shape.join(", ")}] along ${axis}`);
        return;
      }
    }
  }
  step.set(0, out);
  if (first.length !== 1 || step.node.inputs.length > 256) return;
  const values = step.node.inputs.map((_, at) => step.values(at));
  if (values.every((one) => one !== undefined)) step.follow(0, values.flat());
}

/** starts, ends, axes, steps: attributes until opset 9, inputs 1 to 4 from 10 on. */
function slice(step: Step): void {
  const shape = step.shape(0);
  if (!shape) return;
  const early = step.attribute("starts") !== undefined;
  const starts = early ? step.ints("starts") : step.numbers(1);
  const ends = early ? step.ints("ends") : step.numbers(2);
  const given = early ? step.ints("axes") : step.has(3) ? step.numbers(3) : (starts ?? []).map((_, at) => at);
  const axes = early && !given ? (starts ?? []).map((_, at) => at) : given;
  const steps = !early && step.has(4) ? step.numbers(4) : (axes ?? []).map(() => 1);
  if (!axes) return;
  const out: Dimension[] = [...shape];
  let values = shape.length === 1 ? step.values(0) : undefined;
  for (const [at, one] of axes.entries()) {
    const axis = step.axis(one, shape.length);
    if (axis === undefined) return;
    const size = shape[axis];
    const [from, to, by] = [starts?.[at], ends?.[at], steps?.[at]];
    if (typeof size !== "number" || from === undefined || to === undefined || by === undefined || by === 0) {
      // From the start to beyond any end keeps an open dimension as it is
      out[axis] = from === 0 && by === 1 && to !== undefined && to >= 2 ** 31 - 1 ? (size ?? null) : null;
      values = undefined;
      continue;
    }
    const first = clampTo(from < 0 ? from + size : from, 0, by > 0 ? size : size - 1);
    const last = clampTo(to < 0 ? to + size : to, by > 0 ? 0 : -1, size);
    out[axis] = Math.max(0, Math.ceil((last - first) / by));
    values = values && Array.from({ length: out[axis] }, (_, index) => values?.[first + index * by] ?? null);
  }
  step.set(0, out);
  step.follow(0, values);
}

const clampTo = (value: number, least: number, most: number): number => Math.max(least, Math.min(most, value));

function squeeze(step: Step): void {
  const shape = step.shape(0);
  if (!shape) return;
  const axes = step.ints("axes") ?? (step.has(1) ? step.numbers(1) : undefined);
  if (!axes) {
    if (!step.has(1) && shape.every((one) => typeof one === "number"))
      step.set(
        0,
        shape.filter((one) => one !== 1),
      );
    return;
  }
  const gone = new Set<number>();
  for (const axis of axes) {
    const at = step.axis(axis, shape.length);
    if (at === undefined) return;
    const size = shape[at];
    if (typeof size === "number" && size !== 1) step.contradicts(`squeezes a dimension of ${size}`);
    gone.add(at);
  }
  step.set(
    0,
    shape.filter((_, at) => !gone.has(at)),
  );
  if (shape.length === 1) step.follow(0, step.values(0));
}

function unsqueeze(step: Step): void {
  const shape = step.shape(0);
  const axes = step.ints("axes") ?? step.numbers(1);
  if (!shape || !axes) return;
  const rank = shape.length + axes.length;
  const added = new Set(axes.map((axis) => (axis < 0 ? axis + rank : axis)));
  if (added.size !== axes.length || [...added].some((axis) => axis < 0 || axis >= rank) || rank > 64) {
    step.contradicts(`adds the dimensions [${axes.join(", ")}] to ${shape.length}`);
    return;
  }
  const rest = shape.values();
  step.set(
    0,
    Array.from({ length: rank }, (_, at): Dimension => (added.has(at) ? 1 : (rest.next().value ?? null))),
  );
  if (shape.length === 0) step.follow(0, step.values(0));
}

/** 0 keeps a dimension (unless allowzero), -1 takes what is left. */
function reshape(step: Step): void {
  const shape = step.shape(0);
  const to = step.ints("shape") ?? step.values(1);
  if (!to) {
    const rank = step.shape(1)?.[0];
    if (typeof rank === "number" && rank >= 0 && rank <= 64)
      step.set(
        0,
        Array.from({ length: rank }, () => null),
      );
    return;
  }
  if (to.length > 64) return;
  const keep = step.int("allowzero", 0) === 0;
  const out: Dimension[] = to.map((one, at) => (one === 0 && keep ? (shape?.[at] ?? null) : one));
  const open = to.indexOf(-1);
  if (open >= 0) out[open] = shape ? remaining(shape, out, open) : null;
  else if (shape) {
    const [before, after] = [elementsOf(shape), elementsOf(out)];
    if (before !== undefined && after !== undefined && before !== after) {
      step.contradicts(`makes [${out.join(", ")}] of [${shape.join(", ")}]`);
      return;
    }
  }
  const left = out[open];
  if (typeof left === "number" && !Number.isInteger(left)) {
    step.contradicts(`makes [${to.join(", ")}] of [${shape?.join(", ") ?? ""}]`);
    return;
  }
  step.set(0, out);
  if (out.length <= 1 && isSmall(step)) step.follow(0, step.values(0));
}

/** What -1 stands for: open dimensions that stand on both sides cancel. */
function remaining(shape: Shape, out: Shape, open: number): Dimension {
  const others = out.filter((_, at) => at !== open);
  const names = shape.filter((one) => typeof one !== "number");
  const left = names.filter((one) => {
    const at = one === null ? -1 : others.indexOf(one);
    if (at < 0) return true;
    others.splice(at, 1);
    return false;
  });
  const before = elementsOf(shape.filter((one) => typeof one === "number"));
  const after = elementsOf(others.filter((one) => typeof one === "number"));
  if (before === undefined || after === undefined || others.some((one) => typeof one !== "number")) return null;
  if (left.length === 0) return after === 0 ? 0 : before / after;
  return left.length === 1 && before === after ? (left[0] ?? null) : null;
}

function constantOfShape(step: Step): void {
  const shape = step.values(0);
  const value = step.attribute("value");
  const spelled = typeof value === "string" ? value.slice(0, value.indexOf("[")) : "float32";
  const rank = step.shape(0)?.[0];
  const open =
    typeof rank === "number" && rank >= 0 && rank <= 64 ? Array.from({ length: rank }, () => null) : undefined;
  step.set(0, shape ?? open, constantTypes[spelled] ?? "unknown");
}

const constantTypes = {
  float32: "float32",
  float16: "float16",
  float64: "float64",
  int64: "int64",
  int32: "int32",
  bool: "bool",
  uint8: "uint8",
  int8: "int8",
} as Readonly<
  Record<string, "float32" | "float16" | "float64" | "int64" | "int32" | "bool" | "uint8" | "int8" | undefined>
>;

function range(step: Step): void {
  const [[start], [limit], [delta]] = [step.numbers(0) ?? [], step.numbers(1) ?? [], step.numbers(2) ?? []];
  if (start === undefined || limit === undefined || delta === undefined || delta === 0) {
    step.set(0, [null]);
    return;
  }
  const count = Math.max(0, Math.ceil((limit - start) / delta));
  step.set(0, [count]);
  if (count <= 256)
    step.follow(
      0,
      Array.from({ length: count }, (_, at) => start + at * delta),
    );
}
