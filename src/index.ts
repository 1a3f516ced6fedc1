/** The library: open a machine, review it. Everything here is typed and documented; nothing else is meant to be imported. */

export type { Reading, Read, Unread } from "./base/reading.ts";
export type {
  Evidence,
  Finding,
  KernelState,
  Layer,
  LayerName,
  Openness,
  Remedy,
  Route,
  Severity,
} from "./base/finding.ts";
export { AccelctlError, CannotError, FileError, UsageError } from "./base/errors.ts";
export type { Root, RootKind } from "./root/root.ts";
export { openRoot } from "./root/open.ts";
export type { Family } from "./families/family.ts";
export { families } from "./families/index.ts";
export type * from "./review/report.ts";
export { listDevices } from "./review/inventory.ts";
export type { ReviewOptions } from "./review/judge.ts";
export { review } from "./review/review.ts";
export type {
  Attribute,
  Dimension,
  ElementType,
  Graph,
  Integrity,
  Model,
  Node,
  Quantization,
  Tensor,
} from "./model/graph.ts";
export type * from "./inspect/inspection.ts";
export { inspect, type InspectOptions } from "./inspect/inspect.ts";
export { readModel } from "./inspect/describe.ts";
export { fit, rank, type FitRequest } from "./fit/api.ts";
export type { FitNode, FitPlacement, FitReport, FitRow, FitTarget } from "./fit/fit.ts";
export type { RankReport, RankRow } from "./fit/rank.ts";
export type { Estimate } from "./fit/time/estimate.ts";
export { MishapError, type Mishap } from "./base/errors.ts";
export type { Found, Partition, Placement, Port, ProbeOptions, Seen, Span } from "./delegates/delegate.ts";
export type { Elements, Value } from "./delegates/value.ts";
export type { Limits } from "./host/process.ts";
export type { PassedOver } from "./session/choose.ts";
export {
  open,
  prepareInputs,
  readOutputs,
  type Feed,
  type ModelSession,
  type PreparedInputs,
  type PrepareOptions,
  type ReadOptions,
  type RunAnswer,
  type RunSettings,
} from "./session/api.ts";
export type { OutputsRead } from "./session/read-outputs.ts";
export type { OutputReport } from "./session/result.ts";
export type { BoxReport, ClassReport, Interpretation, PoseReport } from "./session/interpret.ts";
export { readLabels, type Labels } from "./session/labels.ts";
export type { GivenPicture, PreprocessOptions } from "./session/preprocess.ts";
export type { SessionOptions } from "./session/open.ts";
export type { Proof, ProofEvidence } from "./proof/verdict.ts";
export type { DeviceSample, KnownMetric, Metric, ProcessUse, Sample, UnknownMetric } from "./watch/sample.ts";
export { watch, type WatchSettings } from "./watch/api.ts";
