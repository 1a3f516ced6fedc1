/**
 * What a board's device tree says about accelerators before anything boots: the nodes a family claims, which drivers would take
 * them and since when, what keeps a node off and what turns it on, and accelerators the SoC holds though the tree has no node.
 */

import { valueOf, type Reading } from "../base/reading.ts";
import { row } from "../base/table.ts";
import type { DeviceTree, TreeNode } from "../facts/devicetree.ts";
import { cellsOf } from "../facts/of.ts";
import type { Chip, DriverSpec, Family, OfMatch, RouteSpec } from "../families/family.ts";
import { allFamilies } from "../families/load.ts";
import { matchOf, type Matched } from "../families/match.ts";
import type { Root } from "../root/root.ts";

export interface Board {
  readonly model: Reading<string>;
  readonly compatible: readonly string[];
  readonly accelerators: readonly BoardAccelerator[];
  readonly expected: readonly Expected[];
}

/** One chip of the catalogue with its nodes: the three cores of an RK3588 are one. */
export interface BoardAccelerator {
  readonly family: Family;
  readonly chip: Chip;
  readonly nodes: readonly BoardNode[];
  readonly drivers: readonly BoardDriver[];
  /** What stands between the tree and a device; undefined when every node is on. */
  readonly off?: Switch;
}

export interface BoardNode {
  readonly path: string;
  /** Name of the platform device the kernel makes of it. */
  readonly address: string;
  readonly compatible: readonly string[];
  readonly status: string;
  /** False also when a node above is off. */
  readonly enabled: boolean;
}

export interface BoardDriver {
  readonly route: RouteSpec;
  readonly driver: DriverSpec;
}

export interface Switch {
  /** Nodes to be set to okay, in this order: those above, those it depends on, the node. */
  readonly nodes: readonly string[];
  /** Properties the node's binding requires and the tree does not give: only the board's maker knows their values. */
  readonly missing: readonly { readonly node: string; readonly property: string; readonly binding: string }[];
  /** The node's compatible is shared by several cores and the catalogue does not know this SoC: it may be off for lack of the silicon. */
  readonly doubtful: boolean;
  /** Source of an overlay that does it. */
  readonly overlay: string;
}

/** The SoC has it, and this tree has no node a driver could take. */
export interface Expected {
  readonly family: Family;
  readonly chip: Chip;
  /** A compatible of the board, or the path of a node that only hints. */
  readonly because: string;
  readonly drivers: readonly BoardDriver[];
}

/** Supplies that a mainline binding requires and boards that leave the node off leave out as well. */
const REQUIRED: Readonly<Record<string, { readonly properties: readonly string[]; readonly binding: string }>> = {
  "rockchip,rk3588-rknn-core": {
    properties: ["npu-supply", "sram-supply"],
    binding: "Documentation/devicetree/bindings/npu/rockchip,rk3588-rknn-core.yaml",
  },
};

export function readBoard(root: Root, tree: DeviceTree): Board {
  const claimed = claimedNodes(tree);
  const groups = new Map<Chip, { readonly matched: Matched<OfMatch>; readonly nodes: TreeNode[] }>();
  for (const { node, matched } of claimed) {
    const group = groups.get(matched.chip);
    if (group) group.nodes.push(node);
    else groups.set(matched.chip, { matched, nodes: [node] });
  }
  const accelerators = [...groups.values()].map(({ matched: { family, chip, match }, nodes }): BoardAccelerator => {
    const off = switchOf(root, tree, nodes, match.names !== undefined && !isKnownSoc(tree, family));
    const words = nodes.flatMap(({ compatible }) => compatible);
    return {
      family,
      chip,
      nodes: nodes.map(({ path, deviceName, compatible, status, enabled }) => ({
        path,
        address: deviceName,
        compatible,
        status,
        enabled,
      })),
      drivers: driversOf(family, chip, words),
      ...(off === undefined ? {} : { off }),
    };
  });
  return {
    model: tree.model,
    compatible: tree.compatible,
    accelerators,
    expected: expectedOf(tree, new Set(claimed.map(({ matched }) => matched.family))),
  };
}

// Without nodes inside another of the same family: a DSP and the transport below it are one.
function claimedNodes(tree: DeviceTree): { readonly node: TreeNode; readonly matched: Matched<OfMatch> }[] {
  const claimed: { node: TreeNode; matched: Matched<OfMatch> }[] = [];
  for (const node of tree.nodes) {
    const matched = matchOf(node.compatible, node.name);
    if (matched !== undefined && !reachesOtherDsp(node, matched)) claimed.push({ node, matched });
  }
  return claimed.filter(
    ({ node, matched }) =>
      !claimed.some((other) => other.matched.family === matched.family && node.path.startsWith(`${other.node.path}/`)),
  );
}

// FastRPC's label names the processor behind it: sound, modem and sensors have one too, and are no NPU.
function reachesOtherDsp(node: TreeNode, matched: Matched<OfMatch>): boolean {
  return matched.chip.id === "fastrpc" && !(valueOf(node.label) ?? "cdsp").startsWith("cdsp");
}

/** Routes whose driver takes a node of these compatibles, one per module. */
function driversOf(family: Family, chip: Chip, compatible: readonly string[] | undefined): readonly BoardDriver[] {
  const byModule = new Map<string, BoardDriver>();
  for (const route of family.routes) {
    const { module, origin, compatibles } = route.driver;
    if (module === undefined || origin === "none" || byModule.has(module)) continue;
    if (route.chips !== undefined && !route.chips.includes(chip.id)) continue;
    if (compatible && compatibles && !compatibles.some((word) => compatible.includes(word))) continue;
    byModule.set(module, { route, driver: route.driver });
  }
  return [...byModule.values()];
}

