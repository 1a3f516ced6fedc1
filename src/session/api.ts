/**
 * The library's face of a session: open a model, run it, dispose of it.
 *
 *     await using session = await open("model.onnx", { device: "auto" });
 *     const { outputs } = await session.run({ x: new Float32Array(3) });
 *
 * docs/library.md has examples of everything here; tests run them.
 */

import { CannotError, UsageError } from "../base/errors.ts";
import type { Placement, Port, Ran, Span } from "../delegates/delegate.ts";
import { elementsOver, lengthOf, type Elements, type Value } from "../delegates/value.ts";
import type { Inspection } from "../inspect/inspection.ts";
import type { Model } from "../model/graph.ts";
import type { Proof } from "../proof/verdict.ts";
import type { PassedOver } from "./choose.ts";
import { makeInputs } from "./inputs.ts";
import { readLabels, type Labels } from "./labels.ts";
import { openSession, type SessionOptions } from "./open.ts";
import type { GivenPicture, PreprocessOptions } from "./preprocess.ts";
import { readAll, type OutputsRead } from "./read-outputs.ts";
import { BOXES } from "./result.ts";

/**
 * What a model is given: a value; elements in row-major order, in the input's own type and of its shape, where only one size may be
 * open; numbers, which are brought to its type; or texts.
 */
export type Feed = Value | Elements | readonly number[] | readonly string[] | string;

/** A model that is open on one device. It stays usable after a run that failed, and holds memory until it is closed. */
export interface ModelSession extends AsyncDisposable {
  /** The path that was opened. */
  readonly file: string;
  /** What the file holds, as readModel() gives it: operators, tensors, metadata. */
  readonly model: Model;
  /** What follows from that, as inspect() gives it: cost, quantisation, integrity. */
  readonly inspection: Inspection;
  /** What run() takes and gives: names, element types, shapes, scales. */
  readonly inputs: readonly Port[];
  readonly outputs: readonly Port[];
  /** By which runtime it runs; `version` is the library's own word. */
  readonly delegate: { readonly id: string; readonly name: string; readonly version: string };
  /** cpu, or a family of the catalogue. */
  readonly device: string;
  /** The route of the catalogue by which an accelerator is reached. */
  readonly route?: string;
  /** Where the runtime says that it put the model. Whether the device worked is a run's `proof`. */
  readonly placement: Placement;
  /** What could have run it and did not, best first, each with its reason. */
  readonly passedOver: readonly PassedOver[];
  /** Why not the device that was asked for; only with `fallback`. */
  readonly instead?: string;
  /**
   * Runs the model once, inputs by their names. The event loop stays free; runs that are begun together come one after the other
   * where the library can do one only. Rejects with UsageError (an input that does not fit), CannotError (the library's words, or
   * `timeout_ms` is over), MishapError (the library took its process down), or the signal's reason; the session stays usable.
   */
  run(inputs: Readonly<Record<string, Feed>>, options?: RunSettings): Promise<RunAnswer>;
  /**
   * The same where the model writes a text, piece by piece as it comes; absent of other models. It returns what run() would, without
   * a proof. `options` are the delegate's, for this run. Ending the iteration ends the run. Rejects as run() does.
   */
  stream?(
    inputs: Readonly<Record<string, Feed>>,
    options?: Readonly<Record<string, string>>,
  ): AsyncGenerator<string, RunAnswer, undefined>;
  /** Frees what the library holds, and ends its process. Twice is once. Runs that have begun end first. */
  close(): Promise<void>;
}

export interface RunSettings {
  /**
   * Gives up the run. A library cannot be interrupted: its process is ended, and the next run starts another; the embedded default,
   * which works in this process, computes on and its outputs are lost.
   */
  readonly signal?: AbortSignal;
  /** Milliseconds after which the run is given up likewise. Without it: `limits.run_ms` of the session, of a process of its own. */
  readonly timeout_ms?: number;
  /** false: do not read the kernel's counters of an accelerator, which takes up to some milliseconds. */
  readonly prove?: boolean;
}

export interface RunAnswer {
  /** By output's name. They belong to the caller. */
  readonly outputs: Readonly<Record<string, Value>>;
  /** Parts of the run in order, milliseconds, when the session was opened with `profile` and the runtime tells them. */
  readonly spans: readonly Span[];
  /** What else the runtime measured, unit in the name: tokens_per_second. */
  readonly figures: Readonly<Record<string, number>>;
  /** Which device worked, by the kernel's counters; absent with `prove: false`. */
  readonly proof?: Proof;
  /** Milliseconds, without the proof. */
  readonly ms: number;
}

