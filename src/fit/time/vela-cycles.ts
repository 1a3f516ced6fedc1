/** Cycles of one operation on an Ethos-U and what it reads and writes, as Vela estimates them (npu_performance.py of ethos-u-vela 3.10). */

import {
  size,
  up,
  type Block,
  type Kernel,
  type Machine,
  type Memory,
  type Unit,
  type Volume,
} from "./vela-machine.ts";

/** A feature map: in rows of channels (linear) or in bricks of 16 channels. */
export interface FeatureMap {
  readonly shape: Volume;
  readonly bits: number;
  readonly linear: boolean;
  readonly memory: Memory;
}

export interface Operation {
  readonly unit: Unit;
  /** Which of the output unit's speeds counts. */
  readonly kind: "product" | "sum" | "maximum" | "other";
  readonly activation: "table" | "limits" | undefined;
  readonly ifm: FeatureMap;
  readonly ifm2: FeatureMap | undefined;
  readonly ofm: FeatureMap;
  readonly kernel: Kernel;
  /** Memory of scales and biases; undefined where there are none. */
  readonly constants: Memory | undefined;
}

const least = (a: Volume, b: Volume): Volume => [Math.min(a[0], b[0]), Math.min(a[1], b[1]), Math.min(a[2], b[2])];

/** Whole bursts are moved, however little of one is asked for. */
export function burstShare(machine: Machine, map: FeatureMap, block: Volume, reads: boolean): number {
  const [, width, depth] = block;
  const { bits } = map;
  let bitsMoved: number;
  if (map.linear) bitsMoved = reads ? bits * depth : Math.min(512, 16 * bits * machine.cores, depth * bits);
  else if ((bits * 16 * map.shape[1]) / 8 === depth) bitsMoved = bits * depth * width;
  else bitsMoved = 16 * bits * width * (reads ? 1 : machine.cores);
  return map.memory.burst / Math.min(map.memory.burst, Math.max(1, Math.floor(bitsMoved / 8)));
}

/** Cycles until a block of input is there and a block of output is away. */
function commandCycles(machine: Machine, { ifm, ofm }: Operation, block: Block): number {
  const into =
    (size(least(ifm.shape, block.ifm)) * burstShare(machine, ifm, block.ifm, true)) / ifm.memory.bytesPerCycle;
  const out =
    (size(least(ofm.shape, block.ofm)) * burstShare(machine, ofm, block.ofm, false)) / ofm.memory.bytesPerCycle;
  return ifm.memory.read + into + ofm.memory.write + out;
}

function cyclesPerElement(machine: Machine, op: Operation, block: Block): number {
  const { output, activation } = machine;
  const elementwise = op.unit === "elementwise";
  const speed =
    elementwise && op.ifm.bits === 32
      ? output[op.ifm2 === undefined ? 1 : 0]
      : op.kind === "product"
        ? output[op.ofm.bits === 32 ? 2 : 3]
        : !elementwise && block.acc40
          ? output[3]
          : op.kind === "sum"
            ? output[4]
            : op.kind === "maximum"
              ? output[5]
              : output[6];
  const own = op.activation === undefined ? 0 : activation[op.activation === "table" ? 0 : 1];
  const each = Math.max(speed, own);
  if (!elementwise) return each;
  const elements = size(block.ofm);
  return Math.max(each, (commandCycles(machine, op, block) + each * elements) / 4 / elements);
}

export function macsOf({ unit, kernel, ifm, ofm }: Operation): number {
  if (unit === "elementwise" || unit === "copy") return 0;
  const deep = unit === "depthwise" || unit === "pool" ? 1 : ifm.shape[2];
  return kernel.h * kernel.w * deep * size(ofm.shape);
}

/** Cycles of the array and the output unit; weights and tables that are copied beforehand are not in it. */
export function arrayCycles(machine: Machine, op: Operation, block: Block): number {
  if (op.unit === "copy") return 0;
  if (op.unit === "elementwise") {
    const [h, w, d] = op.ofm.shape;
    return Math.ceil(cyclesPerElement(machine, op, block) * h * w * (op.ofm.linear ? d : up(d, 16)));
  }
  return Math.floor(convolutionCycles(machine, op, block));
}

