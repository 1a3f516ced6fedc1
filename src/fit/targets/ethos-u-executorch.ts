/**
 * Arm's Ethos-U55 and U85 by ExecuTorch: an operator is lowered to TOSA (INT profile; backends/arm/operator_support), which Vela then
 * compiles. U55 takes a subset with limits on windows.
 */

import { constraint, only } from "../rules.ts";
import type { Constraint, Rule, Target } from "../target.ts";
import { EXECUTORCH, executorch, onlyNearest, quantisedFirst, rankUpTo, scaleIn } from "../executorch-rules.ts";
import type { View } from "../view.ts";

const SUPPORT = `${EXECUTORCH} backends/arm/operator_support`;

const ranked = rankUpTo(6, "rank must be at most 6");
const noInt64 = constraint(
  "type",
  "int64 is not supported",
  ({ inputs, outputs, constant }) =>
    inputs.every((tensor, at) => tensor?.type !== "int64" || constant[at] === true) &&
    outputs.every((tensor) => tensor?.type !== "int64"),
);

const pair = (values: readonly number[] | undefined): string => values?.join("x") ?? "?";

/** Kernel height up to 64, kernel area up to 4096, channels up to 65536, strides up to 3 or no padding and no dilation. */
const convolution: readonly Constraint[] = [
  constraint(
    "kernel",
    "Convolution needs to have kernel_y<=64, kernel_x*kernel_y<=4096",
    ({ kernel }) => kernel === undefined || (kernel[0] <= 64 && kernel[0] * kernel[1] <= 4096),
    ({ kernel }) => `kernel ${pair(kernel)}`,
    `${SUPPORT}/convolution_support.py`,
  ),
  constraint(
    "channels",
    "Convolution must have C <= 65536",
    ({ inChannels }) => inChannels === undefined || inChannels <= 65536,
    ({ inChannels }) => `C ${inChannels ?? "?"}`,
  ),
  constraint(
    "stride",
    "Failed condition on stride, pad and dilation combination.",
    ({ stride, dilation, padding, kernel, inSize, outSize }) => {
      if (stride === undefined || Math.max(...stride) <= 3) return true;
      if (dilation !== undefined && Math.max(...dilation) > 1) return false;
      if (padding === "valid") return true;
      if (padding === undefined || kernel === undefined || inSize === undefined || outSize === undefined)
        return undefined;
      // Padded where the windows reach beyond the input.
      return [0, 1].every(
        (at) => ((outSize[at] ?? 1) - 1) * (stride[at] ?? 1) + (kernel[at] ?? 1) <= (inSize[at] ?? 1),
      );
    },
    ({ stride }) => `stride ${pair(stride)}`,
    `${SUPPORT}/convolution_support.py`,
  ),
];

const transposed: readonly Constraint[] = [
  constraint(
    "kernel",
    "Kernel Height * Kernel Width must be in the range [1;4096]",
    ({ kernel }) => kernel === undefined || (kernel[0] <= 64 && kernel[0] * kernel[1] <= 4096),
    ({ kernel }) => `kernel ${pair(kernel)}`,
  ),
  constraint(
    "stride",
    "Unsupported stride for Ethos-U55. You can use stride of (1,1) or (2,2)",
    ({ stride, kernel, inSize }) => {
      if (stride === undefined) return undefined;
      if (stride[0] === stride[1]) return stride[0] <= 2;
      if (pair(stride) === "1x2") return inSize?.[0] === 1 && kernel?.[0] === 1;
      return pair(stride) === "2x1" && inSize?.[1] === 1 && kernel?.[1] === 1;
    },
    ({ stride }) => `stride ${pair(stride)}`,
  ),
];

const noDilatedTranspose = constraint(
  "dilation",
  "Transpose convolutions with dilation are not supported.",
  ({ dilation }) => dilation === undefined || Math.max(...dilation) === 1,
);

