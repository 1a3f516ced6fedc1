/** EfficientViT of Microsoft: heads in a cascade, each of its own channels and of what the one before it saw. arXiv 2305.07027 table 1. */

import { squeezeExcite } from "../blocks.ts";
import type { KnownModel, Published } from "../known.ts";
import { at, type Layers, type Value } from "../layers.ts";
import { makeKnown } from "../make-known.ts";
import { timm } from "../published.ts";

interface Cascade {
  readonly widths: readonly [number, number, number];
  readonly blocks: readonly [number, number, number];
  readonly heads: readonly [number, number, number];
  readonly kernels: readonly number[];
}

const WINDOW = 7;
const KEY = 16;

const mixed = (net: Layers, x: Value): Value => {
  const width = at(x.shape, 1);
  const y = net.add(x, net.depthwise(x));
  return net.add(y, net.conv(net.conv(y, 2 * width, { act: "relu" }), width));
};

/** Heads one after the other, over all places of a window. */
function cascaded(net: Layers, x: Value, heads: number, kernels: readonly number[]): Value {
  const [n, width, height, across] = x.shape as [number, number, number, number];
  const [own, places] = [width / heads, height * across];
  const parts = net.split(x, heads);
  let y = parts[0] ?? x;
  const seen = parts.map((part, head) => {
    const told = net.conv(head === 0 ? part : net.add(y, part), 2 * KEY + own);
    const [q, k, v] = net.split(told, [KEY, KEY, own]) as [Value, Value, Value];
    const asked = net.depthwise(q, { kernel: kernels[head] ?? 3 });
    const [queries, keys, values] = [asked, k, v].map((one) => net.tokens(one)) as [Value, Value, Value];
    const scores = net.scale(net.matmul(queries, keys, { transposeB: true }));
    const weights = net.softmax(net.add(scores, net.weight([1, places, places], "offset")));
    return (y = net.imageOf(net.transpose(net.matmul(weights, values), [0, 2, 1]), [n, own, height, across]));
  });
  return net.conv(net.activate(net.concat(seen), "relu"), width);
}

/** Each window by itself, where the picture is larger than one. */
function windowed(net: Layers, x: Value, heads: number, kernels: readonly number[]): Value {
  const [n, width, height, across] = x.shape as [number, number, number, number];
  if (height <= WINDOW && across <= WINDOW) return cascaded(net, x, heads, kernels);
  const [rows, columns] = [Math.ceil(height / WINDOW), Math.ceil(across / WINDOW)];
  const [tall, wide] = [rows * WINDOW, columns * WINDOW];
  const filled =
    tall === height && wide === across
      ? x
      : net.pad(x, [
          [0, tall - height],
          [0, wide - across],
        ]);
  // The batch goes with the rows: accelerators take five dimensions.
  const cut = net.transpose(
    net.reshape(net.tokens(filled), [n * rows, WINDOW, columns, WINDOW, width]),
    [0, 2, 1, 3, 4],
  );
  const windows = net.image(net.reshape(cut, [n * rows * columns, WINDOW * WINDOW, width]), [WINDOW, WINDOW]);
  const seen = net.reshape(net.tokens(cascaded(net, windows, heads, kernels)), [
    n * rows,
    columns,
    WINDOW,
    WINDOW,
    width,
  ]);
  const back = net.reshape(net.transpose(seen, [0, 2, 1, 3, 4]), [n, tall * wide, width]);
  const y = net.image(back, [tall, wide]);
  return filled === x ? y : net.slice(net.slice(y, 2, 0, height), 3, 0, across);
}

function cascade(net: Layers, x: Value, { widths, blocks, heads, kernels }: Cascade): Value {
  let y = x;
  [8, 4, 2, 1].forEach((by, index) => {
    y = net.conv(y, widths[0] / by, { kernel: 3, stride: 2, act: index < 3 ? "relu" : undefined });
  });
  widths.forEach((width, stage) => {
    if (stage > 0) {
      const from = at(y.shape, 1);
      const wide = net.conv(mixed(net, y), 4 * from, { act: "relu" });
      const down = net.depthwise(wide, { stride: 2, act: "relu" });
      y = mixed(net, net.conv(squeezeExcite(net, down, from), width));
    }
    for (let index = 0; index < at(blocks, stage); index += 1) {
      y = mixed(net, y);
      y = mixed(net, net.add(y, windowed(net, y, at(heads, stage), kernels)));
    }
  });
  return net.fc(net.globalPool(y), 1000);
}

const known = (size: number, model: Cascade, published: Published): KnownModel =>
  makeKnown({
    id: `efficientvit_m${size}`,
    name: `EfficientViT-M${size}`,
    aliases: [`efficientvit_msra_m${size}`],
    family: "EfficientViT of Microsoft",
    input: 224,
    published: [published],
    source: "arXiv 2305.07027 table 1; github.com/microsoft/Cream EfficientViT/classification/model/build.py",
    layers: (net, x) => cascade(net, x, model),
  });

const large = [7, 5, 3, 3];
const small = [5, 5, 5, 5];

export default [
  known(0, { widths: [64, 128, 192], blocks: [1, 2, 3], heads: [4, 4, 4], kernels: small }, timm(2.35, 0.08)),
  known(1, { widths: [128, 144, 192], blocks: [1, 2, 3], heads: [2, 3, 3], kernels: large }, timm(2.98, 0.17)),
  known(2, { widths: [128, 192, 224], blocks: [1, 2, 3], heads: [4, 3, 2], kernels: large }, timm(4.19, 0.2)),
  known(3, { widths: [128, 240, 320], blocks: [1, 2, 3], heads: [4, 3, 4], kernels: small }, timm(6.9, 0.27)),
  known(4, { widths: [128, 256, 384], blocks: [1, 2, 3], heads: [4, 4, 4], kernels: large }, timm(8.8, 0.3)),
  known(5, { widths: [192, 288, 384], blocks: [1, 3, 4], heads: [3, 3, 4], kernels: large }, timm(12.47, 0.53)),
] satisfies readonly KnownModel[];
