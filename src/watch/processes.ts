/**
 * Who uses which device, and how much: holders of its nodes, with what DRM's fdinfo counts where the driver fills it, and AMD's compute
 * processes (KFD), which fdinfo does not count. Of a device that sleeps nothing is asked.
 * Documentation/gpu/drm-usage-stats.rst, proc_pid_fd(5), drivers/gpu/drm/amd/amdkfd/kfd_process.c (sysfs)
 */

import { valueOf } from "../base/reading.ts";
import { readUserNames } from "../facts/user.ts";
import type { Root } from "../root/root.ts";
import { parseFdinfo, type Usage } from "./fdinfo.ts";
import { HolderScan, startOf, type Held, type Holding } from "./holders.ts";
import { createKfd, type KfdUse } from "./kfd.ts";
import { nvmlProcesses, type NvmlFeed } from "./nvml.ts";
import { ONE_MOMENT, wordOf, type Tick } from "./meter.ts";
import type { Place } from "./place.ts";
import type { Metric, ProcessUse } from "./sample.ts";
import { known, metricOf, unknown } from "./value.ts";

export interface DeviceUsers {
  readonly processes: readonly ProcessUse[] | null;
  readonly because?: string;
  /** Of the device as a whole, where its driver counts it by process only. */
  readonly metrics: readonly Metric[];
}

export interface ProcessScan {
  /** `nvml`: what NVIDIA's library tells, where it may be asked. */
  read(tick: Tick, asleep: (device: string) => boolean, nvml?: NvmlFeed): { of(device: string): DeviceUsers };
  /** The devices that are watched have changed. */
  renew(places: readonly Place[]): void;
}

/**
 * Drivers that count all that their clients have them do, by process and not for the device: the sum is the device's. Not so amdgpu
 * (queues of /dev/kfd are not counted), amdxdna (its engine time stays 0 in some versions), ivpu and etnaviv (memory only).
 */
const COUNTS_ALL: ReadonlySet<string> = new Set(["i915", "xe", "msm", "v3d"]);

type Who = Pick<ProcessUse, "command" | "user">;

/** Processes that are told of one device. */
const USERS_LIMIT = 4096;

export function createProcessScan(root: Root, places: readonly Place[], before?: ProcessScan): ProcessScan {
  if (before !== undefined) {
    before.renew(places);
    return before;
  }
  let watched = places;
  let owners = ownersOf(places);
  let drivers = driversOf(places);
  const holders = new HolderScan(root, new Set(owners.keys()));
  const kfd = createKfd(root);
  const counts = new Counts();
  const commands = new Map<string, Who>();
  let names: ReadonlyMap<number, string> | undefined;

  const whoIs = (pid: number, start: string): Who => {
    const key = `${pid} ${start}`;
    const kept = commands.get(key);
    if (kept !== undefined) return kept;
    if (commands.size > USERS_LIMIT) commands.clear();
    const uid = valueOf(root.stat(`/proc/${pid}`))?.uid;
    names ??= valueOf(readUserNames(root)) ?? new Map<number, string>();
    const user = uid === undefined ? undefined : (names.get(uid) ?? (uid === 0 ? "root" : String(uid)));
    const found = { command: wordOf(root, `/proc/${pid}/comm`) ?? "", ...(user === undefined ? {} : { user }) };
    commands.set(key, found);
    return found;
  };
  const whoIsNow = (pid: number): Who => whoIs(pid, startOf(root, pid));

  return {
    renew(changed) {
      watched = changed;
      owners = ownersOf(changed);
      drivers = driversOf(changed);
      holders.watch(new Set(owners.keys()));
      kfd.renew();
    },
    read(tick, asleep, nvml) {
      counts.begin(tick);
      const held: ReturnType<HolderScan["read"]> =
        owners.size === 0 ? { holdings: [], blind: 0, whole: true } : holders.read(tick.time);
      if ("state" in held) {
        const because =
          held.state === "uncaptured" ? "no processes were saved of this machine" : "/proc cannot be read";
        return { of: () => ({ processes: null, because, metrics: [] }) };
      }
      const users = new Map<string, Map<number, ProcessUse>>();
      for (const holding of held.holdings) {
        for (const [device, uses] of byDevice(root, holding, owners, asleep)) {
          const own = users.get(device) ?? new Map<number, ProcessUse>();
          users.set(device, own);
          if (own.size >= USERS_LIMIT) continue;
          const { pid } = holding;
          const metrics = counts.of(tick, `${device} ${pid} ${holding.start}`, `/proc/${pid}/fdinfo`, uses);
          own.set(pid, {
            pid,
            ...whoIs(pid, holding.start),
            how: metrics.length > 0 ? "fdinfo" : "open",
            metrics,
          });
        }
      }
      for (const use of kfd.read(tick, watched)) addUse(users, use, "fdinfo", whoIsNow);
      for (const { device, driver } of nvml === undefined ? [] : watched) {
        if (nvml === undefined || driver !== "nvidia") continue;
        for (const use of nvmlProcesses(nvml, device.address)) {
          addUse(users, { device: device.id, ...use }, "vendor's library", whoIsNow);
        }
      }
      return {
        of(device) {
          const own = [...(users.get(device)?.values() ?? [])].sort((a, b) => a.pid - b.pid);
          const because = becauseOf(held);
          return {
            processes: own,
            ...(because === undefined ? {} : { because }),
            metrics: COUNTS_ALL.has(drivers.get(device) ?? "") ? deviceMetrics(held, own, asleep(device), tick) : [],
          };
        },
      };
    },
  };
}

