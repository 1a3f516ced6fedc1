/**
 * The review: devices, their routes judged layer by layer, and what is wrong with the cure. Reads through the root's facts only;
 * one file per layer holds that layer's rules.
 */

import type { Finding, Layer } from "../base/finding.ts";
import { severities } from "../base/finding.ts";
import { valueOf } from "../base/reading.ts";
import { matchLines, matchLog, type LogMatch } from "../breakages/match.ts";
import type { Device } from "../devices/device.ts";
import { findDevices, type Found } from "../devices/find.ts";
import type { Facts } from "../facts/facts.ts";
import { parseKernelLog } from "../facts/klog.ts";
import { PASTE_PATH } from "../root/paste.ts";
import type { Root } from "../root/root.ts";
import { unseen, type RouteContext } from "./context.ts";
import { describeDevice } from "./describe.ts";
import { findDriver, findNonePublic } from "./driver.ts";
import { findFirmwareFault } from "./firmware.ts";
import { factsOf, judgeRoutes, withFaults, type Judged, type ReviewOptions } from "./judge.ts";
import { faultsOf, findLogged, findRules, type KnownFault } from "./known-faults.ts";
import { blindSpots, describeKernel, describeMachine } from "./machine.ts";
import { findNode } from "./node.ts";
import type { DeviceReport, Report } from "./report.ts";
import { findRuntimeFault } from "./runtime.ts";
import { findSilicon, judgeSilicon } from "./silicon.ts";
import { standsAlone, tellOnce } from "./tell-once.ts";
import { verdictOf } from "./verdict.ts";

export type { ReviewOptions } from "./judge.ts";

/** Review one machine. Never throws for what the machine lacks. */
export function review(root: Root, options: ReviewOptions = {}): Report {
  const facts = factsOf(root, options);
  const found = findDevices(facts);
  const log = root.kind === "paste" ? matchPaste(root) : matchLog(valueOf(facts.log) ?? []);
  const findings: Finding[] = [];
  const logged = findLogged(facts, found.devices, log);
  const rules = findRules(facts, found.devices, logged);
  const faults = [...logged, ...rules.filter(({ breakage }) => standsAlone(breakage))];
  const devices = found.devices.map((device) => reviewDevice(facts, device, findings, faultsOf(device, faults)));
  const dormant = found.dormant.map((device) => reviewDevice(facts, device, findings, []));
  const told = tellOnce(findings, logged, rules);
  const lonely = dormant.length === 0 && !devices.some((device) => device.family !== "cpu");
  return {
    schema: 1,
    machine: describeMachine(facts),
    kernel: describeKernel(facts, options.abilities === true || (lonely && isKernelSeen(facts))),
    devices,
    dormant,
    findings: sortFindings(
      told.filter((finding) => lonely || finding.device !== CPU),
      found,
    ),
    blind: blindSpots(facts),
  };
}

/** A paste may hold what programs printed beside the kernel's lines: all of it is held against the signatures. */
function matchPaste(root: Root): LogMatch[] {
  const text = valueOf(root.text(PASTE_PATH));
  return text === undefined ? [] : matchLines(parseKernelLog(text));
}

function reviewDevice(facts: Facts, device: Device, findings: Finding[], faults: readonly KnownFault[]): DeviceReport {
  const family = device.family;
  const silicon = judgeSilicon(device);
  findings.push(...findSilicon(device, silicon));
  if (family === undefined) {
    findings.push(unrecognised(device));
    return describeDevice(facts, device, [], verdictOf(device, []), true);
  }
  const judged = judgeRoutes(facts, device, family);
  if (judged.length === 0 && device.driver.state === "absent") {
    findings.push(findNonePublic(device, [unseen(device.driver), device.because]));
  }
  const routes = judged.map((j) => withFaults(j.route, device, faults));
  const verdict = verdictOf(device, routes, faults[0]?.breakage.title);
  const best = judged.find((j) => j.route.name === verdict.route);
  if (best && best.route.works !== "yes" && silicon.status === "ok") findings.push(...findFaults(best));
  // A tree that says "okay" is not enough where the kernel has no driver: told with it, not after it.
  const lacks = device.enabled || best === undefined ? undefined : findFaults(best)[0];
  if (lacks?.rule.startsWith("driver/") === true) {
    findings.push({ ...lacks, severity: "note", says: `once it is switched on: ${lacks.says}` });
  }
  const open = judged.find((j) => j.route.name === verdict.most_open);
  if (open && open !== best && open.route.works === "no" && silicon.status === "ok") {
    const first = findFaults(open)[0];
    if (first) {
      const says = `the open route "${open.route.name}" does not work here: ${first.says}`;
      findings.push({ ...first, severity: "note", says });
    }
  }
  return describeDevice(facts, device, routes, verdict, true);
}

/**
 * What keeps a route from working, from the silicon up. Only the lowest fault is told at its own severity: what is missing above a
 * missing driver must be cured too and says nothing by itself, so it is a note.
 */
function findFaults({ context, route }: Judged): Finding[] {
  const out: Finding[] = [];
  for (const layer of route.layers) {
    const finding = findFault(context, layer);
    if (!finding || out.some((other) => other.says === finding.says)) continue;
    out.push(out.length === 0 ? finding : { ...finding, severity: "note" });
  }
  return out;
}

function findFault(context: RouteContext, layer: Layer): Finding | undefined {
  switch (layer.name) {
    case "driver":
      return findDriver(context, layer);
    case "firmware":
      return findFirmwareFault(context, layer);
    case "node":
      return findNode(context, layer);
    case "runtime":
    case "delegate":
      return findRuntimeFault(context, layer);
    default:
      return undefined;
  }
}

function unrecognised(device: Device): Finding {
  return {
    rule: "silicon/unrecognised",
    severity: "note",
    device: device.id,
    says: `${device.address} says it is an accelerator (class ${device.ids["class"] ?? "unknown"}) and no family of the catalogue knows ${device.ids["pci"] ?? "it"}`,
    evidence: [device.because],
    remedy: { says: "if you know what it is, add it: docs/tour.md shows how one file is enough" },
  };
}

/** A pasted lspci says nothing of the kernel, so there is nothing to say of what it could drive. */
function isKernelSeen(facts: Facts): boolean {
  return facts.release !== undefined || facts.config.state === "read" || facts.loaded.state === "read";
}

/** The processor always works somehow; what it lacks is told when there is nothing else to tell. */
const CPU = "cpu:0";

function sortFindings(findings: readonly Finding[], found: Found): Finding[] {
  const order = new Map([...found.devices, ...found.dormant].map((device, index) => [device.id, index]));
  return findings
    .map((finding, index) => ({ finding, index }))
    .sort(
      (a, b) =>
        severities.indexOf(a.finding.severity) - severities.indexOf(b.finding.severity) ||
        (order.get(a.finding.device) ?? -1) - (order.get(b.finding.device) ?? -1) ||
        a.index - b.index,
    )
    .map(({ finding }) => finding);
}
