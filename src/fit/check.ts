/** Check: what a delegate that is installed here says of the model, beside what the rules of its target say. */

import { delegates } from "../delegates/index.ts";
import type { Model } from "../model/graph.ts";
import { targetById, type FitReport } from "./fit.ts";

export interface Checked {
  readonly target: string;
  readonly delegate: string;
  readonly version?: string;
  /** Undefined: it is not here, or was not asked. */
  readonly agrees?: boolean;
  readonly says: string;
}

/** supports() of a delegate looks at the model alone: it loads no library and opens no device. */
export function checkDelegates(model: Model, report: FitReport): readonly Checked[] {
  const out = new Map<string, Checked>();
  for (const { placements, family } of report.rows) {
    for (const { target: id, fits } of placements) {
      const delegate = delegates.find((one) => one.id === targetById(id)?.delegate);
      if (delegate === undefined || out.has(id)) continue;
      const found = delegate.find({});
      const base = { target: id, delegate: delegate.id };
      if (found.state !== "read") {
        out.set(id, { ...base, says: "it is not installed here; accelctl delegates says how it is" });
        continue;
      }
      const { version } = found.value;
      const device = delegate.devices.includes(family) ? family : (delegate.devices[0] ?? "cpu");
      const refused = delegate.supports(model, device);
      const agrees = (refused === undefined) === (fits !== "none");
      const own = refused === undefined ? "nothing speaks against it" : refused;
      const ours = `the rules say ${fits === "none" ? "it takes none of it" : `it fits ${fits === "whole" ? "whole" : fits === "part" ? "in part" : "or not: unsure"}`}`;
      out.set(id, {
        ...base,
        ...(version === undefined ? {} : { version }),
        ...(fits === "unsure" ? {} : { agrees }),
        says: `${own}; ${ours}`,
      });
    }
  }
  return [...out.values()];
}
