/**
 * Vela's own estimate, made anew from its rules: cycles of each operator on an Ethos-U55 or U65, and the time of a model. It says what
 * Vela would say, not what silicon does: Arm means it for comparing, not for measuring (PERFORMANCE.md of ethos-u-vela).
 */

import type { View } from "../view.ts";
import { cascadesOf, type Stripe } from "./vela-cascade.ts";
import { accessOf, arrayCycles, burstShare, macsOf, type FeatureMap, type Operation } from "./vela-cycles.ts";
import { lower } from "./vela-lower.ts";
import type { Lowered, LoweredGraph, Ref } from "./vela-lowering.ts";
import {
  blockFor,
  machineOf,
  size,
  systems,
  up,
  type Block,
  type Machine,
  type Shapes,
  type System,
  type Volume,
} from "./vela-machine.ts";

export interface VelaConfig {
  /** ethos-u55-32 to ethos-u55-256, ethos-u65-256, ethos-u65-512. */
  readonly accelerator: string;
  /** Of vela.ini, or one's own. What Vela takes when nothing is said: u55-high-end, u65-client-server. */
  readonly system?: string | System;
  /** NXP's fork of Vela (i.MX 93), which adds a zero after every concatenation. */
  readonly fork?: "nxp";
  /** Which nodes run on the NPU; all when absent. */
  readonly taken?: (view: View) => boolean;
}

/** Cycles of one operation of the NPU. `total`: the longest of the three, for they run side by side. */
export interface VelaCycles {
  readonly npu: number;
  readonly sram: number;
  readonly dram: number;
  readonly total: number;
}

export interface VelaOperation extends VelaCycles {
  /** Node it came from; undefined: Vela's own. */
  readonly node: number | undefined;
  /** TFLite's operator, and Vela's name of what it became. */
  readonly source: string;
  readonly name: string;
  readonly macs: number;
}

export interface VelaEstimate {
  readonly accelerator: string;
  readonly clock: number;
  readonly operations: readonly VelaOperation[];
  /** By node. */
  readonly nodes: ReadonlyMap<number, VelaCycles>;
  readonly cycles: VelaCycles;
  readonly macs: number;
  readonly ms: number;
}

/** Share of a filter's bytes that Vela's compression leaves: median of 1,100 filters of 20 models, 0.6 to 1.2. */
const COMPRESSED = 0.9;
/** Scale and bias of a channel. */
const SCALE = 10;
/** More nodes than any network for a microcontroller has. */
const LIMIT = 20_000;

/** undefined: no such accelerator, or a graph beyond reason. */
export function velaEstimate(views: readonly View[], config: VelaConfig): VelaEstimate | undefined {
  const { accelerator, taken = () => true } = config;
  const named =
    config.system ??
    (config.fork === "nxp" ? "imx93" : accelerator.includes("u65") ? "u65-client-server" : "u55-high-end");
  const system = typeof named === "string" ? systems[named] : named;
  const machine = system && machineOf(accelerator, system);
  if (machine === undefined || views.length > LIMIT) return undefined;
  const graph = lower(views, taken, config.fork === "nxp");
  const plan = planned(machine, graph);
  const operations: VelaOperation[] = [];
  let slack = 0;
  for (const step of plan) {
    const { cycles, slack: left } = cyclesOf(machine, step, slack);
    slack = left;
    const { node, source, name } = step.lowered;
    operations.push({ node, source, name, macs: macsOf(step.operation), ...cycles });
  }
  const nodes = new Map<number, VelaCycles>();
  let last: number | undefined;
  for (const operation of operations) {
    // What Vela adds belongs to the node it stands behind.
    const node = operation.node ?? last;
    last = node;
    if (node !== undefined) nodes.set(node, plus(nodes.get(node), operation));
  }
  const cycles = operations.reduce(plus, NOTHING);
  return {
    accelerator,
    clock: machine.clock,
    operations,
    nodes,
    cycles,
    macs: operations.reduce((sum, { macs }) => sum + macs, 0),
    ms: (cycles.total / machine.clock) * 1000,
  };
}

const NOTHING: VelaCycles = { npu: 0, sram: 0, dram: 0, total: 0 };
const plus = (a: VelaCycles = NOTHING, b: VelaCycles): VelaCycles => ({
  npu: a.npu + b.npu,
  sram: a.sram + b.sram,
  dram: a.dram + b.dram,
  total: a.total + b.total,
});

interface Step {
  readonly lowered: Lowered;
  readonly operation: Operation;
  readonly block: Block;
  /** Bytes of the compressed filter with scales; 0 without one. */
  readonly filter: number;
  /** Fast memory that is free for filters while this runs. */
  readonly free: number;
  readonly cascaded: boolean;
}

