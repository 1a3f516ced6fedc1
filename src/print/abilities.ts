/** What this kernel could drive if it were plugged in, and where to go next: the useful part of a review that found nothing. */

import type { KernelState } from "../base/finding.ts";
import { loadFamily } from "../families/load.ts";
import type { Ability, Report } from "../review/report.ts";
import { paint, wrap, type Terminal } from "./terminal.ts";

/** Best first: a family is told once, by the best state any of its drivers is in. */
const groups: readonly { readonly title: string; readonly states: readonly KernelState[]; readonly own?: true }[] = [
  { title: "ready", states: ["bound", "loaded", "built in", "shipped as a module", "not needed"] },
  { title: "built without", states: ["configured off"] },
  { title: "not in it", states: ["not in this kernel"] },
  { title: "not known", states: ["unknown"] },
  // No kernel comes with these: that they are not there says nothing of this one.
  { title: "maker's module", states: ["not in this kernel", "unknown"], own: true },
];

export function abilitiesText(report: Report, terminal: Terminal): string[] {
  const abilities = report.kernel.abilities ?? [];
  const rank = (ability: Ability): number =>
    groups.findIndex(
      ({ states, own }) =>
        states.includes(ability.state) && (!lacking.has(ability.state) || isOwn(ability) === (own === true)),
    );
  const best = new Map<string, Ability>();
  for (const ability of abilities) {
    const other = best.get(ability.family);
    if (other === undefined || rank(ability) < rank(other)) best.set(ability.family, ability);
  }
  const lines = [paint(terminal, "bold", "What this kernel could drive, if it were plugged in")];
  groups.forEach(({ title }, i) => {
    const members = [...best.values()].filter((ability) => rank(ability) === i);
    if (members.length === 0) return;
    const words = members.map((m, n) => label(m) + (n < members.length - 1 ? "," : ""));
    lines.push(...wrap(words, terminal.columns, `  ${title.padEnd(14)} `));
  });
  lines.push("");
  lines.push(paint(terminal, "bold", "Next"));
  lines.push("  accelctl kernel             which driver, which firmware, device by device");
  lines.push("  accelctl catalog            every accelerator known, and how open it is");
  lines.push('  accelctl explain "..."      what an error message means and what cures it');
  lines.push("  accelctl review --root FILE the same review of another machine's capture");
  return lines;
}

const lacking: ReadonlySet<KernelState> = new Set(["not in this kernel", "unknown"]);

function isOwn(ability: Ability): boolean {
  const route = loadFamily(ability.family)?.routes.find((r) => r.name === ability.route);
  return route !== undefined && route.driver.origin !== "mainline";
}

function label(ability: Ability): string {
  const family = loadFamily(ability.family);
  const name = family?.name.replace(/ \(.*\)$/, "") ?? ability.family;
  return ability.module === "" ? `${name} (on USB, needs no driver)` : `${name} (${ability.module})`;
}
