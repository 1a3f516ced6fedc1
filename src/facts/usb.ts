/** USB devices (not interfaces) as the kernel lists them. Documentation/ABI/stable/sysfs-bus-usb */

import { absent, chain, firstRead, malformed, map, parseInteger, read, type Reading } from "../base/reading.ts";
import type { Root } from "../root/root.ts";
import { lazyFields } from "./lazy.ts";
import { listDevices, readAttribute, readDriver, readUevent, ueventValue, type Uevent } from "./sysfs.ts";

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
  readonly interfaces: readonly UsbInterface[];
  /** /dev/bus/usb/BBB/DDD; absent when the kernel has the device and /dev lacks the node (a container). */
  readonly node: Reading<string>;
}

export interface UsbInterface {
  readonly name: string;
  readonly class: number;
  readonly subclass: number;
  readonly protocol: number;
  readonly driver: Reading<string>;
}

const DEVICES = "/sys/bus/usb/devices";
const DEVICE = /^[0-9]{1,4}-[0-9]{1,3}(\.[0-9]{1,3}){0,6}$/;

/** Every USB device below the root hubs, sorted by name. Absent when the machine has no USB. */
export function readUsb(root: Root): Reading<readonly UsbDevice[]> {
  return map(listDevices(root, DEVICES), (names) => {
    const interfaces = new Map<string, string[]>();
    for (const name of names) {
      const colon = name.indexOf(":");
      if (colon < 0) continue;
      const device = name.slice(0, colon);
      const siblings = interfaces.get(device);
      if (siblings === undefined) interfaces.set(device, [name]);
      else siblings.push(name);
    }
    return names
      .filter((name) => DEVICE.test(name))
      .map((name) => readDevice(root, name, interfaces.get(name) ?? []))
      .filter((device) => device !== undefined);
  });
}

interface Context {
  readonly root: Root;
  readonly path: string;
  readonly uevent: Reading<Uevent>;
  readonly interfaces: readonly string[];
}

// A device whose ids nobody can tell is left out: unlike a PCI function it has no class that would say more.
function readDevice(root: Root, name: string, interfaces: readonly string[]): UsbDevice | undefined {
  const path = `${DEVICES}/${name}`;
  const uevent = readUevent(root, path);
  const context: Context = { root, path, uevent, interfaces };
  const product = ueventValue(uevent, "PRODUCT");
  const spelled = product.state === "read" ? product.value.split("/") : [];
  const vendor = parseId(spelled[0]) ?? parseId(text(context, "idVendor"));
  const id = parseId(spelled[1]) ?? parseId(text(context, "idProduct"));
  return vendor === undefined || id === undefined ? undefined : usbDevice(context, { name, path, vendor, product: id });
}

const usbDevice = lazyFields<Context, Omit<UsbDevice, "name" | "path" | "vendor" | "product">>({
  busNumber: (c) => readNumber(c, "busnum", "BUSNUM"),
  deviceNumber: (c) => readNumber(c, "devnum", "DEVNUM"),
  speed: (c) => chain(attribute(c, "speed"), parseSpeed),
  maxPowerMilliamps: (c) => chain(attribute(c, "bMaxPower"), parsePower),
  manufacturer: (c) => attribute(c, "manufacturer"),
  product_name: (c) => attribute(c, "product"),
  driver: (c) => readDriver(c.root, c.path, c.uevent),
  interfaces: (c) => c.interfaces.map((name) => readInterface(c.root, name)).filter((one) => one !== undefined),
  node: readNode,
});

const attribute = (c: Context, name: string): Reading<string> => readAttribute(c.root, `${c.path}/${name}`);

function text(c: Context, name: string): string | undefined {
  const value = attribute(c, name);
  return value.state === "read" ? value.value : undefined;
}

function parseId(digits: string | undefined): number | undefined {
  return digits !== undefined && /^[0-9a-f]{1,4}$/i.test(digits) ? parseInt(digits, 16) : undefined;
}

function readNumber(c: Context, name: string, key: string): Reading<number> {
  return parseInteger(firstRead([ueventValue(c.uevent, key), attribute(c, name)], c.path));
}

// Megabits: "1.5", "480", "20000"; "unknown" before the first reset.
function parseSpeed(megabits: string, from: string): Reading<number> {
  return /^[0-9]{1,6}(\.[0-9])?$/.test(megabits)
    ? read(Number(megabits) * 1e6, from)
    : malformed(from, `says ${megabits.slice(0, 40)}`);
}

function parsePower(text: string, from: string): Reading<number> {
  const milliamps = /^([0-9]{1,5})mA$/.exec(text)?.[1];
  return milliamps === undefined ? malformed(from, `says ${text.slice(0, 40)}`) : read(Number(milliamps), from);
}

function readInterface(root: Root, name: string): UsbInterface | undefined {
  const path = `${DEVICES}/${name}`;
  const uevent = readUevent(root, path);
  const driver = readDriver(root, path, uevent);
  const spelled = ueventValue(uevent, "INTERFACE");
  const numbers =
    spelled.state === "read"
      ? spelled.value.split("/").map(Number)
      : ["bInterfaceClass", "bInterfaceSubClass", "bInterfaceProtocol"].map((attribute) => {
          const value = readAttribute(root, `${path}/${attribute}`);
          return value.state === "read" ? parseInt(value.value, 16) : NaN;
        });
  const [base = NaN, subclass = NaN, protocol = NaN] = numbers;
  if (![base, subclass, protocol].every((n) => Number.isInteger(n) && n >= 0 && n <= 255)) return undefined;
  return { name, class: base, subclass, protocol, driver };
}

function readNode(c: Context): Reading<string> {
  const name = ueventValue(c.uevent, "DEVNAME");
  const path = chain(name, (value, from) =>
    /^bus\/usb\/[0-9]{3}\/[0-9]{3}$/.test(value)
      ? read(`/dev/${value}`, from)
      : malformed(from, "DEVNAME is no USB node"),
  );
  const [bus, device] = [readNumber(c, "busnum", "BUSNUM"), readNumber(c, "devnum", "DEVNUM")];
  const composed: Reading<string> =
    path.state === "read" || bus.state !== "read" || device.state !== "read"
      ? path
      : read(`/dev/bus/usb/${threeDigits(bus.value)}/${threeDigits(device.value)}`, bus.from);
  return chain(composed, (node, from) =>
    c.root.stat(node).state === "absent"
      ? absent(node, "the kernel has the device, /dev has no node for it")
      : read(node, from),
  );
}

const threeDigits = (n: number): string => String(n).padStart(3, "0");
