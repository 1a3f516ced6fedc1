// `npm test -- ARGUMENTS`: makes the clone ready, builds, runs the tests (arguments go to vitest).
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { ready, top } from "./ready.mjs";

ready();
const { buildAll } = await import("./build.mjs");
await buildAll();
const vitest = join(top, "node_modules/vitest/vitest.mjs");
const done = spawnSync(process.execPath, [vitest, "run", ...process.argv.slice(2)], { stdio: "inherit", cwd: top });
process.exitCode = done.status ?? 3;
