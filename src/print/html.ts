/** The review as one page. */
import type { Report } from "../review/report.ts";
import { renderMarkdown } from "./markdown.ts";

export function renderHtml(report: Report): string {
  return renderMarkdown(report);
}
