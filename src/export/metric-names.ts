/**
 * Names of a sample's metrics as Prometheus has them: base unit at the end, counters in _total, what is counted in the plural.
 * https://prometheus.io/docs/practices/naming/
 */

import { METRIC_WORDS, type MetricWord } from "../watch/words.ts";

export interface ExportedName {
  /** Without accelctl_device_. */
  readonly name: string;
  readonly type: "gauge" | "counter";
  readonly help: string;
}

const names: ReadonlyMap<string, ExportedName> = new Map(METRIC_WORDS.map((word) => [word.name, nameOf(word)]));

/** Undefined for what is no name of ours: samples come from recordings too. */
export const exportedName = (metric: string): ExportedName | undefined => names.get(metric);

function nameOf({ name, says, grows }: MetricWord): ExportedName {
  const plain = name.replace(/_count$/, "s");
  const help = `${says.charAt(0).toUpperCase()}${says.slice(1)}.`;
  return grows === true ? { name: `${plain}_total`, type: "counter", help } : { name: plain, type: "gauge", help };
}
