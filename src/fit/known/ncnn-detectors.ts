/**
 * Detectors of ncnn's benchmark that no paper fixes: MobileNet-SSD of Caffe, MobileNetV2-YOLOv3, SqueezeNet-SSD,
 * BlazeFace, NanoDet-m, Yolo-Fastest 1.1 and v2. Read off the graphs in github.com/Tencent/ncnn benchmark/models.
 */

import { inverted, separable } from "../blocks.ts";
import type { KnownModel } from "../known.ts";
import { at, type Activation, type Layers, type Value } from "../layers.ts";
import { makeKnown } from "../make-known.ts";
import { expanded } from "../parts/mobilenet-v2.ts";
import { shufflenetV2 } from "./classic.ts";
import { mobilenetV1 } from "./mobilenet.ts";

const relu = { act: "relu" } as const;

/** Boxes and 21 classes of each level, `anchors` a place. */
const predictions = (net: Layers, levels: readonly (readonly [Value, number])[], kernel: 1 | 3): Value[] =>
  levels.flatMap(([x, anchors]) => [net.conv(x, 4 * anchors, { kernel }), net.conv(x, 21 * anchors, { kernel })]);

function mobilenetSsd(net: Layers, x: Value): Value[] {
  const taps = mobilenetV1(net, x, 1);
  const levels: Value[] = [taps[11] ?? x, taps[13] ?? x];
  for (const out of [512, 256, 256, 128])
    levels.push(net.conv(net.conv(levels.at(-1) ?? x, out / 2, relu), out, { kernel: 3, stride: 2, ...relu }));
  return predictions(
    net,
    levels.map((level, index) => [level, index === 0 ? 3 : 6] as const),
    1,
  );
}

function squeezenetSsd(net: Layers, x: Value): Value[] {
  const fire = (y: Value, narrow: number, wide: number): Value => {
    const squeezed = net.conv(y, narrow, relu);
    return net.concat([net.conv(squeezed, wide, relu), net.conv(squeezed, wide, { kernel: 3, ...relu })]);
  };
  const pool = (y: Value): Value => net.maxPool(y, { kernel: 3, stride: 2, ceil: true });
  const first = pool(net.conv(x, 64, { kernel: 3, stride: 2, pad: "valid", ...relu }));
  const fire5 = fire(fire(pool(fire(fire(first, 16, 64), 16, 64)), 32, 128), 32, 128);
  const fire7 = fire(fire(pool(fire5), 48, 192), 48, 192);
  const fire9 = fire(fire(fire7, 64, 256), 64, 256);
  const fire10 = fire(pool(fire9), 96, 384);
  const fire11 = fire(pool(fire10), 96, 384);
  const down = (y: Value, out: number): Value =>
    net.conv(net.conv(y, out / 2, relu), out, { kernel: 3, stride: 2, ...relu });
  const twelve = down(fire11, 256);
  const levels = [
    [net.batchNorm(fire5), 4],
    [fire9, 6],
    [fire10, 6],
    [fire11, 6],
    [twelve, 6],
    [down(twelve, 128), 4],
  ] as const;
  return predictions(net, levels, 3);
}

/** VOC's twenty classes, five anchors; coarse features are transposed up in pairs of channels and added. */
function mobilenetYolo(net: Layers, x: Value): Value[] {
  const taps = mobilenetV1(net, x, 1);
  const coarse = separable(net, taps[13] ?? x, 1024, relu);
  // TFLite has no transposed convolution in groups.
  const larger =
    net.dialect === "onnx"
      ? net.transposed(coarse, 512, { kernel: 4, stride: 2, pad: 1, groups: 512, bias: false })
      : net.conv(net.upsample(coarse), 512, { groups: 512, bias: false });
  const fine = separable(net, net.add(taps[11] ?? x, larger), 1024, relu);
  return [net.conv(coarse, 125), net.conv(fine, 125)];
}

