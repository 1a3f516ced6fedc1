/** Where joints are: ViTPose (arXiv 2204.12484), HRNet (1902.09212), PoseNet on MobileNet v1 (TensorFlow.js), MSPN (1901.00148), CenterPose (1904.07850). */

import { encoderLayer, separable } from "../blocks.ts";
import type { KnownModel, Published } from "../known.ts";
import { at, type Layers, type Value } from "../layers.ts";
import { makeKnown } from "../make-known.ts";
import { lines, regnet } from "./regnet.ts";
import { aiHub, hailo, own, within } from "../parts/published.ts";

/** A small vision transformer and two transposed convolutions. */
function vitPose(net: Layers, x: Value, folded: boolean): Value {
  const patches = net.conv(x, 384, { kernel: 16, stride: 16, pad: 2 });
  const size = patches.shape.slice(2);
  const tokens = net.tokens(patches);
  let y = net.add(tokens, net.weight([1, at(tokens.shape, 1), 384], "positions"));
  for (let layer = 0; layer < 12; layer += 1) y = encoderLayer(net, y, { heads: 12, hidden: 1536, folded });
  let image = net.image(folded ? y : net.layerNorm(y), size);
  for (let index = 0; index < 2; index += 1)
    image = net.transposed(image, 256, { kernel: 4, stride: 2, pad: 1, act: "relu" });
  return net.conv(image, 17);
}

const relu = { kernel: 3, act: "relu" } as const;

function basic(net: Layers, x: Value): Value {
  const width = at(x.shape, 1);
  return net.add(x, net.conv(net.conv(x, width, relu), width, { kernel: 3 }), "relu");
}

/** Four basic blocks in each branch, then every branch gets the sum of all at its size; only the finest where it is the last. */
function exchange(net: Layers, branches: readonly Value[], outs: number): Value[] {
  const deep = branches.map((branch) => [1, 2, 3, 4].reduce((y) => basic(net, y), branch));
  return deep.slice(0, outs).map((own, to) => {
    const width = at(own.shape, 1);
    const parts = deep.map((branch, from) => {
      if (from === to) return branch;
      if (from > to) return net.upsample(net.conv(branch, width), 2 ** (from - to));
      let y = branch;
      for (let step = from; step < to; step += 1) {
        const last = step === to - 1;
        y = net.conv(y, last ? width : at(branch.shape, 1), { kernel: 3, stride: 2, act: last ? undefined : "relu" });
      }
      return y;
    });
    return net.activate(
      parts.slice(1).reduce((sum, part) => net.add(sum, part), parts[0] ?? own),
      "relu",
    );
  });
}

function bottleneck(net: Layers, x: Value): Value {
  const y = net.conv(net.conv(net.conv(x, 64, { act: "relu" }), 64, relu), 256);
  return net.add(at(x.shape, 1) === 256 ? x : net.conv(x, 256), y, "relu");
}

/** High resolution kept throughout; coarser branches come one by one. The last exchange gives `outs` of the four. */
function branchesOf(net: Layers, x: Value, width: number, outs: number): Value[] {
  let y = net.conv(net.conv(x, 64, { ...relu, stride: 2 }), 64, { ...relu, stride: 2 });
  for (let index = 0; index < 4; index += 1) y = bottleneck(net, y);
  let branches = [net.conv(y, width, relu), net.conv(y, 2 * width, { ...relu, stride: 2 })];
  branches = exchange(net, branches, 2);
  branches.push(net.conv(branches[1] ?? y, 4 * width, { ...relu, stride: 2 }));
  for (let index = 0; index < 4; index += 1) branches = exchange(net, branches, 3);
  branches.push(net.conv(branches[2] ?? y, 8 * width, { ...relu, stride: 2 }));
  for (let index = 0; index < 3; index += 1) branches = exchange(net, branches, index === 2 ? outs : 4);
  return branches;
}

/** All four sizes side by side at the finest: points of a face. */
function hrnetFace(net: Layers, x: Value, width: number, points: number): Value {
  const [fine, ...coarse] = branchesOf(net, x, width, 4) as [Value, ...Value[]];
  const joined = net.concat([fine, ...coarse.map((one) => net.resize(one, fine.shape.slice(2), "linear"))]);
  return net.conv(net.conv(joined, at(joined.shape, 1), { act: "relu" }), points);
}

/** MobileNet v1, whose last stride becomes dilation; four 1x1 heads. */
function posenet(net: Layers, x: Value): Value[] {
  let y = net.conv(x, 32, { kernel: 3, stride: 2, act: "relu6" });
  const widths = [64, 128, 128, 256, 256, 512, 512, 512, 512, 512, 512] as const;
  widths.forEach((out, index) => {
    y = separable(net, y, out, { stride: index === 1 || index === 3 || index === 5 ? 2 : 1, act: "relu6" });
  });
  for (const dilation of [1, 2]) y = net.conv(net.depthwise(y, { dilation, act: "relu6" }), 1024, { act: "relu6" });
  return [17, 34, 32, 32].map((out) => net.conv(y, out));
}

