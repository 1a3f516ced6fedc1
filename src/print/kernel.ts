/** What a kernel could drive, and what changes between two, for people at 80 columns. */

import { valueOf, type Reading } from "../base/reading.ts";
import type { Disagreement } from "../review/catalogue-check.ts";
import type { KernelDiff, ModuleChange } from "../review/kernel-diff.ts";
import { canDrive, type DrivableRoute, type FirmwareAsked, type KernelSide } from "../review/kernel-side.ts";
import { harmless, marksOf, padEnd, paint, wrap, wrapText, type Terminal } from "./terminal.ts";

/** Lines of firmware shown of one driver without --all. */
const FIRMWARE_SHOWN = 12;

interface Driver {
  readonly module: string;
  readonly families: string[];
  readonly routes: DrivableRoute[];
}

export function kernelText(side: KernelSide, terminal: Terminal, options: { readonly all: boolean }): string {
  const arch = valueOf(side.arch);
  const lines = [
    paint(terminal, "bold", `Linux ${harmless(side.release)}`) +
      (arch === undefined ? "" : `, ${harmless(arch)}`) +
      (side.running ? ", running" : ""),
    ...wrapText(place(side.configFrom), terminal.columns, "  configuration  "),
    ...wrapText(place(side.modulesFrom), terminal.columns, "  modules        "),
    ...wrap(
      side.ground.map(({ symbol, value }) => `${symbol}=${value ?? "?"}`),
      terminal.columns,
      "  rests on       ",
    ),
  ];
  const routes = side.routes;
  const can = grouped(routes.filter((route) => canDrive(route.state)));
  const drives = new Set(can.map(({ module }) => module));
  const rest = routes.filter((route) => !canDrive(route.state));
  const inTree = rest.filter((route) => route.origin === "mainline" && !drives.has(route.module));
  section(
    lines,
    terminal,
    "It can drive",
    can.flatMap((driver) => driverLines(driver, terminal, options.all)),
  );
  section(lines, terminal, "Configured off", reasons(inTree, "configured off", terminal));
  section(lines, terminal, "Not part of it", reasons(inTree, "not in this kernel", terminal));
  section(lines, terminal, "Not known", reasons(inTree, "unknown", terminal));
  const outside = grouped(rest.filter((route) => route.origin !== "mainline" && !drives.has(route.module)));
  const told = outside.filter(({ routes: [route] }) => route?.state !== "unknown");
  section(lines, terminal, "From outside the kernel tree, not installed here", listed(told, terminal));
  section(
    lines,
    terminal,
    "From outside the kernel tree; whether they are installed cannot be told",
    listed(
      outside.filter((driver) => !told.includes(driver)),
      terminal,
    ),
  );
  return `${lines.join("\n")}\n`;
}

function driverLines(driver: Driver, terminal: Terminal, all: boolean): string[] {
  const marks = marksOf(terminal);
  const [route] = driver.routes;
  if (route === undefined) return [];
  const fault =
    route.driver.fileMissing === true ||
    route.driver.blocked !== undefined ||
    driver.routes.every((r) => r.driver.needsOff !== undefined);
  const mark = fault ? paint(terminal, "yellow", marks.unknown) : paint(terminal, "green", marks.ok);
  const lines = wrapText(
    `${driver.families.join(", ")}: ${route.state}${route.driver.outOfTree === true ? ", out of tree" : ""}`,
    terminal.columns,
    `  ${mark} ${padEnd(driver.module, 12)} `,
    " ".repeat(17),
  );
  const note = (label: string, text: string) =>
    lines.push(...wrapText(text, terminal.columns, `      ${padEnd(label, 10)} `));
  if (route.driver.fileMissing === true)
    note("file", `${route.driver.file ?? ""}: listed in modules.dep and not there`);
  if (route.driver.blocked !== undefined)
    note("blocked", `${route.driver.blocked.kind} in ${route.driver.blocked.file}`);
  const off = unique(driver.routes.flatMap((r) => r.driver.needsOff ?? []));
  if (off.length > 0) note("needs", `${off.map((symbol) => `CONFIG_${symbol}`).join(", ")}, off in this kernel`);
  if (route.driver.without !== undefined) note("without", `${route.driver.without.join(", ")}: not in this kernel`);
  const claimed = unique(driver.routes.flatMap((r) => (r.claims?.chips ?? []).map((chip) => chip.name)));
  const missing = unique(driver.routes.flatMap((r) => (r.claims?.not ?? []).map((chip) => chip.name)));
  if (claimed.length > 0) note("chips", claimed.join(", "));
  const newer = missing.filter((name) => !claimed.includes(name));
  if (newer.length > 0) note("not these", newer.join(", "));
  lines.push(...firmwareLines(unionOf(driver.routes), terminal, all));
  return lines;
}

