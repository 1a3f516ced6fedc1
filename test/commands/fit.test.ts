/** accelctl fit and accelctl rank as they are typed: every form is by the schema, fits 80 columns, and mistakes are sentences. */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Ajv2020 } from "ajv/dist/2020.js";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { plainTerminal, widthOf } from "../../src/print/terminal.ts";
import { smallOnnx } from "../support/onnx.ts";
import { run } from "../support/run.ts";
import { hasShared, sharedPath, top, unlessShared } from "../support/shared.ts";
import { smallTflite } from "../support/tflite.ts";

const schema = JSON.parse(readFileSync(join(top, "docs/fit.schema.json"), "utf8")) as object;
const validate = new Ajv2020({ strict: true, strictTypes: false, allowUnionTypes: true }).compile(schema);

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "accelctl-fit-"));
  writeFileSync(join(folder, "small.onnx"), smallOnnx());
  writeFileSync(join(folder, "small.tflite"), smallTflite());
  writeFileSync(join(folder, "usb.txt"), "Bus 002 Device 003: ID 18d1:9302 Google Inc.\n");
  writeFileSync(join(folder, "none.txt"), "00:00.0 Host bridge [0600]: Intel Corporation [8086:1237]\n");
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Commands to copy and sources are never broken. */
const long = (line: string): boolean => widthOf(line) > plainTerminal.columns && !/^\s+\S+ |https?:|@/.test(line);

async function text(...words: readonly string[]): Promise<string> {
  const { code, out, err } = await run(...words);
  expect([code, err], words.join(" ")).toEqual([0, ""]);
  expect(out.split("\n").filter(long)).toEqual([]);
  return out;
}

async function json(...words: readonly string[]): Promise<Record<string, unknown>> {
  const { code, out, err } = await run(...words, "--json");
  expect([code, err], words.join(" ")).toEqual([0, ""]);
  const value = JSON.parse(out) as Record<string, unknown>;
  validate(value);
  expect(validate.errors ?? [], words.join(" ")).toEqual([]);
  return value;
}

describe("accelctl fit", () => {
  it("tells of a known model on a device that is not here", async () => {
    const out = (await text("fit", "mobilenet_v2", "--for", "edgetpu")).replace(/\s+/g, " ");
    expect(out).toContain("no file: its layers as published");
    expect(out).toContain("301 M MACs, 3.5 M parameters");
    expect(out).toContain("edgetpu_compiler");
    expect(out).toMatch(/\d+ of \d+ operators/);
  });

  it("tells of all devices in lines, of a file too", async () => {
    expect(await text("fit", "mobilenet_v2", "--for", "all")).toContain("MS (LOW TO HIGH)");
    expect(await text("fit", join(folder, "small.onnx"), "--for", "all")).toContain("edgetpu");
    expect(await text("fit", join(folder, "small.tflite"), "--for", "all")).toContain("edgetpu");
  });

  it("prints by its schema, with and without nodes", async () => {
    const plain = await json("fit", "mobilenet_v2", "--for", "all");
    expect(JSON.stringify(plain)).not.toContain('"nodes":[{"node":0');
    expect(JSON.stringify(await json("fit", "mobilenet_v2", "--for", "edgetpu", "--nodes"))).toContain(
      '"nodes":[{"node":0',
    );
    await json("fit", join(folder, "small.onnx"), "--for", "coral");
    await json("fit", "mobilenet_v2", "--for", "coral", "--why", "CONV_2D");
    await json("fit", join(folder, "small.onnx"), "--for", "cpu", "--check");
  });

  it("asks the accelerators of a machine, and says how to ask others where it has none", async () => {
    const { rows } = (await json("fit", "mobilenet_v2", "--paste", join(folder, "usb.txt"))) as {
      rows: { family: string; here: boolean }[];
    };
    expect(rows.length).toBeGreaterThan(0);
    expect(rows.every(({ family, here }) => family === "coral" && here)).toBe(true);
    const { code, err } = await run("fit", "mobilenet_v2", "--paste", join(folder, "none.txt"));
    expect(code).toBe(3);
    expect(err).toContain("accelctl fit mobilenet_v2 --for all");
  });

  it("says why, by each target, with the source", async () => {
    const out = await text("fit", "mobilenet_v2", "--for", "all", "--why", "CONV_2D");
    expect(out).toContain("source");
    const { code, err } = await run("fit", "mobilenet_v2", "--for", "edgetpu", "--why", "NO_SUCH");
    expect(code).toBe(2);
    expect(err).toContain("it has CONV_2D");
  });

  it("what-if is understood, and refused where it cannot be", async () => {
    const out = await text(
      "fit",
      "mobilenet_v2",
      "--for",
      "edgetpu",
      "--precision",
      "int8",
      "--input",
      "320",
      "--batch",
      "2",
    );
    expect(out).toContain("int8");
    expect(out).toContain("[2, 3, 320, 320]");
    for (const [words, says] of [
      [["--input", "320y320"], "--input takes HEIGHTxWIDTH"],
      [["--batch", "0"], "--batch takes a whole number"],
      [["--precision", "int4"], "--precision takes int8"],
      [["--for", "nosuchchip"], "no device, target, family or chip"],
      [["--graph", "a.html", "--json"], "leave one out"],
      [["--nodes"], "give --json too"],
    ] as const) {
      const { code, err } = await run(
        "fit",
        "mobilenet_v2",
        ...(words[0] === "--for" ? [] : ["--for", "all"]),
        ...words,
      );
      expect([code, err.includes(says)], err).toEqual([2, true]);
    }
  });

  it("a name that is nearly known lists the nearest; a file that is not there is one", async () => {
    const near = await run("fit", "mobilenetv22");
    expect(near.code).toBe(2);
    expect(near.err).toMatch(/near it: .*mobilenet_v2/);
    const gone = await run("fit", "gone.tflite", "--for", "all");
    expect([gone.code, gone.err]).toEqual([3, "accelctl: gone.tflite: no such file\n"]);
    expect((await run("fit")).code).toBe(2);
    expect((await run("fit", "a", "b")).code).toBe(2);
  });
});