/** A RegNet and, from its coarsest stage to its finest, sums at each size (MSPN of one stage). */
function mspn(net: Layers, x: Value): Value {
  const taps = regnet(net, x, { line: lines.x_800mf }).slice(1).reverse();
  let y: Value | undefined;
  for (const tap of taps) {
    const own = net.conv(tap, 256);
    y = net.activate(
      y === undefined ? own : net.add(own, net.conv(net.resize(y, own.shape.slice(2), "linear"), 256)),
      "relu",
    );
  }
  return net.conv(net.conv(y ?? x, 256, { act: "relu" }), 17, { kernel: 3 });
}

/** A RegNet, three transposed convolutions, and a head each for centres, sizes, joints and their offsets. */
function centerpose(net: Layers, x: Value): Value[] {
  let y = regnet(net, x, { line: lines.x_800mf }).at(-1) ?? x;
  for (let index = 0; index < 3; index += 1) y = net.transposed(y, 256, { kernel: 4, stride: 2, pad: 1, act: "relu" });
  return [1, 2, 34, 2, 17, 2].map((out) => net.conv(net.conv(y, 64, relu), out));
}

const vit = (id: string, name: string, millions: number, folded: boolean): KnownModel =>
  makeKnown({
    id,
    name,
    family: "ViTPose",
    task: "pose",
    input: [3, 256, 192],
    published: [
      within(
        hailo("single_person_pose_estimation", 17.17, millions),
        0.36,
        "counts transposed convolutions by their outputs, and no products of attention",
      ),
    ],
    source: "arXiv 2204.12484 section 3",
    layers: (net, x) => vitPose(net, x, folded),
  });

const regnetPose = (
  id: string,
  name: string,
  input: KnownModel["input"],
  published: readonly Published[],
  source: string,
  layers: (net: Layers, x: Value) => Value | readonly Value[],
): KnownModel =>
  makeKnown({ id, name, family: name.replace(/ .*/, ""), task: "pose", input, published, source, layers });

export default [
  regnetPose(
    "mspn_regnetx_800mf",
    "MSPN RegNetX-800MF",
    [3, 256, 192],
    [hailo("single_person_pose_estimation", 2.94, 7.17)],
    "arXiv 1901.00148, one stage; trunk of 2003.13678",
    mspn,
  ),
  regnetPose(
    "centerpose_regnetx_800mf",
    "CenterPose RegNetX-800MF",
    [3, 512, 512],
    [
      within(
        hailo("pose_estimation", 86.12, 12.31),
        0.43,
        "counts transposed convolutions by their outputs, four times what they compute",
      ),
    ],
    "arXiv 1904.07850 section 5; github.com/tensorboy/centerpose; trunk of 2003.13678",
    centerpose,
  ),
  vit("vit_pose_small", "ViTPose-S", 24.29, false),
  vit("vit_pose_small_bn", "ViTPose-S with batch normalisation", 24.32, true),
  makeKnown({
    id: "hrnet_w32_pose",
    name: "HRNet-W32 pose",
    aliases: ["hrnet_pose", "HRNetPose"],
    family: "HRNet",
    task: "pose",
    input: [3, 256, 192],
    published: [own("arXiv 1902.09212 table 1", undefined, 28.5), aiHub("hrnet_pose", 28.5)],
    source: "arXiv 1902.09212 section 3",
    layers: (net, x) => net.conv(branchesOf(net, x, 32, 1)[0] ?? x, 17),
  }),
  makeKnown({
    id: "hrnet_w18_face",
    name: "HRNetV2-W18 face",
    aliases: ["hrnet_face", "HRNetFace"],
    family: "HRNet",
    task: "face",
    input: 256,
    published: [aiHub("hrnet_face", 9.68)],
    source: "arXiv 1908.07919 section 3; 29 points of COFW",
    layers: (net, x) => hrnetFace(net, x, 18, 29),
  }),
  makeKnown({
    id: "posenet_mobilenet_v1",
    name: "PoseNet MobileNet v1",
    aliases: ["posenet_mobilenet", "posenet"],
    family: "PoseNet",
    task: "pose",
    input: [3, 513, 257],
    published: [aiHub("posenet_mobilenet", 3.31)],
    source: "github.com/tensorflow/tfjs-models posenet; output stride 16",
    layers: posenet,
  }),
] satisfies readonly KnownModel[];
