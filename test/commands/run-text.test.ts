/** accelctl run of a language model: a prompt typed or from a file, its text as it comes, and the same in a program. */

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { candidateIn } from "../../src/delegates/ggml/find.ts";
import { open } from "../../src/session/api.ts";
import type { RunResult } from "../../src/session/result.ts";
import { ggufModel } from "../support/gguf-model.ts";
import { run } from "../support/run.ts";
import { runtime, unlessRuntime } from "../support/runtimes.ts";

const library = candidateIn(join(runtime("llama") ?? "", "package/bins", `linux-${process.arch}`))?.library ?? "";
let folder = "";
let model = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "accelctl-text-"));
  model = join(folder, "model.gguf");
  writeFileSync(model, ggufModel({}));
  writeFileSync(join(folder, "prompt.txt"), "abc");
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const text = async (...more: string[]): Promise<string> => {
  const { code, out, err } = await run("run", model, "--library", library, "--option", "max_tokens=12", ...more);
  expect([code, err]).toEqual([0, ""]);
  return out;
};
const written = (json: string): unknown =>
  (JSON.parse(json) as RunResult).outputs.find(({ name }) => name === "text")?.values?.[0];

describe.skipIf(library === "")(`accelctl run of a text${unlessRuntime("llama")}`, () => {
  it("takes a prompt typed, named, or from a file, and a name of a file that is not there is no prompt", async () => {
    const typed = written(await text("abc", "--json"));
    expect(String(typed).length).toBeGreaterThan(3);
    expect(written(await text("--input", "prompt=abc", "--json"))).toBe(typed);
    expect(written(await text("--input", join(folder, "prompt.txt"), "--json"))).toBe(typed);
    const { code, err } = await run("run", model, "none.txt", "--library", library);
    expect([code, err]).toEqual([3, "accelctl: none.txt: no such file\n"]);
  });

  it("writes it as it comes on a terminal, once, and the rest below", async () => {
    const typed = String(written(await text("abc", "--json")));
    const before = Object.getOwnPropertyDescriptor(process.stdout, "isTTY");
    Object.defineProperty(process.stdout, "isTTY", { value: true, configurable: true });
    try {
      const out = await text("abc");
      expect(out.startsWith(`${typed}${typed.endsWith("\n") ? "" : "\n"}model.gguf`)).toBe(true);
      expect(out).not.toContain("text string");
      expect(out).toContain("finish_reason string [1]: length");
    } finally {
      if (before === undefined) Reflect.deleteProperty(process.stdout, "isTTY");
      else Object.defineProperty(process.stdout, "isTTY", before);
    }
  });

  it("comes piece by piece in a program too", async () => {
    const session = await open(model, { device: "cpu", library });
    const pieces: string[] = [];
    const stream = session.stream?.({ prompt: "abc" }, { max_tokens: "5" });
    if (stream === undefined) throw new Error("it does not stream");
    let step = await stream.next();
    for (; step.done !== true; step = await stream.next()) pieces.push(step.value);
    expect(step.value.outputs["text"]?.data).toEqual([pieces.join("")]);
    await session.close();
  });
});
