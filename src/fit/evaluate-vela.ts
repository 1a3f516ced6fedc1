/** Vela's estimate made anew (time/vela.ts) held against what Vela itself said, layer by layer, for `npm run bench -- fit`. */

import { findSkeleton } from "./graphs.ts";
import { place } from "./place.ts";
import type { Table } from "./placement-tables.ts";
import type { Target } from "./target.ts";
import { velaEstimate, type VelaOperation } from "./time/vela.ts";
import { viewOf } from "./view.ts";

/** data/fit/vela-layers.json: what Vela printed of each layer. */
export interface VelaLayers {
  readonly what: string;
  /** TFLite's operator and Vela's name of what it became, with a blank between. */
  readonly operators: readonly string[];
  /** By model and accelerator: [operator, MACs, cycles]. */
  readonly models: Readonly<Record<string, Readonly<Record<string, readonly (readonly [number, number, number])[]>>>>;
}

export interface VelaAgreement {
  readonly accelerator: string;
  readonly models: number;
  readonly layers: number;
  /** Layers that ours has none for: another operator, or another number of multiplications. */
  readonly unpaired: number;
  /** Relative errors of cycles of the paired layers, sorted. */
  readonly errors: readonly number[];
  /** Whole models: ours over Vela's. */
  readonly totals: readonly { readonly model: string; readonly ratio: number }[];
}

/** The project's bar: median of the layers' errors. */
export const velaBar = 0.1;

/** Of every accelerator, over the models whose graphs are at hand; `missing`: those that are not. */
export function evaluateVela(layers: VelaLayers, target: Target): { agreements: VelaAgreement[]; missing: string[] } {
  const rows = new Map<
    string,
    { models: number; layers: number; unpaired: number; errors: number[]; totals: { model: string; ratio: number }[] }
  >();
  const missing: string[] = [];
  for (const [name, byAccelerator] of Object.entries(layers.models)) {
    const found = findSkeleton(name);
    if (found === undefined) {
      missing.push(name);
      continue;
    }
    const { views, model } = viewOf(found);
    const taken = new Set(
      place(views, model, target).nodes.flatMap(({ view, answer }) => (answer.takes === "yes" ? [view.index] : [])),
    );
    for (const [accelerator, real] of Object.entries(byAccelerator)) {
      const ours = velaEstimate(views, { accelerator, fork: "nxp", taken: ({ index }) => taken.has(index) });
      if (ours === undefined) continue;
      const row = rows.get(accelerator) ?? { models: 0, layers: 0, unpaired: 0, errors: [], totals: [] };
      rows.set(accelerator, row);
      const errors = paired(
        real.map(([op, macs, cycles]) => ({ key: `${layers.operators[op] ?? ""} ${macs}`, cycles })),
        ours.operations,
      );
      row.models++;
      row.layers += real.length;
      row.unpaired += real.length - errors.length;
      row.errors.push(...errors);
      const all = real.reduce((sum, [, , cycles]) => sum + cycles, 0);
      row.totals.push({ model: name, ratio: ours.cycles.total / all });
    }
  }
  const agreements = [...rows]
    .sort(([a], [b]) => a.localeCompare(b))
    .map(([accelerator, row]): VelaAgreement => ({ accelerator, ...row, errors: row.errors.sort((a, b) => a - b) }));
  return { agreements, missing };
}

/** Layers of the same operator and as many multiplications, in order: Vela may run branches of a graph in another one than ours. */
function paired(real: readonly { key: string; cycles: number }[], ours: readonly VelaOperation[]): number[] {
  const waiting = new Map<string, number[]>();
  for (const { source, name, macs, total } of ours) {
    const key = `${source} ${name} ${macs}`;
    const list = waiting.get(key);
    if (list === undefined) waiting.set(key, [total]);
    else list.push(total);
  }
  const next = new Map<string, number>();
  return real.flatMap(({ key, cycles }) => {
    const at = next.get(key) ?? 0;
    const own = waiting.get(key)?.[at];
    next.set(key, at + 1);
    return own === undefined ? [] : [Math.abs(own - cycles) / Math.max(cycles, 1)];
  });
}

/** Of sorted values. */
export const quantileOf = (sorted: readonly number[], share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN;

export function velaTable(layers: VelaLayers, target: Target): Table {
  const { agreements, missing } = evaluateVela(layers, target);
  const together: VelaAgreement = {
    accelerator: "together",
    models: Math.max(0, ...agreements.map(({ models }) => models)),
    layers: agreements.reduce((sum, one) => sum + one.layers, 0),
    unpaired: agreements.reduce((sum, one) => sum + one.unpaired, 0),
    errors: agreements.flatMap(({ errors }) => errors).sort((a, b) => a - b),
    totals: agreements.flatMap(({ totals }) => totals),
  };
  const without = missing.length === 0 ? "" : `; no graph of ${missing.join(", ")}`;
  return {
    title: `Vela's own estimate made anew, cycles layer by layer (relative error). Bar: median 10 %${without}`,
    head: [
      "accelerator",
      "models",
      "layers",
      "unpaired",
      "median",
      "p90",
      "within 10 %",
      "totals: median",
      "totals: p90",
      "bar",
    ],
    rows: [...agreements, together].map(line),
  };
}

const percent = (value: number): string => (Number.isFinite(value) ? `${(value * 100).toFixed(1)} %` : "-");

function line({ accelerator, models, layers, unpaired, errors, totals }: VelaAgreement): readonly string[] {
  const off = totals.map(({ ratio }) => Math.abs(ratio - 1)).sort((a, b) => a - b);
  const median = quantileOf(errors, 0.5);
  return [
    accelerator,
    String(models),
    String(layers),
    String(unpaired),
    percent(median),
    percent(quantileOf(errors, 0.9)),
    percent(errors.filter((error) => error <= 0.1).length / errors.length),
    percent(quantileOf(off, 0.5)),
    percent(quantileOf(off, 0.9)),
    median <= velaBar ? "met" : "missed",
  ];
}
