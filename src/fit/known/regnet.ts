/** RegNetX and RegNetY: widths from a line that is rounded twice. arXiv 2003.13678, appendix; ncnn's 400 MF has a free first width. */

import { classifier, squeezeExcite } from "../blocks.ts";
import type { KnownModel } from "../known.ts";
import { at, type Layers, type Value } from "../layers.ts";
import { makeKnown } from "../make-known.ts";
import { hailo, ncnn, timm, torchvision } from "../published.ts";

/** First width, slope, ratio of steps, width of a group, blocks. */
type Line = readonly [first: number, slope: number, ratio: number, group: number, depth: number];

/** Squeeze-and-excite of a quarter of the channels that come in (RegNetY). */
export interface RegNet {
  readonly line: Line;
  readonly excite?: boolean;
}

/* prettier-ignore */
export const lines = {
  x_200mf: [24, 36.44, 2.49, 8, 13],
  x_400mf: [24, 24.48, 2.54, 16, 22],
  x_600mf: [48, 36.97, 2.24, 24, 16],
  x_800mf: [56, 35.73, 2.28, 16, 16],
  x_1600mf: [80, 34.01, 2.25, 24, 18],
  x_3200mf: [88, 26.31, 2.25, 48, 25],
  y_200mf: [24, 36.44, 2.49, 8, 13],
  y_400mf: [48, 27.89, 2.09, 8, 16],
  y_600mf: [48, 32.54, 2.32, 16, 15],
  y_800mf: [56, 38.84, 2.4, 16, 14],
  y_1600mf: [48, 20.71, 2.65, 24, 27],
  y_3200mf: [80, 42.63, 2.66, 24, 21],
} as const satisfies Readonly<Record<string, Line>>;

/** [width, blocks, width of a group] of each stage: widths are multiples of 8, and of the group. */
function stagesOf([first, slope, ratio, group, depth]: Line): [number, number, number][] {
  const widths = Array.from({ length: depth }, (_, i) => {
    const step = Math.round(Math.log((first + slope * i) / first) / Math.log(ratio));
    return halfToEven((first * ratio ** step) / 8) * 8;
  });
  const out: [number, number, number][] = [];
  for (const width of widths) {
    const last = out.at(-1);
    if (last?.[0] === width) last[1]++;
    else out.push([width, 1, group]);
  }
  return out.map(([width, blocks]) => {
    const wide = Math.min(group, width);
    return [Math.max(wide, Math.round(width / wide) * wide), blocks, wide];
  });
}

/** As the paper's tables were made: 22.5 is 22. */
function halfToEven(value: number): number {
  const near = Math.round(value);
  return Math.abs(value % 1) === 0.5 && near % 2 === 1 ? near - 1 : near;
}

/** What comes out of the stem and of the four stages. */
export function regnet(net: Layers, x: Value, { line, excite = false }: RegNet): Value[] {
  const taps = [net.conv(x, 32, { kernel: 3, stride: 2, act: "relu" })];
  for (const [width, blocks, group] of stagesOf(line)) {
    let y = taps[taps.length - 1] ?? x;
    for (let i = 0; i < blocks; i++) {
      const stride = i === 0 ? 2 : 1;
      const from = at(y.shape, 1);
      let z = net.conv(net.conv(y, width, { act: "relu" }), width, {
        kernel: 3,
        stride,
        groups: width / group,
        act: "relu",
      });
      if (excite) z = squeezeExcite(net, z, Math.round(from / 4));
      y = net.add(net.conv(z, width), stride > 1 || from !== width ? net.conv(y, width, { stride }) : y, "relu");
    }
    taps.push(y);
  }
  return taps;
}

const zoo = hailo("classification");

const model = (line: keyof typeof lines, aliases: readonly string[], published: KnownModel["published"]): KnownModel =>
  makeKnown({
    id: `regnet${line}`,
    name: `RegNet${line.slice(0, 1).toUpperCase()}-${line.slice(2).toUpperCase()}`,
    aliases: [`regnet_${line}`, ...aliases],
    family: "RegNet",
    input: 224,
    published,
    source: "arXiv 2003.13678, appendix",
    layers: (net, x) =>
      classifier(net, regnet(net, x, { line: lines[line], excite: line.startsWith("y") }).at(-1) ?? x),
  });

export default [
  model("x_200mf", ["regnetx_002"], [timm(2.68, 0.2)]),
  model("x_400mf", ["regnetx_004"], [torchvision(5.496, 0.414)]),
  model("x_600mf", ["regnetx_006"], [timm(6.2, 0.61)]),
  model("x_800mf", ["regnetx_008"], [torchvision(7.26, 0.8), zoo(7.24, 1.6)]),
  model("x_1600mf", ["regnetx_1.6gf", "regnet_x_1_6gf", "regnetx_016"], [torchvision(9.19, 1.603), zoo(9.17, 3.22)]),
  model("x_3200mf", ["regnetx_3.2gf", "regnet_x_3_2gf", "regnetx_032", "regnet"], [torchvision(15.296, 3.177)]),
  model("y_200mf", ["regnety_002"], [timm(3.16, 0.2)]),
  model(
    "y_400mf",
    ["regnety_004", "regnety_400m"],
    [torchvision(4.344, 0.402), ncnn("regnety_400m", 4330568, 401842848)],
  ),
  model("y_600mf", ["regnety_006"], [timm(6.06, 0.61)]),
  model("y_800mf", ["regnety_008"], [torchvision(6.433, 0.834)]),
  model("y_1600mf", ["regnety_1.6gf", "regnet_y_1_6gf", "regnety_016"], [torchvision(11.202, 1.612)]),
  model("y_3200mf", ["regnety_3.2gf", "regnet_y_3_2gf", "regnety_032"], [torchvision(19.436, 3.176)]),
] satisfies readonly KnownModel[];
