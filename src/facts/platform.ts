/** Platform devices, with the device-tree node each stands for. Documentation/driver-api/driver-model/platform.rst */

import { absent, chain, firstRead, map, read, type Reading } from "../base/reading.ts";
import type { Root } from "../root/root.ts";
import { lazyFields } from "./lazy.ts";
import { splitStrings } from "./of.ts";
import { listDevices, readAttribute, readDriver, readUevent, ueventValue, type Uevent } from "./sysfs.ts";

export interface PlatformDevice {
  /** The kernel's name: fdab0000.npu */
  readonly name: string;
  /** /sys/bus/platform/devices/<name> */
  readonly path: string;
  readonly modalias: Reading<string>;
  readonly driver: Reading<string>;
  /** Node below the tree's root: /npu@fdab0000 */
  readonly ofNode: Reading<string>;
  readonly compatible: Reading<readonly string[]>;
  readonly runtimeStatus: Reading<string>;
}

const DEVICES = "/sys/bus/platform/devices";

/** Every platform device, sorted by name. */
export function readPlatform(root: Root): Reading<readonly PlatformDevice[]> {
  return map(listDevices(root, DEVICES), (names) =>
    names.map((name) => {
      const path = `${DEVICES}/${name}`;
      return platformDevice(new Context(root, path), { name, path });
    }),
  );
}

// One uevent says all that matters of a device, and most devices are never asked.
class Context {
  readonly root: Root;
  readonly path: string;
  #uevent: Reading<Uevent> | undefined;
  constructor(root: Root, path: string) {
    this.root = root;
    this.path = path;
  }
  get uevent(): Reading<Uevent> {
    return (this.#uevent ??= readUevent(this.root, this.path));
  }
}

const platformDevice = lazyFields<Context, Omit<PlatformDevice, "name" | "path">>({
  modalias: (c) => {
    const written = ueventValue(c.uevent, "MODALIAS");
    return written.state === "read" ? written : readAttribute(c.root, `${c.path}/modalias`);
  },
  driver: (c) => readDriver(c.root, c.path, c.uevent),
  ofNode: (c) => {
    const written = ueventValue(c.uevent, "OF_FULLNAME");
    return written.state === "read" ? written : chain(c.root.real(`${c.path}/of_node`), belowTree);
  },
  compatible: readCompatible,
  runtimeStatus: (c) => readAttribute(c.root, `${c.path}/power/runtime_status`),
});

/** Strings one compatible may hold; the longest in use has about ten. */
const COMPATIBLE_LIMIT = 64;

function readCompatible(c: Context): Reading<readonly string[]> {
  const written = chain(c.uevent, (values, from): Reading<readonly string[]> => {
    const names: string[] = [];
    for (let i = 0; i < COMPATIBLE_LIMIT; i++) {
      const name = values.get(`OF_COMPATIBLE_${i}`);
      if (name === undefined) break;
      names.push(name);
    }
    return names.length === 0 ? absent(from, "no device-tree node") : read(names, from);
  });
  return firstRead([written, map(c.root.text(`${c.path}/of_node/compatible`), splitStrings)], c.path);
}

function belowTree(real: string, from: string): Reading<string> {
  const node = /\/(?:devicetree\/base|device-tree)(\/.*)$/.exec(real)?.[1];
  return node === undefined ? absent(from, `${real} is no device-tree node`) : read(node, from);
}
