/** A model for people: what it is, what goes in and out, what is in it, what it costs, what is wrong with it, where it runs. */

import { bytes, count } from "../base/units.ts";
import { locks } from "../breakages/locks.ts";
import type { ConversionReport, Inspection, LockReport, NoModel, TensorReport } from "../inspect/inspection.ts";
import { relationWords } from "../inspect/relation.ts";
import { harmless, marksOf, padEnd, paint, widthOf, wrap, wrapText, type Paint, type Terminal } from "./terminal.ts";

export interface ModelTextOptions {
  /** Every operator with its count, not the first few. */
  readonly ops?: boolean;
  readonly tensors?: boolean;
}

/** Rows a list shows before it says how many more there are. */
const SHOWN = 8;
const LABEL = 14;
/** Names of tensors and operators can be paths of a training script; what tells them apart is at the end. */
const NAME = 40;

export function modelText(inspection: Inspection, terminal: Terminal, options: ModelTextOptions = {}): string {
  const lines = [...header(inspection, terminal), ...facts(inspection, terminal)];
  if (options.ops === true && inspection.operators.length > 0) lines.push("", ...operatorTable(inspection, terminal));
  if (options.tensors === true) lines.push("", ...tensorTable(inspection, terminal));
  lines.push(...integrityText(inspection, terminal), ...fitText(inspection, terminal));
  return `${lines.join("\n")}\n`;
}

export function noModelText({ file, looks }: NoModel, terminal: Terminal): string {
  const lines = wrapText(`${file.name} is no model: ${looks.says}`, terminal.columns);
  if (looks.cure !== undefined)
    lines.push(...wrapText(looks.cure, terminal.columns, "  ".concat(marksOf(terminal).then, " ")));
  return `${lines.join("\n")}\n`;
}

function header({ file, format }: Inspection, terminal: Terminal): string[] {
  const version = format.version === undefined ? "" : ` ${format.version}`;
  const { dot } = marksOf(terminal);
  const words = [
    ...`${harmless(foldWords(file.name, terminal.columns - 2))} ${dot}`.split(" "),
    `${format.name}${harmless(version)} ${dot}`,
    bytes(file.bytes),
  ];
  return wrap(words, terminal.columns).map((line) => paint(terminal, "bold", line));
}

function facts(inspection: Inspection, terminal: Terminal): string[] {
  const { targets, producer, requires, quantization, labels, needs, unseen, metadata, sections } = inspection;
  const lines: string[] = [];
  const add = (name: string, text: string): void => {
    const head = `  ${paint(terminal, "dim", padEnd(harmless(name), LABEL))}`;
    if (text !== "") lines.push(...wrapText(foldWords(text, terminal.columns - LABEL - 2), terminal.columns, head));
  };
  for (const target of targets) {
    const known = [target.family, target.chip].filter((part) => part !== undefined).join(", ");
    add("compiled for", known === "" || known === target.says ? target.says : `${target.says} (${known})`);
  }
  if (producer !== undefined)
    add("made by", [producer.name, producer.version].filter((part) => part !== undefined).join(" "));
  for (const { what, relation, version } of requires) {
    const name = locks.find((lock) => lock.id === what)?.left.name ?? what;
    if (relation === "built by") add("built by", `${name} ${version}`);
    else add("requires", `${name} ${relationWords({ relation, version })}`);
  }
  if (inspection.description !== undefined) add("says", clip(inspection.description, 240));
  tensorLines(inspection.inputs, "in").forEach(([name, text]) => add(name, text));
  tensorLines(inspection.outputs, "out").forEach(([name, text]) => add(name, text));
  add("operators", operatorsLine(inspection));
  if (quantization !== undefined) add("quantised", quantization.says);
  add("costs", costLine(inspection));
  const kinds = new Map<string, number>();
  for (const section of sections) kinds.set(section.kind, (kinds.get(section.kind) ?? 0) + section.bytes);
  const held = [...kinds].filter(([, size]) => size > 0);
  if (held.length > 1) add("holds", held.map(([kind, size]) => `${bytes(size)} ${kind}`).join(", "));
  if (labels !== undefined && labels.length > 0)
    add("labels", `${labels.length}: ${labels.slice(0, 6).join(", ")}${labels.length > 6 ? ", ..." : ""}`);
  if (inspection.author !== undefined) add("author", clip(inspection.author, 160));
  if (inspection.licence !== undefined) add("licence", clip(inspection.licence, 160));
  const told = Object.entries(metadata).filter(([, value]) => value.trim() !== "");
  for (const [at, [key, value]] of told.slice(0, SHOWN).entries()) {
    add(at === 0 ? "in its words" : "", `${clip(harmless(key), 60)}: ${clip(value, 160)}`);
  }
  const more = told.length - SHOWN;
  if (more > 0) add("", `and ${counted(more, "more key")} (--json)`);
  if (needs.length > 0) add("needs", needs.slice(0, SHOWN).join(", "));
  for (const what of unseen) add("not seen", what);
  if (inspection.format.checked === 0)
    add("careful", "this format is read from documents alone; no real file was at hand to check the reader");
  return lines;
}

