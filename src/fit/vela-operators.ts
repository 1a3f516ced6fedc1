/**
 * What Vela checks of each operator that an Ethos-U does, in its order and words (tflite_model_semantic.py and
 * tflite_supported_operators.py of ethos-u-vela 3.10 and 4.2, in which the differences are few).
 */

import type { Tensor } from "../model/graph.ts";
import type { Constraint } from "./target.ts";
import type { VelaVersion } from "./vela-rules.ts";
import {
  elements,
  imageIn,
  imageOut,
  isConstant,
  isTflite,
  operandsOf,
  sameQuantization,
  sameShape,
  shapeOf,
} from "./vela-tensors.ts";
import type { View } from "./view.ts";

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

type Holds = (view: View) => boolean | undefined;
type Found = (view: View) => string;

const check = (rule: string, says: string, holds: Holds, found?: Found): Constraint => ({
  rule,
  says,
  holds,
  ...(found === undefined ? {} : { found }),
});

/** Of a TFLite file; of other formats the converter sees to it. */
const inFile = (rule: string, says: string, holds: Holds, found?: Found): Constraint =>
  check(rule, says, (view) => (isTflite(view) ? holds(view) : true), found);

const of = (view: View): ReturnType<typeof operandsOf> => operandsOf(view, true);
const text = (tensor: Tensor | undefined): string =>
  tensor === undefined ? "None" : `[${shapeOf(tensor).join(", ")}]`;
const number = (view: View, name: string): number | undefined => {
  const value = view.node.attributes[name];
  return typeof value === "number" ? value : typeof value === "boolean" ? Number(value) : undefined;
};
const values = (view: View, index: number): readonly number[] | undefined => view.inputs[index]?.values;

const sameTypes = check(
  "type in and out",
  "IFM and OFM data types must match",
  (view) => of(view).ifm?.type === of(view).ofm?.type,
  (view) => `Op has ifm_dtype=${of(view).ifm?.type ?? ""} and ofm_dtype=${of(view).ofm?.type ?? ""}`,
);

const eitherShape = inFile(
  "shape",
  "At least one Input's shape must match the OFM's shape",
  (view) => sameShape(of(view).ifm, of(view).ofm) || sameShape(of(view).ifm2, of(view).ofm),
  (view) =>
    `Op has ifm_shape=${text(of(view).ifm)}, ifm2_shape=${text(of(view).ifm2)} and ofm_shape=${text(of(view).ofm)}`,
);

