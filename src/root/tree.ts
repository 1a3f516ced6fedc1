/**
 * Tree: files at exact paths, no link followed; and the one walker that makes a Root of it. The walker resolves links inside the
 * root, component by component as path_resolution(7) says: absolute targets start again at this root, ".." stops at it. So a
 * root made of a directory, an archive or a capture behaves the same, and nothing outside of it can be named.
 */

import { denied, malformed, map, read, uncaptured, unread, type Reading, type Unread } from "../base/reading.ts";
import { utf8 } from "../base/bytes.ts";
import { FILE_LIMIT, type Answer, type Ask, type Root, type RootKind, type Stat } from "./root.ts";

/**
 * Paths are absolute and plain ("/sys/class", "/" for the root): no ".", "..", no doubled or trailing slash, and the walker has
 * seen that each parent is a directory. What is not found is `absent` here or `uncaptured`; `missing` decides for a whole path.
 */
export interface Tree {
  lstat(path: string): Reading<Stat>;
  readlink(path: string): Reading<string>;
  /** Sorted by code unit. */
  readdir(path: string): Reading<readonly string[]>;
  /** A regular file's bytes from `offset`, at most `length`. */
  read(path: string, offset: number, length: number): Reading<Uint8Array>;
  /** Stretches that are held of a file of which the whole is not; only of trees that hold such records. */
  parts?(path: string): readonly { readonly offset: number; readonly length: number }[];
  /** What a lookup of `path` means that found nothing on its way: absent, or uncaptured where nobody looked. */
  missing(path: string): Unread;
  /** The kernel's log, where `path` is the device it is read from; the live machine and records of it. */
  log?(path: string): Reading<Uint8Array>;
  /** Recorded answer to "may this process open it"; only of trees that hold such records. */
  access?(path: string): Reading<boolean>;
  ask?(path: string, ask: Ask): Reading<Answer>;
}

/** As the kernel: more links than this in one path is ELOOP. */
const LINK_LIMIT = 40;
/** As the kernel's PATH_MAX. */
const PATH_LIMIT = 4096;
/** Names kept in the walker's caches before they start anew: a whole sysfs of a large server has some 100,000. */
const CACHE_LIMIT = 250_000;

const trees = new WeakMap<Root, Tree>();

/** The tree behind a root, for recording it; undefined for a root that was not made by `rootOver`. */
export function treeOf(root: Root): Tree | undefined {
  return trees.get(root);
}

/** Let `treeOf` find the tree of a root that answers without the walker (the live machine). */
export function registerTree(root: Root, tree: Tree): void {
  trees.set(root, tree);
}

export function rootOver(tree: Tree, is: { readonly kind: RootKind; readonly name: string }): Root {
  const walker = createWalker(tree);
  const at = <T>(path: string, answer: (real: string) => Reading<T>): Reading<T> => {
    const real = walker.resolve(path, true);
    if (typeof real !== "string") return real;
    return asked(answer(real), path);
  };
  const whole = (path: string): Reading<Uint8Array> =>
    at(path, (real) => {
      const stat = walker.lstat(real);
      if (stat.state !== "read") return stat;
      if (stat.value.type === "char" && KERNEL_LOG.has(real) && tree.log !== undefined) return tree.log(real);
      if (stat.value.type !== "file") return notAFile(path, stat.value);
      if (stat.value.size > FILE_LIMIT) return malformed(path, tooLarge(stat.value.size));
      const bytes = tree.read(real, 0, FILE_LIMIT + 1);
      if (bytes.state === "read" && bytes.value.length > FILE_LIMIT)
        return malformed(path, tooLarge(bytes.value.length));
      return bytes;
    });
  const root: Root = {
    ...is,
    text: (path) => map(whole(path), utf8),
    bytes: whole,
    slice: (path, offset, length) => {
      if (!isCount(offset) || !isCount(length)) return malformed(path, `no such range: ${offset}, ${length}`);
      return at(path, (real) => {
        const stat = walker.lstat(real);
        if (stat.state !== "read") return stat;
        if (stat.value.type !== "file") return notAFile(path, stat.value);
        return tree.read(real, offset, Math.min(length, FILE_LIMIT));
      });
    },
    list: (path) =>
      at(path, (real) => {
        const stat = walker.lstat(real);
        if (stat.state === "read" && stat.value.type !== "directory") return unread("absent", path, "not a directory");
        return tree.readdir(real);
      }),
    link: (path) => {
      const real = walker.resolve(path, false);
      if (typeof real !== "string") return real;
      const stat = walker.lstat(real);
      if (stat.state !== "read") return asked(stat, path);
      if (stat.value.type !== "link") return unread("absent", path, "not a link");
      return asked(tree.readlink(real), path);
    },
    real: (path) => at(path, (real) => read(real, path)),
    stat: (path) => at(path, (real) => walker.lstat(real)),
    access: (path) => at(path, (real) => tree.access?.(real) ?? uncaptured(path, "who may open it was not recorded")),
    ask: (node, ask) => at(node, (real) => tree.ask?.(real, ask) ?? uncaptured(node, `${ask.name} was not asked`)),
  };
  trees.set(root, tree);
  return root;
}

