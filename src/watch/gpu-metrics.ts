/**
 * What amdgpu's gpu_metrics tells beside the other files: what holds the clock back, the link as the card's firmware sees it, and on APUs
 * the load of the NPU that shares the package. Bits of indep_throttle_status: drivers/gpu/drm/amd/pm/swsmu/inc/amdgpu_smu.h. Where the
 * header says no unit (v1.0 to v1.3, v2.x) only the throttling is taken.
 */

import { absent, chain, read, type Reading } from "../base/reading.ts";
import { parseGpuTable, type GpuTable, type Parsed } from "./gpu-table.ts";
import { isGone, ONE_MOMENT, type Meter, type Named, type Tick } from "./meter.ts";
import { exists, type Place } from "./place.ts";
import type { Metric } from "./sample.ts";
import { metricOf, scaled, unknown, withoutValue } from "./value.ts";

interface Row {
  readonly field: string;
  readonly name: string;
  readonly part?: string;
  /** Of an array: each member is a part of its own, "video 0". */
  readonly members?: true;
  readonly scale: number;
  /** Only where no file gives a metric of this name. */
  readonly fallback?: true;
}

const MEGA = 1e6;
/** v1.4 and later: percent, watts, 2^-16 joules, lanes, tenths of GT/s. */
const ROWS_1: readonly Row[] = [
  { field: "pcie_link_width", name: "pcie_link_lanes", part: "firmware", scale: 1 },
  { field: "pcie_link_speed", name: "pcie_link_transfers_per_second", part: "firmware", scale: 1e8 },
  { field: "energy_accumulator", name: "energy_joules", part: "socket", scale: 2 ** -16 },
  { field: "vcn_activity", name: "busy_ratio", part: "video", members: true, scale: 0.01 },
  { field: "average_gfx_activity", name: "busy_ratio", scale: 0.01, fallback: true },
  { field: "average_umc_activity", name: "memory_busy_ratio", scale: 0.01, fallback: true },
  { field: "curr_socket_power", name: "power_watts", scale: 1, fallback: true },
];
/** v3.0: percent, milliwatts, MHz, MB/s. The IPU is the NPU that amdxdna drives. */
const ROWS_3: readonly Row[] = [
  { field: "average_ipu_activity", name: "busy_ratio", part: "NPU column", members: true, scale: 0.01 },
  { field: "average_ipu_power", name: "power_watts", part: "NPU", scale: 0.001 },
  { field: "average_ipuclk_frequency", name: "clock_hertz", part: "NPU", scale: MEGA },
  { field: "average_ipu_reads", name: "memory_read_bytes_per_second", part: "NPU", scale: MEGA },
  { field: "average_ipu_writes", name: "memory_write_bytes_per_second", part: "NPU", scale: MEGA },
  { field: "average_dram_reads", name: "memory_read_bytes_per_second", part: "DRAM", scale: MEGA },
  { field: "average_dram_writes", name: "memory_write_bytes_per_second", part: "DRAM", scale: MEGA },
];
const ROWS: Readonly<Record<string, readonly Row[]>> = {
  "1.4": ROWS_1,
  "1.5": ROWS_1,
  "1.6": ROWS_1,
  "1.7": ROWS_1,
  "1.8": ROWS_1,
  "1.9": ROWS_1,
  "3.0": ROWS_3,
};

/** Bits of the status that does not depend on the chip, by what limits. */
const CAUSES = [
  { part: "power", from: 0n },
  { part: "current", from: 16n },
  { part: "temperature", from: 32n },
  { part: "other", from: 48n },
];

/** v1.6 and later: in how many of the firmware's cycles (accumulation_counter) each limit held. */
const RESIDENCIES = [
  { field: "prochot_residency_acc", part: "PROCHOT" },
  { field: "ppt_residency_acc", part: "power" },
  { field: "socket_thm_residency_acc", part: "temperature of the socket" },
  { field: "vr_thm_residency_acc", part: "temperature of the regulators" },
  { field: "hbm_thm_residency_acc", part: "temperature of the memory" },
];
/** v3.0: counted up with each update of the table while the limit holds. */
const UPDATES = [
  { field: "throttle_residency_prochot", part: "PROCHOT" },
  { field: "throttle_residency_spl", part: "sustained power" },
  { field: "throttle_residency_fppt", part: "fast power" },
  { field: "throttle_residency_sppt", part: "slow power" },
  { field: "throttle_residency_thm_core", part: "temperature of the cores" },
  { field: "throttle_residency_thm_gfx", part: "temperature of the GPU" },
  { field: "throttle_residency_thm_soc", part: "temperature of the SoC" },
];

