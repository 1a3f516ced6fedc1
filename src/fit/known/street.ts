/**
 * Streets, a class for each pixel in real time: BiSeNet (arXiv 1808.00897), PIDNet (2206.02066 table 1), FFNet (2206.08236), and DeepLab
 * v3+ on Xception-65 (1802.02611).
 */

import type { KnownModel, Published } from "../known.ts";
import { at, type Layers, type Value } from "../layers.ts";
import { makeKnown } from "../make-known.ts";
import { aiHub, own, within } from "../parts/published.ts";
import { resnet } from "./resnet.ts";

const relu = { act: "relu" } as const;
const like = (net: Layers, x: Value, to: Value): Value => net.resize(x, to.shape.slice(2), "linear");
const three = (net: Layers, x: Value, out: number, stride = 1): Value =>
  net.conv(x, out, { kernel: 3, stride, ...relu });

/** Three strides keep details, ResNet-18 sees the context; twelve classes from the fusion on. github.com/ooooverflow/BiSeNet. */
function bisenet(net: Layers, x: Value): Value {
  const details = three(net, three(net, three(net, x, 64, 2), 128, 2), 256, 2);
  const [, , , middle = x, coarse = x] = resnet(net, x, { depth: 18 });
  const refined = (y: Value): Value => net.mul(y, net.conv(net.globalPool(y), at(y.shape, 1), { act: "sigmoid" }));
  const tail = net.mul(refined(coarse), net.globalPool(coarse));
  const context = net.concat([like(net, refined(middle), details), like(net, tail, details)]);
  const y = three(net, net.concat([details, context]), 12);
  const gate = net.conv(net.conv(net.globalPool(y), 12, relu), 12, { act: "sigmoid" });
  return net.conv(like(net, net.add(net.mul(y, gate), y), x), 12);
}

/** Two 3x3; or 1x1, 3x3 and 1x1 to twice the width. What follows activates where `last` is told. */
function block(
  net: Layers,
  x: Value,
  width: number,
  how: { stride?: number; deep?: boolean; last?: boolean } = {},
): Value {
  const { stride = 1, deep = false, last = deep } = how;
  const out = deep ? 2 * width : width;
  const y = deep
    ? net.conv(net.conv(net.conv(x, width, relu), width, { kernel: 3, stride, ...relu }), out)
    : net.conv(three(net, x, width, stride), width, { kernel: 3 });
  const around = stride > 1 || at(x.shape, 1) !== out ? net.conv(x, out, { stride }) : x;
  return net.add(y, around, last ? undefined : "relu");
}

function blocks(
  net: Layers,
  x: Value,
  width: number,
  count: number,
  how: { stride?: number; deep?: boolean } = {},
): Value {
  let y = block(net, x, width, how);
  for (let index = 1; index < count; index += 1)
    y = block(net, y, width, { ...how, stride: 1, last: index === count - 1 });
  return y;
}

/** What the context says is let in where both agree. */
function guided(net: Layers, x: Value, context: Value, width: number): Value {
  const asked = like(net, net.conv(context, width), x);
  const alike = net.activate(net.reduce(net.mul(net.conv(x, width), asked), [1], { by: "sum" }), "sigmoid");
  const other = net.scale(net.scale(alike), "add");
  return net.add(net.mul(other, x), net.mul(alike, like(net, context, x)));
}

/** Means over growing windows, each activated before its 1x1. */
function pyramid(net: Layers, x: Value, width: number, out: number): Value {
  const active = (y: Value): Value => net.activate(net.batchNorm(y), "relu");
  const narrow = net.conv(active(x), width, { bias: false });
  const wider = [
    [5, 2],
    [9, 4],
    [17, 8],
  ].map(([kernel = 1, stride = 1]) => net.averagePool(x, { kernel, stride, pad: (kernel - 1) / 2 }));
  const scales = [...wider, net.globalPool(x)].map((y) =>
    net.add(like(net, net.conv(active(y), width, { bias: false }), narrow), narrow),
  );
  const mixed = net.conv(active(net.concat(scales)), 4 * width, { kernel: 3, groups: 4, bias: false });
  const joined = net.conv(active(net.concat([narrow, mixed])), out, { bias: false });
  return net.add(joined, net.conv(active(x), out, { bias: false }));
}

