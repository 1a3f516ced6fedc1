/**
 * Class estimate: of a device that nobody measured, by its peak and what other chips of its class, or of its own line, made of theirs
 * (data/fit/classes.json, written by tools/fit.mjs classes). Wide, and marked; never where a figure it needs has no source.
 */

import { loadFamily } from "../../families/load.ts";
import type { View } from "../view.ts";
import { modelOf } from "./architecture.ts";
import { levelOf, type Level, type Spread } from "./class-spread.ts";
import { classWork, floorOf, isTold } from "./class-work.ts";
import { dataOf } from "./data.ts";
import type { Class, Device, Estimate, Nearest } from "./estimate.ts";
import { measuredOf } from "./measured.ts";
import { energyOf } from "./power.ts";

/** How far answers of one kind were off when what they are told of was left out. */
export interface ClassErrors {
  readonly rows: number;
  readonly median: number;
  readonly p90: number;
  readonly held: number;
}

export interface ClassCalibration extends Spread {
  /** MACs per second, the least and the most that were measured. */
  readonly peaks: Readonly<Partial<Record<Class, readonly [number, number]>>>;
  /** By class and what an answer rests on. */
  readonly errors: Readonly<Partial<Record<Class, Readonly<Partial<Record<Level["rests"], ClassErrors>>>>>>;
}

export const classCalibration = (): ClassCalibration => dataOf<ClassCalibration>("classes.json");

/** Models and peaks this many times larger or smaller than any that was measured are nothing to tell a number of. */
const REACH = 4;
/** One line tells its own chips; what lines of a class have in common takes two. */
const LINES = 2;

/** Chips of one design; where nobody says more, those of a family. */
export const lineOf = ({ line, family }: Device): string => line ?? family;

/** MACs per second of int8; undefined: nobody says. */
export const peakOf = ({ macs }: Device): number | undefined => (macs?.precision === "int8" ? macs.value : undefined);

export type ByClass = NonNullable<Estimate["byClass"]>;

/** What is told, or in words what is missing. */
export function estimateByClass(
  views: readonly View[],
  device: Device,
  { ops_g, float, model, brief }: { ops_g: number; float: boolean; model?: string | undefined; brief: boolean },
  calibration: ClassCalibration = classCalibration(),
): Estimate | string {
  // What stands for whatever a compiler or delegate reaches has no class of its own.
  if (device.family === "any") return "it stands for all that its compiler serves, not for one chip";
  if (!isTold(device.class)) return `chips of its class (${device.class}) are told by their own measurements alone`;
  if (device.link?.kind === "usb2") return "over USB 2 it is the link that decides, not its class";
  const peak = peakOf(device);
  if (peak === undefined) return missingPeak(device);
  if (float)
    return "its class was measured with models of int8, and its peak is of int8: that says nothing of floating point";
  const nature = natureOf(device);
  if (nature !== undefined) return nature;
  const found = calibration.classes.find((each) => each.class === device.class);
  const level = levelOf(calibration, { class: device.class, line: lineOf(device), device: device.id });
  if (found === undefined || level === undefined)
    return `no chip of its class (${device.class}) was measured whose peak in int8 somebody states`;
  if (level.rests === "class" && found.lines.length < LINES)
    return `of its class (${device.class}) only ${found.lines.map(({ line }) => line).join()} was measured: what one maker's chips reach says nothing of another's`;
  const [least = 0, most = Infinity] = calibration.peaks[device.class] ?? [];
  if (peak < least / REACH || peak > most * REACH)
    return `its peak of ${tops(peak)} lies far outside the ${tops(least)} to ${tops(most)} of chips of its class that were measured`;
  if (ops_g < found.least / REACH || ops_g > found.most * REACH)
    return `${ops_g.toPrecision(3)} thousand million operations lie far outside the ${found.least.toPrecision(2)} to ${found.most.toPrecision(2)} that were measured on its class`;
  const work = classWork(views, device.class);
  if (work === undefined) return "its shapes leave open what it computes";
  const floor = floorOf(work, peak);
  const [median_ms, low_ms, high_ms] = [level.middle, level.low, level.high].map((at) => floor * Math.exp(at));
  if (median_ms === undefined || low_ms === undefined || high_ms === undefined || !Number.isFinite(high_ms))
    return "its figures are out of reach";
  const energy = brief ? undefined : energyOf(device, low_ms, high_ms);
  const errors = calibration.errors[device.class]?.[level.rests];
  return {
    device: device.id,
    from: "class",
    kind: "maker",
    median_ms,
    low_ms,
    high_ms,
    ...(energy === undefined ? {} : { millijoules: energy.millijoules }),
    costly: [],
    ...(errors === undefined
      ? {}
      : { basis: { rows: level.rows, median_error: errors.median, p90_error: errors.p90, held: errors.held } }),
    byClass: {
      class: device.class,
      rests: level.rests,
      rows: level.rows,
      devices: level.devices,
      lines: level.lines,
    },
    nearest: brief || model === undefined ? [] : sameModel(model, level.devices),
    says: [
      words(device, level),
      `its peak: ${tops(peak)} in int8 (${device.macs?.source ?? ""})`,
      ...(energy === undefined ? [] : [energy.says]),
    ],
  };
}

