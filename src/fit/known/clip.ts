/**
 * Encoders of pictures and words that meet in one space: CLIP (arXiv 2103.00020 tables 19 and 20), TinyCLIP (2309.12314), SigLIP and
 * SigLIP 2 (2303.15343, 2502.14786). Text encoders begin behind the table of words unless they say otherwise.
 */

import { attend, headsOf, joined } from "../blocks.ts";
import type { KnownModel } from "../known.ts";
import { at, type Activation, type Layers, type Value } from "../layers.ts";
import { makeKnown } from "../make-known.ts";
import { hailo, timm, within } from "../published.ts";
import { vit, type ViT } from "./vit.ts";

interface Text {
  readonly width: number;
  readonly layers: number;
  readonly heads: number;
  readonly hidden?: number;
  readonly act: Activation;
  /** No token looks ahead: a mask is added to the scores. */
  readonly causal: boolean;
}

/** Tokens through the layers. */
export function clipWords(net: Layers, tokens: Value, model: Text): Value {
  const { width, layers, heads, hidden = 4 * width, act, causal } = model;
  const length = at(tokens.shape, 1);
  let y = net.add(tokens, net.weight([1, length, width], "positions"));
  const mask = causal ? net.weight([1, 1, length, length], "mask") : undefined;
  for (let i = 0; i < layers; i++) {
    const all = net.fc(net.layerNorm(y), 3 * width);
    const [q, k, v] = net.split(all, 3, 2).map((part) => headsOf(net, part, heads));
    let scores = net.scale(net.matmul(q ?? all, k ?? all, { transposeB: true }));
    if (mask) scores = net.add(scores, mask);
    y = net.add(y, net.fc(joined(net, net.matmul(net.softmax(scores), v ?? all)), width));
    y = net.add(y, net.fc(net.fc(net.layerNorm(y), hidden, { act }), width));
  }
  return net.layerNorm(y);
}

/** The last one (CLIP: the end of the text) into the space. */
function text(net: Layers, tokens: Value, model: Text, out: number): Value {
  const [n, length] = [at(tokens.shape, 0), at(tokens.shape, 1)];
  const y = clipWords(net, tokens, model);
  return net.fc(net.reshape(net.slice(y, 1, length - 1, 1), [n, model.width]), out, { bias: !model.causal });
}

/** The class token into the space. */
function clipImage(net: Layers, x: Value, model: ViT, out: number, act: Activation = "quickgelu"): Value {
  const y = vit(net, x, { ...model, act, normFirst: true, bias: false });
  return net.fc(net.layerNorm(net.gather(y, 1)), out, { bias: false });
}

/** One query that is learned looks at all tokens. */
function siglipImage(net: Layers, x: Value, model: ViT): Value {
  const y = net.layerNorm(vit(net, x, { ...model, plain: true }));
  const { width, heads } = model;
  const probe = net.weight([at(x.shape, 0), 1, width], "probe");
  const [k, v] = net.split(net.fc(y, 2 * width), 2, 2).map((part) => headsOf(net, part, heads));
  const q = headsOf(net, net.fc(probe, width), heads);
  const z = net.fc(joined(net, attend(net, q, k ?? q, v ?? q)), width);
  return net.reshape(net.add(z, net.fc(net.fc(net.layerNorm(z), 4 * width, { act: "gelu" }), width)), [
    at(x.shape, 0),
    width,
  ]);
}

interface ClipResNet {
  readonly width: number;
  readonly layers: readonly [number, number, number, number];
  readonly heads: number;
  readonly out: number;
}

