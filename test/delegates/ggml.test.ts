/** llama.cpp's own libraries on a model of two layers: what they say is what the definition says, run after run, and errors are sentences. */

import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CannotError, FileError, UsageError } from "../../src/base/errors.ts";
import type { Ran, Session } from "../../src/delegates/delegate.ts";
import delegate from "../../src/delegates/ggml.ts";
import {
  candidateFor,
  chooseDevice,
  familyOf,
  usualThreads,
  type GgmlDevice,
} from "../../src/delegates/ggml/devices.ts";
import { candidateIn } from "../../src/delegates/ggml/find.ts";
import { sampler } from "../../src/delegates/ggml/sample.ts";
import { generateSettings } from "../../src/delegates/ggml/settings.ts";
import { Pieces, Stops } from "../../src/delegates/ggml/text.ts";
import type { Value } from "../../src/delegates/value.ts";
import { readModel } from "../../src/inspect/describe.ts";
import { compileLibrary, hasCompiler, unlessCompiler } from "../support/compile.ts";
import { behind, EOS, ggufModel, randomWeights, textOf, tokensOf, type ModelOptions } from "../support/gguf-model.ts";
import { runtime, unlessRuntime } from "../support/runtimes.ts";
import { top } from "../support/shared.ts";

/** Keys and values are kept as float16: where two tokens are as good as one by so much, either may come. */
const TIE = 0.05;

const bins = join(runtime("llama") ?? "", "package/bins", `linux-${process.arch}`);
const library = candidateIn(bins)?.library ?? "";
let folder = "";
beforeAll(() => (folder = mkdtempSync(join(tmpdir(), "accelctl-ggml-"))));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const write = (name: string, content: Uint8Array): string => {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
};
const prompt = (text: string): Map<string, Value> =>
  new Map([["prompt", { type: "string", shape: [1], data: [text] }]]);
const textIn = ({ outputs }: Ran): unknown => outputs.get("text")?.data[0];
const tokensIn = ({ outputs }: Ran): number[] => Array.from(outputs.get("tokens")?.data as Int32Array);
const thrown = async (act: () => Promise<unknown>): Promise<Error> => {
  const error: unknown = await act().catch((caught: unknown) => caught);
  expect(error).toBeInstanceOf(Error);
  expect((error as Error).message).not.toContain("\n");
  return error as Error;
};

