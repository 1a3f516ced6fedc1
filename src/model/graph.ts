/**
 * Model: what any model file turns out to be. Graphs in full where the format shows them; sealed files (compiled for one chip) are
 * described by what they say of themselves. Weights stay in the file: a tensor knows where its data lies, not what it is.
 */

/** Element types by the name most formats share. Sub-byte types say so; `unknown` keeps the file's own spelling beside it. */
export type ElementType =
  | "float64"
  | "float32"
  | "float16"
  | "bfloat16"
  | "float8e4m3fn"
  | "float8e4m3fnuz"
  | "float8e5m2"
  | "float8e5m2fnuz"
  | "float4e2m1"
  | "int64"
  | "int32"
  | "int16"
  | "int8"
  | "int4"
  | "int2"
  | "uint64"
  | "uint32"
  | "uint16"
  | "uint8"
  | "uint4"
  | "uint2"
  | "bool"
  | "string"
  | "complex64"
  | "complex128"
  | "resource"
  | "variant"
  | "block"
  | "unknown";

/** Bits of one element; undefined where elements have no fixed size (string, resource, blocks of a quantised format). */
export const elementBits: Readonly<Partial<Record<ElementType, number>>> = {
  float64: 64,
  float32: 32,
  float16: 16,
  bfloat16: 16,
  float8e4m3fn: 8,
  float8e4m3fnuz: 8,
  float8e5m2: 8,
  float8e5m2fnuz: 8,
  float4e2m1: 4,
  int64: 64,
  int32: 32,
  int16: 16,
  int8: 8,
  int4: 4,
  int2: 2,
  uint64: 64,
  uint32: 32,
  uint16: 16,
  uint8: 8,
  uint4: 4,
  uint2: 2,
  bool: 8,
  complex64: 64,
  complex128: 128,
};

/** A dimension: a number, a symbol ("batch"), or null for one the file leaves open. */
export type Dimension = number | string | null;

export interface Quantization {
  readonly scale: readonly number[];
  /** As many as scales, or empty for symmetric ones. */
  readonly zeroPoint: readonly number[];
  /** Of per-channel quantisation: the dimension the scales run along. */
  readonly axis?: number;
  /** The format's own word where scales are not all there is to it: Q4_K, block 32. */
  readonly scheme?: string;
  /** Tensors of the same graph that hold scales and zero points. */
  readonly stored?: readonly number[];
}

export interface Tensor {
  readonly name: string;
  readonly type: ElementType;
  /** The file's spelling when `type` is unknown or block. */
  readonly spelled?: string;
  /** Undefined: rank not known. [] is a scalar. */
  readonly shape?: readonly Dimension[];
  readonly quantization?: Quantization;
  /** Where constant data lies: bytes of this file, of another (ONNX external data), or inline without an extent of its own. */
  readonly data?: TensorData;
  /** The numbers of a small constant (SMALL): axes, shapes, scales, bounds, which operators are judged by. */
  readonly values?: readonly number[];
  readonly sparse?: boolean;
  /** Memory that is there before the first operator and that none has to fill: state between runs, scratch. */
  readonly state?: true;
}

/** Constants of up to so many numbers carry them as `values`: more than the dimensions of any operator's axes or pads. */
export const SMALL = 16;

export interface TensorData {
  /** Absolute offset in `file` (this file when absent); undefined for data that is not contiguous (varints of a protobuf). */
  readonly offset?: number;
  readonly bytes: number;
  readonly file?: string;
}

export type Attribute = number | bigint | string | boolean | readonly number[] | readonly string[];

export interface Node {
  readonly name?: string;
  /** Name in the shared operator table (model/ops.ts); undefined where it has none: a custom operator. */
  readonly op?: string;
  /** As the file spells it: CONV_2D, Conv, aten::convolution. */
  readonly spelled: string;
  readonly domain?: string;
  readonly version?: number;
  /** Indexes into the graph's tensors; -1 for an optional input that is not given. */
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
  readonly attributes: Readonly<Record<string, Attribute>>;
  /** Indexes into the model's graphs, of If, Loop, While, Call. */
  readonly graphs?: readonly number[];
}

export interface Graph {
  readonly name: string;
  readonly tensors: readonly Tensor[];
  readonly nodes: readonly Node[];
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
}

