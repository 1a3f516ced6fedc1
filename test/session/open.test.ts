/** What becomes of a device that was asked for and fails as it is opened: an error, or the CPU where that was allowed, and said. */

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CannotError } from "../../src/base/errors.ts";
import tflite from "../../src/delegates/tflite.ts";
import { openSession, type SessionOptions } from "../../src/session/open.ts";
import { hasCompiler, unlessCompiler } from "../support/compile.ts";
import { machines } from "../support/machines.ts";
import { compileTestDelegate, type TestDelegateOptions } from "../support/tflite-delegate.ts";
import { chainTflite } from "../support/tflite.ts";

describe.skipIf(!hasCompiler || tflite.find({}).state !== "read")(`a device that fails${unlessCompiler}`, () => {
  let folder = "";
  let model = "";
  let plugin = "";
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "accelctl-open-"));
    model = join(folder, "chain.tflite");
    writeFileSync(model, chainTflite(["ADD", "EXP"]));
    plugin = compileTestDelegate(folder);
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const asked = (options: TestDelegateOptions): SessionOptions => ({
    device: "rockchip",
    plugin,
    options: { ...options },
    machine: machines["no-accelerator"]?.() ?? undefinedMachine(),
  });
  const undefinedMachine = (): never => {
    throw new Error("no such machine");
  };
  const inputs = new Map([["x", { type: "float32", shape: [1, 3], data: Float32Array.from([1, 2, 3]) } as const]]);

  it.each<[string, TestDelegateOptions, RegExp]>([
    ["refuses", { refuse: "no NPU in this board" }, /no NPU in this board/],
    ["crashes", { misbehave: "segv", at: "create" }, /crashed \(SIGSEGV\)/],
    ["takes nothing", { take: "SUB" }, /took none|no node|none of/],
  ])("and %s is an error in one sentence", async (_, options, says) => {
    const error: unknown = await openSession(model, asked(options)).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(CannotError);
    expect((error as Error).message).toMatch(says);
    expect((error as Error).message).not.toContain("\n");
  });

  it.each<[string, TestDelegateOptions, RegExp]>([
    ["refuses", { refuse: "no NPU in this board" }, /no NPU in this board/],
    ["crashes", { misbehave: "segv", at: "create" }, /crashed \(SIGSEGV\)/],
  ])("and %s leaves the model to the CPU where that is allowed, which is said", async (_, options, says) => {
    const { session, instead, candidate } = await openSession(model, { ...asked(options), fallback: "cpu" });
    expect(candidate.device).toBe("cpu");
    expect(instead).toMatch(says);
    expect(session.placement.device).toBe("cpu");
    expect((await session.run(inputs)).outputs.size).toBe(1);
    await session.close();
  });

  it("and works is what runs, with its options", async () => {
    const { session, instead } = await openSession(model, { ...asked({ take: "ADD" }), fallback: "cpu" });
    expect(instead).toBeUndefined();
    expect(session.placement).toMatchObject({ device: "rockchip", nodes: { all: 2, taken: 1 } });
    await session.close();
  });
});