function tensorLines(tensors: readonly TensorReport[], name: string): [string, string][] {
  const rows = tensors.slice(0, SHOWN).map((tensor): [string, string] => [name, tensorWords(tensor)]);
  if (tensors.length > SHOWN) rows.push(["", `and ${tensors.length - SHOWN} more (--json)`]);
  return rows;
}

export function tensorWords(tensor: TensorReport): string {
  const name = tensor.name === "" ? "(no name)" : clipStart(tensor.name, NAME);
  return [name, tensor.type, shapeWords(tensor.shape), quantizationWords(tensor)]
    .filter((part) => part !== "")
    .join(" ");
}

export const shapeWords = (shape: TensorReport["shape"]): string =>
  shape === null ? "[?]" : `[${shape.map((dimension) => harmless(String(dimension ?? "?"))).join(", ")}]`;

function quantizationWords({ quantization }: TensorReport): string {
  if (quantization === undefined) return "";
  const { scale, zeroPoint, axis, scheme } = quantization;
  if (scale.length === 0) return scheme ?? "";
  if (scale.length > 1) return `${scale.length} scales along dimension ${axis ?? "?"}`;
  const zero = zeroPoint[0];
  return `scale ${number(scale[0] ?? 0)}${zero === undefined ? "" : `, zero point ${zero}`}`;
}

const number = (value: number): string => String(Number(value.toPrecision(6)));

function operatorsLine({ operators, graphs }: Inspection): string {
  if (operators.length === 0) return "";
  const total = operators.reduce((sum, row) => sum + row.count, 0);
  const told = operators.slice(0, SHOWN).map((row) => `${row.op ?? cut(row.spelled, NAME)} ${row.count}`);
  const rest = operators.length - SHOWN;
  const more = rest > 0 ? `, and ${rest} ${rest === 1 ? "kind" : "kinds"} more (--ops)` : "";
  const where = graphs.length > 1 ? ` in ${graphs.length} graphs` : "";
  return `${total}${where}: ${told.join(", ")}${more}`;
}

const counted = (many: number, what: string): string => `${many} ${what}${many === 1 ? "" : "s"}`;

function costLine({ cost }: Inspection): string {
  const peak = cost.peak_activation_bytes ?? 0;
  const macs =
    cost.macs !== undefined
      ? cost.macs === 0
        ? ""
        : `${count(cost.macs)} MACs${cost.assumes === undefined ? "" : ` (${cost.assumes})`}`
      : cost.macs_at_least !== undefined
        ? `at least ${count(cost.macs_at_least)} MACs (${counted(cost.open + cost.custom, "operator")} cannot be told)`
        : cost.open > 0
          ? `MACs not known: shapes are open`
          : "";
  const types =
    cost.weights.length > 1
      ? ` (${cost.weights
          .slice(0, 3)
          .map((row) => `${row.type} ${bytes(row.bytes)}`)
          .join(", ")})`
      : "";
  return [
    macs,
    cost.parameters === undefined ? "" : cost.parameters === 1 ? "1 parameter" : `${count(cost.parameters)} parameters`,
    cost.weight_bytes === undefined ? "" : `${bytes(cost.weight_bytes)} of weights${types}`,
    // Strings have no size to tell.
    peak > 0 ? `${bytes(peak)} of activations at most` : "",
  ]
    .filter((part) => part !== "")
    .join(", ");
}

/** Shared name, the file's own, how many, MACs. */
function operatorTable({ operators }: Inspection, terminal: Terminal): string[] {
  const rows = operators.map((row) => [
    String(row.count),
    row.op ?? "-",
    harmless(cut(row.domain === undefined ? row.spelled : `${row.domain}.${row.spelled}`, NAME)),
    row.macs === undefined ? "" : `${count(row.macs)} MACs`,
  ]);
  return table(["", "operator", "in the file", ""], rows, terminal, [true]);
}

function tensorTable({ tensors = [], graphs }: Inspection, terminal: Terminal): string[] {
  const rows = tensors.map((tensor) => [
    ...(graphs.length > 1 ? [String(tensor.graph)] : []),
    harmless(clipStart(tensor.name, NAME)),
    harmless(tensor.type),
    shapeWords(tensor.shape),
    tensor.data === undefined ? "" : bytes(tensor.data.bytes),
    harmless(quantizationWords(tensor)),
  ]);
  return table([...(graphs.length > 1 ? ["graph"] : []), "tensor", "type", "shape", "data", ""], rows, terminal);
}

