/** Words that the faces of a fit share: an estimate is never a bare number. */

import type { FitPlacement, FitReport, FitRow } from "../fit/fit.ts";
import type { Estimate } from "../fit/time/estimate.ts";

/** "2.64", "26.5", "439", "1250": three digits, as far as an estimate carries; microseconds at most, "0.002". */
export function milliseconds(ms: number): string {
  if (ms >= 1000) return String(Math.round(ms / 10 ** (digitsOf(ms) - 3)) * 10 ** (digitsOf(ms) - 3));
  if (ms >= 100) return ms.toFixed(0);
  if (ms >= 10) return ms.toFixed(1);
  if (ms >= 0.1 || ms === 0) return ms.toFixed(2);
  return ms < LEAST ? "<0.001" : ms.toFixed(3);
}

/** Microseconds are as much as an estimate may claim. */
const LEAST = 0.0005;

const digitsOf = (ms: number): number => Math.floor(Math.log10(ms)) + 1;

/** "2.64 (2.10 to 3.32) ms"; undefined where nothing carries an estimate. */
export function intervalWords({ median_ms, low_ms, high_ms }: Estimate): string | undefined {
  if (median_ms === undefined || low_ms === undefined || high_ms === undefined) return undefined;
  return `${milliseconds(median_ms)} (${milliseconds(low_ms)} to ${milliseconds(high_ms)}) ms`;
}

export const kindWords = ({ kind, from, byClass }: Estimate): string =>
  from === "class"
    ? byClass === undefined
      ? "by its compiler's own estimate"
      : "by its class and peak, not from measurements of it"
    : kind === "maker"
      ? "as its maker would publish it"
      : "as others would measure it";

const bounds: Readonly<Record<NonNullable<Estimate["bound"]>, string>> = {
  compute: "computing",
  memory: "memory traffic",
  link: "the link to it",
  cpu: "what stays on the CPU",
  overhead: "the fixed cost of a run",
};

export const boundWords = ({ bound }: Estimate): string | undefined =>
  bound === undefined ? undefined : bounds[bound];

const share = (ratio: number): string => `${(ratio * 100).toFixed(0)} %`;

/** Of fewer rows nobody can say how often an interval holds. */
const FEW = 8;

export function basisWords({ basis, byClass, from }: Estimate): string {
  if (byClass !== undefined) {
    const on = { device: "rows of its own", line: "other chips of its line", class: "other chips of its class" };
    const rests = `its peak and ${on[byClass.rests]}, ${byClass.rows} rows in all`;
    if (basis === undefined) return rests;
    return (
      `${rests}; of chips left out like this half were missed by less than ${share(basis.median_error)}, nine of ten by less ` +
      `than ${share(basis.p90_error)}, and ${share(basis.held)} lay in the interval`
    );
  }
  if (basis !== undefined) {
    if (basis.rows < FEW) {
      const many = basis.rows === 1 ? "1 measurement" : `${basis.rows} measurements`;
      return `${many} of this device, too few to tell how far it is off, and those of devices like it`;
    }
    return (
      `${basis.rows} measurements of this device; left out one model at a time, half were missed by less than ` +
      `${share(basis.median_error)}, nine of ten by less than ${share(basis.p90_error)}, and ${share(basis.held)} lay in the interval`
    );
  }
  return {
    fitted: "measurements of this device",
    class: "its compiler's own estimate; no measurement of this device",
    none: "",
  }[from];
}

/** "38 of 40 operators in 2 partitions, 97 % of MACs". */
export function placementWords({ total, taken, cpu, unsure, partitions, share: ratio }: FitPlacement): string {
  const parts = partitions.length === 1 ? "1 partition" : `${partitions.length} partitions`;
  const macs = ratio === undefined || taken === 0 ? "" : `, ${shareOfMacs(ratio)} of MACs`;
  const rest = [cpu > 0 ? `${cpu} on the CPU` : "", unsure > 0 ? `${unsure} unsure` : ""].filter((word) => word !== "");
  return `${taken} of ${total} operator${total === 1 ? "" : "s"}${taken === 0 ? "" : ` in ${parts}`}${macs}${rest.length === 0 ? "" : `; ${rest.join(", ")}`}`;
}

/** 100 % is said of all of them alone. */
export const shareOfMacs = (ratio: number): string =>
  ratio < 1 && ratio > 0.995 ? "99.9 %" : ratio > 0 && ratio < 0.005 ? "0.1 %" : share(ratio);

export const fitsWords = { whole: "whole", part: "in part", none: "not", unsure: "unsure" } as const;

/** The placement that an estimate is of. */
export const bestOf = (row: FitRow): FitPlacement | undefined => row.placements[0];

export function targetName(report: Pick<FitReport, "targets">, id: string): string {
  const target = report.targets.find((one) => one.id === id);
  return target === undefined ? id : [target.tool, target.version].filter((word) => word !== "").join(" ");
}

export const inputWords = ({ model }: Pick<FitReport, "model">): string =>
  model.input.map((shape) => `[${shape.map((size) => String(size ?? "?")).join(", ")}]`).join(", ");

/** "#3", "#3, #7 and 12 more". */
export function nodesWords(nodes: readonly number[]): string {
  const shown = nodes.slice(0, 3).map((node) => `#${node}`);
  return shown.join(", ") + (nodes.length > 3 ? ` and ${nodes.length - 3} more` : "");
}
