/**
 * Skeleton: a model file's graph without its weights, small enough to keep many of them: operators, attributes, shapes, types, the form of
 * the quantisation, which tensors are constant. What placement looks at, and nothing that computes. Made by tools/skeleton.mjs.
 */

import {
  bytesOf,
  model,
  type Attribute,
  type ElementType,
  type Graph,
  type Model,
  type Node,
  type Tensor,
} from "../model/graph.ts";
import { opKind, sharedOp } from "../model/ops.ts";

export interface Skeleton {
  readonly name: string;
  /** Other names the same graph goes by in benchmarks. */
  readonly aliases?: readonly string[];
  readonly format: string;
  /** Where the file lies, and under which licence. */
  readonly source: string;
  readonly licence?: string;
  /** What is not as in the file, in a sentence. */
  readonly note?: string;
  readonly main: number;
  readonly metadata?: Readonly<Record<string, string>>;
  readonly types: readonly ElementType[];
  readonly attributes: readonly Readonly<Record<string, Attribute>>[];
  readonly graphs: readonly GraphSkeleton[];
}

export interface GraphSkeleton {
  readonly tensors: readonly TensorSkeleton[];
  /** [as the file spells it, inputs, outputs, position among attributes or -1, version or 0, domain?, graphs?] */
  readonly nodes: readonly (readonly [
    string,
    readonly number[],
    readonly number[],
    number,
    number,
    (string | 0)?,
    (readonly number[])?,
  ])[];
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
}

/** [position among types, shape or 0 where the rank is open, more] */
export type TensorSkeleton = readonly [number, readonly (number | string | null)[] | 0, More?];

interface More {
  /** Constant. */
  readonly c?: 1;
  /** State between runs. */
  readonly s?: 1;
  /**
   * Scale, zero point (none of symmetric ones), how many of them, along which dimension, and one that differs from the first where one
   * does: the first stands for all, the other for the last.
   */
  readonly q?: readonly [number, number | null, number?, number?, number?];
  /** The format's word where scales are not all. */
  readonly w?: string;
  /** Numbers of a small constant: axes, shapes, pads; never of weights. */
  readonly v?: readonly number[];
}

/** Longest list of numbers a skeleton keeps. */
const VALUES = 16;
/** Digits of a scale: as many as a float32 has, so that equal ones stay equal. */
const DIGITS = 8;

export function skeletonOf(
  given: Model,
  about: Pick<Skeleton, "name" | "source" | "licence" | "aliases" | "note">,
): Skeleton {
  const types = new Map<ElementType, number>();
  const attributes = new Map<string, number>();
  const graphs = given.graphs.map((graph): GraphSkeleton => {
    const weighing = weightsOf(graph);
    return {
      tensors: graph.tensors.map((tensor, at) => tensorSkeleton(tensor, weighing.has(at), types)),
      nodes: graph.nodes.map((node) => {
        const told = JSON.stringify(node.attributes, (_, value: unknown) =>
          typeof value === "bigint" ? Number(value) : value,
        );
        const position = told === "{}" ? -1 : positionOf(attributes, told);
        const domain = node.domain ?? 0;
        const inner = node.graphs ?? [];
        const plain = [node.spelled, node.inputs, node.outputs, position, node.version ?? 0] as const;
        return inner.length > 0 ? [...plain, domain, inner] : domain === 0 ? plain : [...plain, domain];
      }),
      inputs: graph.inputs,
      outputs: graph.outputs,
    };
  });
  const opsets = Object.entries(given.metadata).filter(([key]) => key.startsWith("opset"));
  return {
    ...about,
    format: given.format,
    main: given.main ?? 0,
    ...(opsets.length > 0 ? { metadata: Object.fromEntries(opsets) } : {}),
    types: [...types.keys()],
    attributes: [...attributes.keys()].map((text) => JSON.parse(text) as Record<string, Attribute>), // what was stringified above
    graphs,
  };
}