const tops = (macs: number): string => `${Number(((2 * macs) / 1e12).toPrecision(3))} TOPS`;

const many = (count: number, one: string): string => `${count} ${one}${count === 1 ? "" : "s"}`;

function words({ class: of, name }: Device, { rests, rows, devices, lines }: Level): string {
  if (rests === "device")
    return `by class (${of}): ${many(rows, "row")} of ${name} for how much of its peak it reaches, its class for how models differ`;
  const from = `from ${many(rows, "row")} of ${many(devices.length, "device")}`;
  return rests === "line"
    ? `by class (${of}): no measurement of this device; ${from} of its line (${devices.join(", ")})`
    : `by class (${of}): no measurement of this device; ${from} of its class (${lines.join(", ")})`;
}

/** The catalogue may have a peak of other numbers. */
function missingPeak({ family, chip }: Device): string {
  const peaks = loadFamily(family)?.chips.find(({ id }) => id === chip)?.peak ?? [];
  if (peaks.length === 0) return "nobody states its peak in int8, by which its class could tell it";
  if (peaks.every(({ precision }) => precision.startsWith("unstated")))
    return "its peak is stated without the numbers it is of: whether in int8, by which its class could tell it, nobody says";
  const stated = peaks
    .slice(0, 2)
    .map(({ ops, precision }) => `${Number((ops / 1e12).toPrecision(4))} TOPS in ${precision}`);
  return `its peak is stated as ${stated.join(" and ")}, not in plain int8, by which its class could tell it`;
}

/** Classes of Class are coarse: kinds of hardware of which nothing was measured are not told by another's. */
const untold: Readonly<Record<string, string>> = {
  "in-memory": "it computes in memory, and no chip that does was measured",
  FPGA: "what its logic is configured to, nobody says",
  "mesh of cores": "it is a mesh of cores, and no chip of the kind was measured",
};

/** Of an architecture that nobody names, only what was measured of its own line tells. */
function natureOf(device: Device): string | undefined {
  const family = loadFamily(device.family);
  if (family === undefined) return undefined;
  const reason = untold[family.architecture];
  if (reason !== undefined) return reason;
  const described = device.line !== undefined || device.aliases !== undefined;
  return family.architecture === "unknown" && !described ? "of what class it is, nobody says" : undefined;
}

const NEAREST = 3;

/** The same model where it was measured. */
function sameModel(model: string, devices: readonly string[]): readonly Nearest[] {
  const group = modelOf(model);
  const on = new Set(devices);
  return (["measured.json", "measured-ti.json", "measured-more.json"] as const)
    .flatMap(measuredOf)
    .filter((row) => !row.float && on.has(row.device) && modelOf(row.model) === group)
    .slice(0, NEAREST)
    .map(({ model: name, device, ms, source }) => ({
      model: name,
      device,
      ms,
      says: "another chip of its class",
      source,
    }));
}
