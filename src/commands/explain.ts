/** accelctl explain: what a message or a log says about accelerators, from the table of breakages, without a machine. */

import { statSync, type Stats } from "node:fs";
import { FileError, UsageError } from "../base/errors.ts";
import { explainText, type Explanation } from "../breakages/explain.ts";
import { loadFamily } from "../families/load.ts";
import { harmless, paint, wrapText, type Paint } from "../print/terminal.ts";
import { readNamed, readStandardInput } from "../root/file.ts";
import { FILE_LIMIT } from "../root/root.ts";
import { flag, type Command, type Invocation, type Terminal } from "./command.ts";
import { toJson } from "./common.ts";

const command: Command = {
  name: "explain",
  summary: "explain an error message or a log: cause and cure",
  usage: "TEXT|FILE|-",
  says:
    "Looks for known breakages in a message, a log file or standard input (-): what it is, which layer of which family it is in, " +
    "why it happens, what to do, and where that was found out. The symptom may also be told in own words. No machine is looked at.\n\n" +
    "Exits with 0 when something was explained, harmless lines included, and with 1 when nothing in the text is known.",
  options: [{ name: "json", says: "the same as JSON" }],
  examples: [
    { command: "accelctl explain 'Failed to request firmware: -2'", says: "a message" },
    { command: "accelctl explain make.log", says: "a log file" },
    { command: "sudo dmesg | accelctl explain -", says: "standard input" },
    { command: "accelctl explain 'lspci shows 1ac1:089a but no /dev/apex_0'", says: "own words" },
  ],
  run(invocation) {
    const { name, text } = textOf(invocation.args);
    const found = explainText(text);
    invocation.out(flag(invocation, "json") ? toJson(jsonOf(name, found)) : render(name, found, invocation.terminal));
    return found.length > 0 ? 0 : 1;
  },
};
export default command;

interface Source {
  /** File name; undefined for text given on the command line. */
  readonly name: string | undefined;
  readonly text: string;
}

function textOf(args: Invocation["args"]): Source {
  const said = args.join(" ");
  if (said.trim() === "")
    throw new UsageError("explain what? accelctl explain 'MESSAGE', a file, or - for standard input");
  if (said === "-") return { name: "standard input", text: decode("standard input", readStandardInput(FILE_LIMIT)) };
  const stat = statOf(said);
  if (stat?.isFile() === true) {
    return { name: said, text: decode(said, readNamed(said, FILE_LIMIT)) };
  }
  if (stat?.isDirectory() === true)
    throw new FileError(said, "is a directory; for a machine's tree use accelctl review --root");
  if (/^\S+\.(log|txt|out)$/.test(said)) throw new FileError(said, "no such file");
  return { name: undefined, text: said };
}

/** What is typed may be a message: longer than any name, or no name at all. */
function statOf(said: string): Stats | undefined {
  try {
    return statSync(said, { throwIfNoEntry: false });
  } catch (error) {
    const code = codeOf(error);
    if (code === "ENAMETOOLONG" || code === "ELOOP") return undefined;
    throw new FileError(said, `cannot be looked at (${code})`, undefined, { cause: error });
  }
}

const codeOf = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? "no reason given";

function decode(name: string, bytes: Buffer): string {
  const packed =
    bytes[0] === 0x1f && bytes[1] === 0x8b ? "gzip" : bytes.toString("latin1", 1, 5) === "7zXZ" ? "xz" : undefined;
  if (packed !== undefined)
    throw new FileError(
      name,
      `is packed with ${packed}; unpack it and pipe it in: ${packed} -dc ... | accelctl explain -`,
    );
  const nul = bytes.subarray(0, 64 * 1024).indexOf(0);
  if (nul >= 0) throw new FileError(name, "is a binary file, not a log", nul);
  return bytes.toString("utf8");
}

function jsonOf(name: string | undefined, found: readonly Explanation[]): unknown {
  return {
    schema: 1,
    source: name ?? "text",
    explanations: found.map(({ breakage: b, how, matches }) => ({
      id: b.id,
      family: b.family,
      kind: b.kind,
      layer: b.layer,
      severity: b.severity,
      title: b.title,
      how,
      cause: b.cause,
      cure: b.cure,
      commands: b.commands ?? [],
      links: b.links,
      checked: b.checked,
      matches: matches.map(({ line, text, address, count, recovered }) => ({ line, text, address, count, recovered })),
    })),
  };
}

