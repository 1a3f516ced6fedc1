/** deploy.json of DRP-AI TVM: an input, a constant, a function of the DRP-AI with two outputs, one of the CPU. */

import type { Samples } from "./samples.ts";

export const deployed = {
  nodes: [
    { op: "null", name: "input1", inputs: [] },
    {
      op: "tvm_op",
      name: "tvmgen_default_tvmgen_default_mera_drp_main_0",
      attrs: {
        func_name: "tvmgen_default_tvmgen_default_mera_drp_main_0",
        num_outputs: "2",
        num_inputs: "1",
        hash: "f8db87458cd034bf",
        Compiler: "mera_drp",
      },
      inputs: [[0, 0, 0]],
    },
    { op: "null", name: "p26", inputs: [] },
    {
      op: "tvm_op",
      name: "tvmgen_default_fused_multiply",
      attrs: { func_name: "tvmgen_default_fused_multiply", num_outputs: "1", num_inputs: "2", flatten_data: "0" },
      inputs: [
        [1, 1, 0],
        [2, 0, 0],
      ],
    },
  ],
  arg_nodes: [0, 2],
  heads: [
    [1, 0, 0],
    [3, 0, 0],
  ],
  attrs: {
    dltype: ["list_str", ["float32", "float16", "float16", "float16", "float16"]],
    storage_id: ["list_int", [0, 1, 2, 3, 4]],
    shape: [
      "list_shape",
      [
        [1, 3, 416, 416],
        [1, 255, 13, 13],
        [1, 8, 26, 26],
        [8, 1, 1],
        [1, 8, 26, 26],
      ],
    ],
  },
  node_row_ptr: [0, 1, 3, 4, 5],
};

export const samples: Samples = { "deploy.json": () => Buffer.from(JSON.stringify(deployed, undefined, 2)) };
