/**
 * Where TFLite is: what the user names, then the library in the npm package tfjs-tflite-node, then the machine's own LiteRT or TFLite. The packaged one
 * is first because it is known: it has XNNPACK, distributions build without; it takes delegates compiled against its own headers and
 * against newer ones, which only append to structs, where a newer library would read past the older delegate's.
 * docs/decisions/043-which-tflite.md
 */

import { existsSync, readdirSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { absent, read, valueOf, type Reading } from "../../base/reading.ts";
import { findPackage } from "../../base/package.ts";
import { usualEnvironments } from "../../facts/environments.ts";
import { readLibraries } from "../../facts/libraries.ts";
import { sitePackages } from "../../facts/python.ts";
import { openLive } from "../../root/directory.ts";
import type { Found, ProbeOptions } from "../delegate.ts";

export const PACKAGE = "tfjs-tflite-node";
/** Its folders, by process.arch; each needs glibc. */
const folders: Readonly<Record<string, string>> = { x64: "linux_amd64", arm64: "linux_arm64" };
/** What the package's libraries answer to TfLiteVersion(); the package's own number says nothing of it. */
const PACKAGED = "2.9.0";
/** Names with the C API: of TensorFlow's own build, and of Debian's. */
const names = ["libtensorflowlite_c.so", "libtensorflowlite_c.so.*", "libtensorflow-lite.so.*"] as const;

/** What to install: where the package has no library, LiteRT's wasm build. */
export const NPM = process.arch in folders ? `${PACKAGE}@0.0.2` : "@litertjs/core@2.5";

const LITERT = "libLiteRt.so";

/**
 * Loads nothing. LiteRT, which knows no external delegates, is found where no plugin is asked for, and before the machine's own TFLite,
 * which distributions build without XNNPACK.
 */
export function findTflite({ library, plugin, environments }: ProbeOptions): Reading<Found> {
  if (library !== undefined) return existsSync(library) ? read(named(library), library) : absent(library);
  const packaged = findPackaged();
  if (packaged.state === "read") return packaged;
  const litert = plugin === undefined ? findLitert(environments) : undefined;
  if (litert !== undefined) return read(named(litert), litert);
  for (const name of names) {
    const path = findLibrary(name);
    if (path !== undefined) return read({ library: path }, path);
  }
  return absent(packaged.from, `${packaged.why ?? "no such package"}; nor is ${LITERT} or ${names[0]} on this machine`);
}

function named(library: string): Found {
  const version = litertVersion(library);
  return version === undefined ? { library } : { library, version: `LiteRT ${version}` };
}

/** LiteRT's library, in the Python package ai_edge_litert or where the loader looks. */
export function findLitert(given: readonly string[] = []): string | undefined {
  // Environments come last there; what the user turned on or named counts first.
  for (const directory of sitePackages(openLive(), [...usualEnvironments(), ...given]).directories.toReversed()) {
    const path = join(directory, "ai_edge_litert", LITERT);
    if (existsSync(path)) return path;
  }
  return findLibrary(LITERT);
}

/** The Python package's version where the library lies in it: the library itself does not tell. */
export function litertVersion(library: string): string | undefined {
  if (basename(library) !== LITERT) return undefined;
  try {
    const about = readdirSync(dirname(dirname(library))).find((name) => /^ai_edge_litert-.*\.dist-info$/.test(name));
    return about?.slice("ai_edge_litert-".length, -".dist-info".length);
  } catch {
    return undefined; // not a folder that can be read
  }
}

function findPackaged(): Reading<Found> {
  const folder = folders[process.arch];
  const from = `node_modules/${PACKAGE}`;
  if (folder === undefined || process.platform !== "linux") {
    return absent(from, `${PACKAGE} has no library for ${process.platform} on ${process.arch}`);
  }
  const found = findPackage(PACKAGE);
  if (found === undefined) return absent(from);
  const path = join(found.folder, "cc_deps", folder, "libtensorflowlite_c.so");
  if (!existsSync(path)) return absent(path);
  const version = `${PACKAGED} (${PACKAGE} ${found.version ?? "of no version"})`;
  return read({ library: path, version, embedded: true }, path);
}

/** The first library of this name that this machine's loader would find, or that lies in a vendor's place. */
export function findLibrary(name: string): string | undefined {
  const libraries = valueOf(readLibraries(openLive()));
  return libraries === undefined ? undefined : valueOf(libraries.find(name))?.[0]?.path;
}
