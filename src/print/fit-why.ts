/** What each compiler or delegate answers of one operator, and what delegates that are here say of the whole model. */

import type { Checked } from "../fit/check.ts";
import type { FitReport } from "../fit/fit.ts";
import type { Why, WhyAnswer } from "../fit/why.ts";
import { nodesWords, targetName } from "./fit-words.ts";
import { marksOf, paint, wrapText, type Terminal } from "./terminal.ts";

const looks = { yes: ["ok", "green"], no: ["bad", "red"], unsure: ["unknown", "yellow"] } as const;

export function whyText(report: FitReport, whys: readonly Why[], word: string, terminal: Terminal): string {
  const marks = marksOf(terminal);
  const lines = wrapText(`${word} of ${report.model.name}`, terminal.columns).map((line) =>
    paint(terminal, "bold", line),
  );
  for (const { target, once, answers } of whys) {
    const condition = once === undefined ? "" : `, once ${once}`;
    lines.push(
      "",
      ...wrapText(`${paint(terminal, "bold", target)} (${targetName(report, target)})${condition}`, terminal.columns),
    );
    for (const answer of answers) {
      const [mark, tone] = looks[answer.takes];
      lines.push(...wrapText(sentence(answer), terminal.columns, `  ${paint(terminal, tone, marks[mark])} `));
      lines.push(...wrapText(answer.source, terminal.columns, `    ${paint(terminal, "dim", "source")} `));
    }
  }
  return `${lines.join("\n")}\n`;
}

function sentence({ op, nodes, takes, where, rule, because, left }: WhyAnswer): string {
  const many = nodes.length === 1 ? `${op} ${nodesWords(nodes)}` : `${nodes.length} ${op} (${nodesWords(nodes)})`;
  const place =
    typeof where === "number"
      ? `in partition ${where}`
      : where === "melted"
        ? "melts into its neighbour"
        : "on the CPU";
  if (takes === "yes") return `${many}: taken, ${place}${left === undefined ? "" : `: ${left}`}`;
  const word = takes === "no" ? "refused" : "not documented";
  return `${many}: ${word}, ${place}: ${because ?? ""}${rule === undefined ? "" : ` (${rule})`}`;
}

export function checkText(checked: readonly Checked[], terminal: Terminal): string {
  const marks = marksOf(terminal);
  const lines = [paint(terminal, "bold", "Delegates here")];
  if (checked.length === 0) lines.push("  none of these targets has a delegate that could be asked");
  for (const { target, delegate, agrees, says } of checked) {
    const mark = agrees === undefined ? marks.unknown : agrees ? marks.ok : marks.bad;
    lines.push(...wrapText(`${target} by ${delegate}: ${says}`, terminal.columns, `  ${mark} `));
  }
  return `${lines.join("\n")}\n`;
}
