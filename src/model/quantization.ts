/**
 * How a model is quantised, in the words its makers use: float32, float16 weights, dynamic range, full integer per tensor or per
 * channel, QDQ, blocks of GGUF, int4 groups. Told from types and operators; no value is read.
 */

import type { ElementType, Graph, Model, Node, Tensor } from "./graph.ts";
import { opKind } from "./ops.ts";

export interface Scheme {
  /** Stable word for programs. */
  readonly kind:
    | "float64"
    | "float32"
    | "float16"
    | "bfloat16"
    | "float8"
    | "float16 weights"
    | "integer weights"
    | "dynamic range"
    | "full integer"
    | "qdq"
    | "integer operators"
    | "blocks"
    | "groups"
    | "mixed";
  /** A phrase for people. */
  readonly says: string;
  /** Of integer schemes: do weights have one scale or one for each channel? */
  readonly granularity?: "per tensor" | "per channel" | "per block";
}

const integers: ReadonlySet<ElementType> = new Set(["int8", "uint8", "int16", "int4", "uint4", "int2", "uint2"]);
const floats: ReadonlySet<ElementType> = new Set(["float64", "float32", "float16", "bfloat16"]);

/** Undefined where neither weights nor operators can be seen. */
export function schemeOf(model: Model): Scheme | undefined {
  const graphs = model.graphs.filter((graph) => graph.tensors.length > 0);
  if (graphs.length === 0) return undefined;
  const nodes = graphs.flatMap((graph) => graph.nodes);
  if (nodes.length === 0) return weightsOnly(graphs);
  const scheme = byOperators(graphs, nodes) ?? byTypes(graphs);
  return unpacks.has(model.format) && scheme !== undefined ? unpacked(scheme) : scheme;
}

/** TensorFlow.js and Core ML's networks make floats of stored integers when they load them. */
const unpacks: ReadonlySet<string> = new Set(["tfjs", "coreml"]);

function unpacked(scheme: Scheme): Scheme {
  if (scheme.kind !== "dynamic range" && scheme.kind !== "full integer") return scheme;
  const { granularity = "per tensor" } = scheme;
  return {
    kind: "integer weights",
    granularity,
    says: `weights stored as integers, ${granularity}; computed in float`,
  };
}

/** Files of weights alone: the type of most bytes names them. */
function weightsOnly(graphs: readonly Graph[]): Scheme | undefined {
  const bytes = new Map<string, number>();
  let blocks = 0;
  let total = 0;
  let packed = 0;
  for (const { tensors } of graphs) {
    for (const tensor of tensors) {
      const size = tensor.data?.bytes ?? 0;
      const type = tensor.type === "block" ? (tensor.spelled ?? tensor.quantization?.scheme ?? "block") : tensor.type;
      bytes.set(type, (bytes.get(type) ?? 0) + size);
      total += size;
      if (tensor.type === "block") blocks += size;
      if (/(?:^|\.)qweight$/.test(tensor.name)) packed++;
    }
  }
  const sorted = [...bytes].filter(([, size]) => size > 0).sort((a, b) => b[1] - a[1]);
  const [most] = sorted;
  if (most === undefined) return undefined;
  const rest = sorted.slice(1).map(([type]) => type);
  const others = rest.length === 0 ? "" : `, with ${rest.slice(0, 4).join(", ")}${rest.length > 4 ? " ..." : ""}`;
  if (packed > 0)
    return {
      kind: "groups",
      granularity: "per block",
      says: `integer groups packed in qweight tensors (GPTQ or AWQ layout)${others}`,
    };
  if (blocks * 2 > total) return { kind: "blocks", granularity: "per block", says: `${most[0]} blocks${others}` };
  return { kind: floatKind(most[0]) ?? "mixed", says: `${most[0]}${others}` };
}

function floatKind(type: string): Scheme["kind"] | undefined {
  if (type === "float64" || type === "float32" || type === "float16" || type === "bfloat16") return type;
  return type.startsWith("float8") ? "float8" : undefined;
}

/** Operators that say how a network is quantised. */
const telling =
  /^(?:MatMulNBits|MatMulBnb4|QLinear|QGemm|QAttention|ConvInteger|MatMulInteger|DynamicQuantize|FakeQuantize|constexpr_|(?:Deq|Q)uantizeLinear$)/;

/** ONNX and OpenVINO say it with operators. */
function byOperators(graphs: readonly Graph[], nodes: readonly Node[]): Scheme | undefined {
  const spelled = new Set(nodes.map((node) => node.spelled));
  if (![...spelled].some((name) => telling.test(name))) return undefined;
  const count = (test: (node: Node) => boolean): number => nodes.filter(test).length;
  const groups = nodes.find((node) => node.spelled === "MatMulNBits" || node.spelled === "MatMulBnb4");
  if (groups !== undefined) {
    const bits = groups.attributes["bits"] ?? 4;
    const size = groups.attributes["block_size"];
    const each = typeof size === "number" || typeof size === "bigint" ? ` of ${size}` : "";
    return {
      kind: "groups",
      granularity: "per block",
      says: `int${String(bits)} weights in groups${each} (${groups.spelled})`,
    };
  }
  const operators = count((node) => /^(?:QLinear|QGemm|QAttention)/.test(node.spelled));
  if (operators > 0)
    return { kind: "integer operators", says: `integer operators (QLinear...), ${operators} of ${nodes.length}` };
  if (nodes.some((node) => /^(?:ConvInteger|MatMulInteger|DynamicQuantize)/.test(node.spelled)))
    return { kind: "dynamic range", says: "integer weights, activations quantised as it runs (dynamic range)" };
  if (nodes.some((node) => node.spelled === "FakeQuantize"))
    return { kind: "qdq", says: `quantised by FakeQuantize (${count((node) => node.spelled === "FakeQuantize")})` };
  const quantise = count((node) => node.spelled === "QuantizeLinear");
  const dequantise = nodes.filter(isDequantize);
  if (dequantise.length === 0) return undefined;
  const types = [...new Set(graphs.flatMap((graph) => storedTypes(graph)))].sort();
  const per = graphs.some((graph) => graph.nodes.some((node) => isPerChannel(graph, node)))
    ? "per channel"
    : "per tensor";
  const stored = types.length === 0 ? "" : ` ${types.join(" and ")}`;
  if (quantise > 0) return { kind: "qdq", granularity: per, says: `QDQ${stored}, ${per}` };
  return {
    kind: "integer weights",
    granularity: per,
    says: `weights stored as${stored === "" ? " integers" : stored}, ${per}; computed in float`,
  };
}

