/**
 * Which process holds which node: /proc/PID/fd links, and DRM's fdinfo where the driver fills it. proc_pid_fd(5),
 * Documentation/gpu/drm-usage-stats.rst
 */

import { read, uncaptured, valueOf, type Reading } from "../base/reading.ts";
import type { Root } from "../root/root.ts";

export interface Holder {
  readonly pid: number;
  readonly command: string;
  readonly node: string;
  readonly fd: number;
  /** drm-* keys of fdinfo, as written. */
  readonly usage: ReadonlyMap<string, string>;
}

export interface Holders {
  readonly holders: readonly Holder[];
  /** Processes that could not be looked into: other users', without root. */
  readonly blind: number;
}

/** Links that are read in all: a busy server has some 100,000 open files. */
const LINK_LIMIT = 1_000_000;
const HOLDER_LIMIT = 10_000;
/** A driver with twenty engines and memory regions writes some hundred lines. */
const USAGE_LIMIT = 500;

/** Holders of any of `nodes`, by process. `blind` counts processes that could not be looked into. */
export function readHolders(root: Root, nodes: readonly string[]): Reading<Holders> {
  if (nodes.length === 0) return read({ holders: [], blind: 0 }, "/proc");
  const listed = root.list("/proc");
  if (listed.state !== "read") return listed;
  const pids = listed.value.filter((name) => /^[0-9]{1,10}$/.test(name)).sort((a, b) => Number(a) - Number(b));
  // Whatever runs, a process lists it: a /proc without any was saved without them.
  if (pids.length === 0) return uncaptured("/proc", "no processes in it");
  const wanted = new Set(nodes);
  const holders: Holder[] = [];
  let blind = 0;
  let links = 0;
  for (const pid of pids) {
    const directory = `/proc/${pid}`;
    const descriptors = root.list(`${directory}/fd`);
    if (descriptors.state === "denied") blind++;
    if (descriptors.state !== "read") continue; // it ended meanwhile
    for (const fd of descriptors.value) {
      if (++links > LINK_LIMIT || holders.length >= HOLDER_LIMIT) return read({ holders, blind }, "/proc");
      const target = root.link(`${directory}/fd/${fd}`);
      if (target.state !== "read" || !wanted.has(target.value)) continue;
      holders.push({
        pid: Number(pid),
        command: valueOf(root.text(`${directory}/comm`))?.trim() ?? "",
        node: target.value,
        fd: Number(fd),
        usage: parseUsage(valueOf(root.text(`${directory}/fdinfo/${fd}`)) ?? ""),
      });
    }
  }
  return read({ holders, blind }, "/proc");
}

/** Lines "drm-engine-render:\t123 ns" among others that every open file has. */
function parseUsage(text: string): ReadonlyMap<string, string> {
  const usage = new Map<string, string>();
  for (const [, key = "", value = ""] of text.matchAll(/^(drm-[\w-]{1,64}):[ \t]*(.{0,200})$/gm)) {
    if (usage.size >= USAGE_LIMIT) break;
    usage.set(key, value.trim());
  }
  return usage;
}
