/**
 * A full screen of text: what to write so that a terminal shows a frame, the words that take it over and give it back, and what its
 * keys send. ECMA-48; https://invisible-island.net/xterm/ctlseqs/ctlseqs.html
 */

const CSI = "\u001b[";

/** Alternate buffer, no cursor, no wrapping at the right margin: a frame's last line must not scroll it. */
export const ENTER = `${CSI}?1049h${CSI}?25l${CSI}?7l${CSI}0m${CSI}2J${CSI}H`;
export const LEAVE = `${CSI}0m${CSI}?7h${CSI}?25h${CSI}?1049l`;
/**
 * Synchronised output: the terminal draws the frame at once. Terminals without it pass over a private mode they do not know.
 * https://gist.github.com/christianparpart/d8a62cc1ab659194337d73e399004036
 */
const [BEGIN, END] = [`${CSI}?2026h`, `${CSI}?2026l`];

/** Remembers what the terminal shows and writes what differs. */
export class Screen {
  #shown: readonly string[] | undefined;
  #columns = 0;

  /** Empty when nothing differs; otherwise to be written at once. */
  draw(lines: readonly string[], columns: number): string {
    const before = columns === this.#columns ? this.#shown : undefined;
    let out = before === undefined ? `${CSI}0m${CSI}2J` : "";
    lines.forEach((line, at) => {
      if (line === (before?.[at] ?? "")) return;
      // Erased first: behind a full line the cursor stands on its last cell and would erase that.
      out += `${CSI}${at + 1};1H${CSI}0m${before === undefined ? "" : `${CSI}K`}${line}`;
    });
    for (let at = lines.length; at < (before?.length ?? 0); at++) out += `${CSI}${at + 1};1H${CSI}0m${CSI}K`;
    this.#shown = lines;
    this.#columns = columns;
    return out === "" ? "" : BEGIN + out + END;
  }

  /** After something else wrote to the terminal, or it was resized. */
  forget(): void {
    this.#shown = undefined;
  }
}

const named: Readonly<Record<string, string>> = {
  "\r": "enter",
  "\n": "enter",
  " ": "space",
  "\t": "tab",
  "\u007f": "backspace",
  "\b": "backspace",
  "\u0003": "ctrl-c",
  "\u001a": "ctrl-z",
  "\u000c": "ctrl-l",
  "\u0010": "up",
  "\u000e": "down",
};

/** Last byte of a sequence, or its number before ~. Both forms that cursor keys have (DECCKM). */
const finals: Readonly<Record<string, string>> = {
  A: "up",
  B: "down",
  C: "right",
  D: "left",
  H: "home",
  F: "end",
  M: "enter",
};
const tildes: Readonly<Record<string, string>> = {
  1: "home",
  4: "end",
  5: "page-up",
  6: "page-down",
  7: "home",
  8: "end",
};

/** Escape, then parameters, intermediates and a final byte: complete, or begun. ECMA-48, 5.4. */
const sequence = /^\u001b(?:\[([0-?]*)[ -/]*([@-~])|O([@-~]))/;
const begun = /^\u001b(?:\[[0-?]*[ -/]*|O)?$/;

/**
 * Names of the keys in what a terminal sent, and what is left of a sequence that has not wholly come. An escape by itself is told apart
 * from a sequence by time alone: when nothing follows, `flush` names it.
 */
export function keysOf(text: string): { readonly keys: readonly string[]; readonly rest: string } {
  const keys: string[] = [];
  let left = text;
  while (left !== "") {
    if (begun.test(left)) return { keys, rest: left.length > 32 ? "" : left };
    const match = sequence.exec(left);
    if (match !== null) {
      const [whole, parameters = "", final = "", single] = match;
      const key =
        single !== undefined ? finals[single] : final === "~" ? tildes[parameters.split(";")[0] ?? ""] : finals[final];
      if (key !== undefined) keys.push(key);
      left = left.slice(whole.length);
      continue;
    }
    if (left.startsWith("\u001b")) {
      keys.push("escape");
      left = left.slice(1);
      continue;
    }
    const c = String.fromCodePoint(left.codePointAt(0) ?? 0);
    const name = Object.hasOwn(named, c) ? named[c] : c >= " " ? c : undefined;
    if (name !== undefined) keys.push(name);
    left = left.slice(c.length);
  }
  return { keys, rest: "" };
}

/** Nothing more came: an escape was one. */
export const flush = (rest: string): readonly string[] => (rest.startsWith("\u001b") ? ["escape"] : []);
