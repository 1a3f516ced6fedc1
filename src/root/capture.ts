/**
 * A capture: one machine in one JSON file, one path a line, sorted, so that two captures can be compared with diff.
 *
 *     {"format":"accelctl-capture","version":1,"by":"accelctl 0.1.0","redacted":true,
 *     "notes":["..."],
 *     "paths":{
 *     "/dev/accel":{"names":["accel0"]},
 *     "/dev/accel/accel0":{"type":"char","mode":"0660","gid":105,"major":261,"minor":0,"access":true},
 *     "/sys/class/apex":"absent",
 *     ...
 *     }}
 *
 * Of a path there stands what was asked: its stat (type, mode, ...; a plain file of root's with mode 0644 needs none), `names` of a
 * directory, `target` of a link, `text` or `base64` of a file or the kernel log, `slices` of a large one, `access`, `asks`. Where
 * asking gave nothing there is "absent", "denied", "uncaptured" or "malformed", with the reason. A path that does not stand there
 * is `uncaptured`, unless the listing of its directory does and lacks it.
 */

import { utf8 } from "../base/bytes.ts";
import { FileError } from "../base/errors.ts";
import { read, unread, type Reading, type Unread } from "../base/reading.ts";
import { ENTRY_LIMIT, TreeBuilder } from "./memory.ts";
import { isPlain } from "./meta.ts";
import type { Recorded } from "./recording.ts";
import type { Answer, NodeType, Root, RootKind, Stat } from "./root.ts";

export const CAPTURE_FORMAT = "accelctl-capture";
export const CAPTURE_VERSION = 1;
/** Each is looked into for libraries; a person turns on one or two. */
const ENVIRONMENT_LIMIT = 64;

/** "absent", or ["malformed", "EIO"]. */
export type Failure = Unread["state"] | readonly [Unread["state"], string];

export interface CaptureSlice {
  readonly offset: number;
  /** What was asked for; fewer bytes came when the file ended. */
  readonly length: number;
  readonly base64: string;
}

export interface CapturePath {
  readonly type?: NodeType;
  /** Octal, as ls -l users know it. */
  readonly mode?: string;
  readonly uid?: number;
  readonly gid?: number;
  /** Of a file, where the content does not tell it. */
  readonly size?: number;
  readonly major?: number;
  readonly minor?: number;
  readonly names?: readonly string[] | { readonly failed: Failure };
  readonly target?: string;
  readonly text?: string;
  readonly base64?: string;
  readonly failed?: Failure;
  readonly slices?: readonly CaptureSlice[];
  readonly access?: boolean | { readonly failed: Failure };
  /** By question (name, request number, struct, buffers): the struct and buffers that came back, in hexadecimal. */
  readonly asks?: Readonly<Record<string, readonly string[] | { readonly failed: Failure }>>;
}

/** What a capture holds, path by path; a lone failure is that of the name itself. */
export type CapturePaths = ReadonlyMap<string, CapturePath | Failure>;

/** What was recorded, as it will be written. */
export function toCapturePaths(records: ReadonlyMap<string, Recorded>): Map<string, CapturePath | Failure> {
  const paths = new Map<string, CapturePath | Failure>();
  for (const [path, record] of [...records].sort(([a], [b]) => (a < b ? -1 : 1)))
    paths.set(path, toCapturePath(record));
  return withoutImplied(paths);
}

/** Without what a replay would answer anyway: a name its directory's listing lacks, what lies below a failure, ways that were passed. */
export function withoutImplied(paths: CapturePaths): Map<string, CapturePath | Failure> {
  const listings = new Map<string, ReadonlySet<string>>();
  for (const [path, entry] of paths) {
    if (isEntry(entry) && Array.isArray(entry.names)) listings.set(path, new Set(entry.names as readonly string[]));
  }
  const implied = (path: string, entry: Failure): boolean => {
    const why = JSON.stringify(entry);
    for (let child = path; child !== "/"; child = parentOf(child)) {
      const parent = parentOf(child);
      const above = paths.get(parent);
      if (above !== undefined && !isEntry(above)) return JSON.stringify(above) === why;
      const names = listings.get(parent);
      if (names !== undefined) return why === '"absent"' && !names.has(child.slice(child.lastIndexOf("/") + 1));
      if (above !== undefined) return false;
    }
    return false;
  };
  const kept = [...paths].filter(([path, entry]) => isEntry(entry) || !implied(path, entry));
  const parents = new Set<string>();
  for (const [path] of kept) {
    for (let parent = parentOf(path); parent !== "/" && !parents.has(parent); parent = parentOf(parent))
      parents.add(parent);
  }
  const passed = (path: string, entry: CapturePath | Failure): boolean =>
    isEntry(entry) && entry.type === "directory" && Object.keys(entry).length === 1 && parents.has(path);
  return new Map(kept.filter(([path, entry]) => !passed(path, entry)));
}

