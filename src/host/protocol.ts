/** What parent and child say to each other, as JSON over Node's channel; numbers of tensors lie in the shared memory. */

import type { Mishap } from "../base/errors.ts";
import type { OpenOptions, Placement, Port, ProbeOptions, Seen, Span } from "../delegates/delegate.ts";
import type { ElementType } from "../model/graph.ts";

/** File descriptor of the shared memory in the child: after standard streams and channel. */
export const SHARED_FD = 4;

/** A value whose elements lie at `offset`, or texts. */
export interface Told {
  readonly name: string;
  readonly type: ElementType;
  readonly shape: readonly number[];
  readonly offset?: number;
  readonly bytes?: number;
  readonly texts?: readonly string[];
}

export type Request =
  | {
      readonly ask: "open";
      readonly delegate: string;
      readonly model: string;
      readonly options: Omit<OpenOptions, "lending">;
      /** Bytes of memory that the process may have beyond what it starts with. */
      readonly memory: number;
      readonly parent: number;
    }
  | {
      readonly ask: "probe";
      readonly delegate: string;
      readonly options: ProbeOptions;
      readonly memory: number;
      readonly parent: number;
    }
  | { readonly ask: "run"; readonly inputs: readonly Told[] }
  /** Begins a text; its first piece is the answer, and each further one is asked for: whoever stops asking stops the model. */
  | { readonly ask: "stream"; readonly inputs: readonly Told[]; readonly options?: Readonly<Record<string, string>> }
  | { readonly ask: "next" }
  | { readonly ask: "stop" }
  | { readonly ask: "close" };

export type Reply =
  | {
      readonly done: "open";
      readonly inputs: readonly Port[];
      readonly outputs: readonly Port[];
      readonly version: string;
      readonly placement: Placement;
      readonly streams: boolean;
    }
  | { readonly done: "piece"; readonly text: string }
  | { readonly done: "stop" }
  | { readonly done: "probe"; readonly seen: readonly Seen[] }
  | {
      readonly done: "run";
      readonly outputs: readonly Told[];
      readonly spans: readonly Span[];
      readonly figures?: Readonly<Record<string, number>>;
    }
  | { readonly done: "close" }
  | { readonly failed: Failure };

export interface Failure {
  readonly kind: "cannot" | "file" | "usage" | "bug" | Mishap;
  readonly message: string;
  /** Of "file". */
  readonly path?: string;
  readonly offset?: number;
  /** Of "bug". */
  readonly stack?: string;
}
