/**
 * Vision transformers: ViT (arXiv 2010.11929 table 1), DeiT (2012.12877 table 1), BEiT (2106.08254), Swin (2103.14030 table 7), VideoMAE
 * (2203.12602).
 */

import { encoderLayer, headsOf, joined } from "../blocks.ts";
import type { KnownModel } from "../known.ts";
import { at, product, type Activation, type Layers, type Value } from "../layers.ts";
import { makeKnown } from "../make-known.ts";
import { hailo, paper, timm, within } from "../published.ts";

export interface ViT {
  readonly patch: number;
  readonly width: number;
  readonly layers: number;
  readonly heads: number;
  readonly act?: Activation;
  /** Normalised once more before the first layer (CLIP). */
  readonly normFirst?: boolean;
  /** Without a class token. */
  readonly plain?: boolean;
  /** Tokens before those of the patches: the class token, and one to distil by. */
  readonly first?: number;
  /** Batch normalisation, folded away, in place of layer normalisation. */
  readonly folded?: boolean;
  readonly hidden?: number;
  /** Of the patches' convolution. */
  readonly bias?: boolean;
  readonly offset?: boolean;
}

/** Tokens behind the last layer, before any normalisation. */
export function vit(net: Layers, x: Value, model: ViT): Value {
  const { patch, width, plain = false, bias = true } = model;
  const patches = net.conv(x, width, { kernel: patch, stride: patch, pad: "valid", bias });
  return tokensThrough(net, net.tokens(patches), model, plain);
}

function tokensThrough(net: Layers, patches: Value, model: ViT, plain: boolean): Value {
  const { width, layers, heads, first = 1, normFirst = false, hidden = 4 * width, ...rest } = model;
  let y = plain ? patches : net.concat([net.weight([at(patches.shape, 0), first, width], "class_token"), patches], 1);
  if (model.offset !== true) y = net.add(y, net.weight([1, at(y.shape, 1), width], "positions"));
  if (normFirst) y = net.layerNorm(y);
  for (let i = 0; i < layers; i++) y = encoderLayer(net, y, { heads, hidden, ...rest });
  return y;
}

/** Classes from the class token. */
function classified(net: Layers, x: Value, model: ViT): Value {
  const y = vit(net, x, model);
  return net.fc(net.gather(model.folded === true ? y : net.layerNorm(y), 1), 1000);
}

export interface Swin {
  readonly width: number;
  readonly layers: readonly [number, number, number, number];
  readonly heads: number;
}

const WINDOW = 7;

/** Tokens of the four stages, each as [n, h * w, c] with its sizes. */
export function swin(
  net: Layers,
  x: Value,
  { width, layers, heads }: Swin,
): { tokens: Value; size: readonly [number, number] }[] {
  const patches = net.conv(x, width, { kernel: 4, stride: 4, pad: "valid" });
  let [h, w] = [at(patches.shape, 2), at(patches.shape, 3)];
  let y = net.layerNorm(net.tokens(patches));
  return layers.map((count, stage) => {
    if (stage > 0) {
      y = merge(net, y, h, w);
      [h, w] = [h / 2, w / 2];
    }
    for (let i = 0; i < count; i++) {
      const shifted = i % 2 === 1 && Math.min(h, w) > WINDOW;
      y = net.add(y, windowed(net, net.layerNorm(y), [h, w], heads * 2 ** stage, shifted));
      const wide = at(y.shape, 2);
      y = net.add(y, net.fc(net.fc(net.layerNorm(y), 4 * wide, { act: "gelu" }), wide));
    }
    return { tokens: y, size: [h, w] as const };
  });
}

