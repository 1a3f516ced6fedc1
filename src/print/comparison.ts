/** What differs between two models, one row each. */

import type { Comparison } from "../inspect/compare.ts";
import { harmless, padEnd, paint, widthOf, wrapText, type Terminal } from "./terminal.ts";

/** Characters of one value. */
const SHOWN = 240;

export function comparisonText({ left, right, differences }: Comparison, terminal: Terminal): string {
  if (differences.length === 0)
    return `${wrapText(`${left} and ${right} differ in nothing that is told of models; weights are not read: cmp tells whether the files are the same`, terminal.columns).join("\n")}\n`;
  const width = Math.max(...differences.map(({ what }) => widthOf(harmless(what))));
  const lines = [
    ...wrapText(left, terminal.columns, paint(terminal, "red", "- ")),
    ...wrapText(right, terminal.columns, paint(terminal, "green", "+ ")),
    "",
  ];
  for (const { what, left: a, right: b } of differences) {
    const head = paint(terminal, "bold", padEnd(harmless(what), width));
    lines.push(...wrapText(shown(a), terminal.columns, `${head}  ${paint(terminal, "red", "-")} `));
    const rest = `${" ".repeat(width)}  ${paint(terminal, "green", "+")} `;
    lines.push(...wrapText(shown(b), terminal.columns, rest));
  }
  return `${lines.join("\n")}\n`;
}

/** Values of metadata can be whole programs; --json has all of them. */
function shown(value: string | number | null): string {
  const text = value === null ? "none" : String(value);
  return text.length <= SHOWN ? text : `${text.slice(0, SHOWN - 1)}…`;
}
