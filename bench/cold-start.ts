/**
 * Cold start of the inventory beside what people run today, in one run: `node -e 0` (the floor), systeminformation (the npm
 * library), inxi -F, lshw and lspci -vv where they are installed. Promise: at most 2.0 times `node -e 0`, and below all peers.
 */

import { spawnSync } from "node:child_process";
import { median, ms, sideBySide, table } from "./_table.ts";

const cli = "dist/accelctl.cjs";
const has = (program: string): boolean => spawnSync("sh", ["-c", `command -v ${program}`]).status === 0;

function run(command: string, args: readonly string[]): () => void {
  return () => {
    const done = spawnSync(command, args, { stdio: ["ignore", "ignore", "ignore"] });
    if (done.error) throw done.error;
  };
}

const candidates = [
  { name: "node -e 0", run: run(process.execPath, ["-e", "0"]) },
  { name: "accelctl list --json", run: run(process.execPath, [cli, "list", "--json"]) },
  { name: "accelctl review --json", run: run(process.execPath, [cli, "review", "--json"]) },
  {
    name: "systeminformation getAllData",
    run: run(process.execPath, ["-e", "require('systeminformation').getAllData().then(()=>process.exit(0))"]),
  },
  ...(has("inxi") ? [{ name: "inxi -F", run: run("inxi", ["-F"]) }] : []),
  ...(has("lshw") && has("lspci") ? [{ name: "lshw + lspci -vv", run: run("sh", ["-c", "lshw; lspci -vv"]) }] : []),
];
const missing = ["inxi", "lshw", "lspci"].filter((program) => !has(program));

const times = sideBySide(candidates, 11);
const floor = median(times.get("node -e 0") ?? []);
table(
  "Cold start, 11 interleaved rounds",
  ["command", "median ms", "x node -e 0"],
  candidates.map(({ name }) => {
    const value = median(times.get(name) ?? []);
    return [name, ms(value), (value / floor).toFixed(2)];
  }),
);
if (missing.length > 0) process.stdout.write(`not installed here, so not measured: ${missing.join(", ")}\n`);

// Peak memory of one run, as the kernel counted it for the child.
const hook = `process.on("exit",()=>process.stderr.write("maxRSS "+process.resourceUsage().maxRSS))`;
const rows = [["list", "--json"], ["review", "--json"], ["review"], ["kernel"]].map((args) => {
  const done = spawnSync(
    process.execPath,
    ["--import", `data:text/javascript,${encodeURIComponent(hook)}`, cli, ...args],
    {
      encoding: "utf8",
    },
  );
  const kib = Number(/maxRSS (\d+)/.exec(done.stderr)?.[1] ?? NaN);
  return [`accelctl ${args.join(" ")}`, (kib / 1024).toFixed(1)];
});
const bare = spawnSync(process.execPath, ["--import", `data:text/javascript,${encodeURIComponent(hook)}`, "-e", "0"], {
  encoding: "utf8",
});
rows.unshift(["node -e 0", (Number(/maxRSS (\d+)/.exec(bare.stderr)?.[1] ?? NaN) / 1024).toFixed(1)]);
table("Peak resident memory", ["command", "MiB"], rows);