describe("the graph as a page", () => {
  it("is one file without script, with a colour for each partition and a reason for each refusal", async () => {
    const { code, out } = await run("fit", "mobilenet_v2", "--for", "all", "--graph", "-");
    expect(code).toBe(0);
    expect(out).toContain(`content="default-src 'none'; style-src 'unsafe-inline'"`);
    expect(out).not.toMatch(/<script|\bon\w+=|https?:\/\/(?!www\.w3\.org)/);
    expect(out).toContain('id="t0" checked');
    expect(out).toMatch(/class="b t0-/);
    const path = join(folder, "page.html");
    expect((await run("fit", "mobilenet_v2", "--for", "edgetpu", "--graph", path)).code).toBe(0);
    expect(readFileSync(path, "utf8")).toContain("mobilenet_v2");
    expect((await run("fit", "mobilenet_v2", "--for", "edgetpu", "--graph", "/nowhere/at/all.html")).code).toBe(3);
  });
});

describe("accelctl rank", () => {
  it("orders what is known, by the schema, and says of the rest why not", async () => {
    await text("rank", "mobilenet_v2");
    const { rows, left } = (await json("rank", "mobilenet_v2")) as {
      rows: { estimate: { median_ms: number } }[];
      left: unknown[];
    };
    const medians = rows.map(({ estimate }) => estimate.median_ms);
    expect(medians).toEqual([...medians].sort((a, b) => a - b));
    expect(rows.length + left.length).toBeGreaterThan(0);
    await json("rank", "mobilenet_v2", "--max-ms", "10", "--max-watts", "5", "--open");
    expect((await run("rank", "mobilenet_v2", "--max-ms", "fast")).code).toBe(2);
  });

  it("lists the models that are known", async () => {
    expect(await text("rank", "--list")).toContain("mobilenet_v2");
  });
});

describe.skipIf(!hasShared)(`real files${unlessShared}`, () => {
  it.each([
    "models/tflite-edgetpu/mobilenet_v1_0.25_128_quant.tflite",
    "models/tflite-edgetpu/deeplabv3_mnv2_dm05_pascal_quant.tflite",
    "models/tflite-edgetpu/deeplabv3_mnv2_dm05_pascal_quant_edgetpu.tflite",
  ])("%s", async (path) => {
    const { code, out } = await run("fit", sharedPath(path), "--for", "all");
    expect([0, 3]).toContain(code);
    if (code === 0) expect(out).toContain("edgetpu");
  });
});
