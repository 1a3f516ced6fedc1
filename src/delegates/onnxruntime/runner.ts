/**
 * Runs of one session. What a run needs (tensors over memory of ours, arrays of names and pointers) is made once for each set of
 * input shapes and used again: making it costs more than running a small model. Where outputs do not always have the same shape, the
 * library allocates them.
 */

import { CannotError } from "../../base/errors.ts";
import type { Port } from "../delegate.ts";
import { elementsOver, type Elements, type Value } from "../value.ts";
import type { Pointer } from "./api.ts";
import { makeTensor, takeTensor, type Context } from "./tensor.ts";

/** Sets of input shapes kept; sequences of any length are made anew. */
const SHAPES_KEPT = 8;
/** Runs at once that keep their memory. */
const IDLE_KEPT = 4;

export class Runner {
  readonly #context: Context;
  readonly #inputs: readonly Port[];
  readonly #outputs: readonly Port[];
  readonly #outputNames: Names;
  readonly #running = new Set<readonly unknown[]>();
  /** By input shapes: what came out the first time, and frames nobody uses; none where outputs vary in shape. */
  readonly #known = new Map<string, { readonly outputs: readonly Value[]; readonly idle: Frame[]; varies: boolean }>();

  constructor(context: Context, inputs: readonly Port[], outputs: readonly Port[]) {
    this.#context = context;
    this.#inputs = inputs;
    this.#outputs = outputs;
    this.#outputNames = new Names(context, outputs);
  }

