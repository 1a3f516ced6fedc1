/** The report on layers of RKNN_QUERY_PERF_DETAIL: a table in text, its columns named in a first line that begins with ID. */

import type { Span } from "../delegate.ts";

/** A layer in each line; 10,000 are more than any model has. */
const LINE_LIMIT = 20_000;

/** Empty where the text is no such table. */
export function spansOf(report: string): Span[] {
  const lines = report.split("\n", LINE_LIMIT);
  const head = lines.findIndex((line) => /^\s*ID\s+OpType\b/.test(line) && line.includes("Time(us)"));
  const columns = [...(lines[head] ?? "").matchAll(/\S+/g)].map((match) => ({ name: match[0], at: match.index }));
  const cell = (line: string, name: string): string => {
    const index = columns.findIndex((column) => column.name === name);
    const from = columns[index];
    // A cell wider than its column pushes all that follow: what does not begin where its name stands is not read.
    if (from === undefined || /\S/.test(line[from.at - 1] ?? " ")) return "";
    return line.slice(from.at, columns[index + 1]?.at).trim();
  };
  const spans: Span[] = [];
  for (const line of lines.slice(head + 1)) {
    if (head < 0 || !/^\s*\d+\s/.test(line)) continue;
    const time = /^\d+(?:\.\d+)?/.exec(cell(line, "Time(us)"))?.[0];
    if (time === undefined) continue;
    const name = cell(line, "FullName");
    const operator = cell(line, "OpType");
    spans.push({
      name: name === "" || name === operator ? operator : `${operator} ${name}`,
      by: cell(line, "Target"),
      ms: Number(time) / 1000,
    });
  }
  return spans;
}
