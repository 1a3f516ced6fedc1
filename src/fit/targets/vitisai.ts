/**
 * AMD's XDNA (Ryzen AI) by the Vitis AI execution provider. AMD publishes no table of operators: these rules are inferred from 60 logs of
 * its own examples (networks quantised three ways), whose counts they reproduce on graphs quantised here by the same Quark, and say unsure of everything those logs do not hold.
 */

import { consumed, isDepthwiseConv, throughQuantisation } from "../quantised-units.ts";
import { says, textOf } from "../onnx-rules.ts";
import { constraint } from "../rules.ts";
import type { Constraint, Rule, Target } from "../target.ts";
import type { View } from "../view.ts";

const LOGS =
  "github.com/amd/RyzenAI-SW@0b65628 CNN-examples/quark_quantization/models/*.log (Ryzen AI 1.6, Quark 0.10, Strix)";

/** A plain convolution that Clip follows runs on the CPU, both of them; a depthwise one does not (mobilenet_v2, 18 and 17 of 35). */
const unclipped: Constraint = constraint(
  "fusion",
  "Conv with Clip is left to the CPU unless it is depthwise",
  (view) => isDepthwiseConv(view) || !consumed(view).some(({ spelled }) => spelled === "Clip"),
);

const ofDepthwise: Constraint = constraint(
  "fusion",
  "Clip of a Conv that is not depthwise is left to the CPU",
  (view) => {
    const before = throughQuantisation(view);
    return before === undefined || before.spelled !== "Conv" ? undefined : isDepthwiseConv(before);
  },
);

/** A Flatten that nothing follows is done by the CPU (squeezenet). */
const inside: Constraint = constraint(
  "end",
  "a Flatten at the end of the model is left to the CPU",
  (view) => consumed(view).length > 0,
);

/** Channel shuffles and what else moves data without computing: Reshape, Transpose, Reshape run on the CPU (shufflenet). */
const moving: Rule = [
  constraint("shuffle", "Reshape and Transpose (channel shuffle) are left to the CPU", () => false),
];

/** The factor that stands behind a HardSigmoid or a ReduceMean in XINT8. */
const notOfSigmoid: Constraint = constraint(
  "fusion",
  "HardSigmoid and ReduceMean are left to the CPU, with the Mul of their scale",
  (view) => !["HardSigmoid", "ReduceMean"].includes(view.around?.maker(view, 0)?.spelled ?? ""),
);

/**
 * In XINT8 a depthwise convolution and the Relu behind it run on the CPU: three of mobilenet_v3, by the number of operators and of subgraphs.
 * One of 1x1 is what Quark makes of a lone BatchNormalization: with them densenet falls into as many subgraphs as its log tells, but most
 * of the rest of it was left to the CPU as well, by rules that the counts do not tell.
 */
const withoutRelu: Constraint = constraint(
  "fusion",
  "a depthwise Conv with Relu is left to the CPU",
  (view) => !isDepthwiseConv(view) || !consumed(view).some(({ spelled }) => spelled === "Relu") || lone(view),
);

const notOfDepthwise: Constraint = constraint("fusion", "Relu of a depthwise Conv is left to the CPU", (view) => {
  const before = throughQuantisation(view);
  return before?.spelled !== "Conv" || !isDepthwiseConv(before) || lone(before);
});

/** Undefined for what was a normalisation, else false. */
const lone = ({ kernel }: View): undefined | false =>
  kernel?.every((size) => size === 1) === true ? undefined : false;

/** Q and DQ go where the operator goes that they belong to; those of the model's inputs and outputs stay outside. */
function quantisation(rules: () => Readonly<Record<string, Rule>>): Rule {
  return [
    constraint(
      "unit",
      "Q and DQ of the model's inputs and outputs, and of what the CPU runs, are left to the CPU",
      (view) => {
        const owner = view.spelled === "QuantizeLinear" ? view.around?.maker(view, 0) : view.around?.users(view)[0];
        if (owner === undefined || owner.spelled === "QuantizeLinear" || owner.spelled === "DequantizeLinear")
          return false;
        return takes(owner, rules());
      },
    ),
  ];
}

function takes(view: View, rules: Readonly<Record<string, Rule>>): boolean | undefined {
  const rule = rules[view.spelled];
  if (rule === undefined || rule === "unsure") return undefined;
  if (rule === "no") return false;
  const answers = rule.map((one) => one.holds(view));
  return answers.includes(false) ? false : answers.includes(undefined) ? undefined : true;
}

const resize: Rule = [
  says("mode", ["nearest"], "nearest", "Resize linear runs on the CPU"),
  constraint("mode", "nearest broke the whole partition in one report", (view) =>
    textOf(view, "mode", "nearest") === "nearest" ? undefined : false,
  ),
];

