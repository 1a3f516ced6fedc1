/** Known breakages: those the kernel log shows, and those that files, versions and settings show. */

import type { Evidence, Finding } from "../base/finding.ts";
import type { Breakage } from "../breakages/breakage.ts";
import type { LogMatch } from "../breakages/match.ts";
import { matchMachineRules, matchRules, type DeviceLike } from "../breakages/rules.ts";
import type { Device } from "../devices/device.ts";
import type { Facts } from "../facts/facts.ts";
import { seen } from "./context.ts";

/** Findings from signatures in the kernel log. Harmless look-alikes are known and stay silent. */
export function findLogged(facts: Facts, devices: readonly Device[], log: readonly LogMatch[]): Finding[] {
  const out: Finding[] = [];
  const said = new Set<string>();
  for (const match of log) {
    const { breakage } = match;
    if (breakage.kind === "benign" || breakage.kind === "misconception") continue;
    const device = deviceOf(match, devices);
    // A line about hardware that is not here (a driver that looked around) is the log's business, not a finding.
    if (device === undefined && match.address !== undefined && facts.pci.state === "read") continue;
    const anyones = breakage.family === "any" && devices.some((d) => d.family !== undefined && d.family.id !== "cpu");
    const pasted = facts.root.kind === "paste";
    if (device === undefined && !pasted && !anyones && !devices.some((d) => d.family?.id === breakage.family)) continue;
    const key = `${breakage.id}/${device?.id ?? "machine"}`;
    if (said.has(key)) continue;
    said.add(key);
    const times = match.count > 1 ? ` (${match.count} times)` : "";
    const line = seen(`${pasted ? "" : "kernel log "}line ${match.line}`, `${match.text.slice(0, 200)}${times}`);
    // A driver that has said since that the device is up makes it history, worth a note.
    out.push(findingOf(breakage, device?.id ?? "machine", [line], match.recovered !== undefined));
  }
  return out;
}

function deviceOf(match: LogMatch, devices: readonly Device[]): Device | undefined {
  if (match.address !== undefined) {
    return devices.find((d) => d.address === match.address || d.parts.includes(match.address ?? ""));
  }
  const kin = devices.filter((d) => d.family?.id === match.breakage.family);
  return kin.length === 1 ? kin[0] : undefined;
}

/** Findings from what files, versions and settings show. A breakage the log has already told of is not told twice. */
export function findRules(facts: Facts, devices: readonly Device[], told: readonly Finding[]): Finding[] {
  const alike = devices.map(likeOf);
  const found = [
    ...devices.flatMap((device) => matchRules(facts, likeOf(device)).map((match) => ({ ...match, device: device.id }))),
    ...matchMachineRules(facts, alike).map((match) => ({ ...match, device: "machine" })),
  ];
  return found
    .map(({ breakage, evidence, device }) => findingOf(breakage, device, evidence))
    .filter((finding) => !told.some((other) => other.rule === finding.rule && other.device === finding.device));
}

function likeOf(device: Device): DeviceLike {
  return {
    family: device.family?.id,
    chip: device.chip?.id,
    bus: device.bus,
    address: device.address,
    driver: device.driver,
    nodes: device.nodes,
  };
}

function findingOf(breakage: Breakage, device: string, evidence: readonly Evidence[], past = false): Finding {
  return {
    rule: `${breakage.layer}/${breakage.id}`,
    severity: past ? "note" : breakage.severity,
    device,
    says: `${breakage.title}: ${breakage.cause}${past ? " (the device came up later)" : ""}`,
    evidence,
    remedy: {
      says: breakage.cure.join("; "),
      ...(breakage.commands ? { commands: breakage.commands } : {}),
      ...(breakage.links.length > 0 ? { links: breakage.links } : {}),
    },
  };
}
