/**
 * Stable Diffusion 1.5, part by part: text, one step of denoising with or without a picture that guides it (ControlNet), and the picture
 * from what came of it. arXiv 2112.10752 appendix, 2302.05543; configurations of huggingface.co/stable-diffusion-v1-5.
 */

import { attend, headsOf, joined } from "../blocks.ts";
import type { KnownModel } from "../known.ts";
import { at, product, type Layers, type Value } from "../layers.ts";
import { makeKnown } from "../make-known.ts";
import { own, within } from "../parts/published.ts";
import { clipWords } from "./clip.ts";

const GROUPS = 32;
const HEADS = 8;
const TEXT = 768;
const TIME = 1280;
const widths = [320, 640, 1280, 1280] as const;

/** Mean and deviation over a thirty-second of the channels, with all their places. */
function groupNorm(net: Layers, x: Value): Value {
  const y = net.reshape(x, [at(x.shape, 0), GROUPS, product(x.shape.slice(1)) / GROUPS]);
  const centred = net.sub(y, net.reduce(y, [2]));
  const deviation = net.unary(net.scale(net.reduce(net.mul(centred, centred), [2]), "add"), "sqrt");
  return net.batchNorm(net.imageOf(net.div(centred, deviation), x.shape));
}

const three = (net: Layers, x: Value, out: number, stride = 1): Value => net.conv(x, out, { kernel: 3, stride });
const active = (net: Layers, x: Value): Value => net.activate(groupNorm(net, x), "silu");

/** Two 3x3; what time it is is added between them. */
function residual(net: Layers, x: Value, out: number, time?: Value): Value {
  let y = three(net, active(net, x), out);
  if (time) {
    const told = net.fc(net.activate(time, "silu"), out);
    y = net.add(y, net.image(net.reshape(told, [at(x.shape, 0), 1, out]), [1, 1]));
  }
  y = three(net, active(net, y), out);
  return net.add(y, at(x.shape, 1) === out ? x : net.conv(x, out));
}

/** Places attend to one another, then to the words. */
function attending(net: Layers, x: Value, words: Value): Value {
  const width = at(x.shape, 1);
  const look = (y: Value, from: Value): Value => {
    const [q, k, v] = [y, from, from].map((one) => headsOf(net, net.fc(one, width, { bias: false }), HEADS)) as [
      Value,
      Value,
      Value,
    ];
    return net.fc(joined(net, attend(net, q, k, v)), width);
  };
  let y = net.tokens(net.conv(groupNorm(net, x), width));
  const first = net.layerNorm(y);
  y = net.add(y, look(first, first));
  y = net.add(y, look(net.layerNorm(y), words));
  const [value, gate] = net.split(net.fc(net.layerNorm(y), 8 * width), 2, 2) as [Value, Value];
  y = net.add(y, net.fc(net.mul(value, net.activate(gate, "gelu")), width));
  return net.add(net.conv(net.image(y, x.shape.slice(2)), width), x);
}

/** A time step to what all residual blocks are told. */
function timed(net: Layers): Value {
  const angles = net.mul(net.inputOf([net.batch, 1], "timestep"), net.weight([1, widths[0] / 2], "frequencies"));
  const waves = net.concat([net.unary(angles, "exp"), net.unary(angles, "exp")], 1);
  return net.fc(net.fc(waves, TIME, { act: "silu" }), TIME);
}

/** Downwards and through the middle: all that is kept for the way up, the last one the middle's. */
function down(net: Layers, entered: Value, time: Value, words: Value): Value[] {
  const kept = [entered];
  let y = entered;
  widths.forEach((width, stage) => {
    for (let index = 0; index < 2; index += 1) {
      y = residual(net, y, width, time);
      if (stage < 3) y = attending(net, y, words);
      kept.push(y);
    }
    if (stage < 3) kept.push((y = three(net, y, width, 2)));
  });
  y = residual(net, attending(net, residual(net, y, TIME, time), words), TIME, time);
  return [...kept, y];
}

const wordsIn = (net: Layers): Value => net.inputOf([net.batch, 77, TEXT], "text_embedding");

function unet(net: Layers, latent: Value): Value {
  const [time, words] = [timed(net), wordsIn(net)];
  const kept = down(net, three(net, latent, widths[0]), time, words);
  let y = kept.pop() ?? latent;
  for (let stage = 3; stage >= 0; stage -= 1) {
    const width = at(widths, stage);
    for (let index = 0; index < 3; index += 1) {
      y = residual(net, net.concat([y, kept.pop() ?? y]), width, time);
      if (stage < 3) y = attending(net, y, words);
    }
    if (stage > 0) y = three(net, net.upsample(y), width);
  }
  return three(net, active(net, y), at(latent.shape, 1));
}

