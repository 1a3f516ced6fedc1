/**
 * A class for each pixel: DeepLab v3 and v3+ on MobileNet v2, FCN-8s, STDC, U-Net on MobileNet v2, SegFormer; and masks of objects by
 * prototypes (YOLACT). arXiv 1706.05587, 1802.02611, 1411.4038, 2104.13188, 2105.15203, 1904.02689.
 */

import type { KnownModel, Published } from "../known.ts";
import { at, type Layers, type Value } from "../layers.ts";
import { makeKnown } from "../make-known.ts";
import { aiHub, hailo, own, within } from "../parts/published.ts";
import { expanded } from "../parts/mobilenet-v2.ts";
import { regnet, lines } from "./regnet.ts";
import { resnet } from "./resnet.ts";

const like = (net: Layers, x: Value, to: Value): Value => net.resize(x, to.shape.slice(2), "linear");

/** Picture pooling and a 1x1 side by side, 256 channels each, and classes; no convolutions that look further. */
function deeplab(net: Layers, x: Value, stride: 8 | 16, alpha: number, by = 8): Value {
  const last = expanded(net, x, { alpha, stride, by }).outputs.at(-1) ?? x;
  const pooled = net.conv(net.globalPool(last), 256, { act: "relu" });
  const branch = net.conv(last, 256, { act: "relu" });
  const joined = net.conv(net.concat([like(net, pooled, branch), branch]), 256, { act: "relu" });
  return like(net, net.conv(joined, 21), x);
}

/** The same of stride 16, then what the fourth block expands to is joined, two separable ones, the largest class: MLPerf Mobile's. */
function deeplabMobile(net: Layers, x: Value): Value {
  const relu = { act: "relu" } as const;
  const { outputs, inner } = expanded(net, x, { alpha: 1, stride: 16 });
  const [fine, last] = [inner[3] ?? x, outputs.at(-1) ?? x];
  const pooled = like(net, net.conv(net.averagePool(last, { kernel: last.shape.slice(2) }), 256, relu), last);
  const mixed = net.conv(net.concat([pooled, net.conv(last, 256, relu)]), 256, relu);
  let y = net.concat([like(net, mixed, fine), net.conv(fine, 48, relu)]);
  for (let index = 0; index < 2; index += 1) y = net.conv(net.depthwise(y, relu), 256, relu);
  return net.argMax(like(net, net.conv(y, 32), x));
}

/** Three dilated 3x3 besides the 1x1 and the picture's mean, then the finer feature of stride 4 is joined. jfzhang95/pytorch-deeplab-xception. */
function deeplabPlus(net: Layers, x: Value): Value {
  const { outputs } = expanded(net, x, { alpha: 1, stride: 16 });
  const [fine, last] = [outputs[2] ?? x, outputs.at(-1) ?? x];
  const relu = { act: "relu" } as const;
  const branches = [6, 12, 18].map((dilation) => net.conv(last, 256, { kernel: 3, dilation, ...relu }));
  const pooled = like(net, net.conv(net.globalPool(last), 256, relu), last);
  const mixed = net.conv(net.concat([net.conv(last, 256, relu), ...branches, pooled]), 256, relu);
  const joined = net.concat([like(net, mixed, fine), net.conv(fine, 48, relu)]);
  const deep = net.conv(net.conv(joined, 256, { kernel: 3, ...relu }), 256, { kernel: 3, ...relu });
  return like(net, net.conv(deep, 21), x);
}

function fcn8(net: Layers, x: Value, depth: 18): Value {
  const [, , p3, p4, p5] = resnet(net, x, { depth });
  const score = (tap: Value | undefined): Value => net.conv(tap ?? x, 19);
  const [fine, middle, coarse] = [score(p3), score(p4), score(p5)];
  const sum = net.add(middle, like(net, coarse, middle));
  return like(net, net.add(fine, like(net, sum, fine)), x);
}

/** TensorFlow's tutorial: expansions of MobileNet v2 are joined to what is transposed upwards. */
function unet(net: Layers, x: Value, kernel: number, classes: number): Value {
  const { inner, outputs } = expanded(net, x, { alpha: 1, stride: 32 });
  let y = outputs[16] ?? x;
  for (const [block, width] of [
    [13, 512],
    [6, 256],
    [3, 128],
    [1, 64],
  ] as const) {
    const larger = net.transposed(y, width, { kernel, stride: 2, act: "relu" });
    y = net.concat([larger, inner[block] ?? x]);
  }
  return net.transposed(y, classes, { kernel, stride: 2 });
}

