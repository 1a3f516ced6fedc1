/** Class rows: measured rows of integer models whose layers are known, on devices whose peak of int8 somebody states. For tools and evaluation. */

import { findKnown } from "../find-known.ts";
import { viewOf, type View } from "../view.ts";
import { modelOf } from "./architecture.ts";
import { lineOf, peakOf, type ClassCalibration, type ClassErrors } from "./class-estimate.ts";
import { classLines, judgeClasses } from "./class-evaluate.ts";
import { spreadOf, type Excess, type Level } from "./class-spread.ts";
import { classWork, floorOf } from "./class-work.ts";
import { all } from "./devices/index.ts";
import type { Class, Device } from "./estimate.ts";
import { knownTraits } from "./known-traits.ts";
import { measuredOf, type Measured } from "./measured.ts";
import { deviceOf } from "./rows.ts";

const files = ["measured.json", "measured-ai-hub.json", "measured-ti.json", "measured-more.json"] as const;
/** Where one device was driven in several ways: the one without another runtime around it. */
const ways: ReadonlySet<string> = new Set(["", "qnn_dlc w8a8"]);

export function classRows(only?: ReadonlySet<string>): readonly Excess[] {
  return files.flatMap((file) =>
    measuredOf(file).flatMap((row): readonly Excess[] => {
      if (row.float || !ways.has(row.how) || only?.has(row.device) === false) return [];
      const device = deviceOf(row.device);
      // Behind a slow link it is the link that was measured.
      const made = device === undefined || device.link?.kind === "usb2" ? undefined : excessOf(device, row);
      return made ? [made] : [];
    }),
  );
}

function excessOf(device: Device, row: Measured): Excess | undefined {
  const peak = peakOf(device);
  const traits = knownTraits(row.model, row.input, row);
  const views = traits && viewsOfRow(row.model, row.input);
  const work = views && classWork(views, device.class);
  if (peak === undefined || traits === undefined || work === undefined) return undefined;
  return {
    class: device.class,
    line: lineOf(device),
    device: device.id,
    group: modelOf(row.model),
    ops_g: traits.ops_g,
    value: Math.log(row.ms / floorOf(work, peak)),
  };
}

const held = new Map<string, readonly View[] | undefined>();

/** Of a known model, by the name and the input of a benchmark's row. */
export function viewsOfRow(name: string, input: string): readonly View[] | undefined {
  const key = `${name}|${input}`;
  if (!held.has(key)) held.set(key, build(name, input));
  return held.get(key);
}

function build(name: string, input: string): readonly View[] | undefined {
  const found = findKnown(name);
  if (found === undefined) return undefined;
  const [channels, own] = found.known.input;
  const [height, width = height, ...more] = (input.match(/\d+/g) ?? []).map(Number).filter((n) => n > 4 && n <= 4096);
  const size =
    height === undefined || width === undefined || more.length > 0 || own < 8
      ? found.input
      : ([channels, height, width] as const);
  try {
    return viewOf(found.known.build(size === undefined ? {} : { input: size })).views;
  } catch {
    // A size that its layers cannot take.
    return undefined;
  }
}

/** What tools/fit.mjs writes: classes.json for estimates, and the rows that it comes from for whoever evaluates it. */
export function calibrateClasses(rows: readonly Excess[]): ClassCalibration {
  const spread = spreadOf(rows);
  const used = new Set(rows.map(({ device }) => device));
  const peaks: Partial<Record<Class, readonly [number, number]>> = {};
  for (const device of all) {
    const peak = peakOf(device);
    if (peak === undefined || !used.has(device.id)) continue;
    const [least, most] = peaks[device.class] ?? [peak, peak];
    peaks[device.class] = [Math.min(least, peak), Math.max(most, peak)];
  }
  const errors: Partial<Record<Class, Partial<Record<Level["rests"], ClassErrors>>>> = {};
  for (const { class: of, rests, rows: count, median, p90, held: share } of classLines(judgeClasses(rows)))
    errors[of] = { ...errors[of], [rests]: { rows: count, median, p90, held: share } };
  return { ...spread, peaks, errors };
}
