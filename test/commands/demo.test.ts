/** accelctl demo: what comes with accelctl runs here, and is seen right. */

import { describe, expect, it } from "vitest";
import tflite from "../../src/delegates/tflite.ts";
import { run } from "../support/run.ts";

describe.skipIf(tflite.find({}).state !== "read")("accelctl demo (skipped: no TFLite for this machine)", () => {
  it("sees the cat, and says where and what to type next", async () => {
    const { code, out } = await run("demo", "--device", "cpu");
    expect(code).toBe(0);
    expect(out).toMatch(/a cat \(demo\/cat\.jpg\): Egyptian cat \d+ %/);
    expect(out).toMatch(/on cpu with tflite \d/);
    expect(out).toContain("the CPU worked");
    expect(out).toMatch(/run MODEL/);
  });

  it("is JSON when asked, and an error where the device is not here", async () => {
    const { out } = await run("demo", "--json", "--device", "cpu");
    const demo = JSON.parse(out) as { seen: { label: string }[]; proof: { verdict: string } };
    expect(demo.seen[0]?.label).toContain("cat");
    expect(demo.proof.verdict).toBe("worked");
    const { code, err } = await run("demo", "--device", "gaudi");
    expect(code).toBe(3);
    expect(err).toContain("no such device is here");
  });
});
