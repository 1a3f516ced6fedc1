/**
 * One execution plan (a method of the model) as a graph: instructions become nodes in their order. A kernel's arguments are values by
 * number, outputs last and what it returns once more after them; which of a delegate's arguments are outputs is told by what is there
 * before. pytorch/executorch exir/emit/_emitter.py, runtime/executor/method.cpp.
 */

import { bytesOf, type Attribute, type Graph, type Node, type Tensor } from "../../model/graph.ts";
import { sharedOp } from "../../model/ops.ts";
import type { Table } from "../wire/flatbuffer.ts";
import { argumentNames } from "./arguments.ts";
import { flowOf } from "./flow.ts";
import type { Notes } from "./notes.ts";
import { fields, instructions as kinds, scalarTypes } from "./schema.ts";
import type { Value } from "./values.ts";

/** All programs have one; the schema allows more. */
const CHAIN_LIMIT = 1024;
const INSTRUCTION_LIMIT = 1_000_000;
/** One row for each operator and overload: PyTorch has some 3,000. */
const OPERATOR_LIMIT = 65_536;
/** Arguments of one call: a delegate of a language model takes its caches one by one, some thousands. */
const ARGUMENT_LIMIT = 262_144;
/** Numbers of a list kept as an attribute. */
const LIST_KEPT = 256;
/** Stack frames of an instruction, where they are kept. */
const FRAME_LIMIT = 65_536;

/** Namespaces whose operators are PyTorch's or ExecuTorch's own: names of others are custom ones, whatever they are called. */
const NAMESPACES: ReadonlySet<string> = new Set([
  "aten",
  "cadence",
  "cortex_m",
  "dim_order_ops",
  "executorch_prim",
  "llama",
  "quantized_decomposed",
]);

/** Kernels that give a number instead of a tensor. */
const SCALAR_KERNELS = /^(?:executorch_prim::|aten::(?:sym_|_local_scalar_dense|item))/;

/** Writes one row of its first argument. */
const COPY_INDEX = "executorch_prim::et_copy_index";

/** What is known of a delegate's call before its arguments are sorted. */
export interface DelegateRow {
  readonly id: string;
  /** Index into the model's graphs of what its payload shows. */
  readonly graph: number | undefined;
  /** How many of its last arguments are outputs, where the payload says so. */
  readonly outputs: number | undefined;
}

/** One instruction with its arguments sorted; values by number. */
export interface Step {
  readonly node: Omit<Node, "inputs" | "outputs">;
  /** -1: left out. */
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
  /** Outputs are those of `inputs` that nothing made before: a delegate whose payload does not say. */
  readonly unsorted?: true;
  /** Of `inputs`: memory the kernel works in, which nobody fills. */
  readonly scratch?: readonly number[];
  /** Values of the attributes that are numbers: those made while the program runs are inputs, and no attributes. */
  readonly numbers?: Readonly<Record<string, readonly number[]>>;
}

export interface PlanContext {
  readonly values: readonly Value[];
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
  readonly delegates: readonly DelegateRow[];
  readonly notes: Notes;
}

export interface PlanGraph {
  readonly graph: Graph;
  /** Values that are views of others: the memory plan gives both one place and no kernel copies. */
  readonly views: number;
}

/** How many instructions a plan has: one without any only gives constants. */
export function countInstructions(plan: Table): number {
  return chainsOf(plan).reduce((sum, chain) => sum + (chain.vector(fields.Chain.instructions, 4)?.count ?? 0), 0);
}

export function readPlan(plan: Table, name: string, context: PlanContext): PlanGraph {
  const { notes } = context;
  const f = fields.Operator;
  const operators = plan.tables(fields.ExecutionPlan.operators, OPERATOR_LIMIT, "operators").map((table) => ({
    name: table.string(f.name) ?? "",
    overload: table.string(f.overload) ?? "",
  }));
  const tables = chainsOf(plan).flatMap((chain) => {
    readStackTraces(chain);
    return chain.tables(fields.Chain.instructions, INSTRUCTION_LIMIT, "instructions");
  });
  const steps: Step[] = [];
  tables.forEach((table, at) => {
    const union = table.union(fields.Instruction.instr_args);
    if (union === undefined) {
      notes.error("instruction/none", `instruction ${at} has no content`, table.at);
      return;
    }
    const step = readStep(union.type, union.table, { ...context, operators, at, count: tables.length });
    if (step !== undefined) steps.push(step);
  });
  return flowOf(name, steps, context);
}

