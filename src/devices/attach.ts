/** Gives each device the nodes it answers on: by the sysfs device behind a node, by facade, by IOMMU group, or by name. */

import { valueOf } from "../base/reading.ts";
import type { Facts } from "../facts/facts.ts";
import type { DeviceNode } from "../facts/nodes.ts";
import { globMatches } from "../families/match.ts";
import type { Device } from "./device.ts";

export function attachNodes(facts: Facts, devices: readonly Device[]): readonly Device[] {
  const nodes = valueOf(facts.nodes) ?? [];
  if (nodes.length === 0) return devices;
  const owned = new Map<Device, DeviceNode[]>();
  const located = devices.map((device) => ({ device, paths: device.paths() }));
  for (const node of nodes) {
    for (const device of ownersOf(node, devices, located)) {
      const list = owned.get(device);
      if (list) list.push(node);
      else owned.set(device, [node]);
    }
  }
  return devices.map((device) => {
    const own = owned.get(device);
    return own ? { ...device, nodes: own } : device;
  });
}

function ownersOf(
  node: DeviceNode,
  devices: readonly Device[],
  located: readonly { readonly device: Device; readonly paths: readonly string[] }[],
): readonly Device[] {
  // usbfs: what libusb opens is the bus's node of the stick, not a node of its own (review/node.ts looks at it).
  if (node.path.startsWith("/dev/bus/usb/")) return [];
  if (node.path.startsWith("/dev/vfio/")) return devices.filter((device) => isVfioOf(node, device));
  const behind = valueOf(node.device);
  if (behind !== undefined) {
    const owner = located.find(
      ({ device, paths }) =>
        paths.some((path) => behind === path || behind.startsWith(`${path}/`)) && fits(node, device),
    );
    if (owner) return [owner.device];
    const facade = behind.slice(behind.lastIndexOf("/") + 1).replace(/\.\d+$/, "");
    return devices.filter(
      (device) =>
        device.family?.routes.some(
          (route) => route.node?.facade === facade && binds(device, route.driver) && fits(node, device),
        ) ?? false,
    );
  }
  // A node with no device behind it (a misc device, or a dump that shows /dev alone) belongs to whom its name says.
  const claimants = devices.filter((device) =>
    (device.family?.routes ?? []).some((route) =>
      (route.node?.paths ?? []).some((path) => globMatches(path, node.path)),
    ),
  );
  const named = claimants.filter((device) => isOwnName(node, device));
  return named.length === 1 || isShared(node)
    ? named.slice(0, isShared(node) ? undefined : 1)
    : pickByOrder(node, named);
}

function binds(device: Device, driver: { readonly module?: string; readonly binds?: readonly string[] }): boolean {
  const bound = valueOf(device.driver);
  return bound !== undefined && (driver.binds ?? [driver.module]).includes(bound);
}

/** Is this kind of node one of the family's? A GPU's display card node is not how models run on it. */
function fits(node: DeviceNode, device: Device): boolean {
  if (node.class === "accel") return true;
  return (device.family?.routes ?? []).some((route) =>
    (route.node?.paths ?? []).some((path) => globMatches(path, node.path)),
  );
}

/** Only the class of a route may name a node that several families' patterns cover (renderD*, accel*). */
function isOwnName(node: DeviceNode, device: Device): boolean {
  if (node.class === "drm" || node.class === "accel") return false;
  if (/^\/dev\/(dri|accel)\//.test(node.path)) return false;
  return (device.family?.routes ?? []).some((route) =>
    (route.node?.paths ?? []).some((path) => globMatches(path, node.path)),
  );
}

/** No number at its end: one node for all devices of the driver (/dev/galcore). */
function isShared(node: DeviceNode): boolean {
  return !/\d$/.test(node.path);
}

/** /dev/x0, /dev/x1 ... and as many devices: the kernel numbers in the order of probing, which is the order of addresses. */
function pickByOrder(node: DeviceNode, devices: readonly Device[]): readonly Device[] {
  const bound = devices.filter((device) => device.driver.state === "read");
  const candidates = bound.length > 0 ? bound : devices;
  const index = Number(/(\d+)$/.exec(node.path)?.[1] ?? "0");
  const device = candidates[index] ?? (candidates.length === 1 ? candidates[0] : undefined);
  return device ? [device] : [];
}

function isVfioOf(node: DeviceNode, device: Device): boolean {
  const group = device.pci && valueOf(device.pci.iommuGroup);
  if (group === undefined || node.path !== `/dev/vfio/${group}`) return false;
  return (device.family?.routes ?? []).some((route) => route.node?.paths.some((path) => globMatches(path, node.path)));
}