/** Names that stand in for each other are one line; so are all beyond the first few. */
function firmwareLines(asked: readonly FirmwareAsked[], terminal: Terminal, all: boolean): string[] {
  if (asked.length === 0) return [];
  const marks = marksOf(terminal);
  const groups = new Map<string, FirmwareAsked[]>();
  for (const name of asked) {
    const key = name.oneOf === undefined ? `=${name.name}` : `|${name.oneOf}`;
    const known = groups.get(key);
    if (known === undefined) groups.set(key, [name]);
    else known.push(name);
  }
  const rows = [...groups.values()].map((names) => {
    const found = names.find((name) => name.files.state === "read");
    const state =
      found !== undefined ? "there" : names.every((name) => name.files.state === "absent") ? "not there" : "not known";
    const text = (found === undefined ? names : [found]).map((name) => name.name).join(" or ");
    return { text, state, known: names.some((name) => name.by !== "module") };
  });
  // What the catalogue names is what accelerators need; a GPU's module names hundreds more.
  const known = rows.filter((row) => row.known);
  const first = known.length > 0 ? known : rows;
  const shown = all ? rows : first.slice(0, FIRMWARE_SHOWN);
  const lines = shown.flatMap(({ text, state }, i) => {
    const mark =
      {
        there: paint(terminal, "green", marks.ok),
        "not there": paint(terminal, "red", marks.bad),
        "not known": marks.unknown,
      }[state] ?? "";
    return wrapText(
      `${text}${state === "there" ? "" : ` ${marks.dot} ${state}`}`,
      terminal.columns,
      `      ${padEnd(i === 0 ? "firmware" : "", 10)} ${mark} `,
      " ".repeat(19),
    );
  });
  if (shown.length < rows.length) {
    const left = rows.filter((row) => !shown.includes(row));
    const counted = ["there", "not there", "not known"].map((state) => ({
      state,
      count: left.filter((row) => row.state === state).length,
    }));
    const text = counted.filter(({ count }) => count > 0).map(({ state, count }) => `${count} ${state}`);
    lines.push(`${" ".repeat(17)}and ${left.length} more: ${text.join(", ")} (--all names them)`);
  }
  return lines;
}

function listed(drivers: readonly Driver[], terminal: Terminal): string[] {
  if (drivers.length === 0) return [];
  const text = drivers.map(({ module, families }) => `${module} (${families.join(", ")})`).join(", ");
  return wrapText(text, terminal.columns, "  ", "  ");
}

/** One line a driver: why this kernel has it not. */
function reasons(routes: readonly DrivableRoute[], state: string, terminal: Terminal): string[] {
  const marks = marksOf(terminal);
  return grouped(routes.filter((route) => route.state === state)).flatMap(({ module, families, routes: [route] }) =>
    wrapText(
      `${families.join(", ")}: ${route?.driver.because ?? route?.state ?? ""}`,
      terminal.columns,
      `  ${state === "unknown" ? marks.unknown : paint(terminal, "red", marks.bad)} ${padEnd(module, 12)} `,
      " ".repeat(17),
    ),
  );
}

export function disagreementsText(found: readonly Disagreement[], side: KernelSide, terminal: Terminal): string {
  if (found.length === 0) return `the catalogue and ${side.release} agree\n`;
  const lines = found.flatMap((entry) => wrapText(`${entry.kind}: ${entry.says}`, terminal.columns, "  ", "    "));
  return `${paint(terminal, "bold", `The catalogue and ${side.release} disagree`)}\n${lines.join("\n")}\n`;
}

