/**
 * Names of a sample's metrics as Prometheus has them: base unit at the end, counters in _total, the gauges of a kind of thing in the
 * plural. https://prometheus.io/docs/practices/naming/
 */

export interface ExportedName {
  /** Without accelctl_device_. */
  readonly name: string;
  readonly type: "gauge" | "counter";
  readonly help: string;
}

/** Counts that go up and down: how many there are now. Every other _count is of events. */
const things = new Set(["context_count", "core_count", "process_count", "user_count", "page_count", "task_count"]);

/** Amounts that only grow. */
const growing = new Set(["energy_joules", "busy_seconds", "engine_seconds", "active_seconds", "suspended_seconds"]);

const units: Readonly<Record<string, string>> = {
  seconds: "in seconds",
  bytes: "in bytes",
  watts: "in watts",
  joules: "in joules",
  hertz: "in hertz",
  celsius: "in degrees Celsius",
  volts: "in volts",
  amperes: "in amperes",
  ratio: "as a ratio, 0 to 1",
  count: "",
  rpm: "in turns a minute",
  tasks: "tasks",
  lanes: "lanes",
  second: "second",
};

/** Said where the name alone leaves a question open. */
const helps: Readonly<Record<string, string>> = {
  busy_ratio: "Share of the time since the last sample in which it computed, 0 to 1.",
  memory_busy_ratio: "Share of the time since the last sample in which its memory was busy, 0 to 1.",
  memory_bytes: "Memory of the device that is in use, in bytes.",
  memory_total_bytes: "Memory the device has, in bytes.",
  power_watts: "Power it draws, in watts.",
  power_limit_watts: "Power it may draw, in watts.",
  throttle_celsius: "Temperature at which it slows down, in degrees Celsius.",
  shutdown_celsius: "Temperature at which it switches itself off, in degrees Celsius.",
};

/** Undefined for what is no name of ours: samples come from recordings too. */
export function exportedName(metric: string): ExportedName | undefined {
  if (!/^[a-z][a-z0-9]*(_[a-z0-9]+)+$/.test(metric) || metric.length > 64) return undefined;
  const unit = metric.slice(metric.lastIndexOf("_") + 1);
  if (!Object.hasOwn(units, unit)) return undefined;
  const words = metric.slice(0, -unit.length - 1).replaceAll("_", " ");
  const sentence = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1).trimEnd() + ".";
  const help = (suffix: string): string =>
    Object.hasOwn(helps, metric) ? (helps[metric] ?? "") : sentence(`${words} ${suffix}`);
  if (unit === "count") {
    const plural = `${metric.slice(0, -"_count".length)}s`;
    return things.has(metric)
      ? { name: plural, type: "gauge", help: sentence(`${words}s it has now`) }
      : { name: `${plural}_total`, type: "counter", help: sentence(`${words}s since the driver began to count`) };
  }
  if (growing.has(metric)) {
    return {
      name: `${metric}_total`,
      type: "counter",
      help: help(`${units[unit] ?? ""}, since the driver began to count`),
    };
  }
  return { name: metric, type: "gauge", help: help(units[unit] ?? "") };
}
