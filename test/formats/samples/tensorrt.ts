/** TensorRT: the container of 10.x and of 8.6, the bare archives of 7.1 and 8.2, and Ultralytics' JSON before an engine. */

import type { Samples } from "./samples.ts";

const u32 = (...values: readonly number[]): Buffer => Buffer.from(Uint32Array.from(values).buffer);
const u64 = (...values: readonly number[]): Buffer => Buffer.from(BigUint64Array.from(values.map(BigInt)).buffer);

/** Tagged values: the release, then the compute capability and the clock. */
function stream(release: readonly number[], capability?: readonly number[], since8 = 0x8000): Buffer {
  const version = release.map((value) => Buffer.concat([u32(0x10002 | since8), Buffer.from([value])]));
  const numbers = capability ? [...capability, 1_377_000] : [];
  const gpu = [u32(0x10012 | since8), ...numbers.map((value) => u32(0x10007 | since8, value))];
  return Buffer.concat([...version, ...gpu, Buffer.alloc(300, 0x5a)]);
}

/** As 10.15 has them: memory and sizes, nine numbers from the clock on, then the compute capability. */
function newStream(): Buffer {
  const version = [10, 15, 1, 29].map((value) => Buffer.concat([u32(0x18002), Buffer.from([value])]));
  const sizes = [
    [0x18009, 0x2e8dc0000],
    [0x18008, 0x240000],
    [0x18008, 0x18c000],
  ].map(([tag = 0, value = 0]) => Buffer.concat([u32(tag), u64(value)]));
  const numbers = [1_808_024, 7_501_000, 192, 49_152, 102_400, 28, 0, 1024, 1024, 8, 6].map((value) =>
    u32(0x18007, value),
  );
  return Buffer.concat([
    ...version,
    u32(0x180d2, 0x18007, 0, 0x18012, 0x18010),
    ...sizes,
    ...numbers,
    Buffer.alloc(99, 0x5a),
  ]);
}

/** Header of the archive: 8.x has a word for safe engines first. */
function archive(serialization: number, body: Buffer, short = false): Buffer {
  const header = short ? [u32(serialization), u64(body.length), u32(0)] : [u32(0, serialization, 0), u64(body.length)];
  return Buffer.concat([Buffer.from("ptrt"), ...header, body]);
}

function container(release: readonly number[], sections: readonly (readonly [string, Buffer])[]): Buffer {
  let at = 32 + sections.length * 24;
  const rows: Buffer[] = [];
  const parts: Buffer[] = [];
  for (const [tag, data] of sections) {
    const padded = Buffer.concat([data, Buffer.alloc((8 - (data.length % 8)) % 8)]);
    rows.push(Buffer.from(tag), u32(0), u64(at, data.length));
    parts.push(padded);
    at += padded.length;
  }
  const head = Buffer.concat([Buffer.from("ftrt"), u32(0), u64(sections.length, at + 4), Buffer.from(release), u32(0)]);
  return Buffer.concat([head, ...rows, ...parts, Buffer.from("998b8d8b", "hex")]);
}

/** 7.x: the version first, the size before the last word. */
const oldest = (): Buffer => {
  const body = stream([7, 1, 3, 0], [7, 2], 0);
  return Buffer.concat([Buffer.from("ptrt"), u32(97, 211), u64(body.length), u32(0xa34a5421), body]);
};
const old = (): Buffer => archive(205, stream([8, 2, 1, 8], [5, 3]));
const newer = (): Buffer => container([8, 6, 1, 6], [["NGNE", archive(236, stream([8, 6, 1, 6], [8, 9]))]]);
const newest = (): Buffer =>
  container(
    [10, 15, 1, 29],
    [
      ["NGNE", archive(240, newStream(), true)],
      ["THGW", Buffer.alloc(200, 3)],
    ],
  );

const json = Buffer.from(
  JSON.stringify({
    description: "Ultralytics YOLOv8n model",
    author: "Ultralytics",
    license: "AGPL-3.0",
    version: "8.2.58",
    task: "detect",
    stride: 32,
    batch: 1,
    imgsz: [640, 640],
    names: { 0: "person", 1: "bicycle" },
  }),
);

export const samples: Samples = {
  "7.1.trt": oldest,
  "8.2.engine": old,
  "8.6.plan": newer,
  "10.15.engine": newest,
  "yolo.engine": () => Buffer.concat([u32(json.length), json, newer()]),
};
