/**
 * What a worker thread does with LiteRT compiled to WebAssembly: load it, compile one model, run it when told to. The loader is
 * Emscripten's, as the npm package @litertjs/core ships it; its classes are those of the package's src/wasm_binding_types.ts (Apache-2.0,
 * https://github.com/google-ai-edge/LiteRT/tree/main/litert/js/packages/core). The package's own JavaScript is not used: it knows three
 * element types and expects a browser.
 */

import type * as threadsModule from "node:worker_threads";

/** What the worker is started with (workerData). */
export interface Start {
  /** Paths: Emscripten's loader beside its .wasm, and the model. */
  readonly loader: string;
  readonly model: string;
  /** More than one only with the loader that has threads. */
  readonly threads: number;
  /** Which signature is run; the first where the file has none. */
  readonly signature?: string;
  /** Run once on zeros: what fails only then is told at once. Not for models that remember. */
  readonly trial: boolean;
}

export interface Run {
  readonly id: number;
  /** Bytes of each input in the order of Ready; handed over. */
  readonly inputs: readonly Uint8Array<ArrayBuffer>[];
}

/** From the worker: first Ready or Failed without an id, then an answer for each Run. */
export type Answer = Ready | Outputs | Failed;

export interface Ready {
  readonly is: "ready";
  readonly inputs: readonly WasmPort[];
  readonly outputs: readonly WasmPort[];
}

export interface WasmPort {
  /** The signature's name for it; the tensor's where the file has no signatures. */
  readonly name: string;
  /** litert::ElementType, as a number. */
  readonly type: number;
  /** -1 for what the file leaves open. */
  readonly shape: readonly number[];
}

export interface Outputs {
  readonly is: "outputs";
  readonly id: number;
  readonly outputs: readonly { readonly bytes: Uint8Array<ArrayBuffer>; readonly shape: readonly number[] }[];
}

export interface Failed {
  readonly is: "failed";
  readonly id?: number;
  /** While: loading the engine, reading the model, compiling it, running. */
  readonly during: "load" | "model" | "compile" | "run";
  /** One line. */
  readonly says: string;
  /** The engine is of no further use: it trapped. */
  readonly dead: boolean;
}

interface Vector<T> {
  size(): number;
  get(at: number): T;
  push_back(item: T): void;
  delete(): void;
}
interface Freed {
  delete(): void;
}
interface Layout extends Freed {
  dimensions(): Vector<number>;
}
interface TensorType extends Freed {
  elementType(): { readonly value: number };
  layout(): Layout;
  bytes(): number;
}
interface TensorBuffer extends Freed {
  lock(mode: unknown): number;
  unlock(): void;
  tensorType(): TensorType;
  packedSize(): number;
}
interface Signature extends Freed {
  key(): string;
  inputNames(): Vector<string>;
  outputNames(): Vector<string>;
}
interface WasmModel {
  getNumSignatures(): number;
  getSignature(at: number): Signature;
  getInputTensorType(signature: number, at: number): TensorType;
  getOutputTensorType(signature: number, at: number): TensorType;
}
interface Compiled {
  run(signature: number, inputs: TensorBuffer[]): TensorBuffer[] | Promise<TensorBuffer[]>;
}
interface Engine {
  readonly HEAPU8: Uint8Array;
  _malloc(bytes: number): number;
  readonly LiteRtEnvironment: { create(gpu: null): unknown };
  readonly LiteRtLayout: { create(dimensions: Vector<number>): Layout };
  readonly LiteRtRankedTensorType: { create(type: { readonly value: number }, layout: Layout): TensorType };
  readonly LiteRtTensorBuffer: {
    createManaged(env: unknown, kind: unknown, type: TensorType, bytes: number): TensorBuffer;
  };
  readonly LiteRtTensorBufferType: { readonly HOST_MEMORY: unknown };
  readonly LiteRtTensorBufferLockMode: { readonly READ: unknown; readonly WRITE: unknown };
  readonly VectorInt32: new () => Vector<number>;
  loadModel(env: unknown, at: number, bytes: number): WasmModel;
  compileModel(env: unknown, model: WasmModel, options: object): Compiled | Promise<Compiled>;
}
type Factory = (module: object) => Promise<Engine>;

/** What is used of the global that TypeScript declares for browsers only. */
interface WebAssemblyGlobal {
  readonly RuntimeError: new () => Error;
  readonly Memory: new (limits: object) => { readonly buffer: SharedArrayBuffer };
  validate(bytes: Uint8Array): boolean;
}

