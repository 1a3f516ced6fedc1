/** Layer silicon: is the chip there, switched on, and fully on its bus? */

import type { Finding, Layer } from "../base/finding.ts";
import { valueOf } from "../base/reading.ts";
import type { Device } from "../devices/device.ts";
import { seen } from "./context.ts";

export function judgeSilicon(device: Device): Layer {
  const is = device.chip?.name ?? device.name;
  const base = { name: "silicon", is, openness: "closed" } as const;
  if (!device.enabled) {
    return {
      ...base,
      status: "faulty",
      evidence: [device.because, seen(`/sys/firmware/devicetree/base${device.ofNode ?? ""}/status`, "disabled")],
    };
  }
  const bars = device.pci && valueOf(device.pci.bars);
  const unassigned = bars?.filter((bar) => bar.unassigned) ?? [];
  if (unassigned.length > 0) {
    const list = unassigned.map((bar) => `BAR ${bar.index}`).join(", ");
    return {
      ...base,
      status: "faulty",
      evidence: [device.because, seen(`${device.pci?.path ?? ""}/resource`, `${list} has no address`)],
    };
  }
  return { ...base, status: "ok", evidence: [device.because] };
}

export function findSilicon(device: Device, layer: Layer): Finding[] {
  const out: Finding[] = [];
  if (!device.enabled) {
    out.push({
      rule: "silicon/off-in-device-tree",
      severity: "warning",
      device: device.id,
      says: `${device.name} is switched off in the device tree (${device.ofNode ?? device.address})`,
      evidence: layer.evidence,
      remedy: {
        says: `set status = "okay" on ${device.ofNode ?? "the node"}, in the board's device tree or by an overlay; see accelctl board`,
      },
    });
  } else if (layer.status === "faulty") {
    out.push({
      rule: "silicon/unassigned-memory",
      severity: "error",
      device: device.id,
      says: `${device.name} has memory regions without an address: firmware or kernel gave it no room, so no driver can use it`,
      evidence: layer.evidence,
      remedy: {
        says: "enable Above 4G Decoding in the firmware setup, or boot with pci=realloc; behind Thunderbolt pci=hpbussize/hpmmioprefsize give room",
        links: ["https://www.kernel.org/doc/html/latest/admin-guide/kernel-parameters.html"],
      },
    });
  }
  const link = device.pci?.link;
  const width = link && valueOf(link.width);
  const maxWidth = link && valueOf(link.maxWidth);
  // Width 0 means the link is down (powered off); a sleeping link is no finding.
  if (width !== undefined && maxWidth !== undefined && width > 0 && width < maxWidth) {
    out.push({
      rule: "silicon/narrow-link",
      severity: "note",
      device: device.id,
      says: `${device.name} uses ${width} of the ${maxWidth} PCI lanes it has`,
      evidence: [seen(`${device.pci?.path ?? ""}/current_link_width`, String(width))],
      remedy: { says: "a slot or adapter with more lanes is faster, where model transfer matters" },
    });
  }
  return out;
}
