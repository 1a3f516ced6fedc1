/**
 * What the numbered parameters of ncnn's commonest layers are called; others keep their numbers. From
 * https://github.com/Tencent/ncnn/blob/master/docs/developer-guide/operation-param-weight-table.md and operators.md beside it.
 */

const convolution: Readonly<Record<number, string>> = {
  0: "num_output",
  1: "kernel_w",
  2: "dilation_w",
  3: "stride_w",
  4: "pad_left",
  5: "bias_term",
  6: "weight_data_size",
  7: "group",
  8: "int8_scale_term",
  9: "activation_type",
  10: "activation_params",
  11: "kernel_h",
  12: "dilation_h",
  13: "stride_h",
  14: "pad_top",
  15: "pad_right",
  16: "pad_bottom",
  18: "pad_value",
};

const shape = { 0: "w", 1: "h", 2: "c", 11: "d" };

export const layerParams: Readonly<Record<string, Readonly<Record<number, string>>>> = {
  Input: shape,
  MemoryData: shape,
  Convolution: convolution,
  Convolution1D: convolution,
  ConvolutionDepthWise: convolution,
  ConvolutionDepthWise1D: convolution,
  Deconvolution: { ...convolution, 18: "output_pad_right", 19: "output_pad_bottom", 20: "output_w", 21: "output_h" },
  DeconvolutionDepthWise: {
    ...convolution,
    18: "output_pad_right",
    19: "output_pad_bottom",
    20: "output_w",
    21: "output_h",
  },
  InnerProduct: {
    0: "num_output",
    1: "bias_term",
    2: "weight_data_size",
    8: "int8_scale_term",
    9: "activation_type",
    10: "activation_params",
  },
  Pooling: {
    0: "pooling_type",
    1: "kernel_w",
    2: "stride_w",
    3: "pad_left",
    4: "global_pooling",
    5: "pad_mode",
    11: "kernel_h",
    12: "stride_h",
    13: "pad_top",
    14: "pad_right",
    15: "pad_bottom",
  },
  BatchNorm: { 0: "channels", 1: "eps" },
  Bias: { 0: "bias_data_size" },
  BinaryOp: { 0: "op_type", 1: "with_scalar", 2: "b" },
  Clip: { 0: "min", 1: "max" },
  Concat: { 0: "axis" },
  Eltwise: { 0: "op_type", 1: "coeffs" },
  DeformableConv2D: convolution,
  Embed: { 0: "num_output", 1: "input_dim", 2: "bias_term", 3: "weight_data_size" },
  Gemm: {
    0: "alpha",
    1: "beta",
    2: "transA",
    3: "transB",
    4: "constantA",
    5: "constantB",
    6: "constantC",
    7: "constantM",
    8: "constantN",
    9: "constantK",
    10: "constant_broadcast_type_C",
    14: "output_transpose",
  },
  GroupNorm: { 0: "group", 1: "channels", 2: "eps", 3: "affine" },
  InstanceNorm: { 0: "channels", 1: "eps", 2: "affine" },
  LayerNorm: { 0: "affine_size", 1: "eps", 2: "affine" },
  Interp: { 0: "resize_type", 1: "height_scale", 2: "width_scale", 3: "output_height", 4: "output_width" },
  LSTM: { 0: "num_output", 1: "weight_data_size", 2: "direction" },
  MatMul: { 0: "transB" },
  MultiHeadAttention: { 0: "embed_dim", 1: "num_head", 2: "weight_data_size" },
  PReLU: { 0: "num_slope" },
  Permute: { 0: "order_type" },
  RNN: { 0: "num_output", 1: "weight_data_size", 2: "direction" },
  ReLU: { 0: "slope" },
  Reshape: { 0: "w", 1: "h", 2: "c", 3: "permute", 11: "d" },
  SDPA: { 5: "attn_mask", 6: "scale", 7: "kv_cache" },
  Scale: { 0: "scale_data_size", 1: "bias_term" },
  Slice: { 0: "slices", 1: "axis" },
  Softmax: { 0: "axis" },
  UnaryOp: { 0: "op_type" },
};

/**
 * Numbers a layer keeps in the .bin, by its parameters; undefined for layers whose count is not told by them. Layers that are not
 * listed keep none.
 */
export function weightsOf(spelled: string, params: Readonly<Record<string, unknown>>): number | undefined {
  const given = (key: string): number => {
    const value = params[key];
    return typeof value === "number" && value > 0 ? value : 0;
  };
  switch (spelled) {
    case "Bias":
      return given("bias_data_size");
    case "BatchNorm":
      return 4 * given("channels");
    case "PReLU":
      return given("num_slope");
    case "Scale":
      return given("scale_data_size") * (1 + given("bias_term"));
    case "MemoryData":
      return given("w") * Math.max(1, given("h")) * Math.max(1, given("d")) * Math.max(1, given("c"));
    case "GroupNorm":
      return params["affine"] === 0 ? 0 : 2 * given("channels");
    case "InstanceNorm":
      return params["affine"] === 0 ? 0 : 2 * given("channels");
    case "LayerNorm":
      return params["affine"] === 0 ? 0 : 2 * given("affine_size");
    case "Gemm":
    case "GRU":
    case "LSTM":
    case "MultiHeadAttention":
    case "Normalize":
    case "Padding":
    case "RMSNorm":
    case "RNN":
    case "Requantize":
    case "DeformableConv2D":
      return undefined;
    default:
      return given("weight_data_size") + (given("bias_term") > 0 ? given("num_output") : 0);
  }
}
