/** The engine over real models: ONNX Runtime and TFLite as their packages bring them. */

import { afterEach, describe, expect, it } from "vitest";
import onnxruntime from "../../../src/delegates/onnxruntime.ts";
import tflite from "../../../src/delegates/tflite.ts";
import type { Value } from "../../../src/delegates/value.ts";
import { Refusal, type Engine, type InferRequest } from "../../../src/serve/engine.ts";
import { FLOAT, INT64, modelOf, node, smallOnnx, valueInfo } from "../../support/onnx.ts";
import { bytes, int, message, packed, packedFloats } from "../../support/protobuf.ts";
import { engineOver, identityOnnx } from "../../support/served-models.ts";
import { chainTflite, tfliteOf } from "../../support/tflite.ts";

const floats = (shape: number[], ...data: number[]): Value => ({
  type: "float32",
  shape,
  data: Float32Array.from(data),
});
const asking = (model: string, value: Value, more: Partial<InferRequest> = {}): InferRequest => ({
  model,
  inputs: new Map([["x", value]]),
  id: "1",
  ...more,
});
const refusal = async (promise: Promise<unknown>): Promise<Refusal> => {
  const error: unknown = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof Refusal)) throw new Error(`no refusal but ${String(error)}`, { cause: error });
  return error;
};

let ends: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
  ends = [];
});
const open = async (...given: Parameters<typeof engineOver>): ReturnType<typeof engineOver> => {
  const opened = await engineOver(...given);
  ends.push(opened.close);
  return opened;
};
const figuresOf = (engine: Engine, name: string) => engine.figures().find((one) => one.name === name);

