/** What hides before its background: BGNet (arXiv 2207.00794) on Res2Net-50 (1904.01169). github.com/thograce/BGNet net/bgnet.py. */

import { classifier } from "../blocks.ts";
import type { KnownModel } from "../known.ts";
import { at, type Layers, type Value } from "../layers.ts";
import { makeKnown } from "../make-known.ts";
import { aiHub } from "../parts/published.ts";
import { timm } from "../published.ts";

const relu = { act: "relu" } as const;
const like = (net: Layers, x: Value, to: Value): Value => net.resize(x, to.shape.slice(2), "linear");
const three = (net: Layers, x: Value, out: number, dilation = 1): Value =>
  net.conv(x, out, { kernel: 3, dilation, ...relu });

/** A quarter of the channels passes, three are filtered, each with what came of the one before. */
function block(net: Layers, x: Value, planes: number, stride: number, first: boolean): Value {
  const width = Math.floor((planes * 26) / 64);
  const parts = net.split(net.conv(x, 4 * width, relu), 4);
  let y: Value | undefined;
  const seen = parts.slice(0, 3).map((part) => {
    const source = y === undefined || first ? part : net.add(y, part);
    return (y = net.conv(source, width, { kernel: 3, stride, ...relu }));
  });
  const last = parts[3] ?? x;
  const passed = first ? net.averagePool(last, { kernel: 3, stride, pad: 1 }) : last;
  const z = net.conv(net.concat([...seen, passed]), 4 * planes);
  if (!first) return net.add(z, x, "relu");
  return net.add(z, net.conv(stride > 1 ? net.averagePool(x, { kernel: 2, ceil: true }) : x, 4 * planes), "relu");
}

/** Features of four strides. */
function res2net50(net: Layers, x: Value): Value[] {
  const stem = three(net, three(net, net.conv(x, 32, { kernel: 3, stride: 2, ...relu }), 32), 64);
  let y = net.maxPool(stem, { kernel: 3, stride: 2, pad: 1 });
  return [3, 4, 6, 3].map((count, stage) => {
    for (let index = 0; index < count; index += 1)
      y = block(net, y, 64 * 2 ** stage, index === 0 && stage > 0 ? 2 : 1, index === 0);
    return y;
  });
}

/** Channels weighed by their mean and those beside them, where an edge is seen. */
function guided(net: Layers, x: Value, edge: Value): Value {
  const width = at(x.shape, 1);
  const y = three(net, net.add(net.mul(x, like(net, edge, x)), x), width);
  const beside = Math.floor((Math.log2(width) + 1) / 2);
  const row = net.reshape(net.globalPool(y), [at(x.shape, 0), 1, width]);
  const gate = net.conv(net.image(net.transpose(row, [0, 2, 1]), [1, width]), 1, {
    kernel: [1, beside % 2 === 1 ? beside : beside + 1],
    bias: false,
    act: "sigmoid",
  });
  return net.mul(y, net.image(net.reshape(gate, [at(x.shape, 0), 1, width]), [1, 1]));
}

/** Finer and coarser features together, by convolutions that look further from quarter to quarter. */
function joined(net: Layers, fine: Value, coarse: Value, out: number): Value {
  const x = net.conv(net.concat([fine, like(net, coarse, fine)]), out, relu);
  const [a, b, c, d] = net.split(x, 4) as [Value, Value, Value, Value];
  const quarter = out / 4;
  const one = three(net, net.add(a, b), quarter);
  const two = three(net, net.add(net.add(b, one), c), quarter, 2);
  const third = three(net, net.add(net.add(c, two), d), quarter, 3);
  const fourth = three(net, net.add(d, third), quarter, 4);
  return three(net, net.add(x, net.conv(net.concat([one, two, third, fourth]), out, relu)), out);
}

function bgnet(net: Layers, x: Value): Value {
  const [one = x, two = x, third = x, fourth = x] = res2net50(net, x);
  const both = net.concat([like(net, net.conv(fourth, 256, relu), one), net.conv(one, 64, relu)]);
  const edge = net.conv(three(net, three(net, both, 256), 256), 1, { act: "sigmoid" });
  const [a, b, c, d] = (
    [
      [one, 64],
      [two, 128],
      [third, 256],
      [fourth, 256],
    ] as const
  ).map(([tap, out]) => net.conv(guided(net, tap, edge), out, relu)) as [Value, Value, Value, Value];
  const last = joined(net, a, joined(net, b, joined(net, c, d, 256), 128), 64);
  return like(net, net.conv(last, 1), x);
}

export default [
  makeKnown({
    id: "res2net50_v1b_26w_4s",
    name: "Res2Net-50 v1b of 26 channels by 4",
    aliases: ["res2net50d", "res2net50_26w_4s"],
    family: "Res2Net",
    input: 224,
    published: [timm(25.72, 4.52)],
    source: "arXiv 1904.01169 table 1; github.com/thograce/BGNet net/Res2Net.py",
    layers: (net, x) => classifier(net, res2net50(net, x).at(-1) ?? x),
  }),
  makeKnown({
    id: "bgnet",
    name: "BGNet",
    family: "BGNet",
    task: "segmentation",
    input: 416,
    published: [aiHub("bgnet", 77.8)],
    source: "arXiv 2207.00794; github.com/thograce/BGNet net/bgnet.py",
    layers: bgnet,
  }),
] satisfies readonly KnownModel[];
