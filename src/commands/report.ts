/** accelctl report: the Machine page with this report in it, as one file to keep or send; or the report's other forms. */

import { UsageError } from "../base/errors.ts";
import { renderMarkdown } from "../print/markdown.ts";
import { review } from "../review/review.ts";
import { renderStaticPage } from "../serve/page/static.ts";
import { writeWhole } from "../session/write.ts";
import { flag, option, type Command, type Invocation } from "./command.ts";
import { environmentsOf, queryOption, rootOf, rootOptions, toJson } from "./common.ts";

const command: Command = {
  name: "report",
  summary: "write the machine's page as one file, to keep or to send",
  usage: "",
  says:
    "Reviews the machine and writes the dashboard's Machine page with the report in it: one file that needs no server and asks " +
    "nothing of anybody. Without an option the page goes to standard output. review --html makes a plain page without scripts.",
  options: [
    ...rootOptions,
    { name: "html", value: "FILE", says: "write the page into this file; - is standard output" },
    { name: "json", says: "print the report as JSON instead (docs/report.schema.json)" },
    { name: "markdown", says: "print it as Markdown instead" },
    queryOption,
  ],
  examples: [
    { command: "accelctl report --html report.html", says: "a page to open from disk" },
    { command: "accelctl report --root capture.json > report.html", says: "of a captured machine" },
  ],
  run(invocation) {
    const form = chooseForm(invocation);
    const report = review(rootOf(invocation), {
      environments: environmentsOf(invocation),
      query: flag(invocation, "query"),
      abilities: true,
    });
    if (form === "json") invocation.out(toJson(report));
    else if (form === "markdown") invocation.out(renderMarkdown(report));
    else {
      const file = option(invocation, "html");
      const page = renderStaticPage(report);
      if (file === undefined || file === "-") invocation.out(page);
      else writeWhole(file, Buffer.from(page));
    }
    return 0;
  },
};
export default command;

function chooseForm(invocation: Invocation): "html" | "json" | "markdown" {
  const given = (["html", "json", "markdown"] as const).filter((name) => invocation.options[name] !== undefined);
  if (given.length > 1) throw new UsageError(`--${given.join(" and --")} are different outputs; give one`);
  const form = given[0] ?? "html";
  if (form === "html" && option(invocation, "html") === undefined && invocation.terminal.isTerminal) {
    throw new UsageError("a page is nothing for a terminal; give --html FILE, or send it into a file");
  }
  return form;
}
