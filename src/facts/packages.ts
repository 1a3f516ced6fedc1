/**
 * Installed packages of the distribution (dpkg, apk, pacman; rpm's database is not read) and wheels of Python environments.
 * os-release(5), dpkg(1) "FILES", apk's installed database, PEP 376 and PEP 503
 */

import { absent, chain, firstRead, read, uncaptured, valueOf, type Reading } from "../base/reading.ts";
import type { Root } from "../root/root.ts";
import { sitePackages } from "./python.ts";

export interface Distro {
  /** ID of os-release: debian, ubuntu, fedora, arch ... */
  readonly id: string;
  /** ID_LIKE, split. */
  readonly like: readonly string[];
  readonly version: Reading<string>;
  readonly name: string;
}

export function readDistro(root: Root): Reading<Distro> {
  const files = ["/etc/os-release", "/usr/lib/os-release"];
  return chain(
    firstRead(
      files.map((path) => root.text(path)),
      "/etc/os-release",
    ),
    (text, from) => {
      const fields = parseOsRelease(text);
      const version = fields.get("VERSION_ID");
      const id = fields.get("ID") ?? "linux"; // os-release(5): the default when it is not set
      return read(
        {
          id,
          like: (fields.get("ID_LIKE") ?? "").split(" ").filter((word) => word !== ""),
          version: version === undefined ? absent(from, "no VERSION_ID: a rolling release") : read(version, from),
          name: fields.get("PRETTY_NAME") ?? fields.get("NAME") ?? id,
        },
        from,
      );
    },
  );
}

/** Shell-like assignments: KEY=value, "value" or 'value', with \ before $ " \ and `. */
function parseOsRelease(text: string): Map<string, string> {
  const fields = new Map<string, string>();
  for (const line of text.split("\n", 200)) {
    const match = /^([A-Z_0-9]+)=(.*)$/.exec(line.trim());
    if (!match) continue;
    const value = (match[2] ?? "").trim();
    const quote = value[0];
    const bare = (quote === '"' || quote === "'") && value.endsWith(quote) ? value.slice(1, -1) : value;
    fields.set(match[1] ?? "", quote === "'" ? bare : bare.replace(/\\(.)/g, "$1"));
  }
  return fields;
}

/**
 * Version of an installed package, from /var/lib/dpkg/status (status "install ok installed" only), apk's or pacman's database.
 * Absent when a database was read and does not have it; uncaptured when no database here can be read.
 */
export function readPackageVersion(root: Root, name: string): Reading<string> {
  const tried: Reading<string>[] = [];
  for (const find of [findDpkg, findApk, findPacman]) {
    const found = find(root, name);
    if (found !== undefined) tried.push(found);
  }
  return tried.length === 0
    ? uncaptured("/var/lib/dpkg/status", "no package database that is read here; rpm's is not")
    : firstRead(tried, "/var/lib/dpkg/status");
}

const statusOf = new WeakMap<Root, Reading<string>>();

/** A question is a search in one text of some megabytes, so the text is kept as long as its root. */
function findDpkg(root: Root, name: string): Reading<string> | undefined {
  let status = statusOf.get(root);
  if (status === undefined) statusOf.set(root, (status = root.text("/var/lib/dpkg/status")));
  if (status.state === "absent" || status.state === "uncaptured") return undefined;
  return chain(status, (text, from) => {
    const stanzas = text.startsWith("Package:") ? `\n${text}` : text;
    // Foreign architectures have stanzas of the same package.
    for (
      let at = stanzas.indexOf(`\nPackage: ${name}\n`);
      at >= 0;
      at = stanzas.indexOf(`\nPackage: ${name}\n`, at + 1)
    ) {
      const end = stanzas.indexOf("\n\n", at + 1);
      const stanza = stanzas.slice(at, end < 0 ? undefined : end);
      if (!stanza.includes("\nStatus: install ok installed")) continue;
      const version = /^Version: (.{1,200})$/m.exec(stanza)?.[1];
      if (version !== undefined) return read(version, from);
    }
    return absent(from, `${name} is not installed`);
  });
}

/** Alpine: records of letter:value lines, P the name and V the version. */
function findApk(root: Root, name: string): Reading<string> | undefined {
  const database = firstRead(
    ["/lib/apk/db/installed", "/usr/lib/apk/db/installed"].map((path) => root.text(path)),
    "/lib/apk/db/installed",
  );
  if (database.state === "absent" || database.state === "uncaptured") return undefined;
  return chain(database, (text, from) => {
    const at = `\n${text}`.indexOf(`\nP:${name}\n`);
    const end = text.indexOf("\n\n", at);
    const version = at < 0 ? undefined : /^V:(.{1,200})$/m.exec(text.slice(at, end < 0 ? undefined : end))?.[1];
    return version === undefined ? absent(from, `${name} is not installed`) : read(version, from);
  });
}

/** Arch: a directory per package, NAME-VERSION-RELEASE; the version has no "-" of its own. */
function findPacman(root: Root, name: string): Reading<string> | undefined {
  const local = root.list("/var/lib/pacman/local");
  if (local.state === "absent" || local.state === "uncaptured") return undefined;
  return chain(local, (names, from) => {
    for (const entry of names) {
      if (!entry.startsWith(`${name}-`)) continue;
      const version = entry.slice(name.length + 1);
      if (/^[^-]+-[^-]+$/.test(version)) return read(version, `${from}/${entry}`);
    }
    return absent(from, `${name} is not installed`);
  });
}

export interface Wheel {
  /** Normalised as PEP 503 says: lower case, "-" for each run of "-", "_" and ".". */
  readonly name: string;
  readonly version: string;
  readonly path: string;
}

/** Packages one environment may hold; the largest real ones have some 600. */
const WHEEL_LIMIT = 20_000;

/** dist-info directories of the system's Python and of the environments the user named, sorted by name. */
export function readWheels(root: Root, environments: readonly string[] = []): Reading<readonly Wheel[]> {
  const wheels: Wheel[] = [];
  const { directories, seen } = sitePackages(root, environments);
  for (const directory of directories) {
    for (const entry of valueOf(root.list(directory)) ?? []) {
      // Debian's own packages and old pip leave egg-info: NAME-VERSION[-pyX.Y].egg-info
      const match = /^([A-Za-z0-9][\w.]*?)-([^-]+)(?:-[^-]+)?\.(?:dist|egg)-info$/.exec(entry);
      if (!match || wheels.length >= WHEEL_LIMIT) continue;
      const name = (match[1] ?? "").toLowerCase().replace(/[-_.]+/g, "-");
      wheels.push({ name, version: match[2] ?? "", path: `${directory}/${entry}` });
    }
  }
  if (directories.length === 0 && seen.state !== "read") return seen;
  return read(wheels.sort(byName), directories[0] ?? "/usr/lib/python3");
}

function byName(a: Wheel, b: Wheel): number {
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
}
