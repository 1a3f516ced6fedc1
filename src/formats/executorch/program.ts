/**
 * An ExecuTorch program in full: container, constants, plans, delegates and what their payloads show, as one model. For pte.ts.
 */

import { bytesOf, type Graph, type Model, type Requirement, type Section, type Target } from "../../model/graph.ts";
import type { ModelFile } from "../file.ts";
import { carve } from "../tflite/sections.ts";
import type { Table } from "../wire/flatbuffer.ts";
import {
  readContainer,
  readSegments,
  sectionsOf,
  type Container,
  type HeaderLayout,
  type Stretch,
} from "./container.ts";
import type { Delegate, DelegateContext, Told } from "./delegate.ts";
import { readPayload, specWords } from "./delegates.ts";
import { Notes } from "./notes.ts";
import { countInstructions, readPlan, type DelegateRow } from "./plan.ts";
import { devices, fields } from "./schema.ts";
import { readValues, type Constants, type Value } from "./values.ts";

/** "eh00": program size, base of the segments and, since 2025, their size. */
const header: HeaderLayout = { mark: "eh00", least: 24, size: 8, base: 16, total: 24 };

/** Methods of one program: a language model has some 30, most of which give a constant. */
const PLAN_LIMIT = 4096;
/** A constant for each tensor that has one. */
const CONSTANT_LIMIT = 1_000_000;
const DELEGATE_LIMIT = 65_536;
const SPEC_LIMIT = 1024;
const PORT_LIMIT = 65_536;
/** Memories of a plan: one for each device or bank. */
const MEMORY_LIMIT = 1024;
/** Constant methods told in metadata. */
const METHODS_TOLD = 64;

type Found = Omit<Model, "format" | "producer" | "labels" | "author" | "licence" | "description" | "inputs">;

export function readProgram(file: ModelFile): Found {
  const notes = new Notes();
  const container = readContainer(file, header, notes);
  const { root } = container;
  const segments = readSegments(container, fields.Program.segments, notes);
  const names = new Map<number, { name: string; kind: Section["kind"] }>();
  const constants = readConstants(container, segments, names, notes);
  const named = readNamed(root, segments, names, notes);
  const context: DelegateContext = { file, notes, named };
  const plans = root.tables(fields.Program.execution_plan, PLAN_LIMIT, "execution plans");
  if (plans.length === 0) notes.error("graph/none", "the program has no execution plan");
  const methods = plans.filter((plan) => countInstructions(plan) > 0);
  const payloads = new Payloads(container, segments, names, methods.length, context);
  const told: Facts = {
    memory: {},
    methods: {},
    counts: { external: 0, dynamic: 0, channelsLast: 0, views: 0 },
    elsewhere: new Set(),
  };
  const graphs: Graph[] = [];
  for (const plan of plans) {
    const graph = readMethod(plan, { constants, payloads, notes, told, method: methods.includes(plan) });
    if (graph !== undefined) graphs.push(graph);
  }
  const all = payloads.told;
  const forward = graphs.findIndex(({ name }) => name === "forward");
  const sections = sectionsOf(container, segmentSections(segments, names));
  return {
    version: String(root.u32(fields.Program.version)),
    sealed: all.some((one) => one.sealed),
    targets: unique(all.flatMap((one) => one.targets ?? [])),
    requires: unique(all.flatMap((one) => one.requires ?? [])),
    graphs: [...graphs, ...payloads.graphs],
    ...(graphs.length > 0 ? { main: Math.max(0, forward) } : {}),
    metadata: { ...payloads.metadata, ...told.memory, ...counted(told), ...told.methods, ...payloads.specs },
    sections: carve(sections, [...constants.inline, ...all.flatMap((one) => one.sections ?? [])]),
    integrity: notes.integrity,
    needs: [],
    unseen: unseenOf(told, all),
  };
}

interface Facts {
  /** Planned memory, by method. */
  readonly memory: Record<string, string>;
  /** What methods give that have no instructions. */
  readonly methods: Record<string, string>;
  readonly counts: { external: number; dynamic: number; channelsLast: number; views: number };
  /** Devices other than the CPU that memory is planned on. */
  readonly elsewhere: Set<string>;
}

