/** USB devices (not interfaces) as the kernel lists them. Documentation/ABI/stable/sysfs-bus-usb */

import type { Reading } from "../base/reading.ts";
import type { Root } from "../root/root.ts";

export interface UsbDevice {
  /** The kernel's name: 1-1, 3-4.2 */
  readonly name: string;
  readonly path: string;
  readonly vendor: number;
  readonly product: number;
  readonly busNumber: Reading<number>;
  readonly deviceNumber: Reading<number>;
  /** Bits per second (480e6, 5e9 ...). */
  readonly speed: Reading<number>;
  readonly maxPowerMilliamps: Reading<number>;
  readonly manufacturer: Reading<string>;
  readonly product_name: Reading<string>;
  readonly driver: Reading<string>;
  /** Class/subclass/protocol and driver of each interface. */
  readonly interfaces: readonly {
    readonly name: string;
    readonly class: number;
    readonly subclass: number;
    readonly protocol: number;
    readonly driver: Reading<string>;
  }[];
  /** /dev/bus/usb/BBB/DDD */
  readonly node: Reading<string>;
}

/** Every USB device below the root hubs, sorted by name. Absent when the machine has no USB. */
export function readUsb(root: Root): Reading<readonly UsbDevice[]> {
  void root;
  throw new Error("facts/usb");
}