/** Four convolutions of halving widths, side by side at the end; the second one has the stride. */
function stdcBlock(net: Layers, x: Value, out: number, stride: number): Value {
  const relu = { act: "relu", kernel: 3 } as const;
  const one = net.conv(x, out / 2, { act: "relu" });
  const down = stride === 2 ? net.depthwise(one, { stride: 2 }) : one;
  const two = net.conv(down, out / 4, relu);
  const three = net.conv(two, out / 8, relu);
  const four = net.conv(three, out / 8, relu);
  const first = stride === 2 ? net.averagePool(one, { kernel: 3, stride: 2, pad: 1 }) : one;
  return net.concat([first, two, three, four]);
}

const refine = (net: Layers, x: Value): Value => {
  const y = net.conv(x, 128, { kernel: 3, act: "relu" });
  return net.mul(y, net.conv(net.globalPool(y), 128, { act: "sigmoid" }));
};

/** Features of strides 8, 16 and 32. */
function stdcTrunk(net: Layers, x: Value): [Value, Value, Value] {
  let y = net.conv(net.conv(x, 32, { kernel: 3, stride: 2, act: "relu" }), 64, { kernel: 3, stride: 2, act: "relu" });
  return [256, 512, 1024].map((out) => (y = stdcBlock(net, stdcBlock(net, y, out, 2), out, 1))) as [
    Value,
    Value,
    Value,
  ];
}

/** STDC1's trunk, a pooling pyramid, and fusions weighed place by place (PP-LiteSeg-T). */
function liteSeg(net: Layers, x: Value): Value {
  const taps = stdcTrunk(net, x);
  const relu = { act: "relu" } as const;
  const [, , last] = taps;
  const pooled = [1, 2, 4].map((bins) => {
    const size = last.shape.slice(2).map((one) => Math.ceil(one / bins));
    return like(net, net.conv(net.averagePool(last, { kernel: size, stride: size }), 128, relu), last);
  });
  let y = net.conv(
    pooled.slice(1).reduce((sum, one) => net.add(sum, one), pooled[0] ?? last),
    128,
    { kernel: 3, ...relu },
  );
  for (const [level, out] of [
    [2, 128],
    [1, 96],
    [0, 64],
  ] as const) {
    const width = at(y.shape, 1);
    const own = net.conv(taps[level], width, { kernel: 3, ...relu });
    const coarse = like(net, y, own);
    const told = [own, coarse].flatMap((one) => [net.reduce(one, [1]), net.reduce(one, [1], { by: "max" })]);
    const gate = net.conv(net.conv(net.concat(told), 2, { kernel: 3, ...relu }), 1, { kernel: 3, act: "sigmoid" });
    const mixed = net.add(net.mul(own, gate), net.mul(coarse, net.sub(net.scale(gate, "add"), net.scale(gate))));
    y = net.conv(mixed, out, { kernel: 3, ...relu });
  }
  return like(net, net.conv(net.conv(y, 64, { kernel: 3, ...relu }), 19), x);
}

function stdc(net: Layers, x: Value): Value {
  const [p3, p4, p5] = stdcTrunk(net, x);
  const context = net.conv(net.globalPool(p5), 128, { act: "relu" });
  const coarse = net.add(refine(net, p5), like(net, context, p5));
  const coarser = net.conv(net.resize(coarse, p4.shape.slice(2)), 128, { kernel: 3, act: "relu" });
  const middle = net.add(refine(net, p4), coarser);
  const fine = net.conv(net.resize(middle, p3.shape.slice(2)), 128, { kernel: 3, act: "relu" });
  const fused = net.conv(net.concat([p3, fine]), 256, { act: "relu" });
  const gate = net.conv(net.conv(net.globalPool(fused), 64, { act: "relu" }), 256, { act: "sigmoid" });
  const best = net.add(fused, net.mul(fused, gate));
  return like(net, net.conv(net.conv(best, 256, { kernel: 3, act: "relu" }), 19), x);
}

/** Kernel and stride of the patches, width, heads, reduction of keys and values, of each of four stages of two layers. */
const mixB0 = [
  [7, 4, 32, 1, 8],
  [3, 2, 64, 2, 4],
  [3, 2, 160, 5, 2],
  [3, 2, 256, 8, 1],
] as const;

