/**
 * ML programs: functions of blocks of operations, typed throughout. Weights lie in weight.bin beside the model; small values are in it.
 * github.com/apple/coremltools/blob/main/mlmodel/format/MIL.proto
 */

import { FileError } from "../../base/errors.ts";
import {
  bytesOf,
  type Attribute,
  type Dimension,
  type Graph,
  type Integrity,
  type Node,
  type Tensor,
  type TensorData,
} from "../../model/graph.ts";
import type { Message } from "../wire/protobuf.ts";
import { milOp, operandRank } from "./mil-ops.ts";
import {
  DEPTH_LIMIT,
  entry,
  immediateValue,
  LIST_KEPT,
  NAME_LIMIT,
  named,
  TEXT_KEPT,
  typeOf,
  type Typed,
  type Value,
} from "./mil-values.ts";

/** Operations of one file: the largest published programs have some 50,000, constants among them. */
const OPERATION_LIMIT = 1_000_000;
/** Graphs of one file: functions, branches and bodies. */
const GRAPH_LIMIT = 10_000;

export interface Program {
  readonly graphs: readonly Graph[];
  readonly integrity: readonly Integrity[];
  /** Files weights lie in, as far as they are in the model's folder. */
  readonly needs: readonly string[];
  readonly opsets: readonly string[];
  readonly attributes: Readonly<Record<string, string>>;
  /** Classes of a classifier, where they are words. */
  readonly labels: readonly string[];
}

export function readProgram(message: Message, path: string): Program {
  const reader = new Reader(path);
  reader.program(message);
  return {
    graphs: reader.graphs,
    integrity: reader.integrity,
    needs: [...reader.needs],
    opsets: [...reader.opsets],
    attributes: reader.attributes,
    labels: reader.labels,
  };
}

/** Names that can be seen from a place: those of the block, then those around it. */
interface Scope {
  readonly names: Map<string, number>;
  readonly draft: Draft;
  readonly outer?: Scope;
}

interface Draft {
  readonly tensors: Tensor[];
  readonly nodes: Node[];
}

class Reader {
  readonly graphs: Graph[] = [];
  readonly integrity: Integrity[] = [];
  readonly needs = new Set<string>();
  readonly opsets = new Set<string>();
  readonly attributes: Record<string, string> = {};
  labels: readonly string[] = [];
  readonly #path: string;
  /** Settings by the tensor that holds them. */
  readonly #plain = new WeakMap<Tensor, Attribute>();
  readonly #strings = new WeakMap<Tensor, readonly string[]>();
  #operations = 0;

  constructor(path: string) {
    this.#path = path;
  }

  program(message: Message): void {
    while (message.next()) {
      if (message.field === 2) {
        const [name, value] = entry(message.message());
        if (value !== undefined) this.#function(name, value);
      } else if (message.field === 4) {
        const [name, value] = entry(message.message());
        const { plain } = value === undefined ? {} : this.#value(value);
        if (plain !== undefined && Object.keys(this.attributes).length < LIST_KEPT)
          this.attributes[name.slice(0, TEXT_KEPT)] = String(plain).slice(0, TEXT_KEPT);
      }
    }
  }

