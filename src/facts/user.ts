/** Who asks: ids, groups and capabilities of this process, from /proc/self/status, and the machine's group names. proc_pid_status(5), group(5) */

import type { Reading } from "../base/reading.ts";
import type { Root } from "../root/root.ts";

export interface User {
  readonly uid: number;
  readonly gid: number;
  readonly groups: readonly number[];
  /** True with CAP_DAC_OVERRIDE: permissions of files do not matter. */
  readonly overrides: boolean;
}

export function readUser(root: Root): Reading<User> {
  void root;
  throw new Error("facts/user");
}

/** Group names by id, from /etc/group. */
export function readGroups(root: Root): Reading<ReadonlyMap<number, string>> {
  void root;
  throw new Error("facts/user");
}

/** User names by id, from /etc/passwd. */
export function readUserNames(root: Root): Reading<ReadonlyMap<number, string>> {
  void root;
  throw new Error("facts/user");
}
