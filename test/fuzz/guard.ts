/**
 * Keeps a case away from everything but its own file: functions of node:fs and node:child_process complain when they are called for
 * another path. What Node itself loads (libraries that are loaded lazily) goes past.
 */

import childProcess from "node:child_process";
import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";

import { Complaint } from "./target.ts";

type Functions = Record<string, unknown>;

/** Those that take a path first. */
const readers = [
  "access",
  "accessSync",
  "createReadStream",
  "createWriteStream",
  "existsSync",
  "lstat",
  "lstatSync",
  "mkdirSync",
  "open",
  "openSync",
  "opendirSync",
  "readFile",
  "readFileSync",
  "readdir",
  "readdirSync",
  "readlinkSync",
  "realpathSync",
  "rmSync",
  "stat",
  "statSync",
  "unlinkSync",
  "writeFileSync",
] as const;
const starters = ["exec", "execFile", "execFileSync", "execSync", "fork", "spawn", "spawnSync"] as const;

let allowed: string | undefined;
let watching = false;
let installed = false;

/** Runs what may open `path` and nothing else; undefined: may open nothing. */
export function onlyOpens<T>(path: string | undefined, run: () => T): T {
  install();
  [watching, allowed] = [true, path];
  try {
    return run();
  } finally {
    watching = false;
  }
}

function install(): void {
  if (installed) return;
  installed = true;
  for (const name of readers) wrap(fs, name, false);
  for (const name of starters) wrap(childProcess, name, true);
  // Named imports of these modules see the wrapped ones.
  syncBuiltinESMExports();
}

function wrap(owner: Functions, name: string, always: boolean): void {
  const original = owner[name] as (...args: unknown[]) => unknown; // the lists above name functions
  const wrapped = (...args: unknown[]): unknown => {
    const [first] = args;
    if (watching && (always || !mayOpen(first))) {
      throw new Complaint(`${name}(${JSON.stringify(first)}) while a model is read`);
    }
    return original(...args);
  };
  owner[name] = Object.assign(wrapped, original);
}

const mayOpen = (path: unknown): boolean =>
  path === allowed || (typeof path === "string" && /[/\\]node_modules[/\\]/.test(path));