/** Attention among the 7x7 tokens of a window; every other time windows lie half a window further. */
function windowed(net: Layers, x: Value, [h, w]: readonly [number, number], heads: number, shifted: boolean): Value {
  const [n, c] = [at(x.shape, 0), at(x.shape, 2)];
  const [rows, columns, inside] = [h / WINDOW, w / WINDOW, WINDOW * WINDOW];
  const half = Math.floor(WINDOW / 2);
  let y = net.reshape(x, [n, h, w, c]);
  if (shifted) y = roll(net, roll(net, y, 1, half), 2, half);
  y = net.transpose(net.reshape(y, [n, rows, WINDOW, columns, WINDOW, c]), [0, 1, 3, 2, 4, 5]);
  y = net.reshape(y, [n * rows * columns, inside, c]);
  const [q, k, v] = net.split(net.fc(y, 3 * c), 3, 2).map((part) => headsOf(net, part, heads));
  // Where a token looks from decides an offset; behind a shift, a mask as well.
  let scores = net.add(
    net.scale(net.matmul(q ?? y, k ?? y, { transposeB: true })),
    net.weight([1, heads, inside, inside], "offset"),
  );
  if (shifted) scores = net.add(scores, net.weight([n * rows * columns, 1, inside, inside], "mask"));
  y = net.fc(joined(net, net.matmul(net.softmax(scores), v ?? y)), c);
  y = net.transpose(net.reshape(y, [n, rows, columns, WINDOW, WINDOW, c]), [0, 1, 3, 2, 4, 5]);
  y = net.reshape(y, [n, h, w, c]);
  if (shifted) y = roll(net, roll(net, y, 1, h - half), 2, w - half);
  return net.reshape(y, [n, h * w, c]);
}

function roll(net: Layers, x: Value, axis: number, by: number): Value {
  const size = at(x.shape, axis);
  return net.concat([net.slice(x, axis, by, size - by), net.slice(x, axis, 0, by)], axis);
}

/** Four neighbours side by side, then half as wide. */
function merge(net: Layers, x: Value, h: number, w: number): Value {
  const [n, c] = [at(x.shape, 0), at(x.shape, 2)];
  const grid = net.reshape(x, [n, h, w, c]);
  const parts = [0, 1].flatMap((column) =>
    [0, 1].map((row) => net.slice(net.slice(grid, 1, row, h / 2, 2), 2, column, w / 2, 2)),
  );
  const y = net.reshape(net.concat(parts, 3), [n, product([h / 2, w / 2]), 4 * c]);
  return net.fc(net.layerNorm(y), 2 * c, { bias: false });
}

const sizes = {
  tiny: { width: 192, layers: 12, heads: 3 },
  small: { width: 384, layers: 12, heads: 6 },
  base: { width: 768, layers: 12, heads: 12 },
  large: { width: 1024, layers: 24, heads: 16 },
} as const;

const vitModel = (
  id: string,
  name: string,
  model: ViT,
  pixels: number,
  aliases: readonly string[],
  published: KnownModel["published"],
  source = "arXiv 2010.11929 table 1",
): KnownModel =>
  makeKnown({
    id,
    name,
    aliases,
    family: "ViT",
    input: pixels,
    published,
    source,
    layers: (net, x) => classified(net, x, model),
  });

const swinModel = (size: string, model: Swin, published: KnownModel["published"]): KnownModel =>
  makeKnown({
    id: `swin_${size}`,
    name: `Swin ${size}`,
    aliases: [`swin_${size}_patch4_window7_224`, `swin_${size.slice(0, 1)}`],
    family: "Swin",
    input: 224,
    published,
    source: "arXiv 2103.14030 table 7",
    layers: (net, x) => {
      const tokens = swin(net, x, model).at(-1)?.tokens ?? x;
      return net.fc(net.reduce(net.layerNorm(tokens), [1], { keep: false }), 1000);
    },
  });

const zoo = hailo("classification");
const masked = "shifted windows' masks are constants here and made anew there";

