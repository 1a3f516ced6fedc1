/**
 * Shared libraries: the loader's cache parsed, the usual directories listed where there is no cache, vendor places added.
 * ld.so(8), ldconfig(8). Nothing is ever loaded.
 */

import { FileError } from "../base/errors.ts";
import { absent, malformed, read, type Reading, type Unread } from "../base/reading.ts";
import type { Root } from "../root/root.ts";
import { aliasMatches } from "./alias.ts";
import { parseLdCache, type CachedLibrary, type LdCache } from "./ld-cache.ts";
import { expand, loaderDirectories, trustedDirectories, vendorPlaces } from "./library-places.ts";
import { environmentPackages } from "./python.ts";

export { readElf, type ElfFacts } from "./elf.ts";

export interface Library {
  /** The name a program would ask for: libedgetpu.so.1 */
  readonly name: string;
  /** Where that name leads, links resolved: /usr/lib/x86_64-linux-gnu/libedgetpu.so.1.0 */
  readonly path: string;
  /** Version in the resolved file name (1.0), absent if it has none. */
  readonly version: Reading<string>;
  /** How it was found: "ld.so.cache", "directory", "python", "node_modules". */
  readonly via: string;
}

export interface Libraries {
  /**
   * Exact name, or a glob with `*` (libhailort.so.*). Sorted by name, each file once; empty when it is in none of the places.
   * Files the user's own loader would not find by itself (vendor places, environments) come after those it would.
   */
  find(pattern: string): Reading<readonly Library[]>;
}

const CACHE = "/etc/ld.so.cache";
/** Names in all listed directories together: a distribution with everything has some 30,000 libraries. */
const NAME_LIMIT = 200_000;
/** Directories looked into below what the user named: an environment with PyTorch has some 5,000. */
const DIRECTORY_LIMIT = 20_000;
/** <package>/bin/napi-v6/linux/x64 in a node_modules is the deepest known; @scope adds one. */
const DEPTH_LIMIT = 6;

/** `extra` are directories the user named (a venv, a node_modules, an SDK). */
export function readLibraries(root: Root, extra: readonly string[] = []): Reading<Libraries> {
  const cache = readCache(root);
  const searched = cache.state === "read" ? undefined : listAll(root, loaderDirectories(root), "directory");
  // Without a cache the directories are all there is: a machine of which neither was captured is unknown.
  const base = cache.state === "read" ? cache : searched?.places === 0 ? noCache(root, cache) : read(true, "/usr/lib");
  if (base.state !== "read" && extra.length === 0) return base;
  const trusted = lazy(() => trustedDirectories(root));
  const vendors = lazy(() =>
    listAll(
      root,
      vendorPlaces.flatMap((place) => expand(root, place.path)),
      "directory",
    ),
  );
  const named = lazy(() => extra.map((directory) => listNamed(root, directory)));
  const find = (pattern: string): Reading<readonly Library[]> => {
    const found = new Map<string, Library>();
    const add = (via: string, libraries: readonly CachedLibrary[]): number => {
      for (const library of libraries.toSorted(byName)) {
        const resolved = resolve(root, library, via);
        if (resolved !== undefined && !found.has(resolved.path)) found.set(resolved.path, resolved);
      }
      return found.size;
    };
    if (cache.state === "read" && add("ld.so.cache", cache.value.find(pattern)) === 0) {
      // The loader looks into its own directories for what the cache does not have (copied there, ldconfig not run).
      add("directory", inTrusted(root, trusted(), pattern));
    }
    if (searched !== undefined) add("directory", matching(searched, pattern));
    add("directory", matching(vendors(), pattern));
    for (const listing of named()) add(listing.via, matching(listing, pattern));
    return found.size > 0 || base.state === "read" ? read([...found.values()], base.from) : base;
  };
  return read({ find }, base.from);
}

function readCache(root: Root): Reading<LdCache> {
  const bytes = root.bytes(CACHE);
  if (bytes.state !== "read") return bytes;
  try {
    return read(parseLdCache(bytes.value, CACHE), CACHE);
  } catch (error) {
    if (error instanceof FileError) return malformed(CACHE, error.message.slice(CACHE.length + 2));
    throw error;
  }
}

/** Why there is no telling: what looking into /usr/lib gave says more than a cache that musl never has. */
function noCache(root: Root, cache: Unread): Unread {
  const listed = root.list("/usr/lib");
  return listed.state === "read" || listed.state === "absent" ? cache : listed;
}

