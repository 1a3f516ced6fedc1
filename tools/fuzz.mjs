// `npm run fuzz [-- --count N --models N --seed S --target NAME --case N]`: hostile input for every reader; N cases over all readers of
// machines, N over all of models. Each case must end well or with one of the errors thrown on purpose, within a second and within bounds
// of memory. A failure names target, seed and case, and leaves what went in as a file; --target, --seed and --case run it again.
import { build } from "esbuild";
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { Worker } from "node:worker_threads";
import { ready, top } from "./ready.mjs";

/** Processor time one case may take; the first of a target compile tables and code. */
const LIMIT_MS = 1000;
const FIRST_LIMIT_MS = 5000;
const FIRST_CASES = 5;
/** A case that waits for something (a FIFO, a terminal) takes no processor time. */
const WAIT_LIMIT_MS = 20_000;
/** Memory one case may add, and what may stay after many: no seed is larger than 20 MiB unpacked. */
const PEAK_LIMIT = 512 * 1024 * 1024;
const KEPT_LIMIT = 48 * 1024 * 1024;
const HEAP_LIMIT_MIB = 1024;
const LOOK_MS = 20;
const INPUT_LIMIT = 1024 * 1024;

ready();
process.chdir(top);
const { values } = parseArgs({
  options: {
    count: { type: "string", default: "20000" },
    models: { type: "string", default: "110000" },
    seed: { type: "string", default: String(Math.floor(Date.now() / 1000)) },
    target: { type: "string" },
    case: { type: "string" },
  },
});
const seed = Number(values.seed);
const count = Number(values.count);
const models = Number(values.models);
const one = values.case === undefined ? undefined : Number(values.case);
if (![seed, count, models, one ?? 0].every((number) => Number.isSafeInteger(number) && number >= 0)) {
  process.stderr.write("--count, --models, --seed and --case take whole numbers\n");
  process.exit(2);
}

const scratch = mkdtempSync(join(top, "node_modules", ".fuzz-"));
const outfile = join(scratch, "worker.mjs");
const failures = [];
const rows = [];
let notFuzzed = [];
try {
  await build({
    entryPoints: [join(top, "test/fuzz/worker.ts")],
    bundle: true,
    platform: "node",
    format: "esm",
    external: ["koffi", "fzstd", "seek-bzip", "ajv"],
    plugins: [samples()],
    sourcemap: "inline",
    outfile,
    logLevel: "warning",
  });
  process.stdout.write(
    `seed ${seed}, ${one === undefined ? `${count} cases of machines, ${models} of models` : `case ${one}`}\n`,
  );
  let from = { target: 0, index: 0 };
  while (from !== undefined) from = await runFrom(from);
  if (one !== undefined) process.stdout.write(`input: ${write({ ...(await showInput(0, one)), index: one })}\n`);
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
printTable();
if (rows.length === 0) {
  process.stderr.write(`no target is called ${values.target}\n`);
  process.exitCode = 2;
} else {
  process.stdout.write(failures.length === 0 ? "no failures\n" : `${failures.length} failures\n`);
  process.exitCode = failures.length === 0 ? 0 : 1;
}

/** Runs a worker until it is done or has to be ended; says where to go on. */
function runFrom(from) {
  const shared = new SharedArrayBuffer(12);
  const state = new Int32Array(shared);
  const worker = new Worker(outfile, {
    workerData: { seed, count, models, only: values.target, one, from, show: false, shared },
    resourceLimits: { maxOldGenerationSizeMb: HEAP_LIMIT_MIB },
    execArgv: ["--enable-source-maps"],
  });
  return new Promise((resolve) => {
    let seen = "";
    let ready = false;
    let start = { cpu: 0, wall: 0, memory: 0 };
    const end = async (next) => {
      clearInterval(watch);
      await worker.terminate();
      resolve(next);
    };
    const watch = setInterval(() => {
      const [target, index, runs] = [0, 1, 2].map((i) => Atomics.load(state, i));
      const now = { cpu: cpuMilliseconds(), wall: performance.now(), memory: process.memoryUsage.rss() };
      const key = `${target} ${index} ${runs}`;
      if (key !== seen || runs === 0) {
        seen = key;
        start = now;
        return;
      }
      const limit = index < FIRST_CASES || one !== undefined ? FIRST_LIMIT_MS : LIMIT_MS;
      const why =
        now.cpu - start.cpu > limit
          ? `takes more than ${limit} ms`
          : now.wall - start.wall > WAIT_LIMIT_MS
            ? `waits for more than ${WAIT_LIMIT_MS} ms`
            : now.memory - start.memory > PEAK_LIMIT
              ? `takes more than ${PEAK_LIMIT / 1024 / 1024} MiB`
              : undefined;
      if (why !== undefined) void lost(why);
    }, LOOK_MS);
    /** The case cannot be asked any more: another worker makes its input again. */
    const lost = async (why) => {
      clearInterval(watch);
      const [target, index] = [Atomics.load(state, 0), Atomics.load(state, 1)];
      await worker.terminate();
      const shown = await showInput(target, index);
      keep({ ...shown, index, why });
      const begun = target === from.target ? from.index : 0;
      const lost = { typed: 0, slowest: LIMIT_MS, slowestCase: index, seconds: 0, keptBytes: 0, peakBytes: 0 };
      addRow({ ...lost, target: shown.target, cases: one === undefined ? index - begun + 1 : 1 });
      const mine = failures.filter((failure) => failure.target === shown.target).length;
      if (one !== undefined) resolve(undefined);
      else resolve(mine < 5 ? { target, index: index + 1 } : { target: target + 1, index: 0 });
    };
    worker.on("message", (message) => {
      if (message.kind === "ready") ready = true;
      else if (message.kind === "failure") keep(message);
      else if (message.kind === "row") addRow(message);
      else if (message.kind === "done") {
        notFuzzed = message.notFuzzed;
        void end(undefined);
      }
    });
    worker.on("error", (error) => {
      if (!ready) {
        failures.push({ target: "none" });
        process.stdout.write(`FAILED before the first case: ${error.stack}\n`);
        void end(undefined);
        return;
      }
      void lost(
        error.code === "ERR_WORKER_OUT_OF_MEMORY" ? `takes more than ${HEAP_LIMIT_MIB} MiB of heap` : `${error.stack}`,
      );
    });
  });
}

function showInput(target, index) {
  const worker = new Worker(outfile, {
    workerData: {
      seed,
      count,
      models,
      only: values.target,
      one: index,
      from: { target, index },
      show: true,
      shared: new SharedArrayBuffer(12),
    },
  });
  return new Promise((resolve) => {
    worker.once("message", (message) => {
      void worker.terminate().then(() => resolve(message));
    });
    worker.once("error", (error) =>
      resolve({ target: `target ${target}`, input: `making the case fails: ${error.stack}` }),
    );
  });
}

function keep({ target, index, why, input }) {
  failures.push({ target, index });
  const file = write({ target, index, input });
  process.stdout.write(
    `FAILED ${target}, case ${index}: ${why.split("\n").slice(0, 6).join("\n  ")}\n` +
      `  input: ${file}\n  again: npm run fuzz -- --seed ${seed} --count ${count} --models ${models} --target '${target}' --case ${index}\n`,
  );
}

function write({ target, index, input }) {
  const folder = join(tmpdir(), "accelctl-fuzz");
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `${target.replace(/\W+/g, "-")}-${seed}-${index}`);
  writeFileSync(file, input.slice(0, INPUT_LIMIT));
  return file;
}

