/** Runs of one compiled model, its buffers filled, taken, and made anew for other shapes. When and where, ../queue.ts says. */

import { CannotError } from "../../../base/errors.ts";
import type { Lending, Ran, Span } from "../../delegate.ts";
import { elementsOver, type Elements, type Value } from "../../value.ts";
import type { Pointer } from "../api.ts";
import { Queue } from "../queue.ts";
import { statusName, takeWords, type Litert } from "./api.ts";
import { LAYOUT, shapeFrom, words, type Place } from "./memory.ts";

export interface LitertRunnerOptions {
  readonly litert: Litert;
  readonly compiled: Pointer;
  /** Which of the model's signatures is run. */
  readonly signature: number;
  /** In the model's order. */
  readonly inputs: readonly Place[];
  readonly outputs: readonly Place[];
  readonly lending?: Lending | undefined;
  /** Called before and after a run that is measured; the spans of it. */
  readonly profile?: { readonly start: () => void; readonly stop: () => readonly Span[] } | undefined;
}

/** Of the sentence of TFLite's when a buffer is given for a tensor that the run itself makes as large as it needs. */
const DYNAMIC = "allocation_type";

export class LitertRunner {
  readonly #it: LitertRunnerOptions;
  readonly #ins: BigUint64Array;
  readonly #outs: BigUint64Array;
  readonly #queue: Queue;

