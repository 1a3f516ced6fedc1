/**
 * Runs of one interpreter, or one compiled model of LiteRT's: either does one thing at a time, so they queue. Short ones are made on the
 * thread that calls, between turns of the event loop, others on another (base/pace.ts).
 */

import { holdLoop, isLoopHeld, loopTurn, Pace } from "../../base/pace.ts";
import { CannotError } from "../../base/errors.ts";
import type { Port, Ran } from "../delegate.ts";
import type { Value } from "../value.ts";
import { bytesOf } from "./tensor.ts";

type Values = ReadonlyMap<string, Value>;

/** What the library does. */
export interface Engine {
  /** With the shape and the bytes of the memory there is. */
  readonly inputs: readonly { readonly port: Port; readonly shape: readonly number[]; readonly bytes: number }[];
  /** Runs stay on the thread that calls, however long they take. */
  readonly stays: boolean;
  /** Makes memory for other shapes. Throws CannotError where the model does not take them. */
  resize(values: Values): Promise<void>;
  fill(values: Values): void;
  /** Its status, of a run made here. */
  here(): number;
  away(): Promise<number>;
  /** Outputs and spans; throws CannotError where the status says that the run failed. */
  end(status: number): Ran;
}

export class Queue {
  readonly #engine: Engine;
  #last: Promise<unknown> = Promise.resolve();
  #waiting = 0;
  #pace = new Pace();
  /** Shapes were changed, and memory was not made for all of them. */
  #stale: boolean;

  /** `unmade`: there is no memory yet; a run says for which shapes. */
  constructor(engine: Engine, unmade: boolean) {
    this.#engine = engine;
    this.#stale = unmade;
  }

  run(values: Values): Promise<Ran> {
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
    return this.#engine.stays || this.#pace.short;
  }

  async #runNext(values: Values): Promise<Ran> {
    const engine = this.#engine;
    this.#check(values);
    if (this.#stale || !this.#fits(values)) {
      this.#stale = true;
      await engine.resize(values);
      this.#stale = false;
      this.#pace = new Pace();
    }
    if (this.#isShort) {
      if (isLoopHeld(performance.now())) await loopTurn();
      return this.#runHere(values);
    }
    engine.fill(values);
    const start = performance.now();
    const status = await engine.away();
    // The way to the other thread and back is in it, so a run is called short too late rather than too early.
    this.#pace.ended(performance.now() - start, false);
    return engine.end(status);
  }

  #runHere(values: Values): Ran {
    const start = performance.now();
    holdLoop(start);
    this.#engine.fill(values);
    const status = this.#engine.here();
    this.#pace.ended(performance.now() - start, true);
    return this.#engine.end(status);
  }

  /** Throws CannotError for what is missing, unknown, of another type or of a shape that the port does not allow. */
  #check(values: Values): void {
    const { inputs } = this.#engine;
    for (const { port } of inputs) {
      const value = values.get(port.name);
      if (value === undefined) throw new CannotError(`input "${port.name}" is missing`);
      checkValue(port, value);
    }
    if (values.size > inputs.length) {
      const known = new Set(inputs.map(({ port }) => port.name));
      const other = [...values.keys()].find((name) => !known.has(name));
      throw new CannotError(`the model has no input "${other ?? ""}"`);
    }
  }

  /** Do the values lie in memory of the library as it is? */
  #fits(values: Values): boolean {
    const { inputs } = this.#engine;
    if (values.size !== inputs.length) return false;
    return inputs.every(({ port, shape, bytes }) => {
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
}

function checkValue(port: Port, { type, shape, data }: Value): void {
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