/**
 * Opens a model file on the best route that works here and takes it, else on the CPU; or where `options` say. A device that is asked
 * for and cannot be used is an error, never a silent run on the CPU. Throws FileError (the model is broken, or none), CannotError
 * (nothing runs it there, with every reason), MishapError (the library went down), UsageError (names that do not exist).
 */
export async function open(model: string, options: SessionOptions = {}): Promise<ModelSession> {
  const { session, delegate, described, passed, instead, prove, candidate } = await openSession(model, options);
  const valuesOf = (inputs: Readonly<Record<string, Feed>>): ReadonlyMap<string, Value> =>
    new Map(Object.entries(inputs).map(([name, feed]) => [name, valueOf(name, feed, session.inputs)]));
  async function* stream(
    inputs: Readonly<Record<string, Feed>>,
    options?: Readonly<Record<string, string>>,
  ): AsyncGenerator<string, RunAnswer, undefined> {
    const start = performance.now();
    const pieces = session.stream?.(valuesOf(inputs), options);
    if (pieces === undefined) throw new CannotError("this model writes no text piece by piece");
    return answerOf(yield* pieces, start);
  }
  return {
    file: model,
    model: described.model,
    inspection: described.inspection,
    get inputs() {
      return session.inputs;
    },
    get outputs() {
      return session.outputs;
    },
    delegate: { id: delegate.id, name: delegate.name, version: session.version },
    get device() {
      return session.placement.device;
    },
    get placement() {
      return session.placement;
    },
    passedOver: passed,
    ...(candidate.route === undefined ? {} : { route: candidate.route }),
    ...(instead === undefined ? {} : { instead }),
    ...(session.stream === undefined ? {} : { stream }),
    async run(inputs, settings = {}) {
      const values = valuesOf(inputs);
      const proof = settings.prove === false ? undefined : prove();
      const start = performance.now();
      const answer = answerOf(await session.run(values, settings), start);
      return proof === undefined ? answer : { ...answer, proof: await proof.finish() };
    },
    close: () => session.close(),
    [Symbol.asyncDispose]: () => session.close(),
  };
}

const answerOf = ({ outputs, spans, figures = {} }: Ran, start: number): RunAnswer => ({
  outputs: Object.fromEntries(outputs),
  spans,
  figures,
  ms: performance.now() - start,
});

function valueOf(name: string, feed: Feed, ports: readonly Port[]): Value {
  const port = ports.find((one) => one.name === name);
  if (port === undefined) {
    throw new UsageError(`the model has no input "${name}"; it has ${ports.map((one) => one.name).join(", ")}`);
  }
  if (typeof feed === "string") return { type: "string", shape: shapeFor(port, 1), data: [feed] };
  if (isValue(feed)) return feed;
  if (!ArrayBuffer.isView(feed)) {
    const texts = feed.filter((one) => typeof one === "string");
    if (port.type === "string" && texts.length === feed.length) {
      return { type: "string", shape: shapeFor(port, feed.length), data: texts };
    }
    return fromNumbers(port, feed.map(Number));
  }
  const elements = feed;
  const own = elementsOver(port.type, new ArrayBuffer(0));
  if (own?.constructor !== elements.constructor) {
    throw new UsageError(`input "${name}" is of ${port.type}, and a ${elements.constructor.name} was given`);
  }
  const halves = lengthOf(port.type, 2) === 1;
  return { type: port.type, shape: shapeFor(port, halves ? elements.length * 2 : elements.length), data: elements };
}

const isValue = (feed: Feed): feed is Value => typeof feed === "object" && "type" in feed && "shape" in feed;

function fromNumbers(port: Port, numbers: readonly number[]): Value {
  const own = elementsOver(port.type, new ArrayBuffer(0));
  if (own === undefined || lengthOf(port.type, 2) !== 2 || /^(?:b?float16|float8)/.test(port.type)) {
    throw new UsageError(`input "${port.name}" is of ${port.type}; give it as a typed array`);
  }
  const filled = elementsOver(port.type, new ArrayBuffer(numbers.length * own.BYTES_PER_ELEMENT)) ?? own;
  numbers.forEach((one, at) => {
    if (filled instanceof BigInt64Array || filled instanceof BigUint64Array) {
      if (!Number.isSafeInteger(one)) throw new UsageError(`input "${port.name}": ${one} is no ${port.type}`);
      filled[at] = BigInt(one);
    } else filled[at] = one;
    if (!port.type.startsWith("float") && Number(filled[at]) !== one) {
      throw new UsageError(`input "${port.name}": ${one} is no ${port.type}`);
    }
  });
  return { type: port.type, shape: shapeFor(port, numbers.length), data: filled };
}

