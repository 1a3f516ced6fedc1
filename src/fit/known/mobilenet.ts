/** MobileNet v1 to v4. arXiv 1704.04861 table 1, 1801.04381 table 2, 1905.02244 tables 1 and 2, 2404.10518 appendix. */

import { classifier, inverted, rounded, separable } from "../blocks.ts";
import type { BuildOptions, KnownModel } from "../known.ts";
import { at, Layers, type Activation, type Value } from "../layers.ts";
import { makeKnown } from "../make-known.ts";
import { hailo, ncnn, paper, timm } from "../published.ts";

const zoo = hailo("classification");

/** Outputs of the thirteen separable layers, and their strides. */
const first = [64, 128, 128, 256, 256, 512, 512, 512, 512, 512, 512, 1024, 1024] as const;
const firstStrides = [1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1] as const;

/** The trunk, for detectors and segmenters that stand on it: what comes out of each layer. */
export function mobilenetV1(net: Layers, x: Value, alpha = 1): Value[] {
  const taps = [net.conv(x, rounded(32 * alpha), { kernel: 3, stride: 2, act: "relu6" })];
  first.forEach((out, i) => {
    const before = taps[taps.length - 1] ?? x;
    taps.push(separable(net, before, rounded(out * alpha), { stride: at(firstStrides, i), act: "relu6" }));
  });
  return taps;
}

/** Expansion, channels, repeats, stride of the first. */
const second = [
  [1, 16, 1, 1],
  [6, 24, 2, 2],
  [6, 32, 3, 2],
  [6, 64, 4, 2],
  [6, 96, 3, 1],
  [6, 160, 3, 2],
  [6, 320, 1, 1],
] as const;

/** What comes out of the first convolution and of each of the seventeen blocks; the last 1x1 is not among them. */
export function mobilenetV2(net: Layers, x: Value, alpha = 1): Value[] {
  const taps = [net.conv(x, rounded(32 * alpha), { kernel: 3, stride: 2, act: "relu6" })];
  for (const [times, channels, repeats, stride] of second)
    for (let i = 0; i < repeats; i++) {
      const before = taps[taps.length - 1] ?? x;
      const wide = at(before.shape, 1) * times;
      taps.push(
        inverted(net, before, { wide, out: rounded(channels * alpha), stride: i === 0 ? stride : 1, act: "relu6" }),
      );
    }
  return taps;
}

type Third = readonly [
  kernel: number,
  wide: number,
  out: number,
  squeezed: 0 | 1,
  act: "relu" | "hswish",
  stride: 1 | 2,
];

/* prettier-ignore */
const large: readonly Third[] = [
  [3, 16, 16, 0, "relu", 1], [3, 64, 24, 0, "relu", 2], [3, 72, 24, 0, "relu", 1], [5, 72, 40, 1, "relu", 2],
  [5, 120, 40, 1, "relu", 1], [5, 120, 40, 1, "relu", 1], [3, 240, 80, 0, "hswish", 2], [3, 200, 80, 0, "hswish", 1],
  [3, 184, 80, 0, "hswish", 1], [3, 184, 80, 0, "hswish", 1], [3, 480, 112, 1, "hswish", 1], [3, 672, 112, 1, "hswish", 1],
  [5, 672, 160, 1, "hswish", 2], [5, 960, 160, 1, "hswish", 1], [5, 960, 160, 1, "hswish", 1],
];

/* prettier-ignore */
const small: readonly Third[] = [
  [3, 16, 16, 1, "relu", 2], [3, 72, 24, 0, "relu", 2], [3, 88, 24, 0, "relu", 1], [5, 96, 40, 1, "hswish", 2],
  [5, 240, 40, 1, "hswish", 1], [5, 240, 40, 1, "hswish", 1], [5, 120, 48, 1, "hswish", 1], [5, 144, 48, 1, "hswish", 1],
  [5, 288, 96, 1, "hswish", 2], [5, 576, 96, 1, "hswish", 1], [5, 576, 96, 1, "hswish", 1],
];

