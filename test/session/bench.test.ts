/** Statistics, parity, meters, the history of benches, and a bench of a small real model. */

import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import onnxruntime from "../../src/delegates/onnxruntime.ts";
import type { Value } from "../../src/delegates/value.ts";
import { progressOf } from "../../src/commands/progress.ts";
import { benchText } from "../../src/print/bench.ts";
import { plainTerminal } from "../../src/print/terminal.ts";
import type { BenchResult } from "../../src/session/bench-result.ts";
import { historyPath, readHistory, writeHistory, type Entry } from "../../src/session/history.ts";
import {
  energySources,
  energyUnread,
  fastestClock,
  joulesBetween,
  readEnergy,
  readMemory,
  readThrottling,
  throttled,
} from "../../src/session/meters.ts";
import { parityOf, type Parity } from "../../src/session/parity.ts";
import { median, quantile, ratioOf, summarize } from "../../src/session/statistics.ts";
import { smallRoot } from "../facts/small-root.ts";
import { smallOnnx } from "../support/onnx.ts";
import { run } from "../support/run.ts";

let folder = "";
beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), "accelctl-bench-"))));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("statistics", () => {
  it("quantiles are by nearest rank, and there are none of too few", () => {
    const hundred = Array.from({ length: 100 }, (_, at) => 100 - at);
    expect(summarize(hundred)).toEqual({ count: 100, min: 1, p50: 50, p90: 90, p99: 99, max: 100, mean: 50.5 });
    expect(summarize([3, 1, 2])).toEqual({ count: 3, min: 1, p50: 2, max: 3, mean: 2 });
    expect(summarize(hundred.slice(0, 10))).toMatchObject({ p90: 99 });
    expect(summarize([])).toBeUndefined();
    expect(quantile([], 0.5)).toBeNaN();
  });
  it("the median of an even number lies between two", () => {
    expect([median([4, 1, 3, 2]), median([10, 9, 100]), median([])]).toEqual([2.5, 10, NaN]);
  });
  it("ratios are of the same round, so that a slow round slows both", () => {
    expect(ratioOf([20, 200, undefined, 22], [10, 100, 5, 10])).toEqual({ median: 2, low: 2, high: 2.2 });
    expect(ratioOf([1], [undefined])).toBeUndefined();
  });
});

describe("parity", () => {
  const of = (...numbers: readonly number[]): Value => ({
    type: "float32",
    shape: [1, numbers.length],
    data: Float32Array.from(numbers),
  });
  const compared = (a: Value, b: Value): Parity => {
    const parity = parityOf("y", a, b);
    if (typeof parity === "string") throw new Error(parity);
    return parity;
  };
  it("tells the largest difference, signal to noise, and the angle", () => {
    const parity = compared(of(1, 2, 3.5), of(1, 2, 4));
    expect(parity).toMatchObject({ max_abs: 0.5, max_rel: 0.125, identical: false, not_finite: 0 });
    expect(parity.snr_db).toBeCloseTo(10 * Math.log10(21 / 0.25));
    expect(parity.cosine).toBeCloseTo(19 / Math.sqrt(17.25 * 21));
    expect(parity.top).toBeUndefined();
  });
  it("has no noise where nothing differs, and tells no share of a reference of zeros", () => {
    expect(compared(of(1, 2), of(1, 2))).toMatchObject({ identical: true, max_abs: 0, max_rel: 0 });
    expect("snr_db" in compared(of(1, 2), of(1, 2))).toBe(false);
    const zero = compared(of(1, 2), of(0, 0));
    expect([zero.snr_db, zero.cosine, zero.identical]).toEqual([undefined, undefined, false]);
  });
  it("counts how many of the first five are the same", () => {
    const parity = compared(of(9, 8, 7, 6, 5, 0, 0, 0), of(8, 9, 7, 6, 0, 5, 0, 0));
    expect(parity.top).toEqual({ first: false, shared: 4, of: 5 });
  });
  it("does not take a number that is none for equal", () => {
    expect(compared(of(NaN, 1), of(0, 1))).toMatchObject({ identical: false, not_finite: 1 });
    expect(compared(of(NaN, Infinity), of(NaN, Infinity))).toMatchObject({ identical: true, not_finite: 0 });
    expect(compared(of(Infinity, 1), of(-Infinity, 1))).toMatchObject({ not_finite: 1 });
  });
  it("undoes quantisation, and says what cannot be compared", () => {
    const quantised: Value = { type: "uint8", shape: [2], data: Uint8Array.of(128, 138) };
    const port = { name: "y", type: "uint8", shape: [2], quantization: { scale: 0.5, zero: 128 } } as const;
    expect(parityOf("y", quantised, of(0, 5), { value: port })).toMatchObject({ identical: true });
    expect(parityOf("y", of(1, 2, 3), of(1, 2))).toBe("y: [1, 3] here and [1, 2] there");
  });
});