/** The port's own shape; one open size is what the number of elements makes it. */
function shapeFor({ name, shape }: Port, elements: number): number[] {
  const open = shape.filter((size) => typeof size !== "number").length;
  const fixed = shape.reduce<number>((all, size) => (typeof size === "number" ? all * size : all), 1);
  const rest = fixed === 0 ? 0 : elements / fixed;
  if (open > 1 && rest !== 1) {
    throw new CannotError(`input "${name}" leaves ${open} sizes open: give a value with its shape`);
  }
  if (!Number.isInteger(rest) || (open === 0 && elements !== fixed)) {
    const words = shape.map((size) => String(size ?? "?")).join(", ");
    throw new UsageError(`input "${name}" has the shape [${words}], which ${elements} elements do not fill`);
  }
  return shape.map((size) => (typeof size === "number" ? size : rest));
}

/** How pictures and sound become numbers; what is not said follows from the model's metadata, quantisation and shape. */
export interface PrepareOptions extends PreprocessOptions {
  /** Shapes by input's name, where the model leaves sizes open: { x: [1, 3, 224, 224] }. */
  readonly shapes?: Readonly<Record<string, readonly number[]>>;
  /** Inputs that are given nothing are made from it; 0. */
  readonly seed?: number;
}

export interface PreparedInputs {
  /** For run(). */
  readonly inputs: Readonly<Record<string, Value>>;
  /** A sentence for each thing that neither the model nor the caller said. */
  readonly assumed: readonly string[];
  /** Pictures by input's name, decoded and upright, and where they lie in the input. */
  readonly pictures: ReadonlyMap<string, GivenPicture>;
}

/**
 * Files to inputs, as `accelctl run` does it. `files`: a path for the input that it suits, or paths by input's name: pictures (JPEG,
 * PNG, BMP; WebP and others where sharp is installed), .wav, .npy, .npz, .pb, .json, .txt, raw bytes. Throws UsageError (no such
 * input, options that do not fit), FileError (a file is not what it should be), CannotError (it is not there).
 */
export async function prepareInputs(
  session: Pick<ModelSession, "inputs" | "model">,
  files: string | Readonly<Record<string, string>>,
  { shapes = {}, seed = 0, ...preprocess }: PrepareOptions = {},
): Promise<PreparedInputs> {
  const { values, assumed, pictures } = await makeInputs(session.inputs, {
    files: new Map(typeof files === "string" ? [] : Object.entries(files)),
    unnamed: typeof files === "string" ? [files] : [],
    shapes: new Map(Object.entries(shapes)),
    seed,
    preprocess,
    model: session.model,
  });
  return { inputs: Object.fromEntries(values), assumed, pictures };
}

export interface ReadOptions {
  /** What went in, as prepareInputs() gave it: places are then told in pixels of the picture, else in pixels of the input. */
  readonly prepared?: PreparedInputs;
  /** Names of classes, or a file of them (a line each, JSON, .pbtxt); the model's own when not given. */
  readonly labels?: Labels | string;
  /** Highest scores of a classifier that are told; 5. */
  readonly top?: number;
  /** How boxes, points and classes of pixels are read: "auto" (by evidence; the default), "none", or a head by its id. */
  readonly head?: string;
  /** Lowest score of boxes, 0 to 1; the head's own. */
  readonly score?: number;
  /** Boxes, or classes of pixels, at most; 100. */
  readonly most?: number;
}

/**
 * Outputs as people read them: ranges, a classifier's highest scores with labels and quantisation undone, a detector's boxes. Throws
 * UsageError for a head that the outputs are not laid out for, FileError or CannotError for a file of labels.
 */
export function readOutputs(
  session: Pick<ModelSession, "outputs" | "model" | "file">,
  outputs: Readonly<Record<string, Value>>,
  options: ReadOptions = {},
): OutputsRead {
  const { prepared, top, head = "auto", score, most = BOXES } = options;
  const labels =
    typeof options.labels === "string" ? readLabels(options.labels) : (options.labels ?? session.model.labels);
  const [picture] = prepared?.pictures.values() ?? [];
  const read = readAll(
    new Map(Object.entries(outputs)),
    {
      model: session.model,
      file: session.file.slice(session.file.lastIndexOf("/") + 1),
      ports: session.outputs,
      inputs: new Map(Object.entries(prepared?.inputs ?? {})),
      head,
      most,
      ...(labels === undefined ? {} : { labels }),
      ...(score === undefined ? {} : { score }),
      ...(picture === undefined ? {} : { placed: picture.placed }),
    },
    top,
  );
  return {
    outputs: read.outputs,
    ...(read.read === undefined ? {} : { read: read.read }),
    ...(read.maybe === undefined ? {} : { maybe: read.maybe }),
  };
}
