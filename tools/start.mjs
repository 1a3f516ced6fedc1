// `npm start -- ARGUMENTS`: makes the clone ready, builds what changed, runs accelctl in this process's place.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { ready, top } from "./ready.mjs";

ready();
const { buildAll } = await import("./build.mjs");
const { buildWeb } = await import("./web.mjs");
await Promise.all([buildAll(), buildWeb()]);
// npm changes to the package's folder; paths in the arguments are meant from where it was called.
const cwd = process.env["INIT_CWD"] ?? process.cwd();
const run = (...words) =>
  spawnSync(process.execPath, [join(top, "dist/accelctl.cjs"), ...words], { stdio: "inherit", cwd });
const words = process.argv.slice(2);
const done = run(...words);
process.exitCode = done.status ?? 3;
// A newcomer's first minute ends with a model that ran. That it did not is told, and takes nothing from the review.
if (words.length === 0 && done.status === 0) {
  process.stdout.write("\n");
  run("demo");
}
