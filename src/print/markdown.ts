/** The review as Markdown. */
import type { Report } from "../review/report.ts";
import { plainTerminal } from "./terminal.ts";
import { renderText } from "./text.ts";

export function renderMarkdown(report: Report): string {
  return "```\n" + renderText(report, plainTerminal) + "```\n";
}
