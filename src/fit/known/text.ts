/**
 * Encoders of text: BERT (arXiv 1810.04805), ELECTRA (2003.10555), ALBERT (1909.11942), DistilBERT (1910.01108), MobileBERT (2004.02984
 * table 1), Nomic Embed (2402.01613), and the Marian encoders of OPUS-MT. From the ids of the tokens on, 384 or as many as asked for.
 */

import { attend, encoderLayer, headsOf, joined } from "../blocks.ts";
import type { KnownModel } from "../known.ts";
import { at, type Layers, type Value } from "../layers.ts";
import { makeKnown } from "../make-known.ts";

interface Bert {
  readonly vocabulary: number;
  /** Width of the table of words; the layers' own when absent. */
  readonly narrow?: number;
  readonly width: number;
  readonly layers: number;
  readonly heads: number;
  readonly hidden: number;
  readonly positions: number;
  readonly kinds?: number;
  /** All layers are one (ALBERT). */
  readonly share?: string;
  /** Scores of every word for every place come out. */
  readonly predicts?: boolean;
  readonly pooled?: boolean;
}

/** Words, places and kinds, each from its table. */
function embedded(net: Layers, ids: Value, { vocabulary, width, narrow = width, positions, kinds = 2 }: Bert): Value {
  const length = at(ids.shape, 1);
  let y = net.embedding(ids, vocabulary, narrow, "words");
  if (kinds > 0) y = net.add(y, net.embedding(net.inputOf(ids.shape, "token_type_ids", "int64"), kinds, narrow));
  if (positions > 0) {
    const places = net.slice(net.weight([1, positions, narrow], "positions"), 1, 0, length);
    y = net.add(y, places);
  }
  y = net.layerNorm(y);
  return narrow === width ? y : net.fc(y, width);
}

function bert(net: Layers, ids: Value, model: Bert): Value {
  const { width, layers, heads, hidden, share, predicts = false, pooled = false, narrow = width, vocabulary } = model;
  let y = embedded(net, ids, model);
  for (let i = 0; i < layers; i++) y = encoderLayer(net, y, { heads, hidden, after: true, together: false, share });
  if (predicts) {
    const z = net.layerNorm(net.fc(y, narrow, { act: "gelu" }));
    return product(net, z, vocabulary, narrow);
  }
  return pooled ? net.fc(net.gather(y, 1), width, { act: "tanh" }) : y;
}

/** By the table of words once more, whose weights count once. */
function product(net: Layers, x: Value, vocabulary: number, width: number): Value {
  const [n, length] = [at(x.shape, 0), at(x.shape, 1)];
  const scores = net.fc(net.reshape(x, [n * length, width]), vocabulary, { bias: false, share: "words" });
  return net.reshape(scores, [n, length, vocabulary]);
}

/** A wide stream with a narrow body: 512 outside, 128 inside, four small feed-forward layers. No layer normalisation: scale and shift. */
function mobileBert(net: Layers, ids: Value): Value {
  const length = at(ids.shape, 1);
  // Each word beside its neighbours.
  const words = net.embedding(ids, 30522, 128, "words");
  const zero = net.weight([at(ids.shape, 0), 1, 128], "zeros");
  const before = net.concat([net.slice(words, 1, 1, length - 1), zero], 1);
  const behind = net.concat([zero, net.slice(words, 1, 0, length - 1)], 1);
  let y = net.fc(net.concat([before, words, behind], 2), 512);
  y = net.add(y, net.slice(net.weight([1, 512, 512], "positions"), 1, 0, length));
  y = net.batchNorm(net.add(y, net.embedding(net.inputOf(ids.shape, "token_type_ids", "int64"), 2, 512)));
  const feed = (z: Value, width: number): Value =>
    net.batchNorm(net.add(z, net.fc(net.fc(z, 512, { act: "relu" }), width)));
  for (let i = 0; i < 24; i++) {
    const narrow = net.batchNorm(net.fc(y, 128));
    const shared = net.batchNorm(net.fc(y, 128));
    const [q, k] = [0, 1].map(() => headsOf(net, net.fc(shared, 128), 4));
    const v = headsOf(net, net.fc(y, 128), 4);
    let z = net.fc(joined(net, attend(net, q ?? v, k ?? v, v)), 128);
    z = net.batchNorm(net.add(z, narrow));
    for (let j = 0; j < 3; j++) z = feed(z, 128);
    const middle = net.fc(z, 512, { act: "relu" });
    z = net.batchNorm(net.add(net.fc(middle, 128), z));
    y = net.batchNorm(net.add(net.fc(z, 512), y));
  }
  return y;
}

