/** A root made of a few lines of test: path to content. Links start with "-> ", directories are implied, null is denied. */

import { absent, chain, denied, malformed, map, read, type Reading } from "../../src/base/reading.ts";
import type { Root, Stat } from "../../src/root/root.ts";

export type Entry = string | Uint8Array | null;

export function smallRoot(files: Readonly<Record<string, Entry>>, kind: Root["kind"] = "capture"): Root {
  const paths = Object.keys(files);
  const isDirectory = (path: string): boolean =>
    path === "/" || path === "" || paths.some((known) => known.startsWith(`${path}/`));

  const resolve = (path: string, depth = 0): Reading<string> => {
    if (depth > 40) return malformed(path, "too many links");
    let at = "";
    const parts = path.split("/").filter((part) => part !== "" && part !== ".");
    for (const [i, part] of parts.entries()) {
      if (part === "..") {
        at = at.slice(0, Math.max(0, at.lastIndexOf("/")));
        continue;
      }
      const next = `${at}/${part}`;
      const entry = files[next];
      if (typeof entry === "string" && entry.startsWith("-> ")) {
        const target = entry.slice(3);
        const rest = parts.slice(i + 1).join("/");
        return resolve(`${target.startsWith("/") ? target : `${at}/${target}`}/${rest}`, depth + 1);
      }
      if (entry === null) return denied(path);
      if (entry === undefined && !isDirectory(next)) return absent(path);
      at = next;
    }
    return read(at, path);
  };
  const bytes = (path: string): Reading<Uint8Array> =>
    chain(resolve(path), (real) => {
      const entry = files[real];
      if (entry === undefined || entry === null) return malformed(path, "a directory");
      return read(typeof entry === "string" ? Buffer.from(entry) : entry, path);
    });
  return {
    kind,
    name: "small",
    bytes,
    text: (path) => map(bytes(path), (content) => Buffer.from(content).toString("utf8")),
    slice: (path, offset, length) => map(bytes(path), (content) => content.subarray(offset, offset + length)),
    list: (path) =>
      chain(resolve(path), (real) => {
        if (!isDirectory(real)) return malformed(path, "not a directory");
        const names = paths
          .filter((known) => known.startsWith(`${real}/`))
          .map((known) => known.slice(real.length + 1).split("/")[0] ?? "");
        return read([...new Set(names)].sort(), path);
      }),
    link: (path) => {
      const parent = resolve(path.slice(0, path.lastIndexOf("/")));
      if (parent.state !== "read") return parent;
      const entry = files[`${parent.value}${path.slice(path.lastIndexOf("/"))}`];
      if (entry === undefined) return absent(path);
      return typeof entry === "string" && entry.startsWith("-> ") ? read(entry.slice(3), path) : malformed(path);
    },
    real: (path) => map(resolve(path), (real) => real),
    stat: (path) =>
      map(resolve(path), (real): Stat => {
        const entry = files[real];
        const type = entry === undefined || entry === null ? "directory" : "file";
        return { type, mode: 0o644, uid: 0, gid: 0, size: entry?.length ?? 0 };
      }),
    access: (path) => map(resolve(path), () => true),
    ask: (node) => absent(node),
  };
}
