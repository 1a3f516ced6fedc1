/** dxnn: version 6 with a task of the CPU before the NPU's, version 8 with one task, version 9 with its checksum. */

import { buildDxnn, type DxnnParts } from "../build/dxnn.ts";
import type { Samples } from "./samples.ts";

const tensor = (name: string, shape: readonly number[], dtype: string, size: number): Record<string, unknown> => ({
  name,
  dtype,
  shape,
  name_encoded: `${name}_encoded`,
  dtype_encoded: dtype,
  shape_encoded: shape,
  layout: "ALIGNED",
  align_unit: 64,
  memory: { name: "OUTPUT", offset: 0, size, type: "DRAM" },
});

const later = (version: number): DxnnParts => ({
  version,
  compileConfig: { compile_version: "2.1.0", ppu: null },
  graphInfo: {
    offloading: false,
    inputs: ["input.1"],
    outputs: ["495"],
    toposort_order: ["npu_0"],
    graphs: [
      {
        name: "npu_0",
        device: "npu",
        head: true,
        tail: true,
        inputs: [{ name: "input.1", owner: "", users: ["npu_0"] }],
        outputs: [{ name: "495", owner: "npu_0", users: [] }],
      },
    ],
  },
  tasks: {
    npu_0: {
      rmap: Buffer.alloc(640, 1),
      weight: Buffer.alloc(4096, 2),
      rmap_info: {
        version: { npu: "1.0.0", rmap: "1.0.0", rmapInfo: "2.0.0", opt_level: "1" },
        name: "npu_0",
        mode: "release",
        size: 640,
        counts: { layer: 12, cmd: 40 },
        inputs: [tensor("input.1", [1, 224, 224, 3], "UINT8", 150528)],
        outputs: [tensor("495", [1, 1000], "FLOAT32", 4096)],
      },
      ...(version >= 8 ? { ppu: Buffer.alloc(64, 3) } : {}),
    },
  },
});

export const samples: Samples = {
  "six.dxnn": () =>
    buildDxnn({
      version: 6,
      cpuModels: { cpu_0: Buffer.alloc(256, 8) },
      compileConfig: { compile_version: "1.18.1" },
      graphInfo: {
        graphs: [
          { name: "cpu_0", type: "cpu", inputs: { image: { source: null } }, outputs: { data: ["npu_0"] } },
          {
            name: "npu_0",
            type: "npu",
            inputs: { data: { source: "cpu_0" } },
            outputs: { scores: { next_layers: [] } },
          },
        ],
        origin_input: ["image"],
        origin_output: ["scores"],
        toposort_order: ["cpu_0", "npu_0"],
      },
      tasks: {
        npu_0: {
          rmap: Buffer.alloc(360, 1),
          weight: Buffer.alloc(5000, 2),
          rmap_info: {
            version: { npu: "1.0", rmap: "1.0", rmapInfo: "1.0" },
            model: "net",
            input: { shapes: { shape: [1, 224, 224, 3] }, type: "UINT8", mode: "FORMATTER", format: "NHWCd" },
            outputs: {
              outputList: { output: [{ name: "scores", type: "UINT16", shapes: { shape: [1] }, format: "NHWCd" }] },
            },
          },
          bitmatch: Buffer.alloc(0),
          sim_info: Buffer.alloc(23, 5),
        },
      },
    }),
  "eight.dxnn": () => buildDxnn({ ...later(8), asText: true }),
  "nine.dxnn": () => buildDxnn(later(9)),
};
