/**
 * JPEG: baseline, extended and progressive, grey, YCbCr, RGB and CMYK, by jpeg-js; turned upright by its EXIF orientation. jpeg-js
 * repeats chroma samples where libjpeg interpolates: at edges of colour the two differ. ITU-T T.81; CIPA DC-008 (EXIF).
 */

import { Cursor, latin1 } from "../base/bytes.ts";
import { FileError } from "../base/errors.ts";
import { requireLate } from "../base/package.ts";
import { checkMeasures } from "./measures.ts";
import { PIXEL_LIMIT, type Picture } from "./picture.ts";
import { turned } from "./turn.ts";

/** Progressive files seen have up to a dozen scans; each costs a walk over all blocks. */
const SCAN_LIMIT = 100;
/** jpeg-js holds coefficients as 32-bit integers: some 15 bytes a pixel. */
const MEMORY_LIMIT_MB = 1024;
const BLOCK = 64;

/** Markers: start of frame of the kinds that are read, of a scan, end of the picture. */
const FRAMES: readonly number[] = [0xc0, 0xc1, 0xc2];
const [SOI, EOI, SOS, DHT, JPG, DAC, APP1, APP14] = [0xd8, 0xd9, 0xda, 0xc4, 0xc8, 0xcc, 0xe1, 0xee];

interface JpegImage {
  decode(bytes: Uint8Array, options: object): { width: number; height: number; data: Uint8Array };
}

interface Facts {
  readonly components: number;
  /** EXIF: 1 to 8. */
  readonly orientation: number;
  /** Adobe's marker: 0 is RGB or CMYK, 1 YCbCr, 2 YCCK. */
  readonly transform?: number;
}

/** Throws FileError, with the offset where one is known. */
export function decodeJpeg(bytes: Uint8Array, path: string): Picture {
  const { components, orientation, transform } = walk(bytes, path);
  const library = requireLate("jpeg-js") as JpegImage;
  let decoded: ReturnType<JpegImage["decode"]>;
  try {
    decoded = library.decode(bytes, {
      useTArray: true,
      formatAsRGBA: false,
      tolerantDecoding: false,
      maxResolutionInMP: PIXEL_LIMIT / 1e6,
      maxMemoryUsageInMB: MEMORY_LIMIT_MB,
      // Three components are YCbCr unless Adobe's marker says that they are RGB.
      ...(components === 3 && transform === 0 ? { colorTransform: false } : {}),
    });
  } catch (error) {
    const words =
      error instanceof Error && !(error instanceof TypeError) ? error.message : "its data contradicts its header";
    throw new FileError(path, `the JPEG cannot be decoded: ${words}`, undefined, { cause: error });
  }
  const { width, height, data } = decoded;
  if (orientation === 1) return { width, height, channels: 3, data, done: [] };
  const done = [`turned as its EXIF orientation ${orientation} says`];
  return { ...turned({ width, height, channels: 3, data }, orientation), done };
}

/** The file's segments up to its end: sizes, and everything that must hold before a decoder is let loose on it. */
function walk(bytes: Uint8Array, path: string): Facts {
  const cursor = new Cursor(bytes, path, { littleEndian: false });
  if (cursor.u16() !== 0xff00 + SOI) cursor.fail("no JPEG begins here", 0);
  let [components, blocks, scans, orientation] = [0, 0, 0, 1];
  let transform: number | undefined;
  for (;;) {
    const at = cursor.offset;
    const marker = nextMarker(cursor);
    if (marker === EOI) {
      if (scans === 0) cursor.fail("it holds no picture", at);
      return { components, orientation, ...(transform === undefined ? {} : { transform }) };
    }
    const length = cursor.u16();
    if (length < 2) cursor.fail(`a segment of ${length} bytes`, at);
    const body = new Cursor(cursor.take(length - 2), path, { littleEndian: false, base: at + 4 });
    if (FRAMES.includes(marker)) {
      if (components !== 0) cursor.fail("it holds a second picture", at);
      ({ components, blocks } = readFrame(body));
    } else if (marker >= 0xc0 && marker <= 0xcf && ![DHT, JPG, DAC].includes(marker)) {
      cursor.fail("lossless, hierarchical and arithmetic JPEG are not read; save it as baseline or progressive", at);
    } else if (marker === APP1) orientation = readOrientation(body.bytes) ?? orientation;
    else if (marker === APP14 && latin1(body.bytes.subarray(0, 5)) === "Adobe") transform = body.bytes[11];
    else if (marker === SOS) {
      if (components === 0) cursor.fail("a scan before its frame", at);
      if (++scans > SCAN_LIMIT) cursor.fail(`more than ${SCAN_LIMIT} scans`, at);
      const start = cursor.offset;
      skipScan(cursor);
      // The first scan holds a code of at least a bit for each block of at least one component.
      if (scans === 1 && (cursor.offset - start) * 8 < blocks) {
        cursor.fail(`${blocks} blocks in ${cursor.offset - start} bytes`, start);
      }
    }
  }
}

