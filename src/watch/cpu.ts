/**
 * Meters of the processor: busy time, clocks, memory, load, temperature, energy, throttling. proc_stat(5), proc_meminfo(5),
 * proc_loadavg(5), Documentation/admin-guide/pm/cpufreq.rst, Documentation/power/powercap/powercap.rst,
 * Documentation/hwmon/coretemp.rst, k10temp.rst, Documentation/arch/x86/x86_64/machinecheck (thermal_throttle)
 */

import { absent, chain, malformed, map, read, valueOf, type Reading } from "../base/reading.ts";
import type { Root } from "../root/root.ts";
import { hwmonMeters } from "./generic.ts";
import { fileMeter, ONE_MOMENT, Rate, wordOf, type Meter, type Named, type Tick } from "./meter.ts";
import { exists, type Sensors } from "./place.ts";
import type { Metric } from "./sample.ts";
import { known, metricOf, oneNumber, unknown } from "./value.ts";

const CPUS = "/sys/devices/system/cpu";
/** Processors of one machine: the kernel's own most is 8192 (CONFIG_NR_CPUS of x86-64). */
const CPU_LIMIT = 8192;
/** Zones of powercap, clock domains: servers have one of each per package, or per core. */
const LIST_LIMIT = 1024;

export function cpuMeters(root: Root, sensors: Sensors): readonly Meter[] {
  return [
    busyMeter(root),
    clockMeter(root),
    ...memoryMeters(root),
    loadMeter(root),
    ...temperatureMeters(root, sensors),
    ...energyMeters(root),
    throttleMeter(root),
  ];
}

const STAT = "/proc/stat";

interface Times {
  readonly busy: number;
  readonly all: number;
}

/** Share of the time since the sample before in which a processor was neither idle nor waiting for a disk, all and by core. */
function busyMeter(root: Root): Meter {
  let before: ReadonlyMap<string, Times> | undefined;
  const name = "busy_ratio";
  return {
    safe: true,
    gives: [{ name, from: STAT }],
    read({ moves }: Tick): readonly Metric[] {
      const times = chain(root.text(STAT), cpuTimes);
      if (times.state !== "read") {
        before = undefined;
        return [metricOf(name, undefined, times)];
      }
      if (!moves) return [unknown(name, undefined, STAT, "uncaptured", ONE_MOMENT)];
      const last = before;
      before = times.value;
      return [...times.value].map(([cpu, now]) => {
        const part = cpu === "cpu" ? undefined : `core ${cpu.slice(3)}`;
        const then = last?.get(cpu);
        if (then === undefined) return unknown(name, part, STAT, "first", "a rate needs two samples");
        const all = now.all - then.all;
        // Ticks of a hundredth of a second: two samples may fall into one. iowait may go back a little.
        if (all <= 0)
          return unknown(name, part, STAT, "first", "the kernel has not counted on since the sample before");
        return known(name, part, STAT, Math.min(1, Math.max(0, (now.busy - then.busy) / all)));
      });
    },
  };
}

/** Lines "cpu  user nice system idle iowait irq softirq steal guest guest_nice", in ticks; guest times are within user and nice. */
function cpuTimes(text: string, from: string): Reading<ReadonlyMap<string, Times>> {
  const times = new Map<string, Times>();
  for (const [, cpu = "", rest = ""] of text.matchAll(/^(cpu\d{0,5}) +([\d ]{1,400})$/gm)) {
    if (times.size > CPU_LIMIT) break;
    const [user = 0, nice = 0, system = 0, idle = 0, iowait = 0, irq = 0, softirq = 0, steal = 0] = rest
      .trim()
      .split(/ +/)
      .map(Number);
    const busy = user + nice + system + irq + softirq + steal;
    times.set(cpu, { busy, all: busy + idle + iowait });
  }
  return times.has("cpu") ? read(times, from) : malformed(from, "no line of the processors in it");
}