function counted({ counts, elsewhere }: Facts): Record<string, string> {
  const { dynamic, channelsLast, views } = counts;
  return {
    ...(dynamic === 0 ? {} : { dynamic_tensors: `${dynamic}: their sizes are upper bounds` }),
    ...(channelsLast === 0 ? {} : { channels_last_tensors: String(channelsLast) }),
    ...(views === 0 ? {} : { views: `${views} lie where another value does and need no kernel` }),
    ...(elsewhere.size === 0 ? {} : { memory_on: [...elsewhere].sort().join(", ") }),
  };
}

function unseenOf({ counts }: Facts, all: readonly Told[]): string[] {
  // Also of graphs inside payloads: XNNPACK's weights by their names.
  const inside = all.flatMap((one) => one.graph?.tensors ?? []).filter((tensor) => tensor.data?.file !== undefined);
  const external = counts.external + inside.length;
  return [
    ...new Set([
      ...(external === 0
        ? []
        : [`values of ${external} tensors: they lie in a .ptd file, whose name the program does not say`]),
      ...all.flatMap((one) => one.unseen ?? []),
    ]),
  ];
}

function unique<Item extends Target | Requirement>(items: readonly Item[]): Item[] {
  return [...new Map(items.map((item) => [JSON.stringify(item), item])).values()];
}

interface MethodContext {
  readonly constants: Constants;
  readonly payloads: Payloads;
  readonly notes: Notes;
  readonly told: Facts;
  /** It has instructions. */
  readonly method: boolean;
}

function readMethod(plan: Table, { constants, payloads, notes, told, method }: MethodContext): Graph | undefined {
  const f = fields.ExecutionPlan;
  const name = plan.string(f.name) ?? "";
  const shape = plan.table(f.container_meta_type);
  shape?.string(fields.ContainerMetadata.encoded_inp_str);
  shape?.string(fields.ContainerMetadata.encoded_out_str);
  const values = readValues(plan, constants, notes);
  const ports = (field: number, what: string): number[] =>
    (plan.i32s(field, PORT_LIMIT, what) ?? []).filter((index) => {
      if (index >= 0 && index < values.length) return true;
      notes.error(
        "value/dangling",
        `${name} has value ${index} among its ${what}, there are ${values.length}`,
        plan.at,
      );
      return false;
    });
  const inputs = ports(f.inputs, "inputs");
  const outputs = ports(f.outputs, "outputs");
  const rows = plan.tables(f.delegates, DELEGATE_LIMIT, "delegates").map((table) => payloads.take(table));
  readMemory(plan, name, { values, told, notes });
  if (!method) {
    const said = outputs.map((index) => wordOf(values[index])).join(", ");
    if (Object.keys(told.methods).length < METHODS_TOLD && said !== "") told.methods[`${name}()`] = said.slice(0, 1024);
    return undefined;
  }
  for (const value of values) {
    if (value.kind !== "tensor") continue;
    if (value.external) told.counts.external++;
    if (value.dynamic) told.counts.dynamic++;
    if (value.channelsLast) told.counts.channelsLast++;
  }
  const { graph, views } = readPlan(plan, name, { values, inputs, outputs, delegates: rows, notes });
  told.counts.views += views;
  return graph;
}

/** What a method without instructions gives. */
function wordOf(value: Value | undefined): string {
  if (value?.kind === "scalar" || value?.kind === "string") return String(value.value);
  return value?.kind === "tensor" ? `${value.tensor.type} [${(value.tensor.shape ?? []).join(", ")}]` : "";
}

