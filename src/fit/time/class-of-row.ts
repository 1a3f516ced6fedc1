/**
 * Class of row: a row of a benchmark on a device that is told by its class, without any row of its model. What the calibration says of
 * the class is made anew from the rows that are left (data/fit/class-rows.json).
 */

import { modelOf } from "./architecture.ts";
import { classCalibration, estimateByClass, type ClassCalibration } from "./class-estimate.ts";
import { viewsOfRow } from "./class-rows.ts";
import { spreadOf, type Excess } from "./class-spread.ts";
import { dataOf } from "./data.ts";
import { HANDFUL } from "./estimate.ts";
import { rowsOn } from "./estimate-of.ts";
import type { Device, Estimate } from "./estimate.ts";
import type { Traits } from "./traits.ts";

const held = new Map<string, ClassCalibration>();

function without(group: string): ClassCalibration {
  let made = held.get(group);
  if (made === undefined) {
    const rows = dataOf<readonly Excess[]>("class-rows.json").filter((row) => row.group !== group);
    held.set(group, (made = { ...classCalibration(), ...spreadOf(rows) }));
  }
  return made;
}

/** undefined: its own measurements tell it; in words, why its class does not. */
export function estimateRowByClass(
  device: Device,
  { model, input }: { readonly model: string; readonly input: string },
  traits: Traits,
  float: boolean,
): Estimate | string | undefined {
  if (rowsOn(device, float) >= HANDFUL) return undefined;
  const views = viewsOfRow(model, input);
  if (views === undefined) return "its layers are not known";
  const { ops_g } = traits;
  return estimateByClass(views, device, { ops_g, float, brief: true }, without(modelOf(model)));
}
