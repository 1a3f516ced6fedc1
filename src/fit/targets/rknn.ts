/**
 * Rockchip's NPUs by rknn-toolkit2: one .rknn holds the whole graph, and its compiler says of each layer whether the NPU or the CPU of the
 * runtime has it. The rules are what its version 2.5.0 did with some 230 graphs of one operator each and with 25 networks, beside Rockchip's
 * lists for 2.3.2. Windows beyond the lists' limits (kernels of 33, strides of 8, depthwise 11x11) it takes apart by itself and keeps.
 */

import {
  axisFromBack,
  given,
  listOf,
  numberOf,
  outputShape,
  padsOf,
  scaleOf,
  shapeOf,
  textOf,
  valuesOf,
} from "../onnx-rules.ts";
import { constraint } from "../rules.ts";
import type { Constraint, Rule, Target } from "../target.ts";
import type { View } from "../view.ts";

const LISTS =
  "github.com/airockchip/rknn-toolkit2@59a913d doc/05_RKNN_Compiler_Support_Operator_List_V2.3.2.pdf, RKNNToolKit2_OP_Support-2.3.2.md";
const RUN =
  "rknn-toolkit2 2.5.0, run on graphs of one operator and on exported networks: target NPU or CPU of its layer table";

const says = (words: string): string => `${words}: the layer runs on the CPU`;

/** Convolutions of any window; what the registers do not hold is taken apart. */
const taken =
  "Conv ConvTranspose Relu Sigmoid Tanh Elu Softplus HardSigmoid HardSwish LeakyRelu PRelu Clip Add Sub Mul Max Abs Neg Sqrt ReduceMean ReduceSum GlobalAveragePool GlobalMaxPool MaxPool Concat Split Pad DepthToSpace BatchNormalization Gemm MatMul Gather GatherElements Expand Tile LpNormalization CumSum Einsum ScatterND Squeeze Unsqueeze Flatten Reshape Transpose InstanceNormalization LayerNormalization LSTM GRU Hardmax ThresholdedRelu Where And Gelu";

/** What it always leaves to the runtime's CPU operators. */
const refused =
  "Mish Exp Log Floor Ceil Round Sign Softsign Selu Reciprocal Min ReduceMax ReduceMin ReduceProd ReduceL1 ReduceSumSquare ReduceLogSum ReduceLogSumExp LogSoftmax ArgMax ArgMin SpaceToDepth TopK GridSample LRN Greater GreaterOrEqual Less LessOrEqual Equal Not Or Xor Sin Cos Tan Asin Acos Atan Sinh Cosh Asinh Acosh Atanh Celu Shrink Mod GatherND ScatterElements Trilu RNN RoiAlign IsNaN NonMaxSuppression NonZero OneHot MaxUnpool";

const pow: Rule = [
  constraint("exponent", says("Pow is taken with a constant scalar exponent only"), (view) =>
    view.constant[1] !== true ? false : shapeOf(view, 1)?.every((one) => one === 1),
  ),
  constraint(
    "exponent",
    says("a square root of quantised values is not taken"),
    (view) => !view.quantized || (valuesOf(view, 1)?.[0] ?? 2) >= 1,
  ),
];

const average: Rule = [
  constraint("count_include_pad", says("average pooling with padding needs count_include_pad = 1"), (view) => {
    if (numberOf(view, "count_include_pad", 0) === 1) return true;
    return padsOf(view)?.every((one) => one === 0);
  }),
];

const slice: Rule = [
  constraint("steps", says("Slice with steps"), (view) =>
    given(view, 4) ? valuesOf(view, 4)?.every((one) => one === 1) : true,
  ),
];

const resize: Rule = [
  constraint("mode", "nearest2d and bilinear only", (view) => textOf(view, "mode", "nearest") !== "cubic"),
  constraint(
    "coordinate_transformation_mode",
    says("linear Resize with align_corners"),
    (view) =>
      textOf(view, "mode", "nearest") !== "linear" ||
      textOf(view, "coordinate_transformation_mode", "half_pixel") !== "align_corners",
  ),
  constraint(
    "scale",
    says("linear Resize by a broken factor"),
    (view) =>
      textOf(view, "mode", "nearest") !== "linear" ||
      scaleOf(view)?.every((one) => Number.isInteger(one) || Number.isInteger(1 / one)),
    (view) => `scales ${scaleOf(view)?.join(" and ") ?? "not known"}`,
  ),
];

/** The RK3562 scales by any factor, and with align_corners. */
const anyScale: Rule = [
  constraint("mode", "nearest2d and bilinear only", (view) => textOf(view, "mode", "nearest") !== "cubic"),
];

