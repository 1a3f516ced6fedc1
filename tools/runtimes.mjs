// `npm run runtimes`: fetches vendors' libraries that some tests run against and that are no dependency of the project (large, or of
// one platform only) into node_modules/.runtimes/NAME. Tests find them by test/support/runtimes.ts and skip with a word without.
// Packages are unpacked, nothing of them is run. A file each in tools/runtimes/ names a package; NAME arguments choose.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { ready, top } from "./ready.mjs";

const SECONDS = 300;

const run = (command, args) => spawnSync(command, args, { encoding: "utf8", timeout: SECONDS * 1000 });
/** What went wrong in a line. */
const why = ({ error, stderr, status }) =>
  error?.message ?? stderr?.trim().split("\n").at(-1) ?? `it ended with ${String(status)}`;

function fromNpm(spec, into) {
  const packed = run("npm", ["pack", "--silent", "--ignore-scripts", "--pack-destination", into, spec]);
  const archive = readdirSync(into).find((name) => name.endsWith(".tgz"));
  if (packed.status !== 0 || archive === undefined) return why(packed);
  const unpacked = run("tar", ["-xzf", join(into, archive), "-C", into]);
  rmSync(join(into, archive));
  return unpacked.status === 0 ? undefined : why(unpacked);
}

/** A wheel is a zip; Python unpacks it, since whoever has pip has Python. */
function fromPypi(spec, into) {
  const pythons = ["python3", process.env["ACCELCTL_PYTHON"]].filter(Boolean);
  let last = "no Python with pip";
  for (const python of pythons) {
    const got = run(python, ["-m", "pip", "download", "--no-deps", "--only-binary", ":all:", "-d", into, spec]);
    const wheel = readdirSync(into).find((name) => name.endsWith(".whl"));
    if (got.status !== 0 || wheel === undefined) {
      last = why(got);
      continue;
    }
    const unpacked = run(python, ["-m", "zipfile", "-e", join(into, wheel), into]);
    rmSync(join(into, wheel));
    return unpacked.status === 0 ? undefined : why(unpacked);
  }
  return last;
}

ready();
const folder = join(top, "tools/runtimes");
const home = join(top, "node_modules/.runtimes");
mkdirSync(home, { recursive: true });
const wanted = process.argv.slice(2);
for (const file of readdirSync(folder).sort()) {
  const name = file.replace(/\.mjs$/, "");
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  const { npm, pypi, on } = (await import(pathToFileURL(join(folder, file)).href)).default;
  const say = (text) => process.stdout.write(`${name.padEnd(16)} ${text}\n`);
  const platform = `${process.platform}-${process.arch}`;
  if (on !== undefined && !on.includes(platform)) say(`not for ${platform}`);
  else if (existsSync(join(home, name))) say("already here");
  else {
    const scratch = mkdtempSync(join(home, "."));
    const problem = npm === undefined ? fromPypi(pypi, scratch) : fromNpm(npm, scratch);
    if (problem === undefined) renameSync(scratch, join(home, name));
    else rmSync(scratch, { recursive: true, force: true });
    say(problem === undefined ? `${npm ?? pypi} is here` : `not fetched: ${problem}`);
  }
}
