/** NEF of four chips: setups as structs (KL520, KL720) and as a FlatBuffer (KL630), and the KL730's models in a FlatBuffer of their own. */

import { kne, nef, setup520, setup720, setupFlat, type Port } from "../build/nef.ts";
import type { Samples } from "./samples.ts";

const code = new Uint8Array(96).fill(1);
const weights = new Uint8Array(160).fill(2);
const image: Port = { name: "images", format: 2, shape: [1, 3, 32, 48], scale: [[1, 7]] };
const boxes: Port = { name: "boxes", format: 6, shape: [1, 6, 4, 4], scale: [[1.5, 3]] };
const many: Port = {
  name: "many",
  format: 4,
  shape: [1, 2, 4, 4],
  scale: [
    [1.5, 3],
    [1.25, -2],
  ],
};

export const samples: Samples = {
  "kl520.nef": () =>
    nef({
      target: 0,
      names: [
        ["a.piano.kdp520.onnx", 32, "4118"],
        ["b.piano.kdp520.onnx", 5, "4118"],
      ],
      models: [
        { id: 32, commands: code, weights, setup: setup520([3, 200, 100], [8, 3, 4, 7, 1.5], [6, 3, 4, 2, 1.25]) },
        { id: 5, commands: code, weights, setup: setup520([1, 56, 56], [2, 1, 1, 3, 1]) },
      ],
    }),
  "kl720.nef": () =>
    nef({
      target: 1,
      schema: [1, 0, 1],
      toolchain: "kneron/toolchain:v0.20.1",
      models: [{ id: 32771, commands: code, weights, setup: setup720([[3, 224, 224, 7]], [1000, 1, 1, 3, 1.25]) }],
    }),
  "kl630.nef": () =>
    nef({
      target: 4,
      schema: [1, 0, 1],
      names: [["yolo.bie", 20005, "1"]],
      models: [{ id: 20005, commands: code, weights, setup: setupFlat([image], [boxes, many]) }],
    }),
  "kl730.nef": () =>
    nef({ target: 4, schema: [2, 2, 1], names: [["yolo.bie", 211, "1"]], kne: kne([image], [boxes, many]) }),
  "kl720-encrypted.nef": () =>
    nef({ target: 1, schema: [1, 0, 1], encryption: 2, models: [{ id: 1, commands: code, weights, setup: weights }] }),
};