describe("meters", () => {
  const rapl = "/sys/class/powercap/intel-rapl:0";
  it("reads RAPL's packages without their parts, and counts on where the counter begins again", () => {
    const root = smallRoot({
      [`${rapl}/name`]: "package-0\n",
      [`${rapl}/energy_uj`]: "2500000\n",
      [`${rapl}/max_energy_range_uj`]: "262143328850\n",
      "/sys/class/powercap/intel-rapl:0:0/energy_uj": "1\n",
      "/sys/class/powercap/intel-rapl/enabled": "1\n",
    });
    const sources = energySources(root);
    expect(sources.map(({ name, path, unit, wraps_at }) => [name, path, unit, wraps_at])).toEqual([
      ["package-0", `${rapl}/energy_uj`, "joules", 262143.32885],
    ]);
    const [source] = sources;
    const now = source?.read();
    expect(now).toMatchObject({ state: "read", value: 2.5 });
    if (source === undefined) return;
    const at = (value: number) => ({ state: "read", value, from: "" }) as const;
    expect(joulesBetween(source, at(10), at(12.5), 1)).toBe(2.5);
    expect(joulesBetween(source, at(262143), at(1), 1)).toBeCloseTo(1.32885);
    const endless = { name: source.name, path: source.path, unit: source.unit, read: () => source.read() };
    expect(joulesBetween(endless, at(10), at(1), 1)).toBeUndefined();
  });
  it("says that a counter which is denied needs root, and never 0", () => {
    const root = smallRoot({ [`${rapl}/name`]: "package-0", [`${rapl}/energy_uj`]: null });
    const sources = energySources(root);
    const readings = readEnergy(sources);
    expect(readings[0]?.state).toBe("denied");
    expect(energyUnread(sources, readings)).toBe(`${rapl}/energy_uj: needs root`);
    expect(sources[0] && joulesBetween(sources[0], readings[0], readings[0], 1)).toBeUndefined();
    expect(energyUnread([], [])).toBe("no counter of energy is here (RAPL, hwmon)");
  });
  it("takes energy before power of hwmon, and one of two words for a power", () => {
    const root = smallRoot({
      "/sys/class/hwmon/hwmon0/name": "xe",
      "/sys/class/hwmon/hwmon0/energy1_input": "7000000",
      "/sys/class/hwmon/hwmon0/power1_max": "1",
      "/sys/class/hwmon/hwmon1/name": "amdgpu",
      "/sys/class/hwmon/hwmon1/power1_average": "15000000",
      "/sys/class/hwmon/hwmon1/power1_input": "16000000",
      "/sys/class/hwmon/hwmon1/power1_label": "PPT",
    });
    expect(energySources(root).map(({ name, unit }) => [name, unit])).toEqual([
      ["xe", "joules"],
      ["amdgpu: PPT", "watts"],
    ]);
    const watts = energySources(root)[1];
    if (watts === undefined) throw new Error("no source");
    expect(joulesBetween(watts, watts.read(), watts.read(), 2)).toBe(32);
  });
  it("sees throttling by counts and by cooling that slows, not by fans", () => {
    const cpu = "/sys/devices/system/cpu";
    const files = (count: string, state: string) => ({
      [`${cpu}/cpu0/thermal_throttle/core_throttle_count`]: count,
      "/sys/class/thermal/cooling_device0/type": "cpufreq-cpu0",
      "/sys/class/thermal/cooling_device0/cur_state": state,
      "/sys/class/thermal/cooling_device1/type": "pwm-fan",
      "/sys/class/thermal/cooling_device1/cur_state": state,
      [`${cpu}/cpufreq/policy0/scaling_cur_freq`]: "1800000",
      [`${cpu}/cpufreq/policy4/scaling_cur_freq`]: "2400000",
    });
    const [before, after] = [smallRoot(files("3", "0")), smallRoot(files("5", "2"))];
    expect(throttled(readThrottling(before), readThrottling(after))).toEqual([
      "cpu0 core throttle count rose from 3 to 5",
      "cooling of cpufreq-cpu0 rose from 0 to 2",
    ]);
    expect(throttled(readThrottling(before), readThrottling(before))).toEqual([]);
    expect(fastestClock(before)).toBe(2.4e9);
    expect(fastestClock(smallRoot({}))).toBeUndefined();
  });
  it("reads the memory of a process", () => {
    const root = smallRoot({
      "/proc/7/status": "Name:\tx\nVmHWM:\t    2048 kB\nVmRSS:\t    1024 kB\n",
      "/proc/8/status": "Name:\tkthread\n",
    });
    expect(readMemory(root, 7)).toMatchObject({ value: { resident_bytes: 2 ** 20, peak_bytes: 2 ** 21 } });
    expect([readMemory(root, 8).state, readMemory(root, 9).state]).toEqual(["malformed", "absent"]);
  });
});