export function kernelDiffText(diff: KernelDiff, terminal: Terminal, options: { readonly all: boolean }): string {
  const name = (side: KernelDiff["a"]): string => `${side.release}${side.arch === undefined ? "" : ` (${side.arch})`}`;
  const marks = marksOf(terminal);
  const lines = [paint(terminal, "bold", harmless(`Linux ${name(diff.a)} ${marks.then} ${name(diff.b)}`))];
  const rows = (changes: KernelDiff["drivers"]["gained"]): string[] =>
    changes.flatMap(({ module, families, before, after }) =>
      wrapText(
        `${families.join(", ")}: ${before} ${marks.then} ${after}`,
        terminal.columns,
        `  ${padEnd(module, 12)} `,
      ),
    );
  section(lines, terminal, "Drivers gained", rows(diff.drivers.gained));
  section(lines, terminal, "Drivers lost", rows(diff.drivers.lost));
  section(
    lines,
    terminal,
    "Drivers in another state",
    options.all
      ? rows(diff.drivers.other)
      : rows(diff.drivers.other.filter((change) => change.after !== "unknown" && change.before !== "unknown")),
  );
  section(
    lines,
    terminal,
    "Ids",
    diff.ids.flatMap((change) => changeLines(change, terminal, options.all)),
  );
  section(
    lines,
    terminal,
    "Firmware names",
    diff.firmware.flatMap((change) => changeLines(change, terminal, options.all)),
  );
  if (diff.firmwareUnknown.length > 0) {
    lines.push(
      ...wrapText(
        `${diff.firmwareUnknown.join(", ")}: firmware names of one side cannot be read`,
        terminal.columns,
        "  ",
      ),
    );
  }
  section(
    lines,
    terminal,
    "Configuration",
    diff.symbolsKnown
      ? diff.symbols.map(
          ({ symbol, before, after }) => `  CONFIG_${symbol}: ${harmless(before)} ${marks.then} ${harmless(after)}`,
        )
      : ["  one of the two configurations cannot be read"],
  );
  if (lines.length === 1) lines.push("", "  no difference that accelerators would see");
  return `${lines.join("\n")}\n`;
}

/** Entries of one module's change that are shown without --all. */
const CHANGES_SHOWN = 12;

function changeLines(change: ModuleChange, terminal: Terminal, all: boolean): string[] {
  const signed = [...change.gained.map((entry) => `+${entry}`), ...change.lost.map((entry) => `-${entry}`)];
  const shown = all || signed.length <= CHANGES_SHOWN + 1 ? signed : signed.slice(0, CHANGES_SHOWN);
  const more = signed.length - shown.length;
  return wrap(
    [
      ...shown.map(harmless),
      ...(more > 0 ? [`and ${more} more (+${change.gained.length} -${change.lost.length})`] : []),
    ],
    terminal.columns,
    `  ${padEnd(change.module, 12)} `,
  );
}

function section(lines: string[], terminal: Terminal, title: string, body: readonly string[]): void {
  if (body.length > 0) lines.push("", paint(terminal, "bold", title), ...body);
}

function grouped(routes: readonly DrivableRoute[]): Driver[] {
  const drivers = new Map<string, Driver>();
  for (const route of routes) {
    const known = drivers.get(route.module) ?? { module: route.module, families: [], routes: [] };
    drivers.set(route.module, known);
    if (!known.families.includes(route.familyName)) known.families.push(route.familyName);
    known.routes.push(route);
  }
  return [...drivers.values()].sort((a, b) => (a.module < b.module ? -1 : 1));
}

function unionOf(routes: readonly DrivableRoute[]): readonly FirmwareAsked[] {
  const names = new Map<string, FirmwareAsked>();
  for (const asked of routes.flatMap((route) => route.firmware)) {
    const known = names.get(asked.name);
    if (known === undefined || known.by === "module") names.set(asked.name, asked);
  }
  return [...names.values()];
}

function place(reading: Reading<string>): string {
  return (
    valueOf(reading) ??
    `${reading.state}${reading.state !== "read" && reading.why !== undefined ? `: ${reading.why}` : ""}`
  );
}

const unique = (names: readonly string[]): readonly string[] => [...new Set(names)];
