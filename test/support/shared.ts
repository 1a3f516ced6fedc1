/** Where the extra material lies, and whether it does: tests that use it skip with a word when it is not there. */

import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

export const top = fileURLToPath(new URL("../../", import.meta.url));
const shared = fileURLToPath(new URL("../../../shared/", import.meta.url));

export const hasShared = existsSync(`${shared}README.md`);
export const sharedPath = (path: string): string => `${shared}${path}`;
/** For describe/it titles. */
export const unlessShared = hasShared ? "" : " (skipped: ../shared is not here)";
