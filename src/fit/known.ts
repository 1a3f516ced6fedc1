/**
 * Known model: the layers of a published architecture, made from its paper's tables by our own code, without weights. What a builder
 * makes is a Graph like any other: everything that works on a file works on it. Files in known/ hold families of models; the index is
 * generated. Checked against published parameters and operations (test/fit/known.test.ts).
 */

import type { Model } from "../model/graph.ts";

export interface KnownModel {
  /** Lower case, the most used spelling: mobilenet_v2, yolov8n, resnet50, efficientnet_lite0. */
  readonly id: string;
  readonly name: string;
  /** Spellings that benchmarks and people use; compared without case, blanks, "-", "_" and ".": "MobileNet v2 1.0 224". */
  readonly aliases: readonly string[];
  readonly family: string;
  readonly task:
    | "classification"
    | "detection"
    | "segmentation"
    | "pose"
    | "face"
    | "depth"
    | "text"
    | "audio"
    | "image"
    | "embedding";
  /** [channels, height, width] it was published with; text and sound: [1, 1, length] or what the builder takes. */
  readonly input: readonly [number, number, number];
  /** As published, for the input above, to hold the builder against: parameters, MACs. */
  readonly published: readonly Published[];
  /** The paper or configuration that fixes the layers. */
  readonly source: string;
  readonly build: (options: BuildOptions) => Model;
}

export interface Published {
  readonly parameters?: number;
  readonly macs?: number;
  /** Where it differs from the input above: [channels, height, width]. */
  readonly input?: readonly [number, number, number];
  readonly source: string;
  /** Largest relative deviation that is explained, and by what: "0.08: counts elementwise operators as well". */
  readonly within?: {
    readonly share: number;
    readonly because: string;
    /** Of one figure only; both when absent. */
    readonly of?: "parameters" | "macs";
  };
}

export interface BuildOptions {
  /** [channels, height, width]; absent: as published. */
  readonly input?: readonly [number, number, number];
  readonly batch?: number;
  /** Types of activations and weights; float32 when absent. */
  readonly precision?: "float32" | "float16" | "int8";
  /** Whose operators: channels second and activations apart, or channels last and activations fused. ONNX when absent. */
  readonly dialect?: "onnx" | "tflite";
}
