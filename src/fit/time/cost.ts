/**
 * Cost: what each operator weighs in an inference, by the class of hardware: arithmetic at the share of its peak that its shape lets it
 * reach, bytes that pass through memory, a fixed cost for each step. Only shares of the whole are told from it, never milliseconds:
 * those come from measurements (calibration.ts).
 */

import type { Placement } from "../place.ts";
import type { View } from "../view.ts";
import type { Device, Estimate } from "./estimate.ts";
import { carriedBy } from "./link.ts";
import { habits } from "./roofline.ts";

/** A processor beside the accelerator, in the accelerator's MACs: what stays on it costs that much more. */
const CPU_FACTOR = 50;

export interface Weighed {
  readonly bound: NonNullable<Estimate["bound"]>;
  readonly costly: Estimate["costly"];
  /** Share of the whole that operators on the CPU have. */
  readonly cpu: number;
}

export function weigh(views: readonly View[], device: Device, placement: Placement | undefined): Weighed | undefined {
  const habit = habits[device.class];
  const places = new Map(placement?.nodes.map(({ view, where }) => [view.index, where]));
  const sums = { compute: 0, memory: 0, overhead: 0, link: 0, cpu: 0 };
  const nodes: { node: number; op: string; cost: number }[] = [];
  for (const view of views) {
    const where = places.get(view.index);
    if (view.folded || where === "melted") continue;
    const { macs = 0, weightBytes, inputBytes = 0, outputBytes = 0 } = view.work;
    if (macs === 0 && (view.kind === "shape" || view.kind === "quantise" || view.kind === "graph")) continue;
    const width = Math.max(1, view.depthwise ? habit.lanes : Math.min(view.outChannels ?? habit.lanes, 1e6));
    const rest = (Math.ceil(width / habit.lanes) * habit.lanes) / width;
    const compute = (macs * rest) / (view.depthwise ? habit.depthwise : 1);
    // Activations mostly stay on the chip; weights are read once.
    const memory = (weightBytes + 0.3 * (inputBytes + outputBytes)) * habit.macsPerByte * 0.25;
    const cost = (Math.max(compute, memory) + habit.macsPerStep) * (where === "cpu" ? CPU_FACTOR : 1);
    if (!Number.isFinite(cost)) return undefined;
    if (where === "cpu") sums.cpu += cost;
    else {
      if (compute >= memory) sums.compute += compute;
      else sums.memory += memory;
      sums.overhead += habit.macsPerStep;
    }
    nodes.push({ node: view.index, op: view.op, cost });
  }
  const link = device.link;
  if (link !== undefined && link.kind !== "shared memory") {
    const peak = device.macs?.value ?? 1e12;
    const { tensors, weights } = carriedBy(views, device);
    sums.link = ((tensors + weights) / link.bytes_per_s) * peak * 0.2;
  }
  const total = Object.values(sums).reduce((sum, value) => sum + value, 0);
  if (!(total > 0) || !Number.isFinite(total)) return undefined;
  const [bound] = (Object.entries(sums) as [Weighed["bound"], number][]).sort((a, b) => b[1] - a[1])[0] ?? [
    "compute",
    0,
  ];
  return {
    bound,
    cpu: sums.cpu / total,
    costly: nodes
      .sort((a, b) => b.cost - a.cost)
      .slice(0, 3)
      .map(({ node, op, cost }) => ({ node, op, share: cost / total })),
  };
}
