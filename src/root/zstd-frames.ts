/**
 * Where the frames of a zstd file begin and end (RFC 8878, 3.1), by their headers alone. What unpacks them is not relied on for
 * this: Node's own reads the first frame of several, and Node 22's takes a file that is cut off for a whole one.
 */

import { FileError } from "../base/errors.ts";

/** As zstd's own command does without --long: what needs a larger window is not a file of ours. */
const WINDOW_LIMIT = 128 * 1024 * 1024;
/** Packers that work in parallel write a frame for a megabyte or more; unpacking one takes some 30 microseconds however small. */
const FRAMES_LIMIT = 20_000;

const MAGIC = 0xfd2fb528;
/** Frames for other programs, to be passed over: any of sixteen magics. */
const SKIPPABLE = 0x184d2a5;

/** The frames in order, as views into the bytes. Throws FileError where one is cut off or is none. */
export function zstdFrames(bytes: Uint8Array, path: string): Uint8Array[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const frames: Uint8Array[] = [];
  const need = (end: number): number => {
    if (end > bytes.length) throw new FileError(path, "zstd ends in the middle", bytes.length);
    return end;
  };
  let at = 0;
  while (at < bytes.length) {
    need(at + 4);
    const magic = view.getUint32(at, true);
    if (magic >>> 4 === SKIPPABLE) {
      need(at + 8);
      at = need(at + 8 + view.getUint32(at + 4, true));
      continue;
    }
    if (magic !== MAGIC) throw new FileError(path, "not readable as zstd: no frame begins here", at);
    const start = at;
    at = need(at + headerLength(view.getUint8(need(at + 5) - 1)));
    checkWindow(view, start, path);
    for (let last = false; !last;) {
      need(at + 3);
      const header = view.getUint16(at, true) | (view.getUint8(at + 2) << 16);
      const type = (header >> 1) & 3;
      if (type === 3) throw new FileError(path, "not readable as zstd: a block of no known type", at);
      last = (header & 1) === 1;
      // One byte that is repeated stands for its block.
      at = need(at + 3 + (type === 1 ? 1 : header >> 3));
    }
    if ((view.getUint8(start + 4) & 4) !== 0) at = need(at + 4); // checksum
    if (frames.length === FRAMES_LIMIT) throw new FileError(path, `zstd with more than ${FRAMES_LIMIT} frames`, start);
    frames.push(bytes.subarray(start, at));
  }
  return frames;
}

const dictionaryLength = (descriptor: number): number => [0, 1, 2, 4][descriptor & 3] ?? 0;
const isSingle = (descriptor: number): boolean => (descriptor & 0x20) !== 0;
const contentLength = (descriptor: number): number => [isSingle(descriptor) ? 1 : 0, 2, 4, 8][descriptor >> 6] ?? 0;

function headerLength(descriptor: number): number {
  return 5 + (isSingle(descriptor) ? 0 : 1) + dictionaryLength(descriptor) + contentLength(descriptor);
}

/** Memory a frame asks for. RFC 8878, 3.1.1.1 */
function checkWindow(view: DataView, start: number, path: string): void {
  const descriptor = view.getUint8(start + 4);
  let window: number;
  if (isSingle(descriptor)) {
    // One segment: the window is the content.
    const length = contentLength(descriptor);
    const at = start + 5 + dictionaryLength(descriptor);
    window = length === 2 ? 256 : 0;
    for (let i = 0; i < length; i++) window += view.getUint8(at + i) * 2 ** (8 * i);
  } else {
    const word = view.getUint8(start + 5);
    const base = 2 ** (10 + (word >> 3));
    window = base + (base / 8) * (word & 7);
  }
  if (window > WINDOW_LIMIT) throw new FileError(path, `zstd wants a window of ${window} bytes`, start + 4);
}
