/** Small pictures written for tests: every way of packing that the readers must know. */

import * as zlib from "node:zlib";

export function withBytes(bytes: Uint8Array, changes: Readonly<Record<number, number>>): Uint8Array {
  const out = Uint8Array.from(bytes);
  for (const [at, value] of Object.entries(changes)) out[Number(at)] = value;
  return out;
}

export function chunk(name: string, body: Uint8Array): Uint8Array {
  const out = Buffer.alloc(12 + body.length);
  out.writeUInt32BE(body.length, 0);
  out.write(name, 4, "latin1");
  out.set(body, 8);
  out.writeUInt32BE(zlib.crc32(out.subarray(4, 8 + body.length)), 8 + body.length);
  return out;
}

export interface PngOptions {
  readonly width: number;
  readonly height: number;
  readonly depth: number;
  readonly type: number;
  /** Samples in bytes below 8 bits; as in the file above. */
  readonly data: Uint8Array;
  readonly filter: number;
  readonly interlace?: number;
  readonly extra?: readonly Uint8Array[];
  /** Instead of what is made from `data`. */
  readonly raw?: Uint8Array;
}

export function png(options: PngOptions): Uint8Array {
  const { width, height, depth, type, data, filter, interlace = 0, extra = [], raw } = options;
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([depth, type, 0, 0, interlace], 8);
  const samples = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 }[type] ?? 1;
  const wide = Math.max(1, (samples * depth) / 8);
  const steps =
    interlace === 0
      ? [[0, 0, 1, 1]]
      : [
          [0, 0, 8, 8],
          [4, 0, 8, 8],
          [0, 4, 4, 8],
          [2, 0, 4, 4],
          [0, 2, 2, 4],
          [1, 0, 2, 2],
          [0, 1, 1, 2],
        ];
  const out: number[] = [];
  for (const [x0 = 0, y0 = 0, dx = 1, dy = 1] of steps) {
    let above: number[] = [];
    for (let y = y0; y < height && x0 < width; y += dy) {
      const line: number[] = [];
      let bit = 0;
      for (let x = x0; x < width; x += dx) {
        const at = (y * width + x) * (depth < 8 ? 1 : wide);
        if (depth >= 8) line.push(...data.subarray(at, at + wide));
        else {
          if (bit % 8 === 0) line.push(0);
          line[line.length - 1] = (line.at(-1) ?? 0) | ((data[at] ?? 0) << (8 - depth - (bit % 8)));
          bit += depth;
        }
      }
      out.push(filter, ...filtered(line, above, wide, filter));
      above = line;
    }
  }
  return Buffer.concat([
    Buffer.from("\x89PNG\r\n\x1a\n", "latin1"),
    chunk("IHDR", header),
    ...extra,
    chunk("IDAT", zlib.deflateSync(raw ?? Uint8Array.from(out))),
    chunk("IEND", new Uint8Array()),
  ]);
}

function filtered(line: readonly number[], above: readonly number[], wide: number, filter: number): number[] {
  return line.map((value, i) => {
    const [left, up, corner] = [line[i - wide] ?? 0, above[i] ?? 0, i < wide ? 0 : (above[i - wide] ?? 0)];
    const guess = left + up - corner;
    const by = [left, up, corner].map((one) => Math.abs(guess - one));
    const [a = 0, b = 0, c = 0] = by;
    const paeth = a <= b && a <= c ? left : b <= c ? up : corner;
    const taken = [0, left, up, (left + up) >> 1, paeth][filter] ?? 0;
    return (value - taken) & 0xff;
  });
}

export interface BmpOptions {
  readonly width: number;
  readonly height: number;
  /** RGB, or indexes below 16 bits. */
  readonly data: Uint8Array;
  readonly bits: number;
  readonly topDown?: boolean;
  readonly palette?: readonly number[];
  readonly masks?: readonly number[];
  /** Pixels of 16 bits, instead of `data`. */
  readonly words?: readonly number[];
}

export function bmp({
  width,
  height,
  data,
  bits,
  topDown = false,
  palette = [],
  masks,
  words,
}: BmpOptions): Uint8Array {
  const stride = Math.ceil((width * bits) / 32) * 4;
  const start = 54 + (palette.length / 3) * 4 + (masks ? 12 : 0);
  const out = Buffer.alloc(start + stride * height);
  out.write("BM", 0, "latin1");
  out.writeUInt32LE(out.length, 2);
  out.writeUInt32LE(start, 10);
  out.writeUInt32LE(40, 14);
  out.writeInt32LE(width, 18);
  out.writeInt32LE(topDown ? -height : height, 22);
  out.writeUInt16LE(1, 26);
  out.writeUInt16LE(bits, 28);
  out.writeUInt32LE(masks ? 3 : 0, 30);
  out.writeUInt32LE(palette.length / 3, 46);
  masks?.forEach((mask, i) => out.writeUInt32LE(mask, 54 + i * 4));
  for (let i = 0; i < palette.length / 3; i++) {
    for (let c = 0; c < 3; c++) out[54 + i * 4 + 2 - c] = palette[i * 3 + c] ?? 0;
  }
  for (let y = 0; y < height; y++) {
    const row = start + stride * (topDown ? y : height - 1 - y);
    for (let x = 0; x < width; x++) {
      const at = y * width + x;
      if (bits < 16) {
        const bit = x * bits;
        const byte = row + (bit >> 3);
        out[byte] = (out[byte] ?? 0) | ((data[at] ?? 0) << (8 - bits - (bit & 7)));
      } else if (bits === 16) out.writeUInt16LE(words?.[at] ?? 0, row + x * 2);
      else {
        const wide = bits / 8;
        // Masks in these tests say that red comes first.
        for (let c = 0; c < 3; c++) out[row + x * wide + (masks ? c : 2 - c)] = data[at * 3 + c] ?? 0;
      }
    }
  }
  return out;
}

/** An APP1 segment with an orientation. */
export function exif(orientation: number, little: boolean): Uint8Array {
  const tiff = new DataView(new ArrayBuffer(26));
  tiff.setUint16(0, little ? 0x4949 : 0x4d4d);
  tiff.setUint16(2, 42, little);
  tiff.setUint32(4, 8, little);
  tiff.setUint16(8, 1, little);
  tiff.setUint16(10, 0x0112, little);
  tiff.setUint16(12, 3, little);
  tiff.setUint32(14, 1, little);
  tiff.setUint16(18, orientation, little);
  const body = Buffer.concat([Buffer.from("Exif\0\0", "latin1"), new Uint8Array(tiff.buffer)]);
  return Buffer.concat([Uint8Array.of(0xff, 0xe1, 0, body.length + 2), body]);
}

/** The JPEG with a segment behind its start. */
export function jpegWith(jpeg: Uint8Array, segment: Uint8Array): Uint8Array {
  return Buffer.concat([jpeg.subarray(0, 2), segment, jpeg.subarray(2)]);
}
