/**
 * Spellings of operators in the compilers' own formats, by the shared names of ops.ts, separated by spaces: QNN and SNPE (Qualcomm),
 * GE and HiAI (Huawei), XIR (AMD), ovxlib (VeriSilicon). Sources: docs.qualcomm.com QNN operator definitions; https://github.com/hicann/ge and the HiAI
 * DDK's operator headers; docs.amd.com UG1414 and https://github.com/Xilinx/Vitis-AI src/vai_runtime/xir.
 */

type Spellings = Readonly<Record<string, string>>;

/* prettier-ignore */
const qnn: Spellings = {
  Conv: "Conv1d Conv2d Conv3d Convolutional", DepthwiseConv: "DepthWiseConv1d DepthWiseConv2d", ConvTranspose: "TransposeConv1d TransposeConv2d TransposeConv3d Deconvolution", FullyConnected: "FullyConnected",
  MatMul: "MatMul", LSTM: "Lstm", GRU: "Gru", AveragePool: "PoolAvg2d PoolAvg3d", MaxPool: "PoolMax2d PoolMax3d", LpPool: "L2Pool2d", Pool: "Pooling Pool", RoiAlign: "RoiAlign", MaxRoiPool: "RoiPooling",
  Relu: "Relu", Relu6: "Relu6", ReluN1To1: "Relu1", Clip: "ReluMinMax", PRelu: "Prelu", Elu: "Elu", Gelu: "Gelu", HardSwish: "HardSwish", Sigmoid: "Sigmoid", Tanh: "Tanh", Softmax: "Softmax SoftMax", LogSoftmax: "LogSoftmax",
  BatchNormalization: "Batchnorm BatchNorm", InstanceNormalization: "InstanceNorm", GroupNormalization: "GroupNorm", LayerNormalization: "LayerNorm", RMSNormalization: "RmsNorm", LpNormalization: "L2Norm", LRN: "Lrn",
  Add: "ElementWiseAdd", Sub: "ElementWiseSubtract", Mul: "ElementWiseMultiply", Div: "ElementWiseDivide ElementWiseFloorDiv", Mod: "ElementWiseMod ElementWiseFmod", Pow: "ElementWisePower", Max: "ElementWiseMaximum", Min: "ElementWiseMinimum", SquaredDifference: "ElementWiseSquaredDifference",
  Elementwise: "Eltwise_Binary Eltwise_Unary Eltwise_Ternary ElementWiseBinary ElementWiseUnary ElementWiseNeuron Neuron", Abs: "ElementWiseAbs", Neg: "ElementWiseNeg", Sign: "ElementWiseSign", Exp: "ElementWiseExp", Log: "ElementWiseLog", Sqrt: "ElementWiseSquareRoot", Rsqrt: "ElementWiseRsqrt", Sin: "ElementWiseSin", Cos: "ElementWiseCos", Asin: "ElementWiseAsin", Atan: "ElementWiseAtan", Floor: "ElementWiseFloor", Ceil: "ElementWiseCeil", Round: "ElementWiseRound", Softplus: "ElementWiseSoftplus", Cast: "Cast",
  Equal: "ElementWiseEqual", NotEqual: "ElementWiseNotEqual", Less: "ElementWiseLess", LessOrEqual: "ElementWiseLessEqual", Greater: "ElementWiseGreater", GreaterOrEqual: "ElementWiseGreaterEqual", And: "ElementWiseAnd", Or: "ElementWiseOr", Xor: "ElementWiseXor", Not: "ElementWiseNot", Where: "ElementWiseSelect",
  ReduceMean: "ReduceMean", ReduceSum: "ReduceSum", ReduceMax: "ReduceMax", ReduceMin: "ReduceMin", ReduceProd: "ReduceProd", ReduceSumSquare: "ReduceSumSquare", ArgMax: "Argmax", ArgMin: "Argmin", TopK: "TopK", CumSum: "CumulativeSum",
  Reshape: "Reshape", Squeeze: "Squeeze", Unsqueeze: "ExpandDims", Transpose: "Transpose Permute", Concat: "Concat", Pack: "Pack", Unpack: "UnPack", Split: "Split", Slice: "StridedSlice Slice Crop", Gather: "Gather", GatherElements: "GatherElements", GatherND: "GatherNd", ScatterElements: "ScatterElements", ScatterND: "ScatterNd", Pad: "Pad", Tile: "Tile", Expand: "Expand", Shape: "Shape",
  DepthToSpace: "DepthToSpace", SpaceToDepth: "SpaceToDepth", BatchToSpace: "BatchToSpace", SpaceToBatch: "SpaceToBatch", ChannelShuffle: "ChannelShuffle", Resize: "Resize ResizeBilinear ResizeNearestNeighbor", GridSample: "GridSample", Im2Col: "Im2Col ExtractPatches", Col2Im: "Col2Im", NonZero: "NonZero", OneHot: "OneHot",
  QuantizeLinear: "Quantize", DequantizeLinear: "Dequantize", Requantize: "Convert", NonMaxSuppression: "NonMaxSuppression MultiClassNms", DetectionOutput: "DetectionOutput BoxWithNmsLimit GenerateProposals", Input: "Input", Identity: "Nv12ToRgb_Identity Noop",
};