/** A device, and yet read as text: `dmesg` reads it so, and roots that hold a kernel log show it there. */
export const KERNEL_LOG: ReadonlySet<string> = new Set(["/dev/kmsg"]);

interface Walker {
  /** The path with every link resolved (but the last, unless `follow`), or why there is none. */
  resolve(path: string, follow: boolean): string | Unread;
  lstat(real: string): Reading<Stat>;
}

function createWalker(tree: Tree): Walker {
  const stats = new Map<string, Reading<Stat>>();
  const followed = new Map<string, string | Unread>();

  const lstat = (path: string): Reading<Stat> => {
    const kept = stats.get(path);
    if (kept !== undefined) return kept;
    if (stats.size >= CACHE_LIMIT) stats.clear();
    const stat = tree.lstat(path);
    stats.set(path, stat);
    return stat;
  };

  const resolve = (path: string, follow: boolean): string | Unread => {
    if (follow) {
      const kept = followed.get(path);
      if (kept !== undefined) return kept;
    }
    const result = walk(path, follow);
    if (follow) {
      if (followed.size >= CACHE_LIMIT) followed.clear();
      followed.set(path, result);
    }
    return result;
  };

  const walk = (path: string, follow: boolean): string | Unread => {
    if (!path.startsWith("/") || path.includes("\0")) return malformed(path, "not an absolute path");
    if (path.length > PATH_LIMIT) return malformed(path, "path is too long");
    let current = "";
    let todo = path;
    // Most questions are about the neighbours of the last one, so the way to their directory is known.
    const slash = path.lastIndexOf("/");
    const known = slash > 0 ? followed.get(path.slice(0, slash)) : undefined;
    if (typeof known === "string" && isDirectory(lstat(known))) {
      current = known === "/" ? "" : known;
      todo = path.slice(slash);
    }
    let rest = components(todo);
    let links = 0;
    for (let name = rest.pop(); name !== undefined; name = rest.pop()) {
      if (name === ".") continue;
      if (name === "..") {
        current = current.slice(0, Math.max(0, current.lastIndexOf("/")));
        continue;
      }
      const here = `${current}/${name}`;
      const stat = lstat(here);
      if (stat.state !== "read") {
        if (stat.state === "absent" || stat.state === "uncaptured") return asked(tree.missing(spell(here, rest)), path);
        return asked(stat, path);
      }
      const type = stat.value.type;
      if (type === "link" && (follow || rest.length > 0)) {
        if (++links > LINK_LIMIT) return malformed(path, `more than ${LINK_LIMIT} links (ELOOP)`);
        const target = tree.readlink(here);
        if (target.state !== "read") return asked(target, path);
        if (target.value === "" || target.value.length > PATH_LIMIT || target.value.includes("\0")) {
          return malformed(path, "a link on the way has no usable target");
        }
        if (target.value.startsWith("/")) current = "";
        rest = rest.concat(components(target.value));
        if (rest.length > PATH_LIMIT) return malformed(path, "path is too long");
        continue;
      }
      if (type !== "directory" && rest.length > 0) return unread("absent", path, `${here} is no directory`);
      current = here;
    }
    return current === "" ? "/" : current;
  };

  return { resolve, lstat };
}

/** Names of a path, last first. */
function components(path: string): string[] {
  return path
    .split("/")
    .filter((name) => name !== "")
    .reverse();
}

/** The place a lookup was bound for when it found nothing at `here`. */
function spell(here: string, rest: readonly string[]): string {
  if (rest.length === 0 || rest.includes("..")) return here;
  return `${here}/${rest
    .filter((name) => name !== ".")
    .reverse()
    .join("/")}`;
}

function isDirectory(stat: Reading<Stat>): boolean {
  return stat.state === "read" && stat.value.type === "directory";
}

/** A reading speaks of the path that was asked for, not of where its links led. */
function asked<R extends Reading<unknown>>(reading: R, path: string): R {
  return reading.from === path ? reading : { ...reading, from: path };
}

function isCount(n: number): boolean {
  return Number.isSafeInteger(n) && n >= 0;
}

function notAFile(path: string, stat: Stat): Unread {
  return malformed(path, `a ${stat.type}, not a file`);
}

function tooLarge(size: number): string {
  return `${size} bytes, more than the ${FILE_LIMIT} that are read whole`;
}

/** What the kernel's errno says about a question, as a reading. */
export function unreadOf(error: unknown, path: string): Unread {
  const code = error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;
  if (code === undefined) throw error;
  if (code === "ENOENT" || code === "ENOTDIR") return unread("absent", path);
  if (code === "EACCES" || code === "EPERM") return denied(path, code);
  return malformed(path, code);
}
