/**
 * Class spread: by what factor devices take longer than their peak would have it (class-work.ts), and how far devices lie apart in it:
 * chip lines of a class, chips of a line, models on a chip. A level between them is weighed as far as its own rows carry: nothing of the
 * chip, a sister's rows, a few of its own.
 */

import type { Class } from "./estimate.ts";
import { quantile } from "./leave-one-out.ts";

/** A measured row, as the logarithm of how many times longer than its floor it took. */
export interface Excess {
  readonly class: Class;
  readonly line: string;
  readonly device: string;
  /** Rows of one model go together. */
  readonly group: string;
  readonly ops_g: number;
  readonly value: number;
}

/** Tenth and ninetieth of a hundred models about their device's middle. */
export interface Within {
  readonly low: number;
  readonly high: number;
}

export interface DeviceLevel {
  readonly device: string;
  readonly rows: number;
  readonly level: number;
}

export interface LineLevel extends Within {
  readonly line: string;
  /** Middle of its devices. */
  readonly level: number;
  readonly devices: readonly DeviceLevel[];
}

export interface ClassSpread extends Within {
  readonly class: Class;
  readonly lines: readonly LineLevel[];
  /** Operations, in thousands of millions, that were measured. */
  readonly least: number;
  readonly most: number;
}

export interface Spread {
  readonly classes: readonly ClassSpread[];
  /** Standard deviations: of lines in a class, with how many degrees of freedom, of devices in a line, of models on a device. */
  readonly ofLines: number;
  readonly degrees: number;
  readonly ofDevices: number;
  readonly ofModels: number;
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
const squares = (values: readonly number[]): number => {
  const middle = mean(values);
  return values.reduce((sum, value) => sum + (value - middle) ** 2, 0);
};

function grouped<T>(list: readonly T[], by: (one: T) => string): readonly (readonly [string, readonly T[]])[] {
  const found = new Map<string, T[]>();
  for (const one of list) {
    const held = found.get(by(one));
    if (held) held.push(one);
    else found.set(by(one), [one]);
  }
  return [...found];
}

/** A normal law's tenth and ninetieth of a hundred lie so many deviations apart. */
const TENTHS = 2.563;
/** A line of fewer rows borrows how models scatter from its class. */
const MANY = 20;

export function spreadOf(rows: readonly Excess[]): Spread {
  const classes = grouped(rows, (row) => row.class).map(([, own]): ClassSpread => {
    const made = grouped(own, ({ line }) => line).map(([line, members]) => {
      const devices = grouped(members, ({ device }) => device).map(([device, list]) => ({
        device,
        rows: list.length,
        level: quantile(
          list.map(({ value }) => value),
          0.5,
        ),
      }));
      const levels = new Map(devices.map(({ device, level }) => [device, level]));
      const about = members.map(({ device, value }) => value - (levels.get(device) ?? 0));
      return { line, devices, level: mean(devices.map(({ level }) => level)), about };
    });
    // Each line counts the same, however many rows its maker publishes.
    const all = made.flatMap(({ about }) => about.map((value) => ({ value, weight: 1 / about.length })));
    const scatter = { low: weighted(all, 0.1), high: weighted(all, 0.9) };
    const lines = made.map(({ about, ...line }): LineLevel => {
      const [low, high] = [quantile(about, 0.1), quantile(about, 0.9)];
      return { ...line, ...(about.length < MANY ? scatter : { low, high }) };
    });
    const sizes = own.map(({ ops_g }) => ops_g);
    const [first] = own;
    return {
      class: first?.class ?? "MAC array",
      ...scatter,
      lines,
      least: sizes.reduce((a, b) => Math.min(a, b), Infinity),
      most: sizes.reduce((a, b) => Math.max(a, b), 0),
    };
  });
  const lines = classes.flatMap((each) => each.lines);
  const degrees = lines.length - classes.length;
  const sisters = lines.reduce((sum, { devices }) => sum + devices.length - 1, 0);
  const root = (sum: number, count: number): number => (count > 0 ? Math.sqrt(sum / count) : 0);
  const levels = (list: readonly { readonly level: number }[]): number => squares(list.map(({ level }) => level));
  return {
    classes,
    ofLines: root(
      classes.reduce((sum, each) => sum + levels(each.lines), 0),
      degrees,
    ),
    degrees,
    ofDevices: root(
      lines.reduce((sum, { devices }) => sum + levels(devices), 0),
      sisters,
    ),
    ofModels: mean(classes.map(({ low, high }) => (high - low) / TENTHS)),
  };
}

function weighted(values: readonly { readonly value: number; readonly weight: number }[], share: number): number {
  const sorted = [...values].sort((a, b) => a.value - b.value);
  const total = sorted.reduce((sum, { weight }) => sum + weight, 0);
  let passed = 0;
  for (const { value, weight } of sorted) {
    passed += weight;
    if (passed >= share * total) return value;
  }
  return sorted.at(-1)?.value ?? 0;
}

/** Student's t that nine of ten stay below, by degrees of freedom: of few lines nobody knows how far lines lie apart. */
const students = [3.08, 3.08, 1.89, 1.64, 1.53, 1.48, 1.44, 1.42, 1.4, 1.38, 1.37];

export interface Asked {
  readonly class: Class;
  readonly line: string;
  readonly device: string;
}

/** What the answer rests on, nearest first. */
export interface Level {
  /** Logarithms: the middle, and the tenth and ninetieth of a hundred. */
  readonly middle: number;
  readonly low: number;
  readonly high: number;
  readonly rests: "device" | "line" | "class";
  readonly rows: number;
  readonly devices: readonly string[];
  readonly lines: readonly string[];
}

/** Median of n values: half as uncertain again as their mean. */
const medianVariance = (deviation: number, rows: number): number => (1.57 * deviation ** 2) / rows;

/** undefined: nothing of the class was measured. */
export function levelOf(spread: Spread, asked: Asked): Level | undefined {
  const found = spread.classes.find((each) => each.class === asked.class);
  if (found === undefined) return undefined;
  const own = found.lines.find(({ line }) => line === asked.line);
  const others = found.lines.filter((line) => line !== own);
  if (own === undefined && others.length === 0) return undefined;
  let level = mean((others.length > 0 ? others : found.lines).map((line) => line.level));
  // A line that stands alone is known by its own rows: what others would say of it weighs nothing.
  let variance = others.length > 0 ? spread.ofLines ** 2 * (1 + 1 / others.length) : 1e3;
  const weigh = (told: number, uncertain: number): void => {
    level = (level * uncertain + told * variance) / (uncertain + variance);
    variance = (variance * uncertain) / (variance + uncertain);
  };
  const sisters = own?.devices.filter(({ device }) => device !== asked.device) ?? [];
  for (const sister of sisters)
    weigh(sister.level, spread.ofDevices ** 2 + medianVariance(spread.ofModels, sister.rows));
  variance += spread.ofDevices ** 2;
  const itself = own?.devices.find(({ device }) => device === asked.device);
  if (itself !== undefined) weigh(itself.level, medianVariance(spread.ofModels, itself.rows));
  const apart = Math.sqrt(variance) * (students[Math.min(spread.degrees, students.length - 1)] ?? 1.37);
  const { low, high } = own ?? found;
  const named = itself !== undefined ? [itself] : sisters.length > 0 ? sisters : others.flatMap((line) => line.devices);
  return {
    middle: level,
    low: level - Math.hypot(apart, low),
    high: level + Math.hypot(apart, high),
    rests: itself !== undefined ? "device" : sisters.length > 0 ? "line" : "class",
    rows: named.reduce((sum, { rows }) => sum + rows, 0),
    devices: named.map(({ device }) => device),
    lines: itself !== undefined || sisters.length > 0 ? [asked.line] : others.map(({ line }) => line),
  };
}
