/**
 * What Vela checks before it puts an operator on the NPU, in its order and words: first that the operator means what TFLite says
 * (tflite_model_semantic.py), then that an Ethos-U55 or U65 can do it (tflite_supported_operators.py); SUPPORTED_OPS.md lists the same.
 */

import type { Tensor } from "../model/graph.ts";
import type { Constraint, Rule } from "./target.ts";
import type { Build, VelaVersion } from "./vela-checks.ts";
import { velaOperators } from "./vela-operators.ts";
import { doubtful, velaOperatorsOfU85 } from "./vela-u85.ts";
import { checked, isConstant, operandsOf, shapeOf } from "./vela-tensors.ts";
import { isTflite, type View } from "./view.ts";

/** Rules of every operator of TFLite: also of those that are refused, for Vela looks at their tensors first and says what is wrong there. */
export function velaRules(version: VelaVersion): Record<string, Rule> {
  const table = version.u85 === true ? velaOperatorsOfU85(version) : velaOperators(version);
  const rules: Record<string, Rule> = {};
  const built = new Map<string, readonly Constraint[]>();
  for (const name of cpuOnly) rules[name] = cpuRule(name, built);
  for (const [name, build] of Object.entries(table)) rules[name] = npuRule(build, version);
  if (version.u85 === true) for (const name of doubtful) rules[name] = "unsure";
  return rules;
}

const isScalar = (tensor: Tensor): boolean => shapeOf(tensor).length === 0;

const present = (view: View): readonly Tensor[] =>
  [...view.inputs, ...view.outputs].filter((tensor) => tensor !== undefined);

const names = (tensors: readonly Tensor[]): string => tensors.map(({ name }) => name.slice(0, 60)).join(", ");

/** A check of the TFLite file; other formats pass it, for their converter writes what is asked for. */
const inFile =
  (holds: (view: View) => boolean | undefined): Constraint["holds"] =>
  (view) =>
    isTflite(view) ? holds(view) : true;

/** Vela's checks by name, so that an operator can be let off one. */
type Generic = "attributes" | "dynamic" | "output" | "scalar" | "rank" | "quantisation" | "type" | "batch";

const dynamic: Constraint = {
  rule: "dynamic",
  says: "Input(s) and Output tensors must not be dynamic",
  holds: inFile((view) => !virtual.has(view.spelled) && !present(view).some((t) => isScalar(t) && !isConstant(t))),
  found: (view) => `Op has dynamic tensor(s): ${names(present(view).filter((t) => isScalar(t) && !isConstant(t)))}`,
};

const plainTypes: ReadonlySet<string> = new Set(["int32", "int64", "bool"]);

/** Vela gives these an output of no shape, so that they are not forgotten. */
const virtual: ReadonlySet<string> = new Set(["ASSIGN_VARIABLE", "CALL_ONCE"]);

function semanticChecks(
  taken: boolean,
  scalarIn: boolean,
  needs: boolean,
  without: readonly Generic[],
  u85 = false,
): Constraint[] {
  // Whole numbers that stand for themselves need none on a U85.
  const asked = (tensor: Tensor): boolean => !u85 || !plainTypes.has(tensor.type);
  const all: readonly (readonly [Generic | undefined, Constraint | undefined])[] = [
    ["attributes", needs ? attributes : undefined],
    ["dynamic", dynamic],
    [
      "output",
      {
        rule: "scalar",
        says: "Output tensors cannot be scalar",
        holds: inFile((view) => view.outputs[0] === undefined || !isScalar(view.outputs[0])),
        found: (view) => `Output Tensor '${view.outputs[0]?.name ?? ""}' is scalar`,
      },
    ],
    [
      "scalar",
      scalarIn
        ? undefined
        : {
            rule: "scalar",
            says: "Scalar Input tensors are only valid for op type: ADD, ARG_MAX, EXPAND_DIMS, MAXIMUM, MEAN, MINIMUM, MUL, QUANTIZE, SPLIT, SPLIT_V, SUB",
            holds: inFile((view) => !view.inputs.some((t) => t !== undefined && isScalar(t))),
            found: (view) =>
              `Op has scalar input tensor(s): ${names(view.inputs.filter((t) => t !== undefined).filter(isScalar))}`,
          },
    ],
    [
      "rank",
      {
        rule: "rank",
        says: "Input(s) and Output tensors must not be greater than 4D",
        holds: (view) => !present(view).some((t) => shapeOf(t).length > 4),
        found: (view) => shapes(present(view).filter((t) => shapeOf(t).length > 4)),
      },
    ],
    [
      "quantisation",
      {
        rule: "quantisation",
        says: "Input(s), Output and Weight tensors must have quantization parameters",
        holds: inFile((view) => checked(view, taken).every((t) => t.quantization !== undefined || !asked(t))),
        found: (view) =>
          `Op has tensors with missing quantization parameters: ${names(checked(view, taken).filter((t) => t.quantization === undefined && asked(t)))}`,
      },
    ],
    [
      undefined,
      {
        rule: "quantisation scale",
        says: "Input(s), Output and Weight tensors with quantization scales must be finite",
        holds: (view) =>
          checked(view, taken).every((t) => t.quantization?.scale.every((s) => s !== Infinity) !== false),
      },
    ],
    [
      undefined,
      {
        rule: "quantisation scale",
        says: "Input and Output tensors must have quantization scales that fit within float32 precision",
        holds: (view) => fitsFloat(view, taken),
      },
    ],
  ];
  return all.flatMap(([name, constraint]) =>
    constraint === undefined || (name !== undefined && without.includes(name)) ? [] : [constraint],
  );
}

