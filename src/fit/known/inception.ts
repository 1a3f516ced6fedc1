/** Inception v3 (arXiv 1512.00567), v4 and Inception-ResNet v2 (1602.07261 figures 3 to 19), as TF-Slim released them; Xception (1610.02357). */

import { classifier } from "../blocks.ts";
import type { KnownModel } from "../known.ts";
import { at, type Layers, type Padding, type Size, type Value } from "../layers.ts";
import { makeKnown } from "../make-known.ts";
import { timm } from "../published.ts";

/** Kernel, channels, and what is unusual: a stride, no padding. */
type Step = readonly [kernel: Size, out: number, stride?: 1 | 2, pad?: Padding];

/** One convolution behind the other. */
function chain(net: Layers, x: Value, ...steps: readonly Step[]): Value {
  let y = x;
  for (const [kernel, out, stride = 1, pad = stride === 2 ? "valid" : "same"] of steps)
    y = net.conv(y, out, { kernel, stride, pad, act: "relu" });
  return y;
}

const mean = (net: Layers, x: Value): Value => net.averagePool(x, { kernel: 3, stride: 1, pad: "same" });
const most = (net: Layers, x: Value): Value => net.maxPool(x, { kernel: 3, stride: 2 });

function v3(net: Layers, x: Value): Value {
  let y = chain(net, x, [3, 32, 2], [3, 32, 1, "valid"], [3, 64]);
  y = most(net, chain(net, most(net, y), [1, 80], [3, 192, 1, "valid"]));
  for (const behind of [32, 64, 64])
    y = net.concat([
      chain(net, y, [1, 64]),
      chain(net, y, [1, 48], [5, 64]),
      chain(net, y, [1, 64], [3, 96], [3, 96]),
      chain(net, mean(net, y), [1, behind]),
    ]);
  y = net.concat([chain(net, y, [3, 384, 2]), chain(net, y, [1, 64], [3, 96], [3, 96, 2]), most(net, y)]);
  for (const c of [128, 160, 160, 192])
    y = net.concat([
      chain(net, y, [1, 192]),
      chain(net, y, [1, c], [[1, 7], c], [[7, 1], 192]),
      chain(net, y, [1, c], [[7, 1], c], [[1, 7], c], [[7, 1], c], [[1, 7], 192]),
      chain(net, mean(net, y), [1, 192]),
    ]);
  y = net.concat([
    chain(net, y, [1, 192], [3, 320, 2]),
    chain(net, y, [1, 192], [[1, 7], 192], [[7, 1], 192], [3, 192, 2]),
    most(net, y),
  ]);
  for (let i = 0; i < 2; i++) {
    const [a, b] = [chain(net, y, [1, 384]), chain(net, y, [1, 448], [3, 384])];
    y = net.concat([
      chain(net, y, [1, 320]),
      chain(net, a, [[1, 3], 384]),
      chain(net, a, [[3, 1], 384]),
      chain(net, b, [[1, 3], 384]),
      chain(net, b, [[3, 1], 384]),
      chain(net, mean(net, y), [1, 192]),
    ]);
  }
  return y;
}

