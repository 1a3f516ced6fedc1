/** Rank: devices in the order of how long one inference takes on them, with what was asked for; of the others why they are not in it. */

import type { FitReport, FitRow } from "./fit.ts";
import { openRoutes } from "./open.ts";

export interface Wishes {
  readonly maxMs?: number;
  readonly maxWatts?: number;
  readonly open?: boolean;
}

export interface RankRow extends FitRow {
  /** 1 is the quickest by its median. Devices whose intervals overlap cannot be told apart. */
  readonly rank: number;
  /** Ranks whose interval overlaps this one's. */
  readonly alike: number;
  /** Routes of the catalogue that are open throughout. */
  readonly open: readonly string[];
}

export interface RankReport extends Omit<FitReport, "rows"> {
  readonly rows: readonly RankRow[];
  /** Asked about and not in the order. */
  readonly left: readonly { readonly device: string; readonly name: string; readonly because: string }[];
}

export function rank(report: FitReport, { maxMs, maxWatts, open }: Wishes = {}): RankReport {
  const left: { device: string; name: string; because: string }[] = [];
  const rows: (Omit<RankRow, "rank" | "alike"> & { median: number })[] = [];
  for (const row of report.rows) {
    const { estimate, device, name, watts } = row;
    const routes = openRoutes(row.family, row.chip);
    const { median_ms: median } = estimate;
    const because =
      row.placements.length > 0 && row.placements.every(({ fits }) => fits === "none")
        ? "takes none of it"
        : median === undefined
          ? (estimate.says[0] ?? "nothing carries an estimate")
          : maxMs !== undefined && median > maxMs
            ? `slower than ${maxMs} ms`
            : maxWatts !== undefined && watts === undefined
              ? "its power is not known"
              : maxWatts !== undefined && (watts?.value ?? 0) > maxWatts
                ? `draws more than ${maxWatts} W`
                : open === true && routes.length === 0
                  ? "no way to it is open throughout"
                  : undefined;
    if (because !== undefined || median === undefined) left.push({ device, name, because: because ?? "" });
    else rows.push({ ...row, open: routes, median });
  }
  rows.sort((a, b) => a.median - b.median || (a.device < b.device ? -1 : 1));
  return {
    ...report,
    rows: rows.map(({ median: _, ...row }, at) => ({
      ...row,
      rank: at + 1,
      alike: rows.filter((other) => other.device !== row.device && overlap(row.estimate, other.estimate)).length,
    })),
    left,
  };
}

function overlap(a: FitRow["estimate"], b: FitRow["estimate"]): boolean {
  return (a.low_ms ?? 0) <= (b.high_ms ?? Infinity) && (b.low_ms ?? 0) <= (a.high_ms ?? Infinity);
}
