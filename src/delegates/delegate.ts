/**
 * Delegate: one runtime that executes models, by whatever library its owner ships. Files beside this one are delegates; the index is
 * generated. Add one: copy null.ts, `npm run generate`, `npm test -- delegates`. Nothing of a vendor is loaded before open() or
 * probe(), and what is not `embedded` is only ever loaded in a child process (src/host).
 */

import type { Reading } from "../base/reading.ts";
import type { Dimension, ElementType, Model } from "../model/graph.ts";
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
  /** Package of npm that holds its library for this machine's architecture, as users are told to install it. */
  readonly npm?: string;
  readonly manual?: Manual;
  /** The version of the library that would be used, or why there is none. Loads nothing. */
  readonly find: (options: FindOptions) => Reading<Found>;
  /** Why it does not take this model on this device, as far as the file tells; undefined where nothing speaks against it. */
  readonly supports: (model: Model, device: string) => string | undefined;
  /**
   * What find() and open() are to be given when a route of the catalogue names libraries for this delegate, and `path` is one of them
   * as it lies on this machine. Absent: it finds its own.
   */
  readonly byRoute?: (path: string) => ProbeOptions;
  /** What the library itself sees. Loads it. Throws CannotError in one sentence. */
  readonly probe?: (options: ProbeOptions) => Promise<readonly Seen[]>;
  /** Loads the library and the model. Throws CannotError (library, device) or FileError (model), each in one sentence. */
  readonly open: (model: string, options: OpenOptions) => Promise<Session>;
}

/** For whoever wants to use it: how its library comes onto a machine, and what can be said to it. docs/delegates.md, accelctl delegates */
export interface Manual {
  /** The likeliest first. */
  readonly install: readonly { readonly command: string; readonly brings: string }[];
  /** What `library` and `plugin` of ProbeOptions are here; absent: it takes none. */
  readonly library?: string;
  readonly plugin?: string;
  /** What `options` of OpenOptions may hold, as typed; `*` stands for a part of a name. */
  readonly options?: readonly { readonly name: string; readonly says: string }[];
}

export interface FindOptions {
  /** Path of the runtime's library, instead of the one that is found. */
  readonly library?: string;
  /** Directories to look into besides the usual places: Python environments, SDKs, unpacked packages. */
  readonly environments?: readonly string[];
}

export interface Found {
  readonly library: string;
  /** As the package or the file's name says it; the library itself is asked by open(). */
  readonly version?: string;
  /** It comes from a package that this project pins, and may be loaded into the caller's process. */
  readonly embedded?: true;
}

export interface ProbeOptions extends FindOptions {
  /**
   * What the device's maker ships to be loaded into the runtime: a TFLite external delegate, an ONNX Runtime execution provider, a
   * PJRT plugin. Path of a library.
   */
  readonly plugin?: string;
}

export interface OpenOptions extends ProbeOptions {
  /** cpu, or a family of the catalogue; with ":1" the second of its kind. */
  readonly device: string;
  /** Threads of one run; the runtime's own choice when absent. */
  readonly threads?: number;
  /** For the plugin or the device, as its documentation spells them; passed on as they are. */
  readonly options?: Readonly<Record<string, string>>;
  /** Measure what a run is made of, where the runtime can; costs time. */
  readonly profile?: boolean;
  /** See Lending; absent: inputs are copied, outputs belong to the caller. */
  readonly lending?: Lending;
}

/**
 * The caller's terms that save copies: one run at a time, inputs handed to run() stay where they are until it ends, and outputs need
 * hold only until the next run begins. A delegate that does not care ignores it.
 */
export interface Lending {
  /** Memory for outputs that the caller reads without a copy; it stays in place and lives as long as the session. */
  allocate(bytes: number): ArrayBuffer;
}

/** A device as the library names it. */
export interface Seen {
  /** Its id there: "NPU", "GPU.0", "Vulkan0". */
  readonly id: string;
  readonly name: string;
  /** What `--device` calls it: cpu, or a family of the catalogue; absent where that cannot be told. */
  readonly device?: string;
  readonly memory_bytes?: number;
  /** Further facts in the library's own words. */
  readonly facts?: Readonly<Record<string, string>>;
}

/** What goes in or comes out. */
export interface Port {
  readonly name: string;
  /** Of the elements as they are stored: uint8 of a quantised input. */
  readonly type: ElementType;
  /** A number, a symbol ("batch"), or null where the model leaves a size open. */
  readonly shape: readonly Dimension[];
  /** real = scale * (stored - zero), of tensors with one scale. */
  readonly quantization?: { readonly scale: number; readonly zero: number };
}

export interface Session {
  readonly inputs: readonly Port[];
  readonly outputs: readonly Port[];
  /** The library's own word for its version. */
  readonly version: string;
  readonly placement: Placement;
  /** Inputs by name; outputs in the model's order. Rejects with CannotError and the library's words. The event loop stays free. */
  run(inputs: ReadonlyMap<string, Value>): Promise<Ran>;
  /**
   * The same, where the model writes a text: yields it piece by piece as it comes, and returns what run() would. `options` go before
   * those of OpenOptions, for this run. Ending the iteration ends the run; close() does not wait for pieces that nobody asks for.
   */
  stream?(
    inputs: ReadonlyMap<string, Value>,
    options?: Readonly<Record<string, string>>,
  ): AsyncGenerator<string, Ran, undefined>;
  /** Frees what the library holds. Runs that have begun end first. */
  close(): Promise<void>;
}

/** Where the runtime says that it put the model. What the device itself says is the proof (src/proof). */
export interface Placement {
  /** As in OpenOptions. */
  readonly device: string;
  /** A sentence: what was asked of the runtime and what it answered. */
  readonly says: string;
  /** Nodes of the graph, and how many of them the device took; absent where the runtime does not tell. */
  readonly nodes?: { readonly all: number; readonly taken: number };
  readonly partitions?: readonly Partition[];
}

export interface Partition {
  /** The runtime's name for who computes it: a provider, a delegate. */
  readonly by: string;
  readonly nodes: number;
  /** Operators in it, with how often. */
  readonly operators?: Readonly<Record<string, number>>;
}

export interface Ran {
  readonly outputs: ReadonlyMap<string, Value>;
  /** Parts of the run in order; empty where the runtime does not tell or was not asked. */
  readonly spans: readonly Span[];
  /** What else the runtime measured, unit in the name: tokens_per_second. */
  readonly figures?: Readonly<Record<string, number>>;
}

export interface Span {
  readonly name: string;
  /** Who computed it, as in Partition. */
  readonly by: string;
  /** Milliseconds. */
  readonly ms: number;
}
