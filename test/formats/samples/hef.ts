/** HEF: the four headers; one chip and several layouts; post-processing on the host, merged and planar streams, external resources. */

import {
  bytes,
  context,
  double,
  edge,
  enableCluster,
  groupFields,
  hef0,
  hef1,
  hef2,
  hef3,
  hefMessage,
  int,
  message,
  mux,
  operation,
  planes,
  pointTo,
  writeWords,
} from "../build/hef.ts";
import type { Samples } from "./samples.ts";

const image = edge({ name: "net/input_layer1", shape: [224, 320, 3] });

const plain = groupFields({
  name: "net",
  preliminary: [operation(writeWords(96), enableCluster(2)), operation(enableCluster(5))],
  contexts: [
    context([
      image,
      edge({ name: "net/conv9", out: true, shape: [28, 40, 2], scales: [0.5, 0.25], zeros: [0, 3] }),
      edge({ name: "net/conv7", out: true, shape: [28, 40, 1], transposed: true }),
      edge({ name: "net/inner", out: true, shape: [1, 1, 1], connection: 1 }),
    ]),
  ],
  order: ["net/conv7", "net/conv9"],
});

const pointed = (name: string): Uint8Array =>
  groupFields({
    name,
    preliminary: [operation(pointTo(0, 64), enableCluster(0))],
    contexts: [
      context(
        [
          planes("net/nv12", { name: "net/y", shape: [480, 640, 1] }, { name: "net/uv", shape: [240, 320, 2] }),
          mux(true, { name: "net/a", shape: [7, 7, 4] }, { name: "net/b", shape: [7, 7, 8] }),
        ],
        [operation(pointTo(64, 64), [14, int(1, 4096)], [2, bytes(2, "data")])],
      ),
    ],
  });

/** A network whose boxes are decoded on the host. */
const withNms = message(
  8,
  bytes(1, "core"),
  message(3, int(1, 10), bytes(2, "out0")),
  bytes(
    4,
    groupFields({
      name: "yolo",
      preliminary: [operation(pointTo(0, 32))],
      contexts: [
        context([
          edge({ name: "yolo/input_layer1", shape: [640, 640, 3], pad: 1 }),
          edge({ name: "yolo/conv1", out: true, shape: [80, 80, 255], pad: 10 }),
        ]),
      ],
      order: ["yolo/yolov5_nms_postprocess"],
    }),
  ),
);
const nms = message(
  8,
  bytes(1, "nms"),
  message(2, int(1, 20)),
  message(3, int(1, 21), bytes(2, "yolo/yolov5_nms_postprocess"), message(7, int(1, 80), int(2, 100))),
  message(5, double(1, 0.2), double(2, 0.6), int(3, 100), int(4, 80), message(7, double(1, 640), double(2, 640))),
);

export const samples: Samples = {
  "v0.hef": () => hef0(hefMessage({ compiler: "3.27.0", groups: [plain] })),
  "v1.hef": () => hef1(hefMessage({ compiler: "3.28.0", groups: [pointed("net")] }), new Uint8Array(128).fill(7)),
  "v2.hef": () => {
    const layout = (bitmap: number): Uint8Array => message(7, bytes(1, pointed("net")), message(2, int(1, bitmap)));
    const group = groupFields({ name: "net", more: [layout(0b11), layout(0b1100)] });
    return hef2(hefMessage({ arch: 3, compiler: "3.30.0", groups: [group] }), new Uint8Array(128).fill(9));
  },
  "v3.hef": () =>
    hef3(
      hefMessage({
        arch: 103,
        sdk: [5, 1, 0],
        extensions: [13, 14, 26, 31, 35],
        groups: [
          groupFields({ name: "yolo", more: [withNms, nms, message(9, int(1, 10), int(2, 20)), bytes(10, "yolo")] }),
        ],
        resources: [{ name: "tokenizer.json", offset: 32, bytes: 40 }],
      }),
      new Uint8Array(32).fill(3),
      new Uint8Array(40).fill(4),
    ),
  "v3-own.hef": () =>
    hef3(hefMessage({ arch: 108, sdk: [5, 2, 0], groups: [pointed("net")] }), new Uint8Array(128), undefined, true),
  "defused.hef": () => {
    const half = (name: string) =>
      edge({ name, out: true, shape: [1, 1, 1], nms: { classes: 40, boxes: 100, defused: true } });
    const fused = message(
      5,
      int(1, 1),
      message(3, message(1, bytes(1, "net/nms")), message(3, int(2, 80), int(3, 100))),
    );
    return hef0(
      hefMessage({
        compiler: "3.20.0",
        extensions: [0, 7],
        groups: [
          groupFields({
            name: "net",
            contexts: [context([image, half("net/nms_0"), half("net/nms_1")])],
            more: [fused],
          }),
        ],
      }),
    );
  },
};
