/** Targets that speak ONNX, on small graphs of our own: what the compilers themselves said of such graphs where they could be run. */

import { describe, expect, test } from "vitest";
import { findKnown } from "../../src/fit/find-known.ts";
import { place, type Placement } from "../../src/fit/place.ts";
import { asQuark } from "../../src/fit/quark.ts";
import type { Target } from "../../src/fit/target.ts";
import { all } from "../../src/fit/targets/index.ts";
import { viewOf } from "../../src/fit/view.ts";
import { model, type Attribute, type Node, type Tensor } from "../../src/model/graph.ts";
import { sharedOp } from "../../src/model/ops.ts";

const ids =
  "tidl-onnx tidl-onnx-am62a tidl-tflite tidl-tflite-am62a rknn-rk3588 rknn-rk3566 rknn-rk3562 rknn-rk3576 rknn-rv1106 rknn-rv1106b rknn-rk2118 tensorrt nvidia-dla axelera axera-ax650 axera-ax620e axera-ax637 axera-ax615 ort-coreml ort-coreml-nn ort-nnapi ort-xnnpack ort-qnn qnn-htp ort-openvino-gpu ort-openvino-npu openvino-npu vitisai-xint8 vitisai-a8w8 vitisai-a16w8 vitisai-bf16 hailo tenstorrent-ttnn nvdla".split(
    " ",
  );

function named(id: string): Target {
  const found = all.find((target) => target.id === id);
  if (found === undefined) throw new Error(`no target ${id}`);
  return found;
}

interface Made {
  readonly spelled: string;
  readonly attributes?: Readonly<Record<string, Attribute>>;
  /** Constant operands: their shape, and numbers where they are few. */
  readonly constants?: readonly { readonly shape: readonly number[]; readonly values?: readonly number[] }[];
  readonly out: readonly number[];
  readonly type?: Tensor["type"];
}

/** A chain of operators behind an input. */
function chain(input: readonly number[], made: readonly Made[]): ReturnType<typeof viewOf> {
  const tensors: Tensor[] = [{ name: "x", type: "float32", shape: input }];
  const nodes = made.map(({ spelled, attributes = {}, constants = [], out, type = "float32" }, at): Node => {
    const before = at === 0 ? 0 : tensors.findIndex(({ name }) => name === `t${at - 1}`);
    const inputs = [before];
    constants.forEach(({ shape, values }, index) => {
      tensors.push({
        name: `c${at}.${index}`,
        type: values === undefined ? "float32" : "int64",
        shape,
        data: { bytes: 4 },
        ...(values === undefined ? {} : { values }),
      });
      inputs.push(tensors.length - 1);
    });
    tensors.push({ name: `t${at}`, type, shape: out });
    const op = sharedOp("onnx", spelled, "");
    return {
      spelled,
      name: `n${at}`,
      ...(op === undefined ? {} : { op }),
      inputs,
      outputs: [tensors.length - 1],
      attributes,
    };
  });
  const graph = { name: "main", tensors, nodes, inputs: [0], outputs: [tensors.length - 1] };
  return viewOf(model("onnx", { sealed: false, graphs: [graph], main: 0, metadata: { "opset ai.onnx": "17" } }));
}

function placed(id: string, { views, model: whole }: ReturnType<typeof viewOf>): Placement {
  return place(views, whole, named(id));
}

const conv = (k: number, s: number, out: readonly number[], group = 1): Made => ({
  spelled: "Conv",
  attributes: { kernel_shape: [k, k], strides: [s, s], pads: [k >> 1, k >> 1, k >> 1, k >> 1], group },
  constants: [{ shape: [16, 16 / group, k, k] }],
  out,
});
const image = [1, 16, 32, 32];
const one = (spelled: string, attributes: Made["attributes"] = {}, constants: Made["constants"] = []): Made => ({
  spelled,
  attributes,
  constants,
  out: image,
});

