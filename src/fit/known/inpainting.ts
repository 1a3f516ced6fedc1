/** Holes in pictures filled: LaMa with dilated convolutions in place of Fourier's. arXiv 2109.07161; github.com/advimman/lama. */

import type { KnownModel } from "../known.ts";
import { at, type Layers, type Value } from "../layers.ts";
import { makeKnown } from "../make-known.ts";
import { aiHub } from "../parts/published.ts";

const relu = { act: "relu" } as const;

/** A quarter of the channels each, looked at from farther and farther off; what they see is added. */
function dilated(net: Layers, x: Value, act?: "relu"): Value {
  const width = at(x.shape, 1);
  const seen = net.split(x, 4).map((part, index) => net.conv(part, width, { kernel: 3, dilation: 2 ** index }));
  const sum = seen.slice(1).reduce((all, one) => net.add(all, one), seen[0] ?? x);
  return net.activate(net.batchNorm(sum), act);
}

/** A picture and the mask of what is missing. */
function lama(net: Layers, x: Value): Value {
  const mask = net.input([1, ...x.shape.slice(2)], "mask");
  const outside = net.scale(net.scale(mask), "add");
  let y = net.conv(net.concat([net.mul(x, outside), mask]), 64, { kernel: 7, ...relu });
  for (const out of [128, 256, 512]) y = net.conv(y, out, { kernel: 3, stride: 2, ...relu });
  for (let index = 0; index < 9; index += 1) y = net.add(y, dilated(net, dilated(net, y, "relu")));
  for (const out of [256, 128, 64]) y = net.transposed(y, out, { kernel: 3, stride: 2, ...relu });
  const made = net.conv(y, 3, { kernel: 7, act: "sigmoid" });
  return net.add(net.mul(made, mask), net.mul(x, outside));
}

export default [
  makeKnown({
    id: "lama_dilated",
    name: "LaMa, dilated",
    aliases: ["lama"],
    family: "LaMa",
    task: "image",
    input: 512,
    published: [aiHub("lama_dilated", 45.6)],
    source:
      "arXiv 2109.07161; github.com/advimman/lama configs/training/generator/pix2pixhd_multidilated_catin_4dil_9b.yaml",
    layers: lama,
  }),
] satisfies readonly KnownModel[];