  /** Throws CannotError when there is no memory for the shapes as they are; `unmade`: a run says what they are. */
  constructor(options: LitertRunnerOptions, unmade: boolean) {
    this.#it = options;
    const { inputs, outputs } = options;
    this.#ins = new BigUint64Array(new ArrayBuffer(8 * inputs.length));
    this.#outs = new BigUint64Array(new ArrayBuffer(8 * outputs.length));
    if (!unmade) this.#make();
    const { litert, profile } = options;
    const engine = {
      inputs,
      stays: false,
      resize: (values: ReadonlyMap<string, Value>) => this.#resize(values),
      fill: (values: ReadonlyMap<string, Value>) => this.#fill(values),
      here: () => {
        profile?.start();
        return litert.get("LiteRtRunCompiledModel")(...this.#parameters) as number;
      },
      away: () => {
        profile?.start();
        return litert.callAsync("LiteRtRunCompiledModel", ...this.#parameters);
      },
      end: (status: number) => this.#end(status),
    };
    this.#queue = new Queue(engine, unmade);
  }

  run(values: ReadonlyMap<string, Value>): Promise<Ran> {
    return this.#queue.run(values);
  }

  /** Resolves when all runs that have begun have ended. */
  idle(): Promise<void> {
    return this.#queue.idle();
  }

  release(): void {
    for (const place of [...this.#it.inputs, ...this.#it.outputs]) place.release();
  }

  get #parameters(): unknown[] {
    const { compiled, signature } = this.#it;
    return [compiled, signature, this.#ins.length, this.#ins, this.#outs.length, this.#outs];
  }

  #end(status: number): Ran {
    const spans = this.#it.profile?.stop() ?? [];
    if (status !== 0) throw this.#failed("the run failed", status);
    return { outputs: this.#take(), spans };
  }

  #failed(what: string, status: number): CannotError {
    const said = takeWords(this.#it.litert, this.#it.compiled);
    if (said.includes(DYNAMIC)) {
      const says = "an output's size follows from the values that go in, and LiteRT's C API hands out none such";
      return new CannotError(`LiteRT: ${what}: ${says}`);
    }
    return new CannotError(`LiteRT: ${what}: ${said === "" ? statusName(status) : said}`);
  }

  async #resize(values: ReadonlyMap<string, Value>): Promise<void> {
    const { litert, compiled, signature, inputs } = this.#it;
    takeWords(litert, compiled);
    for (const { port, index } of inputs) {
      const shape = values.get(port.name)?.shape ?? [];
      if (!port.shape.includes(null)) continue;
      const dims = words(shape.length);
      dims.set(shape);
      const resize = litert.get("LiteRtCompiledModelResizeInputTensor");
      const status = resize(compiled, signature, index, dims, shape.length) as number;
      if (status !== 0) {
        throw this.#failed(`input "${port.name}" cannot have the shape [${shape.join(", ")}]`, status);
      }
    }
    const { status } = await allocate(this.#it);
    if (status !== 0) {
      const shapes = inputs.map(({ port }) => `[${values.get(port.name)?.shape.join(", ") ?? ""}]`).join(", ");
      throw this.#failed(`the model does not take inputs of ${shapes}`, status);
    }
    this.#make();
  }

  /** Buffers for the shapes as they are. */
  #make(): void {
    const { litert, compiled, signature, inputs, outputs, lending } = this.#it;
    const needs = (which: "Input" | "Output", { index, port }: Place): Pointer => {
      const what = `what "${port.name}" needs is not told`;
      return litert.made(what, `LiteRtGetCompiledModel${which}BufferRequirements`, compiled, signature, index);
    };
    for (const place of inputs) place.make(inputShape(this.#it, place), needs("Input", place), undefined);
    const layouts = outputLayouts(this.#it);
    for (const place of outputs) {
      const lend = lending === undefined ? undefined : (bytes: number): ArrayBuffer => lending.allocate(bytes);
      place.make(shapeFrom(layouts, place.index * LAYOUT.words), needs("Output", place), lend);
      this.#outs[place.index] = place.buffer;
    }
  }

  #fill(values: ReadonlyMap<string, Value>): void {
    for (const place of this.#it.inputs) {
      const { buffer, byteOffset, byteLength } = values.get(place.port.name)?.data as Elements; // #fits() has looked
      const bytes = new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength);
      const direct = this.#it.lending === undefined ? undefined : place.over(bytes);
      if (direct === undefined) place.write(bytes);
      this.#ins[place.index] = direct ?? place.buffer;
    }
  }

  #take(): Map<string, Value> {
    const outputs = new Map<string, Value>();
    for (const place of this.#it.outputs) {
      const { port, bytes, memory, shape } = place;
      const direct = this.#it.lending !== undefined && memory?.byteOffset === 0;
      const buffer = direct ? memory.buffer : new ArrayBuffer(bytes);
      if (!direct) place.read(new Uint8Array(buffer));
      const all = elementsOver(port.type, buffer);
      if (all === undefined) throw new CannotError(`output "${port.name}" is of ${port.type}, which is not held here`);
      const data = all.byteLength === bytes ? all : all.subarray(0, bytes / all.BYTES_PER_ELEMENT);
      outputs.set(port.name, { type: port.type, shape, data });
    }
    return outputs;
  }
}

export type Ready = Pick<LitertRunnerOptions, "litert" | "compiled" | "signature" | "inputs" | "outputs">;

/** Makes LiteRT's own memory for the shapes as they are: what is wrong with the graph comes to light here. */
export async function allocate({ litert, compiled, signature, outputs }: Ready): Promise<{ readonly status: number }> {
  const layouts = words(LAYOUT.words * outputs.length);
  const name = "LiteRtGetCompiledModelOutputTensorLayouts";
  return { status: await litert.callAsync(name, compiled, signature, outputs.length, layouts, true) };
}

export function outputLayouts({ litert, compiled, signature, outputs }: Ready): Int32Array {
  const layouts = words(LAYOUT.words * outputs.length);
  const name = "LiteRtGetCompiledModelOutputTensorLayouts";
  litert.must("the outputs' shapes are not told", name, compiled, signature, outputs.length, layouts, false);
  return layouts;
}

export function inputShape({ litert, compiled, signature }: Ready, { port, index }: Place): number[] {
  const layout = words(LAYOUT.words);
  const what = `the shape of "${port.name}" is not told`;
  litert.must(what, "LiteRtGetCompiledModelInputTensorLayout", compiled, signature, index, layout);
  return shapeFrom(layout);
}
