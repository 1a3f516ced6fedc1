/**
 * Which devices are asked about: those of a machine, or what `--for` names (a device, a target, a family, a chip, all). Where no file of
 * time/devices describes one, the catalogue does: its targets answer, and its peak is all there is to estimate with.
 */

import { UsageError } from "../base/errors.ts";
import { describeSource } from "../base/source.ts";
import { nearest } from "../base/words.ts";
import type { Architecture, Chip, Family } from "../families/family.ts";
import { allFamilies, loadFamily } from "../families/load.ts";
import { familyOrChip } from "../inspect/named.ts";
import type { DeviceReport } from "../review/report.ts";
import { targetsOf } from "./fit.ts";
import type { Target } from "./target.ts";
import { all as everyTarget } from "./targets/index.ts";
import { all as everyDevice } from "./time/devices/index.ts";
import type { Class, Device } from "./time/estimate.ts";

export interface Chosen {
  readonly devices: readonly Device[];
  /** Where a target was named: only by it. */
  readonly targets?: ReadonlySet<string>;
}

/** Every device that is described, and one for each target that none of them is reached by. */
export function allDevices(): readonly Device[] {
  const reached = new Set(everyDevice.flatMap((device) => targetsOf(device).map(({ id }) => id)));
  const more = new Map<string, Device>();
  for (const target of everyTarget) {
    if (reached.has(target.id)) continue;
    const device = target.devices[0] === undefined ? ofTarget(target) : ofPlace(target.devices[0]);
    if (device === undefined || everyDevice.some(({ id }) => id === device.id)) continue;
    more.set(device.id, device);
    for (const { id } of targetsOf(device)) reached.add(id);
  }
  return [...everyDevice, ...more.values()];
}

/** "all", or ids: of a device, a target, a family, a chip. */
export function devicesFor(words: readonly string[]): Chosen {
  const chosen = words.map(chosenBy);
  const devices = new Map(chosen.flatMap((one) => one.devices.map((device) => [device.id, device] as const)));
  const targets = new Set(chosen.flatMap((one) => [...(one.targets ?? [])]));
  // Beside a device or a family, which are asked about by all their targets, a target names those that it serves.
  const only = chosen.every((one) => one.targets !== undefined) && targets.size > 0;
  return { devices: [...devices.values()], ...(only ? { targets } : {}) };
}

function chosenBy(word: string): Chosen {
  const id = word.toLowerCase();
  if (id === "all") return { devices: allDevices() };
  const device = everyDevice.find((one) => one.id === id);
  if (device !== undefined) return { devices: [device] };
  const named = familyOrChip(word);
  // "hailo" is a family and its one target; "edgetpu" is a target, and only another name of a family.
  if (named?.family.id === id) return { devices: devicesOf(named.family, named.chip) };
  const target = everyTarget.find((one) => one.id === id);
  if (target !== undefined) {
    const by = everyDevice.filter((one) => targetsOf(one).includes(target));
    const places = target.devices.map(ofPlace).filter((one) => one !== undefined);
    const place = by.length > 0 ? by : places.length > 0 ? places : [ofTarget(target)];
    return { devices: place, targets: new Set([target.id]) };
  }
  if (named !== undefined) return { devices: devicesOf(named.family, named.chip) };
  const near = nearest(id, [
    ...everyDevice.map((one) => one.id),
    ...everyTarget.map((one) => one.id),
    ...allFamilies().flatMap((family) => [family.id, ...family.chips.map((chip) => chip.id)]),
  ]);
  throw new UsageError(
    `no device, target, family or chip "${word}"${near === undefined ? "" : `; did you mean "${near}"?`} ` +
      `(accelctl fit MODEL --for all names every device, accelctl catalog every family)`,
  );
}

/** Accelerators of a machine. A processor is no accelerator, and which of the measured ones it is like cannot be told from its ids. */
export function devicesHere(reports: readonly DeviceReport[]): readonly Device[] {
  const devices = new Map<string, Device>();
  for (const report of reports) {
    if (report.family === undefined || report.family === "cpu") continue;
    const family = loadFamily(report.family);
    if (family === undefined) continue;
    for (const device of devicesOf(family, report.chip)) devices.set(device.id, device);
  }
  return [...devices.values()];
}

function devicesOf(family: Family, chip: string | undefined): readonly Device[] {
  const described = everyDevice.filter(
    // One of no chip of the catalogue is its own, and no other's.
    (one) => one.family === family.id && (chip === undefined || one.chip === chip),
  );
  if (described.length > 0) return described;
  const chips = chip === undefined ? family.chips : family.chips.filter(({ id }) => id === chip);
  const made = chips.map((one) => ofCatalogue(family, one)).filter(({ targets }) => targets.length > 0);
  // A family without a target: one line that says so.
  const [first] = chips;
  if (made.length > 0) return made;
  return [first === undefined ? ofFamily(family) : ofCatalogue(family, first)];
}

/** "rockchip-npu", "rockchip-npu/rk3588" as targets name what they serve. */
function ofPlace(place: string): Device | undefined {
  const [id = "", chip] = place.split("/");
  const family = loadFamily(id);
  if (family === undefined) return undefined;
  if (chip === undefined && family.chips.length === 0) return ofFamily(family);
  const found = chip === undefined ? family.chips[0] : family.chips.find((one) => one.id === chip);
  return found && ofCatalogue(family, found);
}

/** Of which no chip is listed: nothing on a bus announces one. */
const ofFamily = ({ id, name, architecture }: Family): Device => ({
  id,
  name,
  family: id,
  class: classes[architecture],
  targets: everyTarget.filter(({ devices }) => devices.includes(id)).map((target) => target.id),
});

/** Of a delegate that reaches whatever its system has a driver for: what it is told by is its own name. */
const ofTarget = ({ id, name }: Target): Device => ({ id, name, family: "any", class: "SIMT", targets: [id] });

function ofCatalogue(family: Family, chip: Chip): Device {
  const peak = chip.peak?.find(({ precision }) => /^int8\b(?!.*sparse)/.test(precision));
  return {
    id: family.id === chip.id ? chip.id : `${family.id}-${chip.id}`,
    name: chip.name,
    family: family.id,
    chip: chip.id,
    class: classes[family.architecture],
    // A processor's are not found by family elsewhere: it may have been measured by one of them alone.
    targets: everyTarget
      .filter(({ devices }) => devices.includes(family.id) || devices.includes(`${family.id}/${chip.id}`))
      .map(({ id }) => id),
    ...(peak === undefined
      ? {}
      : { macs: { value: peak.ops / 2, precision: "int8", source: describeSource(peak.source) } }),
    ...(chip.watts === undefined
      ? {}
      : { watts: { value: chip.watts.value, source: describeSource(chip.watts.source) } }),
  };
}

/** The catalogue's words for architectures, as the classes that estimates know. */
const classes: Readonly<Record<Architecture, Class>> = {
  "systolic array": "systolic array",
  "mesh of cores": "dataflow",
  "VLIW DSP": "vector DSP",
  SIMT: "SIMT",
  "MAC array": "MAC array",
  dataflow: "dataflow",
  vector: "vector DSP",
  FPGA: "MAC array",
  "in-memory": "MAC array",
  "general purpose": "CPU",
  unknown: "MAC array",
};
