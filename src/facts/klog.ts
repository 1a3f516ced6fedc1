/**
 * The kernel log: /dev/kmsg cannot be read without leave, so also saved logs, and whatever form people paste one in.
 * Documentation/ABI/testing/dev-kmsg, dmesg(1), journalctl(1) "Output Options", systemd's JOURNAL_EXPORT_FORMATS
 */

import { absent, denied, read, type Reading } from "../base/reading.ts";
import type { Root } from "../root/root.ts";

export interface LogLine {
  /** Seconds since boot; undefined when the log has no stamps of that kind (dmesg -T and syslog write dates). */
  readonly seconds: number | undefined;
  /** Without stamp, level and journal prefix: "intel_vpu 0000:00:0b.0: [drm] ..." */
  readonly text: string;
  /** 1-based, in the file it came from. */
  readonly number: number;
  /** Syslog severity, 0 (emergency) to 7 (debug), when the log says it. */
  readonly level?: number;
}

/** A full log buffer is some 10,000 lines; a log that floods is kept where it says most: the boot and the latest. */
const HEAD_LINES = 5_000;
const TAIL_LINES = 15_000;
/** A record is at most 2 KiB in the kernel; pasted lines that are no records may be longer. */
const LINE_LIMIT = 16 * 1024;
/** A record of a device has two lines of properties. */
const RECORD_LINES = 3;
/** An entry of a journal export is some 20 to 30 lines. */
const EXPORT_LINES = 30;

/** Live: syslog(2) through /dev/kmsg when allowed, else /var/log/dmesg or kern.log. Captures: what was recorded. */
export function readKernelLog(root: Root): Reading<readonly LogLine[]> {
  const kmsg = root.text("/dev/kmsg");
  if (kmsg.state === "read") return read(parseKernelLog(kmsg.value), kmsg.from);
  const running = root.text("/proc/sys/kernel/osrelease");
  let closed = kmsg.state === "denied";
  for (const path of ["/var/log/dmesg", "/var/log/kern.log"]) {
    const saved = root.text(path);
    if (saved.state === "denied") closed = true;
    if (saved.state !== "read") continue;
    const lines = lastBoot(parseKernelLog(saved.value));
    // A file left over from another kernel says nothing about this one.
    if (running.state === "read" && bootedRelease(lines) !== running.value.trim()) continue;
    if (lines.length > 0) return read(lines, saved.from);
  }
  if (kmsg.state === "uncaptured" || kmsg.state === "malformed") return kmsg;
  return closed ? denied("/dev/kmsg", "this user may not read the kernel log") : absent("/dev/kmsg", kmsg.why);
}

/** kern.log runs over many boots; each begins with the kernel's banner. */
function lastBoot(lines: LogLine[]): LogLine[] {
  const start = lines.findLastIndex((line) => BANNER.test(line.text));
  return start > 0 ? lines.slice(start) : lines;
}

function bootedRelease(lines: readonly LogLine[]): string | undefined {
  for (const line of lines.slice(0, 20)) {
    const banner = BANNER.exec(line.text);
    if (banner) return banner[1];
  }
  return undefined;
}

const BANNER = /^Linux version (\S{1,80}) /;

