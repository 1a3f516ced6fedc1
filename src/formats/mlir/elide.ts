/**
 * The text of an MLIR file without the contents of large constants: dense<"0x..."> and dense<[1.0, ...]> leave a mark that says what
 * stood there. Read in pieces, so that a program with its weights costs the memory of the program.
 */

import { latin1 } from "../../base/bytes.ts";
import { FileError } from "../../base/errors.ts";
import type { ModelFile } from "../file.ts";

const PIECE = 1024 * 1024;
/** Programs without their constants: the largest have some megabytes. */
const TEXT_LIMIT = 48 * 1024 * 1024;
/** A text is read once from end to end; beyond this it is no text a person or a tool would keep. */
const FILE_LIMIT = 4 * 1024 * 1024 * 1024;
/** Literals up to here stay as they are: shapes, strides, names. */
const SHORT = 400;

export interface ElidedText {
  readonly text: string;
  /** Offset in the file of a position in the text. */
  readonly offsetOf: (position: number) => number;
}

/** What a mark says: `h` hexadecimal digits or other string of so many characters, or `l` a list of so many values; and where it stood. */
export const MARK = /^\u0001([hl])(\d+),(\d+)\u0002/;

export function readElided(file: ModelFile): ElidedText {
  if (file.size > FILE_LIMIT) throw new FileError(file.name, `text of ${file.size} bytes, over ${FILE_LIMIT}`, 0);
  const scan = new Elision(file.name);
  for (let at = 0; at < file.size; at += PIECE) scan.piece(latin1(file.slice(at, Math.min(PIECE, file.size - at))));
  return scan.finish();
}

class Elision {
  readonly #name: string;
  readonly #out: string[] = [];
  #length = 0;
  /** Positions in the text from which on the file is so much further. */
  readonly #jumps: { position: number; further: number }[] = [];
  #rest = "";
  /** File offset of the rest. */
  #offset = 0;
  #inside: { kind: "h" | "l"; start: number; count: number; parens: number; head: string } | undefined;

  constructor(name: string) {
    this.#name = name;
  }

  piece(text: string): void {
    const all = this.#rest + text;
    const places: Places = {
      quote: finder(all, '"'),
      dense: finder(all, "dense<["),
      line: finder(all, "\n"),
      close: finder(all, ">"),
    };
    let at = 0;
    for (;;) {
      if (this.#inside === undefined) {
        const quote = places.quote(at);
        const dense = places.dense(at);
        const next = Math.min(quote, dense);
        if (next === Infinity) {
          // A mark may be cut by the piece's end.
          const keep = Math.max(at, all.length - 6);
          this.#emit(all.slice(at, keep));
          at = keep;
          break;
        }
        const from = next === quote ? quote + 1 : dense + 6;
        this.#emit(all.slice(at, from));
        this.#inside = { kind: next === quote ? "h" : "l", start: this.#offset + from, count: 0, parens: 0, head: "" };
        at = from;
      }
      const inside = this.#inside;
      const end = inside.kind === "h" ? stringEnd(all, at, places) : listEnd(at, places);
      const to = end < 0 ? (inside.kind === "h" && all.endsWith("\\") ? all.length - 1 : all.length) : end;
      this.#take(all, at, Math.max(at, to));
      at = Math.max(at, to);
      if (end < 0) break;
      this.#close(this.#offset + at);
      if (inside.kind === "h" && all[at] === '"') {
        this.#emit('"');
        at++;
      }
    }
    this.#rest = all.slice(at);
    this.#offset += at;
  }

  finish(): ElidedText {
    if (this.#inside !== undefined)
      throw new FileError(
        this.#name,
        this.#inside.kind === "h" ? "a string without its end" : "a list of values without its end",
        this.#inside.start,
      );
    this.#emit(this.#rest);
    const jumps = this.#jumps;
    return {
      text: this.#out.join(""),
      offsetOf: (position) => {
        let [low, high] = [0, jumps.length];
        while (low < high) {
          const middle = (low + high) >> 1;
          if ((jumps[middle]?.position ?? 0) <= position) low = middle + 1;
          else high = middle;
        }
        return position + (jumps[low - 1]?.further ?? 0);
      },
    };
  }

  #take(all: string, from: number, to: number): void {
    const inside = this.#inside;
    if (inside === undefined) return;
    if (inside.head.length <= SHORT)
      inside.head += all.slice(from, Math.min(to, from + SHORT + 1 - inside.head.length));
    if (inside.kind === "h") {
      inside.count += to - from;
      return;
    }
    for (let at = from; at < to; at++) {
      const c = all.charCodeAt(at);
      if (c === 0x28) inside.parens++;
      else if (c === 0x29) inside.parens--;
      else if (c === 0x2c && inside.parens === 0) inside.count++;
    }
  }

  #close(end: number): void {
    const inside = this.#inside;
    if (inside === undefined) return;
    this.#inside = undefined;
    const length = end - inside.start;
    if (length <= SHORT) {
      this.#emit(inside.head);
      return;
    }
    this.#emit(`\u0001${inside.kind}${inside.kind === "h" ? inside.count : inside.count + 1},${inside.start}\u0002`);
    // A string keeps its head, so that names and messages stay readable.
    if (inside.kind === "h") this.#emit(inside.head.slice(0, 60));
    this.#jumps.push({ position: this.#length, further: end - this.#length });
  }

  #emit(text: string): void {
    if (text === "") return;
    this.#length += text.length;
    if (this.#length > TEXT_LIMIT)
      throw new FileError(this.#name, `a program of more than ${TEXT_LIMIT} bytes without its constants`, this.#offset);
    this.#out.push(text);
  }
}

/** Where a mark stands next, from a place that only grows: no stretch of the text is searched twice. */
type Finder = (from: number) => number;
type Places = Readonly<Record<"quote" | "dense" | "line" | "close", Finder>>;

function finder(text: string, mark: string): Finder {
  let held = -1;
  return (from) => {
    if (held < from) {
      const found = text.indexOf(mark, from);
      held = found < 0 ? Infinity : found;
    }
    return held;
  };
}

/** The quote that ends a string; a backslash takes the next character with it. A line's end does too: it was a comment's quote. */
function stringEnd(text: string, from: number, { quote, line }: Places): number {
  const last = line(from);
  for (let at = quote(from); at < last; at = quote(at + 1)) {
    let slashes = 0;
    while (at - slashes - 1 >= from && text[at - slashes - 1] === "\\") slashes++;
    if (slashes % 2 === 0) return at;
  }
  return last === Infinity ? -1 : last;
}

/** The ">" that ends a list of numbers, or the quote of a list of strings, which is read as text again. */
function listEnd(from: number, { quote, close }: Places): number {
  const end = Math.min(quote(from), close(from));
  return end === Infinity ? -1 : end;
}
