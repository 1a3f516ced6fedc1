/**
 * TFLite's GPU delegate (OpenCL, OpenGL ES, Metal), as it decides node by node: kinds of operators and their newest versions
 * (tflite/delegates/gpu/common/model_builder.cc), operands and options (tflite/tools/versioning/gpu_compatibility.cc). 8-bit models run as
 * float. By default the largest partition alone is taken.
 */

import type { Constraint, Rule, Target } from "../target.ts";
import { constraint } from "../rules.ts";
import { attribute, rankOf, shapeOf, version } from "../tflite-rules.ts";
import type { View } from "../view.ts";

const LITERT = "github.com/google-ai-edge/LiteRT@f67457790c9c2ab67347d6fe53270e8d3df20868";
const SOURCE = `${LITERT} tflite/tools/versioning/gpu_compatibility.cc`;

/** Constants, float16 weights that DEQUANTIZE blows up among them, are no inputs of the running graph. */
const isConstant = (view: View, at: number): boolean =>
  view.inputs[at]?.data !== undefined ||
  (view.around?.maker(view, at)?.spelled === "DEQUANTIZE" && view.constant[at] === true);
const runtimeInputs = (view: View): number =>
  view.inputs.filter((tensor, at) => tensor !== undefined && !isConstant(view, at)).length;
const constantInputs = (view: View): number =>
  view.inputs.filter((tensor, at) => tensor !== undefined && isConstant(view, at)).length;

/** How many inputs vary, how many are constant, how many outputs there are. */
function operands(runtime: readonly number[], outputs: number, constants?: readonly number[]): Constraint {
  return constraint(
    "operands",
    `Expected ${runtime.join(" or ")} runtime input tensor(s)${constants === undefined ? "" : ` and ${constants.join(" or ")} const`}`,
    (view) =>
      runtime.includes(runtimeInputs(view)) &&
      view.outputs.length === outputs &&
      (constants === undefined || constants.includes(constantInputs(view))),
    (view) =>
      `node has ${runtimeInputs(view)} runtime input(s), ${constantInputs(view)} const, ${view.outputs.length} output(s)`,
    SOURCE,
  );
}

/** Two operands, at most one of them constant. */
const pair = constraint(
  "operands",
  "Op can only handle 1 or 2 operand(s).",
  (view) =>
    view.outputs.length === 1 &&
    ((runtimeInputs(view) === 2 && constantInputs(view) === 0) ||
      (runtimeInputs(view) === 1 && constantInputs(view) === 1)),
  (view) => `node has ${runtimeInputs(view)} runtime input(s), ${constantInputs(view)} const`,
  SOURCE,
);

const newest = (most: number): Constraint => version(1, most, "Max version supported");
const newestOf = {
  binary: newest(2),
  unary: [newest(2), operands([1], 1, [0])],
} as const;

const fused = constraint(
  "activation",
  "TfLiteFusedActivation is not supported",
  ({ activation }) => activation !== "SIGN_BIT",
  ({ activation }) => activation ?? "",
);

const convolved: readonly Constraint[] = [
  constraint(
    "operands",
    "Expected 1 or 2 input tensor(s)",
    (view) => runtimeInputs(view) >= 1 && runtimeInputs(view) <= 2 && view.outputs.length === 1,
    (view) => `node has ${runtimeInputs(view)} runtime inputs`,
    SOURCE,
  ),
  fused,
];

