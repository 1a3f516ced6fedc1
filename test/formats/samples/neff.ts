/** NEFF: the header AWS documents, and an archive of a subgraph with its definition, code and weights; packed and not. */

import { gzipSync } from "node:zlib";
import type { Samples } from "./samples.ts";

export function entry(name: string, data: Buffer | string, type = "0"): Buffer {
  const bytes = Buffer.from(data);
  const header = Buffer.alloc(512);
  header.write(name, 0);
  header.write("0000644\0", 100);
  header.write(`${bytes.length.toString(8).padStart(11, "0")}\0`, 124);
  header.write("        ", 148);
  header.write(type, 156);
  header.write("ustar\x0000", 257, "latin1");
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return Buffer.concat([header, bytes, Buffer.alloc((512 - (bytes.length % 512)) % 512)]);
}

const definition = JSON.stringify({
  var: {
    "input.1": { type: "input", var_id: 0, size: 602112 },
    weight0: { type: "file", var_id: 1, size: 4, file_name: "w.npy" },
    "output.9": { type: "output", var_id: 2, size: 4000 },
  },
});
const noise = Buffer.from(Array.from({ length: 700 }, (_, at) => (at * 2654435761) >>> 13));
const tar = Buffer.concat([
  entry("neff.json", "{}"),
  entry("sg00/", "", "5"),
  entry("sg00/def.json", definition),
  entry("sg00/pe.bin", noise),
  entry("w.npy", Buffer.alloc(96, 1)),
  Buffer.alloc(1024),
]);

export function header(version: number, bytes: number): Buffer {
  const out = Buffer.alloc(1024);
  for (const [at, value] of [version, 1024, bytes, 2, 0].entries()) out.writeBigUInt64LE(BigInt(value), at * 8);
  out.write("2.0.21884.0%kaena-tools/develop@6c66f4b", 40, "latin1");
  out.writeUInt32LE(1, 168);
  out.fill(0xab, 172, 188);
  out.fill(0xcd, 204, 220);
  out.write("resnet", 220, "latin1");
  out.writeUInt32LE(2, 476);
  out[480] = 1;
  out.writeBigUInt64LE(5n, 544);
  out.writeUInt32LE(2, 552);
  return out;
}

const packed = gzipSync(tar);

export const samples: Samples = {
  "packed.neff": () => Buffer.concat([header(2, packed.length), packed]),
  "plain.neff": () => Buffer.concat([header(1, tar.length), tar]),
};
