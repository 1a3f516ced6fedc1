/** The review for people: one line per device with its verdict, its routes as a chain of layers, then numbered findings with cures. */

import type { Evidence, Finding, Layer, Route } from "../base/finding.ts";
import { valueOf, type Reading } from "../base/reading.ts";
import { bytes } from "../base/units.ts";
import type { DeviceReport, Report } from "../review/report.ts";
import { abilitiesText } from "./abilities.ts";
import { harmless, marksOf, padEnd, paint, widthOf, wrap, wrapText, type Paint, type Terminal } from "./terminal.ts";

export interface TextOptions {
  /** Show evidence of every layer, not only of findings. */
  readonly evidence: boolean;
  /** Only this device. */
  readonly device?: string;
}

export function renderText(report: Report, terminal: Terminal, options: TextOptions = { evidence: false }): string {
  const lines: string[] = [];
  const chosen = report.devices.filter((device) => options.device === undefined || device.id === options.device);
  lines.push(...header(report, terminal), "");
  const accelerators = chosen.filter((device) => device.family !== "cpu");
  if (accelerators.length === 0 && options.device === undefined) {
    lines.push(paint(terminal, "bold", noneFound(report)), "");
  }
  for (const device of chosen) lines.push(...deviceText(device, terminal, options), "");
  if (options.device === undefined) {
    for (const device of report.dormant) lines.push(...deviceText(device, terminal, options), "");
  }
  const findings = report.findings.filter((f) => options.device === undefined || f.device === options.device);
  if (findings.length > 0) lines.push(...findingsText(alike(findings, report), terminal, options), "");
  if (report.kernel.abilities && options.device === undefined) lines.push(...abilitiesText(report, terminal), "");
  if (report.blind.length > 0 && options.device === undefined) lines.push(...blindText(report, terminal), "");
  if (chosen.some((device) => device.routes.length > 0)) lines.push(legend(terminal));
  while (lines.at(-1) === "") lines.pop();
  return `${lines.join("\n")}\n`;
}

function noneFound(report: Report): string {
  if (report.dormant.length > 0) return "No AI accelerator is switched on.";
  const blind = report.blind.map((b) => b.path);
  return blind.some((path) => path.startsWith("/sys/bus/pci"))
    ? "No AI accelerator seen; the PCI bus could not be looked at, so there may be one."
    : "No AI accelerator found besides the CPU.";
}

/** A value, or in a word why there is none. */
export function wordOf(reading: Reading<string>): string {
  if (reading.state === "read") return harmless(reading.value);
  return { absent: "none", denied: "denied", uncaptured: "not captured", malformed: "unreadable" }[reading.state];
}

function header(report: Report, terminal: Terminal): string[] {
  const { machine, kernel } = report;
  const memory = valueOf(machine.memory_bytes);
  const parts = [
    valueOf(machine.model) ?? "machine of unknown model",
    valueOf(machine.distribution),
    `Linux ${harmless(kernel.release ?? "not captured")}`,
    valueOf(machine.arch),
    memory === undefined ? undefined : bytes(memory),
    valueOf(machine.container) === undefined ? undefined : `in a container (${valueOf(machine.container) ?? ""})`,
    valueOf(machine.virtual) === undefined ? undefined : `virtual (${valueOf(machine.virtual) ?? ""})`,
  ].filter((part): part is string => part !== undefined && part !== "");
  const dot = marksOf(terminal).dot;
  const words = parts.map((part, i) => (i < parts.length - 1 ? `${harmless(part)} ${dot}` : harmless(part)));
  return wrap(words, terminal.columns).map((line) => paint(terminal, "bold", line));
}

function deviceText(device: DeviceReport, terminal: Terminal, options: TextOptions): string[] {
  const marks = marksOf(terminal);
  const [mark, colour] = (
    {
      yes: [marks.ok, "green"],
      // A processor without a runtime is not broken.
      no: device.bus === "cpu" ? ([marks.unneeded, "dim"] as const) : ([marks.bad, "red"] as const),
      unknown: [marks.unknown, "yellow"],
    } as const
  )[device.verdict.works];
  const where = harmless(`${device.bus} ${device.address}`);
  const title = `${paint(terminal, colour, mark)} ${paint(terminal, "bold", harmless(device.name))}`;
  const room = terminal.columns - widthOf(title) - widthOf(where);
  const lines = room >= 2 ? [`${title}${" ".repeat(room)}${paint(terminal, "dim", where)}`] : [title, `  ${where}`];
  lines.push(...wrapText(device.verdict.says, terminal.columns, "  "));
  const facts = deviceFacts(device);
  if (facts.length > 0) lines.push(...wrap(facts, terminal.columns, "  ").map((line) => paint(terminal, "dim", line)));
  const whole = options.device !== undefined;
  if (whole) lines.push(...wholeFacts(device, terminal));
  const shown = device.routes.filter((route) => whole || isTold(route, device));
  const width = Math.max(0, ...shown.map((route) => route.name.length));
  for (const route of shown) lines.push(...routeText(route, width, terminal, options));
  const others = device.routes.filter((route) => !shown.includes(route));
  if (others.length > 0) {
    const words = others.map((route) => `${route.name} ${workMark(route, terminal)}`);
    lines.push(...wrap(words, terminal.columns, `  ${paint(terminal, "dim", "other routes")}  `));
  }
  return lines;
}

