/**
 * LiteRT compiled to WebAssembly, out of the npm package @litertjs/core: TensorFlow Lite with current operators on the CPU of every
 * machine Node runs on, three to five times slower than the native library. It computes in a worker thread. What LiteRT's classes do
 * not tell of ports (quantisation, the tensors behind a signature's names) is read from the file.
 */

import { existsSync } from "node:fs";
import { join } from "node:path";
import type * as threadsModule from "node:worker_threads";
import { CannotError, FileError } from "../../base/errors.ts";
import { absent, read, type Reading } from "../../base/reading.ts";
import { findPackage, installing, requireLate } from "../../base/package.ts";
import { openModelFile } from "../../formats/file.ts";
import { readTflite, type TfliteFile } from "../../formats/tflite/read.ts";
import { fields } from "../../formats/tflite/schema.ts";
import type { Graph, Tensor } from "../../model/graph.ts";
import type { Found, OpenOptions, Port, Ran, Session } from "../delegate.ts";
import { elementsOver, lengthOf, type Value } from "../value.ts";
import { work, type Answer, type Failed, type Outputs, type Ready, type Run, type Start } from "./wasm-worker.ts";

const PACKAGE = "@litertjs/core";
/** Without relaxed SIMD, which is no quicker here: every Node then computes the same bits. With threads there is no such build. */
const [LOADER, THREADED] = ["litert_wasm_compat_internal.js", "litert_wasm_threaded_internal.js"];
/** Each is a worker thread of Node of some 10 MB. */
const THREADS_LIMIT = 64;
const SIGNATURE_LIMIT = 10_000;

/** The package's loader and version, or why there is none. Loads nothing. */
export function findWasm(): Reading<Found> {
  const found = findPackage(PACKAGE);
  if (found === undefined) return absent(`node_modules/${PACKAGE}`);
  const { folder, ...version } = found;
  const library = join(folder, "wasm", LOADER);
  return existsSync(library) ? read({ library, ...version, embedded: true }, library) : absent(library);
}

/**
 * Opens a TFLite model in a worker thread. Dimensions that the file leaves open are 1 here: this build resizes nothing. Of `options`
 * only `threads` is looked at (default 1). Throws FileError for a broken model, CannotError where the engine does not take it (variable
 * tensors, operators it does not have) or is not installed. close() waits for runs under way; called again meanwhile it ends them.
 */
export async function openWasm(model: string, { threads = 1 }: OpenOptions): Promise<Session> {
  const found = findWasm();
  if (found.state !== "read")
    throw new CannotError(`LiteRT's wasm build is not here (${found.from}): ${installing(`${PACKAGE}@2.5`)}`);
  if (threads > THREADS_LIMIT)
    throw new CannotError(`${threads} threads: LiteRT's wasm build is given ${THREADS_LIMIT} at most`);
  const { graph, inputs, outputs, signature, trial } = readPorts(model);
  const folder = join(found.value.library, "..");
  const engine = new Engine({
    loader: join(folder, threads > 1 ? THREADED : LOADER),
    model,
    threads,
    trial,
    ...(signature === undefined ? {} : { signature }),
  });
  const ready = await engine.ready.catch((error: unknown) => {
    throw error instanceof EngineError ? openError(model, error) : error;
  });
  const ins = matched(model, ready.inputs, inputs, graph.inputs, graph);
  const outs = matched(model, ready.outputs, outputs, graph.outputs, graph);
  return sessionOf(engine, ins, outs, { threads, version: `${found.value.version ?? ""} (wasm)`.trim() });
}

function openError(model: string, { failed, message }: EngineError): Error {
  if (failed.during === "model" && /read|parse|verif/i.test(failed.says))
    return new FileError(model, `LiteRT: ${message}`);
  if (failed.during === "load") return new CannotError(`LiteRT's wasm build cannot be loaded: ${message}`);
  return new CannotError(`${model}: LiteRT's wasm build does not take it: ${message}`);
}

/** A port, and where it stands in the list that LiteRT takes or gives. */
interface Place extends Port {
  readonly at: number;
  readonly shape: readonly number[];
  readonly bytes: number;
}

/** In the model's order. */
function matched(
  model: string,
  told: Ready["inputs"],
  named: ReadonlyMap<string, number>,
  order: readonly number[],
  { tensors }: Graph,
): Place[] {
  const places = told.map(({ name, shape: open }, at): readonly [index: number, place: Place] => {
    const index = named.get(name) ?? order.find((one) => tensors[one]?.name === name) ?? order[at] ?? -1;
    const tensor = tensors[index];
    if (tensor === undefined) throw new FileError(model, `its signature's "${name}" is no tensor of the graph`);
    const shape = open.map((size) => (size < 0 ? 1 : size));
    const own = elementsOver(tensor.type, new ArrayBuffer(0));
    if (own === undefined)
      throw new CannotError(`${model}: "${tensor.name}" is of ${tensor.type}, which the wasm build is not given here`);
    const bytes = lengthOf(tensor.type, product(shape)) * own.BYTES_PER_ELEMENT;
    return [index, { ...portOf(tensor), shape, at, bytes }];
  });
  return places.sort(([a], [b]) => order.indexOf(a) - order.indexOf(b)).map(([, place]) => place);
}