const depthwise: Rule = [
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
const broadcast = constraint(
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

const twoInputs = constraint("operands", "requires two input tensors", ({ inputs }) => inputs.length === 2);

/** The result of a comparison is taken where one CAST or SELECT makes a float of it. */
const comparison: Rule = [
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

const reduced: Rule = [
  operands([1], 1, [1]),
  constraint(
    "axis",
    "is only supported with constant int32 axes.",
    (view) => isConstant(view, 1) && view.inputs[1]?.type === "int32",
    ({ inputs }) => inputs[1]?.type ?? "",
    SOURCE,
  ),
];

const padded: Rule = [
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

const threeOrFour = constraint(
  "rank",
  "supports for 3 or 4 dimensional tensors only",
  ({ inputs: [data] }) => [3, 4].includes(rankOf(data) ?? 4),
  ({ inputs: [data] }) => `node has ${rankOf(data) ?? "?"} dimensional tensors`,
  SOURCE,
);

const masks = ["ellipsis_mask", "new_axis_mask", "shrink_axis_mask"].map((name) =>
  attribute(name, [0], 0, `StridedSlice does not support ${name}`, "mask"),
);

const pooled: Rule = [newest(2), operands([1], 1), fused];

const select: Rule = [
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
function typed(inputs: readonly string[], outputs: readonly string[]): Constraint {
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

const extra: Readonly<Record<string, readonly [inputs: readonly string[], outputs: readonly string[]]>> = {
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
const cast: Rule = [
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

const binary: Rule = [newestOf.binary, pair, fused];

const rules: Readonly<Record<string, Rule>> = {
  ABS: newestOf.unary,
  ADD: [newestOf.binary, twoInputs, broadcast],
  ADD_N: [
    newestOf.binary,
    constraint("operands", "ADD_N only supports 2 inputs.", ({ inputs }) => inputs.length === 2),
  ],
  AVERAGE_POOL_2D: pooled,
  BATCH_MATMUL: [
    constraint(
      "operands",
      "Expected 2 inputs and 1 output",
      ({ inputs, outputs }) => inputs.length === 2 && outputs.length === 1,
    ),
  ],
  CAST: cast,
  CONCATENATION: [newest(2)],
  CONV_2D: [newest(6), ...convolved],
  COS: newestOf.unary,
  CUMSUM: [
    newest(1),
    constraint(
      "operands",
      "indices must be constant int32 type",
      (view) => isConstant(view, 1) && view.inputs[1]?.type === "int32",
    ),
  ],
  DENSIFY: [newest(1), operands([0], 1)],
  DEPTHWISE_CONV_2D: depthwise,
  DEPTH_TO_SPACE: [
    operands([1], 1),
    constraint(
      "block",
      "DEPTH_TO_SPACE block_size must be > 1.",
      ({ node }) => Number(node.attributes["block_size"] ?? 0) > 1,
    ),
  ],
  // float16 weights stay with the operators that take them where all else goes to the GPU; else the CPU makes float32 of them.
  DEQUANTIZE: [
    newest(3),
    constraint(
      "neighbour",
      "stays on the CPU where another operator does",
      (view) => view.inputs[0]?.type !== "float16" || view.inputs[0].data === undefined || isAllTaken(view),
    ),
    constraint(
      "type",
      "Unsupported dequantization type.",
      ({ inputs: [data] }) => data?.type !== "int16",
      ({ inputs: [data] }) => data?.type ?? "",
    ),
  ],
  DIV: binary,
  ELU: newestOf.unary,
  EQUAL: comparison,
  EXP: newestOf.unary,
  FLOOR: newestOf.unary,
  FLOOR_DIV: binary,
  FLOOR_MOD: binary,
  FULLY_CONNECTED: [
    newest(9),
    attribute("weights_format", ["DEFAULT"], "DEFAULT", "Unsupported FullyConnected weights format"),
    constraint(
      "operands",
      "FullyConnected doesn't support more than 2 runtime inputs.",
      (view) => runtimeInputs(view) <= 2,
    ),
    constraint("operands", "FullyConnected doesn't support constant input.", (view) => !isConstant(view, 0)),
    constraint(
      "rank",
      "Input and output dimensions different and FullyConnected doesn't support keep_num_dims.",
      ({ node, inputs, outputs }) =>
        node.attributes["keep_num_dims"] !== true || rankOf(inputs[0]) === rankOf(outputs[0]),
    ),
  ],
  GATHER: [
    newest(1),
    pair,
    constraint("rank", "Only support 1D indices", ({ inputs: [, indices] }) => (rankOf(indices) ?? 1) === 1),
    constraint(
      "type",
      "Only accept INT32 indices",
      ({ inputs: [, indices] }) => indices?.type === "int32",
      ({ inputs: [, indices] }) => indices?.type ?? "",
    ),
  ],
  GELU: newestOf.unary,
  GREATER: comparison,
  GREATER_EQUAL: comparison,
  HARD_SWISH: [operands([1], 1)],
  LEAKY_RELU: [newest(2)],
  LESS: comparison,
  LESS_EQUAL: comparison,
  LOG: newestOf.unary,
  LOGICAL_AND: binary,
  LOGISTIC: newestOf.unary,
  LSTM: [
    newest(4),
    constraint(
      "operands",
      "Expected 20 or 24 input tensors",
      ({ node }) =>
        node.attributes["kernel_type"] === "BASIC" || node.inputs.length === 20 || node.inputs.length === 24,
    ),
  ],
  MAXIMUM: binary,
  MAX_POOL_2D: pooled,
  MEAN: reduced,
  MINIMUM: binary,
  MIRROR_PAD: [
    ...padded,
    attribute("mode", ["REFLECT"], "REFLECT", "Only Reflective padding is supported for Mirror Pad operation."),
  ],
  MUL: [newest(3), twoInputs, broadcast, fused],
  NEG: newestOf.unary,
  NOT_EQUAL: comparison,
  ONE_HOT: [
    newest(1),
    constraint(
      "type",
      "Indices must be int32 type, on/off tensors must be constant, scalar, float type",
      ({ inputs }) =>
        inputs[0]?.type === "int32" &&
        [2, 3].every(
          (at) => inputs[at]?.type === "float32" && inputs[at].data !== undefined && (rankOf(inputs[at]) ?? 0) <= 1,
        ),
    ),
    attribute("axis", [-1], -1, "axis must be -1 or last dim"),
  ],
  PACK: [],
  PAD: padded,
  PADV2: padded,
  POW: binary,
  PRELU: [newest(1)],
  QUANTIZE: [newest(2), operands([1], 1)],
  REDUCE_MAX: reduced,
  REDUCE_MIN: reduced,
  REDUCE_PROD: reduced,
  RELU: [newest(2)],
  RELU6: [newest(2)],
  RELU_0_TO_1: [newest(2)],
  RELU_N1_TO_1: [newest(2)],
  RESHAPE: [newest(1), operands([1], 1)],
  RESIZE_BILINEAR: [
    newest(3),
    operands([1], 1),
    constraint(
      "align_corners",
      "If half_pixel_centers is True, align_corners must be False.",
      ({ node }) => node.attributes["align_corners"] !== true || node.attributes["half_pixel_centers"] !== true,
    ),
  ],
  RESIZE_NEAREST_NEIGHBOR: [newest(3), operands([1], 1)],
  RSQRT: newestOf.unary,
  SELECT: select,
  SELECT_V2: select,
  SIGN: newestOf.unary,
  SIN: newestOf.unary,
  SLICE: [newest(2), threeOrFour],
  SOFTMAX: [newest(2), attribute("beta", [1], 0, "Softmax.beta != 1 is not supported.")],
  SPACE_TO_DEPTH: [
    newest(2),
    operands([1], 1),
    constraint(
      "block",
      "SPACE_TO_DEPTH block_size must be > 1.",
      ({ node }) => Number(node.attributes["block_size"] ?? 0) > 1,
    ),
  ],
  SPLIT: [],
  SPLIT_V: [],
  SQRT: newestOf.unary,
  SQUARE: newestOf.unary,
  SQUARED_DIFFERENCE: binary,
  STRIDED_SLICE: [newest(4), ...masks, threeOrFour],
  SUB: binary,
  SUM: reduced,
  TANH: newestOf.unary,
  TILE: [operands([1], 1)],
  TRANSPOSE: [newest(4), operands([1], 1)],
  TRANSPOSE_CONV: [newest(3), ...convolved],
  UNPACK: [],
  Convolution2DTransposeBias: [],
  MaxPoolingWithArgmax2D: [operands([1], 2)],
  MaxUnpooling2D: [operands([2], 1)],
  Resampler: [
    operands([2], 1),
    constraint(
      "rank",
      "src or warp dims size != 4",
      ({ inputs }) => (rankOf(inputs[0]) ?? 4) === 4 && (rankOf(inputs[1]) ?? 4) === 4,
    ),
  ],
};

const operators: Readonly<Record<string, Rule>> = Object.fromEntries(
  Object.entries(rules).map(([name, rule]): [string, Rule] => {
    const [inputs, outputs] = extra[name] ?? [[], []];
    return [name, typeof rule === "string" ? rule : [...rule, typed(inputs, outputs)]];
  }),
);

const whole = new WeakMap<object, boolean>();

/** Whether the delegate takes everything but the DEQUANTIZE of float16 weights. Asked once for a graph. */
function isAllTaken({ around }: View): boolean {
  if (around === undefined) return true;
  const held = whole.get(around);
  if (held !== undefined) return held;
  const all = around.all().every((view) => {
    if (view.spelled === "DEQUANTIZE" && view.inputs[0]?.type === "float16" && view.inputs[0].data !== undefined)
      return true;
    const own = Object.hasOwn(operators, view.spelled) ? operators[view.spelled] : undefined;
    return typeof own === "object" && own.every((one) => one.holds(view) !== false);
  });
  whole.set(around, all);
  return all;
}

const gpu: Target = {
  id: "tflite-gpu",
  name: "GPU by TFLite's delegate",
  tool: "TFLite GPU delegate",
  version: "LiteRT of 2026-08-21",
  devices: [],
  formats: ["tflite"],
  names: "tflite",
  confidence: "source",
  sources: [SOURCE, `${LITERT} tflite/delegates/gpu/common/model_builder.cc`],
  preconditions: [],
  every: [],
  operators,
  others: "no",
  otherSays: "Operation is not supported.",
  // max_delegated_partitions is 1 unless asked otherwise (delegate_options.cc).
  partition: { way: "subgraphs", most: 1 },
};

export default [gpu];