function mixLayer(net: Layers, x: Value, size: readonly number[], heads: number, by: number): Value {
  const width = at(x.shape, 2);
  const asked = net.layerNorm(x);
  const few =
    by === 1
      ? asked
      : net.layerNorm(net.tokens(net.conv(net.image(asked, size), width, { kernel: by, stride: by, pad: "valid" })));
  const head = (y: Value): Value =>
    net.transpose(net.reshape(y, [at(y.shape, 0), at(y.shape, 1), heads, width / heads]), [0, 2, 1, 3]);
  const q = head(net.fc(asked, width));
  const [k, v] = net.split(net.fc(few, 2 * width), 2, 2) as [Value, Value];
  const seen = net.matmul(net.softmax(net.scale(net.matmul(q, head(k), { transposeB: true }))), head(v));
  const back = net.reshape(net.transpose(seen, [0, 2, 1, 3]), [...x.shape]);
  const y = net.add(x, net.fc(back, width));
  const wide = net.fc(net.layerNorm(y), 4 * width);
  const placed = net.activate(net.tokens(net.depthwise(net.image(wide, size))), "gelu");
  return net.add(y, net.fc(placed, width));
}

function segformer(net: Layers, x: Value): Value {
  let y = x;
  const taps = mixB0.map(([kernel, stride, width, heads, by]) => {
    const image = net.conv(y, width, { kernel, stride });
    const size = image.shape.slice(2);
    let tokens = net.layerNorm(net.tokens(image));
    for (let layer = 0; layer < 2; layer += 1) tokens = mixLayer(net, tokens, size, heads, by);
    y = net.image(net.layerNorm(tokens), size);
    return y;
  });
  const finest = taps[0] ?? x;
  const same = taps.map((tap) => like(net, net.conv(tap, 256), finest));
  return net.conv(net.conv(net.concat(same.reverse()), 256, { act: "relu", bias: false }), 19);
}

/** A feature pyramid of five sizes, a head of nine anchors for each, and prototypes of masks; as deployed, with the head's weights once for each size. */
function yolact(net: Layers, trunk: readonly Value[]): Value[] {
  const [p3, p4, p5] = trunk.slice(-3) as [Value, Value, Value];
  const three = (y: Value, out: number, more: { stride?: number; act?: "relu" } = {}): Value =>
    net.conv(y, out, { kernel: 3, ...more });
  const five = net.conv(p5, 256);
  const four = net.add(net.conv(p4, 256), like(net, five, p4));
  const fine = net.add(net.conv(p3, 256), like(net, four, p3));
  const levels = [fine, four, five].map((level) => three(level, 256, { act: "relu" }));
  levels.push(three(levels[2] ?? five, 256, { stride: 2, act: "relu" }));
  levels.push(three(levels[3] ?? five, 256, { stride: 2, act: "relu" }));
  let masks = levels[0] ?? fine;
  for (let index = 0; index < 3; index += 1) masks = three(masks, 256, { act: "relu" });
  masks = net.transposed(masks, 256, { kernel: 4, stride: 2, pad: 1 });
  masks = net.conv(three(masks, 256, { act: "relu" }), 32, { act: "relu" });
  return [
    masks,
    ...levels.flatMap((level) => {
      const shared = three(level, 256, { act: "relu" });
      const classes = three(shared, 729);
      return [three(shared, 36), classes, net.activate(three(shared, 288), "tanh")];
    }),
  ];
}

const known = (
  id: string,
  name: string,
  input: KnownModel["input"],
  published: readonly Published[],
  source: string,
  layers: (net: Layers, x: Value) => Value | readonly Value[],
  aliases: readonly string[] = [],
): KnownModel =>
  makeKnown({
    id,
    name,
    aliases,
    family: name.replace(/ .*/, ""),
    task: "segmentation",
    input,
    published,
    source,
    layers,
  });

const byOutputs = (published: Published, share: number): Published =>
  within(published, share, "counts transposed convolutions by their outputs, four times what they compute");
const yolactSource = "arXiv 1904.02689 figures 2 to 4; trunk of arXiv 2003.13678";

