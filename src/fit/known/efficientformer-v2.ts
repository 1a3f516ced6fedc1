/** EfficientFormerV2: convolutions between two 1x1, and attention whose heads talk to one another where pictures are small. arXiv 2212.08059 table 8. */

import type { KnownModel, Published } from "../known.ts";
import { at, product, type Layers, type Value } from "../layers.ts";
import { makeKnown } from "../make-known.ts";
import { timm, within } from "../published.ts";

const HEADS = 8;
const gelu = { act: "gelu" } as const;

/** Times the width that each block of a stage is wide in its middle. */
type Stage = readonly [width: number, times: readonly number[]];

/** Of each head, places before or behind its values. */
const heads = (net: Layers, x: Value): Value =>
  net.reshape(net.planes(x), [at(x.shape, 0), HEADS, at(x.shape, 1) / HEADS, product(x.shape.slice(2))]);
const rows = (net: Layers, x: Value): Value => net.transpose(heads(net, x), [0, 1, 3, 2]);

function scored(net: Layers, q: Value, k: Value): Value {
  const scores = net.scale(net.matmul(rows(net, q), heads(net, k)));
  return net.add(scores, net.weight([1, ...scores.shape.slice(1)], "offset"));
}

/** What was seen, back as a picture, and what a depthwise convolution of the values sees. */
function gathered(net: Layers, weights: Value, v: Value, local: Value): Value {
  const seen = net.transpose(net.matmul(weights, rows(net, v)), [0, 1, 3, 2]);
  return net.add(net.imageOf(seen, local.shape), local);
}

function attention(net: Layers, x: Value, stride: number): Value {
  const width = at(x.shape, 1);
  const y = stride > 1 ? net.depthwise(x, { stride }) : x;
  const [q, k, v] = [32, 32, 128].map((each) => net.conv(y, HEADS * each)) as [Value, Value, Value];
  const talk = (scores: Value): Value => {
    const image = net.imageOf(scores, scores.shape);
    const mixed = net.conv(image, HEADS);
    return net.reshape(net.planes(mixed), scores.shape);
  };
  const weights = talk(net.softmax(talk(scored(net, q, k))));
  const seen = gathered(net, weights, v, net.depthwise(v));
  const large = stride > 1 ? net.resize(seen, x.shape.slice(2), "linear") : seen;
  return net.conv(net.activate(large, "gelu"), width);
}

/** Half the sizes: a 3x3, and attention from every second place where `attends`. */
function down(net: Layers, x: Value, out: number, attends: boolean): Value {
  const y = net.conv(x, out, { kernel: 3, stride: 2, pad: 1 });
  if (!attends) return y;
  const asked = net.add(net.depthwise(x, { stride: 2, pad: 1 }), net.averagePool(x, { kernel: 1, stride: 2 }));
  const [q, k, v] = [net.conv(asked, HEADS * 16), net.conv(x, HEADS * 16), net.conv(x, HEADS * 64)];
  const weights = net.softmax(scored(net, q, k));
  const seen = gathered(net, weights, v, net.depthwise(v, { stride: 2 }));
  return net.add(net.conv(net.activate(seen, "gelu"), out), y);
}

function efficientformer(net: Layers, x: Value, stages: readonly Stage[], attending: number): Value {
  const [[first] = [32]] = stages;
  let y = net.conv(x, first / 2, { kernel: 3, stride: 2, pad: 1, ...gelu });
  y = net.conv(y, first, { kernel: 3, stride: 2, pad: 1, ...gelu });
  stages.forEach(([width, times], stage) => {
    if (stage > 0) y = down(net, y, width, stage === 3);
    times.forEach((by, index) => {
      // What scales a block's sum folds into its last 1x1.
      if (stage >= 2 && index >= times.length - attending) y = net.add(y, attention(net, y, stage === 2 ? 2 : 1));
      const wide = net.depthwise(net.conv(y, by * width, gelu), gelu);
      y = net.add(y, net.conv(wide, width));
    });
  });
  const mean = net.globalPool(net.batchNorm(y));
  return net.scale(net.add(net.fc(mean, 1000), net.fc(mean, 1000)));
}

const known = (size: number, stages: readonly Stage[], attending: number, published: Published): KnownModel =>
  makeKnown({
    id: `efficientformerv2_s${size}`,
    name: `EfficientFormerV2-S${size}`,
    family: "EfficientFormerV2",
    input: 224,
    published: [published],
    source: "arXiv 2212.08059 table 8; github.com/snap-research/EfficientFormer models/efficientformer_v2.py",
    layers: (net, x) => efficientformer(net, x, stages, attending),
  });

/** Offsets stand here place by place, not once for each distance. */
const wider = (published: Published): Published =>
  within(published, 0.05, "offsets place by place; what normalises is counted");

/* prettier-ignore */
export default [
  known(0, [[32, [4, 4]], [48, [4, 4]], [96, [4, 3, 3, 3, 4, 4]], [176, [4, 3, 3, 4]]], 2, wider(timm(3.6, 0.41))),
  known(1, [[32, [4, 4, 4]], [48, [4, 4, 4]], [120, [4, 4, 3, 3, 3, 3, 4, 4, 4]], [224, [4, 4, 3, 3, 4, 4]]], 2, timm(6.19, 0.67)),
  known(
    2, [[32, [4, 4, 4, 4]], [64, [4, 4, 4, 4]], [144, [4, 4, 3, 3, 3, 3, 3, 3, 4, 4, 4, 4]], [288, [4, 4, 3, 3, 3, 3, 4, 4]]], 4,
    timm(12.71, 1.27),
  ),
] satisfies readonly KnownModel[];