describe.skipIf(library === "")(`llama.cpp${unlessRuntime("llama")}`, () => {
  const open = (options: Record<string, string> = {}, model: ModelOptions = {}, device = "cpu"): Promise<Session> =>
    delegate.open(write(`model-${JSON.stringify(model).replace(/\W+/g, "-").slice(0, 80)}.gguf`, ggufModel(model)), {
      device,
      library,
      threads: 1,
      options,
    });

  it("says what the definition of the model says", async () => {
    const session = await open({ max_tokens: "40" });
    for (const text of ["Hello", "", "What is a tensor? ".repeat(6), "Grüße 日本"]) {
      const ran = await session.run(prompt(text));
      const said = tokensIn(ran);
      expect(said).toHaveLength(40);
      expect(Math.max(...behind(randomWeights(), tokensOf(text), said))).toBeLessThan(TIE);
      expect(textIn(ran)).toBe(textOf(said));
      expect(ran.figures?.["prompt_tokens"]).toBe(tokensOf(text).length);
    }
    await session.close();
  });

  it("says what it measured, which back end and how many layers", async () => {
    const session = await open({ max_tokens: "8" });
    const { figures = {}, spans, outputs } = await session.run(prompt("abc"));
    expect(figures).toMatchObject({ prompt_tokens: 4, tokens: 8, context_tokens: 512 });
    for (const name of ["prompt_tokens_per_second", "tokens_per_second", "first_token_ms", "load_ms"]) {
      expect(figures[name], name).toBeGreaterThan(0);
    }
    expect(spans.map(({ name, by }) => [name, by])).toEqual([
      ["prompt", "CPU"],
      ["generation", "CPU"],
    ]);
    expect(outputs.get("finish_reason")?.data).toEqual(["length"]);
    expect(session.placement.says).toMatch(/no device but the CPU: 2 layers there, on 1 thread of libggml-cpu-\w+\.so/);
    expect(session.version).toBe("0.5.0-dev (ggml 0.25.1, 0ad4a86)");
    await session.close();
  });

  it("draws the same tokens from the same seed, and others from another", async () => {
    const drawn = async (seed: string): Promise<unknown> => {
      const session = await open({ max_tokens: "32", temperature: "1.5", seed });
      const all = [await session.run(prompt("abc")), await session.run(prompt("abc"))];
      await session.close();
      expect(textIn(all[1] as Ran)).toBe(textIn(all[0] as Ran));
      return textIn(all[0] as Ran);
    };
    expect(await drawn("1")).toBe(await drawn("1"));
    expect(await drawn("1")).not.toBe(await drawn("2"));
  });

  it("ends when the context is full, and takes no prompt that does not fit", async () => {
    const session = await open({ max_tokens: "1000", context: "32" });
    const ran = await session.run(prompt("x".repeat(20)));
    expect([tokensIn(ran).length, ran.outputs.get("finish_reason")?.data]).toEqual([11, ["length"]]);
    const error = await thrown(() => session.run(prompt("x".repeat(31))));
    expect(error).toBeInstanceOf(UsageError);
    expect(error.message).toMatch(/the prompt has 32 tokens and the context holds 32/);
    expect(textIn(await session.run(prompt("x".repeat(20))))).toBe(textIn(ran));
    await session.close();
  });

  it("ends when the model ends its text", async () => {
    const session = await open({ max_tokens: "30" });
    const said = tokensIn(await session.run(prompt("abc")));
    await session.close();
    // The first token that is not said before gives its row of scores to </s>.
    const at = said.findIndex((token, i) => i > 0 && !said.slice(0, i).includes(token));
    const weights = randomWeights();
    const rows = weights.tensors.get("output.weight")?.data ?? new Float32Array(0);
    const [from, size] = [(said[at] ?? 0) * weights.embedding, weights.embedding];
    rows.copyWithin(EOS * size, from, from + size);
    rows.fill(0, from, from + size);
    const ending = await delegate.open(write("ending.gguf", ggufModel({}, weights)), { device: "cpu", library });
    const ran = await ending.run(prompt("abc"));
    expect([tokensIn(ran), ran.outputs.get("finish_reason")?.data]).toEqual([said.slice(0, at), ["stop"]]);
    await ending.close();
  });

  it("takes a prompt of many batches as it takes a short one", async () => {
    const session = await open({ max_tokens: "6", context: "1400" }, { context: 2048 });
    const text = "abcdefghij".repeat(60);
    const said = tokensIn(await session.run(prompt(text)));
    expect(Math.max(...behind(randomWeights(), tokensOf(text), said))).toBeLessThan(TIE);
    await session.close();
  });

  it("puts a list of messages into the model's chat template, or another", async () => {
    const chatml = "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n";
    const plain = await open({ max_tokens: "10" });
    const wanted = textIn(await plain.run(prompt(chatml)));
    await plain.close();
    const messages = [
      { role: "system", content: "Be brief." },
      { role: "user", content: "Hi" },
    ];
    const chat = { chat: "messages", chat_template: "chatml", max_tokens: "10" };
    const session = await open(chat);
    expect(textIn(await session.run(prompt(JSON.stringify(messages))))).toBe(wanted);
    for (const wrong of ["Hi", "[]", '[{"role": "user"}]', '{"role": "user"}']) {
      expect((await thrown(() => session.run(prompt(wrong)))).message).toMatch(/chat=messages takes a list as JSON/);
    }
    await session.close();
    const odd = await open({ ...chat, chat_template: "none such" });
    expect((await thrown(() => odd.run(prompt(JSON.stringify(messages))))).message).toMatch(/is none of those/);
    await odd.close();
  });

  it("ends at a text that was to end it, which is no part of the answer", async () => {
    const session = await open({ max_tokens: "30" });
    const whole = String(textIn(await session.run(prompt("abc"))));
    const stop = whole.slice(10, 13);
    const at = whole.indexOf(stop);
    const pieces = session.stream?.(prompt("abc"), { stop: JSON.stringify(["no such", stop]) });
    let said = "";
    let step = await pieces?.next();
    for (; step?.done === false; step = await pieces?.next()) said += step.value;
    expect(said).toBe(whole.slice(0, at));
    const ran = step?.value as Ran;
    expect([textIn(ran), ran.outputs.get("finish_reason")?.data]).toEqual([whole.slice(0, at), ["stop"]]);
    expect(ran.figures?.["tokens"]).toBe(at + 3);
    await session.close();
  });

  it("puts a prompt into the model's chat template when asked", async () => {
    const template = "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}";
    const session = await open({ max_tokens: "2", chat: "yes", system: "Be brief." }, { template });
    const whole = "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nHi ü<|im_end|>\n<|im_start|>assistant\n";
    const { figures } = await session.run(prompt("Hi ü"));
    expect(figures?.["prompt_tokens"]).toBe(tokensOf(whole).length);
    await session.close();
    const bare = await open({ chat: "yes" });
    expect((await thrown(() => bare.run(prompt("Hi")))).message).toMatch(/carries no chat template/);
    await bare.close();
    const strange = await open({ chat: "yes" }, { template: "{{ nobody_knows_this }}" });
    expect((await thrown(() => strange.run(prompt("Hi")))).message).toMatch(/template is none of those/);
    await strange.close();
  });

  it("streams the text that a run gives, with options of its own", async () => {
    const session = await open({ max_tokens: "12" });
    const whole = await session.run(prompt("abc"));
    const stream = session.stream?.(prompt("abc"), { max_tokens: "5" });
    const pieces: string[] = [];
    let step = await stream?.next();
    for (; step?.done === false; step = await stream?.next()) pieces.push(step.value);
    expect(pieces).toHaveLength(5);
    expect(pieces.join("")).toBe(String(textIn(whole)).slice(0, 5));
    expect(tokensIn(step?.value as Ran)).toEqual(tokensIn(whole).slice(0, 5));
    const wrong = await thrown(async () => session.stream?.(prompt("abc"), { context: "5" }).next());
    expect(wrong.message).toMatch(/no option "context" here/);
    await session.close();
  });

  it("closes while a run goes on and streams are forgotten, and then runs no more", async () => {
    const session = await open({ max_tokens: "100" });
    const forgotten = session.stream?.(prompt("abc"));
    await forgotten?.next();
    const running = session.run(prompt("abc"));
    await session.close();
    await session.close();
    expect(tokensIn(await running)).toHaveLength(100);
    expect((await thrown(() => session.run(prompt("abc")))).message).toMatch(/closed/);
    expect((await thrown(async () => forgotten?.next())).message).toMatch(/closed/);
  }, 20_000);

  it("gives its turn on when a stream is ended early", async () => {
    const session = await open({ max_tokens: "50" });
    for await (const piece of session.stream?.(prompt("abc")) ?? []) {
      expect(piece).not.toBe("");
      break;
    }
    expect(tokensIn(await session.run(prompt("abc")))).toHaveLength(50);
    await session.close();
  });

  it("leaves the event loop free while it computes", async () => {
    const session = await open({ max_tokens: "30", context: "1000" }, { embedding: 512, layers: 4, context: 1024 });
    await session.run(prompt("abc"));
    let [longest, last] = [0, performance.now()];
    const timer = setInterval(() => {
      longest = Math.max(longest, performance.now() - last);
      last = performance.now();
    }, 1);
    const start = performance.now();
    const { spans } = await session.run(prompt("abcdefghij".repeat(90)));
    const took = performance.now() - start;
    clearInterval(timer);
    await session.close();
    expect(spans[0]?.ms).toBeGreaterThan(20);
    // Held by the prompt's one call, the loop would stand for as long as that takes.
    expect(longest).toBeLessThan(Math.max(15, took / 4));
  });

  it("stands when memory is collected between and during runs", async () => {
    setFlagsFromString("--expose-gc");
    const collect = runInNewContext("gc") as () => void; // what the flag defines
    const texts = new Set<unknown>();
    for (let i = 0; i < 3; i++) {
      const session = await open({ max_tokens: "20" });
      const running = [1, 2, 3].map(() => session.run(prompt("abc")));
      const timer = setInterval(collect, 10);
      for (const one of await Promise.all(running)) texts.add(textIn(one));
      clearInterval(timer);
      await session.close();
    }
    expect(texts.size).toBe(1);
  });

  it("says which devices there are, and names them when another is asked for", async () => {
    expect(await delegate.probe?.({ library })).toMatchObject([
      { id: "CPU", device: "cpu", facts: { backend: "CPU" } },
    ]);
    const error = await thrown(() => open({}, {}, "nvidia:1"));
    expect(error).toBeInstanceOf(CannotError);
    expect(error.message).toMatch(/^ggml sees no nvidia:1; it sees CPU \(.+\)$/);
  });

  it("says that a plugin is no back end", async () => {
    const plugin = write("libggml-none.so", Buffer.from("no library"));
    const error = await thrown(() => delegate.open(write("p.gguf", ggufModel()), { device: "cpu", library, plugin }));
    expect(error).toBeInstanceOf(CannotError);
    expect(error.message).toMatch(/libggml-none\.so: ggml does not take it as a back end: failed to load/);
  });

  it("says what is wrong with inputs and options, each in one sentence", async () => {
    const session = await open();
    const two: Value = { type: "string", shape: [2], data: ["a", "b"] };
    for (const [inputs, says] of [
      [new Map([["prompt", two]]), /one text/],
      [new Map<string, Value>(), /one text/],
      [new Map([["text", two]]), /no input "text"/],
    ] as const) {
      expect((await thrown(() => session.run(inputs))).message).toMatch(says);
    }
    await session.close();
    for (const [options, says] of [
      [{ speed: "1" }, /no option "speed" here; there are max_tokens/],
      [{ max_tokens: "0" }, /max_tokens is a whole number from 1, not "0"/],
      [{ temperature: "hot" }, /temperature is a number/],
      [{ top_p: "0" }, /top_p is a number above 0/],
      [{ chat: "maybe" }, /chat is yes, no or messages/],
      [{ gpu_layers: "3" }, /gpu_layers goes with another device/],
    ] as const) {
      expect((await thrown(() => open(options))).message).toMatch(says);
    }
  });

  describe("calls broken files broken, by their path, before the library ends the process over them", () => {
    const good = ggufModel();
    const without = (name: string): Uint8Array => {
      const weights = randomWeights();
      return ggufModel({}, { ...weights, tensors: new Map([...weights.tensors].filter(([key]) => key !== name)) });
    };
    it.each<[string, Uint8Array, RegExp]>([
      ["no GGUF", Buffer.from("no model at all"), /it is no GGUF/],
      ["half a head", good.subarray(0, 3000), /are left/],
      ["without its end", good.subarray(0, good.length - 1000), /1000 bytes are missing/],
      ["of an unknown architecture", ggufModel({ architecture: "foo" }), /unknown model architecture: 'foo'/],
      ["without a tensor", without("blk.1.ffn_up.weight"), /tensor 'blk\.1\.ffn_up\.weight' not found/],
      ["without layers", ggufModel({ values: { "llama.block_count": 0 } }), /block_count is 0/],
      ["of 2^32 - 1 layers", ggufModel({ values: { "llama.block_count": 0xffffffff } }), /block_count is 4294967295/],
      [
        "of more experts in use than there are",
        ggufModel({ values: { "llama.expert_count": 4, "llama.expert_used_count": 9 } }),
        /more experts/,
      ],
      ["without heads", ggufModel({ values: { "llama.attention.head_count": 0 } }), /wrong shape/],
      [
        "without a context",
        ggufModel({ values: { "llama.context_length": undefined } }),
        /key not found in model: llama\.context_length/,
      ],
    ])("%s", async (_, bytes, says) => {
      const path = write("broken.gguf", bytes);
      const error = await thrown(() => delegate.open(path, { device: "cpu", library }));
      expect(error).toBeInstanceOf(FileError);
      expect(error.message).toContain(`${path}: `);
      expect(error.message).toMatch(says);
    });

    it("and says that scores are no numbers", async () => {
      const weights = randomWeights();
      const nothing = { shape: [64, weights.vocabulary], data: new Float32Array(64 * weights.vocabulary).fill(NaN) };
      const path = write(
        "nan.gguf",
        ggufModel({}, { ...weights, tensors: new Map([...weights.tensors, ["token_embd.weight", nothing]]) }),
      );
      const session = await delegate.open(path, { device: "cpu", library, threads: 1 });
      expect((await thrown(() => session.run(prompt("a")))).message).toMatch(/scores that are no numbers/);
      await session.close();
    });
  });

  it("prints nothing of what the library says, and leaves no thread that keeps the process", () => {
    const script = `
      const { default: delegate } = await import(${JSON.stringify(join(top, "src/delegates/ggml.ts"))});
      const session = await delegate.open(process.argv[1], { device: "cpu", library: process.argv[2], threads: 1 });
      await session.run(new Map([["prompt", { type: "string", shape: [1], data: ["abc"] }]]));
      await session.close();`;
    const bundle = spawnSync(
      join(top, "node_modules/.bin/esbuild"),
      ["--bundle", "--platform=node", "--format=esm", "--packages=external", "--log-level=warning"],
      { input: script, encoding: "utf8", cwd: top },
    );
    expect(bundle.stderr).toBe("");
    const model = write("quiet.gguf", ggufModel());
    const ran = spawnSync(process.execPath, ["--input-type=module", "-e", bundle.stdout, model, library], {
      encoding: "utf8",
      cwd: top,
      timeout: 30_000,
      env: { PATH: process.env["PATH"] },
    });
    expect([ran.status, ran.stdout, ran.stderr]).toEqual([0, "", ""]);
  });
});

