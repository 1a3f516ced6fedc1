/** Shapes of operators that move elements about: Reshape, Transpose, Concat, Resize, Reduce. Rules as in onnx/docs/Operators.md. */

import { elementsOf, type Dimension } from "../../model/graph.ts";
import { broadcast, type Rule, type Shape, type Step } from "./shapes.ts";
import { elementType } from "./tensor.ts";

const reductions =
  "ReduceSum ReduceMean ReduceMax ReduceMin ReduceProd ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceSumSquare";

export function layoutRules(): [string, Rule][] {
  return [
    ["Flatten", flatten],
    ["Transpose", transpose],
    ["Split", split],
    ["Expand", expand],
    ["Tile", tile],
    ["Pad", pad],
    ["Resize", resize],
    ["Upsample", resize],
    ...reductions.split(" ").map((name): [string, Rule] => [name, reduce]),
    ["ArgMax", argument],
    ["ArgMin", argument],
    ["TopK", topK],
    ["GatherElements", (step) => step.set(0, step.shape(1))],
    ["GatherND", gatherND],
    ["DepthToSpace", depthToSpace],
    ["SpaceToDepth", spaceToDepth],
    ["NonMaxSuppression", (step) => step.set(0, [null, 3], "int64")],
    ["NonZero", (step) => step.set(0, [step.shape(0)?.length ?? null, null], "int64")],
    ["OneHot", oneHot],
    ["GridSample", (step) => gridSample(step)],
    ["CastLike", (step) => step.set(0, step.shape(0), step.type(1))],
    [
      "EyeLike",
      (step) =>
        step.set(
          0,
          step.shape(0),
          step.attribute("dtype") === undefined ? step.type(0) : elementType(step.int("dtype", 0)).type,
        ),
    ],
  ];
}

/** Product of dimensions, null where one is open. */
const productOf = (shape: Shape): Dimension => (shape.length === 1 ? (shape[0] ?? null) : (elementsOf(shape) ?? null));

function flatten(step: Step): void {
  const shape = step.shape(0);
  if (!shape) return;
  const given = step.int("axis", 1);
  const axis = given < 0 ? given + shape.length : given;
  if (axis < 0 || axis > shape.length)
    step.contradicts(`has the axis ${given}, its input has ${shape.length} dimensions`);
  else step.set(0, [productOf(shape.slice(0, axis)), productOf(shape.slice(axis))]);
}

function transpose(step: Step): void {
  const shape = step.shape(0);
  if (!shape) return;
  const order = step.ints("perm") ?? shape.map((_, at) => shape.length - 1 - at);
  if (
    order.length !== shape.length ||
    new Set(order).size !== order.length ||
    order.some((at) => at < 0 || at >= shape.length)
  ) {
    step.contradicts(`has the order [${order.join(", ")}] for ${shape.length} dimensions`);
    return;
  }
  step.set(
    0,
    order.map((at) => shape[at] ?? null),
  );
}

function split(step: Step): void {
  const shape = step.shape(0);
  if (!shape) return;
  const axis = step.axis(step.int("axis", 0), shape.length);
  if (axis === undefined) return;
  const whole = shape[axis] ?? null;
  const parts = step.ints("split") ?? (step.has(1) ? step.numbers(1) : undefined);
  const count = step.node.outputs.length;
  if (step.has(1) && !parts) return;
  if (
    parts &&
    (parts.length !== count || (typeof whole === "number" && parts.reduce((sum, one) => sum + one, 0) !== whole))
  ) {
    step.contradicts(`splits ${whole ?? "?"} into [${parts.join(", ")}] for ${count} outputs`);
    return;
  }
  const chunk = typeof whole === "number" ? Math.ceil(whole / count) : null;
  for (let output = 0; output < count; output++) {
    const even =
      chunk === null || typeof whole !== "number" ? null : Math.max(0, Math.min(chunk, whole - chunk * output));
    step.set(output, shape.with(axis, parts?.[output] ?? even));
  }
}

function expand(step: Step): void {
  const shape = step.shape(0);
  const to = step.values(1);
  if (shape && to) step.set(0, broadcast(shape, to));
}

function tile(step: Step): void {
  const shape = step.shape(0);
  const repeats = step.numbers(1);
  if (!shape || repeats?.length !== shape.length) return;
  step.set(
    0,
    shape.map((one, at) => (typeof one === "number" ? one * (repeats[at] ?? 1) : repeats[at] === 1 ? one : null)),
  );
}

function pad(step: Step): void {
  const shape = step.shape(0);
  const given = step.ints("pads") ?? step.ints("paddings") ?? step.numbers(1);
  if (!shape || !given) return;
  const axes = (step.has(3) ? step.numbers(3) : shape.map((_, at) => at))?.map((axis) =>
    axis < 0 ? axis + shape.length : axis,
  );
  if (!axes) return;
  if (given.length !== axes.length * 2) {
    step.contradicts(`has ${given.length} pads for ${axes.length} dimensions`);
    return;
  }
  const more = new Map(axes.map((axis, at) => [axis, (given[at] ?? 0) + (given[at + axes.length] ?? 0)]));
  step.set(
    0,
    shape.map((one, at) =>
      typeof one === "number" ? one + (more.get(at) ?? 0) : (more.get(at) ?? 0) === 0 ? one : null,
    ),
  );
}

