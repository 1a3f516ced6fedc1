/**
 * Root: a read-only view of one Linux machine. Live, a mounted image, an unpacked tree, a capture, an archive, a pasted log or
 * a device tree: what asks does not know which. Everything a review reads goes through here, ioctl answers included.
 *
 * Paths are absolute as on that machine ("/sys/class/accel"). They are resolved inside the root: a link to ../../etc/shadow
 * or to an absolute path stays inside. Nothing here throws for what a machine lacks; that is a Reading.
 */

import type { Reading } from "../base/reading.ts";

export type NodeType = "file" | "directory" | "link" | "char" | "block" | "fifo" | "socket";

export interface Stat {
  readonly type: NodeType;
  /** Permission bits only, 0 to 0o7777. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  /** Of a char or block node. */
  readonly major?: number;
  readonly minor?: number;
}

/**
 * One ioctl, fully described, so that a capture can answer it. `code` is the request number. `input` is the struct as passed.
 * Each pointer makes a buffer of `size` zero bytes (or of `bytes`) whose address is written at `at` in the struct before the call.
 */
export interface Ask {
  readonly name: string;
  readonly code: number;
  readonly input: Uint8Array;
  readonly pointers?: readonly { readonly at: number; readonly size: number; readonly bytes?: Uint8Array }[];
  /** The question wakes a sleeping device or costs it something: only asked with `--query`. */
  readonly wakes?: boolean;
}

/** The struct after the call (addresses zeroed, so answers are the same every time) and the buffers behind its pointers. */
export interface Answer {
  readonly struct: Uint8Array;
  readonly buffers: readonly Uint8Array[];
}

export type RootKind = "live" | "directory" | "capture" | "archive" | "paste" | "device-tree";

export interface Root {
  readonly kind: RootKind;
  /** As the user named it; "this machine" for the live one. */
  readonly name: string;
  /** Of a capture: directories of Python environments that were looked into when it was taken. */
  readonly environments?: readonly string[];
  /** Whole content as UTF-8. Regular files only: never opens a FIFO, device or socket. Files over TEXT_LIMIT are malformed. */
  text(path: string): Reading<string>;
  bytes(path: string): Reading<Uint8Array>;
  /** Up to `length` bytes from `offset`: for big files of which only a part is wanted (ELF, modules). */
  slice(path: string, offset: number, length: number): Reading<Uint8Array>;
  /** Names in a directory, sorted by code unit. */
  list(path: string): Reading<readonly string[]>;
  /** The target of a symlink as written. */
  link(path: string): Reading<string>;
  /** The path with every link resolved, inside the root. */
  real(path: string): Reading<string>;
  /** Follows links. */
  stat(path: string): Reading<Stat>;
  /** May this process open `path` for reading and writing? Honours ACLs on the live machine. */
  access(path: string): Reading<boolean>;
  ask(node: string, ask: Ask): Reading<Answer>;
}

/** Largest file that is read whole: a kernel log or modules.alias is 2 MiB, the largest .ko in use is 30 MiB unpacked. */
export const FILE_LIMIT = 64 * 1024 * 1024;
