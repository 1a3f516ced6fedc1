/**
 * Ethos-U as Vela sees it: arrays, buffers, memories and their speeds, and how large a block of the output an operator is computed in.
 * Figures from ethos-u-vela 3.10 (architecture_features.py, config_files/Arm/vela.ini; PERFORMANCE.md says what they are for).
 */

/** [height, width, depth]. */
export type Volume = readonly [number, number, number];

export type Unit = "conv" | "depthwise" | "vector" | "pool" | "sum" | "elementwise" | "copy";

export interface Kernel {
  readonly h: number;
  readonly w: number;
  readonly sy: number;
  readonly sx: number;
  readonly dy: number;
  readonly dx: number;
}

export const POINT: Kernel = { h: 1, w: 1, sy: 1, sx: 1, dy: 1, dx: 1 };

export interface Memory {
  readonly bytesPerCycle: number;
  readonly burst: number;
  readonly read: number;
  readonly write: number;
}

export interface Machine {
  readonly id: string;
  readonly cores: number;
  readonly macs: number;
  readonly clock: number;
  /** Smallest piece of output, and of input depth. */
  readonly micro: Volume;
  readonly microDepthIn: number;
  readonly banks: number;
  /** Banks are given in multiples of these: of 8- and 16-bit input, 32-bit input, accumulators of 32 and 40 bits. */
  readonly granules: {
    readonly input: number;
    readonly input32: number;
    readonly acc32: number;
    readonly acc40: number;
  };
  /** Cycles for an element of output: 32-bit of two, 32-bit of one, product of 32 bits, product or 40-bit sums, sum, maximum, all else. */
  readonly output: readonly [number, number, number, number, number, number, number];
  /** Cycles for an element's activation: by table, by limits. */
  readonly activation: readonly [number, number];
  readonly delay: "u55-32" | "acc40" | "short";
  readonly fast: Memory;
  readonly slow: Memory;
  /** Feature maps live in slow memory, and the fast one holds what fits of them. */
  readonly spills: boolean;
  /** Bytes of fast memory that the schedule aims at. */
  readonly arena: number;
}

type Core = Omit<Machine, "id" | "clock" | "fast" | "slow" | "spills" | "arena"> & { readonly bus: number };

const large = {
  micro: [2, 2, 8],
  microDepthIn: 8,
  banks: 48,
  macs: 256,
  granules: { input: 8, input32: 16, acc32: 16, acc40: 20 },
} as const;

const cores: Readonly<Record<string, Core>> = {
  "ethos-u55-32": {
    cores: 1,
    macs: 32,
    micro: [1, 1, 4],
    microDepthIn: 8,
    banks: 16,
    granules: { input: 2, input32: 4, acc32: 4, acc40: 4 },
    output: [2, 3, 3, 3, 6, 1, 2],
    activation: [1, 1],
    delay: "u55-32",
    bus: 8,
  },
  "ethos-u55-64": {
    cores: 1,
    macs: 64,
    micro: [1, 1, 8],
    microDepthIn: 8,
    banks: 16,
    granules: { input: 2, input32: 4, acc32: 4, acc40: 8 },
    output: [1, 1.5, 1.5, 1.5, 3, 0.5, 1],
    activation: [1, 1],
    delay: "acc40",
    bus: 8,
  },
  "ethos-u55-128": {
    cores: 1,
    macs: 128,
    micro: [1, 2, 8],
    microDepthIn: 8,
    banks: 24,
    granules: { input: 4, input32: 8, acc32: 8, acc40: 12 },
    output: [0.75, 1.25, 0.75, 0.75, 1.5, 0.25, 0.5],
    activation: [1, 0.5],
    delay: "acc40",
    bus: 8,
  },
  "ethos-u55-256": {
    ...large,
    cores: 1,
    output: [0.625, 1.125, 0.5, 0.375, 0.75, 0.125, 0.25],
    activation: [1, 0.25],
    delay: "short",
    bus: 8,
  },
  "ethos-u65-256": {
    ...large,
    cores: 1,
    output: [0.625, 1.125, 0.5, 0.375, 0.75, 0.125, 0.25],
    activation: [1, 0.25],
    delay: "short",
    bus: 16,
  },
  "ethos-u65-512": {
    ...large,
    cores: 2,
    output: [0.3125, 0.5625, 0.25, 0.1875, 0.375, 0.0625, 0.125],
    activation: [0.5, 0.125],
    delay: "short",
    bus: 16,
  },
};

