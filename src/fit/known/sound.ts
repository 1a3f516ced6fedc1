/**
 * Sound: YAMNet (AudioSet on MobileNet v1), Whisper's encoder and decoder (arXiv 2212.04356), wav2vec 2.0 base (2006.11477). Samples
 * lie along the width: [80 mel bands, 1, frames], [1, 1, samples].
 */

import { attend, encoderLayer, headsOf, joined } from "../blocks.ts";
import type { KnownModel, Published } from "../known.ts";
import { at, type Layers, type Value } from "../layers.ts";
import { makeKnown } from "../make-known.ts";
import { aiHub, own, within } from "../parts/published.ts";
import { mobilenetV1 } from "./mobilenet.ts";

interface Whisper {
  readonly width: number;
  readonly layers: number;
  readonly heads: number;
}

const sizes = {
  tiny: { width: 384, layers: 4, heads: 6 },
  base: { width: 512, layers: 6, heads: 8 },
  small: { width: 768, layers: 12, heads: 12 },
} as const satisfies Record<string, Whisper>;

/** Two convolutions, the second of stride 2; every layer of the decoder's keys and values of it are given as well. */
function encoder(net: Layers, x: Value, m: Whisper): Value[] {
  const first = net.conv(x, m.width, { kernel: [1, 3], act: "gelu" });
  const tokens = net.tokens(net.conv(first, m.width, { kernel: [1, 3], stride: [1, 2], act: "gelu" }));
  let y = net.add(tokens, net.weight([1, at(tokens.shape, 1), m.width], "positions"));
  for (let layer = 0; layer < m.layers; layer += 1)
    y = encoderLayer(net, y, { heads: m.heads, hidden: 4 * m.width, together: false });
  const told = net.layerNorm(y);
  return Array.from({ length: m.layers }, () => [net.fc(told, m.width, { bias: false }), net.fc(told, m.width)]).flat();
}

/** One token at a time: what was said before and the sound come in as keys and values of each layer. */
function decoder(net: Layers, token: Value, m: Whisper): Value[] {
  const [before, heard, vocabulary] = [199, 1500, 51_865];
  const depth = m.width / m.heads;
  let y = net.add(net.embedding(token, vocabulary, m.width), net.embedding(token, 448, m.width));
  const given: Value[] = [];
  for (let layer = 0; layer < m.layers; layer += 1) {
    const kept = (length: number, word: string): Value =>
      net.inputOf([net.batch, m.heads, length, depth], `${word}_${layer}`);
    const asked = net.layerNorm(y);
    const [q, k, v] = [true, false, true].map((bias) => headsOf(net, net.fc(asked, m.width, { bias }), m.heads)) as [
      Value,
      Value,
      Value,
    ];
    given.push(k, v);
    const keys = net.concat([kept(before, "k_self"), k], 2);
    const values = net.concat([kept(before, "v_self"), v], 2);
    y = net.add(y, net.fc(joined(net, attend(net, q, keys, values)), m.width));
    const cross = headsOf(net, net.fc(net.layerNorm(y), m.width), m.heads);
    const seen = attend(net, cross, kept(heard, "k_cross"), kept(heard, "v_cross"));
    y = net.add(y, net.fc(joined(net, seen), m.width));
    y = net.add(y, net.fc(net.fc(net.layerNorm(y), 4 * m.width, { act: "gelu" }), m.width));
  }
  // The table of tokens is used for what comes out as well: as a matrix it stands there once more.
  return [net.fc(net.layerNorm(y), vocabulary, { bias: false }), ...given];
}

