/** Points of a laser scanner as a picture of distances, a class for each: SalsaNext. arXiv 2003.03653; github.com/TiagoCortinhal/SalsaNext. */

import type { KnownModel } from "../known.ts";
import { type Layers, type Value } from "../layers.ts";
import { makeKnown } from "../make-known.ts";
import { aiHub } from "../parts/published.ts";

/** Activated first and normalised after: nothing folds away. */
const layer = (net: Layers, x: Value, out: number, kernel: 1 | 2 | 3, dilation = 1): Value => {
  const pad = kernel === 1 ? 0 : kernel === 2 ? 1 : dilation;
  return net.batchNorm(net.conv(x, out, { kernel, dilation, pad, act: "leaky" }));
};

function context(net: Layers, x: Value, out: number): Value {
  const around = net.conv(x, out, { act: "leaky" });
  return net.add(around, layer(net, layer(net, around, out, 3), out, 3, 2));
}

/** Three convolutions, the later ones dilated, side by side through a 1x1. */
function stacked(net: Layers, x: Value, out: number): Value {
  const one = layer(net, x, out, 3);
  const two = layer(net, one, out, 3, 2);
  return layer(net, net.concat([one, two, layer(net, two, out, 2, 2)]), out, 1);
}

function salsanext(net: Layers, x: Value): Value {
  let y = context(net, context(net, context(net, x, 32), 32), 32);
  const kept: Value[] = [];
  [64, 128, 256, 256, 256].forEach((out, stage) => {
    y = net.add(net.conv(y, out, { act: "leaky" }), stacked(net, y, out));
    if (stage === 4) return;
    kept.push(y);
    y = net.averagePool(y, { kernel: 3, stride: 2, pad: 1 });
  });
  for (const out of [128, 128, 64, 32]) {
    const fine = kept.pop() ?? y;
    y = stacked(net, net.concat([net.depthToSpace(y, 2), fine]), out);
  }
  return net.softmax(net.conv(y, 20), 1);
}

export default [
  makeKnown({
    id: "salsanext",
    name: "SalsaNext",
    family: "SalsaNext",
    task: "segmentation",
    input: [5, 64, 2048],
    published: [aiHub("salsanext", 6.71)],
    source: "arXiv 2003.03653 figure 1; github.com/TiagoCortinhal/SalsaNext train/tasks/semantic/modules/SalsaNext.py",
    layers: salsanext,
  }),
] satisfies readonly KnownModel[];
