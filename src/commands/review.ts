/** accelctl review: the whole story of a machine, or of one device. The default verb. */

import { UsageError } from "../base/errors.ts";
import { severities, type Severity } from "../base/finding.ts";
import { renderHtml } from "../print/html.ts";
import { renderMarkdown } from "../print/markdown.ts";
import { renderText } from "../print/text.ts";
import type { DeviceReport, Report } from "../review/report.ts";
import { review } from "../review/review.ts";
import { flag, option, type Command, type Invocation } from "./command.ts";
import { environmentsOf, queryOption, rootOf, rootOptions, toJson } from "./common.ts";

const command: Command = {
  name: "review",
  summary: "judge every accelerator, route by route and layer by layer, with cures",
  usage: "[DEVICE]",
  says:
    "Finds the accelerators of this machine, judges each route from silicon to model format, and says what is missing or faulty, " +
    "what that rests on, and what to do next. DEVICE is an id, an address, a node or a family; then only that device is told, " +
    "with the evidence of every layer. Reads only, needs no root, and says what it could not look at.",
  options: [
    ...rootOptions,
    { name: "json", says: "print the report as JSON (docs/report.schema.json)" },
    { name: "markdown", says: "print the report as Markdown" },
    { name: "html", says: "print one self-contained HTML page" },
    { name: "evidence", short: "e", says: "show what each layer's status rests on" },
    { name: "abilities", says: "also list what this kernel could drive" },
    queryOption,
    {
      name: "fail-on",
      value: "SEVERITY",
      choices: severities,
      says: "exit 1 when there is a finding of this severity or worse",
    },
  ],
  examples: [
    { command: "accelctl", says: "review this machine" },
    { command: "accelctl review 0000:00:0b.0", says: "everything about one device" },
    { command: "accelctl review --root capture.json --html > report.html", says: "a page to attach to a bug report" },
    { command: "accelctl review --paste dmesg.txt", says: "what a pasted log proves" },
  ],
  run(invocation) {
    const form = chooseForm(invocation);
    const report = review(rootOf(invocation), {
      environments: environmentsOf(invocation),
      query: flag(invocation, "query"),
      abilities: flag(invocation, "abilities"),
    });
    const chosen = chooseDevice(report, invocation.args);
    const shown = chosen === undefined ? report : narrow(report, chosen);
    if (form === "json") invocation.out(toJson(shown));
    else if (form === "markdown") invocation.out(renderMarkdown(shown));
    else if (form === "html") invocation.out(renderHtml(shown));
    else {
      const evidence = flag(invocation, "evidence") || chosen !== undefined;
      const device = chosen === undefined ? {} : { device: chosen.id };
      invocation.out(renderText(report, invocation.terminal, { evidence, ...device }));
    }
    return exitCode(shown, option(invocation, "fail-on") as Severity | undefined); // choices are checked by the parser
  },
};
export default command;

function chooseForm(invocation: Invocation): "text" | "json" | "markdown" | "html" {
  const given = (["json", "markdown", "html"] as const).filter((name) => flag(invocation, name));
  if (given.length > 1) throw new UsageError(`--${given.join(" and --")} are different outputs; give one`);
  return given[0] ?? "text";
}

/** By id, address, node path, part, or family when only one device is of it. */
export function chooseDevice(report: Report, args: readonly string[]): DeviceReport | undefined {
  const [name, ...more] = args;
  if (name === undefined) return undefined;
  if (more.length > 0) throw new UsageError(`one DEVICE at a time; "${more[0] ?? ""}" is one too many`);
  const all = [...report.devices, ...report.dormant];
  const exact = all.find(
    (d) =>
      d.id === name ||
      d.address === name ||
      d.address === `0000:${name}` ||
      d.parts.includes(name) ||
      d.nodes.some((node) => node.path === name || node.path === `/dev/${name}`),
  );
  if (exact) return exact;
  const kin = all.filter((d) => d.family === name);
  if (kin.length === 1) return kin[0];
  if (kin.length > 1) {
    throw new UsageError(
      `${kin.length} devices are of family ${name}: ${kin.map((d) => d.address).join(", ")}; give one address`,
    );
  }
  const known = all.map((d) => d.address).join(", ");
  throw new UsageError(`no device "${name}" here${known === "" ? "" : `; there are ${known}`}`);
}

function narrow(report: Report, device: DeviceReport): Report {
  return {
    ...report,
    devices: report.devices.filter((d) => d.id === device.id),
    dormant: report.dormant.filter((d) => d.id === device.id),
    findings: report.findings.filter((f) => f.device === device.id),
  };
}

function exitCode(report: Report, failOn: Severity | undefined): number {
  if (failOn === undefined) return 0;
  const limit = severities.indexOf(failOn);
  return report.findings.some((finding) => severities.indexOf(finding.severity) <= limit) ? 1 : 0;
}
