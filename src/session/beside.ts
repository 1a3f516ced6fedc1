/**
 * Files that a model names beside itself: ONNX's external data, the .bin of an .xml, further parts of a GGUF. A file of a stranger's
 * must not make a runtime open others, so each has to be a regular file in the model's own folder, links followed; this is seen to
 * before any library gets the model, since not every version of each looks itself.
 */

import { readdirSync, realpathSync, statSync } from "node:fs";
import { dirname, isAbsolute, join, sep } from "node:path";
import { FileError } from "../base/errors.ts";
import type { Model } from "../model/graph.ts";

/** Shards of the largest models are some hundreds. */
const FILES_LIMIT = 10_000;
/** What runtimes would read in another place than the reader here, or outside; see formats/onnx. */
const LEADS_AWAY = /^(?:external\/|graph\/twice$)/;
/** ONNX Runtime's own mark for data at an address of its memory, which no file may hold. */
const ADDRESS = /_ORT_MEM_ADDR_/;
/** Of a SavedModel. */
const INDEX = "variables/variables.index";

/** Throws FileError for a file that is missing, is no file, or lies elsewhere. */
export function checkBeside(path: string, { needs: told, integrity }: Pick<Model, "needs" | "integrity">): void {
  const astray = integrity.find(({ severity, rule }) => severity === "error" && LEADS_AWAY.test(rule));
  if (astray !== undefined) throw new FileError(path, astray.says, astray.offset);
  if (told.length === 0) return;
  if (told.length > FILES_LIMIT) throw new FileError(path, `it names ${told.length} files beside it`);
  const folder = dirname(path);
  const needs = told.flatMap((name) => (name === INDEX ? shards(folder) : [name]));
  // A download cache holds both as links into one folder of its own: then that is where they belong together.
  const homes = [realpathSync(folder), dirname(realpathSync(path))].map((home) =>
    home.endsWith(sep) ? home : home + sep,
  );
  for (const name of needs) {
    const shown = JSON.stringify(name.length > 80 ? `${name.slice(0, 80)}…` : name);
    if (ADDRESS.test(name)) throw new FileError(path, `it names ${shown}, an address and no file`);
    const real = realOf(path, join(folder, name), shown);
    if (isAbsolute(name) || !homes.some((home) => real.startsWith(home))) {
      throw new FileError(path, `it names ${shown}, which lies outside of the model's folder`);
    }
    if (!statSync(real).isFile()) throw new FileError(path, `it names ${shown}, which is no regular file`);
  }
}

/** TensorFlow's index names further files in words of its own: all that lie beside it. */
function shards(folder: string): string[] {
  try {
    return readdirSync(join(folder, dirname(INDEX))).map((name) => join(dirname(INDEX), name));
  } catch {
    return [INDEX]; // ENOENT and others are told of the index itself
  }
}

function realOf(model: string, path: string, shown: string): string {
  try {
    return realpathSync(path);
  } catch (cause) {
    const code = cause instanceof Error && "code" in cause ? String(cause.code) : "unreadable";
    const says = code === "ENOENT" ? "which is not there" : code === "EACCES" ? "which may not be read" : code;
    throw new FileError(model, `it needs ${shown} beside it, ${says}`, undefined, { cause });
  }
}
