/** Installed packages of the distribution (dpkg, rpm is a database we do not read, apk) and wheels of Python environments. dpkg-query(1), PEP 376 */

import type { Reading } from "../base/reading.ts";
import type { Root } from "../root/root.ts";

export interface Distro {
  /** ID of os-release: debian, ubuntu, fedora, arch ... */
  readonly id: string;
  /** ID_LIKE, split. */
  readonly like: readonly string[];
  readonly version: Reading<string>;
  readonly name: string;
}

export function readDistro(root: Root): Reading<Distro> {
  void root;
  throw new Error("facts/packages");
}

/** Version of an installed package, from /var/lib/dpkg/status (status "install ok installed" only) or /lib/apk/db/installed. */
export function readPackageVersion(root: Root, name: string): Reading<string> {
  void root;
  void name;
  throw new Error("facts/packages");
}

export interface Wheel {
  readonly name: string;
  readonly version: string;
  readonly path: string;
}

/** dist-info directories of the system's Python and of the environments the user named. */
export function readWheels(root: Root, environments?: readonly string[]): Reading<readonly Wheel[]> {
  void root;
  void environments;
  throw new Error("facts/packages");
}
