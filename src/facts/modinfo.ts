/**
 * What a module file says about itself: the .modinfo section of a .ko, plain or packed with xz, zstd or gzip.
 * include/linux/module.h (MODULE_INFO), ELF 64/32 both endians
 */

import type { Reading } from "../base/reading.ts";
import type { Root } from "../root/root.ts";

export interface Modinfo {
  readonly name: string;
  readonly licence?: string;
  readonly version?: string;
  readonly vermagic?: string;
  readonly intree: boolean;
  readonly aliases: readonly string[];
  /** As MODULE_FIRMWARE names them, relative to the firmware directories. Often incomplete. */
  readonly firmware: readonly string[];
  readonly depends: readonly string[];
  readonly softdeps: readonly string[];
  readonly parameters: readonly { readonly name: string; readonly says: string }[];
  readonly description?: string;
  readonly importNamespaces: readonly string[];
}

/** `path` is the file in the root, packed or not. */
export function readModinfo(root: Root, path: string): Reading<Modinfo> {
  void root;
  void path;
  throw new Error("facts/modinfo");
}

/** Throws FileError with the offset when the bytes are no whole module. */
export function parseModinfo(bytes: Uint8Array, path: string): Modinfo {
  void bytes;
  void path;
  throw new Error("facts/modinfo");
}
