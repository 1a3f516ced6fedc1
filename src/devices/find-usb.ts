/** Accelerators on USB, by vendor and product. A stick may change its ids after its first use. */

import { uncaptured, valueOf } from "../base/reading.ts";
import type { Facts } from "../facts/facts.ts";
import type { UsbDevice } from "../facts/usb.ts";
import { matchUsb, type Matched } from "../families/match.ts";
import type { Device } from "./device.ts";
import { becauseOfMatch, hex, nameOf } from "./name.ts";

export function findUsbDevices(facts: Facts): Device[] {
  const out: Device[] = [];
  for (const usb of valueOf(facts.usb) ?? []) {
    const matched = matchUsb(usb.vendor, usb.product);
    if (matched) out.push(usbDevice(facts, usb, matched));
  }
  return out;
}

function usbDevice(facts: Facts, usb: UsbDevice, matched: Matched): Device {
  const id = `${hex(usb.vendor, 4)}:${hex(usb.product, 4)}`;
  const phase = matched.match.bus === "usb" ? matched.match.phase : undefined;
  return {
    id: `usb:${usb.name}`,
    family: matched.family,
    chip: matched.chip,
    name: nameOf(matched),
    bus: "usb",
    address: usb.name,
    ids: { usb: id, ...(phase === undefined ? {} : { phase }) },
    modalias: uncaptured(`${usb.path}/modalias`),
    driver: usb.driver,
    nodes: [],
    parts: [],
    virtualFunctions: 0,
    enabled: true,
    because: becauseOfMatch(matched, id),
    paths: () => [valueOf(facts.root.real(usb.path)) ?? usb.path],
    usb,
  };
}
