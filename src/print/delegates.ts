/** The delegates of a machine for people: what is found, what to install, what was seen. */

import type { Found, Manual, Seen } from "../delegates/delegate.ts";
import { bytes } from "../base/units.ts";
import { twoColumns } from "./usage.ts";
import { harmless, marksOf, paint, wrapText, type Terminal } from "./terminal.ts";

export interface DelegateReport {
  readonly id: string;
  readonly name: string;
  /** Ids of model formats. */
  readonly formats: readonly string[];
  /** Words for --device, and those of them that this machine has. */
  readonly devices: readonly string[];
  readonly here: readonly string[];
  readonly verified: string;
  /** Its library; or where none was found. */
  readonly found?: Found;
  readonly missing?: { readonly from: string; readonly why?: string };
  /** The command that brings its library. */
  readonly cure?: string;
  readonly manual?: Manual;
  /** What the library said that it sees, or why it did not; only when asked. */
  readonly seen?: readonly Seen[];
  readonly failed?: string;
}

/** `whole`: with options and how it was verified. */
export function delegatesText(reports: readonly DelegateReport[], terminal: Terminal, whole: boolean): string {
  return `${reports.flatMap((report, at) => [...(at === 0 ? [] : [""]), ...lines(report, terminal, whole)]).join("\n")}\n`;
}

function lines(report: DelegateReport, terminal: Terminal, whole: boolean): string[] {
  const { id, name, formats, devices, here, found, missing, cure, manual, seen, failed } = report;
  const { ok, unneeded, dot } = marksOf(terminal);
  const mark = found === undefined ? paint(terminal, "dim", unneeded) : paint(terminal, "green", ok);
  const out = [`${mark} ${paint(terminal, "bold", id)}  ${name}${version(found)}`];
  const add = (text: string, head = "  "): void => void out.push(...wrapText(harmless(text), terminal.columns, head));
  if (found !== undefined) add(`${found.library}${found.embedded === true ? " (embedded: may run in-process)" : ""}`);
  if (missing !== undefined) {
    add(`not found: ${missing.from}${missing.why === undefined ? "" : ` (${missing.why})`}`);
  }
  add(`formats ${formats.join(", ")}`);
  const elsewhere = devices.filter((device) => !here.includes(device));
  add(
    [
      ...(here.length === 0 ? [] : [`here ${here.join(", ")}`]),
      ...(elsewhere.length === 0 ? [] : [`also for ${elsewhere.join(", ")}`]),
    ].join(` ${dot} `),
  );
  if (!whole && found === undefined && cure !== undefined) out.push(`  $ ${cure}`);
  for (const { command, brings } of whole ? (manual?.install ?? []) : []) {
    out.push(`  $ ${command}`);
    add(brings, "      ");
  }
  if (whole && manual !== undefined) {
    const rows = [
      ...(manual.library === undefined ? [] : [["--library FILE", manual.library] as const]),
      ...(manual.plugin === undefined ? [] : [["--plugin FILE", manual.plugin] as const]),
      ...(manual.options ?? []).map(({ name, says }) => [`--option ${name === "*" ? "KEY" : name}`, says] as const),
    ];
    out.push(...twoColumns(rows, terminal));
  }
  if (whole) add(`verified: ${report.verified}`);
  for (const device of seen ?? []) add(seenWords(device), `  ${ok} `);
  if (seen?.length === 0) add("its library sees no device");
  if (failed !== undefined) add(failed, `  ${marksOf(terminal).bad} `);
  return out;
}

const version = (found: Found | undefined): string =>
  found?.version === undefined ? "" : ` ${harmless(found.version)}`;

function seenWords({ id, name, device, memory_bytes: memory, facts = {} }: Seen): string {
  const more = [
    ...(device === undefined ? [] : [`--device ${device}`]),
    ...(memory === undefined ? [] : [bytes(memory)]),
    ...Object.entries(facts).map(([key, value]) => `${key} ${value}`),
  ];
  return `${id}: ${name}${more.length === 0 ? "" : ` (${more.join(", ")})`}`;
}