function portOf({ name, type, quantization: q }: Tensor): Pick<Port, "name" | "type" | "quantization"> {
  const scale = q?.scale.length === 1 ? q.scale[0] : undefined;
  return { name, type, ...(scale === undefined ? {} : { quantization: { scale, zero: q?.zeroPoint[0] ?? 0 } }) };
}

const product = (shape: readonly number[]): number => shape.reduce((all, size) => all * size, 1);

interface FilePorts {
  readonly graph: Graph;
  /** Of the signature that is run, where the file has one: its names, and the tensors they stand for. */
  readonly signature?: string;
  readonly inputs: ReadonlyMap<string, number>;
  readonly outputs: ReadonlyMap<string, number>;
  /** Has operators that only a run shows to be missing, and no state that a run would change. */
  readonly trial: boolean;
}

/** Operators and tensors that keep something from run to run. */
const remembers = /^(?:VAR_HANDLE|ASSIGN_VARIABLE|CALL_ONCE|HASHTABLE|RANDOM_)/;

function readPorts(model: string): FilePorts {
  const file = openModelFile(model);
  let tflite: TfliteFile;
  try {
    tflite = readTflite(file);
    const broken = tflite.integrity.find(({ severity }) => severity === "error");
    if (broken !== undefined) throw new FileError(model, broken.says, broken.offset);
    return {
      ...signatureOf(model, tflite),
      trial: tflite.customs.length > 0 && !tflite.codes.some(({ spelled }) => remembers.test(spelled)),
    };
  } finally {
    file.close();
  }
}

/** The first signature of the first graph, else the first. */
function signatureOf(model: string, { root, graphs }: TfliteFile): Omit<FilePorts, "trial"> {
  const { SignatureDef: s, TensorMap: t, Model: m } = fields;
  const tables = root.tables(m.signature_defs, SIGNATURE_LIMIT, "signatures");
  const table = tables.find((one) => one.u32(s.subgraph_index) === 0) ?? tables[0];
  const graph = graphs[table?.u32(s.subgraph_index) ?? 0];
  if (graph === undefined) throw new FileError(model, "it has no graph");
  const names = (field: number): Map<string, number> =>
    new Map(
      (table?.tables(field, SIGNATURE_LIMIT, "named tensors") ?? []).map((row) => [
        row.string(t.name) ?? "",
        row.u32(t.tensor_index),
      ]),
    );
  const signature = table?.string(s.signature_key);
  return {
    graph,
    inputs: names(s.inputs),
    outputs: names(s.outputs),
    ...(signature === undefined ? {} : { signature }),
  };
}

class EngineError extends CannotError {
  readonly failed: Failed;
  constructor(failed: Failed) {
    super(failed.says);
    this.failed = failed;
  }
}

interface Waiting {
  readonly done: (answer: Outputs) => void;
  readonly failed: (error: Error) => void;
}

/** The worker thread, and who waits for it. It keeps the process alive only while a run is under way. */
class Engine {
  readonly ready: Promise<Ready>;
  readonly #worker: threadsModule.Worker;
  readonly #waiting = new Map<number, Waiting>();
  #next = 1;
  /** Why it runs no more. */
  #over: string | undefined;
  #opened: { readonly done: (ready: Ready) => void; readonly failed: (error: Error) => void } | undefined;

