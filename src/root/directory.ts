/**
 * Roots on a file system: the live machine, and a mounted image or unpacked tree. Both only read. Files are opened without
 * blocking and without becoming a terminal's owner, and only when they are regular: opening a FIFO waits, opening a device acts.
 */

import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  fstatSync,
  lstatSync,
  openSync,
  readdirSync,
  readlinkSync,
  readSync,
  realpathSync,
  statSync,
  type Stats,
} from "node:fs";

import { absent, chain, denied, malformed, map, read, uncaptured, type Reading } from "../base/reading.ts";
import { utf8 } from "../base/bytes.ts";
import { CannotError } from "../base/errors.ts";
import { withCoverage } from "./coverage.ts";
import { overlayMeta } from "./meta.ts";
import { FILE_LIMIT, type Answer, type Ask, type NodeType, type Root, type Stat } from "./root.ts";
import { KERNEL_LOG, registerTree, rootOver, unreadOf, type Tree } from "./tree.ts";

const OPEN = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY;
/** Reading it takes the log away from whoever else waits for it. proc_kmsg(5) */
const NEVER_READ: ReadonlySet<string> = new Set(["/proc/kmsg"]);
/** First buffer: sysfs says 4096 for every attribute and /proc says 0, and neither is meant. */
const FIRST_READ = 16 * 1024;

/** How the live root puts a question to a driver; given by the caller so that this file needs no native code. */
export type Asker = (node: string, ask: Ask) => Reading<Answer>;

/** This machine. The kernel resolves links, so this root is as fast as node:fs. */
export function openLive(asker?: Asker): Root {
  const statOf = (path: string): Reading<Stat> =>
    attempt(path, () => {
      const stats = statSync(path, { throwIfNoEntry: false });
      return stats === undefined ? absent(path) : read(toStat(stats), path);
    });
  const content = (path: string, offset: number, length: number, limit: number): Reading<Uint8Array> => {
    const stat = statOf(path);
    if (stat.state !== "read") return stat;
    if (stat.value.type !== "file") {
      return KERNEL_LOG.has(path) && offset === 0 ? readKernelRing(path, stat.value) : notAFile(path, stat.value.type);
    }
    return readFile(path, path, offset, length, limit, 0);
  };
  const root: Root = {
    kind: "live",
    name: "this machine",
    text: (path) => map(content(path, 0, FILE_LIMIT, FILE_LIMIT), utf8),
    bytes: (path) => content(path, 0, FILE_LIMIT, FILE_LIMIT),
    slice: (path, offset, length) =>
      Number.isSafeInteger(offset) && offset >= 0 && length >= 0
        ? content(path, offset, Math.min(length, FILE_LIMIT), Infinity)
        : malformed(path, `no such range: ${offset}, ${length}`),
    list: (path) => {
      const stat = statOf(path);
      if (stat.state !== "read") return stat;
      if (stat.value.type !== "directory") return absent(path, "not a directory");
      return attempt(path, () => read(readdirSync(path).sort(), path));
    },
    link: (path) =>
      attempt(path, () => {
        const stats = lstatSync(path, { throwIfNoEntry: false });
        if (stats === undefined) return absent(path);
        return stats.isSymbolicLink() ? read(readlinkSync(path), path) : absent(path, "not a link");
      }),
    real: (path) =>
      attempt(path, () =>
        lstatSync(path, { throwIfNoEntry: false }) === undefined ? absent(path) : read(realpathSync.native(path), path),
      ),
    stat: statOf,
    access: mayOpen,
    ask: (node, ask) => asker?.(node, ask) ?? uncaptured(node, "this build asks no drivers"),
  };
  const log = (path: string): Reading<Uint8Array> => chain(statOf(path), (stat) => readKernelRing(path, stat));
  const tree: Tree = { ...plainTree(""), log, access: mayOpen, ask: (node, ask) => root.ask(node, ask) };
  registerTree(root, tree);
  return root;
}

/** A mounted image or an unpacked tree. Nothing outside of it is read, whatever its links say. */
export function openDirectory(directory: string): Root {
  let base: string;
  try {
    base = realpathSync.native(directory);
    if (!statSync(base).isDirectory()) throw new CannotError(`${directory}: not a directory`);
  } catch (error) {
    if (error instanceof CannotError) throw error;
    throw new CannotError(`${directory}: ${unreadOf(error, directory).why ?? "no such directory"}`, { cause: error });
  }
  const tree = plainTree(base === "/" ? "" : base);
  const covered = existsSync(`${base}/meta/dev`) ? overlayMeta(tree) : withCoverage(tree);
  return rootOver(covered, { kind: "directory", name: directory });
}

function plainTree(base: string): Tree {
  const at = (path: string): string => (path === "/" ? base || "/" : base + path);
  return {
    lstat: (path) =>
      attempt(path, () => {
        const stats = lstatSync(at(path), { throwIfNoEntry: false });
        return stats === undefined ? absent(path) : read(toStat(stats), path);
      }),
    readlink: (path) => attempt(path, () => read(readlinkSync(at(path)), path)),
    readdir: (path) => attempt(path, () => read(readdirSync(at(path)).sort(), path)),
    read: (path, offset, length) => readFile(at(path), path, offset, length, Infinity, constants.O_NOFOLLOW),
    missing: (path) => absent(path),
  };
}

