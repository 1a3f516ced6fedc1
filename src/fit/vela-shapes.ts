/** What Vela checks of operators that give what they take another shape, size or order, or put it together and apart. */

import type { Tensor } from "../model/graph.ts";
import type { Constraint } from "./target.ts";
import {
  type Build,
  type Found,
  check,
  inFile,
  number,
  of,
  text,
  values,
  type VelaVersion,
  list,
} from "./vela-checks.ts";
import { elements, imageIn, imageOut, isConstant, sameQuantization, shapeOf } from "./vela-tensors.ts";
import { isTflite, type View } from "./view.ts";

export const reshaping: readonly Constraint[] = [
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

const resizeWords: Found = (view) =>
  `Op has ifm_shape=${list(imageIn(view))}, ofm_shape=${list(imageOut(view))} and align_corners=${String(view.node.attributes["align_corners"] ?? false)}`;

export const resize = ({ major }: VelaVersion): readonly Constraint[] => [
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

export const halfPixel = check(
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

const padWords: Found = (view) => `padding: ${list(pads(view))}`;

const padShape = inFile(
  "padding",
  "The padding tensor must have the shape [3,2] or [4,2]",
  (view) => /^[34],2$/.test(String(shapeOf(view.inputs[1]))),
  (view) => `The pad tensor has the shape: ${text(view.inputs[1])}`,
);

const padType = inFile("padding", "Pad tensor must be of type: int32, int64", (view) =>
  /^int(?:32|64)$/.test(view.inputs[1]?.type ?? ""),
);

export const padOf = (version: VelaVersion): Build => ({
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

export const mirrorPad: Build = {
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
      (view) => `Op has begin_values=${list(values(view, 1))} and end_values=${list(values(view, 2))}`,
    ),
  ],
};

export const sliceOf = ({ major }: VelaVersion): Build => ({
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
      (view) => `Op has strides values ${list(values(view, 3))}`,
    ),
    inFile("slice", "Offset attribute must be False", ({ node }) => node.attributes["offset"] !== true),
  ],
});

const transposeSays =
  "The following shape/permutations are supported for transpose: When ifm rank is 2: WxC -> CxW; When ifm rank is 3: HxWxC -> WxHxC, 1xWxC -> 1xCxW, Hx1xC -> Cx1xH; When ifm rank is 4: 1xHxWxC -> 1xWxHxC, 1x1xWxC -> 1x1xCxW, 1xHx1xC -> 1xCx1xW";

export const transpose: Build = {
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
      (view) => `Op has ifm_shape: ${text(view.inputs[0])} and permutation is: ${list(values(view, 1))}`,
    ),
  ],
};

const axisIn = (view: View): number => {
  const [axis, rank] = [number(view, "axis") ?? 0, shapeOf(of(view).ofm).length];
  return axis < 0 ? axis + rank : axis;
};

const parts = ({ inputs }: View): readonly Tensor[] => inputs.filter((tensor) => tensor !== undefined);

export const concatenation: Build = {
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

const splitAxis = (view: View): number | undefined => {
  const [axis] = values(view, 0) ?? [];
  return axis === undefined ? undefined : axis < 0 ? axis + shapeOf(view.inputs[1]).length : axis;
};

export const split: Build = {
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