  #function(name: string, message: Message): void {
    const inputs: (Typed & { name: string })[] = [];
    const blocks: [string, Message][] = [];
    let opset = "";
    while (message.next()) {
      if (message.field === 1) inputs.push(named(message.message()));
      else if (message.field === 2) opset = message.string(NAME_LIMIT);
      else if (message.field === 3) {
        const [key, block] = entry(message.message());
        if (block !== undefined) blocks.push([key, block]);
      }
    }
    if (opset !== "") this.opsets.add(opset.slice(0, TEXT_KEPT));
    const [, block] = blocks.find(([key]) => key === opset) ?? blocks[0] ?? [];
    if (block === undefined) {
      this.#tell("graph/empty", `function ${quoted(name)} has no block`);
      return;
    }
    if (opset !== "" && !blocks.some(([key]) => key === opset))
      this.#tell("graph/opset", `function ${quoted(name)} is of ${quoted(opset)} and has no block for it`);
    this.#block(name, block, inputs, undefined, 0);
  }

  /** Gives the index of the graph it makes. */
  #block(
    name: string,
    message: Message,
    inputs: readonly (Typed & { name: string })[],
    outer: Scope | undefined,
    depth: number,
  ): number {
    if (depth > DEPTH_LIMIT) message.fail(`blocks nest deeper than ${DEPTH_LIMIT}`);
    if (this.graphs.length >= GRAPH_LIMIT) message.fail(`more than ${GRAPH_LIMIT} blocks`);
    const index = this.graphs.length;
    this.graphs.push({ name, tensors: [], nodes: [], inputs: [], outputs: [] });
    const draft: Draft = { tensors: [], nodes: [] };
    const scope: Scope = { names: new Map(), draft, ...(outer === undefined ? {} : { outer }) };
    const given = inputs.map((input) => define(scope, input));
    const outputs: string[] = [];
    while (message.next()) {
      if (message.field === 1) given.push(define(scope, named(message.message())));
      else if (message.field === 2) outputs.push(message.string(NAME_LIMIT));
      else if (message.field === 3) this.#operation(message.message(), scope, depth);
    }
    const graph: Graph = {
      name,
      tensors: draft.tensors,
      nodes: draft.nodes,
      inputs: given,
      outputs: outputs.map((output) => this.#find(scope, output)),
    };
    this.graphs[index] = this.#withoutSettings(graph);
    return index;
  }

  /** Constants that became attributes are told there, and are no tensors. */
  #withoutSettings(graph: Graph): Graph {
    const used = new Set([...graph.inputs, ...graph.outputs, ...graph.nodes.flatMap(({ inputs }) => inputs)]);
    const moved = new Int32Array(graph.tensors.length).fill(-1);
    const tensors = graph.tensors.filter((tensor, at) => !(this.#plain.has(tensor) && !used.has(at)));
    let next = 0;
    graph.tensors.forEach((tensor, at) => {
      if (tensors[next] === tensor) moved[at] = next++;
    });
    const move = (indexes: readonly number[]): readonly number[] => indexes.map((at) => moved[at] ?? -1);
    return {
      ...graph,
      tensors,
      nodes: graph.nodes.map((node) => ({ ...node, inputs: move(node.inputs), outputs: move(node.outputs) })),
      inputs: move(graph.inputs),
      outputs: move(graph.outputs),
    };
  }

  #operation(message: Message, scope: Scope, depth: number): void {
    if (++this.#operations > OPERATION_LIMIT) message.fail(`more than ${OPERATION_LIMIT} operations`);
    let type = "";
    const args: [string, Message][] = [];
    const outputs: (Typed & { name: string })[] = [];
    const blocks: Message[] = [];
    const values: [string, Value][] = [];
    let name: string | undefined;
    while (message.next()) {
      switch (message.field) {
        case 1:
          type = message.string(NAME_LIMIT);
          break;
        case 2: {
          const [key, value] = entry(message.message());
          if (value !== undefined) args.push([key, value]);
          break;
        }
        case 3:
          outputs.push(named(message.message()));
          break;
        case 4:
          blocks.push(message.message());
          break;
        case 5: {
          const [key, value] = entry(message.message());
          if (value === undefined) break;
          const held = this.#value(value);
          if (key === "name" && typeof held.plain === "string") name = held.plain;
          else values.push([key, held]);
          break;
        }
      }
    }
    if (type === "") message.fail("an operation without a type", message.from);
    if (type === "const") this.#constant(message, outputs, values, scope);
    else this.#node(type, name, args, outputs, blocks, values, scope, depth);
  }

  #constant(
    message: Message,
    outputs: readonly (Typed & { name: string })[],
    values: [string, Value][],
    scope: Scope,
  ): void {
    const [output] = outputs;
    const value = values.find(([key]) => key === "val")?.[1];
    if (output === undefined || value === undefined) message.fail("a constant without a value or a name", message.from);
    if (value.type !== output.type || !sameShape(value.shape, output.shape))
      this.#tell(
        "tensor/type",
        `constant ${quoted(output.name)} is of another type or shape than its value`,
        message.from,
      );
    this.#hold(scope, output, value);
  }

  #hold(scope: Scope, output: Typed & { name: string }, value: Value): number {
    const index = define(scope, output, value.data ?? { bytes: bytesOf(output) ?? 0 });
    const tensor = scope.draft.tensors[index];
    if (value.plain !== undefined && tensor !== undefined) this.#plain.set(tensor, value.plain);
    if (value.strings !== undefined && tensor !== undefined) this.#strings.set(tensor, value.strings);
    return index;
  }

  #node(
    type: string,
    name: string | undefined,
    args: readonly [string, Message][],
    outputs: readonly (Typed & { name: string })[],
    blocks: readonly Message[],
    values: readonly [string, Value][],
    scope: Scope,
    depth: number,
  ): void {
    const attributes: Record<string, Attribute> = {};
    const inputs: { rank: number; index: number }[] = [];
    for (const [key, argument] of args) {
      const rank = operandRank(key);
      const bound = this.#bound(argument, scope, `${outputs[0]?.name ?? type}/${key}`);
      const settings = bound.map((index) => this.#setting(scope, index));
      const classes = scope.draft.tensors[bound[0] ?? -1];
      if (type === "classify" && key === "classes" && classes !== undefined)
        this.labels = this.#strings.get(classes) ?? this.labels;
      const whole = settings.filter((setting) => setting !== undefined);
      const [first] = whole;
      if (rank === undefined && first !== undefined && whole.length === bound.length) {
        const numbers = whole.filter((one) => typeof one === "number");
        attributes[key.slice(0, TEXT_KEPT)] =
          whole.length === 1
            ? first
            : numbers.length === whole.length
              ? numbers
              : whole.map(String).slice(0, LIST_KEPT);
      } else for (const index of bound) inputs.push({ rank: rank ?? Infinity, index });
    }
    // What is stored packed has its parts as attributes up to iOS 17, as arguments since.
    for (const [key, value] of values) {
      const rank = operandRank(key === "indices" ? "indices_data" : key);
      if (type.startsWith("constexpr_") && rank !== undefined) {
        const index = this.#hold(scope, { ...value, name: `${outputs[0]?.name ?? type}/${key}` }, value);
        inputs.push({ rank, index });
      } else if (value.plain !== undefined) attributes[key.slice(0, TEXT_KEPT)] = value.plain;
    }
    inputs.sort((a, b) => a.rank - b.rank);
    const graphs = blocks.map((block, index) =>
      this.#block(`${name ?? outputs[0]?.name ?? type}/${index}`, block, [], scope, depth + 1),
    );
    const op = milOp(type);
    scope.draft.nodes.push({
      ...(name === undefined ? {} : { name }),
      ...(op === undefined ? {} : { op }),
      spelled: type,
      inputs: inputs.map(({ index }) => index),
      outputs: outputs.map((output) => define(scope, output)),
      attributes,
      ...(graphs.length === 0 ? {} : { graphs }),
    });
  }

  /** Bindings of one argument: names, or values on the spot. */
  #bound(argument: Message, scope: Scope, label: string): readonly number[] {
    const out: number[] = [];
    while (argument.next()) {
      if (argument.field !== 1) continue;
      const binding = argument.message();
      while (binding.next()) {
        if (binding.field === 1) out.push(this.#find(scope, binding.string(NAME_LIMIT)));
        else if (binding.field === 2) {
          const value = this.#value(binding.message());
          out.push(this.#hold({ ...scope, names: new Map() }, { ...value, name: label }, value));
        }
      }
    }
    return out;
  }

  #setting(scope: Scope, index: number): Attribute | undefined {
    const tensor = scope.draft.tensors[index];
    return tensor === undefined ? undefined : this.#plain.get(tensor);
  }

  /** What a block takes from around it is a tensor of its own, made by nothing in it. */
  #find(scope: Scope, name: string): number {
    const own = scope.names.get(name);
    if (own !== undefined) return own;
    for (let outer = scope.outer; outer !== undefined; outer = outer.outer) {
      const tensor = outer.draft.tensors[outer.names.get(name) ?? -1];
      if (tensor === undefined) continue;
      const index = scope.draft.tensors.push({ ...tensor }) - 1;
      const plain = this.#plain.get(tensor);
      const copy = scope.draft.tensors[index];
      if (plain !== undefined && copy !== undefined) this.#plain.set(copy, plain);
      scope.names.set(name, index);
      return index;
    }
    this.#tell("graph/missing-node", `something takes ${quoted(name)}, which nothing before it makes`);
    return define(scope, { name, type: "unknown" });
  }

  #value(message: Message): Value {
    let typed: Typed = { type: "unknown" };
    let found: Pick<Value, "data" | "plain"> = {};
    let blob: { file: string; message: Message } | undefined;
    let immediate: Message | undefined;
    while (message.next()) {
      if (message.field === 2) typed = typeOf(message.message(), 0);
      else if (message.field === 3) immediate = message.message();
      else if (message.field === 5) {
        const inner = message.message();
        let file = "";
        while (inner.next()) if (inner.field === 1) file = inner.string(NAME_LIMIT);
        blob = { file, message: inner };
      }
    }
    if (blob !== undefined) found = { data: { bytes: bytesOf(typed) ?? 0, file: this.#file(blob.file) } };
    else if (immediate !== undefined) found = immediateValue(immediate, typed);
    return { ...typed, ...found };
  }

  /** "@model_path/weights/weight.bin": beside the model. */
  #file(name: string): string {
    const own = name.replace(/^@model_path\//, "");
    const inside = own !== "" && !/^[/\\@]|^[A-Za-z]:|\0/.test(own) && !own.split(/[/\\]/).includes("..");
    if (inside) this.needs.add(own);
    else
      this.#tell(
        "needs/outside",
        `weights in ${quoted(name)}, which is not in the folder of the model; it is not opened`,
      );
    if (this.needs.size > GRAPH_LIMIT) throw new FileError(this.#path, `weights in more than ${GRAPH_LIMIT} files`, 0);
    return own.slice(0, TEXT_KEPT);
  }

  #tell(rule: string, says: string, offset?: number): void {
    const count = this.integrity.filter((finding) => finding.rule === rule).length;
    if (count < 5) this.integrity.push({ severity: "error", rule, says, ...(offset === undefined ? {} : { offset }) });
  }
}

const quoted = (text: string): string => JSON.stringify(text.slice(0, 80));

function define(scope: Scope, { name, type, spelled, shape }: Typed & { name: string }, data?: TensorData): number {
  const index =
    scope.draft.tensors.push({
      name,
      type,
      ...(spelled === undefined ? {} : { spelled }),
      ...(shape === undefined ? {} : { shape }),
      ...(data === undefined ? {} : { data }),
    }) - 1;
  scope.names.set(name, index);
  return index;
}

const sameShape = (a: readonly Dimension[] | undefined, b: readonly Dimension[] | undefined): boolean =>
  a === undefined || b === undefined || (a.length === b.length && a.every((size, at) => size === b[at]));
