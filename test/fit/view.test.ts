import { existsSync } from "node:fs";
import { describe, expect, test } from "vitest";
import * as rules from "../../src/fit/rules.ts";
import { viewOf, type View } from "../../src/fit/view.ts";
import { readModel } from "../../src/inspect/describe.ts";
import { model, type Node, type Tensor } from "../../src/model/graph.ts";

const shared = (path: string): string => new URL(`../../../shared/models/${path}`, import.meta.url).pathname;
const viewsOf = (path: string): readonly View[] => viewOf(readModel(shared(path))).views;
const here = (path: string): boolean => existsSync(shared(path));

describe("views of files", () => {
  test.skipIf(!here("tflite/rocket_test_2conv.tflite"))("TFLite: channels last, open batches are 1", () => {
    const conv = viewsOf("tflite/rocket_test_2conv.tflite").find(({ spelled }) => spelled === "CONV_2D");
    expect(conv).toMatchObject({
      op: "Conv",
      batch: 1,
      inSize: [8, 8],
      inChannels: 3,
      outChannels: 16,
      kernel: [3, 3],
      stride: [1, 1],
      dilation: [1, 1],
      padding: "same",
      groups: 1,
      depthwise: false,
      activation: "RELU",
      perChannel: true,
      quantized: true,
      dynamic: false,
    });
    expect(conv?.work).toMatchObject({ macs: 8 * 8 * 16 * 27, weights: 16 * 27 + 16, weightBytes: 16 * 27 + 64 });
  });

  test.skipIf(!here("onnx/ch_ppocr_mobile_v2.0_cls_infer.onnx"))(
    "ONNX: channels second, sizes that are open stay open",
    () => {
      const views = viewsOf("onnx/ch_ppocr_mobile_v2.0_cls_infer.onnx");
      const conv = views.find(({ spelled }) => spelled === "Conv");
      expect(conv).toMatchObject({ kernel: [3, 3], stride: [2, 2], padding: "explicit", groups: 1, dynamic: true });
      expect(conv?.work.macs).toBeUndefined();
      expect(views.filter(({ depthwise }) => depthwise).length).toBeGreaterThan(5);
      expect(views.filter(({ kind }) => kind === "graph").every(({ folded }) => folded)).toBe(true);
    },
  );

  test.skipIf(!here("ncnn/scrfd_500m-opt2.param"))(
    "ncnn: heights left out are widths, weights are counted from parameters",
    () => {
      const views = viewsOf("ncnn/scrfd_500m-opt2.param");
      const depthwise = views.find(({ spelled }) => spelled === "ConvolutionDepthWise");
      expect(depthwise).toMatchObject({
        kernel: [3, 3],
        stride: [1, 1],
        groups: 16,
        depthwise: true,
        activation: undefined,
      });
      expect(depthwise?.work.weights).toBe(144);
    },
  );
});

describe("rules", () => {
  const tensor = (shape: number[], more: Partial<Tensor> = {}): Tensor => ({ name: "t", type: "int8", shape, ...more });
  const viewOfOne = (node: Partial<Node>, tensors: readonly Tensor[]): View => {
    const whole: Node = { spelled: "CONV_2D", op: "Conv", inputs: [0, 1], outputs: [2], attributes: {}, ...node };
    const graph = { name: "g", tensors, nodes: [whole], inputs: [0], outputs: [2] };
    const [view] = viewOf(model("tflite", { sealed: false, graphs: [graph], main: 0 })).views;
    if (view === undefined) throw new Error("no view");
    return view;
  };
  const weights = tensor([8, 5, 3, 4], { data: { bytes: 480 } });
  const conv = viewOfOne({ attributes: { strides_h: 2, strides_w: 4, padding: "VALID", activation: "RELU6" } }, [
    tensor([1, 16, 16, 4]),
    weights,
    tensor([1, 6, 4, 8]),
  ]);

  test("answer of windows, activations and types, and say what they found", () => {
    expect(rules.stride([1, 3]).holds(conv)).toBe(false);
    expect(rules.stride([1, 3]).found?.(conv)).toBe("stride 2x4");
    expect(rules.strideHeight([1, 3]).holds(conv)).toBe(true);
    expect(rules.kernel(4).holds(conv)).toBe(false);
    expect(rules.kernelArea(15).holds(conv)).toBe(true);
    expect(rules.noDilation().holds(conv)).toBe(true);
    expect(rules.padding(["same"]).found?.(conv)).toBe("padding valid");
    expect(rules.activations(["RELU"]).holds(conv)).toBe(false);
    expect(rules.inTypes(["int8"]).holds(conv)).toBe(true);
    expect(rules.constantWeights().holds(conv)).toBe(true);
    expect(rules.batchOne().holds(conv)).toBe(true);
  });

  test("leave open what the file leaves open", () => {
    const open = viewOfOne({ inputs: [0], attributes: {} }, [
      { name: "t", type: "int8" },
      weights,
      { name: "u", type: "int8" },
    ]);
    for (const rule of [rules.kernel(3), rules.rank(4), rules.batchOne(), rules.imageSize(64), rules.channels(64)])
      expect(rule.holds(open), rule.rule).toBeUndefined();
    expect(rules.staticShapes().holds(open)).toBe(false);
    expect(rules.constantWeights().holds(open)).toBe(false);
  });

  test("tell broadcasts apart", () => {
    const add = (a: number[], b: number[]): View =>
      viewOfOne({ spelled: "ADD", op: "Add" }, [tensor(a), tensor(b), tensor(a)]);
    expect(rules.noBroadcast().holds(add([1, 4, 4, 8], [1, 4, 4, 8]))).toBe(true);
    expect(rules.noBroadcast().holds(add([1, 4, 4, 8], [8]))).toBe(false);
    expect(rules.scalarBroadcast().holds(add([1, 4, 4, 8], [1]))).toBe(true);
    expect(rules.oneSidedBroadcast().holds(add([1, 4, 4, 8], [1, 1, 1, 8]))).toBe(true);
  });
});