/** Positions turn queries and keys; what is fed forward is gated. */
function nomic(net: Layers, ids: Value): Value {
  let y = net.layerNorm(
    net.add(net.embedding(ids, 30528, 768), net.embedding(net.inputOf(ids.shape, "token_type_ids", "int64"), 2, 768)),
  );
  const length = at(ids.shape, 1);
  const turned = (x: Value): Value => {
    const [a, b] = net.split(x, 2, 3);
    const half = net.concat([net.scale(b ?? x), a ?? x], 3);
    return net.add(
      net.mul(x, net.weight([1, 1, length, 64], "cosine")),
      net.mul(half, net.weight([1, 1, length, 64], "sine")),
    );
  };
  for (let i = 0; i < 12; i++) {
    const all = net.fc(y, 3 * 768, { bias: false });
    const [q, k, v] = net.split(all, 3, 2).map((part) => headsOf(net, part, 12));
    const mixed = joined(net, attend(net, turned(q ?? all), turned(k ?? all), v ?? all));
    y = net.layerNorm(net.add(y, net.fc(mixed, 768, { bias: false })));
    const gated = net.mul(net.fc(y, 3072, { bias: false }), net.fc(y, 3072, { bias: false, act: "silu" }));
    y = net.layerNorm(net.add(y, net.fc(gated, 768, { bias: false })));
  }
  return net.reduce(y, [1], { keep: false });
}

const AI_HUB = (model: string): string =>
  `github.com/quic/ai-hub-models@52c080d qai_hub_models/models/${model}/info.yaml`;

interface TextModel {
  readonly id: string;
  readonly name: string;
  readonly aliases: readonly string[];
  readonly length: number;
  readonly published: KnownModel["published"];
  readonly source: string;
  readonly layers: (net: Layers, ids: Value) => Value;
}

const text = ({ length, ...rest }: TextModel): KnownModel =>
  makeKnown({
    ...rest,
    family: "text encoder",
    task: "text",
    input: [1, 1, length],
    enter: (net, [, , tokens]) => net.inputOf([net.batch, tokens], "input_ids", "int64"),
  });

const base: Bert = { vocabulary: 30522, width: 768, layers: 12, heads: 12, hidden: 3072, positions: 512 };

export default [
  text({
    id: "bert_base",
    name: "BERT base",
    aliases: ["bert_base_uncased", "bert"],
    length: 384,
    published: [
      {
        parameters: 110e6,
        source: "github.com/google-research/bert@eedf571 README.md: 12-layer, 768-hidden, 12-heads, 110M parameters",
      },
    ],
    source: "arXiv 1810.04805",
    layers: (net, ids) => bert(net, ids, { ...base, pooled: true }),
  }),
  text({
    id: "bert_base_masked",
    name: "BERT base that predicts words",
    aliases: ["bert_base_uncased_hf", "bert_base_uncased_masked"],
    length: 384,
    published: [{ parameters: 110e6, source: AI_HUB("bert_base_uncased_hf") }],
    source: "arXiv 1810.04805",
    layers: (net, ids) => bert(net, ids, { ...base, predicts: true }),
  }),
  text({
    id: "electra_base",
    name: "ELECTRA base discriminator",
    aliases: ["electra_bert_base_discrim_google", "electra_base_discriminator"],
    length: 384,
    published: [{ parameters: 109e6, source: AI_HUB("electra_bert_base_discrim_google") }],
    source: "arXiv 2003.10555",
    layers: (net, ids) => net.fc(net.fc(bert(net, ids, base), 768, { act: "gelu" }), 1),
  }),
  text({
    id: "albert_base_v2",
    name: "ALBERT base v2",
    aliases: ["albert_base_v2_hf", "albert", "albert_base"],
    length: 384,
    published: [
      {
        parameters: 11.8e6,
        source: AI_HUB("albert_base_v2_hf"),
        within: { share: 0.05, because: "counts a pooling layer that predicting words does not use" },
      },
    ],
    source: "arXiv 1909.11942 table 1",
    layers: (net, ids) => bert(net, ids, { ...base, vocabulary: 30000, narrow: 128, share: "layer", predicts: true }),
  }),
  text({
    id: "distilbert",
    name: "DistilBERT base",
    aliases: ["distilbert_base", "distilbert_base_uncased", "distil_bert"],
    length: 384,
    published: [
      {
        parameters: 66e6,
        source:
          "github.com/huggingface/transformers docs/source/pretrained_models.rst: 6-layer, 768-hidden, 12-heads, 66M",
      },
    ],
    source: "arXiv 1910.01108",
    layers: (net, ids) => bert(net, ids, { ...base, layers: 6, kinds: 0 }),
  }),
  text({
    id: "mobilebert",
    name: "MobileBERT",
    aliases: ["mobile_bert_uncased_google", "mobilebert_uncased", "mobile_bert"],
    length: 384,
    published: [
      {
        parameters: 25.3e6,
        source: AI_HUB("mobile_bert_uncased_google"),
        within: { share: 0.03, because: "counts heads of pretraining as well" },
      },
    ],
    source: "arXiv 2004.02984 table 1",
    layers: mobileBert,
  }),
  text({
    id: "nomic_embed_text",
    name: "Nomic Embed text v1.5",
    aliases: ["nomic_embed_text_v1.5", "nomic_embed"],
    length: 128,
    published: [{ parameters: 137e6, source: AI_HUB("nomic_embed_text") }],
    source: "arXiv 2402.01613",
    layers: nomic,
  }),
] satisfies readonly KnownModel[];
