/**
 * Runs of one RKNN context. librknnrt copies inputs in and writes outputs into memory of ours (rknn_inputs_set, rknn_outputs_get);
 * librknnmrt works in memory that it makes itself (rknn_create_mem, rknn_set_io_mem), which is mapped into this process.
 */

import { CannotError } from "../../base/errors.ts";
import { elementBits } from "../../model/graph.ts";
import { Structs } from "../../base/c-struct.ts";
import type { Lending, Ran, Span } from "../delegate.ts";
import { elementsOver, type Elements, type Value } from "../value.ts";
import { check, elementTypes, NHWC, query, structs, type Rknn } from "./api.ts";
import type { Attribute } from "./attribute.ts";
import { spansOf } from "./performance.ts";

/** Bytes of the report on layers: some 300 of each. */
const REPORT_LIMIT = 16 * 1024 * 1024;

export interface Runner {
  run(values: ReadonlyMap<string, Value>): Promise<Ran>;
  /** Frees what the runs need. None may be under way. */
  release(): void;
}

export interface RunnerOptions {
  readonly profile: boolean;
  readonly lending?: Lending;
}

const bytesOf = ({ elements, type }: Attribute): number => (elements * (elementBits[type] ?? 8)) / 8;

export class CopyingRunner implements Runner {
  readonly #rknn: Rknn;
  readonly #context: bigint;
  readonly #inputs: readonly Attribute[];
  readonly #outputs: readonly Attribute[];
  readonly #options: RunnerOptions;
  /** Where each output is written. */
  readonly #memory: readonly ArrayBuffer[];

