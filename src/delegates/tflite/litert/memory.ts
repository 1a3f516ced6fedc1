/** Tensor buffers of LiteRT over memory of ours, aligned as it asks, or over its own where an accelerator takes none of ours. */

import { CannotError } from "../../../base/errors.ts";
import type { Port } from "../../delegate.ts";
import type { Pointer } from "../api.ts";
import { bytesOf, types } from "../tensor.ts";
import type { Litert } from "./api.ts";

/** LITERT_HOST_MEMORY_BUFFER_ALIGNMENT. */
const ALIGNMENT = 64;
/** LiteRtLayout: rank in the low 7 bits, 8 dimensions, 8 strides. LiteRtRankedTensorType: the element type, then that. */
export const LAYOUT = { words: 17, rank: 0x7f, dims: 1, limit: 8 } as const;
/** kLiteRtTensorBufferTypeHostMemory, kLiteRtTensorBufferLockModeRead and -Write. */
const [HOST, READ, WRITE] = [1, 0, 1];

/** Off V8's heap, where it does not move. */
export const words = (count: number): Int32Array<ArrayBuffer> => new Int32Array(new ArrayBuffer(4 * count));

export function shapeFrom(layout: Int32Array, at = 0): number[] {
  const rank = Math.min((layout[at] ?? 0) & LAYOUT.rank, LAYOUT.limit);
  return Array.from(layout.subarray(at + LAYOUT.dims, at + LAYOUT.dims + rank));
}

/** One input or output and where LiteRT finds it. */
export class Place {
  readonly port: Port;
  /** In LiteRT's order. */
  readonly index: number;
  readonly #litert: Litert;
  readonly #environment: Pointer;
  shape: readonly number[] = [];
  bytes = 0;
  buffer: Pointer = 0n;
  /** What the buffer is over; undefined where that is LiteRT's own, which is locked to be seen. */
  memory: Uint8Array<ArrayBuffer> | undefined;
  /** Of memory that the caller lends, which comes again and again: by its address. */
  #lent = new Map<Pointer, Pointer>();

  constructor(litert: Litert, environment: Pointer, port: Port, index: number) {
    this.#litert = litert;
    this.#environment = environment;
    this.port = port;
    this.index = index;
  }

  /** For a shape: over `memory` where it is aligned, else over memory of its own, else over LiteRT's. */
  make(shape: readonly number[], needs: Pointer, memory: ((bytes: number) => ArrayBuffer) | undefined): void {
    this.release();
    this.shape = shape;
    this.bytes = bytesOf(this.port.type, shape);
    if (!this.#takesHost(needs)) {
      const what = `${this.port.name}: no memory`;
      const type = this.#type();
      this.buffer = this.#litert.made(
        what,
        "LiteRtCreateManagedTensorBufferFromRequirements",
        this.#environment,
        type,
        needs,
      );
      return;
    }
    const given = memory === undefined ? undefined : new Uint8Array(memory(this.bytes), 0, this.bytes);
    const usable = given !== undefined && this.bytes > 0 && this.#isAligned(given);
    this.memory = usable ? given : aligned(this.#litert, this.bytes);
    this.buffer = this.#over(this.memory);
  }

  /** The buffer over memory that stays in place as long as this does; undefined where LiteRT does not take it. */
  over(memory: Uint8Array<ArrayBuffer>): Pointer | undefined {
    if (this.memory === undefined || memory.length === 0) return undefined;
    const at = this.#litert.koffi.address(memory);
    if (at % BigInt(ALIGNMENT) !== 0n) return undefined;
    const known = this.#lent.get(at);
    if (known !== undefined) return known;
    if (this.#lent.size >= LENT) this.#forget();
    const made = this.#over(memory);
    this.#lent.set(at, made);
    return made;
  }

  write(data: Uint8Array): void {
    if (this.memory !== undefined) this.memory.set(data);
    else this.#locked(WRITE, (memory) => memory.set(data));
  }

  read(into: Uint8Array): void {
    if (this.memory !== undefined) into.set(this.memory);
    else this.#locked(READ, (memory) => into.set(memory));
  }

  release(): void {
    this.#forget();
    if (this.buffer !== 0n) this.#litert.get("LiteRtDestroyTensorBuffer")(this.buffer);
    this.buffer = 0n;
    this.memory = undefined;
  }

  #forget(): void {
    for (const buffer of this.#lent.values()) this.#litert.get("LiteRtDestroyTensorBuffer")(buffer);
    this.#lent = new Map();
  }

  #isAligned(memory: Uint8Array): boolean {
    return this.#litert.koffi.address(memory) % BigInt(ALIGNMENT) === 0n;
  }

  #over(memory: Uint8Array<ArrayBuffer>): Pointer {
    const what = `${this.port.name}: no buffer over ${memory.length} bytes`;
    const parameters = [this.#type(), memory, BigInt(this.bytes), null] as const;
    return this.#litert.made(what, "LiteRtCreateTensorBufferFromHostMemory", ...parameters);
  }

  #type(): Int32Array {
    const { shape, port } = this;
    if (shape.length > LAYOUT.limit) {
      throw new CannotError(`"${port.name}" has ${shape.length} dimensions, and LiteRT takes ${LAYOUT.limit}`);
    }
    const type = words(1 + LAYOUT.words);
    type[0] = types.indexOf(port.type);
    type[1] = shape.length;
    type.set(shape, 1 + LAYOUT.dims);
    return type;
  }

  #takesHost(needs: Pointer): boolean {
    const { must } = this.#litert;
    const out = words(1);
    const what = `"${this.port.name}"`;
    must(what, "LiteRtGetNumTensorBufferRequirementsSupportedBufferTypes", needs, out);
    const count = out[0] ?? 0;
    for (let at = 0; at < count; at++) {
      must(what, "LiteRtGetTensorBufferRequirementsSupportedTensorBufferType", needs, at, out);
      if (out[0] === HOST) return true;
    }
    return count === 0;
  }

  #locked(mode: number, act: (memory: Uint8Array) => void): void {
    if (this.bytes === 0) return;
    const { koffi, must } = this.#litert;
    const out = new BigUint64Array(new ArrayBuffer(8));
    must(`"${this.port.name}" cannot be mapped`, "LiteRtLockTensorBuffer", this.buffer, out, mode);
    try {
      const at = out[0] ?? 0n;
      if (at === 0n) throw new CannotError(`LiteRT: "${this.port.name}" has no memory`);
      act(new Uint8Array(koffi.view(at, this.bytes)));
    } finally {
      must(`"${this.port.name}" cannot be unmapped`, "LiteRtUnlockTensorBuffer", this.buffer);
    }
  }
}

/** Buffers kept over memory that is lent; whoever lends more than so many places in turn pays for new ones. */
const LENT = 16;

function aligned({ koffi }: Litert, bytes: number): Uint8Array<ArrayBuffer> {
  const memory = new ArrayBuffer(bytes + ALIGNMENT);
  const past = Number(koffi.address(new Uint8Array(memory)) % BigInt(ALIGNMENT));
  return new Uint8Array(memory, (ALIGNMENT - past) % ALIGNMENT, bytes);
}