const convolutional: Readonly<Record<string, Rule>> = {
  Conv: [unclipped],
  Clip: [ofDepthwise],
  Relu: [],
  MaxPool: [],
  AveragePool: [],
  GlobalAveragePool: [],
  Add: [],
  Concat: [],
  Flatten: [inside],
  Gemm: [],
  Mul: [],
  Slice: [],
  Split: [],
  Reshape: moving,
  Transpose: moving,
  Resize: resize,
  // Outside of a convolution: most of densenet fell to the CPU, by rules that the counts do not tell.
  BatchNormalization: "unsure",
};

const transformers = "MatMul Erf Exp Softmax LayerNormalization Sqrt Pow Div Gelu InstanceNormalization";
const refused = Object.fromEntries(transformers.split(" ").map((name): [string, Rule] => [name, "no"]));

const xint8: Readonly<Record<string, Rule>> = {
  ...convolutional,
  ...refused,
  Conv: [unclipped, withoutRelu],
  Relu: [notOfDepthwise],
  // Quark writes Sigmoid as HardSigmoid and a Mul.
  Sigmoid: "no",
  HardSigmoid: "no",
  Mul: [notOfSigmoid],
  ReduceMean: "no",
  QuantizeLinear: quantisation(() => xint8),
  DequantizeLinear: quantisation(() => xint8),
};

const a8w8: Readonly<Record<string, Rule>> = {
  ...convolutional,
  ...refused,
  Sigmoid: [],
  HardSigmoid: [],
  HardSwish: [],
  ReduceMean: [],
  QuantizeLinear: quantisation(() => a8w8),
  DequantizeLinear: quantisation(() => a8w8),
};

const a16w8: Readonly<Record<string, Rule>> = {
  ...a8w8,
  Conv: [],
  Clip: [],
  QuantizeLinear: quantisation(() => a16w8),
  DequantizeLinear: quantisation(() => a16w8),
};

const bfloat16 =
  "Conv Relu Clip MaxPool AveragePool GlobalAveragePool Add Sub Mul Div Concat Flatten Gemm MatMul Sigmoid HardSigmoid HardSwish Softmax LayerNormalization Gelu Erf Sqrt Pow ReduceMean Tanh Exp Reshape Transpose Slice Split Squeeze Unsqueeze BatchNormalization Gather";

const base = {
  tool: "Vitis AI EP",
  version: "Ryzen AI 1.6",
  devices: ["amd-xdna"],
  formats: ["onnx"],
  names: "onnx",
  confidence: "inferred",
  sources: [LOGS, "https://github.com/amd/RyzenAI-SW/issues/126", "https://github.com/amd/RyzenAI-SW/issues/318"],
  every: [],
  others: "unsure",
  otherSays: "AMD publishes no table of operators, and no log at hand has this one",
  partition: { way: "subgraphs" },
} as const satisfies Partial<Target>;

const preconditions: Target["preconditions"] = [
  {
    rule: "dynamic",
    says: "shapes must be static",
    holds: ({ dynamic }) => (dynamic === undefined ? undefined : !dynamic),
    else: "refuses",
    source: "https://github.com/amd/RyzenAI-SW/issues/126",
  },
  {
    rule: "quantization",
    says: "the integer flow takes models quantised to QDQ by AMD Quark",
    holds: ({ scheme }) => (scheme === undefined ? undefined : scheme === "qdq"),
    else: "refuses",
    cure: "Quantise with Quark (quark.onnx, XINT8, A8W8 or A16W8).",
    source: LOGS,
  },
  {
    rule: "convolutions",
    says: "fewer than two convolutions stay on the CPU",
    holds: ({ views }) => views.filter(({ spelled }) => spelled === "Conv").length >= 2,
    else: "refuses",
    source: "https://github.com/amd/RyzenAI-SW/issues/126",
  },
];

const targets: readonly Target[] = [
  {
    ...base,
    id: "vitisai-xint8",
    name: "AMD XDNA (XINT8: powers of two)",
    preconditions,
    operators: xint8,
    quark: "XINT8",
  },
  { ...base, id: "vitisai-a8w8", name: "AMD XDNA (A8W8)", preconditions, operators: a8w8, quark: "A8W8" },
  { ...base, id: "vitisai-a16w8", name: "AMD XDNA (A16W8)", preconditions, operators: a16w8, quark: "A16W8" },
  {
    ...base,
    id: "vitisai-bf16",
    name: "AMD XDNA (BF16)",
    sources: [
      "github.com/amd/RyzenAI-SW@0b65628 CNN-examples/getting_started_resnet/bf16/docs/README_C++.md",
      "https://github.com/amd/RyzenAI-SW/issues/374",
    ],
    preconditions: [
      ...preconditions.slice(0, 1),
      {
        rule: "quantization",
        says: "the BF16 flow takes float32 models",
        holds: ({ scheme }) => (scheme === undefined ? undefined : scheme === "float32" || scheme === "bfloat16"),
        else: "refuses",
        source: "github.com/amd/RyzenAI-SW@0b65628 CNN-examples/getting_started_resnet/bf16/docs/README_C++.md",
      },
    ],
    operators: Object.fromEntries(bfloat16.split(" ").map((name) => [name, []])),
  },
];

export default targets;
