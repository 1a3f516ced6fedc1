/** A place in the text of a program: blanks, comments, strings and brackets are passed over here. */

import { FileError } from "../../base/errors.ts";
import type { ElidedText } from "./elide.ts";

export class Scanner {
  readonly text: string;
  /** Offset in the file of a position in the text. */
  readonly offsetOf: ElidedText["offsetOf"];
  at = 0;
  readonly #name: string;

  constructor(name: string, { text, offsetOf }: ElidedText) {
    this.#name = name;
    this.text = text;
    this.offsetOf = offsetOf;
  }

  /** Blanks and comments. */
  space(): void {
    const text = this.text;
    for (;;) {
      const c = text.charCodeAt(this.at);
      if (c === 0x20 || (c >= 9 && c <= 13)) this.at++;
      else if (c === 0x2f && text.charCodeAt(this.at + 1) === 0x2f) {
        const end = text.indexOf("\n", this.at);
        this.at = end < 0 ? text.length : end;
      } else return;
    }
  }

  match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text)?.[0];
    if (found !== undefined) this.at += found.length;
    return found;
  }

  /** On to the first character outside of brackets that ends it, or a bracket that closes what is around. */
  run(from: number, ends: (c: string) => boolean): void {
    const text = this.text;
    let depth = 0;
    for (; this.at < text.length; this.at++) {
      const c = text[this.at] ?? "";
      if (c === '"') {
        this.skipString();
        this.at--;
      } else if (c === "-" && text[this.at + 1] === ">") this.at++;
      else if ("({[<".includes(c)) depth++;
      else if (")}]>".includes(c)) {
        if (depth === 0) return;
        depth--;
      } else if (depth === 0 && ends(c)) return;
    }
    if (depth > 0) this.fail("the text ends inside of brackets", from);
  }

  skipString(): void {
    const from = this.at;
    const text = this.text;
    for (this.at++; ; this.at++) {
      const c = text[this.at];
      if (c === "\\") this.at++;
      else if (c === '"') break;
      else if (c === undefined || c === "\n") this.fail("a string without its end", from);
    }
    this.at++;
  }

  fail(why: string, at: number): never {
    throw new FileError(this.#name, why, this.offsetOf(at));
  }
}