/** dmesg (with or without -T, -x, stamps), journalctl -k (short, export, json), kmsg records, syslog: one line each, prefix removed. */
export function parseKernelLog(text: string): LogLine[] {
  if (/^__CURSOR=|^__(REALTIME|MONOTONIC)_TIMESTAMP=/m.test(text)) return parseJournalExport(text);
  const lines: LogLine[] = [];
  const perEntry = KMSG.test(text) ? RECORD_LINES : 1;
  let inRecord = false;
  const visit = (raw: string, number: number): void => {
    // What follows a kmsg record and begins with a blank are its properties: SUBSYSTEM=, DEVICE=.
    if (inRecord && raw.startsWith(" ") && /^ [A-Z_0-9]{1,64}=/.test(raw)) return;
    const line = raw.includes("\x1b") ? raw.replace(/\x1b\[[0-9;]{0,16}m/g, "") : raw;
    const record = parseKmsg(line);
    inRecord = record !== undefined;
    const parsed = record ?? parseJournalJson(line) ?? parsePrefixed(line);
    if (parsed.text.trim() !== "") lines.push(logLine(parsed, number));
  };
  eachLine(text, visit, perEntry);
  return lines;
}

interface Parsed {
  readonly seconds?: number | undefined;
  readonly level?: number | undefined;
  readonly text: string;
}

function logLine(parsed: Parsed, number: number): LogLine {
  const line = { seconds: parsed.seconds, text: parsed.text, number };
  return parsed.level === undefined ? line : { ...line, level: parsed.level & 7 };
}

const KMSG = /^(\d{1,6}),\d{1,20},(\d{1,15}),[^;\n]{1,80};([^\n]*)$/m;

/** "6,339,5140900,-;text": priority, sequence, microseconds, flags. Unprintable bytes come as \x0a. */
function parseKmsg(line: string): Parsed | undefined {
  const match = KMSG.exec(line);
  if (!match) return undefined;
  const said = match[3] ?? "";
  const text = said.includes("\\x")
    ? said.replace(/\\x([0-9a-f]{2})/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)))
    : said;
  return { level: Number(match[1]), seconds: Number(match[2]) / 1e6, text };
}

const LEVELS = ["emerg", "alert", "crit", "err", "warn", "notice", "info", "debug"];
/** dmesg -x: facility and level in words, "kern  :info  : ". */
const DECODED =
  /^(?:kern|user|mail|daemon|auth|syslog|lpr|news|uucp|cron|authpriv|ftp|local[0-7]|res[0-9]) {0,8}:(emerg|alert|crit|err|warn|notice|info|debug) {0,8}: /;
/** "[    5.512969] ", dmesg -d "[    5.512969 <    0.000010>] "; a caller ("[   T1]") may follow. */
const STAMP = /^\[ {0,8}(\d{1,10}\.\d{1,9})(?: < {0,12}\d{1,10}\.\d{1,9}>)?\](?: ?\[ {0,8}[TC]\d{1,9}\])? ?/;
/** dmesg -T "[Tue Mar  5 10:11:12 2024] ", -e "[Mar 5 10:11] " and "[  +0.000007] ", --time-format=iso. */
const DATE =
  /^(?:\[[^\s[\]]{1,12} [^\s[\]]{1,12} {1,2}\d{1,2} \d\d:\d\d:\d\d \d{4}\] |\[[^\s[\]]{1,12} {1,2}\d{1,2} \d\d:\d\d\] |\[ {0,8}\+\d{1,8}\.\d{1,9}\] |\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d,\d{1,9}(?:Z|[+-]\d\d:\d\d) )/;
/** Syslog and journalctl: a date in one of five forms, perhaps a host, and the kernel as the one who speaks. */
const JOURNAL =
  /^(?:\S{1,12} {1,2}\d{1,2} \d\d:\d\d:\d\d(?:\.\d{1,9})?|(?:[A-Z][a-z]{2} )?\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?: ?(?:Z|[+-]\d\d:?\d\d)| [A-Z]{1,5})?|\d{9,11}\.\d{6}) (?:\S{1,255} )?kernel(?:\[\d{1,10}\])?: /;
/** After a stamp: journalctl -o short-monotonic and Ubuntu's /var/log/dmesg. */
const SPEAKER = /^(?:[^\s:[\]]{1,255} )?kernel: /;

/** A line of text with whatever stands before the message taken off; a line without any of it stays whole. */
function parsePrefixed(line: string): Parsed {
  let rest = line.trimStart();
  let level: number | undefined;
  let seconds: number | undefined;
  const take = (pattern: RegExp): RegExpExecArray | null => {
    const match = pattern.exec(rest);
    if (match) rest = rest.slice(match[0].length);
    return match;
  };
  const raw = take(/^<(\d{1,3})>/);
  take(JOURNAL);
  const inner = take(/^<(\d{1,3})>/) ?? raw;
  if (inner) level = Number(inner[1]);
  const decoded = take(DECODED);
  if (decoded) level = LEVELS.indexOf(decoded[1] ?? "");
  const stamp = take(STAMP);
  if (stamp) {
    seconds = Number(stamp[1]);
    take(SPEAKER);
  } else {
    take(DATE);
  }
  return rest.length === line.trimStart().length ? { text: line } : { seconds, level, text: rest };
}