function parentOf(path: string): string {
  const slash = path.lastIndexOf("/");
  return slash <= 0 ? "/" : path.slice(0, slash);
}

/** More than a failure. */
export function isEntry(entry: CapturePath | Failure): entry is CapturePath {
  return isObject(entry);
}

function toCapturePath(record: Recorded): CapturePath | Failure {
  const { stat, target, names, content, slices, access, answers } = record;
  if (stat !== undefined && stat.state !== "read") return failureOf(stat);
  const entry: { -readonly [Key in keyof CapturePath]: CapturePath[Key] } =
    stat === undefined ? {} : statFields(stat.value);
  if (names !== undefined) entry.names = names.state === "read" ? names.value : { failed: failureOf(names) };
  if (target?.state === "read") entry.target = target.value;
  else if (target !== undefined) entry.failed = failureOf(target);
  if (content !== undefined && content.state !== "read") entry.failed = failureOf(content);
  else if (content !== undefined) {
    Object.assign(entry, contentFields(content.value));
    delete entry.size; // sysfs says 4096 of everything; the content knows
  } else if (slices !== undefined) {
    entry.slices = slices.map(({ offset, length, bytes }) => ({ offset, length, base64: base64(bytes) }));
  }
  if (access !== undefined) entry.access = access.state === "read" ? access.value : { failed: failureOf(access) };
  if (answers !== undefined) {
    entry.asks = Object.fromEntries(
      [...answers]
        .sort()
        .map(([key, answer]) => [
          key,
          answer.state === "read"
            ? [hex(answer.value.struct), ...answer.value.buffers.map(hex)]
            : { failed: failureOf(answer) },
        ]),
    );
  }
  return entry;
}

function statFields(stat: Stat): { -readonly [Key in keyof CapturePath]: CapturePath[Key] } {
  const usual = stat.type === "directory" ? 0o755 : stat.type === "link" ? 0o777 : 0o644;
  return {
    ...(stat.type === "file" ? {} : { type: stat.type }),
    ...(stat.mode === usual ? {} : { mode: stat.mode.toString(8).padStart(4, "0") }),
    ...(stat.uid === 0 ? {} : { uid: stat.uid }),
    ...(stat.gid === 0 ? {} : { gid: stat.gid }),
    ...(stat.type === "file" ? { size: stat.size } : {}),
    ...(stat.major === undefined ? {} : { major: stat.major }),
    ...(stat.minor === undefined ? {} : { minor: stat.minor }),
  };
}

function contentFields(bytes: Uint8Array): { text: string } | { base64: string } {
  const text = utf8(bytes);
  // What is not UTF-8 comes back different, and is then kept byte by byte.
  return Buffer.from(text).equals(bytes) ? { text } : { base64: base64(bytes) };
}

function failureOf(reading: Unread): Failure {
  return reading.why === undefined ? reading.state : [reading.state, reading.why];
}

export interface CaptureHead {
  /** Program and version that wrote it. */
  readonly by: string;
  readonly redacted: boolean;
  /** What was replaced or left out, in sentences. */
  readonly notes: readonly string[];
  /** Python environments that were looked into, and are again when the capture is reviewed. */
  readonly environments?: readonly string[];
}

/** The file's text. Same paths, same bytes. */
export function writeCapture(paths: CapturePaths, head: CaptureHead): string {
  const { by, redacted, notes, environments = [] } = head;
  const first = JSON.stringify({
    format: CAPTURE_FORMAT,
    version: CAPTURE_VERSION,
    by,
    redacted,
    notes,
    ...(environments.length === 0 ? {} : { environments }),
  }).slice(0, -1);
  const lines = [...paths].map(([path, entry]) => `${JSON.stringify(path)}:${JSON.stringify(entry)}`);
  return `${first},\n"paths":{\n${lines.join(",\n")}\n}}\n`;
}

