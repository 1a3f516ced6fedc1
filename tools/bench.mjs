// `npm run bench [-- NAME]`: builds, then runs each bench/*.ts in a process of its own: the one called NAME, or those that have it in their
// names. They print tables; nothing here is a test.
import { build } from "esbuild";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ready, top } from "./ready.mjs";

ready();
const { buildAll } = await import("./build.mjs");
await buildAll();
const wanted = process.argv[2];
const names = readdirSync(join(top, "bench")).filter((name) => name.endsWith(".ts") && !name.startsWith("_"));
const scratch = mkdtempSync(join(top, "dist", ".bench-"));
let failed = false;
try {
  const meant = names.includes(`${wanted}.ts`) ? [`${wanted}.ts`] : names.filter((name) => name.includes(wanted ?? ""));
  for (const name of meant.sort()) {
    const outfile = join(scratch, name.replace(/\.ts$/, ".mjs"));
    await build({
      entryPoints: [join(top, "bench", name)],
      bundle: true,
      platform: "node",
      format: "esm",
      external: ["koffi", "fzstd", "seek-bzip", "systeminformation", "onnxruntime-node"],
      outfile,
      logLevel: "warning",
    });
    const done = spawnSync(process.execPath, ["--expose-gc", outfile], {
      stdio: "inherit",
      cwd: top,
      env: { ...process.env, TMPDIR: tmpdir() },
    });
    failed ||= done.status !== 0;
  }
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
process.exitCode = failed ? 1 : 0;
