/** Peaks, power, memory and cores of the catalogue: each told by somebody, in one vocabulary, within what silicon can do. */

import { describe, expect, test } from "vitest";

import type { Source } from "../../src/base/source.ts";
import { makeAtlas } from "../../src/export/atlas.ts";
import type { Chip, Peak } from "../../src/families/family.ts";
import { families } from "../../src/families/index.ts";

/** Families of which no peak was found with a source, or that have none of their own. One that gets a peak leaves this list. */
const without = [
  "brainchip",
  "cambricon",
  "cpu",
  "enflame",
  "intel-gpu",
  "kendryte",
  "kneron",
  "maia",
  "phytium",
  "rebellions",
  "renesas-drpai",
  "samsung",
  "stm",
  "xeon-phi",
  "xilinx-dpu",
];

const numbers =
  /^(?:int(?:4|8|16)|(?:mx)?fp(?:4|6|8)|fp(?:16|32|64)|bf16|unstated)(?: sparse)?(?: at [\d.]+ GHz)?(?: \(.+\))?$/;
const chips = families.flatMap((family) => family.chips.map((chip: Chip) => ({ family: family.id, chip })));
const peaks = chips.flatMap(({ family, chip }) => (chip.peak ?? []).map((peak) => ({ family, chip, peak })));
const facts = chips.flatMap(({ family, chip }) => {
  const own = [chip.watts, chip.memory, chip.cores].flatMap((fact) => (fact === undefined ? [] : [fact.source]));
  const ofPeaks = (chip.peak ?? []).flatMap(({ source, watts }) => (watts ? [source, watts.source] : [source]));
  return [...own, ...ofPeaks].map((source) => ({ who: `${family}/${chip.id}`, source }));
});

/** Which part of several a peak is of: what stands in brackets. */
const partOf = ({ precision }: Peak): string => /\((.+)\)$/.exec(precision)?.[1] ?? "";
const bitsOf = ({ precision }: Peak): number | undefined => {
  const [, bits] = /^(?:int|fp|bf|mxfp)(\d+)/.exec(precision) ?? [];
  return bits === undefined || precision.includes("sparse") ? undefined : Number(bits);
};

test("the families without a peak are those that are known to be without one", () => {
  const found = families
    .filter(({ chips: own }) => own.every((chip: Chip) => chip.peak === undefined))
    .map(({ id }) => id);
  expect(found.sort()).toEqual([...without].sort());
});

test("a peak says of which numbers, in one spelling, and once per chip", () => {
  expect(peaks.filter(({ peak }) => !numbers.test(peak.precision)).map(({ peak }) => peak.precision)).toEqual([]);
  for (const { family, chip } of chips) {
    const words = (chip.peak ?? []).map(({ precision }) => precision);
    expect([family, chip.id, new Set(words).size]).toEqual([family, chip.id, words.length]);
  }
});

test("every figure has a source that was seen: an address with its day, or a kernel's path", () => {
  const odd = facts.filter(({ source }) => !told(source));
  expect(odd).toEqual([]);
  expect(facts.length).toBeGreaterThan(150);
});

function told(source: Source): boolean {
  if ("kernel" in source) return /^\w[\w.,+-]*\//.test(source.kernel);
  return source.cited.length > 10 && /^2026-\d\d-\d\d$/.test(source.seen);
}

test("figures are within what chips of these years do", () => {
  for (const { family, chip, peak } of peaks) {
    const what = `${family}/${chip.id} ${peak.precision}`;
    // The smallest of the catalogue has some hundred MACs, the largest is a package of 1 kW.
    expect([what, peak.ops >= 1e11 && peak.ops <= 1e16]).toEqual([what, true]);
    const watts = (peak.watts ?? chip.watts)?.value;
    // 20 TOPS a watt: nothing on sale does more, at four bits either.
    if (watts !== undefined) expect([what, peak.ops / watts > 1e11 && peak.ops / watts < 2e13]).toEqual([what, true]);
  }
  for (const { family, chip } of chips) {
    const { watts, cores } = chip;
    if (watts !== undefined) expect([family, watts.value > 0.1 && watts.value <= 1500]).toEqual([family, true]);
    if (cores !== undefined) expect([family, Number.isInteger(cores.value) && cores.value > 0]).toEqual([family, true]);
  }
});

test("narrower numbers are not slower on one and the same part", () => {
  for (const { family, chip } of chips) {
    for (const a of chip.peak ?? []) {
      for (const b of chip.peak ?? []) {
        const [narrow, wide] = [bitsOf(a), bitsOf(b)];
        if (partOf(a) !== partOf(b) || narrow === undefined || wide === undefined || narrow >= wide) continue;
        expect([family, chip.id, a.precision, a.ops >= b.ops]).toEqual([family, chip.id, a.precision, true]);
      }
    }
  }
});

test("where an entry stands for several parts, power is told of each part and not of the entry", () => {
  const mixed = chips.filter(({ chip }) => new Set((chip.peak ?? []).map(partOf)).size > 1);
  expect(mixed.length).toBeGreaterThan(5);
  expect(mixed.filter(({ chip }) => chip.watts !== undefined).map(({ chip }) => chip.id)).toEqual([]);
  for (const { chip } of mixed) {
    for (const part of new Set((chip.peak ?? []).map(partOf))) {
      const told = (chip.peak ?? []).filter((peak) => partOf(peak) === part).map(({ watts }) => watts?.value);
      expect([chip.id, part, new Set(told).size]).toEqual([chip.id, part, 1]);
    }
  }
});

describe("the atlas", () => {
  const atlas = makeAtlas(families);

  test("shows every peak of the catalogue, its power and where both are written", () => {
    const shown = atlas.families.flatMap((family) => family.chips.flatMap((chip) => chip.peak ?? []));
    expect(shown.length).toBe(peaks.length);
    shown.forEach(({ ops, precision, watts, source }, i) => {
      const { peak } = peaks[i] ?? {};
      expect([ops, precision, watts?.value]).toEqual([peak?.ops, peak?.precision, peak?.watts?.value]);
      for (const at of [source, ...(watts === undefined ? [] : [watts.source])])
        expect(atlas.sources[at]?.text).toBeTruthy();
    });
  });
});