/** Upsample: scales as attribute (7) or input 1 (9). Resize: input 1 (10); roi 1, scales 2, sizes 3 (11 on); axes (18). */
function resize(step: Step): void {
  const shape = step.shape(0);
  if (!shape) return;
  const early = step.node.spelled === "Upsample" || step.version < 11;
  const attribute = step.ints("scales");
  const scales = attribute ?? (early ? step.numbers(1) : step.has(2) ? step.numbers(2) : undefined);
  const sizes = !early && step.has(3) ? step.values(3) : undefined;
  const axes = step.ints("axes")?.map((axis) => (axis < 0 ? axis + shape.length : axis)) ?? shape.map((_, at) => at);
  const out = [...shape];
  if (sizes && sizes.length === axes.length) {
    if ((step.attribute("keep_aspect_ratio_policy") ?? "stretch") !== "stretch") return;
    axes.forEach((axis, at) => (out[axis] = sizes[at] ?? null));
  } else if (scales && scales.length === axes.length) {
    axes.forEach((axis, at) => {
      const one = shape[axis];
      const scale = scales[at] ?? 1;
      out[axis] = typeof one === "number" ? Math.floor(one * scale) : scale === 1 ? (one ?? null) : null;
    });
  } else {
    step.set(
      0,
      shape.map(() => null),
    );
    return;
  }
  step.set(0, out);
}

/** Axes: attribute, from opset 13 (ReduceSum) or 18 an input. */
function reduce(step: Step): void {
  const shape = step.shape(0);
  if (!shape) return;
  const keep = step.int("keepdims", 1) === 1;
  const given = step.ints("axes") ?? (step.has(1) ? step.numbers(1) : []);
  if (!given) {
    if (keep)
      step.set(
        0,
        shape.map(() => null),
      );
    return;
  }
  if (given.length === 0 && step.int("noop_with_empty_axes", 0) === 1) {
    step.set(0, shape);
    return;
  }
  step.set(0, without(step, shape, given.length === 0 ? shape.map((_, at) => at) : given, keep));
}

function without(step: Step, shape: Shape, axes: readonly number[], keep: boolean): Shape | undefined {
  const gone = new Set<number>();
  for (const axis of axes) {
    const at = step.axis(axis, shape.length);
    if (at === undefined) return undefined;
    gone.add(at);
  }
  return keep ? shape.map((one, at) => (gone.has(at) ? 1 : one)) : shape.filter((_, at) => !gone.has(at));
}

function argument(step: Step): void {
  const shape = step.shape(0);
  step.set(0, shape && without(step, shape, [step.int("axis", 0)], step.int("keepdims", 1) === 1), "int64");
}

function topK(step: Step): void {
  const shape = step.shape(0);
  if (!shape) return;
  const axis = step.axis(step.int("axis", -1), shape.length);
  if (axis === undefined) return;
  const count = step.attribute("k") ?? step.values(1)?.[0] ?? null;
  const out = shape.with(axis, typeof count === "number" || typeof count === "string" ? count : null);
  step.set(0, out);
  step.set(1, out, "int64");
}

function gatherND(step: Step): void {
  const data = step.shape(0);
  const indices = step.shape(1);
  const last = indices?.at(-1);
  const batch = step.int("batch_dims", 0);
  if (!data || !indices || typeof last !== "number" || last + batch > data.length) return;
  step.set(0, [...indices.slice(0, -1), ...data.slice(batch + last)]);
}

const times = (one: Dimension | undefined, factor: number): Dimension =>
  typeof one === "number" ? one * factor : null;
const over = (one: Dimension | undefined, divisor: number): Dimension =>
  typeof one === "number" ? Math.floor(one / divisor) : null;

function depthToSpace(step: Step): void {
  const shape = step.shape(0);
  const block = step.int("blocksize", 0);
  if (shape?.length !== 4 || block < 1) return;
  step.set(0, [shape[0] ?? null, over(shape[1], block * block), times(shape[2], block), times(shape[3], block)]);
}

function spaceToDepth(step: Step): void {
  const shape = step.shape(0);
  const block = step.int("blocksize", 0);
  if (shape?.length !== 4 || block < 1) return;
  step.set(0, [shape[0] ?? null, times(shape[1], block * block), over(shape[2], block), over(shape[3], block)]);
}

function oneHot(step: Step): void {
  const shape = step.shape(0);
  if (!shape) return;
  const given = step.int("axis", -1);
  const axis = given < 0 ? given + shape.length + 1 : given;
  if (axis < 0 || axis > shape.length) return;
  step.set(0, shape.toSpliced(axis, 0, step.values(1)?.[0] ?? null), step.type(2));
}

/** X [N, C, in...], grid [N, out..., r]. */
function gridSample(step: Step): void {
  const x = step.shape(0);
  const grid = step.shape(1);
  if (x && grid && x.length === grid.length && x.length > 2)
    step.set(0, [x[0] ?? null, x[1] ?? null, ...grid.slice(1, -1)]);
}
