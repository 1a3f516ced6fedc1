/**
 * Makes a capture small and discreet. Always left out: environments of processes but for `container=`, processes that hold no
 * device, seeds. Trimmed where the report stays the same: the kernel's indexes, configuration and log, down to the lines that
 * speak of this machine's devices or of drivers the catalogue knows.
 */

import { latin1, utf8 } from "../base/bytes.ts";
import type { CapturePath, CapturePaths, Failure } from "./capture.ts";
import { isEntry } from "./capture.ts";
import { FILE_LIMIT } from "./root.ts";
import { onlyModinfo } from "./trim-module.ts";
import { packingOf, unpack } from "./unpack.ts";

/** What a later review may ask about, beyond what this machine has: the catalogue's. Module names with "_". */
export interface Relevant {
  readonly modules: ReadonlySet<string>;
  /** Without CONFIG_. */
  readonly symbols: ReadonlySet<string>;
}

type Paths = Map<string, CapturePath | Failure>;

/** Nothing a report needs, and nothing to hand to strangers. */
export function withoutSecrets(paths: CapturePaths): Paths {
  const result: Paths = new Map();
  const idle = idleProcesses(paths);
  for (const [path, entry] of paths) {
    const pid = /^\/proc\/([0-9]+)(?:\/|$)/.exec(path)?.[1];
    if (pid !== undefined && idle.has(pid)) continue;
    if (!isEntry(entry)) result.set(path, entry);
    else if (path === "/proc")
      result.set(
        path,
        withNames(entry, (name) => !idle.has(name)),
      );
    else if (/\/environ$/.test(path)) result.set(path, withContent(entry, environment));
    else if (/\/(?:rng-seed|kaslr-seed)$/.test(path))
      result.set(
        path,
        withContent(entry, () => ""),
      );
    else if (/^\/proc\/[0-9]+\/fd$/.test(path))
      result.set(
        path,
        withNames(entry, (fd) => holdsDevice(paths, `${path}/${fd}`)),
      );
    else if (/^\/proc\/[0-9]+\/fd(?:info)?\/[0-9]+$/.test(path)) {
      if (holdsDevice(paths, path.replace("/fdinfo/", "/fd/"))) result.set(path, entry);
    } else if (/\/[0-9a-f:.]+\/config$/.test(path)) result.set(path, withoutSerial(entry));
    else if (/\/vpd$/.test(path)) result.set(path, { ...bare(entry), failed: ["uncaptured", "holds serial numbers"] });
    else result.set(path, entry);
  }
  return result;
}

export interface Trim {
  /** For the note in the capture. */
  readonly name: string;
  readonly apply: (paths: CapturePaths, relevant: Relevant) => Paths;
}

