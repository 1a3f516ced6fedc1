/** How to generate, from options that are texts. Defaults repeat: the most probable token, always. */

import { CannotError, UsageError } from "../../base/errors.ts";

export interface Settings {
  /** Tokens to generate at most. */
  readonly max_tokens: number;
  /** 0: the most probable token. */
  readonly temperature: number;
  /** Of how many tokens one is drawn; 0 is all. */
  readonly top_k: number;
  /** And of those, as few as have this share of the probability together. */
  readonly top_p: number;
  readonly seed: number;
  /** "yes": the prompt becomes a user's message in the model's chat template; "messages": it is a list of messages, as JSON. */
  readonly chat: "no" | "yes" | "messages";
  /** A system message before the user's. */
  readonly system: string | undefined;
  /** Instead of the model's own: a template, or the name of one that llama.cpp knows. */
  readonly chat_template: string | undefined;
  /** Texts that end the answer; they are no part of it. */
  readonly stop: readonly string[];
}

export interface LoadSettings {
  /** Tokens that prompt and answer may have together; absent: the model's own, up to CONTEXT. */
  readonly context: number | undefined;
  /** Layers for the device; absent is all. */
  readonly gpu_layers: number | undefined;
}

/** OpenAI takes 4; each is looked for in every piece. */
const [STOPS_LIMIT, STOP_LENGTH] = [16, 1000];

/** Models promise up to a million tokens, whose memory few machines have. */
export const CONTEXT = 4096;
const COUNT_LIMIT = 0x7fff_ffff;

type Option = readonly [says: string, takes: (text: string) => boolean];
const count: Option = ["a whole number", (text) => /^\d{1,10}$/.test(text) && Number(text) <= COUNT_LIMIT];
const positive: Option = ["a whole number from 1", (text) => count[1](text) && Number(text) > 0];
const share: Option = ["a number above 0, up to 1", (text) => decimal(text) && Number(text) > 0 && Number(text) <= 1];
const degree: Option = ["a number from 0 to 100", (text) => decimal(text) && Number(text) <= 100];
const decimal = (text: string): boolean => /^\d{1,9}(?:\.\d{1,12})?$/.test(text);

const generate: Readonly<Record<string, Option>> = {
  max_tokens: positive,
  temperature: degree,
  top_k: count,
  top_p: share,
  seed: ["a whole number up to 4294967295", (text) => /^\d{1,10}$/.test(text) && Number(text) <= 0xffff_ffff],
  chat: ["yes, no or messages", (text) => text === "yes" || text === "no" || text === "messages"],
  system: ["a text", () => true],
  chat_template: ["a template or the name of one", (text) => text !== ""],
  stop: [`a list of up to ${STOPS_LIMIT} texts, as JSON`, (text) => stopsIn(text) !== undefined],
};
const load: Readonly<Record<string, Option>> = { context: positive, gpu_layers: count };

type Options = Readonly<Record<string, string>>;

/** Throws CannotError for what is no option or no value of one. */
export function loadSettings(options: Options): LoadSettings {
  check(options, { ...generate, ...load }, CannotError);
  const number = (name: string): number | undefined =>
    options[name] === undefined ? undefined : Number(options[name]);
  return { context: number("context"), gpu_layers: number("gpu_layers") };
}

/** `own` goes before what the session was opened with. */
export function generateSettings(opened: Options, own: Options = {}): Settings {
  // Of one request: who asked can do better.
  check(own, generate, UsageError);
  const options = { ...opened, ...own };
  const number = (name: string, otherwise: number): number =>
    options[name] === undefined ? otherwise : Number(options[name]);
  return {
    max_tokens: number("max_tokens", 64),
    temperature: number("temperature", 0),
    top_k: number("top_k", 40),
    top_p: number("top_p", 0.95),
    seed: number("seed", 0),
    chat: options["chat"] === "yes" || options["chat"] === "messages" ? options["chat"] : "no",
    system: options["system"],
    chat_template: options["chat_template"],
    stop: stopsIn(options["stop"] ?? "[]") ?? [],
  };
}

function stopsIn(text: string): readonly string[] | undefined {
  let list: unknown;
  try {
    list = JSON.parse(text);
  } catch {
    return undefined; // no JSON
  }
  const fits = (one: unknown): one is string => typeof one === "string" && one !== "" && one.length <= STOP_LENGTH;
  return Array.isArray(list) && list.length <= STOPS_LIMIT && list.every(fits) ? list : undefined;
}

function check(
  options: Options,
  known: Readonly<Record<string, Option>>,
  Refused: typeof CannotError | typeof UsageError,
): void {
  for (const [name, value] of Object.entries(options)) {
    const option = Object.hasOwn(known, name) ? known[name] : undefined;
    if (option === undefined) {
      throw new Refused(`ggml: no option "${name}" here; there are ${Object.keys(known).join(", ")}`);
    }
    if (!option[1](value)) throw new Refused(`ggml: ${name} is ${option[0]}, not "${value}"`);
  }
}