/** Which devices a node belongs to: mostly one; a control node may belong to all of a driver's. */
function ownersOf(places: readonly Place[]): ReadonlyMap<string, readonly Place[]> {
  const owners = new Map<string, Place[]>();
  for (const place of places) {
    const usb = place.device.usb === undefined ? undefined : valueOf(place.device.usb.node);
    for (const path of [...place.device.nodes.map((node) => node.path), ...(usb === undefined ? [] : [usb])]) {
      const list = owners.get(path) ?? [];
      owners.set(path, list);
      list.push(place);
    }
  }
  return owners;
}

const driversOf = (places: readonly Place[]): ReadonlyMap<string, string> =>
  new Map(places.map(({ device, driver }) => [device.id, driver ?? ""]));

/** What a process has open of each device. A file whose fdinfo names another device is that device's. */
function byDevice(
  root: Root,
  holding: Holding,
  owners: ReadonlyMap<string, readonly Place[]>,
  asleep: (device: string) => boolean,
): ReadonlyMap<string, readonly Usage[]> {
  const found = new Map<string, Map<string, Usage>>();
  for (const { fd, node } of holding.opens) {
    for (const { device } of owners.get(node) ?? []) {
      const own = found.get(device.id) ?? new Map<string, Usage>();
      const usage = asleep(device.id)
        ? undefined
        : parseFdinfo(valueOf(root.text(`/proc/${holding.pid}/fdinfo/${fd}`)) ?? "");
      if (usage?.pdev !== undefined && usage.pdev !== device.address && !device.parts.includes(usage.pdev)) continue;
      found.set(device.id, own);
      if (usage?.driver !== undefined) own.set(usage.client ?? `fd ${fd}`, usage);
    }
  }
  return new Map([...found].map(([device, uses]) => [device, [...uses.values()]]));
}

type Remembered = Map<string, { readonly at: number; readonly value: number; readonly total?: number }>;

/** Counts of clients from one sample to the next. */
class Counts {
  #before: Remembered = new Map();
  #now: Remembered = new Map();
  #sequence = -2;

  begin({ sequence }: Tick): void {
    this.#before = sequence === this.#sequence + 1 ? this.#now : new Map<never, never>();
    this.#now = new Map();
    this.#sequence = sequence;
  }

