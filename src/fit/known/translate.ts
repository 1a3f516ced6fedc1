/**
 * From one language into another (OPUS-MT, of Marian: arXiv 1706.03762's base model, aclanthology.org/2020.eamt-1.61), and from pictures
 * of lines into text (TrOCR small: 2109.10282). Encoders give keys and values for each layer of the decoder, which says one token a time.
 */

import { attend, encoderLayer, headsOf, joined } from "../blocks.ts";
import type { KnownModel } from "../known.ts";
import { at, type Activation, type Layers, type Value } from "../layers.ts";
import { makeKnown } from "../make-known.ts";
import { aiHub, within } from "../parts/published.ts";
import { vit } from "./vit.ts";

interface Decoding {
  readonly width: number;
  readonly layers: number;
  readonly heads: number;
  readonly hidden: number;
  readonly act: Activation;
  readonly vocabulary: number;
  /** Tokens said before, and places looked at. */
  readonly before: number;
  readonly heard: number;
  /** Positions have a table that was learnt. */
  readonly learnt?: number;
  /** The weights of the mask by position stand in the model. */
  readonly masked?: boolean;
  readonly normed?: boolean;
}

/** Keys and values of what was read, for each layer of the decoder. */
const handed = (
  net: Layers,
  y: Value,
  { width, layers, heads }: Pick<Decoding, "width" | "layers" | "heads">,
): Value[] => Array.from({ length: layers }, () => [0, 1].map(() => headsOf(net, net.fc(y, width), heads))).flat();

/** Normalised after each addition, as all of these are. */
function decoder(net: Layers, token: Value, m: Decoding): Value[] {
  const { width, layers, heads, before, heard } = m;
  const [n, depth] = [at(token.shape, 0), width / heads];
  let y = net.scale(net.embedding(token, m.vocabulary, width));
  y = net.add(y, net.embedding(net.inputOf([n, 1], "position", "int64"), m.learnt ?? before + 1, width));
  if (m.normed === true) y = net.layerNorm(y);
  const mask =
    m.masked === true
      ? net.reshape(net.embedding(net.inputOf([n, 1], "index", "int64"), before + 1, before + 1), [n, 1, 1, before + 1])
      : undefined;
  const given: Value[] = [];
  for (let layer = 0; layer < layers; layer += 1) {
    const kept = (length: number, word: string): Value => net.inputOf([n, heads, length, depth], `${word}_${layer}`);
    const [q, k, v] = [0, 1, 2].map(() => headsOf(net, net.fc(y, width), heads)) as [Value, Value, Value];
    given.push(k, v);
    const keys = net.concat([kept(before, "key"), k], 2);
    const values = net.concat([kept(before, "value"), v], 2);
    const scores = net.scale(net.matmul(q, keys, { transposeB: true }));
    const seen = net.matmul(net.softmax(mask ? net.add(scores, mask) : scores), values);
    y = net.layerNorm(net.add(y, net.fc(joined(net, seen), width)));
    const cross = headsOf(net, net.fc(y, width), heads);
    const read = attend(net, cross, kept(heard, "cross_key"), kept(heard, "cross_value"));
    y = net.layerNorm(net.add(y, net.fc(joined(net, read), width)));
    y = net.layerNorm(net.add(y, net.fc(net.fc(y, m.hidden, { act: m.act }), width)));
  }
  // The table of tokens is used for what comes out as well: as a matrix it stands there once more.
  return [net.fc(y, m.vocabulary, { bias: false }), ...given];
}

const marian = {
  width: 512,
  layers: 6,
  heads: 8,
  hidden: 2048,
  act: "silu",
  vocabulary: 65_001,
  before: 255,
  heard: 256,
} as const;

function marianEncoder(net: Layers, tokens: Value): Value[] {
  const { width, layers, heads, hidden, act, vocabulary } = marian;
  let y = net.scale(net.embedding(tokens, vocabulary, width));
  y = net.add(y, net.weight([1, at(tokens.shape, 1), width], "positions"));
  for (let layer = 0; layer < layers; layer += 1)
    y = encoderLayer(net, y, { heads, hidden, act, after: true, together: false });
  return handed(net, y, marian);
}

const both = "of both parts, with one table of tokens for what goes in and what comes out";
const pairs = ["en_zh", "zh_en", "es_en", "en_es"] as const;
const opus = (part: "Encoder" | "Decoder"): KnownModel =>
  makeKnown({
    id: `opus_mt_${part.toLowerCase()}`,
    name: `OPUS-MT ${part.toLowerCase()}`,
    aliases: pairs.map((pair) => `opus_mt_${pair} / OpusMT${part}`),
    family: "OPUS-MT",
    task: "text",
    input: [1, 1, part === "Encoder" ? 256 : 1],
    published: [within(aiHub("opus_mt_en_zh", 74), 0.27, both)],
    source: "arXiv 1706.03762 table 3, base; github.com/Helsinki-NLP/Opus-MT; aclanthology.org/2020.eamt-1.61",
    enter: (net, [, , length]) => net.inputOf([net.batch, length], "tokens", "int64"),
    layers: (net, x) => (part === "Encoder" ? marianEncoder(net, x) : decoder(net, x, marian)),
  });

const trocr = {
  width: 256,
  layers: 6,
  heads: 8,
  hidden: 1024,
  act: "relu",
  vocabulary: 64_044,
  before: 19,
  heard: 578,
} as const;

export default [
  opus("Encoder"),
  opus("Decoder"),
  makeKnown({
    id: "trocr_small_encoder",
    name: "TrOCR small encoder",
    aliases: ["trocr / TrOCREncoder"],
    family: "TrOCR",
    task: "text",
    input: 384,
    published: [aiHub("trocr", 23)],
    source: "arXiv 2109.10282 section 4.1; DeiT small distilled of 2012.12877",
    layers: (net, x) =>
      handed(net, net.layerNorm(vit(net, x, { patch: 16, width: 384, layers: 12, heads: 6, first: 2 })), trocr),
  }),
  makeKnown({
    id: "trocr_small_decoder",
    name: "TrOCR small decoder",
    aliases: ["trocr / TrOCRDecoder"],
    family: "TrOCR",
    task: "text",
    input: [1, 1, 1],
    published: [aiHub("trocr", 38.3)],
    source: "arXiv 2109.10282 section 4.1; MiniLM of 2012.15828",
    enter: (net) => net.inputOf([net.batch, 1], "token", "int64"),
    layers: (net, x) => decoder(net, x, { ...trocr, learnt: 514, masked: true, normed: true }),
  }),
] satisfies readonly KnownModel[];