  constructor(start: Start) {
    const { Worker } = requireLate("node:worker_threads") as typeof threadsModule;
    this.#worker = new Worker(`(${work.toString()})(require)`, {
      eval: true,
      workerData: start,
      execArgv: [],
      name: "litert-wasm",
    });
    this.ready = new Promise((done, failed) => (this.#opened = { done, failed }));
    this.#worker.on("message", (answer: Answer) => this.#hear(answer));
    this.#worker.on("error", (error) => this.#end(`the wasm engine failed: ${firstLine(error.message)}`));
    this.#worker.on("exit", () => this.#end("the wasm engine has ended"));
  }

  get running(): number {
    return this.#waiting.size;
  }

  run(inputs: readonly Uint8Array<ArrayBuffer>[]): Promise<Outputs> {
    if (this.#over !== undefined) return Promise.reject(new CannotError(this.#over));
    return new Promise((done, failed) => {
      const id = this.#next++;
      this.#waiting.set(id, { done, failed });
      if (this.#waiting.size === 1) this.#worker.ref();
      this.#worker.postMessage(
        { id, inputs } satisfies Run,
        inputs.map(({ buffer }) => buffer),
      );
    });
  }

  async terminate(why: string): Promise<void> {
    this.#end(why);
    await this.#worker.terminate();
  }

  #hear(answer: Answer): void {
    if (answer.is === "ready") {
      this.#worker.unref();
      this.#opened?.done(answer);
    } else if (answer.is === "failed" && answer.id === undefined) {
      this.#opened?.failed(new EngineError(answer));
      void this.#worker.terminate();
    } else {
      const waiting = this.#waiting.get(answer.id ?? 0);
      this.#waiting.delete(answer.id ?? 0);
      if (this.#waiting.size === 0) this.#worker.unref();
      if (answer.is === "outputs") waiting?.done(answer);
      else {
        waiting?.failed(new CannotError(`LiteRT (wasm): ${answer.says}`));
        if (answer.dead) void this.terminate(`the wasm engine broke off: ${answer.says}`);
      }
    }
  }

  #end(why: string): void {
    this.#over ??= why;
    const error = new CannotError(this.#over);
    this.#opened?.failed(error); // of no effect once it was opened
    for (const { failed } of this.#waiting.values()) failed(error);
    this.#waiting.clear();
  }
}

const firstLine = (text: string): string => text.split("\n", 1)[0] ?? "";

function sessionOf(
  engine: Engine,
  inputs: readonly Place[],
  outputs: readonly Place[],
  { threads, version }: { readonly threads: number; readonly version: string },
): Session {
  let closing: Promise<void> | undefined;
  const runs = new Set<Promise<unknown>>();
  const run = async (values: ReadonlyMap<string, Value>): Promise<Ran> => {
    const { outputs: given } = await engine.run(bytesOf(inputs, values));
    return { outputs: new Map(outputs.map((place) => [place.name, valueOf(place, given[place.at])])), spans: [] };
  };
  return {
    inputs: inputs.map(bare),
    outputs: outputs.map(bare),
    version,
    placement: {
      device: "cpu",
      says: `LiteRT compiled to WebAssembly has it, which computes on the CPU alone (${threads === 1 ? "1 thread" : `${threads} threads`})`,
    },
    run(values) {
      if (closing !== undefined) return Promise.reject(new CannotError("the session is closed"));
      const running = run(values);
      const settled = running.catch(() => undefined).finally(() => runs.delete(settled));
      runs.add(settled);
      return running;
    },
    async close() {
      if (closing === undefined) closing = Promise.all(runs).then(() => engine.terminate("the session is closed"));
      else if (engine.running > 0) await engine.terminate("the session was closed while it ran");
      await closing;
    },
  };
}

const bare = ({ name, type, shape, quantization }: Place): Port => ({
  name,
  type,
  shape,
  ...(quantization === undefined ? {} : { quantization }),
});

/** In LiteRT's order, each in memory that can be handed over. */
function bytesOf(inputs: readonly Place[], values: ReadonlyMap<string, Value>): Uint8Array<ArrayBuffer>[] {
  for (const name of values.keys()) {
    if (!inputs.some((place) => place.name === name)) throw new CannotError(`the model has no input "${name}"`);
  }
  const list: Uint8Array<ArrayBuffer>[] = [];
  for (const { name, type, shape, bytes, at } of inputs) {
    const value = values.get(name);
    if (value === undefined) throw new CannotError(`input "${name}" is missing`);
    if (value.type !== type) throw new CannotError(`input "${name}" is of ${type}, not ${value.type}`);
    if (value.shape.length !== shape.length || value.shape.some((size, i) => size !== shape[i])) {
      throw new CannotError(
        `input "${name}" has the shape [${shape.join(", ")}] here, not [${value.shape.join(", ")}]: the wasm build resizes nothing`,
      );
    }
    const { data } = value;
    if (!ArrayBuffer.isView(data) || data.byteLength !== bytes) {
      throw new CannotError(`input "${name}": ${type} [${shape.join(", ")}] needs ${bytes} bytes, others are given`);
    }
    list[at] = Uint8Array.from(new Uint8Array(data.buffer, data.byteOffset, bytes));
  }
  return list;
}

function valueOf({ name, type }: Place, given: Outputs["outputs"][number] | undefined): Value {
  const data = given === undefined ? undefined : elementsOver(type, given.bytes.buffer);
  if (given === undefined || data === undefined) throw new CannotError(`LiteRT (wasm): there is no output "${name}"`);
  return { type, shape: given.shape, data };
}
