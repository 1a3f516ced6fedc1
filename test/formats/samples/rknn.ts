/** RKNN containers of versions 1, 2, 6 and 4100, with an NBG, a FlatBuffer and a bare structure inside; and a FlatBuffer on its own. */

import { bytesOf } from "../../support/sealed.ts";
import { flatBuffer, string, table, vector } from "../build/flatbuffer.ts";
import { nbgSample } from "./nbg.ts";
import type { Samples } from "./samples.ts";

/** What toolkit 2 writes behind the compiled graph. */
export const rknnJson = JSON.stringify({
  target_platform: ["rk3588"],
  version: "2.3.2-source_code",
  ori_network_platform: "ONNX",
  input_num: 1,
  output_num: 1,
  norm_tensor_num: 2,
  norm_tensor: [
    {
      tensor_id: 0,
      dim_num: 2,
      size: [1, 8],
      url: "in",
      dtype: { vx_type: "int8", qnt_type: "int8", qnt_method: "layer" },
    },
    { tensor_id: 1, dim_num: 2, size: [1, 4], url: "out", dtype: { vx_type: "float16", qnt_type: "", qnt_method: "" } },
  ],
  graph: [
    { left: "input", left_tensor_id: 0, right: "norm_tensor", right_tensor_id: 0 },
    { left: "output", left_tensor_id: 0, right: "norm_tensor", right_tensor_id: 1 },
  ],
  nodes: [{ op: "RKNN_OP_NNBG" }],
});

/** And toolkit 1, whose chips have a VeriSilicon core. */
const json1 = JSON.stringify({
  name: "net",
  version: "1.7.1",
  ovxlib_version: "1.1.30",
  pre_compile: 1,
  target_platform: ["RV1126"],
  network_platform: "caffe",
  input_num: 1,
  output_num: 1,
  norm_tensor_num: 2,
  norm_tensor: [
    {
      tensor_id: 0,
      dim_num: 2,
      size: [8, 4],
      url: "data",
      dtype: {
        vx_type: "VSI_NN_TYPE_UINT8",
        qnt_type: "VSI_NN_QNT_TYPE_AFFINE_ASYMMETRIC",
        scale: 0.5,
        zero_point: 128,
      },
    },
    {
      tensor_id: 1,
      dim_num: 1,
      size: [8],
      url: "prob",
      dtype: { vx_type: "VSI_NN_TYPE_INT8", qnt_type: "VSI_NN_QNT_TYPE_DFP", fl: 7 },
    },
  ],
  graph: [
    { left: "input", left_tensor_id: 0, right: "norm_tensor", right_tensor_id: 0 },
    { left: "output", left_tensor_id: 0, right: "norm_tensor", right_tensor_id: 1 },
  ],
  mean_value: [128, 128, 128],
  std_value: [1],
});

export function rknn(version: bigint, graph: string | Uint8Array, text = rknnJson): Uint8Array {
  return bytesOf(
    "RKNN\0\0\0\0",
    version,
    BigInt(graph.length),
    (version & 0xffn) > 1n && graph.length > 0 ? "\0".repeat(40) : "",
    graph,
    BigInt(text.length),
    text,
  );
}

/** What toolkit 1 did not compile: operators, connections and constants stand in the file. */
export const network1 = JSON.stringify({
  ...(JSON.parse(json1) as object),
  pre_compile: 0,
  const_tensor: [
    {
      tensor_id: 0,
      dim_num: 4,
      size: [1, 1, 4, 2],
      dtype: {
        vx_type: "VSI_NN_TYPE_UINT8",
        qnt_type: "VSI_NN_QNT_TYPE_AFFINE_ASYMMETRIC",
        scale: 0.25,
        zero_point: 3,
      },
      offset: 4,
      len: 8,
    },
  ],
  virtual_tensor: [{ node_id: 0, output_port: 0, dtype: { vx_type: "VSI_NN_TYPE_FLOAT16" } }],
  nodes: [
    { name: "conv", op: "VSI_NN_OP_CONV2D", nn: { conv2d: { ksize: [1, 1], stride: [1, 1], group: 1 } } },
    { name: "relu", op: "VSI_NN_OP_RELU" },
  ],
  connection: [
    { node_id: 0, left: "input", left_tensor_id: 0, right_tensor: { type: "norm_tensor", tensor_id: 0 } },
    { node_id: 0, left: "input", left_tensor_id: 1, right_tensor: { type: "const_tensor", tensor_id: 0 } },
    { node_id: 1, left: "input", left_tensor_id: 0, right_node: { node_id: 0, tensor_id: 0 } },
    { node_id: 1, left: "output", left_tensor_id: 0, right_tensor: { type: "norm_tensor", tensor_id: 1 } },
  ],
});

/** An operator of one's own: [length][its description][length][its kernels] behind the JSON. */
const own = JSON.stringify([{ name: "Square", vx_kernel_bin_offset: 0, vx_kernel_bin_len: 6 }]);
export const ownOperators = bytesOf(
  rknn(
    2n,
    "",
    network1
      .replace("VSI_NN_OP_RELU", "SQUARE")
      .replace(/"const_tensor":.*?\}\],/, "")
      .replace(/\{"node_id":0,"left":"input","left_tensor_id":1.*?\}\},/, ""),
  ),
  BigInt(own.length),
  own,
  6n,
  "kernel",
);

/** Numbers of the fields are netron's finding. */
const compiled = flatBuffer(
  table({
    2: vector(table({ 0: vector(), 1: vector() })),
    3: string("RKNN Toolkit2"),
    7: string("compiler 2.3.2 (e045de294f@2025-04-07)"),
    8: string("rk3588"),
    9: string("ONNX"),
  }),
  "RKNN",
);

export const samples: Samples = {
  "toolkit1.rknn": () => rknn(1n, nbgSample(0xb5), json1),
  "network1.rknn": () => rknn(1n, "biasweights!", network1),
  "own-operators.rknn": () => ownOperators,
  "v2.rknn": () => rknn(2n, compiled),
  "v6.rknn": () => rknn(6n, compiled),
  "v4100.rknn": () => rknn(4100n, "a structure of the small runtime", rknnJson.replace("rk3588", "rv1106")),
  "bare.rknn": () => compiled,
};
