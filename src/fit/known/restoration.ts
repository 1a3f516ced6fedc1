/**
 * Pictures made better: noise (DnCNN, NAFNet), size (ESPCN, ESRGAN, Real-ESRGAN, QuickSRNet, SESR), light (Zero-DCE, Zero-DCE++).
 * arXiv 1608.03981, 2204.04676, 1609.05158, 1809.00219, 2107.10833, 2303.04336, 2103.09404, 2001.06826, 2103.00860.
 */

import type { KnownModel } from "../known.ts";
import { at, type Layers, type Value } from "../layers.ts";
import { makeKnown } from "../make-known.ts";
import { aiHub, hailo, own, within } from "../parts/published.ts";

/** Nineteen convolutions and one that gives the noise. */
function dncnn(net: Layers, x: Value): Value {
  let y = x;
  for (let index = 0; index < 19; index += 1) y = net.conv(y, 64, { kernel: 3, act: "relu" });
  return net.sub(x, net.conv(y, at(x.shape, 1), { kernel: 3 }));
}

function espcn(net: Layers, x: Value, by: number): Value {
  const y = net.conv(net.conv(x, 64, { kernel: 5, act: "tanh" }), 32, { kernel: 3, act: "tanh" });
  return net.depthToSpace(net.conv(y, by * by, { kernel: 3 }), by);
}

/** Five convolutions, each of all that came before it. */
function dense(net: Layers, x: Value): Value {
  const parts = [x];
  for (let index = 0; index < 4; index += 1)
    parts.push(net.conv(parts.length === 1 ? x : net.concat(parts), 32, { kernel: 3, act: "leaky" }));
  return net.add(x, net.scale(net.conv(net.concat(parts), 64, { kernel: 3 })));
}

/** 23 residual blocks of three dense ones; twice upsampled. The x2 model first folds 2x2 pixels into channels. */
function rrdb(net: Layers, x: Value, folded: boolean): Value {
  const first = net.conv(folded ? net.spaceToDepth(x, 2) : x, 64, { kernel: 3 });
  let y = first;
  for (let index = 0; index < 23; index += 1) y = net.add(y, net.scale(dense(net, dense(net, dense(net, y)))));
  y = net.add(first, net.conv(y, 64, { kernel: 3 }));
  for (let index = 0; index < 2; index += 1) y = net.conv(net.upsample(y), 64, { kernel: 3, act: "leaky" });
  return net.conv(net.conv(y, 64, { kernel: 3, act: "leaky" }), 3, { kernel: 3 });
}

/** A plain stack and a rearrangement at its end. */
function quick(net: Layers, x: Value, width: number, layers: number, by: number): Value {
  let y = x;
  for (let index = 0; index <= layers; index += 1) y = net.conv(y, width, { kernel: 3, act: "relu" });
  return net.depthToSpace(net.conv(y, 3 * by * by, { kernel: 3 }), by);
}

/** Convolutions that come in pairs, wide and narrow, which fall into one each; as they are trained. */
function sesr(net: Layers, x: Value, blocks: number, by: number): Value {
  const pair = (y: Value, out: number, kernel: 3 | 5): Value =>
    net.conv(net.conv(y, 256, { kernel, bias: false }), out);
  const first = net.activate(pair(x, 16, 5), "relu");
  let y = first;
  for (let index = 0; index < blocks; index += 1) y = net.activate(net.add(y, pair(y, 16, 3)), "relu");
  const out = 3 * by * by;
  return net.depthToSpace(net.add(pair(net.add(y, first), out, 5), net.conv(x, out)), by);
}

/** Curves of brightness, eight times over: x + a (x^2 - x). */
function curves(net: Layers, x: Value, maps: readonly Value[]): Value {
  return maps.reduce((y, map) => net.add(y, net.mul(map, net.sub(net.mul(y, y), y))), x);
}

function zeroDce(net: Layers, x: Value, light: boolean): Value {
  const layer = (y: Value, out: number, act: "relu" | "tanh" = "relu"): Value =>
    light ? net.conv(net.depthwise(y), out, { act }) : net.conv(y, out, { kernel: 3, act });
  const one = layer(x, 32);
  const two = layer(one, 32);
  const three = layer(two, 32);
  const four = layer(three, 32);
  const five = layer(net.concat([three, four]), 32);
  const six = layer(net.concat([two, five]), 32);
  const last = layer(net.concat([one, six]), light ? 3 : 24, "tanh");
  const eight = light ? Array.from({ length: 8 }, () => last) : net.split(last, 8);
  return curves(net, x, eight);
}

const half = (net: Layers, x: Value): Value => {
  const [a, b] = net.split(x, 2);
  return a && b ? net.mul(a, b) : x;
};

function nafBlock(net: Layers, x: Value): Value {
  const width = at(x.shape, 1);
  const gated = half(net, net.depthwise(net.conv(net.layerNorm(x), 2 * width)));
  const weighed = net.mul(gated, net.conv(net.globalPool(gated), width));
  const y = net.add(x, net.mul(net.conv(weighed, width), net.weight([1, width, 1, 1], "beta", true)));
  const last = net.conv(half(net, net.conv(net.layerNorm(y), 2 * width)), width);
  return net.add(y, net.mul(last, net.weight([1, width, 1, 1], "gamma", true)));
}

