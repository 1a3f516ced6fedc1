/**
 * The shared operator table: one name for what TFLite calls CONV_2D, ONNX Conv and ncnn Convolution. The shared name is ONNX's where
 * ONNX has the operator, else the first owner's in the same spelling (DepthwiseConv, FullyConnected). Quantised and fused spellings
 * share the name of what they compute: the file's own spelling stays beside it in `Node.spelled`.
 * Sources: tensorflow/compiler/mlir/lite/schema/schema.fbs; onnx/docs/Operators.md; onnxruntime/docs/ContribOperators.md;
 * docs.openvino.ai operation sets; github.com/Tencent/ncnn/wiki/operators.
 */

import { sealedSpellings } from "./ops-sealed.ts";

/** Who spells an operator: the column of a format. */
export type Dialect = "tflite" | "onnx" | "openvino" | "ncnn" | "tensorflow" | "torch" | "stablehlo" | "tosa" | "mnn";

export interface OpRow {
  readonly op: string;
  /** What it is for, coarse: lists, colours of a graph. */
  readonly kind: OpKind;
  /** Spellings, separated by spaces. */
  readonly tflite?: string;
  /** Of any domain; names of other domains than ONNX's own do not collide with it except where `domains` says so. */
  readonly onnx?: string;
  readonly openvino?: string;
  readonly ncnn?: string;
  readonly tensorflow?: string;
  /** Without the namespace and the overload: "convolution" of aten::convolution.out. */
  readonly torch?: string;
  /** Without "stablehlo." and, of the portable form, the version: add of vhlo.add_v1. */
  readonly stablehlo?: string;
  /** Without "tosa.". */
  readonly tosa?: string;
  /** OpType; behind a dot what an operator of many kinds says in its parameters: BinaryOp.ADD. */
  readonly mnn?: string;
}

export type OpKind =
  | "convolution"
  | "matrix"
  | "recurrent"
  | "attention"
  | "pool"
  | "activation"
  | "normalise"
  | "elementwise"
  | "reduce"
  | "shape"
  | "quantise"
  | "control"
  | "state"
  | "detection"
  | "signal"
  | "text"
  | "tree"
  | "random"
  | "graph";

