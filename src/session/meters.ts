/**
 * What a run costs besides time, where the kernel counts it: energy (RAPL, hwmon), throttling of the processor, memory of a process.
 * Documentation/power/powercap/powercap.rst, Documentation/hwmon/sysfs-interface.rst, Documentation/admin-guide/thermal
 */

import { malformed, map, valueOf, type Reading } from "../base/reading.ts";
import type { Root } from "../root/root.ts";

export interface EnergySource {
  /** "package-0", "amdgpu: PPT" */
  readonly name: string;
  readonly path: string;
  /** joules: a counter that grows. watts: what is drawn at the moment, of which energy is estimated. */
  readonly unit: "joules" | "watts";
  /** Where a counter of joules begins again at 0. */
  readonly wraps_at?: number;
  read(): Reading<number>;
}

const MICRO = 1e-6;
/** Sources that are read around each round. */
const SOURCES_LIMIT = 64;

/** Of the whole machine: a processor's package, a card, a board. Those within another (cores of a package) are left out. */
export function energySources(root: Root): readonly EnergySource[] {
  return [...raplSources(root), ...hwmonSources(root)].slice(0, SOURCES_LIMIT);
}

function raplSources(root: Root): EnergySource[] {
  const base = "/sys/class/powercap";
  // intel-rapl:0 is a package and intel-rapl:0:0 its cores; AMD's processors are listed by the same name.
  return names(root, base, /^intel-rapl:\d+$/).map((zone) => {
    const path = `${base}/${zone}/energy_uj`;
    const range = valueOf(numberIn(root, `${base}/${zone}/max_energy_range_uj`));
    return {
      name: valueOf(root.text(`${base}/${zone}/name`))?.trim() ?? zone,
      path,
      unit: "joules",
      ...(range === undefined || range <= 0 ? {} : { wraps_at: range * MICRO }),
      read: () => map(numberIn(root, path), (value) => value * MICRO),
    };
  });
}

function hwmonSources(root: Root): EnergySource[] {
  return names(root, "/sys/class/hwmon", /^hwmon\d+$/).flatMap((hwmon) => {
    const base = `/sys/class/hwmon/${hwmon}`;
    const driver = valueOf(root.text(`${base}/name`))?.trim() ?? hwmon;
    const counters = names(root, base, /^energy\d+_input$/);
    const found = counters.length > 0 ? counters : names(root, base, /^power\d+_(?:input|average)$/);
    // A sensor that gives both is one.
    const own = found.filter((name) => !name.endsWith("_average") || !found.includes(name.replace("average", "input")));
    return own.map((name): EnergySource => {
      const path = `${base}/${name}`;
      const label = valueOf(root.text(`${base}/${name.replace(/_\w+$/, "_label")}`))?.trim();
      return {
        name: label === undefined || label === "" ? driver : `${driver}: ${label}`,
        path,
        unit: counters.length > 0 ? "joules" : "watts",
        read: () => map(numberIn(root, path), (value) => value * MICRO),
      };
    });
  });
}

export type EnergyReadings = readonly Reading<number>[];

export const readEnergy = (sources: readonly EnergySource[]): EnergyReadings => sources.map((source) => source.read());

/** Joules between two readings, of counters as they count, of watts as the mean of both times the seconds; undefined where unread. */
export function joulesBetween(
  { unit, wraps_at: wraps }: EnergySource,
  before: Reading<number> | undefined,
  after: Reading<number> | undefined,
  seconds: number,
): number | undefined {
  if (before?.state !== "read" || after?.state !== "read") return undefined;
  if (unit === "watts") return ((before.value + after.value) / 2) * seconds;
  const more = after.value - before.value;
  if (more >= 0) return more;
  return wraps === undefined ? undefined : more + wraps;
}

/** Signs of throttling, by what they are: counts of the kernel, states of cooling devices. */
export type ThrottleReadings = ReadonlyMap<string, number>;

