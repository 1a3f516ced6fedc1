/** A cvimodel with its checksum: two ports, a tensor between them, weights and commands. */

import { createHash } from "node:crypto";
import { bytesOf, field } from "../../support/sealed.ts";
import { f32, flatBuffer, numbers, string, struct, table, u32, u8, vector, type Value } from "../build/flatbuffer.ts";
import type { Samples } from "./samples.ts";

const tensor = (name: string, type: number, shape: readonly number[], quantization?: number): Value =>
  table({
    1: string(name),
    3: u8(type),
    4: table({ 0: numbers(8, ...shape) }),
    ...(quantization === undefined ? {} : { 6: table({ 0: u8(2), 4: f32(quantization) }) }),
  });

export function cvimodel(
  changes: { chip?: string; target?: string; output?: string; damage?: boolean } = {},
): Uint8Array {
  const body = flatBuffer(
    table({
      0: struct(u8(1), u8(4), u8(0)),
      1: string("net"),
      2: string("2024-05-01 12:00:00"),
      5: vector(table({ 0: string("weight") })),
      6: vector(
        table({
          2: vector(string("in")),
          3: vector(string(changes.output ?? "out")),
          4: vector(tensor("in", 6, [1, 3, 4, 4], 64), tensor("middle", 6, [1]), tensor("out", 0, [1, 10])),
          5: vector(),
          6: u32(4096),
          7: u32(64),
        }),
      ),
      7: vector(
        table({ 0: u8(0), 1: string("weight"), 2: u32(6), 3: u32(0) }),
        table({ 0: u8(1), 1: string("main"), 2: u32(4), 3: u32(6) }),
      ),
      8: string(changes.target ?? "cv181x"),
      9: string("v1.12"),
    }),
  );
  const rest = bytesOf(body, "weight", "code");
  const md5 = createHash("md5").update(rest).digest();
  const bytes = bytesOf("CviModel", body.length, "\x01\x04", md5, field(changes.chip ?? "cv181x", 16), "Cv", rest);
  if (changes.damage === true) bytes[bytes.length - 1] = 0;
  return bytes;
}

export const samples: Samples = { "net.cvimodel": () => cvimodel() };
