/**
 * A model whose library goes wrong: what was asked is answered or refused, what did no harm is answered, and the model serves on. The
 * library is a TFLite external delegate of our own, compiled here, that goes wrong on demand; and processes are killed from outside.
 */

import { mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import onnxruntime from "../../../src/delegates/onnxruntime.ts";
import tflite from "../../../src/delegates/tflite.ts";
import type { Value } from "../../../src/delegates/value.ts";
import { Refusal, type Engine, type InferAnswer, type InferRequest } from "../../../src/serve/engine.ts";
import { hasCompiler, unlessCompiler } from "../../support/compile.ts";
import { engineOver, identityOnnx } from "../../support/served-models.ts";
import { compileTestDelegate, type TestDelegateOptions } from "../../support/tflite-delegate.ts";
import { chainTflite } from "../../support/tflite.ts";

const floats = (...data: number[]): Value => ({
  type: "float32",
  shape: [1, data.length],
  data: Float32Array.from(data),
});
const asking = (value: Value, more: Partial<InferRequest> = {}): InferRequest => ({
  model: "m",
  inputs: new Map([["x", value]]),
  id: "1",
  ...more,
});
const outcome = (promise: Promise<InferAnswer>): Promise<InferAnswer | Refusal> =>
  promise.catch((error: unknown) => {
    if (error instanceof Refusal) return error;
    throw error;
  });
const figuresOf = (engine: Engine) => engine.figures()[0];

let folder = "";
let plugin = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "accelctl-crashes-"));
  if (hasCompiler) plugin = compileTestDelegate(folder);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe.skipIf(!hasCompiler || tflite.find({}).state !== "read")(`a library that goes wrong${unlessCompiler}`, () => {
  const open = (options: TestDelegateOptions, more: object = {}): ReturnType<typeof engineOver> =>
    engineOver({
      "m.tflite": chainTflite(["ADD"]),
      "m.accelctl.json": { device: "rockchip", plugin, threads: 1, options, ...more },
    });

  it("once is not seen by the request, which is computed by the next process", async () => {
    const { engine, events, close } = await open({
      misbehave: "segv",
      when: "7",
      once: join(folder, "once"),
    });
    const all = await Promise.all([1, 7, 3].map((first) => engine.infer(asking(floats(first, 1, 2)))));
    expect(all.map(({ outputs }) => outputs.get("y")?.data)).toEqual(
      [2, 14, 6].map((first) => Float32Array.from([first, 2, 4])),
    );
    expect(figuresOf(engine)).toMatchObject({ restarts: 1, requests: { ok: 3, failed: 0 } });
    expect(events.map(({ kind }) => kind)).toEqual(expect.arrayContaining(["down", "up"]));
    await close();
  });

  it("each time refuses that request after its second try, and answers the others", async () => {
    const { engine, close } = await open({ misbehave: "segv", when: "7" });
    const all = await Promise.all([1, 7, 3, 4].map((first) => outcome(engine.infer(asking(floats(first, 1, 2))))));
    expect(all.map((one) => (one instanceof Refusal ? one.message : one.outputs.get("y")?.data[0]))).toEqual([
      2,
      "the model's process crashed (SIGSEGV), twice on this request",
      6,
      8,
    ]);
    expect(figuresOf(engine)).toMatchObject({ restarts: 2, requests: { ok: 3, failed: 1 } });
    expect(engine.ready()).toBe(true);
    await close();
  });

  it("by never ending is refused when its time is over, and not tried again", async () => {
    const { engine, close } = await open({ misbehave: "loop", when: "7" }, { run_ms: 700 });
    const [hung, good] = await Promise.all([7, 1].map((first) => outcome(engine.infer(asking(floats(first, 1, 2))))));
    expect(hung).toMatchObject({ kind: "failed", message: "the model gave no answer in time" });
    expect(good).not.toBeInstanceOf(Refusal);
    expect(figuresOf(engine)?.restarts).toBe(1);
    await close();
  });

  it("is ended when its caller has gone, where the config says so", async () => {
    const { engine, close } = await open({ misbehave: "loop", when: "7" }, { interrupt: true });
    const gone = new AbortController();
    const hung = outcome(engine.infer(asking(floats(7, 1, 2), { signal: gone.signal })));
    const late = outcome(engine.infer(asking(floats(7, 1, 2), { deadline: performance.now() + 1500 })));
    const good = engine.infer(asking(floats(1, 1, 2)));
    setTimeout(() => gone.abort(), 100);
    expect(await hung).toMatchObject({ kind: "cancelled" });
    expect(await late).toMatchObject({ kind: "deadline" });
    expect((await good).outputs.get("y")?.data[0]).toBe(2);
    await close();
  });

  it("while it is tried makes the model a failed one, with a reason", async () => {
    const { engine, folder, close } = await open({ misbehave: "abort" });
    expect(engine.model("m")).toMatchObject({ status: "failed", reason: "the model's process crashed (SIGABRT)" });
    expect(engine.ready()).toBe(false);
    expect(JSON.stringify(engine.models())).not.toContain(folder.path);
    await close();
  });

  it("at every restart too is tried again after pauses, while its requests wait until they are late", async () => {
    const once = join(folder, "then-never");
    const { engine, events, close } = await open({ misbehave: "segv", when: "7", once });
    // From its first crash on there is no plugin to be loaded.
    renameSync(plugin, `${plugin}.away`);
    try {
      const first = outcome(engine.infer(asking(floats(7, 1, 2), { deadline: performance.now() + 1500 })));
      const second = outcome(engine.infer(asking(floats(1, 1, 2), { deadline: performance.now() + 2000 })));
      expect([await first, await second]).toMatchObject([{ kind: "deadline" }, { kind: "deadline" }]);
      while (engine.ready()) await new Promise((done) => setTimeout(done, 50));
      // It would wait for nobody knows how long.
      expect(await outcome(engine.infer(asking(floats(1, 1, 2))))).toMatchObject({ kind: "not-ready" });
      expect(figuresOf(engine)?.down).toBe(1);
      expect(engine.model("m")?.reason).toBeDefined();
      expect(JSON.stringify(engine.models())).not.toContain(folder);
      const pauses = () => events.flatMap(({ says }) => /again in (\d+) ms/.exec(says)?.[1] ?? []);
      await expect.poll(() => pauses().slice(0, 3)).toEqual(["100", "200", "400"]);
    } finally {
      renameSync(`${plugin}.away`, plugin);
    }
    while (!engine.ready()) await new Promise((done) => setTimeout(done, 50));
    const third = await engine.infer(asking(floats(1, 1, 2)));
    expect(third.outputs.get("y")?.data[0]).toBe(2);
    expect(engine.model("m")?.reason).toBeUndefined();
    await close();
  });
});

