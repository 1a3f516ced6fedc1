/** Text to tokens and back, by the model's own vocabulary and chat template. */

import { CannotError, UsageError } from "../../base/errors.ts";
import type { Llama, Pointer } from "./api.ts";

/** Texts beyond it take llama.cpp minutes; contexts hold a million tokens at most. */
const TEXT_LIMIT = 16 * 1024 * 1024;
const PIECE_BYTES = 64;

/** With the tokens that the model wants before a text; control tokens may stand in it, as in llama.cpp's own programs. */
export async function tokenize(llama: Llama, vocab: Pointer, text: string): Promise<Int32Array> {
  const bytes = stays(Buffer.from(text, "utf8"));
  if (bytes.length > TEXT_LIMIT) throw new UsageError(`ggml: the prompt has ${bytes.length} bytes, over ${TEXT_LIMIT}`);
  // Room for a token of each byte and those before and after; a text may still want more, and then says how many.
  for (let room = bytes.length + 16; ;) {
    const tokens = new Int32Array(new ArrayBuffer(room * 4));
    const count = Number(await llama.callAsync("llama_tokenize", vocab, bytes, bytes.length, tokens, room, true, true));
    if (count >= 0) return tokens.slice(0, count);
    if (-count <= room) throw new CannotError("llama.cpp: the prompt cannot be made into tokens");
    room = -count;
  }
}

/** Of a chat. */
export interface Message {
  readonly role: string;
  readonly content: string;
}

/** Messages in a chat template, with the words that begin the answer. `template`: instead of the model's own, or the name of one. */
export function applyTemplate(
  llama: Llama,
  model: Pointer,
  messages: readonly Message[],
  template: string | undefined,
): string {
  const used = template ?? llama.call("llama_model_chat_template", model, null);
  if (typeof used !== "string") {
    throw new UsageError(
      "ggml: this model carries no chat template; chat=no takes the prompt as it is, chat_template=chatml another's",
    );
  }
  if (messages.some(({ role, content }) => role.includes("\0") || content.includes("\0"))) {
    throw new UsageError("ggml: a message of a chat holds a NUL");
  }
  const texts = messages.flatMap(({ role, content }) =>
    [role, content].map((text) => stays(Buffer.from(`${text}\0`, "utf8"))),
  );
  // struct llama_chat_message { const char * role; const char * content; }
  const pointers = new BigUint64Array(new ArrayBuffer(texts.length * 8));
  texts.forEach((text, at) => (pointers[at] = llama.koffi.address(text)));
  const apply = (out: Buffer): number =>
    Number(llama.call("llama_chat_apply_template", used, pointers, messages.length, true, out, out.length));
  const length = apply(stays(Buffer.alloc(1)));
  if (length < 0) {
    const whose = template === undefined ? "this model's chat template" : "the chat template that was asked for";
    throw new UsageError(
      `llama.cpp: ${whose} is none of those that its library knows; chat=no takes the prompt as it is`,
    );
  }
  const out = stays(Buffer.alloc(length + 1));
  apply(out);
  // The texts were in use until here.
  return texts.length > 0 ? out.toString("utf8", 0, length) : "";
}

/** A copy in memory that does not move, whatever is collected. */
function stays(bytes: Buffer): Buffer {
  const copy = Buffer.from(new ArrayBuffer(Math.max(1, bytes.length)), 0, bytes.length);
  bytes.copy(copy);
  return copy;
}

/** Texts of tokens one after the other; a character whose bytes are not all there waits for the next token. */
export class Pieces {
  readonly #llama: Llama;
  readonly #vocab: Pointer;
  readonly #decoder = new TextDecoder();
  text = "";

  constructor(llama: Llama, vocab: Pointer) {
    this.#llama = llama;
    this.#vocab = vocab;
  }

  add(token: number): string {
    let bytes = Buffer.alloc(PIECE_BYTES);
    let length = this.#piece(token, bytes);
    if (length < 0) {
      bytes = Buffer.alloc(-length);
      length = this.#piece(token, bytes);
    }
    return this.#keep(this.#decoder.decode(bytes.subarray(0, Math.max(0, length)), { stream: true }));
  }

  /** What is left of a character that was never whole. */
  end(): string {
    return this.#keep(this.#decoder.decode());
  }

  #piece(token: number, bytes: Buffer): number {
    return Number(this.#llama.call("llama_token_to_piece", this.#vocab, token, bytes, bytes.length, 0, false));
  }

  #keep(piece: string): string {
    this.text += piece;
    return piece;
  }
}

/** Looks for texts that end an answer. What may be the beginning of one is held back until it is known. */
export class Stops {
  readonly #stops: readonly string[];
  #held = "";
  /** One came: what add() gave was the last. */
  found = false;

  constructor(stops: readonly string[]) {
    this.#stops = stops;
  }

  /** What can be said of the text so far. */
  add(piece: string): string {
    if (this.#stops.length === 0) return piece;
    const text = this.#held + piece;
    const at = Math.min(...this.#stops.map((stop) => text.indexOf(stop)).filter((index) => index >= 0));
    if (at !== Infinity) {
      this.found = true;
      this.#held = "";
      return text.slice(0, at);
    }
    const held = Math.max(...this.#stops.map((stop) => begun(text, stop)));
    this.#held = text.slice(text.length - held);
    return text.slice(0, text.length - held);
  }

  /** The answer is over: what was held back was no beginning. */
  end(): string {
    const held = this.#held;
    this.#held = "";
    return held;
  }
}

/** How many characters at the end of a text begin `stop`. */
function begun(text: string, stop: string): number {
  for (let length = Math.min(text.length, stop.length - 1); length > 0; length--) {
    if (text.endsWith(stop.slice(0, length))) return length;
  }
  return 0;
}
