/**
 * MobileSAM: TinyViT of 5 million parameters and the neck of Segment Anything, and its decoder of masks. arXiv 2306.14289, 2207.10666
 * table 8, 2304.02643 appendix A.
 */

import { attend, attention, headsOf, joined } from "../blocks.ts";
import type { KnownModel } from "../known.ts";
import { at, type Layers, type Value } from "../layers.ts";
import { makeKnown } from "../make-known.ts";
import { aiHub, within } from "../parts/published.ts";

/** Of the three stages of attention: width, layers, heads, side of a window, stride to it. */
const stages = [
  [128, 2, 4, 7, 2],
  [160, 6, 5, 14, 2],
  [320, 2, 10, 7, 1],
] as const;

function mobile(net: Layers, x: Value): Value {
  const width = at(x.shape, 1);
  const wide = net.depthwise(net.conv(x, 4 * width, { act: "gelu" }), { act: "gelu" });
  return net.activate(net.add(x, net.conv(wide, width)), "gelu");
}

const merge = (net: Layers, x: Value, width: number, stride: number): Value =>
  net.conv(net.depthwise(net.conv(x, width, { act: "gelu" }), { stride, act: "gelu" }), width);

/** Attention within windows, with learnt offsets; then a depthwise convolution and two layers over all places. */
function windowed(net: Layers, x: Value, heads: number, side: number): Value {
  const [n, width, height, across] = x.shape as [number, number, number, number];
  const [rows, columns] = [Math.ceil(height / side), Math.ceil(across / side)];
  const filled =
    rows * side === height && columns * side === across
      ? x
      : net.pad(x, [
          [0, rows * side - height],
          [0, columns * side - across],
        ]);
  // The batch goes with the rows: accelerators take five dimensions.
  const cut = net.reshape(net.tokens(filled), [n * rows, side, columns, side, width]);
  const windows = net.reshape(net.transpose(cut, [0, 2, 1, 3, 4]), [n * rows * columns, side * side, width]);
  const seen = attention(net, net.layerNorm(windows), { heads, offset: true });
  const back = net.transpose(net.reshape(seen, [n * rows, columns, side, side, width]), [0, 2, 1, 3, 4]);
  let image = net.image(net.reshape(back, [n, rows * side * columns * side, width]), [rows * side, columns * side]);
  if (filled !== x) image = net.slice(net.slice(image, 2, 0, height), 3, 0, across);
  const placed = net.depthwise(net.add(x, image));
  const tokens = net.tokens(placed);
  const through = net.fc(net.fc(net.layerNorm(tokens), 4 * width, { act: "gelu" }), width);
  return net.image(net.add(tokens, through), [height, across]);
}

function encoder(net: Layers, x: Value): Value {
  let y = net.conv(net.conv(x, 32, { kernel: 3, stride: 2, act: "gelu" }), 64, { kernel: 3, stride: 2 });
  y = mobile(net, mobile(net, y));
  for (const [width, layers, heads, side, stride] of stages) {
    y = merge(net, y, width, stride);
    for (let layer = 0; layer < layers; layer += 1) y = windowed(net, y, heads, side);
  }
  const neck = net.layerNorm(net.conv(y, 256, { bias: false }));
  return net.layerNorm(net.conv(neck, 256, { kernel: 3, bias: false }));
}

/** Queries, keys and values by themselves; between the two sides half as wide. */
function look(net: Layers, q: Value, k: Value, v: Value, inner: number): Value {
  const [a, b, c] = [q, k, v].map((one) => headsOf(net, net.fc(one, inner), 8)) as [Value, Value, Value];
  return net.fc(joined(net, attend(net, a, b, c)), 256);
}

const layered = (net: Layers, x: Value, widths: readonly number[]): Value =>
  widths.reduce((y, width, index) => net.fc(y, width, { act: index < widths.length - 1 ? "relu" : undefined }), x);

