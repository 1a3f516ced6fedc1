/**
 * PNG: every colour type and depth, interlaced or not; 16-bit samples as their upper 8 bits, as OpenCV reads them. Inflated by
 * Node's zlib, which can be told where to stop: a stream that holds more than the picture is refused before it fills the memory.
 * https://www.w3.org/TR/png-3/
 */

import * as zlib from "node:zlib";
import { Cursor, latin1 } from "../base/bytes.ts";
import { FileError } from "../base/errors.ts";
import { checkMeasures } from "./measures.ts";
import type { Picture } from "./picture.ts";

const SIGNATURE = "\x89PNG\r\n\x1a\n";
/** Some encoders write a few bytes behind the last row. */
const SLACK = 4096;

/** Samples of a pixel, and the depths they may have, by colour type. */
const colourTypes: Readonly<Record<number, { readonly samples: number; readonly depths: readonly number[] }>> = {
  0: { samples: 1, depths: [1, 2, 4, 8, 16] },
  2: { samples: 3, depths: [8, 16] },
  3: { samples: 1, depths: [1, 2, 4, 8] },
  4: { samples: 2, depths: [8, 16] },
  6: { samples: 4, depths: [8, 16] },
};
const [GREY, INDEXED] = [0, 3];

/** Adam7: first column, first row, steps. */
const passes: readonly (readonly [number, number, number, number])[] = [
  [0, 0, 8, 8],
  [4, 0, 8, 8],
  [0, 4, 4, 8],
  [2, 0, 4, 4],
  [0, 2, 2, 4],
  [1, 0, 2, 2],
  [0, 1, 1, 2],
];
const whole: typeof passes = [[0, 0, 1, 1]];

interface Png {
  readonly width: number;
  readonly height: number;
  readonly depth: number;
  readonly type: number;
  readonly samples: number;
  readonly interlaced: boolean;
  palette?: Uint8Array;
  /** The tRNS chunk: alpha of palette entries, or the one colour that is transparent. */
  transparent?: Uint8Array;
  readonly parts: Uint8Array[];
  /** Where the first IDAT begins. */
  data: number;
}

/** Throws FileError with the offset. */
export function decodePng(bytes: Uint8Array, path: string): Picture {
  const png = readChunks(bytes, path);
  const { width, height, depth, samples, interlaced, data } = png;
  if (png.type === INDEXED && png.palette === undefined) throw new FileError(path, "it has no palette", data);
  const shapes = (interlaced ? passes : whole)
    .map(([x, y, dx, dy]) => ({
      x,
      y,
      dx,
      dy,
      columns: Math.ceil((width - x) / dx),
      rows: Math.ceil((height - y) / dy),
    }))
    .filter(({ columns, rows }) => columns > 0 && rows > 0);
  const rowBytes = (columns: number): number => Math.ceil((columns * samples * depth) / 8);
  const expected = shapes.reduce((sum, { columns, rows }) => sum + rows * (1 + rowBytes(columns)), 0);
  const raw = inflate(png, expected, path);
  const wide = Math.max(1, (samples * depth) / 8);
  const channels = png.transparent !== undefined || samples === 2 || samples === 4 ? 4 : 3;
  const out = new Uint8Array(width * height * channels);
  const colour = colourer(png, path, channels);
  // Rows of 8-bit RGB and RGBA lie in the file as they lie here.
  const straight = depth === 8 && samples === channels && !interlaced;
  let from = 0;
  for (const { x, y, dx, dy, columns, rows } of shapes) {
    const length = rowBytes(columns);
    let above: Uint8Array = new Uint8Array(length);
    for (let row = 0; row < rows; row++, from += length + 1) {
      const line = raw.subarray(from + 1, from + 1 + length);
      if (!unfilter(raw[from] ?? 0, line, above, wide)) {
        throw new FileError(path, `row ${y + row * dy} has the unknown filter ${raw[from] ?? 0}`, data);
      }
      const start = ((y + row * dy) * width + x) * channels;
      if (straight) out.set(line, start);
      else for (let column = 0; column < columns; column++) colour(line, column, out, start + column * dx * channels);
      above = line;
    }
  }
  return { width, height, channels, data: out, done: [] };
}

function readChunks(bytes: Uint8Array, path: string): Png {
  const cursor = new Cursor(bytes, path, { littleEndian: false });
  if (latin1(bytes.subarray(0, 8)) !== SIGNATURE) cursor.fail("no PNG begins here", 0);
  cursor.seek(8);
  let png: Png | undefined;
  for (;;) {
    const at = cursor.offset;
    if (cursor.left < 12) cursor.fail("the file ends before its IEND chunk");
    const length = cursor.u32();
    const name = latin1(cursor.take(4));
    if (length > cursor.left - 4)
      cursor.fail(`its ${JSON.stringify(name)} chunk has ${length} bytes, ${cursor.left} are left`, at);
    const body = cursor.take(length);
    const sum = cursor.u32();
    if (/^[A-Z]/.test(name) && zlib.crc32(bytes.subarray(at + 4, at + 8 + length)) !== sum) {
      cursor.fail(`its ${name} chunk is damaged: the checksum differs`, at);
    }
    if (png === undefined) {
      if (name !== "IHDR" || length !== 13) cursor.fail("it does not begin with its header", at);
      png = readHeader(new Cursor(body, path, { littleEndian: false, base: at + 8 }));
    } else if (name === "PLTE") {
      if (length % 3 !== 0 || length === 0 || length > 768) cursor.fail(`a palette of ${length} bytes`, at);
      png.palette = body;
    } else if (name === "tRNS") {
      if (png.type > INDEXED || length === 0 || (png.type !== INDEXED && length !== png.samples * 2)) {
        cursor.fail(`transparency of ${length} bytes with colour type ${png.type}`, at);
      }
      png.transparent = body;
    } else if (name === "IDAT") {
      if (png.parts.length === 0) png.data = at;
      png.parts.push(body);
    } else if (name === "IEND") {
      if (png.parts.length === 0) cursor.fail("it holds no pixels", at);
      return png;
    } else if (/^[A-Z]/.test(name)) cursor.fail(`its chunk ${JSON.stringify(name)} is not known`, at);
  }
}

