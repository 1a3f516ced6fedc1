/**
 * Does a model contradict itself? Checks that hold for every format, on what the reader gave: extents against the file, shapes against
 * bytes, indexes against their tables, scales against sense. Readers add what only they can see.
 */

import { bytesOf, elementsOf, type Graph, type Integrity, type Model, type Tensor } from "./graph.ts";
import { opKind } from "./ops.ts";

/** Of each rule this many are told one by one; the rest as a number. */
const TOLD = 5;

type Add = (severity: Integrity["severity"], rule: string, says: string, offset?: number) => void;

/** What the reader found and what follows from it, worst first. `size` is the file's. */
export function checkModel(model: Model, size: number): readonly Integrity[] {
  const own = new Set(model.integrity.map((finding) => finding.rule));
  const found: Integrity[] = [];
  const counts = new Map<string, number>();
  const add: Add = (severity, rule, says, offset) => {
    // The reader speaks first: it knows what the format allows.
    if (own.has(rule)) return;
    const count = (counts.get(rule) ?? 0) + 1;
    counts.set(rule, count);
    if (count <= TOLD) found.push({ severity, rule, says, ...(offset === undefined ? {} : { offset }) });
  };
  model.graphs.forEach((graph, index) => {
    const where = model.graphs.length > 1 ? ` (graph ${index})` : "";
    graph.tensors.forEach((tensor) => checkTensor(tensor, size, add));
    checkIndexes(graph, model.graphs.length, where, add);
    // Graphs inside others take tensors from around them: what they use is known only of the main one.
    if (graph.nodes.length > 0) checkUse(graph, index === (model.main ?? 0), where, add);
  });
  checkSections(model, size, add);
  if (!own.has("extent/overlap")) checkOverlap(model, add);
  for (const [rule, count] of counts) {
    const told = found.find((finding) => finding.rule === rule);
    if (count > TOLD && told)
      found.push({ severity: told.severity, rule, says: `and ${count - TOLD} more of the same kind` });
  }
  return sorted([...model.integrity, ...found]).map((finding) => within(finding, size));
}

/** What lies beyond the file's end is told at its end: offsets are places in the file. */
function within(finding: Integrity, size: number): Integrity {
  const { offset } = finding;
  if (offset === undefined || (Number.isSafeInteger(offset) && offset >= 0 && offset <= size)) return finding;
  return { ...finding, offset: offset < 0 ? 0 : size };
}

const order: readonly Integrity["severity"][] = ["error", "warning", "note"];

const sorted = (findings: readonly Integrity[]): Integrity[] =>
  findings
    .map((finding, index) => ({ finding, index }))
    .sort((a, b) => order.indexOf(a.finding.severity) - order.indexOf(b.finding.severity) || a.index - b.index)
    .map(({ finding }) => finding);

const label = (tensor: Pick<Tensor, "name">): string => (tensor.name === "" ? "a tensor" : tensor.name.slice(0, 80));

function checkTensor(tensor: Tensor, size: number, add: Add): void {
  const { data, shape, quantization } = tensor;
  if (data !== undefined) {
    const { offset, bytes } = data;
    if (!Number.isSafeInteger(bytes) || bytes < 0)
      add("error", "extent/impossible", `${label(tensor)} claims ${bytes} bytes`);
    if (offset !== undefined && data.file === undefined && offset + bytes > size)
      add("error", "extent/past-end", `${label(tensor)} ends at ${offset + bytes}, the file at ${size}`, offset);
    const expected = bytesOf(tensor);
    // Values written one by one (varints of a protobuf) have no extent to compare; sparse ones are stored in fewer bytes.
    if (expected !== undefined && offset !== undefined && tensor.sparse !== true && bytes !== expected) {
      const says = `${label(tensor)}: ${tensor.type} [${(shape ?? []).join(", ")}] needs ${expected} bytes and has ${bytes}`;
      add("error", "shape/impossible", says, offset);
    }
  }
  if (shape?.some((dimension) => typeof dimension === "number" && (dimension < 0 || !Number.isSafeInteger(dimension))))
    add("error", "shape/negative", `${label(tensor)} has the shape [${shape.slice(0, 16).join(", ")}]`);
  if (
    shape?.every((dimension) => typeof dimension === "number" && dimension >= 0) === true &&
    elementsOf(shape) === undefined
  )
    add("error", "shape/impossible", `${label(tensor)}: [${shape.slice(0, 16).join(", ")}] is beyond any memory`);
  if (quantization !== undefined) checkQuantization(tensor, add);
}