describe.skipIf(!hasCompiler)(`a library of another make${unlessCompiler}`, () => {
  it("is not driven when its parameters lie as in no known revision", async () => {
    const fake = compileLibrary("fake-llama.c", folder);
    const error = await thrown(() => delegate.open(write("m.gguf", ggufModel()), { device: "cpu", library: fake }));
    expect(error).toBeInstanceOf(CannotError);
    expect(error.message).toMatch(
      /llama\.cpp 9\.9\.9: its llama_model_params are none of a revision that is known|two llama\.cpp do not go together/,
    );
  });
  it("is named with what it lacks", async () => {
    const fake = compileLibrary("fake-llama.c", folder, ["-DWITHOUT_TOKENIZE"]);
    const error = await thrown(() => delegate.open(write("m.gguf", ggufModel()), { device: "cpu", library: fake }));
    expect(error.message).toMatch(
      /no llama\.cpp that is known .*: it has no llama_tokenize|two llama\.cpp do not go together/,
    );
  });
});

describe("devices of ggml", () => {
  const at = (vendor?: string): string | undefined => vendor;
  const device = (id: string, backend: string, family?: string): GgmlDevice => ({
    handle: 1n,
    id,
    name: `a ${id}`,
    backend,
    memory_bytes: 0,
    ...(family === undefined ? {} : { device: family }),
  });

  it("are of the family that their back end or PCI vendor means, and of none where neither tells", () => {
    expect(familyOf("CPU", undefined)).toBe("cpu");
    expect(familyOf("CUDA", undefined)).toBe("nvidia");
    expect(familyOf("ROCm", undefined)).toBe("amd-rocm");
    expect(familyOf("HTP", undefined)).toBe("qualcomm");
    for (const [vendor, family] of [
      ["0x10de", "nvidia"],
      ["0x1002", "amd-rocm"],
      ["0x8086", "intel-gpu"],
      ["0x1af4", undefined],
      [undefined, undefined],
    ]) {
      expect(familyOf("Vulkan", "0000:01:00.0", () => at(vendor))).toBe(family);
    }
    expect(familyOf("Vulkan", undefined, () => "0x10de")).toBe(undefined);
    expect(familyOf("BLAS", undefined)).toBe(undefined);
  });

  it("are chosen by family and place", () => {
    const all = [
      device("CPU", "CPU", "cpu"),
      device("Vulkan0", "Vulkan", "nvidia"),
      device("Vulkan1", "Vulkan", "nvidia"),
    ];
    expect(chooseDevice(all, "cpu")).toBe(undefined);
    expect(chooseDevice(all, "nvidia")?.id).toBe("Vulkan0");
    expect(chooseDevice(all, "nvidia:1")?.id).toBe("Vulkan1");
    expect(() => chooseDevice(all, "nvidia:2")).toThrow(
      "ggml sees no nvidia:2; it sees CPU (a CPU), Vulkan0 (a Vulkan0)",
    );
    expect(() => chooseDevice([], "cpu")).toThrow(/no back end for this CPU/);
  });

  it("lead to the library whose back ends reach them", () => {
    const plain = { library: "a", backends: ["cpu"] };
    const vulkan = { library: "b", backends: ["cpu", "vulkan"] };
    expect(candidateFor([plain, vulkan], "cpu")).toBe(plain);
    expect(candidateFor([plain, vulkan], "amd-rocm")).toBe(vulkan);
    expect(candidateFor([plain, vulkan], "qualcomm")).toBe(plain);
    expect(candidateFor([], "cpu")).toBe(undefined);
  });

  it("leave the processors that others need", () => {
    expect([1, 2, 4, 6, 8, 64].map((all) => usualThreads(all))).toEqual([1, 1, 3, 4, 4, 32]);
  });

  it("are in libraries of several names", () => {
    for (const [at, name] of [
      "libllama.so",
      "libllama.so.0",
      "libllama.b7347.so",
      "libllama.vulkan.v0.5.0.so",
    ].entries()) {
      const bin = join(folder, `names-${at}`);
      mkdirSync(join(bin, "ggml/backends0"), { recursive: true });
      for (const file of [
        "libllama-common.so",
        name,
        "libggml-base.so",
        "ggml/backends0/libggml-cpu-haswell.so",
        "libggml-vulkan.so",
      ]) {
        writeFileSync(join(bin, file), "");
      }
      expect(candidateIn(bin)).toEqual({ library: join(bin, name), backends: ["cpu", "vulkan"] });
    }
  });

  it.skipIf(library === "")("back ends are told from the names of files beside the library", () => {
    expect(readdirSync(bins).length).toBeGreaterThan(5);
    expect(candidateIn(bins)).toEqual({ library, backends: ["cpu"] });
    expect(candidateIn(folder)).toBe(undefined);
  });
});

