/** Everything a root can be asked for by a review, and what must hold of the answers whatever the root says. */

import { Ajv2020 } from "ajv/dist/2020.js";

import { renderHtml } from "../../src/print/html.ts";
import { listText } from "../../src/print/list.ts";
import { renderMarkdown } from "../../src/print/markdown.ts";
import { reportSchema } from "../../src/print/schema.ts";
import { plainTerminal } from "../../src/print/terminal.ts";
import { renderText } from "../../src/print/text.ts";
import type { Report } from "../../src/review/report.ts";
import { review } from "../../src/review/review.ts";
import type { Root } from "../../src/root/root.ts";
import { CANARY, type Random } from "./mutate.ts";
import { Complaint } from "./target.ts";

/** Validation takes longer than the review. */
const VALIDATED = 1 / 8;
const REPEATED = 1 / 16;

/** Words in single quotes, as a shell takes them: what is in them is only text. */
const QUOTED = /'[^']*'/g;

let validate: ((report: unknown) => string | undefined) | undefined;

/** Review and print in every form. `steady` roots answer a question the same way each time. */
export function checkReview(root: Root, random: Random, steady = true): Report {
  const report = review(root, { abilities: random() < 0.1, query: random() < 0.5 });
  const text = renderText(report, plainTerminal, { evidence: true });
  noControls("text", text);
  noControls("markdown", renderMarkdown(report));
  const html = renderHtml(report);
  noControls("html", html);
  if (/<(script|img|iframe)/i.test(html)) throw new Complaint("a tag of the machine's reached the HTML page");
  for (const { remedy } of report.findings) {
    const command = remedy?.commands?.find((typed) => typed.replace(QUOTED, "").includes(CANARY));
    if (command !== undefined) throw new Complaint(`a command to type holds text of the machine's: ${command}`);
  }
  noControls("list", listText(report.devices, plainTerminal));
  const json = JSON.stringify(report);
  if (random() < VALIDATED) {
    const wrong = (validate ??= createValidator())(JSON.parse(json));
    if (wrong !== undefined) throw new Complaint(`the report breaks its schema: ${wrong}`);
  }
  if (steady && random() < REPEATED && JSON.stringify(review(root)) !== JSON.stringify(review(root))) {
    throw new Complaint("the same machine gave two reports");
  }
  return report;
}

/** No control character but the line's end reaches a terminal (colour is off here), and none that turns directions. */
export function noControls(where: string, text: string): void {
  const found = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/.exec(text);
  if (found === null) return;
  const around = text.slice(Math.max(0, found.index - 80), found.index + 40);
  throw new Complaint(`control character in ${where}: ${JSON.stringify(around)}`);
}

function createValidator(): (report: unknown) => string | undefined {
  const check = new Ajv2020({ allErrors: false, strict: false }).compile(reportSchema);
  return (report) => (check(report) ? undefined : JSON.stringify(check.errors?.slice(0, 2)));
}
