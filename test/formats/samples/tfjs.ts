/** TensorFlow.js: a graph model with a function and quantised weights, and layers models, sequential and functional. */

import type { Samples } from "./samples.ts";

const dims = (...sizes: number[]): unknown => ({ dim: sizes.map((size) => ({ size: String(size) })) });
const float = { type: "DT_FLOAT" };
const base64 = (text: string): string => Buffer.from(text).toString("base64");
const constant = (name: string, dtype: string, ...shape: number[]): unknown => ({
  name,
  op: "Const",
  attr: { dtype: { type: dtype }, value: { tensor: { dtype, tensorShape: dims(...shape) } } },
});
const strides = { strides: { list: { i: ["1", "2", "2", "1"] } }, padding: { s: base64("SAME") } };

/** 8x8x3 -> conv 3x3x3x4 stride 2 -> depthwise -> shape of itself -> If -> MatMul. Nodes stand in no order. */
export const graphModel = {
  format: "graph-model",
  generatedBy: "2.15.0",
  convertedBy: "TensorFlow.js Converter v4.22.0",
  signature: {
    inputs: { image: { name: "image:0", dtype: "DT_FLOAT", tensorShape: dims(-1, 8, 8, 3) } },
    outputs: { score: { name: "score:0", dtype: "DT_FLOAT", tensorShape: dims(-1, 5) } },
  },
  modelTopology: {
    node: [
      constant("conv/kernel", "DT_FLOAT", 3, 3, 3, 4),
      constant("dw/kernel", "DT_FLOAT", 3, 3, 4, 1),
      constant("bias", "DT_FLOAT", 4),
      constant("head/kernel", "DT_FLOAT", 64, 5),
      {
        name: "flat/shape",
        op: "Const",
        attr: {
          dtype: { type: "DT_INT32" },
          value: { tensor: { dtype: "DT_INT32", tensorShape: dims(2), intVal: [-1, 64] } },
        },
      },
      { name: "flat", op: "Reshape", input: ["act", "flat/shape"], attr: { T: float } },
      {
        name: "score",
        op: "MatMul",
        input: ["flat", "head/kernel", "^dw"],
        attr: { T: float, transpose_b: { b: false } },
      },
      { name: "image", op: "Placeholder", attr: { dtype: float, shape: { shape: dims(-1, 8, 8, 3) } } },
      {
        name: "conv",
        op: "_FusedConv2D",
        input: ["image", "conv/kernel", "bias"],
        attr: {
          T: float,
          ...strides,
          fused_ops: { list: { s: [base64("BiasAdd"), base64("Relu6")] } },
          epsilon: { f: 0 },
        },
      },
      {
        name: "dw",
        op: "DepthwiseConv2dNative",
        input: ["conv", "dw/kernel"],
        attr: { T: float, strides: { list: { i: ["1", "1", "1", "1"] } }, padding: { s: base64("SAME") } },
      },
      {
        name: "act",
        op: "StatelessIf",
        input: ["flag", "dw"],
        attr: { then_branch: { func: { name: "half" } }, _output_shapes: { list: { shape: [dims(-1, 4, 4, 4)] } } },
      },
      { name: "flag", op: "Placeholder", attr: { dtype: { type: "DT_BOOL" }, shape: { shape: {} } } },
    ],
    library: {
      function: [
        {
          signature: {
            name: "half",
            inputArg: [{ name: "x", type: "DT_FLOAT" }],
            outputArg: [{ name: "y", type: "DT_FLOAT" }],
          },
          argAttr: { 0: { attr: { _output_shapes: { list: { shape: [dims(-1, 4, 4, 4)] } } } } },
          nodeDef: [{ name: "relu", op: "Relu", input: ["x"], attr: { T: float } }],
          ret: { y: "relu:activations:0" },
        },
      ],
    },
    versions: { producer: 1087 },
  },
  weightsManifest: [
    {
      paths: ["group1-shard1of2.bin", "group1-shard2of2.bin"],
      weights: [
        {
          name: "conv/kernel",
          shape: [3, 3, 3, 4],
          dtype: "float32",
          quantization: { dtype: "uint8", scale: 0.02, min: -2.56, original_dtype: "float32" },
        },
        { name: "dw/kernel", shape: [3, 3, 4, 1], dtype: "float32", quantization: { dtype: "float16" } },
        { name: "bias", shape: [4], dtype: "float32" },
      ],
    },
    { paths: ["group2-shard1of1.bin"], weights: [{ name: "head/kernel", shape: [64, 5], dtype: "float32" }] },
  ],
};

