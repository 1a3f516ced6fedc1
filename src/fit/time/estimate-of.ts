/** An estimate from traits alone: of a model whose layers are at hand, or of a row of a benchmark that tells parameters and operations. */

import { familyOf } from "./architecture.ts";
import { calibrationOf, filled, pointsOf, predict, type Calibration, type PoolCalibration } from "./calibration.ts";
import type { Device, Estimate, Nearest } from "./estimate.ts";
import { carriedByTraits, overLink, type Carried } from "./link.ts";
import { sourceOf } from "./measured.ts";
import { energyOf } from "./power.ts";
import { groupOf } from "./known-traits.ts";
import { poolOf } from "./pools.ts";
import { beforehand, settingOf } from "./training.ts";
import { featuresOf, type Traits } from "./traits.ts";

/** Models this many times larger or smaller than any that was measured are nothing to tell a number of. */
const REACH = 4;

/** Fewer rows of a device tell its speed, if at all, only together with its sisters'. */
const FEW = 8;
const LEAST = 2;

/** An interval wider than this says nothing. */
const WIDEST = 40;

export interface About {
  readonly model?: string;
  /** Who measured: absent, the maker before others. */
  readonly kind?: "maker" | "independent";
  /** As if no row of this model had been seen. */
  readonly without?: string;
  /** Driven otherwise than the device says. */
  readonly how?: string;
  /** Without the nearest measurements: nobody reads those of a hundred devices. */
  readonly brief?: boolean;
  /** What crosses the link, where that is known of its layers. */
  readonly carried?: Carried;
}

export function estimateOf(
  device: Device,
  traits: Traits,
  float: boolean,
  { model, kind, without, brief, carried }: About = {},
): Estimate {
  const none = (says: string): Estimate => ({
    device: device.id,
    from: "none",
    kind: kind ?? "maker",
    costly: [],
    nearest: [],
    says: [says],
  });
  const { pool: poolId } = device;
  const calibration = calibrationOf();
  const pool = poolId === undefined ? undefined : calibration.pools[poolId];
  if (poolId === undefined || pool === undefined) return none(`no measurement of ${device.name} is published`);
  const setting = chosen(pool, device, float, kind);
  if (setting === undefined) return none(`no measurement of ${device.name} is published for models of this precision`);
  const own = pointsOf(pool, setting.at).filter(([, m = 0]) => pool.models[m]?.[1] !== without);
  if (own.length < LEAST)
    return none(
      `${own.length === 0 ? "no" : "one"} measurement of ${device.name} is published${without === undefined ? "" : " besides this model's own"}: too few to tell its speed from`,
    );
  const range = rangeOf(pool, setting.at);
  if (traits.ops_g < range.least / REACH || traits.ops_g > range.most * REACH)
    return none(
      `${traits.ops_g.toPrecision(3)} thousand million operations lie far outside the ${range.least.toPrecision(2)} to ${range.most.toPrecision(2)} that were measured on ${device.name}`,
    );
  const features = featuresOf(traits, float);
  const prediction = predict(calibration, {
    pool: poolId,
    setting: setting.name,
    features,
    roofline: beforehand(poolOf(poolId), traits, float),
    family: model === undefined ? undefined : familyOf(model),
    model: model === undefined ? undefined : groupOf(model),
    ...(without === undefined ? {} : { without }),
  });
  if (prediction === undefined || !Number.isFinite(prediction.median_ms)) return none("its figures are out of reach");
  if (prediction.high_ms > WIDEST * prediction.low_ms)
    return none(
      `nothing like it was measured on ${device.name}: what was leaves it open by more than a factor of ${WIDEST}`,
    );
  const { rows, median, p90, held } = prediction.setting;
  const over = overLink(prediction, device, carried ?? carriedByTraits(traits, device));
  const { median_ms, low_ms, high_ms } = over.times;
  const energy = brief === true ? undefined : energyOf(device, low_ms, high_ms);
  return {
    device: device.id,
    from: "fitted",
    kind: setting.independent ? "independent" : "maker",
    median_ms,
    low_ms,
    high_ms,
    ...(energy === undefined ? {} : { millijoules: energy.millijoules }),
    costly: [],
    basis: { rows, median_error: median, p90_error: p90, held },
    nearest: brief === true ? [] : nearestOf(calibration, pool, device, setting.at, features, without),
    says: [
      ...over.says,
      ...(rows < FEW
        ? [`only ${rows} published rows of ${device.name}: its speed against its sisters' is all they tell`]
        : []),
      ...(poolId === "hailo"
        ? ["frames per second of a stream, turned round: from picture to answer takes longer"]
        : []),
      ...(setting.independent ? ["as others measured, not the maker"] : []),
      ...(energy === undefined ? [] : [energy.says]),
    ],
  };
}

