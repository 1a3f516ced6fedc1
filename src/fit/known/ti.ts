/** Segmentation of TI's zoo: DeepLab v3+ "lite" on MobileNet v2. edgeai-tensorlab xvision/models/pixel2pixel/deeplabv3plus_edgeailite.py. */

import { separable } from "../blocks.ts";
import type { KnownModel } from "../known.ts";
import type { Layers, Value } from "../layers.ts";
import { makeKnown } from "../make-known.ts";
import { expanded } from "../parts/mobilenet-v2.ts";
import { own } from "../parts/published.ts";

const relu = { act: "relu" } as const;

/** A 1x1 and three separable ones that look 6, 12 and 18 far, the second block's output beside them; one separable layer decides. */
function deeplabLite(net: Layers, x: Value, classes: number): Value {
  const { outputs } = expanded(net, x, { alpha: 1, stride: 16 });
  const [fine, last] = [outputs[2] ?? x, outputs.at(-1) ?? x];
  const far = [6, 12, 18].map((dilation) => net.conv(net.depthwise(last, { dilation, ...relu }), 256, relu));
  const mixed = net.conv(net.concat([net.conv(last, 256, relu), ...far]), 256, relu);
  const joined = net.concat([net.resize(mixed, fine.shape.slice(2), "linear"), net.conv(fine, 48, relu)]);
  return net.argMax(net.resize(separable(net, joined, classes, {}), x.shape.slice(2), "linear"), true);
}

export default [
  makeKnown({
    id: "deeplabv3lite_mobilenetv2",
    name: "DeepLab v3 lite MobileNet v2 (TI)",
    aliases: ["deeplabv3plus_mobilenetv2_edgeailite", "deeplabv3lite_mobilenetv2_ade20k32"],
    family: "DeepLab",
    task: "segmentation",
    input: 512,
    published: [
      own(
        "github.com/TexasInstruments/edgeai-tensorlab@f272548 edgeai-modelzoo/models/vision/segmentation/readme.md",
        6.56,
        undefined,
      ),
    ],
    source:
      "github.com/TexasInstruments/edgeai-tensorlab@f272548 edgeai_tensorvision/xvision/models/pixel2pixel/deeplabv3plus_edgeailite.py",
    layers: (net, x) => deeplabLite(net, x, 32),
  }),
] satisfies readonly KnownModel[];