export default [
  vitModel("vit_tiny", "ViT tiny/16", { patch: 16, ...sizes.tiny }, 224, ["vit_tiny_patch16_224"], [timm(5.72, 1.26)]),
  vitModel(
    "vit_small",
    "ViT small/16",
    { patch: 16, ...sizes.small },
    224,
    ["vit_small_patch16_224"],
    [timm(22.05, 4.61)],
  ),
  vitModel(
    "vit_base",
    "ViT base/16",
    { patch: 16, ...sizes.base },
    224,
    ["vit_base_patch16_224", "vit_b_16", "vit"],
    [timm(86.57, 17.58), zoo(86.5, 35.188)],
  ),
  vitModel(
    "vit_large",
    "ViT large/16",
    { patch: 16, ...sizes.large },
    224,
    ["vit_large_patch16_224", "vit_l_16"],
    [timm(304.33, 61.6)],
  ),
  vitModel(
    "vit_base_32_384",
    "ViT base/32 of 384x384",
    { patch: 32, ...sizes.base },
    384,
    ["vision_transformer", "vit_base_patch32_384"],
    [timm(88.3, 13.06)],
  ),
  vitModel(
    "vit_base_32",
    "ViT base/32",
    { patch: 32, ...sizes.base },
    224,
    ["vit_base_patch32_224", "vit_b_32"],
    [timm(88.22, 4.41)],
  ),
  vitModel(
    "vit_small_bn",
    "ViT small/16 with batch normalisation",
    { patch: 16, ...sizes.small, folded: true },
    224,
    [],
    [timm(22.05, 4.61)],
    "arXiv 2010.11929 table 1; layer normalisations replaced by batch normalisations, which fold",
  ),
  vitModel(
    "vit_base_bn",
    "ViT base/16 with batch normalisation",
    { patch: 16, ...sizes.base, folded: true },
    224,
    [],
    [zoo(86.5, 35.188)],
    "arXiv 2010.11929 table 1; layer normalisations replaced by batch normalisations, which fold",
  ),
  vitModel(
    "deit_tiny",
    "DeiT tiny",
    { patch: 16, ...sizes.tiny },
    224,
    ["deit_tiny_patch16_224", "deit_t"],
    [timm(5.72, 1.26)],
    "arXiv 2012.12877 table 1",
  ),
  vitModel(
    "deit_small",
    "DeiT small",
    { patch: 16, ...sizes.small },
    224,
    ["deit_small_patch16_224", "deit_s"],
    [timm(22.05, 4.61)],
    "arXiv 2012.12877 table 1",
  ),
  vitModel(
    "deit_base",
    "DeiT base",
    { patch: 16, ...sizes.base },
    224,
    ["deit_base_patch16_224", "deit_b", "deit"],
    [timm(86.57, 17.58)],
    "arXiv 2012.12877 table 1",
  ),
  makeKnown({
    id: "beit_base",
    name: "BEiT base/16",
    aliases: ["beit", "beit_base_patch16_224"],
    family: "ViT",
    input: 224,
    published: [
      within(
        timm(86.53, 17.58),
        0.07,
        "offsets of relative positions are constants here, gathered from small tables there",
      ),
    ],
    source: "arXiv 2106.08254",
    layers: (net, x) => {
      const y = vit(net, x, { patch: 16, ...sizes.base, offset: true });
      return net.fc(net.layerNorm(net.reduce(net.slice(y, 1, 1, at(y.shape, 1) - 1), [1], { keep: false })), 1000);
    },
  }),
  makeKnown({
    id: "videomae_base",
    name: "VideoMAE base, sixteen frames",
    aliases: ["video_mae", "videomae"],
    family: "ViT",
    input: 224,
    published: [paper("arXiv 2203.12602 table 6: one clip")(87, 180)],
    source: "arXiv 2203.12602",
    enter: (net, [channels, height, width]) => net.input([channels, 16, height, width]),
    layers: (net, x) => {
      const patches = net.conv(x, 768, { kernel: [2, 16, 16], stride: [2, 16, 16], pad: "valid" });
      const y = tokensThrough(net, net.tokens(patches), { patch: 16, ...sizes.base }, true);
      return net.fc(net.layerNorm(net.reduce(y, [1], { keep: false })), 400);
    },
  }),
  swinModel("tiny", { width: 96, layers: [2, 2, 6, 2], heads: 3 }, [within(timm(28.29, 4.51), 0.12, masked)]),
  swinModel("small", { width: 96, layers: [2, 2, 18, 2], heads: 3 }, [within(timm(49.61, 8.77), 0.12, masked)]),
  swinModel("base", { width: 128, layers: [2, 2, 18, 2], heads: 4 }, [within(timm(87.77, 15.47), 0.12, masked)]),
] satisfies readonly KnownModel[];