  constructor(
    rknn: Rknn,
    context: bigint,
    inputs: readonly Attribute[],
    outputs: readonly Attribute[],
    options: RunnerOptions,
  ) {
    this.#rknn = rknn;
    this.#context = context;
    this.#inputs = inputs;
    this.#outputs = outputs;
    this.#options = options;
    this.#memory = outputs.map((output) => {
      const bytes = bytesOf(output);
      return options.lending?.allocate(bytes) ?? new ArrayBuffer(Math.max(1, bytes));
    });
  }

  async run(values: ReadonlyMap<string, Value>): Promise<Ran> {
    const { koffi } = this.#rknn;
    const given = takeAll(this.#inputs, values, this.#options.lending === undefined);
    const inputs = new Structs(structs.rknn_input, given.length);
    given.forEach(({ bytes, number }, at) => {
      const { index, format } = this.#inputs[at] ?? { index: at, format: NHWC };
      inputs.set("index", index, at);
      inputs.set("buf", koffi.address(bytes), at);
      inputs.set("size", bytes.length, at);
      inputs.set("type", number, at);
      inputs.set("fmt", format, at);
    });
    // `given` is held by being a parameter that nobody reads: the library reads where the structs point.
    await this.#call("rknn_inputs_set", given, given.length, inputs.buffer);
    await this.#call("rknn_run", given, null);
    const outputs = new Structs(structs.rknn_output, this.#outputs.length);
    this.#outputs.forEach(({ index, wantFloat }, at) => {
      const memory = new Uint8Array(this.#memory[at] ?? new ArrayBuffer(0));
      outputs.set("want_float", wantFloat ? 1 : 0, at);
      outputs.set("is_prealloc", 1, at);
      outputs.set("index", index, at);
      outputs.set("buf", koffi.address(memory), at);
      outputs.set("size", memory.length, at);
    });
    await this.#call("rknn_outputs_get", this.#memory, this.#outputs.length, outputs.buffer, null);
    const measured = measure(this.#rknn, this.#context, this.#options.profile);
    check(
      "rknn_outputs_release",
      this.#rknn.call("rknn_outputs_release", this.#context, this.#outputs.length, outputs.buffer),
    );
    const taken = this.#outputs.map((output, at): [string, Value] => {
      const bytes = bytesOf(output);
      const told = outputs.get("size", at);
      if (told !== (this.#memory[at]?.byteLength ?? 0)) {
        throw new CannotError(`RKNN: output "${output.name}" has ${bytes} bytes, and the runtime gave ${told}`);
      }
      const memory = this.#memory[at] ?? new ArrayBuffer(0);
      return [output.name, valueOf(output, this.#options.lending === undefined ? memory.slice(0, bytes) : memory)];
    });
    return { outputs: new Map(taken), ...measured };
  }

  release(): void {
    // All memory is ours.
  }

  async #call(
    name: "rknn_inputs_set" | "rknn_run" | "rknn_outputs_get",
    held: unknown,
    ...rest: unknown[]
  ): Promise<void> {
    running.add(held);
    try {
      check(name, await this.#rknn.callAsync(name, this.#context, ...rest));
    } finally {
      running.delete(held);
    }
  }
}

/** Memory that the library reads or writes on another thread. */
const running = new Set<unknown>();

/** Memory of the runtime for one tensor. */
interface Shared {
  readonly attribute: Attribute;
  readonly pointer: bigint;
  readonly bytes: Uint8Array;
}

export class SharingRunner implements Runner {
  readonly #rknn: Rknn;
  readonly #context: bigint;
  readonly #inputs: readonly Shared[];
  readonly #outputs: readonly Shared[];
  readonly #profile: boolean;

  constructor(
    rknn: Rknn,
    context: bigint,
    inputs: readonly Attribute[],
    outputs: readonly Attribute[],
    { profile }: RunnerOptions,
  ) {
    this.#rknn = rknn;
    this.#context = context;
    this.#profile = profile;
    const made: Shared[] = [];
    try {
      for (const input of inputs) {
        // Of pictures in uint8 with strides; the runtime's own number is of int8, which is as many bytes.
        const strided = input.stride === undefined ? 0 : input.struct.get("size_with_stride");
        if (input.format === NHWC) input.struct.set("fmt", NHWC);
        made.push(this.#share(input, Math.max(bytesOf(input), strided)));
      }
      for (const output of outputs) made.push(this.#share(output, bytesOf(output)));
    } catch (error) {
      for (const { pointer } of made) rknn.call("rknn_destroy_mem", context, pointer);
      throw error;
    }
    this.#inputs = made.slice(0, inputs.length);
    this.#outputs = made.slice(inputs.length);
  }

  async run(values: ReadonlyMap<string, Value>): Promise<Ran> {
    const given = takeAll(
      this.#inputs.map(({ attribute }) => attribute),
      values,
      false,
    );
    given.forEach(({ bytes, number }, at) => {
      const shared = this.#inputs[at];
      if (shared === undefined) return;
      const { attribute } = shared;
      if (number !== attribute.number) {
        throw new CannotError(
          `input "${attribute.name}" is of ${attribute.type} with this runtime, which turns nothing`,
        );
      }
      copyRows(bytes, shared.bytes, attribute);
    });
    check("rknn_run", await this.#rknn.callAsync("rknn_run", this.#context, null));
    const measured = measure(this.#rknn, this.#context, this.#profile);
    const taken = this.#outputs.map(({ attribute, bytes }): [string, Value] => [
      attribute.name,
      valueOf(attribute, Uint8Array.from(bytes.subarray(0, bytesOf(attribute))).buffer),
    ]);
    return { outputs: new Map(taken), ...measured };
  }

  release(): void {
    for (const { pointer } of [...this.#inputs, ...this.#outputs]) {
      this.#rknn.call("rknn_destroy_mem", this.#context, pointer);
    }
  }

  #share(attribute: Attribute, bytes: number): Shared {
    const { koffi } = this.#rknn;
    const pointer = this.#rknn.call("rknn_create_mem", this.#context, bytes) as bigint | null;
    const none = (): never => {
      throw new CannotError(
        `RKNN: there is no memory of ${bytes} bytes for "${attribute.name}" that the NPU can reach`,
      );
    };
    if (pointer === null || pointer === 0n) return none();
    const memory = new Structs(structs.rknn_tensor_mem, 1, koffi.view(pointer, structs.rknn_tensor_mem.bytes));
    const address = memory.big("virt_addr");
    if (address === 0n || memory.get("size") < bytes) return none();
    attribute.struct.set("type", attribute.number);
    attribute.struct.set("pass_through", 0);
    check("rknn_set_io_mem", this.#rknn.call("rknn_set_io_mem", this.#context, pointer, attribute.struct.buffer));
    return { attribute, pointer, bytes: new Uint8Array(koffi.view(address, bytes)) };
  }
}

/** Rows are longer there than the picture's. */
function copyRows(from: Uint8Array, into: Uint8Array, { shape, stride }: Attribute): void {
  const [, , width = 1, channels = 1] = shape;
  if (stride === undefined) return into.set(from);
  const [row, wide] = [width * channels, stride * channels];
  for (let at = 0; at * row < from.length; at++) into.set(from.subarray(at * row, (at + 1) * row), at * wide);
}

interface Given {
  readonly bytes: Uint8Array;
  /** rknn_tensor_type. */
  readonly number: number;
}

/** float32 and uint8 are taken for each other: the runtime turns both into what it computes in. */
function takeAll(inputs: readonly Attribute[], values: ReadonlyMap<string, Value>, copy: boolean): Given[] {
  const unknown = [...values.keys()].find((name) => !inputs.some((input) => input.name === name));
  if (unknown !== undefined) throw new CannotError(`the model has no input "${unknown}"`);
  return inputs.map(({ name, type, shape, elements, wantFloat }) => {
    const value = values.get(name);
    if (value === undefined) throw new CannotError(`input "${name}" is missing`);
    const turned = wantFloat && ["float32", "uint8"].includes(value.type);
    if (value.type !== type && !turned) throw new CannotError(`input "${name}" is of ${type}, not ${value.type}`);
    if (value.shape.join() !== shape.join() || value.data.length !== elements) {
      throw new CannotError(`input "${name}" has the shape [${shape.join(", ")}], not [${value.shape.join(", ")}]`);
    }
    const { buffer, byteOffset, byteLength } = value.data as Elements; // no tensor of texts has one of these types
    const bytes = new Uint8Array(buffer, byteOffset, byteLength);
    return { bytes: copy ? owned(bytes) : bytes, number: elementTypes.indexOf(value.type) };
  });
}

function owned(bytes: Uint8Array): Uint8Array {
  const own = Buffer.allocUnsafeSlow(Math.max(1, bytes.length));
  own.set(bytes);
  return own.subarray(0, bytes.length);
}

function valueOf({ name, type, shape }: Attribute, buffer: ArrayBuffer): Value {
  const data = elementsOver(type, buffer);
  if (data === undefined) throw new CannotError(`RKNN: output "${name}" is of ${type}, which is not read`);
  return { type, shape, data };
}

/** The runtime's own time of the last run, and where it was asked for, of each layer. */
function measure(rknn: Rknn, context: bigint, profile: boolean): Pick<Ran, "spans" | "figures"> {
  const run = new Structs(structs.rknn_perf_run);
  const measured = Number(rknn.call("rknn_query", context, query.PERF_RUN, run.buffer, run.buffer.length)) === 0;
  const figures = measured ? { figures: { rknn_run_ms: run.get("run_duration") / 1000 } } : {};
  let spans: readonly Span[] = [];
  if (profile) {
    const detail = new Structs(structs.rknn_perf_detail);
    check("rknn_query", rknn.call("rknn_query", context, query.PERF_DETAIL, detail.buffer, detail.buffer.length));
    const [text, length] = [detail.big("perf_data"), Math.min(detail.get("data_len"), REPORT_LIMIT)];
    if (text !== 0n && length > 0) spans = spansOf(Buffer.from(rknn.koffi.view(text, length)).toString("latin1"));
  }
  return { spans, ...figures };
}
