/**
 * Harvest: what of one kernel release accelerators rest on, small enough to be kept in kernels/<release>-<arch>.json: the
 * configuration's symbols, the modules with their aliases and firmware names, and which of them are built in. A harvest is a view
 * like any other kernel; what it does not hold is uncaptured.
 *
 * Aliases are written short and come back as they were: "8086:7d1d" for pci:v00008086d00007D1Dsv*sd*bc*sc*i*, "8086:e20b/03" with
 * its class, "arm,ethos-u65" for the pair of patterns a compatible makes; anything else stays as it is. Firmware names share their
 * directory. Lists are words with blanks between: neither aliases nor firmware names hold any.
 */

import { FileError } from "../base/errors.ts";
import { absent, read, uncaptured, type Reading } from "../base/reading.ts";
import type { Modinfo } from "../facts/modinfo.ts";
import { aliasMatches, type ModuleIndex } from "../facts/modules.ts";
import { TreeBuilder } from "../root/memory.ts";
import type { KernelView } from "./kernel-view.ts";

export interface HarvestedModule {
  readonly name: string;
  /** Below the module directory: kernel/drivers/accel/ivpu/intel_vpu.ko.xz. Unset for a module that is built in. */
  readonly file?: string;
  readonly intree: boolean;
  readonly licence?: string;
  readonly aliases: readonly string[];
  /** Unset when the module's own list could not be read. */
  readonly firmware?: readonly string[];
  readonly depends: readonly string[];
}

export interface Harvest {
  readonly release: string;
  readonly arch: string;
  /** Package and version it was taken from. */
  readonly package: string;
  /** Symbol without CONFIG_ to value, "n" for one written as not set. A symbol that was looked for and is not written is "". */
  readonly config: Readonly<Record<string, string>>;
  readonly modules: readonly HarvestedModule[];
  /** Modules that were looked for and that this kernel neither ships nor has built in. */
  readonly lacks: readonly string[];
}

/** Take from a kernel the symbols and modules named, and all modules below drivers/accel. */
export function harvestKernel(
  view: KernelView,
  wanted: { readonly symbols: readonly string[]; readonly modules: readonly string[]; readonly package: string },
): Harvest {
  if (view.config.state !== "read") throw new FileError(view.name, `no configuration of ${view.release} in it`);
  if (view.moduleIndex.state !== "read") throw new FileError(view.name, `no modules of ${view.release} in it`);
  const [config, index] = [view.config.value, view.moduleIndex.value];
  const shipped = index.shipped();
  const accel = (shipped.state === "read" ? shipped.value : []).filter((name) => {
    const file = index.file(name);
    return file.state === "read" && file.value.startsWith("kernel/drivers/accel/");
  });
  const modules = [...new Set([...wanted.modules, ...accel])].sort().flatMap((name): HarvestedModule[] => {
    const file = index.file(name);
    const builtin = index.builtin(name);
    if (file.state !== "read" && !(builtin.state === "read" && builtin.value)) return [];
    const info = view.modinfo(name);
    const aliases = index.aliases(name);
    return [
      {
        name,
        ...(file.state === "read" ? { file: file.value } : {}),
        intree: info.state === "read" ? info.value.intree : true,
        ...(info.state === "read" && info.value.licence !== undefined ? { licence: info.value.licence } : {}),
        aliases: aliases.state === "read" ? aliases.value : [],
        ...(info.state === "read" ? { firmware: info.value.firmware } : {}),
        depends: info.state === "read" ? info.value.depends : [],
      },
    ];
  });
  return {
    release: view.release,
    arch: view.arch.state === "read" ? view.arch.value : "unknown",
    package: wanted.package,
    config: Object.fromEntries([...wanted.symbols].sort().map((symbol) => [symbol, config.get(symbol) ?? ""])),
    modules,
    lacks: wanted.modules.filter((name) => !modules.some((module) => module.name === name)).sort(),
  };
}