/** ShuffleNet v2 of a quarter of the width; three sizes joined at 1/16, seen by one, two and three depthwise 5x5. */
function fastestDet(net: Layers, x: Value): Value[] {
  const [, fine, middle, coarse] = shufflenetV2(net, x, [48, 96, 192]) as [Value, Value, Value, Value];
  const pooled = net.averagePool(fine, { kernel: 3, stride: 2, pad: 1 });
  const joined = net.conv(net.concat([pooled, middle, net.upsample(coarse)]), 96, relu);
  const five = (y: Value): Value => net.depthwise(y, { kernel: 5, ...relu });
  const wide = net.conv(net.concat([five(joined), five(five(joined)), five(five(five(joined)))]), 96);
  const mixed = net.conv(net.add(joined, wide, "relu"), 96, relu);
  const branch = (out: number): Value => net.conv(five(mixed), out);
  return [net.activate(branch(1), "sigmoid"), branch(4), net.softmax(branch(80), 1)];
}

/** VOC's twenty classes, three anchors; coarse features are spread over 2x2 places and added. */
function mobilenet2Yolo(net: Layers, x: Value): Value[] {
  const { inner, outputs } = expanded(net, x, { alpha: 1, stride: 32 });
  const mixed = (y: Value): Value => separable(net, y, 576, relu);
  const coarse = mixed(net.conv(outputs[16] ?? x, 1280, relu));
  const fine = mixed(net.add(net.upsample(coarse), mixed(inner[13] ?? x)));
  return [net.conv(coarse, 75), net.conv(fine, 75)];
}

/** Channels out and stride of BlazeFace's sixteen blocks. */
/* prettier-ignore */
const blaze = [
  [24, 1], [28, 1], [32, 2], [36, 1], [42, 1], [48, 2], [56, 1], [64, 1], [72, 1], [80, 1], [88, 1], [96, 2], [96, 1], [96, 1], [96, 1], [96, 1],
] as const;

/** What is added is pooled and padded with channels of zeros until it fits. */
function blazeface(net: Layers, x: Value): Value[] {
  let y = net.conv(x, 24, { kernel: 5, stride: 2, ...relu });
  let fine = y;
  blaze.forEach(([out, stride], index) => {
    const deep = net.conv(net.depthwise(y, { stride }), out);
    const pooled = stride === 2 ? net.maxPool(y, { kernel: 2, stride: 2 }) : y;
    const more = out - at(y.shape, 1);
    y = net.add(deep, more > 0 ? net.pad(pooled, 0, more) : pooled, "relu");
    if (index === 10) fine = y;
  });
  return [fine, y];
}

function nanodetM(net: Layers, x: Value): Value[] {
  const levels = shufflenetV2(net, x, [116, 232, 464])
    .slice(1)
    .map((tap) => net.conv(tap, 96));
  const like = (from: Value, to: Value): Value => net.resize(from, to.shape.slice(2), "linear");
  for (const [to, from] of [
    [1, 2],
    [0, 1],
    [1, 0],
    [2, 1],
  ] as const) {
    const [own, other] = [levels[to], levels[from]];
    if (own && other) levels[to] = net.add(own, like(other, own));
  }
  return levels.map((level) =>
    net.conv(separable(net, separable(net, level, 96, { act: "leaky" }), 96, { act: "leaky" }), 112),
  );
}

/** Channels in the middle and out, stride. */
/* prettier-ignore */
const fastest = [
  [8, 4, 1], [8, 4, 1], [24, 8, 2], [32, 8, 1], [32, 8, 1], [32, 8, 2], [48, 8, 1], [48, 8, 1], [48, 16, 1], [96, 16, 1], [96, 16, 1],
  [96, 16, 1], [96, 16, 1], [96, 24, 2], [136, 24, 1], [136, 24, 1], [136, 24, 1], [136, 24, 1], [136, 48, 2], [224, 48, 1], [224, 48, 1],
  [224, 48, 1], [224, 48, 1], [224, 48, 1],
] as const;