/** Bytes of planned memory, one number for each memory; the first is reserved. Values lie inside of theirs. */
function readMemory(
  plan: Table,
  name: string,
  { values, told, notes }: { readonly values: readonly Value[]; readonly told: Facts; readonly notes: Notes },
): void {
  const f = fields.ExecutionPlan;
  const all = plan.i64s(f.non_const_buffer_sizes, MEMORY_LIMIT, "memories") ?? [];
  for (const [index, value] of values.entries()) {
    if (value.kind !== "tensor" || value.planned === undefined) continue;
    const { memory, offset } = value.planned;
    const end = offset + (bytesOf(value.tensor) ?? 0);
    const size = all[memory];
    if (size !== undefined && end <= size) continue;
    const says = size === undefined ? `there are ${all.length}` : `which has ${size}`;
    notes.error("memory/past-end", `value ${index} is planned up to byte ${end} of memory ${memory}, ${says}`, plan.at);
  }
  const sizes = all.slice(1);
  if (sizes.some((size) => size > 0)) told.memory[`${name} memory bytes`] = sizes.join(", ");
  for (const table of plan.tables(f.non_const_buffer_device, MEMORY_LIMIT, "memories")) {
    const device = table.i8(fields.NonConstBufferDevice.device_type);
    if (device > 0) told.elsewhere.add(devices[device] ?? `device type ${device}`);
  }
}

/** Delegates in the order they come, each payload read once: methods share them. */
class Payloads {
  readonly told: Told[] = [];
  readonly graphs: Graph[] = [];
  readonly metadata: Record<string, string> = {};
  readonly specs: Record<string, string> = {};
  readonly #container: Container;
  readonly #segments: readonly Stretch[];
  readonly #names: Map<number, { name: string; kind: Section["kind"] }>;
  readonly #first: number;
  readonly #context: DelegateContext;
  readonly #inline: readonly Stretch[];
  readonly #rows = new Map<string, DelegateRow>();
  /** Of the payloads read so far. */
  #bytes = 0;

  /** `first`: index in the model's graphs of the first one of a payload. */
  constructor(
    container: Container,
    segments: readonly Stretch[],
    names: Map<number, { name: string; kind: Section["kind"] }>,
    first: number,
    context: DelegateContext,
  ) {
    this.#container = container;
    this.#segments = segments;
    this.#names = names;
    this.#first = first;
    this.#context = context;
    this.#inline = container.root
      .tables(fields.Program.backend_delegate_data, DELEGATE_LIMIT, "delegates' data")
      .map((table) => stretchOf(table, fields.Buffer.storage) ?? { offset: table.at, bytes: 0 });
  }