/* prettier-ignore */
export const opTable: readonly OpRow[] = [
  // convolution
  { op: "Conv", kind: "convolution", tflite: "CONV_2D CONV_3D", onnx: "Conv ConvInteger QLinearConv FusedConv NhwcFusedConv NhwcConv", openvino: "Convolution GroupConvolution BinaryConvolution", ncnn: "Convolution Convolution1D Convolution3D", tensorflow: "Conv2D Conv3D _FusedConv2D", torch: "convolution conv1d conv2d conv3d quantized_conv2d conv_with_clamp quantized_conv2d_nhwc quantized_conv quantized_conv2d_nchw", stablehlo: "convolution", tosa: "conv2d conv3d conv2d_block_scaled", mnn: "Convolution Convolution3D ConvInt8 TfQuantizedConv2D" },
  { op: "DepthwiseConv", kind: "convolution", tflite: "DEPTHWISE_CONV_2D", ncnn: "ConvolutionDepthWise ConvolutionDepthWise1D ConvolutionDepthWise3D", tensorflow: "DepthwiseConv2dNative FusedDepthwiseConv2dNative", torch: "quantized_depthwise_conv2d quantized_depthwise_conv2d_nhwc", tosa: "depthwise_conv2d", mnn: "ConvolutionDepthwise DepthwiseConvInt8 QuantizedDepthwiseConv2D" },
  { op: "ConvTranspose", kind: "convolution", tflite: "TRANSPOSE_CONV CONV_3D_TRANSPOSE", onnx: "ConvTranspose ConvTransposeWithDynamicPads", openvino: "ConvolutionBackpropData GroupConvolutionBackpropData", ncnn: "Deconvolution Deconvolution1D Deconvolution3D DeconvolutionDepthWise DeconvolutionDepthWise1D DeconvolutionDepthWise3D", tensorflow: "Conv2DBackpropInput", torch: "conv_transpose1d conv_transpose2d conv_transpose3d quantized_transpose_conv2d quantized_transpose_conv2d_nhwc", tosa: "transpose_conv2d", mnn: "Deconvolution DeconvolutionDepthwise ConvTranspose3D" },
  { op: "DeformConv", kind: "convolution", onnx: "DeformConv", openvino: "DeformableConvolution", ncnn: "DeformableConv2D" },
  // matrix
  { op: "FullyConnected", kind: "matrix", tflite: "FULLY_CONNECTED", ncnn: "InnerProduct", torch: "linear quantized_linear quantized_fully_connected", tosa: "fully_connected", mnn: "InnerProduct" },
  { op: "Gemm", kind: "matrix", onnx: "Gemm FusedGemm QGemm", ncnn: "Gemm", torch: "addmm baddbmm" },
  { op: "MatMul", kind: "matrix", tflite: "BATCH_MATMUL STABLEHLO_DOT_GENERAL", onnx: "MatMul MatMulInteger QLinearMatMul FusedMatMul MatMulInteger16 MatMulIntegerToFloat DynamicQuantizeMatMul MatMulNBits MatMulBnb4 TransposeMatMul", openvino: "MatMul", ncnn: "MatMul", tensorflow: "MatMul BatchMatMul BatchMatMulV2 BatchMatMulV3 _FusedMatMul", torch: "mm bmm matmul quantized_batch_matmul", stablehlo: "dot dot_general", tosa: "matmul matmul_t_block_scaled", mnn: "MatMul BatchMatMul" },
  { op: "Einsum", kind: "matrix", onnx: "Einsum", openvino: "Einsum", ncnn: "Einsum", tensorflow: "Einsum", stablehlo: "einsum" },
  { op: "Embedding", kind: "matrix", tflite: "EMBEDDING_LOOKUP EMBEDDING_LOOKUP_SPARSE", onnx: "EmbedLayerNormalization GatherBlockQuantized", openvino: "EmbeddingBagOffsetsSum EmbeddingBagPackedSum EmbeddingSegmentsSum", ncnn: "Embed", torch: "embedding embedding_byte embedding_2bit embedding_4bit" },
  { op: "Determinant", kind: "matrix", onnx: "Det", mnn: "Det" },
  { op: "Cholesky", kind: "matrix", stablehlo: "cholesky" },
  { op: "TriangularSolve", kind: "matrix", stablehlo: "triangular_solve" },
  { op: "MatrixDiag", kind: "matrix", tflite: "MATRIX_DIAG MATRIX_SET_DIAG", ncnn: "Diag", tensorflow: "MatrixDiag MatrixSetDiag MatrixDiagV3" },
  // recurrent
  { op: "LSTM", kind: "recurrent", tflite: "LSTM UNIDIRECTIONAL_SEQUENCE_LSTM BIDIRECTIONAL_SEQUENCE_LSTM", onnx: "LSTM DynamicQuantizeLSTM", openvino: "LSTMCell LSTMSequence", ncnn: "LSTM", torch: "lstm", mnn: "LSTM LSTMBlockCell" },
  { op: "GRU", kind: "recurrent", onnx: "GRU", openvino: "GRUCell GRUSequence AUGRUCell AUGRUSequence", ncnn: "GRU", torch: "gru", mnn: "RNNSequenceGRU" },
  { op: "RNN", kind: "recurrent", tflite: "RNN UNIDIRECTIONAL_SEQUENCE_RNN BIDIRECTIONAL_SEQUENCE_RNN", onnx: "RNN", openvino: "RNNCell RNNSequence", ncnn: "RNN", torch: "rnn_tanh rnn_relu", mnn: "RNN" },
  { op: "SVDF", kind: "recurrent", tflite: "SVDF" },
  // attention
  { op: "Attention", kind: "attention", onnx: "Attention MultiHeadAttention GroupQueryAttention DecoderMaskedMultiHeadAttention DecoderMaskedSelfAttention PackedAttention PackedMultiHeadAttention QAttention LongformerAttention SparseAttention", openvino: "ScaledDotProductAttention PagedAttentionExtension", ncnn: "MultiHeadAttention SDPA", torch: "scaled_dot_product_attention custom_sdpa sdpa_with_kv_cache", mnn: "Attention FmhaV2 Fmhca" },
  { op: "RotaryEmbedding", kind: "attention", onnx: "RotaryEmbedding GemmaRotaryEmbedding", ncnn: "RotaryEmbed", mnn: "RoPE" },
  { op: "KVCacheUpdate", kind: "attention", onnx: "TensorScatter", torch: "update_cache" },
  // pool
  { op: "AveragePool", kind: "pool", tflite: "AVERAGE_POOL_2D", onnx: "AveragePool QLinearAveragePool", openvino: "AvgPool", tensorflow: "AvgPool AvgPool3D", torch: "avg_pool2d avg_pool1d quantized_avg_pool2d avg_pool3d quantized_avg_pool2d_nhwc", tosa: "avg_pool2d avg_pool2d_adaptive", mnn: "Pooling.AVEPOOL QuantizedAvgPool" },
  { op: "MaxPool", kind: "pool", tflite: "MAX_POOL_2D", onnx: "MaxPool", openvino: "MaxPool", tensorflow: "MaxPool MaxPool3D MaxPoolV2", torch: "max_pool2d_with_indices max_pool2d quantized_max_pool2d quantized_max_pool2d_nhwc", tosa: "max_pool2d max_pool2d_adaptive", mnn: "Pooling.MAXPOOL QuantizedMaxPool" },
  { op: "LpPool", kind: "pool", tflite: "L2_POOL_2D", onnx: "LpPool" },
  { op: "Pool", kind: "pool", ncnn: "Pooling Pooling1D Pooling3D", stablehlo: "reduce_window select_and_scatter", mnn: "Pooling Pooling3D" },
  { op: "GlobalAveragePool", kind: "pool", onnx: "GlobalAveragePool QLinearGlobalAveragePool", torch: "_adaptive_avg_pool2d adaptive_avg_pool2d", mnn: "Pooling.GlobalAVEPOOL" },
  { op: "GlobalMaxPool", kind: "pool", onnx: "GlobalMaxPool", mnn: "Pooling.GlobalMAXPOOL" },
  { op: "GlobalLpPool", kind: "pool", onnx: "GlobalLpPool" },
  { op: "AdaptiveAvgPool", kind: "pool", openvino: "AdaptiveAvgPool" },
  { op: "AdaptiveMaxPool", kind: "pool", openvino: "AdaptiveMaxPool" },
  { op: "MaxUnpool", kind: "pool", onnx: "MaxUnpool" },
  { op: "MaxRoiPool", kind: "pool", onnx: "MaxRoiPool", openvino: "ROIPooling PSROIPooling DeformablePSROIPooling", ncnn: "ROIPooling PSROIPooling", mnn: "ROIPooling" },
  { op: "RoiAlign", kind: "pool", onnx: "RoiAlign", openvino: "ROIAlign ROIAlignRotated", ncnn: "ROIAlign", mnn: "ROIAlign" },
  // activation
  { op: "Relu", kind: "activation", tflite: "RELU", onnx: "Relu", openvino: "ReLU", ncnn: "ReLU", tensorflow: "Relu", torch: "relu relu_", mnn: "ReLU" },
  { op: "Relu6", kind: "activation", tflite: "RELU6", tensorflow: "Relu6", torch: "relu6", mnn: "ReLU6" },
  { op: "Relu0To1", kind: "activation", tflite: "RELU_0_TO_1" },
  { op: "ReluN1To1", kind: "activation", tflite: "RELU_N1_TO_1" },
  { op: "LeakyRelu", kind: "activation", tflite: "LEAKY_RELU", onnx: "LeakyRelu QLinearLeakyRelu", tensorflow: "LeakyRelu", torch: "leaky_relu leaky_relu_" },
  { op: "PRelu", kind: "activation", tflite: "PRELU", onnx: "PRelu", openvino: "PReLU", ncnn: "PReLU", tensorflow: "Prelu", torch: "prelu _prelu_kernel", mnn: "PReLU" },
  { op: "Elu", kind: "activation", tflite: "ELU", onnx: "Elu", openvino: "Elu", ncnn: "ELU", tensorflow: "Elu", torch: "elu", mnn: "ELU" },
  { op: "Selu", kind: "activation", onnx: "Selu", openvino: "Selu", ncnn: "SELU", tensorflow: "Selu", torch: "selu", mnn: "Selu" },
  { op: "Celu", kind: "activation", onnx: "Celu", ncnn: "CELU", torch: "celu" },
  { op: "ThresholdedRelu", kind: "activation", onnx: "ThresholdedRelu", ncnn: "Threshold", mnn: "Threshold" },
  { op: "Sigmoid", kind: "activation", tflite: "LOGISTIC STABLEHLO_LOGISTIC", onnx: "Sigmoid QLinearSigmoid", openvino: "Sigmoid", ncnn: "Sigmoid", tensorflow: "Sigmoid", torch: "sigmoid sigmoid_", stablehlo: "logistic", tosa: "sigmoid", mnn: "Sigmoid UnaryOp.SIGMOID QuantizedLogistic" },
  { op: "HardSigmoid", kind: "activation", onnx: "HardSigmoid", openvino: "HardSigmoid HSigmoid", ncnn: "HardSigmoid", torch: "hardsigmoid" },
  { op: "HardSwish", kind: "activation", tflite: "HARD_SWISH", onnx: "HardSwish", openvino: "HSwish", ncnn: "HardSwish", torch: "hardswish hardswish_", mnn: "UnaryOp.HARDSWISH" },
  { op: "Swish", kind: "activation", onnx: "QuickGelu Swish", openvino: "Swish", ncnn: "Swish", torch: "silu silu_", mnn: "UnaryOp.SILU" },
  { op: "Mish", kind: "activation", onnx: "Mish", openvino: "Mish", ncnn: "Mish", torch: "mish" },
  { op: "Gelu", kind: "activation", tflite: "GELU", onnx: "Gelu FastGelu BiasGelu", openvino: "Gelu", ncnn: "GELU", torch: "gelu", mnn: "UnaryOp.GELU UnaryOp.GELU_STANDARD" },
  { op: "Tanh", kind: "activation", tflite: "TANH STABLEHLO_TANH", onnx: "Tanh", openvino: "Tanh", ncnn: "TanH", tensorflow: "Tanh", torch: "tanh", stablehlo: "tanh", tosa: "tanh", mnn: "TanH UnaryOp.TANH" },
  { op: "Softplus", kind: "activation", onnx: "Softplus", openvino: "SoftPlus", ncnn: "Softplus BNLL", tensorflow: "Softplus", torch: "softplus", mnn: "Bnll UnaryOp.BNLL" },
  { op: "Softsign", kind: "activation", onnx: "Softsign", openvino: "SoftSign" },
  { op: "Softmax", kind: "activation", tflite: "SOFTMAX", onnx: "Softmax QLinearSoftmax", openvino: "SoftMax Softmax", ncnn: "Softmax", tensorflow: "Softmax", torch: "_softmax softmax quantized_softmax softmax_int8", mnn: "Softmax QuantizedSoftmax" },
  { op: "LogSoftmax", kind: "activation", tflite: "LOG_SOFTMAX", onnx: "LogSoftmax", openvino: "LogSoftmax", tensorflow: "LogSoftmax", torch: "_log_softmax log_softmax" },
  { op: "Hardmax", kind: "activation", onnx: "Hardmax" },
  { op: "Shrink", kind: "activation", onnx: "Shrink", ncnn: "Shrink" },
  { op: "Glu", kind: "activation", onnx: "SwiGLU", openvino: "GLU", ncnn: "GLU", torch: "glu" },
  { op: "Clip", kind: "activation", tflite: "STABLEHLO_CLAMP", onnx: "Clip", openvino: "Clamp", ncnn: "Clip", tensorflow: "ClipByValue", torch: "clamp hardtanh hardtanh_ clamp_min clamp_max", stablehlo: "clamp", tosa: "clamp" },
  // normalise
  { op: "BatchNormalization", kind: "normalise", onnx: "BatchNormalization", openvino: "BatchNormInference", ncnn: "BatchNorm", tensorflow: "FusedBatchNorm FusedBatchNormV2 FusedBatchNormV3", torch: "_native_batch_norm_legit_no_training native_batch_norm batch_norm _native_batch_norm_legit", stablehlo: "batch_norm_inference batch_norm_training", mnn: "BatchNorm" },
  { op: "InstanceNormalization", kind: "normalise", onnx: "InstanceNormalization", ncnn: "InstanceNorm", mnn: "InstanceNorm", torch: "instance_norm" },
  { op: "GroupNormalization", kind: "normalise", onnx: "GroupNormalization GroupNorm SkipGroupNorm", openvino: "GroupNormalization", ncnn: "GroupNorm", torch: "native_group_norm group_norm", mnn: "GroupNorm" },
  { op: "LayerNormalization", kind: "normalise", onnx: "LayerNormalization SkipLayerNormalization", openvino: "MVN", ncnn: "LayerNorm MVN", torch: "native_layer_norm layer_norm", mnn: "LayerNorm" },
  { op: "RMSNormalization", kind: "normalise", onnx: "RMSNormalization SimplifiedLayerNormalization SkipSimplifiedLayerNormalization", openvino: "RMS", ncnn: "RMSNorm", torch: "rms_norm", mnn: "GatedRMSNorm" },
  { op: "MeanVarianceNormalization", kind: "normalise", onnx: "MeanVarianceNormalization" },
  { op: "LRN", kind: "normalise", tflite: "LOCAL_RESPONSE_NORMALIZATION", onnx: "LRN", openvino: "LRN", ncnn: "LRN", tensorflow: "LRN", mnn: "LRN" },
  { op: "LpNormalization", kind: "normalise", tflite: "L2_NORMALIZATION", onnx: "LpNormalization", openvino: "NormalizeL2", ncnn: "Normalize", mnn: "Normalize" },
  { op: "Scale", kind: "normalise", ncnn: "Scale Bias", mnn: "Scale" },
  { op: "Dropout", kind: "normalise", onnx: "Dropout BiasDropout", ncnn: "Dropout", torch: "native_dropout dropout feature_dropout", mnn: "Dropout" },
  // elementwise
  { op: "Add", kind: "elementwise", tflite: "ADD ADD_N STABLEHLO_ADD", onnx: "Add QLinearAdd Sum BiasAdd", openvino: "Add", tensorflow: "Add AddV2 AddN BiasAdd", torch: "add quantized_add add_", stablehlo: "add", tosa: "add", mnn: "BinaryOp.ADD Eltwise.SUM QuantizedAdd EltwiseInt8 QuantizedBiasAdd" },
  { op: "Sub", kind: "elementwise", tflite: "SUB STABLEHLO_SUBTRACT", onnx: "Sub", openvino: "Subtract", tensorflow: "Sub", torch: "sub rsub sub_", stablehlo: "subtract", tosa: "sub", mnn: "BinaryOp.SUB Eltwise.SUB" },
  { op: "Mul", kind: "elementwise", tflite: "MUL STABLEHLO_MULTIPLY", onnx: "Mul QLinearMul", openvino: "Multiply", tensorflow: "Mul", torch: "mul quantized_mul mul_", stablehlo: "multiply", tosa: "mul", mnn: "BinaryOp.MUL Eltwise.PROD" },
  { op: "Div", kind: "elementwise", tflite: "DIV FLOOR_DIV STABLEHLO_DIVIDE", onnx: "Div", openvino: "Divide", tensorflow: "Div RealDiv FloorDiv DivNoNan", torch: "div div_ floor_divide quantized_div", stablehlo: "divide", tosa: "div intdiv int_div", mnn: "BinaryOp.DIV BinaryOp.REALDIV BinaryOp.FLOORDIV" },
  { op: "Elementwise", kind: "elementwise", ncnn: "BinaryOp UnaryOp Eltwise Power", mnn: "BinaryOp UnaryOp Eltwise Power" },
  { op: "Mod", kind: "elementwise", tflite: "FLOOR_MOD STABLEHLO_REMAINDER", onnx: "Mod", openvino: "Mod FloorMod", tensorflow: "Mod FloorMod", torch: "fmod remainder", stablehlo: "remainder", mnn: "BinaryOp.FLOORMOD BinaryOp.MOD" },
  { op: "Pow", kind: "elementwise", tflite: "POW STABLEHLO_POWER", onnx: "Pow", openvino: "Power", tensorflow: "Pow", torch: "pow", stablehlo: "power", tosa: "pow", mnn: "BinaryOp.POW" },
  { op: "Max", kind: "elementwise", tflite: "MAXIMUM STABLEHLO_MAXIMUM", onnx: "Max", openvino: "Maximum", tensorflow: "Maximum", torch: "maximum", stablehlo: "maximum", tosa: "maximum", mnn: "BinaryOp.MAXIMUM BinaryOp.MAX_TEMP Eltwise.MAXIMUM" },
  { op: "Min", kind: "elementwise", tflite: "MINIMUM STABLEHLO_MINIMUM", onnx: "Min", openvino: "Minimum", tensorflow: "Minimum", torch: "minimum", stablehlo: "minimum", tosa: "minimum", mnn: "BinaryOp.MINIMUM BinaryOp.MIN_TEMP" },
  { op: "Mean", kind: "elementwise", onnx: "Mean" },
  { op: "SquaredDifference", kind: "elementwise", tflite: "SQUARED_DIFFERENCE", openvino: "SquaredDifference", tensorflow: "SquaredDifference", mnn: "BinaryOp.SquaredDifference" },
  { op: "Abs", kind: "elementwise", tflite: "ABS STABLEHLO_ABS", onnx: "Abs", openvino: "Abs", ncnn: "AbsVal", tensorflow: "Abs ComplexAbs", torch: "abs", stablehlo: "abs", tosa: "abs", mnn: "AbsVal UnaryOp.ABS" },
  { op: "Neg", kind: "elementwise", tflite: "NEG STABLEHLO_NEGATE", onnx: "Neg", openvino: "Negative", tensorflow: "Neg", torch: "neg", stablehlo: "negate", tosa: "negate", mnn: "UnaryOp.NEG" },
  { op: "Sign", kind: "elementwise", tflite: "SIGN", onnx: "Sign", openvino: "Sign", tensorflow: "Sign", torch: "sign", stablehlo: "sign", mnn: "UnaryOp.SIGN" },
  { op: "Exp", kind: "elementwise", tflite: "EXP STABLEHLO_EXPONENTIAL", onnx: "Exp", openvino: "Exp", ncnn: "Exp", tensorflow: "Exp", torch: "exp expm1", stablehlo: "exponential", tosa: "exp", mnn: "Exp UnaryOp.EXP" },
  { op: "Log", kind: "elementwise", tflite: "LOG STABLEHLO_LOG", onnx: "Log", openvino: "Log", ncnn: "Log", tensorflow: "Log Log1p", torch: "log log10 log1p log2", stablehlo: "log log_plus_one", tosa: "log", mnn: "Log UnaryOp.LOG UnaryOp.LOG1P" },
  { op: "Sqrt", kind: "elementwise", tflite: "SQRT", onnx: "Sqrt", openvino: "Sqrt", tensorflow: "Sqrt", torch: "sqrt", stablehlo: "sqrt", mnn: "UnaryOp.SQRT" },
  { op: "Rsqrt", kind: "elementwise", tflite: "RSQRT STABLEHLO_RSQRT", onnx: "Rsqrt", tensorflow: "Rsqrt", torch: "rsqrt", stablehlo: "rsqrt", tosa: "rsqrt", mnn: "UnaryOp.RSQRT" },
  { op: "Square", kind: "elementwise", tflite: "SQUARE", tensorflow: "Square", torch: "square", mnn: "UnaryOp.SQUARE" },
  { op: "Reciprocal", kind: "elementwise", onnx: "Reciprocal", tensorflow: "Reciprocal", torch: "reciprocal", tosa: "reciprocal", mnn: "UnaryOp.RECIPROCAL" },
  { op: "Sin", kind: "elementwise", tflite: "SIN STABLEHLO_SINE", onnx: "Sin", openvino: "Sin", tensorflow: "Sin", torch: "sin", stablehlo: "sine", tosa: "sin", mnn: "UnaryOp.SIN" },
  { op: "Cos", kind: "elementwise", tflite: "COS STABLEHLO_COSINE", onnx: "Cos", openvino: "Cos", tensorflow: "Cos", torch: "cos", stablehlo: "cosine", tosa: "cos", mnn: "UnaryOp.COS" },
  { op: "Tan", kind: "elementwise", onnx: "Tan", openvino: "Tan", tensorflow: "Tan", torch: "tan", stablehlo: "tan", mnn: "UnaryOp.TAN" },
  { op: "Asin", kind: "elementwise", onnx: "Asin", openvino: "Asin", tensorflow: "Asin", torch: "asin", stablehlo: "asin", mnn: "UnaryOp.ASIN" },
  { op: "Acos", kind: "elementwise", onnx: "Acos", openvino: "Acos", tensorflow: "Acos", torch: "acos", stablehlo: "acos", mnn: "UnaryOp.ACOS" },
  { op: "Atan", kind: "elementwise", onnx: "Atan", openvino: "Atan", tensorflow: "Atan", torch: "atan", stablehlo: "atan", mnn: "UnaryOp.ATAN" },
  { op: "Atan2", kind: "elementwise", tflite: "ATAN2", tensorflow: "Atan2", torch: "atan2", stablehlo: "atan2", mnn: "BinaryOp.ATAN2" },
  { op: "Sinh", kind: "elementwise", onnx: "Sinh", openvino: "Sinh", tensorflow: "Sinh", torch: "sinh", stablehlo: "sinh", mnn: "UnaryOp.SINH" },
  { op: "Cosh", kind: "elementwise", onnx: "Cosh", openvino: "Cosh", tensorflow: "Cosh", torch: "cosh", stablehlo: "cosh", mnn: "UnaryOp.COSH" },
  { op: "Asinh", kind: "elementwise", onnx: "Asinh", openvino: "Asinh", tensorflow: "Asinh", torch: "asinh", stablehlo: "asinh", mnn: "UnaryOp.ASINH" },
  { op: "Acosh", kind: "elementwise", onnx: "Acosh", openvino: "Acosh", tensorflow: "Acosh", torch: "acosh", stablehlo: "acosh", mnn: "UnaryOp.ACOSH" },
  { op: "Atanh", kind: "elementwise", onnx: "Atanh", openvino: "Atanh", tensorflow: "Atanh", torch: "atanh", stablehlo: "atanh", mnn: "UnaryOp.ATANH" },
  { op: "Erf", kind: "elementwise", onnx: "Erf", openvino: "Erf", ncnn: "Erf", tensorflow: "Erf", torch: "erf", stablehlo: "erf", tosa: "erf", mnn: "UnaryOp.ERF" },
  { op: "Floor", kind: "elementwise", tflite: "FLOOR STABLEHLO_FLOOR", onnx: "Floor", openvino: "Floor", tensorflow: "Floor", torch: "floor", stablehlo: "floor", tosa: "floor", mnn: "UnaryOp.FLOOR" },
  { op: "Ceil", kind: "elementwise", tflite: "CEIL", onnx: "Ceil", openvino: "Ceiling", tensorflow: "Ceil", torch: "ceil", stablehlo: "ceil", tosa: "ceil", mnn: "UnaryOp.CEIL" },
  { op: "Round", kind: "elementwise", tflite: "ROUND", onnx: "Round", openvino: "Round", tensorflow: "Round", torch: "round", stablehlo: "round_nearest_even round_nearest_afz", mnn: "UnaryOp.ROUND" },
  { op: "Cast", kind: "elementwise", tflite: "CAST BITCAST STABLEHLO_CONVERT", onnx: "Cast CastLike BitCast", openvino: "Convert ConvertLike", ncnn: "Cast", tensorflow: "Cast Bitcast", torch: "to _to_copy _to_dim_order_copy", stablehlo: "convert bitcast_convert", tosa: "cast cast_from_block_scaled cast_to_block_scaled", mnn: "Cast CastLike" },
  { op: "Equal", kind: "elementwise", tflite: "EQUAL", onnx: "Equal", openvino: "Equal", tensorflow: "Equal", torch: "eq", tosa: "equal", mnn: "BinaryOp.EQUAL" },
  { op: "NotEqual", kind: "elementwise", tflite: "NOT_EQUAL", openvino: "NotEqual", tensorflow: "NotEqual", torch: "ne", mnn: "BinaryOp.NOTEQUAL" },
  { op: "Less", kind: "elementwise", tflite: "LESS", onnx: "Less", openvino: "Less", tensorflow: "Less", torch: "lt", mnn: "BinaryOp.LESS" },
  { op: "LessOrEqual", kind: "elementwise", tflite: "LESS_EQUAL", onnx: "LessOrEqual", openvino: "LessEqual", tensorflow: "LessEqual", torch: "le", mnn: "BinaryOp.LESS_EQUAL" },
  { op: "Greater", kind: "elementwise", tflite: "GREATER", onnx: "Greater", openvino: "Greater", tensorflow: "Greater", torch: "gt", tosa: "greater", mnn: "BinaryOp.GREATER" },
  { op: "GreaterOrEqual", kind: "elementwise", tflite: "GREATER_EQUAL", onnx: "GreaterOrEqual", openvino: "GreaterEqual", tensorflow: "GreaterEqual", torch: "ge", tosa: "greater_equal", mnn: "BinaryOp.GREATER_EQUAL" },
  { op: "Compare", kind: "elementwise", tflite: "STABLEHLO_COMPARE", stablehlo: "compare" },
  { op: "And", kind: "elementwise", tflite: "LOGICAL_AND STABLEHLO_AND", onnx: "And", openvino: "LogicalAnd", tensorflow: "LogicalAnd", torch: "logical_and", stablehlo: "and", tosa: "logical_and" },
  { op: "Or", kind: "elementwise", tflite: "LOGICAL_OR STABLEHLO_OR", onnx: "Or", openvino: "LogicalOr", tensorflow: "LogicalOr", torch: "logical_or", stablehlo: "or", tosa: "logical_or", mnn: "BinaryOp.LOGICALOR" },
  { op: "Xor", kind: "elementwise", onnx: "Xor", openvino: "LogicalXor", tensorflow: "LogicalXor", torch: "logical_xor", stablehlo: "xor", tosa: "logical_xor", mnn: "BinaryOp.LOGICALXOR" },
  { op: "Not", kind: "elementwise", tflite: "LOGICAL_NOT", onnx: "Not", openvino: "LogicalNot", tensorflow: "LogicalNot", torch: "logical_not", stablehlo: "not", tosa: "logical_not" },
  { op: "BitwiseAnd", kind: "elementwise", onnx: "BitwiseAnd", openvino: "BitwiseAnd", tensorflow: "BitwiseAnd", torch: "bitwise_and", tosa: "bitwise_and", mnn: "BinaryOp.BITWISE_AND" },
  { op: "BitwiseOr", kind: "elementwise", onnx: "BitwiseOr", openvino: "BitwiseOr", tensorflow: "BitwiseOr", torch: "bitwise_or", tosa: "bitwise_or", mnn: "BinaryOp.BITWISE_OR" },
  { op: "BitwiseXor", kind: "elementwise", tflite: "BITWISE_XOR", onnx: "BitwiseXor", openvino: "BitwiseXor", tensorflow: "BitwiseXor", torch: "bitwise_xor", tosa: "bitwise_xor", mnn: "BinaryOp.BITWISE_XOR" },
  { op: "BitwiseNot", kind: "elementwise", onnx: "BitwiseNot", openvino: "BitwiseNot", torch: "bitwise_not", tosa: "bitwise_not" },
  { op: "BitShift", kind: "elementwise", tflite: "RIGHT_SHIFT STABLEHLO_SHIFT_LEFT", onnx: "BitShift", openvino: "BitwiseLeftShift BitwiseRightShift", torch: "bitwise_left_shift bitwise_right_shift __lshift__ __rshift__", stablehlo: "shift_left shift_right_logical shift_right_arithmetic", tosa: "arithmetic_right_shift logical_left_shift logical_right_shift", mnn: "BinaryOp.LEFTSHIFT BinaryOp.RIGHTSHIFT" },
  { op: "IsNaN", kind: "elementwise", onnx: "IsNaN", openvino: "IsNaN", tensorflow: "IsNan", torch: "isnan" },
  { op: "IsInf", kind: "elementwise", onnx: "IsInf", openvino: "IsInf", tensorflow: "IsInf", torch: "isinf", stablehlo: "is_inf" },
  { op: "Where", kind: "elementwise", tflite: "SELECT SELECT_V2 STABLEHLO_SELECT", onnx: "Where", openvino: "Select", tensorflow: "Select SelectV2", torch: "where masked_fill", stablehlo: "select", tosa: "select", mnn: "Select" },
  { op: "Real", kind: "elementwise", tflite: "REAL", tensorflow: "Real", stablehlo: "real" },
  { op: "Imag", kind: "elementwise", tflite: "IMAG", tensorflow: "Imag", stablehlo: "imag" },
  { op: "Complex", kind: "elementwise", tensorflow: "Complex", stablehlo: "complex" },
  { op: "IsFinite", kind: "elementwise", tensorflow: "IsFinite", stablehlo: "is_finite" },
  { op: "Expm1", kind: "elementwise", tensorflow: "Expm1", stablehlo: "exponential_minus_one", mnn: "UnaryOp.EXPM1" },
  { op: "Cbrt", kind: "elementwise", tflite: "STABLEHLO_CBRT", stablehlo: "cbrt" },
  { op: "PopulationCount", kind: "elementwise", stablehlo: "popcnt" },
  { op: "CountLeadingZeros", kind: "elementwise", stablehlo: "count_leading_zeros", tosa: "clz" },
  { op: "LookupTable", kind: "elementwise", tosa: "table" },
  { op: "ReducePrecision", kind: "elementwise", stablehlo: "reduce_precision" },
  // reduce
  { op: "ReduceMean", kind: "reduce", tflite: "MEAN", onnx: "ReduceMean QLinearReduceMean", openvino: "ReduceMean", tensorflow: "Mean", torch: "mean", mnn: "Reduction.MEAN" },
  { op: "ReduceSum", kind: "reduce", tflite: "SUM", onnx: "ReduceSum ReduceSumInteger", openvino: "ReduceSum", tensorflow: "Sum", torch: "sum", tosa: "reduce_sum", mnn: "Reduction.SUM" },
  { op: "ReduceMax", kind: "reduce", tflite: "REDUCE_MAX", onnx: "ReduceMax", openvino: "ReduceMax", tensorflow: "Max", torch: "amax max", tosa: "reduce_max", mnn: "Reduction.MAXIMUM" },
  { op: "ReduceMin", kind: "reduce", tflite: "REDUCE_MIN", onnx: "ReduceMin", openvino: "ReduceMin", tensorflow: "Min", torch: "amin min", tosa: "reduce_min", mnn: "Reduction.MINIMUM" },
  { op: "ReduceProd", kind: "reduce", tflite: "REDUCE_PROD", onnx: "ReduceProd", openvino: "ReduceProd", tensorflow: "Prod", torch: "prod", tosa: "reduce_prod reduce_product", mnn: "Reduction.PROD" },
  { op: "ReduceAny", kind: "reduce", tflite: "REDUCE_ANY", openvino: "ReduceLogicalOr", tensorflow: "Any", torch: "any", tosa: "reduce_any", mnn: "Reduction.ANY" },
  { op: "ReduceAll", kind: "reduce", tflite: "REDUCE_ALL", openvino: "ReduceLogicalAnd", tensorflow: "All", torch: "all", tosa: "reduce_all", mnn: "Reduction.ALL" },
  { op: "ReduceL1", kind: "reduce", onnx: "ReduceL1", openvino: "ReduceL1", mnn: "Reduction.ASUM" },
  { op: "ReduceL2", kind: "reduce", onnx: "ReduceL2", openvino: "ReduceL2" },
  { op: "ReduceLogSum", kind: "reduce", onnx: "ReduceLogSum" },
  { op: "ReduceLogSumExp", kind: "reduce", onnx: "ReduceLogSumExp", torch: "logsumexp" },
  { op: "ReduceSumSquare", kind: "reduce", onnx: "ReduceSumSquare", mnn: "Reduction.SUMSQ" },
  { op: "Reduce", kind: "reduce", tflite: "STABLEHLO_REDUCE STABLEHLO_REDUCE_WINDOW REDUCE_WINDOW", ncnn: "Reduction", stablehlo: "reduce", mnn: "Reduction" },
  { op: "ArgMax", kind: "reduce", tflite: "ARG_MAX", onnx: "ArgMax", ncnn: "ArgMax", tensorflow: "ArgMax", torch: "argmax", tosa: "argmax", mnn: "ArgMax" },
  { op: "ArgMin", kind: "reduce", tflite: "ARG_MIN", onnx: "ArgMin", tensorflow: "ArgMin", torch: "argmin", mnn: "ArgMin" },
  { op: "TopK", kind: "reduce", tflite: "TOPK_V2", onnx: "TopK", openvino: "TopK", ncnn: "TopK", tensorflow: "TopKV2", torch: "topk", stablehlo: "top_k", mnn: "TopKV2" },
  { op: "CumSum", kind: "reduce", tflite: "CUMSUM STABLEHLO_CUMSUM", onnx: "CumSum", openvino: "CumSum", ncnn: "CumulativeSum", tensorflow: "Cumsum", torch: "cumsum", mnn: "CumSum" },
  { op: "SegmentSum", kind: "reduce", tflite: "SEGMENT_SUM UNSORTED_SEGMENT_SUM UNSORTED_SEGMENT_PROD UNSORTED_SEGMENT_MAX UNSORTED_SEGMENT_MIN", tensorflow: "SegmentSum UnsortedSegmentSum" },
  { op: "Unique", kind: "reduce", tflite: "UNIQUE", onnx: "Unique", openvino: "Unique", tensorflow: "Unique", mnn: "Unique" },
  { op: "Sort", kind: "reduce", tflite: "STABLEHLO_SORT", torch: "sort", stablehlo: "sort" },
  { op: "ConvertLayout", kind: "shape", mnn: "ConvertTensor" },
  { op: "Raster", kind: "shape", mnn: "Raster" },
  // shape
  { op: "Reshape", kind: "shape", tflite: "RESHAPE STABLEHLO_RESHAPE", onnx: "Reshape", openvino: "Reshape", ncnn: "Reshape", tensorflow: "Reshape", torch: "view view_copy reshape _unsafe_view et_view unflatten _reshape_alias", stablehlo: "reshape dynamic_reshape", tosa: "reshape", mnn: "Reshape QuantizedReshape" },
  { op: "Flatten", kind: "shape", onnx: "Flatten", ncnn: "Flatten", torch: "flatten", mnn: "Flatten" },
  { op: "Squeeze", kind: "shape", tflite: "SQUEEZE", onnx: "Squeeze", openvino: "Squeeze", ncnn: "Squeeze", tensorflow: "Squeeze", torch: "squeeze squeeze_copy", mnn: "Squeeze" },
  { op: "Unsqueeze", kind: "shape", tflite: "EXPAND_DIMS", onnx: "Unsqueeze", openvino: "Unsqueeze", ncnn: "ExpandDims", tensorflow: "ExpandDims", torch: "unsqueeze unsqueeze_copy", mnn: "Unsqueeze ExpandDims" },
  { op: "Transpose", kind: "shape", tflite: "TRANSPOSE STABLEHLO_TRANSPOSE", onnx: "Transpose", openvino: "Transpose", ncnn: "Permute", tensorflow: "Transpose", torch: "permute permute_copy transpose transpose_copy t_copy t numpy_T movedim", stablehlo: "transpose", tosa: "transpose", mnn: "Permute Transpose" },
  { op: "Concat", kind: "shape", tflite: "CONCATENATION STABLEHLO_CONCATENATE", onnx: "Concat QLinearConcat", openvino: "Concat", ncnn: "Concat", tensorflow: "ConcatV2 Concat", torch: "cat", stablehlo: "concatenate", tosa: "concat", mnn: "Concat QuantizedConcat" },
  { op: "Pack", kind: "shape", tflite: "PACK", tensorflow: "Pack", torch: "stack", mnn: "Pack" },
  { op: "Unpack", kind: "shape", tflite: "UNPACK", tensorflow: "Unpack", torch: "unbind_copy unbind", mnn: "Unpack" },
  { op: "Split", kind: "shape", tflite: "SPLIT SPLIT_V", onnx: "Split", openvino: "Split VariadicSplit", ncnn: "Slice", tensorflow: "Split SplitV", torch: "split_copy split_with_sizes_copy chunk split split_with_sizes tensor_split", mnn: "Slice" },
  { op: "Slice", kind: "shape", tflite: "SLICE STRIDED_SLICE STABLEHLO_SLICE STABLEHLO_DYNAMIC_SLICE", onnx: "Slice", openvino: "Slice StridedSlice", ncnn: "Crop", tensorflow: "Slice StridedSlice", torch: "slice slice_copy select_copy narrow_copy select narrow", stablehlo: "slice dynamic_slice real_dynamic_slice", tosa: "slice", mnn: "SliceTf StridedSlice Crop" },
  { op: "DynamicUpdateSlice", kind: "shape", tflite: "DYNAMIC_UPDATE_SLICE STABLEHLO_DYNAMIC_UPDATE_SLICE", torch: "slice_scatter select_scatter", stablehlo: "dynamic_update_slice" },
  { op: "Gather", kind: "shape", tflite: "GATHER STABLEHLO_GATHER", onnx: "Gather", openvino: "Gather", tensorflow: "Gather GatherV2", torch: "gather index_select index", stablehlo: "gather dynamic_gather", tosa: "gather", mnn: "Gather GatherV2" },
  { op: "GatherElements", kind: "shape", onnx: "GatherElements", openvino: "GatherElements", mnn: "GatherElements" },
  { op: "GatherND", kind: "shape", tflite: "GATHER_ND", onnx: "GatherND", openvino: "GatherND", tensorflow: "GatherNd", mnn: "GatherND" },
  { op: "GatherTree", kind: "shape", openvino: "GatherTree" },
  { op: "ScatterElements", kind: "shape", onnx: "ScatterElements Scatter", openvino: "ScatterElementsUpdate ScatterUpdate", torch: "scatter scatter_add", tosa: "scatter", mnn: "ScatterElements" },
  { op: "ScatterND", kind: "shape", tflite: "SCATTER_ND STABLEHLO_SCATTER", onnx: "ScatterND", openvino: "ScatterNDUpdate", tensorflow: "ScatterNd TensorScatterUpdate", torch: "index_put index_put_", stablehlo: "scatter", mnn: "ScatterNd" },
  { op: "Pad", kind: "shape", tflite: "PAD PADV2 MIRROR_PAD STABLEHLO_PAD DILATE", onnx: "Pad", openvino: "Pad", ncnn: "Padding", tensorflow: "Pad PadV2 MirrorPad", torch: "constant_pad_nd pad reflection_pad1d reflection_pad2d reflection_pad3d replication_pad1d replication_pad2d replication_pad3d", stablehlo: "pad dynamic_pad", tosa: "pad", mnn: "Padding" },
  { op: "Tile", kind: "shape", tflite: "TILE", onnx: "Tile", openvino: "Tile", ncnn: "Tile", tensorflow: "Tile", torch: "repeat repeat_interleave tile", tosa: "tile", mnn: "Tile" },
  { op: "Expand", kind: "shape", tflite: "BROADCAST_TO STABLEHLO_BROADCAST_IN_DIM", onnx: "Expand", openvino: "Broadcast", tensorflow: "BroadcastTo", torch: "expand expand_copy", stablehlo: "broadcast broadcast_in_dim dynamic_broadcast_in_dim", mnn: "BroadcastTo" },
  { op: "BroadcastArgs", kind: "shape", tflite: "BROADCAST_ARGS", tensorflow: "BroadcastArgs" },
  { op: "Shape", kind: "shape", tflite: "SHAPE", onnx: "Shape", openvino: "ShapeOf", tensorflow: "Shape", torch: "sym_size", stablehlo: "get_dimension_size", mnn: "Shape" },
  { op: "Size", kind: "shape", onnx: "Size", tensorflow: "Size", mnn: "Size" },
  { op: "Rank", kind: "shape", tflite: "RANK", tensorflow: "Rank", mnn: "Rank" },
  { op: "Range", kind: "shape", tflite: "RANGE STABLEHLO_IOTA", onnx: "Range", openvino: "Range", tensorflow: "Range", torch: "arange", stablehlo: "iota dynamic_iota", mnn: "Range LinSpace" },
  { op: "Fill", kind: "shape", tflite: "FILL", onnx: "ConstantOfShape", tensorflow: "Fill", torch: "full zeros ones empty _empty_dim_order scalar_tensor fill", mnn: "Fill" },
  { op: "FillLike", kind: "shape", tflite: "ZEROS_LIKE", tensorflow: "ZerosLike OnesLike", torch: "full_like zeros_like ones_like", mnn: "ZerosLike" },
  { op: "Reverse", kind: "shape", tflite: "REVERSE_V2", openvino: "Reverse", tensorflow: "ReverseV2", torch: "flip", stablehlo: "reverse", tosa: "reverse", mnn: "Reverse" },
  { op: "ReverseSequence", kind: "shape", tflite: "REVERSE_SEQUENCE", onnx: "ReverseSequence", openvino: "ReverseSequence", mnn: "ReverseSequence" },
  { op: "DepthToSpace", kind: "shape", tflite: "DEPTH_TO_SPACE", onnx: "DepthToSpace", openvino: "DepthToSpace", ncnn: "PixelShuffle", tensorflow: "DepthToSpace", torch: "pixel_shuffle", mnn: "DepthToSpace" },
  { op: "SpaceToDepth", kind: "shape", tflite: "SPACE_TO_DEPTH", onnx: "SpaceToDepth", openvino: "SpaceToDepth ReorgYolo", ncnn: "Reorg", tensorflow: "SpaceToDepth", torch: "pixel_unshuffle", mnn: "SpaceToDepth" },
  { op: "BatchToSpace", kind: "shape", tflite: "BATCH_TO_SPACE_ND", openvino: "BatchToSpace", tensorflow: "BatchToSpaceND", mnn: "BatchToSpaceND" },
  { op: "SpaceToBatch", kind: "shape", tflite: "SPACE_TO_BATCH_ND", openvino: "SpaceToBatch", tensorflow: "SpaceToBatchND", mnn: "SpaceToBatchND" },
  { op: "ChannelShuffle", kind: "shape", openvino: "ShuffleChannels", ncnn: "ShuffleChannel", torch: "channel_shuffle" },
  { op: "Resize", kind: "shape", tflite: "RESIZE_BILINEAR RESIZE_NEAREST_NEIGHBOR", onnx: "Resize Upsample", openvino: "Interpolate", ncnn: "Interp", tensorflow: "ResizeBilinear ResizeNearestNeighbor", torch: "upsample_nearest2d upsample_bilinear2d _upsample_bilinear2d_aa upsample_bilinear2d_aa upsample_bicubic2d", tosa: "resize", mnn: "Interp Interp3D Resize" },
  { op: "GridSample", kind: "shape", onnx: "GridSample", openvino: "GridSample", ncnn: "GridSample", torch: "grid_sampler_2d", mnn: "GridSample" },
  { op: "AffineGrid", kind: "shape", onnx: "AffineGrid" },
  { op: "CenterCropPad", kind: "shape", onnx: "CenterCropPad" },
  { op: "Col2Im", kind: "shape", onnx: "Col2Im", openvino: "Col2Im", ncnn: "Fold", mnn: "Col2Im" },
  { op: "Im2Col", kind: "shape", openvino: "ExtractImagePatches", ncnn: "Unfold", torch: "im2col unfold_copy", mnn: "Im2Col" },
  { op: "NonZero", kind: "shape", tflite: "WHERE", onnx: "NonZero", openvino: "NonZero", tensorflow: "Where", torch: "nonzero", mnn: "Where" },
  { op: "Compress", kind: "shape", onnx: "Compress", torch: "masked_select" },
  { op: "OneHot", kind: "shape", tflite: "ONE_HOT", onnx: "OneHot", openvino: "OneHot", tensorflow: "OneHot", mnn: "OneHot" },
  { op: "Trilu", kind: "shape", onnx: "Trilu", torch: "tril triu" },
  { op: "EyeLike", kind: "shape", onnx: "EyeLike", openvino: "Eye", mnn: "EyeLike" },
  { op: "SparseToDense", kind: "shape", tflite: "SPARSE_TO_DENSE", tensorflow: "SparseToDense" },
  { op: "Densify", kind: "shape", tflite: "DENSIFY" },
  { op: "Identity", kind: "shape", onnx: "Identity", openvino: "Identity", ncnn: "Noop Split", tensorflow: "Identity StopGradient", torch: "clone alias_copy detach _clone_dim_order copy copy_ contiguous lift_fresh_copy alias", stablehlo: "optimization_barrier", tosa: "identity", mnn: "Identity Copy" },
  // quantise
  { op: "QuantizeLinear", kind: "quantise", tflite: "QUANTIZE", onnx: "QuantizeLinear", ncnn: "Quantize", torch: "quantize_per_tensor quantize_per_channel", stablehlo: "uniform_quantize", mnn: "FloatToInt8 QuantizeV2" },
  { op: "DequantizeLinear", kind: "quantise", tflite: "DEQUANTIZE", onnx: "DequantizeLinear", ncnn: "Dequantize", torch: "dequantize_per_tensor dequantize_per_channel", stablehlo: "uniform_dequantize", mnn: "Int8ToFloat Dequantize" },
  { op: "DynamicQuantizeLinear", kind: "quantise", onnx: "DynamicQuantizeLinear", mnn: "DynamicQuant" },
  { op: "Requantize", kind: "quantise", ncnn: "Requantize", torch: "requantize", tosa: "rescale", mnn: "Requantize" },
  { op: "FakeQuantize", kind: "quantise", tflite: "FAKE_QUANT", openvino: "FakeQuantize", tensorflow: "FakeQuantWithMinMaxVars" },
  // control
  { op: "If", kind: "control", tflite: "IF STABLEHLO_CASE", onnx: "If", openvino: "If", tensorflow: "If StatelessIf Switch Merge", stablehlo: "if case", tosa: "cond_if", mnn: "If" },
  { op: "Loop", kind: "control", tflite: "WHILE STABLEHLO_WHILE", onnx: "Loop", openvino: "Loop", tensorflow: "While StatelessWhile Enter Exit NextIteration LoopCond", stablehlo: "while", tosa: "while_loop", mnn: "While" },
  { op: "Scan", kind: "control", onnx: "Scan", openvino: "TensorIterator" },
  { op: "Call", kind: "control", tflite: "CALL CALL_ONCE STABLEHLO_COMPOSITE STABLEHLO_CUSTOM_CALL DELEGATE", tensorflow: "PartitionedCall StatefulPartitionedCall", stablehlo: "custom_call composite" },
  { op: "Sequence", kind: "control", onnx: "SequenceAt SequenceConstruct SequenceEmpty SequenceErase SequenceInsert SequenceLength SequenceMap SplitToSequence ConcatFromSequence Optional OptionalGetElement OptionalHasElement" },
  { op: "Tuple", kind: "control", stablehlo: "tuple get_tuple_element" },
  { op: "Map", kind: "control", stablehlo: "map" },
  { op: "Token", kind: "control", stablehlo: "create_token after_all" },
  { op: "Collective", kind: "control", stablehlo: "all_gather all_reduce all_to_all collective_broadcast collective_permute reduce_scatter cross-replica-sum partition_id replica_id" },
  { op: "Transfer", kind: "control", stablehlo: "infeed outfeed send recv" },
  // state
  { op: "ReadVariable", kind: "state", tflite: "READ_VARIABLE", openvino: "ReadValue", tensorflow: "ReadVariableOp", tosa: "variable_read" },
  { op: "AssignVariable", kind: "state", tflite: "ASSIGN_VARIABLE", openvino: "Assign", tensorflow: "AssignVariableOp", tosa: "variable_write" },
  { op: "VarHandle", kind: "state", tflite: "VAR_HANDLE", tensorflow: "VarHandleOp", tosa: "variable" },
  { op: "Hashtable", kind: "state", tflite: "HASHTABLE HASHTABLE_FIND HASHTABLE_IMPORT HASHTABLE_SIZE HASHTABLE_LOOKUP", tensorflow: "HashTableV2 LookupTableFindV2" },
  // detection
  { op: "NonMaxSuppression", kind: "detection", tflite: "NON_MAX_SUPPRESSION_V4 NON_MAX_SUPPRESSION_V5", onnx: "NonMaxSuppression", openvino: "NonMaxSuppression MulticlassNms MatrixNms NMSRotated", tensorflow: "NonMaxSuppressionV3 NonMaxSuppressionV4 NonMaxSuppressionV5", mnn: "NonMaxSuppression NonMaxSuppressionV2" },
  { op: "DetectionOutput", kind: "detection", openvino: "DetectionOutput Proposal RegionYolo", ncnn: "DetectionOutput YoloDetectionOutput Yolov3DetectionOutput Proposal", mnn: "DetectionOutput DetectionPostProcess Proposal" },
  { op: "PriorBox", kind: "detection", openvino: "PriorBox PriorBoxClustered", ncnn: "PriorBox", mnn: "PriorBox" },
  // signal
  { op: "DFT", kind: "signal", tflite: "RFFT2D", onnx: "DFT Rfft Irfft", openvino: "DFT IDFT RDFT IRDFT", tensorflow: "FFT RFFT", stablehlo: "fft", tosa: "fft2d rfft2d" },
  { op: "STFT", kind: "signal", onnx: "STFT", openvino: "STFT", ncnn: "Spectrogram", mnn: "Stft" },
  { op: "MelWeightMatrix", kind: "signal", onnx: "MelWeightMatrix" },
  { op: "Window", kind: "signal", onnx: "BlackmanWindow HammingWindow HannWindow" },
  // text
  { op: "Lookup", kind: "text", tflite: "LSH_PROJECTION SKIP_GRAM CONCAT_EMBEDDINGS", onnx: "TfIdfVectorizer" },
  { op: "StringOp", kind: "text", onnx: "StringConcat StringSplit StringNormalizer RegexFullMatch" },
  // random
  { op: "RandomUniform", kind: "random", tflite: "RANDOM_UNIFORM STABLEHLO_RNG_BIT_GENERATOR", onnx: "RandomUniform RandomUniformLike", openvino: "RandomUniform", tensorflow: "RandomUniform", torch: "rand", stablehlo: "rng rng_bit_generator", mnn: "RandomUniform" },
  { op: "RandomNormal", kind: "random", tflite: "RANDOM_STANDARD_NORMAL", onnx: "RandomNormal RandomNormalLike", tensorflow: "RandomStandardNormal", torch: "randn", mnn: "RandomNormal" },
  { op: "Multinomial", kind: "random", tflite: "MULTINOMIAL", onnx: "Multinomial Bernoulli", openvino: "Multinomial", tensorflow: "Multinomial" },
  { op: "Bucketize", kind: "tree", tflite: "BUCKETIZE", openvino: "Bucketize", tensorflow: "Bucketize" },
  // trees and classical models of ai.onnx.ml
  { op: "TreeEnsemble", kind: "tree", onnx: "TreeEnsemble TreeEnsembleClassifier TreeEnsembleRegressor" },
  { op: "LinearModel", kind: "tree", onnx: "LinearClassifier LinearRegressor" },
  { op: "SVM", kind: "tree", onnx: "SVMClassifier SVMRegressor" },
  { op: "Feature", kind: "tree", onnx: "ArrayFeatureExtractor Binarizer CategoryMapper DictVectorizer FeatureVectorizer Imputer LabelEncoder Normalizer OneHotEncoder Scaler ZipMap" },
  // what the graph itself is made of
  { op: "Input", kind: "graph", openvino: "Parameter", ncnn: "Input", tensorflow: "Placeholder PlaceholderWithDefault", mnn: "Input" },
  { op: "Output", kind: "graph", openvino: "Result" },
  { op: "Constant", kind: "graph", onnx: "Constant", openvino: "Const Constant", ncnn: "MemoryData", tensorflow: "Const", stablehlo: "constant", tosa: "const const_shape", mnn: "Const TrainableParam" },
];

