/**
 * From a picture to an input: which dimension is what, which size, which order of colours, which numbers. What the caller does not
 * say is taken from the model's metadata, its quantisation and its shape; what is left is the most usual, and said.
 */

import { FileError, UsageError } from "../base/errors.ts";
import type { Port } from "../delegates/delegate.ts";
import type { Value } from "../delegates/value.ts";
import type { Picture } from "../media/picture.ts";
import { fit, luma, opaque, withAlpha, type Box, type Fit, type Pixels } from "../media/resize.ts";
import type { Dimension } from "../model/graph.ts";
import type { InputFacts } from "./facts.ts";
import { newElements } from "./inputs-made.ts";
import type { Placed } from "./interpret.ts";
import { isFloat, realRange, short, storer } from "./store.ts";

export interface PreprocessOptions {
  /** (pixel - mean) / std of pixels 0 to 255; one number, or one for each channel in the model's order. */
  readonly mean?: readonly number[];
  readonly std?: readonly number[];
  readonly layout?: "nhwc" | "nchw";
  readonly color?: "rgb" | "bgr" | "gray";
  readonly resize?: Fit;
  /** Samples a second that the model wants of sound. */
  readonly rate?: number;
}

/** A picture as it was decoded, and where it lies in the input: what an output says of places can be carried back. */
export interface GivenPicture extends Picture {
  readonly placed: Placed;
}

export interface Prepared {
  readonly value: Value;
  readonly picture: GivenPicture;
  /** A sentence for each thing that the caller did not say. */
  readonly assumed: readonly string[];
}

/** Ultralytics' grey, the most usual border of letterboxed models. */
const BORDER = 114;
/** Networks that take any size halve it five times, most of them. */
const STEP = 32;
/** Bound of an open side: beyond it, the picture is made smaller. */
const SIDE_LIMIT = 4096;

interface Layout {
  readonly n?: number;
  readonly c?: number;
  readonly h: number;
  readonly w: number;
  readonly name: string;
  /** The shape alone could be read either way. */
  readonly guessed?: true;
}

const orders = {
  nhwc: { n: 0, h: 1, w: 2, c: 3, name: "NHWC" },
  nchw: { n: 0, c: 1, h: 2, w: 3, name: "NCHW" },
  hwc: { h: 0, w: 1, c: 2, name: "HWC" },
  chw: { c: 0, h: 1, w: 2, name: "CHW" },
  hw: { h: 0, w: 1, name: "HW" },
} as const satisfies Record<string, Layout>;

/** Which dimension is what; undefined for a shape that no picture has. */
export function pictureLayout(
  shape: readonly Dimension[],
  channelsFirst: boolean,
  wanted?: "nhwc" | "nchw",
): Layout | undefined {
  const like = (size: Dimension | undefined): boolean => size === 1 || size === 3 || size === 4;
  if (shape.length === 2) {
    return shape.every((size) => typeof size !== "number" || size >= 8) ? orders.hw : undefined;
  }
  if (shape.length !== 3 && shape.length !== 4) return undefined;
  const [first, last] = shape.length === 4 ? [orders.nchw, orders.nhwc] : [orders.chw, orders.hwc];
  const could = (layout: typeof first | typeof last): boolean => {
    const size = shape[layout.c];
    return like(size) || typeof size !== "number";
  };
  if (wanted !== undefined) {
    const layout = wanted === "nchw" ? first : last;
    return could(layout) ? layout : undefined;
  }
  // Three channels are likelier than one or four, and than a side of three pixels.
  if ((shape[first.c] === 3) !== (shape[last.c] === 3)) return shape[first.c] === 3 ? first : last;
  const [sureFirst, sureLast] = [like(shape[first.c]), like(shape[last.c])];
  if (sureFirst !== sureLast) return sureFirst ? first : last;
  if (could(first) !== could(last)) return could(first) ? first : last;
  if (!could(first)) return undefined;
  return { ...(channelsFirst ? first : last), guessed: true };
}

