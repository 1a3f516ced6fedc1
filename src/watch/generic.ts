/**
 * Meters that any device may have, whatever its family: runtime power state, its PCIe link and the errors on it, and what hwmon,
 * devfreq and thermal zones that belong to it offer. Documentation/hwmon/sysfs-interface.rst,
 * Documentation/ABI/testing/sysfs-bus-pci (current_link_speed), sysfs-bus-pci-devices-aer_stats, sysfs-class-devfreq, sysfs-class-thermal
 */

import { absent, chain, malformed, read, valueOf, type Reading } from "../base/reading.ts";
import type { Root } from "../root/root.ts";
import { fileMeter, wordOf, type Derived, type Meter } from "./meter.ts";
import { exists, type Place } from "./place.ts";
import { oneNumber } from "./value.ts";

/** Attributes of one hwmon device: the largest known has some hundred. */
const ATTRIBUTE_LIMIT = 512;

interface Channel {
  /** Of the file's name; the first group is the channel. */
  readonly attribute: RegExp;
  readonly name: string;
  readonly scale?: number;
  readonly derived?: Derived;
}

/** What of hwmon is told. Thresholds that software may set and alarms are left out. */
const CHANNELS: readonly Channel[] = [
  { attribute: /^(temp\d+)_input$/, name: "temperature_celsius", scale: 0.001 },
  { attribute: /^(temp\d+)_max$/, name: "temperature_max_celsius", scale: 0.001 },
  { attribute: /^(temp\d+)_crit$/, name: "temperature_limit_celsius", scale: 0.001 },
  { attribute: /^(power\d+)_(?:average|input)$/, name: "power_watts", scale: 1e-6 },
  { attribute: /^(power\d+)_max$/, name: "power_max_watts", scale: 1e-6 },
  { attribute: /^(power\d+)_cap$/, name: "power_limit_watts", scale: 1e-6 },
  {
    attribute: /^(energy\d+)_input$/,
    name: "energy_joules",
    scale: 1e-6,
    derived: { name: "power_watts", how: "rate" },
  },
  { attribute: /^(freq\d+)_input$/, name: "clock_hertz" },
  { attribute: /^(fan\d+)_input$/, name: "fan_rpm" },
  { attribute: /^(pwm\d+)$/, name: "fan_ratio", scale: 1 / 255 },
  { attribute: /^(in\d+)_input$/, name: "voltage_volts", scale: 0.001 },
  { attribute: /^(curr\d+)_input$/, name: "current_amperes", scale: 0.001 },
];

/** Everything but what `claimed` says that the catalogue's own rows have taken. */
export function genericMeters(place: Place, claimed: ReadonlySet<string>): readonly Meter[] {
  const { root } = place;
  return [
    ...place.hwmon.flatMap((path) => hwmonMeters(root, path, claimed)),
    ...place.devfreq.flatMap((path) => devfreqMeters(root, path, claimed, place.devfreq.length > 1)),
    ...place.zones.flatMap((zone) => zoneMeters(root, zone, claimed, place.zones.length > 1)),
    ...place.directories.flatMap((path) => awakeMeters(root, path, place.directories.length > 1)),
    ...place.directories.flatMap((path) => linkMeters(root, path, place.directories.length > 1)),
  ];
}

/** Parts are the driver's labels, else the channels' names where there are several of a kind. */
export function hwmonMeters(root: Root, hwmon: string, claimed: ReadonlySet<string>, safe = false): readonly Meter[] {
  const attributes = (valueOf(root.list(hwmon)) ?? []).slice(0, ATTRIBUTE_LIMIT);
  const own = CHANNELS.flatMap((channel) => {
    const found = attributes.flatMap((attribute) => {
      const name = channel.attribute.exec(attribute)?.[1];
      return name === undefined ? [] : [{ channel, name, attribute }];
    });
    // power1_average and power1_input are one thing measured in two ways.
    return found.filter(({ name }, at) => found.findIndex((one) => one.name === name) === at);
  });
  return own.flatMap(({ channel, name, attribute }) => {
    const path = `${hwmon}/${attribute}`;
    if (claimed.has(path)) return [];
    // Older trees name a fan's pwm alone; its label stands with the fan.
    const label =
      wordOf(root, `${hwmon}/${name}_label`) ?? wordOf(root, `${hwmon}/${name.replace(/^pwm/, "fan")}_label`);
    const several = own.filter((other) => other.channel.name === channel.name).length > 1;
    const part = label ?? (several ? name : undefined);
    return [
      fileMeter(root, {
        name: channel.name,
        path,
        safe,
        ...(part === undefined ? {} : { part }),
        ...(channel.scale === undefined ? {} : { scale: channel.scale }),
        ...(channel.derived === undefined ? {} : { derived: channel.derived }),
      }),
    ];
  });
}

function devfreqMeters(root: Root, path: string, claimed: ReadonlySet<string>, several: boolean): readonly Meter[] {
  const word = path.slice(path.lastIndexOf("/") + 1);
  const part = several ? { part: word } : {};
  return [
    { name: "clock_hertz", file: "cur_freq" },
    { name: "clock_max_hertz", file: "max_freq" },
    { name: "clock_min_hertz", file: "min_freq" },
    { name: "governor_load_ratio", file: "load", parse: governorLoad },
  ].flatMap(({ name, file, parse }) =>
    claimed.has(`${path}/${file}`) || exists(root, `${path}/${file}`).state !== "read"
      ? []
      : [fileMeter(root, { name, ...part, path: `${path}/${file}`, ...(parse === undefined ? {} : { parse }) })],
  );
}

