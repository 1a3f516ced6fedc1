/**
 * Layers of Core ML's neural networks: field number in NeuralNetworkLayer, name, shared operator, and where weights lie in their settings.
 * github.com/apple/coremltools/blob/main/mlmodel/format/NeuralNetwork.proto
 */

export interface LayerRow {
  readonly name: string;
  readonly op?: string;
  /** Fields of the settings that are WeightParams, by name. */
  readonly weights: ReadonlyMap<number, string>;
  /** Fields of the settings that are numbers or lists of them, by name. */
  readonly settings: ReadonlyMap<number, string>;
}

/** number name op | weights | settings; "-" without a shared name. */
const rows: readonly string[] = [
  "100 convolution Conv | 90:weights 91:bias | 1:outputChannels 2:kernelChannels 10:nGroups 20:kernelSize 30:stride 40:dilationFactor 60:isDeconvolution",
  "120 pooling Pool || 1:type 10:kernelSize 20:stride 60:globalPooling",
  "130 activation -",
  "140 innerProduct FullyConnected | 20:weights 21:bias | 1:inputChannels 2:outputChannels 22:int8DynamicQuantize",
  "150 embedding Embedding | 20:weights 21:bias | 1:inputDim 2:outputChannels",
  "160 batchnorm BatchNormalization | 15:gamma 16:beta 17:mean 18:variance | 1:channels 5:computeMeanVar 6:instanceNormalization 10:epsilon",
  "165 mvn MeanVarianceNormalization",
  "170 l2normalize LpNormalization",
  "175 softmax Softmax",
  "180 lrn LRN",
  "190 crop Slice",
  "200 padding Pad",
  "210 upsample Resize || 1:scalingFactor 5:mode",
  "211 resizeBilinear Resize || 1:targetSize",
  "212 cropResize RoiAlign",
  "220 unary Elementwise || 1:type 2:alpha 3:epsilon 4:shift 5:scale",
  "230 add Add || 1:alpha",
  "231 multiply Mul || 1:alpha",
  "240 average Mean",
  "245 scale Scale | 2:scale 5:bias",
  "250 bias Add | 2:bias",
  "260 max Max",
  "261 min Min",
  "270 dot MatMul",
  "280 reduce Reduce || 1:mode 3:axis",
  "290 loadConstant Constant | 2:data | 1:shape",
  "300 reshape Reshape || 1:targetShape 2:mode",
  "301 flatten Flatten || 1:mode",
  "310 permute Transpose || 1:axis",
  "320 concat Concat || 100:sequenceConcat",
  "330 split Split || 1:nOutputs",
  "340 sequenceRepeat Tile || 1:nRepetitions",
  "345 reorganizeData - || 1:mode 2:blockSize",
  "350 slice Slice || 1:startIndex 2:endIndex 3:stride 4:axis",
  "400 simpleRecurrent RNN | 30:weightMatrix 31:recursionMatrix 32:biasVector | 1:inputVectorSize 2:outputVectorSize",
  "410 gru GRU | 30:updateGateWeightMatrix 31:resetGateWeightMatrix 32:outputGateWeightMatrix 50:updateGateRecursionMatrix 51:resetGateRecursionMatrix 52:outputGateRecursionMatrix 70:updateGateBiasVector 71:resetGateBiasVector 72:outputGateBiasVector | 1:inputVectorSize 2:outputVectorSize",
  "420 uniDirectionalLSTM LSTM || 1:inputVectorSize 2:outputVectorSize 100:reverseInput",
  "430 biDirectionalLSTM LSTM || 1:inputVectorSize 2:outputVectorSize",
  "500 custom -",
  "600 copy Identity",
  "605 branch If",
  "615 loop Loop || 1:maxLoopIterations",
  "620 loopBreak -",
  "625 loopContinue -",
  "635 rangeStatic Range",
  "640 rangeDynamic Range",
  "660 clip Clip || 1:minVal 2:maxVal",
  "665 ceil Ceil",
  "670 floor Floor",
  "680 sign Sign",
  "685 round Round",
  "700 exp2 Exp",
  "710 sin Sin",
  "715 cos Cos",
  "720 tan Tan",
  "730 asin Asin",
  "735 acos Acos",
  "740 atan Atan",
  "750 sinh Sinh",
  "755 cosh Cosh",
  "760 tanh Tanh",
  "770 asinh Asinh",
  "775 acosh Acosh",
  "780 atanh Atanh",
  "790 erf Erf",
  "795 gelu Gelu",
  "815 equal Equal",
  "820 notEqual NotEqual",
  "825 lessThan Less",
  "827 lessEqual LessOrEqual",
  "830 greaterThan Greater",
  "832 greaterEqual GreaterOrEqual",
  "840 logicalOr Or",
  "845 logicalXor Xor",
  "850 logicalNot Not",
  "855 logicalAnd And",
  "865 modBroadcastable Mod",
  "870 minBroadcastable Min",
  "875 maxBroadcastable Max",
  "880 addBroadcastable Add",
  "885 powBroadcastable Pow",
  "890 divideBroadcastable Div",
  "895 floorDivBroadcastable Div",
  "900 multiplyBroadcastable Mul",
  "905 subtractBroadcastable Sub",
  "920 tile Tile",
  "925 stack Pack || 1:axis",
  "930 gather Gather || 1:axis",
  "935 scatter ScatterElements",
  "940 gatherND GatherND",
  "945 scatterND ScatterND",
  "950 softmaxND Softmax || 1:axis",
  "952 gatherAlongAxis GatherElements",
  "954 scatterAlongAxis ScatterElements",
  "960 reverse Reverse",
  "965 reverseSeq ReverseSequence",
  "975 splitND Split || 1:axis 2:numSplits",
  "980 concatND Concat || 1:axis",
  "985 transpose Transpose || 1:axes",
  "995 sliceStatic Slice",
  "1000 sliceDynamic Slice",
  "1005 slidingWindows Im2Col",
  "1015 topK TopK || 1:axis 2:K",
  "1020 argMin ArgMin || 1:axis",
  "1025 argMax ArgMax || 1:axis",
  "1040 embeddingND Embedding | 20:weights 21:bias | 1:vocabSize 2:embeddingSize",
  "1045 batchedMatmul MatMul | 8:weights 9:bias | 1:transposeA 2:transposeB 5:weightMatrixFirstDimension 6:weightMatrixSecondDimension 10:int8DynamicQuantize",
  "1065 getShape Shape",
  "1070 loadConstantND Constant | 2:data | 1:shape",
  "1080 fillLike FillLike",
  "1085 fillStatic Fill",
  "1090 fillDynamic Fill",
  "1100 broadcastToLike Expand",
  "1105 broadcastToStatic Expand",
  "1110 broadcastToDynamic Expand",
  "1120 squeeze Squeeze || 1:axes 2:squeezeAll",
  "1125 expandDims Unsqueeze || 1:axes",
  "1130 flattenTo2D Flatten || 1:axis",
  "1135 reshapeLike Reshape",
  "1140 reshapeStatic Reshape || 1:targetShape",
  "1145 reshapeDynamic Reshape",
  "1150 rankPreservingReshape Reshape || 1:targetShape",
  "1155 constantPad Pad",
  "1170 randomNormalLike RandomNormal",
  "1175 randomNormalStatic RandomNormal",
  "1180 randomNormalDynamic RandomNormal",
  "1190 randomUniformLike RandomUniform",
  "1195 randomUniformStatic RandomUniform",
  "1200 randomUniformDynamic RandomUniform",
  "1210 randomBernoulliLike Multinomial",
  "1215 randomBernoulliStatic Multinomial",
  "1220 randomBernoulliDynamic Multinomial",
  "1230 categoricalDistribution Multinomial",
  "1250 reduceL1 ReduceL1 || 1:axes 2:keepDims 3:reduceAll",
  "1255 reduceL2 ReduceL2 || 1:axes 2:keepDims 3:reduceAll",
  "1260 reduceMax ReduceMax || 1:axes 2:keepDims 3:reduceAll",
  "1265 reduceMin ReduceMin || 1:axes 2:keepDims 3:reduceAll",
  "1270 reduceSum ReduceSum || 1:axes 2:keepDims 3:reduceAll",
  "1275 reduceProd ReduceProd || 1:axes 2:keepDims 3:reduceAll",
  "1280 reduceMean ReduceMean || 1:axes 2:keepDims 3:reduceAll",
  "1285 reduceLogSum ReduceLogSum || 1:axes 2:keepDims 3:reduceAll",
  "1290 reduceSumSquare ReduceSumSquare || 1:axes 2:keepDims 3:reduceAll",
  "1295 reduceLogSumExp ReduceLogSumExp || 1:axes 2:keepDims 3:reduceAll",
  "1313 whereNonZero NonZero",
  "1315 matrixBandPart Trilu",
  "1320 lowerTriangular Trilu",
  "1325 upperTriangular Trilu",
  "1330 whereBroadcastable Where",
  "1350 layerNormalization LayerNormalization | 3:gamma 4:beta | 1:normalizedShape 2:eps",
  "1400 NonMaximumSuppression NonMaxSuppression",
  "1450 oneHot OneHot",
  "1455 cumSum CumSum",
  "1460 clampedReLU Clip",
  "1461 argSort Sort",
  "1465 pooling3d Pool || 1:type 2:kernelDepth 3:kernelHeight 4:kernelWidth",
  "1466 globalPooling3d Pool || 1:type",
  "1470 sliceBySize Slice",
  "1471 convolution3d Conv | 60:weights 61:bias | 1:outputChannels 2:inputChannels 10:nGroups 20:kernelDepth 21:kernelHeight 22:kernelWidth 31:strideDepth 32:strideHeight 33:strideWidth 86:isDeconvolution",
];

