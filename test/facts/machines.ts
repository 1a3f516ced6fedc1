/** The captured kernels of ../shared/machines, each with what is known to be true of it. Absent in a plain checkout. */

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

import { openRoot } from "../../src/root/open.ts";
import type { Root } from "../../src/root/root.ts";

export const sharedMachines = fileURLToPath(new URL("../../../shared/machines/", import.meta.url));

export interface TrueDevice {
  readonly bus: string;
  /** PCI: the slot; else `name` is the kernel's. */
  readonly address?: string;
  readonly on_bus?: boolean;
  readonly name?: string;
  readonly iommu_group?: string | null;
  readonly driver_override?: string | null;
  readonly modalias?: string | null;
  readonly vendor?: string;
  readonly device?: string;
  readonly product?: string;
  readonly class?: string;
  readonly of_node?: string | null;
  readonly bound_driver: string | null;
  readonly node?: string;
  readonly nodes?: readonly { readonly node: string; readonly class?: string; readonly dev?: string }[];
}

export interface Machine {
  readonly name: string;
  readonly devices: readonly TrueDevice[];
  readonly open: () => Root;
}

const directory = `${sharedMachines}kernel/`;

/** Empty without ../shared; tests then say so by skipping. */
export const machines: readonly Machine[] = existsSync(directory)
  ? readdirSync(directory)
      .filter((file) => file.endsWith(".truth.json"))
      .map((file) => {
        const name = file.slice(0, -".truth.json".length);
        const truth = JSON.parse(readFileSync(directory + file, "utf8")) as { devices: TrueDevice[] };
        return { name, devices: truth.devices, open: () => openRoot(`${directory}${name}.tar.gz`) };
      })
  : [];

export function openSysfs(file: string): Root {
  return openRoot(`${sharedMachines}sysfs/${file}`);
}
