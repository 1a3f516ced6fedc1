/** Help for people, from the same table as the man page and the completions. */

import type { Command, OptionSpec } from "../commands/command.ts";
import { paint, wrapText, type Terminal } from "./terminal.ts";

export const exitCodes: readonly { readonly code: number; readonly says: string }[] = [
  { code: 0, says: "done; with --fail-on: nothing of that severity or worse" },
  { code: 1, says: "done, and there is a finding at or above --fail-on" },
  { code: 2, says: "the command was typed wrong; the message says what to type" },
  { code: 3, says: "it could not be done: no permission, no such file, a broken file" },
  { code: 70, says: "a bug of accelctl; its words are worth reporting" },
];

export function usageText(commands: readonly Command[], terminal: Terminal): string {
  const width = Math.max(...commands.map((command) => command.name.length));
  return [
    ...wrapText("accelctl: every AI accelerator of a Linux machine, layer by layer, with the cure", terminal.columns),
    "",
    `${paint(terminal, "bold", "Usage")}  accelctl [VERB] [OPTIONS]`,
    "       without a verb: review",
    "",
    paint(terminal, "bold", "Verbs"),
    ...commands.flatMap((command) => wrapText(command.summary, terminal.columns, `  ${command.name.padEnd(width)}  `)),
    "",
    paint(terminal, "bold", "Exit codes"),
    ...exitCodes.flatMap(({ code, says }) => wrapText(says, terminal.columns, `  ${String(code).padEnd(2)}  `)),
    "",
    ...wrapText("accelctl help VERB tells more. Reads only; needs no root.", terminal.columns),
    "",
  ].join("\n");
}

export function commandText(command: Command, terminal: Terminal): string {
  const lines = [
    ...wrapText(`accelctl ${command.name}: ${command.summary}`, terminal.columns),
    "",
    `${paint(terminal, "bold", "Usage")}  accelctl ${command.name}${command.usage === "" ? "" : ` ${command.usage}`} [OPTIONS]`,
    "",
    ...wrapText(command.says, terminal.columns),
  ];
  const width = twoColumnWidth(command.options.map(optionRow));
  for (const [heading, members] of optionGroups(command.options)) {
    lines.push("", paint(terminal, "bold", heading), ...twoColumns(members.map(optionRow), terminal, width));
  }
  if (command.examples.length > 0) {
    lines.push("", paint(terminal, "bold", "Examples"));
    for (const example of command.examples) {
      lines.push(`  $ ${example.command}`, ...wrapText(example.says, terminal.columns, "      "));
    }
  }
  return `${lines.join("\n")}\n`;
}

/** Options by their heading, in the order in which headings are met. */
export function optionGroups(options: readonly OptionSpec[]): ReadonlyMap<string, readonly OptionSpec[]> {
  const groups = new Map<string, OptionSpec[]>();
  for (const option of options) {
    const heading = option.group ?? "Options";
    groups.set(heading, [...(groups.get(heading) ?? []), option]);
  }
  return groups;
}

type Row = readonly [head: string, says: string];

const WIDEST = 26;
export const twoColumnWidth = (rows: readonly Row[]): number =>
  Math.min(WIDEST, Math.max(0, ...rows.map(([head]) => head.length)));

/** A head that is wider than its column stands on a line of its own. */
export function twoColumns(rows: readonly Row[], { columns }: Terminal, width = twoColumnWidth(rows)): string[] {
  const indent = " ".repeat(width + 4);
  return rows.flatMap(([head, says]) =>
    head.length > width
      ? [`  ${head}`, ...wrapText(says, columns, indent, indent)]
      : wrapText(says, columns, `  ${head.padEnd(width)}  `, indent),
  );
}

const optionRow = (option: OptionSpec): Row => [
  optionHead(option),
  option.choices ? `${option.says} (${option.choices.join(", ")})` : option.says,
];

export function optionHead(option: OptionSpec): string {
  const short = option.short === undefined ? "" : `-${option.short}, `;
  return `${short}--${option.name}${option.value === undefined ? "" : ` ${option.value}`}`;
}
