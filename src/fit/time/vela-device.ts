/** How long an Ethos-U takes, as Arm's compiler would say it: no times of silicon are published that one could hold a model against. */

import type { Placement } from "../place.ts";
import { isTflite, type View } from "../view.ts";
import type { Device, Estimate } from "./estimate.ts";
import { accelerators } from "./vela-machine.ts";
import { velaEstimate } from "./vela.ts";

/**
 * Ours differs from Vela's by 7 % at most for nine models of ten (bench/fit.ts). How far Vela is from silicon is not published:
 * the interval is an assumption, and the estimate says so.
 */
const SPREAD = 1.3;

/** Accelerator of a device, by its id: "ethos-u65-256", "imx93-ethos-u65-256". */
const acceleratorOf = ({ id }: Device): string | undefined => accelerators.find((one) => id.endsWith(one));

/** undefined: the device is no Ethos-U that Vela 3 knows. */
export function estimateByVela(
  views: readonly View[],
  device: Device,
  placement: Placement | undefined,
): Estimate | undefined {
  const accelerator = acceleratorOf(device);
  if (device.family !== "ethos-u" || accelerator === undefined) return undefined;
  const none = (says: string): Estimate => ({
    device: device.id,
    from: "none",
    kind: "maker",
    costly: [],
    nearest: [],
    says: [says],
  });
  if (!views.every(isTflite)) return none("Vela reads TFLite: no time is told of a model before it is converted");
  const left = new Set(placement?.nodes.flatMap(({ view, where }) => (where === "cpu" ? [view.index] : [])) ?? []);
  const told = velaEstimate(views, {
    accelerator,
    ...(device.id.startsWith("imx93") ? { fork: "nxp" as const } : {}),
    taken: ({ index }) => !left.has(index),
  });
  if (told === undefined || told.operations.length === 0 || !Number.isFinite(told.ms) || told.ms <= 0)
    return none("nothing of it runs on the NPU, or its shapes leave open what it computes");
  const costly = [...told.nodes]
    .sort(([, a], [, b]) => b.total - a.total)
    .slice(0, 3)
    .map(([node, { total }]) => ({
      node,
      op: views.find(({ index }) => index === node)?.spelled ?? "",
      share: total / told.cycles.total,
    }));
  const memory = told.operations.reduce((sum, one) => sum + (one.total > one.npu ? one.total : 0), 0);
  return {
    device: device.id,
    from: "class",
    kind: "maker",
    median_ms: told.ms,
    low_ms: told.ms / SPREAD,
    high_ms: told.ms * SPREAD,
    bound: memory * 2 > told.cycles.total ? "memory" : "compute",
    costly,
    nearest: [],
    says: [
      `as Vela would estimate it at ${told.clock / 1e6} MHz, which Arm means for comparing; silicon was not measured, so the interval of 30 % is an assumption`,
      ...(left.size > 0 ? [`${left.size} operators stay on the CPU: their time is not in it`] : []),
    ],
  };
}
