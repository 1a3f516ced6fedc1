/** accelctl metrics: what /metrics of the server tells, printed once or written for node_exporter's textfile collector. */

import { renameSync, rmSync, writeFileSync } from "node:fs";
import { CannotError } from "../base/errors.ts";
import { renderPrometheus } from "../export/prometheus.ts";
import { review } from "../review/review.ts";
import type { Sample } from "../watch/sample.ts";
import { samplesOf } from "../watch/stream.ts";
import { openWatch } from "../watch/watch.ts";
import { flag, option, type Command } from "./command.ts";
import { environmentsOf, queryOption, rootOf, rootOptions, vendorOption } from "./common.ts";
import { secondsOption } from "./watch-options.ts";

const [SHORTEST, LONGEST] = [0.1, 60];

const command: Command = {
  name: "metrics",
  summary: "print metrics for Prometheus once",
  usage: "",
  says:
    "Prints power, temperature, memory, use and verdict of every accelerator, and the findings of the review, as the text that Prometheus " +
    "scrapes. accelctl serve tells the same at /metrics; this is for node_exporter's textfile collector and for a look. A metric that cannot " +
    "be read has no series and is counted in accelctl_metric_unread with its reason. Rates need two samples, a second apart.",
  options: [
    ...rootOptions,
    { name: "openmetrics", says: "OpenMetrics 1.0 instead of Prometheus text" },
    { name: "output", short: "o", value: "FILE", says: "write this file, whole or not at all" },
    { name: "over", value: "SECONDS", says: "between the two samples (1)" },
    { name: "no-processes", says: "do not name the programs that use a device" },
    queryOption,
    vendorOption,
  ],
  examples: [
    { command: "accelctl metrics", says: "everything that /metrics would tell of this machine" },
    {
      command: "accelctl metrics --output /var/lib/prometheus/node-exporter/accelctl.prom",
      says: "for node_exporter, from a timer",
    },
  ],
  async run(invocation) {
    const over = secondsOption(invocation, "over", SHORTEST, LONGEST) ?? 1;
    const root = rootOf(invocation);
    const query = flag(invocation, "query");
    const processes = !flag(invocation, "no-processes");
    const report = review(root, { environments: environmentsOf(invocation), query });
    const watch = openWatch(root, { query, vendor: flag(invocation, "vendor") });
    let sample: Sample | undefined;
    try {
      // A saved machine is one moment.
      const count = root.kind === "live" ? 2 : 1;
      for await (const next of samplesOf(watch, { interval_seconds: over, count })) sample = next;
    } finally {
      watch.close();
    }
    const exposed = { report, processes, ...(sample === undefined ? {} : { sample }) };
    const text = await renderPrometheus(exposed, flag(invocation, "openmetrics") ? "openmetrics" : "prometheus");
    const file = option(invocation, "output");
    if (file === undefined) invocation.out(text);
    else replaceFile(file, text);
    return 0;
  },
};
export default command;

/** Whoever reads at the same time gets the old file or the new one; the collector passes over names that do not end in .prom. */
function replaceFile(path: string, text: string): void {
  const beside = `${path}.${process.pid}`;
  try {
    writeFileSync(beside, text, { flag: "wx", mode: 0o644 });
    renameSync(beside, path);
  } catch (error) {
    rmSync(beside, { force: true });
    const [why = ""] = (error as Error).message.split(",", 1);
    throw new CannotError(`${path}: ${why}`, { cause: error });
  }
}