/** U-Net without activations: gates instead. */
function nafnet(net: Layers, x: Value, width: number, down: readonly number[]): Value {
  const blocks = (y: Value, count: number): Value => {
    let z = y;
    for (let index = 0; index < count; index += 1) z = nafBlock(net, z);
    return z;
  };
  let y = net.conv(x, width, { kernel: 3 });
  const kept = down.map((count) => {
    const here = blocks(y, count);
    y = net.conv(here, 2 * at(here.shape, 1), { kernel: 2, stride: 2 });
    return here;
  });
  y = blocks(y, 1);
  for (const skip of kept.reverse())
    y = blocks(net.add(net.depthToSpace(net.conv(y, 2 * at(y.shape, 1), { bias: false }), 2), skip), 1);
  return net.add(x, net.conv(y, 3, { kernel: 3 }));
}

const hailoEspcn = (by: number, input: KnownModel["input"], gops: number): KnownModel =>
  makeKnown({
    id: `espcn_x${by}`,
    name: `ESPCN x${by}`,
    family: "ESPCN",
    task: "image",
    input,
    published: [hailo("super_resolution", gops, 0.02)],
    source: "arXiv 1609.05158 section 3.2",
    layers: (net, x) => espcn(net, x, by),
  });

const denoiser = (id: string, name: string, colours: number, gops: number): KnownModel =>
  makeKnown({
    id,
    name,
    family: "DnCNN",
    task: "image",
    input: [colours, 321, 481],
    published: [hailo("image_denoising", gops, 0.66)],
    source: "arXiv 1608.03981 section 3; 20 layers as github.com/cszn/KAIR",
    layers: dncnn,
  });

const quickSr = (size: string, width: number, layers: number, millions: number): KnownModel =>
  makeKnown({
    id: `quicksrnet_${size}`,
    name: `QuickSRNet ${size} x4`,
    aliases: [`quicksrnet${size}`],
    family: "QuickSRNet",
    task: "image",
    input: 128,
    published: [aiHub(`quicksrnet${size}`, millions)],
    source: "arXiv 2303.04336 section 3",
    layers: (net, x) => quick(net, x, width, layers, 4),
  });

export default [
  denoiser("dncnn_color_blind", "DnCNN color blind", 3, 205.97),
  denoiser("dncnn3", "DnCNN-3", 1, 205.26),
  hailoEspcn(2, [1, 156, 240], 1.6),
  hailoEspcn(3, [1, 104, 160], 0.76),
  hailoEspcn(4, [1, 78, 120], 0.46),
  makeKnown({
    id: "real_esrgan_x2",
    name: "Real-ESRGAN x2",
    aliases: ["RealESRGAN_x2plus"],
    family: "ESRGAN",
    task: "image",
    input: 512,
    published: [hailo("super_resolution", 2350, 16.7)],
    source: "arXiv 2107.10833 section 3.3; 1809.00219 figure 4",
    layers: (net, x) => rrdb(net, x, true),
  }),
  makeKnown({
    id: "esrgan_x4",
    name: "ESRGAN x4",
    aliases: ["ESRGAN", "RealESRGAN_x4plus"],
    family: "ESRGAN",
    task: "image",
    input: 128,
    published: [aiHub("esrgan", 16.7)],
    source: "arXiv 1809.00219 figure 4",
    layers: (net, x) => rrdb(net, x, false),
  }),
  quickSr("small", 32, 2, 0.0333),
  quickSr("medium", 32, 5, 0.061),
  quickSr("large", 64, 11, 0.436),
  makeKnown({
    id: "sesr_m5",
    name: "SESR-M5, as it is trained",
    family: "SESR",
    task: "image",
    input: 128,
    published: [aiHub("sesr_m5", 0.343)],
    source: "arXiv 2103.09404; github.com/quic/aimet-model-zoo aimet_zoo_torch/common/super_resolution/models.py",
    layers: (net, x) => sesr(net, x, 5, 4),
  }),
  makeKnown({
    id: "zero_dce",
    name: "Zero-DCE",
    family: "Zero-DCE",
    task: "image",
    input: [3, 400, 600],
    published: [
      {
        ...within(
          hailo("low_light_enhancement", 38.2, 0.21),
          0.63,
          "not the figure of the layers whose operations the table gives",
        ),
      },
    ],
    source: "arXiv 2001.06826 section 3.2",
    layers: (net, x) => zeroDce(net, x, false),
  }),
  makeKnown({
    id: "zero_dce_pp",
    name: "Zero-DCE pp",
    family: "Zero-DCE",
    task: "image",
    input: [3, 400, 600],
    published: [within(hailo("low_light_enhancement", 4.84, 0.02), 0.5, "10 thousand told in hundredths of a million")],
    source: "arXiv 2103.00860 section 3.4",
    layers: (net, x) => zeroDce(net, x, true),
  }),
  makeKnown({
    id: "nafnet_gopro_width32",
    name: "NAFNet GoPro width 32",
    aliases: ["NAFNet-GoPro-width32", "nafnet"],
    family: "NAFNet",
    task: "image",
    input: 256,
    published: [
      own(
        "17,111,907 counted by others of github.com/megvii-research/NAFNet options/test/GoPro/NAFNet-width32.yml",
        undefined,
        17.11,
      ),
    ],
    source: "arXiv 2204.04676; github.com/megvii-research/NAFNet options/test/GoPro/NAFNet-width32.yml",
    layers: (net, x) => nafnet(net, x, 32, [1, 1, 1, 28]),
  }),
] satisfies readonly KnownModel[];
