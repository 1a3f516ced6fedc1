/**
 * Device nodes that accelerators answer on, found from classes (accel, drm, misc, apex, tenstorrent, ...) and from /dev, each
 * with its owner and with whether this user may open it. Documentation/admin-guide/devices.rst, Documentation/accel
 */

import type { Reading } from "../base/reading.ts";
import type { Root, Stat } from "../root/root.ts";

export interface DeviceNode {
  /** /dev/accel/accel0 */
  readonly path: string;
  /** Kernel class: accel, drm, misc, apex ...; "" when only /dev shows it. */
  readonly class: string;
  /** The class device's own name: accel0, renderD128 */
  readonly name: string;
  /** sysfs path of the device behind (class link `device`, resolved): /sys/devices/pci0000:00/0000:00:02.0. Absent for virtual ones. */
  readonly device: Reading<string>;
  readonly major: Reading<number>;
  readonly minor: Reading<number>;
  /** Of the node in /dev; absent when the kernel knows the device and /dev has no node for it (a container, no udev). */
  readonly stat: Reading<Stat>;
  readonly group: Reading<string>;
  readonly owner: Reading<string>;
  readonly access: Reading<Access>;
}

export interface Access {
  readonly opens: boolean;
  /** Why or why not, in words: "mode 0660 root:render, user is in render". */
  readonly because: string;
  /** The group that would let this user in, when joining one would. */
  readonly join?: string;
}

/** Every node of the classes and name patterns below, sorted by path. `patterns` are globs from the catalogue: /dev/apex_* */
export function readNodes(root: Root, patterns: readonly string[]): Reading<readonly DeviceNode[]> {
  void root;
  void patterns;
  throw new Error("facts/nodes");
}
