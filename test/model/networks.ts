/** Networks by the tables of the papers that define them. */

import { Net, type Value } from "../formats/build/onnx.ts";

/** Howard et al. 2017, table 1: a convolution, 13 pairs of depthwise and pointwise, pooling, a fully connected layer. */
export function mobileNetV1(width = 1, size = 224): Uint8Array {
  const net = new Net();
  const wide = (channels: number): number => channels * width;
  let x = net.op("Relu", [net.conv(net.input("image", [1, 3, size, size]), [3, wide(32)], 3, { stride: 2 })]);
  let from = wide(32);
  const rows: readonly (readonly [number, number])[] = [
    [64, 1],
    [128, 2],
    [128, 1],
    [256, 2],
    [256, 1],
    [512, 2],
    ...Array.from({ length: 5 }, () => [512, 1] as const),
    [1024, 2],
    [1024, 1],
  ];
  for (const [channels, stride] of rows) {
    x = net.op("Relu", [net.conv(x, [from, from], 3, { stride, group: from })]);
    x = net.op("Relu", [net.conv(x, [from, wide(channels)], 1)]);
    from = wide(channels);
  }
  return net.file(classifier(net, x, from, 1000));
}

const classifier = (net: Net, x: Value, from: number, classes: number): Value =>
  net.op(
    "Gemm",
    [net.op("Flatten", [net.op("GlobalAveragePool", [x])]), net.weights(classes, from), net.weights(classes)],
    { transB: 1 },
  );

/** Sandler et al. 2018, table 2: rows of expansion, channels, repeats, stride. */
export function mobileNetV2(): Uint8Array {
  const net = new Net();
  const clip = (x: Value): Value => net.op("Clip", [x, "", ""]);
  let x = clip(net.conv(net.input("image", ["batch", 3, 224, 224]), [3, 32], 3, { stride: 2 }));
  let from = 32;
  const rows: readonly (readonly [number, number, number, number])[] = [
    [1, 16, 1, 1],
    [6, 24, 2, 2],
    [6, 32, 3, 2],
    [6, 64, 4, 2],
    [6, 96, 3, 1],
    [6, 160, 3, 2],
    [6, 320, 1, 1],
  ];
  for (const [expansion, to, repeats, first] of rows) {
    for (let i = 0; i < repeats; i++) {
      const stride = i === 0 ? first : 1;
      const inner = from * expansion;
      const wide = expansion === 1 ? x : clip(net.conv(x, [from, inner], 1));
      const deep = clip(net.conv(wide, [inner, inner], 3, { stride, group: inner }));
      const narrow = net.conv(deep, [inner, to], 1);
      x = stride === 1 && from === to ? net.op("Add", [x, narrow]) : narrow;
      from = to;
    }
  }
  return net.file(classifier(net, clip(net.conv(x, [320, 1280], 1)), 1280, 1000));
}

/** He et al. 2015, table 1; the stride in the 3x3 of a bottleneck, as torchvision has it ("v1.5"). */
export function resNet(blocks: readonly number[], bottleneck: boolean): Uint8Array {
  const net = new Net();
  let x = net.op("Relu", [net.conv(net.input("image", [1, 3, 224, 224]), [3, 64], 7, { stride: 2, bias: false })]);
  x = net.op("MaxPool", [x], { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] });
  let from = 64;
  blocks.forEach((repeats, stage) => {
    const width = 64 << stage;
    const to = bottleneck ? width * 4 : width;
    for (let i = 0; i < repeats; i++) {
      const stride = i === 0 && stage > 0 ? 2 : 1;
      const plain = { bias: false };
      const relu = (value: Value): Value => net.op("Relu", [value]);
      const inner = bottleneck
        ? net.conv(
            relu(net.conv(relu(net.conv(x, [from, width], 1, plain)), [width, width], 3, { stride, ...plain })),
            [width, to],
            1,
            plain,
          )
        : net.conv(relu(net.conv(x, [from, width], 3, { stride, ...plain })), [width, to], 3, plain);
      const past = stride !== 1 || from !== to ? net.conv(x, [from, to], 1, { stride, ...plain }) : x;
      x = net.op("Relu", [net.op("Add", [inner, past])]);
      from = to;
    }
  });
  return net.file(classifier(net, x, from, 1000));
}

/** Simonyan and Zisserman 2014, configuration D. */
export function vgg16(): Uint8Array {
  const net = new Net();
  let x = net.input("image", [1, 3, 224, 224]);
  let from = 3;
  for (const to of [64, 64, 0, 128, 128, 0, 256, 256, 256, 0, 512, 512, 512, 0, 512, 512, 512, 0]) {
    if (to === 0) x = net.op("MaxPool", [x], { kernel_shape: [2, 2], strides: [2, 2] });
    else {
      x = net.op("Relu", [net.conv(x, [from, to], 3)]);
      from = to;
    }
  }
  x = net.op("Flatten", [x]);
  const dense = (value: Value, a: number, b: number): Value =>
    net.op("Gemm", [value, net.weights(b, a), net.weights(b)], { transB: 1 });
  x = net.op("Relu", [dense(x, 512 * 7 * 7, 4096)]);
  x = net.op("Relu", [dense(x, 4096, 4096)]);
  return net.file(dense(x, 4096, 1000));
}

