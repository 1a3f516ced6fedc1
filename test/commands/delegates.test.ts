/** accelctl delegates: what is found here, what would have to be installed, what libraries say that they see. */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { delegates } from "../../src/delegates/index.ts";
import onnxruntime from "../../src/delegates/onnxruntime.ts";
import tflite from "../../src/delegates/tflite.ts";
import type { DelegateReport } from "../../src/print/delegates.ts";
import { compileLibrary, hasCompiler, unlessCompiler } from "../support/compile.ts";
import { run } from "../support/run.ts";

let folder = "";
beforeAll(() => (folder = mkdtempSync(join(tmpdir(), "accelctl-delegates-"))));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const json = async (...words: string[]): Promise<readonly DelegateReport[]> =>
  (JSON.parse((await run("delegates", "--json", ...words)).out) as { delegates: DelegateReport[] }).delegates;

it("tells of every delegate its library here, or where none was found and how it is installed", async () => {
  const reports = await json();
  expect(reports.map(({ id }) => id)).toEqual(delegates.map(({ id }) => id).filter((id) => id !== "null"));
  const { out, code } = await run("delegates");
  expect(code).toBe(0);
  const text = out.replace(/\s+/g, " ");
  for (const { id, name, found, missing, cure } of reports) {
    expect(out).toContain(`${id}  ${name}`);
    expect((found === undefined) !== (missing === undefined)).toBe(true);
    if (missing !== undefined) {
      expect(text).toContain(`not found: ${missing.from}`);
      expect(text).toContain(`$ ${cure ?? "no way to install it"}`);
    }
  }
  for (const line of out.split("\n")) {
    if (!line.startsWith("  $ ") && !line.includes("/")) expect(line.length, line).toBeLessThanOrEqual(80);
  }
});

it("names of a delegate's devices those that this machine has", async () => {
  const [report] = await json("onnxruntime");
  expect(report?.here).toContain("cpu");
  expect(report?.devices).toEqual(expect.arrayContaining([...(report?.here ?? [])]));
});

it("tells of one delegate every way to install it, its options, and how it was verified", async () => {
  const text = (await run("delegates", "openvino")).out.replace(/\s+/g, " ");
  expect(text).toContain("$ pip install openvino");
  expect(text).toContain("--option CACHE_DIR a folder");
  expect(text).toContain("--library FILE libopenvino_c.so");
  expect(text).toContain("verified: vendor's library: OpenVINO");
});

it.each([
  [["magic"], 2, /no delegate "magic"; there are .*onnxruntime/],
  [["tflite", "openvino"], 2, /one DELEGATE at a time/],
  [["--library", "x.so"], 2, /are of one delegate/],
  [["tflite", "--plugin", "x.so"], 2, /--plugin is loaded by --probe/],
  [["tflite", "--probe", "--plugin", "/nowhere/libx.so"], 3, /\/nowhere\/libx\.so/],
] as const)("%j is told in one sentence", async (words, code, says) => {
  const result = await run("delegates", ...words);
  expect([result.code, result.out]).toEqual([code, ""]);
  expect(result.err).toMatch(says);
  expect(result.err.trim()).not.toContain("\n");
});

describe.skipIf(tflite.find({}).state !== "read" || onnxruntime.find({}).state !== "read")(
  "with libraries (skipped: no TFLite or ONNX Runtime for this machine)",
  () => {
    it("--probe prints what each library sees, and of those that are not there nothing", async () => {
      const reports = await json("--probe");
      for (const { id, found, seen, failed } of reports) {
        expect(seen !== undefined || failed !== undefined, id).toBe(found !== undefined);
      }
      const seen = reports.find(({ id }) => id === "onnxruntime")?.seen ?? [];
      expect(seen.map(({ device }) => device)).toContain("cpu");
      const { out } = await run("delegates", "tflite", "--probe");
      expect(out).toMatch(/✓ cpu: TFLite \d.*\(--device cpu/);
    });

    it.skipIf(!hasCompiler)(`survives a library that aborts while it is loaded${unlessCompiler}`, async () => {
      const plugin = compileLibrary("crash-on-load.c", folder);
      const { code, err, out } = await run("delegates", "tflite", "--probe", "--plugin", plugin);
      expect([code, out]).toEqual([3, ""]);
      expect(err).toMatch(/its process crashed \(SIGABRT\).*its last words: driver version mismatch/);
    });
  },
);
