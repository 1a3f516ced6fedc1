/** Recordings: what is written is read again; what a crash, a bad disk or somebody's malice made of it is told with its line. */

import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { main } from "../../src/cli.ts";
import { plainTerminal } from "../../src/print/terminal.ts";
import { openRecorder, readRecording, replay, type ReplayOptions } from "../../src/watch/recording.ts";
import type { Sample } from "../../src/watch/sample.ts";
import { makeMachine, pci, watchOf } from "./machine.ts";

const folder = mkdtempSync(join(tmpdir(), "accelctl-recording-"));
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});
let files = 0;
const free = (): string => join(folder, `${files++}.jsonl`);

const made = makeMachine(pci("0000:00:0b.0", "8086:7d1d", "120000", "intel_vpu", { npu_memory_utilization: "4096\n" }));
function record(path: string, count: number): Sample[] {
  const { next } = watchOf(made);
  const recorder = openRecorder(path, made.root, new Date(0));
  const samples = Array.from({ length: count }, () => next());
  for (const sample of samples) recorder.write(sample);
  recorder.close();
  return samples;
}

async function run(...argv: string[]): Promise<{ code: number; out: string; err: string }> {
  let [out, err] = ["", ""];
  const code = await main(argv, {
    out: (text) => (out += text),
    err: (text) => (err += text),
    terminal: plainTerminal,
  });
  return { code, out, err };
}

it("gives back the samples that were written, across a second recording in the same file", () => {
  const path = free();
  const first = record(path, 3);
  const second = record(path, 2);
  expect([...readRecording(path)]).toEqual([...first, ...second]);
  expect(readFileSync(path, "utf8").split("\n")[0]).toBe(
    '{"recording":1,"schema":1,"begun":"1970-01-01T00:00:00.000Z","machine":{"name":"made","kernel":null,"arch":null}}',
  );
});

it("goes on behind the last whole line where a crash left half a one", () => {
  const path = free();
  const first = record(path, 2);
  appendFileSync(path, '{"schema":1,"seq');
  const second = record(path, 1);
  expect([...readRecording(path)]).toEqual([...first, ...second]);
});

it("leaves a file alone that is no recording", () => {
  const path = free();
  writeFileSync(path, "dear diary\n");
  expect(() => openRecorder(path, made.root, new Date())).toThrow(
    `${path}: is there and is no recording; give a name that is free`,
  );
  expect(readFileSync(path, "utf8")).toBe("dear diary\n");
});

it("reads what watch --json printed, and a last line whole but for its line feed", () => {
  const path = free();
  const written = record(path, 2);
  const [, ...samples] = readFileSync(path, "utf8").split("\n");
  writeFileSync(path, samples.join("\n").trimEnd());
  expect([...readRecording(path)]).toEqual(written);
});

it("passes over a last line that was cut off where it is asked to, behind samples only", () => {
  const path = free();
  const written = record(path, 2);
  const whole = readFileSync(path, "utf8");
  writeFileSync(path, whole + '{"schema":1,"seq');
  expect([...readRecording(path, { lenient: true })]).toEqual(written);
  expect(() => [...readRecording(path)]).toThrow("line 4: cut off in the middle");
  writeFileSync(path, whole.slice(0, 20));
  expect(() => [...readRecording(path, { lenient: true })]).toThrow("line 1: cut off in the middle");
});

it("reads samples however their lines lie in the chunks that are read", () => {
  const path = free();
  record(path, 1);
  const line = readFileSync(path, "utf8").split("\n")[1] ?? "";
  writeFileSync(path, `${line}\n`.repeat(3000));
  const sample = JSON.parse(line) as Sample;
  expect([...readRecording(path)]).toEqual(Array.from({ length: 3000 }, () => sample));
});

const good = (): string[] => {
  const path = free();
  record(path, 2);
  return readFileSync(path, "utf8").trimEnd().split("\n");
};
const changed = (change: (sample: Record<string, unknown>) => void): string => {
  const sample = JSON.parse(good()[1] ?? "") as Record<string, unknown>;
  change(sample);
  return JSON.stringify(sample);
};

