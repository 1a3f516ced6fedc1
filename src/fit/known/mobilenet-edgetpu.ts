/** MobileNet-EdgeTPU: whole convolutions where others are depthwise, early on. arXiv 2003.02838; tensorflow/models research/slim/nets/mobilenet/mobilenet_v3.py. */

import { classifier, inverted } from "../blocks.ts";
import type { KnownModel } from "../known.ts";
import { at, type Layers, type Value } from "../layers.ts";
import { makeKnown } from "../make-known.ts";
import { timm } from "../published.ts";

/** Kernel, times the width in the middle, channels out, stride, whether its first two are one. */
/* prettier-ignore */
const rows = [
  [3, 8, 32, 2, true], [3, 4, 32, 1, true], [3, 4, 32, 1, true], [3, 4, 32, 1, true], [3, 8, 48, 2, true],
  [3, 4, 48, 1, true], [3, 4, 48, 1, true], [3, 4, 48, 1, true], [3, 8, 96, 2, false], [3, 4, 96, 1, false], [3, 4, 96, 1, false],
  [3, 4, 96, 1, false], [3, 8, 96, 1, false], [3, 4, 96, 1, false], [3, 4, 96, 1, false], [3, 4, 96, 1, false], [5, 8, 160, 2, false],
  [5, 4, 160, 1, false], [5, 4, 160, 1, false], [5, 4, 160, 1, false], [3, 8, 192, 1, false],
] as const;
/** What it gives is not added to what it was given. */
const ALONE = 12;

function edgetpu(net: Layers, x: Value): Value {
  const relu = { act: "relu" } as const;
  // What would not widen is left out: a 1x1 is all of the first block.
  let y = net.conv(net.conv(x, 32, { kernel: 3, stride: 2, ...relu }), 16);
  rows.forEach(([kernel, times, out, stride, fused], index) => {
    const wide = times * at(y.shape, 1);
    y =
      index === ALONE
        ? net.conv(net.depthwise(net.conv(y, wide, relu), { kernel, ...relu }), out)
        : inverted(net, y, { kernel, stride, wide, out, fused, ...relu });
  });
  return classifier(net, net.conv(y, 1280, relu));
}

export default [
  makeKnown({
    id: "mobilenet_edgetpu",
    name: "MobileNet-EdgeTPU",
    aliases: ["mobilenet_edgetpu_1.0_224", "mobilenet_edgetpu_100", "mobilenet_edgetpu_224_1.0_float"],
    family: "MobileNet",
    input: 224,
    published: [timm(4.09, 1)],
    source: "arXiv 2003.02838; github.com/tensorflow/models research/slim/nets/mobilenet/mobilenet_v3.py, V3_EDGETPU",
    layers: edgetpu,
  }),
] satisfies readonly KnownModel[];
