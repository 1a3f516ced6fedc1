/** The catalogue for people: all families in a table, or one family whole. */

import type { Openness } from "../base/finding.ts";
import { describeSource } from "../base/source.ts";
import type { DriverSpec, Family, Match, RouteSpec } from "../families/family.ts";
import { marksOf, padEnd, paint, wrap, wrapText, type Terminal } from "./terminal.ts";

/** The layers that differ in openness, as four marks. */
const layers = ["kernel", "firmware", "runtime", "compiler"] as const;

export function opennessMark(openness: Openness, terminal: Terminal): string {
  const marks = marksOf(terminal);
  return { open: marks.open, closed: marks.closed, mixed: marks.mixed, none: marks.unneeded, unknown: marks.unknown }[
    openness
  ];
}

export function catalogText(families: readonly Family[], terminal: Terminal): string {
  const ids = Math.max(...families.map((family) => family.id.length));
  const marks = marksOf(terminal);
  const lines = families.map((family) => {
    const open = layers.map((layer) => opennessMark(family.openness[layer], terminal)).join(" ");
    const drivers = [...new Set(family.routes.map((route) => driverWord(route.driver)))].filter((word) => word !== "");
    const first = `${paint(terminal, "bold", padEnd(family.id, ids))}  ${open}  `;
    return wrap(
      [family.name, ...(drivers.length > 0 ? [`(${drivers.join(", ")})`] : [])],
      terminal.columns,
      first,
    ).join("\n");
  });
  const legend = `kernel, firmware, runtime, compiler: ${marks.open} open  ${marks.closed} closed  ${marks.mixed} mixed  ${marks.unneeded} none  ${marks.unknown} not known`;
  return `${[...lines, "", ...wrapText(legend, terminal.columns)].join("\n")}\n`;
}

function driverWord(driver: DriverSpec): string {
  if (driver.module === undefined) return "";
  return driver.since === undefined ? driver.module : `${driver.module} ${driver.since}+`;
}

export function matchWord(match: Match): string {
  switch (match.bus) {
    case "pci": {
      const id = `${match.vendor}:${match.device ?? "*"}`;
      const revisions = match.revisions ? ` rev ${match.revisions.join("/")}` : "";
      const classes = match.classes ? ` class ${match.classes.join("/")}` : "";
      const below = match.below === undefined ? "" : ` below ${match.below}`;
      return `pci ${id}${below}${revisions}${classes}${match.helper ? " (helper)" : ""}${match.virtual ? " (virtual function)" : ""}`;
    }
    case "usb":
      return `usb ${match.id}${match.phase === undefined ? "" : ` (${match.phase})`}`;
    case "of":
      return `${match.compatible}${match.names ? ` as ${match.names.join("/")}@` : ""}${match.hint ? " (SoC only)" : ""}`;
    case "platform":
      return match.modalias;
    case "cpu":
      return match.arch;
  }
}

export function opsWord(ops: number): string {
  const [value, unit] = ops >= 1e15 ? [ops / 1e15, "POPS"] : ops >= 1e12 ? [ops / 1e12, "TOPS"] : [ops / 1e9, "GOPS"];
  return `${Number(value.toFixed(2))} ${unit}`;
}

export function familyText(family: Family, terminal: Terminal): string {
  const { columns } = terminal;
  const lines: string[] = [
    `${paint(terminal, "bold", family.name)} (${family.id}), ${family.vendor}`,
    ...wrapText(family.says, columns),
    "",
    ...wrapText(
      `${family.architecture}; for ${family.use === "both" ? "training and inference" : family.use}; maintained: ${family.maintained}`,
      columns,
    ),
    `openness: ${layers.map((layer) => `${layer} ${family.openness[layer]}`).join(", ")}`,
    ...wrapText(`  ${family.openness.says}`, columns, "  "),
  ];
  lines.push("", paint(terminal, "bold", "Chips"));
  for (const chip of family.chips) {
    const peak = (chip.peak ?? [])
      .map((p) => `${opsWord(p.ops)} ${p.precision}${p.watts ? ` at ${p.watts.value} W` : ""}`)
      .join(", ");
    const facts = [
      peak,
      chip.cores ? `${chip.cores.value} cores` : "",
      chip.memory?.value ?? "",
      chip.watts ? `${chip.watts.value} W` : "",
    ];
    const more = facts.filter((text) => text !== "").join(", ");
    lines.push(...wrapText(`${chip.name}${more === "" ? "" : `: ${more}`}`, columns, "  ", "    "));
    lines.push(
      ...wrap(
        chip.matches.map((m, i) => matchWord(m) + (i < chip.matches.length - 1 ? "," : "")),
        columns,
        "      ",
      ),
    );
  }
  for (const route of family.routes) lines.push("", ...routeLines(route, terminal));
  if ((family.traps ?? []).length > 0) {
    lines.push("", paint(terminal, "bold", "Traps"));
    for (const trap of family.traps ?? []) lines.push(...wrapText(trap, columns, "  - ", "    "));
  }
  lines.push("", paint(terminal, "bold", "Verified"));
  for (const { how, says } of family.verified) lines.push(...wrapText(`${how}: ${says}`, columns, "  ", "    "));
  if ((family.unknown ?? []).length > 0) {
    lines.push("", paint(terminal, "bold", "Not known"), ...wrapText((family.unknown ?? []).join("; "), columns, "  "));
  }
  lines.push("", paint(terminal, "bold", "Sources"));
  for (const source of family.sources) lines.push(...wrapText(describeSource(source), columns, "  ", "    "));
  return `${lines.join("\n")}\n`;
}

function routeLines(route: RouteSpec, terminal: Terminal): string[] {
  const { columns } = terminal;
  const { driver, firmware, node, runtime, delegate } = route;
  const files = [...runtime.libraries, ...(runtime.wheels ?? [])].join(", ");
  const rows: [string, string, Openness][] = [
    ["driver", driverLine(driver), driver.origin === "none" ? "none" : driver.openness],
    [
      "firmware",
      firmware === undefined
        ? "none needed"
        : firmware.files.map((f) => f.path).join(", ") || (firmware.elsewhere ?? "not known"),
      firmware?.openness ?? "none",
    ],
    ["node", node === undefined ? "none" : [...node.paths, ...(node.also ?? [])].join(", "), "none"],
    ["runtime", runtime.name + (files === "" ? "" : ` (${files})`), runtime.openness],
    ["delegate", delegate.name, delegate.openness],
    [
      "models",
      route.models.map((m) => (m.compiler === undefined ? m.format : `${m.format} by ${m.compiler}`)).join(", ") ||
        "not known",
      "none",
    ],
  ];
  const lines = [...wrapText(route.says, columns, `${paint(terminal, "bold", `Route ${route.name}`)}: `, "  ")];
  for (const [name, text, openness] of rows) {
    const mark = openness === "none" ? " " : opennessMark(openness, terminal);
    lines.push(...wrapText(text, columns, `  ${name.padEnd(9)}${mark} `, " ".repeat(13)));
  }
  return lines;
}

function driverLine(driver: DriverSpec): string {
  if (driver.origin === "none") return "none needed";
  if (driver.module === undefined) return `not named, ${driver.origin.replaceAll("-", " ")}`;
  const parts = [driver.module, driver.origin.replaceAll("-", " ")];
  if (driver.since !== undefined) parts.push(`since Linux ${driver.since}`);
  if (driver.until !== undefined) parts.push(`gone in ${driver.until}`);
  if (driver.config) parts.push(`CONFIG_${driver.config.symbol}`);
  if (driver.repository !== undefined) parts.push(driver.repository);
  return parts.join(", ");
}