function v4(net: Layers, x: Value): Value {
  let y = chain(net, x, [3, 32, 2], [3, 32, 1, "valid"], [3, 64]);
  y = net.concat([most(net, y), chain(net, y, [3, 96, 2])]);
  y = net.concat([
    chain(net, y, [1, 64], [3, 96, 1, "valid"]),
    chain(net, y, [1, 64], [[1, 7], 64], [[7, 1], 64], [3, 96, 1, "valid"]),
  ]);
  y = net.concat([chain(net, y, [3, 192, 2]), most(net, y)]);
  for (let i = 0; i < 4; i++)
    y = net.concat([
      chain(net, y, [1, 96]),
      chain(net, y, [1, 64], [3, 96]),
      chain(net, y, [1, 64], [3, 96], [3, 96]),
      chain(net, mean(net, y), [1, 96]),
    ]);
  y = net.concat([chain(net, y, [3, 384, 2]), chain(net, y, [1, 192], [3, 224], [3, 256, 2]), most(net, y)]);
  for (let i = 0; i < 7; i++)
    y = net.concat([
      chain(net, y, [1, 384]),
      chain(net, y, [1, 192], [[1, 7], 224], [[7, 1], 256]),
      chain(net, y, [1, 192], [[7, 1], 192], [[1, 7], 224], [[7, 1], 224], [[1, 7], 256]),
      chain(net, mean(net, y), [1, 128]),
    ]);
  y = net.concat([
    chain(net, y, [1, 192], [3, 192, 2]),
    chain(net, y, [1, 256], [[1, 7], 256], [[7, 1], 320], [3, 320, 2]),
    most(net, y),
  ]);
  for (let i = 0; i < 3; i++) {
    const [a, b] = [chain(net, y, [1, 384]), chain(net, y, [1, 384], [[3, 1], 448], [[1, 3], 512])];
    y = net.concat([
      chain(net, y, [1, 256]),
      chain(net, a, [[1, 3], 256]),
      chain(net, a, [[3, 1], 256]),
      chain(net, b, [[1, 3], 256]),
      chain(net, b, [[3, 1], 256]),
      chain(net, mean(net, y), [1, 256]),
    ]);
  }
  return y;
}

function resnetV2(net: Layers, x: Value): Value {
  let y = chain(net, x, [3, 32, 2], [3, 32, 1, "valid"], [3, 64]);
  y = most(net, chain(net, most(net, y), [1, 80], [3, 192, 1, "valid"]));
  y = net.concat([
    chain(net, y, [1, 96]),
    chain(net, y, [1, 48], [5, 64]),
    chain(net, y, [1, 64], [3, 96], [3, 96]),
    chain(net, mean(net, y), [1, 64]),
  ]);
  const back = (from: Value, ...parts: readonly Value[]): Value =>
    net.add(from, net.conv(net.concat(parts), at(from.shape, 1)), "relu");
  for (let i = 0; i < 10; i++)
    y = back(y, chain(net, y, [1, 32]), chain(net, y, [1, 32], [3, 32]), chain(net, y, [1, 32], [3, 48], [3, 64]));
  y = net.concat([chain(net, y, [3, 384, 2]), chain(net, y, [1, 256], [3, 256], [3, 384, 2]), most(net, y)]);
  for (let i = 0; i < 20; i++)
    y = back(y, chain(net, y, [1, 192]), chain(net, y, [1, 128], [[1, 7], 160], [[7, 1], 192]));
  y = net.concat([
    chain(net, y, [1, 256], [3, 384, 2]),
    chain(net, y, [1, 256], [3, 288, 2]),
    chain(net, y, [1, 256], [3, 288], [3, 320, 2]),
    most(net, y),
  ]);
  for (let i = 0; i < 10; i++)
    y = back(y, chain(net, y, [1, 192]), chain(net, y, [1, 192], [[1, 3], 224], [[3, 1], 256]));
  return chain(net, y, [1, 1536]);
}

const inception = (
  id: string,
  name: string,
  aliases: readonly string[],
  published: KnownModel["published"],
  source: string,
  layers: (net: Layers, x: Value) => Value,
): KnownModel =>
  makeKnown({
    id,
    name,
    aliases,
    family: "Inception",
    input: 299,
    published,
    source,
    layers: (net, x) => classifier(net, layers(net, x)),
  });

export default [
  inception(
    "inception_v3",
    "Inception v3",
    ["inceptionv3", "inception_v3_299"],
    [timm(23.83, 5.73)],
    "arXiv 1512.00567 table 1; channels as released in TF-Slim",
    v3,
  ),
  inception(
    "inception_v4",
    "Inception v4",
    ["inceptionv4", "inception_v4_299"],
    [timm(42.68, 12.28)],
    "arXiv 1602.07261 figures 3 to 9",
    v4,
  ),
  inception(
    "inception_resnet_v2",
    "Inception-ResNet v2",
    ["inceptionresnetv2"],
    [timm(55.84, 13.18)],
    "arXiv 1602.07261 figures 10 to 19; channels as released in TF-Slim",
    resnetV2,
  ),
] satisfies readonly KnownModel[];