function checkQuantization(tensor: Tensor, add: Add): void {
  const { scale = [], zeroPoint = [], axis } = tensor.quantization ?? {};
  if (scale.some((value) => Number.isNaN(value)))
    add("error", "quantization/nan-scale", `${label(tensor)} has a scale that is no number`);
  if (scale.some((value) => value === Infinity || value === -Infinity))
    add("error", "quantization/infinite-scale", `${label(tensor)} has an infinite scale`);
  if (scale.some((value) => value < 0))
    add("error", "quantization/negative-scale", `${label(tensor)} has a negative scale`);
  if (scale.some((value) => value === 0))
    add("warning", "quantization/zero-scale", `${label(tensor)} has a scale of 0`);
  if (zeroPoint.length > 1 && scale.length > 1 && zeroPoint.length !== scale.length)
    add(
      "error",
      "quantization/count",
      `${label(tensor)} has ${scale.length} scales and ${zeroPoint.length} zero points`,
    );
  const { shape } = tensor;
  if (scale.length <= 1 || axis === undefined || shape === undefined) return;
  const along = shape[axis < 0 ? axis + shape.length : axis];
  if (along === undefined)
    add(
      "error",
      "quantization/axis",
      `${label(tensor)} has ${shape.length} dimensions and scales along dimension ${axis}`,
    );
  else if (typeof along === "number" && along !== scale.length && tensor.quantization?.scheme === undefined)
    add("error", "quantization/count", `${label(tensor)} has ${scale.length} scales along a dimension of ${along}`);
}

function checkIndexes(graph: Graph, graphs: number, where: string, add: Add): void {
  const count = graph.tensors.length;
  const wrong = (index: number, optional: boolean): boolean =>
    !Number.isInteger(index) || index >= count || index < (optional ? -1 : 0);
  for (const [what, list] of [
    ["input", graph.inputs],
    ["output", graph.outputs],
  ] as const) {
    for (const index of list)
      if (wrong(index, false))
        add("error", "graph/index", `an ${what} of the graph is tensor ${index}, there are ${count}${where}`);
  }
  graph.nodes.forEach((node, at) => {
    const name = `operator ${at} (${node.spelled.slice(0, 60)})`;
    for (const index of node.inputs)
      if (wrong(index, true)) add("error", "graph/index", `${name} takes tensor ${index}, there are ${count}${where}`);
    for (const index of node.outputs)
      if (wrong(index, true)) add("error", "graph/index", `${name} gives tensor ${index}, there are ${count}${where}`);
    for (const index of node.graphs ?? [])
      if (index < 0 || index >= graphs)
        add("error", "graph/index", `${name} runs graph ${index}, there are ${graphs}${where}`);
  });
}

