/**
 * BMP: 1, 4, 8, 16, 24 and 32 bits a pixel, uncompressed or with bit masks, of every header version.
 * https://learn.microsoft.com/windows/win32/gdi/bitmap-storage
 */

import { Cursor } from "../base/bytes.ts";
import { checkMeasures } from "./measures.ts";
import type { Picture } from "./picture.ts";

/** BITMAPFILEHEADER, and BITMAPCOREHEADER, the first version of what follows it. */
const [FILE_HEADER, CORE_HEADER] = [14, 12];
/** BITMAPINFOHEADER; versions 2 and 3 put masks behind it. */
const INFO_HEADER = 40;
/** Compression. */
const [BI_RGB, BI_BITFIELDS, BI_ALPHABITFIELDS] = [0, 3, 6];
const compressions: Readonly<Record<number, string>> = { 1: "run-length", 2: "run-length", 4: "JPEG", 5: "PNG" };

interface Header {
  readonly width: number;
  readonly height: number;
  readonly topDown: boolean;
  readonly bits: number;
  readonly data: number;
  /** RGB of each entry; empty above 8 bits. */
  readonly palette: Uint8Array;
  /** Red, green, blue, alpha. */
  readonly masks: readonly number[];
}

/** Throws FileError with the offset. */
export function decodeBmp(bytes: Uint8Array, path: string): Picture {
  const cursor = new Cursor(bytes, path);
  const header = readHeader(cursor);
  const { width, height, topDown, bits, data, masks } = header;
  const stride = Math.ceil((width * bits) / 32) * 4;
  const last = Math.ceil((width * bits) / 8);
  if (data + stride * (height - 1) + last > bytes.length) {
    cursor.fail(`${height} rows of ${stride} bytes, ${Math.max(0, bytes.length - data)} are there`, data);
  }
  const channels = bits > 8 && (masks[3] ?? 0) !== 0 ? 4 : 3;
  const out = new Uint8Array(width * height * channels);
  for (let y = 0; y < height; y++) {
    const row = data + stride * (topDown ? y : height - 1 - y);
    const to = y * width * channels;
    if (bits <= 8) indexed(cursor, header, row, out, to);
    else if (bits === 24) {
      for (let x = 0, from = row, at = to; x < width; x++, from += 3, at += 3) {
        out[at] = bytes[from + 2] ?? 0;
        out[at + 1] = bytes[from + 1] ?? 0;
        out[at + 2] = bytes[from] ?? 0;
      }
    } else masked(cursor, header, row, out, to);
  }
  return { width, height, channels, data: out, done: [] };
}

function readHeader(cursor: Cursor): Header {
  const { bytes } = cursor;
  const data = cursor.seek(10).u32();
  const size = cursor.u32();
  const core = size === CORE_HEADER;
  const width = core ? cursor.u16() : cursor.u32() | 0;
  const signed = core ? cursor.u16() : cursor.u32() | 0;
  const height = Math.abs(signed);
  checkMeasures(cursor.path, width, height, FILE_HEADER + 4);
  cursor.skip(2); // planes
  const at = cursor.offset;
  const bits = cursor.u16();
  if (![1, 4, 8, 16, 24, 32].includes(bits)) cursor.fail(`${bits} bits a pixel`, at);
  const compression = core ? BI_RGB : cursor.u32();
  if (![BI_RGB, BI_BITFIELDS, BI_ALPHABITFIELDS].includes(compression)) {
    cursor.fail(
      `its ${compressions[compression] ?? `${compression}.`} compression is not read; save it uncompressed`,
      at + 2,
    );
  }
  const used = core ? 0 : cursor.seek(FILE_HEADER + 32).u32();
  const colours = bits > 8 ? 0 : Math.min(used === 0 ? 2 ** bits : used, 2 ** bits);
  const withMasks = compression !== BI_RGB && (bits === 16 || bits === 32);
  const behind = withMasks && size === INFO_HEADER ? (compression === BI_ALPHABITFIELDS ? 16 : 12) : 0;
  const start = FILE_HEADER + size + behind;
  const entry = core ? 3 : 4;
  if (start + colours * entry > bytes.length) cursor.fail("the palette is cut short", bytes.length);
  if (data < start + colours * entry) cursor.fail(`its pixels begin at ${data}, inside its header`, 10);
  const palette = new Uint8Array(colours * 3);
  for (let i = 0; i < colours; i++) {
    for (let c = 0; c < 3; c++) palette[i * 3 + c] = bytes[start + i * entry + 2 - c] ?? 0;
  }
  return { width, height, topDown: signed < 0, bits, data, palette, masks: readMasks() };

  function readMasks(): readonly number[] {
    if (!withMasks) return bits === 16 ? [0x7c00, 0x03e0, 0x001f, 0] : [0x00ff0000, 0x0000ff00, 0x000000ff, 0];
    cursor.seek(FILE_HEADER + INFO_HEADER);
    const rgb = [cursor.u32(), cursor.u32(), cursor.u32()];
    // Version 3 and later have a mask for alpha; OS/2's header of 64 bytes has something else there.
    const alpha = size > 52 && size !== 64 ? cursor.u32() : behind === 16 ? cursor.u32() : 0;
    return [...rgb, alpha];
  }
}

function indexed(cursor: Cursor, { width, bits, palette }: Header, row: number, out: Uint8Array, to: number): void {
  const mask = 2 ** bits - 1;
  for (let x = 0; x < width; x++, to += 3) {
    const bit = x * bits;
    const index = ((cursor.bytes[row + (bit >> 3)] ?? 0) >> (8 - bits - (bit & 7))) & mask;
    if (index * 3 >= palette.length)
      cursor.fail(`colour ${index} of a palette of ${palette.length / 3}`, row + (bit >> 3));
    out[to] = palette[index * 3] ?? 0;
    out[to + 1] = palette[index * 3 + 1] ?? 0;
    out[to + 2] = palette[index * 3 + 2] ?? 0;
  }
}

function masked({ bytes }: Cursor, { width, bits, masks }: Header, row: number, out: Uint8Array, to: number): void {
  const parts = masks.filter((mask, at) => at < 3 || mask !== 0).map(partOf);
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  for (let x = 0; x < width; x++) {
    const pixel = bits === 16 ? view.getUint16(row + x * 2, true) : view.getUint32(row + x * 4, true);
    for (const { mask, shift, most } of parts) {
      const value = (pixel & mask) >>> shift;
      out[to++] = most === 0 ? 0 : Math.round((value * 255) / most);
    }
  }
}

function partOf(mask: number): { mask: number; shift: number; most: number } {
  const shift = mask === 0 ? 0 : 31 - Math.clz32(mask & -mask);
  return { mask, shift, most: mask >>> shift };
}
