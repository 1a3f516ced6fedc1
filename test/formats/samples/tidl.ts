/** TIDL: networks of two versions, I/O descriptors of three layouts. */

import { buildIo, buildNet, type IoPort } from "../build/tidl.ts";
import type { Samples } from "./samples.ts";

const image: IoPort = { name: "input", shape: [640, 480, 3, 1], type: 0, scale: 2, zero: 128 };
const boxes: IoPort = { name: "dets", shape: [5, 200, 1, 1], type: 6, scale: 1, dims: 3 };
const labels: IoPort = { name: "labels", shape: [200, 1, 1, 1], type: 5, scale: 1, dims: 2 };

export const samples: Samples = {
  "old_tidl_net.bin": () =>
    buildNet({ version: 0x20230208, device: 0, layers: 40, table: 88, network: 1024, plan: 512, parameters: 4096 }),
  "subgraph_0_tidl_net.bin": () =>
    buildNet({
      version: 0x20240401,
      device: 0x104,
      layers: 122,
      table: 96,
      network: 2048,
      plan: 512,
      parameters: 4096,
      graphPlan: 256,
    }),
  "old_tidl_io_1.bin": () => buildIo(1, 1, [image], [boxes, labels]),
  "subgraph_0_tidl_io_1.bin": () => buildIo(2, 1, [image], [boxes, labels]),
  "cores_tidl_io_1.bin": () => buildIo(3, 2, [image], [boxes, labels]),
};
