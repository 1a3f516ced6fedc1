/**
 * Where OpenVINO's C library lies: where the loader looks, Intel's archive in /opt/intel, or a Python package. The soname is the
 * release: libopenvino_c.so.2641 is 2026.4.1 (cmake/developer_package/version.cmake).
 */

import { existsSync } from "node:fs";
import { basename } from "node:path";
import { absent, read, valueOf, type Reading } from "../../base/reading.ts";
import { usualEnvironments } from "../../facts/environments.ts";
import { readLibraries } from "../../facts/libraries.ts";
import { namedLibrary } from "../../facts/named-libraries.ts";
import { sitePackages } from "../../facts/python.ts";
import { openLive } from "../../root/directory.ts";
import type { FindOptions, Found } from "../delegate.ts";

const NAME = "libopenvino_c.so";

export function find({ library, environments: named = [] }: FindOptions): Reading<Found> {
  if (library !== undefined) return existsSync(library) ? read(found(library), library) : absent(library);
  const root = openLive();
  const { LD_LIBRARY_PATH = "", CONDA_PREFIX = "" } = process.env;
  const inFolder = (folder: string): Reading<Found> | undefined => {
    const name = valueOf(root.list(folder))?.find((file) => file.startsWith(NAME));
    return name === undefined ? undefined : read(found(`${folder}/${name}`), folder);
  };
  const own = namedLibrary(root, named, `${NAME}.*`) ?? namedLibrary(root, named, NAME);
  if (own !== undefined) return read(found(own), own);
  // The loader looks there first; setupvars.sh of Intel's archive fills it.
  const first = LD_LIBRARY_PATH.split(":").filter((folder) => folder.startsWith("/"));
  for (const folder of [...first, ...(CONDA_PREFIX === "" ? [] : [`${CONDA_PREFIX}/lib`])]) {
    const there = inFolder(folder);
    if (there !== undefined) return there;
  }
  const libraries = readLibraries(root);
  for (const name of [`${NAME}.*`, NAME]) {
    const known = libraries.state === "read" ? valueOf(libraries.value.find(name))?.[0] : undefined;
    if (known !== undefined) return read(found(known.path), known.path);
  }
  // Environments come last there; what the user turned on counts first.
  for (const directory of sitePackages(root, usualEnvironments()).directories.toReversed()) {
    const there = inFolder(`${directory}/openvino/libs`);
    if (there !== undefined) return there;
  }
  return absent(NAME, "not among the loader's libraries, in /opt/intel or in a Python package openvino");
}

function found(library: string): Found {
  const version = versionOf(basename(library));
  return version === undefined ? { library } : { library, version };
}

function versionOf(name: string): string | undefined {
  const [, year, minor, patch] = /\.so\.(\d\d)(\d)(\d)$/.exec(name) ?? [];
  if (year !== undefined) return `20${year}.${minor ?? ""}.${patch ?? ""}`;
  return /\.so\.(20\d\d\.\d+\.\d+)$/.exec(name)?.[1];
}
