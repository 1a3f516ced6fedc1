/** Frames as bytes: what a terminal shows after them is the frame. The terminal here does what ECMA-48 says of the words we use. */

import { describe, expect, it } from "vitest";
import { ENTER, flush, keysOf, LEAVE, Screen } from "../../src/print/screen.ts";

/** Characters by row and column; colours are passed over, anything else that we do not know is an error. */
class Terminal {
  readonly grid: string[][];
  #row = 0;
  #column = 0;
  readonly #columns: number;
  constructor(columns: number, rows: number) {
    this.#columns = columns;
    this.grid = Array.from({ length: rows }, () => Array.from({ length: columns }, () => "?"));
  }
  write(text: string): void {
    for (const [whole, sequence] of text.matchAll(/\u001b\[([0-9;?]*[A-Za-z])|[^\u001b]/gu)) {
      if (sequence === undefined) this.#put(whole);
      else this.#obey(sequence);
    }
  }
  lines(): string[] {
    return this.grid.map((row) => row.join("").trimEnd());
  }
  #put(c: string): void {
    const row = this.grid[this.#row];
    if (row === undefined) throw new Error(`wrote below the screen: ${c}`);
    row[Math.min(this.#column, this.#columns - 1)] = c;
    // Without wrapping the cursor stays on the last cell.
    this.#column = Math.min(this.#column + 1, this.#columns - 1);
  }
  #obey(sequence: string): void {
    const place = /^(\d+);(\d+)H$/.exec(sequence);
    if (place !== null) [this.#row, this.#column] = [Number(place[1]) - 1, Number(place[2]) - 1];
    else if (sequence === "2J") for (const row of this.grid) row.fill(" ");
    else if (sequence === "K") this.grid[this.#row]?.fill(" ", this.#column);
    else if (!/^(?:[0-9;]*m|\?2026[hl])$/.test(sequence)) throw new Error(`the test's terminal knows no ${sequence}`);
  }
}

describe("frames", () => {
  it("whatever was shown before, the terminal shows the frame", () => {
    const [columns, rows] = [10, 5];
    const terminal = new Terminal(columns, rows);
    const screen = new Screen();
    let state = 1;
    const random = (below: number): number => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) % below;
    for (let frame = 0; frame < 500; frame++) {
      const lines = Array.from({ length: random(rows + 1) }, () =>
        Array.from({ length: random(columns + 1) }, () => "ab█".charAt(random(3))).join(""),
      );
      if (random(20) === 0) screen.forget();
      terminal.write(screen.draw(lines, columns));
      expect(terminal.lines()).toEqual(Array.from({ length: rows }, (_, i) => lines[i] ?? ""));
    }
  });

  it("what has not changed is not written, and nothing at all when nothing has", () => {
    const screen = new Screen();
    const lines = Array.from({ length: 24 }, (_, i) => `line ${i} ${"x".repeat(60)}`);
    expect(screen.draw(lines, 80).length).toBeGreaterThan(24 * 60);
    expect(screen.draw([...lines], 80)).toBe("");
    const changed = screen.draw(
      lines.map((line, i) => (i === 3 ? "new" : line)),
      80,
    );
    expect(changed).toBe("\u001b[?2026h\u001b[4;1H\u001b[0m\u001b[Knew\u001b[?2026l");
  });

  it("the end undoes what the beginning did", () => {
    for (const [, mode, on] of ENTER.matchAll(/\u001b\[\?(\d+)([hl])/g)) {
      expect(LEAVE).toContain(`\u001b[?${mode ?? ""}${on === "h" ? "l" : "h"}`);
    }
  });
});

describe("keys", () => {
  it.each([
    ["q", ["q"]],
    ["\u001b[A\u001b[B\u001bOC\u001bOD", ["up", "down", "right", "left"]],
    ["\u001b[5~\u001b[6~\u001b[1~\u001b[F", ["page-up", "page-down", "home", "end"]],
    ["\u001b[1;5A", ["up"]],
    ["\r \u007f\u0003\u001a", ["enter", "space", "backspace", "ctrl-c", "ctrl-z"]],
    ["é漢", ["é", "漢"]],
    // What a terminal answers to questions, and keys that are none of ours.
    ["\u001b[?2026;2$y\u001b[24~x", ["x"]],
    ["\u001bq", ["escape", "q"]],
  ])("%j is %j", (text, keys) => {
    expect(keysOf(text).keys).toEqual(keys);
  });

  it("a sequence that comes in pieces is one key, and an escape by itself is one", () => {
    const first = keysOf("j\u001b[");
    expect(first).toEqual({ keys: ["j"], rest: "\u001b[" });
    expect(keysOf(`${first.rest}A`)).toEqual({ keys: ["up"], rest: "" });
    expect(keysOf("\u001b")).toEqual({ keys: [], rest: "\u001b" });
    expect(flush("\u001b")).toEqual(["escape"]);
  });

  it("whatever is sent, every key has a name and little is kept", () => {
    let state = 7;
    const random = (below: number): number => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) % below;
    let rest = "";
    for (let i = 0; i < 20_000; i++) {
      const chunk = Array.from({ length: random(6) }, () => "\u001b[O;?0123~Aqm \u0000\u009b€".charAt(random(19))).join(
        "",
      );
      const read = keysOf(rest + chunk);
      rest = read.rest;
      expect(rest.length).toBeLessThanOrEqual(32);
      expect(read.keys.every((key) => key !== "")).toBe(true);
    }
  });
});