/** Three convolutions in front, means where others stride, attention in place of the last mean. */
function clipResNet(net: Layers, x: Value, { width, layers, heads, out }: ClipResNet): Value {
  let y = net.conv(x, width / 2, { kernel: 3, stride: 2, act: "relu" });
  y = net.conv(net.conv(y, width / 2, { kernel: 3, act: "relu" }), width, { kernel: 3, act: "relu" });
  y = net.averagePool(y, { kernel: 2 });
  layers.forEach((blocks, stage) => {
    const planes = width * 2 ** stage;
    for (let i = 0; i < blocks; i++) {
      const halves = i === 0 && stage > 0;
      let z = net.conv(net.conv(y, planes, { act: "relu" }), planes, { kernel: 3, act: "relu" });
      if (halves) z = net.averagePool(z, { kernel: 2 });
      const around = halves ? net.averagePool(y, { kernel: 2 }) : y;
      y = net.add(net.conv(z, 4 * planes), i === 0 ? net.conv(around, 4 * planes) : y, "relu");
    }
  });
  const tokens = net.tokens(y);
  const all = net.concat([net.reduce(tokens, [1]), tokens], 1);
  const placed = net.add(all, net.weight([1, at(all.shape, 1), 32 * width], "positions"));
  const q = headsOf(net, net.fc(net.slice(placed, 1, 0, 1), 32 * width), heads);
  const [k, v] = [0, 1].map(() => headsOf(net, net.fc(placed, 32 * width), heads));
  return net.reshape(net.fc(joined(net, attend(net, q, k ?? q, v ?? q)), out), [at(x.shape, 0), out]);
}

const zooText = hailo("text_encoder");
const zooImage = hailo("image_encoder");

const words = (
  id: string,
  name: string,
  aliases: readonly string[],
  model: Omit<Text, "act" | "causal"> & Partial<Text>,
  length: number,
  out: number,
  source: string,
  published: KnownModel["published"],
): KnownModel =>
  makeKnown({
    id,
    name,
    aliases,
    family: "CLIP",
    task: "text",
    input: [1, length, model.width],
    published,
    source,
    enter: (net, [, tokens]) => net.inputOf([net.batch, tokens, model.width], "embeddings"),
    layers: (net, x) => text(net, x, { act: "quickgelu", causal: true, ...model }, out),
  });

const pictures = (
  id: string,
  name: string,
  aliases: readonly string[],
  pixels: number,
  source: string,
  published: KnownModel["published"],
  layers: (net: Layers, x: Value) => Value,
): KnownModel =>
  makeKnown({ id, name, aliases, family: "CLIP", task: "embedding", input: pixels, published, source, layers });

const CLIP = "arXiv 2103.00020 tables 19 and 20";
const TINY = "arXiv 2309.12314; github.com/microsoft/Cream TinyCLIP/src/open_clip/model_configs";
const SIGLIP = "arXiv 2303.15343; sizes as ViT's";

const b = { width: 768, layers: 12, heads: 12 } as const;
const l = { width: 1024, layers: 24, heads: 16 } as const;
const words512 = { width: 512, layers: 12, heads: 8 } as const;

