/** AXERA's NPUs by Pulsar2: a model becomes one .axmodel, or the compiler stops at the operator it does not know. */

import {
  axisBack,
  constants,
  given,
  listOf,
  numberOf,
  says,
  scaleOf,
  shapeOf,
  textOf,
  without,
} from "../onnx-rules.ts";
import { constraint } from "../rules.ts";
import type { Constraint, Rule, Target } from "../target.ts";

const source = (chip: string): string =>
  `github.com/AXERA-TECH/pulsar2-docs@b32f7c1 source/appendix/op_support_list_${chip}.md`;

const plain =
  "Abs Add And Ceil Clip Constant ConstantOfShape Cos DepthToSpace Div Elu Equal Erf Exp Expand Flatten Floor GatherElements GatherND Gelu GlobalAveragePool GlobalMaxPool Greater GreaterOrEqual GridSample GroupNormalization HardSigmoid HardSwish Identity InverseSigmoid LeakyRelu Less LessOrEqual LogSoftmax MatMul Max Min Mish Mul Neg Not Relu RMSNormalization RotaryEmbedding Round ScatterElements ScatterND Sigmoid Silu Sin Slice Softplus Split Sqrt Sub Swish Tanh Tile TopK Where Xor";

const notSet: Constraint = says("auto_pad", ["NOTSET"], "NOTSET", "auto_pad: only NOTSET is supported");
const noOp: Constraint = without("noop_with_empty_axes", "noop_with_empty_axes: not supported yet");
const argument: Rule = [says("select_last_index", [0], 0, "select_last_index: must be 0")];
const last = axisBack([-1], -1, "axis: only -1 (last dim) is supported for now");

const undilated: Constraint = constraint(
  "dilation",
  "dilations: only 1 is supported",
  ({ dilation }) => dilation === undefined || dilation.every((one) => one === 1),
  ({ dilation }) => `dilation ${dilation?.join("x") ?? ""}`,
);

/** Everything of the AX650, the longest list but for one operator. */
const operators: Readonly<Record<string, Rule>> = {
  ...Object.fromEntries(plain.split(" ").map((name) => [name, []])),
  ArgMax: argument,
  ArgMin: argument,
  AveragePool: [notSet, says("count_include_pad", [1], 0, "count_include_pad: must be 1")].map((one) =>
    // Without padding both are the same.
    one.rule === "count_include_pad" ? { ...one, holds: (view) => padless(view) || one.holds(view) } : one,
  ),
  BatchNormalization: [says("training_mode", [0], 0, "training_mode: not supported")],
  Cast: [
    constraint(
      "type",
      "to: uint8, int8, uint16, int16, uint32, int32, float32",
      ({ outType }) => outType && ["uint8", "int8", "uint16", "int16", "uint32", "int32", "float32"].includes(outType),
      ({ outType }) => outType ?? "",
    ),
  ],
  Concat: [],
  Conv: [notSet],
  ConvTranspose: [
    notSet,
    undilated,
    without("output_shape", "output_shape: not supported yet"),
    constraint("output_padding", "output_padding must not be larger than the padding of bottom and right", (view) => {
      const [extra, pads] = [listOf(view, "output_padding"), listOf(view, "pads")];
      return extra === undefined || extra.every((one, at) => one <= (pads?.[at + 2] ?? 0));
    }),
  ],
  CumSum: [
    says("exclusive", [0], 0, "exclusive: only 0 is supported"),
    says("reverse", [0], 0, "reverse: only 0 is supported"),
  ],
  Gather: [constraint("indices", "indices: only 1-D for now", (view) => (shapeOf(view, 1)?.length ?? 1) <= 1)],
  Gemm: [says("alpha", [1], 1, "alpha: not supported yet"), says("beta", [1], 1, "beta: not supported yet")],
  InstanceNormalization: [],
  LayerNormalization: [last],
  LpNormalization: [last, says("p", [1, 2], 2, "p: only 1 or 2")],
  LSTM: [
    without("activation_alpha", "activation_alpha: not supported for now"),
    without("activation_beta", "activation_beta: not supported for now"),
    without("activations", "activations: not supported for now"),
    without("clip", "clip: not supported for now"),
    says("input_forget", [0], 0, "input_forget: not supported for now"),
    says("layout", [0], 0, "layout: must be 0"),
    constraint("inputs", "sequence_lens and P: not supported", (view) => !given(view, 4) && !given(view, 7)),
  ],
  MaxPool: [notSet, undilated, says("storage_order", [0], 0, "storage_order: must be 0")],
  Pad: [
    says("mode", ["constant"], "constant", "mode: only constant is supported"),
    constraint("axes", "axes: not supported yet", (view) => !given(view, 3)),
  ],
  Pow: [
    constants([1], "exponent: only as an initializer"),
    constraint("shape", "exponent: only a scalar", (view) => shapeOf(view, 1)?.every((one) => one === 1)),
  ],
  PRelu: [
    constraint("shape", "slope: only (channel,) or (1, channel, 1, 1)", (view) => {
      const slope = shapeOf(view, 1);
      if (slope === undefined || view.inShape?.length !== 4) return slope === undefined ? undefined : true;
      return slope.filter((one) => one !== 1).length <= 1;
    }),
  ],
  ReduceL2: [noOp],
  ReduceMax: [noOp],
  ReduceMean: [noOp],
  ReduceMin: [noOp],
  ReduceSum: [noOp],
  Reshape: [],
  Resize: [
    says("mode", ["nearest", "linear"], "nearest", "mode: nearest or linear"),
    constraint(
      "nearest_mode",
      "nearest_mode: must be round_prefer_ceil",
      (view) => {
        if (textOf(view, "mode", "nearest") !== "nearest") return true;
        if (textOf(view, "nearest_mode", "round_prefer_floor") === "round_prefer_ceil") return true;
        // Whole factors give the same pixels by either way, and AXERA's own samples (YOLO) have floor with asymmetric.
        return scaleOf(view)?.every(Number.isInteger) === true;
      },
      (view) => textOf(view, "nearest_mode", "round_prefer_floor") ?? "",
    ),
  ],
  RoiAlign: [
    constraint(
      "sampling_ratio",
      "sampling_ratio: 0 is not supported",
      (view) => numberOf(view, "sampling_ratio", 0) !== 0,
    ),
  ],
  Softmax: [],
  SpaceToDepth: [],
  SpatialTransformer: [],
  Squeeze: [],
  Transpose: [],
  Unsqueeze: [],
};