describe("the history of benches", () => {
  const entry = (when: string): Entry => ({ when, p50_ms: 2, min_ms: 1, runs: 3 });
  it("lies where the XDG specification says", () => {
    expect(historyPath({ XDG_STATE_HOME: "/s", HOME: "/h" })).toBe("/s/accelctl/bench.json");
    expect(historyPath({ XDG_STATE_HOME: "relative", HOME: "/h" })).toBe("/h/.local/state/accelctl/bench.json");
    expect(historyPath({ HOME: "/h" })).toBe("/h/.local/state/accelctl/bench.json");
  });
  it("is written whole, for its owner alone, and forgets the oldest", () => {
    const path = join(folder, "a", "b", "bench.json");
    const many = new Map(
      Array.from({ length: 510 }, (_, at) => [`k${at}`, entry(`2026-01-01T00:00:${String(at).padStart(6, "0")}`)]),
    );
    expect(writeHistory(path, many)).toBeUndefined();
    expect(readdirSync(join(folder, "a", "b"))).toEqual(["bench.json"]);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    const back = readHistory(path);
    expect([back.size, back.has("k9"), back.has("k10"), back.get("k509")]).toEqual([
      500,
      false,
      true,
      entry("2026-01-01T00:00:000509"),
    ]);
  });
  it("is empty where the file is broken, of another schema, or full of other things", () => {
    for (const text of [
      "{",
      "[]",
      '{"schema":2,"entries":{}}',
      '{"schema":1,"entries":{"a":{"when":1}}}',
      '{"schema":1,"entries":{"a":null}}',
    ]) {
      writeFileSync(join(folder, "broken.json"), text);
      expect([text, readHistory(join(folder, "broken.json")).size]).toEqual([text, 0]);
    }
    expect(readHistory(join(folder, "none.json")).size).toBe(0);
  });
  it("says in a sentence that it cannot be kept", () => {
    expect(writeHistory("/dev/null/bench.json", new Map())).toMatch(/^not kept for the next time: (?:ENOTDIR|EEXIST)/);
  });
});

describe("a bench for people", () => {
  const base: BenchResult = {
    schema: 1,
    model: { name: "m.onnx", sha256: "00" },
    machine: { host: "h", cpu: "cpu", cores: 2 },
    settings: { seconds: 5, concurrency: 1 },
    rounds: 10,
    assumed: [],
    energy: { sources: [], says: "/sys/x: needs root" },
    contestants: [],
  };
  it("fits into 80 columns, however many devices and whatever their names", () => {
    const parity = {
      output: "y".repeat(60),
      elements: 8,
      max_abs: 0.001,
      max_rel: 1e-5,
      snr_db: 50,
      cosine: 0.99999,
      identical: false,
      not_finite: 2,
      top: { first: false, shared: 4, of: 5 },
    };
    const one: BenchResult["contestants"][number] = {
      asked: "rockchip",
      delegate: { id: "onnxruntime", version: "1.2.3" },
      device: "renesas-drpai:1",
      own_process: true,
      cold: { open_ms: 12345.6, first_run_ms: 9999.9, loaded_before: false },
      warm_ms: { count: 100, min: 1000, p50: 1234, p90: 2345, p99: 3456, max: 4000, mean: 1300 },
      ratio: { median: 12.34, low: 1.2, high: 123.4 },
      throughput: {
        concurrency: 4,
        runs_per_second: 3.1415,
        latency_ms: { count: 9, min: 1, p50: 2, max: 3, mean: 2 },
      },
      memory: { resident_bytes: 2 ** 30, peak_bytes: 2 ** 31 },
      energy: { joules_per_run: 0.0123, over_rest: 0.01, estimated: true },
      parity: { to: "onnxruntime on cpu", outputs: [parity], not: ["z: texts are not compared"] },
      last: { when: "2026-11-01T10:00:00.000Z", p50_ms: 617, min_ms: 600, runs: 50, ratio: 2 },
    };
    const text = benchText(
      { ...base, contestants: [one, { asked: "hailo", error: "hailo does not run onnx" }], throttling: [], load: 9 },
      plainTerminal,
    );
    for (const line of text.split("\n").filter((line) => !line.includes("y".repeat(60))))
      expect(line.length, line).toBeLessThanOrEqual(80);
    const flat = text.replace(/\s+/g, " ");
    for (const part of [
      "did not run: hailo does not run onnx",
      "ANOTHER FIRST, 4 of 5 of the first",
      "12.3 mJ a run, 10.0 mJ over rest (estimated from watts)",
      "2.00 times the last bench's 617 ms (2026-11-01 10:00 UTC)",
      "no throttling was seen",
      "energy: /sys/x: needs root",
      "the machine was busy",
    ]) {
      expect(flat).toContain(part);
    }
  });
});