const shapes = (tensors: readonly Tensor[]): string =>
  tensors.map((t) => `Tensor '${t.name.slice(0, 60)}' has shape: [${shapeOf(t).join(", ")}]`).join(", ");

const attributes: Constraint = {
  rule: "attributes",
  says: "All required operator attributes must be specified",
  holds: inFile((view) => Object.keys(view.node.attributes).length > 0),
};

/** Smallest normal number of float32. */
const TINY = 2 ** -126;

function fitsFloat(view: View, taken: boolean): boolean {
  const { ifm, ofm } = operandsOf(view, taken);
  const scales = ofm?.quantization?.scale ?? [];
  if (scales.some((scale) => scale < TINY)) return false;
  const [into, outOf] = [ifm?.quantization?.scale[0], scales[0]];
  return into === undefined || outOf === undefined || Number.isFinite(Math.fround(into / outOf));
}

const types: ReadonlySet<string> = new Set(["int8", "uint8", "int16", "int32"]);
const int32 = "ADD, ARG_MAX, MUL, SHAPE, SUB, TRANSPOSE";
const perAxis = "CONV_2D, DEPTHWISE_CONV_2D, TRANSPOSE_CONV";

function npuChecks(build: Build, version: VelaVersion): Constraint[] {
  const { major } = version;
  const u85 = version.u85 === true;
  const { without = [] } = build;
  const list: Constraint[] = [];
  if (!without.includes("type"))
    list.push({
      rule: "type",
      says: "Tensors must be of type: int16, int32, int8, uint8",
      holds: (view) => checked(view, true).every(({ type }) => types.has(type)),
      found: (view) =>
        checked(view, true)
          .filter(({ type }) => !types.has(type))
          .map((t) => `Tensor '${t.name.slice(0, 60)}' has data type: ${t.type}`)
          .join(", "),
    });
  if (build.int32 !== true && !u85)
    list.push({
      rule: "int32",
      says: `Tensors which are int32 are only valid when op type is: ${major === 4 ? int32.replace("MUL,", "MIRROR_PAD, MUL,") : int32}`,
      holds: (view) => checked(view, true).every(({ type }) => type !== "int32"),
      found: (view) => `Op has int32 tensor(s): ${names(checked(view, true).filter(({ type }) => type === "int32"))}`,
    });
  list.push({
    rule: "dimension",
    says: "Tensor dimensions must be in the range [1, 65535]",
    holds: (view) => checked(view, true).every((t) => shapeOf(t).every((d) => d >= 1 && d <= 65535)),
    found: (view) => shapes(checked(view, true).filter((t) => shapeOf(t).some((d) => d < 1 || d > 65535))),
  });
  const axis = build.perAxis ?? 5;
  if (major < axis)
    list.push({
      rule: "per-axis",
      says: `Per-axis quantization is only supported for the following op types: ${major === 4 ? perAxis.replace("_2D, TR", "_2D, FULLY_CONNECTED, TR") : perAxis}`,
      holds: (view) => checked(view, true).every((t) => !isPerAxis(t)),
      found: (view) =>
        `The following tensor(s) have per-axis quantization parameters: ${names(checked(view, true).filter(isPerAxis))}`,
    });
  if (!without.includes("batch") && !u85)
    list.push({
      rule: "batch",
      says: "IFM Tensor batch size must be 1",
      holds: (view) => batchOf(view).every((batch) => batch === 1),
      found: (view) => `batch size: ${batchOf(view).join(", ")}`,
    });
  list.push(
    {
      rule: "activation",
      says: "The fused activation function (if present) must be one of type: LOGISTIC, RELU, RELU6, RELU_N1_TO_1, TANH",
      holds: (view) => view.activation !== "SIGN_BIT",
      found: (view) => `Op has its fused activation function as: ${view.activation ?? ""}`,
    },
    {
      rule: "activation type",
      says: "If a fused activation function is present, the Output tensor must be one of type: int16, int8, uint8",
      holds: (view) =>
        view.activation === undefined || view.activation === "NONE" || /^(?:int16|u?int8)$/.test(view.outType ?? ""),
      found: (view) =>
        `Op has fused activation function ${view.activation ?? ""}, and Output tensor data type: ${view.outType ?? ""}`,
    },
  );
  return list;
}

const isPerAxis = ({ quantization }: Tensor): boolean =>
  quantization !== undefined && (quantization.scale.length > 1 || quantization.zeroPoint.length > 1);

