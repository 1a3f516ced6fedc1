/** Small C libraries of our own, compiled for a test by the machine's own compiler. */

import { spawnSync } from "node:child_process";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";

/** Compiling 300 lines takes a second; ten times that on a busy board. */
const MILLISECONDS = 60_000;

export const hasCompiler = spawnSync("cc", ["--version"], { stdio: "ignore" }).status === 0;

/** For describe/it titles. */
export const unlessCompiler = hasCompiler ? "" : " (skipped: no C compiler, cc, on this machine)";

/** Compiles test/support/`source` to a shared library in `folder`; `flags` such as -DNAME. Its path. */
export function compileLibrary(source: string, folder: string, flags: readonly string[] = []): string {
  const suffix = flags.join("").replace(/\W+/g, "_");
  const library = join(folder, `lib${basename(source, ".c")}${suffix}.so`);
  const path = fileURLToPath(new URL(source, import.meta.url));
  const options = ["-shared", "-fPIC", "-O1", "-Wall", "-Wextra", "-Werror", "-pthread", ...flags];
  const { status, stderr } = spawnSync("cc", [...options, "-o", library, path], {
    encoding: "utf8",
    timeout: MILLISECONDS,
  });
  if (status !== 0) throw new Error(`cc ${source}: ${stderr}`);
  return library;
}
