// `node tools/fit.mjs measured` writes data/fit/measured*.json from data/fit/ti-times.json and, where it is there, ../shared/facts;
// data/fit/measured-more.json holds rows that were read elsewhere since, each with its source.
// `node tools/fit.mjs [--search N]` fits the calibration to them and writes data/fit/calibration.json: with --search it looks for kernels
// anew, N steps from the same start with the same seed (both in calibration.json, as `search`); without it those that are there stay.
// `--half` chooses them on every second model, prints how far off the others are and writes nothing, with `--only POOL,POOL` of these.
// `node tools/fit.mjs classes` writes data/fit/classes.json and class-rows.json of devices that are told by their class.
import { build } from "esbuild";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync, mkdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { top } from "./ready.mjs";

const facts = join(top, "../shared/facts");
const out = (name, value) => {
  mkdirSync(join(top, "data/fit"), { recursive: true });
  writeFileSync(join(top, "data/fit", name), value);
};

/** Rows on their way into a file: names once, numbers short. */
class Table {
  #sources = new Map();
  #settings = new Map();
  #models = new Map();
  #rows = [];
  #at(map, key, value) {
    if (!map.has(key)) map.set(key, { at: map.size, value });
    return map.get(key).at;
  }
  add({ device, how = "", model, params = 0, ops = 0, input = "", float, independent, ms, source, ms8 = 0 }) {
    if (!(ms > 0)) return;
    const s = this.#at(this.#settings, `${device}|${how}`, [device, how]);
    const m = this.#at(this.#models, `${model}|${params}|${ops}|${input}`, [model, params, ops, input]);
    const short = (value) => Number(value.toPrecision(5));
    this.#rows.push([
      s,
      m,
      float ? 1 : 0,
      independent ? 1 : 0,
      short(ms),
      this.#at(this.#sources, source, source),
      ms8 > 0 ? short(ms8) : 0,
    ]);
  }
  text() {
    const list = (map) => [...map.values()].map(({ value }) => JSON.stringify(value)).join(",\n");
    return `{"sources":[\n${list(this.#sources)}],\n"settings":[\n${list(this.#settings)}],\n"models":[\n${list(this.#models)}],\n"rows":[\n${this.#rows.map((row) => JSON.stringify(row)).join(",\n")}]}\n`;
  }
  get size() {
    return this.#rows.length;
  }
}

