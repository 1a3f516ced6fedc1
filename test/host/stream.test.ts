/** Texts piece by piece out of a child process, from llama.cpp's own libraries on a model of two layers. */

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { MishapError } from "../../src/base/errors.ts";
import ggml from "../../src/delegates/ggml.ts";
import { candidateIn } from "../../src/delegates/ggml/find.ts";
import type { Value } from "../../src/delegates/value.ts";
import { isolate, type IsolatedSession } from "../../src/host/isolate.ts";
import { ggufModel } from "../support/gguf-model.ts";
import { runtime, unlessRuntime } from "../support/runtimes.ts";

const library = candidateIn(join(runtime("llama") ?? "", "package/bins", `linux-${process.arch}`))?.library ?? "";
let folder = "";
beforeAll(() => (folder = mkdtempSync(join(tmpdir(), "accelctl-stream-"))));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const prompt: ReadonlyMap<string, Value> = new Map([["prompt", { type: "string", shape: [1], data: ["abc"] }]]);

function open(options: Record<string, string> = {}): Promise<IsolatedSession> {
  const path = join(folder, "model.gguf");
  writeFileSync(path, ggufModel({}));
  return isolate(ggml, path, { device: "cpu", library, threads: 1, options });
}
function begin(session: IsolatedSession, options?: Record<string, string>): AsyncGenerator<string, unknown, undefined> {
  const pieces = session.stream?.(prompt, options);
  if (pieces === undefined) throw new Error("it does not stream");
  return pieces;
}

describe.skipIf(library === "")(`texts out of a process of its own${unlessRuntime("llama")}`, () => {
  it("come in pieces, which are what a run gives, with options of their own", async () => {
    const session = await open();
    const pieces: string[] = [];
    const stream = begin(session, { max_tokens: "20" });
    let step = await stream.next();
    for (; step.done !== true; step = await stream.next()) pieces.push(step.value);
    expect(pieces.length).toBeGreaterThan(3);
    const answer = step.value as Awaited<ReturnType<IsolatedSession["run"]>>;
    expect(answer.outputs.get("text")?.data).toEqual([pieces.join("")]);
    expect(answer.figures?.["tokens"]).toBe(20);
    const whole = (await session.run(prompt)).outputs.get("text")?.data[0];
    expect(String(whole).startsWith(pieces.join(""))).toBe(true);
    await expect(begin(session, { none: "1" }).next()).rejects.toThrow('no option "none"');
    await session.close();
  });

  it("end when the caller stops, and the same process goes on", async () => {
    const session = await open({ max_tokens: "2000" });
    const { pid } = session;
    let count = 0;
    for await (const piece of begin(session)) if (piece !== "" && ++count === 3) break;
    const whole = await session.run(prompt);
    expect(whole.figures?.["tokens"]).toBeGreaterThan(3);
    expect(session.pid).toBe(pid);
    await session.close();
  });

  it("wait for each other, and closing waits for none that nobody asks for", async () => {
    const session = await open();
    const forgotten = begin(session);
    await forgotten.next();
    const queued = begin(session).next();
    const said = expect(queued).rejects.toThrow("the session is closed");
    await session.close();
    await said;
    await expect(forgotten.next()).rejects.toThrow("the session is closed");
    expect(() => process.kill(session.pid, 0)).toThrow("ESRCH");
  });

  it("that hang when the caller stops take their process down, and the next run starts another", async () => {
    const session = await open();
    const { pid } = session;
    const stream = begin(session);
    await stream.next();
    process.kill(pid, "SIGSTOP");
    const pending = stream.next();
    const said = expect(pending).rejects.toThrow("given up");
    const start = performance.now();
    await stream.return(undefined);
    await said;
    expect(performance.now() - start).toBeLessThan(10_000);
    expect((await session.run(prompt)).figures?.["tokens"]).toBeGreaterThan(3);
    expect(session.pid).not.toBe(pid);
    await session.close();
  });

  it("that crash are one error, and have a limit of time for all pieces together", async () => {
    const session = await open();
    const crashing = begin(session);
    await crashing.next();
    process.kill(session.pid, "SIGSEGV");
    const error = await crashing.next().catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(MishapError);
    expect((error as Error).message).toContain("crashed (SIGSEGV)");
    const limited = await isolate(
      ggml,
      join(folder, "model.gguf"),
      { device: "cpu", library, threads: 1, options: { max_tokens: "100000" } },
      { run_ms: 300 },
    );
    const late = (async () => {
      for await (const piece of begin(limited)) expect(piece).toBeTypeOf("string");
    })();
    process.kill(limited.pid, "SIGSTOP");
    await expect(late).rejects.toThrow(/gave no answer within 0\.\d+ s/);
    await Promise.all([session.close(), limited.close()]);
  });
});