function table(
  heads: readonly string[],
  rows: readonly (readonly string[])[],
  terminal: Terminal,
  right: readonly boolean[] = [],
): string[] {
  const widths = heads.map((head, i) =>
    rows.reduce((most, row) => Math.max(most, widthOf(row[i] ?? "")), widthOf(head)),
  );
  const line = (cells: readonly string[]): string =>
    `  ${cells.map((cell, i) => (right[i] === true ? cell.padStart(widths[i] ?? 0) : padEnd(cell, widths[i] ?? 0))).join("  ")}`.trimEnd();
  return [paint(terminal, "dim", line(heads)), ...rows.map(line)];
}

const tones: Readonly<Record<string, Paint>> = { error: "red", warning: "yellow", note: "blue" };

function integrityText({ integrity }: Inspection, terminal: Terminal): string[] {
  if (integrity.length === 0) return [];
  // What does no harm is no fault.
  const head = integrity.every(({ severity }) => severity === "note")
    ? "Noticed in the file"
    : "What is wrong with the file";
  const lines = ["", paint(terminal, "bold", head)];
  for (const { severity, says, rule, offset } of integrity) {
    const mark = `  ${paint(terminal, tones[severity] ?? "blue", severity)} `;
    const where = offset === undefined ? "" : ` at 0x${offset.toString(16)}`;
    lines.push(...wrapText(`${says} (${rule}${where})`, terminal.columns, mark, "    "));
  }
  return lines;
}

function fitText({ machine }: Inspection, terminal: Terminal): string[] {
  if (machine === undefined) return [];
  const marks = marksOf(terminal);
  const lines = ["", paint(terminal, "bold", "On this machine")];
  if (machine.devices.length === 0) lines.push("  no accelerator seen");
  for (const device of machine.devices) {
    const [mark, tone] = (
      {
        yes: [marks.ok, "green"],
        no: [marks.bad, "red"],
        unknown: [marks.unknown, "yellow"],
        convert: [marks.then, "cyan"],
      } as const
    )[device.fits];
    lines.push(...wrapText(`${device.name}: ${device.says}`, terminal.columns, `  ${paint(terminal, tone, mark)} `));
  }
  for (const lock of machine.locks) lines.push(...lockText(lock, terminal));
  const { named } = machine;
  if (named !== undefined) {
    const asked = named.chip === undefined ? named.family : `${named.family} ${named.chip}`;
    lines.push("", ...wrapText(`For ${asked}: ${named.says}`, terminal.columns, "  "));
  }
  for (const conversion of machine.conversions) lines.push("", ...conversionLines(conversion, terminal));
  return lines;
}

/** By which tool a model becomes what a device takes, what the tool wants of it, and what to type. */
export function conversionLines(conversion: ConversionReport, terminal: Terminal): string[] {
  const marks = marksOf(terminal);
  const lines = wrapText(
    `For ${conversion.family}, as ${conversion.to}: ${conversion.tool} (${conversion.openness})`,
    terminal.columns,
    "  ",
  );
  for (const { what, met, says } of conversion.needs) {
    const mark = { yes: marks.ok, no: marks.bad, unknown: marks.unknown }[met];
    lines.push(...wrapText(`${what}: ${says}`, terminal.columns, `    ${mark} `));
  }
  // To be copied: never broken over lines.
  for (const command of conversion.commands) lines.push(`    ${paint(terminal, "cyan", harmless(command))}`);
  for (const source of conversion.sources)
    lines.push(...wrapText(source, terminal.columns, `    ${paint(terminal, "dim", "source")} `));
  return lines;
}

function lockText(lock: LockReport, terminal: Terminal): string[] {
  const marks = marksOf(terminal);
  const [mark, tone] = (
    { fits: [marks.ok, "green"], broken: [marks.bad, "red"], unknown: [marks.unknown, "yellow"] } as const
  )[lock.state];
  const lines = wrapText(lock.says, terminal.columns, `  ${paint(terminal, tone, mark)} `);
  if (lock.state === "broken" && lock.source !== undefined)
    lines.push(...wrapText(lock.source, terminal.columns, `    ${paint(terminal, "dim", "source")} `));
  return lines;
}

/** Words longer than a line (hashes, base64) are broken where the line ends. */
const foldWords = (text: string, room: number): string =>
  text.replace(/\S+/g, (word) =>
    word.length <= room ? word : (word.match(new RegExp(`.{1,${room}}`, "gsu")) ?? []).join(" "),
  );

const cut = (text: string, room: number): string => (text.length <= room ? text : `${text.slice(0, room - 1)}…`);
const clip = (text: string, room: number): string => cut(text.replace(/\s+/g, " ").trim(), room);
/** Long names keep their end. */
const clipStart = (text: string, room: number): string =>
  text.length <= room ? text : `…${text.slice(text.length - room + 1)}`;
