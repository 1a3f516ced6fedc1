/**
 * Runs of one compiled program: inputs become buffers of the device, outputs are copied back. With lending, what lies in the caller's
 * memory is used there where the platform can, and outputs land in memory of the caller's.
 */

import { CannotError } from "../../base/errors.ts";
import type { Lending, Port } from "../delegate.ts";
import { bytesOf, elementsOver, givenFor, type Given, type Value } from "../value.ts";
import { structOf, zeroed, type FieldOf, type Fields, type Pjrt, type Pointer } from "./api.ts";
import { elementType, typeNumber } from "./program.ts";

/** PJRT_HostBufferSemantics: copied during the call, or read in place until the buffer is gone and never written. */
const [COPIED, IN_PLACE] = [0, 2];

/** So long the end of a run is looked for between turns of the event loop, milliseconds; a thread that waits for it wakes later. */
const SHORT_MS = 1;
const turn = (): Promise<void> => new Promise((done) => setImmediate(done));

export interface Context {
  readonly pjrt: Pjrt;
  readonly client: Pointer;
  readonly device: Pointer;
  readonly executable: Pointer;
  readonly inputs: readonly Port[];
  readonly outputs: readonly Port[];
  readonly lending: Lending | undefined;
}

export class Runner {
  readonly #context: Context;
  /** Memory for outputs of the only run there is, with lending. */
  readonly #lent = new Map<number, ArrayBuffer>();

  #begins: "unknown" | "here" | "elsewhere" = "unknown";

  constructor(context: Context) {
    this.#context = context;
  }

