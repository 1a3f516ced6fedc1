// `npm run runtimes`: fetches vendors' libraries that some tests run against and that are no dependency of the project (large, or of
// one platform only) into node_modules/.runtimes/NAME. Tests find them by test/support/runtimes.ts and skip with a word without.
// Packages are unpacked, nothing of them is run. A file each in tools/runtimes/ names a package; NAME arguments choose.
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { ready, top } from "./ready.mjs";

/** For one package, when a person waits for it. */
const SECONDS = 300;
/** Of a download that tests do without being asked, and for how long. */
const [SMALL_MB, SMALL_SECONDS] = [100, 60];
const home = join(top, "node_modules/.runtimes");

/** Says what went wrong in a line; undefined when nothing did. Never throws. */
function run(command, args, signal) {
  return new Promise((done) => {
    let words = "";
    const child = spawn(command, args, { stdio: ["ignore", "ignore", "pipe"], signal, killSignal: "SIGKILL" });
    child.stderr.setEncoding("utf8").on("data", (text) => (words = (words + text).slice(-4000)));
    child.on("error", (error) => done(signal.aborted ? "it took too long" : error.message));
    child.on("close", (status) =>
      done(status === 0 ? undefined : lastLine(words) || `it ended with ${String(status)}`),
    );
  });
}
const lastLine = (words) =>
  words
    .split("\n")
    .filter((line) => line.trim() !== "" && !line.startsWith("[notice]"))
    .at(-1);
const fileIn = (folder, ending) => readdirSync(folder).find((name) => name.endsWith(ending));

async function fromNpm(spec, into, signal) {
  const problem = await run("npm", ["pack", "--silent", "--ignore-scripts", "--pack-destination", into, spec], signal);
  const archive = fileIn(into, ".tgz");
  if (problem !== undefined || archive === undefined) return problem ?? "npm pack left no archive";
  const unpacked = await run("tar", ["-xzf", join(into, archive), "-C", into], signal);
  rmSync(join(into, archive));
  return unpacked;
}

/**
 * A wheel is a zip; Python unpacks it, since whoever has pip has Python. Of the libraries in it the version of Python is nothing to
 * them: one is named for which every package has a wheel.
 */
async function fromPypi(spec, into, signal) {
  const options = ["--quiet", "--no-deps", "--only-binary", ":all:", "--python-version", "3.12", "-d", into];
  let last = "no Python with pip";
  for (const python of ["python3", process.env["ACCELCTL_PYTHON"]].filter(Boolean)) {
    const problem = await run(python, ["-m", "pip", "download", ...options, spec], signal);
    const wheel = fileIn(into, ".whl");
    if (problem !== undefined || wheel === undefined) {
      last = problem ?? "pip download left no wheel";
      continue;
    }
    const unpacked = await run(python, ["-m", "zipfile", "-e", join(into, wheel), into], signal);
    rmSync(join(into, wheel));
    return unpacked;
  }
  return last;
}

/** What a program in Python imports, with what that imports: for the Python that is here, and importable by PYTHONPATH. */
async function forPython(specs, into, signal) {
  const options = [
    "--quiet",
    "--disable-pip-version-check",
    "--no-compile",
    "--only-binary",
    ":all:",
    "--target",
    into,
  ];
  return run("python3", ["-m", "pip", "install", ...options, ...specs], signal);
}

/** Rows of tools/runtimes: { name, npm | pypi | python, mb (of the download), on (platforms) }. */
export async function runtimes() {
  const folder = join(top, "tools/runtimes");
  const files = readdirSync(folder).sort();
  const rows = await Promise.all(files.map((file) => import(pathToFileURL(join(folder, file)).href)));
  return rows.map((row, i) => ({ name: files[i].replace(/\.mjs$/, ""), ...row.default }));
}

const here = `${process.platform}-${process.arch}`;

/** Names of those that this platform could have. */
export const missingRuntimes = async () =>
  (await runtimes())
    .filter((row) => row.on.includes(here) && !existsSync(join(home, row.name)))
    .map(({ name }) => name);

/** Says in a few words what became of it. Never throws. */
export async function fetchRuntime({ name, npm, pypi, python, on }, seconds) {
  if (!on.includes(here)) return `not for ${here}`;
  if (existsSync(join(home, name))) return "already here";
  mkdirSync(home, { recursive: true });
  const scratch = mkdtempSync(join(home, "."));
  const begun = performance.now();
  const signal = AbortSignal.timeout(seconds * 1000);
  let problem;
  try {
    if (npm !== undefined) problem = await fromNpm(npm, scratch, signal);
    else if (pypi !== undefined) problem = await fromPypi(pypi, scratch, signal);
    else problem = await forPython(python, scratch, signal);
    if (problem === undefined) renameSync(scratch, join(home, name));
  } catch (error) {
    problem = error.message; // a full disk
  }
  rmSync(scratch, { recursive: true, force: true });
  if (problem !== undefined) return `not fetched: ${problem}`;
  return `${npm ?? pypi ?? python.join(", ")} is here, after ${((performance.now() - begun) / 1000).toFixed(1)} s`;
}

/** For the tests of a machine that starts empty: all at once, the small ones, and no failure when there is no network. */
export async function fetchSmall(say) {
  const small = (await runtimes()).filter(({ mb }) => mb <= SMALL_MB);
  await Promise.all(
    small.map(async (row) => say(`${row.name.padEnd(24)} ${await fetchRuntime(row, SMALL_SECONDS)}\n`)),
  );
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  ready();
  const wanted = process.argv.slice(2);
  const rows = await runtimes();
  const unknown = wanted.filter((name) => !rows.some((row) => row.name === name));
  if (unknown.length > 0) {
    process.stderr.write(`no runtime ${unknown.join(", ")}; there are ${rows.map(({ name }) => name).join(", ")}\n`);
    process.exit(2);
  }
  for (const row of rows.filter(({ name }) => wanted.length === 0 || wanted.includes(name))) {
    process.stdout.write(`${row.name.padEnd(24)} ${await fetchRuntime(row, SECONDS)}\n`);
  }
}