const layer = (class_name: string, config: object, inbound_nodes?: unknown): unknown => ({
  class_name,
  config,
  ...(inbound_nodes === undefined ? {} : { name: (config as { name: string }).name, inbound_nodes }),
});

export const sequential = {
  format: "layers-model",
  generatedBy: "keras v2.15.0",
  convertedBy: "TensorFlow.js Converter v4.22.0",
  modelTopology: {
    keras_version: "2.15.0",
    backend: "tensorflow",
    model_config: {
      class_name: "Sequential",
      config: {
        name: "sequential",
        layers: [
          layer("Conv2D", {
            name: "conv",
            batch_input_shape: [null, 16, 16, 3],
            dtype: "float32",
            filters: 8,
            kernel_size: [3, 3],
            strides: [2, 2],
            padding: "same",
            activation: "relu",
            kernel_initializer: { class_name: "GlorotUniform", config: {} },
          }),
          layer("MaxPooling2D", { name: "pool", pool_size: [2, 2], strides: [2, 2], padding: "valid" }),
          layer("Flatten", { name: "flat" }),
          layer("Dense", { name: "dense", units: 10, activation: "softmax" }),
        ],
      },
    },
  },
  userDefinedMetadata: { labels: ["cat", "dog"], tool: "hand" },
  weightsManifest: [
    {
      paths: ["group1-shard1of1.bin"],
      weights: [
        { name: "conv/kernel", shape: [3, 3, 3, 8], dtype: "float32" },
        { name: "conv/bias", shape: [8], dtype: "float32" },
        { name: "dense/kernel", shape: [128, 10], dtype: "float32" },
        { name: "dense/bias", shape: [10], dtype: "float32" },
      ],
    },
  ],
};

const inner = layer("Sequential", {
  name: "step",
  layers: [layer("Dense", { name: "inner", batch_input_shape: [null, 6, 8], units: 4, activation: "tanh" })],
}) as object;

/** Two inputs, a layer used twice, a model inside, a recurrent layer in both directions, an output of many. */
export const functional = {
  format: "layers-model",
  modelTopology: {
    class_name: "Model",
    config: {
      name: "both",
      layers: [
        layer("InputLayer", { name: "a", batch_input_shape: [null, 6], dtype: "int32" }, []),
        layer("InputLayer", { name: "b", batch_input_shape: [null, 6], dtype: "int32" }, []),
        layer("Concatenate", { name: "cat", axis: -1 }, [
          [
            ["step", 1, 0, {}],
            ["step", 2, 0, {}],
          ],
        ]),
        layer("Embedding", { name: "embed", input_dim: 50, output_dim: 8 }, [[["a", 0, 0, {}]], [["b", 0, 0, {}]]]),
        {
          ...inner,
          name: "step",
          inbound_nodes: [[["embed", 0, 0, {}]], [["embed", 0, 0, {}]], [["embed", 1, 0, {}]]],
        },
        layer(
          "Bidirectional",
          { name: "bi", layer: layer("LSTM", { units: 5, return_sequences: false }), merge_mode: "concat" },
          [{ args: [{ class_name: "__keras_tensor__", config: { keras_history: ["cat", 0, 0] } }], kwargs: {} }],
        ),
        layer("Dense", { name: "out", units: 1, activation: "sigmoid" }, [[["bi", 0, 0, {}]]]),
      ],
      input_layers: [
        ["a", 0, 0],
        ["b", 0, 0],
      ],
      output_layers: [["out", 0, 0]],
    },
  },
  weightsManifest: [
    {
      paths: ["w.bin"],
      weights: [
        { name: "embed/embeddings", shape: [50, 8], dtype: "float32" },
        { name: "step/inner/kernel", shape: [8, 4], dtype: "float32" },
        { name: "bi/forward_lstm/kernel", shape: [8, 20], dtype: "float32" },
        { name: "bi/forward_lstm/recurrent_kernel", shape: [5, 20], dtype: "float32" },
        { name: "bi/forward_lstm/bias", shape: [20], dtype: "float32" },
        { name: "bi/backward_lstm/kernel", shape: [8, 20], dtype: "float32" },
        { name: "bi/backward_lstm/recurrent_kernel", shape: [5, 20], dtype: "float32" },
        { name: "bi/backward_lstm/bias", shape: [20], dtype: "float32" },
        { name: "out/kernel", shape: [10, 1], dtype: "float32" },
      ],
    },
  ],
};

const json = (value: unknown): Uint8Array => Buffer.from(JSON.stringify(value));

export const samples: Samples = {
  "graph.json": () => json(graphModel),
  "sequential.json": () => json(sequential),
  "functional.json": () => json(functional),
  "weights_manifest.json": () => json(sequential.weightsManifest),
};
