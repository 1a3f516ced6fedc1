/**
 * Python environments that are turned on where accelctl runs: what `python3` would import from besides the system's packages. By
 * activation (VIRTUAL_ENV, CONDA_PREFIX), or by PATH alone, as images of containers do it. PEP 405: beside bin/ lies pyvenv.cfg; conda-meta/
 * of conda's. Only of the live machine: another machine's processes are not known.
 */

import { existsSync } from "node:fs";
import { homedir } from "node:os";

/** Directories, in the order in which a program would look: what was turned on first. */
export function activeEnvironments(variables: Readonly<Record<string, string | undefined>> = process.env): string[] {
  const { VIRTUAL_ENV = "", CONDA_PREFIX = "", PATH = "" } = variables;
  const found = new Set([VIRTUAL_ENV, CONDA_PREFIX].filter((path) => path.startsWith("/")));
  for (const place of PATH.split(":")) {
    const [, environment] = /^(\/.+)\/bin\/?$/.exec(place) ?? [];
    if (environment === undefined || found.has(environment)) continue;
    if (existsSync(`${environment}/pyvenv.cfg`) || existsSync(`${environment}/conda-meta`)) found.add(environment);
  }
  return [...found];
}

/** Those, and where `pip install --user` puts packages: the nearest last, as sitePackages() wants it. */
export function usualEnvironments(): readonly string[] {
  return [`${homedir()}/.local`, ...activeEnvironments().toReversed()];
}
