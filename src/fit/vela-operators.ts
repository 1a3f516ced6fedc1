/**
 * What Vela checks of each operator that an Ethos-U does, in its order and words (tflite_model_semantic.py and
 * tflite_supported_operators.py of ethos-u-vela 3.10 and 4.2, in which the differences are few).
 */

import {
  type Build,
  broadcast,
  check,
  eightBit,
  eitherShape,
  inFile,
  of,
  sameTypes,
  signed,
  values,
  type VelaVersion,
} from "./vela-checks.ts";
import { argMax, fullyConnected, lstm, mean, softmaxOf } from "./vela-reductions.ts";
import {
  concatenation,
  halfPixel,
  mirrorPad,
  padOf,
  reshaping,
  resize,
  sliceOf,
  split,
  transpose,
} from "./vela-shapes.ts";
import { isConstant, sameQuantization } from "./vela-tensors.ts";
import {
  averagePool,
  filters,
  groups,
  kernelArea,
  kernelHeight,
  multiplier,
  narrow,
  poolTypes,
  strideWidth,
  transposed,
} from "./vela-windows.ts";

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
