/**
 * Place: where in sysfs, procfs and debugfs the things of one device lie, by what they are: hwmon by the device behind it, devfreq by
 * its device, a thermal zone by its type, a class device by the node it makes. Looked up once, never by a board's address.
 */

import { read, valueOf, type Reading } from "../base/reading.ts";
import type { Device } from "../devices/device.ts";
import { globMatches } from "../families/match.ts";
import type { Root } from "../root/root.ts";
import { wordOf } from "./meter.ts";

/** hwmon and devfreq devices, thermal zones of one machine: boards have some dozens, servers some hundred. */
const SENSOR_LIMIT = 1024;
/** Paths that one pattern may stand for: a GPU has some ten tiles and engines, a server's card some dozens of sensors. */
const MATCH_LIMIT = 256;

export interface Sensors {
  readonly hwmon: readonly { readonly path: string; readonly real: string }[];
  readonly devfreq: readonly { readonly path: string; readonly real: string }[];
  readonly zones: readonly { readonly path: string; readonly type: string }[];
}

/** All of the machine, once for all devices. `real` is where the class link leads, below the device it belongs to. */
export function findSensors(root: Root): Sensors {
  const named = (directory: string, pattern: RegExp): { path: string; real: string }[] =>
    (valueOf(root.list(directory)) ?? [])
      .filter((name) => pattern.test(name))
      .slice(0, SENSOR_LIMIT)
      .map((name) => {
        const path = `${directory}/${name}`;
        // Trees that were saved without links may hold the `device` link only.
        const real = valueOf(root.real(path)) ?? path;
        const behind = real === path ? valueOf(root.real(`${path}/device`)) : undefined;
        return { path, real: behind === undefined ? real : `${behind}/${name}` };
      });
  const hwmon = named("/sys/class/hwmon", /^hwmon\d{1,5}$/);
  const devfreq = named("/sys/class/devfreq", /./);
  const zones = (valueOf(root.list("/sys/class/thermal")) ?? [])
    .filter((name) => /^thermal_zone\d{1,5}$/.test(name))
    .slice(0, SENSOR_LIMIT)
    .flatMap((name) => {
      const type = wordOf(root, `/sys/class/thermal/${name}/type`);
      return type === undefined ? [] : [{ path: `/sys/class/thermal/${name}`, type }];
    });
  return { hwmon, devfreq, zones };
}

export interface Place {
  readonly root: Root;
  readonly device: Device;
  /** sysfs directories of the device and its parts, links resolved. */
  readonly directories: readonly string[];
  readonly driver: string | undefined;
  readonly hwmon: readonly string[];
  readonly devfreq: readonly string[];
  readonly zones: readonly { readonly path: string; readonly type: string }[];
  readonly allZones: Sensors["zones"];
}

export function placeOf(root: Root, device: Device, sensors: Sensors): Place {
  const directories = device.paths().filter((path) => path.startsWith("/sys/"));
  const below = (real: string): boolean => directories.some((path) => real.startsWith(`${path}/`));
  // fdab0000.npu is the node npu@fdab0000: a zone called npu-thermal measures it.
  const node = device.bus === "platform" ? device.address.replace(/^[0-9a-f]+\./, "") : undefined;
  return {
    root,
    device,
    directories,
    driver: valueOf(device.driver),
    hwmon: sensors.hwmon.filter(({ real }) => below(real)).map(({ path }) => path),
    devfreq: sensors.devfreq.filter(({ real }) => below(real)).map(({ path }) => path),
    zones: sensors.zones.filter(({ type }) => node !== undefined && type.split(/[-_ ]/).includes(node)),
    allZones: sensors.zones,
  };
}

/** A path that a metric may be read from; `stars` are the names that stood for the `*` in its pattern. */
export interface Spot {
  readonly path: string;
  readonly stars: readonly string[];
}

/**
 * The paths of a catalogue's `read`, by its scheme. Empty: nothing of the kind is there. A place that may not be looked into (debugfs
 * without root) is one spot whose stat is denied. `owner` says which spots are this device's where the kernel does not.
 */
export function spotsOf(place: Place, scheme: string, pattern: string, owner?: string): readonly Spot[] {
  const spots = allSpots(place, scheme, pattern);
  if (owner === undefined) return spots;
  // Parts of one thing (its cores) stand for later stars; the first names the thing.
  if (owner === "alone") return new Set(spots.map(({ stars }) => stars[0])).size > 1 ? [] : withoutFirst(spots);
  return withoutFirst(spots.filter(({ path }) => isOwn(place, path.slice(0, path.lastIndexOf("/")), owner)));
}

/** The star that names the device says nothing of its parts. */
const withoutFirst = (spots: readonly Spot[]): readonly Spot[] =>
  spots.map(({ path, stars }) => ({ path, stars: stars.slice(1) }));