describe.skipIf(onnxruntime.find({}).state !== "read")("an engine (skipped: no ONNX Runtime here)", () => {
  it("serves a file and a folder of versions, the latest where none is named", async () => {
    const { engine } = await open({
      "small.onnx": smallOnnx(),
      "identity/1/model.onnx": identityOnnx(2),
      "identity/10/model.onnx": identityOnnx(3),
      "identity/9/model.onnx": identityOnnx(4),
      "identity/accelctl.json": { versions: "all" },
    });
    expect(engine.ready()).toBe(true);
    expect(engine.models().map(({ name, version, status }) => `${name} ${version} ${status}`)).toEqual([
      "identity 1 ready",
      "identity 9 ready",
      "identity 10 ready",
      "small 1 ready",
    ]);
    const answer = await engine.infer(asking("small", floats([1, 3], 1, 2, 3)));
    expect(answer).toMatchObject({ model: "small", version: "1", device: "cpu", delegate: "onnxruntime", batch: 1 });
    expect(answer.outputs.get("y")).toMatchObject({ shape: [1, 2], data: Float32Array.from([22, 28]) });
    const latest = await engine.infer(asking("identity", floats([1, 3], 1, 2, 3)));
    expect(latest.version).toBe("10");
    const first = await engine.infer(asking("identity", floats([1, 2], 5, 6), { version: "1" }));
    expect(first.outputs.get("y")?.data).toEqual(Float32Array.from([5, 6]));
    expect(engine.model("identity")).toMatchObject({ version: "10", max_batch: 8, format: "onnx", streams: false });
    expect(engine.model("small")?.max_batch).toBe(0);
  });

  it("says what is wrong with a request before it waits", async () => {
    const { engine } = await open({ "small.onnx": smallOnnx() });
    const right = floats([1, 3], 1, 2, 3);
    const cases: [InferRequest, string, RegExp][] = [
      [asking("none", right), "not-found", /no model "none"/],
      [asking("small", right, { version: "7" }), "not-found", /no version "7"/],
      [asking("small", floats([1, 2], 1, 2)), "invalid", /input "x" has the shape \[1, 3\]; \[1, 2\] is given/],
      [asking("small", floats([1, 3], 1, 2)), "invalid", /\[1, 3\] needs 3 elements, 2 are given/],
      [asking("small", { type: "int32", shape: [1, 3], data: new Int32Array(3) }), "invalid", /is of float32; int32/],
      [{ model: "small", inputs: new Map(), id: "" }, "invalid", /input "x" is not given/],
      [asking("small", right, { outputs: ["z"] }), "invalid", /no output "z"; it has y/],
      [asking("small", right, { priority: 10 }), "invalid", /priority is a whole number from 0 to 9/],
      [asking("small", right, { deadline: performance.now() - 1 }), "deadline", /deadline/],
      [asking("small", right, { signal: AbortSignal.abort() }), "cancelled", /cancelled/],
    ];
    for (const [request, kind, says] of cases) {
      const error = await refusal(engine.infer(request));
      expect([error.kind, error.message]).toEqual([kind, expect.stringMatching(says)]);
    }
    expect(figuresOf(engine, "small")?.requests).toMatchObject({ ok: 0, invalid: 6, deadline: 1, cancelled: 1 });
  });

  it("loads and unloads by name, and tells of a model that is broken without a path of the host", async () => {
    const { engine, folder } = await open(
      { "small.onnx": smallOnnx(), "broken.onnx": Buffer.from("no model at all") },
      { load: "none" },
    );
    expect((await refusal(engine.infer(asking("small", floats([1, 3], 1, 2, 3))))).kind).toBe("not-ready");
    await engine.load("small");
    expect((await engine.infer(asking("small", floats([1, 3], 1, 2, 3)))).batch).toBe(1);
    const error = await refusal(engine.load("broken"));
    expect(error.kind).toBe("failed");
    expect(error.message).not.toContain(folder.path);
    expect(error.message).not.toContain("/");
    expect(engine.model("broken")).toMatchObject({
      status: "failed",
      reason: expect.stringContaining("no model") as string,
    });
    await engine.unload("small");
    expect(engine.model("small")?.status).toBe("unloaded");
    expect((await refusal(engine.infer(asking("small", floats([1, 3], 1, 2, 3))))).kind).toBe("not-ready");
    expect((await refusal(engine.load("none"))).kind).toBe("not-found");
  });

  it("computes requests together that come together, and gives each its own answer", async () => {
    const { engine } = await open({ "identity.onnx": identityOnnx() });
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, at) => engine.infer(asking("identity", floats([1, 4], at, 1, 2, 3)))),
    );
    answers.forEach(({ outputs }, at) => {
      expect(outputs.get("y")).toEqual({ type: "float32", shape: [1, 4], data: Float32Array.from([at, 1, 2, 3]) });
    });
    expect(Math.max(...answers.map(({ batch }) => batch))).toBe(8);
    expect(figuresOf(engine, "identity")).toMatchObject({ batches: 3, batched: 20, waiting: 0, running: 0 });
  });

  it("tells callers when a run in its own process takes longer than it may, and goes on after it", async () => {
    const size = 2048; // three times 17 GFLOP: half a second at least on one thread
    const { engine } = await open({
      "slow.onnx": modelOf(
        node("MatMul", ["x", "x"], ["a"]),
        node("MatMul", ["a", "x"], ["b"]),
        node("MatMul", ["b", "x"], ["y"]),
        valueInfo(11, "x", FLOAT, [size, size]),
        valueInfo(12, "y", FLOAT, [size, size]),
      ),
      "slow.accelctl.json": { isolate: false, run_ms: 1, threads: 1, warmup: { runs: 0 } },
    });
    const value: Value = { type: "float32", shape: [size, size], data: new Float32Array(size * size) };
    const slow = [engine.infer(asking("slow", value)), engine.infer(asking("slow", value))];
    const [first, second] = await Promise.all(slow.map(refusal));
    expect(first).toMatchObject({ kind: "failed", message: "the model gave no answer in time" });
    expect(second?.kind).toBe("failed");
    expect(figuresOf(engine, "slow")).toMatchObject({ requests: { failed: 2 }, waiting: 0 });
  });

  it("is drained while a model is being unloaded, whose request waits", async () => {
    const { engine } = await open({ "m.onnx": identityOnnx(), "m.accelctl.json": { max_delay_ms: 200 } });
    const answer = engine.infer(asking("m", floats([1, 4], 0, 1, 2, 3)));
    const unloaded = engine.unload("m");
    await new Promise(setImmediate);
    expect(engine.model("m")?.status).toBe("unloading");
    await engine.drain(5000);
    expect((await answer).batch).toBe(1);
    await unloaded;
  });

  it("answers what it has accepted when it is drained, and takes nothing more", async () => {
    const { engine } = await open({ "identity.onnx": identityOnnx() });
    const answers = Array.from({ length: 50 }, (_, at) =>
      engine.infer(asking("identity", floats([1, 4], at, 1, 2, 3))),
    );
    const drained = engine.drain(5000);
    expect(engine.ready()).toBe(false);
    expect((await refusal(engine.infer(asking("identity", floats([1, 4], 0, 1, 2, 3))))).kind).toBe("not-ready");
    expect((await Promise.all(answers)).length).toBe(50);
    await drained;
  });
});