/**
 * Two points and a mask from before, at a quarter of the mask's sizes: four masks and how good each is. `fine`: as SAM 2 has it, with
 * the encoder's finer features, and whether the object is there at all.
 */
export function samDecoder(net: Layers, mask: Value, fine = false): Value[] {
  const n = at(mask.shape, 0);
  const [height, across] = mask.shape.slice(2).map((size) => Math.floor(size / 4)) as [number, number];
  const embedding = net.inputOf([n, 256, height, across], "image_embeddings");
  const points = net.inputOf([n, 3, 256], "sparse_embeddings");
  const halved = (x: Value, out: number): Value =>
    net.activate(net.layerNorm(net.conv(x, out, { kernel: 2, stride: 2, pad: "valid" })), "gelu");
  const dense = net.conv(halved(halved(mask, 4), 16), 256);
  let image = net.tokens(net.add(net.imageOf(embedding, embedding.shape), dense));
  const places = net.weight([1, height * across, 256], "places");
  const asked = net.concat([net.weight([n, fine ? 6 : 5, 256], "tokens"), points], 1);
  let tokens = asked;
  for (let layer = 0; layer < 2; layer += 1) {
    const own = layer === 0 ? tokens : net.add(tokens, asked);
    const seen = look(net, own, own, tokens, 256);
    tokens = net.layerNorm(layer === 0 ? seen : net.add(tokens, seen));
    const placed = net.add(image, places);
    tokens = net.layerNorm(net.add(tokens, look(net, net.add(tokens, asked), placed, image, 128)));
    tokens = net.layerNorm(net.add(tokens, layered(net, tokens, [2048, 256])));
    image = net.layerNorm(net.add(image, look(net, placed, net.add(tokens, asked), tokens, 128)));
  }
  const last = look(net, net.add(tokens, asked), net.add(image, places), image, 128);
  tokens = net.layerNorm(net.add(tokens, last));
  const joining = (x: Value, name: string): Value => (fine ? net.add(x, net.input(x.shape.slice(1), name)) : x);
  const twice = joining(net.transposed(net.image(image, [height, across]), 64), "features_8");
  const large = net.transposed(net.activate(net.layerNorm(twice), "gelu"), 32);
  const pixels = net.tokens(net.activate(joining(large, "features_4"), "gelu"));
  const filters = Array.from({ length: 4 }, (_, index) =>
    layered(net, net.slice(tokens, 1, index + 1, 1), [256, 256, 32]),
  );
  const masks = net.matmul(net.concat(filters, 1), pixels, { transposeB: true });
  const scores = layered(net, net.slice(tokens, 1, 0, 1), [256, 256, 4]);
  const there = fine ? [layered(net, net.slice(tokens, 1, 5, 1), [256, 256, 1])] : [];
  return [net.reshape(masks, [n, 4, 4 * height, 4 * across]), scores, ...there];
}

export default [
  makeKnown({
    id: "mobilesam_encoder",
    name: "MobileSAM encoder",
    aliases: ["mobilesam_encoder_tiny", "mobilesam / MobileSAMEncoder"],
    family: "MobileSAM",
    task: "segmentation",
    input: 448,
    published: [aiHub("mobilesam", 6.95)],
    source: "arXiv 2306.14289; 2207.10666 table 8",
    layers: encoder,
  }),
  makeKnown({
    id: "mobilesam_decoder",
    name: "MobileSAM decoder",
    aliases: ["sam_decoder", "sam_mask_decoder", "mobilesam / MobileSAMDecoder"],
    family: "MobileSAM",
    task: "segmentation",
    input: [1, 256, 256],
    published: [
      within(
        aiHub("mobilesam", 6.16),
        0.18,
        "stores where each place stands twice, once for each picture and once for no mask",
      ),
    ],
    source:
      "arXiv 2304.02643 appendix A; github.com/facebookresearch/segment-anything segment_anything/modeling/mask_decoder.py",
    layers: (net, x) => samDecoder(net, x),
  }),
] satisfies readonly KnownModel[];