/** Of a shape with fewer than 4 dimensions, the batch is 1. */
function batchOf(view: View): readonly number[] {
  if (!isTflite(view)) return [view.batch ?? 1];
  const { ifm, ifm2 } = operandsOf(view, true);
  return [ifm, ifm2].filter((t) => t !== undefined).map((t) => (shapeOf(t).length < 4 ? 1 : (shapeOf(t)[0] ?? 1)));
}

const npuRule = (build: Build, version: VelaVersion): Rule => [
  ...semanticChecks(
    true,
    build.scalarIn === true || version.u85 === true,
    build.needs === true,
    build.without ?? [],
    version.u85 === true,
  ),
  ...(build.semantic ?? []),
  ...(build.vanishes === true ? [] : npuChecks(build, version)),
  ...(build.npu ?? []),
];

const cpuOnlySays: Constraint = { rule: "operator", says: "CPU only op", holds: () => false };

function cpuRule(name: string, built: Map<string, readonly Constraint[]>): Rule {
  const needs = needing.has(name);
  const key = String(needs);
  let rule = built.get(key);
  if (rule === undefined) {
    rule = [...semanticChecks(false, false, needs, []), cpuOnlySays];
    built.set(key, rule);
  }
  return rule;
}

/** Operators of the schema that Vela reads and no NPU of this kind does. */
const cpuOnly: readonly string[] =
  "ATAN2 DEPTH_TO_SPACE DEQUANTIZE EMBEDDING_LOOKUP FLOOR HASHTABLE_LOOKUP L2_NORMALIZATION L2_POOL_2D LOCAL_RESPONSE_NORMALIZATION LSH_PROJECTION LSTM RELU_0_TO_1 RNN SPACE_TO_DEPTH SVDF CONCAT_EMBEDDINGS SKIP_GRAM CALL EMBEDDING_LOOKUP_SPARSE UNIDIRECTIONAL_SEQUENCE_RNN GATHER BATCH_TO_SPACE_ND SPACE_TO_BATCH_ND DIV BIDIRECTIONAL_SEQUENCE_RNN TOPK_V2 LOG_SOFTMAX DELEGATE BIDIRECTIONAL_SEQUENCE_LSTM CAST LESS NEG PADV2 GREATER GREATER_EQUAL LESS_EQUAL SELECT SIN SIGN SPARSE_TO_DENSE TILE EQUAL NOT_EQUAL LOG SUM SQRT POW ARG_MIN FAKE_QUANT REDUCE_PROD REDUCE_MAX LOGICAL_OR ONE_HOT LOGICAL_AND LOGICAL_NOT REDUCE_MIN FLOOR_DIV REDUCE_ANY SQUARE ZEROS_LIKE FILL FLOOR_MOD RANGE MIRROR_PAD UNIQUE CEIL REVERSE_V2 ADD_N GATHER_ND COS WHERE RANK ELU REVERSE_SEQUENCE MATRIX_DIAG MATRIX_SET_DIAG ROUND IF WHILE NON_MAX_SUPPRESSION_V4 NON_MAX_SUPPRESSION_V5 SCATTER_ND SELECT_V2 DENSIFY SEGMENT_SUM BATCH_MATMUL CUMSUM CALL_ONCE BROADCAST_TO RFFT2D CONV_3D IMAG REAL COMPLEX_ABS HASHTABLE HASHTABLE_FIND HASHTABLE_IMPORT HASHTABLE_SIZE REDUCE_ALL CONV_3D_TRANSPOSE VAR_HANDLE READ_VARIABLE ASSIGN_VARIABLE BROADCAST_ARGS RANDOM_STANDARD_NORMAL BUCKETIZE RANDOM_UNIFORM MULTINOMIAL GELU DYNAMIC_UPDATE_SLICE UNSORTED_SEGMENT_PROD UNSORTED_SEGMENT_MAX UNSORTED_SEGMENT_MIN UNSORTED_SEGMENT_SUM BITCAST BITWISE_XOR RIGHT_SHIFT CUSTOM".split(
    " ",
  );

/** Of those, the ones whose options must be there; the fields of the others have no defaults that Vela misses. */
const needing: ReadonlySet<string> = new Set(
  "DEPTH_TO_SPACE L2_POOL_2D LOCAL_RESPONSE_NORMALIZATION LSH_PROJECTION LSTM RNN SPACE_TO_DEPTH SVDF CALL EMBEDDING_LOOKUP_SPARSE UNIDIRECTIONAL_SEQUENCE_RNN GATHER BIDIRECTIONAL_SEQUENCE_RNN BIDIRECTIONAL_SEQUENCE_LSTM CAST SPARSE_TO_DENSE SUM ARG_MIN FAKE_QUANT REDUCE_PROD REDUCE_MAX ONE_HOT REDUCE_MIN REDUCE_ANY MIRROR_PAD UNIQUE REVERSE_SEQUENCE IF WHILE BATCH_MATMUL CUMSUM CALL_ONCE CONV_3D HASHTABLE REDUCE_ALL CONV_3D_TRANSPOSE RANDOM_STANDARD_NORMAL BUCKETIZE RANDOM_UNIFORM GELU".split(
    " ",
  ),
);
