/** What several verbs share: the options that choose a machine, and opening it. */

import { UsageError } from "../base/errors.ts";
import { openRoot } from "../root/open.ts";
import type { Root } from "../root/root.ts";
import { option, options, type Invocation, type OptionSpec } from "./command.ts";

export const rootOptions: readonly OptionSpec[] = [
  {
    name: "root",
    value: "PATH",
    says: "look at this instead of the live machine: a directory (mounted image, unpacked tree), a capture, an archive, a .dtb, a pasted log",
  },
  {
    name: "paste",
    value: "FILE",
    says: "the same for a text dump (lspci, dmesg, lsusb ... as in a bug report); - reads standard input",
  },
  {
    name: "env",
    value: "DIR",
    many: true,
    says: "also look for libraries in this Python environment, node_modules or SDK",
  },
];

export const queryOption: OptionSpec = {
  name: "query",
  says: "also ask drivers where the question wakes a sleeping device",
};

export const vendorOption: OptionSpec = {
  name: "vendor",
  says: "also ask NVIDIA's library, in a process of its own; that wakes GPUs",
};

export function rootOf(invocation: Invocation): Root {
  const root = option(invocation, "root");
  const paste = option(invocation, "paste");
  if (root !== undefined && paste !== undefined) throw new UsageError("--root and --paste name two machines; give one");
  return openRoot(paste ?? root);
}

export function environmentsOf(invocation: Invocation): readonly string[] {
  return options(invocation, "env");
}

/**
 * Objects as JSON for other programs: two spaces, a final newline, Maps never reach here. Characters that a terminal would act on, or
 * that turn directions, are escaped: JSON itself asks it only of those below U+0020.
 */
export function toJson(value: unknown): string {
  const escaped = (c: string): string => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`;
  return `${JSON.stringify(value, undefined, 2).replace(/[\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g, escaped)}\n`;
}
