// Bundles the command line (dist/accelctl.cjs), the page and the library (dist/index.js with types) when a source is newer than they
// are; --program leaves out what only the library has.
import { build } from "esbuild";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { top } from "./ready.mjs";
import { buildWeb } from "./web.mjs";

function newest(folder) {
  let time = 0;
  for (const entry of readdirSync(join(top, folder), { withFileTypes: true })) {
    const path = join(folder, entry.name);
    time = Math.max(time, entry.isDirectory() ? newest(path) : statSync(join(top, path)).mtimeMs);
  }
  return time;
}

const external = [
  "@grpc/grpc-js",
  "@grpc/proto-loader",
  "@grpc/reflection",
  "ajv",
  "prom-client",
  "koffi",
  "fzstd",
  "seek-bzip",
  "fflate",
  "fast-png",
  "jpeg-js",
  "sharp",
  "@litertjs/core",
  "onnxruntime-node",
  "tfjs-tflite-node",
];

/** File and id of each family, from the generated index. */
function familyFiles() {
  const index = readFileSync(join(top, "src/families/index.ts"), "utf8");
  return [...index.matchAll(/^import \w+ from "\.\/([\w-]+)\.ts";$/gm)].map(([, file]) => {
    const text = readFileSync(join(top, `src/families/${file}.ts`), "utf8");
    const id = /^export default \{\n {2}id: "([\w-]+)",$/m.exec(text)?.[1];
    if (id === undefined) throw new Error(`src/families/${file}.ts: "id" is not the first field of its default export`);
    return { file, id };
  });
}

/**
 * Puts in the place of src/families/load.ts a file that evaluates a family when it is first asked for: from a file of its own, so
 * that what is not read is not compiled (`apart`), or within the bundle, where `require` becomes a call of its initialiser.
 */
const lazyFamilies = (apart) => ({
  name: "lazy-families",
  setup(build) {
    build.onResolve({ filter: /^\.\/families\/[\w-]+\.cjs$/ }, ({ path }) => ({ path, external: true }));
    build.onLoad({ filter: /src\/families\/load\.ts$/ }, () => ({
      contents: [
        `const loaders: Record<string, () => unknown> = {`,
        ...familyFiles().map(({ file, id }) => {
          const from = apart ? `./families/${file}.cjs` : `./${file}.ts`;
          return `  ${JSON.stringify(id)}: () => require(${JSON.stringify(from)}).default,`;
        }),
        `};`,
        `export const loadFamily = (id: string) => (Object.hasOwn(loaders, id) ? loaders[id]() : undefined);`,
        `export const allFamilies = () => Object.values(loaders).map((load) => load());`,
      ].join("\n"),
      loader: "ts",
    }));
  },
});

/**
 * Puts in the place of src/formats/index.ts one whose formats are evaluated when a file has one of their marks, or is asked about by
 * a format without marks: of 40 readers a file needs two or three.
 */
const lazyFormats = (marks) => ({
  name: "lazy-formats",
  setup(build) {
    build.onLoad({ filter: /src\/formats\/index\.ts$/ }, () => ({
      contents: [
        `import type { Format } from "./format.ts";`,
        `function lazy(marks: Format["marks"], load: () => { default: Format }): Format {`,
        `  return {`,
        `    ...(marks ? { marks } : {}),`,
        ...["id", "name", "vendor", "extensions", "shows", "sources", "checked"].map(
          (field) => `    get ${field}() { return load().default.${field}; },`,
        ),
        `    matches: (file) => load().default.matches(file),`,
        `    read: (file) => load().default.read(file),`,
        `  };`,
        `}`,
        `export const formats: readonly Format[] = [`,
        ...[...marks].map(([file, own]) => `  lazy(${JSON.stringify(own)}, () => require("./${file}.ts")),`),
        `];`,
      ].join("\n"),
      loader: "ts",
    }));
  },
});

/** Marks of each format by its file's name, from the formats themselves. */
async function formatMarks() {
  const index = readFileSync(join(top, "src/formats/index.ts"), "utf8");
  const files = [...index.matchAll(/^import \w+ from "\.\/([\w-]+)\.ts";$/gm)].map(([, file]) => file);
  const { outputFiles } = await build({
    entryPoints: ["src/formats/index.ts"],
    absWorkingDir: top,
    bundle: true,
    platform: "node",
    format: "esm",
    write: false,
    logLevel: "warning",
    external,
  });
  const code = Buffer.from(outputFiles[0].contents).toString("base64");
  const { formats } = await import(`data:text/javascript;base64,${code}`);
  return new Map(files.map((file, i) => [file, formats[i].marks]));
}

/** Of the bundle for a few verbs on the live machine: no other verb, no other kind of machine. */
const onlyLive = (verbs) => ({
  name: "only-live",
  setup(build) {
    build.onLoad({ filter: /src\/commands\/index\.ts$/ }, () => ({
      contents: `export const commands = { ${verbs.map((verb) => `${verb}: async () => (await import("./${verb}.ts")).default`).join(", ")} };`,
      loader: "ts",
    }));
    build.onLoad({ filter: /src\/root\/open\.ts$/ }, () => ({
      contents: [
        `import { openLive } from "./directory.ts";`,
        `import { ioctlAsk } from "./ioctl.ts";`,
        `export const openRoot = () => openLive(ioctlAsk);`,
      ].join("\n"),
      loader: "ts",
    }));
    // Behind options that the launcher leads to the whole bundle: every delegate, and what evaluates.
    build.onLoad({ filter: /src\/fit\/(?:check|evaluate)\.ts$/ }, () => ({
      contents: `export const checkDelegates = undefined, evaluateFile = undefined;`,
      loader: "ts",
    }));
  },
});

/** Bundles of their own, by the verbs they hold. */
const own = { list: ["list"], inspect: ["inspect"], fit: ["fit", "rank"] };

/** Builds unless what is there is newer than every source. */
export async function buildAll(force = false) {
  const out = join(top, "dist/accelctl.cjs");
  const sources = Math.max(newest("src"), newest("data"), statSync(join(top, "package.json")).mtimeMs, newest("tools"));
  if (!force && existsSync(out) && statSync(out).mtimeMs > sources) return false;
  const shared = {
    bundle: true,
    platform: "node",
    target: "node20.19",
    external,
    legalComments: "none",
    logLevel: "warning",
    absWorkingDir: top,
  };
  // Half the bytes compile in half the time. Names stay, so that a stack in a bug report can be read.
  const small = { ...shared, format: "cjs", minifySyntax: true, minifyWhitespace: true };
  const here = {
    banner: { js: "const __here=require('node:url').pathToFileURL(__filename).href;" },
    define: { "import.meta.url": "__here" },
  };
  const marks = await formatMarks();
  for (const name of existsSync(join(top, "dist")) ? readdirSync(join(top, "dist")) : []) {
    if (/^library-\w+\.js$/.test(name)) rmSync(join(top, "dist", name));
  }
  await Promise.all([
    build({
      ...small,
      ...here,
      entryPoints: ["src/main.ts"],
      outfile: "dist/full.cjs",
      plugins: [lazyFamilies(false), lazyFormats(marks)],
    }),
    ...Object.entries(own).map(([bundle, verbs]) =>
      build({
        ...small,
        ...here,
        // The readers of 50 formats: their names are a quarter of the bytes, and 4 ms. A stack out of it is read beside the same build.
        minifyIdentifiers: bundle !== "list",
        entryPoints: ["src/main.ts"],
        outfile: `dist/${bundle}.cjs`,
        // A fit of all devices asks most families.
        plugins: [lazyFamilies(bundle !== "fit"), lazyFormats(marks), onlyLive(verbs)],
      }),
    ),
    build({
      ...small,
      entryPoints: familyFiles().map(({ file }) => `src/families/${file}.ts`),
      outdir: "dist/families",
      outExtension: { ".js": ".cjs" },
    }),
    // The child process in which vendors' libraries work: src/host/isolate.ts starts it.
    build({ ...small, ...here, entryPoints: ["src/host/child.ts"], outfile: "dist/host.cjs" }),
    // The library, and the process that reads what is uploaded to the page (src/serve/page/models-worker.ts starts it), which needs
    // little besides: what both hold lies in library-*.js.
    build({
      ...shared,
      minifySyntax: true,
      minifyWhitespace: true,
      entryPoints: { index: "src/index.ts", "page-child": "src/serve/page/models-child.ts" },
      outdir: "dist",
      format: "esm",
      splitting: true,
      chunkNames: "library-[hash]",
    }),
  ]);
  // What clients of gRPC are made from; the server reads them beside itself.
  for (const name of ["inference.proto", "health.proto"]) {
    copyFileSync(join(top, "src/serve/grpc", name), join(top, "dist", name));
  }
  // Measurements and what was learnt from them: read when an estimate is asked for. Not what only benchmarks and tools read.
  rmSync(join(top, "dist/fit"), { recursive: true, force: true });
  const evaluation = /\/(?:decisions|vela-layers|hub-models|ti-times)\.json$/;
  cpSync(join(top, "data/fit"), join(top, "dist/fit"), { recursive: true, filter: (path) => !evaluation.test(path) });
  await compile();
  // Last, because its age says that all is built.
  await build({
    ...small,
    bundle: false,
    external: undefined,
    entryPoints: ["src/launch.ts"],
    outfile: "dist/accelctl.cjs",
    banner: { js: "#!/usr/bin/env node" },
  });
  chmodSync(out, 0o755);
  return true;
}

/** A small model file of the format that must start quickest, made from the tests' samples. */
async function sampleModel(scratch) {
  const source = "test/formats/samples/tflite.ts";
  const outfile = join(scratch, "sample.mjs");
  await build({
    entryPoints: [source],
    bundle: true,
    platform: "node",
    format: "esm",
    outfile,
    absWorkingDir: top,
    // They read what lies beside them.
    define: { "import.meta.url": JSON.stringify(pathToFileURL(join(top, source)).href) },
  });
  const [[name, make]] = Object.entries((await import(pathToFileURL(outfile).href)).samples);
  writeFileSync(join(scratch, name), make());
  return join(scratch, name);
}

/**
 * V8's compiled form of the bundles, made by running each once so that the functions it uses are in it. Only for this Node's V8:
 * the version is in the name, V8 checks the rest, and without the file the source is compiled as ever.
 */
async function compile() {
  const scratch = mkdtempSync(join(tmpdir(), "accelctl-build-"));
  try {
    compileBundle("list", ["list", "--json"]);
    // Every function that is in the compiled form is brought back at every start, wanted or not: one run, of one model.
    compileBundle("inspect", ["inspect", await sampleModel(scratch)]);
    compileBundle("fit", ["fit", "mobilenet_v2", "--for", "all"]);
    compileBundle("full", ["review"]);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

function compileBundle(bundle, words) {
  const file = join(top, `dist/${bundle}.cjs`);
  const program = `
    const { readFileSync, writeFileSync } = require("node:fs");
    const { dirname } = require("node:path");
    const { Script } = require("node:vm");
    const file = ${JSON.stringify(file)};
    const text = "(function (exports, require, module, __filename, __dirname) {" + readFileSync(file, "latin1") + "\\n})";
    const script = new Script(text, { filename: file });
    const body = script.runInThisContext();
    const module_ = { exports: {} };
    process.argv = ["node", file, ...${JSON.stringify(words)}];
    body(module_.exports, require("node:module").createRequire(file), module_, file, dirname(file));
    process.on("exit", () => writeFileSync(file + "." + process.versions.v8 + ".cache", script.createCachedData()));
  `;
  // What it prints and how it ends is nothing to the build; that it cannot be written would be.
  spawnSync(process.execPath, ["-e", program], { stdio: "ignore", cwd: top });
}

/** The command line and the page it serves. */
export const buildProgram = () => Promise.all([buildAll(), buildWeb()]);

/** Declarations of the library and catalog.json: what a published package holds besides. */
export async function buildPackage() {
  const out = join(top, "dist/catalog.json");
  const configs = ["tsconfig.json", "tsconfig.types.json", "package.json"].map(
    (file) => statSync(join(top, file)).mtimeMs,
  );
  const sources = Math.max(newest("src"), newest("tools"), ...configs);
  const current = existsSync(out) && statSync(out).mtimeMs > sources;
  // Each in a process or threads of its own: beside one another.
  await Promise.all([buildProgram(), current || declarations()]);
  if (current) return;
  const { families } = await import(pathToFileURL(join(top, "dist/index.js")).href);
  // Last, because its age says that all is built.
  writeFileSync(out, `${JSON.stringify(families, undefined, 1)}\n`);
}

async function declarations() {
  const tsc = join(top, "node_modules/typescript/bin/tsc");
  const running = spawn(process.execPath, [tsc, "-p", "tsconfig.types.json"], { cwd: top, stdio: "inherit" });
  const [status] = await once(running, "exit");
  if (status !== 0) throw new Error("tsc failed; its words are above");
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await (process.argv.includes("--program") ? buildProgram() : buildPackage());
}
