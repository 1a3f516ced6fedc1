/**
 * AMD's compute processes: the kernel lists each with its memory on each GPU. drivers/gpu/drm/amd/amdkfd/kfd_process.c (vram_GPUID,
 * sdma_GPUID), kfd_topology.c (gpu_id; location_id and domain say where on the bus)
 */

import { valueOf } from "../base/reading.ts";
import type { Root } from "../root/root.ts";
import { wordOf, type Tick } from "./meter.ts";
import type { Place } from "./place.ts";
import type { Metric } from "./sample.ts";
import { metricOf, oneNumber } from "./value.ts";

export interface KfdUse {
  readonly device: string;
  readonly pid: number;
  readonly metrics: readonly Metric[];
}

const PROCESSES = "/sys/class/kfd/kfd/proc";
const NODES = "/sys/class/kfd/kfd/topology/nodes";
/** Nodes of one machine: eight cards of eight partitions and two processors are 66. */
const NODE_LIMIT = 1024;
const PROCESS_LIMIT = 4096;

export function createKfd(root: Root): {
  read(tick: Tick, places: readonly Place[]): readonly KfdUse[];
  renew(): void;
} {
  let gpus: ReadonlyMap<string, string> | undefined;
  return {
    renew() {
      gpus = undefined;
    },
    read(_tick, places) {
      if (!places.some(({ driver }) => driver === "amdgpu")) return [];
      gpus ??= gpuAddresses(root);
      if (gpus.size === 0) return [];
      const ids = new Map(places.map(({ device }) => [device.address, device.id]));
      const pids = (valueOf(root.list(PROCESSES)) ?? [])
        .filter((name) => /^\d{1,10}$/.test(name))
        .slice(0, PROCESS_LIMIT);
      return pids.flatMap((pid) =>
        [...(gpus ?? [])].flatMap(([gpu, address]): KfdUse[] => {
          const device = ids.get(address);
          const path = `${PROCESSES}/${pid}/vram_${gpu}`;
          const text = root.text(path);
          if (device === undefined || text.state !== "read") return [];
          // A process that opened /dev/kfd is listed for every GPU; only memory shows which it uses.
          const bytes = oneNumber(text.value, path);
          if (bytes.state === "read" && bytes.value === 0) return [];
          return [{ device, pid: Number(pid), metrics: [metricOf("memory_bytes", "compute", bytes)] }];
        }),
      );
    },
  };
}

/** gpu_id to the address on the bus. */
function gpuAddresses(root: Root): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const node of (valueOf(root.list(NODES)) ?? []).slice(0, NODE_LIMIT)) {
    const id = wordOf(root, `${NODES}/${node}/gpu_id`);
    if (id === undefined || !/^[1-9]\d{0,9}$/.test(id)) continue;
    const properties = valueOf(root.text(`${NODES}/${node}/properties`)) ?? "";
    const property = (name: string): number =>
      Number(new RegExp(`^${name} (\\d{1,10})$`, "m").exec(properties)?.[1] ?? Number.NaN);
    const [location, domain] = [property("location_id"), property("domain")];
    if (!Number.isFinite(location)) continue;
    const hex = (value: number, digits: number): string => value.toString(16).padStart(digits, "0");
    const slot = `${hex(Number.isFinite(domain) ? domain : 0, 4)}:${hex((location >> 8) & 0xff, 2)}:${hex((location >> 3) & 0x1f, 2)}.${location & 7}`;
    found.set(id, slot);
  }
  return found;
}
