/** Remote processors (DSPs, MCUs) and the image each wants. Documentation/ABI/testing/sysfs-class-remoteproc */

import { map, type Reading } from "../base/reading.ts";
import type { Root } from "../root/root.ts";
import { lazyFields } from "./lazy.ts";
import { listDevices, readAttribute } from "./sysfs.ts";

export interface RemoteProcessor {
  /** remoteproc0 */
  readonly name: string;
  readonly path: string;
  /** What the driver calls it: cdsp, adsp, 64800000.dsp */
  readonly label: Reading<string>;
  /** running, offline, crashed ... */
  readonly processorState: Reading<string>;
  /** Image it loads, relative to the firmware directories. */
  readonly firmware: Reading<string>;
  /** sysfs path of the device behind, resolved. */
  readonly device: Reading<string>;
}

const CLASS = "/sys/class/remoteproc";

/** Every remote processor, sorted by name. Absent when this kernel has no such class. */
export function readRemoteprocs(root: Root): Reading<readonly RemoteProcessor[]> {
  return map(listDevices(root, CLASS), (names) =>
    names
      .filter((name) => /^remoteproc[0-9]{1,5}$/.test(name))
      .map((name) => {
        const path = `${CLASS}/${name}`;
        return remoteProcessor({ root, path }, { name, path });
      }),
  );
}

interface Context {
  readonly root: Root;
  readonly path: string;
}

const remoteProcessor = lazyFields<Context, Omit<RemoteProcessor, "name" | "path">>({
  label: ({ root, path }) => readAttribute(root, `${path}/name`),
  processorState: ({ root, path }) => readAttribute(root, `${path}/state`),
  firmware: ({ root, path }) => readAttribute(root, `${path}/firmware`),
  device: ({ root, path }) => root.real(`${path}/device`),
});
