/**
 * The directory of models: DIR/NAME/VERSION/model.EXT with an optional DIR/NAME/accelctl.json, as Triton lays them out, and
 * DIR/NAME.EXT with an optional DIR/NAME.accelctl.json, which is version 1. Links are followed within DIR only. Reads names, sizes and
 * the first bytes: a model is opened by whoever serves it. Nothing thrown for what lies in it: each model has its own `problem`.
 */

import { readdirSync, readFileSync, realpathSync, statSync, type Stats } from "node:fs";
import { join, sep } from "node:path";
import { CannotError, FileError, UsageError } from "../../base/errors.ts";
import { delegates } from "../../delegates/index.ts";
import { detectFormat } from "../../formats/detect.ts";
import { openModelFile } from "../../formats/file.ts";
import { formats } from "../../formats/index.ts";
import { checkModelConfig, type ModelConfig, type VersionPolicy } from "./config.ts";

export interface FoundModel {
  readonly name: string;
  readonly config: ModelConfig;
  /** Where its config lies: paths in it that are not absolute begin here. */
  readonly folder: string;
  /** Oldest first. */
  readonly versions: readonly FoundVersion[];
  /** Why none of it can serve; no path of the host in it. */
  readonly problem?: string;
  /** What is there and not looked at, in a sentence. */
  readonly note?: string;
}

export interface FoundVersion {
  readonly version: string;
  readonly path: string;
  /** Differs when the file or the config does. */
  readonly mark: string;
  readonly problem?: string;
}

/** As they stand in addresses; a name with anything else in it is not served. */
const NAME = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/;
const VERSION = /^(?:0|[1-9][0-9]{0,17})$/;
const CONFIG = "accelctl.json";
/** Triton's. */
const FOREIGN = "config.pbtxt";
/** A config is some lines. */
const CONFIG_LIMIT = 1024 * 1024;
/** Entries of one directory: beyond it somebody named the wrong one. */
const ENTRY_LIMIT = 10_000;
/** Lie beside models and are none: ONNX's external data, OpenVINO's weights, lists of labels. */
const BESIDE = /\.(?:data|bin|txt|json|ya?ml|md|pbtxt|csv|names|labels)$/i;

const runnable: ReadonlySet<string> = new Set(delegates.flatMap((delegate) => delegate.formats));