describe.skipIf(onnxruntime.find({}).state !== "read")(
  "accelctl bench (skipped: no ONNX Runtime for this machine)",
  () => {
    let model = "";
    let before: string | undefined;
    beforeEach(() => {
      before = process.env["XDG_STATE_HOME"];
      process.env["XDG_STATE_HOME"] = mkdtempSync(join(folder, "state-"));
      model = join(folder, "small.onnx");
      writeFileSync(model, smallOnnx());
    });
    afterEach(() => {
      if (before === undefined) delete process.env["XDG_STATE_HOME"];
      else process.env["XDG_STATE_HOME"] = before;
    });
    const bench = async (...words: readonly string[]): Promise<BenchResult & { code: number }> => {
      const { code, out } = await run("bench", model, "--runs", "20", "--warmup", "2", "--json", ...words);
      return { ...(JSON.parse(out) as BenchResult), code };
    };

    it("measures each contestant in turns, holds outputs against the first, and knows the last bench", async () => {
      const first = await bench("--device", "cpu", "--device", "cpu", "--concurrency", "3");
      expect(first.code).toBe(0);
      expect(first.contestants).toHaveLength(2);
      const [one, two] = first.contestants;
      expect([one?.warm_ms?.count, two?.warm_ms?.count, one?.ratio, one?.parity]).toEqual([
        20,
        20,
        undefined,
        undefined,
      ]);
      expect(two?.ratio?.median).toBeGreaterThan(0);
      expect(two?.parity?.outputs).toMatchObject([{ output: "y", identical: true }]);
      expect(two?.cold?.loaded_before).toBe(true);
      expect(one?.throughput?.runs_per_second).toBeGreaterThan(0);
      expect(one?.last).toBeUndefined();
      const again = await bench("--device", "cpu");
      expect(again.contestants[0]?.last?.ratio).toBeGreaterThan(0);
      // Another number of threads is another bench.
      expect((await bench("--device", "cpu", "--threads", "1")).contestants[0]?.last).toBeUndefined();
    });

    it("goes on without a device that cannot be used, says why, and ends with 3", async () => {
      const { code, contestants } = await bench("--device", "cpu", "--device", "hailo", "--compare", "cpu");
      expect(code).toBe(3);
      expect(contestants[1]?.error).toContain("hailo");
      expect(contestants[0]?.parity).toMatchObject({
        to: "onnxruntime on cpu",
        outputs: [{ identical: true }],
        not: [],
      });
      const alone = await run("bench", model, "--device", "hailo");
      expect([alone.code, alone.out]).toEqual([3, ""]);
    });

    it("keeps nothing with --no-history, and says where it could not", async () => {
      await bench("--no-history");
      const state = process.env["XDG_STATE_HOME"] ?? "";
      expect(readdirSync(state)).toEqual([]);
      process.env["XDG_STATE_HOME"] = "/dev/null";
      const { code, history } = await bench();
      expect([code, history]).toEqual([0, expect.stringMatching(/^not kept for the next time/)]);
    });

    it.each([
      [["--runs", "0"], "--runs takes a whole number"],
      [["--compare", "magic"], "--compare takes cpu or the id of a delegate"],
      [["--concurrency", "1000"], "--concurrency takes a whole number from 1 to 256"],
      [["--fallback", "cpu"], "--fallback"],
    ] as const)("%j is told in one sentence", async (words, says) => {
      const { code, out, err } = await run("bench", model, ...words);
      expect([code, out]).toEqual([2, ""]);
      expect(err).toContain(says);
    });
  },
);

it("progress is for people, and only where something takes long", async () => {
  let text = "";
  const err = (more: string): void => void (text += more);
  const quick = progressOf({ err }, true);
  quick.say("opening");
  quick.end();
  const piped = progressOf({ err }, false);
  piped.say("opening");
  const slow = progressOf({ err }, true);
  slow.say("opening");
  slow.say("round 2");
  await new Promise((done) => setTimeout(done, 1600));
  piped.end();
  slow.end();
  slow.end();
  // Nothing of the first, and the line taken away at the end.
  expect(text).toBe("\r\u001b[Kround 2 (1 s)\r\u001b[K");
});