function readFrame(body: Cursor): { components: number; blocks: number } {
  const precision = body.u8();
  if (precision !== 8) body.fail(`samples of ${precision} bits; 8 are read`, 0);
  const [height, width] = [body.u16(), body.u16()];
  checkMeasures(body.path, width, height, 1);
  const components = body.u8();
  if (![1, 3, 4].includes(components)) body.fail(`${components} components`, 5);
  let [most, least] = [1, 16];
  for (let i = 0; i < components; i++) {
    body.skip(1);
    const factors = body.u8();
    const [h, v] = [factors >> 4, factors & 15];
    if (h < 1 || h > 4 || v < 1 || v > 4) body.fail(`sampling factors ${h}x${v}`, body.offset - 1);
    most = Math.max(most, h * v);
    least = Math.min(least, h * v);
    body.skip(1);
  }
  return { components, blocks: Math.floor((width * height * least) / (BLOCK * most)) };
}

/** 0xff as often as it likes, then the marker. */
function nextMarker(cursor: Cursor): number {
  const at = cursor.offset;
  if (cursor.left < 2) cursor.fail("the file ends before its end marker");
  // Some phones write a few bytes too many: they are skipped, as every decoder does.
  while (cursor.left > 1 && cursor.bytes[cursor.offset] !== 0xff) cursor.skip(1);
  while (cursor.left > 1 && cursor.bytes[cursor.offset] === 0xff) cursor.skip(1);
  const marker = cursor.u8();
  if (marker === 0xff || marker === 0) cursor.fail("no marker where one should be", at);
  return marker;
}

/** To the first marker that is no part of coded data: 0xff00 is a byte 0xff, 0xffd0 to 0xffd7 restart. */
function skipScan(cursor: Cursor): void {
  const { bytes } = cursor;
  let at = cursor.offset;
  for (;;) {
    at = bytes.indexOf(0xff, at);
    const next = at < 0 ? undefined : bytes[at + 1];
    if (next === undefined) cursor.fail("the file ends within its coded data", bytes.length);
    if (next !== 0 && next !== 0xff && !(next >= 0xd0 && next <= 0xd7)) break;
    at += next === 0xff ? 1 : 2;
  }
  cursor.seek(at);
}

/** Tag 0x0112 of the first directory of the TIFF inside. Broken EXIF is no reason not to see the picture. */
function readOrientation(body: Uint8Array): number | undefined {
  if (latin1(body.subarray(0, 6)) !== "Exif\0\0" || body.length < 14) return undefined;
  const view = new DataView(body.buffer, body.byteOffset + 6, body.length - 6);
  const little = view.getUint16(0) === 0x4949;
  const directory = view.getUint32(4, little);
  if (directory + 2 > view.byteLength) return undefined;
  const entries = view.getUint16(directory, little);
  for (let at = directory + 2, i = 0; i < entries && at + 12 <= view.byteLength; i++, at += 12) {
    if (view.getUint16(at, little) !== 0x0112) continue;
    const value = view.getUint16(at + 8, little);
    return value >= 1 && value <= 8 ? value : undefined;
  }
  return undefined;
}