/** As it went round before the paper's last version, and as ncnn measures it: one more block at a sixteenth, squeezed by four exactly. */
/* prettier-ignore */
const early: readonly Third[] = [
  ...large.slice(0, 12), [5, 672, 160, 1, "hswish", 1], [5, 672, 160, 1, "hswish", 2], [5, 960, 160, 1, "hswish", 1],
];

const thirds = { large, small, early } as const;

/** What comes out of the first convolution and of each block. */
export function mobilenetV3(net: Layers, x: Value, size: keyof typeof thirds, alpha = 1): Value[] {
  const taps = [net.conv(x, rounded(16 * alpha), { kernel: 3, stride: 2, act: "hswish" })];
  let from = 16;
  for (const [kernel, wide, out, squeezed, act, stride] of thirds[size]) {
    const before = taps[taps.length - 1] ?? x;
    // The table's width over its input's is what the channels that are really there are multiplied by.
    const middle = rounded((at(before.shape, 1) * wide) / from);
    from = out;
    taps.push(
      inverted(net, before, {
        kernel,
        stride,
        wide: middle,
        out: rounded(out * alpha),
        act,
        squeezed: squeezed === 0 ? undefined : size === "early" ? middle / 4 : rounded(middle / 4),
        squeezeAct: "relu",
        gate: "hsigmoid",
      }),
    );
  }
  return taps;
}

/**
 * Kernel of the depthwise layer before, kernel of the one between (0: none), expansion, channels, repeats, stride of the first: the
 * universal inverted bottleneck. `conv`: kernel, channels, stride; `fused`: expansion and channels of one with a full 3x3.
 */
type Fourth =
  | readonly [before: number, between: number, times: number, out: number, repeats: number, stride: number]
  | { readonly conv: readonly [kernel: number, out: number, stride: number] }
  | { readonly fused: readonly [times: number, out: number] };

/* prettier-ignore */
const fourth: Readonly<Record<"small" | "medium" | "large", { readonly stem: number; readonly rows: readonly Fourth[] }>> = {
  small: { stem: 32, rows: [
    { conv: [3, 32, 2] }, { conv: [1, 32, 1] }, { conv: [3, 96, 2] }, { conv: [1, 64, 1] },
    [5, 5, 3, 96, 1, 2], [0, 3, 2, 96, 4, 1], [3, 0, 4, 96, 1, 1],
    [3, 3, 6, 128, 1, 2], [5, 5, 4, 128, 1, 1], [0, 5, 4, 128, 1, 1], [0, 5, 3, 128, 1, 1], [0, 3, 4, 128, 2, 1],
  ] },
  medium: { stem: 32, rows: [
    { fused: [4, 48] }, [3, 5, 4, 80, 1, 2], [3, 3, 2, 80, 1, 1],
    [3, 5, 6, 160, 1, 2], [3, 3, 4, 160, 2, 1], [3, 5, 4, 160, 1, 1], [3, 3, 4, 160, 1, 1], [3, 0, 4, 160, 1, 1], [0, 0, 2, 160, 1, 1], [3, 0, 4, 160, 1, 1],
    [5, 5, 6, 256, 1, 2], [5, 5, 4, 256, 1, 1], [3, 5, 4, 256, 2, 1], [0, 0, 4, 256, 1, 1], [3, 0, 4, 256, 1, 1], [3, 5, 2, 256, 1, 1], [5, 5, 4, 256, 1, 1], [0, 0, 4, 256, 2, 1], [5, 0, 2, 256, 1, 1],
  ] },
  large: { stem: 24, rows: [
    { fused: [4, 48] }, [3, 5, 4, 96, 1, 2], [3, 3, 4, 96, 1, 1],
    [3, 5, 4, 192, 1, 2], [3, 3, 4, 192, 3, 1], [3, 5, 4, 192, 1, 1], [5, 3, 4, 192, 5, 1], [3, 0, 4, 192, 1, 1],
    [5, 5, 4, 512, 4, 2], [5, 0, 4, 512, 1, 1], [5, 3, 4, 512, 1, 1], [5, 0, 4, 512, 2, 1], [5, 3, 4, 512, 1, 1], [5, 5, 4, 512, 1, 1], [5, 0, 4, 512, 3, 1],
  ] },
};

