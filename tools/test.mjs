// `npm test -- ARGUMENTS`: makes the clone ready, builds, runs the tests (arguments go to vitest). Where the environment variable CI is
// set, vendors' libraries are fetched first (tools/runtimes.mjs), so that the tests that need one run; without network they skip.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { ready, top } from "./ready.mjs";

ready();
const { buildPackage, buildProgram } = await import("./build.mjs");
const { fetchSmall, missingRuntimes } = await import("./runtimes.mjs");
const fetching = ["", "0", "false", undefined].includes(process.env["CI"])
  ? undefined
  : fetchSmall((line) => process.stderr.write(line));
// Tests of the library build its declarations themselves; together, once for all of them.
await (process.argv.length > 2 ? buildProgram() : buildPackage());
await fetching;
const vitest = join(top, "node_modules/vitest/vitest.mjs");
const done = spawnSync(process.execPath, [vitest, "run", ...process.argv.slice(2)], { stdio: "inherit", cwd: top });
process.exitCode = done.status ?? 3;
const missing = await missingRuntimes();
if (missing.length > 0) {
  process.stderr.write(`not here, and their tests skipped: ${missing.join(", ")} (npm run runtimes fetches them)\n`);
}
if (spawnSync("cc", ["--version"], { stdio: "ignore" }).status !== 0) {
  process.stderr.write("no C compiler (cc) is here, and the tests that compile a library were skipped\n");
}
