/**
 * Packages of npm as seen from where this code lies: dependencies that are loaded when they are first wanted, and packages whose files
 * alone are used. https://nodejs.org/api/modules.html#loading-from-node_modules-folders
 */

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { CannotError } from "./errors.ts";

/** Of CommonJS, which somebody's bundle of the library may be. */
declare const __filename: string | undefined;

/** The file that runs, which is a bundle's when this code is in one. */
export function ownFile(): string {
  const url = import.meta.url as string | undefined; // bundlers leave it undefined in CommonJS
  return fileURLToPath(url ?? pathToFileURL(__filename ?? "bundle.cjs").href);
}

let known: NodeJS.Require | undefined;
/** For what is optional, or only resolved. createRequire() by its import is a word of webpack's, which takes it away. */
export const ownRequire = (): NodeJS.Require =>
  (known ??= process.getBuiltinModule("node:module").createRequire(ownFile()));

/** A part of Node, or a dependency of this project. Throws CannotError where it is not: in a bundle that was moved away from it. */
export function requireLate(name: string): unknown {
  try {
    return ownRequire()(name);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "MODULE_NOT_FOUND")) throw error;
    throw new CannotError(`the package ${name} is not found from ${ownFile()}: ${LEAVE_OUT}`, { cause: error });
  }
}

export const LEAVE_OUT = "a bundle has to leave accelctl out, as external, and to have it in node_modules";

export interface Package {
  readonly folder: string;
  readonly version?: string;
}

/** Loads nothing, and takes packages that export nothing. */
export function findPackage(name: string): Package | undefined {
  const folders = (ownRequire().resolve.paths(name) ?? []).map((path) => join(path, name));
  const folder = folders.find((path) => existsSync(join(path, "package.json")));
  if (folder === undefined) return undefined;
  try {
    const { version } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as { version?: unknown };
    return typeof version === "string" ? { folder, version } : { folder };
  } catch {
    return { folder }; // one that does not say is used all the same: the library in it is asked
  }
}

/** What to type so that findPackage() finds it. Nothing here needs a package's scripts, and ONNX Runtime's fetch 500 MB for CUDA. */
export const installing = (name: string): string => `npm install ${isGlobal() ? "-g " : ""}--ignore-scripts ${name}`;

/** npm's place for commands of the whole machine is PREFIX/lib/node_modules, where no project lies. */
function isGlobal(): boolean {
  const [, top] = /^(.*\/lib)\/node_modules\/accelctl\//.exec(ownFile()) ?? [];
  return top !== undefined && !existsSync(join(top, "package.json"));
}
