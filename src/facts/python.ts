/** Where Python environments keep their packages. site(3), PEP 405 (virtual environments), Debian Python Policy 2.5 */

import type { Reading } from "../base/reading.ts";
import type { Root } from "../root/root.ts";

/** Directories that hold the system's packages, and parents whose python3* children do. */
const SYSTEM = ["/usr/lib/python3/dist-packages"];
const SYSTEM_PARENTS = ["/usr/local/lib", "/usr/lib", "/usr/lib64", "/usr/local/lib64"];
const PACKAGES = ["site-packages", "dist-packages"];

export interface SitePackages {
  /** site-packages and dist-packages that are there, each once. */
  readonly directories: readonly string[];
  /** What looking for the system's own gave: tells an empty machine from one nobody captured. */
  readonly seen: Reading<readonly string[]>;
}

/** The system's package directories and those of environments (a venv, a conda prefix, or a site-packages itself). */
export function sitePackages(root: Root, environments: readonly string[]): SitePackages {
  const seen = root.list("/usr/lib");
  const directories = new Set<string>();
  const add = (path: string): void => {
    const real = root.real(path);
    if (real.state === "read" && root.list(path).state === "read") directories.add(real.value);
  };
  SYSTEM.forEach(add);
  for (const parent of SYSTEM_PARENTS) below(parent, parent === "/usr/lib" ? seen : root.list(parent), add);
  for (const environment of environments) environmentPackages(root, environment).forEach(add);
  return { directories: [...directories], seen };
}

/** Candidates below one environment the user named; they need not exist. */
export function environmentPackages(root: Root, environment: string): readonly string[] {
  const base = environment.replace(/(?<=.)\/+$/, "");
  if (PACKAGES.some((name) => base.endsWith(`/${name}`))) return [base];
  const candidates: string[] = [];
  for (const lib of ["lib", "lib64"]) {
    below(`${base}/${lib}`, root.list(`${base}/${lib}`), (path) => candidates.push(path));
  }
  return candidates;
}

function below(parent: string, listed: Reading<readonly string[]>, add: (path: string) => void): void {
  if (listed.state !== "read") return;
  for (const name of listed.value) {
    if (/^python3(\.\d{1,3}t?)?$/.test(name)) for (const packages of PACKAGES) add(`${parent}/${name}/${packages}`);
  }
}
