/** Firmware files where the kernel looks for them. Documentation/driver-api/firmware/fw_search_path.rst, drivers/base/firmware_loader */

import { absent, malformed, map, read, valueOf, type Reading, type Unread } from "../base/reading.ts";
import type { Root } from "../root/root.ts";

export interface FirmwareFile {
  /** As the driver asks for it: intel/vpu/vpu_37xx_v1.bin */
  readonly name: string;
  /** Where it was found, packed suffix included: /lib/firmware/intel/vpu/vpu_37xx_v1.bin.zst */
  readonly path: string;
  readonly bytes: Reading<number>;
}

/** Tried in all directories one after the other, as the loader does: plain, .zst, .xz. */
const suffixes = ["", ".zst", ".xz"] as const;

/** Asked for once per name and root, of which amdgpu alone has 725. */
const kept = new WeakMap<Root, Map<string | undefined, readonly string[]>>();

/** Directories in the order of the loader. `release` undefined leaves out those named after it. */
export function firmwareDirectories(root: Root, release: string | undefined): readonly string[] {
  const known = kept.get(root) ?? new Map<string | undefined, readonly string[]>();
  kept.set(root, known);
  const directories = known.get(release) ?? listDirectories(root, release);
  known.set(release, directories);
  return directories;
}

function listDirectories(root: Root, release: string | undefined): readonly string[] {
  const custom = valueOf(root.text("/sys/module/firmware_class/parameters/path"))?.trim().slice(0, 4096);
  const fromBoot = /(?:^|\s)firmware_class\.path="?([^\s"]{1,4096})/.exec(
    valueOf(root.text("/proc/cmdline")) ?? "",
  )?.[1];
  const first = custom === undefined || custom === "" ? fromBoot : custom;
  const base = "/lib/firmware";
  return [
    ...(first?.startsWith("/") === true ? [first.replace(/\/+$/, "")] : []),
    ...(release === undefined ? [] : [`${base}/updates/${release}`]),
    `${base}/updates`,
    ...(release === undefined ? [] : [`${base}/${release}`]),
    base,
  ];
}

/** Order: firmware_class.path parameter, /lib/firmware/updates/RELEASE, /lib/firmware/updates, /lib/firmware/RELEASE, /lib/firmware; plain, .zst, .xz. */
export function findFirmware(root: Root, name: string, release: string | undefined): Reading<FirmwareFile> {
  return plainName(name) ?? search(root, name, firmwareDirectories(root, release));
}

/** Names may hold one `*` per path element (qcom/<any>/cdsp.mbn): all files that match, sorted. */
export function findFirmwareLike(
  root: Root,
  pattern: string,
  release: string | undefined,
): Reading<readonly FirmwareFile[]> {
  const wrong = plainName(pattern);
  if (wrong !== undefined) return wrong;
  const directories = firmwareDirectories(root, release);
  if (!pattern.includes("*")) return map(search(root, pattern, directories), (file) => [file]);
  const names = new Set<string>();
  let unseen: Unread | undefined;
  for (const directory of directories) {
    const failed = expand(root, directory, pattern.split("/"), "", { names, lists: LIST_LIMIT });
    if (failed !== undefined && failed.state !== "absent") unseen ??= failed;
  }
  const files = [...names].sort().flatMap((name) => valueOf(search(root, name, directories)) ?? []);
  if (files.length > 0) return read(files, `/lib/firmware/${pattern}`);
  return unseen ?? absent(`/lib/firmware/${pattern}`);
}

function search(root: Root, name: string, directories: readonly string[]): Reading<FirmwareFile> {
  let unseen: Unread | undefined;
  for (const suffix of suffixes) {
    for (const directory of directories) {
      const path = `${directory}/${name}${suffix}`;
      const stat = root.stat(path);
      if (stat.state === "read") {
        if (stat.value.type !== "directory") {
          return read({ name, path, bytes: map(stat, (value) => value.size) }, path);
        }
      } else if (stat.state !== "absent") {
        unseen ??= stat;
      }
    }
  }
  return unseen ?? absent(`/lib/firmware/${name}`);
}

/** Names that match element by element, without packed suffix, into `names`. Returns the first directory that could not be listed. */
function expand(
  root: Root,
  directory: string,
  elements: readonly string[],
  prefix: string,
  found: { readonly names: Set<string>; lists: number },
): Unread | undefined {
  const [element, ...rest] = elements;
  if (element === undefined || found.names.size >= MATCH_LIMIT || --found.lists < 0) return undefined;
  const last = rest.length === 0;
  if (!last && !element.includes("*")) {
    return expand(root, `${directory}/${element}`, rest, `${prefix}${element}/`, found);
  }
  const list = root.list(directory);
  if (list.state !== "read") return list;
  let unseen: Unread | undefined;
  for (const entry of list.value) {
    const name = last ? entry.replace(/\.(zst|xz)$/, "") : entry;
    if (!matches(element, name)) continue;
    if (last) {
      found.names.add(prefix + name);
      continue;
    }
    const failed = expand(root, `${directory}/${entry}`, rest, `${prefix}${entry}/`, found);
    if (failed !== undefined && failed.state !== "absent") unseen ??= failed;
  }
  return unseen;
}

/** Files one pattern may stand for; the widest of the catalogue matches some 60. */
const MATCH_LIMIT = 2000;
/** Directories listed for one pattern in one place: links that lead in a circle make any number of ways. */
const LIST_LIMIT = 5000;

/** One `*` per element: what is before it and what is after it must fit without overlap. */
function matches(element: string, name: string): boolean {
  const star = element.indexOf("*");
  if (star < 0) return element === name;
  const [head, tail] = [element.slice(0, star), element.slice(star + 1)];
  return name.length >= head.length + tail.length && name.startsWith(head) && name.endsWith(tail);
}

function plainName(name: string): Unread | undefined {
  const odd = name === "" || name.startsWith("/") || name.split("/").some((part) => part === ".." || part === "");
  return odd ? malformed(`/lib/firmware/${name}`, "not a firmware name") : undefined;
}