/** Each may be left out when the report would change. */
export const trims: readonly Trim[] = [
  { name: "module files", apply: trimModules },
  {
    name: "module indexes",
    apply: trimFiles(/\/modules\.(?:alias|dep|softdep|weakdep|builtin|builtin\.modinfo)$/, trimIndex),
  },
  { name: "kernel configuration", apply: trimFiles(/\/config(?:-[^/]+|\.gz)?$/, trimConfig) },
  { name: "kernel log", apply: trimFiles(/^\/dev\/kmsg$|^\/var\/log\//, trimLog) },
];

function bare(entry: CapturePath): CapturePath {
  const rest: { -readonly [Key in keyof CapturePath]: CapturePath[Key] } = { ...entry };
  delete rest.text;
  delete rest.base64;
  delete rest.slices;
  return rest;
}

function withNames(entry: CapturePath, keep: (name: string) => boolean): CapturePath {
  return Array.isArray(entry.names) ? { ...entry, names: (entry.names as readonly string[]).filter(keep) } : entry;
}

/** Content as text, unpacked; undefined when there is none or it is not text. */
function contentOf(entry: CapturePath): string | undefined {
  if (entry.text !== undefined) return entry.text;
  if (entry.base64 === undefined) return undefined;
  const bytes = Buffer.from(entry.base64, "base64");
  if (packingOf(bytes) === undefined) return latin1(bytes);
  try {
    return utf8(unpack(bytes, "", FILE_LIMIT));
  } catch {
    return undefined; // damaged, as it was on the machine: leave it
  }
}

function withContent(entry: CapturePath, change: (text: string) => string): CapturePath {
  const text = contentOf(entry);
  if (text === undefined) return entry;
  const changed = change(text);
  return changed === text ? entry : { ...bare(entry), text: changed };
}

function environment(text: string): string {
  return text
    .split("\0")
    .filter((variable) => variable.startsWith("container="))
    .map((variable) => `${variable}\0`)
    .join("");
}

/** Of the device serial number, an extended capability, the eight bytes behind its header. PCI Express Base Specification, 7.9.3 */
function withoutSerial(entry: CapturePath): CapturePath {
  if (entry.base64 === undefined) return entry;
  const bytes = Buffer.from(entry.base64, "base64");
  const seen = new Set<number>();
  for (let at = 0x100; at >= 0x100 && at + 12 <= bytes.length && !seen.has(at);) {
    seen.add(at);
    const header = bytes.readUInt32LE(at);
    if ((header & 0xffff) === DEVICE_SERIAL_NUMBER) bytes.fill(0, at + 4, at + 12);
    at = header >>> 20;
  }
  return { ...entry, base64: bytes.toString("base64") };
}

const DEVICE_SERIAL_NUMBER = 0x0003;

/** Terminals and the like, which every process holds. */
const EVERYDAY = /^\/dev\/(?:null|zero|full|u?random|tty.*|pts\/.*|ptmx|console|shm\/.*|fuse|net\/tun)$/;

function holdsDevice(paths: CapturePaths, fd: string): boolean {
  const entry = paths.get(fd);
  const target = entry !== undefined && isEntry(entry) ? (entry.target ?? "") : "";
  return target.startsWith("/dev/") && !EVERYDAY.test(target);
}

/** Processes of which nothing but idle descriptors was read. */
function idleProcesses(paths: CapturePaths): ReadonlySet<string> {
  const own = paths.get("/proc/self");
  const spared = new Set(["1", own !== undefined && isEntry(own) ? own.target : undefined]);
  const idle = new Set<string>();
  const listed = paths.get("/proc");
  const names =
    listed !== undefined && isEntry(listed) && Array.isArray(listed.names) ? (listed.names as readonly string[]) : [];
  for (const pid of names) if (/^[0-9]+$/.test(pid) && !spared.has(pid)) idle.add(pid);
  for (const path of paths.keys()) {
    const pid = /^\/proc\/([0-9]+)\/fd\/[0-9]+$/.exec(path)?.[1];
    if (pid !== undefined && holdsDevice(paths, path)) idle.delete(pid);
  }
  // Whose descriptors could not be listed may hold a device: that it is there and denied is part of the answer.
  for (const pid of [...idle]) {
    const listing = paths.get(`/proc/${pid}/fd`);
    if (listing !== undefined && (!isEntry(listing) || !Array.isArray(listing.names))) idle.delete(pid);
  }
  return idle;
}

function trimModules(paths: CapturePaths): Paths {
  const cut = (path: string, entry: CapturePath | Failure): CapturePath | Failure => {
    if (!isEntry(entry) || entry.base64 === undefined || !/\.ko(?:\.[a-z0-9]+)?$/.test(path)) return entry;
    const module = moduleOf(Buffer.from(entry.base64, "base64"));
    return module === undefined ? entry : { ...bare(entry), base64: Buffer.from(module).toString("base64") };
  };
  return new Map([...paths].map(([path, entry]) => [path, cut(path, entry)]));
}

function moduleOf(bytes: Uint8Array): Uint8Array | undefined {
  try {
    return onlyModinfo(unpack(bytes, "", FILE_LIMIT));
  } catch {
    return undefined; // damaged: the report says so, and must go on saying it
  }
}

interface Context {
  readonly modules: ReadonlySet<string>;
  readonly symbols: ReadonlySet<string>;
  /** All modaliases of this machine, a line each, with a line end before the first. */
  readonly modaliases: string;
  /** Addresses and names of devices that have a driver or were asked about. */
  readonly addresses: ReadonlySet<string>;
}

function trimFiles(matches: RegExp, trim: (text: string, context: Context, path: string) => string): Trim["apply"] {
  return (paths, relevant) => {
    const context = contextOf(paths, relevant);
    const change = (path: string, entry: CapturePath | Failure): CapturePath | Failure =>
      isEntry(entry) && matches.test(path) ? withContent(entry, (text) => trim(text, context, path)) : entry;
    return new Map([...paths].map(([path, entry]) => [path, change(path, entry)]));
  };
}

function contextOf(paths: CapturePaths, relevant: Relevant): Context {
  const modules = new Set(relevant.modules);
  const modaliases: string[] = [];
  const addresses = new Set<string>();
  for (const [path, entry] of paths) {
    if (!isEntry(entry)) continue;
    const name = path.slice(path.lastIndexOf("/") + 1);
    if (name === "modalias" && entry.text !== undefined) modaliases.push(entry.text.trim());
    if (name === "uevent" && entry.text !== undefined)
      modaliases.push(...(entry.text.match(/(?<=^MODALIAS=).*/gm) ?? []));
    if ((name === "driver" || name === "module") && entry.target !== undefined) {
      modules.add(moduleName(entry.target.slice(entry.target.lastIndexOf("/") + 1)));
    }
    if (path === "/proc/modules") {
      for (const line of entry.text?.split("\n") ?? []) modules.add(moduleName(line.split(" ", 1)[0] ?? ""));
    }
    const device = /^\/sys\/devices\/.*\/([^/]+)\/(?:modalias|uevent|driver|vendor)$/.exec(path)?.[1];
    if (device !== undefined) addresses.add(device);
  }
  modules.delete("");
  return { modules, symbols: relevant.symbols, modaliases: `\n${[...new Set(modaliases)].join("\n")}\n`, addresses };
}

function moduleName(name: string): string {
  return name.replace(/\.ko(?:\.[a-z0-9]+)?:?$/, "").replaceAll("-", "_");
}

function trimIndex(text: string, context: Context, path: string): string {
  const { modules } = context;
  if (path.endsWith("modules.builtin.modinfo")) {
    const records = text.split("\0");
    return records
      .filter((record) => record === "" || modules.has(moduleName(record.split(".", 1)[0] ?? "")))
      .join("\0");
  }
  const ofPath = (file: string): string => moduleName(file.slice(file.lastIndexOf("/") + 1));
  const keep = (line: string): boolean => {
    if (line === "" || line.startsWith("#")) return true;
    if (path.endsWith("modules.alias")) {
      const [, pattern = "", module = ""] = line.split(" ");
      return modules.has(moduleName(module)) || mayMatch(pattern, context.modaliases);
    }
    if (path.endsWith("dep") && /\/modules\.dep$/.test(path)) {
      const file = line.slice(0, line.indexOf(":"));
      return needed(text, context).has(ofPath(file)) || ACCELERATOR_PATH.test(file);
    }
    if (path.endsWith("modules.builtin")) return modules.has(ofPath(line)) || ACCELERATOR_PATH.test(line);
    return modules.has(moduleName(line.split(" ")[1] ?? "")); // softdep MODULE pre: ...
  };
  return text
    .split("\n")
    .filter((line) => keep(line))
    .join("\n");
}

/** Where accelerator drivers live in the kernel's tree, catalogued or not. */
const ACCELERATOR_PATH = /\/(?:accel|misc\/(?:habanalabs|ocxl)|staging\/(?:gasket|media))\//;

const closures = new WeakMap<Context, ReadonlySet<string>>();

/** The modules that matter and those they need. */
function needed(dependencies: string, context: Context): ReadonlySet<string> {
  let closure = closures.get(context);
  if (closure === undefined) {
    const all = new Set(context.modules);
    for (const line of dependencies.split("\n")) {
      const [file = "", needs = ""] = line.split(":");
      const name = moduleName(file.slice(file.lastIndexOf("/") + 1));
      if (!context.modules.has(name) && !ACCELERATOR_PATH.test(file)) continue;
      for (const need of needs.split(" ")) if (need !== "") all.add(moduleName(need.slice(need.lastIndexOf("/") + 1)));
    }
    closures.set(context, (closure = all));
  }
  return closure;
}

/** Could the pattern match one of the modaliases? Its start and its longest literal part must stand there. */
function mayMatch(pattern: string, modaliases: string): boolean {
  const parts = pattern.split(/[*?[\]]+/);
  const [start = ""] = parts;
  const longest = parts.reduce((a, b) => (b.length > a.length ? b : a), "");
  return modaliases.includes(`\n${start}`) && modaliases.includes(longest);
}

/** Symbols kept whatever the catalogue says, because reviews of other families will ask: the ground accelerators stand on. */
const GROUND =
  /^(?:DRM(?:_ACCEL.*|_FBDEV.*)?|.*(?:ACCEL|NPU|VPU|TPU|HABANA|XDNA|IVPU|QAIC|ETHOS|ROCKET|ETNAVIV|FASTRPC|GASKET|HSA|VFIO|IOMMU|SVA|CMA|REMOTEPROC|RPMSG|MHI).*|FW_LOADER.*|EXTRA_FIRMWARE.*|MODULE.*|LOCALVERSION.*|SECURITY_LOCKDOWN.*|STRICT_DEVMEM|DEVTMPFS.*|USB|PCI|OF|ACPI|IKCONFIG.*)$/;

function trimConfig(text: string, context: Context): string {
  const keep = (line: string): boolean => {
    const symbol = /^(?:# )?CONFIG_([A-Za-z0-9_]+)(?:=| is not set)/.exec(line)?.[1];
    if (symbol === undefined) return line.startsWith("# Linux/");
    return context.symbols.has(symbol) || GROUND.test(symbol);
  };
  return `${text.split("\n").filter(keep).join("\n")}\n`;
}

const LOG_WORDS =
  /linux version|command line|dmi:|firmware|microcode|\biommu|dmar|amd-vi|\bdrm\b|\baccel\b|\bnpu\b|\bvpu\b|\btpu\b|taint|module|signature|lockdown|secure ?boot|\bcma\b|out of memory|oom|\bBAR\b|aer:|pcieport|vfio|\bmce\b|machine model|fault|timeout|timed out|reset|remoteproc|rpmsg|fastrpc|mhi|\busb [0-9]|kfd|nvrm|xid/i;

/** Lines that say nothing of accelerators become empty, so that the others keep their numbers. */
function trimLog(text: string, context: Context): string {
  let kept = false;
  const keep = (line: string): boolean => {
    if (line.startsWith(" ") && /^ [A-Z]+=/.test(line)) return kept; // a record's dictionary
    if (LOG_WORDS.test(line)) return true;
    const words = line.split(/[^A-Za-z0-9_.:-]+/);
    return words.some((word) => {
      const plain = word.replace(/[:.]+$/, "");
      return context.modules.has(moduleName(plain)) || context.addresses.has(plain);
    });
  };
  return text
    .split("\n")
    .map((line) => ((kept = keep(line)) ? line : ""))
    .join("\n");
}