function readHeader(cursor: Cursor): Png {
  const [width, height] = [cursor.u32(), cursor.u32()];
  checkMeasures(cursor.path, width, height, 16);
  const [depth, type] = [cursor.u8(), cursor.u8()];
  const known = colourTypes[type];
  if (known?.depths.includes(depth) !== true) cursor.fail(`${depth} bits with colour type ${type}`, 8);
  const [compression, filter, interlace] = [cursor.u8(), cursor.u8(), cursor.u8()];
  if (compression !== 0 || filter !== 0 || interlace > 1) {
    cursor.fail(`compression ${compression}, filter ${filter}, interlace ${interlace}`, 10);
  }
  return { width, height, depth, type, samples: known.samples, interlaced: interlace === 1, parts: [], data: 0 };
}

function inflate({ parts, data }: Png, expected: number, path: string): Uint8Array {
  let raw: Uint8Array;
  try {
    raw = zlib.inflateSync(parts.length === 1 ? (parts[0] ?? new Uint8Array()) : Buffer.concat(parts), {
      maxOutputLength: expected + SLACK,
      chunkSize: Math.min(Math.max(expected, 1024), 4 * 1024 * 1024),
    });
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "";
    const words = error instanceof Error ? error.message : String(error);
    const says = code === "ERR_BUFFER_TOO_LARGE" ? `its pixels are more than the ${expected} bytes of its size` : words;
    throw new FileError(path, `its pixels do not inflate: ${says}`, data, { cause: error });
  }
  if (raw.length < expected) throw new FileError(path, `it holds ${raw.length} bytes of pixels, not ${expected}`, data);
  return raw;
}

/** In place. False for a filter that does not exist. */
function unfilter(filter: number, line: Uint8Array, above: Uint8Array, wide: number): boolean {
  const length = line.length;
  if (filter === 0) return true;
  if (filter === 1) {
    for (let i = wide; i < length; i++) line[i] = (line[i] ?? 0) + (line[i - wide] ?? 0);
  } else if (filter === 2) {
    for (let i = 0; i < length; i++) line[i] = (line[i] ?? 0) + (above[i] ?? 0);
  } else if (filter === 3) {
    for (let i = 0; i < length; i++) {
      line[i] = (line[i] ?? 0) + (((i < wide ? 0 : (line[i - wide] ?? 0)) + (above[i] ?? 0)) >> 1);
    }
  } else if (filter === 4) {
    for (let i = 0; i < length; i++) {
      const left = i < wide ? 0 : (line[i - wide] ?? 0);
      const up = above[i] ?? 0;
      const corner = i < wide ? 0 : (above[i - wide] ?? 0);
      const [pa, pb, pc] = [Math.abs(up - corner), Math.abs(left - corner), Math.abs(left + up - 2 * corner)];
      line[i] = (line[i] ?? 0) + (pa <= pb && pa <= pc ? left : pb <= pc ? up : corner);
    }
  } else return false;
  return true;
}

/** Writes the pixel of a column of a line to `out`. */
type Colour = (line: Uint8Array, column: number, out: Uint8Array, to: number) => void;

function colourer(png: Png, path: string, channels: 3 | 4): Colour {
  const { type, depth, samples, transparent } = png;
  if (type === INDEXED) return indexed(png, path, channels);
  const grey = type === GREY || samples === 2;
  if (depth < 8) return packed(png, channels);
  const bytes = depth / 8;
  const pixel = samples * bytes;
  // The one transparent colour is compared in the file's own depth.
  const key = transparent?.filter((_, at) => depth === 16 || at % 2 === 1);
  const alpha = samples === 2 || samples === 4;
  return (line, column, out, to) => {
    const from = column * pixel;
    out[to] = line[from] ?? 0;
    out[to + 1] = line[grey ? from : from + bytes] ?? 0;
    out[to + 2] = line[grey ? from : from + 2 * bytes] ?? 0;
    if (alpha) out[to + 3] = line[from + (samples - 1) * bytes] ?? 0;
    else if (key !== undefined) out[to + 3] = key.every((byte, at) => byte === line[from + at]) ? 0 : 255;
  };
}

const sample = (line: Uint8Array, column: number, depth: number): number => {
  const bit = column * depth;
  return ((line[bit >> 3] ?? 0) >> (8 - depth - (bit & 7))) & (2 ** depth - 1);
};

/** Grey of less than 8 bits, stretched to 0..255. */
function packed({ depth, transparent }: Png, channels: 3 | 4): Colour {
  const scale = 255 / (2 ** depth - 1);
  const key = transparent?.[1];
  return (line, column, out, to) => {
    const value = sample(line, column, depth);
    out.fill(value * scale, to, to + 3);
    if (channels === 4) out[to + 3] = value === key ? 0 : 255;
  };
}

function indexed({ palette = new Uint8Array(), depth, transparent, data }: Png, path: string, channels: 3 | 4): Colour {
  return (line, column, out, to) => {
    const index = sample(line, column, depth);
    if (index * 3 >= palette.length) {
      throw new FileError(path, `colour ${index} of a palette of ${palette.length / 3}`, data);
    }
    for (let c = 0; c < 3; c++) out[to + c] = palette[index * 3 + c] ?? 0;
    if (channels === 4) out[to + 3] = transparent?.[index] ?? 255;
  };
}
