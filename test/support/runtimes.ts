/** Vendors' libraries that `npm run runtimes` fetches: where one lies, or undefined. */

import { existsSync } from "node:fs";
import { join } from "node:path";
import { top } from "./shared.ts";

export function runtime(name: string): string | undefined {
  const folder = join(top, "node_modules/.runtimes", name);
  return existsSync(folder) ? folder : undefined;
}

/** For describe/it titles. */
export const unlessRuntime = (name: string): string =>
  runtime(name) === undefined ? ` (skipped: npm run runtimes ${name})` : "";