/** Explanations for people, at most `columns` wide except for commands and links, which are to be copied whole. */
export function render(name: string | undefined, found: readonly Explanation[], terminal: Terminal): string {
  if (found.length === 0) return nothing(name, terminal);
  const several = found.length > 1;
  const blocks = found.map((explanation, index) => one(explanation, several ? `${index + 1}. ` : "", name, terminal));
  const head =
    found[0]?.how === "mention"
      ? [
          ...wrapText("No message in this is known word for word; by what it describes it may be:", terminal.columns),
          "",
        ]
      : [];
  return `${[...head, blocks.map((lines) => lines.join("\n")).join("\n\n")].join("\n")}\n`;
}

const colours: Readonly<Record<string, Paint>> = { error: "red", warning: "yellow", note: "green" };
const MARGIN = 9;

function one(explanation: Explanation, number: string, name: string | undefined, terminal: Terminal): string[] {
  const { breakage: b, matches } = explanation;
  const word = b.kind === "benign" ? "harmless" : b.severity;
  const title = wrapText(`${number}${word}: ${b.title}`, terminal.columns, "", " ".repeat(number.length));
  const lines = title.map((line, i) =>
    i === 0 ? line.replace(`${word}: `, () => `${paint(terminal, colours[b.severity] ?? "bold", word)}: `) : line,
  );
  const row = (label: string, text: string): void => {
    lines.push(...wrapText(text, terminal.columns, label.padEnd(MARGIN), " ".repeat(MARGIN)));
  };
  const whole = (label: string, text: string): void => {
    lines.push(`${label.padEnd(MARGIN)}${text}`);
  };
  row("  what", `${familyName(b.family)}, ${b.layer}; seen in ${b.seenIn} (${b.id})`);
  if (name !== undefined) for (const match of matches.slice(0, 4)) lines.push(...where(match, terminal));
  if (matches.length > 4 && name !== undefined) row("", `and for ${matches.length - 4} more devices`);
  const over = matches.length > 0 && matches.every((m) => m.recovered !== undefined);
  if (over && b.kind !== "benign") row("  now", `over: the driver came up later (line ${matches[0]?.recovered ?? 0})`);
  row("  cause", b.cause);
  const steps = b.cure.length > 1;
  for (const [i, step] of b.cure.entries()) {
    lines.push(
      ...wrapText(step, terminal.columns, (i === 0 ? "  cure" : "").padEnd(MARGIN) + (steps ? `${i + 1}. ` : "")),
    );
  }
  for (const [i, typed] of (b.commands ?? []).entries()) whole(i === 0 ? "  type" : "", paint(terminal, "bold", typed));
  for (const [i, link] of b.links.entries()) whole(i === 0 ? "  links" : "", paint(terminal, "dim", link));
  if (!b.checked) row("  note", "cause or cure were not confirmed at a primary source");
  return lines;
}

function where(match: Explanation["matches"][number], terminal: Terminal): string[] {
  const times = match.count > 1 ? `, ${match.count} lines` : "";
  const at = match.address === undefined ? "" : ` (${match.address}${times})`;
  const place = `line ${match.line}${at === "" ? times : at}: `;
  return wrapText(
    `${place}${harmless(match.text.trim()).slice(0, 240)}`,
    terminal.columns,
    "  seen".padEnd(MARGIN),
    " ".repeat(MARGIN),
  );
}

function familyName(id: string): string {
  if (id === "any") return "any accelerator";
  const family = loadFamily(id);
  return family === undefined
    ? id
    : family.name.includes(family.vendor)
      ? family.name
      : `${family.vendor} ${family.name}`;
}

function nothing(name: string | undefined, terminal: Terminal): string {
  const what = name === undefined ? "this" : `anything in ${name}`;
  return `${[
    ...wrapText(`Nothing known about ${what}.`, terminal.columns),
    ...wrapText(
      "Next: give the whole message, or the log it stands in (sudo dmesg | accelctl explain -);",
      terminal.columns,
      "  ",
      "  ",
    ),
    ...wrapText("accelctl review looks at the machine itself, layer by layer.", terminal.columns, "  ", "  "),
  ].join("\n")}\n`;
}