const chainsOf = (plan: Table): Table[] => plan.tables(fields.ExecutionPlan.chains, CHAIN_LIMIT, "chains");

/** Kept on request; read so that a file cut inside them is not called whole. */
function readStackTraces(chain: Table): void {
  for (const list of chain.tables(fields.Chain.stacktrace, INSTRUCTION_LIMIT, "stack traces")) {
    for (const frame of list.tables(fields.FrameList.items, FRAME_LIMIT, "stack frames")) {
      for (const text of [fields.Frame.filename, fields.Frame.name, fields.Frame.context]) frame.string(text);
    }
  }
}

interface StepContext extends PlanContext {
  readonly operators: readonly { readonly name: string; readonly overload: string }[];
  readonly at: number;
  readonly count: number;
}

function readStep(type: number, table: Table, context: StepContext): Step | undefined {
  const { notes, at, count } = context;
  const value = (index: number): number => valueIndex(index, table, context);
  switch (type) {
    case kinds.KernelCall:
      return readKernel(table, context);
    case kinds.DelegateCall:
      return readDelegate(table, context);
    case kinds.MoveCall: {
      const f = fields.MoveCall;
      const node = { op: "Identity", spelled: "MoveCall", attributes: {} };
      return { node, inputs: [value(table.i32(f.move_from))], outputs: [value(table.i32(f.move_to))] };
    }
    case kinds.JumpFalseCall: {
      const f = fields.JumpFalseCall;
      const to = table.i32(f.destination_instruction);
      if (to < 0 || to > count) {
        notes.error("instruction/jump", `instruction ${at} jumps to ${to}, there are ${count}`, table.at);
      }
      const node = { op: to <= at ? "Loop" : "If", spelled: "JumpFalseCall", attributes: { from: at, to } };
      return { node, inputs: [value(table.i32(f.cond_value_index))], outputs: [] };
    }
    case kinds.FreeCall:
      value(table.i32(fields.FreeCall.value_index));
      return undefined;
    default:
      notes.error(
        "instruction/unknown",
        `instruction ${at} is of kind ${type}, which the schema does not know`,
        table.at,
      );
      return undefined;
  }
}

function valueIndex(index: number, table: Table, { values, notes, at }: StepContext): number {
  if (index >= 0 && index < values.length) return index;
  notes.error("value/dangling", `instruction ${at} takes value ${index}, there are ${values.length}`, table.at);
  return -1;
}

function argumentsOf(table: Table, field: number, context: StepContext): number[] {
  return (table.i32s(field, ARGUMENT_LIMIT, "arguments") ?? []).map((index) => valueIndex(index, table, context));
}

function readDelegate(table: Table, context: StepContext): Step {
  const f = fields.DelegateCall;
  const index = table.i32(f.delegate_index);
  const delegate = context.delegates[index];
  if (delegate === undefined) {
    const says = `instruction ${context.at} calls delegate ${index}, there are ${context.delegates.length}`;
    context.notes.error("delegate/dangling", says, table.at);
  }
  const args = argumentsOf(table, f.args, context);
  const node = {
    name: `delegate ${index}`,
    spelled: "DelegateCall",
    ...(delegate === undefined ? {} : { domain: delegate.id }),
    attributes: {},
    ...(delegate?.graph === undefined ? {} : { op: "Call", graphs: [delegate.graph] }),
  };
  const outputs = delegate?.outputs;
  if (outputs === undefined || outputs >= args.length) return { node, inputs: args, outputs: [], unsorted: true };
  return { node, inputs: args.slice(0, args.length - outputs), outputs: args.slice(args.length - outputs) };
}

function readKernel(table: Table, context: StepContext): Step {
  const f = fields.KernelCall;
  const index = table.i32(f.op_index);
  const operator = context.operators[index];
  if (operator === undefined) {
    const says = `instruction ${context.at} calls operator ${index}, there are ${context.operators.length}`;
    context.notes.error("operator/dangling", says, table.at);
  }
  const { name, overload } = operator ?? { name: `operator ${index}`, overload: "" };
  const args = argumentsOf(table, f.args, context);
  // Many calls can name one long list: what they come to is paid for.
  for (const arg of args) table.buffer.spend(lengthOf(context.values[arg]) * 8, table.at);
  const spelled = overload === "" ? name : `${name}.${overload}`;
  const outputs = outputsOf(name, args, context.values);
  const names = argumentNames(name, overload);
  const taken = takenOf(name, args, outputs, context.values);
  const { inputs, attributes, numbers } = readArguments(taken, names, context);
  const scratch = taken.filter((_, i) => names[i]?.includes("scratch") === true);
  const op = sharedName(name, spelled, attributes);
  return { node: { ...(op === undefined ? {} : { op }), spelled, attributes }, inputs, outputs, scratch, numbers };
}

