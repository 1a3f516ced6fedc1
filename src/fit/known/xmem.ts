/**
 * What was pointed at once is followed through a film: XMem, as Track-Anything has it, in the parts that it runs in. arXiv 2207.07115,
 * 2304.11968; github.com/hkchengrex/XMem model/modules.py.
 */

import type { KnownModel, Published } from "../known.ts";
import { at, type Layers, type Value } from "../layers.ts";
import { makeKnown } from "../make-known.ts";
import { aiHub, within } from "../parts/published.ts";
import { bottlenecks } from "./resnet.ts";

const KEY = 64;
const HIDDEN = 64;
const VALUE = 512;

/** Two 3x3, each activated before; a third beside them where widths differ. */
function block(net: Layers, x: Value, out: number): Value {
  const three = (y: Value): Value => net.conv(y, out, { kernel: 3 });
  const y = three(net.activate(three(net.activate(x, "relu")), "relu"));
  return net.add(y, at(x.shape, 1) === out ? x : three(x));
}

/** Channels weighed by their mean and their largest, then places by those of all channels: CBAM, arXiv 1807.06521. */
function attended(net: Layers, x: Value): Value {
  const [n, width] = [at(x.shape, 0), at(x.shape, 1)];
  const told = [net.globalPool(x), net.reduce(x, [2, 3], { by: "max" })].map((pooled) =>
    net.fc(net.fc(net.reshape(pooled, [n, width]), width / 16, { act: "relu", share: "narrow" }), width, {
      share: "wide",
    }),
  );
  const sum = net.activate(net.add(told[0] ?? x, told[1] ?? x), "sigmoid");
  const y = net.mul(x, net.image(net.reshape(sum, [n, 1, width]), [1, 1]));
  const places = net.concat([net.reduce(y, [1], { by: "max" }), net.reduce(y, [1])]);
  return net.mul(y, net.conv(places, 1, { kernel: 7, act: "sigmoid" }));
}

function fused(net: Layers, x: Value, g: Value): Value {
  const first = block(net, net.concat([x, g]), 512);
  return block(net, net.add(first, attended(net, first)), 512);
}

/** What is remembered of an object: forgotten and renewed by gates. */
function renewed(net: Layers, x: Value, hidden: Value): Value {
  const all = net.conv(net.concat([x, hidden]), 3 * HIDDEN, { kernel: 3 });
  const [forget, update, fresh] = net.split(all, 3) as [Value, Value, Value];
  const gate = net.activate(update, "sigmoid");
  const kept = net.mul(net.mul(net.activate(forget, "sigmoid"), hidden), net.scale(net.scale(gate), "add"));
  return net.add(kept, net.mul(gate, net.activate(fresh, "tanh")));
}

const hiddenIn = (net: Layers, sizes: readonly number[]): Value => net.input([HIDDEN, ...sizes], "hidden_state");

/** ResNet-50 up to a sixteenth, and keys from there. */
function keys(net: Layers, x: Value, shrinking: boolean): Value[] {
  const stem = net.conv(x, 64, { kernel: 7, stride: 2, pad: 3, act: "relu" });
  let y = net.maxPool(stem, { kernel: 3, stride: 2, pad: 1 });
  const taps = [3, 4, 6].map(
    (count, stage) => (y = bottlenecks(net, y, 64 * 2 ** stage, count, stage > 0 ? 2 : 1, "3x3")),
  );
  const wide = (out: number, act?: "sigmoid"): Value => net.conv(y, out, { kernel: 3, act });
  const shrunk = shrinking ? [net.scale(net.scale(wide(1), "pow"), "add")] : [];
  return [wide(KEY), ...shrunk, wide(KEY, "sigmoid"), ...taps];
}

/** Picture, mask and the other objects' masks through ResNet-18 up to a sixteenth. */
function values(net: Layers, x: Value): Value[] {
  const sizes = x.shape.slice(2);
  const seen = net.concat([x, net.input([1, ...sizes], "mask"), net.input([1, ...sizes], "others")]);
  const stem = net.conv(seen, 64, { kernel: 7, stride: 2, pad: 3 });
  let y = net.activate(net.maxPool(stem, { kernel: 3, stride: 2, pad: 1 }), "relu");
  [64, 128, 256].forEach((width, stage) => {
    for (let index = 0; index < 2; index += 1) {
      const stride = stage > 0 && index === 0 ? 2 : 1;
      const z = net.conv(net.conv(y, width, { kernel: 3, stride, act: "relu" }), width, { kernel: 3 });
      y = net.add(z, stride > 1 ? net.conv(y, width, { stride }) : y, "relu");
    }
  });
  const g = fused(net, net.input([1024, ...y.shape.slice(2)], "f16"), y);
  return [g, renewed(net, g, hiddenIn(net, y.shape.slice(2)))];
}

/** What was read from memory becomes a mask; `x` is the coarsest feature of the picture. */
function segmented(net: Layers, x: Value): Value[] {
  const sizes = x.shape.slice(2);
  const finer = (width: number, by: number): Value =>
    net.input([width, ...sizes.map((one) => one * by)], `f${16 / by}`);
  const [f8, f4] = [finer(512, 2), finer(256, 4)];
  const hidden = hiddenIn(net, sizes);
  const g16 = fused(net, x, net.concat([net.input([VALUE, ...sizes], "memory_readout"), hidden]));
  const up = (skip: Value, g: Value, width: number, out: number): Value =>
    block(net, net.add(net.conv(skip, width, { kernel: 3 }), net.resize(g, skip.shape.slice(2), "linear")), out);
  const g8 = up(f8, g16, 512, 256);
  const g4 = up(f4, g8, 256, 256);
  const logits = net.conv(net.activate(g4, "relu"), 1, { kernel: 3 });
  const small = (y: Value, by: number): Value => net.conv(by > 1 ? net.averagePool(y, { kernel: by }) : y, 256);
  const sum = net.add(net.add(small(g16, 1), small(g8, 2)), small(net.concat([g4, logits]), 4));
  return [renewed(net, sum, hidden), net.activate(net.upsample(logits, 4, "linear"), "sigmoid")];
}

const known = (
  id: string,
  name: string,
  part: string,
  input: KnownModel["input"],
  published: Published,
  layers: (net: Layers, x: Value) => Value[],
): KnownModel =>
  makeKnown({
    id,
    name,
    aliases: [`track_anything / TrackAnything${part}`],
    family: "XMem",
    task: "segmentation",
    input,
    published: [published],
    source: "arXiv 2207.07115 section 3; github.com/hkchengrex/XMem model/modules.py",
    layers,
  });

const film = [3, 320, 576] as const;

export default [
  known(
    "xmem_key_encoder",
    "XMem keys, with what shrinks them",
    "EncodeKeyWithShrinkage",
    film,
    aiHub("track_anything", 9.72),
    (net, x) => keys(net, x, true),
  ),
  known(
    "xmem_key_encoder_plain",
    "XMem keys",
    "EncodeKeyWithoutShrinkage",
    film,
    aiHub("track_anything", 9.71),
    (net, x) => keys(net, x, false),
  ),
  known(
    "xmem_value_encoder",
    "XMem values",
    "EncodeValue",
    film,
    within(aiHub("track_anything", 23.3), 0.03, "its source's layers come to 22.7 million"),
    values,
  ),
  known("xmem_decoder", "XMem decoder", "Segment", [1024, 20, 36], aiHub("track_anything", 30.1), segmented),
] satisfies readonly KnownModel[];
