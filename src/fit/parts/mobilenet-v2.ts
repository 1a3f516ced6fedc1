/** MobileNet v2 with what its blocks expand to, and with dilation in place of strides: for detectors and segmenters. arXiv 1801.04381. */

import { at, type Layers, type Value } from "../layers.ts";

/** Expansion, channels, repeats, stride of the first. */
const rows = [
  [1, 16, 1, 1],
  [6, 24, 2, 2],
  [6, 32, 3, 2],
  [6, 64, 4, 2],
  [6, 96, 3, 1],
  [6, 160, 3, 2],
  [6, 320, 1, 1],
] as const;

export interface Expanded {
  /** Of the seventeen blocks, from 0. */
  readonly outputs: readonly Value[];
  /** What each of them expands to before it filters. */
  readonly inner: readonly Value[];
}

/** `stride`: of the last block to the picture; strides beyond it become dilation. `by`: widths are multiples of it. */
export function expanded(
  net: Layers,
  x: Value,
  how: { readonly alpha: number; readonly stride: 8 | 16 | 32; readonly by?: number },
): Expanded {
  const outputs: Value[] = [];
  const inner: Value[] = [];
  let y = net.conv(x, multiple(32 * how.alpha), { kernel: 3, stride: 2, act: "relu6" });
  let [reached, dilation] = [2, 1];
  for (const [times, channels, repeats, first] of rows) {
    const out = multiple(channels * how.alpha, how.by);
    for (let index = 0; index < repeats; index += 1) {
      const halves = index === 0 && first === 2;
      const stride = halves && reached < how.stride ? 2 : 1;
      const wide = times === 1 ? y : net.conv(y, at(y.shape, 1) * times, { act: "relu6" });
      const z = net.conv(net.depthwise(wide, { stride, dilation, act: "relu6" }), out);
      y = stride === 1 && at(y.shape, 1) === out ? net.add(y, z) : z;
      // The block that would have halved filters as before; those behind it look twice as far.
      if (halves && stride === 1) dilation *= 2;
      if (stride === 2) reached *= 2;
      inner.push(wide);
      outputs.push(y);
    }
  }
  return { outputs, inner };
}

/** The nearest multiple, never more than a tenth below. */
function multiple(channels: number, by = 8): number {
  const near = Math.max(by, Math.floor((channels + by / 2) / by) * by);
  return near < 0.9 * channels ? near + by : near;
}
