/**
 * Kernel modules: what is loaded, what is shipped, which module claims which modalias, and what modprobe was told.
 * Documentation/admin-guide/... modules.alias(5) modules.dep(5) modprobe.d(5), kernel/module/sysfs.c
 *
 * The index of a release is big (2 MiB); nothing here parses more of it than a question needs.
 */

import type { Reading } from "../base/reading.ts";
import type { Root } from "../root/root.ts";

/** Module names are always spelled with "_" here, as the kernel does once they are loaded. */
export interface LoadedModule {
  readonly name: string;
  readonly bytes: number;
  readonly usedBy: readonly string[];
  /** Of this module: O out of tree, P proprietary, E unsigned, F forced. */
  readonly taint: Reading<string>;
  readonly version: Reading<string>;
  /** Values under /sys/module/<name>/parameters, those that can be read. */
  readonly parameters: ReadonlyMap<string, Reading<string>>;
}

/** /proc/modules joined with /sys/module. */
export function readLoadedModules(root: Root): Reading<ReadonlyMap<string, LoadedModule>> {
  void root;
  throw new Error("facts/modules");
}

export interface ModuleIndex {
  readonly release: string;
  /** /lib/modules/<release> or /usr/lib/modules/<release>, whichever is there. */
  readonly directory: string;
  /** Modules whose alias patterns match this modalias, in file order, shipped or built in (modules.builtin.modinfo). */
  claims(modalias: string): Reading<readonly string[]>;
  /** Alias patterns of one module, as modules.alias (or modules.builtin.modinfo) writes them. */
  aliases(module: string): Reading<readonly string[]>;
  /** Path of the .ko in modules.dep (relative to `directory`), absent if not shipped. `updates/` or `extra/` = not in tree. */
  file(module: string): Reading<string>;
  builtin(module: string): Reading<boolean>;
  /** Modules it needs, from modules.dep. */
  needs(module: string): Reading<readonly string[]>;
  /** Does the file that modules.dep names exist? */
  present(module: string): Reading<boolean>;
}

export function readModuleIndex(root: Root, release: string): Reading<ModuleIndex> {
  void root;
  void release;
  throw new Error("facts/modules");
}

/** What modprobe.d says about one module. */
export interface ModprobeRule {
  readonly kind: "blacklist" | "install" | "options" | "softdep" | "alias";
  readonly module: string;
  readonly says: string;
  readonly file: string;
}

/** All of /etc/modprobe.d, /run/modprobe.d, /usr/lib/modprobe.d, /lib/modprobe.d, plus module_blacklist= and modprobe.blacklist= of the command line. */
export function readModprobe(root: Root): Reading<readonly ModprobeRule[]> {
  void root;
  throw new Error("facts/modules");
}

/** Does an alias pattern (fnmatch: * ? [..]) match a modalias? Linear, never backtracks exponentially. */
export function aliasMatches(pattern: string, modalias: string): boolean {
  void pattern;
  void modalias;
  throw new Error("facts/modules");
}
