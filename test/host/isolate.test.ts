/** A session in a child process: the same results as in this one, tensors through shared memory, and nothing left afterwards. */

import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CannotError, FileError, MishapError } from "../../src/base/errors.ts";
import onnxruntime from "../../src/delegates/onnxruntime.ts";
import type { Value } from "../../src/delegates/value.ts";
import { isolate } from "../../src/host/isolate.ts";
import { FLOAT, modelOf, node, smallOnnx, STRING, valueInfo } from "../support/onnx.ts";

let folder = "";
beforeAll(() => (folder = mkdtempSync(join(tmpdir(), "accelctl-host-"))));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const write = (name: string, content: Uint8Array): string => {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
};
const float = (values: readonly number[], shape: readonly number[]): Value => ({
  type: "float32",
  shape,
  data: Float32Array.from(values),
});

/** Shared memory that this process has open or mapped. */
function shared(): number {
  const open = readdirSync("/proc/self/fd").filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).includes("memfd:accelctl");
    } catch {
      return false;
    }
  });
  return open.length + readFileSync("/proc/self/maps", "utf8").split("memfd:accelctl").length - 1;
}
const alive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

describe.skipIf(onnxruntime.find({}).state !== "read")("a session in a process of its own", () => {
  it("computes what it computes here, and leaves nothing", async () => {
    const session = await isolate(onnxruntime, write("small.onnx", smallOnnx()), { device: "cpu", threads: 1 });
    expect(session.inputs).toEqual([{ name: "x", type: "float32", shape: [1, 3] }]);
    const runs = [1, 2, 3].map((x) => session.run(new Map([["x", float([x, 10, 100], [1, 3])]])));
    expect((await Promise.all(runs)).map(({ outputs }) => outputs.get("y"))).toEqual(
      [1, 2, 3].map((x) => float([x + 530, 2 * x + 640], [1, 2])),
    );
    const { pid } = session;
    expect(alive(pid)).toBe(true);
    expect(readFileSync("/proc/self/maps", "utf8")).not.toContain("libonnxruntime");
    await session.close();
    await session.close();
    expect(alive(pid)).toBe(false);
    expect(shared()).toBe(0);
    await expect(session.run(new Map())).rejects.toThrow("closed");
  });

  it("reads what was written into its own memory, and hands texts over", async () => {
    const session = await isolate(onnxruntime, write("small.onnx", smallOnnx()), { device: "cpu" });
    const value = session.allocate("x", [1, 3]);
    for (const x of [1, 5]) {
      (value.data as Float32Array).set([x, 0, 0]);
      const { outputs } = await session.run(new Map([["x", value]]));
      expect(outputs.get("y")).toEqual(float([x, 2 * x], [1, 2]));
    }
    (value.data as Float32Array).set([7, 0, 0]);
    const lent = (await session.run(new Map([["x", value]]), { lent: true })).outputs.get("y");
    expect(lent).toEqual(float([7, 14], [1, 2]));
    // Where it lies, the next run writes.
    (value.data as Float32Array).set([8, 0, 0]);
    await session.run(new Map([["x", value]]), { lent: true });
    expect(lent).toEqual(float([8, 16], [1, 2]));
    await session.close();
    const identity = modelOf(
      node("Identity", ["words"], ["same"]),
      valueInfo(11, "words", STRING, ["count"]),
      valueInfo(12, "same", STRING, ["count"]),
    );
    const text = await isolate(onnxruntime, write("text.onnx", identity), { device: "cpu" });
    const words: Value = { type: "string", shape: [2], data: ["Grüße", ""] };
    expect((await text.run(new Map([["words", words]]))).outputs.get("same")).toEqual(words);
    await text.close();
  });

  it("grows with its inputs", async () => {
    const identity = modelOf(
      node("Identity", ["x"], ["y"]),
      valueInfo(11, "x", FLOAT, ["n"]),
      valueInfo(12, "y", FLOAT, ["n"]),
    );
    const session = await isolate(onnxruntime, write("identity.onnx", identity), { device: "cpu" });
    for (const n of [1, 100_000, 3, 5_000_000, 0, 7]) {
      const x = float(
        Array.from({ length: n }, (_, i) => i),
        [n],
      );
      const { outputs } = await session.run(new Map([["x", x]]));
      expect(outputs.get("y")?.shape).toEqual([n]);
      expect(Buffer.compare(bytes(outputs.get("y")), bytes(x))).toBe(0);
    }
    await session.close();
  });

  it("tells errors as the delegate does, and goes on", async () => {
    const none = join(folder, "none.onnx");
    await expect(isolate(onnxruntime, none, { device: "cpu" })).rejects.toThrow(FileError);
    await expect(isolate(onnxruntime, none, { device: "cpu" })).rejects.toThrow(/^[^\n]*none\.onnx[^\n]*$/);
    const library = join(folder, "libnone.so");
    await expect(isolate(onnxruntime, none, { device: "cpu", library })).rejects.toThrow(CannotError);
    const session = await isolate(onnxruntime, write("small.onnx", smallOnnx()), { device: "cpu" });
    const wrong = new Map([["x", float([1, 2], [1, 2])]]);
    await expect(session.run(wrong)).rejects.toThrow(/Expected: 3/);
    expect((await session.run(new Map([["x", float([1, 0, 0], [1, 3])]]))).outputs.get("y")).toEqual(
      float([1, 2], [1, 2]),
    );
    await session.close();
    expect(shared()).toBe(0);
  });

  it("opens the model again after its process was killed, and stops when asked", async () => {
    const session = await isolate(onnxruntime, write("small.onnx", smallOnnx()), { device: "cpu" });
    const inputs = new Map([["x", float([1, 0, 0], [1, 3])]]);
    const { pid } = session;
    const run = session.run(inputs);
    process.kill(pid, "SIGKILL");
    const error: unknown = await run.catch((thrown: unknown) => thrown);
    // It may have answered before the signal came.
    if (error instanceof Error) expect(error instanceof MishapError && error.how).toBe("killed");
    await new Promise((done) => setTimeout(done, 300));
    expect((await session.run(inputs)).outputs.get("y")).toEqual(float([1, 2], [1, 2]));
    expect(session.pid).not.toBe(pid);
    await expect(session.run(inputs, { signal: AbortSignal.abort() })).rejects.toThrow(/abort/i);
    expect((await session.run(inputs)).outputs.get("y")).toEqual(float([1, 2], [1, 2]));
    await session.close();
    expect(shared()).toBe(0);
  });
});

const bytes = (value: Value | undefined): Uint8Array =>
  ArrayBuffer.isView(value?.data)
    ? new Uint8Array(value.data.buffer, value.data.byteOffset, value.data.byteLength)
    : new Uint8Array(1);
