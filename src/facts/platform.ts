/** Platform devices, with the device-tree node each stands for. Documentation/driver-api/driver-model/platform.rst */

import type { Reading } from "../base/reading.ts";
import type { Root } from "../root/root.ts";

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

export function readPlatform(root: Root): Reading<readonly PlatformDevice[]> {
  void root;
  throw new Error("facts/platform");
}