  async run(values: ReadonlyMap<string, Value>): Promise<ReadonlyMap<string, Value>> {
    const { pjrt, inputs, outputs } = this.#context;
    const given = givenFor(inputs, values);
    const made: Pointer[] = [];
    try {
      const events: Pointer[] = [];
      for (const one of given) {
        const { buffer, done } = this.#bufferOf(one);
        made.push(buffer);
        if (done !== 0n) events.push(done);
      }
      const { results, event } = await this.#begin(made);
      try {
        const taking = outputs.map(({ name }, at) => this.#take(at, name, results[at] ?? 0n));
        // All are waited for, so that no memory is in use when one fails.
        await Promise.allSettled([this.#settled(event), ...taking]);
        return new Map(await Promise.all(taking));
      } finally {
        for (const buffer of results) if (buffer !== 0n) pjrt.call("Buffer_Destroy", { buffer });
        for (const event of events) pjrt.call("Event_Destroy", { event });
      }
    } finally {
      for (const buffer of made) pjrt.call("Buffer_Destroy", { buffer });
      given.length = 0; // memory is read until here
    }
  }

  #bufferOf({ value: { type, shape }, bytes }: Given): { buffer: Pointer; done: Pointer } {
    const { pjrt, client, device, lending } = this.#context;
    const number = typeNumber(type);
    if (number < 0) throw new CannotError(`PJRT has no ${type} here`);
    const dims = BigUint64Array.from(shape, BigInt);
    const own = zeroed(dims.length);
    own.set(dims);
    const { buffer, done_with_host_buffer: done } = pjrt.call("Client_BufferFromHostBuffer", {
      client,
      // There is no address of nothing.
      data: pjrt.address(bytes.length === 0 ? own : bytes),
      type: number,
      dims: pjrt.address(own),
      num_dims: shape.length,
      host_buffer_semantics: lending === undefined ? COPIED : IN_PLACE,
      device,
    });
    own.fill(0n); // held until here
    return { buffer, done };
  }

  /** Begins it. The event tells its end. */
  async #begin(buffers: readonly Pointer[]): Promise<{ results: BigUint64Array; event: Pointer }> {
    const { pjrt, executable, outputs } = this.#context;
    const inputs = zeroed(buffers.length);
    inputs.set(buffers);
    const results = zeroed(outputs.length);
    const lists = zeroed(3); // one device: a list of inputs, one of outputs, and an event
    lists[0] = pjrt.address(inputs);
    lists[1] = pjrt.address(results);
    // Programs may say that an input's memory becomes an output's: it is the caller's.
    const kept = zeroed(buffers.length);
    buffers.forEach((_, at) => (kept[at] = BigInt(at)));
    const options = structOf("ExecuteOptions", {
      non_donatable_input_indices: pjrt.address(kept),
      num_non_donatable_input_indices: buffers.length,
    });
    const held = [inputs, lists, kept, options];
    const at = pjrt.address(lists);
    await this.#call({
      executable,
      options: pjrt.address(options),
      argument_lists: at,
      num_devices: 1,
      num_args: buffers.length,
      output_lists: at + 8n,
      device_complete_events: at + 16n,
    });
    held.length = 0; // until here
    return { results, event: lists[2] ?? 0n };
  }

  /**
   * Most plug-ins only begin a run here and compute in threads of their own, which is short enough for this thread; some compute at
   * once, and are called on another from then on.
   */
  async #call(args: Fields<FieldOf<"LoadedExecutable_Execute">>): Promise<void> {
    const { pjrt } = this.#context;
    const since = performance.now();
    if (this.#begins === "here") {
      pjrt.call("LoadedExecutable_Execute", args);
      if (performance.now() - since > SHORT_MS) this.#begins = "elsewhere";
      return;
    }
    await pjrt.callAsync("LoadedExecutable_Execute", args);
    if (this.#begins === "unknown" && performance.now() - since < SHORT_MS) this.#begins = "here";
  }

  /** What was computed, row by row whatever the device's own order is. */
  async #take(index: number, name: string, buffer: Pointer): Promise<[string, Value]> {
    const { pjrt, lending } = this.#context;
    const type = elementType(pjrt.call("Buffer_ElementType", { buffer }).type);
    const { dims, num_dims: rank } = pjrt.call("Buffer_Dimensions", { buffer });
    const shape = pjrt.words(dims, rank).map((size) => Number(BigInt.asIntN(64, size)));
    const bytes = bytesOf(type, shape);
    if (bytes === undefined) throw new CannotError(`output "${name}" is of ${type}, which is not read`);
    const memory = lending === undefined ? new ArrayBuffer(bytes) : this.#lentFor(lending, index, bytes);
    const minorToMajor = zeroed(shape.length);
    shape.forEach((_, at) => (minorToMajor[at] = BigInt(shape.length - 1 - at)));
    const tiled = structOf("Buffer_MemoryLayout_Tiled", {
      minor_to_major: pjrt.address(minorToMajor),
      minor_to_major_size: shape.length,
    });
    // PJRT_Buffer_MemoryLayout: size, extension, the tiled layout, its type (0)
    const layout = zeroed(2 + tiled.length + 1);
    layout[0] = BigInt(layout.length * 8);
    layout.set(tiled, 2);
    const into = new Uint8Array(memory);
    if (bytes > 0) {
      const { event } = pjrt.call("Buffer_ToHostBuffer", {
        src: buffer,
        host_layout: pjrt.address(layout),
        dst: pjrt.address(into),
        dst_size: bytes,
      });
      for (const words of [minorToMajor, layout]) words.fill(0n); // held until here
      await this.#settled(event);
    }
    const data = elementsOver(type, memory);
    if (data === undefined || into.length !== bytes) throw new CannotError(`output "${name}" is of ${type}`);
    return [name, { type, shape, data }];
  }

  /** Waits while the event loop turns. Throws CannotError with what went wrong meanwhile. */
  async #settled(event: Pointer): Promise<void> {
    if (event === 0n) return;
    const { pjrt } = this.#context;
    try {
      const since = performance.now();
      // A bool fills the first byte of its word.
      const isReady = (): boolean => (pjrt.call("Event_IsReady", { event }).is_ready & 0xffn) !== 0n;
      let ready = isReady();
      while (!ready && performance.now() - since < SHORT_MS) {
        await turn();
        ready = isReady();
      }
      if (ready) pjrt.call("Event_Await", { event });
      else await pjrt.callAsync("Event_Await", { event });
    } finally {
      pjrt.call("Event_Destroy", { event });
    }
  }

  #lentFor(lending: Lending, index: number, bytes: number): ArrayBuffer {
    const known = this.#lent.get(index);
    if (known?.byteLength === bytes) return known;
    const memory = lending.allocate(bytes);
    this.#lent.set(index, memory);
    return memory;
  }
}
