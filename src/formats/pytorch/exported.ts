/**
 * A program of torch.export as its JSON tells it: a graph of ATen operators, typed. github.com/pytorch/pytorch/blob/main/torch/_export/
 * serde/schema.py; where its weights lie stands beside it in model_weights_config.json.
 */

import { FileError } from "../../base/errors.ts";
import { sharedOp } from "../../model/ops.ts";
import {
  bytesOf,
  type Attribute,
  type Dimension,
  type ElementType,
  type Graph,
  type Integrity,
  type Node,
  type Tensor,
} from "../../model/graph.ts";
import { at, entriesOf, get, isObject, listOf, textOf } from "../wire/json.ts";

/** Operators of one file. */
const NODE_LIMIT = 1_000_000;
/** Graphs inside operators: branches of cond, bodies of while_loop. */
const DEPTH_LIMIT = 32;
const GRAPH_LIMIT = 10_000;
const RANK_LIMIT = 64;
const TEXT_KEPT = 200;
const LIST_KEPT = 64;
const TOLD = 5;

/** ScalarType of schema.py. */
const types: Readonly<Record<number, ElementType>> = {
  1: "uint8",
  2: "int8",
  3: "int16",
  4: "int32",
  5: "int64",
  6: "float16",
  7: "float32",
  8: "float64",
  10: "complex64",
  11: "complex128",
  12: "bool",
  13: "bfloat16",
  28: "uint16",
  29: "float8e4m3fn",
  30: "float8e5m2",
  31: "float8e4m3fnuz",
  32: "float8e5m2fnuz",
  34: "uint32",
  35: "uint64",
};

export interface Exported {
  readonly graphs: readonly Graph[];
  readonly integrity: readonly Integrity[];
}

/** `weights` are constants by the name the program has for them: conv.weight. */
export function readExported(root: unknown, path: string, weights: ReadonlyMap<string, Tensor>): Exported {
  const reader = new Reader(path, weights);
  reader.program(root);
  return { graphs: reader.graphs, integrity: reader.integrity };
}

/** TensorMeta: type and shape. */
export function metaOf(meta: unknown): Pick<Tensor, "type" | "shape" | "spelled"> {
  const dtype = get(meta, "dtype");
  const type = typeof dtype === "number" ? types[dtype] : undefined;
  const sizes = listOf(get(meta, "sizes"));
  return {
    type: type ?? "unknown",
    ...(type === undefined ? { spelled: `dtype ${String(dtype).slice(0, 20)}` } : {}),
    ...(Array.isArray(get(meta, "sizes")) && sizes.length <= RANK_LIMIT ? { shape: sizes.map(sizeOf) } : {}),
  };
}