describe("a recording that is wrong is told with its line, after what was right", () => {
  it.each<[string, (lines: string[]) => string, number, string]>([
    ["empty", () => "", 0, "empty: not a recording"],
    ["text", () => "hello\nworld\n", 0, "line 1: no JSON: not a recording"],
    ["a report", () => '{"schema":1,"machine":{}}\n', 0, "line 1: not the first line of a recording"],
    [
      "another schema",
      (lines) => `${(lines[0] ?? "").replace('"schema":1', '"schema":2')}\n`,
      0,
      "line 1: schema 2; this accelctl reads 1",
    ],
    ["cut off", (lines) => lines.join("\n").slice(0, -20), 1, "line 3: cut off in the middle"],
    ["a line of nonsense", (lines) => `${lines[0]}\n${lines[1]}\n[1,2\n`, 1, "line 3: no JSON"],
    ["no object", (lines) => `${lines[0]}\nnull\n`, 0, "line 2: not a sample: it is no object"],
    ["a list", (lines) => `${lines[0]}\n[]\n`, 0, "line 2: not a sample: it is no object"],
    ["no devices", (lines) => `${lines[0]}\n${changed((s) => delete s["devices"])}\n`, 0, "devices is no list"],
    ["a time that is none", (lines) => `${lines[0]}\n${changed((s) => (s["at"] = "noon"))}\n`, 0, 'at is "noon"'],
    [
      "a value that is a word",
      (lines) => `${lines[0]}\n${(lines[1] ?? "").replace('"value":4096', '"value":"many"')}\n`,
      0,
      'value is "many"',
    ],
    [
      "more devices than there are",
      (lines) => `${lines[0]}\n${changed((s) => (s["devices"] = Array.from({ length: 5000 }, () => 0)))}\n`,
      0,
      "devices has 5000 members, over 4096",
    ],
  ])("%s", (_, content, samples, message) => {
    const path = free();
    writeFileSync(path, content(good()));
    const read: Sample[] = [];
    expect(() => {
      for (const sample of readRecording(path)) read.push(sample);
    }).toThrow(message);
    expect(read).toHaveLength(samples);
  });

  it("a line without end is given up at a limit", () => {
    const path = free();
    writeFileSync(path, `${good()[0]}\n${"x".repeat(17 * 1024 * 1024)}`);
    expect(() => [...readRecording(path)]).toThrow("line 2: longer than 16777216 bytes");
  });
});

it("is replayed at its pace, or faster", { retry: 3 }, async () => {
  const path = free();
  record(path, 3); // one a second
  const begin = performance.now();
  let count = 0;
  for await (const sample of replay(path, { speed: 20 })) count += sample.devices.length;
  const took = performance.now() - begin;
  expect(count).toBe(3);
  expect(took).toBeGreaterThan(80);
  expect(took).toBeLessThan(1500);
});

describe("a recording's pace", () => {
  /** Milliseconds from one sample to the next. */
  async function gaps(elapsed: readonly (number | null)[], options: ReplayOptions): Promise<number[]> {
    const path = free();
    const line = good()[1] ?? "";
    writeFileSync(
      path,
      elapsed.map((seconds) => `${line.replace(/"elapsed_seconds":[^,]*/, `"elapsed_seconds":${seconds}`)}\n`).join(""),
    );
    let before = performance.now();
    const found: number[] = [];
    for await (const sample of replay(path, options)) {
      expect(sample.devices).not.toHaveLength(0);
      found.push(performance.now() - before);
      before = performance.now();
    }
    return found.slice(1);
  }

  it("shortens a long gap once, and keeps those behind it as they were", { retry: 3 }, async () => {
    const [night = 0, ...after] = await gaps([null, 30_000, 0.05, 0.05], { longest_seconds: 0.3 });
    expect(night).toBeGreaterThan(250);
    expect(Math.max(...after)).toBeLessThan(250);
    expect(Math.min(...after)).toBeGreaterThan(20);
  });

  it("does not wait where recording went on in the same file, nor for an elapsed time below 0", async () => {
    expect(Math.max(...(await gaps([null, null, -50], {})))).toBeLessThan(500);
  });

  it("is the reader's own where an interval is given, and nothing comes while it is held", async () => {
    let held = 3;
    const found = await gaps([null, 40, 40], {
      interval_seconds: 0.05,
      longest_seconds: 0.01,
      paused: () => --held > 0,
    });
    expect(found).toHaveLength(2);
    expect(Math.max(...found)).toBeLessThan(500);
    expect(Math.min(...found)).toBeGreaterThan(20);
    expect(held).toBeLessThanOrEqual(0);
  });
});