/** Which column a format's operators are spelled in. Formats that hold another's graph share its column. */
const dialects: Readonly<Record<string, Dialect>> = {
  tflite: "tflite",
  "edgetpu-tflite": "tflite",
  "vela-tflite": "tflite",
  onnx: "onnx",
  axmodel: "onnx",
  "openvino-ir": "openvino",
  openvino: "openvino",
  ncnn: "ncnn",
  tfjs: "tensorflow",
  "tensorflow-savedmodel": "tensorflow",
  pte: "torch",
  executorch: "torch",
  pytorch: "torch",
  stablehlo: "stablehlo",
  tosa: "tosa",
  mnn: "mnn",
};

const tables = new Map<Dialect, ReadonlyMap<string, string>>();
const sealedTables = new Map<string, ReadonlyMap<string, string>>();

/** Compilers' own formats spell alone: their names stand in a table of their own, read when such a file is. */
function sealedTable(format: string): ReadonlyMap<string, string> | undefined {
  const spellings = Object.hasOwn(sealedSpellings, format) ? sealedSpellings[format] : undefined;
  if (spellings === undefined) return undefined;
  const held = sealedTables.get(format);
  if (held !== undefined) return held;
  const table = new Map<string, string>();
  for (const [op, names] of Object.entries(spellings)) for (const name of names.split(" ")) table.set(name, op);
  sealedTables.set(format, table);
  return table;
}

