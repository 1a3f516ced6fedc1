/**
 * Watch: all accelerators of a machine, sampled. What each metric is read from is looked up once; a sample only reads. Nothing here
 * runs by itself: stream.ts has the timer. Devices are looked for anew when the kernel has told of a change (its count of uevents) or
 * when something that was read has gone.
 */

import { valueOf } from "../base/reading.ts";
import type { Device } from "../devices/device.ts";
import { findDevices } from "../devices/find.ts";
import { factsOf } from "../review/judge.ts";
import type { Root } from "../root/root.ts";
import { askMeters } from "./ask.ts";
import { catalogueMeters } from "./catalogue.ts";
import { cpuMeters } from "./cpu.ts";
import { genericMeters } from "./generic.ts";
import { gpuTableMeters } from "./gpu-metrics.ts";
import { wordOf, type Meter, type Tick } from "./meter.ts";
import { nvmlMeter, openNvml, type NvmlFeed } from "./nvml.ts";
import { findSensors, placeOf, type Place, type Sensors } from "./place.ts";
import { createProcessScan, type ProcessScan } from "./processes.ts";
import { SAMPLE_SCHEMA, type DeviceSample, type Metric, type Sample } from "./sample.ts";
import { lacking } from "./lacking.ts";
import { unknown } from "./value.ts";

export interface WatchOptions {
  /** Also ask where asking wakes a sleeping device. */
  readonly query?: boolean;
  /** Look for processes that use the devices; true when not given. */
  readonly processes?: boolean;
  /** Load vendors' libraries (NVIDIA's) in processes of their own; or the one that answers, for tests. Closed with the watch. */
  readonly vendor?: boolean | NvmlFeed;
  /** Only devices for which this is true. */
  readonly only?: (device: Device) => boolean;
  /** Does time pass on this machine? True of the live one alone: of a saved one no rate follows. */
  readonly moves?: boolean;
  /** Milliseconds on a clock that never steps, and the wall clock; for tests. */
  readonly clock?: { readonly now: () => number; readonly wall: () => Date };
}

export interface Watch {
  /** Reads everything once. Costs milliseconds; never waits for anything. */
  sample(): Sample;
  /** What is watched at the moment. */
  devices(): readonly Device[];
  close(): void;
}

/** The kernel counts every event of a device that comes, goes or changes its driver. Documentation/ABI/testing/sysfs-uevent */
const UEVENTS = "/sys/kernel/uevent_seqnum";
/** Batteries and displays send events too: devices are not looked for more often than this. */
const FIND_EVERY_MS = 5_000;
/** Where events are not counted, so often all the same. */
const FIND_AT_LEAST_MS = 60_000;
/** Devices of one machine: the largest servers hold some dozens of accelerators. */
const DEVICE_LIMIT = 1024;

interface Watched {
  readonly device: Device;
  readonly place: Place;
  readonly signature: string;
  readonly meters: readonly Meter[];
}

export function openWatch(root: Root, options: WatchOptions = {}): Watch {
  const clock = options.clock ?? { now: () => performance.now(), wall: () => new Date() };
  const moves = options.moves ?? root.kind === "live";
  let watched: readonly Watched[] | undefined;
  let scan: ProcessScan | undefined;
  let foundAt = 0;
  let events: string | undefined;
  let sequence = 0;
  let nvml: NvmlFeed | undefined = typeof options.vendor === "object" ? options.vendor : undefined;
  let last: number | undefined;

  const find = (now: number): readonly Watched[] => {
    foundAt = now;
    events = wordOf(root, UEVENTS);
    const devices = findAll(root, options);
    if (options.vendor === true && root.kind === "live" && devices.some(isNvidia)) nvml ??= openNvml();
    for (const { device, meters } of watched ?? []) {
      if (!devices.some(({ id }) => id === device.id)) for (const meter of meters) meter.close?.();
    }
    watched = metered(root, devices, options, watched ?? [], nvml);
    scan =
      options.processes === false
        ? undefined
        : createProcessScan(
            root,
            watched.map(({ place }) => place),
            scan,
          );
    return watched;
  };
  const current = (now: number): readonly Watched[] => {
    if (watched === undefined) return find(now);
    if (!moves || now - foundAt < FIND_EVERY_MS) return watched;
    const gone = watched.some(({ meters }) => meters.some((meter) => meter.gone?.() === true));
    const count = wordOf(root, UEVENTS);
    const due = count === undefined ? now - foundAt >= FIND_AT_LEAST_MS : count !== events;
    return gone || due ? find(now) : watched;
  };

  return {
    sample() {
      const now = clock.now();
      const at = clock.wall().toISOString();
      const list = current(now);
      const tick: Tick = { sequence, time: clock.now, moves };
      const states = new Map(list.map((one) => [one.device.id, powerStateOf(root, one.place)]));
      const users = scan?.read(tick, (id) => isAsleep(states.get(id) ?? null), nvml);
      const devices = list.map((one) => {
        const state = states.get(one.device.id) ?? null;
        return sampleOf(
          one,
          state,
          tick,
          options.query ?? false,
          one.device.bus === "cpu" ? undefined : users?.of(one.device.id),
        );
      });
      const elapsed = last === undefined ? null : (now - last) / 1000;
      last = now;
      return {
        schema: SAMPLE_SCHEMA,
        sequence: sequence++,
        at,
        elapsed_seconds: elapsed === null ? null : rounded(elapsed),
        took_seconds: rounded((clock.now() - now) / 1000),
        devices,
      };
    },
    devices: () => (watched ?? find(clock.now())).map(({ device }) => device),
    close() {
      for (const { meters } of watched ?? []) for (const meter of meters) meter.close?.();
      watched = undefined;
      scan = undefined;
      nvml?.close();
    },
  };
}