/** Of the fastest clock domain, and the mean of all; kilohertz in cpufreq, megahertz of /proc/cpuinfo where there is none. */
function clockMeter(root: Root): Meter {
  const base = `${CPUS}/cpufreq`;
  const policies = (valueOf(root.list(base)) ?? []).filter((name) => /^policy\d{1,5}$/.test(name)).slice(0, LIST_LIMIT);
  const from = policies.length > 0 ? `${base}/policy*/scaling_cur_freq` : "/proc/cpuinfo";
  return {
    safe: true,
    gives: [{ name: "clock_hertz", from }],
    read(): readonly Metric[] {
      const clocks =
        policies.length > 0
          ? policies.flatMap((policy) => {
              const path = `${base}/${policy}/scaling_cur_freq`;
              const hertz = valueOf(chain(root.text(path), (text) => oneNumber(text, path, 1000)));
              return hertz === undefined ? [] : [hertz];
            })
          : megahertzOf(valueOf(root.text("/proc/cpuinfo")) ?? "");
      if (clocks.length === 0) {
        return [
          metricOf("clock_hertz", undefined, absent(from, "neither cpufreq nor /proc/cpuinfo tells a clock here")),
        ];
      }
      const mean = clocks.reduce((sum, clock) => sum + clock, 0) / clocks.length;
      return [
        metricOf("clock_hertz", undefined, read(Math.round(mean), from)),
        metricOf("clock_hertz", "fastest", read(Math.max(...clocks), from)),
      ];
    },
  };
}

const megahertzOf = (text: string): number[] =>
  [...text.matchAll(/^cpu MHz\s*:\s*(\d{1,6}(?:\.\d{1,6})?)$/gm)]
    .slice(0, CPU_LIMIT)
    .map(([, mhz]) => Math.round(Number(mhz) * 1e6));

const MEMINFO = "/proc/meminfo";

function memoryMeters(root: Root): readonly Meter[] {
  const names: readonly Named[] = ["memory_bytes", "memory_total_bytes", "memory_available_bytes"].map((name) => ({
    name,
    from: MEMINFO,
  }));
  return [
    {
      safe: true,
      gives: names,
      read(): readonly Metric[] {
        const text = root.text(MEMINFO);
        const field = (name: string): Reading<number> =>
          chain(text, (all, from) => {
            const kibibytes = new RegExp(`^${name}:\\s*(\\d{1,15}) kB`, "m").exec(all)?.[1];
            return kibibytes === undefined ? absent(from, `no ${name} in it`) : read(Number(kibibytes) * 1024, from);
          });
        const [total, available] = [field("MemTotal"), field("MemAvailable")];
        const used = chain(total, (all) => map(available, (left) => Math.max(0, all - left)));
        return [
          metricOf("memory_bytes", undefined, used),
          metricOf("memory_total_bytes", undefined, total),
          metricOf("memory_available_bytes", undefined, available),
        ];
      },
    },
  ];
}

/** Means over 1, 5 and 15 minutes of the number of tasks that run or wait. */
function loadMeter(root: Root): Meter {
  const from = "/proc/loadavg";
  const name = "load_tasks";
  const parts = ["1 min", "5 min", "15 min"];
  return {
    safe: true,
    gives: parts.map((part) => ({ name, part, from })),
    read(): readonly Metric[] {
      const loads = chain(root.text(from), (text) => {
        const numbers = text.trim().split(" ", 3);
        return numbers.length === 3 && numbers.every((one) => /^\d{1,9}\.\d{1,4}$/.test(one))
          ? read(numbers.map(Number), from)
          : malformed(from, "not three means");
      });
      return parts.map((part, at) =>
        metricOf(
          name,
          part,
          map(loads, (all) => all[at] ?? 0),
        ),
      );
    },
  };
}

/** Drivers of the processor's own sensors, and zones that firmware or device trees name after it. */
const HWMON = /^(?:coretemp|k10temp|zenpower|k8temp|via_cputemp|cpu_thermal|soc_thermal)$/;
const ZONES = /^(?:x86_pkg_temp|(?:cpu|soc|package)[\w-]{0,20}[-_]thermal|cpu[-_]?thermal|thermal-cpu[\w-]*)$/i;