interface Listing {
  readonly via: string;
  /** How many of the directories could be listed. */
  readonly places: number;
  readonly libraries: readonly CachedLibrary[];
}

const LIBRARY = /\.so(?:\.[\w.+-]{1,64})?$/;

function listAll(root: Root, directories: readonly string[], via: string): Listing {
  const libraries: CachedLibrary[] = [];
  const seen = new Set<string>();
  for (const directory of directories) {
    const real = root.real(directory);
    if (real.state !== "read" || seen.has(real.value)) continue; // /lib is /usr/lib on most distributions
    const names = root.list(directory);
    if (names.state !== "read") continue;
    seen.add(real.value);
    for (const name of names.value) {
      if (LIBRARY.test(name) && libraries.length < NAME_LIMIT) libraries.push({ name, path: `${directory}/${name}` });
    }
  }
  return { via, places: seen.size, libraries };
}

/** What the user named: a Python environment, a node_modules or the project around one, or any tree of libraries. */
function listNamed(root: Root, named: string): Listing {
  const directory = named.replace(/(?<=.)\/+$/, "");
  const python = environmentPackages(root, directory).filter((path) => root.list(path).state === "read");
  if (python.length > 0) return { ...walk(root, python), via: "python" };
  const modules = directory.endsWith("/node_modules") ? directory : `${directory}/node_modules`;
  if (root.list(modules).state === "read") return { ...walk(root, [modules]), via: "node_modules" };
  return { ...walk(root, [directory]), via: "directory" };
}

/** Breadth first, so that a limit cuts off the deepest. Every directory once, by its real path: links may lead in circles. */
function walk(root: Root, starts: readonly string[]): Omit<Listing, "via"> {
  const libraries: CachedLibrary[] = [];
  const seen = new Set<string>();
  let level = starts;
  for (let depth = 0; depth <= DEPTH_LIMIT && level.length > 0; depth++) {
    const next: string[] = [];
    for (const candidate of level) {
      const directory =
        depth === 0 || root.link(candidate).state === "read" ? root.real(candidate) : read(candidate, candidate);
      if (directory.state !== "read" || seen.has(directory.value) || seen.size >= DIRECTORY_LIMIT) continue;
      const names = root.list(directory.value);
      if (names.state !== "read") continue;
      seen.add(directory.value);
      for (const name of names.value) {
        const path = `${directory.value}/${name}`;
        if (!LIBRARY.test(name)) {
          if (mayHoldLibraries(name) && next.length < DIRECTORY_LIMIT) next.push(path);
        } else if (libraries.length < NAME_LIMIT) libraries.push({ name, path });
      }
    }
    level = next;
  }
  return { places: seen.size, libraries };
}

/** By its name only: files have a suffix, directories seldom; repaired wheels have <package>.libs beside the package. */
function mayHoldLibraries(name: string): boolean {
  if (name === "__pycache__" || name === "include" || name === "tests" || name.startsWith(".")) return false;
  return !name.includes(".") || name.endsWith(".libs");
}

function matching(listing: Listing, pattern: string): CachedLibrary[] {
  return /[*?[]/.test(pattern)
    ? listing.libraries.filter((library) => aliasMatches(pattern, library.name))
    : listing.libraries.filter((library) => library.name === pattern);
}

/** One look per directory, at the name before any `*`: libteflon.so for libteflon.so*. */
function inTrusted(root: Root, directories: readonly string[], pattern: string): CachedLibrary[] {
  const name = pattern.replace(/\.?\*$/, "");
  if (/[*?[]/.test(name) || name.includes("/")) return [];
  return directories.flatMap((directory) => {
    const path = `${directory}/${name}`;
    return root.stat(path).state === "read" && (name === pattern || aliasMatches(pattern, name))
      ? [{ name, path }]
      : [];
  });
}

/** Undefined when the file is gone: a cache is as old as the last ldconfig. */
function resolve(root: Root, library: CachedLibrary, via: string): Library | undefined {
  const real = root.real(library.path);
  if (real.state === "absent") return undefined;
  const path = real.state === "read" ? real.value : library.path;
  const version = /\.so\.(\d[\w.+-]*)$/.exec(path)?.[1];
  return {
    name: library.name,
    path,
    version: version === undefined ? absent(path, "no version in its name") : read(version, path),
    via,
  };
}

function byName(a: CachedLibrary, b: CachedLibrary): number {
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
}

function lazy<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}