describe.skipIf(onnxruntime.find({}).state !== "read")("batching (skipped: no ONNX Runtime here)", () => {
  const rows = (shape: (string | number)[]) => [valueInfo(11, "x", FLOAT, shape), valueInfo(12, "y", FLOAT, shape)];

  it("is left alone where a row depends on the rows beside it, or the outputs do not carry them", async () => {
    const mixing = modelOf(node("ReduceMax", ["x"], ["m"]), node("Sub", ["x", "m"], ["y"]), ...rows(["batch", 3]));
    const summed = modelOf(
      node("ReduceSum", ["x"], ["y"]),
      valueInfo(11, "x", FLOAT, ["batch", 3]),
      valueInfo(12, "y", FLOAT, [1, 1]),
    );
    const turned = modelOf(
      node("Transpose", ["x"], ["y"]),
      valueInfo(11, "x", FLOAT, ["batch", 3]),
      valueInfo(12, "y", FLOAT, [3, "batch"]),
    );
    const { engine } = await open({
      "mixing.onnx": mixing,
      "summed.onnx": summed,
      "turned.onnx": turned,
      "forced.onnx": mixing,
      "forced.accelctl.json": { max_batch: 4 },
    });
    expect(engine.models().map(({ name, max_batch, status }) => [name, max_batch, status])).toEqual([
      ["forced", 0, "failed"],
      ["mixing", 0, "ready"],
      ["summed", 0, "ready"],
      ["turned", 0, "ready"],
    ]);
    expect(engine.model("forced")?.reason).toBe(
      '/max_batch of its config is 4, but output "y" of a row depends on the rows beside it',
    );
    const both = await Promise.all([1, 9].map((x) => engine.infer(asking("mixing", floats([1, 3], x, 0, 0)))));
    expect(both.map(({ outputs }) => outputs.get("y")?.data)).toEqual([
      Float32Array.from([0, -1, -1]),
      Float32Array.from([0, -9, -9]),
    ]);
  });

  it(
    "fills batches with the sizes its config prefers, waits for them, and gives requests of several rows theirs",
    { retry: 3 },
    async () => {
      const { engine } = await open({
        "m.onnx": identityOnnx(2),
        "m.accelctl.json": { max_batch: 6, preferred_batch: [3, 6], max_delay_ms: 200 },
      });
      const ask = (rows: number, first: number) =>
        engine.infer(asking("m", floats([rows, 2], ...Array.from({ length: rows * 2 }, (_, at) => first + at))));
      const start = performance.now();
      const all = await Promise.all([ask(1, 0), ask(3, 10), ask(2, 20)]);
      expect(performance.now() - start).toBeLessThan(150);
      expect(all.map(({ batch }) => batch)).toEqual([3, 3, 3]);
      expect(all[1].outputs.get("y")).toEqual(floats([3, 2], 10, 11, 12, 13, 14, 15));
      const alone = await ask(1, 5);
      expect(alone.queue_ms).toBeGreaterThan(150);
      const large = await ask(9, 0);
      expect([large.batch, large.outputs.get("y")?.shape]).toEqual([1, [9, 2]]);
    },
  );

  it("goes on one by one for a request that the model cannot compute", async () => {
    const { engine } = await open({
      "m.onnx": modelOf(
        node("Gather", ["w", "x"], ["y"]),
        message(5, packed(1, [2, 2]), int(2, FLOAT), packedFloats(4, [1, 2, 3, 4]), bytes(8, "w")),
        valueInfo(11, "x", INT64, ["batch"]),
        valueInfo(12, "y", FLOAT, ["batch", 2]),
      ),
    });
    expect(engine.model("m")?.max_batch).toBe(8);
    const ask = (index: bigint) =>
      engine.infer(asking("m", { type: "int64", shape: [1], data: BigInt64Array.from([index]) })).then(
        ({ outputs }) => outputs.get("y")?.data,
        (error: unknown) => (error as Refusal).kind,
      );
    expect(await Promise.all([0n, 7n, 1n].map(ask))).toEqual([
      Float32Array.from([1, 2]),
      "failed",
      Float32Array.from([3, 4]),
    ]);
  });
});

describe.skipIf(tflite.find({}).state !== "read")("an engine (skipped: no TFLite here)", () => {
  it("puts rows together of a model that leaves their number open, and not of one that fixes it", async () => {
    const tensors = ["x", "y"].map((name) => ({ name, shape: [1, 3], signature: [-1, 3] }));
    const nodes = [{ op: "MUL", inputs: ["x", "x"], outputs: ["y"] }];
    const { engine } = await open({
      "m.tflite": tfliteOf({ tensors, nodes, inputs: ["x"], outputs: ["y"] }),
      "m.accelctl.json": { max_batch: 4 },
      "fixed.tflite": chainTflite(["MUL"]),
      "fixed.accelctl.json": { max_batch: 4 },
    });
    expect(engine.model("fixed")).toMatchObject({
      status: "failed",
      reason: '/max_batch of its config is 4, but the first size of input "x" is fixed: 1',
    });
    expect(engine.model("m")).toMatchObject({ max_batch: 4, status: "ready" });
    const all = await Promise.all([1, 2, 3, 4].map((x) => engine.infer(asking("m", floats([1, 3], x, 0, 1)))));
    expect(all.map(({ outputs, batch }) => [outputs.get("y")?.data, batch])).toEqual(
      [1, 2, 3, 4].map((x) => [Float32Array.from([x * x, 0, 1]), 4]),
    );
  });

  it("serves TFLite", async () => {
    const { engine } = await open({ "chain/1/model.tflite": chainTflite(["ADD", "MUL"]) });
    expect(engine.model("chain")).toMatchObject({ status: "ready", format: "tflite", max_batch: 0 });
    const name = engine.model("chain")?.inputs[0]?.name ?? "";
    const inputs = new Map([[name, floats([1, 3], 1, 2, 3)]]);
    expect((await engine.infer({ model: "chain", inputs, id: "1" })).outputs.size).toBe(1);
  });
});