/** The way down once more, guided by a picture of eight times the sizes; each feature through a 1x1 that began with zeros. */
function controlnet(net: Layers, latent: Value): Value[] {
  const [time, words] = [timed(net), wordsIn(net)];
  const sizes = latent.shape.slice(2).map((one) => 8 * one);
  let hint = net.activate(three(net, net.input([3, ...sizes], "image"), 16), "silu");
  for (const [from, out] of [
    [16, 32],
    [32, 96],
    [96, 256],
  ] as const) {
    hint = net.activate(three(net, hint, from), "silu");
    hint = net.activate(three(net, hint, out, 2), "silu");
  }
  const entered = net.add(three(net, latent, widths[0]), three(net, hint, widths[0]));
  return down(net, entered, time, words).map((y) => net.conv(y, at(y.shape, 1)));
}

function pictured(net: Layers, latent: Value): Value {
  let y = residual(net, three(net, net.conv(latent, 4), 512), 512);
  const tokens = net.tokens(groupNorm(net, y));
  const [q, k, v] = [0, 1, 2].map(() => net.fc(tokens, 512)) as [Value, Value, Value];
  const scores = net.softmax(net.scale(net.matmul(q, k, { transposeB: true })));
  y = net.add(y, net.image(net.fc(net.matmul(scores, v), 512), y.shape.slice(2)));
  y = residual(net, y, 512);
  [512, 512, 256, 128].forEach((width, stage) => {
    for (let index = 0; index < 3; index += 1) y = residual(net, y, width);
    if (stage < 3) y = three(net, net.upsample(y), width);
  });
  return three(net, active(net, y), 3);
}

const aliases = (part: string): string[] => [`stable_diffusion_v1_5 / ${part}`, `controlnet_canny / ${part}`];
const told = "github.com/CompVis/stable-diffusion README.md";
const hub = "github.com/quic/ai-hub-models@52c080d qai_hub_models/models/controlnet_canny/info.yaml";

const known = (
  id: string,
  name: string,
  also: readonly string[],
  published: KnownModel["published"],
  source: string,
  layers: (net: Layers, x: Value) => Value | readonly Value[],
): KnownModel =>
  makeKnown({
    id,
    name,
    aliases: also,
    family: "Stable Diffusion",
    task: "image",
    input: [4, 64, 64],
    published,
    source,
    layers,
  });

const LATENT = "arXiv 2112.10752; huggingface.co/stable-diffusion-v1-5";

export default [
  known(
    "stable_diffusion_v1_5_unet",
    "Stable Diffusion 1.5 U-Net",
    [...aliases("unet"), "stable_diffusion_v1_4_unet"],
    [own(told, undefined, 860), own(hub, undefined, 865)],
    `${LATENT} unet/config.json`,
    unet,
  ),
  known(
    "stable_diffusion_v1_5_vae_decoder",
    "Stable Diffusion 1.5 decoder of pictures",
    [...aliases("vae"), "stable_diffusion_v1_5_vae"],
    [within(own(hub, undefined, 83), 0.42, "of encoder and decoder")],
    `${LATENT} vae/config.json`,
    pictured,
  ),
  known(
    "controlnet_canny",
    "ControlNet of Stable Diffusion 1.5, for edges",
    ["controlnet_canny / controlnet", "controlnet"],
    [own(hub, undefined, 361)],
    "arXiv 2302.05543; huggingface.co/lllyasviel/sd-controlnet-canny config.json",
    controlnet,
  ),
  makeKnown({
    id: "stable_diffusion_v1_5_text_encoder",
    name: "Stable Diffusion 1.5 text encoder",
    aliases: aliases("text_encoder"),
    family: "Stable Diffusion",
    task: "text",
    input: [1, 1, 77],
    published: [own(told, undefined, 123)],
    source: "arXiv 2103.00020 table 20, the text encoder of ViT-L/14",
    enter: (net, [, , length]) => net.inputOf([net.batch, length], "tokens", "int64"),
    layers: (net, x) =>
      clipWords(net, net.embedding(x, 49_408, TEXT), {
        width: TEXT,
        layers: 12,
        heads: 12,
        act: "quickgelu",
        causal: true,
      }),
  }),
] satisfies readonly KnownModel[];
