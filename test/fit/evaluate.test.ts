/** --eval FILE on rows of our own, the plot of errors, and the example target of docs/fit.md. */

import { build } from "esbuild";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, expect, it } from "vitest";
import { findKnown } from "../../src/fit/find-known.ts";
import { place } from "../../src/fit/place.ts";
import type { Target } from "../../src/fit/target.ts";
import { viewOf } from "../../src/fit/view.ts";
import { errorsTable } from "../../src/print/fit-errors.ts";
import { renderErrors } from "../../src/print/fit-plot.ts";
import { plainTerminal, widthOf } from "../../src/print/terminal.ts";
import { run } from "../support/run.ts";
import { top } from "../support/shared.ts";

const folder = mkdtempSync(join(tmpdir(), "accelctl-eval-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function file(name: string, content: unknown): string {
  const path = join(folder, name);
  writeFileSync(path, typeof content === "string" ? content : JSON.stringify(content));
  return path;
}

it("measured times are held against estimates that have not seen the model", async () => {
  const path = file("times.json", [
    {
      device: "Hailo-8",
      runtime: "HailoRT",
      model: "resnet50",
      precision: "int8",
      batch: 1,
      fps: 1400,
      source: "ours",
    },
    { device: "No such device", model: "resnet50", latency_ms: 3, source: "ours" },
  ]);
  const { code, out, err } = await run("fit", "--eval", path);
  expect([code, err]).toEqual([0, ""]);
  expect(out).toContain("Hailo-8");
  expect(out).toContain("no device of that name is known");
  expect(out.split("\n").filter((line) => widthOf(line) > plainTerminal.columns)).toEqual([]);
  const json = JSON.parse((await run("fit", "--eval", path, "--json")).out) as { kind: string; rows: unknown[] };
  expect([json.kind, json.rows.length]).toEqual(["latency", 2]);
});

it("compile decisions are held against placements", async () => {
  const path = file("decisions.json", {
    rows: [
      {
        target: "Google Edge TPU",
        tool: "edgetpu_compiler",
        tool_version: "16.0",
        model: "mobilenet_v1_1.0_224_quant",
        total_ops: 31,
        accel_ops: 31,
        cpu_ops: 0,
        refused: [],
      },
    ],
  });
  const { code, out } = await run("fit", "--eval", path);
  expect(code).toBe(0);
  expect(out).toContain("edgetpu_compiler");
});

it("what holds no rows, no JSON or nothing at all is told in a sentence", async () => {
  for (const [path, says] of [
    [file("none.json", { rows: [{ a: 1 }] }), "no rows of either shape"],
    [file("text.json", "hello"), "no JSON"],
    [join(folder, "gone.json"), "no such file"],
  ] as const) {
    const { code, err } = await run("fit", "--eval", path);
    expect([code, err.includes(says)], err).toEqual([3, true]);
  }
  expect((await run("fit", "mobilenet_v2", "--eval", file("x.json", []))).code).toBe(2);
  expect((await run("fit", "mobilenet_v2", "--for", "all", "--models", folder)).code).toBe(2);
});

it("errors are drawn and listed, with names that are anybody's", () => {
  const svg = renderErrors([{ name: `a<b & "c"`, rows: 30, median: 0.2, p90: 3, power: 0.5, nearest: 0.4 }]);
  expect(svg).toContain("a&lt;b &amp;");
  expect(svg).not.toMatch(/<script|NaN|Infinity/);
  const row = {
    setting: "x",
    pool: "hailo",
    rows: 30,
    median: 0.2,
    p90: 0.5,
    held: 0.8,
    power: { median: 0.5 },
    nearest: { median: NaN },
  };
  expect(errorsTable([row, { ...row, rows: 2 }], 25)).toContain("| x | 30 | 20 % | 50 % | 80 % | 50 % | – |");
});

it("docs/fit.md has the table and the picture of errors, and names options that are there", async () => {
  const page = readFileSync(join(top, "docs/fit.md"), "utf8");
  expect(page).toMatch(/<!-- errors: .* -->\n\n<!-- prettier-ignore -->\n\| device \|[^]*\| hailo-8 \|/);
  expect(readFileSync(join(top, "docs/pictures/fit-errors.svg"), "utf8")).toContain("hailo-8");
  const help = (await run("help", "fit")).out + (await run("help", "rank")).out;
  const named = [...page.matchAll(/accelctl (?:fit|rank) [^\n`]*?(--[a-z-]+)/g)].map(([, name = ""]) => name);
  expect(named.length).toBeGreaterThan(5);
  expect(named.filter((name) => !help.includes(name))).toEqual([]);
});

it("the target that docs/fit.md shows is one", async () => {
  const page = readFileSync(join(top, "docs/fit.md"), "utf8");
  const [, code = ""] = /```ts\n([^]*?)\n```/.exec(page) ?? [];
  const outfile = join(folder, "target.mjs");
  await build({
    stdin: { contents: code, resolveDir: join(top, "src/fit/targets"), loader: "ts" },
    bundle: true,
    platform: "node",
    format: "esm",
    outfile,
    logLevel: "silent",
  });
  const { default: made } = (await import(pathToFileURL(outfile).href)) as { default: readonly Target[] };
  const [target] = made;
  const model = findKnown("mobilenet_v2")?.known.build({ dialect: "tflite", precision: "int8" });
  if (target === undefined || model === undefined) throw new Error("nothing to place");
  const { views, model: whole } = viewOf(model);
  const placement = place(views, whole, target);
  expect(placement.taken).toBeGreaterThan(30);
  expect(placement.refusals.map(({ op }) => op)).toContain("DEPTHWISE_CONV_2D");
});