/** ONNX's, and what Core ML expands constants with. */
const isDequantize = (node: Node): boolean =>
  node.spelled === "DequantizeLinear" || (node.op === "DequantizeLinear" && node.spelled.startsWith("constexpr_"));

/** Types of constants that are dequantised. */
const storedTypes = (graph: Graph): ElementType[] =>
  graph.nodes
    .filter(isDequantize)
    .map((node) => graph.tensors[node.inputs[0] ?? -1])
    .filter((tensor) => tensor?.data !== undefined)
    .map((tensor) => tensor?.type ?? "unknown");

function isPerChannel(graph: Graph, node: Node): boolean {
  if (!isDequantize(node)) return false;
  const shape = graph.tensors[node.inputs[1] ?? -1]?.shape;
  return shape !== undefined && shape.length > 0 && shape[0] !== 1;
}

/** TFLite says it with the types of what its operators take. */
function byTypes(graphs: readonly Graph[]): Scheme | undefined {
  let [whole, partly, plain, halves] = [0, 0, 0, 0];
  let wide = 0;
  let [perChannel, perBlock] = [false, false];
  const weightTypes = new Set<ElementType>();
  for (const graph of graphs) {
    const half = halfConstants(graph);
    for (const node of graph.nodes) {
      const kind = opKind(node.op);
      if (kind !== "convolution" && kind !== "matrix" && kind !== "recurrent") continue;
      const output = graph.tensors[node.outputs[0] ?? -1];
      let integer = false;
      for (const index of node.inputs) {
        const tensor = graph.tensors[index];
        if (tensor?.data === undefined || (tensor.shape?.length ?? 0) <= 1) continue;
        weightTypes.add(tensor.type);
        if ((tensor.quantization?.scale.length ?? 0) > 1) perChannel = true;
        if (tensor.quantization?.scheme?.includes("blocks of") === true) perBlock = true;
        if (isInteger(tensor)) integer = true;
      }
      if (output !== undefined && isInteger(output)) {
        whole++;
        if (output.type === "int16") wide++;
      } else if (integer) partly++;
      else if (node.inputs.some((index) => half.has(index))) halves++;
      else plain++;
    }
  }
  const all = whole + partly + plain + halves;
  if (all === 0) return fromTensors(graphs);
  // Weights in another file (ncnn's .bin) may be of any type.
  if (weightTypes.size === 0 && whole === 0 && halves === 0) return undefined;
  const granularity = perBlock ? "per block" : perChannel ? "per channel" : "per tensor";
  if (whole === all) {
    const stored = weightTypes.size === 0 ? "" : ` ${[...weightTypes].sort().join(" and ")}`;
    const says =
      wide === all
        ? `full integer, int16 activations and int8 weights, ${granularity}`
        : `full integer${stored}, ${granularity}`;
    return { kind: "full integer", granularity, says };
  }
  if (partly === all || (partly > 0 && whole === 0)) {
    const rest = plain + halves > 0 ? `, in ${partly} of ${all} operators that have weights` : "";
    return {
      kind: "dynamic range",
      granularity,
      says: `dynamic range: integer weights ${granularity}, float activations${rest}`,
    };
  }
  if (whole > 0)
    return {
      kind: "mixed",
      granularity,
      says: `mixed: ${whole} of ${all} operators that have weights are integer (${granularity}), the rest float`,
    };
  if (halves > 0) return { kind: "float16 weights", says: "float16 weights, computed in float32" };
  const type = [...weightTypes].find((one) => floats.has(one)) ?? "float32";
  return { kind: floatKind(type) ?? "float32", says: type };
}

/** Tensors that are float16 constants blown up to float32 before use. */
function halfConstants(graph: Graph): ReadonlySet<number> {
  const out = new Set<number>();
  for (const node of graph.nodes) {
    if (node.op !== "DequantizeLinear" && node.op !== "Cast") continue;
    const from = graph.tensors[node.inputs[0] ?? -1];
    if (from?.data !== undefined && from.type === "float16") for (const index of node.outputs) out.add(index);
  }
  return out;
}

const isInteger = (tensor: Tensor): boolean => integers.has(tensor.type);

/** No operator with weights: what the tensors between operators are of. */
function fromTensors(graphs: readonly Graph[]): Scheme | undefined {
  const tensors = graphs.flatMap((graph) =>
    graph.nodes.flatMap((node) => node.outputs.map((index) => graph.tensors[index])),
  );
  const integer = tensors.filter(
    (tensor) => tensor !== undefined && isInteger(tensor) && tensor.quantization !== undefined,
  ).length;
  if (integer > 0 && integer === tensors.length) return { kind: "full integer", says: "full integer" };
  const types = new Set(tensors.map((tensor) => tensor?.type).filter((type) => type !== undefined && floats.has(type)));
  const [only] = types;
  return types.size === 1 && only !== undefined && integer === 0
    ? { kind: floatKind(only) ?? "float32", says: only }
    : undefined;
}
