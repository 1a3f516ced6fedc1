/**
 * WAV: PCM of 8, 16, 24 and 32 bits, floats of 32 and 64, plain or WAVE_FORMAT_EXTENSIBLE.
 * https://www.mmsp.ece.mcgill.ca/Documents/AudioFormats/WAVE/WAVE.html
 */

import { Cursor, latin1 } from "../base/bytes.ts";

/** Of fastest recorders; a rate beyond it is a broken header. */
const RATE_LIMIT = 1_000_000;
const CHANNEL_LIMIT = 64;
const [PCM, FLOAT, EXTENSIBLE] = [1, 3, 0xfffe];
/** Where a program that writes to a pipe does not know the length. */
const UNKNOWN_LENGTH = 0xffff_ffff;
const codings: Readonly<Record<number, string>> = { 2: "ADPCM", 6: "A-law", 7: "µ-law", 0x11: "ADPCM", 0x55: "MP3" };

export interface Sound {
  /** Samples per second. */
  readonly rate: number;
  readonly channels: number;
  /** Mean of the channels, -1 to 1: 16-bit samples by 32768. */
  readonly mono: Float32Array;
}

export const isWav = (bytes: Uint8Array): boolean => {
  const start = latin1(bytes.subarray(0, 12));
  return start.startsWith("RIFF") && start.endsWith("WAVE");
};

/** Throws FileError with the offset. */
export function readWav(bytes: Uint8Array, path: string): Sound {
  const cursor: Cursor = new Cursor(bytes, path);
  if (!isWav(bytes)) cursor.fail("no WAV begins here", 0);
  cursor.seek(12);
  let format: { coding: number; channels: number; rate: number; bits: number } | undefined;
  for (;;) {
    const at = cursor.offset;
    if (cursor.left < 8) cursor.fail(`the file ends before its ${format === undefined ? "format" : "samples"}`);
    const name = latin1(cursor.take(4));
    const claimed = cursor.u32();
    const length = name === "data" && claimed === UNKNOWN_LENGTH ? cursor.left : claimed;
    if (length > cursor.left)
      cursor.fail(`its ${JSON.stringify(name)} chunk has ${length} bytes, ${cursor.left} are left`, at);
    const body = new Cursor(cursor.take(length), path, { base: at + 8 });
    if (name === "fmt ") format = readFormat(body);
    else if (name === "data") {
      if (format === undefined) cursor.fail("samples before their format", at);
      const { coding, channels, rate, bits } = format;
      return { rate, channels, mono: mix(body.bytes, coding === FLOAT, bits / 8, channels) };
    }
    // Chunks begin at even offsets.
    if (length % 2 === 1 && cursor.left > 0) cursor.skip(1);
  }
}

function readFormat(body: Cursor): { coding: number; channels: number; rate: number; bits: number } {
  let coding = body.u16();
  const [channels, rate] = [body.u16(), body.u32()];
  const block = body.skip(4).u16();
  const bits = body.u16();
  // The first two bytes of the sub-format's GUID are the coding.
  if (coding === EXTENSIBLE) coding = body.seek(24).u16();
  const known = (coding === PCM && [8, 16, 24, 32].includes(bits)) || (coding === FLOAT && [32, 64].includes(bits));
  if (!known) {
    const says =
      coding === PCM || coding === FLOAT ? `samples of ${bits} bits` : (codings[coding] ?? `coding ${coding}`);
    body.fail(`${says}, which is not read; save it as 16-bit PCM`, 0);
  }
  if (channels < 1 || channels > CHANNEL_LIMIT) body.fail(`${channels} channels`, 2);
  if (rate < 1 || rate > RATE_LIMIT) body.fail(`${rate} samples a second`, 4);
  if (block !== (channels * bits) / 8)
    body.fail(`blocks of ${block} bytes for ${channels} samples of ${bits} bits`, 12);
  return { coding, channels, rate, bits };
}

function mix(bytes: Uint8Array, float: boolean, wide: number, channels: number): Float32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const read = reader(view, float, wide);
  const frames = Math.floor(bytes.length / (wide * channels));
  const mono = new Float32Array(frames);
  for (let frame = 0, at = 0; frame < frames; frame++) {
    let sum = 0;
    for (let c = 0; c < channels; c++, at += wide) sum += read(at);
    mono[frame] = sum / channels;
  }
  return mono;
}

function reader(view: DataView, float: boolean, wide: number): (at: number) => number {
  if (float) return wide === 4 ? (at) => view.getFloat32(at, true) : (at) => view.getFloat64(at, true);
  if (wide === 1) return (at) => (view.getUint8(at) - 128) / 128;
  if (wide === 2) return (at) => view.getInt16(at, true) / 32768;
  if (wide === 3) return (at) => (view.getInt16(at + 1, true) * 256 + view.getUint8(at)) / 8388608;
  return (at) => view.getInt32(at, true) / 2147483648;
}
