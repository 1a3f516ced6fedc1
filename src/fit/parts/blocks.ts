/** Short words for the layers that detectors, segmenters and image models are made of, over the builder (layers.ts). */

import { at, type Activation, type ConvOptions, type Layers, type Value } from "../layers.ts";

export type Net = Layers;
export type Feature = Value;
export type Act = Activation | "none";

export const channels = (x: Feature): number => at(x.shape, 1);
export const sizes = (x: Feature): readonly number[] => x.shape.slice(2);

export interface ConvShape extends Omit<ConvOptions, "kernel" | "stride" | "act"> {
  /** SiLU when absent: most of what is built here has it. */
  readonly act?: Act;
}

const word = (act: Act | undefined): Activation | undefined => (act === "none" ? undefined : (act ?? "silu"));

/** Convolution and activation; outputs are inputs over the stride, rounded up. */
export const conv = (
  net: Net,
  x: Feature,
  out: number,
  kernel: ConvOptions["kernel"] = 1,
  stride: ConvOptions["stride"] = 1,
  { act, ...rest }: ConvShape = {},
): Feature => net.conv(x, out, { kernel, stride, ...rest, act: word(act) });

export const deconv = (
  net: Net,
  x: Feature,
  out: number,
  kernel: number,
  stride: number,
  { act, ...rest }: ConvShape & { readonly outputPad?: number } = {},
): Feature => net.transposed(x, out, { kernel, stride, ...rest, act: word(act) });

/** Pooling that keeps sizes over the stride. */
export const maxPool = (
  net: Net,
  x: Feature,
  kernel: number,
  stride: number,
  pad: "same" | "valid" | number = "same",
): Feature => net.maxPool(x, { kernel, stride, pad });

export const avgPool = (
  net: Net,
  x: Feature,
  kernel: number,
  stride: number,
  pad: "same" | "valid" | number = "same",
): Feature => net.averagePool(x, { kernel, stride, pad });

export const cat = (net: Net, values: readonly Feature[]): Feature => net.concat(values);
export const split = (net: Net, x: Feature, parts: readonly number[]): Feature[] => net.split(x, parts);
export const add = (net: Net, a: Feature, b: Feature): Feature => net.add(a, b);
export const act = (net: Net, x: Feature, how: Act): Feature => net.activate(x, word(how));
export const up = (net: Net, x: Feature, by = 2, mode: "nearest" | "linear" = "nearest"): Feature =>
  net.upsample(x, by, mode);

/** To the size of another; nothing where it has it. */
export const resizeLike = (net: Net, x: Feature, like: Feature, mode: "nearest" | "linear"): Feature =>
  sizes(x).every((size, i) => size === at(like.shape, i + 2)) ? x : net.resize(x, sizes(like), mode);

/**
 * Attention over the positions of an image whose channels hold, head by head, query, key and value. `areas`: positions fall into that
 * many strips, each by itself.
 */
export function heads2d(
  net: Net,
  mixed: Feature,
  how: { readonly heads: number; readonly key: number; readonly value: number; readonly areas?: number },
): { seen: Feature; values: Feature } {
  const { heads, key, value, areas = 1 } = how;
  const [batch, size] = [at(mixed.shape, 0), sizes(mixed)];
  const length = size.reduce((a, b) => a * b, 1);
  const tokens = net.reshape(net.tokens(mixed), [batch * areas, length / areas, heads, 2 * key + value]);
  const [query, keys, values] = net.split(net.transpose(tokens, [0, 2, 1, 3]), [key, key, value], 3) as [
    Feature,
    Feature,
    Feature,
  ];
  const scores = net.softmax(net.scale(net.matmul(query, keys, { transposeB: true })));
  const back = (x: Feature): Feature =>
    net.image(net.reshape(net.transpose(x, [0, 2, 1, 3]), [batch, length, heads * value]), size);
  return { seen: back(net.matmul(scores, values)), values: back(values) };
}
