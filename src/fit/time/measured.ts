/** Measured: published times, as rows of data/fit/measured*.json. Facts with their sources; made by tools/fit.mjs. */

import { dataOf } from "./data.ts";

/**
 * data/fit/measured.json of benchmarks and makers' tables, -ai-hub of Qualcomm's, -ncnn of ncnn's own benchmark, -ti of TI's documents,
 * -more of what was read of others since.
 */
export type MeasuredFile =
  "measured.json" | "measured-ai-hub.json" | "measured-ncnn.json" | "measured-ti.json" | "measured-more.json";

interface Stored {
  readonly sources: readonly string[];
  /** [device, how it was driven where that makes a difference]. */
  readonly settings: readonly (readonly [string, string])[];
  /** [name, parameters in millions or 0, operations in thousands of millions or 0, input or ""]. */
  readonly models: readonly (readonly [string, number, number, string])[];
  /** [setting, model, 1 for floating point, 1 for an independent measurement, ms, source, ms at batch 8 or 0]. */
  readonly rows: readonly (readonly [number, number, number, number, number, number, number])[];
}

export interface Measured {
  readonly device: string;
  readonly how: string;
  readonly model: string;
  readonly params_m?: number;
  readonly ops_g?: number;
  readonly input: string;
  readonly float: boolean;
  readonly kind: "maker" | "independent";
  readonly ms: number;
  /** Of one inference when eight go at once. */
  readonly ms_of_8?: number;
  readonly source: string;
}

const read = new Map<MeasuredFile, readonly Measured[]>();

export function measuredOf(file: MeasuredFile): readonly Measured[] {
  let rows = read.get(file);
  if (rows === undefined) {
    const { sources, settings, models, rows: stored } = dataOf<Stored>(file);
    rows = stored.flatMap(([s, m, float, independent, ms, source, ms8]) => {
      const [setting, model] = [settings[s], models[m]];
      if (setting === undefined || model === undefined) return [];
      const [name, params_m, ops_g, input] = model;
      return [
        {
          device: setting[0],
          how: setting[1],
          model: name,
          ...(params_m > 0 ? { params_m } : {}),
          ...(ops_g > 0 ? { ops_g } : {}),
          input,
          float: float === 1,
          kind: independent === 1 ? ("independent" as const) : ("maker" as const),
          ms,
          ...(ms8 > 0 ? { ms_of_8: ms8 } : {}),
          source: sources[source] ?? "",
        },
      ];
    });
    read.set(file, rows);
  }
  return rows;
}

const sources = new Map<MeasuredFile, ReadonlyMap<string, string>>();

/** Where a device's row of a model is published. */
export function sourceOf(file: MeasuredFile, device: string, model: string): string | undefined {
  let own = sources.get(file);
  if (own === undefined)
    sources.set(file, (own = new Map(measuredOf(file).map((row) => [`${row.device}|${row.model}`, row.source]))));
  return own.get(`${device}|${model}`);
}