/** One module a line, so that git shows what a new kernel changed. */
export function renderHarvest(harvest: Harvest): string {
  const modules = harvest.modules.map((module) => {
    const { aliases, firmware, depends, ...rest } = module;
    return `    ${JSON.stringify({
      ...rest,
      depends: depends.join(" "),
      aliases: shortAliases(aliases),
      ...(firmware === undefined ? {} : { firmware: shortFirmware(firmware) }),
    })}`;
  });
  const config = Object.entries(harvest.config).map(
    ([symbol, value]) => `    ${JSON.stringify(symbol)}: ${JSON.stringify(value)}`,
  );
  return (
    `{\n  "schema": 1,\n  "release": ${JSON.stringify(harvest.release)},\n  "arch": ${JSON.stringify(harvest.arch)},\n` +
    `  "package": ${JSON.stringify(harvest.package)},\n  "config": {\n${config.join(",\n")}\n  },\n` +
    `  "modules": [\n${modules.join(",\n")}\n  ],\n  "lacks": ${JSON.stringify(harvest.lacks.join(" "))}\n}\n`
  );
}

/** Throws FileError when the text is no harvest. */
export function parseHarvest(text: string, path: string): Harvest {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new FileError(path, "is no JSON", undefined, { cause: error });
  }
  const top = record(value, path, "harvest");
  if (top["schema"] !== 1) throw new FileError(path, "is no harvest of schema 1");
  const modules = top["modules"];
  if (!Array.isArray(modules)) throw new FileError(path, "modules is no list");
  return {
    release: string(top["release"], path, "release"),
    arch: string(top["arch"], path, "arch"),
    package: string(top["package"], path, "package"),
    config: Object.fromEntries(
      Object.entries(record(top["config"], path, "config")).map(([symbol, set]) => [symbol, string(set, path, symbol)]),
    ),
    modules: modules.map((entry: unknown) => {
      const module = record(entry, path, "module");
      const optional = (key: "file" | "licence") =>
        module[key] === undefined ? {} : { [key]: string(module[key], path, key) };
      return {
        name: string(module["name"], path, "name"),
        ...optional("file"),
        ...optional("licence"),
        intree: module["intree"] === true,
        aliases: words(module["aliases"], path, "aliases").flatMap(longAliases),
        ...(module["firmware"] === undefined
          ? {}
          : {
              firmware: Object.entries(record(module["firmware"], path, "firmware")).flatMap(([directory, names]) =>
                words(names, path, "firmware").map((name) => directory + name),
              ),
            }),
        depends: words(module["depends"], path, "depends"),
      };
    }),
    lacks: words(top["lacks"] ?? "", path, "lacks"),
  };
}

/** A kernel as the harvest holds it: it runs nowhere and has no firmware files. */
export function harvestView(harvest: Harvest, name: string): KernelView {
  const written = Object.entries(harvest.config).filter(([, value]) => value !== "");
  const modules = new Map(harvest.modules.map((module) => [module.name, module]));
  const lacks = new Set(harvest.lacks);
  const of = <T>(module: string, value: (found: HarvestedModule) => T | undefined): Reading<T> => {
    const found = modules.get(module);
    const known = found && value(found);
    if (known !== undefined) return read(known, name);
    return found !== undefined || lacks.has(module) ? absent(name, "not listed") : uncaptured(name, "not harvested");
  };
  const index: ModuleIndex = {
    release: harvest.release,
    directory: `/lib/modules/${harvest.release}`,
    claims: (modalias) =>
      read(
        harvest.modules.filter((m) => m.aliases.some((alias) => aliasMatches(alias, modalias))).map((m) => m.name),
        name,
      ),
    aliases: (module) => read(modules.get(module)?.aliases ?? [], name),
    file: (module) => of(module, (found) => found.file),
    builtin: (module) => read(modules.has(module) && modules.get(module)?.file === undefined, name),
    needs: (module) => of(module, (found) => found.depends),
    present: () => uncaptured(name),
    shipped: () => read([...modules.keys()], name),
  };
  return {
    root: new TreeBuilder().build("capture", name),
    name,
    release: harvest.release,
    running: false,
    arch: read(harvest.arch, name),
    config: read(new Map(written), name),
    moduleIndex: read(index, name),
    loaded: uncaptured(name),
    modprobe: uncaptured(name),
    modinfo: (module) => {
      const found = modules.get(module);
      return found?.firmware === undefined ? uncaptured(name) : read(modinfoOf(found, found.firmware), name);
    },
    firmware: () => uncaptured(name),
  };
}

