import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { classBars, classTables, judgedClasses } from "../../src/fit/evaluate-classes.ts";
import { devicesFor } from "../../src/fit/choose.ts";
import { evaluateLatency } from "../../src/fit/evaluate-latency.ts";
import { findKnown } from "../../src/fit/find-known.ts";
import { fitOn } from "../../src/fit/fit.ts";
import { rank } from "../../src/fit/rank.ts";
import { rankText } from "../../src/print/rank.ts";
import { classLines, errorsOf } from "../../src/fit/time/class-evaluate.ts";
import { classRows } from "../../src/fit/time/class-rows.ts";
import { levelOf, spreadOf, type Excess } from "../../src/fit/time/class-spread.ts";
import { classWork, floorOf } from "../../src/fit/time/class-work.ts";
import { dataOf } from "../../src/fit/time/data.ts";
import { estimate, type Device, type Estimate } from "../../src/fit/time/estimate.ts";
import { viewOf } from "../../src/fit/view.ts";

function subjectOf(name: string, precision?: "int8" | "float16"): ReturnType<typeof viewOf> {
  const found = findKnown(name);
  if (found === undefined) throw new Error(`${name} is not known`);
  return viewOf(found.known.build(precision === undefined ? {} : { precision }));
}

/** A chip that nobody measured. */
const chip = (rest: Partial<Device> = {}): Device => ({
  id: "new",
  name: "New",
  family: "arm-ethos-n",
  class: "MAC array",
  targets: [],
  macs: { value: 2e12, precision: "int8", source: "a data sheet" },
  ...rest,
});

function told(device: Device, name = "mobilenet_v2"): Estimate {
  const { views, model } = subjectOf(name);
  return estimate(views, model, device, undefined, { name });
}

/** Rows of devices that take `level` times their floor, in the logarithm, models about it by `about`. */
const rowsOf = (line: string, device: string, level: number, about: readonly number[]): readonly Excess[] =>
  about.map((value, at) => ({
    class: "MAC array",
    line,
    device,
    group: `${device} ${at}`,
    ops_g: 1,
    value: level + value,
  }));
const about = Array.from({ length: 21 }, (_, i) => (i - 10) / 20);

describe("levels", () => {
  const rows = [
    ...rowsOf("a", "a1", 0.2, about),
    ...rowsOf("a", "a2", 0.3, about),
    ...rowsOf("b", "b1", 1.2, about),
    ...rowsOf("c", "c1", 0.8, about),
  ];
  const spread = spreadOf(rows);

  it("puts a chip of no known line amid the lines, with an interval that holds them all", () => {
    const level = levelOf(spread, { class: "MAC array", line: "new", device: "new" });
    expect(level?.rests).toBe("class");
    expect(level?.middle).toBeCloseTo((0.25 + 1.2 + 0.8) / 3, 5);
    expect(level?.low).toBeLessThan(0.2);
    expect(level?.high).toBeGreaterThan(1.2);
  });

  it("follows a sister more than the class, and its own rows more than a sister, each with a narrower interval", () => {
    const of = (line: string, device: string) => levelOf(spread, { class: "MAC array", line, device });
    const [none, sister, own] = [of("new", "new"), of("a", "a3"), of("b", "b1")];
    expect(sister?.rests).toBe("line");
    expect(Math.abs((sister?.middle ?? 9) - 0.25)).toBeLessThan(0.1);
    expect(own?.rests).toBe("device");
    expect(Math.abs((own?.middle ?? 9) - 1.2)).toBeLessThan(0.1);
    const width = (level: typeof none): number => (level?.high ?? NaN) - (level?.low ?? NaN);
    expect(width(sister)).toBeLessThan(width(none));
    expect(width(own)).toBeLessThan(width(none));
  });

  it("says nothing of a class that nobody measured", () => {
    expect(levelOf(spread, { class: "dataflow", line: "a", device: "a1" })).toBeUndefined();
  });
});

describe("work of a class", () => {
  it("fills arrays with channels, and takes depthwise layers for slower than they count", () => {
    const { views } = subjectOf("mobilenet_v2");
    const macs = views.reduce((sum, { work }) => sum + (work.macs ?? 0), 0);
    const work = classWork(views, "MAC array");
    expect(work?.macs).toBeGreaterThan(macs);
    expect(classWork(views, "CPU")).toBeUndefined();
    // Twice the peak takes less, and never less than half.
    const [slow, fast] = [1e12, 2e12].map((peak) => floorOf(work ?? { macs: 0, operators: 0 }, peak));
    expect(fast).toBeLessThan(slow ?? 0);
    expect(fast).toBeGreaterThan((slow ?? 0) / 2);
  });
});

