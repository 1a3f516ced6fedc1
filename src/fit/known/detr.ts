/** DETR: a residual trunk, an encoder and a decoder of six layers each, 100 queries. arXiv 2005.12872; github.com/facebookresearch/detr. */

import { attend, headsOf, joined } from "../blocks.ts";
import type { KnownModel, Published } from "../known.ts";
import { at, type Layers, type Value } from "../layers.ts";
import { makeKnown } from "../make-known.ts";
import { aiHub, hailo, own, within } from "../parts/published.ts";
import { resnet } from "./resnet.ts";

const WIDTH = 256;
const HEADS = 8;

/** Positions are added to queries and keys, not to values. */
function attention(net: Layers, queries: Value, keys: Value, values: Value): Value {
  const [q, k, v] = [queries, keys, values].map((x) => headsOf(net, net.fc(x, WIDTH), HEADS)) as [Value, Value, Value];
  return net.fc(joined(net, attend(net, q, k, v)), WIDTH);
}

const through = (net: Layers, x: Value): Value =>
  net.layerNorm(net.add(x, net.fc(net.fc(x, 2048, { act: "relu" }), WIDTH)));

function transformer(net: Layers, x: Value): Value {
  let memory = net.tokens(net.conv(x, WIDTH));
  const positions = net.weight([1, at(memory.shape, 1), WIDTH], "positions");
  for (let layer = 0; layer < 6; layer += 1) {
    const placed = net.add(memory, positions);
    memory = through(net, net.layerNorm(net.add(memory, attention(net, placed, placed, memory))));
  }
  const asked = net.weight([1, 100, WIDTH], "queries");
  const keys = net.add(memory, positions);
  let y: Value | undefined;
  for (let layer = 0; layer < 6; layer += 1) {
    const placed: Value = y === undefined ? asked : net.add(y, asked);
    // Nothing is known before the first layer: its values are zero and what it sees is its biases.
    const self = attention(net, placed, placed, y ?? asked);
    const seen: Value = net.layerNorm(y === undefined ? self : net.add(y, self));
    const crossed = net.add(seen, attention(net, net.add(seen, asked), keys, memory));
    y = through(net, net.layerNorm(crossed));
  }
  return net.layerNorm(y ?? asked);
}

function detr(net: Layers, x: Value, depth: 18 | 50 | 101, dilateLast: boolean): Value[] {
  const y = transformer(net, resnet(net, x, { depth, dilateLast }).at(-1) ?? x);
  const boxes = net.fc(net.fc(net.fc(y, WIDTH, { act: "relu" }), WIDTH, { act: "relu" }), 4, { act: "sigmoid" });
  return [net.fc(y, 92), boxes];
}

const known = (
  depth: 18 | 50 | 101,
  side: number,
  published: readonly Published[],
  option: { readonly aliases?: readonly string[]; readonly dilated?: true } = {},
): KnownModel =>
  makeKnown({
    id: `detr_resnet${depth}${option.dilated ? "_dc5" : ""}`,
    name: `DETR ResNet-${depth}${option.dilated ? " DC5" : ""}`,
    aliases: option.aliases ?? [],
    family: "DETR",
    task: "detection",
    input: side,
    published,
    source: "arXiv 2005.12872 section 3.2 and appendix A.4",
    layers: (net, x) => detr(net, x, depth, option.dilated === true),
  });

const folded = "holds positions multiplied into the matrices of every layer";
const hailo8l = (gops: number, millions: number): Published =>
  own(
    "github.com/hailo-ai/hailo_model_zoo@c83fc03 docs/public_models/HAILO8L/HAILO8L_object_detection.rst",
    gops,
    millions,
  );

export default [
  known(18, 800, [within(hailo("object_detection", 61.87, 32.42), 0.11, folded)], {
    aliases: ["detr_resnet_v1_18_bn"],
  }),
  known(50, 800, [hailo8l(120.4, 41.1), aiHub("detr_resnet50", 41.4)], { aliases: ["detr_resnet_v1_50"] }),
  known(101, 480, [aiHub("detr_resnet101", 60.3)]),
  known(50, 480, [aiHub("detr_resnet50_dc5", 41.4)], { dilated: true }),
  known(101, 480, [aiHub("detr_resnet101_dc5", 60.3)], { dilated: true }),
] satisfies readonly KnownModel[];
