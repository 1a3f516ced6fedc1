/** Programs of others that some tests hold our output against: is one on this machine? */

import { spawnSync } from "node:child_process";

const seen = new Map<string, boolean>();

export function hasProgram(name: string): boolean {
  const known = seen.get(name);
  if (known !== undefined) return known;
  const here = spawnSync(name, ["--version"], { stdio: "ignore", timeout: 20_000 }).error === undefined;
  seen.set(name, here);
  return here;
}

/** For describe/it titles. */
export const unlessProgram = (name: string): string =>
  hasProgram(name) ? "" : ` (skipped: no ${name} on this machine)`;
