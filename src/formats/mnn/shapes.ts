/**
 * Shapes of an MNN graph's tensors, which the file leaves to the runtime: from the inputs on, for the operators that keep, window, join
 * or rearrange what they take. What no rule knows stays open. Rules: source/shape of MNN (Apache-2.0), as facts.
 */

import type { Attribute, Dimension, ElementType } from "../../model/graph.ts";

/** Where channels stand: second (NCHW, and NC4HW4 as the runtime packs it) or last. */
export type DataFormat = "NCHW" | "NHWC";

export interface Flow {
  readonly shape?: readonly Dimension[];
  readonly type?: ElementType;
  readonly format: DataFormat;
  /** NC4HW4: what an operator says of its shape may be in another order than its dimensions here. */
  readonly packed?: boolean;
  /** Values of a short constant, or what follows from shapes: axes, permutations, sizes to reshape to. */
  readonly values?: readonly number[];
}

/** Values that are followed: shapes and pads. */
const VALUES_LIMIT = 32;

export type Parameters = Readonly<Record<string, Attribute>>;

interface Asked {
  readonly inputs: readonly Flow[];
  readonly parameters: Parameters;
}

type Rule = (asked: Asked) => Flow | undefined;

/* prettier-ignore */
const same = new Set(
  ("ReLU ReLU6 PReLU ELU Selu UnaryOp Sigmoid TanH Scale BatchNorm Softmax Bnll Cast LayerNorm InstanceNorm GroupNorm Dropout CumSum CumProd LRN " +
    "Normalize Power Threshold AbsVal Exp Log Identity ZerosLike FloatToInt8 Int8ToFloat Requantize Reverse").split(" "),
);

const rules: ReadonlyMap<string, Rule> = new Map<string, Rule>([
  ["Convolution", convolution],
  ["ConvolutionDepthwise", convolution],
  ["ConvInt8", convolution],
  ["DepthwiseConvInt8", convolution],
  ["Deconvolution", deconvolution],
  ["DeconvolutionDepthwise", deconvolution],
  ["Pooling", pooling],
  ["ConvertTensor", converted],
  ["BinaryOp", broadcast],
  ["Eltwise", broadcast],
  ["EltwiseInt8", broadcast],
  ["Concat", concatenated],
  ["Reshape", reshaped],
  ["Flatten", flattened],
  ["InnerProduct", product],
  ["MatMul", multiplied],
  ["BatchMatMul", multiplied],
  ["Permute", permuted],
  ["Transpose", permuted],
  ["Squeeze", squeezed],
  ["Unsqueeze", unsqueezed],
  ["ExpandDims", unsqueezed],
  ["Reduction", reduced],
  ["Padding", padded],
  ["Interp", resized],
  ["Shape", ({ inputs }) => shapeOnly([inputs[0]?.shape?.length ?? null], "int32", inputs[0])],
  ["Rank", ({ inputs }) => shapeOnly([], "int32", inputs[0])],
]);

/** What the first output of an operator is, as far as it follows. */
export function outputOf(operator: string, inputs: readonly Flow[], parameters: Parameters): Flow | undefined {
  const values = valuesOf(operator, inputs, parameters);
  const flow = flowOf(operator, inputs, parameters);
  if (values === undefined || values.length > VALUES_LIMIT) return flow;
  return { ...(flow ?? { format: "NCHW" }), values };
}

/** Arithmetic on shapes, as exporters write it out: what Shape gives is cut, joined and multiplied until Reshape takes it. */
function valuesOf(operator: string, inputs: readonly Flow[], p: Parameters): readonly number[] | undefined {
  const [a, b, c] = inputs.map(({ values }) => values);
  switch (operator) {
    case "Shape": {
      const [first] = inputs;
      const sizes = first?.packed === true ? undefined : first?.shape;
      return sizes?.every((d) => typeof d === "number") === true ? sizes : undefined;
    }
    case "Rank":
      return inputs[0]?.shape === undefined ? undefined : [inputs[0].shape.length];
    case "Unsqueeze":
    case "Squeeze":
    case "ExpandDims":
    case "Cast":
    case "Reshape":
    case "Identity":
      return a;
    case "Concat": {
      const all = inputs.map(({ values }) => values);
      return all.every((one) => one !== undefined) ? all.flat() : undefined;
    }
    case "SliceTf": {
      const [from, size] = [b?.[0], c?.[0]];
      if (a === undefined || from === undefined || size === undefined || b?.length !== 1) return undefined;
      return a.slice(from, size < 0 ? undefined : from + size);
    }
    case "GatherV2":
    case "Gather": {
      const picked = a === undefined ? undefined : b?.map((at) => a[at < 0 ? at + a.length : at]);
      return picked?.every((one) => one !== undefined) === true ? picked : undefined;
    }
    case "BinaryOp": {
      if (a === undefined || b === undefined || (a.length !== b.length && a.length !== 1 && b.length !== 1))
        return undefined;
      const compute = typeof p["opType"] === "string" ? arithmetic.get(p["opType"]) : undefined;
      const made = Array.from({ length: Math.max(a.length, b.length) }, (_, i) =>
        compute?.(a[a.length === 1 ? 0 : i] ?? 0, b[b.length === 1 ? 0 : i] ?? 0),
      );
      return made.every((one) => one !== undefined && Number.isSafeInteger(one)) ? (made as number[]) : undefined; // just checked
    }
    default:
      return undefined;
  }
}