/**
 * The worker's whole program. It is sent as text, so that it is found from the sources and from any bundle alike: it names nothing
 * outside itself but Node's globals.
 */
export async function work(require: NodeJS.Require): Promise<void> {
  const threads = require("node:worker_threads") as typeof threadsModule;
  const { readFileSync } = require("node:fs") as { readFileSync: (path: string, encoding?: string) => Buffer | string };
  const { dirname } = require("node:path") as { dirname: (path: string) => string };
  const { compileFunction } = require("node:vm") as {
    compileFunction: (text: string, names: string[], options: object) => (...values: unknown[]) => void;
  };
  const wasm = (globalThis as unknown as { readonly WebAssembly: WebAssemblyGlobal }).WebAssembly;
  const start = threads.workerData as Start;
  const parent = threads.parentPort;
  if (parent === null) return;

  /** The last lines that the engine printed; what goes wrong is said there, and exceptions name only places in its sources. */
  const said: string[] = [];
  const hear = (line: string): void => {
    if (said.length >= 64) said.shift();
    said.push(line);
  };
  const errors = (): string[] => said.filter((line) => line.startsWith("ERROR:"));
  const words = (thrown: unknown): string => {
    const lines = errors();
    const all = lines.length > 0 ? lines : [thrown instanceof Error ? thrown.message : String(thrown)];
    const plain = all.map((line) =>
      line
        .replace(/^ERROR:\s*/, "")
        .replace(/\[[^\s\]]+:\d+\]\s*/g, "")
        .replace(/\s+/g, " ")
        .replace(/[.\s]+$/, ""),
    );
    const text = [...new Set(plain)].join("; ");
    return text.length > 400 ? `${text.slice(0, 399)}…` : text;
  };
  const fail = (during: Failed["during"], thrown: unknown, id?: number): void => {
    const dead = thrown instanceof wasm.RuntimeError;
    parent.postMessage({ is: "failed", during, says: words(thrown), dead, ...(id === undefined ? {} : { id }) });
  };

  /** Emscripten starts its threads from the loader's path, which Node would take for an ES module: this starts them from its text. */
  const evaluate = (file: string): string =>
    `const file = ${JSON.stringify(file)}, module = { exports: {} };` +
    `require("node:vm").compileFunction(require("node:fs").readFileSync(file, "utf8"),` +
    `["exports", "module", "require", "__filename", "__dirname"], { filename: file })` +
    `(module.exports, module, require, file, require("node:path").dirname(file));`;
  class Thread extends threads.Worker {
    constructor(_: string, options: threadsModule.WorkerOptions) {
      super(evaluate(start.loader), { ...options, eval: true });
    }
  }
  const requireIn = (name: string): unknown =>
    name === "node:worker_threads" ? { ...threads, Worker: Thread } : require(name);

  let engine: Engine;
  // Shared memory is made here, since a thread may have grown it without the engine's own view being made anew.
  const memory = start.threads > 1 ? new wasm.Memory({ initial: 256, maximum: 32768, shared: true }) : undefined;
  try {
    if (start.threads > 1) {
      const { setFlagsFromString } = require("node:v8") as { setFlagsFromString: (flag: string) => void };
      // Node 20 has relaxed SIMD behind a flag of V8, 22 and later without. (module (func (result v128) relaxed swizzle of two splats))
      const relaxed = Uint8Array.of(
        ...[0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0],
        ...[10, 15, 1, 13, 0, 65, 1, 253, 15, 65, 2, 253, 15, 253, 128, 2, 11],
      );
      if (!wasm.validate(relaxed)) setFlagsFromString("--experimental-wasm-relaxed-simd");
      if (!wasm.validate(relaxed)) {
        throw new Error("more than one thread needs relaxed SIMD, which this Node does not have");
      }
    }
    const scope = globalThis as Record<string, unknown>;
    scope["self"] = globalThis;
    // As many threads are started as it says there are cores.
    Object.defineProperty(globalThis, "navigator", {
      value: { hardwareConcurrency: start.threads },
      configurable: true,
    });
    const module = { exports: {} as Factory };
    const names = ["exports", "module", "require", "__filename", "__dirname"];
    const load = compileFunction(readFileSync(start.loader, "utf8") as string, names, { filename: start.loader });
    load(module.exports, module, requireIn, start.loader, dirname(start.loader));
    engine = await module.exports({
      print: hear,
      printErr: hear,
      ...(memory === undefined ? {} : { wasmMemory: memory }),
    });
  } catch (error) {
    fail("load", error);
    return;
  }
  const heap = (at: number, bytes: number): Uint8Array =>
    new Uint8Array(memory?.buffer ?? engine.HEAPU8.buffer, at, bytes);
  const list = <T>(vector: Vector<T>): T[] => {
    const items = Array.from({ length: vector.size() }, (_, at) => vector.get(at));
    vector.delete();
    return items;
  };
  const shapeOf = (type: TensorType): number[] => {
    const layout = type.layout();
    const shape = list(layout.dimensions());
    layout.delete();
    return shape;
  };

  const env = engine.LiteRtEnvironment.create(null);
  let model: WasmModel;
  said.length = 0;
  try {
    const bytes = readFileSync(start.model) as Buffer;
    // Stays: the model is read where it lies.
    const at = engine._malloc(bytes.length);
    if (at === 0) throw new Error(`no memory for its ${bytes.length} bytes`);
    heap(at, bytes.length).set(bytes);
    model = engine.loadModel(env, at, bytes.length);
  } catch (error) {
    fail("model", error);
    return;
  }
  let compiled: Compiled;
  try {
    compiled = await engine.compileModel(env, model, {
      environment: {},
      accelerator: "wasm",
      cpuOptions: { numThreads: start.threads },
      gpuOptions: {},
      webNNOptions: {},
    });
  } catch (error) {
    fail("compile", error);
    return;
  }

  const keys = Array.from({ length: model.getNumSignatures() }, (_, at) => model.getSignature(at).key());
  const which = Math.max(0, keys.indexOf(start.signature ?? ""));
  const signature = model.getSignature(which);
  const port = (name: string, type: TensorType): WasmPort => ({
    name,
    type: type.elementType().value,
    shape: shapeOf(type),
  });
  const inputs = list(signature.inputNames()).map((name, at) => port(name, model.getInputTensorType(which, at)));
  const outputs = list(signature.outputNames()).map((name, at) => port(name, model.getOutputTensorType(which, at)));

  /** One tensor for each input, used again for every run; 1 for what is open, as the file's own shape has it. */
  const tensors = inputs.map(({ type, shape }) => {
    const dimensions = new engine.VectorInt32();
    for (const size of shape) dimensions.push_back(size < 0 ? 1 : size);
    const layout = engine.LiteRtLayout.create(dimensions);
    dimensions.delete();
    const ranked = engine.LiteRtRankedTensorType.create({ value: type }, layout);
    layout.delete();
    const kind = engine.LiteRtTensorBufferType.HOST_MEMORY;
    const tensor = engine.LiteRtTensorBuffer.createManaged(env, kind, ranked, ranked.bytes());
    ranked.delete();
    return tensor;
  });

  const run = async (given: readonly Uint8Array[]): Promise<Outputs["outputs"]> => {
    said.length = 0;
    tensors.forEach((tensor, at) => {
      const bytes = tensor.packedSize();
      const into = heap(tensor.lock(engine.LiteRtTensorBufferLockMode.WRITE), bytes);
      const from = given[at];
      if (from === undefined) into.fill(0);
      else into.set(from.length > bytes ? from.subarray(0, bytes) : from);
      tensor.unlock();
    });
    const results = await compiled.run(which, tensors);
    const taken = results.map((tensor) => {
      const type = tensor.tensorType();
      const shape = shapeOf(type);
      type.delete();
      const bytes = Uint8Array.from(heap(tensor.lock(engine.LiteRtTensorBufferLockMode.READ), tensor.packedSize()));
      tensor.unlock();
      tensor.delete();
      return { bytes, shape };
    });
    // NOTE: where the graph cannot be prepared, LiteRT prints so and gives outputs of nothing all the same.
    if (errors().length > 0) throw new Error("LiteRT printed errors");
    return taken;
  };

  try {
    if (start.trial) await run([]);
  } catch (error) {
    fail("compile", error);
    return;
  }
  parent.postMessage({ is: "ready", inputs, outputs } satisfies Ready);
  let before: Promise<unknown> = Promise.resolve();
  parent.on("message", ({ id, inputs: given }: Run) => {
    before = before.then(async () => {
      try {
        const results = await run(given);
        const moved = results.map(({ bytes }) => bytes.buffer);
        parent.postMessage({ is: "outputs", id, outputs: results } satisfies Outputs, moved);
      } catch (error) {
        fail("run", error, id);
      }
    });
  });
}
