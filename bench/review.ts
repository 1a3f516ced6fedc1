/**
 * Review in process: of each captured machine (../shared when it is there, else the repository's own), opened once. Promise: the
 * largest in at most 25 ms; and 1,000 captures reviewed in one process at 100 a second or more on one core.
 */

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { openCapture } from "../src/root/capture.ts";
import { openRoot } from "../src/root/open.ts";
import { review } from "../src/review/review.ts";
import { takeCapture } from "../src/review/take-capture.ts";
import { median, ms, table } from "./_table.ts";

const folders = ["../shared/machines/kernel", "../shared/machines/sysfs"].filter((folder) => existsSync(folder));
const archives = folders.flatMap((folder) =>
  readdirSync(folder)
    .filter((name) => /\.tar\.(gz|bz2)$/.test(name))
    .map((name) => `${folder}/${name}`),
);
const captures = readdirSync("machines")
  .filter((name) => name.endsWith(".json") && !name.endsWith(".report.json"))
  .map((name) => `machines/${name}`);

const rows = [...archives, ...captures].map((path) => {
  const root = openRoot(path);
  const times: number[] = [];
  for (let i = 0; i < 15; i++) {
    const start = performance.now();
    review(root);
    times.push(performance.now() - start);
  }
  return { path, first: times[0] ?? NaN, warm: median(times.slice(3)) };
});
rows.sort((a, b) => b.warm - a.warm);
table(
  "Review in process (opening not counted), slowest first",
  ["machine", "first ms", "median ms"],
  rows.slice(0, 12).map((row) => [row.path.replace("../shared/machines/", ""), ms(row.first), ms(row.warm)]),
);

// Captures as users send them: of each archive where they are at hand (95 to 145 KiB), else the repository's small ones.
const taken = archives
  .filter((path) => path.includes("/kernel/"))
  .map((path) => {
    const names = { users: [], hosts: [] };
    const { text } = takeCapture(openRoot(path), { environments: [], query: false, redact: true, trim: true, names });
    return { path, bytes: Buffer.from(text) };
  });
const files = taken.length > 0 ? taken : captures.map((path) => ({ path, bytes: readFileSync(path) }));
if (files.length > 0) {
  const count = 1000;
  const start = performance.now();
  for (let i = 0; i < count; i++) {
    const file = files[i % files.length];
    if (file) review(openCapture(file.bytes, file.path));
  }
  const seconds = (performance.now() - start) / 1000;
  const size = files.reduce((sum, file) => sum + file.bytes.length, 0) / files.length / 1024;
  table(
    `${count} captures opened and reviewed in one process`,
    ["captures", "mean KiB", "seconds", "per second"],
    [[String(files.length), size.toFixed(0), seconds.toFixed(2), (count / seconds).toFixed(0)]],
  );
}