/** What only somebody who asks for this one device wants to read. */
function wholeFacts(device: DeviceReport, terminal: Terminal): string[] {
  const rows: [string, string][] = [];
  const { link, answers } = device;
  if (link?.width.state === "read" && link.max_width.state === "read") {
    rows.push(["pci link", `${link.width.value} of ${link.max_width.value} lanes`]);
  }
  if (device.iommu_group?.state === "read") rows.push(["iommu group", device.iommu_group.value]);
  if (device.driver_version?.state === "read") rows.push(["driver version", device.driver_version.value]);
  for (const node of device.nodes) {
    rows.push([node.path, `${wordOf(node.mode)} ${wordOf(node.owner)}:${wordOf(node.group)}`]);
    if (node.drm?.state === "read") rows.push([node.path, `answers ${node.drm.value.name} ${node.drm.value.version}`]);
  }
  for (const sensor of device.sensors ?? []) rows.push([sensor.kind, `${sensor.label} (${sensor.path})`]);
  for (const [name, answer] of Object.entries(answers ?? {})) {
    if (answer.state === "read") rows.push([name, String(answer.value)]);
  }
  return rows.flatMap(([name, text]) => wrapText(text, terminal.columns, `  ${harmless(name)}: `, "    "));
}

/** The best route and the most open one tell the story; the processor's routes are told when it is asked for. */
function isTold(route: Route, device: DeviceReport): boolean {
  if (device.bus === "cpu") return false;
  return route.name === device.verdict.route || route.name === device.verdict.most_open;
}

function workMark(route: Route, terminal: Terminal): string {
  const marks = marksOf(terminal);
  const [mark, colour] = (
    { yes: [marks.ok, "green"], no: [marks.bad, "red"], unknown: [marks.unknown, "yellow"] } as const
  )[route.works];
  return paint(terminal, colour, mark);
}

function deviceFacts(device: DeviceReport): string[] {
  const out: string[] = [];
  if (device.bus === "cpu") return (device.ids["features"] ?? "").split(" ").map(harmless);
  const id = device.ids["pci"] ?? device.ids["usb"] ?? device.ids["compatible"];
  const phase = device.ids["phase"];
  if (id !== undefined) out.push(harmless(phase === undefined ? id : `${id} (${phase})`));
  const driver = wordOf(device.driver);
  out.push(`driver:${driver.replaceAll(" ", "-")}`);
  for (const node of device.nodes) out.push(harmless(node.path));
  if (device.parts.length > 0) out.push(`parts:${harmless(device.parts.join(","))}`);
  if (device.virtual_functions > 0) out.push(`virtual-functions:${device.virtual_functions}`);
  for (const node of device.nodes) {
    for (const holder of node.held_by ?? []) out.push(`held-by:${harmless(holder.command)}(${holder.pid})`);
  }
  return out;
}

function routeText(route: Route, width: number, terminal: Terminal, options: TextOptions): string[] {
  const marks = marksOf(terminal);
  const colour: Paint = route.works === "yes" ? "green" : route.works === "no" ? "red" : "yellow";
  const first = `  ${paint(terminal, colour, padEnd(route.name, width))}  `;
  const words = route.layers.map((layer, i) => {
    const text = layerText(layer, terminal);
    return i < route.layers.length - 1 ? `${text} ${paint(terminal, "dim", marks.then)}` : text;
  });
  const lines = wrap(words, terminal.columns, first, " ".repeat(width + 4));
  if (options.evidence) {
    for (const layer of route.layers) {
      for (const evidence of layer.evidence) {
        const text = `${layer.name}: ${evidenceText(evidence)}`;
        lines.push(...wrapText(text, terminal.columns, "      ", "        ").map((l) => paint(terminal, "dim", l)));
      }
    }
  }
  return lines;
}