describe("drawing a token", () => {
  const settings = (options: Record<string, string>): ReturnType<typeof generateSettings> => generateSettings(options);
  const scores = Float32Array.from({ length: 500 }, (_, at) => Math.sin(at * 12.9898) * 4);
  const counts = (options: Record<string, string>, draws = 4000): Map<number, number> => {
    const draw = sampler(settings(options));
    const out = new Map<number, number>();
    for (let i = 0; i < draws; i++) {
      const token = draw(scores) ?? -1;
      out.set(token, (out.get(token) ?? 0) + 1);
    }
    return out;
  };
  const order = Array.from(scores.keys()).sort((a, b) => (scores[b] ?? 0) - (scores[a] ?? 0) || a - b);
  const weights = order.map((token) => Math.exp(scores[token] ?? 0));
  const all = weights.reduce((sum, weight) => sum + weight, 0);

  it("takes the most probable at temperature 0, and of one", () => {
    expect([...counts({}).keys()]).toEqual([order[0]]);
    expect([...counts({ temperature: "2", top_k: "1" }).keys()]).toEqual([order[0]]);
  });
  it("draws of the top_k only", () => {
    const drawn = [...counts({ temperature: "3", top_k: "5", top_p: "1" }).keys()];
    expect(drawn.sort((a, b) => a - b)).toEqual(order.slice(0, 5).sort((a, b) => a - b));
  });
  it("draws of as few as hold top_p, however many tokens there are", () => {
    let [held, count] = [0, 0];
    while (held < 0.3 * all) held += weights[count++] ?? 0;
    const drawn = [...counts({ temperature: "1", top_k: "0", top_p: "0.3" }, 8000).keys()];
    expect(drawn.sort((a, b) => a - b)).toEqual(order.slice(0, count).sort((a, b) => a - b));
  });
  it("draws as often as probable", () => {
    const drawn = counts({ temperature: "1", top_k: "0", top_p: "1" }, 5000);
    const share = (drawn.get(order[0] ?? -1) ?? 0) / 5000;
    expect(Math.abs(share - (weights[0] ?? 0) / all)).toBeLessThan(0.02);
  });
  it("gives nothing of scores that are no numbers", () => {
    expect(sampler(settings({}))(Float32Array.of(1, NaN, 2))).toBe(undefined);
    expect(sampler(settings({ temperature: "1" }))(Float32Array.of(NaN))).toBe(undefined);
  });
});

