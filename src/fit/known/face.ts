/**
 * Faces and plates: RetinaFace (arXiv 1905.00641, biubug6/Pytorch_Retinaface), SCRFD with keypoints (2105.04714, insightface
 * detection/scrfd), the slim detector of Linzaer/Ultra-Light-Fast-Generic-Face-Detector-1MB.
 */

import { separable } from "../blocks.ts";
import type { KnownModel, Published } from "../known.ts";
import type { Activation, Layers, Value } from "../layers.ts";
import { makeKnown } from "../make-known.ts";
import { hailo, own } from "../parts/published.ts";
import { mobilenetV1 } from "./mobilenet.ts";
import { resnet } from "./resnet.ts";

/** 3x3, 5x5 and 7x7 by stacks of 3x3, side by side. */
function ssh(net: Layers, x: Value, width: number, act: Activation): Value {
  const three = (y: Value, out: number, how?: Activation): Value => net.conv(y, out, { kernel: 3, act: how });
  const five = three(x, width / 4, act);
  const seven = three(three(five, width / 4, act), width / 4);
  return net.activate(net.concat([three(x, width / 2), three(five, width / 4), seven]), "relu");
}

/** Features of three sizes added downwards, context for each, and two anchors: class, box, five points. */
function retina(net: Layers, [p3, p4, p5]: readonly Value[], width: number): Value[] {
  if (p3 === undefined || p4 === undefined || p5 === undefined) return [];
  const act = width <= 64 ? "leaky" : "relu";
  const coarse = net.conv(p5, width, { act });
  const add = (x: Value, below: Value): Value => {
    const sum = net.add(net.conv(x, width, { act }), net.resize(below, x.shape.slice(2)));
    return net.conv(sum, width, { kernel: 3, act });
  };
  const middle = add(p4, coarse);
  const fine = add(p3, middle);
  return [fine, middle, coarse].flatMap((level) => {
    const y = ssh(net, level, width, act);
    return [net.softmax(net.conv(y, 4), 1), net.conv(y, 8), net.conv(y, 20)];
  });
}

interface Scrfd {
  /** Separable layers of MobileNet, or basic residual blocks behind three 3x3 (ResNet-D). */
  readonly trunk: "mobile" | "residual";
  readonly blocks: readonly [number, number, number, number];
  readonly planes: readonly [number, number, number, number];
  readonly neck: number;
  readonly head: number;
  readonly stacked: number;
}

const relu = { act: "relu" } as const;

function mobileTrunk(net: Layers, x: Value, m: Scrfd): Value[] {
  let y = separable(net, net.conv(x, 16, { kernel: 3, stride: 2, ...relu }), 16, relu);
  return m.planes.map((out, stage) => {
    for (let index = 0; index < (m.blocks[stage] ?? 0); index += 1)
      y = separable(net, y, out, { stride: index === 0 ? 2 : 1, ...relu });
    return y;
  });
}

function residualTrunk(net: Layers, x: Value, m: Scrfd): Value[] {
  const [stem] = m.planes;
  let y = net.conv(x, stem / 2, { kernel: 3, stride: 2, ...relu });
  y = net.conv(net.conv(y, stem / 2, { kernel: 3, ...relu }), stem, { kernel: 3, ...relu });
  y = net.maxPool(y, { kernel: 2, stride: 2 });
  let from: number = stem;
  return m.planes.map((out, stage) => {
    for (let index = 0; index < (m.blocks[stage] ?? 0); index += 1) {
      const stride = index === 0 && stage > 0 ? 2 : 1;
      const deep = net.conv(net.conv(y, out, { kernel: 3, stride, ...relu }), out, { kernel: 3 });
      const pooled = stride === 2 ? net.averagePool(y, { kernel: 2, stride: 2 }) : y;
      y = net.add(deep, stride === 2 || from !== out ? net.conv(pooled, out) : y, "relu");
      from = out;
    }
    return y;
  });
}

function scrfd(net: Layers, x: Value, m: Scrfd): Value[] {
  const taps = (m.trunk === "mobile" ? mobileTrunk(net, x, m) : residualTrunk(net, x, m)).slice(1);
  const three = (y: Value, stride = 1): Value => net.conv(y, m.neck, { kernel: 3, stride });
  const [fine, middle, coarse] = taps.map((tap) => net.conv(tap, m.neck)) as [Value, Value, Value];
  const like = (y: Value, to: Value): Value => net.resize(y, to.shape.slice(2));
  const sum = net.add(middle, like(coarse, middle));
  const first = three(net.add(fine, like(sum, fine)));
  const second = net.add(three(sum), three(first, 2));
  const third = net.add(three(coarse), three(second, 2));
  return [first, three(second), three(third)].flatMap((level) => {
    let y = level;
    for (let index = 0; index < m.stacked; index += 1)
      y = m.trunk === "mobile" ? separable(net, y, m.head, relu) : net.conv(y, m.head, { kernel: 3, ...relu });
    return [
      net.activate(net.conv(y, 2, { kernel: 3 }), "sigmoid"),
      net.conv(y, 8, { kernel: 3 }),
      net.conv(y, 20, { kernel: 3 }),
    ];
  });
}

/** Output channels and strides of the separable layers; anchors at four sizes. */
const slimRows = [
  [32, 1], [32, 2], [32, 1], [64, 2], [64, 1], [64, 1], [64, 1], [128, 2], [128, 1], [128, 1], [256, 2], [256, 1],
] as const; // prettier-ignore

