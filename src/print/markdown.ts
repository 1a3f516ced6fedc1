/** The review as Markdown for a bug report: a table of devices, layers per route, findings with their cures. GitHub's flavour. */

import { valueOf } from "../base/reading.ts";
import type { Layer, LayerStatus } from "../base/finding.ts";
import type { DeviceReport, Report } from "../review/report.ts";
import { harmless } from "./terminal.ts";
import { evidenceText, wordOf } from "./text.ts";

const statusWord: Readonly<Record<LayerStatus, string>> = {
  ok: "ok",
  missing: "**missing**",
  faulty: "**faulty**",
  unknown: "not known",
  unneeded: "not needed",
};

export function renderMarkdown(report: Report): string {
  const { machine, kernel } = report;
  const lines = [
    "# accelctl review",
    "",
    `- machine: ${cell(wordOf(machine.model))}`,
    `- distribution: ${cell(wordOf(machine.distribution))}`,
    `- kernel: ${cell(harmless(kernel.release ?? "not captured"))} ${cell(valueOf(machine.arch) ?? "")}`,
    `- processor: ${cell(wordOf(machine.cpu))}`,
    "",
    "## Devices",
    "",
  ];
  if (report.devices.length === 0) lines.push("No accelerator seen.", "");
  else lines.push(...deviceTable(report.devices), "");
  for (const device of [...report.devices, ...report.dormant]) {
    if (device.routes.length > 0) lines.push(...routeTable(device), "");
  }
  if (report.findings.length > 0) {
    lines.push("## Findings", "");
    report.findings.forEach((finding, i) => {
      lines.push(
        `${i + 1}. **${finding.severity}** ${cell(finding.says)} (\`${finding.rule}\`, ${cell(finding.device)})`,
      );
      for (const evidence of finding.evidence) lines.push(`   - seen: ${code(evidenceText(evidence))}`);
      if (finding.remedy) {
        lines.push(`   - cure: ${cell(finding.remedy.says)}`);
        if (finding.remedy.commands) {
          lines.push(
            "",
            "   ```sh",
            ...finding.remedy.commands.map((command) => `   ${harmless(command)}`),
            "   ```",
            "",
          );
        }
        for (const link of finding.remedy.links ?? []) lines.push(`   - <${harmless(link)}>`);
      }
    });
    lines.push("");
  }
  if (report.blind.length > 0) {
    lines.push("## Not looked at", "");
    for (const { path, because } of report.blind) lines.push(`- ${code(path)}: ${cell(because)}`);
    lines.push("");
  }
  return `${lines.join("\n").trimEnd()}\n`;
}

function deviceTable(devices: readonly DeviceReport[]): string[] {
  return [
    "| device | family | address | driver | nodes | verdict |",
    "|---|---|---|---|---|---|",
    ...devices.map((device) => {
      const nodes = device.nodes.map((node) => node.path).join(", ");
      const cells = [
        device.name,
        device.family ?? "unrecognised",
        device.address,
        wordOf(device.driver),
        nodes,
        device.verdict.says,
      ];
      return `| ${cells.map(cell).join(" | ")} |`;
    }),
  ];
}

function routeTable(device: DeviceReport): string[] {
  const lines = [`### ${cell(device.name)}, ${cell(device.address)}`, ""];
  for (const route of device.routes) {
    lines.push(`Route **${cell(route.name)}**: works: ${route.works}${route.open ? ", open throughout" : ""}`, "");
    lines.push("| layer | status | what | openness |", "|---|---|---|---|", ...route.layers.map(layerRow), "");
  }
  lines.pop();
  return lines;
}

function layerRow(layer: Layer): string {
  return `| ${layer.name} | ${statusWord[layer.status]} | ${cell(layer.is)} | ${layer.openness} |`;
}

/** Text that comes from a machine must not become markup, links or mentions. */
function cell(text: string): string {
  return harmless(text).replace(/[\\`*_[\]<>|#@]/g, (character) => `\\${character}`);
}

/** As code: longer fence than any run of backticks inside. */
function code(text: string): string {
  const clean = harmless(text).replaceAll("|", "\\|");
  const longest = Math.max(0, ...[...clean.matchAll(/`+/g)].map((run) => run[0].length));
  const fence = "`".repeat(longest + 1);
  return longest > 0 ? `${fence} ${clean} ${fence}` : `${fence}${clean}${fence}`;
}