function universal(net: Layers, x: Value, [before, between, times, out]: readonly number[], stride: number): Value {
  const act: Activation = "relu";
  const channels = at(x.shape, 1);
  let y = x;
  if (before !== undefined && before > 0) y = net.depthwise(y, { kernel: before, stride: between === 0 ? stride : 1 });
  y = net.conv(y, rounded(channels * (times ?? 1)), { act });
  if (between !== undefined && between > 0) y = net.depthwise(y, { kernel: between, stride, act });
  y = net.conv(y, out ?? channels);
  return stride === 1 && channels === out ? net.add(x, y) : y;
}

function mobilenetV4(net: Layers, x: Value, size: keyof typeof fourth): Value {
  const { stem, rows } = fourth[size];
  let y = net.conv(x, stem, { kernel: 3, stride: 2, act: "relu" });
  for (const row of rows) {
    if ("conv" in row) y = net.conv(y, row.conv[1], { kernel: row.conv[0], stride: row.conv[2], act: "relu" });
    else if ("fused" in row)
      y = inverted(net, y, {
        wide: at(y.shape, 1) * row.fused[0],
        out: row.fused[1],
        stride: 2,
        act: "relu",
        fused: true,
      });
    else for (let i = 0; i < row[4]; i++) y = universal(net, y, row, i === 0 ? row[5] : 1);
  }
  y = net.globalPool(net.conv(y, 960, { act: "relu" }));
  return net.fc(net.conv(y, 1280, { act: "relu" }), 1000);
}

const made =
  (id: string, layers: (net: Layers, x: Value) => Value, input: KnownModel["input"]): KnownModel["build"] =>
  (options: BuildOptions) => {
    const net = new Layers(id, options);
    return net.finish(layers(net, net.input(options.input ?? input)));
  };

/** 1.0 is written in many ways, or not at all. */
const spelled = (names: readonly string[], alpha: number): string[] => {
  const words = [
    alpha.toFixed(2),
    String(alpha),
    String(Math.round(alpha * 100)).padStart(3, "0"),
    ...(alpha === 1 ? ["1.0"] : []),
  ];
  return names.flatMap((name) => [...words.map((word) => `${name}_${word}`), ...(alpha === 1 ? [name] : [])]);
};

const v1 = (alpha: number, input: KnownModel["input"], published: KnownModel["published"]): KnownModel => {
  const id = alpha === 1 ? "mobilenet_v1" : `mobilenet_v1_${alpha}`;
  return {
    id,
    name: `MobileNet v1${alpha === 1 ? "" : ` ${alpha}`}`,
    aliases: [...spelled(["mobilenet_v1", "mobilenet"], alpha)],
    family: "MobileNet",
    task: "classification",
    input,
    published,
    source: "arXiv 1704.04861 table 1",
    build: made(id, (net, x) => classifier(net, mobilenetV1(net, x, alpha).at(-1) ?? x), input),
  };
};

const v2 = (alpha: number, published: KnownModel["published"]): KnownModel => {
  const id = alpha === 1 ? "mobilenet_v2" : `mobilenet_v2_${alpha}`;
  const input = [3, 224, 224] as const;
  return {
    id,
    name: `MobileNet v2${alpha === 1 ? "" : ` ${alpha}`}`,
    aliases: spelled(["mobilenet_v2"], alpha),
    family: "MobileNet",
    task: "classification",
    input,
    published,
    source: "arXiv 1801.04381 table 2",
    build: made(
      id,
      (net, x) => {
        const last = mobilenetV2(net, x, alpha).at(-1) ?? x;
        return classifier(net, net.conv(last, Math.max(1280, rounded(1280 * alpha)), { act: "relu6" }));
      },
      input,
    ),
  };
};

