/**
 * Requests of OpenAI's chat completions and completions: what is served of them, and what is refused because an answer without it would
 * be another one. https://platform.openai.com/docs/api-reference/chat/create
 */

import { ChatError } from "./error.ts";

export interface Asked {
  readonly model: string;
  readonly prompt: string;
  /** For the delegate. */
  readonly options: Readonly<Record<string, string>>;
  readonly stream: boolean;
  /** One more chunk tells the counts of tokens. */
  readonly usage: boolean;
}

export type Fields = Readonly<Record<string, unknown>>;

/** What is not served, and which values of it ask for nothing. */
const refusals: readonly (readonly [name: string, harmless: (value: unknown) => boolean, says: string])[] = [
  ["n", (value) => value === 1, "one answer is given to a request: n is 1"],
  ["best_of", (value) => value === 1, "one answer is computed: best_of is 1"],
  ["tools", isEmpty, "tools are not served"],
  ["functions", isEmpty, "functions are not served"],
  ["tool_choice", (value) => value === "none" || value === "auto", "tools are not served"],
  ["function_call", (value) => value === "none" || value === "auto", "functions are not served"],
  ["logprobs", (value) => value === false, "logprobs are not served"],
  ["top_logprobs", (value) => value === 0, "logprobs are not served"],
  ["logit_bias", isEmpty, "logit_bias is not served"],
  [
    "response_format",
    (value) => isFields(value) && value["type"] === "text",
    "only text is served: no response_format",
  ],
  ["modalities", (value) => Array.isArray(value) && value.every((one) => one === "text"), "only text is served"],
  ["audio", () => false, "audio is not served"],
  ["web_search_options", () => false, "there is no search of the web here"],
  ["suffix", (value) => value === "", "suffix is not served"],
  ["echo", (value) => value === false, "echo is not served"],
  ["presence_penalty", (value) => value === 0, "penalties are not served: presence_penalty is 0"],
  ["frequency_penalty", (value) => value === 0, "penalties are not served: frequency_penalty is 0"],
];

function isEmpty(value: unknown): boolean {
  return typeof value === "object" && value !== null && Object.keys(value).length === 0;
}

const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const isAbsent = (value: unknown): value is undefined | null => value === undefined || value === null;

/** Roles of messages, as templates of models know them: what OpenAI calls developer was system. */
const roles: Readonly<Record<string, string>> = {
  system: "system",
  developer: "system",
  user: "user",
  assistant: "assistant",
};
/** Messages of a chat, and texts that end an answer. */
const [MESSAGES_LIMIT, STOPS_LIMIT, STOP_LENGTH] = [2048, 4, 1000];
/** As much as a context can hold: what ends it then is the context. */
const NO_END = 0x7fff_ffff;
/** OpenAI's own for completions. */
const COMPLETION_TOKENS = 16;

/** POST /v1/chat/completions. Throws ChatError. */
export function readChat(body: unknown): Asked {
  const fields = fieldsOf(body);
  const { messages } = fields;
  if (!Array.isArray(messages) || messages.length === 0) throw wrong("messages", "messages is a list of at least one");
  if (messages.length > MESSAGES_LIMIT) throw wrong("messages", `messages is a list of up to ${MESSAGES_LIMIT}`);
  const prompt = JSON.stringify(messages.map(readMessage));
  const most = tokens(fields, "max_completion_tokens") ?? tokens(fields, "max_tokens") ?? NO_END;
  return { ...common(fields), prompt, options: { ...options(fields, most), chat: "messages" } };
}

/** POST /v1/completions. Throws ChatError. */
export function readCompletion(body: unknown): Asked {
  const fields = fieldsOf(body);
  const { prompt: given } = fields;
  const prompt: unknown = Array.isArray(given) && given.length === 1 ? given[0] : given;
  if (typeof prompt !== "string")
    throw wrong("prompt", "prompt is one text; lists of texts and of tokens are not served");
  const most = tokens(fields, "max_tokens") ?? COMPLETION_TOKENS;
  return { ...common(fields), prompt, options: { ...options(fields, most), chat: "no" } };
}

function fieldsOf(body: unknown): Fields {
  if (!isFields(body)) throw new ChatError(400, "the body is no JSON object");
  for (const [name, harmless, says] of refusals) {
    const value = Object.hasOwn(body, name) ? body[name] : undefined;
    if (!isAbsent(value) && !harmless(value)) throw new ChatError(400, says, "unsupported_parameter", name);
  }
  return body;
}