/** Microseconds are as much as anybody can use. */
const rounded = (seconds: number): number => Math.round(seconds * 1e6) / 1e6;

function findAll(root: Root, options: WatchOptions): readonly Device[] {
  const facts = factsOf(root, { query: options.query ?? false });
  return findDevices(facts)
    .devices.filter((device) => options.only?.(device) ?? true)
    .slice(0, DEVICE_LIMIT);
}

/** NVML knows what NVIDIA's own driver drives. */
const isNvidia = (device: Device): boolean => device.bus === "pci" && valueOf(device.driver) === "nvidia";

/** Meters of a device that has not changed are kept, and with them what their counters were. */
function metered(
  root: Root,
  devices: readonly Device[],
  options: WatchOptions,
  before: readonly Watched[],
  nvml: NvmlFeed | undefined,
): readonly Watched[] {
  const sensors = findSensors(root);
  return devices.map((device) => {
    const place = placeOf(root, device, sensors);
    const signature = signatureOf(place);
    const old = before.find((one) => one.device.id === device.id);
    const whole = old?.signature === signature && !old.meters.some((meter) => meter.gone?.() === true);
    if (!whole) for (const meter of old?.meters ?? []) meter.close?.();
    return { device, place, signature, meters: whole ? old.meters : metersOf(place, sensors, options, nvml) };
  });
}

/** What meters were looked up by: another driver, node or sensor makes them anew. */
function signatureOf({ device, directories, driver, hwmon, devfreq, zones }: Place): string {
  return JSON.stringify([
    device.id,
    device.chip?.id,
    driver,
    directories,
    device.nodes.map(({ path }) => path),
    hwmon,
    devfreq,
    zones,
  ]);
}

function metersOf(place: Place, sensors: Sensors, options: WatchOptions, nvml: NvmlFeed | undefined): readonly Meter[] {
  if (place.device.bus === "cpu") return cpuMeters(place.root, sensors);
  const own = catalogueMeters(place);
  const files = [...own.meters, ...genericMeters(place, own.claimed)];
  const table = gpuTableMeters(place, new Set(files.flatMap(({ gives }) => gives.map(({ name }) => name))));
  const found = [...files, ...table, ...askMeters(place, options.query ?? false)];
  if (nvml !== undefined && isNvidia(place.device)) found.push(nvmlMeter(place, nvml));
  const told = new Set(found.flatMap(({ gives }) => gives.map(({ name }) => name)));
  const meters = [...found, ...own.gaps.filter(({ gives }) => gives.every(({ name }) => !told.has(name)))];
  return [...meters, ...lacking(place, meters)];
}

/** The kernel's word. Of several parts that sleep one that is awake keeps the device awake. */
function powerStateOf(root: Root, { directories }: Place): string | null {
  const words = directories.flatMap((path) => wordOf(root, `${path}/power/runtime_status`) ?? []);
  return words.find((word) => word === "active") ?? words.find((word) => word !== "suspended") ?? words[0] ?? null;
}

/** "suspending" too: a question now would turn it round. */
const isAsleep = (state: string | null): boolean => state === "suspended" || state === "suspending";

function sampleOf(
  { device, place, meters }: Watched,
  state: string | null,
  tick: Tick,
  query: boolean,
  users: ReturnType<ReturnType<ProcessScan["read"]>["of"]> | undefined,
): DeviceSample {
  const asleep = isAsleep(state) && !query;
  const metrics: Metric[] = [];
  const told = new Set<string>();
  const tell = (metric: Metric): void => {
    const key = `${metric.name}\0${metric.part ?? ""}`;
    if (told.has(key)) return;
    told.add(key);
    metrics.push(metric);
  };
  for (const meter of meters) {
    for (const metric of asleep && !meter.safe ? sleeping(meter, tick.moves) : meter.read(tick)) tell(metric);
  }
  for (const metric of users?.metrics ?? []) tell(metric);
  const { driver } = place;
  return {
    id: device.id,
    name: device.name,
    ...(device.family === undefined ? {} : { family: device.family.id }),
    bus: device.bus,
    address: device.address,
    ...(driver === undefined ? {} : { driver }),
    power_state: state,
    metrics,
    processes: users?.processes ?? null,
    ...(users === undefined
      ? { processes_because: device.bus === "cpu" ? "every process runs on it" : "not asked for" }
      : users.because === undefined
        ? {}
        : { processes_because: users.because }),
  };
}

const sleeping = ({ gives }: Meter, moves: boolean): readonly Metric[] =>
  gives.map(({ name, part, from }) => unknown(name, part, from, "asleep", moves ? ASLEEP : SLEPT));

const ASLEEP = "it sleeps, and reading would wake it: --query asks all the same";
const SLEPT = "it slept when the machine was saved: what stood there then is no measurement";
