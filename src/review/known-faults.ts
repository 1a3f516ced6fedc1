/** Known breakages: those the kernel log shows, and those that files, versions and settings show. */

import type { Evidence, Finding } from "../base/finding.ts";
import type { Breakage } from "../breakages/breakage.ts";
import type { LogMatch } from "../breakages/match.ts";
import { matchMachineRules, matchRules, type DeviceLike } from "../breakages/rules.ts";
import type { Device } from "../devices/device.ts";
import type { Facts } from "../facts/facts.ts";
import { seen } from "./context.ts";

/** A finding with the breakage it comes from. */
export interface KnownFault {
  readonly finding: Finding;
  readonly breakage: Breakage;
}

/** Findings from signatures in the kernel log. Harmless look-alikes are known and stay silent. */
export function findLogged(facts: Facts, devices: readonly Device[], log: readonly LogMatch[]): KnownFault[] {
  const out: KnownFault[] = [];
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
    const past = match.recovered !== undefined;
    out.push({ breakage, finding: findingOf(breakage, device?.id ?? "machine", [line], past) });
  }
  return out;
}

/** Kinds that keep a device from working until somebody does something. A hang or a full queue passes by itself. */
const lasting: ReadonlySet<Breakage["kind"]> = new Set([
  "abi",
  "bios",
  "config",
  "container",
  "driver-missing",
  "firmware",
  "hardware",
  "interrupt",
  "iommu",
  "permission",
  "version",
]);

/** What is known to keep this device from working, below its runtime. */
export function faultsOf(device: Device, known: readonly KnownFault[]): KnownFault[] {
  return known.filter(
    ({ finding, breakage }) =>
      finding.device === device.id &&
      finding.severity === "error" &&
      lasting.has(breakage.kind) &&
      ["silicon", "driver", "firmware", "node"].includes(breakage.layer),
  );
}

function deviceOf(match: LogMatch, devices: readonly Device[]): Device | undefined {
  if (match.address !== undefined) {
    return devices.find((d) => d.address === match.address || d.parts.includes(match.address ?? ""));
  }
  const named = devices.filter((d) => d.family !== undefined && holdsWord(match.text, d.address));
  if (named.length === 1) return named[0];
  const kin = devices.filter((d) => d.family?.id === match.breakage.family);
  return kin.length === 1 ? kin[0] : undefined;
}

/** A platform device's name need not begin with an address: remoteproc-cdsp. */
function holdsWord(text: string, word: string): boolean {
  const at = word.length < 4 ? -1 : text.indexOf(word);
  if (at < 0) return false;
  const beside = [text[at - 1], text[at + word.length]];
  return beside.every((character) => character === undefined || !/[\w.-]/.test(character));
}

/** Findings from what files, versions and settings show. A breakage the log has already told of is not told twice. */
export function findRules(facts: Facts, devices: readonly Device[], told: readonly KnownFault[]): KnownFault[] {
  const alike = devices.map(likeOf);
  const found = [
    ...devices.flatMap((device) => matchRules(facts, likeOf(device)).map((match) => ({ ...match, device: device.id }))),
    ...matchMachineRules(facts, alike).map((match) => ({ ...match, device: "machine" })),
  ];
  return found
    .map(({ breakage, evidence, device }) => ({ breakage, finding: findingOf(breakage, device, evidence) }))
    .filter(
      ({ finding: { rule, device } }) => !told.some((t) => t.finding.rule === rule && t.finding.device === device),
    );
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
      says: breakage.cure.join(" "),
      ...(breakage.commands ? { commands: breakage.commands } : {}),
      ...(breakage.links.length > 0 ? { links: breakage.links } : {}),
    },
  };
}