/** Rockchip's kernels write "37@600000000Hz": percent busy at that clock, as the governor sees it. */
function governorLoad(text: string, from: string): Reading<number> {
  const percent = /^\s*(\d{1,3})@\d{1,12}(?:Hz)?\s*$/.exec(text)?.[1];
  return percent === undefined
    ? malformed(from, `not a load: ${JSON.stringify(text.trim().slice(0, 40))}`)
    : read(Number(percent) / 100, from);
}

/** Zones are measured by a sensor of the SoC that stays awake (Documentation/driver-api/thermal/sysfs-api.rst). */
function zoneMeters(
  root: Root,
  zone: { readonly path: string; readonly type: string },
  claimed: ReadonlySet<string>,
  several: boolean,
): readonly Meter[] {
  const path = `${zone.path}/temp`;
  if (claimed.has(path) || exists(root, path).state !== "read") return [];
  const part = several ? { part: zone.type } : {};
  return [fileMeter(root, { name: "temperature_celsius", ...part, path, scale: 0.001, safe: true })];
}

/**
 * Time awake, where power is managed at all. Drivers that put the device to sleep after each job (rocket, ethosu) show by it how much
 * it is used, and tell nothing else. Documentation/ABI/testing/sysfs-devices-power (runtime_active_time, milliseconds)
 */
function awakeMeters(root: Root, directory: string, several: boolean): readonly Meter[] {
  const path = `${directory}/power/runtime_active_time`;
  const managed = wordOf(root, `${directory}/power/runtime_status`) ?? "unsupported";
  const control = wordOf(root, `${directory}/power/control`);
  if (managed === "unsupported" || control === "on" || exists(root, path).state !== "read") return [];
  const part = several ? { part: directory.slice(directory.lastIndexOf("/") + 1) } : {};
  const derived: Derived = { name: "awake_ratio", how: "rate" };
  return [fileMeter(root, { name: "awake_seconds", ...part, path, scale: 0.001, safe: true, derived })];
}

/** Reading the link asks the device's configuration space and wakes it; the counts of errors are kept by the kernel. */
function linkMeters(root: Root, directory: string, several: boolean): readonly Meter[] {
  const slot = directory.slice(directory.lastIndexOf("/") + 1);
  const part = (word?: string): { part?: string } => {
    const words = [several ? slot : undefined, word].filter((each) => each !== undefined).join(" ");
    return words === "" ? {} : { part: words };
  };
  const rows = [
    { name: "pcie_link_transfers_per_second", file: "current_link_speed", parse: linkSpeed },
    { name: "pcie_link_max_transfers_per_second", file: "max_link_speed", parse: linkSpeed },
    { name: "pcie_link_lanes", file: "current_link_width", parse: linkLanes },
    { name: "pcie_link_max_lanes", file: "max_link_width", parse: linkLanes },
    { name: "pcie_error_count", file: "aer_dev_correctable", word: "correctable", parse: errorTotal, safe: true },
    { name: "pcie_error_count", file: "aer_dev_nonfatal", word: "nonfatal", parse: errorTotal, safe: true },
    { name: "pcie_error_count", file: "aer_dev_fatal", word: "fatal", parse: errorTotal, safe: true },
  ];
  return rows.flatMap(({ name, file, word, parse, safe }) => {
    const path = `${directory}/${file}`;
    if (exists(root, path).state !== "read") return [];
    return [fileMeter(root, { name, ...part(word), path, safe: safe === true, parse })];
  });
}

/** "8.0 GT/s PCIe", "2.5 GT/s"; "Unknown" where no link is trained (a function of the processor's own bus). */
function linkSpeed(text: string, from: string): Reading<number> {
  const giga = /^\s*(\d{1,4}(?:\.\d{1,2})?) GT\/s/.exec(text)?.[1];
  if (giga !== undefined) return read(Math.round(Number(giga) * 1000) * 1e6, from);
  return /^\s*Unknown/.test(text)
    ? absent(from, NO_LINK)
    : malformed(from, `not a speed: ${JSON.stringify(text.trim().slice(0, 40))}`);
}

const NO_LINK = "no link: it sits inside the processor or chip set, or none is trained";

/** 0 without a link; 255 where the driver of the bus does not know (PCIE_LNK_WIDTH_UNKNOWN). */
function linkLanes(text: string, from: string): Reading<number> {
  return chain(oneNumber(text, from), (lanes) =>
    lanes === 0 || lanes > 32 ? absent(from, NO_LINK) : read(lanes, from),
  );
}

/** Lines "RxErr 0", and the last: "TOTAL_ERR_COR 12". */
function errorTotal(text: string, from: string): Reading<number> {
  const total = /^TOTAL_ERR_\w{1,20} (\d{1,20})\s*$/m.exec(text)?.[1];
  return total === undefined ? malformed(from, "no total in it") : chain(read(total, from), oneNumber);
}
