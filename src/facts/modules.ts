/**
 * Kernel modules: what is loaded, what is shipped, which module claims which modalias, and what modprobe was told.
 * /proc/modules (kernel/module/procfs.c writes its lines), Documentation/ABI/testing/sysfs-module; the rest in the files beside.
 */

import { absent, firstRead, map, read, type Reading } from "../base/reading.ts";
import type { Root } from "../root/root.ts";
import { spelled } from "./modprobe.ts";

export { aliasMatches } from "./alias.ts";
export { blockedBy, readModprobe, type ModprobeRule } from "./modprobe.ts";
export { outOfTree, readModuleIndex, type ModuleIndex } from "./module-index.ts";

/** Module names are always spelled with "_" here, as the kernel does once they are loaded. */
export interface LoadedModule {
  readonly name: string;
  readonly bytes: number;
  readonly usedBy: readonly string[];
  /** Of this module: O out of tree, P proprietary, E unsigned, F forced. */
  readonly taint: Reading<string>;
  readonly version: Reading<string>;
  /** Values under /sys/module/<name>/parameters, those that can be read. */
  readonly parameters: ReadonlyMap<string, Reading<string>>;
}

/** /proc/modules joined with /sys/module. Taint, version and parameters are read from sysfs when asked for. */
export function readLoadedModules(root: Root): Reading<ReadonlyMap<string, LoadedModule>> {
  return map(root.text("/proc/modules"), (text) => {
    const modules = new Map<string, LoadedModule>();
    for (const line of text.split("\n")) {
      // name size references users state address (taint)
      const found = /^(\S+) (\d+) \S+ (\S+)(?: [^(]*(?:\(([A-Z+-]*)\))?)?/.exec(line);
      if (found === null) continue;
      const [, spelling = "", bytes = "", users = "-", taint = ""] = found;
      const name = spelled(spelling);
      modules.set(name, loadedModule(root, name, Number(bytes), users, taint));
    }
    return modules;
  });
}

function loadedModule(root: Root, name: string, bytes: number, users: string, taint: string): LoadedModule {
  const directory = `/sys/module/${name}`;
  let parameters: ReadonlyMap<string, Reading<string>> | undefined;
  return {
    name,
    bytes,
    usedBy: users.split(",").filter((user) => user !== "" && user !== "-" && user !== "[permanent]"),
    get taint() {
      const own = map(root.text(`${directory}/taint`), (text) => text.trim());
      return own.state === "read" ? own : read(taint.replace(/[+-]/g, ""), "/proc/modules");
    },
    get version() {
      return map(root.text(`${directory}/version`), (text) => text.trim());
    },
    get parameters() {
      return (parameters ??= readParameters(root, name));
    },
  };
}

/** Parameters of a module that is loaded or built in. Empty when it has none that sysfs shows. */
export function readParameters(root: Root, module: string): ReadonlyMap<string, Reading<string>> {
  const directory = `/sys/module/${module}/parameters`;
  const names = root.list(directory);
  if (names.state !== "read") return new Map();
  return new Map(names.value.map((name) => [name, map(root.text(`${directory}/${name}`), (text) => text.trim())]));
}

/**
 * Is this module's code part of the running kernel image, by sysfs's word? A built-in module with parameters or a version has a
 * directory in /sys/module, but no `initstate` in it. Absent says nothing: most built-in modules have no directory.
 */
export function readBuiltinSeen(root: Root, module: string): Reading<string> {
  const directory = `/sys/module/${module}`;
  const seen = firstRead([root.stat(directory)], directory);
  if (seen.state !== "read") return seen;
  const state = root.stat(`${directory}/initstate`);
  return state.state === "absent"
    ? read("built in (no initstate)", directory)
    : absent(directory, "loaded as a module");
}