function padless(view: Parameters<Constraint["holds"]>[0]): boolean {
  return view.padding === "valid";
}

const without650 = (missing: string): Readonly<Record<string, Rule>> =>
  Object.fromEntries(Object.entries(operators).filter(([name]) => !missing.split(" ").includes(name)));

/** Kept within small sizes; how small is not said. */
const small = constraint("size", "small sizes only", () => undefined);

const depthColumnRow: Rule = [says("mode", ["DCR"], "DCR", "mode: only DCR for now")];

const missing620 =
  "And Cos Floor GatherElements GatherND GridSample GroupNormalization InverseSigmoid LogSoftmax RMSNormalization ReduceMin ReduceSum RoiAlign RotaryEmbedding Round ScatterElements ScatterND Tile Xor";

const base = (chip: string): Omit<Target, "id" | "name" | "devices" | "operators"> => ({
  tool: "Pulsar2",
  version: "5.x, 6.x (2026-04)",
  formats: ["onnx"],
  names: "onnx",
  confidence: "documents",
  sources: [source(chip)],
  preconditions: [
    {
      rule: "opset",
      says: "ONNX opset must be at least 11",
      holds: ({ opset }) => (opset === undefined ? undefined : opset >= 11),
      else: "warns",
      cure: "Convert the opset with onnx.version_converter.",
      source: source(chip),
    },
    {
      rule: "dynamic",
      says: "shapes must be static",
      holds: ({ dynamic }) => (dynamic === undefined ? undefined : !dynamic),
      else: "refuses",
      cure: "Fix the shapes of the inputs (input_shapes of the build).",
      source: source(chip),
    },
  ],
  every: [],
  others: "no",
  otherSays: "op is not supported",
  partition: { way: "whole" },
  melts: ["Identity", "Dropout", "Constant"],
});

const targets: readonly Target[] = [
  { ...base("ax650"), id: "axera-ax650", name: "AXERA AX650", devices: ["axera/ax650"], operators },
  { ...base("ax637"), id: "axera-ax637", name: "AXERA AX637", devices: [], operators: { ...operators, Bevpool: [] } },
  {
    ...base("ax620e"),
    id: "axera-ax620e",
    name: "AXERA AX620E, AX630C",
    devices: [],
    operators: { ...without650(missing620), DepthToSpace: depthColumnRow },
  },
  {
    ...base("ax615"),
    id: "axera-ax615",
    name: "AXERA AX615",
    devices: [],
    operators: {
      ...without650(`${missing620} ConstantOfShape CumSum Not Where`),
      DepthToSpace: depthColumnRow,
      InstanceNormalization: [small],
      LayerNormalization: [last, small],
      LpNormalization: [last, says("p", [1, 2], 2, "p: only 1 or 2"), small],
    },
  },
];

export default targets;