/** Three branches: details, context, edges. */
function pidnet(net: Layers, x: Value, planes: number, head: number): Value {
  const act = (y: Value): Value => net.activate(y, "relu");
  let y = blocks(net, three(net, three(net, x, planes, 2), planes, 2), planes, 2);
  y = act(blocks(net, act(y), 2 * planes, 2, { stride: 2 }));
  let details = blocks(net, y, 2 * planes, 2);
  let edges = block(net, y, planes, { last: true });
  y = act(blocks(net, y, 4 * planes, 3, { stride: 2 }));
  details = guided(net, details, net.conv(y, 2 * planes), planes);
  edges = net.add(edges, like(net, net.conv(y, planes, { kernel: 3 }), edges));
  y = act(blocks(net, y, 8 * planes, 3, { stride: 2 }));
  details = blocks(net, act(details), 2 * planes, 2);
  edges = block(net, act(edges), planes, { deep: true });
  details = guided(net, details, net.conv(y, 2 * planes), planes);
  edges = net.add(edges, like(net, net.conv(y, 2 * planes, { kernel: 3 }), edges));
  details = block(net, act(details), 2 * planes, { deep: true });
  edges = block(net, act(edges), 2 * planes, { deep: true });
  const last = blocks(net, y, 8 * planes, 2, { stride: 2, deep: true });
  const context = like(net, pyramid(net, last, 96, 4 * planes), details);
  const edge = net.activate(edges, "sigmoid");
  const inside = net.add(net.mul(net.scale(net.scale(edge), "add"), context), details);
  const mixed = net.add(net.conv(inside, 4 * planes), net.conv(net.add(context, net.mul(edge, details)), 4 * planes));
  return net.conv(net.conv(act(net.batchNorm(mixed)), head, { kernel: 3, ...relu }), 19);
}

interface Fuss {
  /** Basic blocks of each stage, and their channels; a stage of none is the stem's last 3x3. */
  readonly counts: readonly number[];
  readonly widths: readonly number[];
  /** Channels of the adapters, of what is joined, of the head's middle, and its kernel. */
  readonly adapters: readonly number[];
  readonly joined: readonly number[];
  readonly middle: number;
  readonly kernel: 1 | 3;
  /** Halved by a fixed filter before everything. */
  readonly small?: boolean;
}

/** Nothing but residual blocks, and features of four strides added downwards and joined. github.com/Qualcomm-AI-research/FFNet. */
function ffnet(net: Layers, x: Value, model: Fuss): Value {
  const { counts, widths, adapters, joined, middle, kernel, small = false } = model;
  let y = small ? net.depthwise(x, { kernel: 5, stride: 2, pad: [1, 0], bias: false }) : x;
  const narrow = counts[0] === 0;
  y = three(net, three(net, y, narrow ? 64 : 32, 2), 64, 2);
  const taps = counts.map((count, stage) => {
    const width = widths[stage] ?? 64;
    if (count === 0) return (y = three(net, y, width));
    for (let index = 0; index < count; index += 1)
      y = block(net, y, width, { stride: index > 0 || (small && stage === 0 && !narrow) ? 1 : 2 });
    return y;
  });
  const adapted = taps.map((tap, level) => net.conv(tap, adapters[level] ?? 64, relu));
  const outs: Value[] = [];
  let above: Value | undefined;
  for (let level = 3; level >= 0; level -= 1) {
    const own = adapted[level] ?? x;
    const sum = above === undefined ? own : net.add(net.resize(above, own.shape.slice(2)), own);
    outs.unshift(three(net, sum, joined[level] ?? 16));
    if (level > 0) above = net.conv(sum, adapters[level - 1] ?? 64, relu);
  }
  const [finest = x] = outs;
  const all = net.concat(outs.map((out, level) => (level === 0 ? out : net.resize(out, finest.shape.slice(2)))));
  return net.conv(net.conv(all, middle, { kernel, ...relu }), 19, { kernel });
}

interface Apart {
  readonly stride?: number;
  readonly dilation?: number;
  /** Activated before both convolutions, not behind each. */
  readonly first?: boolean;
}

function apart(net: Layers, x: Value, out: number, how: Apart = {}): Value {
  const { stride = 1, dilation = 1, first = true } = how;
  if (first) return net.conv(net.depthwise(net.activate(x, "relu"), { stride, dilation }), out);
  return net.conv(net.depthwise(x, { stride, dilation, ...relu }), out, relu);
}

/** Three separable convolutions, the last with the stride; also what the second gives. */
function xceptionBlock(
  net: Layers,
  x: Value,
  widths: readonly [number, number, number],
  how: Apart & { readonly around?: "conv" | "same" | "none" } = {},
): readonly [Value, Value] {
  const { stride = 1, around = "conv", ...rest } = how;
  const second = apart(net, apart(net, x, widths[0], rest), widths[1], rest);
  const y = apart(net, second, widths[2], { ...rest, stride });
  if (around === "none") return [y, second];
  return [net.add(y, around === "same" ? x : net.conv(x, widths[2], { stride })), second];
}

