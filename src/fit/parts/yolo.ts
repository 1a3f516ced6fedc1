/**
 * Blocks that the YOLO families share, in the form that is deployed: batch normalisation folded, branches that are trained apart merged.
 * Channels and kernels as in the architecture files of ultralytics (v5, v8, 11, 12), WongKinYiu/yolov9, THU-MIG/yolov10.
 */

import {
  act,
  add,
  avgPool,
  cat,
  channels,
  conv,
  deconv,
  heads2d,
  maxPool,
  resizeLike,
  split,
  type Act,
  type Feature,
  type Net,
} from "./blocks.ts";

/** Multiples of 8, upwards, as all of these families round their scaled channels. */
export const by8 = (value: number): number => Math.ceil(value / 8 - 1e-9) * 8;

/** How deep and how wide a member of a family is. */
export interface Scale {
  readonly depth: number;
  readonly width: number;
  /** Channels are cut here before they are scaled. */
  readonly most: number;
}

export const scaled = ({ width, most }: Scale, count: number): number => by8(Math.min(count, most) * width);
export const repeats = ({ depth }: Scale, count: number): number =>
  count > 1 ? Math.max(Math.round(count * depth), 1) : count;

/** A block of a stage: what goes in, channels that come out. */
export type Block = (net: Net, x: Feature, out: number) => Feature;

interface BottleneckShape {
  readonly kernels: readonly [number, number];
  /** Share of the output that the middle has. */
  readonly middle: number;
  readonly shortcut: boolean;
  readonly act?: Act;
}

export function bottleneck(net: Net, x: Feature, out: number, shape: BottleneckShape): Feature {
  const middle = Math.floor(out * shape.middle);
  const first = conv(net, x, middle, shape.kernels[0], 1, { act: shape.act ?? "silu" });
  const y = conv(net, first, out, shape.kernels[1], 1, { act: shape.act ?? "silu" });
  return shape.shortcut && channels(x) === out ? add(net, x, y) : y;
}

/** CSP bottleneck of three convolutions. */
export function c3(
  net: Net,
  x: Feature,
  out: number,
  count: number,
  shortcut: boolean,
  shape: { readonly share?: number; readonly kernels?: readonly [number, number]; readonly act?: Act } = {},
): Feature {
  const half = Math.floor(out * (shape.share ?? 0.5));
  const option = { act: shape.act ?? "silu" } as const;
  let deep = conv(net, x, half, 1, 1, option);
  for (let index = 0; index < count; index += 1)
    deep = bottleneck(net, deep, half, { kernels: shape.kernels ?? [1, 3], middle: 1, shortcut, ...option });
  return conv(net, cat(net, [deep, conv(net, x, half, 1, 1, option)]), out, 1, 1, option);
}

/** CSP bottleneck that keeps what each of its blocks gives (v8, v10, 11). */
export function c2f(
  net: Net,
  x: Feature,
  out: number,
  count: number,
  inner: (x: Feature, width: number) => Feature,
  share = 0.5,
): Feature {
  const width = Math.floor(out * share);
  const parts = split(net, conv(net, x, 2 * width, 1), [width, width]);
  for (let index = 0; index < count; index += 1) {
    const last = parts.at(-1);
    if (last !== undefined) parts.push(inner(last, width));
  }
  return conv(net, cat(net, parts), out, 1);
}

/** The bottleneck of C2f: two 3x3 convolutions of the same width. */
export const plain =
  (net: Net, shortcut: boolean) =>
  (x: Feature, width: number): Feature =>
    bottleneck(net, x, width, { kernels: [3, 3], middle: 1, shortcut });

/** What C3k2 is made of: a narrower bottleneck, or a small CSP block of two. */
export const c3k2 =
  (net: Net, csp: boolean, shortcut = true) =>
  (x: Feature, width: number): Feature =>
    csp
      ? c3(net, x, width, 2, shortcut, { kernels: [3, 3] })
      : bottleneck(net, x, width, { kernels: [3, 3], middle: 0.5, shortcut });

/** Pyramid of three equal poolings, one after another. */
export function sppf(net: Net, x: Feature, out: number, option: { readonly act?: Act } = {}): Feature {
  const parts = [conv(net, x, channels(x) >> 1, 1, 1, { act: option.act ?? "silu" })];
  for (let index = 0; index < 3; index += 1) {
    const last = parts.at(-1);
    if (last !== undefined) parts.push(maxPool(net, last, 5, 1));
  }
  return conv(net, cat(net, parts), out, 1, 1, { act: option.act ?? "silu" });
}

