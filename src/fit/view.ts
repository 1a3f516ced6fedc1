/**
 * View: what rules and estimates look at in a node, worked out once and the same for every layout: kernel, stride, dilation, padding,
 * groups, channels, types, quantisation, activation, work. Unknown is undefined, never 0.
 */

import type { ElementType, Graph, Model, Node, Tensor } from "../model/graph.ts";
import type { OpKind } from "../model/ops.ts";
import type { ModelView } from "./target.ts";

/** [height, width]; of one dimension [1, width]; of three their last two. */
export type Pair = readonly [number, number];

export interface View {
  readonly index: number;
  readonly node: Node;
  /** Shared name (model/ops.ts); the file's spelling where it has none. */
  readonly op: string;
  readonly spelled: string;
  readonly kind: OpKind | undefined;
  readonly inputs: readonly (Tensor | undefined)[];
  readonly outputs: readonly (Tensor | undefined)[];
  /** Constant operand of a convolution, a matrix product or an elementwise operator. */
  readonly weights: Tensor | undefined;
  readonly bias: Tensor | undefined;
  /** Of the first variable input and the first output: types and full shapes (batch first, in the file's layout). */
  readonly inType: ElementType | undefined;
  readonly outType: ElementType | undefined;
  readonly inShape: readonly number[] | undefined;
  readonly outShape: readonly number[] | undefined;
  readonly batch: number | undefined;
  /** Of images, whatever the layout: channels, height, width. */
  readonly inChannels: number | undefined;
  readonly outChannels: number | undefined;
  readonly inSize: Pair | undefined;
  readonly outSize: Pair | undefined;
  readonly kernel: Pair | undefined;
  readonly stride: Pair | undefined;
  readonly dilation: Pair | undefined;
  readonly padding: "same" | "valid" | "explicit" | undefined;
  readonly groups: number | undefined;
  /** Groups = input channels. */
  readonly depthwise: boolean;
  /** Fused activation as TFLite spells it, NONE without; undefined in formats that have none. */
  readonly activation: string | undefined;
  /** The weights have a scale for each channel. */
  readonly perChannel: boolean | undefined;
  readonly quantized: boolean;
  readonly dynamic: boolean;
  readonly work: Work;
}

/** What a node costs, in units that no device enters: what it computes and what it moves. undefined: shapes leave it open. */
export interface Work {
  readonly macs: number | undefined;
  /** Elements. */
  readonly weights: number;
  readonly input: number | undefined;
  readonly output: number | undefined;
  /** Bytes as the file stores them. */
  readonly weightBytes: number;
  readonly inputBytes: number | undefined;
  readonly outputBytes: number | undefined;
}

/** Views of the main graph's nodes in execution order, and the model's own view. */
export declare function viewOf(model: Model): {
  readonly graph: Graph;
  readonly views: readonly View[];
  readonly model: ModelView;
};
