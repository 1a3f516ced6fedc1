/** Known breakages: those the kernel log shows, and those that files, versions and settings show. */

import type { Finding } from "../base/finding.ts";
import type { Breakage } from "../breakages/breakage.ts";
import type { LogMatch } from "../breakages/match.ts";
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
    if (device === undefined && !devices.some((d) => d.family?.id === breakage.family)) continue;
    const key = `${breakage.id}/${device?.id ?? "machine"}`;
    if (said.has(key)) continue;
    said.add(key);
    out.push(findingOf(breakage, device, match));
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

function findingOf(breakage: Breakage, device: Device | undefined, match: LogMatch): Finding {
  // A driver that has said since that the device is up makes it history, worth a note.
  const past = match.recovered !== undefined;
  const times = match.count > 1 ? ` (${match.count} times)` : "";
  return {
    rule: `${breakage.layer}/${breakage.id}`,
    severity: past ? "note" : breakage.severity,
    device: device?.id ?? "machine",
    says: `${breakage.title}: ${breakage.cause}${past ? " (the device came up later)" : ""}`,
    evidence: [seen(`kernel log line ${match.line}`, `${match.text.slice(0, 200)}${times}`)],
    remedy: {
      says: breakage.cure.join("; "),
      ...(breakage.commands ? { commands: breakage.commands } : {}),
      ...(breakage.links.length > 0 ? { links: breakage.links } : {}),
    },
  };
}

export function findRules(facts: Facts, devices: readonly Device[]): Finding[] {
  void facts;
  void devices;
  return [];
}
