/**
 * A machine's tree in a tar archive, packed or not, and a Debian package as a tree. Everything stays views into the unpacked bytes.
 * deb(5), ar(5)
 */

import { readFileSync, statSync } from "node:fs";

import { latin1 } from "../base/bytes.ts";
import { CannotError, FileError } from "../base/errors.ts";
import { withCoverage } from "./coverage.ts";
import { ENTRY_LIMIT, TreeBuilder } from "./memory.ts";
import { addMeta, hasMeta } from "./meta.ts";
import type { Root } from "./root.ts";
import { isTar, readTar, type TarEntry } from "./tar.ts";
import { rootOver } from "./tree.ts";
import { unpack } from "./unpack.ts";

/** A captured machine unpacks to 10 MiB, a small image to some hundred. */
export const ARCHIVE_LIMIT = 512 * 1024 * 1024;
/** The largest kernel package (with debug information left out) unpacks to 0.5 GiB. */
const DEB_LIMIT = 2 * 1024 * 1024 * 1024;

/** `bytes` are the unpacked archive. */
export function openTar(bytes: Uint8Array, name: string): Root {
  const builder = new TreeBuilder();
  addEntries(builder, stripped(readTar(bytes, name, ENTRY_LIMIT)));
  if (hasMeta(builder)) {
    addMeta(builder);
    return builder.build("archive", name);
  }
  builder.covers("/");
  return rootOver(withCoverage(builder.tree()), { kind: "archive", name });
}

export { isTar };

/** The files of a Debian package: what it would install, nothing of the machine it would go to. */
export function openDeb(path: string): Root {
  let bytes: Uint8Array;
  try {
    if (!statSync(path).isFile()) throw new CannotError(`${path}: not a file`);
    bytes = readFileSync(path);
  } catch (error) {
    if (error instanceof CannotError) throw error;
    throw new CannotError(`${path}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
  return openDebBytes(bytes, path);
}

/** As `openDeb`, of a package that was read already. */
export function openDebBytes(bytes: Uint8Array, path: string): Root {
  const { data, offset } = findData(bytes, path);
  let tar: Uint8Array;
  try {
    tar = unpack(data, path, DEB_LIMIT);
  } catch (error) {
    if (!(error instanceof FileError) || error.offset === undefined) throw error;
    throw new FileError(path, error.message.replace(/^.*?: offset 0x[0-9a-f]+: /, ""), error.offset + offset);
  }
  if (!isTar(tar)) throw new FileError(path, `data.tar is packed in a way that is not read`, offset);
  const builder = new TreeBuilder();
  addEntries(builder, readTar(tar, path, ENTRY_LIMIT));
  // Debian installs below /usr since /lib is a link to /usr/lib on every machine; the package does not bring the link.
  if (!builder.has("/lib") && builder.has("/usr/lib")) builder.link("/lib", "usr/lib");
  for (const whole of ["/lib/modules", "/usr/lib/modules", "/boot", "/lib/firmware", "/usr/lib/firmware"]) {
    if (builder.has(whole)) builder.covers(whole);
  }
  return builder.build("archive", path);
}

const AR_MAGIC = "!<arch>\n";
const AR_HEADER = 60;

export function isDeb(bytes: Uint8Array): boolean {
  return latin1(bytes.subarray(0, AR_MAGIC.length)) === AR_MAGIC;
}

function findData(bytes: Uint8Array, path: string): { data: Uint8Array; offset: number } {
  if (!isDeb(bytes)) throw new FileError(path, "not a Debian package (no ar archive)", 0);
  let at = AR_MAGIC.length;
  while (at + AR_HEADER <= bytes.length) {
    const header = latin1(bytes.subarray(at, at + AR_HEADER));
    if (!header.endsWith("`\n")) throw new FileError(path, "not an ar member", at);
    const size = Number(header.slice(48, 58).trim());
    const start = at + AR_HEADER;
    if (!Number.isSafeInteger(size) || size < 0 || start + size > bytes.length) {
      throw new FileError(path, `ar member ${header.slice(0, 16).trim()} is cut off`, bytes.length);
    }
    if (header.startsWith("data.tar")) return { data: bytes.subarray(start, start + size), offset: start };
    at = start + size + (size & 1);
  }
  throw new FileError(path, "no data.tar in this package", bytes.length);
}

function addEntries(builder: TreeBuilder, entries: readonly TarEntry[]): void {
  for (const { path, type, mode, uid, gid, size, major, minor, target, content } of entries) {
    if (path === "/") continue;
    const owner = { mode, uid, gid };
    if (type === "directory") builder.directory(path, owner);
    else if (type === "link") builder.link(path, target ?? "");
    else if (type === "char" || type === "block") builder.node(path, { type, ...owner, major, minor });
    else if (content !== undefined) builder.file(path, content, owner);
    else if (type === "file") builder.present(path, size);
    else builder.node(path, { type, ...owner });
  }
}

/** Directories that make a tree a root; anything else at the top is a wrapper. */
const TOP: ReadonlySet<string> = new Set([
  "sys",
  "proc",
  "dev",
  "etc",
  "usr",
  "lib",
  "boot",
  "var",
  "opt",
  "run",
  "meta",
  "home",
]);

/** Without the one directory that everything lies in, when there is one. */
function stripped(entries: readonly TarEntry[]): readonly TarEntry[] {
  const tops = new Set(entries.map(({ path }) => path.split("/", 2)[1] ?? "").filter((top) => top !== ""));
  const [top] = tops;
  if (tops.size !== 1 || top === undefined || TOP.has(top)) return entries;
  if (entries.some(({ path, type }) => path === `/${top}` && type !== "directory")) return entries;
  return entries.flatMap((entry) => {
    const path = entry.path.slice(top.length + 1);
    return path === "" ? [] : [{ ...entry, path }];
  });
}
