/**
 * What a pasted text proves of accelerators beyond its devices: a driver bound it does not say where, a node in /dev, a board whose
 * SoC holds an NPU. Each becomes a device without an address, named by what shows it. Only for pastes: a machine that was looked at
 * has its devices on a bus.
 */

import { absent, read, uncaptured, valueOf, type Reading } from "../base/reading.ts";
import type { Facts } from "../facts/facts.ts";
import type { DeviceNode } from "../facts/nodes.ts";
import type { Chip, Family } from "../families/family.ts";
import { allFamilies } from "../families/load.ts";
import { familyOfDriver, globMatches } from "../families/match.ts";
import { chipsOfSoc } from "./board.ts";
import type { Device } from "./device.ts";
import { chipOfDriver, kinName, nameOf } from "./name.ts";

export function findPasted(facts: Facts, placed: readonly Device[]): Device[] {
  if (facts.root.kind !== "paste") return [];
  const out: Device[] = [];
  const has = (family: Family): boolean => [...placed, ...out].some((device) => device.family?.id === family.id);
  for (const { name, path } of unplacedDrivers(facts)) {
    const family = familyOfDriver(name);
    if (family && !has(family)) {
      const chip = socChip(facts, family) ?? chipOfDriver(family, name);
      out.push(pasted(family, chip, `driver ${name}`, path, read(name, path), nodesOf(facts, family)));
    }
  }
  for (const node of valueOf(facts.nodes) ?? []) {
    const family = familyOfNode(node);
    if (family && !has(family)) {
      out.push(pasted(family, undefined, node.path, node.path, uncaptured(node.path), [node]));
    }
  }
  for (const word of valueOf(facts.deviceTree)?.compatible ?? []) {
    for (const { family, chip } of chipsOfSoc(word)) {
      if (has(family)) continue;
      const from = "/sys/firmware/devicetree/base/compatible";
      out.push(pasted(family, chip, word, from, uncaptured("/sys/bus/platform/devices"), nodesOf(facts, family)));
    }
  }
  return out;
}

function* unplacedDrivers(facts: Facts): Generator<{ name: string; path: string }> {
  for (const bus of ["pci", "platform"]) {
    const directory = `/sys/bus/${bus}/drivers`;
    for (const name of valueOf(facts.root.list(directory)) ?? []) yield { name, path: `${directory}/${name}` };
  }
}

const socChip = (facts: Facts, family: Family): Chip | undefined =>
  valueOf(facts.deviceTree)
    ?.compatible.flatMap((word) => chipsOfSoc(word))
    .find((known) => known.family.id === family.id)?.chip;

/** A node whose name is one family's own; accel0 and renderD128 are anybody's. */
function familyOfNode(node: DeviceNode): Family | undefined {
  if (/^\/dev\/(accel|dri|vfio|bus)\//.test(node.path)) return undefined;
  const owners = allFamilies().filter((family) => ownPaths(family).some((path) => globMatches(path, node.path)));
  return owners.length === 1 ? owners[0] : undefined;
}

const ownPaths = (family: Family): readonly string[] =>
  family.routes.flatMap((route) =>
    (route.node?.paths ?? []).filter((path) => !/^\/dev\/(accel|dri|vfio|bus)\//.test(path)),
  );

function nodesOf(facts: Facts, family: Family): readonly DeviceNode[] {
  return (valueOf(facts.nodes) ?? []).filter((node) => ownPaths(family).some((path) => globMatches(path, node.path)));
}

function pasted(
  family: Family,
  chip: Chip | undefined,
  shown: string,
  from: string,
  driver: Reading<string>,
  nodes: readonly DeviceNode[],
): Device {
  return {
    id: `virtual:${family.id}`,
    family,
    ...(chip ? { chip } : {}),
    name: chip ? nameOf({ family, chip }) : kinName(family, shown),
    bus: "virtual",
    address: shown.replace(/^driver /, ""),
    ids: {},
    modalias: absent(from, "the text gives no address"),
    driver,
    nodes,
    parts: [],
    virtualFunctions: 0,
    enabled: true,
    because: { seen: from, says: shown },
    paths: () => [],
  };
}
