/** OpenAI's API as its own client meets it: over an engine that computes nothing, and over llama.cpp with a model of two layers. */

/* eslint-disable @typescript-eslint/no-deprecated -- OpenAI no longer wants `seed`, `user` and `max_tokens`, and callers give them */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import OpenAI from "openai";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { Value } from "../../src/delegates/value.ts";
import { candidateIn } from "../../src/delegates/ggml/find.ts";
import { chatPart } from "../../src/serve/chat/part.ts";
import { openEngine } from "../../src/serve/engine/open.ts";
import { Refusal, type Engine, type InferRequest } from "../../src/serve/engine.ts";
import { startServer, type ServeOptions } from "../../src/serve/server.ts";
import { fakeEngine, identity, port, type FakeEngine, type FakeModel } from "../support/engine.ts";
import { ggufModel } from "../support/gguf-model.ts";
import { runtime, unlessRuntime } from "../support/runtimes.ts";

const wait = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms));
const texts = (text: string): Value => ({ type: "string", shape: [1], data: [text] });

/** Writes pieces, and then the end that a run of llama.cpp has. */
function writer(pieces: readonly string[], reason = "stop", pause = 1): FakeModel {
  return {
    inputs: [port("prompt", "string", [1])],
    outputs: [port("text", "string", [1]), port("finish_reason", "string", [1])],
    write: async function* ({ signal }: InferRequest) {
      for (const piece of pieces) {
        await wait(pause);
        if (signal?.aborted === true) throw new Refusal("cancelled", "the caller is gone");
        yield piece;
      }
      return {
        outputs: new Map([
          ["text", texts(pieces.join(""))],
          ["finish_reason", texts(reason)],
        ]),
        figures: { prompt_tokens: 7, tokens: pieces.length },
      };
    },
  };
}

const refusing = (refusal: Refusal): FakeModel => ({
  inputs: [port("prompt", "string", [1])],
  write: async function* () {
    await wait(1);
    throw refusal;
  },
});

const models: Record<string, FakeModel> = {
  tiny: writer(["Hel", "lo ", "", "Grüße 👋"]),
  cut: writer(["one", "two"], "length"),
  endless: writer(Array<string>(5000).fill("word "), "stop", 5),
  picture: identity,
  asleep: { ...writer([]), status: "loading" },
  full: refusing(new Refusal("busy", "the queue is full", { retry_after_s: 3 })),
  broken: refusing(new Refusal("failed", "the model's process ended")),
  midway: {
    ...writer([]),
    write: async function* () {
      await wait(1);
      yield "so far ";
      throw new Refusal("failed", "the model's process ended");
    },
  },
};

const running: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of running.splice(0)) await close();
});

async function serve(engine: Engine, options: ServeOptions = {}): Promise<{ url: string; client: OpenAI }> {
  const server = await startServer([chatPart(engine)], options);
  running.push(() => server.close());
  const client = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: options.token ?? "none is needed", maxRetries: 0 });
  return { url: server.url, client };
}

async function fake(options: ServeOptions = {}): Promise<{ url: string; client: OpenAI; engine: FakeEngine }> {
  const engine = fakeEngine(models);
  return { ...(await serve(engine, options)), engine };
}

const refused = async (call: PromiseLike<unknown>): Promise<InstanceType<typeof OpenAI.APIError>> => {
  const error: unknown = await call.then(
    () => new Error("it was answered"),
    (caught: unknown) => caught,
  );
  expect(error).toBeInstanceOf(OpenAI.APIError);
  return error as InstanceType<typeof OpenAI.APIError>;
};
const hi = [{ role: "user", content: "Hi" }] as const;
const ask = { model: "tiny", messages: [...hi] };