/** Seven convolutions of samples, positions by a grouped one, twelve layers normalised afterwards. */
function wav2vec(net: Layers, x: Value): Value {
  let y = x;
  for (const [kernel, stride] of [
    [10, 5],
    [3, 2],
    [3, 2],
    [3, 2],
    [3, 2],
    [2, 2],
    [2, 2],
  ] as const) {
    const first = y === x;
    y = net.conv(y, 512, { kernel: [1, kernel], stride: [1, stride], pad: "valid", bias: false });
    // Of the first one every channel is normalised over time.
    if (first)
      y = net.batchNorm(net.div(net.sub(y, net.globalPool(y)), net.unary(net.globalPool(net.mul(y, y)), "sqrt")));
    y = net.activate(y, "gelu");
  }
  const tokens = net.fc(net.layerNorm(net.tokens(y)), 768);
  const image = net.image(tokens, [1, at(tokens.shape, 1)]);
  const placed = net.conv(image, 768, { kernel: [1, 128], groups: 16, act: "gelu" });
  let z = net.layerNorm(net.add(tokens, net.tokens(placed)));
  for (let layer = 0; layer < 12; layer += 1)
    z = encoderLayer(net, z, { heads: 12, hidden: 3072, after: true, together: false });
  return net.fc(z, 32);
}

const whisper = (
  size: keyof typeof sizes,
  part: "encoder" | "decoder",
  published: readonly Published[],
  aliases: readonly string[],
  seconds = 30,
): KnownModel =>
  makeKnown({
    id: `whisper_${size}_${part}${seconds === 30 ? "" : `_${seconds}s`}`,
    name: `Whisper ${size} ${part}${seconds === 30 ? "" : ` of ${seconds} seconds`}`,
    aliases,
    family: "Whisper",
    task: "audio",
    input: part === "encoder" ? [80, 1, 100 * seconds] : [1, 1, 1],
    ...(part === "decoder" ? { enter: (net: Layers) => net.inputOf([net.batch, 1], "token", "int64") } : {}),
    published,
    source: "arXiv 2212.04356 table 1",
    layers: (net, x) => (part === "encoder" ? encoder(net, x, sizes[size]) : decoder(net, x, sizes[size])),
  });

const twice = (published: Published, share: number): Published =>
  within(published, share, "counts the table of tokens once, which stands there as a table and as a matrix");

export default [
  makeKnown({
    id: "yamnet",
    name: "YAMNet",
    family: "YAMNet",
    task: "audio",
    input: [1, 96, 64],
    published: [aiHub("yamnet", 3.73)],
    source: "github.com/tensorflow/models research/audioset/yamnet/yamnet.py",
    layers: (net, x) => net.fc(net.globalPool(mobilenetV1(net, x, 1).at(-1) ?? x), 521, { act: "sigmoid" }),
  }),
  whisper("tiny", "encoder", [aiHub("whisper_tiny", 9.39)], ["whisper_tiny / HfWhisperEncoder"]),
  whisper("base", "encoder", [aiHub("whisper_base", 23.7)], ["whisper_base", "whisper_base / HfWhisperEncoder"]),
  // As Rockchip's zoo has it: positions are as many as the shorter sound has.
  whisper(
    "base",
    "encoder",
    [within(aiHub("whisper_base", 23.7), 0.02, "has positions of 30 seconds")],
    ["whisper_base_20s"],
    20,
  ),
  whisper("small", "encoder", [aiHub("whisper_small", 102)], ["whisper_small", "whisper_small / HfWhisperEncoder"]),
  whisper("tiny", "decoder", [twice(aiHub("whisper_tiny", 28.4), 0.71)], ["whisper_tiny / HfWhisperDecoder"]),
  whisper("base", "decoder", [twice(aiHub("whisper_base", 48.9), 0.55)], ["whisper_base / HfWhisperDecoder"]),
  whisper("small", "decoder", [twice(aiHub("whisper_small", 139), 0.3)], ["whisper_small / HfWhisperDecoder"]),
  makeKnown({
    id: "wav2vec2_base",
    name: "wav2vec 2.0 base",
    aliases: ["wav2vec2_base_960h", "wav2vec2_base_960h_20s"],
    family: "wav2vec 2.0",
    task: "audio",
    input: [1, 1, 320_000],
    published: [own("arXiv 2006.11477: BASE of 95 million, read where it is quoted", undefined, 95)],
    source: "arXiv 2006.11477 section 4.2",
    layers: wav2vec,
  }),
] satisfies readonly KnownModel[];
