/** What each compiler or delegate answers of one operator, and what delegates that are here say of the whole model. */

import type { Checked } from "../fit/check.ts";
import type { FitReport } from "../fit/fit.ts";
import type { Why, WhyAnswer } from "../fit/why.ts";
import { becauseOf, stemOf } from "./fit-reasons.ts";
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
    const name = paint(terminal, "bold", target);
    lines.push("", ...wrapText(`(${targetName(report, target)})${condition}`, terminal.columns, `${name} `, ""));
    const joined = joinAnswers(answers);
    const sources = new Set(joined.map(({ source }) => source));
    for (const [at, answer] of joined.entries()) {
      const [mark, tone] = looks[answer.takes];
      lines.push(...wrapText(sentence(answer), terminal.columns, `  ${paint(terminal, tone, marks[mark])} `));
      if (sources.size === 1 && at < joined.length - 1) continue;
      lines.push(...wrapText(answer.source, terminal.columns, `    ${paint(terminal, "dim", "source")} `));
    }
  }
  return `${lines.join("\n")}\n`;
}

interface Joined extends Omit<WhyAnswer, "where"> {
  readonly where: readonly WhyAnswer["where"][];
}

/** Answers that differ only in the partition or in the value found are one. */
function joinAnswers(answers: readonly WhyAnswer[]): readonly Joined[] {
  const groups = new Map<string, WhyAnswer[]>();
  for (const answer of answers) {
    const { op, takes, where, rule, because = "", left, source } = answer;
    const key = [op, takes, typeof where === "number" ? "" : where, rule, stemOf(because), left, source].join("\0");
    const held = groups.get(key);
    if (held === undefined) groups.set(key, [answer]);
    else held.push(answer);
  }
  return [...groups.values()]
    .flatMap((group): readonly Joined[] => {
      const [first] = group;
      if (first === undefined) return [];
      const nodes = group.flatMap((one) => one.nodes).sort((a, b) => a - b);
      const where = [...new Set(group.map((one) => one.where))];
      const because = first.because === undefined ? {} : { because: becauseOf(group.map((one) => one.because ?? "")) };
      return [{ ...first, ...because, nodes, where }];
    })
    .sort((a, b) => b.nodes.length - a.nodes.length);
}

function sentence({ op, nodes, takes, where, rule, because, left }: Joined): string {
  const many = nodes.length === 1 ? `${op} ${nodesWords(nodes)}` : `${nodes.length} ${op} (${nodesWords(nodes)})`;
  const [first] = where;
  const place =
    typeof first === "number"
      ? where.length === 1
        ? `in partition ${first}`
        : `in ${where.length} partitions`
      : first === "melted"
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