describe("estimates by class", () => {
  it("are marked, wide, and say from how many rows of how many devices they come", () => {
    const { from, byClass, says, median_ms = NaN, low_ms = NaN, high_ms = NaN, costly, bound } = told(chip());
    expect(from).toBe("class");
    expect(byClass?.rests).toBe("class");
    expect(byClass?.lines.length).toBeGreaterThanOrEqual(2);
    expect(says[0]).toMatch(
      /^by class \(MAC array\): no measurement of this device; from \d+ rows of \d+ devices of its class/,
    );
    expect(says.join()).toContain("a data sheet");
    expect(low_ms).toBeLessThan(median_ms);
    expect(high_ms / low_ms).toBeGreaterThan(4);
    expect(costly.length).toBe(3);
    expect(bound).toBeDefined();
  });

  it("never tell floating point by a peak of int8", () => {
    const { from, says } = told(chip({ float: "always" }));
    expect(from).toBe("none");
    expect(says.join()).toContain("nothing of floating point");
  });

  it("say which figure is missing", () => {
    const without: Device = { id: "new", name: "New", family: "arm-ethos-n", class: "MAC array", targets: [] };
    expect(told(without).says[0]).toContain("nobody states its peak in int8");
    expect(told(chip({ class: "systolic array", family: "ascend" })).says[0]).toContain("only coral was measured");
    expect(told(chip({ class: "SIMT" })).says[0]).toContain("by their own measurements alone");
    expect(told(chip({ class: "SIMT", family: "any" })).says[0]).toContain("not for one chip");
    expect(told(chip({ macs: { value: 1e15, precision: "int8", source: "a data sheet" } })).says[0]).toContain(
      "far outside",
    );
    expect(told(chip({ family: "axelera" })).says[0]).toContain("computes in memory");
    for (const device of [without, chip({ class: "SIMT" })]) expect(told(device).median_ms).toBeUndefined();
  });

  it("tell no number of a model far larger than any that was measured", () => {
    const known = findKnown("mobilenet_v2")?.known;
    const { views, model } = viewOf(
      known?.build({ input: [3, 32768, 32768] }) ?? ({ format: "", graphs: [], metadata: {} } as never),
    );
    expect(estimate(views, model, chip(), undefined).says.join()).toContain("far outside");
  });

  it("never take the place of a device's own measurements", () => {
    const [hailo] = devicesFor(["hailo-8"]).devices;
    expect(hailo && told(hailo).from).toBe("fitted");
    expect(hailo && told(hailo).byClass).toBeUndefined();
  });

  it("stand in a ranking with their mark", () => {
    const known = findKnown("mobilenet_v2")?.known;
    if (known === undefined) throw new Error("mobilenet_v2 is not known");
    const { devices } = devicesFor(["hailo-8", "rzv2h", "furiosa"]);
    const text = rankText(rank(fitOn(known, devices)), { columns: 120, colour: false, unicode: true } as never);
    const marked = text.split("\n").filter((line) => / ~\d/.test(line));
    expect(marked.length).toBeGreaterThanOrEqual(2);
    expect(marked.join()).not.toContain("hailo-8 ");
    expect(text.replace(/\s+/g, " ")).toContain("~ by its class and peak");
  });
});

describe("evaluation of classes", () => {
  const judged = judgedClasses();

  it("holds its intervals on three quarters to seven eighths of every class told as a new chip line", () => {
    const lines = classLines(judged).filter(({ rests }) => rests === "class");
    expect(lines.map(({ class: of }) => of).sort()).toEqual(["MAC array", "dataflow", "vector DSP"]);
    for (const each of [...lines, errorsOf(judged.filter(({ rests }) => rests === "class"))]) {
      expect(each.held).toBeGreaterThanOrEqual(classBars.held[0]);
      expect(each.held).toBeLessThanOrEqual(classBars.held[1]);
      expect(each.median).toBeLessThan(0.8);
    }
    expect(classTables(judged)[0]?.rows.length).toBeGreaterThan(8);
  }, 30_000);

  it("comes nearer with every measurement that is closer to what is asked", () => {
    const median = (rests: string): number => errorsOf(judged.filter((one) => one.rests === rests)).median;
    expect(median("line")).toBeLessThan(median("class"));
    expect(median("device")).toBeLessThan(median("line"));
  });

  it("tells rows of a file by class, apart from others, and never from the model's own", () => {
    const row = { device: "AXERA AX630C", input: "224x224", kind: "vendor-published measurement" };
    const { rows, devices } = evaluateLatency([
      { ...row, model: "MobileNetv2", latency_ms: 0.923 },
      { ...row, model: "MobileNetv2", latency_ms: 92.3 },
      { ...row, model: "ResNet50", latency_ms: 5.616 },
      { device: "Hailo-8", model: "ResNet50", fps: 1300, kind: row.kind },
    ]);
    expect(rows.map(({ from }) => from)).toEqual(["class", "class", "class", undefined]);
    expect(rows[0]?.median_ms).toBe(rows[1]?.median_ms);
    expect(rows.slice(1, 3).map(({ held }) => held)).toEqual([false, true]);
    expect(devices.map(({ device }) => device)).toEqual(["AXERA AX630C (by class)", "Hailo-8"]);
  });

  it("comes out as docs/fit.md has it", () => {
    const page = readFileSync("docs/fit.md", "utf8");
    for (const row of classTables(judged)[0]?.rows ?? []) expect(page).toContain(`| ${row.join(" | ")} |`);
  });

  it("is held on rows that come out the same when they are made anew", () => {
    const some = new Set(["stm32mp25", "vs680", "axera-ax620q"]);
    const stored = dataOf<readonly Excess[]>("class-rows.json").filter(({ device }) => some.has(device));
    const made = classRows(some);
    expect(made.length).toBe(stored.length);
    made.forEach((row, at) => {
      expect(row.value).toBeCloseTo(stored[at]?.value ?? NaN, 3);
      expect(row.device).toBe(stored[at]?.device);
    });
  }, 30_000);
});
