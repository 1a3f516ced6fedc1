/**
 * GraphDef, as protobuf and TensorFlow.js's JSON both hold it: nodes that name what they take. Made into a graph of tensors here.
 * tensorflow/core/framework/{graph,node_def,function,attr_value}.proto
 */

import { FileError } from "../../base/errors.ts";
import { sharedOp } from "../../model/ops.ts";
import type {
  Attribute,
  Dimension,
  ElementType,
  Graph,
  Integrity,
  Node,
  Tensor,
  TensorData,
} from "../../model/graph.ts";
import { inferOutputs } from "./shapes.ts";

/** Nodes of one file: the largest published graphs have some 50,000. */
export const NODE_LIMIT = 1_000_000;
/** Connections of one file. */
const EDGE_LIMIT = 4_000_000;
/** Findings of one kind told one by one. */
const TOLD = 5;

export type Shape = readonly Dimension[];

/** The value of a Const, or what a placeholder says it is. */
export interface Value {
  readonly type: ElementType;
  readonly shape?: Shape;
  readonly data?: TensorData;
  /** Of small integer tensors: axes, paddings, target shapes. */
  readonly numbers?: readonly number[];
}

export interface NodeDef {
  readonly name: string;
  readonly op: string;
  /** "name", "name:1", "^control"; inside functions "name:output:0". */
  readonly inputs: readonly string[];
  readonly attributes: Readonly<Record<string, Attribute>>;
  /** Attributes that are types: T, dtype, DstT. */
  readonly types: Readonly<Record<string, ElementType>>;
  /** The attribute `shape`. */
  readonly shape?: Shape;
  /** The attribute `_output_shapes`; undefined entries for unknown ranks. */
  readonly outputShapes?: readonly (Shape | undefined)[];
  readonly value?: Value;
  /** Functions it calls, by name. */
  readonly functions: readonly string[];
}

export interface Argument {
  readonly name: string;
  readonly type?: ElementType;
  readonly shape?: Shape;
}

export interface GraphDef {
  readonly name: string;
  readonly nodes: readonly NodeDef[];
  /** Of a function; of the main graph what its signature says. Empty: placeholders are the inputs. */
  readonly inputs: readonly Argument[];
  /** What comes out, by the reference that makes it ("head/Softmax:0"). Empty: what nobody takes. */
  readonly outputs: readonly (Argument & { readonly from: string })[];
}

/** Constants by name, where they lie outside of the graph. */
export type Constants = ReadonlyMap<string, Tensor>;

export interface Built {
  readonly graphs: readonly Graph[];
  readonly integrity: readonly Integrity[];
}

/** Every graph of a file, the main one first; calls between them by name. */
export function buildGraphs(
  path: string,
  format: string,
  defs: readonly GraphDef[],
  constants: Constants = new Map(),
): Built {
  const count = defs.reduce((sum, { nodes }) => sum + nodes.length, 0);
  if (count > NODE_LIMIT) throw new FileError(path, `${count} nodes, over ${NODE_LIMIT}`, 0);
  const edges = defs.reduce((sum, { nodes }) => sum + nodes.reduce((inner, { inputs }) => inner + inputs.length, 0), 0);
  if (edges > EDGE_LIMIT) throw new FileError(path, `${edges} connections, over ${EDGE_LIMIT}`, 0);
  const functions = new Map(defs.slice(1).map(({ name }, index) => [name, index + 1]));
  const integrity: Integrity[] = [];
  const graphs: Graph[] = defs.map(({ name }) => ({ name, tensors: [], nodes: [], inputs: [], outputs: [] }));
  // A function's arguments may be shaped only where it is called: callers come first.
  const calls: Calls = new Map();
  const built = new Set<number>();
  const queue = [0];
  for (let next = 0; built.size < defs.length; next++) {
    const index = queue[next] ?? defs.findIndex((_, at) => !built.has(at));
    const def = defs[index];
    if (def === undefined || built.has(index)) continue;
    built.add(index);
    const own = calls.get(index);
    const inputs = own === undefined ? def.inputs : def.inputs.map((input, at) => ({ ...own[at], ...input }));
    const before = calls.size;
    graphs[index] = new Builder(format, { ...def, inputs }, constants, functions, integrity, calls).build();
    for (const called of [...calls.keys()].slice(before)) queue.push(called);
  }
  return { graphs, integrity };
}