export default [
  words(
    "clip_text_512",
    "CLIP text encoder, 512 wide",
    ["clip_resnet_50_text_encoder", "clip_vit_b_16_text_encoder", "clip_vit_b_32_text_encoder"],
    words512,
    77,
    512,
    CLIP,
    [zooText(37.8, 6)],
  ),
  words(
    "clip_text_640",
    "CLIP text encoder, 640 wide",
    ["clip_resnet_50x4_text_encoder"],
    { width: 640, layers: 12, heads: 10 },
    77,
    640,
    CLIP,
    [zooText(59.1, 9.3)],
  ),
  words(
    "clip_text_768",
    "CLIP text encoder, 768 wide",
    ["clip_vit_l_14_text_encoder", "clip_vit_l_14_laion2B_text_encoder", "clip_vit_l_14_336_text_encoder"],
    { width: 768, layers: 12, heads: 12 },
    77,
    768,
    CLIP,
    [
      {
        parameters: 123e6 - 49_408 * 768,
        source: "github.com/CompVis/stable-diffusion README.md: 123M, with the table of 49,408 words",
      },
    ],
  ),
  makeKnown({
    id: "clip_text",
    name: "CLIP text encoder, twenty tokens from the table of words on",
    aliases: [],
    family: "CLIP",
    task: "text",
    input: [1, 1, 20],
    published: [
      {
        parameters: 63_420_000,
        source: "arXiv 2103.00020 section 2.4: a 63M-parameter 12-layer 512-wide model with 8 attention heads",
        within: { share: 0.02, because: "positions of 20 tokens in place of 77" },
      },
    ],
    source: CLIP,
    enter: (net, [, , length]) => net.inputOf([net.batch, length], "tokens", "int64"),
    layers: (net, x) => text(net, net.embedding(x, 49408, 512), { ...words512, act: "quickgelu", causal: true }, 512),
  }),
  makeKnown({
    id: "openai_clip",
    name: "CLIP ViT-B/16, picture and text",
    aliases: ["clip", "clip_vit_b_16"],
    family: "CLIP",
    task: "embedding",
    input: 224,
    published: [
      {
        parameters: 150e6,
        source: "github.com/quic/ai-hub-models@52c080d qai_hub_models/models/openai_clip/info.yaml",
      },
    ],
    source: CLIP,
    layers: (net, x) => {
      const picture = clipImage(net, x, { patch: 16, ...b }, 512);
      const tokens = net.embedding(net.inputOf([net.batch, 77], "text", "int64"), 49408, 512);
      const said = text(net, tokens, { ...words512, act: "quickgelu", causal: true }, 512);
      return net.matmul(picture, said, { transposeB: true });
    },
  }),
  pictures(
    "clip_vit_b_16_image",
    "CLIP ViT-B/16 image encoder",
    ["clip_vit_b_16_image_encoder"],
    224,
    CLIP,
    [timm(86.19, 17.58)],
    (net, x) => clipImage(net, x, { patch: 16, ...b }, 512),
  ),
  pictures(
    "clip_vit_b_32_image",
    "CLIP ViT-B/32 image encoder",
    ["clip_vit_b_32_image_encoder", "clip_images"],
    224,
    CLIP,
    [zooImage(87.8, 8.8), timm(87.85, 4.41)],
    (net, x) => clipImage(net, x, { patch: 32, ...b }, 512),
  ),
  pictures(
    "clip_vit_l_14_image",
    "CLIP ViT-L/14 image encoder",
    ["clip_vit_l_14_image_encoder", "clip_vit_l_14_laion2B_image_encoder"],
    224,
    CLIP,
    [zooImage(304.16, 162.36), timm(303.97, 81.08)],
    (net, x) => clipImage(net, x, { patch: 14, ...l }, 768),
  ),
  pictures(
    "clip_vit_l_14_336_image",
    "CLIP ViT-L/14 of 336x336, image encoder",
    ["clip_vit_l_14_336_image_encoder"],
    336,
    CLIP,
    [timm(304.29, 191.11)],
    (net, x) => clipImage(net, x, { patch: 14, ...l }, 768),
  ),
  pictures(
    "clip_resnet_50_image",
    "CLIP ResNet-50 image encoder",
    ["clip_resnet_50_image_encoder"],
    224,
    CLIP,
    [within(timm(38.32, 6.14), 0.06, "its profiler counts normalisation, activation and pooling as well")],
    (net, x) => clipResNet(net, x, { width: 64, layers: [3, 4, 6, 3], heads: 32, out: 1024 }),
  ),
  pictures(
    "clip_resnet_50x4_image",
    "CLIP ResNet-50x4 image encoder",
    ["clip_resnet_50x4_image_encoder"],
    288,
    CLIP,
    [zooImage(87, 41.3), timm(87.14, 21.35)],
    (net, x) => clipResNet(net, x, { width: 80, layers: [4, 6, 10, 6], heads: 40, out: 640 }),
  ),
  pictures(
    "tinyclip_vit_39m_16_image",
    "TinyCLIP ViT-39M/16 image encoder",
    ["tinyclip_vit_39m_16_text_19m_yfcc15m_image_encoder"],
    224,
    TINY,
    [zooImage(39, 16.02)],
    (net, x) => clipImage(net, x, { patch: 16, width: 512, layers: 12, heads: 8 }, 512),
  ),
  pictures(
    "tinyclip_vit_40m_32_image",
    "TinyCLIP ViT-40M/32 image encoder",
    ["tinyclip_vit_40m_32_text_19m_laion400m_image_encoder"],
    224,
    TINY,
    [zooImage(40, 4)],
    (net, x) => clipImage(net, x, { patch: 32, width: 512, layers: 12, heads: 8 }, 512),
  ),
  pictures(
    "tinyclip_vit_61m_32_image",
    "TinyCLIP ViT-61M/32 image encoder",
    ["tinyclip_vit_61m_32_text_29m_laion400m_image_encoder"],
    224,
    TINY,
    [{ parameters: 61e6, source: TINY }],
    (net, x) => clipImage(net, x, { patch: 32, width: 640, layers: 12, heads: 10 }, 512),
  ),
  pictures(
    "tinyclip_vit_8m_16_image",
    "TinyCLIP ViT-8M/16 image encoder",
    ["tinyclip_vit_8m_16_text_3m_yfcc15m_image_encoder"],
    224,
    TINY,
    [within(zooImage(8, 3.6), 0.04, "the name says whole millions")],
    (net, x) => clipImage(net, x, { patch: 16, width: 256, layers: 10, heads: 4 }, 512),
  ),
  words(
    "tinyclip_text_19m",
    "TinyCLIP text encoder of 19 million",
    ["tinyclip_vit_39m_16_text_19m_yfcc15m_text_encoder", "tinyclip_vit_40m_32_text_19m_laion400m_text_encoder"],
    { width: 512, layers: 6, heads: 8 },
    77,
    512,
    TINY,
    [zooText(19, 3)],
  ),
  words(
    "tinyclip_text_29m",
    "TinyCLIP text encoder of 29 million",
    ["tinyclip_vit_61m_32_text_29m_laion400m_text_encoder"],
    { width: 512, layers: 9, heads: 8 },
    77,
    512,
    TINY,
    [zooText(29, 4.5)],
  ),
  words(
    "tinyclip_text_3m",
    "TinyCLIP text encoder of 3 million",
    ["tinyclip_vit_8m_16_text_3m_yfcc15m_text_encoder"],
    { width: 256, layers: 3, heads: 4 },
    77,
    512,
    TINY,
    [{ parameters: 3_000_000, source: TINY, within: { share: 0.17, because: "the name says whole millions" } }],
  ),
  pictures(
    "siglip_b_16_image",
    "SigLIP B/16 image encoder",
    ["siglip_b_16_image_encoder", "siglip2_b_16_image_encoder"],
    224,
    SIGLIP,
    [zooImage(92.1, 35.5), timm(92.88, 17.73)],
    (net, x) => siglipImage(net, x, { patch: 16, ...b }),
  ),
  pictures(
    "siglip2_b_32_256_image",
    "SigLIP 2 B/32 of 256x256, image encoder",
    ["siglip2_b_32_256_image_encoder"],
    256,
    SIGLIP,
    [zooImage(93.9, 11.5), timm(94.55, 5.75)],
    (net, x) => siglipImage(net, x, { patch: 32, ...b }),
  ),
  pictures(
    "siglip_l_16_256_image",
    "SigLIP L/16 of 256x256, image encoder",
    ["siglip_l_16_256_image_encoder", "siglip2_l_16_256_image_encoder"],
    256,
    SIGLIP,
    [zooImage(315, 163.1), timm(315.96, 81.34)],
    (net, x) => siglipImage(net, x, { patch: 16, ...l }),
  ),
  words(
    "siglip_b_text",
    "SigLIP B text encoder",
    ["siglip_b_16_text_encoder", "siglip2_b_16_text_encoder", "siglip2_b_32_256_text_encoder"],
    { ...b, act: "gelu", causal: false },
    64,
    768,
    SIGLIP,
    [zooText(85.6, 11.1)],
  ),
  words(
    "siglip_l_text",
    "SigLIP L text encoder",
    ["siglip_l_16_256_text_encoder", "siglip2_l_16_256_text_encoder"],
    { ...l, act: "gelu", causal: false },
    64,
    1024,
    SIGLIP,
    [zooText(303.3, 39.2)],
  ),
] satisfies readonly KnownModel[];
