/**
 * Generation: a prompt goes in, tokens come out one by one until the model ends its text, the wished number is there or the context is
 * full. One at a time for each session, in the order they were asked for; the others wait.
 */

import { CannotError, UsageError } from "../../base/errors.ts";
import type { Port, Ran } from "../delegate.ts";
import type { Value } from "../value.ts";
import { pointer, type Llama, type Pointer } from "./api.ts";
import { applyTemplate, Pieces, Stops, tokenize, type Message } from "./text.ts";
import { sampler } from "./sample.ts";
import type { Settings } from "./settings.ts";

/** Tokens of the prompt that are computed at once; between them a session that is closed stops. */
export const BATCH = 512;

export const inputs: readonly Port[] = [{ name: "prompt", type: "string", shape: [1] }];
export const outputs: readonly Port[] = [
  { name: "text", type: "string", shape: [1] },
  { name: "tokens", type: "int32", shape: ["tokens"] },
  // "stop": the model ended its text, or said what was to end it; "length": max_tokens or the context did.
  { name: "finish_reason", type: "string", shape: [1] },
];

export interface Loaded {
  readonly llama: Llama;
  readonly model: Pointer;
  readonly vocab: Pointer;
  readonly context: Pointer;
  /** Tokens that prompt and answer may have together. */
  readonly room: number;
  /** Who computes: ggml's name of the device. */
  readonly by: string;
  /** The device answers before it is done. */
  readonly defers: boolean;
  readonly loadMs: number;
}

/** Yields pieces of the text as they come; they are the output "text" together. */
export async function* generate(
  loaded: Loaded,
  values: ReadonlyMap<string, Value>,
  settings: Settings,
  goOn: () => void,
): AsyncGenerator<string, Ran> {
  const { llama, context, vocab, room, by, loadMs } = loaded;
  const prompt = await promptTokens(loaded, values, settings);
  const start = performance.now();
  llama.call("llama_memory_clear", llama.call("llama_get_memory", context), false);
  for (let at = 0; at < prompt.length; at += BATCH) {
    goOn();
    await compute(loaded, prompt.slice(at, at + BATCH));
  }
  const prompted = performance.now();
  const next = sampler(settings);
  const count = Number(llama.call("llama_vocab_n_tokens", vocab));
  const pieces = new Pieces(llama, vocab);
  const stops = new Stops(settings.stop);
  const tokens: number[] = [];
  const scores = scoresOf(loaded, count);
  let [reason, steps, firstMs, text] = ["length", 0, 0, ""];
  for (;;) {
    goOn();
    const token = next(scores());
    if (token === undefined) throw new CannotError(`llama.cpp: ${by} computed scores that are no numbers`);
    firstMs ||= performance.now() - start;
    if (llama.call("llama_vocab_is_eog", vocab, token) === true) {
      reason = "stop";
      break;
    }
    tokens.push(token);
    const piece = stops.add(pieces.add(token));
    text += piece;
    if (piece !== "") yield piece;
    if (stops.found) {
      reason = "stop";
      break;
    }
    if (tokens.length >= settings.max_tokens || prompt.length + tokens.length >= room) break;
    goOn();
    await compute(loaded, Int32Array.of(token));
    steps++;
  }
  const tail = stops.found ? "" : stops.add(pieces.end()) + stops.end();
  text += tail;
  if (tail !== "") yield tail;
  const ended = performance.now();
  const [promptMs, generationMs] = [prompted - start, ended - prompted];
  return {
    outputs: new Map<string, Value>([
      ["text", { type: "string", shape: [1], data: [text] }],
      ["tokens", { type: "int32", shape: [tokens.length], data: Int32Array.from(tokens) }],
      ["finish_reason", { type: "string", shape: [1], data: [reason] }],
    ]),
    spans: [
      { name: "prompt", by, ms: promptMs },
      { name: "generation", by, ms: generationMs },
    ],
    figures: {
      prompt_tokens: prompt.length,
      tokens: tokens.length,
      context_tokens: room,
      prompt_tokens_per_second: (prompt.length / promptMs) * 1000,
      // The first token is the prompt's work; each other one took a step.
      ...(steps > 0 ? { tokens_per_second: (steps / generationMs) * 1000 } : {}),
      first_token_ms: firstMs,
      load_ms: loadMs,
    },
  };
}

