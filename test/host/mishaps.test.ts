/**
 * A vendor's library that goes wrong in every way one was seen to: each is one typed error within its deadline, the next run on the
 * same session succeeds, and nothing is left. The library is a TFLite external delegate of our own, compiled here.
 */

import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CannotError, MishapError } from "../../src/base/errors.ts";
import tflite from "../../src/delegates/tflite.ts";
import type { Value } from "../../src/delegates/value.ts";
import { isolate, type IsolatedSession, type Limits } from "../../src/host/isolate.ts";
import { hasCompiler, unlessCompiler } from "../support/compile.ts";
import { compileTestDelegate, type TestDelegateOptions } from "../support/tflite-delegate.ts";
import { chainTflite } from "../support/tflite.ts";

let folder = "";
let plugin = "";
let model = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "accelctl-mishaps-"));
  model = join(folder, "chain.tflite");
  writeFileSync(model, chainTflite(["ADD", "MUL", "EXP", "SUB"]));
  if (hasCompiler) plugin = compileTestDelegate(folder);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const inputs: ReadonlyMap<string, Value> = new Map([
  ["x", { type: "float32", shape: [1, 3], data: Float32Array.from([1, 2, 3]) }],
]);
/** Generous: boards are slow, and so is a machine that runs other tests beside. */
const limits: Partial<Limits> = { open_ms: 60_000, run_ms: 60_000, memory: 600 * 2 ** 20 };

let marks = 0;
const open = (options: TestDelegateOptions, more: Partial<Limits> = {}, path = model): Promise<IsolatedSession> => {
  const once = join(folder, `once-${marks++}`);
  const given = { device: "rockchip", plugin, threads: 1, options: { once, ...options } };
  return isolate(tflite, path, given, { ...limits, ...more });
};

/** Processes, in any state but dead, whose group is that of `leader`. */
function left(leader: number): string[] {
  return readdirSync("/proc")
    .filter((pid) => /^\d+$/.test(pid))
    .filter((pid) => {
      try {
        const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
        const [state, , group] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
        return group === String(leader) && state !== "Z" && state !== "X";
      } catch {
        return false;
      }
    });
}
const shared = (): number =>
  readFileSync("/proc/self/maps", "utf8").split("memfd:accelctl").length -
  1 +
  readdirSync("/proc/self/fd").filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).includes("memfd:accelctl");
    } catch {
      return false;
    }
  }).length;

async function mishap(run: Promise<unknown>): Promise<MishapError> {
  const error: unknown = await run.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof MishapError)) throw new Error(`no mishap but ${String(error)}`, { cause: error });
  expect(error.message).not.toContain("\n");
  return error;
}

type Case = [
  says: string,
  options: TestDelegateOptions,
  expected: { how: string; signal?: string; status?: number; words?: RegExp },
  more?: Partial<Limits>,
];
const cases: Case[] = [
  ["SIGSEGV", { misbehave: "segv" }, { how: "crashed", signal: "SIGSEGV" }],
  ["abort()", { misbehave: "abort" }, { how: "crashed", signal: "SIGABRT", words: /about to abort/ }],
  ["exit()", { misbehave: "exit" }, { how: "exited", status: 3 }],
  ["an endless loop", { misbehave: "loop" }, { how: "hung" }, { run_ms: 700 }],
  ["10 GiB of memory", { misbehave: "alloc10g" }, { how: "crashed", signal: "SIGABRT", words: /out of memory/ }],
  ["10 GiB of shared memory", { misbehave: "share10g" }, { how: "memory" }],
  ["1 GiB on standard error", { misbehave: "flood" }, { how: "flooded" }],
];