/** Pyramid of poolings 5, 9 and 13 side by side (v5 before release 6, YOLOX). */
export function spp(net: Net, x: Feature, out: number, option: { readonly act?: Act } = {}): Feature {
  const first = conv(net, x, channels(x) >> 1, 1, 1, { act: option.act ?? "silu" });
  const parts = [first, ...[5, 9, 13].map((size) => maxPool(net, first, size, 1))];
  return conv(net, cat(net, parts), out, 1, 1, { act: option.act ?? "silu" });
}

/** Attention over all positions with a 3x3 depthwise convolution for where they are (v10, 11). */
export function positionAttention(net: Net, x: Feature): Feature {
  const width = channels(x);
  const heads = Math.max(1, Math.floor(width / 64));
  const key = Math.floor(width / heads / 2);
  const mixed = conv(net, x, width + 2 * key * heads, 1, 1, { act: "none" });
  const { seen, values } = heads2d(net, mixed, { heads, key, value: Math.floor(width / heads) });
  const where = conv(net, values, width, 3, 1, { groups: width, act: "none" });
  return conv(net, add(net, seen, where), width, 1, 1, { act: "none" });
}

function attentionBlock(net: Net, x: Feature): Feature {
  const attended = add(net, x, positionAttention(net, x));
  const wide = conv(net, attended, 2 * channels(x), 1);
  return add(net, attended, conv(net, wide, channels(x), 1, 1, { act: "none" }));
}

/** Half of the channels through attention (PSA of v10, C2PSA of 11). */
export function c2psa(net: Net, x: Feature, count: number): Feature {
  const width = channels(x) >> 1;
  const [kept, first] = split(net, conv(net, x, 2 * width, 1), [width, width]);
  if (kept === undefined || first === undefined) return x;
  let deep = first;
  for (let index = 0; index < count; index += 1) deep = attentionBlock(net, deep);
  return conv(net, cat(net, [kept, deep]), channels(x), 1);
}

/** Down by a pointwise and a depthwise convolution (v10). */
export const scDown: Block = (net, x, out) => conv(net, conv(net, x, out, 1), out, 3, 2, { groups: out, act: "none" });

/** Compact inverted block; the middle kernel is 7 where the large one is used (v10). */
export const cib =
  (net: Net, large: boolean) =>
  (x: Feature, width: number): Feature => {
    const first = conv(net, conv(net, x, width, 3, 1, { groups: width }), 2 * width, 1);
    const middle = conv(net, first, 2 * width, large ? 7 : 3, 1, { groups: 2 * width });
    const last = conv(net, conv(net, middle, width, 1), width, 3, 1, { groups: width });
    return add(net, x, last);
  };

/** Attention within `areas` strips of the picture, positions by a 7x7 depthwise convolution (12). */
function areaAttention(net: Net, x: Feature, areas: number): Feature {
  const width = channels(x);
  const heads = Math.floor(width / 32);
  const mixed = conv(net, x, 3 * width, 1, 1, { act: "none" });
  const { seen, values } = heads2d(net, mixed, { heads, key: 32, value: 32, areas });
  const where = conv(net, values, width, 7, 1, { groups: width, act: "none" });
  return conv(net, add(net, seen, where), width, 1, 1, { act: "none" });
}

function areaBlock(net: Net, x: Feature, areas: number, ratio: number): Feature {
  const attended = add(net, x, areaAttention(net, x, areas));
  const wide = conv(net, attended, Math.floor(channels(x) * ratio), 1);
  return add(net, attended, conv(net, wide, channels(x), 1, 1, { act: "none" }));
}

/** Residual ELAN of 12: pairs of attention blocks, or small CSP blocks where `areas` is undefined. */
export function a2c2f(
  net: Net,
  x: Feature,
  out: number,
  count: number,
  how: { readonly areas?: number; readonly ratio: number; readonly residual: boolean },
): Feature {
  const width = out >> 1;
  const parts = [conv(net, x, width, 1)];
  for (let index = 0; index < count; index += 1) {
    const last = parts.at(-1);
    if (last === undefined) continue;
    const { areas } = how;
    parts.push(
      areas === undefined
        ? c3(net, last, width, 2, true, { kernels: [3, 3] })
        : areaBlock(net, areaBlock(net, last, areas, how.ratio), areas, how.ratio),
    );
  }
  const joined = conv(net, cat(net, parts), out, 1);
  return how.residual && how.areas !== undefined && channels(x) === out ? add(net, x, joined) : joined;
}

/** CSP ELAN of v9: two branches of re-parameterised CSP blocks, each kept. */
export function elan4(net: Net, x: Feature, out: number, wide: number, narrow: number, count: number): Feature {
  const parts = split(net, conv(net, x, wide, 1), [wide >> 1, wide >> 1]);
  for (let index = 0; index < 2; index += 1) {
    const last = parts.at(-1);
    if (last === undefined) continue;
    parts.push(conv(net, c3(net, last, narrow, count, true, { kernels: [3, 3] }), narrow, 3));
  }
  return conv(net, cat(net, parts), out, 1);
}

