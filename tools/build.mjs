// Bundles the command line (dist/accelctl.cjs) and the library (dist/index.js with types) when a source is newer than they are.
import { build } from "esbuild";
import { chmodSync, existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { top } from "./ready.mjs";

function newest(folder) {
  let time = 0;
  for (const entry of readdirSync(join(top, folder), { withFileTypes: true })) {
    const path = join(folder, entry.name);
    time = Math.max(time, entry.isDirectory() ? newest(path) : statSync(join(top, path)).mtimeMs);
  }
  return time;
}

const external = ["koffi", "fzstd", "seek-bzip", "xz-decompress"];

/** Builds unless what is there is newer than every source. */
export async function buildAll(force = false) {
  const out = join(top, "dist/accelctl.cjs");
  const sources = Math.max(newest("src"), statSync(join(top, "package.json")).mtimeMs, newest("tools"));
  if (!force && existsSync(out) && statSync(out).mtimeMs > sources) return false;
  const shared = {
    bundle: true,
    platform: "node",
    target: "node20.19",
    external,
    legalComments: "none",
    logLevel: "warning",
  };
  await build({
    ...shared,
    absWorkingDir: top,
    entryPoints: ["src/main.ts"],
    outfile: "dist/accelctl.cjs",
    format: "cjs",
    minifySyntax: true,
    banner: { js: "#!/usr/bin/env node\nconst __here=require('node:url').pathToFileURL(__filename).href;" },
    define: { "import.meta.url": "__here" },
  });
  chmodSync(out, 0o755);
  await build({
    ...shared,
    absWorkingDir: top,
    entryPoints: ["src/index.ts"],
    outfile: "dist/index.js",
    format: "esm",
  });
  return true;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await buildAll(true);
