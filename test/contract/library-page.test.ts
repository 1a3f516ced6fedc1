/** docs/library.md is true: each of its examples is typed, runs against the built library, and prints what the page says; README's run. */

import { transformSync } from "esbuild";
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import onnxruntime from "../../src/delegates/onnxruntime.ts";
import tflite from "../../src/delegates/tflite.ts";
import { build } from "../support/built.ts";
import { ggufModel } from "../support/gguf-model.ts";
import { smallOnnx } from "../support/onnx.ts";
import { runtime, unlessRuntime } from "../support/runtimes.ts";
import { top } from "../support/shared.ts";

interface Example {
  /** The heading it stands under. */
  readonly name: string;
  readonly language: string;
  readonly code: string;
  /** What the page says that it prints. */
  readonly prints: string;
  /** A runtime that is not among the project's dependencies. */
  readonly needs?: string;
}

const SILENT = "the page says nothing";
const [README, LIBRARY] = ["README.md", "docs/library.md"];
const sections = [README, LIBRARY].flatMap((page) =>
  readFileSync(join(top, page), "utf8")
    .split(/^## /m)
    .map((section) => ({ page, section })),
);
const examples = sections.flatMap(({ page, section }): Example[] => {
  const name = `${page}, ${section.slice(0, section.indexOf("\n"))}`;
  const found = section.matchAll(
    /(?:<!-- runs with: (\w+) -->\n\n)?```(ts|js)\n([\s\S]*?)\n```\n(?:\n```text\n([\s\S]*?)\n```\n)?/g,
  );
  return [...found].map(([, needs, language = "", code = "", prints], at) => ({
    name: `${name} ${at + 1}`,
    language,
    code,
    prints: prints ?? SILENT,
    ...(needs === undefined ? {} : { needs }),
  }));
});

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "accelctl-page-"));
  cpSync(join(top, "demo"), folder, { recursive: true });
  cpSync(join(top, "demo/mobilenet_v1_0.25_128_quant.tflite"), join(folder, "model.tflite"));
  for (const name of ["small.onnx", "model.onnx"]) writeFileSync(join(folder, name), smallOnnx());
  writeFileSync(join(folder, "model.gguf"), ggufModel());
  writeFileSync(join(folder, "package.json"), '{"type":"module"}');
  mkdirSync(join(folder, "node_modules/@node-llama-cpp"), { recursive: true });
  symlinkSync(top.replace(/\/$/, ""), join(folder, "node_modules/accelctl"));
  const llama = runtime("llama");
  const installed = join(folder, `node_modules/@node-llama-cpp/linux-${process.arch}`);
  if (llama !== undefined) symlinkSync(join(llama, "package"), installed);
  build("package");
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it("is made of examples that all say what they print", () => {
  expect(examples.length).toBeGreaterThan(10);
  const silent = examples.filter(({ prints }) => prints === SILENT).map(({ name }) => name);
  expect(silent.filter((name) => name.startsWith(LIBRARY))).toEqual([]);
});

it("shows programs that compile strictly", () => {
  const files = examples.filter(({ language }) => language === "ts").map(({ code }, at) => ({ at, code }));
  for (const { at, code } of files) writeFileSync(join(folder, `typed-${at}.ts`), code);
  const { stdout } = spawnSync(
    process.execPath,
    // prettier-ignore
    [
      join(top, "node_modules/typescript/bin/tsc"), "--noEmit", "--strict", "--module", "nodenext", "--target", "es2022",
      "--lib", "es2022,esnext.disposable", "--typeRoots", join(top, "node_modules/@types"), "--types", "node",
      "--pretty", "false", ...files.map(({ at }) => `typed-${at}.ts`),
    ],
    { encoding: "utf8", cwd: folder },
  );
  expect(stdout).toBe("");
}, 120_000);

const runs = onnxruntime.find({}).state === "read" && tflite.find({}).state === "read";
describe.skipIf(!runs)("prints what it says (skipped: no ONNX Runtime or TFLite for this machine)", () => {
  for (const { name, language, code, prints, needs } of examples) {
    it.skipIf(needs !== undefined && runtime(needs) === undefined)(
      `${name}${needs === undefined ? "" : unlessRuntime(needs)}`,
      () => {
        const file = join(folder, `${name.replace(/\W+/g, "-")}.js`);
        const loader = language === "ts" ? "ts" : "js";
        writeFileSync(file, transformSync(code, { loader, format: "esm", target: "node20.19" }).code);
        const done = spawnSync(process.execPath, [file], {
          timeout: 60_000,
          encoding: "utf8",
          cwd: folder,
          // The library looks beside itself; what the example installs lies beside the example.
          env: { ...process.env, NODE_PATH: join(folder, "node_modules"), NO_COLOR: "1" },
        });
        expect(done.status, done.stderr).toBe(0);
        if (prints !== SILENT) expect(done.stdout.trimEnd()).toBe(prints);
      },
      120_000,
    );
  }
});
