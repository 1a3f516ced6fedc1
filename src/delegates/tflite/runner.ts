/**
 * Runs of one interpreter, which does one thing at a time: they queue. Short ones are made on the thread that calls, between turns of
 * the event loop, others on another (onnxruntime/pace.ts).
 */

import { CannotError } from "../../base/errors.ts";
import type { Lending, Port, Ran, Span } from "../delegate.ts";
import { holdLoop, isLoopHeld, loopTurn, Pace } from "../onnxruntime/pace.ts";
import { elementsOver, type Elements, type Value } from "../value.ts";
import type { Pointer, Tflite, Words } from "./api.ts";
import { bytesOf, shapeOf, tensorOf } from "./tensor.ts";

export interface RunnerOptions {
  readonly tflite: Tflite;
  readonly interpreter: Pointer;
  readonly words: Words;
  readonly inputs: readonly Port[];
  readonly outputs: readonly Port[];
  readonly lending?: Lending | undefined;
  /** Memory could not be made for the shapes as the file has them; it is when a run says what they are. */
  readonly unmade: boolean;
  /** Takes the spans of the run that ended; runs stay on this thread then. */
  readonly spans?: (() => readonly Span[]) | undefined;
}

/** A tensor and what is known of it. */
interface Place {
  readonly port: Port;
  shape: readonly number[];
  bytes: number;
  /** The library's memory and where it is; undefined before it has any. */
  at: Pointer;
  memory: Uint8Array | undefined;
  /** The library makes memory for it during a run, as large as values ask for. */
  dynamic: boolean;
  /** Lent by the caller for what comes out, of `bytes`. */
  lent?: ArrayBuffer | undefined;
}

export class Runner {
  readonly #it: RunnerOptions;
  readonly #inputs: readonly Place[];
  readonly #outputs: readonly Place[];
  readonly #invoke: (interpreter: Pointer) => unknown;
  readonly #byteSize: (tensor: Pointer) => number | bigint;
  readonly #data: (tensor: Pointer) => Pointer | null;
  #last: Promise<unknown> = Promise.resolve();
  #waiting = 0;
  #pace = new Pace();
  /** Shapes were changed, and memory was not made for all of them. */
  #stale: boolean;

  constructor(options: RunnerOptions) {
    this.#it = options;
    const { tflite } = options;
    this.#invoke = tflite.get("TfLiteInterpreterInvoke") as (interpreter: Pointer) => unknown;
    this.#byteSize = tflite.get("TfLiteTensorByteSize") as (tensor: Pointer) => number | bigint;
    this.#data = tflite.get("TfLiteTensorData") as (tensor: Pointer) => Pointer | null;
    const place = (port: Port): Place => ({ port, shape: [], bytes: 0, at: 0n, memory: undefined, dynamic: false });
    this.#inputs = options.inputs.map(place);
    this.#outputs = options.outputs.map(place);
    this.#stale = options.unmade;
    if (!this.#stale) this.#look();
  }

  run(values: ReadonlyMap<string, Value>): Promise<Ran> {
    const here = this.#waiting === 0 && this.#isShort && !isLoopHeld(performance.now());
    if (here && !this.#stale && this.#fits(values)) {
      try {
        return Promise.resolve(this.#runHere(values));
      } catch (error) {
        return Promise.reject(error instanceof Error ? error : new Error(String(error)));
      }
    }
    this.#waiting++;
    const running = this.#last.then(() => this.#runNext(values)).finally(() => this.#waiting--);
    this.#last = running.catch(() => undefined);
    return running;
  }

  /** Resolves when all runs that have begun have ended. */
  async idle(): Promise<void> {
    await this.#last;
  }

  get #isShort(): boolean {
    return this.#it.spans !== undefined || this.#pace.short;
  }

  async #runNext(values: ReadonlyMap<string, Value>): Promise<Ran> {
    this.#check(values);
    if (this.#stale || !this.#fits(values)) await this.#resize(values);
    if (this.#isShort) {
      if (isLoopHeld(performance.now())) await loopTurn();
      return this.#runHere(values);
    }
    this.#fill(values);
    const start = performance.now();
    const status = await this.#it.tflite.callAsync("TfLiteInterpreterInvoke", this.#it.interpreter);
    // The way to the other thread and back is in it, so a run is called short too late rather than too early.
    this.#pace.ended(performance.now() - start, false);
    return this.#end(status);
  }

  #runHere(values: ReadonlyMap<string, Value>): Ran {
    const start = performance.now();
    holdLoop(start);
    this.#fill(values);
    const status = this.#invoke(this.#it.interpreter);
    this.#pace.ended(performance.now() - start, true);
    return this.#end(status);
  }

