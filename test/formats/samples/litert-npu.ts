/** LiteRT compiled ahead of time: byte code behind the flatbuffer, which the operator's options point at; and as metadata, of old files. */

import { compiled, flexMap, type Compiled } from "../build/tflite.ts";
import type { Samples } from "./samples.ts";

const CODE = "DISPATCH_OP";

/** Two texts of 125 bytes. */
export function stamp(maker: string, chip: string): Uint8Array {
  const bytes = new Uint8Array(250);
  bytes.set(Buffer.from(maker, "latin1"), 0);
  bytes.set(Buffer.from(chip, "latin1"), 125);
  return bytes;
}

/** Begins as a QNN context does, and names the SDK. */
export const context = (): Uint8Array =>
  Uint8Array.from([
    0,
    0,
    0,
    2,
    0,
    0,
    0,
    3,
    ...Buffer.from("v2.40.0.251030114326_189385\0", "latin1"),
    ...Array<number>(92),
  ]);

export function dispatch(code: Uint8Array, more: Partial<Compiled> = {}): Uint8Array {
  const made = (at: number): Uint8Array =>
    compiled({
      code: CODE,
      options: flexMap({ bytecode_offset: at, bytecode_size: code.length, name: "partition_0" }),
      ...more,
    });
  const at = made(0).length;
  return Uint8Array.from([...made(at), ...code]);
}

/** A word, then offset and size as texts of 11 bytes each. */
function old(code: Uint8Array): Uint8Array {
  const made = (at: number): Uint8Array => {
    const place = Buffer.alloc(37);
    place.write("<npu_byte_code>", 0);
    place.write(String(at), 15);
    place.write(String(code.length), 26);
    return compiled({ code: CODE, metadata: { NPU_BYTE_CODE: place, LiteRtStamp: new Uint8Array(251) } });
  };
  const at = made(0).length;
  return Uint8Array.from([...made(at), ...code]);
}

export const samples: Samples = {
  "litert_qualcomm.tflite": () => dispatch(context(), { metadata: { LiteRtStamp: stamp("Qualcomm", "SM8750") } }),
  "litert_mediatek.tflite": () =>
    dispatch(new Uint8Array(64).fill(7), { metadata: { LiteRtStamp: stamp("MediaTek", "mt6989") }, cpu: true }),
  "litert_unstamped.tflite": () => dispatch(new Uint8Array(48).fill(9), { operators: 2 }),
  "litert_old.tflite": () => old(new Uint8Array(96).fill(5)),
};
