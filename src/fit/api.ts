/** fit() and rank() for programs: what the verbs of these names answer, without a terminal. */

import { CannotError } from "../base/errors.ts";
import type { Model } from "../model/graph.ts";
import { listDevices } from "../review/inventory.ts";
import type { Root } from "../root/root.ts";
import type { Assumptions } from "./assume.ts";
import { devicesFor, devicesHere, type Chosen } from "./choose.ts";
import { fitOn, type FitReport } from "./fit.ts";
import { rank as order, type RankReport, type Wishes } from "./rank.ts";
import { subjectOf, type Subject } from "./subject.ts";

export interface FitRequest extends Assumptions {
  /** Devices, compilers or delegates, families, chips, or "all". */
  readonly for?: string | readonly string[];
  /** The accelerators of this machine; with `for` they are marked as here. One of the two is needed. */
  readonly machine?: Root;
  /** Also what becomes of each node. */
  readonly nodes?: boolean;
}

/**
 * Where a model would run, how fast, and why not. `model` is a path, the name of a known model, or a model that was read. Nothing is
 * compiled, loaded or run. Throws UsageError for names that are not known, FileError for a file that is none.
 */
export function fit(model: string | Model, request: FitRequest): FitReport {
  const { for: words, machine, ...options } = request;
  const here = machine === undefined ? [] : devicesHere(listDevices(machine));
  const chosen: Chosen = words === undefined ? { devices: here } : devicesFor([words].flat());
  if (words === undefined && machine === undefined) {
    throw new CannotError('fit() needs devices: { for: "all" }, or { machine: openRoot() }');
  }
  const { targets } = chosen;
  const { subject, asked = {}, name } = typeof model === "string" ? subjectOf(model) : ofModel(model);
  return fitOn(subject, chosen.devices, {
    ...asked,
    ...options,
    ...(name === undefined ? {} : { name }),
    here: new Set(here.map(({ id }) => id)),
    ...(targets === undefined ? {} : { targets }),
  });
}

const ofModel = (subject: Model): Partial<Subject> & Pick<Subject, "subject"> => ({ subject });

/** The same in the order of time, with limits; of devices that are left out, why. All that are known where none is named. */
export function rank(
  model: string | Model,
  { maxMs, maxWatts, open, ...request }: FitRequest & Wishes = {},
): RankReport {
  const devices = request.for === undefined && request.machine === undefined ? { for: "all" } : {};
  return order(fit(model, { ...devices, ...request }), {
    ...(maxMs === undefined ? {} : { maxMs }),
    ...(maxWatts === undefined ? {} : { maxWatts }),
    ...(open === undefined ? {} : { open }),
  });
}