  #end(status: unknown): Ran {
    const spans = this.#it.spans?.() ?? [];
    if (status !== 0) throw new CannotError(this.#it.words.sentence("the run failed"));
    return { outputs: this.#take(), spans };
  }

  /** Throws CannotError for what is missing, unknown, of another type or of a shape that the port does not allow. */
  #check(values: ReadonlyMap<string, Value>): void {
    for (const { port } of this.#inputs) {
      const value = values.get(port.name);
      if (value === undefined) throw new CannotError(`input "${port.name}" is missing`);
      checkValue(port, value);
    }
    if (values.size > this.#inputs.length) {
      const known = new Set(this.#inputs.map(({ port }) => port.name));
      const other = [...values.keys()].find((name) => !known.has(name));
      throw new CannotError(`the model has no input "${other ?? ""}"`);
    }
  }

  /** Do the values lie in memory of the library as it is? */
  #fits(values: ReadonlyMap<string, Value>): boolean {
    if (values.size !== this.#inputs.length) return false;
    return this.#inputs.every(({ port, shape, bytes }) => {
      const value = values.get(port.name);
      return (
        value?.type === port.type &&
        ArrayBuffer.isView(value.data) &&
        value.data.byteLength === bytes &&
        value.shape.length === shape.length &&
        value.shape.every((size, axis) => size === shape[axis])
      );
    });
  }

  async #resize(values: ReadonlyMap<string, Value>): Promise<void> {
    const { tflite, interpreter, words } = this.#it;
    this.#stale = true;
    words.take();
    for (const [index, { port }] of this.#inputs.entries()) {
      const shape = values.get(port.name)?.shape ?? [];
      const dims = Int32Array.from(shape);
      if (tflite.get("TfLiteInterpreterResizeInputTensor")(interpreter, index, dims, dims.length) !== 0) {
        throw new CannotError(words.sentence(`input "${port.name}" cannot have the shape [${shape.join(", ")}]`));
      }
    }
    if ((await tflite.callAsync("TfLiteInterpreterAllocateTensors", interpreter)) !== 0) {
      const shapes = this.#inputs.map(({ port }) => `[${values.get(port.name)?.shape.join(", ") ?? ""}]`).join(", ");
      throw new CannotError(words.sentence(`the model does not take inputs of ${shapes}`));
    }
    this.#look();
    this.#stale = false;
    this.#pace = new Pace();
  }

  /** Reads shapes, sizes and places, after the library made its memory. */
  #look(): void {
    const { tflite, interpreter } = this.#it;
    for (const which of ["Input", "Output"] as const) {
      for (const [index, place] of (which === "Input" ? this.#inputs : this.#outputs).entries()) {
        const tensor = tensorOf(tflite, interpreter, which, index);
        place.shape = shapeOf(tflite, tensor);
        place.bytes = Number(this.#byteSize(tensor));
        this.#find(place, tensor);
        place.dynamic = which === "Output" && place.at === 0n;
      }
    }
  }

  /** The library moves its memory when shapes change during a run, so it is asked each time; a view is made only when it moved. */
  #find(place: Place, tensor: Pointer): void {
    const at = this.#data(tensor) ?? 0n;
    if (at === place.at && place.memory?.length === place.bytes) return;
    place.at = at;
    const { koffi } = this.#it.tflite;
    // koffi ends the process when it is asked for a view of nothing.
    place.memory = at === 0n || place.bytes === 0 ? undefined : new Uint8Array(koffi.view(at, place.bytes));
  }

  #fill(values: ReadonlyMap<string, Value>): void {
    const { tflite, interpreter } = this.#it;
    this.#inputs.forEach((place, index) => {
      this.#find(place, tensorOf(tflite, interpreter, "Input", index));
      const data = values.get(place.port.name)?.data as Elements; // #fits() has looked
      if (place.memory === undefined && place.bytes > 0) {
        throw new CannotError(`TFLite: input "${place.port.name}" has no memory`);
      }
      place.memory?.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    });
  }

  #take(): Map<string, Value> {
    const { tflite, interpreter, lending } = this.#it;
    const outputs = new Map<string, Value>();
    this.#outputs.forEach((place, index) => {
      const { port } = place;
      const tensor = tensorOf(tflite, interpreter, "Output", index);
      const bytes = Number(this.#byteSize(tensor));
      if (place.dynamic) {
        place.shape = shapeOf(tflite, tensor);
        place.bytes = bytes;
      }
      if (bytes !== place.bytes || bytes !== bytesOf(port.type, place.shape)) {
        const needed = bytesOf(port.type, place.shape);
        throw new CannotError(
          `TFLite: output "${port.name}" came with ${bytes} bytes; ${port.type} [${place.shape.join(", ")}] has ${needed}`,
        );
      }
      this.#find(place, tensor);
      let buffer = lending === undefined ? new ArrayBuffer(bytes) : place.lent;
      if (buffer === undefined || buffer.byteLength < bytes) buffer = place.lent = lending?.allocate(bytes);
      if (buffer === undefined) throw new CannotError(`output "${port.name}": no memory was lent`);
      if (place.memory !== undefined) new Uint8Array(buffer).set(place.memory);
      const data = elementsOver(port.type, buffer);
      if (data === undefined) throw new CannotError(`output "${port.name}" is of ${port.type}, which is not held here`);
      outputs.set(port.name, { type: port.type, shape: place.shape, data: fitted(data, bytes) });
    });
    return outputs;
  }
}

/** A lent buffer may be longer than a dynamic output of this run. */
function fitted(data: Elements, bytes: number): Elements {
  return data.byteLength === bytes ? data : data.subarray(0, bytes / data.BYTES_PER_ELEMENT);
}

export function checkValue(port: Port, { type, shape, data }: Value): void {
  const wanted = port.shape.map((size) => String(size ?? "?")).join(", ");
  const given = shape.join(", ");
  if (type !== port.type) throw new CannotError(`input "${port.name}" is of ${port.type}, and ${type} is given`);
  const fits =
    shape.length === port.shape.length && port.shape.every((size, axis) => size === null || size === shape[axis]);
  if (!fits) throw new CannotError(`input "${port.name}" has the shape [${wanted}], and [${given}] is given`);
  const held = ArrayBuffer.isView(data) ? data.byteLength : -1;
  const needed = bytesOf(type, shape);
  if (held !== needed) {
    throw new CannotError(
      `input "${port.name}": ${type} [${given}] needs ${needed} bytes, ${Math.max(0, held)} are given`,
    );
  }
}