/** What a graph is first called with, by its index: types and shapes of its arguments. */
type Calls = Map<number, readonly Pick<Argument, "type" | "shape">[]>;

/** Only what the outputs of the main graph need: no saving, no restoring, no filling of variables. */
export function neededFor(defs: readonly GraphDef[]): readonly GraphDef[] {
  const [main, ...functions] = defs;
  if (main === undefined || main.outputs.length === 0) return defs;
  const byName = new Map(main.nodes.map((node) => [node.name, node]));
  const needed = new Set<NodeDef>();
  const stack = main.outputs.map(({ from }) => split(from)[0]);
  for (let name = stack.pop(); name !== undefined; name = stack.pop()) {
    const node = byName.get(name);
    if (node === undefined || needed.has(node)) continue;
    needed.add(node);
    for (const input of node.inputs) stack.push(split(input.replace(/^\^/, ""))[0]);
  }
  const library = new Map(functions.map((def) => [def.name, def]));
  const called = new Set<GraphDef>();
  const names = [...needed].flatMap((node) => node.functions);
  for (let name = names.pop(); name !== undefined; name = names.pop()) {
    const def = library.get(name);
    if (def === undefined || called.has(def)) continue;
    called.add(def);
    for (const node of def.nodes) for (const own of node.functions) names.push(own);
  }
  return [
    { ...main, nodes: main.nodes.filter((node) => needed.has(node)) },
    ...functions.filter((def) => called.has(def)),
  ];
}

/** Operators that are inputs of the graph rather than work. */
const placeholders: ReadonlySet<string> = new Set(["Placeholder", "PlaceholderV2", "_Arg"]);
/** Operators that give nothing. */
const silent: ReadonlySet<string> = new Set([
  "AssignVariableOp",
  "AssignAddVariableOp",
  "AssignSubVariableOp",
  "SaveV2",
  "Assert",
  "LookupTableImportV2",
  "InitializeTableV2",
]);

/** The node and the output a reference names. */
function split(reference: string): readonly [node: string, output: string] {
  const colon = reference.indexOf(":");
  return colon < 0 ? [reference, "0"] : [reference.slice(0, colon), reference.slice(colon + 1)];
}

/** "output:1" and "1" alike: the number at the end. */
const ordinal = (output: string): number => Number(/(?<!\d)\d+$/.exec(output)?.[0] ?? 0);

class Builder {
  readonly #format: string;
  readonly #def: GraphDef;
  readonly #constants: Constants;
  readonly #functions: ReadonlyMap<string, number>;
  readonly #integrity: Integrity[];
  readonly #calls: Calls;
  readonly #tensors: Tensor[] = [];
  readonly #values = new Map<number, readonly number[]>();
  /** Outputs asked for of each node, to their tensors. */
  readonly #outputs = new Map<string, Map<string, number>>();
  readonly #inputs: number[] = [];

  constructor(
    format: string,
    def: GraphDef,
    constants: Constants,
    functions: ReadonlyMap<string, number>,
    integrity: Integrity[],
    calls: Calls,
  ) {
    this.#calls = calls;
    this.#format = format;
    this.#def = def;
    this.#constants = constants;
    this.#functions = functions;
    this.#integrity = integrity;
  }

