/**
 * Runs of one compiled model. An infer request does one run at a time; as many are made as run at once. Tensors lie over memory of
 * ours, or of the caller where it lends it, and are bound again only where shape or memory change.
 */

import type { Lending, Port, Ran, Span } from "../delegate.ts";
import { bytesOf, elementsOver, givenFor, type Given, type Value } from "../value.ts";
import { words, type Ov, type Pointer } from "./api.ts";
import { takeTensor, tensorOver } from "./tensor.ts";

/** Requests kept when nobody runs. */
const IDLE_KEPT = 4;

export interface Context {
  readonly ov: Ov;
  readonly compiled: Pointer;
  readonly inputs: readonly Port[];
  readonly outputs: readonly Port[];
  readonly lending: Lending | undefined;
  /** The device that runs are told of; where spans are wanted. */
  readonly spansBy: string | undefined;
}

export class Runner {
  readonly #context: Context;
  readonly #idle: Request[] = [];

  constructor(context: Context) {
    this.#context = context;
  }

  async run(values: ReadonlyMap<string, Value>): Promise<Ran> {
    const { ov, inputs, spansBy } = this.#context;
    const given = givenFor(inputs, values);
    const request = this.#idle.pop() ?? new Request(this.#context);
    let ran: Ran;
    try {
      request.bind(given);
      await ov.callAsync("ov_infer_request_infer", request.pointer);
      ran = {
        outputs: request.outputs(),
        spans: spansBy === undefined ? [] : readSpans(ov, request.pointer, spansBy),
      };
    } catch (error) {
      request.release();
      throw error;
    }
    if (this.#idle.length < IDLE_KEPT) this.#idle.push(request);
    else request.release();
    return ran;
  }

  /** Frees what is kept. No run may be under way. */
  release(): void {
    for (const request of this.#idle.splice(0)) request.release();
  }
}

class Request {
  readonly pointer: Pointer;
  readonly #context: Context;
  readonly #inputs: (Slot | undefined)[];
  /** Of outputs whose shape the model settles; others the library allocates. */
  readonly #outputs: readonly (Slot | undefined)[];

  constructor(context: Context) {
    const { ov, compiled, inputs, outputs, lending } = context;
    this.#context = context;
    this.pointer = ov.pointer("ov_compiled_model_create_infer_request", compiled);
    this.#inputs = inputs.map(() => undefined);
    this.#outputs = outputs.map(({ type, shape }, index) => {
      const sizes = shape.filter((size) => typeof size === "number");
      const bytes = sizes.length === shape.length && shape.length > 0 ? bytesOf(type, sizes) : undefined;
      if (bytes === undefined || bytes === 0) return undefined;
      const memory = new Uint8Array(lending?.allocate(bytes) ?? new ArrayBuffer(bytes), 0, bytes);
      return this.#over("output", index, type, sizes, memory);
    });
  }

  bind(given: readonly Given[]): void {
    const { lending } = this.#context;
    given.forEach(({ value: { type, shape }, bytes }, index) => {
      const old = this.#inputs[index];
      const same = old?.shape.length === shape.length && old.shape.every((size, at) => size === shape[at]);
      if (lending !== undefined || bytes.length === 0) {
        if (same && old.memory.buffer === bytes.buffer && old.memory.byteOffset === bytes.byteOffset) return;
        const memory = bytes.length === 0 ? new Uint8Array(1) : bytes; // there is no address of nothing
        this.#replace(index, this.#over("input", index, type, shape, memory));
      } else if (same) old.memory.set(bytes);
      else {
        const memory = new Uint8Array(new ArrayBuffer(bytes.length));
        memory.set(bytes);
        this.#replace(index, this.#over("input", index, type, shape, memory));
      }
    });
  }

  outputs(): Map<string, Value> {
    const { ov, outputs, lending } = this.#context;
    return new Map(
      outputs.map(({ name, type }, index): [string, Value] => {
        const slot = this.#outputs[index];
        if (slot !== undefined) {
          const buffer = slot.memory.buffer as ArrayBuffer; // as allocated above
          const data = elementsOver(type, lending === undefined ? buffer.slice(0) : buffer);
          if (data !== undefined) return [name, { type, shape: slot.shape, data }];
        }
        const tensor = ov.pointer("ov_infer_request_get_output_tensor_by_index", this.pointer, index);
        try {
          return [name, takeTensor(ov, name, tensor)];
        } finally {
          ov.free("ov_tensor_free", tensor);
        }
      }),
    );
  }

  release(): void {
    const { ov } = this.#context;
    ov.free("ov_infer_request_free", this.pointer);
    for (const slot of [...this.#inputs, ...this.#outputs])
      if (slot !== undefined) ov.free("ov_tensor_free", slot.tensor);
  }

  #over(
    which: "input" | "output",
    index: number,
    type: Port["type"],
    shape: readonly number[],
    memory: Uint8Array,
  ): Slot {
    const { ov } = this.#context;
    const tensor = tensorOver(ov, type, shape, memory);
    try {
      ov.call(`ov_infer_request_set_${which}_tensor_by_index`, this.pointer, index, tensor);
    } catch (error) {
      ov.free("ov_tensor_free", tensor);
      throw error;
    }
    return { tensor, shape, memory };
  }

  #replace(index: number, slot: Slot): void {
    const old = this.#inputs[index];
    this.#inputs[index] = slot;
    if (old !== undefined) this.#context.ov.free("ov_tensor_free", old.tensor);
  }
}

/** A tensor of the library and the memory it lies over, held as long as it. */
interface Slot {
  readonly tensor: Pointer;
  readonly shape: readonly number[];
  readonly memory: Uint8Array;
}

/** ov_profiling_info_t: status, real and CPU time in microseconds, then three texts. */
const PROFILE_WORDS = 6;
const EXECUTED = 2n;
const NODES_LIMIT = 1_000_000;

/** Nodes of the compiled graph that were executed in the last run, as the plugin measured them. */
function readSpans(ov: Ov, request: Pointer, by: string): Span[] {
  const list = words(2);
  ov.call("ov_infer_request_get_profiling_info", request, list);
  try {
    const count = Math.min(Number(list[1]), NODES_LIMIT);
    if (count === 0) return [];
    const rows = new BigInt64Array(ov.koffi.view(list[0] ?? 0n, count * PROFILE_WORDS * 8));
    const text = (pointer: bigint | undefined): string =>
      pointer === undefined || pointer === 0n
        ? ""
        : (ov.koffi.decode(BigInt.asUintN(64, pointer), "char", -1) as string);
    const spans: Span[] = [];
    for (let at = 0; at < rows.length; at += PROFILE_WORDS) {
      // The status is an int: what lies beside it in its word is nothing.
      if (BigInt.asUintN(32, rows[at] ?? 0n) !== EXECUTED) continue;
      const kind = [text(rows[at + 5]), text(rows[at + 4])].filter((part) => part !== "").join(", ");
      spans.push({ name: `${text(rows[at + 3])} (${kind})`, by, ms: Number(rows[at + 1]) / 1000 });
    }
    return spans;
  } finally {
    ov.free("ov_profiling_info_list_free", list);
  }
}