export function modelOfSkeleton(skeleton: Skeleton): Model {
  const graphs = skeleton.graphs.map((graph): Graph => ({
    name: skeleton.name,
    tensors: graph.tensors.map((tensor, at) => tensorOf(tensor, at, skeleton.types)),
    nodes: graph.nodes.map((node) => nodeOf(node, skeleton)),
    inputs: graph.inputs,
    outputs: graph.outputs,
  }));
  return model(skeleton.format, { sealed: false, graphs, main: skeleton.main, metadata: skeleton.metadata ?? {} });
}

function positionOf<Key>(map: Map<Key, number>, key: Key): number {
  const held = map.get(key);
  if (held !== undefined) return held;
  map.set(key, map.size);
  return map.size - 1;
}

/** Constants that weigh: of convolutions, products, recurrent cells. Their numbers are nobody's fact. */
function weightsOf(graph: Graph): ReadonlySet<number> {
  const out = new Set<number>();
  for (const { op, inputs, spelled } of graph.nodes) {
    const kind = opKind(op);
    if (kind !== "convolution" && kind !== "matrix" && kind !== "recurrent" && kind !== "normalise") continue;
    // The output's sizes that TensorFlow's transposed convolution takes first are none.
    const sizes =
      spelled.startsWith("TRANSPOSE_CONV") || spelled.startsWith("CONV_3D_TRANSPOSE") ? inputs[0] : undefined;
    for (const input of inputs) if (input !== sizes) out.add(input);
  }
  return out;
}

function tensorSkeleton(tensor: Tensor, weighs: boolean, types: Map<ElementType, number>): TensorSkeleton {
  const { shape, data, quantization, values, state } = tensor;
  const { scale = [], zeroPoint = [], axis, scheme } = quantization ?? {};
  const [first, ...others] = scale.map((one) => Number(one.toPrecision(DIGITS)));
  const other = others.find((one) => one !== first);
  const q: More["q"] =
    first === undefined
      ? undefined
      : scale.length === 1
        ? [first, zeroPoint[0] ?? null]
        : other === undefined
          ? [first, zeroPoint[0] ?? null, scale.length, axis ?? 0]
          : [first, zeroPoint[0] ?? null, scale.length, axis ?? 0, other];
  const more: More = {
    ...(data === undefined ? {} : { c: 1 as const }),
    ...(state === undefined ? {} : { s: 1 as const }),
    ...(q === undefined ? {} : { q }),
    ...(scheme === undefined ? {} : { w: scheme }),
    ...(values === undefined || weighs || values.length > VALUES || !values.every(Number.isFinite)
      ? {}
      : { v: values }),
  };
  const plain = [positionOf(types, tensor.type), shape ?? 0] as const;
  return Object.keys(more).length === 0 ? plain : [...plain, more];
}

function tensorOf([type, shape, more = {}]: TensorSkeleton, at: number, types: readonly ElementType[]): Tensor {
  const plain = { name: `tensor ${at}`, type: types[type] ?? "unknown", ...(shape === 0 ? {} : { shape }) };
  const [scale, zero, count = 1, axis, other] = more.q ?? [];
  const many = (value: number, last = value): number[] => [...new Array<number>(count - 1).fill(value), last];
  return {
    ...plain,
    ...(more.c === undefined ? {} : { data: { bytes: bytesOf(plain) ?? 0 } }),
    ...(more.s === undefined ? {} : { state: true as const }),
    ...(more.v === undefined ? {} : { values: more.v }),
    ...(scale === undefined && more.w === undefined
      ? {}
      : {
          quantization: {
            scale: scale === undefined ? [] : many(scale, other),
            zeroPoint: zero === undefined || zero === null ? [] : many(zero),
            ...(axis === undefined ? {} : { axis }),
            ...(more.w === undefined ? {} : { scheme: more.w }),
          },
        }),
  };
}

function nodeOf(
  [spelled, inputs, outputs, position, version, domain = 0, graphs]: GraphSkeleton["nodes"][number],
  { format, attributes }: Skeleton,
): Node {
  const op = sharedOp(format, spelled, domain === 0 ? undefined : domain);
  return {
    spelled,
    ...(op === undefined ? {} : { op }),
    inputs,
    outputs,
    attributes: attributes[position] ?? {},
    ...(version === 0 ? {} : { version }),
    ...(domain === 0 ? {} : { domain }),
    ...(graphs === undefined ? {} : { graphs }),
  };
}