/** Bundles sources of our own for this run and gives their exports. */
async function sourcesOf(contents) {
  const scratch = mkdtempSync(join(tmpdir(), "accelctl-fit-"));
  try {
    const outfile = join(scratch, "sources.mjs");
    await build({
      stdin: { contents, resolveDir: top, loader: "ts" },
      bundle: true,
      platform: "node",
      format: "esm",
      outfile,
      logLevel: "warning",
      define: { "import.meta.url": JSON.stringify(pathToFileURL(join(top, "src/fit/time/data.ts")).href) },
      external: ["koffi", "fzstd", "seek-bzip", "systeminformation", "onnxruntime-node", "fflate"],
    });
    return await import(pathToFileURL(outfile).href);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

const json = (path) => JSON.parse(readFileSync(path, "utf8"));

/** Simple CSV: quoted fields may hold commas. */
function csv(path) {
  const [head, ...lines] = readFileSync(path, "utf8").split(/\r?\n/).filter(Boolean);
  const cells = (line) =>
    [...line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)].map(([, a, b]) => (a ?? b ?? "").replaceAll('""', '"'));
  const names = cells(head);
  return lines.map((line) => Object.fromEntries(cells(line).map((cell, i) => [names[i], cell])));
}

async function measured() {
  const { deviceOf, rowOf, aiHubRow, ncnnRow } = await sourcesOf(`export * from "./src/fit/time/rows.ts";`);
  const unknown = new Set();
  /** Rows of one file of benchmarks, in the shape of rows.ts's PublishedRow. */
  const benchmarks = (path) => {
    const table = new Table();
    for (const row of json(path)) {
      const made = rowOf(row);
      if (made !== undefined) table.add(made);
      else if (deviceOf(row.device) === undefined) unknown.add(row.device);
    }
    return table;
  };
  const ti = benchmarks(join(top, "data/fit/ti-times.json"));
  out("measured-ti.json", ti.text());
  process.stdout.write(`${ti.size} rows of TI\n`);
  if (!existsSync(facts)) return;
  const published = benchmarks(join(facts, "published-benchmarks.json"));
  out("measured.json", published.text());
  const hub = new Table();
  // Parameters in millions and input of AI Hub's models: github.com/quic/ai-hub-models@52c080d2, info.yaml of each.
  const pages = json(join(top, "data/fit/hub-models.json"));
  for (const row of csv(join(facts, "fit/ai-hub-perf.csv"))) {
    const made = aiHubRow(row);
    if (!made) continue;
    const [params = 0, input = ""] = pages[`${row.model} / ${row.component}`] ?? pages[row.model] ?? [];
    hub.add({ ...made, params, input });
  }
  out("measured-ai-hub.json", hub.text());
  const ncnn = new Table();
  for (const row of csv(join(facts, "fit/ncnn-bench.csv"))) {
    const made = ncnnRow(row);
    if (made) ncnn.add(made);
  }
  out("measured-ncnn.json", ncnn.text());
  process.stdout.write(
    `${published.size} + ${hub.size} + ${ncnn.size} rows; devices without a file: ${[...unknown].join("; ")}\n`,
  );
}

async function calibrate(choice) {
  const { calibrateAll } = await sourcesOf(`export * from "./src/fit/time/calibrate.ts";`);
  let before;
  try {
    before = json(join(top, "data/fit/calibration.json"));
  } catch {
    before = undefined;
  }
  const made = calibrateAll(before, choice, (line) => process.stdout.write(`${line}\n`));
  if (!choice.half) out("calibration.json", `${JSON.stringify(made)}\n`);
}

/** Short numbers: what is told of them is not told to six digits. */
const short = (key, value) => (typeof value === "number" ? Number(value.toPrecision(5)) : value);

async function classes() {
  const { calibrateClasses, classRows, classTables } = await sourcesOf(
    `export * from "./src/fit/time/class-rows.ts"; export { classTables } from "./src/fit/evaluate-classes.ts";`,
  );
  const rows = classRows();
  out("class-rows.json", `[\n${rows.map((row) => JSON.stringify(row, short)).join(",\n")}]\n`);
  out("classes.json", `${JSON.stringify(calibrateClasses(rows), short)}\n`);
  const page = join(top, "docs/fit.md");
  const [begin, end] = ["<!-- classes: node tools/fit.mjs classes writes it -->", "<!-- end of classes -->"];
  const lines = classTables().flatMap(({ head, rows: cells }) => [
    head,
    head.map((_, at) => (at < 2 ? "---" : "---:")),
    ...cells,
  ]);
  const table = lines.map((cells, at) => (at === 1 ? `|${cells.join("|")}|` : `| ${cells.join(" | ")} |`)).join("\n");
  const text = readFileSync(page, "utf8");
  const [before = "", rest = ""] = text.split(begin);
  const after = rest.slice(rest.indexOf(end));
  writeFileSync(page, `${before}${begin}\n\n<!-- prettier-ignore -->\n${table}\n\n${after}`);
  process.stdout.write(`${rows.length} rows\n`);
}

const after = (word) => {
  const at = process.argv.indexOf(word);
  return at < 0 ? undefined : process.argv[at + 1];
};
const half = process.argv.includes("--half");
if (process.argv.includes("measured")) await measured();
else if (process.argv.includes("classes")) await classes();
else
  await calibrate({
    steps: Number(after("--search") ?? 0),
    half,
    only: half ? after("--only")?.split(",") : undefined,
  });
