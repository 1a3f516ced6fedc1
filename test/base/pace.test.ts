/** When a run is made on the calling thread: short ones only, and not again soon after one that was long. */

import { describe, expect, it } from "vitest";
import { Pace } from "../../src/base/pace.ts";

const after = (...runs: readonly (readonly [ms: number, here: boolean])[]): Pace => {
  const pace = new Pace();
  for (const [ms, here] of runs) pace.ended(ms, here);
  return pace;
};
/** Runs on other threads until one is made here. */
const away = (pace: Pace): number => {
  let runs = 0;
  for (; !pace.short && runs < 100_000; runs++) pace.ended(0.5, false);
  return runs;
};
const twoShort = [
  [0.5, false],
  [0.5, false],
] as const;

describe("pace of runs", () => {
  it("is not known before two runs", () => {
    expect(after().short).toBe(false);
    expect(after([0.5, false]).short).toBe(false);
    expect(after(...twoShort).short).toBe(true);
  });

  it("forgives one long run: a busy machine is no slow model", () => {
    const pace = after(...twoShort, [40, true]);
    expect(pace.short).toBe(true);
    for (let i = 0; i < 100; i++) pace.ended(0.5, true);
    pace.ended(40, true);
    expect(pace.short).toBe(true);
  });

  it("sends runs away after two that were long here, longer each time", () => {
    const pace = after(...twoShort, [4, true], [4, true]);
    const first = away(pace);
    expect(first).toBeGreaterThan(8);
    pace.ended(4, true);
    expect(away(pace)).toBe(first * 4);
  });

  it("forgets them after many short runs", () => {
    const pace = after(...twoShort, [4, true], [4, true]);
    const first = away(pace);
    for (let i = 0; i < 1000; i++) pace.ended(0.5, true);
    pace.ended(4, true);
    pace.ended(4, true);
    expect(away(pace)).toBe(first);
  });

  it("sees within a few runs that a model has become slow", () => {
    const pace = after(...twoShort);
    let runs = 0;
    for (; pace.short; runs++) pace.ended(2.5, true);
    expect(runs).toBeLessThan(10);
  });

  it("calls runs tiny by what is typical", () => {
    expect(after([0.05, false], [0.05, false]).tiny).toBe(true);
    expect(after([0.05, false], [5, false]).tiny).toBe(true);
    expect(after([0.5, false], [0.5, false]).tiny).toBe(false);
  });
});