const v3 = (
  size: "large" | "small",
  alpha: number,
  aliases: readonly string[],
  published: KnownModel["published"],
): KnownModel => {
  const id = `mobilenet_v3_${size}${alpha === 1 ? "" : `_${alpha}`}`;
  const input = [3, 224, 224] as const;
  return {
    id,
    name: `MobileNet v3 ${size}${alpha === 1 ? "" : ` ${alpha}`}`,
    aliases: [...spelled([`mobilenet_v3_${size}`], alpha), ...aliases],
    family: "MobileNet",
    task: "classification",
    input,
    published,
    source: "arXiv 1905.02244 tables 1 and 2",
    build: made(
      id,
      (net, x) => {
        const last = mobilenetV3(net, x, size, alpha).at(-1) ?? x;
        const wide = net.conv(last, rounded((size === "large" ? 960 : 576) * alpha), { act: "hswish" });
        const head = net.conv(net.globalPool(wide), size === "large" ? 1280 : 1024, { act: "hswish" });
        return net.fc(head, 1000);
      },
      input,
    ),
  };
};

const v4 = (
  size: "small" | "medium" | "large",
  input: KnownModel["input"],
  published: KnownModel["published"],
): KnownModel => ({
  id: `mobilenet_v4_conv_${size}`,
  name: `MobileNet v4 conv ${size}`,
  aliases: [`mobilenet_v4_${size}`],
  family: "MobileNet",
  task: "classification",
  input,
  published,
  source: "arXiv 2404.10518 appendix",
  build: made(`mobilenet_v4_conv_${size}`, (net, x) => mobilenetV4(net, x, size), input),
});

const slim1 = paper("github.com/tensorflow/models@02c04f4 research/slim/nets/mobilenet_v1.md");
const SLIM = "github.com/tensorflow/models@0ba83cf research/slim/nets/mobilenet/README.md";
const slim = paper(SLIM);

export default [
  v1(1, [3, 224, 224], [slim1(4.24, 0.569), slim1(4.24, 0.291, [3, 160, 160]), zoo(4.22, 1.14), timm(4.23, 0.58)]),
  v1(0.75, [3, 224, 224], [slim1(2.59, 0.317), slim1(2.59, 0.104, [3, 128, 128])]),
  v1(0.5, [3, 224, 224], [slim1(1.34, 0.15), slim1(1.34, 0.077, [3, 160, 160])]),
  v1(0.25, [3, 128, 128], [slim1(0.47, 0.014), slim1(0.47, 0.041, [3, 224, 224])]),
  v2(1, [slim(3.47, 0.3), zoo(3.49, 0.62), timm(3.5, 0.31)]),
  v2(1.4, [slim(6.06, 0.582), zoo(6.09, 1.18), timm(6.11, 0.6)]),
  v2(1.3, [slim(5.34, 0.509)]),
  v2(0.75, [slim(2.61, 0.209)]),
  v2(0.5, [slim(1.95, 0.097)]),
  v2(0.35, [slim(1.66, 0.059)]),
  v3("large", 1, ["mobilenet_v3"], [slim(5.4, 0.217), timm(5.48, 0.23)]),
  v3("large", 0.75, [], [slim(4, 0.155), timm(3.99, 0.16)]),
  v3("small", 1, [], [timm(2.54, 0.06)]),
  v3(
    "small",
    0.75,
    [],
    [
      { macs: 44e6, source: SLIM },
      { parameters: 2_040_000, source: timm(0, 0).source },
    ],
  ),
  makeKnown({
    id: "mobilenet_v3_large_early",
    name: "MobileNet v3 large, as ncnn measures it",
    aliases: ["ncnn_mobilenet_v3"],
    family: "MobileNet",
    input: 224,
    published: [ncnn("mobilenet_v3", 5133694, 245564768)],
    source: "arXiv 1905.02244 in an early version",
    layers: (net, x) => {
      const wide = net.conv(mobilenetV3(net, x, "early").at(-1) ?? x, 960, { act: "hswish" });
      return net.fc(net.fc(net.globalPool(wide), 1280, { act: "hswish" }), 1000);
    },
  }),
  v4("small", [3, 224, 224], [timm(3.77, 0.19)]),
  v4("medium", [3, 224, 224], [timm(9.72, 0.84)]),
  v4("large", [3, 256, 256], [timm(32.59, 2.86)]),
] satisfies readonly KnownModel[];
