/**
 * The `meta/` folder of a machine kept as a plain tree (archive or directory): device nodes, kernel log, which modules and firmware
 * files existed, which attributes refused to be read. Such a tree is a chosen part of a machine, so this also states which parts
 * were taken whole; elsewhere what is missing is `uncaptured`.
 *
 *     meta/dev               type|mode(octal)|uid|gid|major(hex)|minor(hex)|path[|target]   or   letter mode uid gid major minor path
 *     meta/dmesg, uname      as printed
 *     meta/ko-present, firmware-present, unreadable      one path a line; unreadable: with a tab and the error, or cp's own words
 *     meta/etc/...           files of /etc
 */

import { utf8 } from "../base/bytes.ts";
import { valueOf, type Unread } from "../base/reading.ts";
import { row } from "../base/table.ts";
import { TreeBuilder } from "./memory.ts";
import { FILE_LIMIT, type NodeType, type Stat } from "./root.ts";
import type { Tree } from "./tree.ts";

/** What such trees leave out or take only in part, longest prefix first to read. README of the captured machines */
const GAPS: readonly string[] = [
  "/",
  "/sys",
  "/sys/bus",
  "/sys/devices/system",
  "/sys/devices/LNXSYSTM:00",
  "/sys/firmware",
].concat([
  "/sys/kernel",
  "/sys/kernel/debug",
  "/proc",
  "/proc/sys",
  "/proc/sys/kernel",
  "/proc/bus",
  "/etc",
  "/lib",
  "/boot",
]);
const COVERED: readonly string[] = ["auxiliary", "faux", "mhi", "pci", "platform", "usb"]
  .map((bus) => `/sys/bus/${bus}`)
  .concat(["/proc/device-tree", "/proc/bus/pci", "/proc/modules", "/sys/firmware/devicetree"]);

/** A machine's tree on disk, read into memory; contents stay where they are until asked for. */
export function overlayMeta(disk: Tree): Tree {
  const builder = new TreeBuilder();
  const pending = ["/"];
  for (let directory = pending.pop(); directory !== undefined; directory = pending.pop()) {
    const names = disk.readdir(directory);
    if (names.state !== "read") {
      builder.fails(directory, names.state, names.why);
      continue;
    }
    for (const name of names.value) {
      const path = directory === "/" ? `/${name}` : `${directory}/${name}`;
      const stat = disk.lstat(path);
      if (stat.state !== "read") continue;
      addFromDisk(builder, disk, path, stat.value);
      if (stat.value.type === "directory") pending.push(path);
    }
  }
  addMeta(builder);
  return builder.tree();
}

function addFromDisk(builder: TreeBuilder, disk: Tree, path: string, stat: Stat): void {
  if (stat.type === "directory") builder.directory(path, stat);
  else if (stat.type === "file") builder.file(path, () => disk.read(path, 0, FILE_LIMIT + 1), stat);
  else if (stat.type === "link") {
    const target = disk.readlink(path);
    if (target.state === "read") builder.link(path, target.value);
    else builder.unknown(path, target.state, target.why);
  } else builder.node(path, stat);
}

/** Does this tree have a `meta/` as described above? */
export function hasMeta(builder: TreeBuilder): boolean {
  return builder.has("/meta/dev");
}

/** Turn what `meta/` says into files, nodes and failures, and state what was taken whole. */
export function addMeta(builder: TreeBuilder): void {
  const tree = builder.tree();
  const text = (name: string): string | undefined => {
    const bytes = valueOf(tree.read(`/meta/${name}`, 0, FILE_LIMIT));
    return bytes && utf8(bytes);
  };
  const lines = (name: string): readonly string[] | undefined =>
    text(name)
      ?.split("\n")
      .map(trimEnd)
      .filter((line) => line !== "");

  builder.covers("/"); // while meta/ itself is read
  addNodes(builder, lines("dev") ?? []);
  const log = text("dmesg");
  if (log !== undefined) {
    const ring = valueOf(tree.lstat("/dev/kmsg"));
    builder.file("/dev/kmsg", log, { type: "char", mode: 0o644, major: 1, minor: 11, ...ring, size: 0 });
    builder.file("/var/log/dmesg", log);
  }
  const uname = text("uname");
  if (uname !== undefined && !builder.has("/proc/sys/kernel/osrelease")) {
    const release = uname.split(" ")[2];
    if (release !== undefined) builder.file("/proc/sys/kernel/osrelease", `${release}\n`);
  }
  for (const [name, whole] of [
    ["ko-present", "/lib/modules"],
    ["firmware-present", "/lib/firmware"],
  ] as const) {
    const present = lines(name);
    if (present === undefined) continue;
    builder.directory(whole).covers(whole);
    for (const path of present) if (isPlain(path) && !builder.has(path)) builder.present(path);
  }
  copy(builder, tree, "/meta/etc", "/etc");
  addUnreadable(builder, tree, lines("unreadable") ?? []);

  for (const prefix of GAPS) builder.gap(prefix);
  for (const prefix of COVERED) builder.covers(prefix);
}