/** Processes that this one has started for models, and that are alive. */
function children(): number[] {
  return readdirSync(`/proc/${process.pid}/task`).flatMap((task) => {
    try {
      return readFileSync(`/proc/${process.pid}/task/${task}/children`, "latin1")
        .trim()
        .split(" ")
        .filter(Boolean)
        .map(Number);
    } catch {
      return []; // the thread has just ended
    }
  });
}

describe.skipIf(onnxruntime.find({}).state !== "read")(
  "a process that is killed (skipped: no ONNX Runtime here)",
  () => {
    it("again and again under load loses no request and spoils no answer", async () => {
      const { engine, close } = await engineOver({
        "m.onnx": identityOnnx(),
        "m.accelctl.json": { isolate: true, instances: 2, max_batch: 4 },
      });
      const begin = performance.now();
      let [ok, failed, kills] = [0, 0, 0];
      const isOver = (): boolean => {
        const seconds = (performance.now() - begin) / 1000;
        return seconds > 60 || (seconds > 4 && kills > 4 && ok > 100);
      };
      const killer = setInterval(() => {
        for (const pid of children().slice(0, 1)) {
          kills++;
          process.kill(pid, "SIGKILL");
        }
      }, 400);
      const client = async (id: number): Promise<void> => {
        for (let at = 0; !isOver(); at++) {
          const answer = await outcome(engine.infer(asking(floats(id, at, at * 2, -id))));
          if (answer instanceof Refusal) {
            expect(answer.kind).toBe("failed");
            failed++;
          } else {
            expect(answer.outputs.get("y")).toEqual(floats(id, at, at * 2, -id));
            ok++;
          }
        }
      };
      await Promise.all(Array.from({ length: 8 }, (_, id) => client(id)));
      clearInterval(killer);
      expect(kills).toBeGreaterThan(4);
      expect(ok).toBeGreaterThan(100);
      expect(figuresOf(engine)?.requests).toMatchObject({ ok, failed });
      expect(figuresOf(engine)?.restarts).toBeGreaterThan(2);
      await close();
    });
  },
);
