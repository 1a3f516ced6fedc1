/**
 * Where an Ethos-U85 (Vela 4.2 with Regor inside) takes other operators, or on other terms, than a U55 or U65: SUPPORTED_OPS.md of 4.2,
 * and what stayed on the CPU when it compiled 330 files.
 */

import type { Constraint } from "./target.ts";
import type { Build, VelaVersion } from "./vela-checks.ts";
import { velaOperators } from "./vela-operators.ts";
import { isConstant, operandsOf, shapeOf } from "./vela-tensors.ts";
import { isTflite, type View } from "./view.ts";

const of = (view: View): ReturnType<typeof operandsOf> => operandsOf(view, true);

const narrow: Constraint = {
  rule: "stride",
  says: "Stride values for both width and height must be in the range [1, 3]",
  // A window that covers all there is needs no stride.
  holds: ({ stride, kernel, inSize }) =>
    (kernel !== undefined && String(kernel) === String(inSize)) || stride?.every((one) => one >= 1 && one <= 3),
  found: ({ stride }) => `Op has stride WxH as: ${stride?.[1] ?? "?"}x${stride?.[0] ?? "?"}`,
};

/** Of the checks before, those that a U85 is not asked. */
const without = (build: Build | undefined, ...rules: readonly string[]): Build => ({
  ...build,
  ...(build?.semantic === undefined ? {} : { semantic: build.semantic.filter(({ rule }) => !rules.includes(rule)) }),
  ...(build?.npu === undefined ? {} : { npu: build.npu.filter(({ rule }) => !rules.includes(rule)) }),
});

const instead = (build: Build | undefined, constraint: Constraint): Build => {
  const rest = without(build, constraint.rule);
  return { ...rest, npu: [constraint, ...(rest.npu ?? [])] };
};

const sameInteger: Constraint = {
  rule: "type in and out",
  says: "what goes from one type of integer to another stays on the CPU",
  holds: (view) => of(view).ifm?.type === of(view).ofm?.type,
  found: (view) => `${of(view).ifm?.type ?? ""} to ${of(view).ofm?.type ?? ""}`,
  source: "Vela 4.2.0, run on 330 files: 40 of 40",
};

const gather: Constraint = {
  rule: "axis",
  says: "axis must be equal to batch_dims",
  holds: (view) => {
    if (!isTflite(view)) return undefined;
    const { axis, batch_dims: dims } = view.node.attributes;
    const rank = shapeOf(view.inputs[0]).length;
    const at = typeof axis === "number" ? (axis < 0 ? axis + rank : axis) : 0;
    return at === (typeof dims === "number" ? dims : 0);
  },
  found: ({ node }) => `axis ${String(node.attributes["axis"])}, batch_dims ${String(node.attributes["batch_dims"])}`,
};

const scatter: readonly Constraint[] = [
  {
    rule: "constant indices",
    says: "index and shape tensors must be constant",
    holds: ({ inputs }) => isConstant(inputs[0]) && isConstant(inputs[2]),
  },
  {
    rule: "unique indices",
    says: "the index tensor must not contain duplicates",
    holds: ({ inputs }) => inputs[0]?.values && new Set(inputs[0].values).size === inputs[0].values.length,
  },
];

/** Compilers after 4.2 take these; of 4.2 no document says so, and files that have them are too few to tell. */
export const doubtful: readonly string[] =
  "CAST DIV TILE GREATER GREATER_EQUAL LESS LESS_EQUAL EQUAL NOT_EQUAL SUM REDUCE_MAX REDUCE_MIN REDUCE_ANY REDUCE_ALL LOGICAL_OR LOGICAL_AND LOGICAL_NOT REVERSE_V2 NEG PADV2 GELU RELU_0_TO_1".split(
    " ",
  );

export function velaOperatorsOfU85(version: VelaVersion): Readonly<Record<string, Build>> {
  const same = { ...velaOperators(version) };
  delete same["UNIDIRECTIONAL_SEQUENCE_LSTM"];
  return {
    ...same,
    ARG_MAX: without(same["ARG_MAX"], "axis", "size", "type"),
    AVERAGE_POOL_2D: instead(same["AVERAGE_POOL_2D"], narrow),
    BATCH_MATMUL: { needs: true },
    CONV_2D: instead(same["CONV_2D"], narrow),
    GATHER: { without: ["quantisation"], npu: [gather] },
    LOG: {
      npu: [
        {
          rule: "type",
          says: "IFM must be int8 or int16",
          holds: (view) => /^int(?:8|16)$/.test(of(view).ifm?.type ?? ""),
          found: (view) => `Op has ifm_dtype=${of(view).ifm?.type ?? ""}`,
        },
      ],
    },
    QUANTIZE: { ...same["QUANTIZE"], npu: [sameInteger] },
    RESHAPE: { ...without(same["RESHAPE"], "quantisation in and out"), without: ["batch", "quantisation"] },
    RESIZE_BILINEAR: without(same["RESIZE_BILINEAR"], "resize", "half pixel centres"),
    RESIZE_NEAREST_NEIGHBOR: without(same["RESIZE_NEAREST_NEIGHBOR"], "resize"),
    RSQRT: without(same["RSQRT"], "type"),
    SCATTER_ND: { without: ["quantisation"], npu: scatter },
    SELECT: { without: ["quantisation"] },
    SELECT_V2: { without: ["quantisation"] },
    SOFTMAX: without(same["SOFTMAX"], "size", "type in and out"),
    TRANSPOSE: without(same["TRANSPOSE"], "order"),
  };
}
