/** PCI functions as the kernel lists them. Documentation/ABI/testing/sysfs-bus-pci */

import type { Reading } from "../base/reading.ts";
import type { Root } from "../root/root.ts";

export interface PciFunction {
  /** The kernel's address, domain included: 0000:00:02.0 */
  readonly slot: string;
  /** /sys/bus/pci/devices/<slot> */
  readonly path: string;
  readonly vendor: number;
  readonly device: number;
  /** 24 bits: base class, subclass, programming interface. */
  readonly class: number;
  readonly revision: Reading<number>;
  readonly subsystemVendor: Reading<number>;
  readonly subsystemDevice: Reading<number>;
  readonly modalias: Reading<string>;
  /** Name of the bound driver; absent when unbound. */
  readonly driver: Reading<string>;
  readonly driverOverride: Reading<string>;
  /** Physical function this one is a virtual function of (SR-IOV). */
  readonly physicalFunction: Reading<string>;
  readonly iommuGroup: Reading<string>;
  readonly numaNode: Reading<number>;
  readonly link: PciLink;
  /** D0, D3hot, D3cold, unknown ... */
  readonly powerState: Reading<string>;
  readonly runtimeStatus: Reading<string>;
  /** False when memory decoding is off (`enable` is 0). */
  readonly enabled: Reading<boolean>;
  /** Sizes of the six standard BARs in bytes, 0 for an unused one; a BAR that has flags and no address is `unassigned`. */
  readonly bars: Reading<readonly { readonly index: number; readonly bytes: number; readonly unassigned: boolean }[]>;
  /** Slot of the function or bridge above, absent on a root bus. */
  readonly parent: Reading<string>;
}

export interface PciLink {
  /** Transfers per second per lane (2.5e9, 5e9 ...). */
  readonly speed: Reading<number>;
  readonly maxSpeed: Reading<number>;
  readonly width: Reading<number>;
  readonly maxWidth: Reading<number>;
}

/** Every PCI function, sorted by slot. Absent when the machine has no PCI bus. */
export function readPci(root: Root): Reading<readonly PciFunction[]> {
  void root;
  throw new Error("facts/pci");
}