const TYPES: Readonly<Record<string, NodeType>> = {
  "character special file": "char",
  "block special file": "block",
  directory: "directory",
  "symbolic link": "link",
  "regular file": "file",
  "regular empty file": "file",
  fifo: "fifo",
  socket: "socket",
  c: "char",
  b: "block",
  d: "directory",
  l: "link",
  f: "file",
  "-": "file",
  p: "fifo",
  s: "socket",
};

function addNodes(builder: TreeBuilder, lines: readonly string[]): void {
  if (lines.length > 0) builder.directory("/dev").covers("/dev");
  for (const line of lines) {
    // Numbers of devices are hexadecimal in the first shape and decimal in the second.
    const bars = line.includes("|");
    const [word = "", mode = "", uid = "", gid = "", major = "", minor = "", ...rest] = line.split(
      bars ? "|" : /[ \t]+/,
    );
    const type = row(TYPES, word.trim());
    let path = bars ? rest[0] : rest.join(" ");
    let target = bars ? rest.slice(1).join("|") : "";
    const arrow = path?.indexOf(" -> ") ?? -1;
    if (path !== undefined && target === "" && arrow > 0)
      [path, target] = [path.slice(0, arrow), path.slice(arrow + 4)];
    if (type === undefined || path === undefined || !isPlain(path) || !(path === "/dev" || path.startsWith("/dev/")))
      continue;
    const owner = { mode: number(mode, 8) & 0o7777, uid: number(uid, 10), gid: number(gid, 10) };
    if (type === "directory") builder.directory(path, owner);
    else if (type === "link") {
      if (target !== "") builder.link(path, target);
    } else if (type === "char" || type === "block") {
      const radix = bars ? 16 : 10;
      builder.node(path, { type, ...owner, major: number(major, radix), minor: number(minor, radix) });
    } else builder.node(path, { type, ...owner });
  }
}

function addUnreadable(builder: TreeBuilder, tree: Tree, lines: readonly string[]): void {
  const named: { path: string; why: string }[] = [];
  let nameless: string | undefined;
  for (const line of lines) {
    const [before = "", after] = line.split("\t");
    const said = after ?? before;
    const [, quoted, spelled] = PATH_SAID.exec(said) ?? [];
    const path = after === undefined ? (quoted ?? spelled) : before;
    const why = /: ([^:]+?)\s*$/.exec(said)?.[1] ?? said.trim();
    if (path === undefined) nameless ??= why;
    else if (isPlain(path) && why !== "No such file or directory") named.push({ path, why });
  }
  if (nameless !== undefined) {
    // Copying made an empty file and then failed, without saying where. Only `uevent` is empty by nature.
    for (const path of emptyAttributes(tree, "/sys/devices")) {
      builder.fails(path, "malformed", `empty; while copying, some files said: ${nameless}`);
    }
  }
  for (const { path, why } of named) builder.fails(path, stateOf(why), why);
}

/** "cp: can't open '/sys/x': Permission denied", "head: /sys/x: Input/output error" */
const PATH_SAID = /'(\/[^']+)'|^[a-z]+: (\/[^:]+(?::[^ /:][^:]*)*): /;

function emptyAttributes(tree: Tree, top: string): string[] {
  const found: string[] = [];
  const pending = [top];
  for (let directory = pending.pop(); directory !== undefined; directory = pending.pop()) {
    for (const name of valueOf(tree.readdir(directory)) ?? []) {
      const path = `${directory}/${name}`;
      const stat = valueOf(tree.lstat(path));
      if (stat?.type === "directory") pending.push(path);
      else if (stat?.type === "file" && stat.size === 0 && name !== "uevent") found.push(path);
    }
  }
  return found;
}

function copy(builder: TreeBuilder, tree: Tree, from: string, to: string): void {
  const stat = valueOf(tree.lstat(from));
  if (stat?.type === "file") {
    builder.file(to, () => tree.read(from, 0, FILE_LIMIT + 1), stat);
  } else if (stat?.type === "link") {
    const target = valueOf(tree.readlink(from));
    if (target !== undefined) builder.link(to, target);
  } else if (stat?.type === "directory") {
    // /etc itself was taken in part, the folders in it whole.
    if (to !== "/etc") builder.directory(to, stat);
    for (const name of valueOf(tree.readdir(from)) ?? []) copy(builder, tree, `${from}/${name}`, `${to}/${name}`);
  }
}

function stateOf(why: string): Unread["state"] {
  return why === "Permission denied" || why === "Operation not permitted" ? "denied" : "malformed";
}

/** An absolute path without ".", ".." or doubled slashes. */
export function isPlain(path: string): boolean {
  return path.startsWith("/") && path.length <= 4096 && !/\/(\.{0,2})(\/|$)/.test(path) && !path.includes("\0");
}

function number(text: string, radix: number): number {
  const value = Number.parseInt(text, radix);
  return Number.isSafeInteger(value) && value >= 0 ? value : 0;
}

function trimEnd(line: string): string {
  return line.trimEnd();
}
