/** Texts by the cells they take on a terminal's screen: what is wide takes two, what combines none. Unicode TR 11, UAX 44. */

import { harmless, type Terminal } from "./terminal.ts";

const plain = /^[\u0020-\u007e]*$/;
const none = /^[\p{Mn}\p{Me}\p{Cf}]$/u;
// Of the East Asian Width property JavaScript knows nothing; these scripts and blocks are those of its classes W and F.
const wide =
  /^[\p{Script=Han}\p{Script=Hangul}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Bopomofo}\p{Emoji_Presentation}\u3000-\u303e\uff01-\uff60\uffe0-\uffe6]$/u;

const cellsOfCharacter = (c: string): number => (plain.test(c) ? 1 : none.test(c) ? 0 : wide.test(c) ? 2 : 1);

/** Of a text without colour codes. */
export function cellsOf(text: string): number {
  if (plain.test(text)) return text.length;
  let cells = 0;
  for (const c of text) cells += cellsOfCharacter(c);
  return cells;
}

/** At most so many cells; what was cut off is told by a mark. */
export function clip(text: string, cells: number, terminal: Terminal): string {
  if (cells <= 0) return "";
  if (cellsOf(text) <= cells) return text;
  const mark = terminal.unicode ? "…" : "~";
  let taken = 1;
  let kept = "";
  for (const c of text) {
    taken += cellsOfCharacter(c);
    if (taken > cells) break;
    kept += c;
  }
  return kept + mark;
}

/** Exactly so many cells. */
export function fit(text: string, cells: number, align: "left" | "right", terminal: Terminal): string {
  const clipped = clip(text, cells, terminal);
  const blanks = " ".repeat(Math.max(0, cells - cellsOf(clipped)));
  return align === "left" ? clipped + blanks : blanks + clipped;
}

/** What stands in files and names of a machine: no control characters, and ASCII where the terminal has no more. */
export function safe(text: string, terminal: Terminal): string {
  const shown = harmless(text);
  if (terminal.unicode || plain.test(shown)) return shown;
  return shown
    .replace(/°/g, "")
    .replace(/µ/g, "u")
    .replace(/[^\u0020-\u007e]/gu, "?");
}
