/**
 * Segment Anything 2 on Hiera-T: attention within windows, pooled queries between stages, features of three strides; and its decoder of
 * masks. arXiv 2408.00714, 2306.00989; github.com/facebookresearch/sam2 sam2/configs/sam2.1/sam2.1_hiera_t.yaml.
 */

import { attend, headsOf, joined } from "../blocks.ts";
import type { KnownModel } from "../known.ts";
import { at, type Layers, type Value } from "../layers.ts";
import { makeKnown } from "../make-known.ts";
import { aiHub, within } from "../parts/published.ts";
import { samDecoder } from "./mobilesam.ts";

/** Blocks of each stage, and the side of its windows. */
const stages = [
  [1, 8],
  [2, 4],
  [7, 14],
  [2, 7],
] as const;
/** Blocks, counted through, that see everything. */
const global: ReadonlySet<number> = new Set([5, 7, 9]);

type Picture = readonly [tokens: Value, height: number, across: number];

const halved = (net: Layers, x: Value, height: number, across: number): Value =>
  net.tokens(net.maxPool(net.image(x, [height, across]), { kernel: 2 }));

/** Windows of a side, each with its tokens; the picture is filled up to whole ones. */
function cut(net: Layers, [x, height, across]: Picture, side: number): readonly [Value, number, number] {
  const [n, width] = [at(x.shape, 0), at(x.shape, 2)];
  const [rows, columns] = [Math.ceil(height / side), Math.ceil(across / side)];
  let y = net.image(x, [height, across]);
  if (rows * side > height || columns * side > across)
    y = net.pad(y, [
      [0, rows * side - height],
      [0, columns * side - across],
    ]);
  const split = net.transpose(net.reshape(net.tokens(y), [n * rows, side, columns, side, width]), [0, 2, 1, 3, 4]);
  return [net.reshape(split, [n * rows * columns, side * side, width]), rows, columns];
}

function whole(
  net: Layers,
  x: Value,
  side: number,
  rows: number,
  columns: number,
  [height, across]: readonly [number, number],
): Value {
  const width = at(x.shape, 2);
  const n = at(x.shape, 0) / rows / columns;
  const back = net.transpose(net.reshape(x, [n * rows, columns, side, side, width]), [0, 2, 1, 3, 4]);
  const y = net.image(net.reshape(back, [n, rows * side * columns * side, width]), [rows * side, columns * side]);
  const fits = rows * side === height && columns * side === across;
  return net.tokens(fits ? y : net.slice(net.slice(y, 2, 0, height), 3, 0, across));
}

/** Where a stage begins, its width doubles, and queries are the largest of four. */
function block(net: Layers, [x, height, across]: Picture, out: number, heads: number, side: number): Picture {
  const pools = at(x.shape, 2) !== out;
  const normal = net.layerNorm(x);
  const size = pools ? ([height / 2, across / 2] as const) : ([height, across] as const);
  const around = pools ? halved(net, net.fc(normal, out), height, across) : x;
  const [tokens, rows, columns] = side > 0 ? cut(net, [normal, height, across], side) : [normal, 1, 1];
  const [q, k, v] = net.split(net.fc(tokens, 3 * out), 3, 2) as [Value, Value, Value];
  const asked = pools ? halved(net, q, side > 0 ? side : height, side > 0 ? side : across) : q;
  const [a, b, c] = [asked, k, v].map((one) => headsOf(net, one, heads)) as [Value, Value, Value];
  const seen = net.fc(joined(net, attend(net, a, b, c)), out);
  const placed = side > 0 ? whole(net, seen, pools ? side / 2 : side, rows, columns, size) : seen;
  const y = net.add(around, placed);
  return [net.add(y, net.fc(net.fc(net.layerNorm(y), 4 * out, { act: "gelu" }), out)), ...size];
}

function encoder(net: Layers, x: Value): Value[] {
  const patches = net.conv(x, 96, { kernel: 7, stride: 4, pad: 3 });
  const tokens = net.tokens(patches);
  let picture: Picture = [
    net.add(tokens, net.weight([1, ...tokens.shape.slice(1)], "positions")),
    at(patches.shape, 2),
    at(patches.shape, 3),
  ];
  let index = 0;
  let side: number = stages[0][1];
  const features = stages.map(([count, own], stage) => {
    for (let of = 0; of < count; of += 1) {
      // The first block of a stage still has the windows of the one before.
      picture = block(net, picture, 96 * 2 ** stage, 2 ** stage, global.has(index) ? 0 : side);
      side = own;
      index += 1;
    }
    return net.conv(net.image(picture[0], [picture[1], picture[2]]), 256);
  });
  const [fine = x, middle = x, coarse = x, coarsest = x] = features;
  const embedded = net.add(coarse, net.upsample(coarsest));
  return [net.add(embedded, net.weight([1, 256, 1, 1], "no_memory", true)), net.conv(fine, 32), net.conv(middle, 64)];
}

const configuration = "github.com/facebookresearch/sam2 sam2/configs/sam2.1/sam2.1_hiera_t.yaml";

export default [
  makeKnown({
    id: "sam2_hiera_tiny_encoder",
    name: "SAM 2.1 Hiera-T encoder",
    aliases: ["sam2.1_hiera_t_encoder", "sam2_encoder", "sam2 / SAM2Encoder"],
    family: "SAM 2",
    task: "segmentation",
    input: 1024,
    published: [aiHub("sam2", 33.5)],
    source: `arXiv 2408.00714, 2306.00989; ${configuration}`,
    layers: encoder,
  }),
  makeKnown({
    id: "sam2_decoder",
    name: "SAM 2.1 decoder",
    aliases: ["sam2_mask_decoder", "sam2 / SAM2Decoder"],
    family: "SAM 2",
    task: "segmentation",
    input: [1, 256, 256],
    published: [
      within(
        aiHub("sam2", 6.22),
        0.17,
        "stores where each place stands twice, once for each picture and once for no mask",
      ),
    ],
    source: `arXiv 2408.00714; ${configuration}`,
    layers: (net, x) => samDecoder(net, x, true),
  }),
] satisfies readonly KnownModel[];
