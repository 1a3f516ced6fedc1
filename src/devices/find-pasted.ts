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
import { familyOfDriver, globMatches, knownDrivers } from "../families/match.ts";
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
  for (const { family, shown, from } of remoteImages(facts)) {
    if (!has(family)) out.push(pasted(family, undefined, shown, from, uncaptured(from), []));
  }
  for (const { word, from } of socWords(facts)) {
    // "rk3588" in a kernel's name: the SoC is there, and its NPU with it.
    for (const { family, chip } of [...chipsOfSoc(word), ...chipsNamed(word)]) {
      if (has(family)) continue;
      out.push(pasted(family, chip, word, from, uncaptured("/sys/bus/platform/devices"), nodesOf(facts, family)));
    }
  }
  return out;
}

/** Drivers the text shows at work: bound somewhere, or with a directory of their own in debugfs. A loaded module alone proves no hardware. */
function* unplacedDrivers(facts: Facts): Generator<{ name: string; path: string }> {
  for (const name of knownDrivers()) {
    const places = [
      `/sys/bus/pci/drivers/${name}`,
      `/sys/bus/platform/drivers/${name}`,
      `/sys/kernel/debug/${name}/version`,
    ];
    const path = places.find((place) => facts.root.stat(place).state === "read");
    if (path !== undefined) yield { name, path };
  }
}

/** A remote processor that asks for an image only an accelerator has: cdsp.mbn. */
function* remoteImages(facts: Facts): Generator<{ family: Family; shown: string; from: string }> {
  const remotes = valueOf(facts.remoteprocs) ?? [];
  if (remotes.length === 0) return;
  for (const family of allFamilies()) {
    const images = family.routes.flatMap((route) => (route.firmware?.files ?? []).map((file) => lastPart(file.path)));
    for (const remote of remotes) {
      const image = valueOf(remote.firmware)?.trim();
      if (image === undefined || !images.includes(lastPart(image))) continue;
      yield { family, shown: valueOf(remote.label)?.trim() ?? remote.name, from: `${remote.path}/firmware` };
    }
  }
}

const lastPart = (path: string): string => path.slice(path.lastIndexOf("/") + 1);

/** Words that name the SoC: the board's compatibles, its model, the name a vendor gave its kernel (5.4.217-bm1684). */
function* socWords(facts: Facts): Generator<{ word: string; from: string }> {
  const tree = "/sys/firmware/devicetree/base";
  for (const word of (valueOf(facts.root.text(`${tree}/compatible`)) ?? "").split("\0")) {
    if (word !== "") yield { word, from: `${tree}/compatible` };
  }
  const named: readonly [string, string | undefined][] = [
    [`${tree}/model`, valueOf(facts.root.text(`${tree}/model`))],
    ["/proc/sys/kernel/osrelease", facts.release],
  ];
  for (const [from, text] of named) {
    for (const word of (text ?? "").toLowerCase().split(/[^a-z0-9]+/)) {
      // Letters, then digits: rk3588, bm1684; not "6", "edge" or "g18c6a7c".
      if (/^[a-z]{1,4}\d{3,5}[a-z]{0,2}$/.test(word)) yield { word, from };
    }
  }
}

function chipsNamed(word: string): readonly { readonly family: Family; readonly chip: Chip }[] {
  return allFamilies().flatMap((family) =>
    family.chips
      .filter(
        (chip) =>
          chip.id === word ||
          chip.name
            .toLowerCase()
            .split(/[^a-z0-9]+/)
            .includes(word),
      )
      .map((chip) => ({ family, chip })),
  );
}

const socChip = (facts: Facts, family: Family): Chip | undefined => {
  for (const { word } of socWords(facts)) {
    const known = [...chipsOfSoc(word), ...chipsNamed(word)].find((one) => one.family.id === family.id);
    if (known) return known.chip;
  }
  return undefined;
};

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
    bus: /^[0-9a-f]{5,}\./.test(shown) ? "platform" : "virtual",
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
