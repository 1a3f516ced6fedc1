/**
 * What one kernel release ships: modules.dep, modules.builtin, modules.alias, modules.builtin.modinfo.
 * modules.dep(5), modules.alias(5), Documentation/kbuild/kbuild.rst. Each file is read when first asked about.
 *
 * A kernel package as it comes from the archive has no modules.dep and no modules.alias: depmod writes them when it is installed.
 * There the tree itself is walked, and a module's aliases and needs come out of its file. Where the files are in another package,
 * modules.order still lists what was built.
 */

import type { Root } from "../root/root.ts";
import { absent, chain, firstRead, malformed, map, read, uncaptured, valueOf, type Reading } from "../base/reading.ts";
import { aliasFile, builtinModinfo, claimsIn, MODALIAS_LIMIT, type AliasText } from "./alias.ts";
import { readModinfo } from "./modinfo.ts";
import { spelled } from "./modprobe.ts";

export interface ModuleIndex {
  readonly release: string;
  /** /lib/modules/<release> or /usr/lib/modules/<release>, whichever is there. */
  readonly directory: string;
  /** Modules whose alias patterns match this modalias, in file order, shipped or built in (modules.builtin.modinfo). */
  claims(modalias: string): Reading<readonly string[]>;
  /** Alias patterns of one module, as modules.alias (or modules.builtin.modinfo) writes them. */
  aliases(module: string): Reading<readonly string[]>;
  /** Path of the .ko in modules.dep (relative to `directory`), absent if not shipped. `updates/` or `extra/` = not in tree. */
  file(module: string): Reading<string>;
  builtin(module: string): Reading<boolean>;
  /** Modules it needs, from modules.dep. */
  needs(module: string): Reading<readonly string[]>;
  /** Does the file that modules.dep names exist? */
  present(module: string): Reading<boolean>;
  /** Names of all modules shipped as files. */
  shipped(): Reading<readonly string[]>;
}

export function readModuleIndex(root: Root, release: string): Reading<ModuleIndex> {
  const places = [`/lib/modules/${release}`, `/usr/lib/modules/${release}`];
  const seen = firstRead(
    places.map((place) => map(root.stat(place), () => place)),
    places[0] ?? "",
  );
  return chain(seen, (directory, from) => read(createIndex(root, release, directory), from));
}

/** Of a path as modules.dep has it: in-tree modules lie below kernel/, everything else was added (updates/, extra/, weak-updates/). */
export function outOfTree(file: string): boolean {
  return !file.startsWith("kernel/");
}

function createIndex(root: Root, release: string, directory: string): ModuleIndex {
  const kept = new Map<string, unknown>();
  const once = <T>(key: string, make: () => T): T => {
    if (!kept.has(key)) kept.set(key, make());
    return kept.get(key) as T; // each key is made by one caller below
  };
  const at = (name: string): string => `${directory}/${name}`;
  const dependencies = () => once("dep", () => readDependencies(root, directory));
  const aliases = () => once("alias", () => map(root.text(at("modules.alias")), aliasFile));
  const builtins = () => once("builtin", () => map(root.text(at("modules.builtin")), parseBuiltin));
  const modinfo = () => once("modinfo", () => map(root.text(at("modules.builtin.modinfo")), builtinModinfo));

  /** What both alias files say; the first tells whether we know. */
  const both = (ask: (text: AliasText) => readonly string[]): Reading<readonly string[]> =>
    map(aliases(), (text) => {
      const own = modinfo();
      return own.state === "read" ? [...new Set([...ask(text), ...ask(own.value)])] : ask(text);
    });

  const index: ModuleIndex = {
    release,
    directory,
    claims: (modalias) =>
      modalias.length > MODALIAS_LIMIT
        ? malformed(at("modules.alias"), `a modalias of ${modalias.length} characters`)
        : both((text) => claimsIn(text, modalias)),
    aliases: (module) => {
      const known = both((text) => text.of(spelled(module)));
      if (known.state !== "absent") return known;
      return chain(index.file(module), (file) => map(readModinfo(root, at(file)), (info) => info.aliases));
    },
    file: (module) =>
      chain(dependencies(), (known, from) => {
        const line = known.lines.get(spelled(module));
        return line === undefined ? absent(from, "not listed") : read(fileAt(known, line), from);
      }),
    builtin: (module) => map(builtins(), (names) => names.has(spelled(module))),
    needs: (module) =>
      chain(dependencies(), (known, from) => {
        const line = known.lines.get(spelled(module));
        if (line === undefined) return absent(from, "not listed");
        if (typeof line === "number") return read(needsAt(known.text, line), from);
        return map(readModinfo(root, at(line)), (info) => info.depends);
      }),
    present: (module) => {
      const file = index.file(module);
      if (file.state !== "read") return file;
      if (valueOf(dependencies())?.listOnly === true)
        return uncaptured(at(file.value), "only the list of modules is here");
      const stat = root.stat(at(file.value));
      if (stat.state === "read") return read(true, stat.from);
      return stat.state === "absent" ? read(false, stat.from) : stat;
    },
    shipped: () => map(dependencies(), ({ lines }) => [...lines.keys()]),
  };
  return index;
}

