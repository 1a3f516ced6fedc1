/**
 * USB devices out of lsusb (plain, -t, -v), usb-devices and Synology's `lsusb -ciue`. lsusb(8), usb-devices(1)
 *
 * Plain lsusb gives bus and device number and not the port the kernel names a device by. Such a device is called BUS-0.NUMBER here:
 * there is no port 0, so the name can be no other's and says that the port is unknown.
 */

import type { PastedMachine, PastedUsb } from "./paste-machine.ts";

export class UsbReader {
  readonly #machine: PastedMachine;
  /** Plain lsusb lines by "bus:device", in the text's order. */
  readonly #listed = new Map<string, PastedUsb>();
  /** Kernel name by "bus:device", from lsusb -t or usb-devices. */
  readonly #names = new Map<string, string>();
  readonly #wholeBuses = new Set<number>();
  #tree: { bus: number; ports: string[] } | undefined;
  #current: PastedUsb | undefined;
  #ciue: string | undefined;
  #ports: { bus: number; level: number; parent: number; port: number; device: number; speed: string } | undefined;
  readonly #interfaces = new Map<string, { class: string; driver?: string | null }[]>();

  constructor(machine: PastedMachine) {
    this.#machine = machine;
  }

  line(text: string): boolean {
    return (
      this.#plain(text) || this.#treeLine(text) || this.#usbDevices(text) || this.#ciueLine(text) || this.#verbose(text)
    );
  }

  end(): void {
    this.#current = undefined;
    this.#tree = undefined;
    this.#ciue = undefined;
  }

