/**
 * The device tree the kernel runs on: /sys/firmware/devicetree/base, a directory per node and a file per property (big endian).
 * Documentation/ABI/testing/sysfs-firmware-ofw, Devicetree Specification 0.4
 */

import { absent, malformed, read, valueOf, type Reading } from "../base/reading.ts";
import type { Root } from "../root/root.ts";
import { lazyFields } from "./lazy.ts";
import { nodeName, platformName, strings, type OfNode } from "./of.ts";
import { readAttribute } from "./sysfs.ts";

export interface TreeNode {
  /** Full path in the tree: /soc@0/npu@38500000 */
  readonly path: string;
  /** Node name without unit address. */
  readonly name: string;
  readonly compatible: readonly string[];
  /** "okay" when the property is not there, as the specification says. */
  readonly status: string;
  /** False when this node or any above it is not okay: no device is made of it. */
  readonly enabled: boolean;
  readonly label: Reading<string>;
  /** The name the kernel would give its platform device (address translated through ranges): 38500000.npu */
  readonly deviceName: string;
}

export interface DeviceTree {
  /** Where its root node stands: /sys/firmware/devicetree/base */
  readonly directory: string;
  readonly model: Reading<string>;
  /** Of the root node, most specific first. */
  readonly compatible: readonly string[];
  /** Nodes that have a compatible, in the tree's order; not those inside graphs and pin groups, which are no devices. */
  readonly nodes: readonly TreeNode[];
}

const PLACES = ["/sys/firmware/devicetree/base", "/proc/device-tree"];

/** Names asked whether they are nodes; the largest tree of Debian 7.3 arm64 (1,531 nodes, 11 levels deep) takes some 1,700. */
const ASK_LIMIT = 50_000;
const DEPTH_LIMIT = 64;

/** Absent on machines without a device tree (most x86). */
export function readDeviceTree(root: Root): Reading<DeviceTree> {
  let refusal: Reading<never> | undefined;
  for (const place of PLACES) {
    const names = root.list(place);
    if (names.state === "read") return readTree(root, place, names.value);
    if (refusal === undefined || refusal.state === "absent") refusal = names;
  }
  return refusal ?? absent("/sys/firmware/devicetree/base");
}

function readTree(root: Root, directory: string, names: readonly string[]): Reading<DeviceTree> {
  const base: OfNode = { root, directory, fullName: "", parent: undefined, names: new Set(names) };
  const walk: Walk = { nodes: [], left: ASK_LIMIT, followsLinks: root.kind !== "live" };
  const problem = descend(walk, base, "", true, 0);
  if (problem !== undefined) return malformed(directory, problem);
  return read(
    {
      directory,
      model: readAttribute(root, `${directory}/model`),
      compatible: strings(base, "compatible") ?? [],
      nodes: walk.nodes,
    },
    directory,
  );
}

interface Walk {
  readonly nodes: TreeNode[];
  left: number;
  /** The kernel's own tree holds no links; a tree that somebody made may run in circles. */
  readonly followsLinks: boolean;
}

/** Reads the children of a node. Says what is wrong with the tree, undefined when nothing is. */
function descend(walk: Walk, parent: OfNode, path: string, enabled: boolean, depth: number): string | undefined {
  if (depth > DEPTH_LIMIT) return `nodes nested deeper than ${DEPTH_LIMIT}`;
  // Pin groups are half of a tree's nodes; what is a device among them (a bank of GPIO) has an address.
  const pins = parent.fullName.startsWith("pinctrl");
  for (const fullName of parent.names) {
    if (isProperty(fullName) || NOT_HARDWARE.has(fullName) || (pins && !fullName.includes("@"))) continue;
    if (walk.left-- === 0) return `more than ${ASK_LIMIT} nodes and properties of unknown names`;
    const directory = `${parent.directory}/${fullName}`;
    if (walk.followsLinks && parent.root.link(directory).state === "read") continue;
    const names = valueOf(parent.root.list(directory));
    if (names === undefined) continue; // a property, or a node that may not be read
    const node: OfNode = { root: parent.root, directory, fullName, parent, names: new Set(names) };
    const here = `${path}/${fullName}`;
    const written = strings(node, "status"); // undefined also where a child, a LED say, is called "status"
    const status = written === undefined ? "okay" : (written[0] ?? "");
    const on = enabled && (status === "okay" || status === "ok");
    const compatible = strings(node, "compatible");
    if (compatible !== undefined) {
      walk.nodes.push(treeNode(node, { path: here, name: nodeName(fullName), compatible, status, enabled: on }));
    }
    if (compatible?.[0]?.startsWith("operating-points")) continue;
    const problem = descend(walk, node, here, on, depth + 1);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

const treeNode = lazyFields<OfNode, Pick<TreeNode, "label" | "deviceName">>({
  label: (node) => readAttribute(node.root, `${node.directory}/label`),
  deviceName: platformName,
});

/** Nodes that describe and reference, with no device in them or below: a third of a tree. */
const NOT_HARDWARE: ReadonlySet<string> = new Set([
  "__fixups__",
  "__local_fixups__",
  "__symbols__",
  "aliases",
  "cpu-map",
  "endpoint",
  "port",
  "ports",
  "thermal-zones",
]);

// Whether a name is a file or a directory costs a question each, and a tree has five times as many properties as nodes: those that
// trees are full of are known by name. "@" is for nodes alone; what is neither is asked.
function isProperty(name: string): boolean {
  return !name.includes("@") && (PROPERTIES.has(name) || PROPERTY_SHAPE.test(name));
}

const PROPERTY_SHAPE = /^#|-(cells|names|gpios|parents|rates|microvolt|microamp|ns|us|ms|sets|line-size)$/;

const PROPERTIES: ReadonlySet<string> = new Set(
  (
    "bootph-all bus-range bus-width cache-level cache-unified clock-frequency compatible cooling-device cpu-idle-states device_type " +
    "dma-coherent dmas drive-strength enable-method function groups hysteresis interconnects interrupt-map interrupt-parent " +
    "interrupts iommus label linux,phandle mboxes memory-region model name next-level-cache no-map num-lanes " +
    "operating-points-v2 phandle phys pinmux pinctrl-0 pinctrl-1 polling-delay-passive power-domains ranges reg reg-io-width reg-shift " +
    "remote-endpoint required-opps resets rockchip,pins sound-dai status temperature thermal-sensors trip type"
  ).split(" "),
);
