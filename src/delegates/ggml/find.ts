/**
 * Where llama.cpp's libraries lie: the npm packages of node-llama-cpp (one for each back end), or where the loader looks. Debian's
 * libllama0 puts libllama.so.0 among the loader's; builds of llama.cpp put libllama.so beside its libggml.
 */

import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { valueOf } from "../../base/reading.ts";
import { findPackage } from "../../base/package.ts";
import { loaderDirectories } from "../../facts/library-places.ts";
import { namedLibrary } from "../../facts/named-libraries.ts";
import { openLive } from "../../root/directory.ts";

export interface Candidate {
  /** Path of libllama. */
  readonly library: string;
  readonly version?: string;
  /** Back ends beside it, as their files name them: cpu, vulkan, cuda. */
  readonly backends: readonly string[];
}

const PACKAGE = `@node-llama-cpp/linux-${process.arch}`;
/** What to install; of other architectures there is no such package. */
export const NPM = ["x64", "arm64"].includes(process.arch) ? `${PACKAGE}@3.22.1` : undefined;
/** The package's variants; the plain one holds the CPU's back ends, the others add one each. */
const variants = ["", "-vulkan", "-cuda"] as const;

/** libllama.so, libllama.so.0, libllama.b7347.so, libllama.vulkan.v0.5.0.so; not libllama-common.so. */
const LIBRARY = /^libllama(?:\.[a-z0-9]+)*?\.so(?:\.\d+)*$/;

/** Best first: what the user named, packages, the loader's. Loads nothing. */
export function* candidates(environments: readonly string[] = []): Generator<Candidate> {
  const own = namedLibrary(openLive(), environments, "libllama*.so*");
  const named = own === undefined ? undefined : candidateIn(dirname(own));
  if (named !== undefined) yield named;
  for (const variant of variants) {
    const packaged = findPackage(`${PACKAGE}${variant}`);
    if (packaged === undefined) continue;
    const bins = join(packaged.folder, "bins");
    for (const name of namesIn(bins)) {
      const found = candidateIn(join(bins, name), packaged.version);
      if (found !== undefined) yield found;
    }
  }
  for (const folder of loaderDirectories(openLive())) {
    const found = candidateIn(folder);
    if (found !== undefined) yield found;
  }
}

export function candidateIn(folder: string, version?: string): Candidate | undefined {
  const name = namesIn(folder).find((one) => LIBRARY.test(one));
  if (name === undefined) return undefined;
  return { library: join(folder, name), ...(version === undefined ? {} : { version }), backends: backendsIn(folder) };
}

/** Where the back ends of a libllama lie: beside it, in Debian's and Ubuntu's ggml/backends0, in Arch's ggml/backends. */
export function backendFolders(folder: string): string[] {
  return ["", "ggml/backends0", "ggml/backends"].map((name) => join(folder, name)).filter((path) => existsSync(path));
}

function backendsIn(folder: string): string[] {
  const names = backendFolders(folder).flatMap(namesIn);
  const kinds = names.map((name) => /^libggml-(?!base)([a-z0-9]+)(?:-[\w-]+)?\.so/.exec(name)?.[1]);
  return [...new Set(kinds.filter((kind) => kind !== undefined))].sort();
}

function namesIn(folder: string): string[] {
  return [...(valueOf(openLive().list(folder)) ?? [])].sort();
}
