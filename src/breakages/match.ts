/**
 * Holds lines against the signatures: `matchLog` a kernel log against what the kernel prints, `matchLines` any text against all.
 * Lines are first asked for the literals every signature must hold (prefilter.ts), so a log of 20,000 lines takes milliseconds.
 */

import type { LogLine } from "../facts/klog.ts";
import type { Breakage } from "./breakage.ts";
import { breakages } from "./index.ts";
import { createPrefilter, type Prefilter } from "./prefilter.ts";

export interface LogMatch {
  readonly breakage: Breakage;
  /** Number of the first line that matched, as the log counts. */
  readonly line: number;
  /** That line, without stamp. */
  readonly text: string;
  /** PCI address with domain (0000:00:0b.0), platform device (fdab0000.npu) or remoteprocN named in the line. */
  readonly address?: string;
  /** How many lines matched for the same address. */
  readonly count: number;
  /** Number of a later line in which a driver says that it initialised this very address: the trouble is over. */
  readonly recovered?: number;
  /** Number of the last line that matched. */
  readonly last: number;
  /** Length of what matched: a longer wording is a surer one. */
  readonly length: number;
}

/** Longest part of a line that expressions look at. Messages about accelerators are under 300 characters. */
const LINE_LIMIT = 512;
/** Characters that expressions may have looked at before a log counts as hostile and lines are cut shorter still. */
const WORK_LIMIT = 2_000_000;
const HOSTILE_LINE_LIMIT = 160;
/** Most different (breakage, address) pairs kept: a log that holds more is not one machine's. */
const MATCH_LIMIT = 4096;

/** Breakages a kernel log shows, in the order of their first line, one entry for each address. */
export function matchLog(lines: readonly LogLine[]): LogMatch[] {
  return match(lines, logIndex());
}

/** As `matchLog`, for any text: program output, build logs. */
export function matchLines(lines: readonly LogLine[]): LogMatch[] {
  return match(lines, allIndex());
}

interface Index {
  readonly entries: readonly { readonly breakage: Breakage; readonly like: RegExp }[];
  /** Per literal: positions in `entries`. */
  readonly of: readonly (readonly number[])[];
  readonly prefilter: Prefilter;
}

let forLog: Index | undefined;
let forAll: Index | undefined;
const logIndex = (): Index => (forLog ??= createIndex(breakages.filter((b) => b.visible.includes("log"))));
const allIndex = (): Index => (forAll ??= createIndex(breakages));

function createIndex(from: readonly Breakage[]): Index {
  const entries = from.flatMap((breakage) => breakage.patterns.map(({ has, like }) => ({ breakage, has, like })));
  const of = new Map<string, number[]>([[INITIALISED, [UP]]]);
  for (const [position, { has }] of entries.entries()) {
    for (const literal of has) of.set(literal, [...(of.get(literal) ?? []), position]);
  }
  return { entries, of: [...of.values()], prefilter: createPrefilter([...of.keys()]) };
}

/** Stands among the positions of entries for the lines by which drivers say that a device is up. */
const UP = -1;
const INITIALISED = "initialized ";
const up = /initialized \S+ .*for (\S+) on minor \d+/i;

function match(lines: readonly LogLine[], { entries, of, prefilter }: Index): LogMatch[] {
  const found = new Map<string, Mutable>();
  const alive = new Map<string, number>();
  const wanted = new Set<number>();
  let work = 0;
  const hit = (literal: number): void => {
    for (const position of of[literal] ?? []) wanted.add(position);
  };
  for (const line of lines) {
    const limit = work > WORK_LIMIT ? HOSTILE_LINE_LIMIT : LINE_LIMIT;
    const text = line.text.length > limit ? line.text.slice(0, limit) : line.text;
    prefilter(text, hit);
    if (wanted.delete(UP)) {
      const address = up.exec(text)?.[1];
      if (address !== undefined) alive.set(address, line.number);
    }
    if (wanted.size === 0) continue;
    work += wanted.size * text.length;
    const seen = new Map<Breakage, number>();
    for (const position of wanted) {
      const entry = entries[position];
      const length = entry?.like.exec(text)?.[0].length;
      if (entry !== undefined && length !== undefined) {
        seen.set(entry.breakage, Math.max(length, seen.get(entry.breakage) ?? 0));
      }
    }
    wanted.clear();
    if (seen.size === 0) continue;
    const address = addressIn(text);
    for (const [breakage, length] of seen) note(found, breakage, line, address, length);
  }
  const matches = [...found.values()].map(({ address, ...rest }) => {
    const recovered = address === undefined ? undefined : alive.get(address);
    return {
      ...rest,
      ...(address === undefined ? {} : { address }),
      ...(recovered === undefined || recovered <= rest.last ? {} : { recovered }),
    };
  });
  return matches.filter((m) => !explainedAway(m, matches));
}

type Mutable = { -readonly [K in keyof Omit<LogMatch, "address" | "recovered">]: LogMatch[K] } & {
  address: string | undefined;
};

function note(
  found: Map<string, Mutable>,
  breakage: Breakage,
  line: LogLine,
  address: string | undefined,
  length: number,
): void {
  const key = `${breakage.id} ${address ?? ""}`;
  const before = found.get(key);
  if (before !== undefined) {
    before.count++;
    before.last = line.number;
  } else if (found.size < MATCH_LIMIT) {
    found.set(key, { breakage, line: line.number, text: line.text, address, count: 1, last: line.number, length });
  }
}

function explainedAway(
  one: { breakage: Breakage; address?: string },
  all: readonly { breakage: Breakage; address?: string }[],
) {
  const { unless } = one.breakage;
  return (
    unless !== undefined &&
    all.some(
      (other) =>
        unless.includes(other.breakage.id) &&
        (other.address === undefined || one.address === undefined || other.address === one.address),
    )
  );
}

const pciAddress = /\b([0-9a-f]{4,8}:)([0-9a-f]{2}:[0-9a-f]{2})(\.[0-7])?\b/i;
const platformDevice = /\b[0-9a-f]{5,16}\.[a-z][\w-]{1,40}\b/i;
const remoteProcessor = /\bremoteproc\d{1,3}\b/;

/** The device a log line speaks about. NVIDIA's Xid lines leave the function out: it is 0. */
export function addressIn(text: string): string | undefined {
  const pci = pciAddress.exec(text);
  if (pci !== null) return `${pci[1] ?? ""}${pci[2] ?? ""}${pci[3] ?? ".0"}`.toLowerCase();
  return platformDevice.exec(text)?.[0] ?? remoteProcessor.exec(text)?.[0];
}
