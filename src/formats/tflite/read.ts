/**
 * A TFLite file with its subgraphs, tensors, operators and buffers, for tflite.ts and for the compilers' variants built on it. Weights
 * are not read: a tensor knows where they lie. Schema: see schema.ts.
 */

import { withoutEnd } from "../../base/bytes.ts";
import { FileError } from "../../base/errors.ts";
import type { Graph, Integrity, Node, Tensor } from "../../model/graph.ts";
import { sharedOp } from "../../model/ops.ts";
import type { ModelFile } from "../file.ts";
import { FlatBuffer, type Extent, type Table } from "../wire/flatbuffer.ts";
import { follow, type TableShape } from "../wire/flatbuffer-follow.ts";
import { readBuffers, type Buffers } from "./buffers.ts";
import { flexValues, readFlexMap } from "./flexbuffer.ts";
import { readOptions } from "./options.ts";
import { builtinOperators, builtinOptions, builtinOptions2, fields } from "./schema.ts";
import { readTensor, type TensorContext } from "./tensor.ts";

/** Subgraphs of the largest seen: 5 of a joined pipeline; a converted While or If adds two each. */
const GRAPH_LIMIT = 4096;
/** Over all subgraphs: unrolled recurrent networks have some 100,000. */
const TENSOR_LIMIT = 250_000;
const OPERATOR_LIMIT = 250_000;
/** One row for each operator and version: there are some 210 operators. */
const OPCODE_LIMIT = 8192;
/** Inputs of one operator: CONCATENATION and PACK of unrolled networks take thousands. */
const ARITY_LIMIT = 65_536;
/** What looking into a custom operator's options costs of the file's budget. */
const FLEX_COST = 4096;
/** Findings of one kind that are told one by one. */
const TOLD = 8;

export interface OperatorCode {
  /** BuiltinOperator by name, or the custom code. */
  readonly spelled: string;
  readonly custom: boolean;
  readonly version: number;
}

/** A custom operator: where its options lie in the file, for the compilers' variants. */
export interface CustomOperator {
  readonly code: string;
  readonly graph: number;
  readonly node: number;
  readonly options: Extent | undefined;
}

export interface TfliteFile {
  readonly version: number;
  readonly description: string | undefined;
  readonly codes: readonly OperatorCode[];
  readonly graphs: readonly Graph[];
  readonly customs: readonly CustomOperator[];
  readonly buffers: Buffers;
  readonly root: Table;
  readonly integrity: Integrity[];
  /** Buffers that a tensor names. */
  readonly used: Set<number>;
  /** Files that hold external buffers. */
  readonly needs: readonly string[];
  note(finding: Integrity): void;
}

/** What nothing is told of: TFLite's own verifier follows it, so it must lead somewhere. */
const rest: TableShape = {
  numbers: { [fields.Model.metadata_buffer]: 4 },
  tables: {
    [fields.Model.subgraphs]: {
      tables: {
        [fields.SubGraph.tensors]: {
          numbers: { [fields.Tensor.shape_signature]: 4 },
          single: {
            [fields.Tensor.quantization]: {
              numbers: { [fields.QuantizationParameters.min]: 4, [fields.QuantizationParameters.max]: 4 },
            },
          },
          tables: { [fields.Tensor.variant_tensors]: { numbers: { 0: 4 } } },
        },
        [fields.SubGraph.operators]: {
          numbers: { [fields.Operator.mutating_variable_inputs]: 1, [fields.Operator.intermediates]: 4 },
        },
      },
    },
  },
};

export function isTflite(file: ModelFile): boolean {
  return file.size >= 16 && file.cursor(4, 4).u32() === 0x334c4654; // "TFL3"
}

/** Does an operator code of the file carry one of these names? Reads the codes only; a broken file has none. */
export function hasCustomCode(file: ModelFile, names: readonly string[]): boolean {
  if (!isTflite(file)) return false;
  try {
    return readCodes(new FlatBuffer(file).root(), () => undefined).some((c) => c.custom && names.includes(c.spelled));
  } catch (error) {
    if (error instanceof FileError) return false;
    throw error;
  }
}

/** Does an operator of the file carry one of these names? A code may stand in the table without an operator. */
export function usesCustomCode(file: ModelFile, names: readonly string[]): boolean {
  if (!hasCustomCode(file, names)) return false;
  try {
    const root = new FlatBuffer(file).root();
    const codes = readCodes(root, () => undefined).map(({ custom, spelled }) => custom && names.includes(spelled));
    return root
      .tables(fields.Model.subgraphs, GRAPH_LIMIT, "subgraphs")
      .some((graph) =>
        graph
          .tables(fields.SubGraph.operators, OPERATOR_LIMIT, "operators")
          .some((operator) => codes[operator.u32(fields.Operator.opcode_index)] === true),
      );
  } catch (error) {
    if (error instanceof FileError) return false;
    throw error;
  }
}

