/**
 * What ExecuTorch's back ends share. They take ATen operators of an exported PyTorch program; here the same graph is looked at in whatever
 * file it stands, by the shared operator table's names. Quantisation happens on the way (PT2E): types of the file do not decide.
 */

import type { Constraint, Precondition, Rule, Target } from "./target.ts";
import { constraint, only } from "./rules.ts";
import { listed, rankOf, valuesOf } from "./tflite-rules.ts";
import type { View } from "./view.ts";

export const EXECUTORCH = "github.com/pytorch/executorch@cff6f4dd32e630945b7188512c1f2b4f102b05ad";

/** What no back end sees: the exporter folds it, or it is how another format writes what PyTorch has no operator for. */
export const MELTS = [
  "Identity",
  "Dropout",
  "QuantizeLinear",
  "DequantizeLinear",
  "FakeQuantize",
  "Constant",
  "Shape",
] as const;

export const quantisedFirst = (says: string): Precondition => ({
  rule: "quantization",
  says,
  holds: ({ scheme }) =>
    scheme === undefined ? undefined : scheme === "full integer" || scheme === "qdq" || scheme === "integer operators",
  found: ({ scheme }) => scheme ?? "",
  else: "warns",
  cure: "quantise with PT2E (prepare_pt2e, convert_pt2e) and the back end's quantizer",
  source: `${EXECUTORCH} docs/source/backends`,
});

export const constantWeights = constraint(
  "constant weights",
  "constant weights",
  ({ weights }) => weights !== undefined,
);

export const fourDimensions = constraint(
  "rank",
  "only supports 4D tensors",
  ({ inShape }) => inShape === undefined || inShape.length === 4,
  ({ inShape }) => `rank ${inShape?.length ?? "?"}`,
);

/** The axis named is the last one. */
export const lastAxis = (says: string): Constraint =>
  constraint(
    "axis",
    says,
    ({ node, inShape }) => {
      const said = node.attributes["axis"];
      return typeof said !== "number" || inShape === undefined || said === -1 || said === inShape.length - 1;
    },
    ({ node }) => `axis ${String(node.attributes["axis"] ?? "")}`,
  );

export const noCeil = constraint(
  "ceil mode",
  "ceil mode is not supported",
  ({ node }) => node.attributes["ceil_mode"] !== 1 && node.attributes["ceil_mode"] !== true,
);

/** How many times larger a resize makes height and width. */
export const scales = ({ inSize, outSize }: View): readonly [number, number] | undefined =>
  inSize === undefined || outSize === undefined ? undefined : [outSize[0] / inSize[0], outSize[1] / inSize[1]];

export const scaleIn = (allowed: readonly number[], says: string): Constraint =>
  constraint(
    "scale",
    says,
    (view) => {
      const by = scales(view);
      return by === undefined ? undefined : allowed.includes(by[0]) && allowed.includes(by[1]);
    },
    (view) => `scale ${scales(view)?.join("x") ?? "?"}`,
  );

const isNearest = ({ node, spelled }: View): boolean =>
  spelled === "RESIZE_NEAREST_NEIGHBOR" || node.attributes["mode"] === "nearest" || /nearest/i.test(spelled);

export const onlyNearest = (says: string): Constraint => constraint("mode", says, isNearest, ({ spelled }) => spelled);
export const onlyBilinear = (says: string): Constraint =>
  constraint(
    "mode",
    says,
    (view) => !isNearest(view),
    ({ spelled }) => spelled,
  );

/** No padding of batch or of any dimension below zero. */
export const paddingAbove = (says: string): Constraint =>
  constraint("padding", says, ({ inputs }) => valuesOf(inputs[1])?.every((one) => one >= 0) !== false);

export const rankUpTo = (most: number, says: string): Constraint =>
  constraint(
    "rank",
    says,
    ({ inputs, outputs }) => [...inputs, ...outputs].every((tensor) => (rankOf(tensor) ?? 0) <= most),
    ({ inputs, outputs }) => `rank ${Math.max(...[...inputs, ...outputs].map((tensor) => rankOf(tensor) ?? 0))}`,
  );

export const depthwiseOr = (inner: Constraint): Constraint => only(({ depthwise }) => !depthwise, inner);

/** The fields that every ExecuTorch target has alike. */
export function executorch(
  own: Pick<Target, "id" | "name" | "devices" | "confidence"> & {
    readonly tool: string;
    readonly table: string;
    readonly plain: string;
    readonly operators: Readonly<Record<string, Rule>>;
  } & Partial<Pick<Target, "preconditions" | "every" | "sources" | "otherSays">>,
): Target {
  const { table, plain, operators, ...rest } = own;
  return {
    version: "main of 2026-08-22",
    formats: ["pytorch", "pte"],
    names: "shared",
    sources: [`${EXECUTORCH} ${table}`],
    preconditions: [],
    every: [],
    others: "no",
    otherSays: "Op is not supported",
    partition: { way: "subgraphs" },
    melts: MELTS,
    ...rest,
    operators: { ...listed(plain), ...operators },
  };
}
