/** What Vela's checks of operators are made of, and those that many operators share. */

import type { Tensor } from "../model/graph.ts";
import type { Constraint } from "./target.ts";
import { operandsOf, sameShape, shapeOf } from "./vela-tensors.ts";
import { isTflite, type View } from "./view.ts";

export interface VelaVersion {
  readonly major: 3 | 4;
  /** NXP's fork pads channels too. */
  readonly padsChannels: boolean;
  /** Ethos-U85: another compiler inside (Regor), and an NPU that does more. */
  readonly u85?: true;
}

export interface Build {
  /** May take scalars. */
  readonly scalarIn?: true;
  /** Has options that must be there. */
  readonly needs?: true;
  readonly int32?: true;
  /** First major version that lets it be quantised per axis. */
  readonly perAxis?: number;
  /** Becomes a constant before the NPU is asked. */
  readonly vanishes?: true;
  /** Checks of every operator that this one is let off. */
  readonly without?: readonly ("dynamic" | "output" | "quantisation" | "type" | "batch")[];
  readonly semantic?: readonly Constraint[];
  readonly npu?: readonly Constraint[];
}

export type Holds = (view: View) => boolean | undefined;

export type Found = (view: View) => string;

export const check = (rule: string, says: string, holds: Holds, found?: Found): Constraint => ({
  rule,
  says,
  holds,
  ...(found === undefined ? {} : { found }),
});

/** Of a TFLite file; of other formats the converter sees to it. */
export const inFile = (rule: string, says: string, holds: Holds, found?: Found): Constraint =>
  check(rule, says, (view) => (isTflite(view) ? holds(view) : true), found);

export const of = (view: View): ReturnType<typeof operandsOf> => operandsOf(view, true);

export const text = (tensor: Tensor | undefined): string =>
  tensor === undefined ? "None" : `[${shapeOf(tensor).join(", ")}]`;

/** Numbers as they are; "?" where the file leaves them open. */
export const list = (numbers: readonly number[] | undefined): string => (numbers === undefined ? "?" : String(numbers));

export const number = (view: View, name: string): number | undefined => {
  const value = view.node.attributes[name];
  return typeof value === "number" ? value : typeof value === "boolean" ? Number(value) : undefined;
};

export const values = (view: View, index: number): readonly number[] | undefined => view.inputs[index]?.values;

export const sameTypes = check(
  "type in and out",
  "IFM and OFM data types must match",
  (view) => of(view).ifm?.type === of(view).ofm?.type,
  (view) => `Op has ifm_dtype=${of(view).ifm?.type ?? ""} and ofm_dtype=${of(view).ofm?.type ?? ""}`,
);

export const eitherShape = inFile(
  "shape",
  "At least one Input's shape must match the OFM's shape",
  (view) => sameShape(of(view).ifm, of(view).ofm) || sameShape(of(view).ifm2, of(view).ofm),
  (view) =>
    `Op has ifm_shape=${text(of(view).ifm)}, ifm2_shape=${text(of(view).ifm2)} and ofm_shape=${text(of(view).ofm)}`,
);

export const broadcast = inFile(
  "broadcast",
  "Broadcasting is only allowed for rank indices with dimension 1, from either IFM1 or IFM2",
  (view) => {
    const { ifm, ifm2, ofm } = of(view);
    if (ifm === undefined || ifm2 === undefined) return true;
    const [a, b, o] = [shapeOf(ifm), shapeOf(ifm2), shapeOf(ofm)];
    const size = Math.min(a.length, b.length);
    for (let back = 1; back <= size; back++) {
      const [i, j] = [a[a.length - back] ?? 1, b[b.length - back] ?? 1];
      if ((i !== j && i !== 1 && j !== 1) || o[o.length - back] !== Math.max(i, j)) return false;
    }
    return true;
  },
  (view) => `Op has ifm_shape=${text(of(view).ifm)} and ifm2_shape=${text(of(view).ifm2)}`,
);

export const within = (value: number | undefined, most: number): boolean | undefined =>
  value === undefined ? undefined : value >= 1 && value <= most;

export const area = (pair: readonly [number, number] | undefined): number | undefined => pair && pair[0] * pair[1];

export const signed = check(
  "type",
  "IFM must be int8 or int16",
  (view) => /^int(?:8|16)$/.test(of(view).ifm?.type ?? ""),
  (view) => `Op has ifm_dtype=${of(view).ifm?.type ?? ""}`,
);

export const eightBit = check(
  "type",
  "IFM must be int8 or uint8",
  (view) => /^u?int8$/.test(of(view).ifm?.type ?? ""),
  (view) => `Op has ifm_dtype=${of(view).ifm?.type ?? ""}`,
);