/* prettier-ignore */
const ge: Spellings = {
  Conv: "Conv2D Conv2DCompress Conv3D Convolution QuantizedConvolution", DepthwiseConv: "DepthwiseConv2D ConvolutionDepthwise QuantizedConvolutionDepthwise", ConvTranspose: "Conv2DTranspose Conv2DTransposeD Conv2DBackpropInput Conv2DBackpropInputD Conv3DTransposeD Deconvolution ConvTranspose", DeformConv: "DeformableConv2D",
  FullyConnected: "FullyConnection FullyConnectionCompress QuantizedFullyConnection", MatMul: "MatMul MatMulV2 MatMulV3 BatchMatMul BatchMatMulV2 GroupedMatmul WeightQuantBatchMatmulV2 QuantBatchMatmulV3", Gemm: "GEMM Gemm", LSTM: "DynamicRNN LSTM BidirectionLSTM", GRU: "DynamicGRUV2 GRU", Attention: "FlashAttentionScore PromptFlashAttention IncreFlashAttention FusedInferAttentionScore",
  Pool: "Pooling PoolingD", MaxPool: "MaxPool MaxPoolV3 MaxPool3D", AveragePool: "AvgPool AvgPoolV2 AvgPool3D AvgPool3DD", GlobalAveragePool: "GlobalAveragePool", RoiAlign: "ROIAlign RoiAlign", MaxRoiPool: "ROIPooling PSROIPooling",
  Relu: "Relu", Relu6: "Relu6", LeakyRelu: "LeakyRelu", PRelu: "PRelu", Elu: "Elu", Selu: "Selu", Sigmoid: "Sigmoid", HardSigmoid: "HardSigmoid", HardSwish: "HardSwish", Swish: "Swish", Mish: "Mish", Gelu: "Gelu GeluV2 FastGelu", Tanh: "Tanh", Softplus: "Softplus SoftplusV2", Softmax: "Softmax SoftmaxV2", LogSoftmax: "LogSoftmax LogSoftmaxV2", Clip: "ClipByValue ClipByValueV2 Clip ClipV2",
  BatchNormalization: "BatchNorm BNInference BNInferenceD BNInfer", InstanceNormalization: "InstanceNorm InstanceNormV2", GroupNormalization: "GroupNorm", LayerNormalization: "LayerNorm LayerNormV3", RMSNormalization: "RmsNorm AddRmsNorm", LpNormalization: "L2Normalize LpNormV2", LRN: "LRN LRNV2", Scale: "Scale", Dropout: "Dropout",
  Add: "Add AddN AddV2 BiasAdd", Sub: "Sub", Mul: "Mul Muls", Div: "RealDiv Div FloorDiv", Mod: "Mod FloorMod", Pow: "Pow Power", Max: "Maximum", Min: "Minimum", SquaredDifference: "SquaredDifference", Elementwise: "Eltwise Activation", Abs: "Abs", Neg: "Neg", Sign: "Sign", Exp: "Exp", Log: "Log", Sqrt: "Sqrt", Rsqrt: "Rsqrt", Square: "Square", Reciprocal: "Reciprocal", Sin: "Sin", Cos: "Cos", Erf: "Erf", Floor: "Floor", Ceil: "Ceil", Round: "Round Rint", Cast: "Cast CastT", Equal: "Equal", NotEqual: "NotEqual", Less: "Less", LessOrEqual: "LessEqual", Greater: "Greater", GreaterOrEqual: "GreaterEqual", And: "LogicalAnd", Or: "LogicalOr", Not: "LogicalNot", Where: "Select SelectV2",
  ReduceMean: "ReduceMean ReduceMeanD", ReduceSum: "ReduceSum ReduceSumD", ReduceMax: "ReduceMax ReduceMaxD", ReduceMin: "ReduceMin ReduceMinD", ReduceProd: "ReduceProd ReduceProdD", ArgMax: "ArgMaxV2 ArgMaxD ArgMaxExt2", ArgMin: "ArgMin ArgMinD", TopK: "TopK TopKD TopKV2 TopKV2D", CumSum: "Cumsum CumsumD",
  Reshape: "Reshape", Flatten: "Flatten FlattenV2", Squeeze: "Squeeze SqueezeV2 SqueezeV3", Unsqueeze: "Unsqueeze UnsqueezeV2 UnsqueezeV3 ExpandDims", Transpose: "Transpose TransposeD Permute TransData", Concat: "Concat ConcatD ConcatV2 ConcatV2D", Pack: "Pack", Unpack: "Unpack", Split: "Split SplitD SplitV SplitVD", Slice: "Slice SliceD StridedSlice StridedSliceD StridedSliceV2", Gather: "Gather GatherV2 GatherV2D", GatherElements: "GatherElements", GatherND: "GatherNd", ScatterElements: "ScatterElements", ScatterND: "ScatterNd ScatterNdD", Pad: "Pad PadD PadV3 PadV3D MirrorPad", Tile: "Tile TileD", Expand: "Expand ExpandD BroadcastTo BroadcastToD", Shape: "Shape", Range: "Range RangeD", Fill: "Fill FillD", DepthToSpace: "DepthToSpace", SpaceToDepth: "SpaceToDepth", BatchToSpace: "BatchToSpaceND BatchToSpaceNDD", SpaceToBatch: "SpaceToBatchND SpaceToBatchNDD", ChannelShuffle: "ShuffleChannel", Resize: "ResizeBilinear ResizeBilinearV2 ResizeBilinearV2D ResizeNearestNeighborV2 ResizeNearestNeighborV2D Resize Interp Upsample", GridSample: "GridSampler2D", NonZero: "Where NonZero", OneHot: "OneHot OneHotD",
  QuantizeLinear: "AscendQuant AscendQuantV2 Quantize", DequantizeLinear: "AscendDequant AscendAntiQuant Dequantize", Requantize: "AscendRequant AscendRequantS16", If: "If StatelessIf", Loop: "While StatelessWhile", NonMaxSuppression: "NonMaxSuppressionV3 NonMaxSuppressionV6 BatchMultiClassNonMaxSuppression", DetectionOutput: "FSRDetectionOutput SSDDetectionOutput YoloV3DetectionOutput Proposal", PriorBox: "PriorBox PriorBoxD", Identity: "Identity",
};

