/**
 * Shared libraries: the loader's cache parsed, the usual directories listed where there is no cache, vendor places added.
 * ld.so(8), glibc sysdeps/generic/dl-cache.h; ELF gABI. Nothing is ever loaded.
 */

import type { Reading } from "../base/reading.ts";
import type { Root } from "../root/root.ts";

export interface Library {
  /** The name a program would ask for: libedgetpu.so.1 */
  readonly name: string;
  /** Where that name leads, links resolved: /usr/lib/x86_64-linux-gnu/libedgetpu.so.1.0 */
  readonly path: string;
  /** Version in the resolved file name (1.0), absent if it has none. */
  readonly version: Reading<string>;
  /** How it was found: "ld.so.cache", "directory", "python", "node_modules". */
  readonly via: string;
}

export interface Libraries {
  /** Exact name, or a glob with `*` (libhailort.so.*). Sorted by name. */
  find(pattern: string): Reading<readonly Library[]>;
}

/** `extra` are directories the user named (a venv, a node_modules, an SDK). */
export function readLibraries(root: Root, extra?: readonly string[]): Reading<Libraries> {
  void root;
  void extra;
  throw new Error("facts/libraries");
}

export interface ElfFacts {
  readonly machine: string;
  readonly class: 32 | 64;
  readonly soname?: string;
  readonly needed: readonly string[];
  /** Highest GLIBC_x.y it asks for. */
  readonly glibc?: string;
}

export function readElf(root: Root, path: string): Reading<ElfFacts> {
  void root;
  void path;
  throw new Error("facts/libraries");
}
