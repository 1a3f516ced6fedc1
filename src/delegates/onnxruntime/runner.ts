/**
 * Runs of one session: short ones here, others on threads of koffi's (base/pace.ts), with what they need kept for each set of input shapes
 * (frame.ts). Where outputs do not always have the same shape, the library allocates them.
 */

import { CannotError } from "../../base/errors.ts";
import type { Lending, Port, Ran, Span } from "../delegate.ts";
import type { Value } from "../value.ts";
import type { Pointer } from "./api.ts";
import { copyOf, Frame, Names, outlineOf, Pointers, type Outline } from "./frame.ts";
import { holdLoop, isLoopHeld, loopTurn, Pace } from "../../base/pace.ts";
import { profiled } from "./profile.ts";
import { makeTensor, takeTensor, type Context } from "./tensor.ts";

/** Sets of input shapes kept; sequences of any length are made anew. */
const SHAPES_KEPT = 8;
/** Runs at once that keep their memory. */
const IDLE_KEPT = 4;
/** Runs that are sent to threads after two were under way at once: they will be again. */
const TOGETHER = 8;

/** What is known of runs with one set of input shapes. */
interface Known {
  readonly inputs: readonly Outline[];
  /** Of what came out the first time. */
  readonly outputs: readonly Outline[];
  /** Frames nobody uses. */
  readonly idle: Frame[];
  readonly pace: Pace;
  /** Outputs vary in shape: no frames. */
  varies: boolean;
}

const NO_SPANS: readonly Span[] = [];

export interface RunnerOptions {
  readonly lending?: Lending;
  /** Measure what each run is made of. */
  readonly profile: boolean;
}

export class Runner {
  readonly #context: Context;
  readonly #inputs: readonly Port[];
  readonly #outputs: readonly Port[];
  readonly #inputNames: Names;
  readonly #outputNames: Names;
  readonly #lending: Lending | undefined;
  readonly #profile: boolean;
  /** The set of shapes that was used last is first. */
  readonly #known: Known[] = [];
  /** What threads read. */
  readonly #held = new Set<unknown>();
  /** Runs under way on threads, and how many further ones are sent there. */
  #under = 0;
  #together = 0;
  /** A run was made here, and its caller does not know yet. */
  #fresh = false;
  #drained: (() => void) | undefined;

  constructor(
    context: Context,
    inputs: readonly Port[],
    outputs: readonly Port[],
    { lending, profile }: RunnerOptions,
  ) {
    this.#context = context;
    this.#inputs = inputs;
    this.#outputs = outputs;
    this.#inputNames = new Names(context.ort.koffi, inputs);
    this.#outputNames = new Names(context.ort.koffi, outputs);
    this.#lending = lending;
    this.#profile = profile;
  }

  async run(values: ReadonlyMap<string, Value>): Promise<Ran> {
    if (this.#profile) return this.#onThread(() => this.#runProfiled(values));
    const known = this.#find(values);
    if (known === undefined || known.varies) return this.#onThread(() => this.#runAnew(values));
    const start = performance.now();
    const frame = this.#frame(known);
    if (this.#mayRunHere(known.pace, start)) {
      let outputs: ReadonlyMap<string, Value> | undefined;
      try {
        outputs = this.#runHere(known, frame, values, start);
      } catch (error) {
        this.#failed(known, frame, error);
      }
      this.#fresh = true;
      await Promise.resolve();
      this.#fresh = false;
      if (isLoopHeld(performance.now())) await loopTurn();
      return outputs === undefined ? this.#onThread(() => this.#runAnew(values)) : { outputs, spans: NO_SPANS };
    }
    return this.#onThread(async () => {
      try {
        frame.fill(values, this.#lending !== undefined);
        await this.#call(this.#inputNames, frame.inputs, frame.outputs, frame);
      } catch (error) {
        this.#failed(known, frame, error);
        return this.#runAnew(values);
      }
      known.pace.ended(performance.now() - start, false);
      const outputs = frame.take();
      this.#put(known, frame);
      return { outputs, spans: NO_SPANS };
    });
  }