const sized = (view: View): boolean | undefined => view.inShape?.slice(1).every((one) => one >= 1 && one <= 65536);
const pool = (name: string): readonly Constraint[] => [
  constraint(
    "kernel",
    `${name} needs kernel_y < 256, kernel_x*kernel_y<=65536`,
    ({ kernel }) => kernel === undefined || (kernel[1] <= 256 && kernel[0] * kernel[1] <= 65536),
    ({ kernel }) => `kernel ${pair(kernel)}`,
    `${SUPPORT}/pool_2d_support.py`,
  ),
  constraint(
    "size",
    `${name} needs N == 1, rest dims <= 65536`,
    (view) => sized(view) !== false,
    ({ inShape }) => pair(inShape),
  ),
  constraint(
    "stride",
    `${name} needs stride <= 3`,
    ({ stride, outSize }) =>
      stride === undefined || Math.max(...stride) <= 3 || (outSize?.[0] === 1 && outSize[1] === 1 && undefined),
    ({ stride }) => `stride ${pair(stride)}`,
    `${SUPPORT}/pool_2d_support.py`,
  ),
];

const averagePool: readonly Constraint[] = [
  constraint(
    "padding",
    "Avgpool2d with padding needs kernel dims < 8",
    ({ kernel, padding, inSize, outSize, stride }) => {
      if (kernel === undefined || Math.max(...kernel) <= 8 || padding === "valid") return true;
      if (inSize === undefined || outSize === undefined || stride === undefined) return undefined;
      return [0, 1].every(
        (at) => ((outSize[at] ?? 1) - 1) * (stride[at] ?? 1) + (kernel[at] ?? 1) <= (inSize[at] ?? 1),
      );
    },
    ({ kernel }) => `kernel ${pair(kernel)}`,
  ),
  ...pool("Avgpool2d"),
  constraint(
    "batch",
    "Avgpool2d needs N==1",
    ({ batch }) => batch === undefined || batch === 1,
    ({ batch }) => `N ${batch ?? "?"}`,
  ),
];

const maxPoolDilation = constraint(
  "dilation",
  "Maxpool2d with dilation needs stride = 1",
  ({ dilation, stride }) =>
    dilation === undefined || Math.max(...dilation) === 1 || (stride !== undefined && Math.max(...stride) === 1),
  ({ stride }) => `stride ${pair(stride)}`,
);

/** Of the TOSA INT profile's list, in the shared table's names. */
const common =
  "Abs Add Range Expand Concat Ceil Clip Relu6 CumSum MatMul Transpose HardSigmoid HardSwish Erf Exp Log FullyConnected Gemm Split Floor Fill FillLike " +
  "LeakyRelu Mul Neg Sigmoid ReduceMean Min Max Tile Reciprocal Relu Mod Rsqrt Slice Sub Tanh Reshape Flatten Unsqueeze Squeeze Pow Pad ReduceMax " +
  "ReduceMin Gelu Sin Sinh Cos Cosh Tan Atan Atanh Acos Acosh Asin Asinh Sign Elu Selu Celu Swish Round Div Sqrt ReduceSum Softmax LogSoftmax GlobalAveragePool " +
  "LayerNormalization GroupNormalization BatchNormalization DepthToSpace SpaceToDepth Pack Glu BitShift InstanceNormalization";

/** U55 runs these by no operator of its own (ethos_u55_support.py). */
const REFUSED_U55 =
  "ReduceAny BitwiseAnd BitwiseOr BitwiseXor BitwiseNot And Or Xor Not Equal NotEqual Greater GreaterOrEqual Less LessOrEqual Gather GatherElements GatherND " +
  "ScatterElements ScatterND GridSample Where DynamicUpdateSlice";

const refused: Readonly<Record<string, Rule>> = Object.fromEntries(
  REFUSED_U55.split(" ").map((name): [string, Rule] => [
    name,
    [constraint("operator", "Op is not supported on U55.", () => false, undefined, `${SUPPORT}/ethos_u55_support.py`)],
  ]),
);

