/**
 * What a driver answers when asked through its node: DRM name and version, and the driver's own questions, decoded. One file per
 * driver in queries/. Nothing is asked that changes state; what wakes a device is asked only with leave.
 */

import { absent, chain, read, uncaptured, valueOf, type Reading } from "../base/reading.ts";
import type { Root } from "../root/root.ts";
import type { DeviceNode } from "./nodes.ts";
import { askAmdxdna } from "./queries/amdxdna.ts";
import { converse, HELD_BACK, type Answers, type Say } from "./queries/conversation.ts";
import { sayDrmVersion, type DrmVersion } from "./queries/drm.ts";
import { askEthosu } from "./queries/ethosu.ts";
import { askFastrpc } from "./queries/fastrpc.ts";
import { askHabanalabs, COMPUTE_NODE_HELD_BACK, CONTROL_NODE } from "./queries/habanalabs.ts";
import { askIvpu } from "./queries/ivpu.ts";
import { askQaic } from "./queries/qaic.ts";
import { askRknpu } from "./queries/rknpu.ts";

export { drmVersion, type DrmVersion } from "./queries/drm.ts";
export type { Answers } from "./queries/conversation.ts";

export interface NodeQuery {
  /** The node that was asked: of a GPU's card node, its render node. */
  readonly path: string;
  /** The kernel's driver name as sysfs has it, else the DRM name; undefined when neither is known. */
  readonly driver: string | undefined;
  /** Absent on nodes that are not DRM's. */
  readonly drm: Reading<DrmVersion>;
  /** Empty when nothing more can be asked of this driver. */
  readonly answers: Answers;
}

interface Speaker {
  /** Names of the driver in sysfs and of its DRM driver. */
  readonly drivers: readonly string[];
  /** Nodes that are this driver's whatever else is known. */
  readonly nodes?: RegExp;
  readonly ask: (say: Say, nodeName: string) => Answers;
}

const speakers: readonly Speaker[] = [
  { drivers: ["intel_vpu"], ask: askIvpu },
  { drivers: ["amdxdna", "amdxdna_accel_driver"], ask: askAmdxdna },
  { drivers: ["habanalabs"], nodes: CONTROL_NODE, ask: askHabanalabs },
  { drivers: ["ethosu"], ask: askEthosu },
  { drivers: ["qaic"], ask: askQaic },
  { drivers: ["RKNPU", "rknpu"], nodes: /^rknpu$/, ask: askRknpu },
  { drivers: ["qcom,fastrpc"], nodes: /^fastrpc-/, ask: askFastrpc },
];

/** Drivers whose nodes open without resuming the device (their open functions, Linux 6.18 to 7.3). Others may: amdgpu, nouveau. */
const OPEN_ASLEEP: readonly string[] = ["intel_vpu", "amdxdna", "ethosu", "rocket", "qaic", "RKNPU", "i915", "xe"];
const HABANA_VENDOR = "0x1da3";

/** `driver` is the one bound to the node's device, where the caller knows it. `allowWake` is the user's `--query`. */
export function queryNode(
  root: Root,
  node: DeviceNode,
  driver: string | undefined,
  allowWake: boolean,
): Reading<NodeQuery> {
  const bound = driver ?? driverOf(root, node);
  const isDrm = (node.class === "drm" || node.class === "accel") && /^(card|renderD|accel)[0-9]+$/.test(node.name);
  if (isDrm && node.class === "accel") {
    const taken = takesTheCard(root, node, bound);
    if (taken !== undefined) return uncaptured(node.path, taken);
  }
  const path = isDrm ? nodeToAsk(root, node) : node.path;
  const say = converse(root, path, allowWake);
  const asleep = isDrm && sleeps(root, node) && (bound === undefined || !OPEN_ASLEEP.includes(bound));
  const drm = isDrm ? sayDrmVersion(say, asleep) : absent(path, "not a DRM node");
  if (isDrm && drm.state === "denied") return drm;

  const name = valueOf(drm)?.name;
  const names = isDrm ? [name, bound].filter((known) => known !== undefined) : [];
  const speaker = speakers.find(
    ({ drivers, nodes }) => nodes?.test(node.name) === true || names.some((known) => drivers.includes(known)),
  );
  if (speaker === undefined && !isDrm) return absent(path, `no question is known for ${bound ?? "its driver"}`);
  if (speaker === undefined && drm.state !== "read") return drm;
  return read({ path, driver: bound ?? name, drm, answers: speaker?.ask(say, node.name) ?? {} }, path);
}

function driverOf(root: Root, node: DeviceNode): string | undefined {
  const link = chain(node.device, (device) => root.link(`${device}/driver`));
  return valueOf(link)?.split("/").pop();
}

/** Gaudi's compute nodes are accel nodes as all others are, and opening one is not harmless. */
function takesTheCard(root: Root, node: DeviceNode, driver: string | undefined): string | undefined {
  if (driver === "habanalabs") return COMPUTE_NODE_HELD_BACK;
  if (driver !== undefined) return undefined;
  if (node.device.state !== "read") return "its driver is not known, and some drivers take the card on opening";
  const vendor = valueOf(root.text(`${node.device.value}/vendor`))?.trim();
  return vendor === HABANA_VENDOR ? COMPUTE_NODE_HELD_BACK : undefined;
}

/** Opening card0 first makes one DRM master and restores the console on closing; its render node has no such cares. */
function nodeToAsk(root: Root, node: DeviceNode): string {
  if (!node.name.startsWith("card") || node.device.state !== "read") return node.path;
  const siblings = valueOf(root.list(`${node.device.value}/drm`)) ?? [];
  const render = siblings.find((name) => /^renderD[0-9]+$/.test(name));
  return render === undefined ? node.path : `/dev/dri/${render}`;
}

function sleeps(root: Root, node: DeviceNode): boolean {
  const status = chain(node.device, (device) => root.text(`${device}/power/runtime_status`));
  return valueOf(status)?.trim() === "suspended";
}

export { HELD_BACK };