/* prettier-ignore */
const xir: Spellings = {
  Conv: "conv1d conv2d conv2d-fix conv3d conv3d-fix", DepthwiseConv: "depthwise-conv1d depthwise-conv2d depthwise-conv2d-fix depthwise-conv3d depthwise-conv3d-fix depthwise-fix", ConvTranspose: "transposed-conv2d transposed-conv2d-fix transposed-conv3d transposed-conv3d-fix transposed-depthwise-conv2d transposed-depthwise-conv2d-fix transposed-depthwise-conv3d transposed-depthwise-conv3d-fix", FullyConnected: "inner-product", MatMul: "matmul matmul-fix",
  MaxPool: "maxpool maxpool1d maxpool2d maxpool3d", AveragePool: "avgpool avgpool2d avgpool3d", Pool: "pool-fix", GlobalAveragePool: "global-avgpool",
  Relu: "relu", Relu6: "relu6", LeakyRelu: "leaky-relu leakyrelu", PRelu: "prelu", Elu: "elu", Celu: "celu", Selu: "selu", Gelu: "gelu", Mish: "mish", Sigmoid: "sigmoid", HardSigmoid: "hard-sigmoid hard-sigmoid-fix hsigmoid", HardSwish: "hard-swish hswish", Swish: "swish", Tanh: "tanh", Softmax: "softmax hard-softmax", Clip: "hard-tanh clamp",
  BatchNormalization: "batchnorm", InstanceNormalization: "instancenorm", GroupNormalization: "groupnorm", LpNormalization: "l2_normalize", Scale: "scale",
  Add: "add biasadd", Sub: "sub", Mul: "mul", Div: "div", Max: "max", Min: "min", Elementwise: "eltwise eltwise-fix depthwise-eltwise", Neg: "neg", Exp: "exp", Sqrt: "sqrt", Cast: "cast", ReduceMean: "reduction_mean", ReduceSum: "reduction_sum", ReduceMax: "reduction_max reduction_max-fix", ReduceMin: "reduction_min", ReduceProd: "reduction_product", ArgMax: "argmax argmax-fix",
  Reshape: "reshape reshape-fix", Flatten: "flatten", Squeeze: "squeeze", Unsqueeze: "unsqueeze", Transpose: "transpose", Concat: "concat concat-fix", Pack: "stack", Slice: "strided_slice strided_slice-fix", Gather: "gather", Pad: "pad pad-fix", Tile: "tile tile-fix", Shape: "shape", Resize: "resize upsample-fix downsample-fix", DepthToSpace: "pixel-shuffle", SpaceToDepth: "reorg", Identity: "identity upload download", QuantizeLinear: "float2fix", DequantizeLinear: "fix2float", FakeQuantize: "fix threshold", DetectionOutput: "ssd", PriorBox: "priorbox", Input: "data data-fix", Constant: "const const-fix",
};

