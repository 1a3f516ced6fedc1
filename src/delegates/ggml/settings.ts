/** How to generate, from options that are texts. Defaults repeat: the most probable token, always. */

import { CannotError } from "../../base/errors.ts";

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
  /** The prompt becomes a user's message in the model's own chat template. */
  readonly chat: boolean;
  /** A system message before it. */
  readonly system: string | undefined;
}

export interface LoadSettings {
  /** Tokens that prompt and answer may have together; absent: the model's own, up to CONTEXT. */
  readonly context: number | undefined;
  /** Layers for the device; absent is all. */
  readonly gpu_layers: number | undefined;
}

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
  chat: ["yes or no", (text) => text === "yes" || text === "no"],
  system: ["a text", () => true],
};
const load: Readonly<Record<string, Option>> = { context: positive, gpu_layers: count };

type Options = Readonly<Record<string, string>>;

/** Throws CannotError for what is no option or no value of one. */
export function loadSettings(options: Options): LoadSettings {
  check(options, { ...generate, ...load });
  const number = (name: string): number | undefined =>
    options[name] === undefined ? undefined : Number(options[name]);
  return { context: number("context"), gpu_layers: number("gpu_layers") };
}

/** `own` goes before what the session was opened with. */
export function generateSettings(opened: Options, own: Options = {}): Settings {
  check(own, generate);
  const options = { ...opened, ...own };
  const number = (name: string, otherwise: number): number =>
    options[name] === undefined ? otherwise : Number(options[name]);
  return {
    max_tokens: number("max_tokens", 64),
    temperature: number("temperature", 0),
    top_k: number("top_k", 40),
    top_p: number("top_p", 0.95),
    seed: number("seed", 0),
    chat: options["chat"] === "yes",
    system: options["system"],
  };
}

function check(options: Options, known: Readonly<Record<string, Option>>): void {
  for (const [name, value] of Object.entries(options)) {
    const option = Object.hasOwn(known, name) ? known[name] : undefined;
    if (option === undefined) {
      throw new CannotError(`ggml: no option "${name}" here; there are ${Object.keys(known).join(", ")}`);
    }
    if (!option[1](value)) throw new CannotError(`ggml: ${name} is ${option[0]}, not "${value}"`);
  }
}
