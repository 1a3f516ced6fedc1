/** What is built, for tests that run it: made anew when a source is newer. `npm test` has done so; a file that is run alone has not. */

import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { top } from "./shared.ts";

/** To be called in beforeAll. `package`: with the library's declarations and the catalogue. */
export function build(what: "program" | "package"): void {
  const words = what === "program" ? ["--program"] : [];
  const built = spawnSync(process.execPath, [join(top, "tools/build.mjs"), ...words], { encoding: "utf8" });
  if (built.status !== 0) throw new Error(built.stdout + built.stderr);
}
