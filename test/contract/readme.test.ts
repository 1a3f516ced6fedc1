/** Commands that README.md and docs/tour.md show are run as they stand there; what the tour says that they print, they print. */

import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import onnxruntime from "../../src/delegates/onnxruntime.ts";
import tflite from "../../src/delegates/tflite.ts";
import { writeNpy } from "../../src/session/npy.ts";
import { build } from "../support/built.ts";
import { compileLibrary, hasCompiler } from "../support/compile.ts";
import { smallOnnx } from "../support/onnx.ts";
import { top } from "../support/shared.ts";

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "accelctl-readme-"));
  cpSync(join(top, "demo"), folder, { recursive: true });
  cpSync(join(top, "demo/mobilenet_v1_0.25_128_quant.tflite"), join(folder, "model.tflite"));
  writeFileSync(join(folder, "model.onnx"), smallOnnx());
  mkdirSync(join(folder, "models"));
  writeFileSync(join(folder, "models/small.onnx"), smallOnnx());
  const x = writeNpy({ type: "float32", shape: [1, 3], data: Float32Array.of(1, 2, 3) });
  writeFileSync(join(folder, "x.npy"), x ?? "");
  writeFileSync(
    join(folder, "bug-report.txt"),
    "01:00.0 System peripheral [0880]: Google Coral Edge TPU [1ac1:089a]\n",
  );
  build("program");
  shell("accelctl capture -o capture.json");
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function shell(line: string): { status: number | null; stdout: string; stderr: string } {
  const accelctl = `accelctl() { "${process.execPath}" "${join(top, "dist/accelctl.cjs")}" "$@"; }`;
  return spawnSync("bash", ["-c", `${accelctl}\n${line}`], {
    encoding: "utf8",
    cwd: folder,
    env: { ...process.env, XDG_STATE_HOME: folder, NO_COLOR: "1" },
    timeout: 60_000,
  });
}

const blocks = (page: string, language: string): string[] =>
  [...readFileSync(join(top, page), "utf8").matchAll(new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\\n\`\`\``, "g"))].map(
    ([, text = ""]) => text,
  );

const runs = onnxruntime.find({}).state === "read" && tflite.find({}).state === "read";
describe.skipIf(!runs)("README.md (skipped: no ONNX Runtime or TFLite for this machine)", () => {
  const lines = blocks("README.md", "sh")
    .flatMap((block) => block.split("\n"))
    .filter((line) => line.startsWith("accelctl "));

  it("shows commands of every part", () => {
    for (const verb of ["review", "explain", "inspect", "run", "bench", "delegates", "top", "watch", "serve"]) {
      expect(lines.some((line) => line.startsWith(`accelctl ${verb}`))).toBe(true);
    }
  });

  it.each(lines)("%s", (line) => {
    const { status, stdout, stderr } = shell(line);
    // A finding is no failure of the command.
    expect(line.includes("--fail-on") ? [0, 1] : [0], stderr).toContain(status);
    expect(stderr).toBe("");
    expect(stdout === "").toBe(line.includes(" > "));
  });
});

/** What differs from run to run and from machine to machine, and line breaks that follow from it. */
const steady = (text: string): string =>
  text
    .replace(/\s+/g, " ")
    .replace(/[\d.]+ ms/g, "N ms")
    .replace(/\d+ MiB/g, "N MiB")
    .trim();

describe.skipIf(!runs || !hasCompiler)("docs/tour.md (skipped: no TFLite, or no cc)", () => {
  const shown = blocks("docs/tour.md", "console")
    .flatMap((block) => block.split(/^\$ /m).slice(1))
    .map((text): [string, string] => [text.slice(0, text.indexOf("\n")), text.slice(text.indexOf("\n") + 1)]);

  it("shows what commands print", () => expect(shown.length).toBeGreaterThan(2));

  it.each(shown)("%s", (line, prints) => {
    if (line.includes("crash-on-load")) compileLibrary("crash-on-load.c", folder);
    const { stdout, stderr } = shell(line);
    expect(steady(stdout + stderr)).toBe(steady(prints));
  });
});