export const accelerators: readonly string[] = Object.keys(cores);

/** Clock, and the slow memory's share of the bus with its latencies. */
export interface System {
  readonly clock: number;
  readonly scale: number;
  readonly read: number;
  readonly write: number;
  readonly spills?: boolean;
  readonly arena?: number;
}

/** Of vela.ini, and of NXP's fork for the i.MX 93, which runs every size so ("imx93"). */
export const systems: Readonly<Record<string, System>> = {
  imx93: { clock: 1e9, scale: 0.234375, read: 500, write: 250, arena: 384 * 1024 },
  "u55-deep-embedded": { clock: 200e6, scale: 0.0625, read: 64, write: 64 },
  "u55-high-end": { clock: 500e6, scale: 0.125, read: 64, write: 64 },
  "u65-embedded": { clock: 500e6, scale: 0.0625, read: 64, write: 64 },
  "u65-mid-end": { clock: 500e6, scale: 0.46875, read: 500, write: 250 },
  "u65-high-end": { clock: 1e9, scale: 0.234375, read: 500, write: 250 },
  "u65-client-server": { clock: 1e9, scale: 0.75, read: 500, write: 250 },
};

/** Addresses of a U55 have 32 bits: Vela's limit where nothing else is said. */
const NO_LIMIT = 2 ** 32;

export function machineOf(accelerator: string, system: System): Machine | undefined {
  const core = Object.hasOwn(cores, accelerator) ? cores[accelerator] : undefined;
  if (core === undefined) return undefined;
  const { bus, ...rest } = core;
  const spills = system.spills ?? accelerator.includes("u65");
  return {
    id: accelerator,
    ...rest,
    clock: system.clock,
    fast: { bytesPerCycle: bus, burst: 32, read: 32, write: 32 },
    slow: { bytesPerCycle: bus * system.scale, burst: 128, read: system.read, write: system.write },
    spills,
    arena: system.arena ?? (spills ? 384 * 1024 : NO_LIMIT),
  };
}

export const up = (value: number, step: number): number => Math.ceil(value / step) * step;
const least = (a: Volume, b: Volume): Volume => [Math.min(a[0], b[0]), Math.min(a[1], b[1]), Math.min(a[2], b[2])];
export const size = ([h, w, d]: Volume): number => h * w * d;

/** What decides the block. */
export interface Shapes {
  readonly unit: Unit;
  readonly ofm: Volume;
  readonly ifm: Volume;
  readonly ifm2: Volume | undefined;
  readonly scalar: boolean;
  readonly bits: number;
  readonly kernel: Kernel;
  readonly table: boolean;
  readonly scaled: boolean;
  readonly upscale: "none" | "nearest" | "zeros";
}

export interface Block {
  readonly ofm: Volume;
  readonly ifm: Volume;
  readonly acc40: boolean;
  /** Filters are walked by the kernel's elements before the depth. */
  readonly byKernel: boolean;
}

const MOST: Volume = [32, 64, 128];
/** Output depth is cut in steps of 16; filters larger than 8x8 go in pieces. */
const SPLIT = 16;
const PIECE = 8;
const BANK = 1024;
/** Blocks are lower and narrower than this, in multiples of the smallest piece. */
const TALLEST = 128;

