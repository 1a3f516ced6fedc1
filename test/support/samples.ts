/** Samples of our own making for what draws and tells them. */

import type { DeviceSample, KnownMetric, ProcessUse, Sample, UnknownMetric } from "../../src/watch/sample.ts";

export const known = (name: string, value: number, part?: string): KnownMetric => ({
  name,
  value,
  from: `/sys/example/${name}`,
  ...(part === undefined ? {} : { part }),
});

export const unknown = (name: string, why: UnknownMetric["why"], says: string, part?: string): UnknownMetric => ({
  name,
  value: null,
  why,
  says,
  from: `/sys/example/${name}`,
  ...(part === undefined ? {} : { part }),
});

export const device = (id: string, more: Partial<DeviceSample> = {}): DeviceSample => ({
  id,
  name: `Example ${id}`,
  bus: "pci",
  address: id.replace(/^pci:/, ""),
  power_state: null,
  metrics: [],
  processes: null,
  ...more,
});

export const processUse = (pid: number, command: string, metrics: ProcessUse["metrics"] = []): ProcessUse => ({
  pid,
  command,
  how: metrics.length > 0 ? "fdinfo" : "open",
  metrics,
});

export const sample = (devices: readonly DeviceSample[], sequence = 0): Sample => ({
  schema: 1,
  sequence,
  at: new Date(Date.UTC(2026, 10, 25, 12, 0, sequence)).toISOString(),
  elapsed_seconds: sequence === 0 ? null : 1,
  took_seconds: 0.004,
  devices,
});
