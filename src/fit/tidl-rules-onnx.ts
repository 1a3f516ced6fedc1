/** Rules of TIDL for ONNX's layers that ask the most of their attributes. */

import {
  axisBack,
  axesBack,
  fromFront,
  given,
  listOrInput,
  numberOf,
  outputShape,
  resizesImage,
  says,
  scaleOf,
  shapeOf,
  textOf,
  valuesOf,
} from "./onnx-rules.ts";
import { constraint } from "./rules.ts";
import type { Rule } from "./target.ts";
import { dimensions } from "./tidl-rules.ts";
import type { View } from "./view.ts";

export const quantise: Rule = [
  says("axis", [1], 1, "Only default axis = 1 is supported"),
  constraint(
    "quantization",
    "QuantizeLinear and DeQuantizeLinear are only supported in ONNX QDQ models",
    ({ outputs, inputs }) =>
      [...inputs, ...outputs].some((tensor) => tensor !== undefined && /int8|int16/.test(tensor.type)),
  ),
];

export const resize: Rule = [
  dimensions(4),
  says("mode", ["nearest", "linear"], "nearest", "Only 'nearest' and 'linear' resize mode are supported"),
  resizesImage("Resize is only supported along width and height axis"),
  constraint("scale", "Scales < 1 are not supported", (view) => scaleOf(view)?.every((one) => one >= 1)),
  constraint(
    "scale",
    "Width and Height scale should be same",
    (view) => {
      const scale = scaleOf(view);
      return scale && scale[0] === scale[1];
    },
    (view) => `scales ${scaleOf(view)?.join(" and ") ?? ""}`,
  ),
  constraint(
    "scale",
    "Only Power of 2 scales are supported",
    (view) => scaleOf(view)?.every((one) => Number.isInteger(Math.log2(one))),
    (view) => `scales ${scaleOf(view)?.join(" and ") ?? ""}`,
  ),
  says("antialias", [0], 0, "Only default antialias = 0 is supported"),
  says(
    "keep_aspect_ratio_policy",
    ["stretch"],
    "stretch",
    "Only default keep_aspect_ratio_policy = 'stretch' is supported",
  ),
  constraint(
    "coordinate_transformation_mode",
    "Only 'half_pixel', 'pytorch_half_pixel' and 'asymmetric' coordinate_transformation_mode is supported",
    (view) => ["half_pixel", "pytorch_half_pixel", "asymmetric", "align_corners"].includes(coordinates(view)),
    coordinates,
  ),
  constraint(
    "nearest_mode",
    "Only 'round_prefer_ceil' nearest mode is supported when coordinate_transformation_mode is 'half_pixel' or 'pytorch_half_pixel'",
    (view) =>
      textOf(view, "mode", "nearest") !== "nearest" ||
      !coordinates(view).endsWith("half_pixel") ||
      ["round_prefer_ceil", "round_prefer_floor"].includes(nearest(view)),
    nearest,
  ),
  constraint(
    "nearest_mode",
    "Only 'floor' nearest mode is supported when coordinate_transformation_mode is 'asymmetric'",
    (view) =>
      textOf(view, "mode", "nearest") !== "nearest" || coordinates(view) !== "asymmetric" || nearest(view) === "floor",
    nearest,
  ),
  constraint(
    "coordinate_transformation_mode",
    "'linear' resize mode is not supported when coordinate_transformation_mode is 'asymmetric'",
    (view) => textOf(view, "mode", "nearest") !== "linear" || coordinates(view) !== "asymmetric",
  ),
  constraint(
    "coordinate_transformation_mode",
    "'pytorch_half_pixel' coordinate_transformation_mode is not supported for Resize output shapes <= 1",
    (view) =>
      coordinates(view) !== "pytorch_half_pixel" ||
      outputShape(view)
        ?.slice(-2)
        .every((one) => one > 1),
  ),
  says("exclude_outside", [0], 0, "Only default exclude_outside = 0 is supported"),
];

function coordinates(view: Parameters<typeof textOf>[0]): string {
  return (
    textOf(view, "coordinate_transformation_mode", view.spelled === "Upsample" ? "asymmetric" : "half_pixel") ?? ""
  );
}

function nearest(view: Parameters<typeof textOf>[0]): string {
  return textOf(view, "nearest_mode", view.spelled === "Upsample" ? "floor" : "round_prefer_floor") ?? "";
}

export const slice: Rule = [
  constraint("axis", "Only supports non-batch dimension", (view) => {
    const rank = view.inShape?.length;
    const axes =
      view.spelled === "Split"
        ? [numberOf(view, "axis", 0) ?? 0]
        : (listOrInput(view, "axes", 3) ??
          (given(view, 3) ? undefined : listOrInput(view, "starts", 1)?.map((_, at) => at)));
    if (rank === undefined || axes === undefined) return undefined;
    return rank < 4 || axes.every((axis) => fromFront(axis, rank) > 0);
  }),
  constraint(
    "steps",
    "Non-singular stride are not supported individually",
    (view) =>
      view.spelled === "Split" ||
      !given(view, 4) ||
      valuesOf(view, 4)?.every((one) => one === 1 || (one === 2 && mergesPatches(view))),
    (view) => `steps ${valuesOf(view, 4)?.join(", ") ?? "not known"}`,
  ),
];

/** Patch merging: slices of every second row and column, joined along the channels, which must be the last dimension. */
function mergesPatches(view: View): boolean {
  const users = view.around?.users(view) ?? [];
  return (
    users.length > 0 &&
    users.every((user) =>
      user.spelled === "Concat"
        ? user.node.inputs.length === 4 &&
          fromFront(numberOf(user, "axis", 0) ?? 0, user.inShape?.length ?? 0) + 1 === user.inShape?.length
        : user.spelled === "Slice" && given(user, 4) && mergesPatches(user),
    )
  );
}

export function argument(): Rule {
  return [
    says("keepdims", [1], 1, "Only keepdims = 1 (default) is supported"),
    axisBack([-3], 0, "Only axis = -3 is supported"),
    dimensions(4),
    says("select_last_index", [0], 0, "select_last_index isn't supported"),
  ];
}

export function reduce(): Rule {
  return [
    dimensions(4),
    axesBack([-2], 1, "Reduction is only supported along height axis"),
    says("keepdims", [1], 1, "Only keepdims = 1 is supported"),
  ];
}

export function scatter(): Rule {
  return [
    dimensions(4),
    constraint(
      "reduction",
      "ScatterElements only supports the 'none' reduction type; ScatterND does not support the 'mul' reduction type",
      (view) => {
        const reduction = textOf(view, "reduction", "none");
        return view.spelled === "ScatterND" ? reduction !== "mul" : reduction === "none";
      },
    ),
    constraint("channels", "Updates tensor should not have more than 1 channel", (view) => {
      const updates = shapeOf(view, 2);
      return updates && (updates.at(-3) ?? 1) <= 1;
    }),
    constraint("constant input", "The constant input 'data' must be a zero tensor", ({ constant }) =>
      constant[0] === true ? undefined : true,
    ),
  ];
}