/** journalctl -o json: an object per line; MESSAGE is an array of bytes when it is not UTF-8. */
function parseJournalJson(line: string): Parsed | undefined {
  if (!line.startsWith("{") || !line.includes('"MESSAGE"')) return undefined;
  try {
    const entry = JSON.parse(line) as Record<string, unknown>; // a JSON text that starts with "{" is an object
    const message = Array.isArray(entry.MESSAGE) ? Buffer.from(entry.MESSAGE as number[]).toString() : entry.MESSAGE;
    if (typeof message !== "string") return undefined;
    if (typeof entry._TRANSPORT === "string" && entry._TRANSPORT !== "kernel") return { text: "" };
    return {
      text: message,
      level: typeof entry.PRIORITY === "string" ? number(entry.PRIORITY) : undefined,
      seconds: microseconds(entry._SOURCE_MONOTONIC_TIMESTAMP) ?? microseconds(entry.__MONOTONIC_TIMESTAMP),
    };
  } catch (error) {
    if (error instanceof SyntaxError) return undefined; // a line that only begins like JSON
    throw error;
  }
}

/** Entries are blocks of KEY=value parted by an empty line. Only the kernel's own are kept. */
function parseJournalExport(text: string): LogLine[] {
  const lines: LogLine[] = [];
  let entry = new Map<string, string>();
  let at = 0;
  const finish = (): void => {
    const message = entry.get("MESSAGE");
    const transport = entry.get("_TRANSPORT");
    if (message !== undefined && message.trim() !== "" && (transport === undefined || transport === "kernel")) {
      const seconds =
        microseconds(entry.get("_SOURCE_MONOTONIC_TIMESTAMP")) ?? microseconds(entry.get("__MONOTONIC_TIMESTAMP"));
      lines.push(logLine({ seconds, level: number(entry.get("PRIORITY")), text: message }, at));
    }
    entry = new Map();
  };
  // A value that is not plain text comes as KEY, newline, its length in 8 bytes, the bytes. Text has already lost the
  // bytes above 127 of that length, so such a value ends where the next key or the entry's end is.
  let binary: string | undefined;
  eachLine(
    text,
    (line, number) => {
      const field = /^([A-Z_][A-Z0-9_]{0,63})(=|$)/.exec(line);
      const key = field?.[1];
      if (binary !== undefined && key === undefined && line !== "") {
        const before = entry.get(binary);
        entry.set(binary, before === undefined ? line.slice(8) : `${before}\n${line}`.slice(0, LINE_LIMIT));
        return;
      }
      binary = undefined;
      if (line === "") return finish();
      if (key === undefined) return;
      if (key === "MESSAGE") at = number;
      if (field?.[2] === "=") entry.set(key, line.slice(key.length + 1));
      else binary = key;
    },
    EXPORT_LINES,
  );
  finish();
  return lines;
}

function number(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

function microseconds(value: unknown): number | undefined {
  const count = typeof value === "string" ? number(value) : undefined;
  return count === undefined ? undefined : count / 1e6;
}

/** The first and last lines of a text without a copy of what lies between. */
function eachLine(text: string, visit: (line: string, number: number) => void, perEntry = 1): void {
  const head = HEAD_LINES * perEntry;
  let tail = text.endsWith("\n") ? text.length - 1 : text.length;
  for (let i = 0; i < TAIL_LINES * perEntry && tail > 0; i++) tail = text.lastIndexOf("\n", tail - 1);
  let number = 0;
  let at = 0;
  while (at < text.length) {
    if (number === head && tail > at) {
      for (; at <= tail; at++) if (text.charCodeAt(at) === 10) number++;
      if (at >= text.length) return;
    }
    const newline = text.indexOf("\n", at);
    const end = newline < 0 ? text.length : newline;
    const stop = text.charCodeAt(end - 1) === 13 && end > at ? end - 1 : end;
    visit(text.slice(at, Math.min(stop, at + LINE_LIMIT)), ++number);
    at = end + 1;
  }
}
