/**
 * Constraints that targets share, made by small constructors: each takes its limit and, first, the compiler's own words where it has some.
 * What a view leaves undefined a constraint leaves open, unless the operator has nothing of the kind.
 */

export { type Range, anyOf, constraint, only } from "./rules/constraint.ts";
export {
  depthMultiplier,
  dilatedKernelArea,
  dilatedKernelHeight,
  dilation,
  kernel,
  kernelArea,
  kernelHeight,
  kernelIn,
  kernelWidth,
  noDilation,
  noGroups,
  padding,
  squareStride,
  stride,
  strideHeight,
  strideIn,
  strideWidth,
} from "./rules/windows.ts";
export {
  biasTypes,
  inTypes,
  inputType,
  notQuantized,
  outTypes,
  perChannel,
  perTensor,
  quantized,
  sameQuantization,
  sameType,
  types,
  weightTypes,
} from "./rules/types.ts";
export {
  batchOne,
  channels,
  constantInput,
  constantWeights,
  dimensions,
  everyRank,
  imageSize,
  inputCount,
  noBroadcast,
  oneSidedBroadcast,
  outChannels,
  outputBytes,
  rank,
  scalarBroadcast,
  staticShapes,
} from "./rules/shapes.ts";
export { activations, attribute, axis, axisOf, noActivation } from "./rules/attributes.ts";