function modinfoOf(module: HarvestedModule, firmware: readonly string[]): Modinfo {
  return {
    name: module.name,
    ...(module.licence === undefined ? {} : { licence: module.licence }),
    intree: module.intree,
    aliases: module.aliases,
    firmware,
    depends: module.depends,
    softdeps: [],
    parameters: [],
    importNamespaces: [],
  };
}

const PCI =
  /^pci:v0000([0-9A-F]{4})d(?:0000([0-9A-F]{4})|\*)sv\*sd\*bc(\*|[0-9A-F]{2})sc(\*|[0-9A-F]{2})i(\*|[0-9A-F]{2}\*)$/;

function shortAliases(aliases: readonly string[]): string {
  const all = new Set(aliases);
  const words = aliases.map((alias) => {
    const pci = PCI.exec(alias);
    if (pci !== null) {
      const [, vendor = "", device = "*", ...classes] = pci;
      // bc03sc*i* is "03", bc12sc00i00* is "120000": a class is written as far as it is given.
      const code = classes.join("").replaceAll("*", "");
      const short = `${vendor}:${device}${code === "" ? "" : `/${code}`}`.toLowerCase();
      return longAliases(short)[0] === alias ? short : alias;
    }
    const of = /^of:N\*T\*C(.+?)(C\*)?$/.exec(alias)?.[1];
    return of?.includes(",") === true && all.has(`of:N*T*C${of}`) && all.has(`of:N*T*C${of}C*`) ? of : alias;
  });
  return [...new Set(words)].sort().join(" ");
}

function longAliases(short: string): readonly string[] {
  const pci = /^([0-9a-f]{4}):([0-9a-f]{4}|\*)(?:\/([0-9a-f]{2})([0-9a-f]{2})?([0-9a-f]{2})?)?$/.exec(short);
  if (pci !== null) {
    const [, vendor = "", device = "", base, sub, code] = pci.map((word) =>
      (word as string | undefined)?.toUpperCase(),
    );
    const id = `pci:v0000${vendor}d${device === "*" ? "*" : `0000${device}`}`;
    return [`${id}sv*sd*bc${base ?? "*"}sc${sub ?? "*"}i${code === undefined ? "*" : `${code}*`}`];
  }
  return short.includes(":") ? [short] : [`of:N*T*C${short}C*`, `of:N*T*C${short}`];
}

function shortFirmware(names: readonly string[]): Readonly<Record<string, string>> {
  const directories = new Map<string, string[]>();
  for (const name of [...new Set(names)].sort()) {
    const slash = name.lastIndexOf("/") + 1;
    const [directory, file] = [name.slice(0, slash), name.slice(slash)];
    const known = directories.get(directory);
    if (known === undefined) directories.set(directory, [file]);
    else known.push(file);
  }
  return Object.fromEntries([...directories].map(([directory, files]) => [directory, files.join(" ")]));
}

/** Words with blanks between; the empty text has none. */
function words(value: unknown, path: string, what: string): readonly string[] {
  const text = string(value, path, what);
  return text === "" ? [] : text.split(" ");
}

function record(value: unknown, path: string, what: string): Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new FileError(path, `${what} is no object`);
  return value as Record<string, unknown>; // checked in the line above
}

function string(value: unknown, path: string, what: string): string {
  if (typeof value !== "string") throw new FileError(path, `${what} is no text`);
  return value;
}
