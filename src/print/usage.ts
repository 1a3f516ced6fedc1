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
  if (command.options.length > 0) {
    lines.push("", paint(terminal, "bold", "Options"));
    const heads = command.options.map(optionHead);
    const width = Math.min(26, Math.max(...heads.map((head) => head.length)));
    command.options.forEach((option, i) => {
      const head = heads[i] ?? "";
      const says = option.choices ? `${option.says} (${option.choices.join(", ")})` : option.says;
      const indent = " ".repeat(width + 4);
      if (head.length > width) lines.push(`  ${head}`, ...wrapText(says, terminal.columns, indent, indent));
      else lines.push(...wrapText(says, terminal.columns, `  ${head.padEnd(width)}  `, indent));
    });
  }
  if (command.examples.length > 0) {
    lines.push("", paint(terminal, "bold", "Examples"));
    for (const example of command.examples) {
      lines.push(`  $ ${example.command}`, ...wrapText(example.says, terminal.columns, "      "));
    }
  }
  return `${lines.join("\n")}\n`;
}

export function optionHead(option: OptionSpec): string {
  const short = option.short === undefined ? "" : `-${option.short}, `;
  return `${short}--${option.name}${option.value === undefined ? "" : ` ${option.value}`}`;
}
