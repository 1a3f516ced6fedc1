/**
 * Mesa's Teflon, the TFLite delegate of the mainline drivers rocket (RK3588), ethosu (Ethos-U65) and etnaviv (VIPNano), of Mesa 26.0.
 * The front end (tfl_device.c) looks first, then the driver (rkt_ml.c, ethosu_ml.c, etnaviv_ml.c). Neither looks at types of tensors
 * unless a rule below says so.
 */

import type { Tensor } from "../../model/graph.ts";
import type { Constraint, ModelView, Rule, Target } from "../target.ts";
import { isConstant } from "../vela-tensors.ts";
import { isTflite, type View } from "../view.ts";

const source =
  "Mesa 26.0.8: src/gallium/frontends/teflon/tfl_device.c, src/gallium/drivers/{rocket,ethosu,etnaviv}/*_ml.c";

const activations: ReadonlySet<string> = new Set(["NONE", "RELU", "RELU6"]);

/** More than one scale and not all the same: of one value for all, the front end makes one scale of them. */
const isPerAxis = ({ quantization }: Tensor): boolean => {
  if (quantization === undefined || quantization.scale.length < 2) return false;
  const [scale, zero] = [new Set(quantization.scale), new Set(quantization.zeroPoint)];
  return scale.size > 1 || zero.size > 1;
};

const largest: Readonly<Record<string, number>> = { int8: 127, uint8: 255 };

/** A fused RELU6 is left to the range of the output, which has to end at 6. */
function endsAtSix(output: Tensor | undefined): boolean {
  const most = largest[output?.type ?? ""];
  const { scale = [], zeroPoint = [] } = output?.quantization ?? {};
  if (most === undefined) return false;
  return scale.every((one, i) => (most - (zeroPoint[zeroPoint.length === 1 ? 0 : i] ?? 0)) * one <= 6);
}

const convolution: readonly Constraint[] = [
  {
    rule: "activation",
    says: "fused activations are none, RELU and RELU6: others end the process by an assertion",
    holds: ({ activation }) => activation === undefined || activations.has(activation),
    found: ({ activation }) => activation ?? "",
  },
  {
    rule: "activation range",
    says: "a fused RELU6 needs an output whose quantised range ends at 6",
    holds: (view) => view.activation !== "RELU6" || endsAtSix(view.outputs[0]),
    found: ({ outputs }) => {
      const { scale = [], zeroPoint = [] } = outputs[0]?.quantization ?? {};
      const most = largest[outputs[0]?.type ?? ""];
      return most === undefined
        ? `it is ${outputs[0]?.type ?? "unknown"}`
        : `it ends at ${((most - (zeroPoint[0] ?? 0)) * (scale[0] ?? 0)).toPrecision(4)}`;
    },
  },
  {
    rule: "per-channel",
    says: "Per-axis quantization not supported",
    holds: (view) => [...view.inputs.slice(0, 3), view.outputs[0]].every((t) => t === undefined || !isPerAxis(t)),
    found: (view) => `${view.weights?.quantization?.scale.length ?? "several"} scales`,
  },
  {
    rule: "dilation",
    says: "Dilation is not yet implemented",
    holds: ({ dilation }) => dilation?.every((one) => one === 1),
    found: ({ dilation }) => `dilation ${dilation?.join("x") ?? ""}`,
  },
];

const variable: readonly Constraint[] = [
  {
    rule: "constant operand",
    says: "neither operand may be constant",
    holds: ({ inputs, node }) => node.inputs.length >= 2 && !inputs.slice(0, 2).some(isConstant),
  },
];

const depthAxis: readonly Constraint[] = [
  {
    rule: "axis",
    says: "along the channels only (axis 3 or -1)",
    holds: (view) => {
      const axis = view.node.attributes["axis"];
      if (isTflite(view)) return axis === 3 || axis === -1;
      // Where channels come second, a converter writes 3 for 1.
      return axis === 1 || axis === -3 ? true : undefined;
    },
    found: ({ node }) => `axis ${String(node.attributes["axis"])}`,
  },
];

const paddings = (view: View): readonly number[] | undefined => view.inputs[1]?.values;
const pad: readonly Constraint[] = [
  { rule: "padding", says: "no value to pad with", holds: (view) => !isTflite(view) || view.inputs.length === 2 },
  {
    rule: "padding",
    says: "paddings are int32",
    holds: (view) => !isTflite(view) || view.inputs[1]?.type === "int32",
    found: (view) => view.inputs[1]?.type ?? "",
  },
  {
    rule: "padding",
    says: "the batch is not padded",
    holds: (view) => {
      const list = paddings(view);
      return isTflite(view) ? list && list[0] === 0 && list[1] === 0 : true;
    },
    found: (view) => String(paddings(view)),
  },
];

