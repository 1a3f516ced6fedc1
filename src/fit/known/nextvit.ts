/** Next-ViT: grouped convolutions, and at the end of a stage attention over what was pooled. arXiv 2207.05501 table 2. */

import { attend, classifier, headsOf, joined } from "../blocks.ts";
import type { KnownModel, Published } from "../known.ts";
import { at, product, type Layers, type Value } from "../layers.ts";
import { makeKnown } from "../make-known.ts";
import { hailo, timm } from "../published.ts";

const HEAD = 32;
const relu = { act: "relu" } as const;

/** To another width, and half the sizes where `stride` is 2. */
function embedded(net: Layers, x: Value, out: number, stride: number): Value {
  if (stride === 2) return net.conv(net.averagePool(x, { kernel: 2, ceil: true }), out);
  return at(x.shape, 1) === out ? x : net.conv(x, out);
}

const grouped = (net: Layers, x: Value): Value => {
  const width = at(x.shape, 1);
  return net.conv(net.conv(x, width, { kernel: 3, groups: width / HEAD, ...relu }), width, { bias: false });
};
const through = (net: Layers, x: Value, times: number): Value =>
  net.add(x, net.conv(net.conv(x, times * at(x.shape, 1), relu), at(x.shape, 1)));

function convolving(net: Layers, x: Value, out: number, stride: number): Value {
  const y = embedded(net, x, out, stride);
  return through(net, net.add(y, grouped(net, y)), 3);
}

/** Three quarters of the channels attend; the last quarter is convolved from them. */
function attending(net: Layers, x: Value, out: number, stride: number, by: number): Value {
  const width = Math.floor((0.75 * out + HEAD / 2) / HEAD) * HEAD;
  let y = embedded(net, x, width, stride);
  const [n, places] = [at(y.shape, 0), product(y.shape.slice(2))];
  const tokens = net.tokens(y);
  // Pooled along the row of all places, not in the picture.
  const pooled =
    by > 1 ? net.tokens(net.averagePool(net.image(tokens, [1, places]), { kernel: [1, by * by] })) : tokens;
  const [q, k, v] = [tokens, pooled, pooled].map((one) => headsOf(net, net.fc(one, width), width / HEAD)) as [
    Value,
    Value,
    Value,
  ];
  const seen = net.fc(joined(net, attend(net, q, k, v)), width);
  y = net.add(y, net.imageOf(net.transpose(seen, [0, 2, 1]), [n, width, ...y.shape.slice(2)]));
  const local = net.conv(y, out - width);
  return through(net, net.concat([y, net.add(local, grouped(net, local))]), 2);
}

function nextvit(net: Layers, x: Value, third: number): Value {
  let y = x;
  for (const [out, stride] of [
    [64, 2],
    [32, 1],
    [64, 1],
    [64, 2],
  ] as const)
    y = net.conv(y, out, { kernel: 3, stride, pad: 1, ...relu });
  const stages = [
    { widths: [96, 96, 96], by: 8 },
    { widths: [192, 192, 192, 256], by: 4 },
    { widths: Array.from({ length: third }, (_, index) => (index % 5 === 4 ? 512 : 384)), by: 2 },
    { widths: [768, 768, 1024], by: 1 },
  ];
  stages.forEach(({ widths, by }, stage) => {
    widths.forEach((out, index) => {
      const stride = stage > 0 && index === 0 ? 2 : 1;
      const attends = stage > 0 && out !== widths[0];
      y = attends ? attending(net, y, out, stride, by) : convolving(net, y, out, stride);
    });
  });
  return classifier(net, net.batchNorm(y));
}

const known = (size: string, third: number, published: readonly Published[]): KnownModel =>
  makeKnown({
    id: `nextvit_${size}`,
    name: `Next-ViT ${size}`,
    family: "Next-ViT",
    input: 224,
    published,
    source: "arXiv 2207.05501 table 2; github.com/bytedance/Next-ViT classification/nextvit.py",
    layers: (net, x) => nextvit(net, x, third),
  });

export default [
  known("small", 10, [timm(31.76, 5.81)]),
  known("base", 20, [timm(44.82, 8.29), hailo("classification")(44.8, 16.6)]),
] satisfies readonly KnownModel[];
