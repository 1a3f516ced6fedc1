/** Blocks that many architectures share, made of layers: squeeze-and-excite, inverted residuals, attention. */

import { at, product, type Activation, type ConvOptions, type Layers, type Value } from "./layers.ts";

/** To the nearest multiple of 8, never more than a tenth below: how MobileNet and its heirs scale their widths. */
export function rounded(channels: number, least = 0.9): number {
  const near = Math.max(8, Math.floor((channels + 4) / 8) * 8);
  return near < least * channels ? near + 8 : near;
}

/** arXiv 1709.01507: a weight for each channel from the mean of all. */
export function squeezeExcite(
  net: Layers,
  x: Value,
  squeezed: number,
  act: Activation = "relu",
  gate: Activation = "sigmoid",
): Value {
  const small = net.conv(net.globalPool(x), squeezed, { act });
  return net.mul(x, net.conv(small, at(x.shape, 1), { act: gate }));
}

export interface Inverted {
  readonly kernel?: number;
  readonly stride?: number;
  /** Channels in the middle. */
  readonly wide: number;
  readonly out: number;
  readonly act?: Activation | undefined;
  /** Channels of squeeze-and-excite. */
  readonly squeezed?: number | undefined;
  readonly squeezeAct?: Activation;
  readonly gate?: Activation;
  /** One convolution in place of the first two (EfficientNet-EdgeTPU, EfficientNetV2). */
  readonly fused?: boolean;
  /** The first expands even when it would not. */
  readonly always?: boolean;
}

/** arXiv 1801.04381: expand, filter each channel, project; what came in is added where it fits. */
export function inverted(net: Layers, x: Value, block: Inverted): Value {
  const {
    kernel = 3,
    stride = 1,
    wide,
    out,
    act,
    squeezed,
    squeezeAct = act,
    gate,
    fused = false,
    always = false,
  } = block;
  const channels = at(x.shape, 1);
  let y = x;
  if (fused) {
    if (wide === channels && !always) {
      y = net.conv(y, out, { kernel, stride, act });
      return stride === 1 && channels === out ? net.add(x, y) : y;
    }
    y = net.conv(y, wide, { kernel, stride, act });
  } else {
    if (wide !== channels || always) y = net.conv(y, wide, { act });
    y = net.depthwise(y, { kernel, stride, act });
  }
  if (squeezed !== undefined) y = squeezeExcite(net, y, squeezed, squeezeAct, gate);
  y = net.conv(y, out);
  return stride === 1 && channels === out ? net.add(x, y) : y;
}

/** Depthwise and 1x1 after it, as MobileNet v1 has them. */
export function separable(net: Layers, x: Value, filters: number, options: ConvOptions = {}): Value {
  const { act, ...rest } = options;
  return net.conv(net.depthwise(x, { ...rest, act }), filters, { act });
}

/** Mean over the image, then classes. */
export function classifier(net: Layers, x: Value, classes = 1000): Value {
  return net.fc(net.globalPool(x), classes);
}

export interface Attending {
  readonly heads: number;
  /** Of each head's queries and keys; the width over the heads when absent. */
  readonly keys?: number;
  /** Of each head's values; `keys` when absent. */
  readonly values?: number;
  readonly bias?: boolean;
  /** Width that comes out; the width that came in when absent. */
  readonly out?: number;
  /** Where keys and values come from; itself when absent. */
  readonly from?: Value;
  /** A weight is added to the scores: relative positions, a mask. */
  readonly offset?: boolean;
  /** Queries, keys and values are one matrix, as vision transformers have it. */
  readonly together?: boolean;
  /** Layers of one name use the same weights. */
  readonly share?: string | undefined;
}

/** Scaled dot-product attention over tokens [n, length, width], with its projections. */
export function attention(net: Layers, x: Value, options: Attending): Value {
  const { heads, bias = true, from = x, together = true, share } = options;
  const named = (part: string): { share?: string } => (share === undefined ? {} : { share: `${share}.${part}` });
  const width = at(x.shape, 2);
  const { keys = width / heads, out = width } = options;
  const { values = keys } = options;
  let [q, k, v]: (Value | undefined)[] = [];
  if (from === x && together) {
    const all = net.fc(x, heads * (2 * keys + values), { bias, ...named("qkv") });
    [q, k, v] = net.split(all, [heads * keys, heads * keys, heads * values], 2);
  } else {
    q = net.fc(x, heads * keys, { bias, ...named("q") });
    k = net.fc(from, heads * keys, { bias, ...named("k") });
    v = net.fc(from, heads * values, { bias, ...named("v") });
  }
  const mixed = attend(
    net,
    headsOf(net, q ?? x, heads),
    headsOf(net, k ?? x, heads),
    headsOf(net, v ?? x, heads),
    options.offset,
  );
  return net.fc(joined(net, mixed), out, named("out"));
}

/** Of [n, heads, length, width] each: softmax of queries by keys, by values. */
export function attend(net: Layers, q: Value, k: Value, v: Value, offset = false): Value {
  let scores = net.scale(net.matmul(q, k, { transposeB: true }));
  if (offset) scores = net.add(scores, net.weight([1, ...scores.shape.slice(1)], "offset"));
  return net.matmul(net.softmax(scores), v);
}

export function headsOf(net: Layers, x: Value, heads: number): Value {
  const [n, length, width] = [at(x.shape, 0), at(x.shape, 1), at(x.shape, 2)];
  return net.transpose(net.reshape(x, [n, length, heads, width / heads]), [0, 2, 1, 3]);
}

export function joined(net: Layers, x: Value): Value {
  const back = net.transpose(x, [0, 2, 1, 3]);
  return net.reshape(back, [at(back.shape, 0), at(back.shape, 1), product(back.shape.slice(2))]);
}

export interface Encoding {
  readonly heads: number;
  /** Width of the two layers' middle. */
  readonly hidden: number;
  readonly act?: Activation;
  /** Normalised after each addition instead of before each layer (BERT). */
  readonly after?: boolean;
  readonly together?: boolean;
  readonly bias?: boolean;
  /** Batch normalisation in place of layer normalisation: folded where it stands before a matrix. */
  readonly folded?: boolean;
  readonly offset?: boolean;
  readonly share?: string | undefined;
}

/** One layer of a transformer's encoder. */
export function encoderLayer(net: Layers, x: Value, options: Encoding): Value {
  const { hidden, act = "gelu", after = false, folded = false, share } = options;
  const named = (part: string): { share?: string } => (share === undefined ? {} : { share: `${share}.${part}` });
  const norm = (y: Value): Value => (folded ? y : net.layerNorm(y));
  const attending = (y: Value): Value => attention(net, y, options);
  const width = at(x.shape, 2);
  const through = (y: Value): Value => net.fc(net.fc(y, hidden, { act, ...named("up") }), width, named("down"));
  if (after) {
    const y = norm(net.add(x, attending(x)));
    return norm(net.add(y, through(y)));
  }
  const y = net.add(x, attending(norm(x)));
  return net.add(y, through(norm(y)));
}