describe("targets that read ONNX", () => {
  test("all are there, with a source, and their rules are asked without an exception", () => {
    const graph = chain(image, [conv(3, 1, image), one("Relu"), one("Softmax", { axis: 1 }), one("Unheard")]);
    for (const id of ids) {
      const target = named(id);
      expect(target.sources.length, id).toBeGreaterThan(0);
      const { total, taken, cpu, unsure } = placed(id, graph);
      expect(taken + cpu + unsure, id).toBe(total);
    }
  });

  test("ONNX Runtime's QNN leaves Q of what goes in and DQ of what comes out to the CPU, and tells when the batch is open", () => {
    const known = findKnown("resnet18")?.known.build({ dialect: "onnx" });
    const model = known && asQuark(known, "A8W8");
    if (model === undefined) throw new Error("no resnet18");
    const { taken, cpu, refusals, prerequisites } = placed("ort-qnn", viewOf(model));
    expect([taken, cpu]).toEqual([163, 2]);
    expect(refusals.map(({ op }) => op).sort()).toEqual(["DequantizeLinear", "QuantizeLinear"]);
    expect(prerequisites.map(({ rule, met }) => [rule, met])).toContainEqual(["dynamic", "yes"]);
    const [graph] = model.graphs;
    if (graph === undefined) throw new Error("no graph");
    const tensors = graph.tensors.map((tensor) =>
      tensor.shape?.length === 4 && tensor.data === undefined
        ? { ...tensor, shape: ["batch", ...tensor.shape.slice(1)] }
        : tensor,
    );
    const open = placed("ort-qnn", viewOf({ ...model, graphs: [{ ...graph, tensors }] }));
    expect(open.prerequisites.map(({ rule, met }) => [rule, met])).toContainEqual(["dynamic", "no"]);
  });

  test("ONNX Runtime's QNN takes Einsum for the products it knows, and sums of more than two", () => {
    const einsum = (equation: string): number =>
      placed("ort-qnn", chain(image, [one("Einsum", { equation }, [{ shape: [16, 32, 32] }])])).taken;
    expect(["bhwc,wkc->bhwk", "bhwc,hkc->bhwk", "nchw,oc->nohw"].map(einsum)).toEqual([1, 1, 0]);
    const sum = (more: number): number =>
      placed(
        "ort-qnn",
        chain(image, [
          one(
            "Sum",
            {},
            Array.from({ length: more }, () => ({ shape: [1] })),
          ),
        ]),
      ).taken;
    expect([0, 1, 2].map(sum)).toEqual([0, 1, 1]);
  });

  test("TIDL takes the windows its import tool was made for and names the others", () => {
    const windows = (k: number, s: number, group = 1): Placement =>
      placed("tidl-onnx", chain(image, [conv(k, s, [1, 16, Math.floor(32 / s), Math.floor(32 / s)], group)]));
    expect([1, 3, 5, 7].map((k) => windows(k, 1).taken)).toEqual([1, 1, 1, 1]);
    expect(windows(3, 2, 16).taken).toBe(1);
    expect(windows(9, 1).taken).toBe(0);
    expect(windows(9, 1, 16).refusals[0]).toMatchObject({ op: "Conv", rule: "kernel" });
    expect(windows(9, 1, 16).refusals[0]?.because).toContain("Depthwise (Fully Grouped) convolution");
    const pool = (k: number, s: number): number =>
      placed(
        "tidl-onnx",
        chain(image, [conv(3, 1, image), { ...one("MaxPool", { kernel_shape: [k, k], strides: [s, s] }) }]),
      ).taken;
    expect([pool(3, 2), pool(2, 2), pool(5, 1)]).toEqual([2, 2, 1]);
  });

  test("TIDL gives back a subgraph that only changes shapes", () => {
    const { partitions, taken } = placed(
      "tidl-onnx",
      chain(image, [
        conv(3, 1, image),
        one("NonZero"),
        { spelled: "Reshape", constants: [{ shape: [2], values: [1, 16384] }], out: [1, 16384] },
      ]),
    );
    expect([partitions.length, taken]).toEqual([1, 1]);
  });

  test("Rockchip's compiler leaves to the CPU what it left there in 2.5.0", () => {
    const alone = (id: string, made: Made): number =>
      placed(id, chain(image, [conv(1, 1, image), made, conv(1, 1, image)])).cpu;
    const onCpu = ["Exp", "Log", "Mish", "Floor", "Sign", "Reciprocal", "LRN"];
    expect(onCpu.map((name) => alone("rknn-rk3588", one(name)))).toEqual(onCpu.map(() => 1));
    const onNpu = ["Relu", "Sigmoid", "HardSwish", "Abs", "Neg", "GlobalMaxPool", "Tanh"];
    expect(onNpu.map((name) => alone("rknn-rk3588", one(name)))).toEqual(onNpu.map(() => 0));
    expect(alone("rknn-rk3588", one("Softmax", { axis: 1 }))).toBe(0);
    expect(alone("rknn-rk3566", one("Softmax", { axis: 1 }))).toBe(1);
    const padded = { kernel_shape: [3, 3], strides: [1, 1], pads: [1, 1, 1, 1] };
    expect(alone("rknn-rk3588", one("AveragePool", padded))).toBe(1);
    expect(alone("rknn-rk3588", one("AveragePool", { ...padded, count_include_pad: 1 }))).toBe(0);
    expect(alone("rknn-rk3576", one("Sin"))).toBe(0);
    expect(alone("rknn-rk3588", one("Sin"))).toBe(1);
  });

  test("Qualcomm's HTP refuses what its validation refused, and takes Erf within GELU", () => {
    const alone = (made: Made): number => placed("ort-qnn", chain(image, [conv(1, 1, image), made])).cpu;
    const names = ["Softsign", "Asin", "Hardmax", "ReduceProd", "Celu", "Trilu"];
    expect(names.map((name) => alone(one(name)))).toEqual(names.map(() => 1));
    expect(alone(one("Erf"))).toBe(1);
    expect(placed("ort-qnn", chain(image, [one("Div"), one("Erf"), one("Add"), one("Mul")])).cpu).toBe(0);
    expect(alone(one("MaxPool", { kernel_shape: [3, 3], dilations: [2, 2] }))).toBe(1);
  });

  test("XNNPACK takes an activation with the convolution before it, and not alone", () => {
    expect(placed("ort-xnnpack", chain(image, [conv(3, 1, image), one("Relu")])).taken).toBe(2);
    expect(placed("ort-xnnpack", chain(image, [one("Sigmoid"), one("Relu")])).taken).toBe(0);
  });

  test("Core ML refuses six dimensions in its own words", () => {
    const { refusals } = placed(
      "ort-coreml",
      chain([1, 2, 8, 2, 8, 16], [{ ...one("Relu"), out: [1, 2, 8, 2, 8, 16] }]),
    );
    expect(refusals[0]?.because).toBe("CoreML EP doesn't allow input shapes with rank greater than 5: rank 6");
  });

  test("Vitis AI leaves a plain convolution with Clip to the CPU and keeps a depthwise one", () => {
    const bounds = [
      { shape: [], values: [0] },
      { shape: [], values: [6] },
    ];
    const graph = chain(image, [
      conv(1, 1, image),
      one("Clip", {}, bounds),
      conv(3, 1, image, 16),
      one("Clip", {}, bounds),
      conv(1, 1, image),
    ]);
    const where = place(graph.views, { ...graph.model, scheme: "qdq" }, named("vitisai-xint8")).nodes.map(
      (node) => node.where,
    );
    expect(where).toEqual(["cpu", "cpu", 0, 0, 0]);
    expect(place(graph.views, { ...graph.model, scheme: "qdq" }, named("vitisai-a16w8")).cpu).toBe(0);
  });

  test("a float model is told to be quantised first where integers are all there is", () => {
    const { fits, prerequisites } = placed("vitisai-xint8", chain(image, [conv(3, 1, image), conv(3, 1, image)]));
    expect(fits).toBe("none");
    expect(prerequisites.find(({ rule }) => rule === "quantization")?.cure).toContain("Quark");
  });

  test("weakly documented targets say unsure of what nobody wrote down", () => {
    for (const id of ["hailo", "openvino-npu", "qnn-htp", "tenstorrent-ttnn", "vitisai-bf16"]) {
      expect(placed(id, chain(image, [conv(3, 1, image), one("Unheard")])).unsure, id).toBeGreaterThan(0);
    }
  });
});