it("watch records and replays: the same lines, and alerts are found in them", async () => {
  const path = free();
  const live = await run("watch", "--json", "--count", "2", "--interval", "0.05", "--record", path);
  expect(live.code).toBe(0);
  const again = await run("watch", "--replay", path, "--speed", "max", "--json");
  expect(again.out).toBe(live.out);
  const found = await run("watch", "--replay", path, "--speed", "max", "--alert", "memory_bytes > 1k on cpu");
  expect(found.code).toBe(1);
  expect(found.err).toMatch(/^alert firing: cpu:0 memory_bytes is \d+/);
  const first = await run(
    "watch",
    "--replay",
    path,
    "--speed",
    "max",
    "--json",
    "--until-alert",
    "--alert",
    "memory_bytes > 1k",
  );
  expect(first.out.trimEnd().split("\n")).toHaveLength(1);
});

it("an alert is told to a program on its standard input", async () => {
  const path = free();
  record(path, 1);
  const [script, told] = [join(folder, "told.sh"), join(folder, "told.json")];
  writeFileSync(script, `#!/bin/sh\ncat > ${told}\n`, { mode: 0o755 });
  const { code } = await run("watch", "--replay", path, "--alert", "memory_bytes >= 4Ki", "--alert-exec", script);
  expect(code).toBe(1);
  expect(JSON.parse(readFileSync(told, "utf8"))).toMatchObject({
    state: "firing",
    device: "pci:0000:00:0b.0",
    metric: "memory_bytes",
    value: 4096,
  });
  const none = await run(
    "watch",
    "--replay",
    path,
    "--alert",
    "memory_bytes >= 4Ki",
    "--alert-exec",
    join(folder, "nowhere"),
  );
  expect(none.err).toContain("no such program");
});

it.each([
  [["--replay", "x", "--root", "y"], "--replay shows what was recorded; --root is about a machine"],
  [["--speed", "2"], "--speed is the pace of --replay FILE"],
  [["--replay", "x", "--speed", "0"], '--speed takes a number above 0, or max; not "0"'],
  [["--until-alert"], "--until-alert needs an --alert to wait for"],
  [["--alert-exec", "x"], "--alert-exec needs an --alert to run it for"],
  [["--alert", "hot"], '--alert "hot": needs a metric'],
  [["--interval", "0"], '--interval takes seconds from 0.05 to 86400; not "0"'],
  [["--interval", "1e3"], "--interval takes seconds"],
  [["--count", "-1"], "--count"],
  [["--processes", "--no-processes"], "say opposite things"],
  [["nonesuch"], 'no device is "nonesuch" here; accelctl list shows them'],
])("watch %s is refused with what to type instead", async (argv, message) => {
  const { code, err, out } = await run("watch", ...argv);
  expect([code, out]).toEqual([2, ""]);
  expect(err).toContain(message);
});

it("a recording that is not there is said so", async () => {
  const { code, err } = await run("watch", "--replay", join(folder, "none.jsonl"));
  expect([code, err]).toEqual([3, `accelctl: ${join(folder, "none.jsonl")}: no such file\n`]);
});
