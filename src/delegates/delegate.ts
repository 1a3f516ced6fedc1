/**
 * Delegate: one runtime that executes models, by whatever library its owner ships. Files beside this one are delegates; the index is
 * generated. Add one: copy null.ts, `npm run generate`, `npm test -- delegates`. Nothing of a vendor is loaded before open().
 */

import type { Reading } from "../base/reading.ts";
import type { Dimension, ElementType } from "../model/graph.ts";
import type { Value } from "./value.ts";

export interface Delegate {
  /** Id as the catalogue's routes spell it. */
  readonly id: string;
  readonly name: string;
  /** Ids of model formats it opens. */
  readonly formats: readonly string[];
  /** Where it can compute, in words for `--device`: cpu, or a family of the catalogue. */
  readonly devices: readonly string[];
  /** How it was verified, in a sentence with versions. */
  readonly verified: string;
  readonly sources: readonly string[];
  /** The version of the library that would be used, or why there is none. Loads nothing. */
  readonly find: (options: FindOptions) => Reading<Found>;
  /** Loads the library and the model. Throws CannotError (library) or FileError (model), each in one sentence. */
  readonly open: (model: string, options: OpenOptions) => Promise<Session>;
}

export interface FindOptions {
  /** Path of the vendor's library, instead of the one that is found. */
  readonly library?: string;
}

export interface Found {
  readonly library: string;
  /** As the package or the file's name says it; the library itself is asked by open(). */
  readonly version?: string;
}

export interface OpenOptions extends FindOptions {
  readonly device: string;
  /** Threads of one run; the runtime's own choice when absent. */
  readonly threads?: number;
}

/** What goes in or comes out. */
export interface Port {
  readonly name: string;
  readonly type: ElementType;
  readonly shape: readonly Dimension[];
}

export interface Session {
  readonly inputs: readonly Port[];
  readonly outputs: readonly Port[];
  /** The library's own word for its version. */
  readonly version: string;
  /** Which device computes, and how that is known. */
  readonly proof: Proof;
  /** Inputs by name; outputs in the model's order. Rejects with CannotError and the library's words. The event loop stays free. */
  run(inputs: ReadonlyMap<string, Value>): Promise<ReadonlyMap<string, Value>>;
  /** Frees what the library holds. Runs that have begun end first. */
  close(): Promise<void>;
}

export interface Proof {
  readonly device: string;
  /** A sentence: what was asked of the runtime and what it answered. */
  readonly says: string;
}
