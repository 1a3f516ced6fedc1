/** What differs between two models, one row each. */

import type { Comparison } from "../inspect/compare.ts";
import { harmless, padEnd, paint, widthOf, wrapText, type Terminal } from "./terminal.ts";

export function comparisonText({ left, right, differences }: Comparison, terminal: Terminal): string {
  if (differences.length === 0)
    return `${harmless(left)} and ${harmless(right)} differ in nothing that is told of models\n`;
  const width = Math.max(...differences.map(({ what }) => widthOf(harmless(what))));
  const lines = [
    ...wrapText(left, terminal.columns, paint(terminal, "red", "- ")),
    ...wrapText(right, terminal.columns, paint(terminal, "green", "+ ")),
    "",
  ];
  for (const { what, left: a, right: b } of differences) {
    const head = paint(terminal, "bold", padEnd(harmless(what), width));
    lines.push(
      ...wrapText(a === null ? "none" : String(a), terminal.columns, `${head}  ${paint(terminal, "red", "-")} `),
    );
    const rest = `${" ".repeat(width)}  ${paint(terminal, "green", "+")} `;
    lines.push(...wrapText(b === null ? "none" : String(b), terminal.columns, rest));
  }
  return `${lines.join("\n")}\n`;
}
