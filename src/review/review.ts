/**
 * The review: devices, their routes judged layer by layer, and what is wrong with the cure. Reads through the root's facts only;
 * one file per layer holds that layer's rules.
 */

import type { Finding, Layer, Route } from "../base/finding.ts";
import { severities } from "../base/finding.ts";
import { valueOf } from "../base/reading.ts";
import { matchLog, type LogMatch } from "../breakages/match.ts";
import type { Device } from "../devices/device.ts";
import { findDevices, type Found } from "../devices/find.ts";
import { createFacts, type Facts } from "../facts/facts.ts";
import { nodePatterns } from "../families/match.ts";
import type { Family } from "../families/family.ts";
import type { Root } from "../root/root.ts";
import type { RouteContext } from "./context.ts";
import { describeDevice } from "./describe.ts";
import { findDriver, judgeDriver } from "./driver.ts";
import { findFirmwareFault, judgeFirmware } from "./firmware.ts";
import { findLogged, findRules } from "./known-faults.ts";
import { blindSpots, describeKernel, describeMachine } from "./machine.ts";
import { judgeModel } from "./model.ts";
import { findNode, judgeNode } from "./node.ts";
import type { DeviceReport, Report } from "./report.ts";
import { findRuntimeFault, judgeDelegate, judgeRuntime } from "./runtime.ts";
import { findSilicon, judgeSilicon } from "./silicon.ts";
import { verdictOf } from "./verdict.ts";

export interface ReviewOptions {
  /** Directories of Python environments, node_modules or SDKs to look into besides the usual places. */
  readonly environments?: readonly string[];
  /** Ask drivers even where the question wakes the device. */
  readonly query?: boolean;
  /** List the kernel's abilities even when an accelerator is there. */
  readonly abilities?: boolean;
}

/** Review one machine. Never throws for what the machine lacks. */
export function review(root: Root, options: ReviewOptions = {}): Report {
  const facts = factsOf(root, options);
  const found = findDevices(facts);
  const log = matchLog(valueOf(facts.log) ?? []);
  const findings: Finding[] = [];
  const devices = found.devices.map((device) => reviewDevice(facts, device, log, findings));
  const dormant = found.dormant.map((device) => reviewDevice(facts, device, [], findings));
  const logged = findLogged(facts, found.devices, log);
  findings.push(...logged, ...findRules(facts, found.devices));
  const lonely = !devices.some((device) => device.family !== "cpu");
  return {
    schema: 1,
    machine: describeMachine(facts),
    kernel: describeKernel(facts, options.abilities === true || lonely),
    devices,
    dormant,
    findings: sortFindings(
      findings.filter((finding) => !isExplained(finding, logged) && (lonely || finding.device !== CPU)),
      found,
    ),
    blind: blindSpots(facts),
  };
}

/** The devices alone: no routes judged, no log read. For `list`, which must be quick. */
export function listDevices(root: Root, options: ReviewOptions = {}): DeviceReport[] {
  const facts = factsOf(root, options);
  return findDevices(facts).devices.map((device) => {
    const routes = device.family ? judgeRoutes(facts, device, device.family, []).map((judged) => judged.route) : [];
    return describeDevice(facts, device, routes, verdictOf(device, routes), false);
  });
}

export function factsOf(root: Root, options: ReviewOptions): Facts {
  return createFacts(root, {
    nodePatterns: nodePatterns(),
    environments: options.environments ?? [],
    query: options.query ?? false,
  });
}

interface Judged {
  readonly context: RouteContext;
  readonly route: Route;
}

function reviewDevice(facts: Facts, device: Device, log: readonly LogMatch[], findings: Finding[]): DeviceReport {
  const family = device.family;
  const silicon = judgeSilicon(device);
  findings.push(...findSilicon(device, silicon));
  if (family === undefined) {
    findings.push(unrecognised(device));
    return describeDevice(facts, device, [], verdictOf(device, []), true);
  }
  const judged = judgeRoutes(
    facts,
    device,
    family,
    log.filter((match) => match.address === device.address),
  );
  const routes = judged.map((j) => j.route);
  const verdict = verdictOf(device, routes);
  const best = judged.find((j) => j.route.name === verdict.route);
  if (best && best.route.works !== "yes" && silicon.status === "ok") findings.push(...findFaults(best));
  const open = judged.find((j) => j.route.name === verdict.most_open);
  if (open && open !== best && open.route.works === "no" && silicon.status === "ok") {
    const first = findFaults(open)[0];
    if (first) {
      const { remedy, ...rest } = first;
      findings.push({
        ...rest,
        severity: "note",
        says: `the open route "${open.route.name}" does not work here: ${first.says}`,
        ...(remedy ? { remedy } : {}),
      });
    }
  }
  return describeDevice(facts, device, routes, verdict, true);
}

function judgeRoutes(facts: Facts, device: Device, family: Family, log: readonly LogMatch[]): Judged[] {
  const silicon = judgeSilicon(device);
  return family.routes
    .filter((route) => route.chips === undefined || (device.chip !== undefined && route.chips.includes(device.chip.id)))
    .map((route) => {
      const context: RouteContext = { facts, device, family, route, log };
      const layers: Layer[] = [
        silicon,
        judgeDriver(context),
        judgeFirmware(context),
        judgeNode(context),
        judgeRuntime(context),
        judgeDelegate(context),
        judgeModel(context),
      ];
      return { context, route: { name: route.name, works: worksBy(layers), open: isOpen(layers), layers } };
    });
}

function worksBy(layers: readonly Layer[]): Route["works"] {
  if (layers.some((layer) => layer.status === "missing" || layer.status === "faulty")) return "no";
  return layers.every((layer) => layer.status === "ok" || layer.status === "unneeded") ? "yes" : "unknown";
}

/** Silicon is closed nearly everywhere; a route is open when all that runs above it is. */
function isOpen(layers: readonly Layer[]): boolean {
  return layers.every((layer) => layer.name === "silicon" || layer.openness === "open" || layer.openness === "none");
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

/** The processor always works somehow; what it lacks is told when there is nothing else to tell. */
const CPU = "cpu:0";

/** "The probe failed, the log says why" is no finding beside the line of the log that says why. */
function isExplained(finding: Finding, logged: readonly Finding[]): boolean {
  return (
    finding.rule === "driver/probe-failed" &&
    logged.some((other) => other.device === finding.device && other.severity === "error")
  );
}

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
