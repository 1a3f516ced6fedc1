/**
 * Vela's own estimate, made anew from its rules: cycles of each operator on an Ethos-U55 or U65, and the time of a model. It says what
 * Vela would say, not what silicon does: Arm means it for comparing, not for measuring (PERFORMANCE.md of ethos-u-vela).
 */

import type { View } from "../view.ts";
import { accessOf, arrayCycles, burstShare, macsOf, type FeatureMap, type Operation } from "./vela-cycles.ts";
import { lower, type Lowered, type LoweredGraph, type Ref } from "./vela-lower.ts";
import {
  blockFor,
  machineOf,
  size,
  systems,
  up,
  type Block,
  type Machine,
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
}

const PLAIN: Block = { ofm: [1, 1, 16], ifm: [1, 1, 16], acc40: false, byKernel: false };

/** Formats, memories and blocks of every operation. */
function planned(machine: Machine, graph: LoweredGraph): readonly Step[] {
  const linear = linearTensors(machine, graph);
  const { fast, used } = placement(machine, graph, linear);
  const blocks = new Map<string, Block>();
  return graph.operations.map((lowered, at): Step => {
    const map = (ref: Ref): FeatureMap => ({
      shape: ref.part ?? ref.shape,
      bits: ref.bits,
      linear: ref.tensor.startsWith("=") || linear.has(ref.tensor),
      memory: fast.has(ref.tensor) ? machine.fast : machine.slow,
    });
    const filter = lowered.weights === 0 ? 0 : up(COMPRESSED * lowered.weights + SCALE * lowered.ofm.shape[2], 16);
    const free = machine.arena - (used[at] ?? 0);
    const buffered = filter > 0 && lowered.unit !== "vector" && filter <= free;
    const { unit, ifm, ifm2, ofm, kernel, scalar, scaled, upscale } = lowered;
    const key = JSON.stringify([
      unit,
      ifm.shape,
      ifm2?.shape,
      ofm.shape,
      kernel,
      scalar,
      scaled,
      upscale,
      ifm.bits,
      lowered.table > 0,
    ]);
    let block = blocks.get(key);
    if (block === undefined) {
      block =
        unit === "copy"
          ? PLAIN
          : (blockFor(machine, {
              unit,
              ofm: ofm.shape,
              ifm: ifm.shape,
              ifm2: ifm2?.shape,
              scalar,
              bits: ifm.bits,
              kernel,
              table: lowered.table > 0,
              scaled,
              upscale,
            }) ?? PLAIN);
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
    return { lowered, operation, block, filter, free };
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

/** Which tensors lie in fast memory, and how much of it is in use at each operation. */
function placement(
  machine: Machine,
  { operations, outside }: LoweredGraph,
  linear: ReadonlySet<string>,
): { fast: ReadonlySet<string>; used: readonly number[] } {
  const lives = new Map<string, { first: number; last: number; bytes: number; readers: number }>();
  operations.forEach((operation, at) => {
    for (const ref of [operation.ifm, operation.ifm2, operation.ofm]) {
      if (ref === undefined || ref.tensor.startsWith("=")) continue;
      const [h, w, d] = ref.shape;
      const bytes = up((h * w * (linear.has(ref.tensor) ? d : up(d, 16)) * ref.bits) / 8, 16);
      const held = lives.get(ref.tensor);
      const reads = ref === operation.ofm ? 0 : 1;
      if (held === undefined) lives.set(ref.tensor, { first: at, last: at, bytes, readers: reads });
      else Object.assign(held, { last: at, bytes: Math.max(held.bytes, bytes), readers: held.readers + reads });
    }
  });
  const used = new Array<number>(operations.length).fill(0);
  const fast = new Set<string>();
  const occupy = (tensor: string, life: { first: number; last: number; bytes: number }): void => {
    fast.add(tensor);
    for (let at = life.first; at <= life.last; at++) used[at] = (used[at] ?? 0) + life.bytes;
  };
  if (!machine.spills) {
    for (const [tensor, life] of lives) occupy(tensor, life);
    return { fast, used: roomOf(machine, used) };
  }
  // What is read and written outside stays in slow memory; of the rest, what lives shortest goes first.
  const inside = [...lives].filter(([tensor]) => !outside.has(tensor));
  inside.sort(([, a], [, b]) => a.last - a.first - (b.last - b.first) || a.bytes - b.bytes);
  for (const [tensor, life] of inside) {
    let most = 0;
    for (let at = life.first; at <= life.last; at++) most = Math.max(most, used[at] ?? 0);
    if (most + life.bytes <= machine.arena) occupy(tensor, life);
    else if (life.readers === 1 && life.last - life.first === 1) fast.add(tensor); // in stripes, one behind the other
  }
  return { fast, used };
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
  const buffered = filter > 0 && lowered.unit !== "vector" && filter <= free;
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
  { operation, block, filter, free }: Step,
  before: number,
  array: number,
): { npu: number; slack: number } {
  const whole = copyCycles(machine, filter);
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
