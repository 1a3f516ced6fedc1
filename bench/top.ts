/**
 * What `accelctl top` costs: processor time of this process over 30 seconds, sampling a captured machine's tree once a second and
 * drawing 80 by 24, as the verb does it. Promise: at most 2 % of a core with 16 devices, and 10 ms a sample.
 */

import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Screen } from "../src/print/screen.ts";
import { plainTerminal } from "../src/print/terminal.ts";
import { renderTop } from "../src/print/top.ts";
import { firstState, withSample } from "../src/print/top-state.ts";
import { openRoot } from "../src/root/open.ts";
import { samplesOf } from "../src/watch/stream.ts";
import { openWatch } from "../src/watch/watch.ts";
import { median, ms, table } from "./_table.ts";

const SECONDS = 30;
const archive = "../shared/machines/kernel/rack-7.3.tar.gz";
const scratch = mkdtempSync(join(tmpdir(), "accelctl-bench-top-"));
const size = { columns: 80, rows: 24 };

/** Processor time and bytes written, from the second sample on: the first looks everything up. */
async function cost(name: string, path: string | undefined): Promise<readonly string[]> {
  const watch = openWatch(openRoot(path), { moves: true });
  const screen = new Screen();
  let state = firstState({ interval: 1 });
  const took: number[] = [];
  let bytes = 0;
  let [begun, cpu] = [0, process.cpuUsage()];
  for await (const sample of samplesOf(watch, { interval_seconds: 1, count: SECONDS + 1 })) {
    state = withSample(state, sample);
    const text = screen.draw(
      renderTop(state, size, { ...plainTerminal, isTerminal: true, colour: true }),
      size.columns,
    );
    if (sample.sequence === 0) [begun, cpu] = [performance.now(), process.cpuUsage()];
    else {
      took.push(sample.took_seconds * 1000);
      bytes += text.length;
    }
  }
  watch.close();
  const used = process.cpuUsage(cpu);
  const seconds = (performance.now() - begun) / 1000;
  const share = (used.user + used.system) / 1e6 / seconds;
  const devices = state.sample?.devices.length ?? 0;
  const metrics = state.sample?.devices.reduce((sum, device) => sum + device.metrics.length, 0) ?? 0;
  return [
    name,
    String(devices),
    String(metrics),
    ms(median(took)),
    `${(share * 100).toFixed(2)} %`,
    String(Math.round(bytes / SECONDS)),
  ];
}

try {
  const rows = [await cost("this machine", undefined)];
  if (existsSync(archive)) {
    spawnSync("tar", ["-xzf", archive, "-C", scratch], { stdio: "ignore" });
    rows.push(await cost("rack-7.3, unpacked", scratch));
  }
  table(
    `top, ${SECONDS} s at one sample a second`,
    ["machine", "devices", "metrics", "sample ms", "of a core", "bytes/frame"],
    rows,
  );
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