function tableOf(dialect: Dialect): ReadonlyMap<string, string> {
  const held = tables.get(dialect);
  if (held !== undefined) return held;
  const table = new Map<string, string>();
  for (const row of opTable) {
    const spellings = row[dialect];
    if (spellings !== undefined)
      for (const spelled of spellings.split(" ")) if (spelled !== "") table.set(spelled, row.op);
  }
  tables.set(dialect, table);
  return table;
}

/** Domains whose operators are ONNX's own or onnxruntime's: names of other domains are custom ones, whatever they are called. */
const ONNX_DOMAINS: ReadonlySet<string> = new Set([
  "",
  "ai.onnx",
  "ai.onnx.ml",
  "ai.onnx.training",
  "ai.onnx.preview.training",
  "com.microsoft",
  "com.microsoft.nchwc",
  "com.ms.internal.nhwc",
]);

/**
 * The shared name of an operator as a format (or dialect) spells it; undefined for a custom one. `domain` is ONNX's, and is told from
 * the namespace of a torch kernel ("aten::add.out") or a dialect ("stablehlo.add") by itself.
 */
export function sharedOp(format: string, spelled: string, domain?: string): string | undefined {
  const dialect = Object.hasOwn(dialects, format) ? dialects[format] : undefined;
  if (dialect === undefined) return sealedTable(format)?.get(spelled);
  if (dialect === "onnx" && domain !== undefined && !ONNX_DOMAINS.has(domain)) return undefined;
  return tableOf(dialect).get(bareName(dialect, spelled));
}

function bareName(dialect: Dialect, spelled: string): string {
  if (dialect === "torch") {
    const name = spelled.slice(spelled.lastIndexOf("::") + (spelled.includes("::") ? 2 : 0));
    const dot = name.indexOf(".");
    return dot < 0 ? name : name.slice(0, dot);
  }
  if (dialect === "stablehlo") {
    const [, space, name = spelled] = /^(stablehlo|mhlo|chlo|vhlo)\.(.*)$/.exec(spelled) ?? [];
    if (space === "vhlo") return name.replace(/_v\d+$/, "");
    return space === "chlo" ? name.replace(/^broadcast_/, "") : name;
  }
  return spelled;
}

let kinds: ReadonlyMap<string, OpKind> | undefined;

/** What a shared operator is for. */
export function opKind(op: string | undefined): OpKind | undefined {
  if (op === undefined) return undefined;
  kinds ??= new Map(opTable.map((row) => [row.op, row.kind]));
  return kinds.get(op);
}
