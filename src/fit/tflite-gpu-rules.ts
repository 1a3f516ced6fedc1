/** What TFLite's GPU delegate asks of operators before it takes them (gpu_compatibility.cc and the operation parsers behind it). */

import { constraint } from "./rules.ts";
import type { Constraint, Rule } from "./target.ts";

import { attribute, rankOf, shapeOf, version } from "./tflite-rules.ts";
import { isTflite, type View } from "./view.ts";

export const LITERT = "github.com/google-ai-edge/LiteRT@f67457790c9c2ab67347d6fe53270e8d3df20868";
export const SOURCE = `${LITERT} tflite/tools/versioning/gpu_compatibility.cc`;

/** Constants, float16 weights that DEQUANTIZE blows up among them, are no inputs of the running graph. */
export const isConstant = (view: View, at: number): boolean =>
  view.inputs[at]?.data !== undefined ||
  (view.around?.maker(view, at)?.spelled === "DEQUANTIZE" && view.constant[at] === true);

export const runtimeInputs = (view: View): number =>
  view.inputs.filter((tensor, at) => tensor !== undefined && !isConstant(view, at)).length;

const constantInputs = (view: View): number =>
  view.inputs.filter((tensor, at) => tensor !== undefined && isConstant(view, at)).length;

/** How many inputs vary, how many are constant, how many outputs there are, in a TFLite file. */
export function operands(runtime: readonly number[], outputs: number, constants?: readonly number[]): Constraint {
  return constraint(
    "operands",
    `Expected ${runtime.join(" or ")} runtime input tensor(s)${constants === undefined ? "" : ` and ${constants.join(" or ")} const`}`,
    (view) =>
      !isTflite(view) ||
      (runtime.includes(runtimeInputs(view)) &&
        view.outputs.length === outputs &&
        (constants === undefined || constants.includes(constantInputs(view)))),
    (view) =>
      `node has ${runtimeInputs(view)} runtime input(s), ${constantInputs(view)} const, ${view.outputs.length} output(s)`,
    SOURCE,
  );
}

/** Two operands, at most one of them constant. */
export const pair = constraint(
  "operands",
  "Op can only handle 1 or 2 operand(s).",
  (view) =>
    view.outputs.length === 1 &&
    ((runtimeInputs(view) === 2 && constantInputs(view) === 0) ||
      (runtimeInputs(view) === 1 && constantInputs(view) === 1)),
  (view) => `node has ${runtimeInputs(view)} runtime input(s), ${constantInputs(view)} const`,
  SOURCE,
);

export const newest = (most: number): Constraint => version(1, most, "Max version supported");

export const newestOf = {
  binary: newest(2),
  unary: [newest(2), operands([1], 1, [0])],
} as const;

export const fused = constraint(
  "activation",
  "TfLiteFusedActivation is not supported",
  ({ activation }) => activation !== "SIGN_BIT",
  ({ activation }) => activation ?? "",
);

export const convolved: readonly Constraint[] = [
  constraint(
    "operands",
    "Expected 1 or 2 input tensor(s)",
    (view) => runtimeInputs(view) >= 1 && runtimeInputs(view) <= 2 && view.outputs.length === 1,
    (view) => `node has ${runtimeInputs(view)} runtime inputs`,
    SOURCE,
  ),
  fused,
];

export const depthwise: Rule = [
  newest(6),
  ...convolved,
  constraint("rank", "dims.size != 4", ({ inputs, outputs }) =>
    [inputs[0], inputs[1], outputs[0]].every((tensor) => (rankOf(tensor) ?? 4) === 4),
  ),
  constraint("channels", "output.c != input.c * depth_multiplier", ({ inChannels, outChannels, node }) => {
    const by = node.attributes["depth_multiplier"];
    if (inChannels === undefined || outChannels === undefined || typeof by !== "number" || by === 0) return true;
    return outChannels === inChannels * by;
  }),
  constraint(
    "batch",
    "input.b != output.b",
    ({ inShape, outShape }) => inShape?.[0] === undefined || inShape[0] === outShape?.[0],
  ),
];

/** Shapes of different rank that may stand together: [b, c] and [1, 1] and three dimensions beside four. */
export const broadcast = constraint(
  "broadcast",
  "Doesn't support broadcasting",
  ({ inputs }) => {
    const [one, other] = [shapeOf(inputs[0]), shapeOf(inputs[1])];
    if (one === undefined || other === undefined) return true;
    if (one.length <= 1 || other.length <= 1 || one.length === other.length) return true;
    const [long, short] = one.length >= other.length ? [one, other] : [other, one];
    if (long.length !== 4) return false;
    if (short.length === 3) return long[0] === 1;
    if (short.length !== 2) return false;
    return (long[0] === 1 && short[0] === 1 && short[1] === 1) || (long[0] === short[0] && long[3] === short[1]);
  },
  ({ inputs }) =>
    inputs
      .slice(0, 2)
      .map((tensor) => `[${tensor?.shape?.join(",") ?? ""}]`)
      .join(", "),
  SOURCE,
);

export const twoInputs = constraint("operands", "requires two input tensors", ({ inputs }) => inputs.length === 2);