function switchOf(root: Root, tree: DeviceTree, nodes: readonly TreeNode[], doubtful: boolean): Switch | undefined {
  const off = nodes.filter(({ enabled }) => !enabled);
  if (off.length === 0) return undefined;
  const byPath = new Map(tree.nodes.map((node) => [node.path, node]));
  const paths = new Set<string>();
  const turnOn = (node: TreeNode): void => {
    for (const above of pathsAbove(node.path)) if (isOff(byPath.get(above))) paths.add(above);
    if (isOff(node)) paths.add(node.path);
  };
  const phandles = lazily(() => phandlesOf(root, tree));
  const missing: Switch["missing"][number][] = [];
  for (const node of off) {
    for (const supplier of iommusOf(root, tree, node, phandles)) if (!supplier.enabled) turnOn(supplier);
    turnOn(node);
    for (const word of node.compatible) {
      const required = row(REQUIRED, word);
      for (const property of required?.properties ?? []) {
        const stands = root.stat(`${tree.directory}${node.path}/${property}`).state === "read";
        if (required && !stands) missing.push({ node: node.path, property, binding: required.binding });
      }
    }
  }
  return { nodes: [...paths], missing, doubtful, overlay: overlayOf([...paths]) };
}

const isOff = (node: TreeNode | undefined): boolean =>
  node !== undefined && node.status !== "okay" && node.status !== "ok";

function pathsAbove(path: string): readonly string[] {
  const parts = path.split("/").slice(1, -1);
  return parts.map((_, i) => `/${parts.slice(0, i + 1).join("/")}`);
}

function phandlesOf(root: Root, tree: DeviceTree): ReadonlyMap<number, TreeNode> {
  const found = new Map<number, TreeNode>();
  for (const node of tree.nodes) {
    const handle = cellsOf(root, `${tree.directory}${node.path}/phandle`)?.[0];
    if (handle !== undefined) found.set(handle, node);
  }
  return found;
}

// [phandle, arguments...] per IOMMU; how many arguments the IOMMU's own node says.
function* iommusOf(
  root: Root,
  tree: DeviceTree,
  node: TreeNode,
  phandles: () => ReadonlyMap<number, TreeNode>,
): Generator<TreeNode> {
  const cells = cellsOf(root, `${tree.directory}${node.path}/iommus`) ?? [];
  for (let i = 0; i < cells.length;) {
    const iommu = phandles().get(cells[i] ?? 0);
    if (iommu === undefined) return;
    yield iommu;
    i += 1 + Math.min(cellsOf(root, `${tree.directory}${iommu.path}/#iommu-cells`)?.[0] ?? 0, cells.length);
  }
}

function lazily<T>(make: () => T): () => T {
  let kept: { readonly value: T } | undefined;
  return () => (kept ??= { value: make() }).value;
}

/** By path, so that it works on trees that were built without symbols. Documentation/devicetree/overlay-notes.rst */
function overlayOf(paths: readonly string[]): string {
  const fragments = paths.map((path, i) =>
    [
      `\tfragment@${i} {`,
      `\t\ttarget-path = ${JSON.stringify(path)};`,
      "\t\t__overlay__ {",
      '\t\t\tstatus = "okay";',
      "\t\t};",
      "\t};",
    ].join("\n"),
  );
  return `/dts-v1/;\n/plugin/;\n\n/ {\n${fragments.join("\n\n")}\n};\n`;
}

// The catalogue knows the SoC by a hint (a compatible of the board or of a clock), or names the chip after it: RK3576, Tegra234.
function expectedOf(tree: DeviceTree, found: ReadonlySet<Family>): readonly Expected[] {
  const expected = new Map<Family, Expected>();
  const add = (family: Family, chip: Chip, because: string): void => {
    if (!found.has(family) && !expected.has(family)) {
      expected.set(family, { family, chip, because, drivers: driversOf(family, chip, undefined) });
    }
  };
  for (const word of tree.compatible) for (const { family, chip } of chipsOfSoc(word)) add(family, chip, word);
  for (const node of tree.nodes) {
    const hinted = matchOf(node.compatible, node.name, true);
    if (hinted?.match.hint) add(hinted.family, hinted.chip, node.path);
  }
  return [...expected.values()];
}

function isKnownSoc(tree: DeviceTree, family: Family): boolean {
  return tree.compatible.some((word) => chipsOfSoc(word).some((known) => known.family === family));
}

/** "rockchip,rk3576": chips with a hint of that compatible, and chips of that name whose nodes have compatibles of the same maker. */
export function chipsOfSoc(compatible: string): readonly { readonly family: Family; readonly chip: Chip }[] {
  const hinted = matchOf([compatible], "", true);
  if (hinted?.match.hint) return [hinted];
  const [maker = "", soc = ""] = compatible.toLowerCase().split(",", 2);
  if (!/^[a-z]+[0-9]/.test(soc)) return [];
  return allFamilies().flatMap((family) =>
    family.chips
      .filter(
        (chip) =>
          (chip.id === soc ||
            chip.name
              .toLowerCase()
              .split(/[^a-z0-9]+/)
              .includes(soc)) &&
          chip.matches.some((match) => match.bus === "of" && match.compatible.startsWith(`${maker},`)),
      )
      .map((chip) => ({ family, chip })),
  );
}
