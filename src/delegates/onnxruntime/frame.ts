/**
 * Tensors of a run. What the library needs (values over memory that stays in its place, arrays of names and of pointers) is made once
 * for each set of input shapes and used again: making it costs more than running a small model.
 */

import { CannotError } from "../../base/errors.ts";
import type { ElementType } from "../../model/graph.ts";
import type { Lending, Port } from "../delegate.ts";
import { elementsOver, type Elements, type Value } from "../value.ts";
import type { Koffi, Pointer } from "./api.ts";
import { makeTensor, type Context } from "./tensor.ts";

/** Inputs of so many bytes are read where they lie, when they stay there; copying less costs less than telling the library. */
const BIND_FROM = 32 * 1024;
/** Places from which one input was read that are remembered: of a lending caller's few, else the last, which is held until the next. */
const [LENT_KEPT, LAST_KEPT] = [4, 1];

/** An array of C strings. */
export class Names {
  readonly count: number;
  readonly address: Pointer;
  /** What the address leads to. */
  readonly held: readonly unknown[];

  constructor(koffi: Koffi, ports: readonly Port[]) {
    this.count = ports.length;
    const texts = ports.map(({ name }) => ownBytes(Buffer.from(`${name}\0`)));
    const list = new Pointers(koffi, ports.length);
    texts.forEach((text, at) => (list.array[at] = koffi.address(text)));
    this.address = list.address;
    this.held = [texts, list];
  }
}

/** Pointers for the library to read or write, null at first; over a buffer of their own, since V8 moves small arrays. */
export class Pointers {
  readonly array: BigUint64Array;
  readonly address: Pointer;

  constructor(koffi: Koffi, count: number) {
    this.array = new BigUint64Array(new ArrayBuffer(8 * Math.max(1, count)));
    this.address = koffi.address(this.array);
  }
}

/** Where an input of the caller's lies, and the library's tensor over it. */
interface Bound {
  readonly buffer: ArrayBufferLike;
  readonly offset: number;
  readonly tensor: Pointer;
  readonly held: readonly unknown[];
}

/** What is known of a value beside its elements. */
export interface Outline {
  readonly type: ElementType;
  readonly shape: readonly number[];
  /** Of the array, and in bytes. */
  readonly length: number;
  readonly bytes: number;
}

/** Of numbers; undefined for texts. */
export const outlineOf = ({ type, shape, data }: Value): Outline | undefined =>
  ArrayBuffer.isView(data) ? { type, shape: [...shape], length: data.length, bytes: data.byteLength } : undefined;

/** Tensors of one run at a time, of one set of input shapes. */
export class Frame {
  readonly inputs: Pointers;
  readonly outputs: Pointers;
  readonly #context: Context;
  readonly #ports: readonly Port[];
  readonly #wanted: readonly Port[];
  readonly #given: readonly Outline[];
  readonly #copies: (Elements | undefined)[] = [];
  readonly #copied: Pointer[] = [];
  readonly #bound: Bound[][];
  readonly #results: readonly (Value & { readonly data: Elements })[];
  readonly #held: unknown[] = [];
  /** Outputs in memory that was lent: always the same. */
  readonly #lent: ReadonlyMap<string, Value> | undefined;

