/** Accelerators of the SoC: platform devices and the device-tree nodes they stand for; cores that are one accelerator are one device. */

import { uncaptured, valueOf } from "../base/reading.ts";
import type { TreeNode } from "../facts/devicetree.ts";
import type { Facts } from "../facts/facts.ts";
import type { PlatformDevice } from "../facts/platform.ts";
import type { Match } from "../families/family.ts";
import { familyOfDriver, matchModalias, matchOf, type Matched } from "../families/match.ts";
import { chipsOfSoc } from "./board.ts";
import type { Device } from "./device.ts";
import { becauseOfMatch, chipOfDriver, kinName, nameOf } from "./name.ts";

export function findPlatformDevices(facts: Facts): { devices: Device[]; dormant: Device[] } {
  const tree = matchedTreeNodes(facts);
  const busRead = facts.platform.state === "read" && facts.platform.value.length > 0;
  const devices: Device[] = [];
  const dormant: Device[] = [];
  // Every platform id of the catalogue comes from a device tree; a PC without one has a hundred platform devices to read in vain.
  if (facts.deviceTree.state === "absent" && facts.root.kind !== "paste") return { devices, dormant };
  const seenNodes = new Set<string>();
  for (const device of valueOf(facts.platform) ?? []) {
    const ofNode = valueOf(device.ofNode);
    const nodeName = ofNode === undefined ? deviceNodeName(device.name) : lastName(ofNode);
    const compatible = valueOf(device.compatible) ?? [];
    const modalias = valueOf(device.modalias);
    const matched = matchOf(compatible, nodeName) ?? (modalias === undefined ? undefined : matchModalias(modalias));
    if (!matched) {
      const kin = compatible.length > 0 ? undefined : kinByDriver(facts, device, nodeName);
      if (kin) devices.push(kin);
      continue;
    }
    if (ofNode !== undefined) {
      seenNodes.add(ofNode);
      if (tree.some((other) => other.node.path !== ofNode && ofNode.startsWith(`${other.node.path}/`))) continue;
    }
    devices.push(platformDevice(facts, device, compatible, matched, ofNode));
  }
  for (const { node, matched } of tree) {
    if (seenNodes.has(node.path)) continue;
    const device = treeDevice(node, matched, busRead);
    if (busRead && !node.enabled) dormant.push(device);
    else devices.push(device);
  }
  return { devices: groupParts(devices), dormant: groupParts(dormant) };
}

/** Nodes of the tree that a family claims, without those inside another node of the same family (fastrpc below its DSP). */
function matchedTreeNodes(facts: Facts): { node: TreeNode; matched: Matched }[] {
  const all: { node: TreeNode; matched: Matched }[] = [];
  for (const node of valueOf(facts.deviceTree)?.nodes ?? []) {
    const matched = matchOf(node.compatible, node.name);
    if (matched) all.push({ node, matched });
  }
  return all.filter(
    ({ node, matched }) =>
      !all.some((other) => other.matched.family === matched.family && node.path.startsWith(`${other.node.path}/`)),
  );
}

const lastName = (path: string): string => path.slice(path.lastIndexOf("/") + 1).replace(/@.*$/, "");
/** fdab0000.npu -> npu; remoteproc-cdsp stays. */
const deviceNodeName = (name: string): string => name.replace(/^[0-9a-f]+\./, "");

function platformDevice(
  facts: Facts,
  device: PlatformDevice,
  compatible: readonly string[],
  matched: Matched,
  ofNode: string | undefined,
): Device {
  return {
    id: `platform:${device.name}`,
    family: matched.family,
    chip: matched.chip,
    name: nameOf(matched),
    bus: "platform",
    address: device.name,
    ids: compatible.length > 0 ? { compatible: compatible.join(" ") } : {},
    modalias: device.modalias,
    driver: device.driver,
    nodes: [],
    parts: [],
    virtualFunctions: 0,
    enabled: true,
    because: becauseOf(matched),
    paths: () => [valueOf(facts.root.real(device.path)) ?? device.path],
    ...(ofNode === undefined ? {} : { ofNode }),
  };
}

