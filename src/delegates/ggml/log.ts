/**
 * What llama.cpp and ggml say while they work. They would print it; here it is kept, since it is where they say why something failed,
 * which back ends were loaded and where the layers went. ggml/include/ggml.h, ggml_log_set
 */

import type { Koffi } from "../../base/koffi.ts";

/** enum ggml_log_level. */
const [INFO, ERROR, CONTINUED] = [2, 4, 5];
/** Loading a model says some 200 lines. */
const LINES_KEPT = 2000;
const LINE_LIMIT = 2000;

interface Line {
  readonly level: number;
  text: string;
}

export class Log {
  #lines: Line[] = [];
  /** Lines that were said before those that are kept. */
  #dropped = 0;
  #open = false;
  /** Held: the library calls it for as long as the process lives. */
  readonly callback: unknown;

  constructor(koffi: Koffi, library: ReturnType<Koffi["load"]>) {
    const proto = koffi.pointer(koffi.proto("void", ["int", "const char *", "void *"]));
    this.callback = koffi.register((level: number, text: string | null) => this.#add(level, text ?? ""), proto);
    for (const name of ["ggml_log_set", "llama_log_set"])
      library.func(name, "void", [proto, "void *"])(this.callback, null);
  }

  /** A place in the log, for since(). */
  get mark(): number {
    return this.#dropped + this.#lines.length;
  }

  /** Lines from a mark on, without the names of functions before them. */
  since(mark: number): string[] {
    return this.#from(mark).map(({ text }) => bare(text));
  }

  /** The first line that is an error, which says more than those that follow from it. */
  error(mark: number): string | undefined {
    const line = this.#from(mark).find(({ level, text }) => level === ERROR && text.trim() !== "");
    return line === undefined ? undefined : bare(line.text);
  }

  #from(mark: number): Line[] {
    return this.#lines.slice(Math.max(0, mark - this.#dropped));
  }

  #add(level: number, text: string): void {
    if (level < INFO) return;
    for (const part of text.split(/(?<=\n)/)) {
      const last = this.#lines.at(-1);
      if (last !== undefined && (this.#open || level === CONTINUED))
        last.text = (last.text + part).slice(0, LINE_LIMIT);
      else this.#lines.push({ level, text: part.slice(0, LINE_LIMIT) });
      this.#open = !part.endsWith("\n");
    }
    if (this.#lines.length > 2 * LINES_KEPT) {
      this.#dropped += this.#lines.length - LINES_KEPT;
      this.#lines = this.#lines.slice(-LINES_KEPT);
    }
  }
}

const bare = (text: string): string =>
  text
    .replace(/^(?:~?[a-z_][a-z_0-9:]*: )+/i, "")
    .replace(/\s+/g, " ")
    .trim();