function yoloFastest(net: Layers, x: Value): Value[] {
  const act: Activation = "leaky";
  let y = net.conv(x, 8, { kernel: 3, stride: 2, act });
  let fine = y;
  for (const [wide, out, stride] of fastest) {
    if (out === 48 && stride === 2) {
      fine = net.conv(y, wide, { act });
      y = net.conv(net.depthwise(fine, { stride, act }), out);
    } else y = inverted(net, y, { wide, out, stride, act, always: true });
  }
  const pools = [9, 5, 3].map((kernel) => net.maxPool(y, { kernel, stride: 1, pad: "same" }));
  const mixed = net.conv(net.concat([...pools, y]), 96, { act });
  const head = (z: Value): Value => {
    let w = z;
    for (let index = 0; index < 2; index += 1) w = net.conv(net.depthwise(w, { kernel: 5, act }), at(w.shape, 1));
    return net.conv(w, 255);
  };
  const above = net.concat([net.upsample(mixed), net.conv(fine, 24, { act })]);
  return [head(mixed), head(above)];
}

function yoloFastest2(net: Layers, x: Value): Value[] {
  const [, , p4, p5] = shufflenetV2(net, x, [48, 96, 192]) as [Value, Value, Value, Value];
  const tower = (y: Value): Value => {
    let z = y;
    for (let index = 0; index < 2; index += 1) z = net.conv(net.depthwise(z, { kernel: 5, ...relu }), 72);
    return z;
  };
  const level = (y: Value): Value[] => {
    const narrow = net.conv(y, 72, relu);
    const [classes, boxes] = [tower(narrow), tower(narrow)];
    return [net.conv(boxes, 12), net.conv(classes, 3), net.conv(classes, 80)];
  };
  return [...level(p5), ...level(net.concat([net.upsample(p5), p4]))];
}

const known = (
  id: string,
  name: string,
  side: number,
  macs: number,
  layers: (net: Layers, x: Value) => readonly Value[],
  file: string,
  aliases: readonly string[] = [],
): KnownModel =>
  makeKnown({
    id,
    name,
    aliases,
    family: name,
    task: "detection",
    input: side,
    published: [{ macs, source: `github.com/Tencent/ncnn@a4d2ea1 benchmark/models/${file}.param, summed` }],
    source: `github.com/Tencent/ncnn@a4d2ea1 benchmark/models/${file}.param`,
    layers,
  });

export default [
  known("mobilenet_ssd", "MobileNet-SSD", 300, 1_148_479_168, mobilenetSsd, "mobilenet_ssd"),
  known("squeezenet_ssd", "SqueezeNet-SSD", 300, 1_175_969_984, squeezenetSsd, "squeezenet_ssd"),
  known("mobilenetv2_yolov3", "MobileNetV2-YOLOv3", 352, 1_182_555_264, mobilenet2Yolo, "mobilenetv2_yolov3"),
  known("mobilenet_yolo", "MobileNet-YOLO", 416, 2_605_271_552, mobilenetYolo, "mobilenet_yolo"),
  makeKnown({
    id: "fastestdet",
    name: "FastestDet",
    family: "FastestDet",
    task: "detection",
    input: 352,
    published: [
      { parameters: 240_301, source: "github.com/Tencent/ncnn@a4d2ea1 benchmark/models/FastestDet.param, summed" },
    ],
    source: "github.com/Tencent/ncnn@a4d2ea1 benchmark/models/FastestDet.param",
    layers: fastestDet,
  }),
  known("blazeface", "BlazeFace", 128, 29_368_320, blazeface, "blazeface"),
  known("nanodet_m", "NanoDet-m", 320, 342_223_200, nanodetM, "nanodet_m", ["nanodet 320"]),
  known("yolo_fastest_1.1", "Yolo-Fastest 1.1", 320, 125_437_600, yoloFastest, "yolo-fastest-1.1"),
  known("yolo_fastest_v2", "Yolo-Fastest v2", 352, 106_382_232, yoloFastest2, "yolo-fastestv2"),
] satisfies readonly KnownModel[];
