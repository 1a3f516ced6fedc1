/** Boxes in space from a cut-out: VGG-19, and three small networks behind it. arXiv 1612.00496; github.com/skhadem/3D-BoundingBox. */

import type { KnownModel } from "../known.ts";
import type { Layers, Value } from "../layers.ts";
import { makeKnown } from "../make-known.ts";
import { aiHub } from "../parts/published.ts";
import { vgg } from "./classic.ts";

const relu = { act: "relu" } as const;
const BINS = 2;

function deepbox(net: Layers, x: Value): Value[] {
  const seen = net.flatten(vgg(net, x, [2, 2, 4, 4, 4]).at(-1) ?? x);
  const said = (width: number, out: number): Value => net.fc(net.fc(net.fc(seen, width, relu), width, relu), out);
  return [said(256, 2 * BINS), said(256, BINS), said(512, 3)];
}

export default [
  makeKnown({
    id: "deepbox_vgg",
    name: "3D boxes from VGG-19",
    aliases: ["deepbox / VGG3DDetection"],
    family: "3D boxes",
    task: "detection",
    input: 224,
    published: [aiHub("deepbox", 46.1)],
    source: "arXiv 1612.00496 figure 5; github.com/skhadem/3D-BoundingBox torch_lib/Model.py",
    layers: deepbox,
  }),
] satisfies readonly KnownModel[];