it("a character whose bytes come in several tokens comes whole", () => {
  const bytes = Buffer.from("ü日!");
  // Stands in for the library: token n is byte n.
  const call = (_: string, __: unknown, token: number, out: Buffer): number => (out.writeUInt8(bytes[token] ?? 0), 1);
  const pieces = new Pieces({ call } as unknown as ConstructorParameters<typeof Pieces>[0], 1n);
  expect(Array.from(bytes, (_, token) => pieces.add(token))).toEqual(["", "ü", "", "", "日", "!"]);
  expect([pieces.add(0), pieces.end(), pieces.text]).toEqual(["", "\ufffd", "ü日!\ufffd"]);
});

it("a vocabulary without weights is none to run, as the file tells", () => {
  const weights = randomWeights();
  const path = write("vocabulary.gguf", ggufModel({}, { ...weights, tensors: new Map() }));
  expect(delegate.supports(readModel(path), "cpu")).toBe("it holds a vocabulary and no weights");
  expect(delegate.supports(readModel(write("fine.gguf", ggufModel())), "nvidia")).toBe(undefined);
});

describe("texts that end an answer", () => {
  const said = (stops: string[], pieces: string[]): [string[], boolean] => {
    const ends = new Stops(stops);
    const given: string[] = [];
    for (const piece of pieces) {
      given.push(ends.add(piece));
      if (ends.found) return [given, true];
    }
    return [[...given, ends.end()], false];
  };

  it("are found across pieces, and what only began like one is said", () => {
    expect(said(["END"], ["a", "E", "N", "x", "EN"])).toEqual([["a", "", "", "ENx", "", "EN"], false]);
    expect(said(["END"], ["aE", "NEN", "D..."])).toEqual([["a", "EN", ""], true]);
    expect(said(["b", "ab"], ["xab"])).toEqual([["x"], true]);
    expect(said(["aab"], ["aaa", "b"])).toEqual([["a", ""], true]);
    expect(said([], ["a", "b"])).toEqual([["a", "b", ""], false]);
  });
});