const broadcast = inFile(
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

const unsigned = (type: string | undefined): boolean => type?.startsWith("u") === true;

const arithmetic: Build = {
  scalarIn: true,
  int32: true,
  semantic: [
    eitherShape,
    inFile(
      "types of inputs",
      "Both Input data types must match",
      (view) => of(view).ifm?.type === of(view).ifm2?.type,
      (view) => `Op has ifm_dtype=${of(view).ifm?.type ?? ""} and ifm2_dtype=${of(view).ifm2?.type ?? ""}`,
    ),
    check(
      "sign",
      "For IFM that are signed, OFM must also be signed",
      (view) => unsigned(of(view).ifm?.type) || !unsigned(of(view).ofm?.type),
    ),
    check(
      "sign",
      "For IFM that are unsigned, OFM must either be the same type or int32",
      (view) =>
        !unsigned(of(view).ifm?.type) || of(view).ofm?.type === of(view).ifm?.type || of(view).ofm?.type === "int32",
    ),
  ],
  npu: [broadcast],
};

const extremum: Build = {
  scalarIn: true,
  semantic: [eitherShape, sameTypes],
  npu: [
    inFile(
      "quantisation in and out",
      "Both Input quantization parameters must match OFM quantization parameters",
      ({ ...view }) => {
        const { ifm, ifm2, ofm } = of(view);
        return sameQuantization(ofm, ifm) && (ifm2 === undefined || sameQuantization(ofm, ifm2));
      },
    ),
    broadcast,
  ],
};

const reshaping: readonly Constraint[] = [
  inFile("quantisation in and out", "Input and output quantisation must match.", (view) =>
    sameQuantization(of(view).ifm, of(view).ofm),
  ),
  check(
    "elements",
    "Input and output number of elements must match.",
    (view) => elements(of(view).ifm) === elements(of(view).ofm),
    (view) => `IFM ${text(of(view).ifm)} and OFM ${text(of(view).ofm)}`,
  ),
];

const strideWords = ({ stride }: View): string => `Op has stride WxH as: ${stride?.[1] ?? "?"}x${stride?.[0] ?? "?"}`;

/** Window of a pooling that covers all there is needs no stride: Vela takes it as 1. */
const coversAll = ({ kernel, stride, inSize }: View): boolean =>
  kernel !== undefined && String(kernel) === String(stride) && String(kernel) === String(inSize);
const strideOf = (view: View): View["stride"] => (view.kind === "pool" && coversAll(view) ? [1, 1] : view.stride);
const paddingOf = (view: View): View["padding"] => (view.kind === "pool" && coversAll(view) ? "valid" : view.padding);

/** Stride after Vela has folded the width of the image into its channels. */
function optimisedStride(width: number, stride: number): number {
  let factor = stride;
  if (width % factor !== 0) {
    const by = [2, 3].find((one) => stride % one === 0 && width % (stride / one) === 0) ?? 1;
    const smaller = Math.floor(factor / by);
    factor = smaller === factor ? 1 : smaller;
  }
  return Math.floor(stride / factor);
}

const wideStride: Holds = (view) => {
  const [stride, from, to] = [strideOf(view), imageIn(view), imageOut(view)];
  if (stride === undefined || from === undefined || to === undefined) return undefined;
  const [height, width] = stride;
  const high = to[1] === 1 || (height >= 1 && height <= 3);
  const wide = to[2] === 1 || (width >= 1 && (width > 1 ? optimisedStride(from[2] ?? 1, width) : width) <= 3);
  return high && wide;
};

const strideWidth = check(
  "stride",
  "Strides must fulfil the following criteria: Stride h must be between 1 and 3 when ofm height is greater than 1; Stride w must be between 1 and 3 when ofm height is greater than 1 or stride w must be divisible by 2 or 3 and ifm width must be divisible by stride_w/2 or stride_w/3",
  wideStride,
  (view) => `${strideWords(view)}, ifm shape as: ${String(imageIn(view))}, ofm shape as: ${String(imageOut(view))}`,
);

const narrow = (says: string): Constraint =>
  check(
    "stride",
    says,
    (view) => {
      const stride = strideOf(view);
      return stride?.every((one) => one >= 1 && one <= 3);
    },
    strideWords,
  );

const dilated = (view: View): readonly [number, number] | undefined => {
  const { kernel, dilation = [1, 1] } = view;
  return kernel === undefined ? undefined : [(kernel[0] - 1) * dilation[0] + 1, (kernel[1] - 1) * dilation[1] + 1];
};
const within = (value: number | undefined, most: number): boolean | undefined =>
  value === undefined ? undefined : value >= 1 && value <= most;
const area = (pair: readonly [number, number] | undefined): number | undefined => pair && pair[0] * pair[1];

/** The sum of a filter's weights may not pass 127 x 65536; half of what 8 bits can be is far above what any trained filter has. */
const USUAL = 64;
const WEIGHTS_LIMIT = 127 * 65536;

const bits: Readonly<Record<string, number>> = {
  float32: 32,
  float16: 16,
  int16: 16,
  int32: 32,
  int64: 64,
  float64: 64,
};

const weightType = check(
  "weights",
  "Weight tensor must be 8-bit",
  (view) => /^u?int8$/.test(of(view).weights?.type ?? "int8"),
  (view) => {
    const { weights } = of(view);
    return `Tensor '${weights?.name.slice(0, 60) ?? ""}' is ${bits[weights?.type ?? ""] ?? weights?.type ?? ""}-bit`;
  },
);
const weightConstant = inFile(
  "constant weights",
  "Weight tensor must be constant",
  (view) => isConstant(of(view).weights),
  (view) => `Tensor '${of(view).weights?.name.slice(0, 60) ?? ""}' has non-constant values`,
);
const biasChecks: readonly Constraint[] = [
  inFile(
    "bias",
    "Optional Bias tensor must be of shape: 1D",
    (view) => of(view).bias === undefined || shapeOf(of(view).bias).length === 1,
    (view) => `Tensor has shape: ${text(of(view).bias)}`,
  ),
  inFile(
    "bias",
    "Optional Bias tensor must be of type: int32, int64",
    (view) => of(view).bias === undefined || /^int(?:32|64)$/.test(of(view).bias?.type ?? ""),
    (view) => `Tensor has data type: ${of(view).bias?.type ?? ""}`,
  ),
];

const filters: readonly Constraint[] = [
  check(
    "dilation",
    "Dilated kernel height must be in the range [1, 64]",
    (view) => within(dilated(view)?.[0], 64),
    (view) => `Op has dilated kernel height as: ${dilated(view)?.[0] ?? "?"}`,
  ),
  check(
    "dilation",
    "Product of dilated kernel width and height must be in the range [1, 4096]",
    (view) => within(area(dilated(view)), 4096),
    (view) => `Op has product of dilated kernel width and height as: ${area(dilated(view)) ?? "?"}`,
  ),
  weightType,
  weightConstant,
  check("sum of weights", `The sum of the weights cannot exceed ${WEIGHTS_LIMIT}`, (view) => {
    const { weights } = of(view);
    const all = elements(weights);
    const outputs = view.depthwise ? shapeOf(weights).at(-1) : view.outChannels;
    return all === undefined || outputs === undefined || (all / outputs) * USUAL <= WEIGHTS_LIMIT ? true : undefined;
  }),
  ...biasChecks,
];

/** [kernels, height, width, channels] of a filter. */
const filterShape = (view: View): readonly number[] => {
  const shape = shapeOf(of(view).weights);
  // Vela reorders constants only; what it then calls the channels of others is their width.
  return isConstant(of(view).weights) ? shape : [shape[3] ?? 1, shape[0] ?? 1, shape[1] ?? 1, shape[2] ?? 1];
};

const groups: readonly Constraint[] = [
  inFile(
    "groups",
    "IFM depth must be a whole multiple of the filter kernel depth",
    (view) => (shapeOf(of(view).ifm).at(-1) ?? 0) % (filterShape(view)[3] ?? 1) === 0,
    (view) =>
      `IFM depth = ${shapeOf(of(view).ifm).at(-1) ?? "?"} and filter kernel depth = ${filterShape(view)[3] ?? "?"}`,
  ),
  inFile("groups", "Number of filter kernels must be equally divisible by the number of convolution groups", (view) => {
    const count = Math.floor((shapeOf(of(view).ifm).at(-1) ?? 1) / (filterShape(view)[3] ?? 1));
    return (filterShape(view)[0] ?? 0) % count === 0;
  }),
];

const poolTypes: readonly Constraint[] = [sameTypes];

const axesOf = (view: View, index: number): readonly number[] | undefined => values(view, index);

const meanAxis = inFile(
  "axis",
  "Requirements for axis parameter: When IFM tensor is 2D: Reduction in both axes is supported. When IFM tensor is 3D or 4D: Reduction in Batch axis is only supported if batch size is 1; Reduction in both Height and Width axes is supported; Reduction in Depth axis is supported if at least one of H,W,C are of size 1.",
  (view) => {
    const [shape, axes] = [shapeOf(view.inputs[0]), axesOf(view, 1)];
    if (axes === undefined) return undefined;
    return axes.every((axis) => {
      if (axis < 0 || axis >= shape.length) return false;
      if (shape.length === 4 && axis === 0) return shape[0] === 1;
      if (shape.length === 3 && axis === 2) return shape.includes(1);
      return shape.length !== 4 || axis !== 3 || shape.slice(1).includes(1);
    });
  },
  (view) => `Shape is ${text(view.inputs[0])}, Axis is ${String(axesOf(view, 1))}`,
);

const mean: Build = {
  scalarIn: true,
  needs: true,
  semantic: [
    check("rank", "Input tensor must be at least 2D", (view) => {
      const rank = shapeOf(view.inputs[0]).length;
      return rank >= 2 && rank <= 4;
    }),
    meanAxis,
  ],
  npu: [
    inFile(
      "size",
      "Product of reduced axes must be no greater than: 16777216 for signed 8-bit inputs. 8388608 for unsigned 8-bit inputs. 65536 for signed 16-bit inputs.",
      (view) => {
        const shape = shapeOf(view.inputs[0]);
        const product = (axesOf(view, 1) ?? []).reduce((all, axis) => all * (shape[axis] ?? 1), 1);
        return product <= (view.inType === "int16" ? 2 ** 16 : view.inType === "uint8" ? 2 ** 23 : 2 ** 24);
      },
    ),
    inFile("size", "If Width axis is reduced its shape must be no greater than 4096.", (view) => {
      const shape = shapeOf(view.inputs[0]);
      return (shape[shape.length < 4 ? 1 : 2] ?? 0) <= 4096;
    }),
    inFile("size", "If Depth axis is reduced its shape must be no greater than 4096.", (view) => {
      const shape = shapeOf(view.inputs[0]);
      return axesOf(view, 1)?.includes(shape.length - 1) !== true || (shape.at(-1) ?? 0) <= 4096;
    }),
  ],
};

const resizeWords: Found = (view) =>
  `Op has ifm_shape=${String(imageIn(view))}, ofm_shape=${String(imageOut(view))} and align_corners=${String(view.node.attributes["align_corners"] ?? false)}`;

const resize = ({ major }: VelaVersion): readonly Constraint[] => [
  check(
    "resize",
    major === 3
      ? "The width and height of the IFM and OFM must match one of the following criteria: IFM W and H must both be 1; IFM must match OFM; W and H scaling must be equal and OFM W-1 and H-1 must be 2x/4x/8x IFM W-1 and H-1, if align_corners is True; W and H scaling must be equal and OFM W and H must be 2x/4x/8x IFM W and H, if align_corners is False"
      : "The width and height of the IFM and OFM must match one of the following criteria: IFM W and H must both be 1; IFM must match OFM; W and H scaling must be either 1 or equal and OFM W-1 and H-1 must be 1x/2x/4x/8x IFM W-1 and H-1, if align_corners is True; W and H scaling must be either 1 or equal and OFM W and H must be 1x/2x/4x/8x IFM W and H, if align_corners is False",
    (view) => {
      const [from, to] = [imageIn(view), imageOut(view)];
      if (from === undefined || to === undefined) return isTflite(view) ? false : undefined;
      const [, h = 1, w = 1] = from;
      const [, oh = 1, ow = 1] = to;
      if ((h === 1 && w === 1) || String(from) === String(to)) return true;
      const corners = view.node.attributes["align_corners"] === true;
      const [up, along] = corners
        ? [h === 1 && major === 4 ? 1 : (oh - 1) / (h - 1), w === 1 && major === 4 ? 1 : (ow - 1) / (w - 1)]
        : [oh / h, ow / w];
      if (major === 3) return up === along && [2, 4, 8].includes(up);
      if (![1, 2, 4, 8].includes(up) || ![1, 2, 4, 8].includes(along)) return false;
      return oh !== 1 && ow !== 1 ? up === along : (up === 1 && h === 1) || (along === 1 && w === 1);
    },
    resizeWords,
  ),
  inFile("resize", "The size tensor must match the output tensor shape", (view) => {
    const [size, to] = [values(view, 1), imageOut(view)];
    return size === undefined || (size.length === 2 && size[0] === to?.[1] && size[1] === to?.[2]);
  }),
  check(
    "resize",
    "Both align_corners and half_pixel_centers can't be True",
    ({ node }) => !(node.attributes["align_corners"] === true && node.attributes["half_pixel_centers"] === true),
  ),
];

const halfPixel = check(
  "half pixel centres",
  "For half_pixel_centers the width and height of the IFM and OFM must match one of the following criteria: IFM W and H are both 1; OFM W and H is 2x IFM W and H",
  (view) => {
    if (view.node.attributes["half_pixel_centers"] !== true) return true;
    const [from, to] = [imageIn(view), imageOut(view)];
    if (from === undefined || to === undefined) return false;
    if (from[1] === 1 && from[2] === 1) return true;
    return to[1] === 2 * (from[1] ?? 0) && to[2] === 2 * (from[2] ?? 0);
  },
  resizeWords,
);

const pads = (view: View): readonly number[] | undefined => values(view, 1);
const padWords: Found = (view) => `padding: ${String(pads(view))}`;

const padShape = inFile(
  "padding",
  "The padding tensor must have the shape [3,2] or [4,2]",
  (view) => /^[34],2$/.test(String(shapeOf(view.inputs[1]))),
  (view) => `The pad tensor has the shape: ${text(view.inputs[1])}`,
);
const padType = inFile("padding", "Pad tensor must be of type: int32, int64", (view) =>
  /^int(?:32|64)$/.test(view.inputs[1]?.type ?? ""),
);

const padOf = (version: VelaVersion): Build => ({
  semantic: [
    inFile("padding", "Number of input tensors must be exactly 2", ({ inputs }) => inputs.length === 2),
    inFile("padding", "The padding tensor must be constant", (view) => isConstant(view.inputs[1])),
    inFile("padding", "Shape of output tensor must equal to size of input tensor plus padding", (view) => {
      const [list, from, to] = [pads(view), shapeOf(view.inputs[0]), shapeOf(view.outputs[0])];
      return list === undefined || from.every((d, i) => d + (list[2 * i] ?? 0) + (list[2 * i + 1] ?? 0) === to[i]);
    }),
  ],
  npu: [
    padShape,
    ...(version.padsChannels && version.major === 3
      ? []
      : [
          inFile(
            "padding",
            version.major === 3
              ? "The pad tensor can only pad width and height"
              : "The pad tensor can only pad height, width and depth",
            (view) => {
              const list = pads(view);
              if (list === undefined) return undefined;
              const batch = list.length > 6 ? (list[0] ?? 0) + (list[1] ?? 0) : 0;
              const depth = version.major === 3 ? (list.at(-1) ?? 0) + (list.at(-2) ?? 0) : 0;
              return batch === 0 && depth === 0;
            },
            padWords,
          ),
        ]),
    padType,
  ],
});

const mirrorPad: Build = {
  int32: true,
  needs: true,
  without: ["quantisation"],
  npu: [
    padShape,
    padType,
    inFile(
      "padding",
      "The pad tensor can only pad width and height",
      (view) => {
        const list = pads(view);
        if (list === undefined) return undefined;
        const batch = list.length > 6 ? (list[0] ?? 0) + (list[1] ?? 0) : 0;
        return batch === 0 && (list.at(-1) ?? 0) + (list.at(-2) ?? 0) === 0;
      },
      padWords,
    ),
    inFile(
      "padding",
      "The number of pad values for each direction must not be larger than the ifm size in that dimension",
      (view) => {
        const [list, from] = [pads(view), shapeOf(view.inputs[0])];
        return list === undefined ? undefined : list.every((pad, i) => pad <= (from[Math.floor(i / 2)] ?? 0));
      },
    ),
  ],
};

const bit = (mask: number, index: number): boolean => (mask & (1 << index)) !== 0;

const slice: Build = {
  needs: true,
  without: ["batch"],
  semantic: [
    inFile(
      "slice",
      "Exactly 4 Input tensors are required",
      ({ inputs }) => inputs.length === 4,
      ({ inputs }) => `Op has ${inputs.length} inputs`,
    ),
    inFile("constant bounds", "Begin, End and Stride Input tensors must be constant", ({ inputs }) =>
      inputs.slice(1).every(isConstant),
    ),
    inFile("slice", "ellipsis_mask must be 0", (view) => (number(view, "ellipsis_mask") ?? 0) === 0),
    inFile(
      "slice",
      "new_axis_mask and shrink_axis_mask cannot both be set",
      (view) => (number(view, "new_axis_mask") ?? 0) === 0 || (number(view, "shrink_axis_mask") ?? 0) === 0,
    ),
    inFile(
      "slice",
      "Slice 'end' values must be greater than 'begin' values",
      (view) => {
        const [begin, end, shape] = [values(view, 1), values(view, 2), shapeOf(view.inputs[0])];
        if (begin === undefined || end === undefined) return undefined;
        const [from, to, shrink] = ["begin_mask", "end_mask", "shrink_axis_mask"].map(
          (name) => number(view, name) ?? 0,
        );
        const at = (list: readonly number[], mask: number, index: number, open: number): number => {
          const value = bit(mask, index) ? open : (list[index] ?? open);
          return value < 0 ? value + (shape[index] ?? 0) : value;
        };
        return shape.every((size, i) => bit(shrink ?? 0, i) || at(end, to ?? 0, i, size) > at(begin, from ?? 0, i, 0));
      },
      (view) => `Op has begin_values=${String(values(view, 1))} and end_values=${String(values(view, 2))}`,
    ),
  ],
};

const sliceOf = ({ major }: VelaVersion): Build => ({
  ...slice,
  npu: [
    inFile(
      "slice stride",
      major === 3 ? "All Strides values must be 1" : "Batch and channel stride values must be 1",
      (view) => {
        const steps = values(view, 3);
        if (steps === undefined) return undefined;
        return major === 3
          ? steps.every((step) => step === 1)
          : steps.at(-1) === 1 && (steps.length < 4 || steps[0] === 1);
      },
      (view) => `Op has strides values ${String(values(view, 3))}`,
    ),
    inFile("slice", "Offset attribute must be False", ({ node }) => node.attributes["offset"] !== true),
  ],
});

const transposeSays =
  "The following shape/permutations are supported for transpose: When ifm rank is 2: WxC -> CxW; When ifm rank is 3: HxWxC -> WxHxC, 1xWxC -> 1xCxW, Hx1xC -> Cx1xH; When ifm rank is 4: 1xHxWxC -> 1xWxHxC, 1x1xWxC -> 1x1xCxW, 1xHx1xC -> 1xCx1xW";

const transpose: Build = {
  int32: true,
  without: ["quantisation"],
  semantic: [
    inFile(
      "permutation",
      "Permutation array must be a 1D tensor with RANK(IFM) elements",
      (view) => String(shapeOf(view.inputs[1])) === String(shapeOf(view.inputs[0]).length),
    ),
    inFile("permutation", "Permutation array must have constant values in the range [0, RANK(IFM))", (view) => {
      const rank = shapeOf(view.inputs[0]).length;
      return values(view, 1)?.every((axis) => axis >= 0 && axis < rank) ?? false;
    }),
  ],
  npu: [
    inFile(
      "order",
      transposeSays,
      (view) => {
        const [shape, to] = [shapeOf(view.inputs[0]), values(view, 1) ?? []];
        const [a, b, c, d] = to;
        if (shape.length === 2) return true;
        if (to.length === 3)
          return (
            (a === 1 && b === 0) || (shape[0] === 1 && b === 2 && c === 1) || (shape[1] === 1 && a === 2 && c === 0)
          );
        if (to.length !== 4 || a !== 0) return false;
        return (b === 2 && c === 1) || (shape[1] === 1 && c === 3 && d === 2) || (shape[2] === 1 && b === 3 && d === 1);
      },
      (view) => `Op has ifm_shape: ${text(view.inputs[0])} and permutation is: ${String(values(view, 1))}`,
    ),
  ],
};

const transposed: Build = {
  needs: true,
  perAxis: 3,
  npu: [
    ...filters,
    check(
      "stride",
      "Stride values for width and height must match one of the following criteria: Stride values WxH must be 1x1 or 2x2; Stride WxH 2x1 supported if ifm height and kernel height = 1",
      (view) => {
        const { stride, kernel } = view;
        if (stride === undefined) return undefined;
        const [h, w] = stride;
        return (
          (h === 1 && w === 1) ||
          (h === 2 && w === 2) ||
          (w === 2 && h === 1 && imageIn(view)?.[1] === 1 && kernel?.[0] === 1)
        );
      },
      strideWords,
    ),
    check("output size", "SAME padding: OFM dimensions must equal IFM dimensions multiplied by stride", (view) => {
      if (view.padding !== "same") return true;
      const [from, to] = [imageIn(view), imageOut(view)];
      const { stride } = view;
      if (from === undefined || to === undefined || stride === undefined) return undefined;
      return to[1] === (from[1] ?? 0) * stride[0] && to[2] === (from[2] ?? 0) * stride[1];
    }),
    inFile(
      "output size",
      "VALID padding: OFM dimensions must equal IFM dimensions multiplied by stride, minus difference between kernel size and stride",
      (view) => {
        if (view.padding !== "valid") return true;
        const [from, to, { kernel = [1, 1], stride = [1, 1] }] = [imageIn(view), imageOut(view), view];
        return [0, 1].every(
          (i) =>
            to?.[i + 1] === (from?.[i + 1] ?? 0) * (stride[i] ?? 1) + Math.max((kernel[i] ?? 1) - (stride[i] ?? 1), 0),
        );
      },
    ),
  ],
};

const multiplier = check(
  "depth multiplier",
  "For depth multipliers > 1, IFM channels must be 1 and OFM channels must be equal to the depth multiplier",
  (view) => {
    const [from, to] = [imageIn(view)?.[3], imageOut(view)?.[3]];
    if (from === undefined || to === undefined) return undefined;
    const said = number(view, "depth_multiplier");
    const by = said === undefined || said === 0 ? Math.floor(to / from) : said;
    return by <= 1 || (from === 1 && to === by);
  },
  (view) => `Op has ifm_channels=${imageIn(view)?.[3] ?? "?"}, ofm_channels=${imageOut(view)?.[3] ?? "?"}`,
);

const kernelWords: Found = ({ kernel }) => `Op has kernel filter WxH as: ${kernel?.[1] ?? "?"}x${kernel?.[0] ?? "?"}`;
const kernelHeight = (says: string, valid: boolean): Constraint =>
  check("kernel", says, (view) => (valid && paddingOf(view) !== "valid") || within(view.kernel?.[0], 256), kernelWords);
const kernelArea = (says: string, valid: boolean): Constraint =>
  check(
    "kernel",
    says,
    (view) => (valid && paddingOf(view) !== "valid") || within(area(view.kernel), 65536),
    kernelWords,
  );

const averagePool: Build = {
  needs: true,
  semantic: poolTypes,
  npu: [
    strideWidth,
    check(
      "stride",
      "Stride width must be greater than or equal to 1. For stride width greater than 3, valid padding needs to be used.",
      (view) => paddingOf(view) === "valid" || (strideOf(view)?.[1] ?? 1) <= 3,
      strideWords,
    ),
    check(
      "kernel",
      "Kernel filter values for both width and height must be in the range [1, 8]",
      (view) => {
        if (paddingOf(view) !== "same") return true;
        const { kernel } = view;
        return kernel === undefined
          ? undefined
          : (kernel[1] <= 8 || strideOf(view)?.[1] === kernel[1]) && kernel[0] <= 8;
      },
      kernelWords,
    ),
    kernelHeight("VALID padding: Kernel filter height must be in the range [1, 256]", true),
    kernelArea("VALID padding: Product of kernel filter width and height must be in the range [1, 65536]", true),
  ],
};

const fullyConnected: Build = {
  needs: true,
  perAxis: 4,
  without: ["batch"],
  semantic: [
    inFile("output rank", "The output tensor(s) must have 2D shape", (view) => {
      const { ifm, weights } = of(view);
      const [rows, columns] = shapeOf(weights);
      const depth = (isConstant(weights) ? columns : rows) ?? 1;
      return shapeOf(ifm).length !== 1 && (elements(ifm) ?? 0) % depth === 0;
    }),
    inFile(
      "output rank",
      "The IFM and OFM must have the same number of dimensions if keep_num_dims is set to true",
      (view) =>
        view.node.attributes["keep_num_dims"] !== true || shapeOf(of(view).ifm).length === shapeOf(of(view).ofm).length,
    ),
  ],
  npu: [weightType, weightConstant, ...biasChecks],
};

const axisIn = (view: View): number => {
  const [axis, rank] = [number(view, "axis") ?? 0, shapeOf(of(view).ofm).length];
  return axis < 0 ? axis + rank : axis;
};
const parts = ({ inputs }: View): readonly Tensor[] => inputs.filter((tensor) => tensor !== undefined);

const concatenation: Build = {
  needs: true,
  semantic: [
    inFile(
      "axis",
      "Axis attribute must be in the range [0, <ofm_dimensions>)",
      (view) => axisIn(view) >= 0 && axisIn(view) < shapeOf(of(view).ofm).length,
    ),
    inFile("rank", "All Input dimensionalities must match OFM dimensionality", (view) =>
      parts(view).every((t) => shapeOf(t).length === shapeOf(of(view).ofm).length),
    ),
    inFile(
      "shape",
      "All Input dimensions must match OFM dimension in all axes except the one defined by the axis attribute",
      (view) =>
        parts(view).every((t) => shapeOf(t).every((d, i) => i === axisIn(view) || d === shapeOf(of(view).ofm)[i])),
    ),
    inFile(
      "shape",
      "The size of the OFM axis must match the sum of all IFM axis defined by the axis attribute",
      (view) =>
        parts(view).reduce((sum, t) => sum + (shapeOf(t)[axisIn(view)] ?? 0), 0) ===
        shapeOf(of(view).ofm)[axisIn(view)],
    ),
  ],
};

const softmaxOf = ({ major }: VelaVersion): Build => ({
  needs: true,
  without: ["batch"],
  semantic: [
    inFile("shape", "IFM and OFM shapes must match", (view) => sameShape(of(view).ifm, of(view).ofm)),
    sameTypes,
    inFile("beta", "Beta value needs to be positive", (view) => (number(view, "beta") ?? 1) >= 0),
  ],
  ...(major === 3
    ? {}
    : {
        npu: [
          check("size", "The product of IFM width and height must be in the range [1, 65535]", (view) => {
            const shape = shapeOf(of(view).ifm);
            return (shape.at(-2) ?? 1) * (shape.at(-3) ?? 1) <= 65535;
          }),
        ],
      }),
});

const splitAxis = (view: View): number | undefined => {
  const [axis] = values(view, 0) ?? [];
  return axis === undefined ? undefined : axis < 0 ? axis + shapeOf(view.inputs[1]).length : axis;
};

const split: Build = {
  scalarIn: true,
  needs: true,
  without: ["batch"],
  semantic: [
    inFile("axis", "Axis value must be in the range [-RANK(IFM) to +RANK(IFM))", (view) => {
      const axis = splitAxis(view);
      return axis === undefined ? undefined : axis >= 0 && axis < shapeOf(view.inputs[1]).length;
    }),
    inFile(
      "split",
      "Axis must be divisible by number of splits",
      (view) => (shapeOf(view.inputs[1])[splitAxis(view) ?? 0] ?? 0) % (number(view, "num_splits") ?? 1) === 0,
    ),
  ],
};

const signed = check(
  "type",
  "IFM must be int8 or int16",
  (view) => /^int(?:8|16)$/.test(of(view).ifm?.type ?? ""),
  (view) => `Op has ifm_dtype=${of(view).ifm?.type ?? ""}`,
);
const eightBit = check(
  "type",
  "IFM must be int8 or uint8",
  (view) => /^u?int8$/.test(of(view).ifm?.type ?? ""),
  (view) => `Op has ifm_dtype=${of(view).ifm?.type ?? ""}`,
);

const argMax: Build = {
  scalarIn: true,
  needs: true,
  int32: true,
  without: ["quantisation", "type"],
  semantic: [
    eightBit,
    check(
      "output type",
      "OFM must be int32 or int64",
      (view) => /^int(?:32|64)$/.test(of(view).ofm?.type ?? ""),
      (view) => `Op has ofm_dtype=${of(view).ofm?.type ?? ""}`,
    ),
  ],
  npu: [
    inFile(
      "axis",
      "Operation must be performed along the depth axis",
      (view) => {
        const [axis] = values(view, 1) ?? [];
        return axis === undefined ? undefined : axis === -1 || axis === shapeOf(view.inputs[0]).length - 1;
      },
      (view) =>
        `Axis is ${String(values(view, 1))} and number of input dimensions is ${shapeOf(view.inputs[0]).length}`,
    ),
    inFile(
      "size",
      "IFM depth must be no greater than 127",
      (view) => (shapeOf(view.inputs[0]).at(-1) ?? 0) <= 127,
      (view) => `IFM depth is ${shapeOf(view.inputs[0]).at(-1) ?? "?"}`,
    ),
  ],
};

const given = (view: View, from: number, to: number): readonly (Tensor | undefined)[] => view.inputs.slice(from, to);
const nothing = (list: readonly (Tensor | undefined)[]): boolean => list.every((tensor) => tensor === undefined);

const lstm: Build = {
  needs: true,
  semantic: [
    signed,
    sameTypes,
    inFile(
      "rank",
      "IFM and OFM must have 3D shape",
      (view) => shapeOf(of(view).ifm).length === 3 && shapeOf(of(view).ofm).length === 3,
    ),
    inFile("inputs", "Must have 24 input tensors", ({ inputs }) => inputs.length === 24),
  ],
  npu: [
    inFile("lstm", "Must not use CIFG", ({ inputs }) => inputs[1] !== undefined || inputs[5] !== undefined),
    inFile("lstm", "Must not use Peephole", (view) => nothing(given(view, 9, 12))),
    inFile("lstm", "Must not use Projection", (view) => nothing(given(view, 16, 18))),
    inFile("lstm", "Must not use Normalisation", (view) => nothing(given(view, 20, 24))),
    inFile(
      "lstm",
      "All input and recurrent weights must be available",
      (view) => !given(view, 1, 9).includes(undefined),
    ),
    inFile("lstm", "All recurrent weights must be 2D", (view) =>
      given(view, 5, 9).every((tensor) => shapeOf(tensor).length === 2),
    ),
  ],
};

const unary: Build = { semantic: [eitherShape, sameTypes] };
const plain: Build = {};

/** Operators by their names in TFLite. */
export const velaOperators = (version: VelaVersion): Readonly<Record<string, Build>> => ({
  ABS: unary,
  ADD: { ...arithmetic, needs: true },
  ARG_MAX: argMax,
  AVERAGE_POOL_2D: averagePool,
  CONCATENATION: concatenation,
  CONV_2D: { needs: true, perAxis: 3, semantic: groups, npu: [strideWidth, ...filters] },
  DEPTHWISE_CONV_2D: {
    needs: true,
    perAxis: 3,
    npu: [...filters, narrow("Stride values for both width and height must be between 1 and 3"), multiplier],
  },
  EXP: { semantic: [eitherShape, sameTypes, signed] },
  EXPAND_DIMS: { scalarIn: true, semantic: reshaping },
  FULLY_CONNECTED: fullyConnected,
  HARD_SWISH: { semantic: [eightBit, sameTypes] },
  LEAKY_RELU: { ...unary, needs: true },
  LOGISTIC: plain,
  MAXIMUM: extremum,
  MAX_POOL_2D: {
    needs: true,
    semantic: poolTypes,
    npu: [
      narrow("Stride values for both width and height must be in the range [1, 3]"),
      kernelHeight("Kernel filter height must be in the range [1, 256]", false),
      kernelArea("Product of kernel filter width and height must be in the range [1, 65536]", false),
    ],
  },
  MEAN: mean,
  MINIMUM: extremum,
  ...(version.major === 4 ? { MIRROR_PAD: mirrorPad } : {}),
  MUL: arithmetic,
  PACK: { needs: true },
  PAD: padOf(version),
  PRELU: plain,
  QUANTIZE: { scalarIn: true, without: ["dynamic", "output"] },
  RELU: plain,
  RELU6: plain,
  RELU_N1_TO_1: plain,
  RESHAPE: {
    without: ["batch"],
    semantic: reshaping,
    npu: [
      inFile(
        "constant shape",
        "Shape must be constant",
        ({ inputs }) => inputs[1] === undefined || isConstant(inputs[1]),
      ),
    ],
  },
  RESIZE_BILINEAR: { needs: true, npu: [...resize(version), halfPixel] },
  RESIZE_NEAREST_NEIGHBOR: { needs: true, npu: resize(version) },
  RSQRT: {
    semantic: [eitherShape, sameTypes],
    npu: [
      check(
        "type",
        "IFM must be int8",
        (view) => of(view).ifm?.type === "int8",
        (view) => `Op has ifm_dtype=${of(view).ifm?.type ?? ""}`,
      ),
    ],
  },
  SHAPE: { needs: true, vanishes: true, without: ["quantisation"] },
  SLICE: {
    without: ["batch"],
    npu: [
      inFile("constant bounds", "Begin and Size Input tensors must be constant", ({ inputs }) =>
        inputs.slice(1).every(isConstant),
      ),
    ],
  },
  SOFTMAX: softmaxOf(version),
  SPLIT: split,
  SPLIT_V: {
    scalarIn: true,
    needs: true,
    without: ["batch"],
    semantic: [
      inFile(
        "split",
        "Only one size is allowed to be inferred",
        (view) => (values(view, 1) ?? []).filter((size) => size === -1).length <= 1,
      ),
    ],
  },
  SQUARED_DIFFERENCE: { semantic: [eitherShape] },
  SQUEEZE: { needs: true, without: ["batch"], semantic: reshaping },
  STRIDED_SLICE: sliceOf(version),
  SUB: { ...arithmetic, needs: true },
  TANH: plain,
  TRANSPOSE: transpose,
  TRANSPOSE_CONV: transposed,
  UNIDIRECTIONAL_SEQUENCE_LSTM: lstm,
  UNPACK: { needs: true, without: ["batch"] },
});
