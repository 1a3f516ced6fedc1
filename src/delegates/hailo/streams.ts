/** Virtual streams: what HailoRT gives frames to and takes frames from, and runs over them. */

import { Structs } from "../../base/c-struct.ts";
import { CannotError } from "../../base/errors.ts";
import type { ElementType } from "../../model/graph.ts";
import type { Lending, Port, Ran } from "../delegate.ts";
import { elementsOver, type Elements, type Value } from "../value.ts";
import {
  AUTO,
  boxOrders,
  elementTypes,
  FLOAT32,
  order,
  slot,
  slots,
  STREAMS,
  structs,
  within,
  type Hailo,
} from "./api.ts";

type Direction = "input" | "output";

export interface Stream extends Port {
  readonly handle: bigint;
  readonly shape: readonly number[];
  /** Of a frame. */
  readonly bytes: number;
}

export interface Streams {
  readonly list: readonly Stream[];
  release(): void;
}

/** Inputs in the type that the device takes, which costs nothing; outputs as float32, which HailoRT turns them into. */
export function openStreams(hailo: Hailo, group: bigint, which: Direction, timeout: number | undefined): Streams {
  const layout = structs.hailo_input_vstream_params_by_name_t; // output's is the same
  const asked = new Structs(layout, STREAMS);
  const count = slots(1, STREAMS);
  const type = which === "input" ? AUTO : FLOAT32;
  hailo.call(`hailo_make_${which}_vstream_params`, group, false, type, asked.buffer, count);
  const streams = Number(slot(count));
  if (streams > STREAMS) throw new CannotError(`HailoRT: the model has ${streams} ${which}s, ${STREAMS} are the most`);
  if (timeout !== undefined) {
    const at = layout.at.params + structs.hailo_vstream_params_t.at.timeout_ms;
    for (let index = 0; index < streams; index++) asked.bytes(index).writeUInt32LE(timeout, at);
  }
  const handles = slots(streams);
  hailo.call(`hailo_create_${which}_vstreams`, group, asked.buffer, streams, handles);
  const release = (): void => hailo.call(`hailo_release_${which}_vstreams`, handles, streams);
  try {
    const list = Array.from({ length: streams }, (_, at) => describe(hailo, slot(handles, at), which));
    return { list, release };
  } catch (error) {
    release();
    throw error;
  }
}

function describe(hailo: Hailo, handle: bigint, which: Direction): Stream {
  const info = new Structs(structs.hailo_vstream_info_t);
  const format = new Structs(structs.hailo_format_t);
  const size = slots(1);
  hailo.call(`hailo_get_${which}_vstream_info`, handle, info.buffer);
  hailo.call(`hailo_get_${which}_vstream_user_format`, handle, format.buffer);
  hailo.call(`hailo_get_${which}_vstream_frame_size`, handle, size);
  const { at } = structs.hailo_vstream_info_t;
  const name = info.text("name");
  const bytes = Number(slot(size));
  const type = elementTypes[format.get("type")];
  if (type === undefined)
    throw new CannotError(`HailoRT: "${name}" is of format type ${format.get("type")}, unknown here`);
  const image = within(info.buffer, at.shape, structs.hailo_3d_image_shape_t);
  const [height, width, features] = [image.get("height"), image.get("width"), image.get("features")];
  const own = shapeOf(format.get("order"), type, bytes, [height, width, features]);
  const quant = within(info.buffer, at.quant_info, structs.hailo_quant_info_t);
  const [scale, zero] = [quant.get("qp_scale"), quant.get("qp_zp")];
  const quantised = type !== "float32" && scale > 0;
  return { name, ...own, ...(quantised ? { quantization: { scale, zero } } : {}), handle, bytes };
}