const arithmetic: ReadonlyMap<string, (a: number, b: number) => number> = new Map([
  ["ADD", (a: number, b: number) => a + b],
  ["SUB", (a: number, b: number) => a - b],
  ["MUL", (a: number, b: number) => a * b],
  ["DIV", (a: number, b: number) => Math.trunc(a / b)],
  ["FLOORDIV", (a: number, b: number) => Math.floor(a / b)],
]);

function flowOf(operator: string, inputs: readonly Flow[], parameters: Parameters): Flow | undefined {
  if (same.has(operator)) {
    const [first] = inputs;
    if (first === undefined) return undefined;
    const cast = casts.has(operator);
    const { type, ...rest } = bare(first);
    return { ...rest, ...(cast || type === undefined ? {} : { type }) };
  }
  return rules.get(operator)?.({ inputs, parameters });
}

/** Operators whose output is of another type, which they say in words of their own. */
const casts: ReadonlySet<string> = new Set(["Cast", "FloatToInt8", "Int8ToFloat", "Requantize"]);

/** Without the values: what comes out of an operator is no constant. */
const bare = ({ shape, type, format, packed }: Flow): Flow => ({
  format,
  ...(packed === undefined ? {} : { packed }),
  ...(type === undefined ? {} : { type }),
  ...(shape === undefined ? {} : { shape }),
});

const number = (value: unknown, absent = 0): number => (typeof value === "number" ? value : absent);
const list = (value: unknown): readonly number[] | undefined =>
  Array.isArray(value) && value.every((one) => typeof one === "number") ? value : undefined;

function shapeOnly(shape: readonly Dimension[], type: ElementType, of: Flow | undefined): Flow {
  return { shape, type, format: of?.format ?? "NCHW" };
}

/** Batch, channels, height, width of four dimensions. */
function image({ shape, format }: Flow): readonly [Dimension, Dimension, Dimension, Dimension] | undefined {
  if (shape?.length !== 4) return undefined;
  const [n = null, a = null, b = null, c = null] = shape;
  return format === "NHWC" ? [n, c, a, b] : [n, a, b, c];
}

function ofImage(first: Flow, n: Dimension, c: Dimension, h: Dimension, w: Dimension): Flow {
  return { ...bare(first), shape: first.format === "NHWC" ? [n, h, w, c] : [n, c, h, w] };
}

const each = (value: Dimension, make: (size: number) => number): Dimension => {
  if (typeof value !== "number") return null;
  const made = make(value);
  return Number.isFinite(made) && made >= 0 ? made : null;
};

function convolution({ inputs: [first], parameters: p }: Asked): Flow | undefined {
  const of = first && image(first);
  if (first === undefined || of === undefined) return undefined;
  const [n, , h, w] = of;
  const pads = list(p["pads"]);
  const out = (size: Dimension, axis: "X" | "Y"): Dimension => {
    const kernel = number(p[`dilate${axis}`], 1) * (number(p[`kernel${axis}`], 1) - 1) + 1;
    const stride = number(p[`stride${axis}`], 1);
    const at = axis === "X" ? 1 : 0;
    const pad = pads && pads.length >= 4 ? (pads[at] ?? 0) + (pads[at + 2] ?? 0) : 2 * number(p[`pad${axis}`]);
    return each(size, (s) =>
      p["padMode"] === "SAME"
        ? Math.ceil(s / stride)
        : p["padMode"] === "VALID"
          ? Math.ceil((s - kernel + 1) / stride)
          : Math.floor((s + pad - kernel) / stride) + 1,
    );
  };
  return ofImage(first, n, number(p["outputCount"]) || null, out(h, "Y"), out(w, "X"));
}