function deeplabXception(net: Layers, x: Value): Value {
  let y = three(net, three(net, x, 32, 2), 64);
  [y] = xceptionBlock(net, y, [128, 128, 128], { stride: 2 });
  const [entered, fine] = xceptionBlock(net, y, [256, 256, 256], { stride: 2 });
  [y] = xceptionBlock(net, entered, [728, 728, 728], { stride: 2 });
  for (let index = 0; index < 16; index += 1) [y] = xceptionBlock(net, y, [728, 728, 728], { around: "same" });
  [y] = xceptionBlock(net, y, [728, 1024, 1024]);
  [y] = xceptionBlock(net, y, [1536, 1536, 2048], { dilation: 2, around: "none", first: false });
  const branches = [6, 12, 18].map((dilation) => apart(net, y, 256, { dilation, first: false }));
  const pooled = like(net, net.conv(net.globalPool(y), 256, relu), y);
  const mixed = net.conv(net.concat([pooled, net.conv(y, 256, relu), ...branches]), 256, relu);
  const joined = net.concat([like(net, mixed, fine), net.conv(fine, 48, relu)]);
  const deep = apart(net, apart(net, joined, 256, { first: false }), 256, { first: false });
  return like(net, net.conv(deep, 21), x);
}

const known = (
  id: string,
  name: string,
  input: KnownModel["input"],
  published: readonly Published[],
  source: string,
  layers: (net: Layers, x: Value) => Value,
  aliases: readonly string[] = [],
): KnownModel => makeKnown({ id, name, aliases, family: name, task: "segmentation", input, published, source, layers });

const hub = (model: string): string => `github.com/quic/ai-hub-models@52c080d qai_hub_models/models/${model}/info.yaml`;
const FFNET = "arXiv 2206.08236; github.com/Qualcomm-AI-research/FFNet models/resnet.py, models/ffnet_blocks.py";
const s = {
  widths: [64, 128, 192, 320],
  adapters: [64, 128, 128, 256],
  joined: [96, 96, 64, 32],
  middle: 256,
  kernel: 3,
} as const;
const ns = {
  widths: [64, 64, 128, 256],
  adapters: [128, 128, 128, 128],
  joined: [128, 16, 16, 16],
  middle: 128,
  kernel: 1,
  small: true,
} as const;

export default [
  known(
    "bisenet",
    "BiSeNet",
    [3, 720, 960],
    [aiHub("bisenet", 12)],
    "arXiv 1808.00897; github.com/ooooverflow/BiSeNet",
    bisenet,
    ["bisenet_v1", "bisenet_resnet18"],
  ),
  known(
    "pidnet_s",
    "PIDNet-S",
    [3, 1024, 2048],
    [
      own(`${hub("pidnet")}: its file of 29.1 MB in float32`, undefined, 7.63),
      within(aiHub("pidnet", 8.06), 0.06, "its own file says 7.6 million"),
    ],
    "arXiv 2206.02066 table 1; github.com/XuJiacong/PIDNet models/pidnet.py",
    (net, x) => pidnet(net, x, 32, 128),
    ["pidnet"],
  ),
  known("ffnet_54s", "FFNet-54S", [3, 1024, 2048], [aiHub("ffnet_54s", 18)], FFNET, (net, x) =>
    ffnet(net, x, { counts: [5, 8, 8, 5], ...s }),
  ),
  known("ffnet_78s", "FFNet-78S", [3, 1024, 2048], [aiHub("ffnet_78s", 27.5)], FFNET, (net, x) =>
    ffnet(net, x, { counts: [6, 12, 12, 8], ...s }),
  ),
  known("ffnet_40s", "FFNet-40S", [3, 1024, 2048], [aiHub("ffnet_40s", 13.9)], FFNET, (net, x) =>
    ffnet(net, x, { counts: [4, 5, 6, 4], ...s }),
  ),
  known(
    "ffnet_122ns_lowres",
    "FFNet-122NS of 512x1024",
    [3, 512, 1024],
    [aiHub("ffnet_122ns_lowres", 32.1)],
    FFNET,
    (net, x) => ffnet(net, x, { counts: [0, 16, 24, 20], ...ns }),
  ),
  known(
    "ffnet_78s_lowres",
    "FFNet-78S of 512x1024",
    [3, 512, 1024],
    [aiHub("ffnet_78s_lowres", 26.8)],
    FFNET,
    (net, x) => ffnet(net, x, { ...ns, counts: [6, 12, 12, 8], widths: s.widths }),
  ),
  known(
    "deeplab_v3_plus_xception",
    "DeepLab v3+ on Xception-65",
    [3, 480, 520],
    [aiHub("deeplab_xception", 41.26)],
    "arXiv 1802.02611; github.com/LikeLy-Journey/SegmenTron segmentron/models/backbones/xception.py",
    deeplabXception,
    ["deeplab_xception", "deeplabv3+ xception65"],
  ),
] satisfies readonly KnownModel[];