  take(table: Table): DelegateRow {
    const f = fields.BackendDelegate;
    const id = table.string(f.id) ?? "";
    const specs = table.tables(f.compile_specs, SPEC_LIMIT, "compile specs").map((spec) => ({
      key: spec.string(fields.CompileSpec.key) ?? "",
      ...(stretchOf(spec, fields.CompileSpec.value) ?? { offset: spec.at, bytes: 0 }),
    }));
    const delegate: Delegate = { id, payload: this.#payload(table, id), specs };
    const key = `${id} ${delegate.payload?.offset ?? -1}`;
    const held = this.#rows.get(key);
    if (held !== undefined) return held;
    this.#bytes += delegate.payload?.bytes ?? 0;
    if (this.#bytes > this.#container.file.size) {
      this.#context.notes.error(
        "extent/overlap",
        "payloads of delegates share bytes: together they are longer than the file",
      );
      return { id, graph: undefined, outputs: undefined };
    }
    const told = readPayload(delegate, this.#context);
    this.told.push(told);
    Object.assign(this.metadata, told.metadata);
    Object.assign(this.specs, specWords(delegate, this.#context));
    const graph = told.graph === undefined ? undefined : this.#first + this.graphs.push(told.graph) - 1;
    const row = { id, graph, outputs: told.outputs };
    this.#rows.set(key, row);
    return row;
  }

  #payload(table: Table, id: string): Stretch | undefined {
    const f = fields.BackendDelegateDataReference;
    const reference = table.table(fields.BackendDelegate.processed);
    if (reference === undefined) return undefined;
    const location = reference.i8(f.location);
    const index = reference.u32(f.index);
    const list = location === 0 ? this.#inline : location === 1 ? this.#segments : undefined;
    const found = list?.[index];
    if (found === undefined) {
      const where = location === 0 ? "inline blobs" : location === 1 ? "segments" : "of a place that is not known";
      const says = `the payload of ${id} is number ${index} of ${list?.length ?? 0} ${where}`;
      this.#context.notes.error("delegate/no-data", says, reference.at);
      return undefined;
    }
    if (location === 1) this.#names.set(index, { name: id, kind: "unknown" });
    if (found.offset + found.bytes > this.#container.file.size) return undefined; // told with the segments
    return found;
  }
}

const stretchOf = (table: Table, field: number): Stretch | undefined => {
  const vector = table.vector(field, 1);
  return vector && { offset: vector.at, bytes: vector.count };
};

/** Constants: inside the flatbuffer until autumn 2024, in a segment since; and initial values of what a program changes. */
function readConstants(
  { root }: Container,
  segments: readonly Stretch[],
  names: Map<number, { name: string; kind: Section["kind"] }>,
  notes: Notes,
): Constants & { readonly inline: readonly Section[] } {
  const f = fields.Program;
  const buffers = root
    .tables(f.constant_buffer, CONSTANT_LIMIT, "constants")
    .map((table) => stretchOf(table, fields.Buffer.storage) ?? { offset: table.at, bytes: 0 });
  const sub = (table: Table, name: string): Stretch[] => readOffsets(table, name, segments, names, notes);
  const segment = root.table(f.constant_segment);
  const inSegment = segment === undefined ? [] : sub(segment, "constants");
  if (buffers.length > 0 && inSegment.length > 0) {
    notes.error("constants/twice", "the program has constants both inside and in a segment", root.at);
  }
  return {
    constants: inSegment.length > 0 ? inSegment : buffers,
    mutable: root
      .tables(f.mutable_data_segments, SPEC_LIMIT, "segments of initial values")
      .map((table) => sub(table, "initial values")),
    inline: buffers.flatMap(({ offset, bytes }) =>
      bytes === 0 ? [] : [{ name: "constants", kind: "weights" as const, offset, bytes }],
    ),
  };
}

/** Each constant ends where the next one begins, the last with its segment. */
function readOffsets(
  table: Table,
  name: string,
  segments: readonly Stretch[],
  names: Map<number, { name: string; kind: Section["kind"] }>,
  notes: Notes,
): Stretch[] {
  const f = fields.SubsegmentOffsets;
  const index = table.u32(f.segment_index);
  const offsets = table.i64s(f.offsets, CONSTANT_LIMIT, "constants") ?? [];
  const segment = segments[index];
  if (segment === undefined) {
    // A program without constants keeps the place of the first one, which is nobody's.
    if (offsets.length > 1) {
      notes.error("constants/no-segment", `${name} lie in segment ${index}, there are ${segments.length}`, table.at);
    }
    return [];
  }
  names.set(index, { name, kind: "weights" });
  return offsets.map((offset, i) => {
    const next = offsets[i + 1] ?? segment.bytes;
    if (offset < 0 || next < offset || next > segment.bytes) {
      const says = `${name}: number ${i} lies at ${offset} to ${next} of a segment of ${segment.bytes} bytes`;
      notes.error("extent/wrong-size", says, table.at);
    }
    const at = Math.min(Math.max(0, offset), segment.bytes);
    return { offset: segment.offset + at, bytes: Math.max(0, Math.min(next, segment.bytes) - at) };
  });
}

function readNamed(
  root: Table,
  segments: readonly Stretch[],
  names: Map<number, { name: string; kind: Section["kind"] }>,
  notes: Notes,
): ReadonlyMap<string, Stretch> {
  const f = fields.NamedData;
  const out = new Map<string, Stretch>();
  for (const table of root.tables(fields.Program.named_data, CONSTANT_LIMIT, "named blobs")) {
    const key = table.string(f.key) ?? "";
    const index = table.u32(f.segment_index);
    const segment = segments[index];
    if (segment === undefined) {
      notes.error("named/no-segment", `${key} lies in segment ${index}, there are ${segments.length}`, table.at);
      continue;
    }
    if (!names.has(index)) names.set(index, { name: "named data", kind: "weights" });
    out.set(key, segment);
  }
  return out;
}

/** Segments by who uses them. */
function segmentSections(
  segments: readonly Stretch[],
  names: ReadonlyMap<number, { name: string; kind: Section["kind"] }>,
): Section[] {
  return segments.map((segment, index) => ({
    ...(names.get(index) ?? { name: `segment ${index}`, kind: "unknown" }),
    ...segment,
  }));
}