const PLAIN: Block = { ofm: [1, 1, 16], ifm: [1, 1, 16], acc40: false, byKernel: false };

/** Bytes of an operation's compressed filter with its scales. */
const filterOf = ({ weights, ofm }: Lowered): number =>
  weights === 0 ? 0 : up(COMPRESSED * weights + SCALE * ofm.shape[2], 16);

/** Whether the filter is copied to fast memory first, whole or two slices at a time. */
const isBuffered = ({ unit, ofm }: Lowered, filter: number, free: number): boolean =>
  filter > 0 && unit !== "vector" && Math.min(filter, (2 * filter * SLICE) / ofm.shape[2]) <= free;

/** Blocks that were found, of any model: they depend on the core and on what is computed alone. */
const blocks = new Map<string, Block>();
const BLOCKS = 20_000;

/** Formats, memories and blocks of every operation. */
function planned(machine: Machine, graph: LoweredGraph): readonly Step[] {
  const linear = linearTensors(machine, graph);
  const { fast, used, stripes } = placement(machine, graph, linear);
  if (blocks.size > BLOCKS) blocks.clear();
  return graph.operations.map((lowered, at): Step => {
    const map = (ref: Ref): FeatureMap => ({
      shape: ref.part ?? ref.shape,
      bits: ref.bits,
      linear: ref.tensor.startsWith("=") || linear.has(ref.tensor),
      memory: fast.has(ref.tensor) ? machine.fast : machine.slow,
    });
    const filter = filterOf(lowered);
    const stripe = stripes.get(at);
    const free = stripe !== undefined ? Infinity : machine.spills ? machine.arena : machine.arena - (used[at] ?? 0);
    const buffered = isBuffered(lowered, filter, free);
    const { unit, kernel, scalar, scaled, upscale, table, ifm, ifm2, ofm } = lowered;
    const rows = (shape: Volume, height: number | undefined): Volume =>
      height === undefined ? shape : [Math.min(height, shape[0]), shape[1], shape[2]];
    const shapes: Shapes = {
      unit,
      ofm: rows(ofm.shape, stripe?.out),
      ifm: rows(ifm.shape, stripe?.into),
      ifm2: ifm2?.shape,
      scalar,
      bits: ifm.bits,
      kernel,
      table: table > 0,
      scaled,
      upscale,
    };
    const key = `${machine.id} ${JSON.stringify(shapes)}`;
    let block = blocks.get(key);
    if (block === undefined) {
      block = unit === "copy" ? PLAIN : (blockFor(machine, shapes) ?? PLAIN);
      blocks.set(key, block);
    }
    const operation: Operation = {
      unit,
      kind: lowered.kind,
      activation: lowered.activation,
      ifm: map(ifm),
      ifm2: ifm2 && map(ifm2),
      ofm: map(ofm),
      kernel,
      constants: lowered.biased ? (buffered ? machine.fast : machine.slow) : undefined,
    };
    return { lowered, operation, block, filter, free, cascaded: stripe !== undefined };
  });
}

/** Which tensors lie in rows of channels: what others read or write, what is seen in two shapes, what is not a multiple of a brick. */
function linearTensors(machine: Machine, { operations, outside, shapes }: LoweredGraph): Set<string> {
  const linear = new Set(outside);
  const see = (ref: Ref): void => {
    const own = shapes.get(ref.tensor);
    if (own !== undefined && String(own) !== String(ref.shape)) linear.add(ref.tensor);
  };
  for (const { ifm, ifm2, ofm, unit, linear: forced } of operations) {
    see(ifm);
    if (ifm2 !== undefined) see(ifm2);
    see(ofm);
    if (forced === true || unit === "copy") linear.add(ofm.tensor);
    if (unit === "copy" || (unit === "sum" && (ifm.bits === 32 || machine.cores > 1))) linear.add(ifm.tensor);
  }
  // An elementwise result of odd depth that may take its input's place stays as the input is.
  for (const { unit, ifm, ifm2, ofm } of operations) {
    if (unit !== "elementwise" || ofm.shape[2] % 16 === 0 || linear.has(ofm.tensor)) continue;
    const gives = (ref: Ref | undefined): boolean =>
      ref !== undefined &&
      String(ref.shape) === String(ofm.shape) &&
      ref.bits === ofm.bits &&
      (ref.tensor.startsWith("=") || linear.has(ref.tensor));
    if (gives(ifm) || gives(ifm2)) linear.add(ofm.tensor);
  }
  return linear;
}

interface Life {
  first: number;
  last: number;
  bytes: number;
  readers: number;
  outside: boolean;
}

