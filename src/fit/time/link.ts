/**
 * Link: a time that was measured over one link, told over another. What goes in and comes out crosses it in each run, and so do weights
 * that do not fit the chip's memory (coral.ai/docs/edgetpu/compiler: the rest is streamed).
 */

import { elementsOf } from "../../model/graph.ts";
import type { View } from "../view.ts";
import type { Device, Estimate } from "./estimate.ts";
import type { Traits } from "./traits.ts";

type Kind = NonNullable<Device["link"]>["kind"];

/** Bytes per second, the least and the most that a link was seen to carry. */
const rates: Readonly<Record<Exclude<Kind, "shared memory">, { least: number; most: number; says: string }>> = {
  // github.com/aallan/benchmarking-ml-on-the-edge: 34 and 40 ms more over USB 2 than over USB 3 for 0.45 MB, on a slower host.
  usb2: { least: 12e6, most: 40e6, says: "12 MB/s as it was seen on a slow host to 40 MB/s of bulk transfer" },
  // 300 MB/s as dense layers upload (CustomEdgeTPU notes); 440 as VGG16's weights stream (coral.ai/docs/edgetpu/benchmarks: 296 ms).
  usb3: { least: 3e8, most: 4.4e8, says: "300 to 440 MB/s" },
  // 380 as VGG16's weights stream on the Dev Board (343 ms); 5 GT/s with 8b/10b after headers.
  pcie: { least: 3.8e8, most: 4.5e8, says: "380 to 450 MB/s" },
};

/** Of what it takes all in all, what it computes beside the link at least. */
const BESIDE = 0.1;

export interface Carried {
  /** In and out. */
  readonly tensors: number;
  /** Of weights in int8, what the chip does not hold. */
  readonly weights: number;
}

const spill = (weights: number, { onchip }: Device): number => Math.max(0, weights - (onchip?.bytes ?? Infinity));

/** In integers of eight bits. */
export function carriedBy(views: readonly View[], device: Device): Carried {
  const made = new Set(views.flatMap(({ node }) => node.outputs));
  const used = new Set(views.flatMap(({ node }) => node.inputs));
  const counted = new Set<number>();
  let [tensors, weights] = [0, 0];
  const add = (index: number | undefined, shape: readonly (number | string | null)[] | undefined): void => {
    if (index === undefined || index < 0 || counted.has(index)) return;
    counted.add(index);
    tensors += elementsOf(shape) ?? 0;
  };
  for (const view of views) {
    if (view.folded) continue;
    weights += view.work.weights;
    view.inputs.forEach((tensor, at) => {
      const index = view.node.inputs[at];
      if (index !== undefined && !made.has(index) && view.constant[at] !== true) add(index, tensor?.shape);
    });
    view.outputs.forEach((tensor, at) => {
      const index = view.node.outputs[at];
      if (index !== undefined && !used.has(index)) add(index, tensor?.shape);
    });
  }
  return { tensors, weights: spill(weights, device) };
}

/** Of a model whose layers are not at hand: pictures of three channels; what comes out is not known. */
export const carriedByTraits = ({ positions, params_m }: Traits, device: Device): Carried => ({
  tensors: positions * 3,
  weights: spill(params_m * 1e6, device),
});

export type Times = Required<Pick<Estimate, "median_ms" | "low_ms" | "high_ms">>;

/** Where a device is behind another link than its rows were measured over: its times over that, and what was done. */
export function overLink(times: Times, device: Device, carried: Carried): { times: Times; says: readonly string[] } {
  const [from, to] = [device.measuredLink?.kind, device.link?.kind];
  if (from === undefined || to === undefined || from === to || from === "shared memory" || to === "shared memory")
    return { times, says: [] };
  const bytes = carried.tensors + carried.weights;
  const middle = ({ least, most }: (typeof rates)["usb2"]): number => Math.sqrt(least * most);
  const [was, now] = [middle(rates[from]), middle(rates[to])];
  // Over a link about as fast, what was measured tells how much of it the link was; over a slow one, all that has to cross it does.
  const slower = now < was / 2;
  const at = (ms: number, rate: number): number => {
    const before = Math.min((bytes / was) * 1000, ms * (1 - BESIDE));
    return ms - before + (slower ? (bytes / rate) * 1000 : before * (was / rate));
  };
  const streamed = carried.weights > 0 ? `, ${mega(carried.weights)} of weights that the chip does not hold` : "";
  return {
    times: {
      median_ms: at(times.median_ms, now),
      low_ms: at(times.low_ms, rates[to].most),
      high_ms: at(times.high_ms, rates[to].least),
    },
    says: [
      `measured over ${from}, told over ${to}: ${mega(carried.tensors)} in and out${streamed}, at ${rates[to].says}`,
    ],
  };
}

const mega = (bytes: number): string => `${Number((bytes / 1e6).toPrecision(2))} MB`;
