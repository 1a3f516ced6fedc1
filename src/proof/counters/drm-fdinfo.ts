/**
 * Time or cycles that a GPU or NPU spent on the work of one process: fdinfo of its DRM files. The driver counts, per client; whoever
 * else uses the device does not matter. Documentation/gpu/drm-usage-stats.rst
 */

import { absent, read, valueOf, type Reading } from "../../base/reading.ts";
import type { Root } from "../../root/root.ts";
import {
  directoriesOf,
  driverOf,
  type Counter,
  type CounterKind,
  type Sample,
  type Still,
  type Target,
} from "../counter.ts";

const DESCRIPTOR_LIMIT = 65_536;

/**
 * Drivers that count all that a client has them do. Not among them: amdgpu (queues of /dev/kfd, which ROCm uses, are not counted),
 * amdxdna (its engine time stays 0 in some versions), etnaviv and ivpu (memory only), rocket, ethosu, qaic (nothing).
 */
const COUNTS_ALL: ReadonlySet<string> = new Set(["i915", "xe", "msm", "v3d"]);
/** Count only while their `profiling` attribute says so. Documentation/gpu/panfrost.rst, panthor.rst */
const COUNTS_WHEN_PROFILING: ReadonlySet<string> = new Set(["panfrost", "panthor"]);

const kind: CounterKind = {
  id: "engine-time",
  counts: "time of the device's engines spent on this process",
  of: "run",
  strength: "strong",
  still: "nothing",
  buses: ["pci", "platform"],
  drivers: ["i915", "xe", "amdgpu", "amdxdna", "panfrost", "panthor", "msm", "v3d"],
  needs: "the user who runs it, or root",
  source: "Documentation/gpu/drm-usage-stats.rst",
  find(root, target, pids) {
    const still = stillOf(root, target);
    return pids.flatMap((pid): Counter[] => [
      { kind, path: `/proc/${pid}/fdinfo`, unit: "ns", still, read: () => readEngines(root, target, pid, "engine") },
      {
        kind,
        path: `/proc/${pid}/fdinfo`,
        unit: "cycles",
        still,
        read: () => readEngines(root, target, pid, "cycles"),
      },
    ]);
  },
};
export default kind;

function stillOf(root: Root, target: Target): Still {
  const driver = driverOf(target);
  if (COUNTS_ALL.has(driver)) return "proof";
  if (!COUNTS_WHEN_PROFILING.has(driver)) return "nothing";
  const on = directoriesOf(target).some((path) => /^[1-9]/.test(valueOf(root.text(`${path}/profiling`)) ?? ""));
  return on ? "proof" : "nothing";
}

/** The sum over engines and clients of one process; absent where it has no file of the device open, or the driver writes none. */
function readEngines(root: Root, target: Target, pid: number, what: "engine" | "cycles"): Reading<Sample> {
  const directory = `/proc/${pid}/fd`;
  const descriptors = root.list(directory);
  if (descriptors.state !== "read") return descriptors;
  const clients = new Map<string, ReadonlyMap<string, number>>();
  for (const fd of descriptors.value.slice(0, DESCRIPTOR_LIMIT)) {
    const to = valueOf(root.link(`${directory}/${fd}`)) ?? "";
    if (!/^\/dev\/(?:dri|accel)\//.test(to)) continue;
    const text = valueOf(root.text(`/proc/${pid}/fdinfo/${fd}`)) ?? "";
    if (!isOf(target, text, to)) continue;
    // Descriptors that were duplicated are one client and show one count.
    clients.set(/^drm-client-id:[ \t]*(\d{1,20})/m.exec(text)?.[1] ?? `fd ${fd}`, enginesIn(text, what));
  }
  const from = `/proc/${pid}/fdinfo`;
  if (clients.size === 0) return absent(from, "no file of the device is open");
  const engines = [...clients.values()].flatMap((engine) => [...engine]);
  if (engines.length === 0) return absent(from, `the driver writes no drm-${what}`);
  const names = [...new Set(engines.map(([name]) => name))].join(", ");
  return read({ value: engines.reduce((sum, [, value]) => sum + value, 0), word: names }, from);
}

/** By the PCI address the driver writes; without one by the node that is open. */
function isOf({ address, parts, nodes }: Target, text: string, to: string): boolean {
  const pdev = /^drm-pdev:[ \t]*(\S{1,64})/m.exec(text)?.[1];
  return pdev === undefined ? nodes.some(({ path }) => path === to) : pdev === address || parts.includes(pdev);
}

function enginesIn(text: string, what: "engine" | "cycles"): ReadonlyMap<string, number> {
  const engines = new Map<string, number>();
  for (const [, name = "", value = ""] of text.matchAll(
    new RegExp(`^drm-${what}-(?!capacity-)([\\w-]{1,64}):[ \\t]*(\\d{1,20})(?: ns)?[ \\t]*$`, "gm"),
  )) {
    if (engines.size < 256) engines.set(name, Number(value));
  }
  return engines;
}