/** A number, or an expression of symbols: of one symbol its name. */
function sizeOf(size: unknown): Dimension {
  const number = get(size, "as_int");
  if (typeof number === "number" && Number.isSafeInteger(number) && number >= 0) return number;
  const text = textOf(at(size, "as_expr", "expr_str"));
  return text === undefined ? null : (/^Symbol\('(\w+)'/.exec(text)?.[1] ?? text).slice(0, 40);
}

interface Scope {
  readonly names: Map<string, number>;
  readonly tensors: Tensor[];
}

class Reader {
  readonly graphs: Graph[] = [];
  readonly integrity: Integrity[] = [];
  readonly #path: string;
  readonly #weights: ReadonlyMap<string, Tensor>;
  readonly #counts = new Map<string, number>();
  #nodes = 0;

  constructor(path: string, weights: ReadonlyMap<string, Tensor>) {
    this.#path = path;
    this.#weights = weights;
  }

  program(root: unknown): void {
    const held = get(root, "graph_module");
    const graph = get(held, "graph");
    if (!isObject(graph)) throw new FileError(this.#path, "the exported program holds no graph", 0);
    const constants = new Map<string, string>();
    const given = new Set<string>();
    for (const spec of listOf(at(held, "signature", "input_specs"))) {
      for (const [kind, value] of entriesOf(spec)) {
        const argument = nameOf(get(value, "arg"));
        const name =
          textOf(get(value, "parameter_name")) ??
          textOf(get(value, "buffer_name")) ??
          textOf(get(value, "tensor_constant_name"));
        if (argument === undefined) continue;
        if (kind === "user_input") given.add(argument);
        else if (name !== undefined) constants.set(argument, name);
      }
    }
    this.#graph(graph, "", constants, 0);
  }

  #graph(graph: unknown, name: string, constants: ReadonlyMap<string, string>, depth: number): number {
    if (depth > DEPTH_LIMIT) throw new FileError(this.#path, `graphs nest deeper than ${DEPTH_LIMIT}`, 0);
    if (this.graphs.length >= GRAPH_LIMIT) throw new FileError(this.#path, `more than ${GRAPH_LIMIT} graphs`, 0);
    const index = this.graphs.length;
    this.graphs.push({ name, tensors: [], nodes: [], inputs: [], outputs: [] });
    const scope: Scope = { names: new Map(), tensors: [] };
    const values = get(graph, "tensor_values");
    const define = (own: string): number => {
      const held = scope.names.get(own);
      if (held !== undefined) return held;
      const constant = constants.get(own);
      const weight = constant === undefined ? undefined : this.#weights.get(constant);
      const meta = metaOf(get(values, own));
      if (weight?.shape !== undefined && meta.shape !== undefined && String(weight.shape) !== String(meta.shape))
        this.#tell(
          "shape/weights",
          `${quoted(own)} is [${meta.shape.join(", ")}], its weights [${weight.shape.join(", ")}]`,
        );
      const tensor: Tensor = {
        name: constant ?? own,
        ...(get(values, own) === undefined ? { type: "int64" as const, shape: [] } : meta),
        // A parameter is constant, wherever its bytes are.
        ...(constant === undefined ? {} : { data: weight?.data ?? { bytes: bytesOf(meta) ?? 0 } }),
      };
      scope.names.set(own, scope.tensors.push(tensor) - 1);
      return scope.tensors.length - 1;
    };
    const made = new Set<string>();
    const inputs = listOf(get(graph, "inputs")).flatMap((argument) => namesOf(argument));
    for (const own of inputs) made.add(own);
    const given = inputs.map(define).filter((_, at) => !constants.has(inputs[at] ?? ""));
    const nodes: Node[] = [];
    for (const node of listOf(get(graph, "nodes"))) {
      if (++this.#nodes > NODE_LIMIT) throw new FileError(this.#path, `more than ${NODE_LIMIT} operators`, 0);
      nodes.push(this.#node(node, define, made, depth));
    }
    const outputs = listOf(get(graph, "outputs")).flatMap((argument) => namesOf(argument));
    for (const own of outputs) if (!made.has(own)) this.#lost(own);
    this.graphs[index] = { name, tensors: scope.tensors, nodes, inputs: given, outputs: outputs.map(define) };
    return index;
  }

  #node(node: unknown, define: (name: string) => number, made: Set<string>, depth: number): Node {
    const target = textOf(get(node, "target")) ?? "";
    const attributes: Record<string, Attribute> = {};
    const inputs: number[] = [];
    const graphs: number[] = [];
    for (const input of listOf(get(node, "inputs"))) {
      const key = (textOf(get(input, "name")) ?? "").slice(0, TEXT_KEPT);
      const argument = get(input, "arg");
      const inner = get(argument, "as_graph");
      if (inner !== undefined) {
        graphs.push(
          this.#graph(
            get(inner, "graph"),
            (textOf(get(inner, "name")) ?? "").slice(0, TEXT_KEPT),
            new Map(),
            depth + 1,
          ),
        );
        continue;
      }
      const names = namesOf(argument);
      for (const own of names) {
        if (!made.has(own)) this.#lost(own);
        inputs.push(define(own));
      }
      const plain = names.length > 0 ? undefined : plainOf(argument);
      if (plain !== undefined) attributes[key] = plain;
    }
    const outputs = listOf(get(node, "outputs")).flatMap((argument) => namesOf(argument));
    for (const own of outputs) made.add(own);
    const spelled = spelledOf(target);
    const transposed = spelled === "aten::convolution" && attributes["transposed"] === true;
    const known = Object.hasOwn(higher, spelled) ? higher[spelled] : sharedOp("pytorch", spelled);
    const op = transposed ? "ConvTranspose" : known;
    const name = textOf(get(node, "name"));
    return {
      ...(name === undefined ? {} : { name: name.slice(0, TEXT_KEPT) }),
      ...(op === undefined ? {} : { op }),
      spelled,
      inputs,
      outputs: outputs.map(define),
      attributes,
      ...(graphs.length === 0 ? {} : { graphs }),
    };
  }

  #lost(name: string): void {
    this.#tell("graph/missing-node", `something takes ${quoted(name)}, which nothing before it makes`);
  }

  #tell(rule: string, says: string): void {
    const count = (this.#counts.get(rule) ?? 0) + 1;
    this.#counts.set(rule, count);
    if (count <= TOLD) this.integrity.push({ severity: "error", rule, says });
  }
}

/** Operators that run graphs. */
const higher: Readonly<Record<string, string>> = {
  "higher_order::cond": "If",
  "higher_order::while_loop": "Loop",
  "higher_order::map_impl": "Loop",
  "higher_order::scan": "Scan",
  "higher_order::invoke_subgraph": "Call",
  "higher_order::wrap_with_set_grad_enabled": "Call",
  "higher_order::wrap_with_autocast": "Call",
};

const quoted = (text: string): string => JSON.stringify(text.slice(0, 80));

/** "torch.ops.aten.conv2d.default" is aten::conv2d, "torch.ops.aten.add.Tensor" aten::add.Tensor; Python's own stay as they are. */
function spelledOf(target: string): string {
  const [, namespace, rest] = /^torch\.ops\.(\w+)\.(.+)$/.exec(target) ?? [];
  if (namespace === undefined || rest === undefined) return target.slice(0, TEXT_KEPT);
  return `${namespace}::${rest.replace(/\.default$/, "")}`.slice(0, TEXT_KEPT);
}

/** The name a TensorArgument, SymIntArgument ... has. */
function nameOf(argument: unknown): string | undefined {
  return textOf(get(argument, "name")) ?? namesOf(argument)[0];
}

/** Names of values in an argument, in order. */
function namesOf(argument: unknown): readonly string[] {
  const out: string[] = [];
  for (const [kind, value] of entriesOf(argument)) {
    const name = textOf(get(value, "name")) ?? textOf(get(value, "as_name"));
    if (kind === "as_tensor" || kind === "as_sym_int" || kind === "as_sym_bool" || kind === "as_sym_float") {
      if (name !== undefined) out.push(name);
    } else if (
      kind === "as_tensors" ||
      kind === "as_nested_tensors" ||
      kind === "as_optional_tensors" ||
      kind === "as_sym_ints"
    ) {
      for (const one of listOf(value).flat(1)) {
        const inner = textOf(get(one, "name")) ?? textOf(get(one, "as_name")) ?? textOf(at(one, "as_tensor", "name"));
        if (inner !== undefined) out.push(inner);
      }
    } else if (kind === "as_optional_tensor") {
      const inner = textOf(at(value, "as_tensor", "name"));
      if (inner !== undefined) out.push(inner);
    }
  }
  return out;
}

/** as_int, as_ints, as_float, as_bool, as_string, as_scalar_type ...: what is a number, a word or a list of them. */
function plainOf(argument: unknown): Attribute | undefined {
  for (const [kind, value] of entriesOf(argument)) {
    if (kind === "as_none") return undefined;
    if (kind === "as_scalar_type" && typeof value === "number") return types[value] ?? `dtype ${value}`;
    if (typeof value === "number" || typeof value === "boolean") return value;
    if (typeof value === "string") return value.slice(0, TEXT_KEPT);
    if (Array.isArray(value) && value.length <= LIST_KEPT) {
      const list = value.map((one: unknown) => (typeof one === "number" ? one : (get(one, "as_int") ?? one)));
      if (list.length > 0 && list.every((one) => typeof one === "number")) return list;
      if (list.length > 0 && list.every((one) => typeof one === "string"))
        return list.map((one) => one.slice(0, TEXT_KEPT));
    }
  }
  return undefined;
}