  of(tick: Tick, who: string, from: string, uses: readonly Usage[]): readonly Metric[] {
    const at = tick.time();
    const engines = new Map<string, { count: number; share: number | undefined; time: boolean }>();
    const memory = new Map<string, number>();
    for (const [client, usage] of uses.entries()) {
      for (const [name, { time, cycles, total, capacity }] of usage.engines) {
        const value = time ?? cycles;
        if (value === undefined || value > Number.MAX_SAFE_INTEGER) continue;
        const key = `${who} ${usage.client ?? client} ${name}`;
        const before = this.#before.get(key);
        this.#now.set(key, { at, value, ...(total === undefined ? {} : { total }) });
        const sum = engines.get(name) ?? { count: 0, share: undefined, time: time !== undefined };
        engines.set(name, sum);
        sum.count += value;
        const whole =
          before === undefined ? 0 : time === undefined ? (total ?? 0) - (before.total ?? 0) : (at - before.at) * 1e6;
        if (before === undefined || value < before.value || whole <= 0) continue;
        sum.share = (sum.share ?? 0) + (value - before.value) / whole / capacity;
      }
      for (const [region, bytes] of usage.memory) memory.set(region, (memory.get(region) ?? 0) + bytes);
    }
    return [
      ...[...engines].flatMap(([name, { count, share, time }]) => [
        time
          ? known("engine_seconds", name, from, Math.round(count) / 1e9)
          : metricOf("engine_cycle_count", name, { state: "read", value: count, from }),
        !tick.moves
          ? unknown("busy_ratio", name, from, "uncaptured", ONE_MOMENT)
          : share === undefined
            ? unknown("busy_ratio", name, from, "first", "a rate needs two samples")
            : known("busy_ratio", name, from, Math.min(1, share)),
      ]),
      ...[...memory].map(([region, bytes]) => metricOf("memory_bytes", region, { state: "read", value: bytes, from })),
    ];
  }
}

function addUse(
  users: Map<string, Map<number, ProcessUse>>,
  { device, pid, metrics }: KfdUse,
  how: ProcessUse["how"],
  whoIs: (pid: number) => Who,
): void {
  const own = users.get(device) ?? new Map<number, ProcessUse>();
  users.set(device, own);
  const before = own.get(pid);
  own.set(pid, {
    ...(before ?? { pid, ...whoIs(pid) }),
    how,
    metrics: [...(before?.metrics ?? []), ...metrics],
  });
}

function becauseOf({ blind, whole }: Held): string | undefined {
  const reasons = [
    ...(blind === 1 ? ["1 process of another user cannot be looked into: root can"] : []),
    ...(blind > 1 ? [`${blind} processes of other users cannot be looked into: root can`] : []),
    ...(whole ? [] : ["not all processes have been looked through yet"]),
  ];
  return reasons.length === 0 ? undefined : reasons.join("; ");
}

/** The sum over processes of each engine, where all of them are seen. */
function deviceMetrics(held: Held, users: readonly ProcessUse[], asleep: boolean, { moves }: Tick): readonly Metric[] {
  const from = "/proc/*/fdinfo";
  const name = "busy_ratio";
  if (asleep) return [known(name, undefined, "power/runtime_status", 0)];
  if (!moves) return [unknown(name, undefined, from, "uncaptured", ONE_MOMENT)];
  if (held.blind > 0) {
    return [
      unknown(
        name,
        undefined,
        from,
        "denied",
        "this driver counts by process, and only root sees those of other users",
      ),
    ];
  }
  if (!held.whole) return [unknown(name, undefined, from, "first", "not all processes have been looked through yet")];
  if (users.length === 0) return [known(name, undefined, from, 0)];
  const sums = new Map<string, number>();
  let waiting = false;
  for (const metric of users.flatMap(({ metrics }) => metrics)) {
    if (metric.name !== name || metric.part === undefined) continue;
    if (metric.value === null) waiting = true;
    else sums.set(metric.part, (sums.get(metric.part) ?? 0) + metric.value);
  }
  if (sums.size === 0 && waiting) return [unknown(name, undefined, from, "first", "a rate needs two samples")];
  return [...sums].map(([engine, share]) => known(name, engine, from, Math.min(1, share)));
}
