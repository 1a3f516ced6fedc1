/**
 * Pictures made smaller or larger: bilinear, half-pixel centres (the first pixel's middle lies at 0.5), and a filter as wide as the
 * reduction, so that every pixel of the source counts. That is Pillow's BILINEAR, and in its arithmetic: two passes, rows first,
 * weights of 22 bits, rounded to 8 bits after each. Enlarging, it is OpenCV's INTER_LINEAR; reducing, OpenCV skips pixels instead.
 */

import type { Picture } from "./picture.ts";

export interface Pixels {
  readonly width: number;
  readonly height: number;
  readonly channels: number;
  readonly data: Uint8Array;
}

/** A part of a picture, in its pixels. */
export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** How a picture of one aspect ratio fills another: distorted, whole with a border, or cut at two sides. */
export type Fit = "stretch" | "letterbox" | "crop";

export interface Fitted {
  readonly pixels: Pixels;
  /** The part of the source that is seen, and where it lies in the result. */
  readonly from: Box;
  readonly to: Box;
}

const PRECISION = 22;
const ONE = 2 ** PRECISION;
const HALF = ONE / 2;

/** The whole picture, or `from` of it, as width x height. */
export function resize(source: Pixels, width: number, height: number, from?: Box): Pixels {
  const box = from ?? { x: 0, y: 0, width: source.width, height: source.height };
  const cut = box.width === source.width && box.height === source.height ? source : cropped(source, box);
  const narrow = cut.width === width ? cut : alongRows(cut, width);
  return narrow.height === height ? narrow : alongColumns(narrow, height);
}

/** `border` fills what a letterbox leaves, one value for every channel. */
export function fit(source: Pixels, width: number, height: number, how: Fit, border: number): Fitted {
  const all: Box = { x: 0, y: 0, width: source.width, height: source.height };
  const full: Box = { x: 0, y: 0, width, height };
  if (how === "stretch") return { pixels: resize(source, width, height), from: all, to: full };
  const [across, down] = [width / source.width, height / source.height];
  if (how === "crop") {
    const scale = Math.max(across, down);
    const seen = {
      width: Math.min(source.width, Math.max(1, Math.round(width / scale))),
      height: Math.min(source.height, Math.max(1, Math.round(height / scale))),
    };
    const from = { x: (source.width - seen.width) >> 1, y: (source.height - seen.height) >> 1, ...seen };
    return { pixels: resize(source, width, height, from), from, to: full };
  }
  const scale = Math.min(across, down);
  const inner = {
    width: Math.min(width, Math.max(1, Math.round(source.width * scale))),
    height: Math.min(height, Math.max(1, Math.round(source.height * scale))),
  };
  const to = { x: (width - inner.width) >> 1, y: (height - inner.height) >> 1, ...inner };
  const small = resize(source, inner.width, inner.height);
  const { channels } = source;
  const data = new Uint8Array(width * height * channels).fill(border);
  for (let y = 0; y < inner.height; y++) {
    const row = small.data.subarray(y * inner.width * channels, (y + 1) * inner.width * channels);
    data.set(row, ((y + to.y) * width + to.x) * channels);
  }
  return { pixels: { width, height, channels, data }, from: all, to };
}

/** As Pillow's "L": 0.299 red, 0.587 green, 0.114 blue. */
export function luma({ width, height, channels, data }: Picture): Pixels {
  const out = new Uint8Array(width * height);
  for (let at = 0, from = 0; at < out.length; at++, from += channels) {
    const [red, green, blue] = [data[from] ?? 0, data[from + 1] ?? 0, data[from + 2] ?? 0];
    out[at] = (red * 19595 + green * 38470 + blue * 7471 + 0x8000) >> 16;
  }
  return { width, height, channels: 1, data: out };
}

/** Without alpha. */
export function opaque({ width, height, channels, data }: Picture): Pixels {
  if (channels === 3) return { width, height, channels, data };
  const out = new Uint8Array(width * height * 3);
  for (let from = 0, to = 0; from < data.length; from += 4, to += 3) {
    out[to] = data[from] ?? 0;
    out[to + 1] = data[from + 1] ?? 0;
    out[to + 2] = data[from + 2] ?? 0;
  }
  return { width, height, channels: 3, data: out };
}