describe.skipIf(!hasCompiler || tflite.find({}).state !== "read")(`a library that goes wrong${unlessCompiler}`, () => {
  it.each(cases)("by %s is one error, and the next run succeeds", async (_, options, expected, more) => {
    const session = await open(options, more);
    const { pid } = session;
    expect(session.placement.nodes).toEqual({ all: 4, taken: 3 });
    const { how, signal, status, words, message } = await mishap(session.run(inputs));
    expect([how, signal, status]).toEqual([expected.how, expected.signal, expected.status]);
    if (expected.words) {
      expect(words).toMatch(expected.words);
      expect(message).toMatch(expected.words);
    }
    expect(left(pid)).toEqual([]);
    const good = await session.run(inputs);
    expect(good.outputs.size).toBe(1);
    expect(session.pid).not.toBe(pid);
    const second = session.pid;
    await session.close();
    expect(left(second)).toEqual([]);
    expect(shared()).toBe(0);
  });

  it("by a thread that outlives the run is ended with its session", async () => {
    const session = await open({ misbehave: "thread" });
    await session.run(inputs);
    const { pid } = session;
    await session.close();
    expect(left(pid)).toEqual([]);
    expect(shared()).toBe(0);
  });

  it("by an output of another size is an error, and the session goes on", async () => {
    const single = join(folder, "single.tflite");
    writeFileSync(single, chainTflite(["ADD"]));
    const session = await open({ misbehave: "wrong-size", once: "" }, {}, single);
    const error: unknown = await session.run(inputs).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(CannotError);
    expect((error as CannotError).message).toMatch(/output "y" came with 1073741824 bytes; float32 \[1, 3\] has 12/);
    await session.close();
    const good = await open({});
    expect((await good.run(inputs)).outputs.size).toBe(1);
    await good.close();
  });

  it.each(["create", "prepare"] as const)(
    "while it opens (%s) is one error, and the next opening succeeds",
    async (at) => {
      const once = join(folder, `opening-${at}`);
      const error = await mishap(open({ misbehave: "segv", at, once }));
      expect([error.how, error.signal]).toEqual(["crashed", "SIGSEGV"]);
      const session = await open({ misbehave: "segv", at, once });
      expect((await session.run(inputs)).outputs.size).toBe(1);
      await session.close();
      expect(shared()).toBe(0);
    },
  );

  it("while it closes harms nobody", async () => {
    const session = await open({ misbehave: "segv", at: "destroy" });
    const { pid } = session;
    await session.run(inputs);
    await session.close();
    expect(left(pid)).toEqual([]);
    expect(shared()).toBe(0);
  });

  it("leaves the event loop free, and the other sessions alone, while it hangs", async () => {
    const bad = await open({ misbehave: "loop" }, { run_ms: 1500 });
    const good = await open({});
    let ticks = 0;
    const timer = setInterval(() => ticks++, 10);
    const hung = mishap(bad.run(inputs));
    expect((await good.run(inputs)).outputs.size).toBe(1);
    expect((await hung).how).toBe("hung");
    clearInterval(timer);
    expect(ticks).toBeGreaterThan(20);
    await Promise.all([bad.close(), good.close()]);
  });

  it("ends with its parent, even one that is killed", async () => {
    const { spawn } = await import("node:child_process");
    const program = `
      const { open } = await import(${JSON.stringify(new URL("../../dist/index.js", import.meta.url).href)});
      const session = await open(${JSON.stringify(model)}, {
        device: "rockchip", plugin: ${JSON.stringify(plugin)}, options: { misbehave: "loop", once: "" },
      });
      console.log("open");
      await session.run({ x: [1, 2, 3] });
    `;
    const parent = spawn(process.execPath, ["--input-type=module", "-e", program], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    await new Promise((done) => parent.stdout.once("data", done));
    const children = readFileSync(`/proc/${parent.pid}/task/${parent.pid}/children`, "latin1")
      .trim()
      .split(" ")
      .map(Number);
    expect(children.length).toBe(1);
    parent.kill("SIGKILL");
    const [child = 0] = children;
    for (let i = 0; i < 600 && left(child).length > 0; i++) await new Promise((done) => setTimeout(done, 50));
    expect(left(child)).toEqual([]);
  });
});