/** The same with single convolutions (stage 2 of v9-t and v9-s). */
export function elan1(net: Net, x: Feature, out: number, wide: number, narrow: number): Feature {
  const parts = split(net, conv(net, x, wide, 1), [wide >> 1, wide >> 1]);
  for (let index = 0; index < 2; index += 1) {
    const last = parts.at(-1);
    if (last !== undefined) parts.push(conv(net, last, narrow, 3));
  }
  return conv(net, cat(net, parts), out, 1);
}

/** Down by an average of 2x2 and a convolution of stride 2 (v9-t, s, m). */
export const aConv: Block = (net, x, out) => conv(net, avgPool(net, x, 2, 1, "valid"), out, 3, 2);

/** Down by two halves: a convolution, and a pooling before a pointwise one (v9-c, e). */
export const aDown: Block = (net, x, out) => {
  const half = channels(x) >> 1;
  const [a, b] = split(net, avgPool(net, x, 2, 1, "valid"), [half, half]);
  if (a === undefined || b === undefined) return x;
  return cat(net, [conv(net, a, out >> 1, 3, 2), conv(net, maxPool(net, b, 3, 2), out >> 1, 1)]);
};

export function sppElan(net: Net, x: Feature, out: number, width: number): Feature {
  const parts = [conv(net, x, width, 1)];
  for (let index = 0; index < 3; index += 1) {
    const last = parts.at(-1);
    if (last !== undefined) parts.push(maxPool(net, last, 5, 1));
  }
  return conv(net, cat(net, parts), out, 1);
}

/** Sum of features of other stages at the size of `x` (v9-e). */
export const fuse = (net: Net, others: readonly Feature[], x: Feature): Feature =>
  others.reduce((sum, other) => add(net, sum, resizeLike(net, other, x, "nearest")), x);

/** Outputs of a head: what is decoded from them differs from runtime to runtime and is not part of the layers here. */
export interface Head {
  readonly classes: number;
  /** "v8": dense class branch; "11": depthwise one; "v10" is shaped as 11's first convolution of the branch keeps its width. */
  readonly kind: "v8" | "11";
  readonly masks?: boolean;
  /** Numbers per box beyond class and distances: 51 of 17 keypoints, 1 of an angle. */
  readonly extra?: number;
  /** Channels of the prototypes of masks. */
  readonly prototypes?: number;
}

/** Decoupled head with 16 bins for each side of a box: distances, classes, and what else is asked for. */
export function head(net: Net, features: readonly Feature[], how: Head): Feature[] {
  const [finest] = features;
  if (finest === undefined) return [];
  const first = channels(finest);
  const boxes = Math.max(16, first >> 2, 64);
  const classes = Math.max(first, Math.min(how.classes, 100));
  const outputs: Feature[] = [];
  for (const x of features) {
    outputs.push(branch(net, x, boxes, 64));
    outputs.push(
      act(
        net,
        how.kind === "v8" ? branch(net, x, classes, how.classes) : light(net, x, classes, how.classes),
        "sigmoid",
      ),
    );
    if (how.masks === true) outputs.push(branch(net, x, Math.max(first >> 2, 32), 32));
    if (how.extra !== undefined) outputs.push(branch(net, x, Math.max(first >> 2, how.extra), how.extra));
  }
  if (how.masks === true) outputs.push(prototypes(net, finest, how.prototypes ?? 256));
  return outputs;
}

const branch = (net: Net, x: Feature, width: number, out: number): Feature =>
  conv(net, conv(net, conv(net, x, width, 3), width, 3), out, 1, 1, { act: "none" });

function light(net: Net, x: Feature, width: number, out: number): Feature {
  const first = conv(net, conv(net, x, channels(x), 3, 1, { groups: channels(x) }), width, 1);
  const second = conv(net, conv(net, first, width, 3, 1, { groups: width }), width, 1);
  return conv(net, second, out, 1, 1, { act: "none" });
}

function prototypes(net: Net, x: Feature, width: number): Feature {
  const larger = deconv(net, conv(net, x, width, 3), width, 2, 2, { act: "none" });
  return conv(net, conv(net, larger, width, 3), 32, 1);
}

/** Classes of the whole picture, from 1280 channels (Ultralytics' -cls models). */
export const classify = (net: Net, x: Feature): Feature =>
  net.softmax(net.fc(net.globalPool(conv(net, x, 1280, 1)), 1000));