interface Placed {
  readonly fast: ReadonlySet<string>;
  /** Bytes of fast memory in use at each operation. */
  readonly used: readonly number[];
  /** Of operations that run in stripes. */
  readonly stripes: ReadonlyMap<number, Stripe>;
}

/** Which tensors lie in fast memory, how much of it is in use, what runs in stripes because it does not fit. */
function placement(machine: Machine, { operations, outside }: LoweredGraph, linear: ReadonlySet<string>): Placed {
  const bytesOf = ({ tensor, shape: [h, w, d], bits }: Ref): number =>
    up((h * w * (linear.has(tensor) ? d : up(d, 16)) * bits) / 8, 16);
  const lives = livesOf(operations, outside, bytesOf);
  const used = new Array<number>(operations.length).fill(0);
  const fast = new Set<string>();
  const stripes = new Map<number, Stripe>();
  const occupy = (life: Life): void => {
    for (let at = life.first; at <= life.last; at++) used[at] = (used[at] ?? 0) + life.bytes;
  };
  if (!machine.spills) {
    for (const [tensor, life] of lives) {
      fast.add(tensor);
      occupy(life);
    }
    return { fast, used: roomOf(machine, used), stripes };
  }
  const cascades = cascadesOf(
    operations,
    {
      of: bytesOf,
      linear: (tensor) => linear.has(tensor),
      readers: (tensor) => lives.get(tensor)?.readers ?? 0,
      filter: filterOf,
    },
    machine.arena,
  );
  for (const { first, last, bytes, stripes: rows } of cascades) {
    for (let at = first; at <= last; at++) {
      const stripe = rows[at - first];
      if (stripe !== undefined) stripes.set(at, stripe);
      used[at] = bytes;
      const tensor = operations[at]?.ofm.tensor ?? "";
      if (at < last) {
        fast.add(tensor);
        lives.delete(tensor);
      }
    }
    // All of a cascade runs at once: what goes in is there until its end, what comes out from its beginning.
    for (const life of lives.values())
      if (life.first <= last && life.last >= first)
        Object.assign(life, { first: Math.min(life.first, first), last: Math.max(life.last, last) });
  }
  // Filters come before feature maps.
  operations.forEach((operation, at) => {
    const filter = operation.unit === "vector" || stripes.has(at) ? 0 : filterOf(operation);
    used[at] = (used[at] ?? 0) + Math.min(filter, machine.arena / 2);
  });
  const groups = sharing(operations, lives, bytesOf);
  const inside = groups.filter(({ life }) => !life.outside);
  inside.sort((a, b) => a.life.last - a.life.first - (b.life.last - b.life.first) || a.life.bytes - b.life.bytes);
  for (const { tensors, life } of inside) {
    let most = 0;
    for (let at = life.first; at <= life.last; at++) most = Math.max(most, used[at] ?? 0);
    if (most + life.bytes > machine.arena) continue;
    for (const tensor of tensors) fast.add(tensor);
    occupy(life);
  }
  return { fast, used, stripes };
}

function livesOf(
  operations: readonly Lowered[],
  outside: ReadonlySet<string>,
  bytesOf: (ref: Ref) => number,
): Map<string, Life> {
  const lives = new Map<string, Life>();
  operations.forEach((operation, at) => {
    for (const ref of [operation.ifm, operation.ifm2, operation.ofm]) {
      if (ref === undefined || ref.tensor.startsWith("=")) continue;
      const held = lives.get(ref.tensor);
      const reads = ref === operation.ofm ? 0 : 1;
      const bytes = bytesOf(ref);
      if (held === undefined)
        lives.set(ref.tensor, { first: at, last: at, bytes, readers: reads, outside: outside.has(ref.tensor) });
      else Object.assign(held, { last: at, bytes: Math.max(held.bytes, bytes), readers: held.readers + reads });
    }
  });
  return lives;
}

/** An elementwise result takes the place of an input that nobody reads any more: they are one piece of memory. */
function sharing(
  operations: readonly Lowered[],
  lives: ReadonlyMap<string, Life>,
  bytesOf: (ref: Ref) => number,
): { readonly tensors: string[]; readonly life: Life }[] {
  const groups = new Map([...lives].map(([tensor, life]) => [tensor, { tensors: [tensor], life: { ...life } }]));
  operations.forEach(({ unit, ifm, ifm2, ofm }, at) => {
    if (unit !== "elementwise") return;
    const to = groups.get(ofm.tensor);
    for (const ref of [ifm, ifm2]) {
      const from = ref && groups.get(ref.tensor);
      if (ref === undefined || from === undefined || to === undefined || from === to) continue;
      if (bytesOf(ref) !== bytesOf(ofm) || (lives.get(ref.tensor)?.last ?? 0) > at) continue;
      from.life = {
        first: Math.min(from.life.first, to.life.first),
        last: Math.max(from.life.last, to.life.last),
        bytes: Math.max(from.life.bytes, to.life.bytes),
        readers: from.life.readers + to.life.readers,
        outside: from.life.outside || to.life.outside,
      };
      from.tensors.push(...to.tensors);
      for (const tensor of to.tensors) groups.set(tensor, from);
      return;
    }
  });
  return [...new Set(groups.values())];
}