/** Module name to where its line starts in modules.dep, or to its path where there is no modules.dep. */
interface Dependencies {
  readonly text: string;
  /** Only the list of what was built is here; the files are in another package. */
  readonly listOnly?: true;
  readonly lines: ReadonlyMap<string, number | string>;
}

function readDependencies(root: Root, directory: string): Reading<Dependencies> {
  const path = `${directory}/modules.dep`;
  const text = root.text(path);
  if (text.state === "absent") {
    const files = walk(root, directory);
    if (files.length > 0) return read({ text: "", lines: byName(files) }, directory);
    const order = root.text(`${directory}/modules.order`);
    if (order.state === "read") {
      const built = order.value.split("\n").map((line) => line.replace(/\.o$/, ".ko"));
      const files = built.filter((line) => line.endsWith(".ko"));
      return read({ text: "", listOnly: true, lines: byName(files) }, order.from);
    }
  }
  return map(text, (content) => ({ text: content, lines: lineStarts(content) }));
}

function byName(files: readonly string[]): ReadonlyMap<string, string> {
  return new Map(files.map((file) => [nameOf(file), file]));
}

function lineStarts(text: string): ReadonlyMap<string, number> {
  const lines = new Map<string, number>();
  // The next colon is looked for once, not from each of the lines before it.
  let colon = text.indexOf(":");
  for (let at = 0; at < text.length && colon >= 0;) {
    const next = text.indexOf("\n", at);
    const end = next < 0 ? text.length : next;
    if (colon < at) colon = text.indexOf(":", at);
    if (colon > at && colon < end) {
      const name = nameOf(text.slice(at, colon));
      if (!lines.has(name)) lines.set(name, at);
    }
    at = end + 1;
  }
  return lines;
}

function fileAt(dependencies: Dependencies, line: number | string): string {
  return typeof line === "string" ? line : dependencies.text.slice(line, dependencies.text.indexOf(":", line));
}

function needsAt(text: string, line: number): readonly string[] {
  const end = text.indexOf("\n", line);
  return text
    .slice(text.indexOf(":", line) + 1, end < 0 ? undefined : end)
    .split(" ")
    .filter((word) => word !== "")
    .map(nameOf);
}

function parseBuiltin(text: string): ReadonlySet<string> {
  return new Set(
    text
      .split("\n")
      .filter((line) => line !== "")
      .map(nameOf),
  );
}

/** kernel/drivers/gpu/drm/scheduler/gpu-sched.ko.xz is the module gpu_sched. */
function nameOf(file: string): string {
  const base = file.slice(file.lastIndexOf("/") + 1);
  const dot = base.indexOf(".ko");
  return spelled(dot < 0 ? base : base.slice(0, dot));
}

/** Directory entries looked at: the largest kernels ship 7,000 modules in 1,500 directories. */
const WALK_LIMIT = 60_000;

/** Module files below a tree that depmod has not seen, `updates/` first as depmod's default search order has it. */
function walk(root: Root, directory: string): readonly string[] {
  const files: string[] = [];
  let left = WALK_LIMIT;
  const visit = (relative: string, depth: number): void => {
    for (const name of valueOf(root.list(`${directory}/${relative}`)) ?? []) {
      if (--left < 0) return;
      const path = `${relative}/${name}`;
      if (/\.ko(\.xz|\.zst|\.gz)?$/.test(name)) files.push(path);
      else if (depth < 12 && !name.includes(".")) visit(path, depth + 1);
    }
  };
  for (const top of ["updates", "extra", "weak-updates", "kernel"]) visit(top, 0);
  return files;
}
