/** Edge TPU: a package of two executables, one that keeps parameters on the chip; and one of several chips. */

import { blob, compiled, flexMap } from "../build/tflite.ts";
import { flatBuffer, string, table, u16, u32, u64, vector, type Value } from "../build/flatbuffer.ts";
import type { Samples } from "./samples.ts";

export const [STAND_ALONE, PARAMETER_CACHING, EXECUTION_ONLY] = [0, 1, 2] as const;

export interface Executable {
  readonly type: number;
  readonly code: readonly number[];
  readonly parameters?: number;
  readonly chip?: string;
}

const executable = ({ type, code, parameters, chip }: Executable): Uint8Array =>
  flatBuffer(
    table({
      3: u32(1),
      4: u32(type === PARAMETER_CACHING ? 0 : 256),
      5: vector(...code.map((bytes) => table({ 0: blob(new Uint8Array(bytes).fill(0x5a)) }))),
      ...(parameters === undefined ? {} : { 6: blob(new Uint8Array(parameters).fill(0xa5)) }),
      8: vector(table({ 0: string("image"), 1: u32(192) })),
      ...(chip === undefined ? {} : { 10: string(chip) }),
      11: u32(type === PARAMETER_CACHING ? 0 : 1234),
      13: u16(type),
      14: u64(0xfeedn),
    }),
  );

/** A DarwiNN package; `inner`: for further chips. */
export function packageOf(
  executables: readonly Executable[],
  inner: readonly Uint8Array[] = [],
  identifier = "DWN1",
): Uint8Array {
  const multi = flatBuffer(table({ 0: vector(...executables.map((one): Value => blob(executable(one)))) }));
  return flatBuffer(
    table({
      0: u32(14),
      1: blob(multi),
      4: string("16.0.384591198"),
      5: u32(inner.length > 0 ? 1 : 0),
      ...(inner.length > 0 ? { 6: vector(...inner.map((one) => table({ 0: blob(one) }))) } : {}),
      7: string("mobile"),
    }),
    identifier,
  );
}

export const edgeTpu = (options: Uint8Array, cpu = false): Uint8Array =>
  compiled({ code: "edgetpu-custom-op", options, cpu, description: "Exported from Subgraph." });

const cached: readonly Executable[] = [
  { type: PARAMETER_CACHING, code: [48], parameters: 640, chip: "beagle" },
  { type: EXECUTION_ONLY, code: [128, 32], chip: "beagle" },
];

export const samples: Samples = {
  "cached_edgetpu.tflite": () => edgeTpu(flexMap({ "1": new Uint8Array(4), "4": packageOf(cached) }), true),
  "alone_edgetpu.tflite": () =>
    edgeTpu(flexMap({ "4": packageOf([{ type: STAND_ALONE, code: [256], parameters: 320 }]) })),
  "two_edgetpu.tflite": () => edgeTpu(flexMap({ "4": packageOf(cached, [packageOf(cached)]) })),
};