const cast: Rule = [
  constraint(
    "type",
    says("Cast to or from an integer"),
    ({ outType, inType }) => {
      if (outType === undefined) return undefined;
      if (!/^(?:float|bfloat)/.test(outType)) return false;
      return inType === undefined || inType === "unknown" ? undefined : !/^u?int/.test(inType);
    },
    ({ outType }) => `to ${outType ?? "?"}`,
  ),
];

/** Erf is known as part of GELU: x * (1 + erf(x / √2)). */
const erf: Rule = [
  constraint("pattern", says("Erf outside of GELU"), (view) => {
    const after = view.around?.users(view) ?? [];
    return (
      after.length === 1 &&
      after[0]?.spelled === "Add" &&
      view.around?.users(after[0]).every(({ spelled }) => spelled === "Mul")
    );
  }),
];

const softmax: Rule = [
  constraint(
    "size",
    says("Softmax over more than 8192"),
    (view) => {
      const axis = axisFromBack(view, -1);
      const size = axis === undefined ? undefined : view.inShape?.at(axis);
      return size === undefined ? undefined : size <= 8192;
    },
    (view) => view.inShape?.join("x") ?? "",
  ),
];

/** Rows of the NPU's memory are 16 bytes wide: data that changes rows must fill them. */
const ROW = 8;
const aligned: Constraint = constraint(
  "alignment",
  says(`a Reshape that changes channels and rows that are no multiple of ${ROW}`),
  (view) => {
    const [from, to] = [view.inShape, outputShape(view)];
    if (from === undefined || to === undefined) return undefined;
    if (from[1] === to[1] && from.length > 2 && to.length > 2) return true;
    const [row, wide] = [from.at(-1) ?? 1, to.at(-1) ?? 1];
    return row === wide || [row, wide].every((one) => one === 1 || one % ROW === 0);
  },
  (view) => `${view.inShape?.join("x") ?? "?"} to ${outputShape(view)?.join("x") ?? "?"}`,
);

/** A quotient of two computed int8 tensors. */
const div: Rule = [
  constraint(
    "quantization",
    says("Div of two quantised tensors"),
    (view) => !view.quantized || view.constant[1] === true,
  ),
  constraint("constant", says("a constant divided by a tensor"), ({ constant }) => constant[0] !== true),
];

const common: Readonly<Record<string, Rule>> = {
  ...Object.fromEntries(taken.split(" ").map((name) => [name, []])),
  ...Object.fromEntries(refused.split(" ").map((name): [string, Rule] => [name, "no"])),
  Pow: pow,
  Div: div,
  AveragePool: average,
  Slice: slice,
  Resize: resize,
  Upsample: resize,
  Cast: cast,
  Erf: erf,
  Softmax: softmax,
  Reshape: [aligned],
  Flatten: [aligned],
  Squeeze: [aligned],
  ReduceL2: [
    constraint("quantization", says("its square root of quantised values is not taken"), ({ quantized }) => !quantized),
  ],
  Gather: [
    constraint("constant input", "indices that are computed were not tried", ({ constant }) =>
      constant[1] === true ? true : undefined,
    ),
  ],
  GatherElements: [
    constraint("constant input", "indices that are computed were not tried", ({ constant }) =>
      constant[1] === true ? true : undefined,
    ),
  ],
  ScatterND: [
    constraint("constant input", "indices that are computed were not tried", ({ constant }) =>
      constant[1] === true ? true : undefined,
    ),
  ],
  Loop: "unsure",
  If: "unsure",
};

/** Moved data stays with the CPU on the RK3566, unless it is folded into a convolution (a channel shuffle). */
const shuffled: Rule = [
  constraint("layout", says("Reshape and Transpose outside of a channel shuffle"), (view) => {
    const near = [view.around?.maker(view, 0), ...(view.around?.users(view) ?? [])].map((one) => one?.spelled);
    if (view.spelled === "Transpose")
      return near.filter((name) => name === "Reshape").length >= 2 && (listOf(view, "perm")?.length ?? 0) === 5;
    const middle = [view.around?.maker(view, 0), ...(view.around?.users(view) ?? [])].find(
      (one) => one?.spelled === "Transpose",
    );
    return middle !== undefined && (listOf(middle, "perm")?.length ?? 0) === 5;
  }),
];

const channelMax: Rule = [
  constraint("axis", says("ReduceMax along anything but channels"), (view: View) => {
    const axes = listOf(view, "axes") ?? valuesOf(view, 1);
    return axes === undefined
      ? undefined
      : axes.length === 1 && (axes[0] === 1 || axes[0] === 1 - (view.inShape?.length ?? 0));
  }),
];