async function promptTokens(
  { llama, model, vocab, room }: Loaded,
  values: ReadonlyMap<string, Value>,
  settings: Settings,
): Promise<Int32Array> {
  for (const name of values.keys()) {
    if (name !== "prompt") throw new CannotError(`ggml: there is no input "${name}"; there is prompt`);
  }
  const value = values.get("prompt");
  const text = value?.type === "string" && value.data.length === 1 ? value.data[0] : undefined;
  if (typeof text !== "string") throw new CannotError('ggml: the input "prompt" has to be one text: string [1]');
  const { chat, system } = settings;
  if (chat === "no" && system !== undefined) {
    throw new UsageError("ggml: a system message goes with the model's chat template only; give the option chat=yes");
  }
  const whole =
    chat === "no" ? text : applyTemplate(llama, model, messagesOf(text, chat, system), settings.chat_template);
  const tokens = await tokenize(llama, vocab, whole);
  if (tokens.length === 0)
    throw new UsageError("ggml: the prompt is empty, and this model begins with no token of its own");
  if (tokens.length >= room) {
    throw new UsageError(
      `ggml: the prompt has ${tokens.length} tokens and the context holds ${room}, answer included; the option context=N opens a larger one`,
    );
  }
  return tokens;
}

/** Messages of a chat at most: each is two pieces of memory. */
const MESSAGES_LIMIT = 10_000;

function messagesOf(text: string, chat: "yes" | "messages", system: string | undefined): readonly Message[] {
  const before = system === undefined ? [] : [{ role: "system", content: system }];
  if (chat === "yes") return [...before, { role: "user", content: text }];
  let list: unknown;
  try {
    list = JSON.parse(text);
  } catch {
    list = undefined; // refused below
  }
  const fits = (one: unknown): one is Message =>
    typeof one === "object" &&
    one !== null &&
    "role" in one &&
    typeof one.role === "string" &&
    "content" in one &&
    typeof one.content === "string";
  if (!Array.isArray(list) || list.length === 0 || list.length > MESSAGES_LIMIT || !list.every(fits)) {
    throw new UsageError('ggml: chat=messages takes a list as JSON: [{"role": "user", "content": "..."}]');
  }
  return [...before, ...list];
}

/** llama_decode's own words for its status are in the header, not in the library. */
const statuses: Readonly<Record<string, string>> = {
  1: "no room in the context for these tokens",
  2: "it was aborted",
};

async function compute({ llama, context, defers, by }: Loaded, tokens: Int32Array): Promise<void> {
  const mark = llama.log.mark;
  const status = await llama.decode(context, tokens);
  if (status !== 0) {
    const says = llama.log.error(mark) ?? statuses[status] ?? "it does not say why";
    throw new CannotError(`llama.cpp: ${by} could not compute ${tokens.length} tokens (${status}): ${says}`);
  }
  // Else llama_get_logits_ith would wait for the device, in the event loop's way.
  if (defers) await llama.callAsync("llama_synchronize", context);
}

/** The library's own memory, looked at without a copy; it is most often the same from token to token. */
function scoresOf({ llama, context, by }: Loaded, count: number): () => Float32Array {
  let [at, view] = [0n, new Float32Array(0)];
  return () => {
    const scores = pointer(llama.call("llama_get_logits_ith", context, -1));
    if (scores === 0n) throw new CannotError(`llama.cpp: ${by} computed no scores`);
    if (scores !== at) [at, view] = [scores, new Float32Array(llama.koffi.view(scores, count * 4))];
    return view;
  };
}
