/** Sound: samples of every width, and tones at another rate. */

import { describe, expect, it } from "vitest";
import { FileError } from "../../src/base/errors.ts";
import { resample } from "../../src/media/resample.ts";
import { isWav, readWav } from "../../src/media/wav.ts";
import { wav } from "../support/wav.ts";
import { withBytes } from "../support/pictures.ts";

describe("WAV", () => {
  const samples = [0, 0.5, -1, 0.25];
  it.each([
    [1, 8],
    [1, 16],
    [1, 24],
    [1, 32],
    [3, 32],
    [3, 64],
  ])("reads coding %i of %i bits, plain and extensible", (coding, bits) => {
    for (const extensible of [false, true]) {
      const file = wav({ coding, bits, channels: 1, rate: 16000, samples, extensible });
      expect(readWav(file, "x.wav")).toEqual({ rate: 16000, channels: 1, mono: Float32Array.from(samples) });
    }
  });

  it("takes the mean of channels, and skips chunks it does not know", () => {
    const file = wav({ coding: 1, bits: 16, channels: 2, rate: 8000, samples: [0.5, 0, -0.5, 0.25], before: 3 });
    expect(readWav(file, "x.wav").mono).toEqual(Float32Array.of(0.25, -0.125));
  });

  it("says what is broken and what is not read", () => {
    const file = wav({ coding: 1, bits: 16, channels: 1, rate: 16000, samples });
    for (let at = 0; at < file.length; at++) expect(() => readWav(file.subarray(0, at), "x.wav")).toThrow(FileError);
    expect(() => readWav(withBytes(file, { 20: 7 }), "x.wav")).toThrow(
      "x.wav: offset 0x14: µ-law, which is not read; save it as 16-bit PCM",
    );
    expect(() => readWav(withBytes(file, { 22: 0 }), "x.wav")).toThrow("0 channels");
    expect(() => readWav(withBytes(file, { 32: 5 }), "x.wav")).toThrow("blocks of 5 bytes for 1 samples of 16 bits");
    expect(isWav(Buffer.from("RIFFxxxxWEBP"))).toBe(false);
  });

  it("a length that a pipe could not know is the rest of the file", () => {
    const file = wav({ coding: 1, bits: 16, channels: 1, rate: 16000, samples });
    const open = withBytes(file, { 40: 255, 41: 255, 42: 255, 43: 255 });
    expect(readWav(open, "x.wav").mono).toHaveLength(4);
  });
});

describe("resample", () => {
  const tone = (hertz: number, rate: number, length: number): Float32Array =>
    Float32Array.from({ length }, (_, i) => Math.sin((2 * Math.PI * hertz * i) / rate));
  const rms = (values: Float32Array): number =>
    Math.sqrt(values.reduce((sum, one) => sum + one * one, 0) / values.length);

  it.each([
    [44100, 16000],
    [48000, 16000],
    [8000, 16000],
    [16000, 44100],
    [22050, 16000],
  ])("a tone of 1 kHz stays itself from %i to %i, 70 dB above what is added", (from, to) => {
    const out = resample(tone(1000, from, from / 2), from, to);
    expect(out).toHaveLength(Math.ceil(to / 2));
    const [start, end] = [Math.floor(to * 0.1), Math.floor(to * 0.4)];
    const error = tone(1000, to, out.length).map((value, i) => value - (out[i] ?? 0));
    expect(rms(error.subarray(start, end))).toBeLessThan(10 ** (-70 / 20));
  });

  it("a tone that the new rate cannot carry is gone, not folded back", () => {
    const out = resample(tone(10000, 44100, 44100), 44100, 16000);
    expect(rms(out.subarray(2000, 14000))).toBeLessThan(10 ** (-70 / 20));
  });

  it("makes no more than it is asked for, and leaves a rate that is right alone", () => {
    const samples = tone(100, 8000, 100);
    expect(resample(samples, 8000, 8000)).toBe(samples);
    expect(resample(samples, 8000, 8000, 10)).toEqual(samples.subarray(0, 10));
    expect(resample(samples, 8000, 16000, 10)).toEqual(resample(samples, 8000, 16000).subarray(0, 10));
  });
});