interface Chip {
  readonly id: string;
  readonly name: string;
  readonly devices: readonly string[];
  readonly differs: Readonly<Record<string, Rule>>;
}

/** Chips that compute in int8 alone. */
const integerOnly: Readonly<Record<string, Rule>> = {
  InstanceNormalization: "no",
  LpNormalization: "no",
  LayerNormalization: "no",
  GRU: "no",
  ReduceL2: "no",
  Div: [constraint("quantization", says("Div of two computed tensors"), ({ constant }) => constant[1] === true)],
};

const chips: readonly Chip[] = [
  { id: "rknn-rk3588", name: "RK3588", devices: ["rockchip/rk3588"], differs: {} },
  {
    id: "rknn-rk3566",
    name: "RK3566, RK3568",
    devices: ["rockchip/rk3568"],
    differs: { Softmax: "no", Reshape: shuffled, Transpose: shuffled, Flatten: "no", Unsqueeze: "no" },
  },
  {
    id: "rknn-rk3562",
    name: "RK3562",
    devices: ["rockchip/rk3562"],
    differs: { Resize: anyScale, Upsample: anyScale },
  },
  {
    id: "rknn-rk3576",
    name: "RK3576, RV1126B",
    devices: ["rockchip/rk3576", "rockchip/rv1126b"],
    differs: {
      Sin: [],
      Cos: [],
      Greater: [],
      ReduceMax: channelMax,
      MaxPool: [
        constraint(
          "dilation",
          "MaxPool dilations, only support dilations=1",
          ({ dilation }) => dilation === undefined || dilation.every((one) => one === 1),
        ),
      ],
    },
  },
  {
    id: "rknn-rv1106",
    name: "RV1103, RV1106",
    devices: ["rockchip/rv1106"],
    differs: integerOnly,
  },
  {
    id: "rknn-rv1106b",
    name: "RV1103B, RV1106B",
    devices: [],
    differs: {
      ...integerOnly,
      LSTM: "no",
      Pow: "no",
      Softmax: [
        constraint("axis", says("Softmax along the last of four dimensions"), (view) => {
          const axis = axisFromBack(view, -1);
          const rank = view.inShape?.length;
          return axis === undefined || rank === undefined ? undefined : rank < 4 || axis !== -1;
        }),
      ],
      Pad: [
        constraint(
          "mode",
          "Pad: RKNPU not support mode reflect, fallback CPU implement.",
          (view) => textOf(view, "mode", "constant") === "constant",
        ),
      ],
    },
  },
  {
    id: "rknn-rk2118",
    name: "RK2118",
    devices: [],
    differs: { GRU: "no", LayerNormalization: "no", InstanceNormalization: "no" },
  },
];

const integerAlone = new Set(["rknn-rv1106", "rknn-rv1106b"]);

const targets: readonly Target[] = chips.map(({ id, name, devices, differs }) => ({
  id,
  name: `Rockchip ${name}`,
  tool: "rknn-toolkit2",
  version: "2.5.0",
  devices,
  formats: ["onnx"],
  names: "onnx",
  confidence: id === "rknn-rk2118" ? "documents" : "run",
  sources: [RUN, LISTS],
  preconditions: [
    {
      rule: "dynamic",
      says: "shapes must be static (or a list of them: dynamic_input)",
      holds: ({ dynamic }) => (dynamic === undefined ? undefined : !dynamic),
      else: "refuses",
      cure: "Fix the shapes of the inputs (inputs, input_size_list of load_onnx).",
      source: LISTS,
    },
    {
      rule: "opset",
      says: "opset 12 to 19",
      holds: ({ opset }) => (opset === undefined ? undefined : opset >= 12 && opset <= 19),
      else: "warns",
      cure: "Convert the opset with onnx.version_converter; the toolkit converts many older ones itself.",
      source: LISTS,
    },
    ...(integerAlone.has(id)
      ? [
          {
            rule: "quantization",
            says: "RV1103 and RV1106 have no float16: the model is quantised when it is built",
            holds: () => undefined,
            else: "warns" as const,
            cure: "Give a data set of samples to rknn.build(do_quantization=True).",
            source: LISTS,
          },
        ]
      : []),
  ],
  every: [],
  operators: { ...common, ...differs },
  others: "unsure",
  otherSays: "not in Rockchip's lists and not tried",
  partition: { way: "subgraphs" },
  melts: ["Identity", "Dropout", "Constant", "QuantizeLinear", "DequantizeLinear"],
}));

export default targets;