/** Published rows of a device that it would be told from. */
export function rowsOn(device: Device, float: boolean): number {
  const pool = device.pool === undefined ? undefined : calibrationOf().pools[device.pool];
  const setting = pool && chosen(pool, device, float, undefined);
  return pool && setting ? pointsOf(pool, setting.at).length : 0;
}

interface Chosen {
  readonly name: string;
  readonly at: number;
  readonly independent: boolean;
}

/** The setting that is asked for; else the maker's before others', the one with most rows. */
function chosen(
  pool: PoolCalibration,
  device: Device,
  float: boolean,
  kind: "maker" | "independent" | undefined,
): Chosen | undefined {
  const how =
    device.how === undefined || device.pool !== "ai-hub" ? device.how : `${device.how} ${float ? "float" : "w8a8"}`;
  for (const independent of [false, true]) {
    if (kind !== undefined && (kind === "independent") !== independent) continue;
    const name = settingOf({
      device: device.measuredAs ?? device.id,
      how: how ?? "",
      kind: independent ? "independent" : "maker",
    });
    // "4 threads" is "4 threads, powersave 2" as well.
    const longer = `${name},`;
    const at = pool.settings.findIndex((setting) => setting.name === name || setting.name.startsWith(longer));
    const found = pool.settings[at];
    if (found) return { name: found.name, at, independent };
  }
  return kind === undefined ? undefined : chosen(pool, device, float, undefined);
}

function rangeOf(pool: PoolCalibration, setting: number): { least: number; most: number } {
  let [least, most] = [Infinity, -Infinity];
  for (const point of pointsOf(pool, setting)) {
    const x = pool.models[point[1] ?? 0]?.[3][0] ?? 0;
    if (x < least) least = x;
    if (x > most) most = x;
  }
  const ops = (x: number): number =>
    Number.isFinite(x) ? Math.exp(x * (pool.scale[0] ?? 1) + (pool.mean[0] ?? 0)) : 0;
  return { least: least === Infinity ? Infinity : ops(least), most: ops(most) };
}

/** Published rows of the device whose models are most like it. */
function nearestOf(
  calibration: Calibration,
  pool: PoolCalibration,
  device: Device,
  setting: number,
  features: readonly (number | undefined)[],
  without: string | undefined,
): readonly Nearest[] {
  const { relevance } = pool.kernels.time;
  const x = filled(features, calibration.fill).map((value, i) => (value - (pool.mean[i] ?? 0)) / (pool.scale[i] ?? 1));
  const found = pool.points
    .filter(([s, m = 0]) => s === setting && (without === undefined || pool.models[m]?.[1] !== without))
    .map(([, m = 0, y = 0]) => {
      const [name = "", , , own = []] = pool.models[m] ?? [];
      const distance = own.reduce((sum, value, i) => sum + ((value - (x[i] ?? 0)) * (relevance[i] ?? 0)) ** 2, 0);
      return { name, ms: Math.exp(y), distance };
    })
    .sort((a, b) => a.distance - b.distance)
    .slice(0, 3);
  const file = poolOf(device.pool ?? "others")?.file ?? "measured.json";
  return found.map(({ name, ms, distance }) => ({
    model: name,
    // Those of another link are another device's.
    device: (device.measuredLink && device.measuredAs) ?? device.name,
    ms,
    says: distance < 0.02 ? "a model of the same figures" : "the most like it of those measured",
    source: sourceOf(file, device.measuredAs ?? device.id, name) ?? "",
  }));
}
