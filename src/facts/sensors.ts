/**
 * hwmon, devfreq and thermal zones, found by label and by the device they belong to. Documentation/hwmon/sysfs-interface.rst,
 * Documentation/ABI/testing/sysfs-class-devfreq, sysfs-class-thermal
 */

import { chain, firstRead, malformed, map, parseInteger, read, valueOf, type Reading } from "../base/reading.ts";
import type { Root } from "../root/root.ts";
import { readAttribute } from "./sysfs.ts";

export interface Sensor {
  readonly kind: "hwmon" | "devfreq" | "thermal";
  /** hwmon `name`, devfreq device name, thermal zone `type`. */
  readonly label: string;
  readonly path: string;
  /** sysfs path of the device behind it. */
  readonly device: Reading<string>;
  /**
   * Attribute (temp1_input, cur_freq, temp ...) to value in base units: celsius, watts, joules, hertz, volts, amperes, ratio; fans in
   * revolutions per minute. Read when first asked for. Empty while the device sleeps: reading could wake it.
   */
  readonly values: ReadonlyMap<string, Reading<number>>;
  /** What the driver calls its channels: temp1 is "edge". */
  readonly channels: ReadonlyMap<string, string>;
  /** True when the device behind it is suspended. */
  readonly asleep: boolean;
  /** Of devfreq: who sets the clock, and the clocks there are in hertz. */
  readonly governor?: Reading<string>;
  readonly frequencies?: Reading<readonly number[]>;
}

/** Sensors of one class on one machine, attributes of one sensor: boards have some dozens, servers some hundred. */
const SENSOR_LIMIT = 1024;
const ATTRIBUTE_LIMIT = 512;

type Kind = Sensor["kind"];

const CLASSES: readonly { readonly kind: Kind; readonly name: RegExp; readonly label: string }[] = [
  { kind: "hwmon", name: /^hwmon\d+$/, label: "name" },
  { kind: "devfreq", name: /./, label: "name" },
  { kind: "thermal", name: /^thermal_zone\d+$/, label: "type" },
];

/** Attributes that are values, and what divides them into base units. Others (alarms, limits by step) are left alone. */
const UNITS: Readonly<Record<Kind, readonly { readonly attribute: RegExp; readonly per: number }[]>> = {
  hwmon: [
    { attribute: /^temp\d+_(input|max|crit|emergency)$/, per: 1_000 },
    { attribute: /^in\d+_(input|min|max)$/, per: 1_000 },
    { attribute: /^curr\d+_(input|max|crit)$/, per: 1_000 },
    { attribute: /^power\d+_(input|average|cap|cap_max|max|crit)$/, per: 1_000_000 },
    { attribute: /^energy\d+_input$/, per: 1_000_000 },
    { attribute: /^freq\d+_input$/, per: 1 },
    { attribute: /^fan\d+_input$/, per: 1 },
  ],
  devfreq: [{ attribute: /^(cur|min|max|target)_freq$/, per: 1 }],
  thermal: [{ attribute: /^(temp|trip_point_\d+_temp)$/, per: 1_000 }],
};

/** Absent on a machine that has none of the three classes. */
export function readSensors(root: Root): Reading<readonly Sensor[]> {
  const sensors: Sensor[] = [];
  const lists = CLASSES.map(({ kind, name, label }) => {
    const directory = `/sys/class/${kind}`;
    const list = root.list(directory);
    for (const entry of (valueOf(list) ?? []).filter((each) => name.test(each)).slice(0, SENSOR_LIMIT)) {
      sensors.push(readSensor(root, kind, `${directory}/${entry}`, label));
    }
    return list;
  });
  return map(firstRead(lists, "/sys/class/hwmon"), () => sensors);
}

function readSensor(root: Root, kind: Kind, path: string, label: string): Sensor {
  const device = root.real(`${path}/device`);
  const asleep = valueOf(readAttribute(root, `${path}/device/power/runtime_status`)) === "suspended";
  const name = valueOf(readAttribute(root, `${path}/${label}`)) ?? path.slice(path.lastIndexOf("/") + 1);
  let values: ReadonlyMap<string, Reading<number>> | undefined;
  let channels: ReadonlyMap<string, string> | undefined;
  return {
    kind,
    label: name,
    path,
    device,
    asleep,
    get values() {
      return (values ??= asleep ? new Map() : readValues(root, kind, path));
    },
    get channels() {
      return (channels ??= kind === "hwmon" ? readChannels(root, path) : new Map());
    },
    ...(kind === "devfreq"
      ? {
          governor: readAttribute(root, `${path}/governor`),
          frequencies: chain(root.text(`${path}/available_frequencies`), frequencies),
        }
      : {}),
  };
}

function attributes(root: Root, path: string): readonly string[] {
  return (valueOf(root.list(path)) ?? []).slice(0, ATTRIBUTE_LIMIT);
}

function readValues(root: Root, kind: Kind, path: string): ReadonlyMap<string, Reading<number>> {
  const values = new Map<string, Reading<number>>();
  for (const attribute of attributes(root, path)) {
    const unit = UNITS[kind].find((each) => each.attribute.test(attribute));
    if (unit) {
      const value = map(parseInteger(root.text(`${path}/${attribute}`)), (number) => number / unit.per);
      if (value.state !== "absent") values.set(attribute, value);
    } else if (kind === "devfreq" && attribute === "load") {
      values.set("load", chain(root.text(`${path}/load`), load));
    }
  }
  return values;
}

function readChannels(root: Root, path: string): ReadonlyMap<string, string> {
  const channels = new Map<string, string>();
  for (const attribute of attributes(root, path)) {
    const channel = /^([a-z]+\d+)_label$/.exec(attribute)?.[1];
    const label = channel === undefined ? undefined : valueOf(readAttribute(root, `${path}/${attribute}`));
    if (channel !== undefined && label !== undefined) channels.set(channel, label);
  }
  return channels;
}

/** Rockchip's kernels write "37@600000000Hz": percent busy at that clock. */
function load(text: string, from: string): Reading<number> {
  const percent = /^\s*(\d{1,3})@\d{1,12}(?:Hz)?\s*$/.exec(text)?.[1];
  return percent === undefined
    ? malformed(from, `not a load: ${JSON.stringify(text.trim().slice(0, 40))}`)
    : read(Number(percent) / 100, from);
}

function frequencies(text: string, from: string): Reading<readonly number[]> {
  const numbers = text.trim().split(/\s+/, ATTRIBUTE_LIMIT).map(Number);
  return numbers.every((number) => Number.isSafeInteger(number) && number > 0)
    ? read(numbers, from)
    : malformed(from, "not a list of frequencies");
}