/** What goes in: a kernel's result stands twice at the end, as its `out` argument and as what it returns. */
function takenOf(
  name: string,
  args: readonly number[],
  outputs: readonly number[],
  values: readonly Value[],
): readonly number[] {
  if (outputs.length === 0 || name === COPY_INDEX) return args;
  const taken = args.slice(0, -1);
  if (name.startsWith("executorch_prim::") || inPlace(name)) return taken;
  for (let last = taken.at(-1); last !== undefined && last >= 0; last = taken.at(-1)) {
    const value = values[last];
    const isOutput = value?.kind === "tensors" && value.items.every((item) => outputs.includes(item));
    if (!isOutput && !outputs.includes(last)) break;
    taken.pop();
  }
  return taken;
}

const lengthOf = (value: Value | undefined): number =>
  value?.kind === "tensors" || value?.kind === "ints" ? value.items.length : 1;

/** copy_, index_put_: the first argument is what is written. */
const inPlace = (name: string): boolean => name.endsWith("_") && !name.endsWith("__");

function outputsOf(name: string, args: readonly number[], values: readonly Value[]): number[] {
  if (name === COPY_INDEX) return args.slice(0, 1);
  const last = args.at(-1) ?? -1;
  const value = values[last];
  if (value?.kind === "tensor") return [last];
  if (value?.kind === "tensors") return value.items.filter((item) => item >= 0);
  return value?.kind === "scalar" && SCALAR_KERNELS.test(name) ? [last] : [];
}

function sharedName(name: string, spelled: string, attributes: Node["attributes"]): string | undefined {
  const colons = name.indexOf("::");
  if (colons >= 0 && !NAMESPACES.has(name.slice(0, colons))) return undefined;
  const op = sharedOp("pte", spelled);
  return op === "Conv" && attributes["transposed"] === true ? "ConvTranspose" : op;
}

function readArguments(
  args: readonly number[],
  names: readonly string[],
  { values }: StepContext,
): { inputs: number[]; attributes: Record<string, Attribute>; numbers: Record<string, readonly number[]> } {
  const inputs: number[] = [];
  const numbers: Record<string, readonly number[]> = {};
  const attributes: Record<string, Attribute> = {};
  args.forEach((index, at) => {
    const value = values[index];
    const name = names[at] ?? `argument ${at}`;
    if (value === undefined || value.kind === "null") inputs.push(-1);
    else if (value.kind === "tensor") inputs.push(index);
    else if (value.kind === "tensors") inputs.push(...value.items);
    else if (value.kind === "numbers") attributes[name] = value.values.slice(0, LIST_KEPT);
    else if (value.kind === "string") attributes[name] = value.value.slice(0, 1024);
    else if (value.kind === "ints") {
      numbers[name] = value.items.slice(0, LIST_KEPT);
      attributes[name] = value.items.slice(0, LIST_KEPT).map((item) => numberOf(values[item]));
      inputs.push(...value.items);
    } else {
      numbers[name] = [index];
      attributes[name] = name === "dtype" ? (scalarTypes[Number(value.value)]?.name ?? value.value) : value.value;
      inputs.push(index);
    }
  });
  return { inputs, attributes, numbers };
}

const numberOf = (value: Value | undefined): number => (value?.kind === "scalar" ? Number(value.value) : 0);

/** Bytes of two values are one and the same stretch of planned memory. */
export function samePlace(one: Value, other: Value): boolean {
  if (one.kind !== "tensor" || other.kind !== "tensor") return false;
  const [a, b] = [one.planned, other.planned];
  const bytes = bytesOf(one.tensor);
  return (
    a !== undefined &&
    b !== undefined &&
    a.memory === b.memory &&
    a.offset === b.offset &&
    one.tensor.type === other.tensor.type &&
    bytes !== undefined &&
    bytes === bytesOf(other.tensor)
  );
}

/** A number as a tensor: one that is made while the program runs, or goes in or out. */
export function scalarTensor(value: Value & { kind: "scalar" }, index: number, constant: boolean): Tensor {
  const bytes = value.type === "bool" ? 1 : 8;
  return {
    name: `value ${index}`,
    type: value.type,
    shape: [],
    ...(constant ? { data: { bytes, ...(value.at === undefined ? {} : { offset: value.at }) } } : {}),
  };
}