/** Throws CannotError where the directory itself cannot be read. */
export function scanModels(directory: string): FoundModel[] {
  const home = homeOf(directory);
  const found = new Map<string, FoundModel>();
  for (const entry of entriesOf(home)) {
    const one = lookAt(home, entry);
    if (one === undefined) continue;
    const twice = found.get(one.name);
    found.set(
      one.name,
      twice === undefined ? one : { ...one, versions: [], problem: "a folder or file of the same name is there too" },
    );
  }
  return [...found.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** One model of it, looked at anew; undefined where there is none of this name. */
export function findModel(directory: string, name: string): FoundModel | undefined {
  return NAME.test(name) ? scanModels(directory).find((one) => one.name === name) : undefined;
}

/** Those that should serve, of what is there; oldest first. */
export function chooseVersions(versions: readonly FoundVersion[], policy: VersionPolicy = "latest"): FoundVersion[] {
  if (policy === "all") return [...versions];
  if (policy === "latest") return versions.slice(-1);
  if ("latest" in policy) return versions.slice(-policy.latest);
  return versions.filter(({ version }) => policy.includes(version));
}

function homeOf(directory: string): string {
  try {
    const home = realpathSync(directory);
    if (!statSync(home).isDirectory()) throw new CannotError(`${directory}: no directory`);
    return home;
  } catch (cause) {
    if (cause instanceof CannotError) throw cause;
    const code = codeOf(cause);
    throw new CannotError(`${directory}: ${code === "ENOENT" ? "no such directory" : code}`, { cause });
  }
}

function entriesOf(folder: string): string[] {
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch (cause) {
    throw new CannotError(`${folder}: ${codeOf(cause)}`, { cause });
  }
  if (names.length > ENTRY_LIMIT) throw new CannotError(`${folder}: more than ${ENTRY_LIMIT} entries`);
  return names.filter((name) => !name.startsWith(".")).sort();
}

function lookAt(home: string, entry: string): FoundModel | undefined {
  const path = join(home, entry);
  const stat = statOf(path);
  if (stat?.isDirectory() === true) return NAME.test(entry) ? folderModel(home, entry) : undefined;
  const dot = entry.lastIndexOf(".");
  const name = entry.slice(0, dot);
  // A link that leads nowhere is told of like a model that cannot be opened.
  if (dot < 1 || BESIDE.test(entry) || !NAME.test(name)) return undefined;
  if (stat !== undefined && !stat.isFile()) return undefined;
  if (!hasModelName(entry) && formatOf(path) === undefined) return undefined;
  const configured = configOf(home, join(home, `${name}.${CONFIG}`), `${name}.${CONFIG}`);
  const versions = [versionAt(home, "1", path, configured.mark)];
  return { name, folder: home, versions, ...configured.result };
}

function folderModel(home: string, name: string): FoundModel {
  const folder = join(home, name);
  if (!isWithin(home, folder)) return broken(name, folder, "its folder is a link out of the directory of models");
  const configured = configOf(home, join(folder, CONFIG), CONFIG);
  const base = { name, folder, ...configured.result };
  let entries: string[];
  try {
    entries = entriesOf(folder);
  } catch {
    return broken(name, folder, "its folder may not be read");
  }
  const unread = entries.includes(FOREIGN)
    ? { note: `its ${FOREIGN} is not read; what it says goes into ${CONFIG}` }
    : {};
  const versions = entries
    .filter((entry) => VERSION.test(entry) && statOf(join(folder, entry))?.isDirectory() === true)
    .sort((a, b) => (BigInt(a) < BigInt(b) ? -1 : 1))
    .map((version) => versionIn(home, folder, version, configured.result.config.file, configured.mark));
  if (versions.length > 0 || "problem" in base) return { ...base, ...unread, versions };
  return { ...base, versions, problem: "its folder has no version in it: a folder with a number for a name" };
}

const broken = (name: string, folder: string, problem: string): FoundModel => ({
  name,
  folder,
  config: {},
  versions: [],
  problem,
});

interface Configured {
  readonly mark: string;
  readonly result: { readonly config: ModelConfig; readonly problem?: string };
}

function configOf(home: string, path: string, shown: string): Configured {
  const stat = statOf(path);
  if (stat === undefined) return { mark: "", result: { config: {} } };
  const problem = (says: string): Configured => ({ mark: markOf(stat), result: { config: {}, problem: says } });
  if (!stat.isFile() || !isWithin(home, path)) return problem(`${shown} is no file within the directory of models`);
  if (stat.size > CONFIG_LIMIT) return problem(`${shown} has more than ${CONFIG_LIMIT} bytes`);
  try {
    const value: unknown = JSON.parse(readFileSync(path, "utf8"));
    return { mark: markOf(stat), result: { config: checkModelConfig(value, shown) } };
  } catch (error) {
    if (error instanceof UsageError) return problem(error.message);
    if (error instanceof SyntaxError) return problem(`${shown}: no JSON: ${error.message}`);
    return problem(`${shown}: ${codeOf(error)}`);
  }
}

function versionIn(
  home: string,
  folder: string,
  version: string,
  file: string | undefined,
  mark: string,
): FoundVersion {
  const inside = join(folder, version);
  const failed = (problem: string): FoundVersion => ({ version, path: inside, mark: `${mark} ${problem}`, problem });
  if (!isWithin(home, inside)) return failed("its folder is a link out of the directory of models");
  if (file !== undefined) {
    if (file.includes("/") || file === "." || file === "..")
      return failed("/file of its config: a name without a slash");
    return versionAt(home, version, join(inside, file), mark);
  }
  let entries: string[];
  try {
    entries = entriesOf(inside).filter((entry) => statOf(join(inside, entry))?.isDirectory() !== true);
  } catch {
    return failed("its folder may not be read");
  }
  const likely = entries.filter(
    (entry) => !BESIDE.test(entry) && (hasModelName(entry) || isModelFile(join(inside, entry))),
  );
  const named = likely.filter((entry) => entry.startsWith("model."));
  const [one, ...more] = named.length > 0 ? named : likely;
  if (one === undefined) return failed("no model of a format that is run here lies in its folder");
  if (more.length > 0)
    return failed(`which of ${[one, ...more].join(", ")} is the model? Its config can say it by "file"`);
  return versionAt(home, version, join(inside, one), mark);
}

function versionAt(home: string, version: string, path: string, mark: string): FoundVersion {
  const stat = statOf(path);
  const all = `${mark} ${stat === undefined ? "" : markOf(stat)}`;
  if (stat === undefined) return { version, path, mark: all, problem: "its file is not there" };
  if (!stat.isFile()) return { version, path, mark: all, problem: "it is no regular file" };
  if (!isWithin(home, path)) {
    return { version, path, mark: all, problem: "its file is a link out of the directory of models" };
  }
  return { version, path, mark: all };
}

/** Formats that some delegate opens, by what their files are called. */
function hasModelName(entry: string): boolean {
  const lower = entry.toLowerCase();
  return formats.some(({ id, extensions }) => runnable.has(id) && extensions.some((end) => lower.endsWith(end)));
}

const isModelFile = (path: string): boolean => statOf(path)?.isFile() === true && formatOf(path) !== undefined;

/** By its first bytes; undefined where no delegate opens it. */
function formatOf(path: string): string | undefined {
  try {
    const file = openModelFile(path);
    try {
      const detected = detectFormat(file);
      return detected.is === "model" && runnable.has(detected.format.id) ? detected.format.id : undefined;
    } finally {
      file.close();
    }
  } catch (error) {
    if (error instanceof FileError || error instanceof CannotError) return undefined; // whoever opens it says so
    throw error;
  }
}

function isWithin(home: string, path: string): boolean {
  try {
    const real = realpathSync(path);
    return real.startsWith(home.endsWith(sep) ? home : home + sep);
  } catch {
    return false; // a link to nothing leads nowhere within
  }
}

/** Links followed; undefined where nothing is or may be seen. */
function statOf(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch {
    return undefined; // EACCES, ELOOP
  }
}

const markOf = ({ ino, size, mtimeMs }: Stats): string => `${ino}:${size}:${mtimeMs}`;

const codeOf = (cause: unknown): string =>
  cause instanceof Error && "code" in cause ? String(cause.code) : "cannot be read";