/** A schedule that keeps below the limit as it is has all the room it wants. */
function roomOf(machine: Machine, used: readonly number[]): readonly number[] {
  return used.every((bytes) => bytes < machine.arena) ? used.map(() => -Number.MAX_SAFE_INTEGER) : used;
}

const copyCycles = (machine: Machine, bytes: number): number =>
  Math.max(
    Math.floor(bytes / machine.slow.bytesPerCycle) + machine.slow.read,
    Math.floor(bytes / machine.fast.bytesPerCycle),
  );

/** Cycles of a step, and those under which the next one's filter may be fetched. */
function cyclesOf(machine: Machine, step: Step, before: number): { cycles: VelaCycles; slack: number } {
  const { lowered, operation, block, filter, free } = step;
  const array = arrayCycles(machine, operation, block);
  let npu = array;
  let slack = array;
  const buffered = isBuffered(lowered, filter, free);
  const table = lowered.table === 0 ? 0 : copyCycles(machine, lowered.table);
  if (buffered) {
    const buffering = fetched(machine, step, before, array);
    ({ npu, slack } = buffering);
    npu += table;
  } else npu += Math.max(table - before, 0);
  if (lowered.unit === "copy" && operation.ifm.memory !== operation.ofm.memory)
    npu += Math.max(copyCycles(machine, (size(operation.ifm.shape) * operation.ifm.bits) / 8) - before, 0);
  const { ifm, ifm2, ofm } = operation;
  const access = accessOf(operation, block);
  let [sram, dram] = [0, 0];
  const move = (map: FeatureMap, elements: number, piece: Volume, reads: boolean): void => {
    const cycles = ((elements * map.bits) / 8 / map.memory.bytesPerCycle) * burstShare(machine, map, piece, reads);
    if (map.memory === machine.fast) sram += cycles;
    else dram += cycles;
  };
  move(ofm, access.ofm, block.ofm, false);
  move(ifm, access.ifm, block.ifm, true);
  if (ifm2 !== undefined) move(ifm2, access.ifm2, block.ifm, true);
  if (filter > 0 && !buffered) {
    const share = (filter - SCALE * access.scales) / lowered.weights;
    dram += (access.weights * share + access.scales * SCALE) / machine.slow.bytesPerCycle;
  }
  return { cycles: { npu, sram, dram, total: Math.max(npu, sram, dram) }, slack };
}

const SLICE = 16;

/** A filter that is copied to fast memory: whole, or in slices while the one before is in use. */
function fetched(
  machine: Machine,
  { operation, block, filter, free, cascaded }: Step,
  before: number,
  array: number,
): { npu: number; slack: number } {
  const whole = copyCycles(machine, filter);
  // In a cascade everything is there before it begins.
  if (cascaded) return { npu: array - Math.min(whole, before), slack: array };
  const half = Math.floor(free / 2);
  const early = whole > before ? Math.min((before / whole) * filter, half) : Math.min(filter, half);
  const [h, w, depth] = operation.ofm.shape;
  if (early >= filter || depth <= SLICE) return { npu: array + whole - Math.min(whole, before), slack: array };
  const cyclesFor = (deep: number): number =>
    arrayCycles(machine, { ...operation, ofm: { ...operation.ofm, shape: [h, w, deep] } }, block);
  const first = Math.min(depth, Math.max(SLICE, Math.floor((depth * early) / filter / SLICE) * SLICE));
  let next = up(depth * (cyclesFor(first) / whole), block.ofm[2]);
  if ((next / depth) * filter > half) next = (half / filter) * depth;
  const step = next > block.ofm[2] ? block.ofm[2] : SLICE;
  next = Math.max(SLICE, Math.floor(next / step) * step);
  if (first >= depth) return { npu: array + whole - Math.min(whole, before), slack: array };
  const tail = (depth - first) % next === 0 ? Math.min(next, depth - first) : (depth - first) % next;
  const slack = cyclesFor(tail);
  const start = copyCycles(machine, (filter * first) / depth);
  return { npu: Math.max(whole - before + slack, array + Math.max(start - before, 0)), slack };
}
