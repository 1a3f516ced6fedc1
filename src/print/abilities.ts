/** What this kernel could drive if it were plugged in, and where to go next: the useful part of a review that found nothing. */

import type { KernelState } from "../base/finding.ts";
import { families } from "../families/index.ts";
import type { Ability, Report } from "../review/report.ts";
import { paint, wrapText, type Terminal } from "./terminal.ts";

const groups: readonly { readonly title: string; readonly states: readonly KernelState[] }[] = [
  { title: "ready", states: ["bound", "loaded", "built in", "shipped as a module"] },
  { title: "built without", states: ["configured off"] },
  { title: "not part of it", states: ["not in this kernel"] },
  { title: "not known", states: ["unknown"] },
];

export function abilitiesText(report: Report, terminal: Terminal): string[] {
  const abilities = report.kernel.abilities ?? [];
  const lines = [paint(terminal, "bold", "What this kernel could drive, if it were here")];
  for (const { title, states } of groups) {
    const members = abilities.filter((ability) => states.includes(ability.state));
    if (members.length === 0) continue;
    const text = members.map(label).join(", ");
    lines.push(...wrapText(text, terminal.columns, `  ${title.padEnd(15)}`, " ".repeat(17)));
  }
  lines.push("");
  lines.push(paint(terminal, "bold", "Next"));
  lines.push("  accelctl kernel             which driver, which firmware, device by device");
  lines.push("  accelctl catalog            every accelerator known, how open, since which kernel");
  lines.push('  accelctl explain "..."      what an error message means and what cures it');
  lines.push("  accelctl review --root FILE the same review of another machine's capture");
  return lines;
}

function label(ability: Ability): string {
  const family = families.find((f) => f.id === ability.family);
  return `${ability.module} (${family?.name ?? ability.family})`;
}