  constructor(
    context: Context,
    [ports, wanted]: readonly [inputs: readonly Port[], outputs: readonly Port[]],
    [given, like]: readonly [inputs: readonly Outline[], outputs: readonly Outline[]],
    lending: Lending | undefined,
  ) {
    const { koffi } = context.ort;
    this.#context = context;
    this.#ports = ports;
    this.#wanted = wanted;
    this.#given = given;
    this.inputs = new Pointers(koffi, ports.length);
    this.outputs = new Pointers(koffi, wanted.length);
    this.#bound = ports.map(() => []);
    this.#results = like.map(({ type, shape, length, bytes }) => {
      const buffer = lending?.allocate(bytes) ?? new ArrayBuffer(bytes);
      return { type, shape, data: over(type, length, buffer) };
    });
    this.#results.forEach((value, at) => {
      this.outputs.array[at] = makeTensor(context, wanted[at]?.name ?? "", value, this.#held);
    });
    if (lending !== undefined) this.#lent = new Map(this.#results.map((value, at) => [wanted[at]?.name ?? "", value]));
  }

  /** `stay`: the caller leaves the values where they are until the run has ended. */
  fill(values: ReadonlyMap<string, Value>, stay: boolean): void {
    for (let at = 0; at < this.#ports.length; at++) {
      const name = this.#ports[at]?.name ?? "";
      const data = values.get(name)?.data as Elements; // Runner compared types and shapes
      const length = this.#given[at]?.length ?? 0;
      if (data.length !== length) {
        throw new CannotError(`input "${name}" needs ${length} elements, ${data.length} are given`);
      }
      this.inputs.array[at] =
        stay && data.byteLength >= BIND_FROM ? this.#bind(at, name, data) : this.#copy(at, name, data);
    }
  }

  #copy(at: number, name: string, data: Elements): Pointer {
    const into = this.#copies[at];
    if (into !== undefined) {
      (into as Uint8Array).set(data as Uint8Array); // both are of the port's type
      return this.#copied[at] ?? 0n;
    }
    const copied = copyOf(data);
    this.#copies[at] = copied;
    return (this.#copied[at] = this.#tensor(at, name, copied, this.#held));
  }

  #bind(at: number, name: string, data: Elements): Pointer {
    const known = this.#bound[at] ?? [];
    const { buffer, byteOffset: offset } = data;
    for (const bound of known) if (bound.buffer === buffer && bound.offset === offset) return bound.tensor;
    const held: unknown[] = [];
    const tensor = this.#tensor(at, name, data, held);
    known.push({ buffer, offset, tensor, held });
    if (known.length > (this.#lent === undefined ? LAST_KEPT : LENT_KEPT))
      this.#context.ort.release("ReleaseValue", known.shift()?.tensor ?? 0n);
    return tensor;
  }

  #tensor(at: number, name: string, data: Elements, held: unknown[]): Pointer {
    const { type, shape } = this.#given[at] ?? { type: "unknown", shape: [] };
    return makeTensor(this.#context, name, { type, shape, data }, held);
  }

  take(): ReadonlyMap<string, Value> {
    if (this.#lent !== undefined) return this.#lent;
    const taken = new Map<string, Value>();
    for (let at = 0; at < this.#results.length; at++) {
      const value = this.#results[at];
      if (value === undefined) continue;
      const { type, shape, data } = value;
      taken.set(this.#wanted[at]?.name ?? "", { type, shape, data: copyOf(data) });
    }
    return taken;
  }

  release(): void {
    const { ort } = this.#context;
    const all = [...this.#copied, ...this.#bound.flat().map(({ tensor }) => tensor), ...this.outputs.array];
    for (const tensor of all) if (tensor !== 0n) ort.release("ReleaseValue", tensor);
    this.inputs.array.fill(0n);
    this.outputs.array.fill(0n);
    this.#held.length = this.#copied.length = this.#bound.length = 0;
  }
}

/** Below, V8's own small arrays are made sooner than memory beside them. */
const SMALL = 4096;

/** A copy that nothing else holds. */
export function copyOf(from: Elements): Elements {
  // A Buffer's slice would be no copy.
  if (from.byteLength <= SMALL) return from instanceof Uint8Array ? new Uint8Array(from) : from.slice();
  // Not filled with zeros first, and not of Node's pool.
  const { buffer } = Buffer.allocUnsafeSlow(from.byteLength);
  const Holder = (from instanceof Uint8Array ? Uint8Array : from.constructor) as new (at: ArrayBufferLike) => Elements;
  const into = new Holder(buffer);
  (into as Uint8Array).set(from as Uint8Array); // both are of one type
  return into;
}

/** So many elements at the start of a buffer that may be larger. */
function over(type: ElementType, length: number, buffer: ArrayBuffer): Elements {
  const elements = elementsOver(type, buffer);
  if (elements === undefined) throw new CannotError(`${type} is not held here`);
  return elements.length === length ? elements : elements.subarray(0, length);
}

/** Memory that stays in its place: not of Node's pool and not in V8's heap. */
function ownBytes(bytes: Uint8Array): Buffer {
  const buffer = Buffer.allocUnsafeSlow(Math.max(1, bytes.length));
  buffer.set(bytes);
  return buffer;
}
