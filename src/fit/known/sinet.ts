/** SINet: a person before a background in ninety thousand parameters. arXiv 1911.09099; github.com/clovaai/ext_portrait_segmentation. */

import type { KnownModel } from "../known.ts";
import { at, type Layers, type Value } from "../layers.ts";
import { makeKnown } from "../make-known.ts";
import { aiHub, within } from "../parts/published.ts";

const act = (net: Layers, x: Value): Value => net.activate(net.batchNorm(x), "prelu");

/** [kernel, how far the picture is pooled before and stretched after] of either half. */
type Halves = readonly [readonly [3 | 5, 1 | 2 | 4], readonly [3 | 5, 1 | 2 | 4]];

/* prettier-ignore */
const fine: readonly Halves[] = [[[3, 1], [5, 1]], [[3, 1], [3, 1]]];
/* prettier-ignore */
const coarse: readonly Halves[] = [
  [[3, 1], [5, 1]], [[3, 1], [3, 1]], [[5, 1], [3, 2]], [[5, 2], [3, 4]], [[3, 1], [3, 1]], [[5, 1], [5, 1]], [[3, 2], [3, 4]],
  [[3, 1], [5, 2]],
];

function squeezed(net: Layers, x: Value, out: number, halves: Halves): Value {
  const shuffled = net.shuffle(net.conv(x, out / 2, { groups: 2, bias: false }), 2);
  const seen = halves.map(([kernel, by]) => {
    const small = by > 1 ? net.averagePool(shuffled, { kernel: by, stride: by }) : shuffled;
    const y = net.conv(net.depthwise(small, { kernel, act: "prelu" }), out / 2, { bias: by === 1 });
    return by > 1 ? net.batchNorm(net.upsample(y, by, "linear")) : y;
  });
  const both = net.concat(seen);
  return act(net, at(x.shape, 1) === out ? net.add(x, both) : both);
}

/** Depthwise with stride, channels weighed by two layers or one, 1x1. */
function weighed(net: Layers, x: Value, out: number, divide: 1 | 2): Value {
  const width = at(x.shape, 1);
  const y = net.depthwise(x, { stride: 2, bias: false });
  const mean = net.globalPool(y);
  const prelu = { act: "prelu" } as const;
  const gate = divide === 1 ? mean : net.conv(mean, width / divide, prelu);
  return net.conv(net.mul(net.conv(gate, width, prelu), y), out, prelu);
}

function sinet(net: Layers, x: Value, classes: number): Value {
  const half = net.conv(x, 12, { kernel: 3, stride: 2, act: "prelu" });
  const quarter = weighed(net, half, 16, 1);
  let y = quarter;
  for (const halves of fine) y = squeezed(net, y, 48, halves);
  const middle = y;
  const eighth = weighed(net, act(net, net.concat([quarter, middle])), 48, 2);
  y = eighth;
  for (const halves of coarse) y = squeezed(net, y, 96, halves);
  const scores = net.conv(act(net, net.concat([eighth, y])), classes, { bias: false });
  const first = net.batchNorm(net.upsample(scores, 2, "linear"));
  // What is sure already lets nothing finer in.
  const sure = net.reduce(net.softmax(first, 1), [1], { by: "max" });
  const finer = net.mul(net.conv(middle, classes, { act: "prelu" }), net.scale(net.scale(sure), "add"));
  const second = net.batchNorm(net.upsample(net.add(finer, first), 2, "linear"));
  return net.conv(net.upsample(second, 2, "linear"), classes, { kernel: 3, bias: false });
}

export default [
  makeKnown({
    id: "sinet",
    name: "SINet",
    family: "SINet",
    task: "segmentation",
    input: 224,
    published: [
      within(
        aiHub("sinet", 0.0919),
        0.08,
        "its source's layers come to 86,910, with batch normalisations not yet folded",
      ),
    ],
    source: "arXiv 1911.09099; github.com/clovaai/ext_portrait_segmentation models/SINet.py",
    layers: (net, x) => sinet(net, x, 2),
  }),
] satisfies readonly KnownModel[];
