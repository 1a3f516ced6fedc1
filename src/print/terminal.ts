/** What we know of who reads: width, colour, character set. Colour is decided once (NO_COLOR, FORCE_COLOR, a terminal); printers only ask. */

export interface Terminal {
  readonly isTerminal: boolean;
  /** Columns to fill, 80 when not a terminal. */
  readonly columns: number;
  readonly colour: boolean;
  /** May characters beyond ASCII be used? */
  readonly unicode: boolean;
}

export const plainTerminal: Terminal = { isTerminal: false, columns: 80, colour: false, unicode: true };

/**
 * Who reads, by the environment and the terminal's columns (undefined where standard output is none). NO_COLOR as no-color.org says:
 * set and not empty; FORCE_COLOR as Node says: 0 and false mean no.
 */
export function terminalOf(env: Readonly<Record<string, string | undefined>>, columns: number | undefined): Terminal {
  const isTerminal = columns !== undefined;
  const set = (name: string): string | undefined => (env[name] === "" ? undefined : env[name]);
  const forced = env["FORCE_COLOR"];
  const wanted = forced === undefined ? isTerminal && env["TERM"] !== "dumb" : !/^(0|false)$/.test(forced);
  return {
    isTerminal,
    columns: isTerminal ? Math.max(40, Math.min(columns, 120)) : 80,
    colour: set("NO_COLOR") === undefined && wanted,
    // An unset locale is what services and containers have; their readers take UTF-8 all the same.
    unicode: !isTerminal || /^$|utf-?8/i.test(set("LC_ALL") ?? set("LC_CTYPE") ?? set("LANG") ?? ""),
  };
}

const codes = {
  bold: [1, 22],
  dim: [2, 22],
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
  blue: [34, 39],
  magenta: [35, 39],
  cyan: [36, 39],
} as const;
export type Paint = keyof typeof codes;

export function paint(terminal: Terminal, style: Paint, text: string): string {
  if (!terminal.colour || text === "") return text;
  const [on, off] = codes[style];
  return `\u001b[${on}m${text}\u001b[${off}m`;
}

const escape = new RegExp("\\u001b\\[[0-9;]*m", "g");

/** Columns a text takes: colour codes take none, wide characters are not in what we print. */
export function widthOf(text: string): number {
  return Array.from(text.replace(escape, "")).length;
}

export function padEnd(text: string, width: number): string {
  return text + " ".repeat(Math.max(0, width - widthOf(text)));
}

/**
 * Control characters of a machine's files and logs must not reach a terminal as such: a firmware string or a log line may hold
 * escape sequences, or marks that turn the direction of what follows and so show another command than is there.
 */
export function harmless(text: string): string {
  return text
    .replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g, "\ufffd")
    .replace(/[\t\n]+/g, " ");
}

/** The same of a text whose lines are kept. */
export const harmlessLines = (text: string): string =>
  text
    .split("\n")
    .map((line) => line.replace(/\t/g, "    "))
    .map(harmless)
    .join("\n");

/** Break words into lines of at most `width` columns; the first line starts with `first`, the others with `rest`. */
export function wrap(words: readonly string[], width: number, first = "", rest = " ".repeat(widthOf(first))): string[] {
  const lines: string[] = [];
  const indent = widthOf(rest);
  let line = first;
  let columns = widthOf(first);
  let used = false;
  for (const word of words) {
    const glue = used ? " " : "";
    const taken = widthOf(word);
    if (used && columns + glue.length + taken > width) {
      lines.push(line.trimEnd());
      line = rest + word;
      columns = indent + taken;
    } else {
      line += glue + word;
      columns += glue.length + taken;
    }
    used = true;
  }
  lines.push(line.trimEnd());
  return lines;
}

export function wrapText(text: string, width: number, first = "", rest?: string): string[] {
  return wrap(
    harmless(text)
      .split(/\s+/)
      .filter((word) => word !== ""),
    width,
    first,
    rest,
  );
}

export interface Marks {
  readonly ok: string;
  readonly bad: string;
  readonly unknown: string;
  readonly unneeded: string;
  readonly open: string;
  readonly closed: string;
  readonly mixed: string;
  readonly then: string;
  readonly dot: string;
}

export function marksOf(terminal: Terminal): Marks {
  return terminal.unicode
    ? { ok: "✓", bad: "✗", unknown: "?", unneeded: "·", open: "○", closed: "●", mixed: "◐", then: "→", dot: "·" }
    : { ok: "+", bad: "x", unknown: "?", unneeded: "-", open: "o", closed: "*", mixed: "%", then: ">", dot: "|" };
}