/** One layer of an encoder, as exporters write it: heads by Reshape and Transpose, scores by MatMul. */
function encoderLayer(net: Net, x: Value, steps: number, width: number, heads: number): Value {
  const split = (value: Value, perm: readonly number[]): Value =>
    net.op("Transpose", [net.op("Reshape", [value, net.ints(0, steps, heads, width / heads)])], { perm });
  const query = split(net.linear(x, width, width), [0, 2, 1, 3]);
  const key = split(net.linear(x, width, width), [0, 2, 3, 1]);
  const value = split(net.linear(x, width, width), [0, 2, 1, 3]);
  const scores = net.op("Softmax", [net.op("Mul", [net.op("MatMul", [query, key]), net.floats(0.125)])], { axis: -1 });
  const mixed = net.op("Transpose", [net.op("MatMul", [scores, value])], { perm: [0, 2, 1, 3] });
  const attended = net.linear(net.op("Reshape", [mixed, net.ints(0, steps, width)]), width, width);
  const normal = (one: Value): Value => net.op("LayerNormalization", [one, net.weights(width), net.weights(width)]);
  const middle = normal(net.op("Add", [x, attended]));
  const wide = net.op("Gelu", [net.linear(middle, width, 4 * width)]);
  return normal(net.op("Add", [middle, net.linear(wide, 4 * width, width)]));
}

/** Devlin et al. 2018: 12 layers of width 768; the embeddings looked up, the first step pooled. */
export function bertBase(steps: number): Uint8Array {
  const net = new Net(20);
  const width = 768;
  const words = net.op("Gather", [net.weights(30_522, width), net.input("ids", [1, steps], 7)], { axis: 0 });
  let x = net.op("Add", [words, net.weights(steps, width)]);
  for (let layer = 0; layer < 12; layer++) x = encoderLayer(net, x, steps, width, 12);
  const first = net.op("Gather", [x, net.ints(0)], { axis: 1 });
  return net.file(net.op("Tanh", [net.linear(first, width, width)]));
}

/** Dosovitskiy et al. 2020: patches of 16, 12 layers of width 768. */
export function vitBase16(): Uint8Array {
  const net = new Net(20);
  const patches = net.conv(net.input("image", [1, 3, 224, 224]), [3, 768], 16, { stride: 16, pad: 0 });
  const rows = net.op("Transpose", [net.op("Reshape", [patches, net.ints(0, 768, 196)])], { perm: [0, 2, 1] });
  let x = net.op("Add", [net.op("Concat", [net.weights(1, 1, 768), rows], { axis: 1 }), net.weights(1, 197, 768)]);
  for (let layer = 0; layer < 12; layer++) x = encoderLayer(net, x, 197, 768, 12);
  const first = net.op("Squeeze", [net.op("Slice", [x, net.ints(0), net.ints(1), net.ints(1)]), net.ints(1)]);
  return net.file(net.op("Gemm", [first, net.weights(1000, 768), net.weights(1000)], { transB: 1 }));
}

/** yolov3-tiny.cfg of darknet, 416x416. */
export function yoloV3Tiny(): Uint8Array {
  const net = new Net();
  const leaky = (x: Value): Value => net.op("LeakyRelu", [x], { alpha: { float: 0.1 } });
  const conv = (x: Value, from: number, to: number, kernel = 3): Value => leaky(net.conv(x, [from, to], kernel));
  const pool = (x: Value, stride = 2): Value =>
    net.op("MaxPool", [x], {
      kernel_shape: [2, 2],
      strides: [stride, stride],
      ...(stride === 1 ? { auto_pad: "SAME_UPPER" } : {}),
    });
  let x = net.input("image", [1, 3, 416, 416]);
  let from = 3;
  for (const to of [16, 32, 64, 128]) {
    x = pool(conv(x, from, to));
    from = to;
  }
  const early = conv(x, 128, 256);
  x = pool(conv(pool(early), 256, 512), 1);
  const narrow = conv(conv(x, 512, 1024), 1024, 256, 1);
  const large = net.conv(conv(narrow, 256, 512), [512, 255], 1);
  const up = net.op("Resize", [conv(narrow, 256, 128, 1), "", net.floats(1, 1, 2, 2)], { mode: "nearest" });
  const joined = net.op("Concat", [up, early], { axis: 1 });
  return net.file(large, net.conv(conv(joined, 384, 256), [256, 255], 1));
}
