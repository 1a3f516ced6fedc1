// `npm start -- ARGUMENTS`: makes the clone ready, builds what changed, runs accelctl in this process's place.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { ready, top } from "./ready.mjs";

ready();
const { buildAll } = await import("./build.mjs");
await buildAll();
// npm changes to the package's folder; paths in the arguments are meant from where it was called.
const cwd = process.env["INIT_CWD"] ?? process.cwd();
const done = spawnSync(process.execPath, [join(top, "dist/accelctl.cjs"), ...process.argv.slice(2)], {
  stdio: "inherit",
  cwd,
});
process.exitCode = done.status ?? 3;