/** Do these bytes start like a capture? Decided by content: a JSON object that names the format first. */
export function isCapture(bytes: Uint8Array): boolean {
  const start = utf8(bytes.subarray(0, 256));
  return /^\s*\{\s*"format"\s*:\s*"accelctl-capture"/.test(start);
}

/**
 * A captured machine as a root. `bytes` are unpacked. Throws FileError for what is no capture, with the path inside it that is
 * wrong. `as` lets a check replay a capture under the kind of the root it was taken from.
 */
export function openCapture(bytes: Uint8Array, name: string, as: RootKind = "capture"): Root {
  const { paths, environments } = parseCapture(bytes, name);
  const builder = new TreeBuilder();
  for (const [path, entry] of Object.entries(paths)) {
    if (!isPlain(path) && path !== "/") throw new FileError(name, `not a path of a machine: ${quote(path)}`);
    addPath(builder, path, entry, (why) => {
      throw new FileError(name, `${quote(path)}: ${why}`);
    });
  }
  const root = builder.build(as, name);
  return environments.length === 0 ? root : { ...root, environments };
}

function parseCapture(bytes: Uint8Array, name: string): { paths: object; environments: readonly string[] } {
  let parsed: unknown;
  try {
    parsed = JSON.parse(utf8(bytes));
  } catch (error) {
    const says = error instanceof Error ? error.message : String(error);
    const at = /position ([0-9]+)/.exec(says)?.[1];
    const cut = /end of JSON|Unterminated/i.test(says);
    throw new FileError(
      name,
      cut ? "capture ends in the middle" : "capture is not JSON",
      cut ? bytes.length : Number(at ?? 0),
    );
  }
  if (!isObject(parsed) || parsed["format"] !== CAPTURE_FORMAT) throw new FileError(name, "not a capture");
  if (parsed["version"] !== CAPTURE_VERSION) {
    throw new FileError(name, `capture version ${quote(parsed["version"])}; this accelctl reads ${CAPTURE_VERSION}`);
  }
  const paths = parsed["paths"];
  if (!isObject(paths)) throw new FileError(name, "capture without paths");
  if (Object.keys(paths).length > ENTRY_LIMIT / 4) throw new FileError(name, "capture with too many paths");
  const environments = parsed["environments"] ?? [];
  if (!Array.isArray(environments) || environments.length > ENVIRONMENT_LIMIT || !environments.every(isPlainPath)) {
    throw new FileError(name, "environments are no list of paths of a machine");
  }
  return { paths, environments };
}

const isPlainPath = (path: unknown): path is string => typeof path === "string" && isPlain(path);

type Fail = (why: string) => never;

function addPath(builder: TreeBuilder, path: string, entry: unknown, fail: Fail): void {
  const failure = toFailure(entry);
  if (failure !== undefined) {
    builder.unknown(path, failure.state, failure.why);
    return;
  }
  if (!isObject(entry)) fail("neither a failure nor an object");
  const stat = toStat(entry, fail);
  addNode(builder, path, entry, stat, fail);
  const { access, asks } = entry;
  if (access !== undefined)
    builder.access(path, typeof access === "boolean" ? read(access, path) : failed(access, path, fail));
  if (asks === undefined) return;
  if (!isObject(asks)) fail("asks is no object");
  for (const [key, answer] of Object.entries(asks)) builder.answerByKey(path, key, toAnswer(answer, path, fail));
}

function addNode(builder: TreeBuilder, path: string, entry: Entry, stat: Stat, fail: Fail): void {
  const { names, target, text, base64: packed, slices } = entry;
  if (stat.type === "directory") {
    if (names === undefined) builder.passage(path, stat);
    else if (Array.isArray(names)) builder.directory(path, stat, toNames(names, fail));
    else {
      const { state, why } = failed(names, path, fail);
      builder.passage(path, stat).fails(path, state, why);
    }
    return;
  }
  if (stat.type === "link") {
    if (typeof target === "string") builder.link(path, target);
    else if (target === undefined) builder.node(path, stat);
    else fail("target is no text");
    return;
  }
  if (typeof text === "string") builder.file(path, text, stat);
  else if (typeof packed === "string") builder.file(path, Buffer.from(packed, "base64"), stat);
  else if (text !== undefined || packed !== undefined) fail("content is no text");
  else builder.node(path, stat);
  if (entry.failed !== undefined) {
    const { state, why } = failed(entry, path, fail);
    builder.fails(path, state, why);
  }
  if (slices === undefined) return;
  if (!Array.isArray(slices)) fail("slices is no list");
  for (const slice of slices as readonly unknown[]) {
    if (!isObject(slice) || typeof slice["base64"] !== "string") fail("slice without bytes");
    const bytes = Buffer.from(slice["base64"], "base64");
    builder.slice(path, count(slice["offset"], fail), count(slice["length"], fail), bytes);
  }
}

type Entry = Readonly<Record<string, unknown>>;

const TYPES: ReadonlySet<unknown> = new Set<NodeType>(["file", "directory", "link", "char", "block", "fifo", "socket"]);
const STATES: ReadonlySet<unknown> = new Set<Unread["state"]>(["absent", "denied", "uncaptured", "malformed"]);

function toStat(entry: Entry, fail: Fail): Stat {
  const type = entry["type"] ?? "file";
  if (!TYPES.has(type)) fail("unknown type");
  const nodeType = type as NodeType; // it is in the set above
  const usual = nodeType === "directory" ? "755" : nodeType === "link" ? "777" : "644";
  const mode = entry["mode"] ?? usual;
  if (typeof mode !== "string" || !/^[0-7]{1,5}$/.test(mode)) fail("mode is not octal");
  const { uid = 0, gid = 0, size, major, minor } = entry;
  const text = entry["text"];
  const packed = entry["base64"];
  const held =
    typeof text === "string" ? Buffer.byteLength(text) : typeof packed === "string" ? base64Length(packed) : 0;
  return {
    type: nodeType,
    mode: Number.parseInt(mode, 8) & 0o7777,
    uid: count(uid, fail),
    gid: count(gid, fail),
    size: size === undefined ? (nodeType === "file" ? held : 0) : count(size, fail),
    ...(major === undefined ? {} : { major: count(major, fail) }),
    ...(minor === undefined ? {} : { minor: count(minor, fail) }),
  };
}

function toNames(names: readonly unknown[], fail: Fail): readonly string[] {
  for (const name of names) {
    if (typeof name !== "string" || name === "" || name === "." || name === ".." || /[/\0]/.test(name))
      fail("not a file's name");
  }
  return names as readonly string[]; // each was checked
}

function toAnswer(answer: unknown, path: string, fail: Fail): Reading<Answer> {
  if (!Array.isArray(answer)) return failed(answer, path, fail);
  const parts = (answer as readonly unknown[]).map((part) => {
    if (typeof part !== "string" || !/^([0-9a-f]{2})*$/.test(part)) return fail("answer is not hexadecimal");
    return Buffer.from(part, "hex");
  });
  const [struct, ...buffers] = parts;
  return struct === undefined ? fail("answer without a struct") : read({ struct, buffers }, path);
}

function failed(entry: unknown, path: string, fail: Fail): Unread {
  const failure = isObject(entry) ? toFailure(entry["failed"]) : undefined;
  return failure === undefined ? fail("neither an answer nor a failure") : unread(failure.state, path, failure.why);
}

function toFailure(value: unknown): { state: Unread["state"]; why: string | undefined } | undefined {
  const parts: readonly unknown[] = Array.isArray(value) ? value : [value];
  const [state, why] = parts;
  if (!STATES.has(state) || !(why === undefined || typeof why === "string")) return undefined;
  return { state: state as Unread["state"], why }; // it is in the set
}

function count(value: unknown, fail: Fail): number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? value : fail("not a count");
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function quote(value: unknown): string {
  if (value === undefined) return "nothing";
  // Lists may be nested deeper than JSON.stringify goes.
  return typeof value === "object" ? "no number" : JSON.stringify(value).slice(0, 200);
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64");
}

function base64Length(text: string): number {
  return Buffer.byteLength(text, "base64");
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("hex");
}