function deconvolution({ inputs: [first], parameters: p }: Asked): Flow | undefined {
  const of = first && image(first);
  if (first === undefined || of === undefined || p["hasOutputShape"] === true) return undefined;
  const [n, , h, w] = of;
  const pads = list(p["pads"]);
  const more = list(p["outPads"]);
  const out = (size: Dimension, axis: "X" | "Y"): Dimension => {
    const stride = number(p[`stride${axis}`], 1);
    const at = axis === "X" ? 1 : 0;
    const pad = pads && pads.length >= 4 ? (pads[at] ?? 0) + (pads[at + 2] ?? 0) : 2 * number(p[`pad${axis}`]);
    const kernel = number(p[`dilate${axis}`], 1) * (number(p[`kernel${axis}`], 1) - 1) + 1;
    return each(size, (s) =>
      p["padMode"] === "SAME" ? s * stride : (s - 1) * stride + kernel - pad + (more?.[at] ?? 0),
    );
  };
  return ofImage(first, n, number(p["outputCount"]) || null, out(h, "Y"), out(w, "X"));
}

function pooling({ inputs: [first], parameters: p }: Asked): Flow | undefined {
  const of = first && image(first);
  if (first === undefined || of === undefined) return undefined;
  const [n, c, h, w] = of;
  if (p["isGlobal"] === true) return ofImage(first, n, c, 1, 1);
  const pads = list(p["pads"]);
  const out = (size: Dimension, axis: "X" | "Y"): Dimension => {
    const stride = number(p[`stride${axis}`]) || 1;
    const at = axis === "X" ? 1 : 0;
    const pad =
      pads?.length === 4
        ? (pads[at] ?? 0) + (pads[at + 2] ?? 0)
        : pads === undefined
          ? 2 * number(p[`pad${axis}`])
          : axis === "Y"
            ? (pads[0] ?? 0) + (pads[1] ?? 0)
            : 0;
    return each(size, (s) => {
      const whole = s + pad;
      const kernel = Math.min(number(p[`kernel${axis}`]), whole);
      if (p["padType"] === "SAME") return Math.ceil(whole / stride);
      if (p["padType"] === "VALID") return Math.ceil((whole - kernel + 1) / stride);
      return (p["ceilModel"] === false ? Math.floor : Math.ceil)((whole - kernel) / stride) + 1;
    });
  };
  return ofImage(first, n, c, out(h, "Y"), out(w, "X"));
}

const formatOf = (word: unknown): DataFormat => (typeof word === "string" && word.startsWith("NHWC") ? "NHWC" : "NCHW");

function converted({ inputs: [first], parameters: p }: Asked): Flow | undefined {
  if (first === undefined) return undefined;
  const [source, dest] = [formatOf(p["source"]), formatOf(p["dest"])];
  const { shape, ...kept } = bare(first);
  const rest = { ...kept, packed: String(p["dest"]).startsWith("NC4") };
  if (shape === undefined) return { ...rest, format: dest };
  const [n = null, ...others] = shape;
  if (source === dest || shape.length < 3) return { ...rest, shape, format: dest };
  const turned =
    dest === "NHWC"
      ? [...others.slice(1), others[0] ?? null]
      : [others[others.length - 1] ?? null, ...others.slice(0, -1)];
  return { ...rest, shape: [n, ...turned], format: dest };
}

function broadcast({ inputs }: Asked): Flow | undefined {
  const [first] = inputs;
  if (first === undefined || inputs.some(({ shape }) => shape === undefined)) return undefined;
  const rank = Math.max(...inputs.map(({ shape }) => shape?.length ?? 0));
  const shape: Dimension[] = [];
  for (let axis = 0; axis < rank; axis++) {
    const sizes = inputs
      .map(({ shape: s = [] }) => s[axis - rank + s.length])
      .filter((d) => d !== undefined && d !== 1);
    shape.push(sizes.length === 0 ? 1 : (sizes[0] ?? null));
  }
  const wide = inputs.find(({ shape: s }) => s?.length === rank) ?? first;
  return { ...bare(wide), shape };
}

function concatenated({ inputs, parameters: p }: Asked): Flow | undefined {
  const [first] = inputs;
  if (first?.shape === undefined || inputs.some(({ shape }) => shape?.length !== first.shape?.length)) return undefined;
  const axis = number(p["axis"]);
  const at = axis < 0 ? axis + first.shape.length : axis;
  let total: number | null = 0;
  for (const { shape } of inputs) {
    const size: Dimension | undefined = shape?.[at];
    total = total === null || typeof size !== "number" ? null : total + size;
  }
  return { ...bare(first), shape: first.shape.map((d, i) => (i === at ? total : d)) };
}

function count(shape: readonly Dimension[]): number | undefined {
  return shape.reduce<number | undefined>((a, d) => (a === undefined || typeof d !== "number" ? undefined : a * d), 1);
}