  /** Resolves when no run is under way. */
  async drained(): Promise<void> {
    while (this.#under > 0) await new Promise<void>((done) => (this.#drained = done));
  }

  /** Frees what is kept. No run may be under way. */
  release(): void {
    for (const { idle } of this.#known.splice(0)) for (const frame of idle) frame.release();
  }

  /** The set of shapes these values have; undefined where it is new, or not every input is given as numbers of its own type. */
  #find(values: ReadonlyMap<string, Value>): Known | undefined {
    const at = this.#known.findIndex(({ inputs }) => this.#sameShapes(inputs, values));
    const known = this.#known[at];
    if (at > 0 && known !== undefined) {
      this.#known.splice(at, 1);
      this.#known.unshift(known);
    }
    return known;
  }

  #sameShapes(inputs: readonly Outline[], values: ReadonlyMap<string, Value>): boolean {
    if (values.size !== inputs.length) return false;
    for (let at = 0; at < inputs.length; at++) {
      const [port, like] = [this.#inputs[at], inputs[at]];
      const value = port === undefined ? undefined : values.get(port.name);
      if (value === undefined || like === undefined || value.type !== like.type) return false;
      const { shape, data } = value;
      if (shape.length !== like.shape.length || !ArrayBuffer.isView(data)) return false;
      for (let i = 0; i < shape.length; i++) if (shape[i] !== like.shape[i]) return false;
    }
    return true;
  }

  #frame(known: Known): Frame {
    const ports = [this.#inputs, this.#outputs] as const;
    return known.idle.pop() ?? new Frame(this.#context, ports, [known.inputs, known.outputs], this.#lending);
  }

  #put(known: Known, frame: Frame): void {
    // Another run may have found meanwhile that outputs vary, or the set may have been forgotten.
    if (!known.varies && known.idle.length < IDLE_KEPT) known.idle.push(frame);
    else frame.release();
  }

  /** Alone, short, and others in this process have had their turn. */
  #mayRunHere(pace: Pace, now: number): boolean {
    const alone = this.#under === 0 && !this.#fresh;
    if (!alone) this.#together = TOGETHER;
    else if (this.#together > 0) this.#together--;
    if (!pace.short || isLoopHeld(now)) return false;
    return pace.tiny || (alone && this.#together === 0);
  }

  #runHere(known: Known, frame: Frame, values: ReadonlyMap<string, Value>, start: number): ReadonlyMap<string, Value> {
    const { ort, session } = this.#context;
    holdLoop(start);
    frame.fill(values, true);
    const [names, wanted] = [this.#inputNames, this.#outputNames];
    ort.run(
      session,
      0n,
      names.address,
      frame.inputs.address,
      names.count,
      wanted.address,
      wanted.count,
      frame.outputs.address,
    );
    known.pace.ended(performance.now() - start, true);
    const outputs = frame.take();
    this.#put(known, frame);
    return outputs;
  }

  /** Most likely outputs of another shape than the first time: from now on the library allocates. Anything else is thrown. */
  #failed(known: Known, frame: Frame, error: unknown): void {
    frame.release();
    if (!(error instanceof CannotError) || !/shape/i.test(error.message)) throw error;
    known.varies = true;
    for (const idle of known.idle.splice(0)) idle.release();
  }

  async #onThread<T>(run: () => Promise<T>): Promise<T> {
    this.#under++;
    try {
      return await run();
    } finally {
      if (--this.#under === 0) this.#drained?.();
    }
  }

  async #runProfiled(values: ReadonlyMap<string, Value>): Promise<Ran> {
    const [ran, spans] = await profiled(this.#context.ort, (options) => this.#runAnew(values, options));
    return { ...ran, spans };
  }

  async #runAnew(values: ReadonlyMap<string, Value>, options: Pointer = 0n): Promise<Ran> {
    const unknown = [...values.keys()].find((name) => !this.#inputs.some((port) => port.name === name));
    if (unknown !== undefined) throw new CannotError(`the model has no input "${unknown}"`);
    const { ort } = this.#context;
    const given = this.#inputs.filter(({ name }) => values.has(name));
    const held: unknown[] = [];
    const made = new Pointers(ort.koffi, given.length);
    const results = new Pointers(ort.koffi, this.#outputs.length);
    try {
      given.forEach(({ name }, at) => {
        const value = values.get(name);
        // Copied when it is not the caller's promise that it stays: a thread reads it.
        if (value !== undefined) made.array[at] = makeTensor(this.#context, name, this.#steady(value), held);
      });
      await this.#call(new Names(ort.koffi, given), made, results, held, options);
      const outputs = this.#outputs.map(({ name }, at) => takeTensor(ort, name, results.array[at] ?? 0n));
      this.#remember(values, outputs);
      return {
        outputs: new Map(this.#outputs.map(({ name }, at) => [name, outputs[at] ?? takeTensor(ort, name, 0n)])),
        spans: NO_SPANS,
      };
    } finally {
      held.length = 0;
      for (const { array } of [made, results]) {
        for (const pointer of array) if (pointer !== 0n) ort.release("ReleaseValue", pointer);
      }
    }
  }

  #steady(value: Value): Value {
    return this.#lending !== undefined || !ArrayBuffer.isView(value.data)
      ? value
      : { ...value, data: copyOf(value.data) };
  }

  #remember(values: ReadonlyMap<string, Value>, results: readonly Value[]): void {
    const inputs = this.#inputs.flatMap(({ name, type }) => {
      const value = values.get(name);
      return value?.type === type ? (outlineOf(value) ?? []) : [];
    });
    const outputs = results.flatMap((value) => outlineOf(value) ?? []);
    if (inputs.length !== this.#inputs.length || outputs.length !== this.#outputs.length) return;
    if (this.#known.length >= SHAPES_KEPT || this.#known.some((one) => this.#sameShapes(one.inputs, values))) return;
    this.#known.unshift({ inputs, outputs, idle: [], pace: new Pace(), varies: false });
  }

  async #call(names: Names, inputs: Pointers, outputs: Pointers, more: unknown, options: Pointer = 0n): Promise<void> {
    const { ort, session } = this.#context;
    // The library reads them while it runs on another thread: nothing else may hold them then.
    const held = [names, inputs, outputs, more];
    this.#held.add(held);
    try {
      const wanted = this.#outputNames;
      await ort.callAsync(
        "Run",
        session,
        options,
        names.address,
        inputs.address,
        names.count,
        wanted.address,
        wanted.count,
        outputs.address,
      );
    } finally {
      this.#held.delete(held);
    }
  }
}
