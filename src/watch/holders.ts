/**
 * Who has a node open, kept from one sample to the next. Looking through every process's open files is the dear part of a sample, so a
 * sample looks again at the processes that held something, at new ones, and at as many of the others as fit into its time; all are come
 * round to in turn. proc_pid_fd(5), proc_pid_stat(5)
 */

import { valueOf, type Reading, type Unread } from "../base/reading.ts";
import type { Root } from "../root/root.ts";
import { treeOf } from "../root/tree.ts";

export interface Open {
  readonly fd: string;
  readonly node: string;
}

export interface Holding {
  readonly pid: number;
  /** Clock ticks after boot: with the pid it names one process for good. */
  readonly start: string;
  readonly opens: readonly Open[];
}

export interface Held {
  readonly holdings: readonly Holding[];
  /** Processes that this user may not look into. */
  readonly blind: number;
  /** Has every process been looked at since the first sample? */
  readonly whole: boolean;
}

/** Of a sample, for processes that held nothing when last looked at. The first sample may take longer, to be whole. */
const BUDGET_MS = 2;
const FIRST_BUDGET_MS = 250;
/** Descriptors of one process that are looked at: the kernel's own usual most is 1,048,576, of which hardly any is a node. */
const DESCRIPTOR_LIMIT = 65_536;
/** Links read between two looks at the clock. */
const CHUNK = 128;
/** Processes that are kept: pid_max of 64-bit machines is 4,194,304; nobody has so many. */
const PROCESS_LIMIT = 262_144;

export class HolderScan {
  readonly #root: Root;
  readonly #list: (path: string) => Reading<readonly string[]>;
  readonly #link: (path: string) => Reading<string>;
  #nodes: ReadonlySet<string>;
  /** All processes that were looked at; those with something open have `opens`. */
  #seen = new Map<number, { blind: boolean; start: string; opens: readonly Open[] }>();
  #turn: number[] = [];
  /** A process with very many descriptors is looked through over several samples. */
  #half: { readonly pid: number; readonly rest: readonly string[]; readonly opens: readonly Open[] } | undefined;
  #first = true;

  constructor(root: Root, nodes: ReadonlySet<string>) {
    this.#root = root;
    this.#nodes = nodes;
    // The live machine's own calls, without asking first what a path is.
    const tree = root.kind === "live" ? treeOf(root) : undefined;
    this.#list = (path) => tree?.readdir(path) ?? root.list(path);
    this.#link = (path) => tree?.readlink(path) ?? root.link(path);
  }

  /** Nodes come and go with devices. What was seen of processes holds for the old ones only. */
  watch(nodes: ReadonlySet<string>): void {
    if (nodes.size === this.#nodes.size && [...nodes].every((node) => this.#nodes.has(node))) return;
    this.#nodes = nodes;
    this.#seen.clear();
    this.#half = undefined;
    this.#first = true;
  }

  /** `time`: milliseconds. An Unread where processes cannot be listed. */
  read(time: () => number): Held | Unread {
    const listed = this.#list("/proc");
    if (listed.state !== "read") return listed;
    const pids = listed.value.filter((name) => /^[1-9]\d{0,9}$/.test(name)).map(Number);
    // Whatever runs, a process lists it: a /proc without any was saved without them.
    if (pids.length === 0) return { state: "uncaptured", from: "/proc", why: "no processes were saved" };
    this.#forget(pids);
    const first = this.#first;
    const deadline = time() + (first ? FIRST_BUDGET_MS : BUDGET_MS);
    this.#first = false;
    for (const [pid, { opens }] of this.#seen) if (opens.length > 0) this.#check(pid, opens);
    const fresh = pids.filter((pid) => !this.#seen.has(pid));
    for (const pid of fresh) {
      if (this.#seen.size >= PROCESS_LIMIT || time() > deadline) break;
      this.#look(pid, () => time() > deadline);
    }
    // The first has just looked at all that there is time for.
    if (!first) this.#lookRound(pids, deadline, time);
    const all = [...this.#seen];
    return {
      holdings: all
        .filter(([, { opens }]) => opens.length > 0)
        .map(([pid, { start, opens }]) => ({ pid, start, opens }))
        .sort((a, b) => a.pid - b.pid),
      blind: all.filter(([, { blind }]) => blind).length,
      whole: pids.every((pid) => this.#seen.has(pid)),
    };
  }

  #forget(pids: readonly number[]): void {
    const alive = new Set(pids);
    for (const pid of this.#seen.keys()) if (!alive.has(pid)) this.#seen.delete(pid);
  }

  /** A saved machine does not change: once is enough. */
  #lookRound(pids: readonly number[], deadline: number, time: () => number): void {
    if (this.#root.kind !== "live" && pids.every((pid) => this.#seen.has(pid))) return;
    const late = (): boolean => time() >= deadline;
    const again = this.#half?.pid;
    if (again !== undefined && !late()) {
      if (this.#seen.has(again)) this.#look(again, late);
      else this.#half = undefined;
    }
    // One round in one sample at most.
    let rounds = 0;
    while (!late()) {
      if (this.#turn.length === 0) {
        if (rounds++ > 0) return;
        this.#turn = [...pids];
      }
      const pid = this.#turn.pop();
      if (pid !== undefined && this.#seen.has(pid)) this.#look(pid, late);
    }
  }

  /** Is what it held still open, and is it still the same process? A program that opens a node mostly opens several: look at all. */
  #check(pid: number, opens: readonly Open[]): void {
    const start = startOf(this.#root, pid);
    const same = start === this.#seen.get(pid)?.start && opens.every(({ fd, node }) => this.#linkOf(pid, fd) === node);
    if (!same) this.#look(pid);
  }

  /** `late`: stop, and go on from there in the next sample. Never, where somebody waits for the whole. */
  #look(pid: number, late = (): boolean => false): void {
    const half = this.#half?.pid === pid ? this.#half : undefined;
    if (half !== undefined) this.#half = undefined;
    const descriptors = half === undefined ? this.#list(`/proc/${pid}/fd`) : undefined;
    if (descriptors !== undefined && descriptors.state !== "read") {
      // Ended meanwhile, or another user's.
      this.#seen.set(pid, { blind: descriptors.state === "denied", start: "", opens: [] });
      return;
    }
    const fds = half?.rest ?? descriptors?.value.slice(0, DESCRIPTOR_LIMIT) ?? [];
    const opens = [...(half?.opens ?? [])];
    for (const [at, fd] of fds.entries()) {
      if (at > 0 && at % CHUNK === 0 && late()) {
        this.#half = { pid, rest: fds.slice(at), opens };
        return;
      }
      const node = this.#linkOf(pid, fd);
      if (node !== undefined && this.#nodes.has(node)) opens.push({ fd, node });
    }
    const start = opens.length === 0 ? "" : startOf(this.#root, pid);
    this.#seen.set(pid, { blind: false, start, opens });
  }

  #linkOf(pid: number, fd: string): string | undefined {
    return valueOf(this.#link(`/proc/${pid}/fd/${fd}`));
  }
}

/** Of a process, as Holding has it. Field 22 of stat; the command's name before it may hold blanks and brackets. */
export function startOf(root: Root, pid: number): string {
  const text = valueOf(root.text(`/proc/${pid}/stat`)) ?? "";
  return text.slice(text.lastIndexOf(")") + 2).split(" ")[19] ?? "";
}
