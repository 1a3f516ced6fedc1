/** Device: one accelerator of this machine, whatever bus it is on, with everything by which others name it. */

import type { Evidence } from "../base/finding.ts";
import type { Reading } from "../base/reading.ts";
import type { DeviceNode } from "../facts/nodes.ts";
import type { PciFunction } from "../facts/pci.ts";
import type { UsbDevice } from "../facts/usb.ts";
import type { Chip, Family } from "../families/family.ts";

export type Bus = "pci" | "usb" | "platform" | "cpu" | "virtual";

export interface Device {
  /** `<bus>:<address>`: unique on a machine and stable while the hardware stays where it is. */
  readonly id: string;
  /** Absent: no family of the catalogue claims it ("unrecognised"). */
  readonly family?: Family;
  readonly chip?: Chip;
  /** For people: the chip's name, or what the bus says. */
  readonly name: string;
  readonly bus: Bus;
  /** The kernel's own: 0000:00:03.0, 1-1, fdab0000.npu */
  readonly address: string;
  /** Ids as the bus gives them: vendor, device, class, revision, subsystem, usb, compatible. */
  readonly ids: Readonly<Record<string, string>>;
  readonly modalias: Reading<string>;
  /** Name of the bound driver; absent when none is. */
  readonly driver: Reading<string>;
  readonly nodes: readonly DeviceNode[];
  /** Addresses of all parts when one accelerator is several bus devices (rocket's cores, an Alveo's two functions). */
  readonly parts: readonly string[];
  /** Number of enabled SR-IOV virtual functions. */
  readonly virtualFunctions: number;
  /** False when the device tree switches it off: the silicon is there and the kernel makes no device of it. */
  readonly enabled: boolean;
  /** Why we say that it is this: the id that matched and where it is written. */
  readonly because: Evidence;
  /** sysfs paths of the device and its parts, links resolved. Asked only when something must be joined to it. */
  readonly paths: () => readonly string[];
  /** Node of the device tree, when there is one. */
  readonly ofNode?: string;
  readonly pci?: PciFunction;
  readonly usb?: UsbDevice;
}
