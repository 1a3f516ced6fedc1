/**
 * The device tree the kernel runs on: /sys/firmware/devicetree/base, a directory per node and a file per property (big endian).
 * Documentation/ABI/testing/sysfs-firmware-ofw, Devicetree Specification 0.4
 */

import type { Reading } from "../base/reading.ts";
import type { Root } from "../root/root.ts";

export interface TreeNode {
  /** Full path in the tree: /soc@0/npu@38500000 */
  readonly path: string;
  /** Node name without unit address. */
  readonly name: string;
  readonly compatible: readonly string[];
  /** "okay" when the property is not there, as the specification says. */
  readonly status: string;
  /** False when this node or any above it is not okay: no device is made of it. */
  readonly enabled: boolean;
  readonly label: Reading<string>;
  /** The name the kernel would give its platform device (address translated through ranges): 38500000.npu */
  readonly deviceName: string;
}

export interface DeviceTree {
  readonly model: Reading<string>;
  /** Of the root node, most specific first. */
  readonly compatible: readonly string[];
  /** Nodes that have a compatible, in the tree's order. */
  readonly nodes: readonly TreeNode[];
}

/** Absent on machines without a device tree (most x86). */
export function readDeviceTree(root: Root): Reading<DeviceTree> {
  void root;
  throw new Error("facts/devicetree");
}