function temperatureMeters(root: Root, sensors: Sensors): readonly Meter[] {
  const hwmon = sensors.hwmon.filter(({ path }) => HWMON.test(wordOf(root, `${path}/name`) ?? ""));
  const own = hwmon.flatMap(({ path }) =>
    hwmonMeters(root, path, new Set(), true).filter(({ gives }) => gives[0]?.name === "temperature_celsius"),
  );
  if (own.length > 0) return own;
  const zones = sensors.zones.filter(({ type }) => ZONES.test(type));
  if (zones.length > 0) {
    return zones.map(({ path, type }) =>
      fileMeter(root, {
        name: "temperature_celsius",
        ...(zones.length > 1 ? { part: type } : {}),
        path: `${path}/temp`,
        scale: 0.001,
        safe: true,
      }),
    );
  }
  const reading = root.list("/sys/class/hwmon");
  const why =
    reading.state === "uncaptured"
      ? reading
      : absent("/sys/class/hwmon", "no sensor of the processor is known to this kernel");
  return [{ safe: true, gives: [], read: () => [metricOf("temperature_celsius", undefined, why)] }];
}

/** Energy of whole packages (RAPL); the file is for root since Linux 5.10. */
function energyMeters(root: Root): readonly Meter[] {
  const base = "/sys/class/powercap";
  const zones = (valueOf(root.list(base)) ?? [])
    .filter((name) => /^intel-rapl:\d{1,3}$/.test(name))
    .slice(0, LIST_LIMIT);
  if (zones.length === 0) {
    const reading = root.list(base);
    const why =
      reading.state === "uncaptured" ? reading : absent(base, "the kernel counts no energy of this processor");
    return [{ safe: true, gives: [], read: () => [metricOf("power_watts", undefined, why)] }];
  }
  return zones.map((zone) => {
    const range = valueOf(
      chain(root.text(`${base}/${zone}/max_energy_range_uj`), (text, from) => oneNumber(text, from)),
    );
    return fileMeter(root, {
      name: "energy_joules",
      part: wordOf(root, `${base}/${zone}/name`) ?? zone,
      path: `${base}/${zone}/energy_uj`,
      scale: 1e-6,
      safe: true,
      derived: { name: "power_watts", how: "rate", ...(range === undefined ? {} : { wraps_at: range / 1e6 }) },
    });
  });
}

/** How often cores and packages were throttled for heat, all added; only x86 counts it. */
function throttleMeter(root: Root): Meter {
  const name = "throttle_count";
  const from = `${CPUS}/cpu*/thermal_throttle/core_throttle_count`;
  const cpus = (valueOf(root.list(CPUS)) ?? []).filter((cpu) => /^cpu\d{1,5}$/.test(cpu)).slice(0, CPU_LIMIT);
  const paths = cpus
    .map((cpu) => `${CPUS}/${cpu}/thermal_throttle/core_throttle_count`)
    .filter((path) => exists(root, path).state === "read");
  const rate = new Rate({ name: "throttles_per_second", how: "rate" }, undefined, from);
  /** By core. One that is taken offline has no file any more, and its count has not gone back. */
  const counts = new Map<string, number>();
  return {
    safe: true,
    gives: [{ name, from }],
    read(tick): readonly Metric[] {
      if (paths.length === 0) {
        const why = cpus.length === 0 ? root.list(CPUS) : undefined;
        if (why?.state === "uncaptured") return [metricOf(name, undefined, why)];
        return [metricOf(name, undefined, absent(from, "this processor's kernel does not count it"))];
      }
      let unread: Reading<number> | undefined;
      for (const path of paths) {
        const reading = chain(root.text(path), (text) => oneNumber(text, path));
        if (reading.state === "read") counts.set(path, reading.value);
        else unread = reading;
      }
      if (unread !== undefined && counts.size === 0) return [metricOf(name, undefined, unread)];
      const count = read(
        [...counts.values()].reduce((sum, one) => sum + one, 0),
        from,
      );
      return [metricOf(name, undefined, count), rate.next(tick, count)];
    },
  };
}