export default [
  known(
    "pp_liteseg_t",
    "PP-LiteSeg-T",
    [3, 512, 1024],
    [
      within(
        own("PaddleX documentation, pipelines: a file of 31 M", undefined, 7.75),
        0.06,
        "a file's size, of which is not said whether it is in MB or MiB",
      ),
    ],
    "arXiv 2204.02681 section 3; github.com/PaddlePaddle/PaddleSeg paddleseg/models/pp_liteseg.py",
    liteSeg,
    ["ppseg_lite", "ppseg_lite_1024x512", "pp_liteseg"],
  ),
  known(
    "deeplab_v3_plus_mobilenet_v2",
    "DeepLab v3 plus MobileNet v2",
    [3, 513, 513],
    [aiHub("deeplabv3_plus_mobilenet", 5.8)],
    "arXiv 1802.02611; github.com/jfzhang95/pytorch-deeplab-xception",
    deeplabPlus,
    ["deeplabv3_plus_mobilenet", "DeepLabV3-Plus-MobileNet"],
  ),
  known(
    "deeplab_v3_mobilenet_v2",
    "DeepLab v3 MobileNet v2",
    [3, 513, 513],
    [hailo("semantic_segmentation", 17.65, 2.1)],
    "github.com/bonlime/keras-deeplab-v3-plus; arXiv 1802.02611, output stride 8",
    (net, x) => deeplab(net, x, 8, 1),
  ),
  known(
    "deeplab_v3_mobilenet_v2_os16",
    "DeepLab v3 MobileNet v2, stride 16",
    [3, 513, 513],
    [
      own(
        "github.com/tensorflow/models research/deeplab/g3doc/model_zoo.md, mobilenetv2_coco_voc_trainaug",
        5.5,
        undefined,
      ),
    ],
    "arXiv 1801.04381 section 6.3",
    (net, x) => deeplab(net, x, 16, 1),
    ["DeepLab V3", "deeplab_v3", "deeplabv3_mnv2"],
  ),
  known(
    "deeplab_v3_mobilenet_v2_0.5_os16",
    "DeepLab v3 MobileNet v2 0.5, stride 16",
    [3, 513, 513],
    [
      own(
        "github.com/tensorflow/models research/deeplab/g3doc/model_zoo.md: mobilenetv2_dm05_coco_voc_trainaug, 0.88B multiply-adds",
        1.76,
        undefined,
      ),
    ],
    "arXiv 1801.04381 section 6.3",
    (net, x) => deeplab(net, x, 16, 0.5, 4),
    ["deeplabv3_mnv2_dm05"],
  ),
  known(
    "deeplab_v3_mobilenet_v2_ade20k32",
    "DeepLab v3 MobileNet v2, ADE20K of 32 classes",
    [3, 512, 512],
    [
      own(
        "github.com/Hypnotriod/bbai64@1a01d10 go/model/ssLite-deeplabv3_mobv2-ade20k32-mlperf-512x512/param.yaml",
        10.6754,
        undefined,
      ),
    ],
    "the same folder's artifacts/201_tidl_net.bin_netLog.txt, layer by layer; MLPerf Mobile's segmentation of release 0.7",
    deeplabMobile,
    ["deeplabv3_mnv2_ade20k32", "deeplabv3_mnv2_ade20k32_float", "deeplabv3_mnv2_ade20k_float"],
  ),
  known(
    "fcn8_resnet18",
    "FCN-8s ResNet-18",
    [3, 1024, 1920],
    [hailo("semantic_segmentation", 142.82, 11.2)],
    "arXiv 1411.4038; mmsegmentation",
    (net, x) => fcn8(net, x, 18),
    ["fcn8_resnet_v1_18"],
  ),
  known(
    "unet_mobilenet_v2",
    "U-Net MobileNet v2",
    [3, 256, 256],
    [byOutputs(hailo("semantic_segmentation", 28.88, 10.08), 0.74)],
    "tensorflow.org/tutorials/images/segmentation",
    (net, x) => unet(net, x, 4, 3),
    ["Unet Mv2"],
  ),
  known(
    "stdc1",
    "STDC1",
    [3, 1024, 1920],
    [hailo("semantic_segmentation", 126.47, 8.27)],
    "arXiv 2104.13188 table 2; mmsegmentation configs/stdc",
    stdc,
  ),
  known(
    "segformer_b0_bn",
    "SegFormer-B0",
    [3, 512, 1024],
    [hailo("semantic_segmentation", 35.76, 3.72)],
    "arXiv 2105.15203 table 6",
    segformer,
    ["segformer_b0"],
  ),
  known(
    "yolact_regnetx_800mf",
    "YOLACT RegNetX-800MF",
    [3, 512, 512],
    [byOutputs(hailo("instance_segmentation", 116.75, 28.3), 0.23)],
    yolactSource,
    (net, x) => yolact(net, regnet(net, x, { line: lines.x_800mf })),
  ),
  known(
    "yolact_regnetx_1.6gf",
    "YOLACT RegNetX-1.6GF",
    [3, 512, 512],
    [byOutputs(hailo("instance_segmentation", 125.34, 30.09), 0.22)],
    yolactSource,
    (net, x) => yolact(net, regnet(net, x, { line: lines.x_1600mf })),
  ),
] satisfies readonly KnownModel[];
