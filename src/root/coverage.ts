/**
 * What a missing file means in a tree that somebody copied or mounted: was it not there on the machine, or did nobody copy it?
 *
 * A running kernel always offers certain names (every kernel has a bus `platform` and a class `mem`). Where such a witness stands,
 * the directory was taken whole, and what is not in it was `absent`; where it is missing, the tree was picked over, and what is not
 * in it is `uncaptured`. A mounted image has empty /sys, /proc and /dev, or a few static nodes: all of it uncaptured. On disk, a
 * top-level directory that is empty or not there was not mounted or not copied, unless the tree is plainly a whole system.
 */

import { utf8 } from "../base/bytes.ts";
import { absent, uncaptured, type Reading, type Unread } from "../base/reading.ts";
import { FILE_LIMIT } from "./root.ts";
import type { Tree } from "./tree.ts";

/** Directories the kernel makes, each with names it always has; longest first. */
const WITNESSES: readonly { readonly below: string; readonly has: readonly string[] }[] = [
  { below: "/sys/class", has: ["mem", "misc"] },
  { below: "/sys/bus", has: ["platform"] },
  { below: "/sys/module", has: ["kernel"] },
  { below: "/sys/devices", has: ["virtual", "platform"] },
  { below: "/sys", has: ["bus", "class", "devices", "module", "kernel", "firmware", "block"] },
  { below: "/proc", has: ["devices", "misc", "filesystems", "version", "cmdline"] },
];

/** Under a complete /proc and still not told by it: sysctls and processes are the first that a copy leaves out. */
const NEVER_PROVED = /^\/proc\/(sys|self|thread-self|[0-9]+)(\/|$)/;

/** Made by the running kernel or by what runs on it; never on a disk. */
const VOLATILE: ReadonlySet<string> = new Set(["/sys", "/proc", "/dev", "/run"]);

/** A PCI function's own directory: it always has `uevent`, so one without was copied in part. */
const PCI_FUNCTION = /^(\/sys\/devices\/.*\/[0-9a-f]{4,8}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7])\/[^/]+$/;

const MODULE = /^((?:\/usr)?\/lib\/modules\/[^/]+)\/(.+\.ko(?:\.(?:xz|zst|gz))?)$/;

/** The tree, with `missing` and the listings of empty mount points judged as said above. `tree` itself answers `absent`. */
export function withCoverage(tree: Tree): Tree {
  const kept = new Map<string, boolean>();
  const once = (key: string, find: () => boolean): boolean => {
    let answer = kept.get(key);
    if (answer === undefined) kept.set(key, (answer = find()));
    return answer;
  };
  const stands = (path: string): boolean => once(path, () => tree.lstat(path).state === "read");
  const filled = (top: string): boolean =>
    once(`${top}/`, () => {
      const stat = tree.lstat(top);
      if (stat.state !== "read") return false;
      if (stat.value.type !== "directory") return true; // /lib is a link in most systems
      const names = tree.readdir(top);
      return names.state !== "read" || names.value.length > 0;
    });
  const wholeSystem = (): boolean =>
    once("", () => ["/usr/lib", "/usr/bin", "/etc/passwd", "/var/lib"].every((path) => stands(path)));

  const told = (path: string): boolean => {
    const slash = path.indexOf("/", 1);
    const top = slash < 0 ? path : path.slice(0, slash);
    if (top === "/dev") return filled("/sys") && filled("/dev"); // static nodes of an image are no machine's
    if (top === "/sys" || top === "/proc") return filled(top) && kernelTold(path);
    if (VOLATILE.has(top)) return filled(top);
    if (promised(path)) return false;
    return filled(top) || (wholeSystem() && !stands(top));
  };
  const kernelTold = (path: string): boolean => {
    if (NEVER_PROVED.test(path)) return false;
    const device = PCI_FUNCTION.exec(path)?.[1];
    if (device !== undefined && stands(device)) return stands(`${device}/uevent`);
    for (const { below, has } of WITNESSES) {
      if (!path.startsWith(`${below}/`)) continue;
      const name = path.slice(below.length + 1);
      const first = name.includes("/") ? name.slice(0, name.indexOf("/")) : name;
      // What lies deeper than the first name belongs to a directory that was copied.
      if (stands(`${below}/${first}`) && name !== first) return true;
      if (below === "/sys")
        return !has.includes(first) && has.every((witness) => witness === "block" || stands(`/sys/${witness}`));
      return has.every((witness) => stands(`${below}/${witness}`));
    }
    return true;
  };

  /** A module file that modules.dep lists was there when depmod ran; the copy left it out. */
  const promised = (path: string): boolean => {
    const [, base, name] = MODULE.exec(path) ?? [];
    if (base === undefined || name === undefined) return false;
    return dependencies(base).includes(`\n${name}:`);
  };
  const indexes = new Map<string, string>();
  const dependencies = (base: string): string => {
    let text = indexes.get(base);
    if (text === undefined) {
      const index = tree.read(`${base}/modules.dep`, 0, FILE_LIMIT);
      indexes.set(base, (text = index.state === "read" ? `\n${utf8(index.value)}` : ""));
    }
    return text;
  };

  return {
    ...tree,
    missing: (path): Unread => (told(path) ? absent(path) : uncaptured(path)),
    readdir: (path): Reading<readonly string[]> => {
      const names = tree.readdir(path);
      if (names.state !== "read" || path === "/") return names;
      if (path === "/dev" || path.startsWith("/dev/")) return told(path) ? names : uncaptured(path);
      if (names.value.length === 0 && path.indexOf("/", 1) < 0) return uncaptured(path);
      return names;
    },
  };
}