  finish(): void {
    for (const one of this.#withoutFormerSelves()) {
      const key = `${one.bus ?? 0}:${one.device ?? 0}`;
      const name = this.#names.get(key) ?? `${one.bus ?? 0}-0.${one.device ?? 0}`;
      for (const [i, found] of (this.#interfaces.get(key) ?? []).entries()) one.interfaces.set(`${name}:1.${i}`, found);
      this.#machine.usb.set(name, one);
    }
  }

  // A Coral changes its id when its firmware is uploaded, and takes the next number on its bus. Excerpts show it twice.
  #withoutFormerSelves(): PastedUsb[] {
    const all = [...this.#listed.values()];
    return all.filter((one) => {
      if (one.vendor !== "1a6e" || one.product !== "089a" || this.#wholeBuses.has(one.bus ?? 0)) return true;
      return !all.some(
        (later) =>
          later.vendor === "18d1" &&
          later.product === "9302" &&
          later.bus === one.bus &&
          (later.device ?? 0) > (one.device ?? 0),
      );
    });
  }

  #plain(text: string): boolean {
    const found = /^\s*Bus (\d{1,3}) Device (\d{1,3}): ID ([0-9a-f]{4}):([0-9a-f]{4})\s*(.*)$/i.exec(text);
    if (found === null) return false;
    this.#machine.usbAsked = true;
    const [, bus = "", device = "", vendor = "", product = "", label = ""] = found;
    // Root hubs are not devices of a bus; where they stand the list of that bus is whole.
    if (vendor.toLowerCase() === "1d6b" && Number(device) === 1) {
      this.#wholeBuses.add(Number(bus));
      this.#current = undefined;
      return true;
    }
    const one: PastedUsb = {
      vendor: vendor.toLowerCase(),
      product: product.toLowerCase(),
      bus: Number(bus),
      device: Number(device),
      interfaces: new Map(),
      ...(label.trim() === "" ? {} : { label: label.trim() }),
    };
    if (this.#listed.size < LIMIT) this.#listed.set(`${one.bus ?? 0}:${one.device ?? 0}`, one);
    this.#current = one;
    return true;
  }

  // lsusb -t:  /:  Bus 02.Port 1: Dev 1, Class=root_hub, ...   |__ Port 1: Dev 2, If 0, Class=..., Driver=..., 5000M
  #treeLine(text: string): boolean {
    const root = /^\s*\/:\s+Bus (\d{1,3})\.Port \d{1,3}: Dev \d{1,3}, Class=root_hub/i.exec(text);
    if (root !== null) {
      this.#machine.usbAsked = true;
      this.#tree = { bus: Number(root[1]), ports: [] };
      return true;
    }
    const branch =
      /^(\s*)\|__ Port (\d{1,3}): Dev (\d{1,3}), If \d{1,3}, Class=[^,]{1,60}, Driver=[^,]{0,60}, (\S{1,12})M\s*$/i.exec(
        text,
      );
    if (branch === null || this.#tree === undefined)
      return /^\s*ID [0-9a-f]{4}:[0-9a-f]{4}/.test(text) && this.#tree !== undefined;
    const [, indent = "", port = "", device = "", speed = ""] = branch;
    const level = Math.max(0, Math.round((indent.length - 4) / 4));
    const ports = [...this.#tree.ports.slice(0, level), String(Number(port))];
    this.#tree.ports = ports;
    const key = `${this.#tree.bus}:${Number(device)}`;
    this.#names.set(key, `${this.#tree.bus}-${ports.join(".")}`);
    const listed = this.#listed.get(key);
    if (listed !== undefined) listed.speed = speed;
    return true;
  }

  // usb-devices:  T:  Bus=02 Lev=01 Prnt=01 Port=00 Cnt=01 Dev#=  2 Spd=5000 MxCh= 0     ports count from 0 there
  #usbDevices(text: string): boolean {
    const topology =
      /^T:\s+Bus=\s*(\d{1,3}) Lev=\s*(\d{1,2}) Prnt=\s*(\d{1,3}) Port=\s*(\d{1,3}) Cnt=\s*\d+ Dev#=\s*(\d{1,3}) Spd=\s*(\S{1,8})/.exec(
        text,
      );
    if (topology !== null) {
      this.#machine.usbAsked = true;
      const [bus = 0, level = 0, parent = 0, port = 0, device = 0] = topology.slice(1, 6).map(Number);
      this.#ports = { bus, level, parent, port, device, speed: topology[6] ?? "" };
      return true;
    }
    const ids = /^P:\s+Vendor=([0-9a-f]{4}) ProdID=([0-9a-f]{4})/i.exec(text);
    const at = this.#ports;
    if (ids !== null && at !== undefined) {
      if (at.level === 0) return true;
      const above = this.#names.get(`${at.bus}:${at.parent}`);
      const name = at.level === 1 || above === undefined ? `${at.bus}-${at.port + 1}` : `${above}.${at.port + 1}`;
      this.#names.set(`${at.bus}:${at.device}`, name);
      const one: PastedUsb = {
        vendor: (ids[1] ?? "").toLowerCase(),
        product: (ids[2] ?? "").toLowerCase(),
        bus: at.bus,
        device: at.device,
        speed: at.speed,
        interfaces: new Map(),
      };
      if (this.#listed.size < LIMIT) this.#listed.set(`${at.bus}:${at.device}`, one);
      this.#current = one;
      return true;
    }
    const interfaceLine =
      /^I:\s+If#=\s*\S+ Alt=\s*\d+ #EPs=\s*\d+ Cls=([0-9a-f]{2})\S* Sub=([0-9a-f]{2}) Prot=([0-9a-f]{2}) Driver=(\S*)/i.exec(
        text,
      );
    if (interfaceLine !== null && at !== undefined) {
      const [, base = "", sub = "", protocol = "", driver = ""] = interfaceLine;
      const key = `${at.bus}:${at.device}`;
      const bound = driver === "" || driver === "(none)" ? null : driver;
      this.#interfaces.set(key, [
        ...(this.#interfaces.get(key) ?? []),
        { class: `${base}:${sub}:${protocol}`, driver: bound },
      ]);
      return true;
    }
    return at !== undefined && /^[BDSCE]:\s/.test(text);
  }

  // |__3-4         1a6e:089a:0100 00  3.10 5000MBit/s 896mA 1IF  ( ...)     and     3-4:1.0         (IF) fe:01:02 0EPs ()
  #ciueLine(text: string): boolean {
    const device =
      /^\s*\|__(usb\d+|\d+-[\d.]+)\s+([0-9a-f]{4}):([0-9a-f]{4}):[0-9a-f]{4} \S+\s+\S+\s+([\d.]+)MBit\/s (\d+mA)/i.exec(
        text,
      );
    if (device !== null) {
      const [, name = "", vendor = "", product = "", speed = "", maxPower = ""] = device;
      this.#machine.usbAsked = true;
      this.#ciue = name;
      if (!name.startsWith("usb")) {
        this.#machine.usb.set(name, {
          vendor: vendor.toLowerCase(),
          product: product.toLowerCase(),
          speed,
          maxPower,
          interfaces: new Map(),
        });
      }
      return true;
    }
    const inside = /^\s*(\d+-[\d.]+:\d+\.\d+)\s+\(IF\) ([0-9a-f]{2}:[0-9a-f]{2}:[0-9a-f]{2}) \d+EPs? \(([^)]*)\)/i.exec(
      text,
    );
    if (inside !== null) {
      const [, name = "", triple = "", driver = ""] = inside;
      const owner = this.#machine.usb.get(name.slice(0, name.indexOf(":")));
      owner?.interfaces.set(name, { class: triple, driver: driver.trim() === "" ? null : driver.trim() });
      return true;
    }
    return this.#ciue !== undefined && /^\s*\(EP\)/.test(text);
  }

  #verbose(text: string): boolean {
    const one = this.#current;
    if (one === undefined) return false;
    const power = /^\s+MaxPower\s+(\d{1,5}mA)/.exec(text)?.[1];
    if (power !== undefined) one.maxPower = power;
    return /^\s{2,}(MaxPower|b[A-Z]\w+|id[A-Z]\w+|i[A-Z]\w+|wTotalLength|(Device|Configuration|Interface|Endpoint) Descriptor)/.test(
      text,
    );
  }
}

const LIMIT = 4096;
