/**
 * Evaluate latency: how far estimates are from what was published, model by model left out, beside the power law and the nearest
 * neighbour; and of rows that nobody has seen yet (`accelctl fit --eval`). Training and evaluation never share a model.
 */

import { calibrationOf } from "./time/calibration.ts";
import { estimateRowByClass } from "./time/class-of-row.ts";
import { estimateOf } from "./time/estimate-of.ts";
import { groupOf } from "./time/known-traits.ts";
import { evaluatePool, quantile, standard, type SettingErrors } from "./time/leave-one-out.ts";
import { pools, type PoolId } from "./time/pools.ts";
import { deviceOf, inputWords, isFloat, millisecondsOf, type PublishedRow } from "./time/rows.ts";
import { rowsOf, traitsOfRow } from "./time/training.ts";

export interface Table {
  readonly title: string;
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** Bars of the project, for a device of at least so many rows. */
export const latencyBars = { rows: 25, median: 0.25, p90: 0.6, ofPowerLaw: 0.6, held: [0.75, 0.87] } as const;

export interface DeviceErrors extends SettingErrors {
  readonly pool: PoolId;
  /** Rows of which nothing is known but the model's name: nothing can be told of them, and nothing was. */
  readonly left: number;
}

/** Every setting that has rows, each model left out of all of them. */
export function leaveOneOut(only: readonly PoolId[] = pools.map(({ id }) => id)): readonly DeviceErrors[] {
  const { fill, pools: calibrated } = calibrationOf();
  return pools.flatMap((pool): readonly DeviceErrors[] => {
    const calibration = calibrated[pool.id];
    if (!only.includes(pool.id) || calibration === undefined) return [];
    const { rows, left } = rowsOf(pool.id);
    const { settings } = evaluatePool(
      rows,
      standard(rows, fill, pool, calibration.roofline),
      calibration.kernels,
      pool,
    );
    return settings.map((setting) => ({
      ...setting,
      pool: pool.id,
      left: left.filter((row) => setting.setting.split(" | ")[0] === row.device).length,
    }));
  });
}

const percent = (value: number): string => (Number.isFinite(value) ? `${(value * 100).toFixed(1)} %` : "-");

/** For `npm run bench -- fit`. */
export function latencyTables(): readonly Table[] {
  const all = leaveOneOut();
  const large = all.filter(({ rows }) => rows >= latencyBars.rows);
  const named = large.filter(({ pool }) => !pool.startsWith("ncnn") && pool !== "ai-hub");
  const head = ["device", "rows", "median", "p90", "80 % held", "power law", "with params", "nearest", "bars"];
  return [
    {
      title:
        `Latency, each model left out of all devices; relative error. Bars with ${latencyBars.rows} rows and more: median 25 %, p90 60 %, ` +
        "0.6 x the power law's median, intervals hold on 75 to 87 %",
      head,
      rows: named.map(line),
    },
    ...(["ai-hub", "ncnn-cpu", "ncnn-gpu"] as const).flatMap((pool): readonly Table[] => {
      const own = large.filter((each) => each.pool === pool).sort((a, b) => b.rows - a.rows);
      if (own.length === 0) return [];
      return [
        {
          title: `${pool}: ${own.length} settings of ${latencyBars.rows} rows and more, together`,
          head,
          rows: [together(own)],
        },
        { title: `${pool}: those with most rows`, head, rows: own.slice(0, 12).map(line) },
      ];
    }),
    {
      title: "Devices of fewer rows, together by pool",
      head,
      rows: pools.flatMap(({ id }) => {
        const own = all.filter(({ pool, rows }) => pool === id && rows < latencyBars.rows);
        return own.length === 0 ? [] : [together(own, `${id}: ${own.length} settings`)];
      }),
    },
  ];
}

function line(each: DeviceErrors): readonly string[] {
  return [
    each.setting.slice(0, 64),
    String(each.rows),
    percent(each.median),
    percent(each.p90),
    percent(each.held),
    percent(each.power.median),
    percent(each.powerParams.median),
    percent(each.nearest.median),
    missed(each) || "all",
  ];
}

/** The bars that are missed, in words; "" when none is. */
export function missed({ median, p90, held, power }: SettingErrors): string {
  return [
    ...(median <= latencyBars.median ? [] : ["median"]),
    ...(p90 <= latencyBars.p90 ? [] : ["p90"]),
    ...(median <= latencyBars.ofPowerLaw * power.median ? [] : ["power law"]),
    ...(held >= latencyBars.held[0] && held <= latencyBars.held[1] ? [] : ["held"]),
  ].join(", ");
}

/** Medians over settings, each with the weight of its rows where that is a share. */
function together(settings: readonly DeviceErrors[], name = "all"): readonly string[] {
  const middle = (of: (each: DeviceErrors) => number): number =>
    quantile(settings.map(of).filter(Number.isFinite), 0.5);
  const rows = settings.reduce((sum, each) => sum + each.rows, 0);
  const held = settings.reduce((sum, each) => sum + each.held * each.rows, 0) / Math.max(1, rows);
  return [
    name,
    String(rows),
    percent(middle(({ median }) => median)),
    percent(middle(({ p90 }) => p90)),
    percent(held),
    percent(middle(({ power }) => power.median)),
    percent(middle(({ powerParams }) => powerParams.median)),
    percent(middle(({ nearest }) => nearest.median)),
    `${settings.filter((each) => missed(each) === "").length} of ${settings.length} meet all`,
  ];
}

export interface EvaluatedRow {
  readonly device: string;
  readonly model: string;
  readonly measured_ms?: number;
  readonly kind: "maker" | "independent";
  /** Told by its class, not by its own measurements. */
  readonly from?: "class";
  readonly median_ms?: number;
  readonly low_ms?: number;
  readonly high_ms?: number;
  /** |estimate / measured - 1|. */
  readonly error?: number;
  readonly held?: boolean;
  /** Why there is no number. */
  readonly says?: string;
}

export interface LatencyEvaluation {
  readonly rows: readonly EvaluatedRow[];
  readonly devices: readonly {
    readonly device: string;
    readonly kind: "maker" | "independent";
    readonly rows: number;
    readonly told: number;
    readonly median: number;
    readonly p90: number;
    readonly held: number;
  }[];
}

/** Rows in the shape of published-benchmarks.json. A model that the calibration has rows of is taken out of it first. */
export function evaluateLatency(rows: readonly PublishedRow[]): LatencyEvaluation {
  const done = rows.map(evaluateRow);
  const groups = new Map<string, EvaluatedRow[]>();
  for (const row of done) {
    const key = `${row.device}|${row.kind}|${row.from ?? ""}`;
    groups.set(key, [...(groups.get(key) ?? []), row]);
  }
  const devices = [...groups].map(([key, own]) => {
    const told = own.filter(({ error }) => error !== undefined);
    const errors = told.map(({ error = NaN }) => error);
    const [device = "", kind, from] = key.split("|");
    return {
      device: from === "class" ? `${device} (by class)` : device,
      kind: kind === "independent" ? ("independent" as const) : ("maker" as const),
      rows: own.length,
      told: told.length,
      median: quantile(errors, 0.5),
      p90: quantile(errors, 0.9),
      held: told.filter(({ held }) => held === true).length / Math.max(1, told.length),
    };
  });
  return { rows: done, devices };
}

function evaluateRow(row: PublishedRow): EvaluatedRow {
  const measured = millisecondsOf(row);
  const kind = (row.kind ?? "vendor").startsWith("vendor") ? ("maker" as const) : ("independent" as const);
  const base = {
    device: row.device,
    model: row.model,
    kind,
    ...(measured === undefined ? {} : { measured_ms: measured }),
  };
  const device = deviceOf(row.device, row.runtime);
  if (device === undefined) return { ...base, says: "no device of that name is known" };
  const traits = traitsOfRow({
    model: row.model,
    input: inputWords(row.input),
    ...(typeof row.params_m === "number" ? { params_m: row.params_m } : {}),
    ...(typeof row.ops_g === "number" ? { ops_g: row.ops_g } : {}),
  });
  if (traits === undefined)
    return { ...base, says: "its layers are not known, nor does the row tell parameters and operations" };
  const float = isFloat(row.precision);
  const byClass = estimateRowByClass(device, { model: row.model, input: inputWords(row.input) }, traits, float);
  const byRows = estimateOf(device, traits, float, {
    model: row.model,
    kind,
    without: groupOf(row.model),
  });
  const told = typeof byClass === "object" ? byClass : byRows;
  const { median_ms, low_ms, high_ms } = told;
  if (median_ms === undefined || low_ms === undefined || high_ms === undefined)
    return { ...base, says: [...told.says, ...(typeof byClass === "string" ? [byClass] : [])].join("; ") };
  return {
    ...base,
    ...(told.from === "class" ? { from: told.from } : {}),
    median_ms,
    low_ms,
    high_ms,
    ...(measured === undefined
      ? {}
      : { error: Math.abs(median_ms / measured - 1), held: measured >= low_ms && measured <= high_ms }),
  };
}