function addRow(row) {
  const before = rows.find(({ target }) => target === row.target);
  if (before === undefined) rows.push(row);
  else {
    for (const sum of ["cases", "typed", "seconds"]) before[sum] += row[sum];
    before.peakBytes = Math.max(before.peakBytes, row.peakBytes);
    if (row.slowest > before.slowest) [before.slowest, before.slowestCase] = [row.slowest, row.slowestCase];
  }
  if (row.keptBytes > KEPT_LIMIT) {
    failures.push(row);
    process.stdout.write(
      `FAILED ${row.target}: keeps ${(row.keptBytes / 1024 / 1024).toFixed(0)} MiB after its cases\n`,
    );
  }
}

function printTable() {
  const cells = rows.map((row) => [
    row.target,
    String(row.cases),
    String(row.typed),
    row.slowest.toFixed(0),
    String(row.slowestCase),
    (row.cases / Math.max(row.seconds, 1e-3)).toFixed(0),
    (row.peakBytes / 1e6).toFixed(0),
    (Math.max(0, row.keptBytes) / 1e6).toFixed(1),
  ]);
  const heads = ["target", "cases", "typed errors", "slowest ms", "in case", "cases/s", "most MB", "kept MB"];
  const widths = heads.map((head, i) => Math.max(head.length, ...cells.map((row) => row[i].length)));
  for (const row of [heads, ...cells]) {
    process.stdout.write(
      `${row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join("  ")}\n`,
    );
  }
  for (const id of notFuzzed)
    process.stdout.write(`model ${id}: not fuzzed, neither a sample nor a real file is at hand\n`);
  const total = rows.reduce((sum, row) => sum + row.cases, 0);
  process.stdout.write(`${total} cases in ${(performance.now() / 1000).toFixed(1)} s\n`);
}

function cpuMilliseconds() {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** The samples are found by reading their folder, and some read files beside them; a bundle is elsewhere, so both are named in it. */
function samples() {
  return {
    name: "samples",
    setup({ onLoad }) {
      onLoad({ filter: /test[\\/]formats[\\/].*\.ts$/ }, ({ path }) => {
        const folder = dirname(path);
        if (path !== join(folder, "samples.ts")) {
          const url = JSON.stringify(pathToFileURL(path).href);
          return { contents: readFileSync(path, "utf8").replaceAll("import.meta.url", url), loader: "ts" };
        }
        const names = readdirSync(folder).filter((name) => name !== "samples.ts");
        const imports = names.map((name, i) => `import { samples as s${i} } from "./${name}";`);
        const lists = names.map((name, i) => `[${JSON.stringify(name.slice(0, -3))}, s${i}]`);
        const contents = `${imports.join("\n")}
          export const allSamples = async () => [${lists.join()}].flatMap(([format, samples]) =>
            Object.entries(samples).map(([name, make]) => ({ format, name, bytes: make() })));`;
        return { contents, loader: "js", resolveDir: folder };
      });
    },
  };
}
