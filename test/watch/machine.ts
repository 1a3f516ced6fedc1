/** A machine of a few made-up devices whose files can be changed while it is watched, and that remembers what was read of it. */

import type { Root, RootKind } from "../../src/root/root.ts";
import type { DeviceSample, Metric, ProcessUse, Sample } from "../../src/watch/sample.ts";
import { openWatch, type Watch, type WatchOptions } from "../../src/watch/watch.ts";
import { smallRoot } from "../facts/small-root.ts";

export type Files = Record<string, string | Uint8Array | null>;

export interface Made {
  readonly root: Root;
  /** Paths whose content was read since the last call. */
  readonly reads: () => string[];
  /** Changes files; undefined takes one away. */
  readonly change: (files: Record<string, Files[string] | undefined>) => void;
}

/** `denied`: directories that may not be listed. */
export function makeMachine(files: Files, kind: RootKind = "live", denied: readonly string[] = []): Made {
  let current: Files = { ...files };
  let root = smallRoot(current, { kind });
  const paths: string[] = [];
  const noted = <T>(path: string, question: () => T): T => {
    paths.push(path);
    return question();
  };
  return {
    root: {
      kind,
      name: "made",
      text: (path) => noted(path, () => root.text(path)),
      bytes: (path) => noted(path, () => root.bytes(path)),
      slice: (path, offset, length) => noted(path, () => root.slice(path, offset, length)),
      list: (path) => (denied.includes(path) ? { state: "denied", from: path, why: "EACCES" } : root.list(path)),
      link: (path) => root.link(path),
      real: (path) => root.real(path),
      stat: (path) => root.stat(path),
      access: (path) => root.access(path),
      ask: (node, ask) => noted(`${node} ${ask.name}`, () => root.ask(node, ask)),
    },
    reads: () => paths.splice(0),
    change(changes) {
      for (const [path, content] of Object.entries(changes)) {
        if (content !== undefined) current[path] = content;
      }
      current = Object.fromEntries(
        Object.entries(current).filter(([path]) => !(path in changes) || changes[path] !== undefined),
      );
      root = smallRoot(current, { kind });
    },
  };
}

/** A PCI function with its driver bound, or none. */
export function pci(slot: string, id: string, klass: string, driver: string | undefined, more: Files = {}): Files {
  const path = pciPath(slot);
  const [vendor = "", device = ""] = id.split(":");
  const uevent = [
    ...(driver === undefined ? [] : [`DRIVER=${driver}`]),
    `PCI_CLASS=${klass.toUpperCase()}`,
    `PCI_ID=${id.toUpperCase()}`,
    `PCI_SLOT_NAME=${slot}`,
  ];
  return {
    [`/sys/bus/pci/devices/${slot}`]: `-> ../../../devices/pci0000:00/${slot}`,
    [`${path}/uevent`]: `${uevent.join("\n")}\n`,
    [`${path}/vendor`]: `0x${vendor}\n`,
    [`${path}/device`]: `0x${device}\n`,
    [`${path}/class`]: `0x${klass}\n`,
    [`${path}/power/runtime_status`]: "active\n",
    ...Object.fromEntries(Object.entries(more).map(([name, content]) => [`${path}/${name}`, content])),
  };
}

export const pciPath = (slot: string): string => `/sys/devices/pci0000:00/${slot}`;

/** A hwmon device below the one it measures. */
export function hwmon(below: string, number: number, attributes: Files): Files {
  const path = `${below}/hwmon/hwmon${number}`;
  return {
    [`/sys/class/hwmon/hwmon${number}`]: `-> ${path}`,
    [`${path}/device`]: `-> ${below}`,
    ...Object.fromEntries(Object.entries(attributes).map(([name, content]) => [`${path}/${name}`, content])),
  };
}

/** A DRM or accel node of a device. */
export function node(below: string, kind: "accel" | "drm", name: string): Files {
  const path = `${below}/${kind}/${name}`;
  const dev = kind === "accel" ? `accel/${name}` : `dri/${name}`;
  return {
    [`/sys/class/${kind}/${name}`]: `-> ${path}`,
    [`${path}/device`]: `-> ${below}`,
    [`${path}/uevent`]: `MAJOR=226\nMINOR=128\nDEVNAME=${dev}\n`,
  };
}

/** A process with files open: descriptor to node, and fdinfo where it says something. */
export function process(pid: number, command: string, open: Record<string, readonly [string, string?]>): Files {
  const files: Files = {
    [`/proc/${pid}/comm`]: `${command}\n`,
    [`/proc/${pid}/stat`]: `${pid} (${command}) S 1 1 1 0 -1 4194560 0 0 0 0 0 0 0 0 20 0 1 0 ${pid * 10} 0 0\n`,
  };
  for (const [fd, [target, info = "pos:\t0\nflags:\t02100002\n"]] of Object.entries(open)) {
    files[`/proc/${pid}/fd/${fd}`] = `-> ${target}`;
    files[`/proc/${pid}/fdinfo/${fd}`] = info;
  }
  return files;
}

/** A watch whose clock the test moves. */
export function watchOf(made: Made, options: WatchOptions = {}): { next: (seconds?: number) => Sample; watch: Watch } {
  let now = 1000;
  const clock = { now: () => now, wall: () => new Date(1_800_000_000_000 + now) };
  const watch = openWatch(made.root, { clock, ...options });
  return {
    watch,
    next(seconds = 1) {
      now += seconds * 1000;
      return watch.sample();
    },
  };
}

export function deviceIn(sample: Sample, id: string): DeviceSample {
  const found = sample.devices.find((device) => device.id === id);
  if (found === undefined) throw new Error(`${id} is not among ${sample.devices.map((one) => one.id).join(", ")}`);
  return found;
}

export function metricIn(of: DeviceSample | ProcessUse, name: string, part?: string): Metric {
  const found = of.metrics.find((metric) => metric.name === name && metric.part === part);
  if (found === undefined) {
    throw new Error(
      `${name} ${part ?? ""} is not among ${of.metrics.map((one) => `${one.name} ${one.part ?? ""}`).join(", ")}`,
    );
  }
  return found;
}

/** The value, or the reason in its place. */
export function valueIn(of: DeviceSample | ProcessUse, name: string, part?: string): number | string {
  const metric = metricIn(of, name, part);
  return metric.value ?? metric.why;
}
