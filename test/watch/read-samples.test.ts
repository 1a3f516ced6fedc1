/** Files of samples, as they are written and as they should not be. */

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { readSamples, sampleOf } from "../../src/watch/read-samples.ts";
import type { Sample } from "../../src/watch/sample.ts";
import { device, known, processUse, sample, unknown } from "../support/samples.ts";

const scratch = mkdtempSync(join(tmpdir(), "accelctl-samples-"));
afterAll(() => {
  rmSync(scratch, { recursive: true, force: true });
});

const one = sample([
  device("a", {
    metrics: [known("busy_ratio", 0.5, "core 0"), unknown("power_watts", "denied", "only root may read it")],
    processes: [processUse(1, "é漢")],
  }),
]);
const line = `${JSON.stringify(one)}\n`;

async function read(text: string): Promise<readonly Sample[]> {
  const path = join(scratch, "samples.jsonl");
  writeFileSync(path, text);
  const all: Sample[] = [];
  for await (const each of readSamples(path)) all.push(each);
  return all;
}

it("what was written is read, however the lines lie in the chunks that are read", async () => {
  expect(await read(line.repeat(3000))).toEqual(Array.from({ length: 3000 }, () => one));
  expect(await read(line.repeat(3).trimEnd())).toHaveLength(3);
});

it("the lines that say of which machine a recording is are no samples", async () => {
  const head = `${JSON.stringify({ recording: 1, schema: 1, begun: one.at, machine: {} })}\n`;
  expect(await read(head + line + head + line)).toEqual([one, one]);
});

it("a last line that was cut off is passed over, and any other that is no sample is told by its number", async () => {
  expect(await read(line + line.slice(0, 100))).toEqual([one]);
  await expect(read(`${line}{}\n${line}`)).rejects.toThrow("samples.jsonl: line 2 is no sample");
  await expect(read(line.slice(0, 50))).rejects.toThrow("line 1 is no sample");
  await expect(read("")).rejects.toThrow("no sample in it");
});

it("a file of one endless line ends with an error, not with the memory", async () => {
  await expect(read("x".repeat(17 * 1024 * 1024))).rejects.toThrow("a line of more than");
});

it("a sample with a field of another type is none", () => {
  expect(sampleOf(JSON.parse(line))).toEqual(one);
  const spoil = (change: (copy: Record<string, never>) => void): unknown => {
    const copy = JSON.parse(line) as Record<string, never>;
    change(copy);
    return sampleOf(copy);
  };
  const paths = ["schema", "at", "sequence", "took_seconds", "elapsed_seconds", "devices"];
  for (const field of paths) expect(spoil((copy) => Object.assign(copy, { [field]: {} }))).toBeUndefined();
  const device0 = (copy: Record<string, never>): object => (copy["devices"] as unknown as object[])[0] ?? {};
  for (const field of ["id", "name", "family", "metrics", "power_state", "processes"]) {
    expect(spoil((copy) => Object.assign(device0(copy), { [field]: 7 }))).toBeUndefined();
  }
  for (const metric of [{ name: "x_ratio", from: "y", value: "1" }, { name: "x", from: "y", value: null }, null]) {
    expect(spoil((copy) => Object.assign(device0(copy), { metrics: [metric] }))).toBeUndefined();
  }
});