/** `shape`: the input's, closed by the caller where he did. Throws UsageError for flags that do not fit, FileError for a port that takes none. */
export function preparePicture(
  picture: Picture,
  path: string,
  port: Port,
  shape: readonly Dimension[],
  facts: InputFacts,
  options: PreprocessOptions,
): Prepared {
  const layout = pictureLayout(shape, facts.channelsFirst, options.layout);
  const store = storer(port);
  if (layout === undefined || store === undefined) {
    const own = `${port.type} [${shape.map((size) => String(size ?? "?")).join(", ")}]`;
    const wanted = options.layout === undefined ? "" : ` with --layout ${options.layout}`;
    throw new FileError(path, `a picture, and input "${port.name}" is ${own}${wanted}, which takes none`);
  }
  const assumed: string[] = [];
  const tell = (says: string): void => void assumed.push(`${port.name}: ${says}`);
  const { width, height } = openSize(picture, shape, layout, facts, tell);
  const channels = channelsOf(shape, layout, options);
  const batch = layout.n === undefined ? 1 : sizeOr(shape[layout.n], 1);
  if (layout.guessed === true)
    tell(`laid out as ${layout.name}, which its shape leaves open (--layout says otherwise)`);
  for (const clause of picture.done) tell(`the picture is ${clause}`);
  if (picture.channels === 4 && channels !== 4) tell("the picture's transparency is ignored");
  const pixels = channels === 1 ? luma(picture) : channels === 4 ? withAlpha(picture) : opaque(picture);
  const how = options.resize ?? facts.fit?.how ?? "stretch";
  const fitted = fit(pixels, width, height, how, BORDER);
  if (picture.width !== width || picture.height !== height)
    tell(sizing(picture, fitted.from, fitted.to, { width, height, how }, options, facts));
  const turn = colourOrder(channels, facts, options, tell);
  const scaling = scalingOf(port, channels, facts, options);
  if (scaling.says !== undefined) tell(scaling.says);
  if (batch > 1) tell(`the picture is repeated ${batch} times, once for each of its batch`);
  const sizes = { n: batch, h: height, w: width, c: channels };
  const full = shape.map((_, at) =>
    at === layout.h ? height : at === layout.w ? width : at === layout.c ? channels : batch,
  );
  const tables = Array.from({ length: channels }, (_, c) =>
    Float64Array.from({ length: 256 }, (_, pixel) => scaling.stored?.(pixel) ?? store(scaling.real(pixel, c))),
  );
  const value: Value = { type: port.type, shape: full, data: newElements(port, full) };
  lay(value, fitted.pixels, layout, sizes, tables, turn);
  const placed = { width: picture.width, height: picture.height, from: fitted.from, to: fitted.to };
  return { value, assumed, picture: { ...picture, placed } };
}

const sizeOr = (size: Dimension | undefined, otherwise: number): number =>
  typeof size === "number" ? size : otherwise;

function openSize(
  picture: Picture,
  shape: readonly Dimension[],
  layout: Layout,
  { expected, source }: InputFacts,
  tell: (says: string) => void,
): { width: number; height: number } {
  const [ownWidth, ownHeight] = [shape[layout.w], shape[layout.h]];
  if (typeof ownWidth === "number" && typeof ownHeight === "number") return { width: ownWidth, height: ownHeight };
  if (expected?.width !== undefined && expected.height !== undefined) {
    const size = { width: sizeOr(ownWidth, expected.width), height: sizeOr(ownHeight, expected.height) };
    tell(`${size.width}x${size.height} pixels, as ${source ?? "its metadata"} says`);
    return size;
  }
  const step = (size: number): number => Math.min(SIDE_LIMIT, Math.max(STEP, Math.round(size / STEP) * STEP));
  const aspect = picture.width / picture.height;
  const size =
    typeof ownHeight === "number"
      ? { width: step(ownHeight * aspect), height: ownHeight }
      : typeof ownWidth === "number"
        ? { width: ownWidth, height: step(ownWidth / aspect) }
        : { width: step(picture.width), height: step(picture.height) };
  tell(`${size.width}x${size.height} pixels, from the picture's own size in steps of ${STEP} (--shape says otherwise)`);
  return size;
}

function channelsOf(shape: readonly Dimension[], layout: Layout, { color }: PreprocessOptions): 1 | 3 | 4 {
  if (layout.c === undefined) return 1;
  const size = shape[layout.c];
  if (typeof size !== "number") return color === "gray" ? 1 : 3;
  if (color === "gray" && size !== 1) throw new UsageError(`--color gray is for one channel; the input has ${size}`);
  return size === 1 ? 1 : size === 4 ? 4 : 3;
}

function sizing(
  picture: Picture,
  from: Box,
  to: Box,
  { width, height, how }: { width: number; height: number; how: Fit },
  options: PreprocessOptions,
  facts: InputFacts,
): string {
  const because = options.resize === undefined && facts.fit !== undefined ? `, ${facts.fit.says}` : "";
  const start = `the picture's ${picture.width}x${picture.height} pixels`;
  if (how === "letterbox") {
    return `${start} become ${to.width}x${to.height} of ${width}x${height}, the border is grey (${BORDER})${because}`;
  }
  if (how === "crop") return `the middle ${from.width}x${from.height} of ${start} become ${width}x${height}${because}`;
  const bent = Math.abs((picture.width * height) / (picture.height * width) - 1) > 0.02;
  const hint = bent && options.resize === undefined ? " (--resize letterbox or crop keep its proportions)" : "";
  return `${start} are ${bent ? "stretched" : "scaled"} to ${width}x${height}${hint}`;
}

/** Whether red and blue change places. */
function colourOrder(
  channels: number,
  { expected, source }: InputFacts,
  { color }: PreprocessOptions,
  tell: (says: string) => void,
): boolean {
  if (channels === 1) {
    if (color !== undefined && color !== "gray") throw new UsageError(`--color ${color}: the input has one channel`);
    return false;
  }
  if (color !== undefined) return color === "bgr";
  const said = expected?.color === "rgb" || expected?.color === "bgr" ? expected.color : undefined;
  if (said === undefined) tell("red, green and blue in this order (--color bgr turns it)");
  else tell(`${said.toUpperCase()}, as ${source ?? "its metadata"} says`);
  return said === "bgr";
}

