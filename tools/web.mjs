// Builds the page (web/ to dist/web) when a source of it is newer than what is there.
import { existsSync, readdirSync, statSync } from "node:fs";
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

export async function buildWeb(force = false) {
  const out = join(top, "dist/web/index.html");
  if (!force && existsSync(out) && statSync(out).mtimeMs > newest("web")) return false;
  const { build } = await import("vite");
  await build({ configFile: join(top, "web/vite.config.mjs"), logLevel: "warn" });
  return true;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await buildWeb(process.argv.includes("--force"));