/** A file beside it (or below, by a pattern) holds the device's address: "0000:6d:00.0", "000:6d:00.0". */
function isOwn({ root, device }: Place, directory: string, owner: string): boolean {
  return expand(root, directory, owner).some(({ path }) => {
    const [domain, ...rest] = wordOf(root, path)?.split(":") ?? [];
    return [domain?.padStart(4, "0"), ...rest].join(":").toLowerCase() === device.address;
  });
}

function allSpots(place: Place, scheme: string, pattern: string): readonly Spot[] {
  const { root, device } = place;
  const below = (bases: readonly string[]): readonly Spot[] =>
    bases.flatMap((base) => expand(root, base, pattern)).slice(0, MATCH_LIMIT);
  switch (scheme) {
    case "device":
      return below(place.directories);
    case "class":
      return below(classDirectories(place));
    case "hwmon":
      return below(place.hwmon);
    case "debug":
      return expand(root, "/sys/kernel/debug", pattern.replaceAll("{address}", device.address));
    case "proc":
      return namesOf(place, pattern).flatMap((named) => expand(root, "/proc", named));
    case "sys":
      return namesOf(place, pattern).flatMap((named) => expand(root, "/sys", named));
    case "thermal":
      return place.allZones
        .filter(({ type }) => globMatches(pattern, type))
        .map(({ path, type }) => ({ path: `${path}/temp`, stars: [type] }));
    default:
      return [];
  }
}

/** `{hwmon}` is what the device's hwmon is called: some drivers name their folder of procfs alike. */
function namesOf({ root, device, hwmon }: Place, pattern: string): readonly string[] {
  const addressed = pattern.replaceAll("{address}", device.address);
  if (!addressed.includes("{hwmon}")) return [addressed];
  return hwmon.flatMap((path) => {
    const name = wordOf(root, `${path}/name`);
    return name === undefined || !/^\w{1,40}$/.test(name) ? [] : [addressed.replaceAll("{hwmon}", name)];
  });
}

/** The class devices of a device: those of its nodes, and those that hang from it under a class its family names. */
function classDirectories({ root, device, directories }: Place): readonly string[] {
  const ofNodes = device.nodes
    .filter((node) => node.class !== "")
    .map((node) => `/sys/class/${node.class}/${node.name.replaceAll("/", "!")}`);
  const classes = new Set(
    (device.family?.routes ?? []).flatMap(({ node }) => (node === undefined ? [] : [node.class])),
  );
  const hanging = directories.flatMap((directory) =>
    [...classes].flatMap((name) =>
      name === ""
        ? []
        : (valueOf(root.list(`${directory}/${name}`)) ?? []).map((member) => `${directory}/${name}/${member}`),
    ),
  );
  const seen = new Set<string>();
  return [...ofNodes, ...hanging].filter((path) => {
    const real = valueOf(root.real(path));
    if (real === undefined || seen.has(real)) return false;
    seen.add(real);
    return true;
  });
}

/** The pattern below `base`, each `*` one name. A last element without `*` is given whether it is there or not. */
function expand(root: Root, base: string, pattern: string): readonly Spot[] {
  let spots: Spot[] = [{ path: base, stars: [] }];
  for (const part of pattern.split("/")) {
    if (part === "" || part === "..") return [];
    if (!/[*?]/.test(part)) {
      spots = spots.map(({ path, stars }) => ({ path: `${path}/${part}`, stars }));
      continue;
    }
    // Of "reason_*" the reason is the word, of "gt*" the whole name.
    const literal = /^(?:[a-z]+_)+(?=\*$)/.exec(part)?.[0] ?? "";
    spots = spots.flatMap(({ path, stars }) =>
      (valueOf(root.list(path)) ?? [])
        .filter((name) => globMatches(part, name))
        .slice(0, MATCH_LIMIT)
        .map((name) => ({ path: `${path}/${name}`, stars: [...stars, name.slice(literal.length)] })),
    );
  }
  return spots.slice(0, MATCH_LIMIT);
}

/** Words that tell spots apart: the stars that differ; none where there is one spot. */
export function partsOf(spots: readonly Spot[]): readonly (string | undefined)[] {
  if (spots.length < 2) return spots.map(() => undefined);
  const width = spots[0]?.stars.length ?? 0;
  const differing = Array.from({ length: width }, (_, i) => i).filter(
    (i) => new Set(spots.map(({ stars }) => stars[i])).size > 1,
  );
  return spots.map(({ path, stars }, at) => {
    const words = differing.map((i) => stars[i] ?? "").join(" ");
    return words === "" ? (path.split("/").at(-2) ?? String(at)) : words;
  });
}

/** Is there such a file? Asks nothing of the driver. */
export function exists(root: Root, path: string): Reading<true> {
  const stat = root.stat(path);
  return stat.state === "read" ? read(true, path) : stat;
}