function reshaped({ inputs: [first, second], parameters: p }: Asked): Flow | undefined {
  const dims = second?.values ?? (second === undefined ? list(p["dims"]) : undefined);
  if (first === undefined || dims === undefined) return undefined;
  const elements = first.shape && count(first.shape);
  const copied = dims.map((d, i): Dimension => (d === 0 ? (first.shape?.[i] ?? null) : d));
  const known = count(copied.filter((d) => d !== -1));
  const shape = copied.map((d) =>
    d !== -1 ? d : elements === undefined || !known ? null : Math.floor(elements / known),
  );
  return { shape, format: formatOf(p["dimType"]), ...(first.type === undefined ? {} : { type: first.type }) };
}

function flattened({ inputs: [first], parameters: p }: Asked): Flow | undefined {
  if (first?.shape === undefined) return undefined;
  const axis = number(p["axis"]);
  const at = axis < 0 ? axis + first.shape.length : axis;
  return { ...bare(first), shape: [count(first.shape.slice(0, at)) ?? null, count(first.shape.slice(at)) ?? null] };
}

function product({ inputs: [first], parameters: p }: Asked): Flow | undefined {
  if (first?.shape === undefined) return undefined;
  return { ...bare(first), shape: [first.shape[0] ?? null, number(p["outputCount"]) || null] };
}

function multiplied({ inputs: [a, b], parameters: p }: Asked): Flow | undefined {
  if (a?.shape === undefined || b?.shape === undefined || a.shape.length < 2 || b.shape.length < 2) return undefined;
  const left = p["transposeA"] === true || p["adjX"] === true;
  const right = p["transposeB"] === true || p["adjY"] === true;
  const more = broadcast({
    inputs: [
      { ...a, shape: a.shape.slice(0, -2) },
      { ...b, shape: b.shape.slice(0, -2) },
    ],
    parameters: {},
  });
  const rows = a.shape[a.shape.length - (left ? 1 : 2)] ?? null;
  const columns = b.shape[b.shape.length - (right ? 2 : 1)] ?? null;
  return { ...bare(a), shape: [...(more?.shape ?? []), rows, columns] };
}

function permuted({ inputs: [first, second], parameters: p }: Asked): Flow | undefined {
  const order = second?.values ?? list(p["dims"]);
  if (first?.shape === undefined || order?.length !== first.shape.length) return undefined;
  const { shape } = first;
  return { ...bare(first), shape: order.map((at) => shape[at] ?? null) };
}

function squeezed({ inputs: [first], parameters: p }: Asked): Flow | undefined {
  if (first?.shape === undefined) return undefined;
  const { shape } = first;
  const axes = list(p["squeezeDims"])?.map((axis) => (axis < 0 ? axis + shape.length : axis));
  return {
    ...first,
    shape: shape.filter((d, i) => (axes === undefined || axes.length === 0 ? d !== 1 : !axes.includes(i))),
  };
}

function unsqueezed({ inputs: [first, second], parameters: p }: Asked): Flow | undefined {
  const axes = list(p["squeezeDims"]) ?? second?.values ?? (typeof p["axis"] === "number" ? [p["axis"]] : undefined);
  if (first?.shape === undefined || axes === undefined) return undefined;
  const rank = first.shape.length + axes.length;
  const at = axes.map((axis) => (axis < 0 ? axis + rank : axis));
  const rest = [...first.shape];
  return {
    ...bare(first),
    shape: Array.from({ length: rank }, (_, i) => (at.includes(i) ? 1 : (rest.shift() ?? null))),
  };
}

function reduced({ inputs: [first, second], parameters: p }: Asked): Flow | undefined {
  const axes = second?.values ?? list(p["dim"]);
  if (first?.shape === undefined || axes === undefined) return undefined;
  const { shape } = first;
  const at = axes.map((axis) => (axis < 0 ? axis + shape.length : axis));
  const kept = p["keepDims"] === true;
  return { ...bare(first), shape: shape.flatMap((d, i) => (!at.includes(i) ? [d] : kept ? [1] : [])) };
}

function padded({ inputs: [first, second] }: Asked): Flow | undefined {
  const pads = second?.values;
  if (first?.shape === undefined || pads?.length !== first.shape.length * 2) return undefined;
  return {
    ...first,
    shape: first.shape.map((d, i) => each(d, (s) => s + (pads[2 * i] ?? 0) + (pads[2 * i + 1] ?? 0))),
  };
}

function resized({ inputs, parameters: p }: Asked): Flow | undefined {
  const [first] = inputs;
  const of = first && image(first);
  if (first === undefined || of === undefined || inputs.length > 1) return undefined;
  const [n, c, h, w] = of;
  const out = (size: Dimension, fixed: unknown, scale: unknown): Dimension =>
    number(fixed) > 0 ? number(fixed) : each(size, (s) => Math.floor(s * number(scale)));
  return ofImage(first, n, c, out(h, p["outputHeight"], p["heightScale"]), out(w, p["outputWidth"], p["widthScale"]));
}
