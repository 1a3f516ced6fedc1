/** LPRNet: plates read without recurrence, by what small blocks see at four depths. arXiv 1806.10447; github.com/sirius-ai/LPRNet_Pytorch. */

import type { KnownModel } from "../known.ts";
import { at, type Layers, type Value } from "../layers.ts";
import { makeKnown } from "../make-known.ts";
import { hailo, own } from "../parts/published.ts";

const CLASSES = 68;

/** A column and a row of three, one after the other, between 1x1 convolutions. */
function small(net: Layers, x: Value, out: number): Value {
  const relu = { act: "relu" } as const;
  const narrow = net.conv(x, out / 4, relu);
  const column = net.conv(narrow, out / 4, { kernel: [3, 1], pad: [1, 0], ...relu });
  return net.conv(net.conv(column, out / 4, { kernel: [1, 3], pad: [0, 1], ...relu }), out, relu);
}

/** Its poolings leave out channels as well: every second, every fourth. */
const thin = (net: Layers, x: Value, by: number): Value =>
  net.maxPool(net.slice(x, 1, 0, at(x.shape, 1) / by, by), { kernel: 3, stride: [1, 2] });

function lprnet(net: Layers, x: Value): Value {
  const valid = { pad: "valid", act: "relu" } as const;
  const first = net.conv(x, 64, { kernel: 3, ...valid });
  const second = small(net, net.maxPool(first, { kernel: 3, stride: 1 }), 128);
  const third = small(net, small(net, thin(net, second, 2), 256), 256);
  const wide = net.conv(thin(net, third, 4), 256, { kernel: [1, 4], ...valid });
  const last = net.conv(wide, CLASSES, { kernel: [13, 1], ...valid });
  const five = { kernel: 5, stride: 5 } as const;
  const seen = [
    net.averagePool(first, five),
    net.averagePool(second, five),
    net.averagePool(third, { kernel: [4, 10], stride: [4, 2] }),
    last,
  ];
  // Each is divided by the mean of its squares.
  const even = seen.map((y) => net.div(y, net.reduce(net.mul(y, y), [1, 2, 3])));
  return net.reduce(net.conv(net.concat(even), CLASSES), [2], { keep: false });
}

const three = (net: Layers, x: Value, out: number, stride = 1): Value => {
  const y = net.conv(net.conv(x, out, { kernel: 3, stride, act: "relu" }), out, { kernel: 3 });
  return net.add(y, stride > 1 || at(x.shape, 1) !== out ? net.conv(x, out, { stride }) : x, "relu");
};

/** Hailo's of the same name, for larger pictures: residual blocks, digits alone. github.com/hailo-ai/LPRNet_Pytorch. */
function hailoLprnet(net: Layers, x: Value): Value {
  const digits = 11;
  let y = net.conv(x, 64, { kernel: 7, act: "relu" });
  y = three(net, three(net, three(net, three(net, y, 64), 128), 128, 2), 256);
  const thinner = (from: Value, times: number): Value => {
    let z = from;
    for (let index = 1; index <= times; index += 1)
      z = net.conv(z, 256, { stride: 2, act: index < times ? "relu" : undefined });
    return z;
  };
  const first = thinner(y, 3);
  y = three(net, three(net, y, 256, 2), 256);
  const second = thinner(y, 2);
  const third = three(net, three(net, y, 256, 2), 256, 2);
  const wide = net.conv(third, 256, { kernel: [1, 5], act: "relu" });
  const fourth = net.conv(wide, digits, { kernel: [5, 1], act: "relu" });
  return net.reduce(net.conv(net.concat([first, second, third, fourth]), digits), [2], { keep: false });
}

/** Pictures higher than this are Hailo's. */
const HIGH = 48;

export default [
  makeKnown({
    id: "lprnet",
    name: "LPRNet",
    family: "LPRNet",
    task: "text",
    input: [3, 24, 94],
    published: [
      own(
        "github.com/sirius-ai/LPRNet_Pytorch@7c97666 README.md: 1.7M, of float32; weights/Final_LPRNet_model.pth has 1,806,995 bytes",
        undefined,
        0.44,
      ),
      { ...hailo("license_plate_recognition", 36.54, 7.14), input: [3, 75, 300] },
    ],
    source: "arXiv 1806.10447 tables 1 and 2; github.com/sirius-ai/LPRNet_Pytorch model/LPRNet.py",
    layers: (net, x) => (at(x.shape, 2) >= HIGH ? hailoLprnet(net, x) : lprnet(net, x)),
  }),
] satisfies readonly KnownModel[];