/** One frame, as its order says; what is no plain tensor (boxes, colours of cameras) in a row. */
function shapeOf(
  number: number,
  type: ElementType,
  bytes: number,
  [height, width, features]: readonly [number, number, number],
): { readonly type: ElementType; readonly shape: readonly number[] } {
  const width_bytes = type === "float32" ? 4 : type === "uint16" ? 2 : 1;
  if (boxOrders.includes(number)) {
    // Lists by class are floats throughout; those by score begin with a count of 16 bits.
    return bytes % 4 === 0 && type === "float32"
      ? { type, shape: [1, bytes / 4] }
      : { type: "uint8", shape: [1, bytes] };
  }
  const shape =
    number === order.NC
      ? [1, features]
      : number === order.NHW
        ? [1, height, width]
        : number === order.NCHW
          ? [1, features, height, width]
          : [1, height, width, features];
  const fits = shape.reduce((all, size) => all * size, 1) * width_bytes === bytes;
  return fits ? { type, shape } : { type: "uint8", shape: [1, bytes] };
}

export class StreamRunner {
  readonly #hailo: Hailo;
  readonly #inputs: readonly Stream[];
  readonly #outputs: readonly Stream[];
  readonly #lending: Lending | undefined;
  readonly #memory: readonly ArrayBuffer[];
  /** A frame that went in by half would meet the next one. */
  #broken: string | undefined;

  constructor(hailo: Hailo, inputs: readonly Stream[], outputs: readonly Stream[], lending: Lending | undefined) {
    this.#hailo = hailo;
    this.#inputs = inputs;
    this.#outputs = outputs;
    this.#lending = lending;
    this.#memory = outputs.map(({ bytes }) => lending?.allocate(bytes) ?? new ArrayBuffer(Math.max(1, bytes)));
  }

  async run(values: ReadonlyMap<string, Value>): Promise<Ran> {
    if (this.#broken !== undefined) throw new CannotError(`${this.#broken}; the session has to be opened again`);
    const given = takeAll(this.#inputs, values, this.#lending === undefined);
    try {
      for (const [at, { handle, bytes }] of this.#inputs.entries()) {
        await this.#hailo.callAsync("hailo_vstream_write_raw_buffer", handle, given[at], bytes);
      }
      for (const [at, { handle, bytes }] of this.#outputs.entries()) {
        const memory = new Uint8Array(this.#memory[at] ?? new ArrayBuffer(0));
        await this.#hailo.callAsync("hailo_vstream_read_raw_buffer", handle, memory, bytes);
      }
    } catch (error) {
      if (error instanceof CannotError) this.#broken = error.message;
      throw error;
    }
    const outputs = this.#outputs.map(({ name, type, shape, bytes }, at): [string, Value] => {
      const memory = this.#memory[at] ?? new ArrayBuffer(0);
      const data = elementsOver(type, this.#lending === undefined ? memory.slice(0, bytes) : memory);
      if (data === undefined) throw new CannotError(`HailoRT: output "${name}" is of ${type}, which is not read`);
      return [name, { type, shape, data }];
    });
    return { outputs: new Map(outputs), spans: [] };
  }
}

function takeAll(inputs: readonly Stream[], values: ReadonlyMap<string, Value>, copy: boolean): Uint8Array[] {
  const unknown = [...values.keys()].find((name) => !inputs.some((input) => input.name === name));
  if (unknown !== undefined) throw new CannotError(`the model has no input "${unknown}"`);
  return inputs.map(({ name, type, shape, bytes: needed }) => {
    const value = values.get(name);
    if (value === undefined) throw new CannotError(`input "${name}" is missing`);
    if (value.type !== type) throw new CannotError(`input "${name}" is of ${type}, not ${value.type}`);
    const { buffer, byteOffset, byteLength } = value.data as Elements; // no stream has texts
    if (value.shape.join() !== shape.join() || byteLength !== needed) {
      throw new CannotError(`input "${name}" has the shape [${shape.join(", ")}], not [${value.shape.join(", ")}]`);
    }
    const bytes = new Uint8Array(buffer, byteOffset, byteLength);
    if (!copy) return bytes;
    const own = Buffer.allocUnsafeSlow(Math.max(1, needed));
    own.set(bytes);
    return own;
  });
}