interface Scaling {
  readonly real: (pixel: number, channel: number) => number;
  /** Pixels go in without a detour over real numbers. */
  readonly stored?: (pixel: number) => number;
  readonly says?: string;
}

const MEANT: readonly (readonly [low: number, high: number, near: number])[] = [
  [-1, 1, 0.02],
  [0, 1, 0.02],
  [0, 255, 2],
];

function scalingOf(port: Port, channels: number, facts: InputFacts, options: PreprocessOptions): Scaling {
  const byFlags = flagged(channels, options);
  if (byFlags !== undefined) return byFlags;
  const own = realRange(port);
  if (port.type === "uint8" || port.type === "int8") {
    const real = own === undefined ? "" : `, which are ${short(own[0])} to ${short(own[1])} to the model`;
    const less = port.type === "int8";
    return {
      real: (pixel) => pixel,
      stored: (pixel) => (less ? pixel - 128 : pixel),
      says: less ? `pixels 0 to 255 as -128 to 127${real}` : `pixels as they are, 0 to 255${real}`,
    };
  }
  const { mean, std } = facts.expected ?? {};
  if (isFloat(port.type) && (mean !== undefined || std !== undefined)) {
    const says = `(pixel - ${(mean ?? [0]).map(short).join(" ")}) / ${(std ?? [1]).map(short).join(" ")}, as ${facts.source ?? "its metadata"} says`;
    return { real: linear(mean ?? [0], std ?? [1]), says };
  }
  const range = own ?? facts.range;
  if (range !== undefined) {
    const [low, high] =
      MEANT.find(([l, h, near]) => Math.abs(range[0] - l) <= near && Math.abs(range[1] - h) <= near) ?? range;
    return {
      real: (pixel) => low + ((high - low) * pixel) / 255,
      says: `values from ${short(low)} to ${short(high)}: the model quantises ${short(range[0])} to ${short(range[1])}`,
    };
  }
  if (!isFloat(port.type)) return { real: (pixel) => pixel, says: "pixels as they are, 0 to 255" };
  return {
    real: (pixel) => pixel / 255,
    says: "values from 0 to 1: nothing says otherwise (--mean 127.5 --std 127.5 for -1 to 1, --std 1 for 0 to 255)",
  };
}

function flagged(channels: number, { mean, std }: PreprocessOptions): Scaling | undefined {
  if (mean === undefined && std === undefined) return undefined;
  for (const [name, list] of [
    ["mean", mean],
    ["std", std],
  ] as const) {
    if (list !== undefined && list.length !== 1 && list.length !== channels) {
      throw new UsageError(`--${name} takes one number or ${channels}; not ${list.length}`);
    }
    if (list?.some((one) => !Number.isFinite(one) || (name === "std" && one === 0)) === true) {
      throw new UsageError(`--${name} takes numbers${name === "std" ? " other than 0" : ""}`);
    }
  }
  // PyTorch writes them for pixels from 0 to 1: 0.485 and 0.229 can mean nothing else.
  const small = std?.every((one) => Math.abs(one) < 1) === true && (mean ?? [0]).every((one) => Math.abs(one) <= 1);
  if (!small) return { real: linear(mean ?? [0], std ?? [1]) };
  const by255 = (list: readonly number[]): number[] => list.map((one) => one * 255);
  return {
    real: linear(by255(mean ?? [0]), by255(std)),
    says: "mean and std are below 1 and taken as of pixels from 0 to 1",
  };
}

function linear(mean: readonly number[], std: readonly number[]): (pixel: number, channel: number) => number {
  return (pixel, channel) => (pixel - (mean[channel] ?? mean[0] ?? 0)) / (std[channel] ?? std[0] ?? 1);
}

/** Every pixel to its place; channel c of the input from channel `c` of the picture, or with red and blue exchanged. */
function lay(
  { data }: Value,
  pixels: Pixels,
  layout: Layout,
  sizes: { readonly n: number; readonly h: number; readonly w: number; readonly c: number },
  tables: readonly Float64Array[],
  turn: boolean,
): void {
  const { n, h, w, c: channels } = sizes;
  const first = layout.c !== undefined && layout.c < layout.h;
  const [pixelStep, channelStep] = first ? [1, h * w] : [channels, 1];
  const image = h * w * channels;
  const wide = data instanceof BigInt64Array || data instanceof BigUint64Array;
  for (let c = 0; c < channels; c++) {
    const source = turn && c < 3 ? 2 - c : c;
    const table = tables[c] ?? new Float64Array(256);
    for (let at = 0, from = source, to = c * channelStep; at < h * w; at++, from += channels, to += pixelStep) {
      const stored = table[pixels.data[from] ?? 0] ?? 0;
      if (wide) data[to] = BigInt(stored);
      else (data as Float64Array)[to] = stored;
    }
  }
  for (let copy = 1; copy < n; copy++) (data as Float64Array).copyWithin(copy * image, 0, image);
}