/** The result of a comparison is taken where one CAST or SELECT makes a float of it. */
export const comparison: Rule = [
  newestOf.binary,
  constraint("neighbour", "Not supported logical op case", (view) => {
    const users = view.around?.users(view);
    if (users === undefined) return undefined;
    const [next] = users;
    if (next === undefined || users.length !== 1) return false;
    return (
      ["CAST", "SELECT", "SELECT_V2"].includes(next.spelled) &&
      (next.outType === "float32" || next.outType === "float16")
    );
  }),
];

export const reduced: Rule = [
  operands([1], 1, [1]),
  constraint(
    "axis",
    "is only supported with constant int32 axes.",
    (view) => isConstant(view, 1) && view.inputs[1]?.type === "int32",
    ({ inputs }) => inputs[1]?.type ?? "",
    SOURCE,
  ),
];

export const padded: readonly Constraint[] = [
  newest(2),
  operands([1], 1),
  constraint(
    "padding",
    "Invalid paddings tensor shape: expected 4x2 or 3x2",
    ({ inputs: [, pads] }) => {
      const shape = shapeOf(pads);
      return shape === undefined || (shape.length === 2 && (shape[0] === 3 || shape[0] === 4) && shape[1] === 2);
    },
    ({ inputs: [, pads] }) => pads?.shape?.join("x") ?? "",
    SOURCE,
  ),
];

export const threeOrFour = constraint(
  "rank",
  "supports for 3 or 4 dimensional tensors only",
  ({ inputs: [data] }) => [3, 4].includes(rankOf(data) ?? 4),
  ({ inputs: [data] }) => `node has ${rankOf(data) ?? "?"} dimensional tensors`,
  SOURCE,
);

export const masks = ["ellipsis_mask", "new_axis_mask", "shrink_axis_mask"].map((name) =>
  attribute(name, [0], 0, `StridedSlice does not support ${name}`, "mask"),
);

export const pooled: Rule = [newest(2), operands([1], 1), fused];

export const select: Rule = [
  newest(1),
  constraint(
    "operands",
    "Expected 3 inputs and 1 output",
    ({ inputs, outputs }) => inputs.length === 3 && outputs.length === 1,
  ),
  constraint(
    "broadcast",
    "if, else tensors must either be the same shape as output or constant, scalar.",
    (view) => {
      const out = shapeOf(view.outputs[0]);
      return [1, 2].every((at) => {
        const shape = shapeOf(view.inputs[at]);
        if (shape === undefined || out === undefined || shape.length === 0) return true;
        if (!isConstant(view, at) && shape.length === 2) return false;
        return shape.join() === out.join() || (shape.length === 1 && shape[0] === 1);
      });
    },
    undefined,
    SOURCE,
  ),
];

/** Variables are float, or 8 bits; some operators take and give truth values or int32 too. Five dimensions are too many. */
export function typed(inputs: readonly string[], outputs: readonly string[]): Constraint {
  const allowed = ["float32", "float16", "int8", "uint8"];
  const wrong = (view: View): string | undefined => {
    const all = [
      ...view.inputs.map((tensor, at) => ({
        tensor,
        also: inputs,
        fixed: tensor?.data !== undefined || isConstant(view, at),
      })),
      ...view.outputs.map((tensor) => ({ tensor, also: outputs, fixed: false })),
    ];
    for (const { tensor, also, fixed } of all) {
      if (tensor === undefined) continue;
      if ((rankOf(tensor) ?? 0) >= 5) return `${rankOf(tensor) ?? ""} dimensions`;
      if (!fixed && !allowed.includes(tensor.type) && !also.includes(tensor.type)) return tensor.type;
    }
    return undefined;
  };
  return constraint(
    "type",
    "OP is supported, but tensor type/shape isn't compatible.",
    (view) => wrong(view) === undefined,
    (view) => wrong(view) ?? "",
    `${LITERT} tflite/delegates/gpu/common/model_builder.cc`,
  );
}

export const extra: Readonly<Record<string, readonly [inputs: readonly string[], outputs: readonly string[]]>> = {
  CAST: [
    ["bool", "int32"],
    ["bool", "int32"],
  ],
  ONE_HOT: [["int32"], []],
  SELECT: [["bool"], []],
  SELECT_V2: [["bool"], []],
  LOGICAL_AND: [["bool"], ["bool"]],
  GATHER: [["int32"], []],
  EQUAL: [[], ["bool"]],
  NOT_EQUAL: [[], ["bool"]],
  GREATER: [[], ["bool"]],
  GREATER_EQUAL: [[], ["bool"]],
  LESS: [[], ["bool"]],
  LESS_EQUAL: [[], ["bool"]],
};

/** Only truth values to float and back, and int32 to float and back. */
export const cast: Rule = [
  operands([1], 1),
  constraint(
    "type",
    "Not supported Cast case",
    ({ inType, outType }) => {
      const float = (type: string | undefined): boolean => type === "float32" || type === "float16";
      const wide = (type: string | undefined): boolean => type === "float32" || type === "int32";
      return (
        (inType === "bool" && float(outType)) ||
        (float(inType) && outType === "bool") ||
        (wide(inType) && wide(outType))
      );
    },
    ({ inType, outType }) => `${inType ?? "?"} to ${outType ?? "?"}`,
    SOURCE,
  ),
];

export const binary: Rule = [newestOf.binary, pair, fused];
