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

export function rank(report: FitReport, wishes: Wishes = {}): RankReport {
  const left: { device: string; name: string; because: string }[] = [];
  const rows: { row: Omit<RankRow, "rank" | "alike">; median: number }[] = [];
  for (const row of report.rows) {
    const { device, name } = row;
    const routes = openRoutes(row.family, row.chip);
    const because = whyNot(row, routes, wishes);
    const { median_ms: median } = row.estimate;
    if (because !== undefined || median === undefined) left.push({ device, name, because: because ?? UNKNOWN });
    else rows.push({ row: { ...row, open: routes }, median });
  }
  rows.sort((a, b) => a.median - b.median || (a.row.device < b.row.device ? -1 : 1));
  return {
    ...report,
    rows: rows.map(({ row }, at) => ({
      ...row,
      rank: at + 1,
      alike: rows.filter(({ row: other }) => other.device !== row.device && overlap(row.estimate, other.estimate))
        .length,
    })),
    left,
  };
}

const UNKNOWN = "nothing carries an estimate";

function whyNot(
  { name, estimate, placements, watts }: FitRow,
  routes: readonly string[],
  { maxMs, maxWatts, open }: Wishes,
): string | undefined {
  if (placements.length > 0 && placements.every(({ fits }) => fits === "none")) return "takes none of it";
  const { median_ms: median } = estimate;
  // Devices of which the same is said are told together.
  if (median === undefined) return estimate.says[0]?.replaceAll(name, "it") ?? UNKNOWN;
  if (maxMs !== undefined && median > maxMs) return `slower than ${maxMs} ms`;
  if (maxWatts !== undefined) {
    if (watts === undefined) return "its power is not known";
    if (watts.value > maxWatts) return `draws more than ${maxWatts} W`;
  }
  return open === true && routes.length === 0 ? "no way to it is open throughout" : undefined;
}

function overlap(a: FitRow["estimate"], b: FitRow["estimate"]): boolean {
  return (a.low_ms ?? 0) <= (b.high_ms ?? Infinity) && (b.low_ms ?? 0) <= (a.high_ms ?? Infinity);
}
