/**
 * Embeddings and attributes of faces and persons: ArcFace on MobileFaceNet (arXiv 1804.07573 table 1, as InsightFace widened it) and on
 * ResNets whose blocks begin with a normalisation (1801.07698), attributes on ResNet-18.
 */

import { squeezeExcite } from "../blocks.ts";
import type { KnownModel } from "../known.ts";
import { at, type Layers, type Value } from "../layers.ts";
import { makeKnown } from "../make-known.ts";
import { hailo, within } from "../published.ts";
import { resnet } from "./resnet.ts";

/** Widen, filter each channel, narrow. */
function narrow(net: Layers, x: Value, wide: number, out: number, stride: number): Value {
  const y = net.depthwise(net.conv(x, wide, { act: "prelu" }), { stride, act: "prelu" });
  return net.conv(y, out);
}

function mobileFaceNet(net: Layers, x: Value): Value {
  let y = net.depthwise(net.conv(x, 128, { kernel: 3, stride: 2, act: "prelu" }), { act: "prelu" });
  for (const [wide, out, stride, repeats] of [
    [128, 128, 2, 4],
    [256, 256, 2, 6],
    [512, 256, 2, 2],
  ] as const) {
    y = narrow(net, y, wide, out, stride);
    for (let i = 0; i < repeats; i++) y = net.add(y, narrow(net, y, out, out, 1));
  }
  y = net.conv(y, 512, { act: "prelu" });
  // One weight for each place in place of a mean.
  const [h, w] = [at(y.shape, 2), at(y.shape, 3)];
  return net.fc(net.conv(y, 512, { kernel: [h, w], pad: "valid", groups: 512 }), 512);
}

/** Blocks of each stage; the first of each halves. */
function irNet(net: Layers, x: Value, blocks: readonly number[], excite: boolean): Value {
  let y = net.conv(x, 64, { kernel: 3, act: "prelu" });
  blocks.forEach((count, stage) => {
    const width = 64 * 2 ** stage;
    for (let i = 0; i < count; i++) {
      const stride = i === 0 ? 2 : 1;
      const same = at(y.shape, 1) === width;
      const around =
        stride === 1 ? y : same && excite ? net.maxPool(y, { kernel: 1, stride }) : net.conv(y, width, { stride });
      const first = net.conv(net.batchNorm(y), width, { kernel: 3, act: "prelu" });
      const z = net.conv(first, width, { kernel: 3, stride });
      y = net.add(excite ? squeezeExcite(net, z, width / 16) : z, around);
    }
  });
  return net.fc(net.batchNorm(y), 512);
}

const face = (
  id: string,
  name: string,
  aliases: readonly string[],
  published: KnownModel["published"],
  source: string,
  layers: (net: Layers, x: Value) => Value,
): KnownModel =>
  makeKnown({ id, name, aliases, family: "ArcFace", task: "face", input: 112, published, source, layers });

const zoo = hailo("face_recognition");

export default [
  face(
    "arcface_mobilefacenet",
    "ArcFace MobileFaceNet",
    ["mobilefacenet", "w600k_mbf"],
    [zoo(2.04, 0.88)],
    "arXiv 1804.07573 table 1; github.com/deepinsight/insightface",
    mobileFaceNet,
  ),
  face(
    "arcface_r50",
    "ArcFace ResNet-50",
    ["iresnet50", "w600k_r50", "arcface_resnet50"],
    [within(zoo(31, 12.6), 0.42, "leaves out the last matrix of 25088 by 512, which is 12.8 million", "parameters")],
    "arXiv 1801.07698; github.com/deepinsight/insightface",
    (net, x) => irNet(net, x, [3, 4, 14, 3], false),
  ),
  face(
    "cavaface",
    "CavaFace IR-SE-100",
    ["ir_se_100"],
    [{ parameters: 65.5e6, source: "github.com/quic/ai-hub-models@52c080d qai_hub_models/models/cavaface/info.yaml" }],
    "arXiv 1801.07698; github.com/cavalleria/cavaface",
    (net, x) => irNet(net, x, [3, 13, 30, 3], true),
  ),
  makeKnown({
    id: "face_attr_resnet_v1_18",
    name: "Face attributes, ResNet-18",
    family: "ResNet",
    task: "face",
    input: [3, 218, 178],
    published: [hailo("face_attribute")(11.74, 3)],
    source: "arXiv 1512.03385 table 1; forty attributes behind the thousand classes",
    layers: (net, x) => net.fc(net.fc(net.globalPool(resnet(net, x, { depth: 18 }).at(-1) ?? x), 1000), 40),
  }),
] satisfies readonly KnownModel[];
