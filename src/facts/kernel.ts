/**
 * The kernel itself: release, command line, taint, configuration. Documentation/admin-guide/tainted-kernels.rst,
 * Documentation/kbuild/kconfig.rst
 */

import type { Reading } from "../base/reading.ts";
import type { Root } from "../root/root.ts";

export interface Kernel {
  /** uname -r. In an image without /proc: the newest tree in lib/modules. */
  readonly release: Reading<string>;
  /** x86_64, aarch64 ... */
  readonly arch: Reading<string>;
  readonly version: Reading<string>;
  readonly cmdline: Reading<string>;
  /** Letters of the taint flags, e.g. "PO" = proprietary + out of tree. "" when clean. */
  readonly taint: Reading<string>;
  /** Releases that have a tree in lib/modules, newest first. */
  readonly installed: Reading<readonly string[]>;
}

export function readKernel(root: Root): Reading<Kernel> {
  void root;
  throw new Error("facts/kernel");
}

/** Symbol without CONFIG_ to "y", "m", "n" (written as "is not set") or its value. A symbol that is not written is invisible or unknown to that kernel. */
export type KernelConfig = ReadonlyMap<string, string>;

/** From /proc/config.gz (only for the running release), /boot/config-RELEASE, /lib/modules/RELEASE/config. */
export function readKernelConfig(root: Root, release: string): Reading<KernelConfig> {
  void root;
  void release;
  throw new Error("facts/kernel");
}

/** "7.3.4+deb13-amd64" against "6.18": negative, 0 or positive. Only the leading numbers count. */
export function compareReleases(a: string, b: string): number {
  const numbers = (text: string): number[] => (/^[0-9]+(\.[0-9]+)*/.exec(text)?.[0] ?? "0").split(".").map(Number);
  const [left, right] = [numbers(a), numbers(b)];
  for (let i = 0; i < Math.max(left.length, right.length); i++) {
    const difference = (left[i] ?? 0) - (right[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