function layerText(layer: Layer, terminal: Terminal): string {
  const marks = marksOf(terminal);
  const [mark, colour] = (
    {
      ok: [marks.ok, "green"],
      missing: [marks.bad, "red"],
      faulty: [marks.bad, "red"],
      unknown: [marks.unknown, "yellow"],
      unneeded: [marks.unneeded, "dim"],
    } as const
  )[layer.status];
  const open = { open: marks.open, closed: marks.closed, mixed: marks.mixed, none: "", unknown: "" }[layer.openness];
  const is = layer.status === "unneeded" ? `no ${layer.name}` : shorten(harmless(layer.is));
  const name = layer.name === "silicon" ? "silicon" : is;
  return `${paint(terminal, colour, mark)} ${name}${open === "" ? "" : ` ${paint(terminal, "dim", open)}`}`;
}

/** Long lists (twelve firmware files) would hide the chain; evidence and --json have them whole. */
function shorten(text: string): string {
  const [first, ...rest] = text.split(/, | or /);
  if (first === undefined || rest.length === 0) return text;
  return text.length <= 36 ? text : `${first} +${rest.length}`;
}

export function evidenceText(evidence: Evidence): string {
  return "seen" in evidence ? `${evidence.seen}: ${evidence.says}` : `${evidence.known} [${evidence.source}]`;
}

interface Told {
  readonly finding: Finding;
  /** Other devices of which the same holds, each as a line says it. */
  readonly also: readonly string[];
}

/** Four cards with one fault are told once: findings that differ by nothing but the device's name and address. */
function alike(findings: readonly Finding[], report: Report): Told[] {
  const devices = new Map([...report.devices, ...report.dormant].map((device) => [device.id, device]));
  const out = new Map<string, { finding: Finding; also: string[] }>();
  for (const finding of findings) {
    const device = devices.get(finding.device);
    const key = JSON.stringify([finding.rule, finding.severity, finding.says, finding.remedy ?? {}]);
    const same = device === undefined ? key : key.replaceAll(device.name, "").replaceAll(device.address, "");
    const first = out.get(same);
    if (first === undefined) out.set(same, { finding, also: [] });
    else first.also.push(`${device?.name ?? ""} ${finding.device}`.trim());
  }
  return [...out.values()];
}

function findingsText(findings: readonly Told[], terminal: Terminal, options: TextOptions): string[] {
  const lines = [paint(terminal, "bold", "Findings")];
  const colours = { error: "red", warning: "yellow", note: "blue" } as const;
  const digits = String(findings.length).length;
  findings.forEach(({ finding, also }, i) => {
    const number = String(i + 1).padStart(digits);
    const indent = " ".repeat(digits + 3);
    const head = ` ${number}  ${paint(terminal, colours[finding.severity], finding.severity)} `;
    lines.push(...wrapText(finding.says, terminal.columns, head, indent));
    const meta = `${finding.rule} ${marksOf(terminal).dot} ${finding.device}`;
    lines.push(paint(terminal, "dim", `${indent}${harmless(meta)}`));
    for (const other of also) {
      lines.push(
        ...wrapText(harmless(other), terminal.columns, `${indent}also  `, `${indent}      `).map((line) =>
          paint(terminal, "dim", line),
        ),
      );
    }
    const brief = finding.severity === "note" && !options.evidence;
    for (const evidence of brief ? [] : finding.evidence.slice(0, 3)) {
      if (!("seen" in evidence)) continue;
      const text = wrapText(evidenceText(evidence), terminal.columns, `${indent}seen  `, `${indent}      `);
      lines.push(...text.map((line) => paint(terminal, "dim", line)));
    }
    if (finding.remedy) {
      lines.push(...wrapText(finding.remedy.says, terminal.columns, `${indent}cure  `, `${indent}      `));
      // A command is one line to copy, whatever the width.
      for (const command of finding.remedy.commands ?? []) {
        lines.push(`${indent}      ${paint(terminal, "cyan", `$ ${harmless(command)}`)}`);
      }
      for (const link of brief ? [] : (finding.remedy.links ?? []))
        lines.push(`${indent}      ${paint(terminal, "dim", harmless(link))}`);
    }
  });
  return lines;
}

function blindText(report: Report, terminal: Terminal): string[] {
  const lines = [paint(terminal, "bold", "Not looked at")];
  const reasons = new Map<string, string[]>();
  for (const { path, because } of report.blind) reasons.set(because, [...(reasons.get(because) ?? []), path]);
  for (const [because, paths] of reasons) {
    lines.push(...wrapText(`${paths.join(", ")}: ${because}`, terminal.columns, "  ", "    "));
  }
  return lines;
}

function legend(terminal: Terminal): string {
  const marks = marksOf(terminal);
  const text =
    `${marks.ok} ok  ${marks.bad} missing or faulty  ${marks.unknown} not known  ${marks.unneeded} not needed` +
    `   ${marks.open} open  ${marks.closed} closed  ${marks.mixed} mixed`;
  return paint(terminal, "dim", text);
}
