/** Runs of one interpreter: its tensors filled and taken, and made anew for other shapes. When and where, queue.ts says. */

import { CannotError } from "../../base/errors.ts";
import type { Lending, Port, Ran, Span } from "../delegate.ts";
import { elementsOver, type Elements, type Value } from "../value.ts";
import type { Pointer, Tflite, Words } from "./api.ts";
import { Queue } from "./queue.ts";
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
  readonly #queue: Queue;

  constructor(options: RunnerOptions) {
    this.#it = options;
    const { tflite } = options;
    this.#invoke = tflite.get("TfLiteInterpreterInvoke") as (interpreter: Pointer) => unknown;
    this.#byteSize = tflite.get("TfLiteTensorByteSize") as (tensor: Pointer) => number | bigint;
    this.#data = tflite.get("TfLiteTensorData") as (tensor: Pointer) => Pointer | null;
    const place = (port: Port): Place => ({ port, shape: [], bytes: 0, at: 0n, memory: undefined, dynamic: false });
    this.#inputs = options.inputs.map(place);
    this.#outputs = options.outputs.map(place);
    if (!options.unmade) this.#look();
    const engine = {
      inputs: this.#inputs,
      stays: options.spans !== undefined,
      resize: (values: ReadonlyMap<string, Value>) => this.#resize(values),
      fill: (values: ReadonlyMap<string, Value>) => this.#fill(values),
      here: () => this.#invoke(options.interpreter) as number,
      away: () => tflite.callAsync("TfLiteInterpreterInvoke", options.interpreter) as Promise<number>,
      end: (status: number) => this.#end(status),
    };
    this.#queue = new Queue(engine, options.unmade);
  }

  run(values: ReadonlyMap<string, Value>): Promise<Ran> {
    return this.#queue.run(values);
  }

  /** Resolves when all runs that have begun have ended. */
  idle(): Promise<void> {
    return this.#queue.idle();
  }

  #end(status: number): Ran {
    const spans = this.#it.spans?.() ?? [];
    if (status !== 0) throw new CannotError(this.#it.words.sentence("the run failed"));
    return { outputs: this.#take(), spans };
  }

  async #resize(values: ReadonlyMap<string, Value>): Promise<void> {
    const { tflite, interpreter, words } = this.#it;
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