function common(fields: Fields): Pick<Asked, "model" | "stream" | "usage"> {
  const { model, stream, stream_options } = fields;
  if (typeof model !== "string" || model === "") throw wrong("model", "model is the name of a model");
  if (!isAbsent(stream) && typeof stream !== "boolean") throw wrong("stream", "stream is true or false");
  if (!isAbsent(stream_options) && !isFields(stream_options))
    throw wrong("stream_options", "stream_options is an object");
  if (!isAbsent(stream_options) && stream !== true) throw wrong("stream_options", "stream_options goes with stream");
  return { model, stream: stream === true, usage: stream_options?.["include_usage"] === true };
}

function options(fields: Fields, most: number): Record<string, string> {
  const temperature = number(fields, "temperature", 0, 2);
  const share = number(fields, "top_p", 0, 1);
  const seed = whole(fields, "seed", Number.MIN_SAFE_INTEGER);
  const stop = stops(fields["stop"]);
  // Texts are drawn anew each time, where they are drawn at all and no seed is given.
  const drawn = temperature !== undefined && temperature > 0 ? Math.floor(Math.random() * 2 ** 32) : undefined;
  const from = seed === undefined ? drawn : Number(BigInt.asUintN(32, BigInt(seed)));
  return {
    max_tokens: String(most),
    ...(temperature === undefined ? {} : { temperature: decimal(temperature) }),
    // 0 leaves the most probable token alone, as does the smallest share.
    ...(share === undefined ? {} : { top_p: decimal(Math.max(share, 1e-9)) }),
    ...(from === undefined ? {} : { seed: String(from) }),
    ...(stop.length === 0 ? {} : { stop: JSON.stringify(stop) }),
  };
}

/** Without an exponent. */
const decimal = (value: number): string => value.toFixed(9);

function tokens(fields: Fields, name: string): number | undefined {
  const value = whole(fields, name, 1);
  return value === undefined ? undefined : Math.min(value, NO_END);
}

function whole(fields: Fields, name: string, least: number): number | undefined {
  const value = fields[name];
  if (isAbsent(value)) return undefined;
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= least) return value;
  throw wrong(name, `${name} is a whole number${least > 0 ? ` from ${least}` : ""}`);
}

function number(fields: Fields, name: string, least: number, most: number): number | undefined {
  const value = fields[name];
  if (isAbsent(value)) return undefined;
  if (typeof value === "number" && value >= least && value <= most) return value;
  throw wrong(name, `${name} is a number from ${least} to ${most}`);
}

function stops(stop: unknown): readonly string[] {
  if (isAbsent(stop)) return [];
  const list: readonly unknown[] = Array.isArray(stop) ? stop : [stop];
  const fits = (one: unknown): one is string => typeof one === "string" && one !== "" && one.length <= STOP_LENGTH;
  if (list.length <= STOPS_LIMIT && list.every(fits)) return list;
  throw wrong("stop", `stop is a text or a list of up to ${STOPS_LIMIT}, each of 1 to ${STOP_LENGTH} characters`);
}

function readMessage(message: unknown, at: number): { role: string; content: string } {
  const name = `messages[${at}]`;
  if (!isFields(message)) throw wrong(name, `${name} is no object`);
  const { role, content } = message;
  const known = typeof role === "string" && Object.hasOwn(roles, role) ? roles[role] : undefined;
  if (known === undefined) {
    throw wrong(`${name}.role`, `${name}.role is one of ${Object.keys(roles).join(", ")}; tools are not served`);
  }
  if (!isAbsent(message["tool_calls"]) && !isEmpty(message["tool_calls"])) {
    throw wrong(`${name}.tool_calls`, "tools are not served");
  }
  if (typeof content === "string") return { role: known, content };
  if (!Array.isArray(content)) throw wrong(`${name}.content`, `${name}.content is a text or a list of texts`);
  const texts = content.map((part: unknown) => {
    if (isFields(part) && part["type"] === "text" && typeof part["text"] === "string") return part["text"];
    throw wrong(
      `${name}.content`,
      `${name}.content: only parts of the type text are served: no pictures, sound or files`,
    );
  });
  return { role: known, content: texts.join("") };
}

const wrong = (param: string, says: string): ChatError => new ChatError(400, says, "invalid_value", param);
