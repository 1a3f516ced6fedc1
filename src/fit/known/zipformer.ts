/**
 * Speech to text as it is spoken: what looks at the last two tokens, and what joins them with sound, of Zipformer's transducer.
 * openreview.net/forum?id=9WD9KwssyT; github.com/k2-fsa/icefall egs/librispeech/ASR/pruned_transducer_stateless7/{decoder,joiner}.py.
 */

import type { KnownModel } from "../known.ts";
import type { Layers, Value } from "../layers.ts";
import { makeKnown } from "../make-known.ts";
import { aiHub } from "../parts/published.ts";

const WIDTH = 512;
const VOCABULARY = 6254;

/** Two tokens, convolved in groups of four channels. */
function decoder(net: Layers, tokens: Value): Value {
  const image = net.image(net.embedding(tokens, VOCABULARY, WIDTH), [1, 2]);
  const seen = net.conv(image, WIDTH, { kernel: [1, 2], groups: WIDTH / 4, pad: "valid", bias: false, act: "relu" });
  return net.fc(seen, WIDTH);
}

const joiner = (net: Layers, sound: Value): Value =>
  net.fc(net.activate(net.add(sound, net.inputOf(sound.shape, "decoder_out")), "tanh"), VOCABULARY);

const icefall = "github.com/k2-fsa/icefall egs/librispeech/ASR/pruned_transducer_stateless7";

export default [
  makeKnown({
    id: "zipformer_decoder",
    name: "Zipformer decoder of Chinese and English",
    aliases: ["zipformer / ZipformerDecoder"],
    family: "Zipformer",
    task: "audio",
    input: [1, 1, 2],
    published: [aiHub("zipformer", 3.47)],
    source: `${icefall}/decoder.py`,
    enter: (net) => net.inputOf([net.batch, 2], "tokens", "int64"),
    layers: decoder,
  }),
  makeKnown({
    id: "zipformer_joiner",
    name: "Zipformer joiner of Chinese and English",
    aliases: ["zipformer / ZipformerJoiner"],
    family: "Zipformer",
    task: "audio",
    input: [1, 1, WIDTH],
    published: [aiHub("zipformer", 3.21)],
    source: `${icefall}/joiner.py`,
    enter: (net) => net.inputOf([net.batch, WIDTH], "encoder_out"),
    layers: joiner,
  }),
] satisfies readonly KnownModel[];