let table: ReadonlyMap<number, LayerRow> | undefined;

export function layerRow(field: number): LayerRow | undefined {
  table ??= new Map(rows.map(parse));
  return table.get(field);
}

/** Every shared name used above. */
export const layerOpNames = (): readonly string[] =>
  rows.map((row) => row.split(" ")[2] ?? "").filter((op) => op !== "-");

function parse(row: string): [number, LayerRow] {
  const [head = "", weights = "", settings = ""] = row.split("|");
  const [field, name = "", op] = head.trim().split(" ");
  return [
    Number(field),
    { name, ...(op === undefined || op === "-" ? {} : { op }), weights: pairs(weights), settings: pairs(settings) },
  ];
}

const pairs = (text: string): ReadonlyMap<number, string> =>
  new Map(
    text
      .trim()
      .split(" ")
      .filter(Boolean)
      .map((pair) => {
        const [field, name = ""] = pair.split(":");
        return [Number(field), name];
      }),
  );

/** Field of ActivationParams, name, shared operator. */
export const activations: Readonly<Record<number, readonly [name: string, op: string]>> = {
  5: ["linear", "Scale"],
  10: ["ReLU", "Relu"],
  15: ["leakyReLU", "LeakyRelu"],
  20: ["thresholdedReLU", "ThresholdedRelu"],
  25: ["PReLU", "PRelu"],
  30: ["tanh", "Tanh"],
  31: ["scaledTanh", "Tanh"],
  40: ["sigmoid", "Sigmoid"],
  41: ["sigmoidHard", "HardSigmoid"],
  50: ["ELU", "Elu"],
  60: ["softsign", "Softsign"],
  70: ["softplus", "Softplus"],
  71: ["parametricSoftplus", "Softplus"],
};

/** PoolingLayerParams.type. */
export const pools: readonly string[] = ["MaxPool", "AveragePool", "LpPool"];

/** UnaryFunctionLayerParams.type. */
export const unaries: readonly string[] = [
  "Sqrt",
  "Rsqrt",
  "Reciprocal",
  "Pow",
  "Exp",
  "Log",
  "Abs",
  "ThresholdedRelu",
];
