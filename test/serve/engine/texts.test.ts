/** Language models: texts piece by piece, one at a time, from llama.cpp's own libraries on a model of two layers. */

import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { candidateIn } from "../../../src/delegates/ggml/find.ts";
import { Refusal, type Engine, type InferAnswer, type InferRequest } from "../../../src/serve/engine.ts";
import { ggufModel } from "../../support/gguf-model.ts";
import { runtime, unlessRuntime } from "../../support/runtimes.ts";
import { engineOver } from "../../support/served-models.ts";

const library = candidateIn(join(runtime("llama") ?? "", "package/bins", `linux-${process.arch}`))?.library ?? "";

const request = (more: Partial<InferRequest> = {}): InferRequest => ({
  model: "m",
  id: "1",
  inputs: new Map([["prompt", { type: "string", shape: [1], data: ["abc"] }]]),
  options: { max_tokens: "20" },
  ...more,
});
async function whole(engine: Engine, asked: InferRequest): Promise<{ pieces: string[]; answer: InferAnswer }> {
  const pieces: string[] = [];
  const stream = engine.stream(asked);
  for (;;) {
    const step = await stream.next();
    if (step.done === true) return { pieces, answer: step.value };
    pieces.push(step.value);
  }
}
const open = (config: object = {}): ReturnType<typeof engineOver> =>
  engineOver({ "m.gguf": ggufModel({}), "m.accelctl.json": { library, threads: 1, ...config } });

describe.skipIf(library === "")(`texts${unlessRuntime("llama")}`, () => {
  it("come in pieces, and whole where they are asked for so, with options of the request", async () => {
    const { engine, close } = await open();
    expect(engine.model("m")).toMatchObject({ status: "ready", streams: true, max_batch: 0, format: "gguf" });
    const { pieces, answer } = await whole(engine, request());
    expect(pieces.length).toBeGreaterThan(3);
    expect(answer.outputs.get("text")?.data).toEqual([pieces.join("")]);
    expect(answer.figures?.["tokens"]).toBe(20);
    const again = await engine.infer(request());
    expect(again.outputs.get("text")?.data).toEqual([pieces.join("")]);
    await expect(whole(engine, request({ options: { none: "1" } }))).rejects.toMatchObject({
      name: "Refusal",
      message: expect.stringContaining('no option "none"') as string,
    });
    await close();
  });

  it("wait for each other, and a caller that goes frees the model for the next", async () => {
    const { engine, close } = await open({ queue_requests: 2 });
    const endless = engine.stream(request({ options: { max_tokens: "400" } }));
    expect((await endless.next()).done).toBe(false);
    const second = whole(engine, request());
    const gone = new AbortController();
    const third = engine.infer(request({ signal: gone.signal }));
    const fourth = engine.infer(request()).catch((error: unknown) => error);
    expect(await fourth).toMatchObject({ kind: "busy" });
    gone.abort();
    await expect(third).rejects.toMatchObject({ kind: "cancelled" });
    await endless.return(undefined as never);
    expect((await second).answer.figures?.["tokens"]).toBe(20);
    expect(engine.figures()[0]?.requests).toMatchObject({ ok: 1, cancelled: 2, busy: 1 });
    await close();
  });

  it("that are read slowly do not keep the model, and end at their deadline", async () => {
    const { engine, close } = await open();
    const slow = engine.stream(request());
    await slow.next();
    expect((await engine.infer(request())).figures?.["tokens"]).toBe(20);
    let last = await slow.next();
    while (last.done !== true) last = await slow.next();
    expect(last.value.figures?.["tokens"]).toBe(20);
    const late = whole(engine, request({ options: { max_tokens: "450" }, deadline: performance.now() + 60 }));
    await expect(late).rejects.toMatchObject({ kind: "deadline" });
    await close();
  });

  it("whose process is killed are refused once something was said, and the next one is written", async () => {
    const { engine, close } = await open();
    const { readFileSync, readdirSync } = await import("node:fs");
    const pids = (): number[] =>
      readdirSync(`/proc/${process.pid}/task`)
        .flatMap((task) => readFileSync(`/proc/${process.pid}/task/${task}/children`, "latin1").trim().split(" "))
        .filter(Boolean)
        .map(Number);
    const cut = engine.stream(request({ options: { max_tokens: "450" } }));
    await cut.next();
    for (const pid of pids()) process.kill(pid, "SIGKILL");
    const end = async (): Promise<never> => {
      for (;;) if ((await cut.next()).done === true) throw new Error("it was written to its end");
    };
    const error: unknown = await end().catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(Refusal);
    expect(error).toMatchObject({ kind: "failed" });
    expect((await engine.infer(request())).figures?.["tokens"]).toBe(20);
    expect(engine.figures()[0]?.restarts).toBe(1);
    await close();
  });
});