/** Who makes a tensor, who uses it, and in which order. */
function checkUse(graph: Graph, main: boolean, where: string, add: Add): void {
  const { tensors, nodes } = graph;
  const made = new Int32Array(tensors.length).fill(-1);
  const used = new Uint8Array(tensors.length);
  nodes.forEach((node, at) => {
    for (const index of node.outputs) {
      if (index < 0 || index >= tensors.length) continue;
      const first = made[index] ?? -1;
      if (first >= 0)
        add(
          "error",
          "tensor/two-makers",
          `${label(tensors[index] ?? { name: "" })} is made by operators ${first} and ${at}${where}`,
        );
      else made[index] = at;
    }
  });
  for (const index of graph.inputs) if (index >= 0 && index < made.length && made[index] === -1) made[index] = -2;
  nodes.forEach((node, at) => {
    const kind = opKind(node.op);
    for (const index of node.inputs) {
      const tensor = tensors[index];
      if (index < 0 || tensor === undefined) continue;
      used[index] = 1;
      const maker = made[index] ?? -1;
      if (maker >= at)
        add(
          "error",
          "graph/order",
          `operator ${at} (${node.spelled.slice(0, 60)}) uses ${label(tensor)} before operator ${maker} makes it${where}`,
        );
      // States (of recurrent operators, of variables) are in the file without a value and are made by nobody.
      const state = kind === "recurrent" || kind === "state" || node.op === undefined || tensor.state === true;
      const empty = tensor.shape?.some((dimension) => dimension === 0) === true;
      if (main && maker === -1 && tensor.data === undefined && !state && !empty && tensor.type !== "resource")
        add(
          "warning",
          "tensor/dangling",
          `operator ${at} (${node.spelled.slice(0, 60)}) uses ${label(tensor)}, which nothing makes`,
        );
    }
    if (node.graphs !== undefined) used.fill(1); // what inner graphs take by name is not listed as inputs
  });
  for (const index of graph.outputs) if (index >= 0 && index < used.length) used[index] = 1;
  for (const { quantization } of tensors)
    for (const index of quantization?.stored ?? []) if (index >= 0 && index < used.length) used[index] = 1;
  // Where no operator says what it gives, which one makes an output cannot be asked.
  const wired = nodes.length === 0 || nodes.some(({ outputs }) => outputs.length > 0);
  for (const index of wired ? graph.outputs : []) {
    const tensor = tensors[index];
    if (tensor !== undefined && main && made[index] === -1 && tensor.data === undefined && tensor.state !== true)
      add("warning", "tensor/dangling", `${label(tensor)} is an output of the graph, and nothing makes it`);
  }
  let unused = 0;
  let bytes = 0;
  tensors.forEach((tensor, index) => {
    if (used[index] === 1 || tensor.data === undefined || tensor.data.bytes === 0) return;
    unused++;
    bytes += tensor.data.bytes;
  });
  if (unused > 0)
    add(
      "note",
      "tensor/unused",
      `${unused} ${unused === 1 ? "constant is" : "constants are"} used by no operator (${bytes} bytes)${where}`,
    );
}

function checkSections(model: Model, size: number, add: Add): void {
  for (const { name, offset, bytes } of model.sections) {
    if (offset < 0 || bytes < 0)
      add("error", "extent/impossible", `section ${name} claims ${bytes} bytes at ${offset}`);
    else if (offset + bytes > size)
      add("error", "extent/past-end", `section ${name} ends at ${offset + bytes}, the file at ${size}`, offset);
  }
}

/** The same stretch for two tensors is sharing; a part of it is a mistake. */
function checkOverlap(model: Model, add: Add): void {
  const extents: Tensor[] = [];
  // Most writers put them down in order: then nothing has to be sorted.
  let [ordered, last] = [true, 0];
  for (const { tensors } of model.graphs) {
    for (const tensor of tensors) {
      const { data } = tensor;
      if (data?.offset === undefined || data.bytes <= 0 || data.file !== undefined) continue;
      if (data.offset < last) ordered = false;
      last = data.offset + 1;
      extents.push(tensor);
    }
  }
  if (!ordered) {
    extents.sort(
      (a, b) => (a.data?.offset ?? 0) - (b.data?.offset ?? 0) || (a.data?.bytes ?? 0) - (b.data?.bytes ?? 0),
    );
  }
  let before: Tensor | undefined;
  let end = 0;
  for (const tensor of extents) {
    const { offset = 0, bytes } = tensor.data ?? { bytes: 0 };
    const same = before?.data?.offset === offset && before.data.bytes === bytes;
    if (before !== undefined && !same && offset < end)
      add("error", "extent/overlap", `${label(tensor)} overlaps ${label(before)}`, offset);
    if (offset + bytes >= end) {
      before = tensor;
      end = offset + bytes;
    }
  }
}