/** With alpha. */
export function withAlpha({ width, height, channels, data }: Picture): Pixels {
  if (channels === 4) return { width, height, channels, data };
  const out = new Uint8Array(width * height * 4).fill(255);
  for (let from = 0, to = 0; from < data.length; from += 3, to += 4) {
    out[to] = data[from] ?? 0;
    out[to + 1] = data[from + 1] ?? 0;
    out[to + 2] = data[from + 2] ?? 0;
  }
  return { width, height, channels: 4, data: out };
}

function cropped({ width, channels, data }: Pixels, box: Box): Pixels {
  const out = new Uint8Array(box.width * box.height * channels);
  for (let y = 0; y < box.height; y++) {
    const from = ((box.y + y) * width + box.x) * channels;
    out.set(data.subarray(from, from + box.width * channels), y * box.width * channels);
  }
  return { width: box.width, height: box.height, channels, data: out };
}

interface Weights {
  /** First source pixel of each result pixel. */
  readonly first: Int32Array;
  readonly count: Int32Array;
  /** `most` for each result pixel, in parts of 2^22. */
  readonly weights: Int32Array;
  readonly most: number;
}

function weightsOf(from: number, to: number): Weights {
  const scale = from / to;
  const reach = Math.max(1, scale);
  const most = Math.ceil(reach) * 2 + 1;
  const first = new Int32Array(to);
  const count = new Int32Array(to);
  const weights = new Int32Array(to * most);
  const exact = new Float64Array(most);
  for (let at = 0; at < to; at++) {
    const centre = (at + 0.5) * scale;
    const start = Math.max(0, Math.trunc(centre - reach + 0.5));
    const length = Math.min(from, Math.trunc(centre + reach + 0.5)) - start;
    let sum = 0;
    for (let i = 0; i < length; i++) {
      const weight = Math.max(0, 1 - Math.abs((i + start - centre + 0.5) * (1 / reach)));
      exact[i] = weight;
      sum += weight;
    }
    for (let i = 0; i < length; i++) weights[at * most + i] = Math.trunc(0.5 + (exact[i] ?? 0) * (1 / sum) * ONE);
    first[at] = start;
    count[at] = length;
  }
  return { first, count, weights, most };
}

function alongRows({ width, height, channels, data }: Pixels, to: number): Pixels {
  const { first, count, weights, most } = weightsOf(width, to);
  const out = new Uint8ClampedArray(to * height * channels);
  for (let y = 0; y < height; y++) {
    const row = y * width * channels;
    for (let x = 0; x < to; x++) {
      const [start, length, base] = [row + (first[x] ?? 0) * channels, count[x] ?? 0, x * most];
      for (let c = 0; c < channels; c++) {
        let sum = HALF;
        for (let i = 0, from = start + c; i < length; i++, from += channels)
          sum += (data[from] ?? 0) * (weights[base + i] ?? 0);
        out[(y * to + x) * channels + c] = sum >> PRECISION;
      }
    }
  }
  return { width: to, height, channels, data: new Uint8Array(out.buffer) };
}

function alongColumns({ width, height, channels, data }: Pixels, to: number): Pixels {
  const { first, count, weights, most } = weightsOf(height, to);
  const stride = width * channels;
  const out = new Uint8ClampedArray(stride * to);
  const sums = new Int32Array(stride);
  for (let y = 0; y < to; y++) {
    sums.fill(HALF);
    for (let i = 0; i < (count[y] ?? 0); i++) {
      const [weight, row] = [weights[y * most + i] ?? 0, ((first[y] ?? 0) + i) * stride];
      for (let x = 0; x < stride; x++) sums[x] = (sums[x] ?? 0) + (data[row + x] ?? 0) * weight;
    }
    for (let x = 0; x < stride; x++) out[y * stride + x] = (sums[x] ?? 0) >> PRECISION;
  }
  return { width, height: to, channels, data: new Uint8Array(out.buffer) };
}