const argMax: Rule = [
  constraint(
    "type",
    "TOSA ARGMAX produces int32 but aten.argmax returns int64.",
    ({ outType }) => (outType === "int64" ? false : outType === "int32" ? true : undefined),
    ({ outType }) => outType ?? "",
  ),
];

const u55: Target = executorch({
  id: "ethos-u55-executorch",
  name: "Arm Ethos-U55 and U65 by ExecuTorch",
  tool: "ExecuTorch Arm back end (TOSA, Vela)",
  devices: ["ethos-u/u65", "ethos-u/stack"],
  confidence: "source",
  table: "docs/source/backends/arm-ethos-u/U55_op_support.md",
  sources: [
    `${EXECUTORCH} docs/source/backends/arm-ethos-u/U55_op_support.md`,
    `${SUPPORT}/tosa_profile_supported_op_lists.py`,
    `${SUPPORT}/ethos_u55_support.py`,
  ],
  preconditions: [quantisedFirst("the NPU runs integers: operators must be quantised")],
  every: [ranked, noInt64],
  plain: common,
  otherSays: "Op is not supported on U55.",
  operators: {
    ...refused,
    Conv: [
      ...convolution,
      constraint(
        "rank",
        "Convolution3d needs to have kernel_z==1",
        ({ inShape }) => inShape === undefined || inShape.length <= 4,
      ),
    ],
    DepthwiseConv: convolution,
    ConvTranspose: [noDilatedTranspose, ...transposed],
    AveragePool: averagePool,
    MaxPool: [maxPoolDilation, ...pool("Maxpool2d")],
    Resize: [
      onlyNearest("Op is not supported on U55."),
      constraint(
        "batch",
        "U55 nearest-neighbor resize requires batch size 1.",
        ({ batch }) => batch === undefined || batch === 1,
      ),
      scaleIn([2, 4, 8], "U55 nearest-neighbor resize requires a 2x, 4x, or 8x upscale."),
    ],
    Reverse: [
      constraint("rank", "U55 flip support is limited to rank-4 channel or height reversal.", ({ inShape }) =>
        inShape === undefined ? undefined : inShape.length === 4,
      ),
    ],
    Cast: [
      constraint(
        "type",
        "Casting is not supported on U55.",
        ({ inType, outType }) => inType === outType || (inType !== "bool" && inType !== "int32" && outType !== "bool"),
        ({ inType, outType }) => `${inType ?? "?"} to ${outType ?? "?"}`,
      ),
    ],
    ArgMax: argMax,
  },
});

const u85: Target = executorch({
  id: "ethos-u85-executorch",
  name: "Arm Ethos-U85 by ExecuTorch",
  tool: "ExecuTorch Arm back end (TOSA, Vela)",
  devices: ["ethos-u/u85"],
  confidence: "source",
  table: "docs/source/backends/arm-ethos-u/U85_op_support.md",
  sources: [
    `${EXECUTORCH} docs/source/backends/arm-ethos-u/U85_op_support.md`,
    `${SUPPORT}/tosa_profile_supported_op_lists.py`,
  ],
  preconditions: [quantisedFirst("the NPU runs integers: operators must be quantised")],
  every: [ranked, noInt64],
  plain: `${common} ${REFUSED_U55} Cast Trilu Reverse`,
  operators: {
    Conv: [
      only(
        ({ inShape }) => inShape !== undefined && inShape.length > 4,
        constraint("rank", "3D convolutions are decided by Vela", () => undefined),
      ),
    ],
    DepthwiseConv: [],
    ConvTranspose: [noDilatedTranspose],
    AveragePool: [],
    MaxPool: [maxPoolDilation],
    Resize: [],
    ArgMax: argMax,
  },
});

export default [u55, u85];