export function readTflite(file: ModelFile): TfliteFile {
  const root = new FlatBuffer(file, { aligned: true }).root();
  follow(root, rest);
  const integrity: Integrity[] = [];
  const told = new Map<string, number>();
  const note = (finding: Integrity): void => {
    const count = (told.get(finding.rule) ?? 0) + 1;
    told.set(finding.rule, count);
    if (count <= TOLD) integrity.push(finding);
    else if (count === TOLD + 1) integrity.push({ ...finding, says: "and more of this kind" });
  };
  const version = root.u32(fields.Model.version);
  if (version !== 3) note({ severity: "warning", rule: "version/unknown", says: `schema version ${version}, not 3` });
  const codes = readCodes(root, note);
  const buffers = readBuffers(file, root, note);
  const tables = root.tables(fields.Model.subgraphs, GRAPH_LIMIT, "subgraphs");
  if (tables.length === 0) note({ severity: "error", rule: "graph/none", says: "the file has no subgraph" });
  const ranked = tables.some((table) => knowsRank(table));
  const used = new Set<number>();
  const context: TensorContext = { file, buffers, used, ranked, note };
  const customs: CustomOperator[] = [];
  const left = { tensors: TENSOR_LIMIT, operators: OPERATOR_LIMIT };
  const graphs = tables.map((table, index) =>
    readGraph(table, index, { context, codes, customs, graphs: tables.length, left }),
  );
  const description = root.string(fields.Model.description);
  return {
    version,
    description: description && withoutEnd(description),
    codes,
    graphs,
    customs,
    buffers,
    root,
    integrity,
    used,
    needs: buffers.externalFiles,
    note,
  };
}

function readCodes(root: Table, note: (finding: Integrity) => void): OperatorCode[] {
  return root.tables(fields.Model.operator_codes, OPCODE_LIMIT, "operator codes").map((table) => {
    const { deprecated_builtin_code: old, builtin_code: now, custom_code: name, version } = fields.OperatorCode;
    // The schema's own rule: the byte overflowed at 127, so the larger of the two counts.
    const number = Math.max(table.i8(old), table.i32(now));
    const builtin = builtinOperators[number];
    const custom = builtin === "CUSTOM" || builtin === "DELEGATE";
    const code = custom ? table.string(name) : undefined;
    const spelled = custom ? code && withoutEnd(code) : builtin;
    if (builtin === undefined) {
      note({
        severity: "warning",
        rule: "operator/unknown",
        says: `builtin operator ${number} is not in the schema`,
        offset: table.at,
      });
    }
    return { spelled: spelled ?? builtin ?? `BUILTIN ${number}`, custom, version: table.i32(version, 1) };
  });
}

/** Writers that know has_rank set it on every ranked tensor: only then does its absence tell a scalar from an unknown rank. */
function knowsRank(graph: Table): boolean {
  const offsets = graph.offsets(fields.SubGraph.tensors, TENSOR_LIMIT, "tensors");
  return offsets.slice(0, 64).some((at) => graph.buffer.table(at).bool(fields.Tensor.has_rank));
}

interface GraphContext {
  readonly context: TensorContext;
  readonly codes: readonly OperatorCode[];
  readonly customs: CustomOperator[];
  readonly graphs: number;
  readonly left: { tensors: number; operators: number };
}

function readGraph(table: Table, index: number, whole: GraphContext): Graph {
  const { note } = whole.context;
  const name = table.string(fields.SubGraph.name) ?? "";
  const tensorTables = table.tables(fields.SubGraph.tensors, whole.left.tensors, "tensors");
  whole.left.tensors -= tensorTables.length;
  const variable = new Set<number>();
  const tensors = tensorTables.map((tensor, i) => {
    if (tensor.bool(fields.Tensor.is_variable)) variable.add(i);
    return readTensor(tensor, whole.context);
  });
  const where = whole.graphs > 1 ? `subgraph ${index}: ` : "";
  const indexes = (owner: Table, field: number, what: string, optional: boolean): number[] => {
    const list = owner.i32s(field, ARITY_LIMIT, what) ?? [];
    return list.map((value) => {
      if ((value >= 0 && value < tensors.length) || (value === -1 && optional)) return value;
      const says = `${where}${what} name tensor ${value}, there are ${tensors.length}`;
      note({ severity: "error", rule: "tensor/dangling", says, offset: owner.at });
      return -1;
    });
  };
  const present = (list: readonly number[]): number[] => list.filter((value) => value >= 0);
  const inputs = present(indexes(table, fields.SubGraph.inputs, "inputs of the graph", false));
  const outputs = present(indexes(table, fields.SubGraph.outputs, "outputs of the graph", false));
  const operators = table.tables(fields.SubGraph.operators, whole.left.operators, "operators");
  whole.left.operators -= operators.length;
  const nodes = operators.map((operator, node) => {
    const { opcode_index, inputs: takes, outputs: gives } = fields.Operator;
    const number = operator.u32(opcode_index);
    const code = whole.codes[number];
    if (code === undefined) {
      const says = `${where}operator ${node} has code ${number}, there are ${whole.codes.length}`;
      note({ severity: "error", rule: "operator/dangling", says, offset: operator.at });
    }
    const spelled = code?.spelled ?? `CODE ${number}`;
    const graphs: number[] = [];
    const attributes = readAttributes(operator, code, index, node, whole, graphs);
    const called = graphs.filter((graph) => graph >= 0 && graph < whole.graphs);
    // Absent branches are -1: a composite operator whose decomposition was dropped.
    if (graphs.some((graph) => graph < -1 || graph >= whole.graphs)) {
      const says = `${where}${spelled} calls subgraph ${graphs.join(", ")}, there are ${whole.graphs}`;
      note({ severity: "error", rule: "graph/dangling", says, offset: operator.at });
    }
    const op = code === undefined ? undefined : sharedName(code);
    return {
      ...(op === undefined ? {} : { op }),
      spelled,
      ...(code?.custom === true ? { domain: "custom" } : {}),
      ...(code === undefined ? {} : { version: code.version }),
      inputs: indexes(operator, takes, `inputs of ${spelled}`, true),
      outputs: indexes(operator, gives, `outputs of ${spelled}`, true),
      attributes,
      ...(called.length > 0 ? { graphs: called } : {}),
    } satisfies Node;
  });
  checkFlow({ tensors, nodes, inputs, outputs }, variable, where, table.at, note);
  return { name, tensors, nodes, inputs, outputs };
}

