/** udev rules that set group or mode of accelerator nodes. udev(7); /etc, /run, /usr/lib, /lib udev/rules.d */

import type { Reading } from "../base/reading.ts";
import type { Root } from "../root/root.ts";

export interface UdevRule {
  readonly file: string;
  readonly line: number;
  /** The whole rule, continuation lines joined. */
  readonly text: string;
  readonly group?: string;
  readonly mode?: string;
}

/** Rules whose text names any of `words` (SUBSYSTEM values, KERNEL globs, vendor ids) and that set GROUP, MODE or uaccess. */
export function findUdevRules(root: Root, words: readonly string[]): Reading<readonly UdevRule[]> {
  void root;
  void words;
  throw new Error("facts/udev");
}
