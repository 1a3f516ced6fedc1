/** CAS-ViT: attention that adds queries and keys, made of convolutions. arXiv 2408.03703, table of sizes; github.com/Tianfang-Zhang/CAS-ViT. */

import type { KnownModel, Published } from "../known.ts";
import { at, type Layers, type Value } from "../layers.ts";
import { makeKnown } from "../make-known.ts";
import { hailo } from "../published.ts";

type Four = readonly [number, number, number, number];

/** A gate for each place, then one for each channel. */
function gated(net: Layers, x: Value): Value {
  const place = net.conv(net.depthwise(x, { act: "relu" }), 1, { bias: false, act: "sigmoid" });
  const y = net.mul(x, place);
  return net.mul(y, net.conv(net.globalPool(y), at(y.shape, 1), { bias: false, act: "sigmoid" }));
}

function block(net: Layers, x: Value): Value {
  const channels = at(x.shape, 1);
  const near = net.conv(net.depthwise(net.conv(x, channels), { act: "gelu" }), channels);
  const y = net.add(x, near);
  const [q, k, v] = net.split(net.conv(net.batchNorm(y), 3 * channels, { bias: false }), 3);
  const both = net.depthwise(net.add(gated(net, q ?? y), gated(net, k ?? y)));
  const z = net.add(y, net.depthwise(net.mul(both, v ?? y)));
  return net.add(z, net.conv(net.conv(net.batchNorm(z), 4 * channels, { act: "gelu" }), channels));
}

function casvit(net: Layers, x: Value, widths: Four, blocks: Four): Value {
  let y = net.conv(x, widths[0] / 2, { kernel: 3, stride: 2, act: "relu" });
  y = net.conv(y, widths[0], { kernel: 3, stride: 2, act: "relu" });
  widths.forEach((width, stage) => {
    if (stage > 0) y = net.conv(y, width, { kernel: 3, stride: 2 });
    for (let i = 0; i < at(blocks, stage); i++) y = block(net, y);
  });
  const whole = net.flatten(net.globalPool(net.batchNorm(y)));
  return net.scale(net.add(net.fc(whole, 1000), net.fc(whole, 1000)));
}

const zoo = (millions: number): Published => ({
  parameters: Math.round(millions * 1e6),
  source: "github.com/Tianfang-Zhang/CAS-ViT@041d2d6 MODEL_ZOO.md",
});
const operations = (gmacs: number, input?: Published["input"]): Published => ({
  macs: Math.round(gmacs * 1e9),
  ...(input === undefined ? {} : { input }),
  source: "arXiv 2408.03703, table of classification (from memory, not read again)",
});

const model = (
  size: string,
  input: number,
  widths: Four,
  blocks: Four,
  published: KnownModel["published"],
): KnownModel =>
  makeKnown({
    id: `cas_vit_${size}`,
    name: `CAS-ViT-${size.toUpperCase()}`,
    aliases: [`rcvit_${size}`],
    family: "CAS-ViT",
    input,
    published,
    source: "arXiv 2408.03703, table of sizes",
    layers: (net, x) => casvit(net, x, widths, blocks),
  });

export default [
  model("xs", 224, [48, 56, 112, 220], [2, 2, 4, 2], [zoo(3.2), operations(0.56)]),
  model("s", 224, [48, 64, 128, 256], [3, 3, 6, 3], [zoo(5.76), operations(0.932)]),
  model("m", 224, [64, 96, 192, 384], [3, 3, 6, 3], [zoo(12.42), operations(1.887)]),
  model(
    "t",
    384,
    [96, 128, 256, 512],
    [3, 3, 6, 3],
    [hailo("classification")(21.76, 20.85), zoo(21.76), operations(3.597, [3, 224, 224])],
  ),
] satisfies readonly KnownModel[];
