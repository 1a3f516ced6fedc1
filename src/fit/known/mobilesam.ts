/** MobileSAM's encoder: TinyViT of 5 million parameters and the neck of Segment Anything. arXiv 2306.14289, 2207.10666 table 8. */

import { attention } from "../blocks.ts";
import type { KnownModel } from "../known.ts";
import { at, type Layers, type Value } from "../layers.ts";
import { makeKnown } from "../make-known.ts";
import { aiHub } from "../parts/published.ts";

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
] satisfies readonly KnownModel[];