/** Custom operators named Flex... are TensorFlow's own, run by its Flex delegate. */
function sharedName({ custom, spelled }: OperatorCode): string | undefined {
  if (!custom) return sharedOp("tflite", spelled);
  return spelled.startsWith("Flex") ? sharedOp("tensorflow-savedmodel", spelled.slice(4)) : undefined;
}

function readAttributes(
  operator: Table,
  code: OperatorCode | undefined,
  graph: number,
  node: number,
  whole: GraphContext,
  graphs: number[],
): Node["attributes"] {
  const f = fields.Operator;
  const one = operator.union(f.builtin_options_type);
  const two = one ? undefined : operator.union(f.builtin_options_2_type);
  const type = one ? builtinOptions[one.type] : two ? builtinOptions2[two.type] : undefined;
  const table = one?.table ?? two?.table;
  if (table && type === undefined) {
    const says = `${code?.spelled ?? "an operator"} has options of a type the schema does not know`;
    whole.context.note({ severity: "warning", rule: "operator/unknown-options", says, offset: operator.at });
  }
  const attributes = table && type !== undefined ? readOptions(type, table, graphs) : {};
  if (code?.custom !== true) return attributes;
  const options = customOptions(operator, whole.context);
  whole.customs.push({ code: code.spelled, graph, node, options });
  if (options === undefined) return attributes;
  operator.buffer.spend(Math.min(options.count, FLEX_COST), options.at);
  // Most custom operators keep their options as a FlexBuffer map; what is none stays unread.
  const map = readFlexMap(operator.buffer.file, options);
  return map ? { ...attributes, ...flexValues(map) } : attributes;
}

function customOptions(operator: Table, { file, note }: TensorContext): Extent | undefined {
  const f = fields.Operator;
  const inside = operator.vector(f.custom_options, 1);
  if (inside) return inside;
  const at = Number(operator.u64(f.large_custom_options_offset));
  const count = Number(operator.u64(f.large_custom_options_size));
  if (at <= 1) return undefined;
  if (at + count <= file.size) return { at, count };
  const says = `options of a custom operator lie at ${at} to ${at + count}, the file ends at ${file.size}`;
  note({ severity: "error", rule: "extent/past-end", says, offset: file.size });
  return undefined;
}

/** Operators stand in execution order: what one reads is constant, an input, a variable, or was made before. */
function checkFlow(
  graph: Pick<Graph, "nodes" | "inputs" | "outputs"> & { readonly tensors: readonly Tensor[] },
  variable: ReadonlySet<number>,
  where: string,
  offset: number,
  note: (finding: Integrity) => void,
): void {
  const made = new Uint8Array(graph.tensors.length);
  for (const i of graph.inputs) made[i] = 1;
  for (const i of variable) made[i] = 1;
  graph.tensors.forEach((tensor, i) => {
    if (tensor.data !== undefined || tensor.type === "resource") made[i] = 1;
  });
  const label = (i: number): string => `tensor ${i} ${graph.tensors[i]?.name.slice(0, 80) ?? ""}`.trimEnd();
  const missing = (i: number, by: string): void => {
    if (i < 0 || made[i] === 1) return;
    made[i] = 1; // told once
    // An empty constant has no data: its shape has a zero in it, or is not given at all.
    const shape = graph.tensors[i]?.shape;
    if (shape?.some((d) => d === 0) === true) return;
    const says = `${where}${label(i)} is read by ${by} and made by nothing before it`;
    note({ severity: "error", rule: "tensor/never-made", says, offset });
  };
  for (const node of graph.nodes) {
    for (const i of node.inputs) {
      // Custom operators take scratch memory as inputs that nothing fills: those of Vela do.
      if (node.domain === undefined) missing(i, node.spelled);
    }
    for (const i of node.outputs) {
      if (i >= 0) made[i] = 1;
    }
  }
  for (const i of graph.outputs) missing(i, "the graph's outputs");
}