/**
 * A pasted log names the device and its driver and no compatible. A driver of one family then tells the family; where that family
 * shares its compatible with other cores (vivante,gc), the node's name must agree, as everywhere.
 */
function kinByDriver(facts: Facts, device: PlatformDevice, nodeName: string): Device | undefined {
  const { root } = facts;
  const claimed = root.kind === "paste" ? valueOf(root.text(`${device.path}/claimed_by`))?.trim() : undefined;
  const driver = valueOf(device.driver) ?? claimed;
  const family = driver === undefined ? undefined : familyOfDriver(driver);
  if (!family || driver === undefined) return undefined;
  if (family.routes.some((route) => route.node?.facade === device.name)) return undefined;
  const names = family.chips.flatMap((chip) => chip.matches.flatMap((m) => (m.bus === "of" ? (m.names ?? []) : [])));
  if (names.length > 0 && !names.includes(nodeName)) return undefined;
  const soc = valueOf(facts.deviceTree)?.compatible.flatMap((word) => chipsOfSoc(word)) ?? [];
  const chip = soc.find((known) => known.family.id === family.id)?.chip ?? chipOfDriver(family, driver);
  return {
    id: `platform:${device.name}`,
    family,
    ...(chip ? { chip } : {}),
    name: chip ? nameOf({ family, chip }) : kinName(family, `driver ${driver}`),
    bus: "platform",
    address: device.name,
    ids: {},
    modalias: device.modalias,
    driver: device.driver,
    nodes: [],
    parts: [],
    virtualFunctions: 0,
    enabled: true,
    because: {
      seen: device.driver.state === "read" ? device.driver.from : `${device.path}/claimed_by`,
      says: `driver ${driver}`,
    },
    paths: () => [valueOf(root.real(device.path)) ?? device.path],
  };
}

function treeDevice(node: TreeNode, matched: Matched, busRead: boolean): Device {
  const base = `/sys/firmware/devicetree/base${node.path}`;
  return {
    id: `platform:${node.deviceName}`,
    family: matched.family,
    chip: matched.chip,
    name: nameOf(matched),
    bus: "platform",
    address: node.deviceName,
    ids: { compatible: node.compatible.join(" ") },
    modalias: uncaptured(base),
    driver: busRead
      ? { state: "absent", from: "/sys/bus/platform/devices", why: "the kernel made no device of this node" }
      : uncaptured("/sys/bus/platform/devices"),
    nodes: [],
    parts: [],
    virtualFunctions: 0,
    enabled: node.enabled,
    because: becauseOf(matched),
    paths: () => [],
    ofNode: node.path,
  };
}

function becauseOf(matched: Matched): Device["because"] {
  const match: Match = matched.match;
  const word = match.bus === "of" ? match.compatible : match.bus === "platform" ? match.modalias : "";
  return becauseOfMatch(matched, word);
}

/** Cores that are one accelerator become one device: the first by address, the others its parts. */
function groupParts(devices: readonly Device[]): Device[] {
  const out: Device[] = [];
  const groups = new Map<string, Device[]>();
  for (const device of devices) {
    if (device.chip?.grouped && device.family) {
      const key = `${device.family.id}/${device.chip.id}/${String(device.enabled)}`;
      const group = groups.get(key);
      if (group) group.push(device);
      else groups.set(key, [device]);
    } else out.push(device);
  }
  for (const group of groups.values()) {
    const sorted = [...group].sort((a, b) => (a.address < b.address ? -1 : 1));
    const [first, ...rest] = sorted;
    if (!first) continue;
    if (rest.length === 0) out.push(first);
    else {
      out.push({
        ...first,
        parts: sorted.map((d) => d.address),
        // One bound core is enough for the driver to be "bound"; the driver layer tells how many are.
        driver: sorted.map((d) => d.driver).find((d) => d.state === "read") ?? first.driver,
        paths: () => sorted.flatMap((d) => d.paths()),
      });
    }
  }
  return out.sort((a, b) => (a.address < b.address ? -1 : a.address > b.address ? 1 : 0));
}