  build(): Graph {
    const { name, nodes, inputs, outputs } = this.#def;
    const said = new Map(inputs.map((argument) => [split(argument.name)[0], argument]));
    const byName = new Map<string, NodeDef>();
    for (const node of nodes) {
      if (byName.has(node.name)) this.#tell("graph/duplicate", `two nodes are called ${quoted(node.name)}`);
      byName.set(node.name, node);
    }
    for (const argument of inputs) {
      const [own] = split(argument.name);
      const node = byName.get(own);
      if (node !== undefined && !placeholders.has(node.op)) continue;
      this.#source(own, this.#inputOf(argument, node));
    }
    const work: NodeDef[] = [];
    for (const node of nodes) {
      if (said.has(node.name) && placeholders.has(node.op)) continue;
      if (placeholders.has(node.op)) this.#source(node.name, this.#inputOf(node, node));
      else if (node.op === "Const" || (node.op === "VarHandleOp" && this.#constants.has(node.name)))
        this.#constant(node); // a variable is a constant to whoever runs the model
      else if (node.op !== "NoOp") work.push(node); // only orders others
    }
    this.#referTo(work, outputs, byName);
    const ordered = this.#ordered(work);
    const made = ordered.map((node) => this.#node(node));
    return {
      name,
      tensors: this.#tensors,
      nodes: made,
      inputs: this.#inputs,
      outputs: this.#graphOutputs(work),
    };
  }

  #inputOf(argument: Argument, node: NodeDef | undefined): Tensor {
    const shape = argument.shape ?? node?.shape ?? node?.outputShapes?.[0];
    const type = argument.type ?? node?.types["dtype"] ?? node?.types["T"];
    return { name: split(argument.name)[0], ...typed(type), ...(shape === undefined ? {} : { shape }) };
  }

  #source(name: string, tensor: Tensor): void {
    if (this.#outputs.has(name)) return;
    this.#inputs.push(this.#add(name, "0", tensor));
  }

  #constant({ name, value, types, outputShapes }: NodeDef): void {
    const held = this.#constants.get(name);
    const shape = held?.shape ?? value?.shape ?? outputShapes?.[0];
    const data = held?.data ?? value?.data;
    const index = this.#add(name, "0", {
      ...(held ?? typed(value?.type ?? types["dtype"])),
      name,
      ...(shape === undefined ? {} : { shape }),
      ...(data === undefined ? {} : { data }),
    });
    if (value?.numbers !== undefined) this.#values.set(index, value.numbers);
  }

  #add(node: string, output: string, tensor: Tensor): number {
    const index = this.#tensors.length;
    this.#tensors.push(tensor);
    const held = this.#outputs.get(node);
    if (held === undefined) this.#outputs.set(node, new Map([[output, index]]));
    else held.set(output, index);
    return index;
  }

  /** Makes a tensor for every output that something takes, and for the first of each node that gives any. */
  #referTo(work: readonly NodeDef[], outputs: GraphDef["outputs"], byName: ReadonlyMap<string, NodeDef>): void {
    const asked = new Map<string, Set<string>>();
    const ask = (reference: string): void => {
      const [node, output] = split(reference);
      const held = asked.get(node);
      if (held === undefined) asked.set(node, new Set([output]));
      else held.add(output);
    };
    for (const { inputs } of work) for (const input of inputs) if (!input.startsWith("^")) ask(input);
    for (const { from } of outputs) ask(from);
    for (const node of work) {
      const wanted = [...(asked.get(node.name) ?? [])].sort((a, b) => ordinal(a) - ordinal(b) || (a < b ? -1 : 1));
      if (wanted.length === 0 && !silent.has(node.op)) wanted.push("0");
      for (const output of wanted) {
        if (this.#outputs.get(node.name)?.has(output) === true) continue;
        const named = output === "0" ? node.name : `${node.name}:${output}`;
        this.#add(node.name, output, { name: named, type: "unknown" });
      }
    }
    for (const node of asked.keys()) {
      if (byName.has(node) || this.#outputs.has(node)) continue;
      this.#tell("graph/missing-node", `something takes ${quoted(node)}, which is no node of ${this.#where()}`);
    }
  }

  /** GraphDef has no order; ours does. What waits for itself (loops of TensorFlow 1) keeps the file's. */
  #ordered(work: readonly NodeDef[]): readonly NodeDef[] {
    const index = new Map(work.map((node, at) => [node.name, at]));
    const waits = new Int32Array(work.length);
    const takers: number[][] = work.map(() => []);
    work.forEach(({ inputs }, at) => {
      for (const input of inputs) {
        const maker = index.get(split(input.startsWith("^") ? input.slice(1) : input)[0]);
        if (maker === undefined) continue;
        takers[maker]?.push(at);
        waits[at] = (waits[at] ?? 0) + 1;
      }
    });
    const order: number[] = [];
    const done = new Uint8Array(work.length);
    const run = (start: number): void => {
      const stack = [start];
      for (let at = stack.pop(); at !== undefined; at = stack.pop()) {
        if (done[at] === 1) continue;
        done[at] = 1;
        order.push(at);
        for (const taker of (takers[at] ?? []).slice().reverse()) {
          waits[taker] = (waits[taker] ?? 0) - 1;
          if (waits[taker] === 0) stack.push(taker);
        }
      }
    };
    work.forEach((_, at) => {
      if (waits[at] === 0) run(at);
    });
    if (order.length < work.length) {
      const loops = work.length - order.length;
      this.#tell(
        "graph/order",
        `${loops} nodes of ${this.#where()} wait for each other: a loop of TensorFlow 1`,
        "note",
      );
      work.forEach((_, at) => {
        if (done[at] === 0) run(at);
      });
    }
    return order.map((at) => work[at]).filter((node) => node !== undefined);
  }

  #node(node: NodeDef): Node {
    const inputs = node.inputs.filter((input) => !input.startsWith("^")).map((input) => this.#find(input));
    const outputs = [...(this.#outputs.get(node.name)?.entries() ?? [])];
    const inferred = inferOutputs(
      node,
      inputs.map((index) => this.#tensors[index]),
      inputs.map((index) => this.#values.get(index)),
    );
    for (const [output, index] of outputs) {
      const at = ordinal(output);
      // A handle is a scalar; what matters is the variable behind it.
      const said = node.op === "VarHandleOp" ? undefined : node.outputShapes?.[at];
      const shape = said ?? inferred.shapes[at];
      const type = inferred.types[at];
      this.#tensors[index] = {
        name: this.#tensors[index]?.name ?? "",
        ...typed(type),
        ...(shape === undefined ? {} : { shape }),
      };
      if (at === 0 && inferred.numbers !== undefined) this.#values.set(index, inferred.numbers);
    }
    const op = sharedOp(this.#format, node.op);
    const graphs = node.functions.map((name) => this.#functions.get(name)).filter((index) => index !== undefined);
    const given = /If$/.test(node.op) ? inputs.slice(1) : inputs;
    for (const graph of graphs)
      if (!this.#calls.has(graph))
        this.#calls.set(
          graph,
          given.map((index) => shapeOnly(this.#tensors[index])),
        );
    return {
      name: node.name,
      ...(op === undefined ? {} : { op }),
      spelled: node.op,
      inputs,
      outputs: outputs.map(([, index]) => index),
      attributes: node.attributes,
      ...(graphs.length === 0 ? {} : { graphs }),
    };
  }

  #find(reference: string): number {
    const [node, output] = split(reference);
    const held = this.#outputs.get(node);
    return held?.get(output) ?? (held?.size === 1 ? [...held.values()][0] : undefined) ?? -1;
  }

  #graphOutputs(work: readonly NodeDef[]): readonly number[] {
    const { outputs } = this.#def;
    if (outputs.length === 0) {
      const taken = new Set(work.flatMap(({ inputs }) => inputs.map((input) => this.#find(input))));
      return work
        .flatMap(({ name }) => [...(this.#outputs.get(name)?.values() ?? [])])
        .filter((index) => !taken.has(index));
    }
    return outputs.flatMap(({ from, type, shape }) => {
      const index = this.#find(from);
      const tensor = this.#tensors[index];
      if (tensor === undefined) return [];
      this.#tensors[index] = {
        ...tensor,
        ...(tensor.type === "unknown" ? typed(type) : {}),
        ...(tensor.shape === undefined && shape !== undefined ? { shape } : {}),
      };
      return [index];
    });
  }

  #where(): string {
    return this.#def.name === "" ? "the graph" : `graph ${quoted(this.#def.name)}`;
  }

  #tell(rule: string, says: string, severity: Integrity["severity"] = "error"): void {
    const count = this.#integrity.filter((finding) => finding.rule === rule).length;
    if (count < TOLD) this.#integrity.push({ severity, rule, says });
  }
}

const shapeOnly = (tensor: Tensor | undefined): Pick<Argument, "shape"> =>
  tensor?.shape === undefined ? {} : { shape: tensor.shape };

const quoted = (name: string): string => JSON.stringify(name.slice(0, 80));

const typed = (type: ElementType | undefined): { type: ElementType } => ({ type: type ?? "unknown" });