/** Block with the least to fetch for each element of output, that fits the banks. undefined: none does. */
export function blockFor(machine: Machine, shapes: Shapes): Block | undefined {
  const { unit, kernel, bits, ofm, scaled } = shapes;
  const ifm = shapes.ifm2 !== undefined && size(shapes.ifm2) > size(shapes.ifm) ? shapes.ifm2 : shapes.ifm;
  const [mh, mw, md] = machine.micro;
  const elementwise = unit === "elementwise";
  const sameDepth = elementwise || unit === "pool" || unit === "depthwise";
  const convolution = unit === "conv" || unit === "depthwise";
  const byKernel = convolution && walksKernel(ifm[2], bits, kernel.h * kernel.w);
  const acc40 = bits === 16 && unit !== "pool" && scaled;
  const fits = banksFit(machine, shapes, acc40);
  const [height, width] = [(kernel.h - 1) * kernel.dy + 1, (kernel.w - 1) * kernel.dx + 1];
  const repeats = Math.ceil(width / PIECE) * Math.ceil(height / PIECE);
  const weights = convolution ? width * height : 0;
  const depthIn =
    bits === 16 ? up(Math.min(ifm[2], 16), 4) : up(Math.min(ifm[2], byKernel ? 16 : 32), machine.microDepthIn);
  const [limH, limW, limD] = least(ofm, MOST).map((one, i) => up(one, machine.micro[i] ?? 1)) as unknown as Volume;
  const area = (value: number, step: number, border: number, micro: number): number =>
    up(needed(value, step, Math.min(border, PIECE), shapes.upscale), micro);
  // A block of one row is all there is where output and kernel have one row.
  const oneRow = ofm[0] === 1 && kernel.h === 1 && mh === 2;
  let best: { cost: number; coverage: number; ofm: Volume; ifm: Volume } | undefined;
  const deepen = (depth: number): number => (depth < ofm[2] ? up(depth, SPLIT) : depth);
  // Asked some thousand times for each operator: nothing is made but where a block is better.
  const [outputs, inputs] = [size(ofm), size(ifm)];
  const [ofmH, ofmW, ofmD] = ofm;
  const [ifmH, ifmW, ifmD] = ifm;
  const everyWeight = weights * ifmD * (unit === "depthwise" ? 1 : ofmD);
  const tooLarge = new Uint8Array(TALLEST * TALLEST);
  for (let d = deepen(Math.max(md, Math.min(limD, SPLIT))); d <= limD; d = deepen(d + md)) {
    tooLarge.fill(0);
    const inD = sameDepth ? d : depthIn;
    const slices = sameDepth ? 1 : Math.ceil(ofmD / d);
    for (let h = mh; h <= limH; h += mh) {
      const inH = area(h, kernel.sy, height, mh);
      const rows = oneRow ? 1 : h;
      const high = Math.ceil(ofmH / rows);
      for (let w = mw; w <= limW; w += mw) {
        if (tooLarge[h * TALLEST + w] === 1) continue;
        const inW = area(w, kernel.sx, width, mw);
        if (!fits(rows * w * up(d, 8), inH * inW * up((inD * bits) / 8, 8))) {
          tooLarge[w * TALLEST + h] = 1;
          continue;
        }
        const spatial = (ofmH / rows) * (ofmW / w);
        const weight = everyWeight * high * Math.ceil(ofmW / w);
        const input = inH * inW * ifmD * repeats * spatial * slices;
        let cost = elementwise ? Math.max(outputs / (h * w * d), 1) : (input + weight) / outputs;
        if (inputs < inH * inW * inD * 2) cost /= 2;
        if (best !== undefined && cost > best.cost) continue;
        const coverage = (ifmH * ifmW) / (Math.min(ifmH, inH) * Math.min(ifmW, inW));
        const tie = best !== undefined && cost === best.cost;
        if (tie && !(coverage <= (best?.coverage ?? Infinity) && h <= 4 && w <= 4)) continue;
        best = { cost, coverage: tie ? coverage : Infinity, ofm: [h, w, d], ifm: [inH, inW, inD] };
      }
    }
  }
  return best && { ofm: best.ofm, ifm: best.ifm, acc40, byKernel };
}

const needed = (value: number, step: number, border: number, upscale: Shapes["upscale"]): number =>
  Math.ceil(((value - 1) * step + border + (upscale === "nearest" ? 1 : 0)) / (upscale === "none" ? 1 : 2));

/** By the kernel's elements or by the depth, whichever leaves fewer multipliers idle. */
function walksKernel(depth: number, bits: number, elements: number): boolean {
  if (depth <= 8) return true;
  const byDepth = depth / up(depth, bits === 8 ? 32 : 16);
  const byKernel = (depth * elements) / (up(depth, 8) * up(elements, bits === 8 ? 4 : 2));
  return byKernel > byDepth;
}

function banksFit(
  machine: Machine,
  { unit, scalar, bits, table }: Shapes,
  acc40: boolean,
): (sums: number, bytes: number) => boolean {
  const { granules } = machine;
  const step = bits === 32 ? granules.input32 : granules.input;
  const end = machine.banks > 16 ? 2 : 0;
  const limit = machine.banks - Math.max(table ? 2 : 0, end);
  const [accBits, accStep] = acc40 ? [40, granules.acc40] : [32, granules.acc32];
  // Sums that are held, and bytes of input.
  return (held, bytes) => {
    const input = up(Math.ceil(bytes / BANK) * 2, step);
    // Two banks are kept for output.
    if (unit === "elementwise") return 2 + input * (scalar ? 1 : 2) <= limit;
    const sums = (held * accBits) / 8;
    return 2 + input + up(Math.ceil(Math.floor(sums) / BANK) * 2, accStep) <= limit;
  };
}