export function readThrottling(root: Root): ThrottleReadings {
  const out = new Map<string, number>();
  const add = (name: string, path: string): void => {
    const value = valueOf(numberIn(root, path));
    if (value !== undefined) out.set(name, value);
  };
  for (const cpu of names(root, "/sys/devices/system/cpu", /^cpu\d+$/)) {
    for (const what of ["core", "package"]) {
      add(`${cpu} ${what} throttle count`, `/sys/devices/system/cpu/${cpu}/thermal_throttle/${what}_throttle_count`);
    }
  }
  for (const device of names(root, "/sys/class/thermal", /^cooling_device\d+$/)) {
    const type = valueOf(root.text(`/sys/class/thermal/${device}/type`))?.trim() ?? "";
    // Fans cool without slowing anything.
    if (/^(?:Processor|cpufreq|cpuidle|devfreq|thermal-|intel_powerclamp)/i.test(type)) {
      add(`cooling of ${type}`, `/sys/class/thermal/${device}/cur_state`);
    }
  }
  return out;
}

/** A sentence for each sign that rose. */
export function throttled(before: ThrottleReadings, after: ThrottleReadings): string[] {
  return [...after].flatMap(([name, value]) => {
    const was = before.get(name);
    return was !== undefined && value > was ? [`${name} rose from ${was} to ${value}`] : [];
  });
}

/** Of the fastest core at the moment, hertz; undefined where cpufreq does not tell. */
export function fastestClock(root: Root): number | undefined {
  const base = "/sys/devices/system/cpu/cpufreq";
  const clocks = names(root, base, /^policy\d+$/).flatMap((policy) => {
    const kilohertz = valueOf(numberIn(root, `${base}/${policy}/scaling_cur_freq`));
    return kilohertz === undefined ? [] : [kilohertz * 1000];
  });
  return clocks.length === 0 ? undefined : Math.max(...clocks);
}

export interface ProcessMemory {
  readonly resident_bytes: number;
  /** The most it ever had. */
  readonly peak_bytes?: number;
}

/** proc_pid_status(5): VmRSS and VmHWM. */
export function readMemory(root: Root, pid: number): Reading<ProcessMemory> {
  const path = `/proc/${pid}/status`;
  const text = root.text(path);
  if (text.state !== "read") return text;
  const field = (name: string): number | undefined => {
    const kibibytes = new RegExp(`^${name}:\\s*(\\d{1,15}) kB`, "m").exec(text.value)?.[1];
    return kibibytes === undefined ? undefined : Number(kibibytes) * 1024;
  };
  const [resident, peak] = [field("VmRSS"), field("VmHWM")];
  if (resident === undefined) return malformed(path, "no VmRSS");
  return map(text, () => ({ resident_bytes: resident, ...(peak === undefined ? {} : { peak_bytes: peak }) }));
}

/** Processes that want a processor, mean of the last minute. */
export const readLoad = (root: Root): Reading<number> => {
  const text = root.text("/proc/loadavg");
  if (text.state !== "read") return text;
  const load = Number(/^\d+\.\d+/.exec(text.value)?.[0] ?? NaN);
  return Number.isNaN(load) ? malformed("/proc/loadavg") : map(text, () => load);
};

function numberIn(root: Root, path: string): Reading<number> {
  const text = root.text(path);
  if (text.state !== "read") return text;
  const trimmed = text.value.trim();
  return /^\d{1,20}$/.test(trimmed) ? map(text, () => Number(trimmed)) : malformed(path, "no whole number");
}

const names = (root: Root, path: string, pattern: RegExp): readonly string[] =>
  (valueOf(root.list(path)) ?? []).filter((name) => pattern.test(name)).slice(0, 1024);

/** In words, for who cannot read it. */
export const energyUnread = (sources: readonly EnergySource[], readings: EnergyReadings): string | undefined => {
  if (sources.length === 0) return "no counter of energy is here (RAPL, hwmon)";
  const refused = sources.filter((_, at) => readings[at]?.state === "denied");
  return refused.length === 0 ? undefined : `${refused.map(({ path }) => path).join(", ")}: needs root`;
};
