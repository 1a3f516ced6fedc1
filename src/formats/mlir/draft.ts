/** Graphs of an MLIR module while they are read: functions and regions, each a graph of its own; text and bytecode fill the same one. */

import { FileError } from "../../base/errors.ts";
import type { Attribute, Graph, Node, Tensor, TensorData } from "../../model/graph.ts";
import { kindOf } from "./kinds.ts";
import type { Typed } from "./types.ts";

/** Unrolled programs have some 100,000 operators. */
const OPERATOR_LIMIT = 400_000;
/** Operands and results over all operators. */
const VALUE_LIMIT = 3_000_000;
/** Every reduction has a region: large programs have some thousands. */
const GRAPH_LIMIT = 100_000;

/** A value of the program; a tensor in each graph that uses it. */
export interface Value {
  readonly name: string;
  readonly typed: Typed;
  readonly data?: TensorData;
  /** Graph it was made in, and its place there. */
  home?: Open;
  place?: number;
}

export interface Operation {
  /** With its dialect: stablehlo.add. */
  readonly name: string;
  readonly operands: readonly Value[];
  readonly results: readonly Value[];
  readonly attributes: Readonly<Record<string, Attribute>>;
  /** Graphs of its regions. */
  readonly graphs: readonly number[];
  /** The function it calls. */
  readonly calls?: string;
}

interface Open {
  readonly name: string;
  readonly tensors: Tensor[];
  /** Values from around it that stand in it again. */
  readonly foreign: Map<Value, number>;
  readonly nodes: Node[];
  readonly calls: { readonly node: number; readonly symbol: string; readonly closed: boolean }[];
  readonly inputs: number[];
  readonly outputs: number[];
}

export class Draft {
  readonly #file: string;
  readonly #graphs: Open[] = [];
  readonly #functions = new Map<string, number>();
  readonly #public = new Map<string, number>();
  #operators = 0;
  #values = 0;

  constructor(file: string) {
    this.#file = file;
  }

  open(name: string, offset: number): number {
    if (this.#graphs.length >= GRAPH_LIMIT) this.#fail(`more than ${GRAPH_LIMIT} functions and regions`, offset);
    this.#graphs.push({ name, tensors: [], foreign: new Map(), nodes: [], calls: [], inputs: [], outputs: [] });
    return this.#graphs.length - 1;
  }

  function(symbol: string, graph: number, isPublic: boolean): void {
    this.#functions.set(symbol, graph);
    if (isPublic) this.#public.set(symbol, graph);
  }

  input(graph: number, value: Value): void {
    const held = this.#graphs[graph];
    held?.inputs.push(this.#define(held, value));
  }

  /** What a block's terminator gives. */
  outputs(graph: number, values: readonly Value[]): void {
    const held = this.#graphs[graph];
    if (held === undefined) return;
    held.outputs.length = 0;
    for (const value of values) held.outputs.push(this.#use(held, value));
  }

  add(graph: number, operation: Operation, offset: number): void {
    const held = this.#graphs[graph];
    if (held === undefined) return;
    this.#values += operation.operands.length + operation.results.length;
    if (++this.#operators > OPERATOR_LIMIT) this.#fail(`more than ${OPERATOR_LIMIT} operators`, offset);
    if (this.#values > VALUE_LIMIT) this.#fail(`more than ${VALUE_LIMIT} operands and results`, offset);
    const { name, attributes, graphs, calls } = operation;
    const target = attributes["call_target_name"];
    const { custom, op: shared, closed } = kindOf(name);
    const op = calls === undefined ? shared : "Call";
    const inputs = operation.operands.map((value) => this.#use(held, value));
    const outputs = operation.results.map((value) => this.#define(held, value));
    const node: Node = {
      ...(op === undefined ? {} : { op }),
      spelled: custom && typeof target === "string" ? `${name} @${target}` : name,
      inputs,
      outputs,
      attributes,
      ...(graphs.length > 0 ? { graphs } : {}),
    };
    if (calls !== undefined) held.calls.push({ node: held.nodes.length, symbol: calls, closed });
    held.nodes.push(node);
  }

  /** The graphs, the one that runs when nothing is said, and symbols that are called and not there. */
  finish(): { graphs: Graph[]; main: number | undefined; undefined: string[]; functions: string[] } {
    const missing = new Set<string>();
    const graphs = this.#graphs.map(({ name, tensors, nodes, calls, inputs, outputs }) => {
      for (const { node: at, symbol, closed } of calls) {
        const callee = this.#functions.get(symbol);
        const node = nodes[at];
        if (callee !== undefined && node !== undefined)
          nodes[at] = { ...node, graphs: [callee, ...(node.graphs ?? [])] };
        else if (closed) missing.add(symbol);
      }
      return { name, tensors, nodes, inputs, outputs };
    });
    const [first] = this.#public.values();
    const [any] = this.#functions.values();
    const main = this.#functions.get("main") ?? first ?? any;
    return { graphs, main, undefined: [...missing], functions: [...this.#functions.keys()] };
  }

  #define(held: Open, value: Value): number {
    const { name, typed, data } = value;
    const place = held.tensors.length;
    value.home = held;
    value.place = place;
    held.tensors.push(data === undefined ? { name, ...typed } : { name, ...typed, data });
    return place;
  }

  /** A value from around the graph stands in it again, without its data: that is counted where it was made. */
  #use(held: Open, value: Value): number {
    if (value.home === held && value.place !== undefined) return value.place;
    const known = held.foreign.get(value);
    if (known !== undefined) return known;
    const place = held.tensors.length;
    held.foreign.set(value, place);
    held.tensors.push({ name: value.name, ...value.typed });
    return place;
  }

  #fail(why: string, offset: number): never {
    throw new FileError(this.#file, why, offset);
  }
}
