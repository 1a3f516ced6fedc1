/** What a board's device tree says, for people: one block per accelerator, and the overlay that turns on what is off. */

import { valueOf } from "../base/reading.ts";
import type { Board, BoardAccelerator, BoardDriver, Expected } from "../devices/board.ts";
import { harmless, marksOf, padEnd, paint, wrapText, type Terminal } from "./terminal.ts";

export function boardText(file: string, board: Board, terminal: Terminal): string {
  const title = harmless(valueOf(board.model) ?? board.compatible[0] ?? "device tree without a model");
  const lines = [
    paint(terminal, "bold", title),
    paint(terminal, "dim", `  ${[file, ...board.compatible].map(harmless).join("  ")}`),
    ...board.accelerators.flatMap((accelerator) => acceleratorLines(accelerator, terminal)),
    ...board.expected.flatMap((expected) => expectedLines(expected, terminal)),
  ];
  if (board.accelerators.length === 0 && board.expected.length === 0)
    lines.push("  no accelerator known to the catalogue");
  return `${lines.join("\n")}\n`;
}

function acceleratorLines(accelerator: BoardAccelerator, terminal: Terminal): string[] {
  const { family, chip, nodes, off } = accelerator;
  const marks = marksOf(terminal);
  const some = nodes.some(({ enabled }) => enabled);
  const mark = some ? paint(terminal, "green", marks.ok) : paint(terminal, "red", marks.bad);
  const wide = Math.max(...nodes.map(({ path }) => path.length));
  const lines = [`  ${mark} ${paint(terminal, "bold", chip.name)}  ${family.id}`];
  for (const { path, status, enabled, address } of nodes) {
    const word = enabled ? status : status === "okay" || status === "ok" ? "off, for a node above is" : status;
    lines.push(
      `      ${padEnd(harmless(path), wide)}  ${harmless(word || '""')}  ${enabled ? harmless(address) : ""}`.trimEnd(),
    );
  }
  lines.push(...driverLines(accelerator.drivers, terminal));
  if (off === undefined) return lines;
  const [missing] = off.missing;
  if (missing !== undefined) {
    const properties = [...new Set(off.missing.map(({ property }) => property))].join(" and ");
    lines.push(...warning(`it lacks ${properties}: the board's regulators, required by ${missing.binding}`, terminal));
  }
  if (off.doubtful)
    lines.push(...warning("not every SoC of this line has the core: see the datasheet first", terminal));
  const how = `to turn ${some ? "the rest" : "it"} on, an overlay (dtc -@ -I dts -O dtb, then fdtoverlay or the boot loader):`;
  lines.push(...wrapText(how, terminal.columns, "      "));
  lines.push(
    "",
    ...off.overlay
      .trimEnd()
      .split("\n")
      .map((line) => `        ${sourceLine(line)}`.trimEnd()),
  );
  return lines;
}

function expectedLines({ chip, family, because, drivers }: Expected, terminal: Terminal): string[] {
  const mark = paint(terminal, "yellow", marksOf(terminal).unknown);
  return [
    `  ${mark} ${paint(terminal, "bold", chip.name)}  ${family.id}`,
    ...wrapText(
      because.startsWith("/")
        ? `${because} says that the SoC has one; no driver of the catalogue takes that node`
        : `${because} says that the SoC has one; this tree has no node for it, so no driver will find it`,
      terminal.columns,
      "      ",
    ),
    ...driverLines(drivers, terminal),
  ];
}

function driverLines(drivers: readonly BoardDriver[], terminal: Terminal): string[] {
  if (drivers.length === 0) return ["      no public driver takes it"];
  return drivers.flatMap(({ route, driver }) =>
    wrapText(
      `${driver.module ?? ""}: ${driverWords(driver)}; route ${route.name}: ${route.says}`,
      terminal.columns,
      "      driver ",
      "        ",
    ),
  );
}

function driverWords(driver: BoardDriver["driver"]): string {
  const since = driver.since === undefined ? "" : ` since ${driver.since}`;
  const until = driver.until === undefined ? "" : ` until ${driver.until}`;
  const symbol = driver.config === undefined ? "" : ` (CONFIG_${driver.config.symbol})`;
  const where = {
    mainline: "mainline",
    "out-of-tree": "out of tree",
    "vendor-kernel": "the vendor's kernel",
    none: "",
  };
  return `${where[driver.origin]}${since}${until}${symbol}`;
}

const warning = (text: string, terminal: Terminal): string[] => wrapText(text, terminal.columns, "      ! ");

// Indentation of the overlay's source stays; a tab is two columns here.
function sourceLine(line: string): string {
  const indent = /^\t*/.exec(line)?.[0].length ?? 0;
  return "  ".repeat(indent) + harmless(line.slice(indent));
}