const convolutions: Readonly<Record<string, Rule>> = { CONV_2D: convolution, DEPTHWISE_CONV_2D: convolution };

const teflon = (
  own: Pick<Target, "id" | "name" | "devices" | "operators"> & Partial<Pick<Target, "preconditions" | "confidence">>,
): Target => ({
  tool: "Mesa Teflon",
  version: "26.0.8",
  formats: ["tflite"],
  names: "tflite",
  confidence: "source",
  sources: [source],
  preconditions: [],
  every: [],
  others: "no",
  otherSays: "unsupported",
  partition: { way: "subgraphs" },
  ...own,
});

const makesSum: ReadonlySet<string> = new Set(["CONV_2D", "DEPTHWISE_CONV_2D", "ADD"]);

/** Whether each sum has a convolution of the same partition to be fused into. */
function sumsFollowConvolutions({ views }: ModelView): boolean {
  const makers = new Map<number, string>();
  for (const view of views) for (const output of view.node.outputs) makers.set(output, view.spelled);
  return views.every(({ spelled, node }) => spelled !== "ADD" || makesSum.has(makers.get(node.inputs[0] ?? -1) ?? ""));
}

export default [
  teflon({
    id: "teflon-rocket",
    name: "Rockchip RK3588 (mainline rocket)",
    devices: ["rockchip/rk3588"],
    confidence: "run",
    operators: { ...convolutions, ADD: variable },
    preconditions: [
      {
        rule: "sums follow convolutions",
        says: "rocket fuses a sum into the convolution that makes its first operand, and ends the process where there is none",
        holds: sumsFollowConvolutions,
        else: "warns",
        source,
      },
    ],
  }),
  teflon({
    id: "teflon-ethosu",
    name: "Arm Ethos-U65 (mainline ethosu)",
    devices: ["ethos-u/u65"],
    confidence: "run",
    operators: {
      ...convolutions,
      ADD: variable,
      AVERAGE_POOL_2D: [],
      MAX_POOL_2D: [],
      STRIDED_SLICE: [],
      PAD: pad,
      RESIZE_NEAREST_NEIGHBOR: [],
      CONCATENATION: depthAxis,
    },
  }),
  teflon({
    id: "teflon-etnaviv",
    name: "VeriSilicon VIPNano (mainline etnaviv)",
    devices: ["verisilicon/vip", "verisilicon/imx8mp", "verisilicon/amlogic"],
    operators: {
      ...convolutions,
      ADD: variable,
      SUB: variable,
      CONCATENATION: depthAxis,
      SPLIT: [
        {
          rule: "axis",
          says: "along the channels only (axis 3 or -1)",
          holds: (view) => {
            if (!isTflite(view)) return undefined;
            const axis = view.inputs[0]?.values?.[0];
            return axis === undefined ? undefined : axis === 3 || axis === -1;
          },
          found: (view) => `axis ${String(view.inputs[0]?.values?.[0])}`,
        },
        {
          rule: "parts",
          says: "all parts have the same number of channels",
          holds: ({ outputs }) => new Set(outputs.map((tensor) => tensor?.shape?.at(-1))).size === 1,
        },
      ],
      PAD: [
        ...pad,
        {
          rule: "padding",
          says: "no side is padded by more than 2",
          holds: (view) =>
            paddings(view)
              ?.slice(2)
              .every((one) => one <= 2),
          found: (view) => String(paddings(view)),
        },
      ],
      FULLY_CONNECTED: [
        {
          rule: "type",
          says: "the input is int8 or uint8",
          holds: ({ inType }) => inType === "int8" || inType === "uint8",
          found: ({ inType }) => inType ?? "",
        },
        {
          rule: "features",
          says: "fewer than 1280 input features",
          holds: ({ inShape }) => inShape && (inShape.at(-1) ?? 1) < 1280,
          found: ({ inShape }) => `${inShape?.at(-1) ?? "?"} features`,
        },
      ],
      TRANSPOSE: [
        {
          rule: "permutation",
          says: "only between channels last and channels first: 0,3,1,2 or 0,2,3,1",
          holds: (view) => {
            const order = isTflite(view) ? view.inputs[1]?.values : view.node.attributes["perm"];
            return order === undefined ? undefined : /^0,(?:3,1,2|2,3,1)$/.test(String(order));
          },
          found: (view) => String(view.inputs[1]?.values),
        },
      ],
      RESHAPE: [],
      RELU: [],
      ABS: [],
      LOGISTIC: [],
    },
  }),
];