/** What a sealed file was made for. `family` is a catalogue id where the maker's word leads to one. */
export interface Target {
  readonly family?: string;
  /** Chip id of the catalogue, where known. */
  readonly chip?: string;
  /** The file's own words: rk3588, HAILO8L, ethos-u55-64. */
  readonly says: string;
  /** Chips of the catalogue that it is known not to run on, where its own one may show itself under another id too. */
  readonly not?: readonly string[];
  /** Devices that refuse the file, and that a machine cannot tell from those that take it: a Hailo-8L has the Hailo-8's id. */
  readonly refusedBy?: string;
}

/** A version lock the file carries: it needs `what` at `relation` `version`. Held against the machine by inspect. */
export interface Requirement {
  /** Lock id of breakages/locks.ts where there is one, else words: "Edge TPU runtime". */
  readonly what: string;
  /** "series" and "other than" speak of all releases that begin with these numbers: 5.1 is 5.1.0 and 5.1.1. */
  readonly relation: "at least" | "exactly" | "at most" | "series" | "other than" | "built by";
  readonly version: string;
}

/** A stretch of the file with a meaning, so that sizes can be told by kind. */
export interface Section {
  readonly name: string;
  readonly kind: "code" | "weights" | "graph" | "metadata" | "padding" | "unknown";
  readonly offset: number;
  readonly bytes: number;
}

/** Something about the file that contradicts itself. Offset in bytes where one can be named. */
export interface Integrity {
  readonly severity: "error" | "warning" | "note";
  /** Stable: extent/past-end, tensor/dangling, tensor/unused, shape/impossible, quantization/nan-scale ... */
  readonly rule: string;
  readonly says: string;
  readonly offset?: number;
}

/** What goes into an input. A real value is (raw - mean) / std, of pixels 0 to 255; one number, or one for each channel. */
export interface Expected {
  readonly kind: "image" | "audio" | "other";
  readonly color?: "rgb" | "bgr" | "gray";
  readonly width?: number;
  readonly height?: number;
  readonly mean?: readonly number[];
  readonly std?: readonly number[];
  /** Samples a second, and channels, of sound. */
  readonly rate?: number;
  readonly channels?: number;
}

export interface Model {
  /** Id of the format (formats/<file>.ts). */
  readonly format: string;
  /** Version of the container or schema, as the file gives it. */
  readonly version?: string;
  /** True when operators cannot be seen: compiled for a chip. A file may hold both (TFLite with an Edge TPU operator). */
  readonly sealed: boolean;
  readonly producer?: { readonly name: string; readonly version?: string };
  readonly targets: readonly Target[];
  readonly requires: readonly Requirement[];
  readonly graphs: readonly Graph[];
  /** Which graph runs when nothing is said; index into graphs. */
  readonly main?: number;
  /** Inputs and outputs a sealed file declares without a graph. */
  readonly inputs?: readonly Tensor[];
  readonly outputs?: readonly Tensor[];
  /** Opsets, origin framework, hashes, build strings: the file's own keys and words, short ones only. */
  readonly metadata: Readonly<Record<string, string>>;
  readonly labels?: readonly string[];
  /** What its author says goes into each input of the main graph, in their order; null for those nothing is said of. */
  readonly expects?: readonly (Expected | null)[];
  readonly author?: string;
  readonly licence?: string;
  readonly description?: string;
  readonly sections: readonly Section[];
  readonly integrity: readonly Integrity[];
  /** Other files it needs, relative to its own folder: external data, the .bin beside an .xml. Never opened by reading. */
  readonly needs: readonly string[];
  /** What cannot be seen in it, in a sentence each. */
  readonly unseen: readonly string[];
}

/** The fields every reader must give, so that a reader names only what it found. */
export function model(format: string, found: Partial<Model> & Pick<Model, "sealed">): Model {
  return {
    targets: [],
    requires: [],
    graphs: [],
    metadata: {},
    sections: [],
    integrity: [],
    needs: [],
    unseen: [],
    ...found,
    format,
  };
}

/** Elements of a shape; undefined when a dimension is open or the product is beyond any file. */
export function elementsOf(shape: readonly Dimension[] | undefined): number | undefined {
  if (shape === undefined) return undefined;
  let product = 1;
  for (const dimension of shape) {
    if (typeof dimension !== "number" || dimension < 0) return undefined;
    product *= dimension;
    if (product > Number.MAX_SAFE_INTEGER) return undefined;
  }
  return product;
}

/** Bytes of a tensor's elements when packed; undefined where shape or type leave it open. */
export function bytesOf(tensor: Pick<Tensor, "shape" | "type">): number | undefined {
  const elements = elementsOf(tensor.shape);
  const bits = elementBits[tensor.type];
  return elements === undefined || bits === undefined ? undefined : Math.ceil((elements * bits) / 8);
}
