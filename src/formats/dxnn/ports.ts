/**
 * What goes in and out of a dxnn, from two of its descriptions: graph_info has the graph of tasks, rmap_info the tensors of one NPU
 * task. Both changed with version 7. https://github.com/DEEPX-AI/dx_rt/tree/main/lib/parsers
 */

import { elementBits, type Dimension, type ElementType, type Integrity, type Tensor } from "../../model/graph.ts";
import { error, isRecord, plain, warning } from "../sealed/parts.ts";

type Json = Readonly<Record<string, unknown>>;

export interface Ports {
  readonly inputs: readonly Tensor[];
  readonly outputs: readonly Tensor[];
  /** Tasks in the order they run. */
  readonly order: readonly string[];
  readonly mode: string | undefined;
  readonly level: string | undefined;
  readonly npu: string | undefined;
}

/** Tensors of one task or of the model: vision models have a dozen. */
const PORT_LIMIT = 1024;
const RANK_LIMIT = 8;

const types: Readonly<Record<string, ElementType>> = {
  UINT8: "uint8",
  UINT16: "uint16",
  UINT32: "uint32",
  UINT64: "uint64",
  INT8: "int8",
  INT16: "int16",
  INT32: "int32",
  INT64: "int64",
  FLOAT32: "float32",
};

export function readPorts(
  graph: Json | undefined,
  tasks: readonly { readonly task: string; readonly value: Json }[],
  integrity: Integrity[],
): Ports {
  const graphs = list(graph?.graphs).filter(isRecord);
  const known = new Map<string, Tensor>();
  for (const { task, value } of tasks) {
    const own = graphs.find(({ name }) => name === task);
    for (const tensor of [...inputsOf(value, own), ...outputsOf(value, integrity)]) {
      if (!known.has(tensor.name)) known.set(tensor.name, tensor);
    }
  }
  const order = strings(graph?.toposort_order);
  for (const name of order) {
    if (graphs.length > 0 && !graphs.some((one) => one.name === name)) {
      integrity.push(warning("graph/dangling", `task ${plain(name, 80)} runs and is not described`));
    }
  }
  const first = tasks[0]?.value;
  const only = tasks.length === 1 && graphs.length <= 1 ? tasks[0] : undefined;
  const side = (names: readonly string[], alone: () => Tensor[]): Tensor[] =>
    names.length > 0
      ? names.map((name) => known.get(plain(name, 128)) ?? { name: plain(name, 128), type: "unknown" })
      : only === undefined
        ? []
        : alone();
  const version = isRecord(first?.version) ? first.version : undefined;
  return {
    inputs: side(strings(graph?.inputs ?? graph?.origin_input), () => inputsOf(only?.value ?? {}, graphs[0])),
    outputs: side(strings(graph?.outputs ?? graph?.origin_output), () => outputsOf(only?.value ?? {}, [])),
    order,
    mode: text(first?.mode),
    level: text(version?.opt_level),
    npu: text(version?.npu),
  };
}

/** From version 7 a list; before that one input, which has no name but in the graph of tasks. */
function inputsOf(task: Json, own: Json | undefined): Tensor[] {
  if (Array.isArray(task.inputs)) return tensorsOf(task.inputs);
  if (!isRecord(task.input)) return [];
  const name = isRecord(own?.inputs) ? Object.keys(own.inputs)[0] : undefined;
  return [tensorOf({ ...task.input, name: name ?? "input" })];
}

function outputsOf(task: Json, integrity: Integrity[]): Tensor[] {
  if (Array.isArray(task.outputs)) {
    for (const one of task.outputs.slice(0, PORT_LIMIT)) checkMemory(one, integrity);
    return tensorsOf(task.outputs);
  }
  const outputs =
    isRecord(task.outputs) && isRecord(task.outputs.outputList) ? task.outputs.outputList.output : undefined;
  return tensorsOf(list(outputs));
}

const tensorsOf = (found: readonly unknown[]): Tensor[] => found.slice(0, PORT_LIMIT).filter(isRecord).map(tensorOf);

function tensorOf(found: Json): Tensor {
  const spelled = text(found.dtype ?? found.type) ?? "";
  const key = spelled.toUpperCase();
  const type = (Object.hasOwn(types, key) ? types[key] : undefined) ?? "unknown";
  const shape = shapeOf(isRecord(found.shapes) ? found.shapes.shape : found.shape);
  return {
    name: plain(text(found.name) ?? "", 128),
    type,
    ...(type === "unknown" && spelled !== "" ? { spelled: plain(spelled, 32) } : {}),
    ...(shape === undefined ? {} : { shape }),
  };
}

function shapeOf(found: unknown): Dimension[] | undefined {
  if (!Array.isArray(found) || found.length > RANK_LIMIT) return undefined;
  // -1 stands for as many as the post-processing finds.
  return found.map((size: unknown) =>
    typeof size === "number" && Number.isSafeInteger(size) && size >= 0 ? size : null,
  );
}

/** The runtime refuses an output whose place in memory is not of its size; the size is rounded up, never down. */
function checkMemory(found: unknown, integrity: Integrity[]): void {
  if (!isRecord(found) || !isRecord(found.memory)) return;
  const { size, type } = found.memory;
  const key = text(found.dtype_encoded)?.toUpperCase() ?? "";
  const bits = Object.hasOwn(types, key) ? elementBits[types[key] ?? "unknown"] : undefined;
  const shape = shapeOf(found.shape_encoded);
  if (typeof size !== "number" || bits === undefined || shape === undefined) return;
  if (typeof type !== "string" || type.toUpperCase() !== "DRAM") return;
  const elements = shape.reduce<number>((product, size) => product * (typeof size === "number" ? size : 1), 1);
  if ((elements * bits) / 8 > size) {
    integrity.push(
      error(
        "extent/wrong-size",
        `${plain(text(found.name) ?? "", 80)}: [${shape.join(", ")}] of ${key} do not fit its ${size} bytes of memory`,
      ),
    );
  }
}

const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value.slice(0, PORT_LIMIT) : []);
const strings = (value: unknown): string[] => list(value).filter((one) => typeof one === "string");
const text = (value: unknown): string | undefined => (typeof value === "string" ? value.slice(0, 256) : undefined);