/** ovxlib's, without "VSI_NN_OP_". */
/* prettier-ignore */
const vsi: Spellings = {
  Conv: "CONV2D CONV1D GROUPED_CONV2D CONV3D", DepthwiseConv: "DEPTHWISE_CONV1D", ConvTranspose: "DECONVOLUTION DECONVOLUTION1D", FullyConnected: "FCL FCL2", MatMul: "MATRIXMUL", LSTM: "LSTM LSTM_OVXLIB", GRU: "GRU GRU_OVXLIB",
  Relu: "RELU", Relu6: "RELU6", LeakyRelu: "LEAKY_RELU", PRelu: "PRELU", Elu: "ELU", Sigmoid: "SIGMOID", HardSigmoid: "HARD_SIGMOID", Swish: "SWISH", Mish: "MISH", Tanh: "TANH", Softmax: "SOFTMAX", LogSoftmax: "LOG_SOFTMAX", Clip: "CLIP",
  BatchNormalization: "BATCH_NORM", InstanceNormalization: "INSTANCE_NORM", LayerNormalization: "LAYER_NORM", LpNormalization: "L2_NORMALIZE", LRN: "LRN LRN2",
  Add: "ADD", Sub: "SUBTRACT", Mul: "MULTIPLY", Div: "DIVIDE", Max: "MAXIMUM", Min: "MINIMUM", Pow: "POW", Exp: "EXP", Log: "LOG", Neg: "NEG", Abs: "ABS", Sqrt: "SQRT", Rsqrt: "RSQRT", Square: "SQUARE", Floor: "FLOOR", ArgMax: "ARGMAX", ArgMin: "ARGMIN",
  Pool: "POOL POOLWITHARGMAX", RoiAlign: "ROI_ALIGN", MaxRoiPool: "ROI_POOL", Reshape: "RESHAPE RESHAPE2", Squeeze: "SQUEEZE", Transpose: "PERMUTE", Concat: "CONCAT", Pack: "STACK", Unpack: "UNSTACK", Split: "SPLIT", Slice: "SLICE STRIDED_SLICE CROP", Gather: "GATHER", Tile: "TILE", Pad: "PAD PAD2", Resize: "RESIZE",
  DepthToSpace: "DEPTH2SPACE", SpaceToDepth: "SPACE2DEPTH", BatchToSpace: "BATCH2SPACE", SpaceToBatch: "SPACE2BATCH", ChannelShuffle: "SHUFFLECHANNEL", Cast: "CAST", Requantize: "DATACONVERT", Identity: "NOOP",
};

/** Format id to its spellings. */
export const sealedSpellings: Readonly<Record<string, Spellings>> = {
  dlc: qnn,
  "qnn-context": qnn,
  om: ge,
  xmodel: xir,
  rknn: vsi,
};