describe("OpenAI's client", () => {
  it("lists the models that write text", async () => {
    const { client } = await fake();
    const names: string[] = [];
    for await (const { id, object, owned_by } of client.models.list()) {
      expect([object, owned_by]).toEqual(["model", "accelctl"]);
      names.push(id);
    }
    expect(names).toEqual(["tiny", "cut", "endless", "full", "broken", "midway"]);
    expect(await client.models.retrieve("tiny")).toMatchObject({ id: "tiny", object: "model" });
    for (const name of ["picture", "nobody", "asleep"]) {
      expect(await refused(client.models.retrieve(name))).toMatchObject({ status: 404, code: "model_not_found" });
    }
  });

  it("gets a whole answer with its counts and why it ended", async () => {
    const { client } = await fake();
    const answer = await client.chat.completions.create(ask);
    expect(answer).toMatchObject({
      object: "chat.completion",
      model: "tiny",
      choices: [{ index: 0, message: { role: "assistant", content: "Hello Grüße 👋" }, finish_reason: "stop" }],
      usage: { prompt_tokens: 7, completion_tokens: 4, total_tokens: 11 },
    });
    expect(answer.id).toMatch(/^chatcmpl-[0-9a-f]{24}$/);
    expect(Math.abs(answer.created - Date.now() / 1000)).toBeLessThan(60);
    const cut = await client.chat.completions.create({ ...ask, model: "cut" });
    expect(cut.choices[0]?.finish_reason).toBe("length");
    const completion = await client.completions.create({ model: "tiny", prompt: "Hi" });
    expect(completion).toMatchObject({
      object: "text_completion",
      choices: [{ text: "Hello Grüße 👋", finish_reason: "stop", index: 0 }],
      usage: { total_tokens: 11 },
    });
  });

  it("gets an answer piece by piece, and the counts when it wants them", async () => {
    const { client, url } = await fake();
    const chunks: OpenAI.ChatCompletionChunk[] = [];
    const stream = await client.chat.completions.create({
      ...ask,
      stream: true,
      stream_options: { include_usage: true },
    });
    for await (const chunk of stream) chunks.push(chunk);
    expect(chunks.map(({ choices: [choice] }) => choice?.delta.content)).toEqual([
      "",
      "Hel",
      "lo ",
      "",
      "Grüße 👋",
      undefined,
      undefined,
    ]);
    expect(chunks.map(({ usage }) => usage)).toEqual([
      ...Array.from({ length: 6 }, () => null),
      { prompt_tokens: 7, completion_tokens: 4, total_tokens: 11 },
    ]);
    expect(chunks.at(-2)?.choices[0]?.finish_reason).toBe("stop");
    expect(new Set(chunks.map(({ id }) => id)).size).toBe(1);
    const helper = client.chat.completions.stream(ask);
    expect(await helper.finalContent()).toBe("Hello Grüße 👋");
    let text = "";
    for await (const { choices } of await client.completions.create({ model: "tiny", prompt: "Hi", stream: true })) {
      text += choices[0]?.text ?? "";
    }
    expect(text).toBe("Hello Grüße 👋");
    const raw = await fetch(`${url}/v1/chat/completions`, {
      method: "POST",
      body: JSON.stringify({ ...ask, stream: true }),
    });
    expect(raw.headers.get("content-type")).toBe("text/event-stream");
    expect(await raw.text()).toMatch(/^data: \{"id":"chatcmpl-.*"finish_reason":"stop"\}\]\}\n\ndata: \[DONE\]\n\n$/s);
  });

  it("hands on messages and how to draw", async () => {
    const { client, engine } = await fake();
    const image = [
      { type: "text", text: "two " },
      { type: "text", text: "parts" },
    ] as const;
    await client.chat.completions.create({
      model: "tiny",
      messages: [
        { role: "developer", content: "Be brief." },
        { role: "user", content: "Hi" },
        { role: "assistant", content: "Hello" },
        { role: "user", content: [...image] },
      ],
      temperature: 0.7,
      top_p: 0,
      seed: -1,
      max_completion_tokens: 9,
      stop: ["\n", "END"],
      user: "someone",
      store: false,
      n: 1,
      response_format: { type: "text" },
    });
    const seen = engine.seen.at(-1);
    expect(JSON.parse(String(seen?.inputs.get("prompt")?.data[0]))).toEqual([
      { role: "system", content: "Be brief." },
      { role: "user", content: "Hi" },
      { role: "assistant", content: "Hello" },
      { role: "user", content: "two parts" },
    ]);
    expect(seen?.options).toEqual({
      chat: "messages",
      max_tokens: "9",
      temperature: "0.700000000",
      top_p: "0.000000001",
      seed: "4294967295",
      stop: '["\\n","END"]',
    });
    await client.completions.create({ model: "tiny", prompt: ["Once"], stop: "." });
    expect(engine.seen.at(-1)?.inputs.get("prompt")?.data).toEqual(["Once"]);
    expect(engine.seen.at(-1)?.options).toEqual({ chat: "no", max_tokens: "16", stop: '["."]' });
    // What is drawn without a seed is drawn anew each time.
    const seeds = new Set<string | undefined>();
    for (let at = 0; at < 3; at++) {
      await client.chat.completions.create({ ...ask, temperature: 1 });
      seeds.add(engine.seen.at(-1)?.options?.["seed"]);
    }
    expect(seeds.size).toBe(3);
  });

  it("is refused what is not served, by the name of the field", async () => {
    const { client } = await fake();
    const tool = { type: "function", function: { name: "f" } } as const;
    const rows: [Partial<OpenAI.ChatCompletionCreateParamsNonStreaming>, string, RegExp][] = [
      [{ n: 2 }, "n", /one answer/],
      [{ tools: [tool] }, "tools", /tools are not served/],
      [{ logprobs: true }, "logprobs", /logprobs are not served/],
      [{ logit_bias: { 5: 1 } }, "logit_bias", /logit_bias is not served/],
      [{ response_format: { type: "json_object" } }, "response_format", /only text is served/],
      [{ presence_penalty: 1 }, "presence_penalty", /penalties are not served/],
      [{ messages: [] }, "messages", /at least one/],
      [
        { messages: [{ role: "tool", tool_call_id: "1", content: "x" }] },
        "messages[0].role",
        /one of system, developer/,
      ],
      [
        { messages: [{ role: "user", content: [{ type: "image_url", image_url: { url: "data:" } }] }] },
        "messages[0].content",
        /no pictures/,
      ],
      [{ temperature: 3 }, "temperature", /from 0 to 2/],
      [{ max_tokens: 0 }, "max_tokens", /from 1/],
      [{ seed: 1.5 }, "seed", /whole number/],
      [{ stop: ["a", "b", "c", "d", "e"] }, "stop", /up to 4/],
      [{ stop: "" }, "stop", /1 to 1000 characters/],
    ];
    for (const [fields, param, says] of rows) {
      const error = await refused(client.chat.completions.create({ ...ask, ...fields }));
      expect(error).toBeInstanceOf(OpenAI.BadRequestError);
      expect(error).toMatchObject({ status: 400, type: "invalid_request_error", param });
      expect(error.message).toMatch(says);
    }
    const many = await refused(client.completions.create({ model: "tiny", prompt: ["a", "b"] }));
    expect(many).toMatchObject({ status: 400, param: "prompt" });
  });

  it("gets each refusal as the class that it knows, in OpenAI's form", async () => {
    const { client, url } = await fake({ token: "secret" });
    const chat = (model: string): PromiseLike<unknown> => client.chat.completions.create({ ...ask, model });
    expect(await refused(chat("nobody"))).toBeInstanceOf(OpenAI.NotFoundError);
    expect(await refused(chat("picture"))).toMatchObject({ status: 404, code: "model_not_found", param: "model" });
    const full = await refused(chat("full"));
    expect(full).toBeInstanceOf(OpenAI.RateLimitError);
    expect(full).toMatchObject({ code: "rate_limit_exceeded", type: "rate_limit_error" });
    expect(full.headers?.get("retry-after")).toBe("3");
    expect(await refused(chat("broken"))).toMatchObject({ status: 500, type: "server_error" });
    expect(await refused(chat("asleep"))).toMatchObject({ status: 503, type: "server_error" });
    const stranger = new OpenAI({ baseURL: `${url}/v1`, apiKey: "wrong", maxRetries: 0 });
    const error = await refused(stranger.models.list());
    expect(error).toBeInstanceOf(OpenAI.AuthenticationError);
    expect(error).toMatchObject({ code: "invalid_api_key", type: "invalid_request_error" });
    const headers = { authorization: "Bearer secret" };
    const broken = await fetch(`${url}/v1/chat/completions`, { method: "POST", headers, body: '{"model": ' });
    expect(broken.status).toBe(400);
    expect(await broken.json()).toMatchObject({ error: { type: "invalid_request_error", param: null } });
  });

  it("is told in the middle of a stream that it broke off", async () => {
    const { client } = await fake();
    let said = "";
    const reading = (async () => {
      const stream = await client.chat.completions.create({ ...ask, model: "midway", stream: true });
      for await (const { choices } of stream) said += choices[0]?.delta.content ?? "";
    })();
    expect((await refused(reading)).message).toContain("the model's process ended");
    expect(said).toBe("so far ");
  });

  it("ends the writing when it breaks off", async () => {
    const { client, engine } = await fake();
    const stream = await client.chat.completions.create({ ...ask, model: "endless", stream: true });
    for await (const { choices } of stream) if (choices[0]?.delta.content === "word ") break;
    await expect.poll(() => engine.gone.length).toBe(1);
    const abort = new AbortController();
    const whole = client.chat.completions.create({ ...ask, model: "endless" }, { signal: abort.signal });
    setTimeout(() => abort.abort(), 100);
    await expect(whole).rejects.toThrow(OpenAI.APIUserAbortError);
    await expect.poll(() => engine.gone.length).toBe(2);
  });
});

const library = candidateIn(join(runtime("llama") ?? "", "package/bins", `linux-${process.arch}`))?.library;

describe.skipIf(library === undefined)(`a model of llama.cpp behind OpenAI's client${unlessRuntime("llama")}`, () => {
  let folder = "";
  let engine: Engine;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "accelctl-chat-"));
    const config = { delegate: "ggml", device: "cpu", library, threads: 1 };
    const model = (name: string, bytes: Uint8Array, options: object): void => {
      mkdirSync(join(folder, "models", name, "1"), { recursive: true });
      writeFileSync(join(folder, "models", name, "1", "model.gguf"), bytes);
      writeFileSync(join(folder, "models", name, "accelctl.json"), JSON.stringify({ ...config, ...options }));
    };
    const template = "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}";
    model("tiny", ggufModel({ template, context: 256 }), {});
    model("plain", ggufModel({}), {});
    model("lent", ggufModel({}), { options: { chat_template: "chatml" } });
    engine = await openEngine({ models: join(folder, "models") });
    expect(engine.models().map(({ name, status, reason }) => [name, status, reason])).toEqual([
      ["lent", "ready", undefined],
      ["plain", "ready", undefined],
      ["tiny", "ready", undefined],
    ]);
  });
  afterAll(async () => {
    await engine.drain(1000);
    rmSync(folder, { recursive: true });
  });

  it("says the same whole and piece by piece, counts its tokens, and ends where it should", async () => {
    const { client } = await serve(engine);
    const request = { ...ask, max_tokens: 20 };
    const whole = await client.chat.completions.create(request);
    const text = whole.choices[0]?.message.content ?? "";
    expect(text.length).toBeGreaterThan(10);
    expect(whole.choices[0]?.finish_reason).toBe("length");
    // "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n" and the token before it: a byte is a token.
    expect(whole.usage).toEqual({ prompt_tokens: 53, completion_tokens: 20, total_tokens: 73 });
    let streamed = "";
    for await (const { choices } of await client.chat.completions.create({ ...request, stream: true })) {
      streamed += choices[0]?.delta.content ?? "";
    }
    expect(streamed).toBe(text);
    const stop = text.slice(5, 8);
    const stopped = await client.chat.completions.create({ ...request, stop });
    expect(stopped.choices[0]).toMatchObject({
      message: { content: text.slice(0, text.indexOf(stop)) },
      finish_reason: "stop",
    });
    const drawn = async (seed: number): Promise<unknown> =>
      (await client.chat.completions.create({ ...request, temperature: 1.5, seed })).choices[0]?.message.content;
    expect(await drawn(1)).toBe(await drawn(1));
    expect(await drawn(1)).not.toBe(await drawn(2));
    const lent = await client.chat.completions.create({ ...request, model: "lent" });
    expect(lent.usage?.prompt_tokens).toBe(53);
    const completion = await client.completions.create({ model: "plain", prompt: "Once", max_tokens: 5 });
    expect(completion.usage).toMatchObject({ prompt_tokens: 5, completion_tokens: 5 });
  });

  it("says what of a request it cannot take, in a 400", async () => {
    const { client } = await serve(engine);
    const long = [{ role: "user", content: "x".repeat(300) }] as const;
    const error = await refused(client.chat.completions.create({ model: "tiny", messages: [...long] }));
    expect(error).toMatchObject({ status: 400, type: "invalid_request_error" });
    expect(error.message).toMatch(/the prompt has 351 tokens and the context holds 256/);
    const bare = await refused(client.chat.completions.create({ ...ask, model: "plain" }));
    expect(bare.status).toBe(400);
    expect(bare.message).toMatch(/carries no chat template/);
  });

  it("is free at once when whoever asked has left", async () => {
    const { client } = await serve(engine);
    const stream = await client.chat.completions.create({ ...ask, model: "lent", stream: true });
    for await (const chunk of stream) if (chunk.choices[0]?.delta.content !== "") break;
    const begun = performance.now();
    await client.chat.completions.create({ ...ask, model: "lent", max_tokens: 1 });
    expect(performance.now() - begun).toBeLessThan(2000);
    await expect.poll(() => engine.figures().find(({ name }) => name === "lent")?.requests.cancelled).toBe(1);
  });
});