function slim(net: Layers, x: Value): Value[] {
  let y = net.conv(x, 16, { kernel: 3, stride: 2, ...relu });
  const taps = slimRows.map(([out, stride]) => (y = separable(net, y, out, { stride, ...relu })));
  const [a, b, c] = [taps[6], taps[9], taps[11]] as [Value, Value, Value];
  const narrow = net.conv(c, 64, relu);
  const last = net.conv(net.depthwise(narrow, { stride: 2, ...relu }), 256, relu);
  const predict = (level: Value, out: number): Value => net.conv(net.depthwise(level, relu), out);
  const heads = [a, b, c].flatMap((level, index) => {
    const anchors = index === 0 ? 3 : 2;
    return [predict(level, anchors * 4), predict(level, anchors * 2)];
  });
  return [...heads, net.conv(last, 12, { kernel: 3 }), net.conv(last, 6, { kernel: 3 })];
}

const known = (
  id: string,
  name: string,
  input: number | KnownModel["input"],
  published: readonly Published[],
  source: string,
  layers: (net: Layers, x: Value) => readonly Value[],
  aliases: readonly string[] = [],
): KnownModel =>
  makeKnown({ id, name, aliases, family: name.split(" ")[0] ?? name, task: "face", input, published, source, layers });

const scrfdOf = (size: string, m: Scrfd, gops: number, millions: number): KnownModel =>
  known(
    `scrfd_${size}`,
    `SCRFD ${size.toUpperCase()}`,
    640,
    [hailo("face_detection", gops, millions)],
    `github.com/deepinsight/insightface detection/scrfd/configs/scrfd/scrfd_${size}_bnkps.py`,
    (net, x) => scrfd(net, x, m),
    [`scrfd_${size}_bnkps`],
  );

const retinaSource = "arXiv 1905.00641; github.com/biubug6/Pytorch_Retinaface models/net.py";

export default [
  makeKnown({
    id: "person_attr_resnet18",
    name: "Person attributes ResNet-18",
    aliases: ["person_attr_resnet_v1_18"],
    family: "ResNet",
    task: "classification",
    input: 224,
    published: [hailo("person_attribute", 3.64, 11.19)],
    source: "arXiv 1512.03385 table 1; 35 outputs: github.com/dangweili/pedestrian-attribute-recognition-pytorch",
    layers: (net, x) => net.fc(net.globalPool(resnet(net, x, { depth: 18 }).at(-1) ?? x), 35),
  }),
  makeKnown({
    id: "tddfa_mobilenet_v1",
    name: "3DDFA v2 MobileNet v1",
    family: "3DDFA",
    task: "face",
    input: 120,
    published: [hailo("facial_landmark_detection", 0.36, 3.26)],
    source: "github.com/cleardusk/3DDFA_V2 models/mobilenet_v1.py",
    layers: (net, x) => net.fc(net.globalPool(mobilenetV1(net, x, 1).at(-1) ?? x), 62),
  }),
  known(
    "retinaface_mobilenet_v1",
    "RetinaFace MobileNet v1",
    [3, 736, 1280],
    [hailo("face_detection", 25.14, 3.49)],
    retinaSource,
    (net, x) => {
      const taps = mobilenetV1(net, x, 1);
      return retina(
        net,
        [taps[5], taps[11], taps[13]].filter((tap) => tap !== undefined),
        64,
      );
    },
  ),
  known(
    "retinaface_mobilenet_0.25",
    "RetinaFace MobileNet v1 0.25",
    320,
    [own("github.com/biubug6/Pytorch_Retinaface README.md: 1.7 MB of float32", undefined, 0.425)],
    retinaSource,
    (net, x) => {
      const taps = mobilenetV1(net, x, 0.25);
      return retina(
        net,
        [taps[5], taps[11], taps[13]].filter((tap) => tap !== undefined),
        64,
      );
    },
    ["RetinaFace_mobile", "RetinaFace_mobile320"],
  ),
  known(
    "retinaface_resnet50",
    "RetinaFace ResNet-50",
    320,
    [{ ...own("docs.openvino.ai omz_models_model_retinaface_resnet50_pytorch", 88.86, 27.26), input: [3, 640, 640] }],
    retinaSource,
    (net, x) => retina(net, resnet(net, x, { depth: 50 }).slice(2), 256),
    ["RetinaFace_resnet50_320"],
  ),
  scrfdOf(
    "500m",
    { trunk: "mobile", blocks: [2, 3, 2, 6], planes: [40, 72, 152, 288], neck: 16, head: 64, stacked: 2 },
    1.5,
    0.63,
  ),
  scrfdOf(
    "2.5g",
    { trunk: "residual", blocks: [3, 5, 3, 2], planes: [24, 48, 48, 80], neck: 24, head: 64, stacked: 2 },
    6.88,
    0.82,
  ),
  scrfdOf(
    "10g",
    { trunk: "residual", blocks: [3, 4, 2, 3], planes: [56, 88, 88, 224], neck: 56, head: 80, stacked: 3 },
    26.74,
    4.23,
  ),
  known(
    "lightface_slim",
    "Lightface slim",
    [3, 240, 320],
    [hailo("face_detection", 0.16, 0.26)],
    "github.com/Linzaer/Ultra-Light-Fast-Generic-Face-Detector-1MB vision/nn/mb_tiny.py, vision/ssd/mb_tiny_fd.py",
    slim,
    ["version-slim-320", "ultraface slim"],
  ),
] satisfies readonly KnownModel[];