const STATE = "throttled_state";
const NOT_TOLD = "this GPU's firmware does not tell it";

/** `told`: names that files give already. */
export function gpuTableMeters(place: Place, told: ReadonlySet<string>): readonly Meter[] {
  if (place.driver !== "amdgpu") return [];
  return place.directories
    .map((directory) => `${directory}/gpu_metrics`)
    .filter((path) => exists(place.root, path).state === "read")
    .slice(0, 1)
    .map((path) => tableMeter(place, path, told));
}

function tableMeter({ root }: Place, from: string, told: ReadonlySet<string>): Meter {
  let gives: readonly Named[] = [{ name: STATE, from }];
  let before: { readonly sequence: number; readonly values: GpuTable } | undefined;
  let lost = false;
  return {
    safe: false,
    get gives() {
      return gives;
    },
    read(tick): readonly Metric[] {
      const bytes = withoutValue(root.bytes(from));
      lost = isGone(bytes);
      const table = chain(bytes, parseGpuTable);
      if (table.state !== "read") {
        before = undefined;
        return [metricOf(STATE, undefined, table)];
      }
      const last = before?.sequence === tick.sequence - 1 ? before.values : undefined;
      before = { sequence: tick.sequence, values: table.value.values };
      const metrics = [...rowsOf(table.value, from, told), ...throttling(table.value, last, from, tick)];
      gives = metrics.map(({ name, part }) => (part === undefined ? { name, from } : { name, part, from }));
      return metrics;
    },
    gone: () => lost,
  };
}

function rowsOf({ version, values }: Parsed, from: string, told: ReadonlySet<string>): readonly Metric[] {
  return (ROWS[version] ?? []).flatMap(({ field, name, part, members, scale, fallback }) => {
    if (fallback === true && told.has(name)) return [];
    const found = values.get(field) ?? [];
    return (members === true ? found : found.slice(0, 1)).map((value, at) =>
      metricOf(name, members === true ? `${part ?? ""} ${at}` : part, read(scaled(Number(value), scale), from)),
    );
  });
}

function throttling({ values }: Parsed, last: GpuTable | undefined, from: string, tick: Tick): readonly Metric[] {
  const causes = values.get("indep_throttle_status")?.[0];
  if (causes !== undefined) {
    return [
      metricOf(STATE, undefined, flag(causes !== 0n, from)),
      ...CAUSES.map(({ part, from: bit }) => metricOf(STATE, part, flag(((causes >> bit) & 0xffffn) !== 0n, from))),
    ];
  }
  const status = values.get("throttle_status")?.[0];
  if (status !== undefined) return [metricOf(STATE, undefined, flag(status !== 0n, from))];
  const counted = [...RESIDENCIES, ...UPDATES].filter(({ field }) => values.has(field));
  if (counted.length === 0) return [metricOf(STATE, undefined, absent(from, NOT_TOLD))];
  const growths = counted.map(({ field }) => growth(values, last, field));
  const any = growths.some((more) => more !== undefined && more > 0);
  const state = growths.includes(undefined)
    ? waiting(STATE, undefined, from, tick)
    : metricOf(STATE, undefined, flag(any, from));
  const cycles = growth(values, last, "accumulation_counter");
  return [
    state,
    ...counted.map(({ field, part }, at): Metric => {
      if (!values.has("accumulation_counter")) {
        return metricOf("throttled_update_count", part, read(Number(values.get(field)?.[0] ?? 0n), from));
      }
      const more = growths[at];
      if (more === undefined || cycles === undefined || cycles <= 0)
        return waiting("throttled_ratio", part, from, tick);
      return metricOf("throttled_ratio", part, read(Math.min(1, more / cycles), from));
    }),
  ];
}

const flag = (on: boolean, from: string): Reading<number> => read(on ? 1 : 0, from);

const waiting = (name: string, part: string | undefined, from: string, { moves }: Tick): Metric =>
  moves
    ? unknown(name, part, from, "first", "a rate needs two samples")
    : unknown(name, part, from, "uncaptured", ONE_MOMENT);

/** How much a counter has grown; undefined before there are two readings and where it began anew. */
function growth(values: GpuTable, last: GpuTable | undefined, field: string): number | undefined {
  const [now, then] = [values.get(field)?.[0], last?.get(field)?.[0]];
  return now === undefined || then === undefined || now < then ? undefined : Number(now - then);
}
