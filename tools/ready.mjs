// Makes a fresh clone ready: installs what package-lock.json names when node_modules does not hold it. Prints nothing when ready.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { createHash } from "node:crypto";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const top = dirname(dirname(fileURLToPath(import.meta.url)));

export function ready() {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  if (major < 20 || (major === 20 && minor < 19)) {
    process.stderr.write(`accelctl needs Node 20.19 or later; this is ${process.versions.node}\n`);
    process.exit(3);
  }
  const lock = createHash("sha256")
    .update(readFileSync(join(top, "package-lock.json")))
    .digest("hex");
  const stamp = join(top, "node_modules", ".accelctl-ready");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === lock) return;
  process.stderr.write("installing dependencies (once)\n");
  const npm = process.env["npm_execpath"];
  const [command, args] = npm?.endsWith(".js") ? [process.execPath, [npm, "ci"]] : ["npm", ["ci"]];
  const done = spawnSync(command, args, { cwd: top, stdio: ["ignore", "ignore", "inherit"] });
  if (done.status !== 0) {
    process.stderr.write("npm ci failed; its words are above\n");
    process.exit(3);
  }
  writeFileSync(stamp, lock);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) ready();