/** Runs a question and turns the kernel's refusal into a reading. */
function attempt<T>(path: string, question: () => Reading<T>): Reading<T> {
  try {
    return question();
  } catch (error) {
    return unreadOf(error, path);
  }
}

function mayOpen(path: string): Reading<boolean> {
  try {
    accessSync(path, constants.R_OK | constants.W_OK);
    return read(true, path);
  } catch (error) {
    const why = unreadOf(error, path);
    // EROFS and the like: no, for a reason other than permission. ENOENT is not an answer about permission.
    return why.state === "absent" ? why : read(false, path);
  }
}

function readFile(
  full: string,
  path: string,
  offset: number,
  length: number,
  limit: number,
  flags: number,
): Reading<Uint8Array> {
  if (NEVER_READ.has(path)) return denied(path, "never read: reading takes it from others");
  return attempt(path, () => {
    const fd = openSync(full, OPEN | flags);
    try {
      const stats = fstatSync(fd);
      if (!stats.isFile()) return notAFile(path, toStat(stats).type);
      if (stats.size > limit) return malformed(path, `${stats.size} bytes, more than the ${limit} that are read whole`);
      return readAll(fd, path, offset, length, stats.size);
    } finally {
      closeSync(fd);
    }
  });
}

/** Most files are small: they are read here and copied out, so that a kept attribute does not keep a whole buffer. */
let scratch: Buffer | undefined;

/** Reads until the end says so, in buffers that grow: stat's size is only a hint. */
function readAll(fd: number, path: string, offset: number, length: number, hint: number): Reading<Uint8Array> {
  const small = hint - offset < FIRST_READ;
  let buffer = small
    ? (scratch ??= Buffer.allocUnsafe(FIRST_READ))
    : Buffer.allocUnsafe(Math.min(length, hint - offset + 1));
  let filled = 0;
  while (filled < length) {
    if (filled === buffer.length) {
      const grown = Buffer.allocUnsafe(Math.min(length, buffer.length * 2));
      buffer.copy(grown);
      buffer = grown;
    }
    // null: from where the last read ended. Some /proc files cannot be read at a position.
    const position = offset > 0 ? offset + filled : null;
    const got = readSync(fd, buffer, filled, Math.min(buffer.length, length) - filled, position);
    if (got === 0) break;
    filled += got;
  }
  return read(buffer === scratch ? Buffer.from(buffer.subarray(0, filled)) : buffer.subarray(0, filled), path);
}

/** Bytes of log that are kept: the largest ring buffer a distribution configures is 2 MiB (CONFIG_LOG_BUF_SHIFT 21) per text. */
const KERNEL_LOG_LIMIT = 16 * 1024 * 1024;
/** A record with its dictionary is at most 8 KiB (CONSOLE_EXT_LOG_MAX); a smaller buffer gives EINVAL. */
const RECORD_LIMIT = 8192;

/** /dev/kmsg: one record a read, EAGAIN at the end, EPIPE where records were overwritten. Documentation/ABI/testing/dev-kmsg */
function readKernelRing(path: string, stat: Stat): Reading<Uint8Array> {
  // Containers put /dev/null or a console in its place.
  if (stat.type !== "char" || stat.major !== 1 || stat.minor !== 11) return notAFile(path, stat.type);
  return attempt(path, () => {
    const fd = openSync(path, OPEN);
    const records: Buffer[] = [];
    let total = 0;
    try {
      const buffer = Buffer.allocUnsafe(RECORD_LIMIT);
      while (total < KERNEL_LOG_LIMIT) {
        let got: number;
        try {
          got = readSync(fd, buffer, 0, RECORD_LIMIT, null);
        } catch (error) {
          const code = error instanceof Error && "code" in error ? error.code : undefined;
          if (code === "EPIPE") continue;
          if (code === "EAGAIN") break;
          throw error;
        }
        if (got === 0) break;
        records.push(Buffer.from(buffer.subarray(0, got)));
        total += got;
      }
    } finally {
      closeSync(fd);
    }
    return read(Buffer.concat(records), path);
  });
}

function notAFile(path: string, type: NodeType): Reading<never> {
  return malformed(path, `a ${type}, not a file`);
}

function toStat(stats: Stats): Stat {
  const type = typeOf(stats);
  const common = { type, mode: stats.mode & 0o7777, uid: stats.uid, gid: stats.gid, size: stats.size };
  if (type !== "char" && type !== "block") return common;
  // As glibc's gnu_dev_major and gnu_dev_minor split a 64-bit number.
  const low = stats.rdev >>> 0;
  const high = Math.floor(stats.rdev / 0x1_0000_0000);
  return {
    ...common,
    major: ((low >>> 8) & 0xfff) | (high & ~0xfff),
    minor: (low & 0xff) | ((low >>> 12) & 0xfff00),
  };
}

function typeOf(stats: Stats): NodeType {
  if (stats.isFile()) return "file";
  if (stats.isDirectory()) return "directory";
  if (stats.isSymbolicLink()) return "link";
  if (stats.isCharacterDevice()) return "char";
  if (stats.isBlockDevice()) return "block";
  return stats.isFIFO() ? "fifo" : "socket";
}
