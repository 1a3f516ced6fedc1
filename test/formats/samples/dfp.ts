/** DFP: version 6.1 with two models, version 5 with an output whose channels are padded, one from before versions. */

import { older, program, sixth, type Packed } from "../build/dfp.ts";
import type { Samples } from "./samples.ts";

const port = (index: number, model: number, name: string, format: number, shape: readonly number[]): Packed => ({
  dict: {
    port: { u8: index },
    active: { u8: 1 },
    port_set: { u8: 0 },
    mpu_id: { u8: 0 },
    model_index: { u8: model },
    packing_format: { dict: { as_int: { u8: format } } },
    layer_name: { text: name },
    range_convert: { dict: { enabled: { bool: false }, shift: { f32: 0 }, scale: { f32: 1 } } },
    mxa_shape: { u16: shape },
    hpoc: { dict: { enabled: { u8: 0 } } },
  },
});
const idle = (index: number): Packed => ({ dict: { port: { u8: index }, active: { u8: 0 } } });

export const six: Readonly<Record<string, Packed>> = {
  models: { type: 0x60, list: [{ text: "detector" }, { text: "classifier" }] },
  dfp_sub_version: { u8: 1 },
  compile_timestamp: { text: "2025-03-04T05:06:07" },
  compiler_version: { text: "2.1.1" },
  use_multigroup_loadbalance: { bool: true },
  sim_meta: { dict: { intgen: { u8: 4 }, num_mpus: { u8: 2 } } },
  num_inports: { u8: 3 },
  num_outports: { u8: 3 },
  inport_info: {
    type: 0x01,
    list: [port(0, 0, "images", 1, [224, 224, 1, 3]), port(1, 1, "crop", 5, [64, 64, 1, 3]), idle(2)],
  },
  outport_info: {
    type: 0x01,
    list: [port(0, 0, "boxes", 4, [1, 1, 1, 400]), port(1, 1, "scores", 0, [1, 1, 1, 10]), idle(2)],
  },
  hw_dfp: { bin: program(2048, [512, 256]) },
  notes: { type: 0x03, list: [{ bin: Buffer.from("none") }] },
};

const inputs = [{ name: "input", format: 3, shape: [160, 160, 1, 3] }] as const;
const outputs = [{ name: "out", format: 5, shape: [1, 1, 1, 21], dummies: [21, 22, 23] }] as const;

export const samples: Samples = {
  "six.dfp": () => sixth(six),
  "five.dfp": () => older(5, { generation: 4, chips: 4 }, inputs, outputs, program(1024, [300])),
  "oldest.dfp": () => older(undefined, { generation: 3, chips: 1 }, inputs, outputs, program(512, [128])),
};
