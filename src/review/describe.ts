/** A device as the report prints it. */

import type { Route } from "../base/finding.ts";
import { absent, chain, map, valueOf, type Reading } from "../base/reading.ts";
import type { Device } from "../devices/device.ts";
import type { Facts } from "../facts/facts.ts";
import type { DeviceNode } from "../facts/nodes.ts";
import { readHolders } from "../facts/processes.ts";
import { queryNode, type NodeQuery } from "../facts/queries.ts";
import type { DeviceReport, NodeReport, Verdict } from "./report.ts";

/** `whole`: also what costs more to read (who holds the nodes, the link, driver versions). */
export function describeDevice(
  facts: Facts,
  device: Device,
  routes: readonly Route[],
  verdict: Verdict,
  whole: boolean,
): DeviceReport {
  const { family, chip, pci } = device;
  const driver = valueOf(device.driver);
  const asked = whole ? device.nodes.map((node) => queryNode(facts.root, node, driver, facts.options.query)) : [];
  const answers = answersOf(asked);
  const module = driver === undefined ? undefined : valueOf(facts.loaded)?.get(driver.replaceAll("-", "_"));
  return {
    id: device.id,
    ...(family ? { family: family.id } : {}),
    ...(chip ? { chip: chip.id } : {}),
    name: device.name,
    bus: device.bus,
    address: device.address,
    ids: device.ids,
    modalias: device.modalias,
    driver: device.driver,
    ...(whole && module ? { driver_version: module.version } : {}),
    nodes: describeNodes(facts, device.nodes, asked),
    parts: device.parts,
    virtual_functions: device.virtualFunctions,
    enabled: device.enabled,
    because: device.because,
    ...(whole && pci
      ? {
          link: {
            speed_transfers: pci.link.speed,
            max_speed_transfers: pci.link.maxSpeed,
            width: pci.link.width,
            max_width: pci.link.maxWidth,
          },
          iommu_group: pci.iommuGroup,
        }
      : {}),
    ...(whole ? sensorsOf(facts, device) : {}),
    ...(answers === undefined ? {} : { answers }),
    ...(family
      ? {
          openness: {
            kernel: family.openness.kernel,
            firmware: family.openness.firmware,
            runtime: family.openness.runtime,
            compiler: family.openness.compiler,
          },
        }
      : {}),
    routes,
    verdict,
  };
}

/**
 * By the device behind a sensor; thermal zones have none, and name what they measure: npu-thermal is the NPU's, as its device-tree
 * node is called npu. Values are left to who watches: they change by the second, and a report does not.
 */
function sensorsOf(facts: Facts, device: Device): Pick<DeviceReport, "sensors"> {
  const all = valueOf(facts.sensors) ?? [];
  if (all.length === 0 || device.bus === "cpu") return {};
  const paths = device.paths();
  const node = device.bus === "platform" ? device.address.replace(/^[0-9a-f]+\./, "") : undefined;
  const own = all.filter(({ kind, label, device: behind }) => {
    if (kind === "thermal") return node !== undefined && label.split(/[-_ ]/).includes(node);
    const path = valueOf(behind);
    return path !== undefined && paths.some((one) => path === one || path.startsWith(`${one}/`));
  });
  return own.length === 0 ? {} : { sensors: own.map(({ kind, label, path }) => ({ kind, label, path })) };
}

/** What the drivers told, of all nodes of the device; a question put to two nodes is told once. */
function answersOf(asked: readonly Reading<NodeQuery>[]): DeviceReport["answers"] {
  const all = Object.assign({}, ...asked.map((reading) => valueOf(reading)?.answers ?? {})) as NodeQuery["answers"];
  return Object.keys(all).length === 0 ? undefined : all;
}

function describeNodes(facts: Facts, nodes: readonly DeviceNode[], asked: readonly Reading<NodeQuery>[]): NodeReport[] {
  if (nodes.length === 0) return [];
  const held =
    asked.length > 0
      ? readHolders(
          facts.root,
          nodes.map((node) => node.path),
        )
      : undefined;
  const holders = held && valueOf(held);
  return nodes.map((node, i) => {
    const drm = chain(asked[i] ?? absent(node.path), (query) => query.drm);
    return {
      path: node.path,
      class: node.class,
      mode: map(node.stat, (stat) => stat.mode.toString(8).padStart(4, "0")),
      owner: node.owner,
      group: node.group,
      opens: map(node.access, (access) => access.opens),
      ...(asked.length > 0 && (node.class === "drm" || node.class === "accel")
        ? { drm: map(drm, ({ name, major, minor, patch }) => ({ name, version: `${major}.${minor}.${patch}` })) }
        : {}),
      ...(holders
        ? {
            held_by: holders.holders
              .filter((holder) => holder.node === node.path)
              .map(({ pid, command }) => ({ pid, command })),
          }
        : {}),
    };
  });
}