  async run(values: ReadonlyMap<string, Value>): Promise<ReadonlyMap<string, Value>> {
    const key = this.#keyOf(values);
    const known = key === undefined ? undefined : this.#known.get(key);
    if (key === undefined || known === undefined || known.varies) return this.#runAnew(key, values);
    const frame = known.idle.pop() ?? new Frame(this.#context, this.#inputs, this.#outputs, known.outputs);
    try {
      frame.fill(this.#inputs, values);
      await this.#call(frame.names, frame.inputs, frame.outputs);
    } catch (error) {
      frame.release();
      // Most likely outputs of another shape than the first time: from now on the library allocates. If not, it fails again.
      if (!(error instanceof CannotError) || !/shape/i.test(error.message)) throw error;
      known.varies = true;
      for (const idle of known.idle.splice(0)) idle.release();
      return this.#runAnew(key, values);
    }
    const outputs = frame.take(this.#outputs);
    // Another run may have found meanwhile that outputs vary.
    if (this.#known.get(key)?.varies === false && known.idle.length < IDLE_KEPT) known.idle.push(frame);
    else frame.release();
    return outputs;
  }

  /** Frees what is kept. No run may be under way. */
  release(): void {
    for (const { idle } of this.#known.values()) for (const frame of idle) frame.release();
    this.#known.clear();
  }

  /** Input shapes as a text; undefined where not every input is given as numbers of its own type. */
  #keyOf(values: ReadonlyMap<string, Value>): string | undefined {
    if (values.size !== this.#inputs.length) return undefined;
    let key = "";
    for (const { name, type } of this.#inputs) {
      const value = values.get(name);
      if (value?.type !== type || !ArrayBuffer.isView(value.data)) return undefined;
      key += `${value.shape.join("x")};`;
    }
    return key;
  }

  async #runAnew(key: string | undefined, values: ReadonlyMap<string, Value>): Promise<ReadonlyMap<string, Value>> {
    const unknown = [...values.keys()].find((name) => !this.#inputs.some((port) => port.name === name));
    if (unknown !== undefined) throw new CannotError(`the model has no input "${unknown}"`);
    const { ort } = this.#context;
    const given = this.#inputs.filter(({ name }) => values.has(name));
    const held: unknown[] = [];
    const made: Pointer[] = [];
    const results = pointersOf(this.#outputs.length);
    try {
      for (const { name } of given) {
        const value = values.get(name);
        if (value !== undefined) made.push(makeTensor(this.#context, name, value, held));
      }
      const pointers = pointersOf(made.length);
      pointers.set(made);
      await this.#call(new Names(this.#context, given), pointers, results);
      const outputs = this.#outputs.map(({ name }, at) => takeTensor(ort, name, results[at] ?? 0n));
      const plain = outputs.every(({ data }) => ArrayBuffer.isView(data));
      if (key !== undefined && plain && this.#known.size < SHAPES_KEPT && !this.#known.has(key)) {
        this.#known.set(key, { outputs, idle: [], varies: false });
      }
      return new Map(this.#outputs.map(({ name }, at) => [name, outputs[at] ?? takeTensor(ort, name, 0n)]));
    } finally {
      held.length = 0;
      for (const pointer of made) ort.release("ReleaseValue", pointer);
      for (const pointer of results) if (pointer !== 0n) ort.release("ReleaseValue", pointer);
    }
  }

  async #call(names: Names, inputs: BigUint64Array, outputs: BigUint64Array): Promise<void> {
    const { ort, session } = this.#context;
    // The library reads the names while it runs on another thread: nothing else may hold them then.
    const held = [names, inputs, outputs];
    this.#running.add(held);
    try {
      await ort.callAsync(
        "Run",
        session,
        null,
        names.pointers,
        inputs,
        names.count,
        this.#outputNames.pointers,
        this.#outputNames.count,
        outputs,
      );
    } finally {
      this.#running.delete(held);
    }
  }
}

/** An array of C strings. */
class Names {
  readonly count: number;
  readonly pointers: BigUint64Array;
  /** The strings themselves, which the pointers lead to. */
  readonly texts: readonly Buffer[];

  constructor({ ort }: Context, ports: readonly Port[]) {
    this.count = ports.length;
    this.texts = ports.map(({ name }) => own(Buffer.from(`${name}\0`)));
    this.pointers = pointersOf(ports.length);
    this.texts.forEach((text, at) => (this.pointers[at] = ort.koffi.address(text)));
  }
}

/** Null pointers. Over a buffer of its own: V8 keeps small arrays in its heap, where they move while the library reads them. */
const pointersOf = (count: number): BigUint64Array => new BigUint64Array(new ArrayBuffer(8 * Math.max(1, count)));

/** Memory that stays in its place: not of Node's pool and not in V8's heap. */
function own(bytes: Uint8Array): Buffer {
  const buffer = Buffer.allocUnsafeSlow(Math.max(1, bytes.length));
  buffer.set(bytes);
  return buffer;
}

/** Tensors of one run over memory of ours. */
class Frame {
  readonly names: Names;
  readonly inputs: BigUint64Array;
  readonly outputs: BigUint64Array;
  readonly #context: Context;
  readonly #given: Value[] = [];
  readonly #wanted: readonly Value[];
  readonly #held: unknown[] = [];
  #filled = false;

  constructor(context: Context, inputs: readonly Port[], outputs: readonly Port[], like: readonly Value[]) {
    this.#context = context;
    this.names = new Names(context, inputs);
    this.inputs = pointersOf(inputs.length);
    this.outputs = pointersOf(outputs.length);
    this.#wanted = like.map((value) => copyOf(value));
    this.#wanted.forEach((value, at) => {
      this.outputs[at] = makeTensor(context, outputs[at]?.name ?? "", value, this.#held);
    });
  }

  fill(ports: readonly Port[], values: ReadonlyMap<string, Value>): void {
    ports.forEach(({ name }, at) => {
      const value = values.get(name);
      if (value === undefined) return;
      const into = this.#given[at];
      if (!this.#filled || into === undefined) {
        const copied = copyOf(value);
        this.#given[at] = copied;
        this.inputs[at] = makeTensor(this.#context, name, copied, this.#held);
      } else if (value.data.length !== into.data.length) {
        throw new CannotError(`input "${name}" needs ${into.data.length} elements, ${value.data.length} are given`);
      } else (into.data as Uint8Array).set(value.data as Uint8Array); // both are of the port's type
    });
    this.#filled = true;
  }

  take(ports: readonly Port[]): Map<string, Value> {
    return new Map(this.#wanted.map((value, at) => [ports[at]?.name ?? "", copyOf(value)]));
  }

  release(): void {
    const { ort } = this.#context;
    for (const pointers of [this.inputs, this.outputs]) {
      for (const pointer of pointers) if (pointer !== 0n) ort.release("ReleaseValue", pointer);
      pointers.fill(0n);
    }
    this.#held.length = 0;
  }
}

function copyOf({ type, shape, data }: Value): Value {
  const from = data as Elements; // frames are made for numbers only
  const into = elementsOver(type, new ArrayBuffer(from.byteLength));
  if (into === undefined) throw new CannotError(`${type} is not held here`);
  new Uint8Array(into.buffer).set(new Uint8Array(from.buffer, from.byteOffset, from.byteLength));
  return { type, shape, data: into };
}
