/** Training: rows as the calibration learns from them and as evaluation leaves them out: features, logarithms, who belongs together. */

import { familyOf, plainName } from "./architecture.ts";
import { groupOf, knownTraits } from "./known-traits.ts";
import { measuredOf, type Measured } from "./measured.ts";
import { pools, type Pool, type PoolId } from "./pools.ts";
import { rooflineOf } from "./roofline.ts";
import { deviceOf } from "./rows.ts";
import { featuresOf, traitsOfSheet, type Traits } from "./traits.ts";

export interface Row {
  /** Device, how it was driven, and who measured: what is predicted for itself. */
  readonly setting: string;
  readonly measured: Measured;
  /** Rows of one model go together, under whatever name. */
  readonly group: string;
  readonly family: string | undefined;
  readonly traits: Traits;
  readonly features: readonly (number | undefined)[];
  /** What arithmetic and memory make of it: a logarithm, to which the pool's constant comes. */
  readonly roofline: number | undefined;
  /** Logarithm of milliseconds. */
  readonly y: number;
}

export const settingOf = ({ device, how, kind }: Pick<Measured, "device" | "how" | "kind">): string =>
  [device, ...(how === "" ? [] : [how]), ...(kind === "independent" ? ["independent"] : [])].join(" | ");

/** Traits of a row's model: of its layers where they are known, else of what the row tells. */
export function traitsOfRow(row: Pick<Measured, "model" | "input" | "params_m" | "ops_g">): Traits | undefined {
  return (
    knownTraits(row.model, row.input, row) ??
    traitsOfSheet({
      model: row.model,
      input: row.input,
      ...(row.params_m === undefined ? {} : { params_m: row.params_m }),
      ...(row.ops_g === undefined ? {} : { ops_g: row.ops_g }),
    })
  );
}

export function poolOfRow(row: Measured, pool: Pool): boolean {
  if (pool.id === "ncnn-gpu") return row.how.startsWith("Vulkan");
  if (pool.id === "ncnn-cpu") return !row.how.startsWith("Vulkan");
  return deviceOf(row.device)?.pool === pool.id;
}

/** Rows of a pool that something can be learnt from; `left`: models of which nothing is known but the name. */
export function rowsOf(id: PoolId): { readonly rows: readonly Row[]; readonly left: readonly Measured[] } {
  const pool = pools.find((entry) => entry.id === id);
  if (pool === undefined) return { rows: [], left: [] };
  const rows: Row[] = [];
  const left: Measured[] = [];
  const cache = new Map<string, Traits | undefined>();
  for (const measured of onceEach(measuredOf(pool.file).filter((row) => poolOfRow(row, pool)))) {
    const key = `${measured.model}|${measured.input}|${measured.params_m ?? ""}|${measured.ops_g ?? ""}`;
    if (!cache.has(key)) cache.set(key, traitsOfRow(measured));
    const traits = cache.get(key);
    if (traits === undefined) {
      left.push(measured);
      continue;
    }
    rows.push({
      setting: settingOf(measured),
      measured,
      group: groupOf(measured.model),
      family: familyOf(measured.model),
      traits,
      features: featuresOf(traits, measured.float),
      roofline: beforehand(pool, traits, measured.float),
      y: Math.log(measured.ms),
    });
  }
  return { rows, left };
}

/** undefined: its layers are not known. 0 where nothing is presumed. */
export function beforehand(pool: Pool | undefined, { layers }: Traits, float: boolean): number | undefined {
  const habit = pool?.habit;
  if (habit === undefined) return 0;
  return layers && rooflineOf(layers, float, habit);
}

/** What a source lists twice, or two sources list, is one row: the middle of its times, as their logarithms go. */
function onceEach(rows: readonly Measured[]): readonly Measured[] {
  const same = new Map<string, Measured[]>();
  for (const row of rows) {
    const key = [settingOf(row), plainName(row.model), plainName(row.input), row.float].join("|");
    const list = same.get(key);
    if (list) list.push(row);
    else same.set(key, [row]);
  }
  return [...same.values()].flatMap((list) => {
    const [first] = list;
    if (first === undefined || list.length === 1) return list;
    return [{ ...first, ms: Math.exp(list.reduce((sum, { ms }) => sum + Math.log(ms), 0) / list.length) }];
  });
}