function convolutionCycles(machine: Machine, op: Operation, block: Block): number {
  const { ofm, kernel, unit } = op;
  const into = least(op.ifm.shape, block.ifm);
  let out = least(ofm.shape, block.ofm);
  let micro = machine.micro;
  const multiplies = unit === "conv" || unit === "depthwise" || unit === "vector";
  if (micro[0] === 2 && multiplies && ofm.shape[0] === 1 && ofm.shape[1] % 2 === 0 && kernel.h === 1) {
    micro = [1, 4, micro[2]];
    out = [1, out[1], out[2]];
  }
  const [y, x, z] = out.map((one, i) => Math.ceil(one / (micro[i] ?? 1))) as unknown as Volume;
  const limit = unit === "vector" ? 1 : 8;
  let cycles = 0;
  for (let top = 0; top < kernel.h; top += limit)
    for (let left = 0; left < kernel.w; left += limit) {
      const elements = Math.min(limit, kernel.h - top) * Math.min(limit, kernel.w - left);
      cycles += pieceCycles(machine, op, block, elements, [y, x, z], into[2], micro[2]);
    }
  if (unit === "conv" || unit === "vector" || unit === "sum") cycles *= Math.ceil(op.ifm.shape[2] / into[2]);
  cycles /= machine.cores;
  const blocks = ofm.shape.reduce((all, one, i) => all * Math.ceil(one / (out[i] ?? 1)), 1);
  let output = Math.ceil(cyclesPerElement(machine, op, block) * size(out));
  if (op.constants !== undefined) output = Math.max(output, (10 * out[2] * op.constants.read) / 256);
  const command = (commandCycles(machine, op, block) + output + cycles) / 4;
  cycles = Math.max(cycles, command);
  output = Math.max(output, command);
  // One of the two runs through; the other's last block comes on top.
  return Math.max(cycles, output) * blocks + Math.min(cycles, output);
}

/** One pass of a piece of the filter over a block: steps of the kernel, and the gaps of a pipeline that is not filled. */
function pieceCycles(
  machine: Machine,
  { unit, ifm }: Operation,
  { acc40, byKernel }: Block,
  elements: number,
  [y, x, z]: Volume,
  depthIn: number,
  microDepth: number,
): number {
  const decode = 4 * microDepth;
  const wide = ifm.bits === 16;
  const deep = Math.ceil(depthIn / 8);
  let steps: number;
  let cycles: number;
  if (unit === "pool") {
    steps = 1;
    cycles = Math.max(4, elements) * x * y * z * (wide && machine.delay !== "u55-32" ? 2 : 1);
  } else if (unit === "depthwise") {
    steps = Math.ceil(elements / 4);
    cycles = Math.max(decode, 4 * x * y * (wide ? 2 : 1)) * steps * z;
  } else if (unit === "conv" && byKernel) {
    steps = Math.ceil(elements / (wide ? 2 : 4));
    cycles = Math.max(decode, 4 * x * y) * steps * deep * z;
  } else {
    steps = elements;
    cycles = Math.max(decode, 4 * x * y) * steps * z;
  }
  const small = machine.delay === "u55-32";
  const delay = small ? (acc40 ? 7 : 3) : acc40 && machine.delay === "acc40" ? 3 : 2;
  let gaps = 0;
  if (x === 1 && y === 1) gaps = z === 1 ? delay * steps : steps > 1 ? delay * (steps - 1) * z : 0;
  if (small && (x === 1 || y === 1) && z > 1 && acc40) gaps += delay * z;
  if (unit === "conv" && byKernel) gaps *= deep;
  return cycles + gaps;
}

/** Elements that are moved. */
export interface Access {
  readonly ifm: number;
  readonly ifm2: number;
  readonly ofm: number;
  readonly weights: number;
  /** Channels with scale and bias. */
  readonly scales: number;
}

export function accessOf(op: Operation, block: Block): Access {
  const { ifm, ifm2, ofm, unit, kernel } = op;
  if (unit === "copy") return { ifm: 0, ifm2: 0, ofm: 0, weights: 0, scales: 0 };
  const stored = ([h, w, d]: Volume, linear: boolean): number => h * w * (linear ? d : up(d, 16));
  const written = stored(ofm.shape, ofm.linear);
  if (unit === "elementwise") {
    const all = stored(ofm.shape, ifm.linear);
    const one = (map: FeatureMap): number =>
      size(map.shape) === 1 ? (map.bits > 8 ? stored(map.shape, ifm.linear) : 0) : all;
    return {
      ifm: one(ifm),
      ifm2: ifm2 === undefined ? 0 : size(ifm.shape) === 1 ? all : one(ifm2),
      ofm: written,
      weights: 0,
      scales: 0,
    };
  }
  const into = least(ifm.shape, block.ifm);
  const out = least(ofm.shape, block.ofm);
  const [y, x, z] = ofm.shape.map((one, i) => Math.ceil(one / (out[i] ?? 1))) as unknown as Volume;
  const flat = unit === "depthwise" || unit === "pool";
  const blocks = y * x * (flat ? 1 : z);
  const limit = unit === "vector" ? 1 : 8;
  const pieces = Math.ceil(kernel.w / limit) * Math.ceil(kernel.h / limit);
  const fetched = into[0] * into[1] * (ifm.linear ? ifm.shape[2] : up(ifm.shape[2], 16));
  const weighted = unit !== "pool" && unit !== "sum";
  return {
    ifm: fetched * pieces * blocks,
    ifm2: 0,
    ofm: written,
    weights: weighted ? kernel.h * kernel.w * (flat ? 1 : ifm.shape[2]) * (flat ? ifm.shape[2] : out[2]) * blocks : 0,
    scales: weighted ? ofm.shape[2] : 0,
  };
}
