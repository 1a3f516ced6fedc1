/**
 * Sampling: sixteen accelerators and the processes that use them. Promise: at most 10 ms a sample. Beside it systeminformation, the npm
 * package people take for this, asked for the load, memory, temperature and graphics of this machine (far less, of one machine with none).
 */

import * as systeminformation from "systeminformation";
import { openWatch } from "../src/watch/watch.ts";
import { sixteenDevices } from "./_sixteen.ts";
import { median, ms, table } from "./_table.ts";

const ROUNDS = 60;
const machine = sixteenDevices();
const rows: string[][] = [];

function measure(
  name: string,
  sample: () => { readonly devices: readonly { readonly metrics: readonly unknown[] }[] },
): void {
  const first = performance.now();
  const once = sample();
  const begun = performance.now() - first;
  const times: number[] = [];
  const before = process.cpuUsage();
  for (let i = 0; i < ROUNDS; i++) {
    const start = performance.now();
    sample();
    times.push(performance.now() - start);
  }
  const { user, system } = process.cpuUsage(before);
  times.sort((a, b) => a - b);
  const metrics = once.devices.reduce((sum, device) => sum + device.metrics.length, 0);
  rows.push([
    name,
    String(metrics),
    ms(begun),
    ms(median(times)),
    ms(times[Math.floor(ROUNDS * 0.95)] ?? NaN),
    ms((user + system) / 1000 / ROUNDS),
  ]);
}

try {
  const plain = openWatch(machine.root, { processes: false });
  measure("16 devices, no processes", () => plain.sample());
  const whole = openWatch(machine.root);
  measure("16 devices, 400 processes", () => whole.sample());
  const times: number[] = [];
  let first = NaN;
  for (let i = 0; i < 5; i++) {
    const start = performance.now();
    await Promise.all([
      systeminformation.currentLoad(),
      systeminformation.mem(),
      systeminformation.cpuTemperature(),
      systeminformation.graphics(),
      systeminformation.processes(),
    ]);
    const took = performance.now() - start;
    if (i === 0) first = took;
    else times.push(took);
  }
  rows.push(["systeminformation, this machine", "-", ms(first), ms(median(times)), ms(Math.max(...times)), "-"]);
} finally {
  machine.close();
}
table(
  "One sample (promise: 10 ms for 16 devices)",
  ["what", "metrics", "first ms", "median ms", "p95 ms", "processor ms"],
  rows,
);
