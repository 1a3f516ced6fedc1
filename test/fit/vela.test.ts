import { existsSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { place, type Placement } from "../../src/fit/place.ts";
import type { Target } from "../../src/fit/target.ts";
import teflon from "../../src/fit/targets/teflon.ts";
import vela from "../../src/fit/targets/vela.ts";
import { viewOf } from "../../src/fit/view.ts";
import { openModelFile } from "../../src/formats/file.ts";
import { readTfliteModel } from "../../src/formats/tflite.ts";
import { model, type Attribute, type Node, type Tensor } from "../../src/model/graph.ts";
import { sharedOp } from "../../src/model/ops.ts";

const named = (id: string): Target => {
  const target = [...vela, ...teflon].find((one) => one.id === id);
  if (target === undefined) throw new Error(id);
  return target;
};

const quantization = { scale: [0.02], zeroPoint: [0] };
const int8 = (shape: readonly number[], more: Partial<Tensor> = {}): Tensor => ({
  name: `t${shape.join("x")}`,
  type: "int8",
  shape,
  quantization,
  ...more,
});
const numbers = (values: readonly number[], shape: readonly number[] = [values.length]): Tensor => ({
  name: "constant",
  type: "int32",
  shape,
  values,
  data: { offset: 0, bytes: values.length * 4 },
});
const weights = (shape: readonly number[], more: Partial<Tensor> = {}): Tensor =>
  int8(shape, { name: "weights", data: { offset: 0, bytes: shape.reduce((a, b) => a * b, 1) }, ...more });

/** One operator of TFLite on the target: what is said of it. */
function asked(
  id: string,
  spelled: string,
  inputs: readonly Tensor[],
  output: Tensor,
  attributes: Record<string, Attribute> = {},
): string {
  const op = sharedOp("tflite", spelled);
  const node: Node = {
    spelled,
    inputs: inputs.map((_, at) => at),
    outputs: [inputs.length],
    attributes,
    ...(op === undefined ? {} : { op }),
  };
  const graph = { name: "main", tensors: [...inputs, output], nodes: [node], inputs: [0], outputs: [inputs.length] };
  const { views, model: whole } = viewOf(model("tflite", { sealed: false, graphs: [graph], main: 0 }));
  const { answer } = place(views, whole, named(id)).nodes[0] ?? {};
  if (answer === undefined) throw new Error("no node");
  return answer.takes === "yes" ? "yes" : `${answer.takes} ${answer.rule}: ${answer.because}`;
}

const conv = { strides_h: 1, strides_w: 1, dilations_h: 1, dilations_w: 1, padding: "SAME" };
const convolve = (id: string, more: Record<string, Attribute>, filter = weights([8, 3, 3, 4]), to = [1, 16, 16, 8]) =>
  asked(id, "CONV_2D", [int8([1, 16, 16, 4]), filter, { ...numbers([0], [8]), quantization }], int8(to), {
    ...conv,
    ...more,
  });

describe("Vela", () => {
  test("takes a convolution whose filter has a scale for each channel", () => {
    const quantised = weights([8, 3, 3, 4], {
      quantization: { scale: Array(8).fill(0.1) as number[], zeroPoint: [0], axis: 0 },
    });
    expect(convolve("vela", {}, quantised)).toBe("yes");
  });

  test("refuses a filter that is dilated beyond 64 rows in its own words", () => {
    expect(convolve("vela", { dilations_h: 33 })).toBe(
      "no dilation: Dilated kernel height must be in the range [1, 64]: Op has dilated kernel height as: 67",
    );
    expect(convolve("vela", { dilations_h: 31 })).toBe("yes");
  });

  test("takes a stride of 4 where the width can be folded, and not along the height", () => {
    expect(convolve("vela", { strides_w: 4, padding: "VALID" }, undefined, [1, 14, 4, 8])).toBe("yes");
    expect(convolve("vela", { strides_h: 4, padding: "VALID" }, undefined, [1, 4, 14, 8])).toMatch(
      /^no stride: Strides must/,
    );
  });

  test("looks at tensors before it says that an operator is not for the NPU", () => {
    const scalar: Tensor = { ...numbers([1], []), shape: [] };
    expect(asked("vela", "GATHER", [int8([4, 4]), scalar], int8([4]), { axis: 0, batch_dims: 0 })).toMatch(
      /^no scalar: Scalar Input tensors are only valid for op type/,
    );
    expect(asked("vela", "SQRT", [int8([4, 4])], int8([4, 4]))).toBe("no operator: CPU only op");
    expect(asked("vela", "DEQUANTIZE", [int8([4])], { name: "f", type: "float32", shape: [4] })).toMatch(
      /^no quantisation/,
    );
  });

  test("pads channels in 4.2 and in NXP's fork, and not in 3.10", () => {
    const padded = (id: string): string =>
      asked(id, "PAD", [int8([1, 4, 4, 3]), numbers([0, 0, 0, 0, 0, 0, 0, 5], [4, 2])], int8([1, 4, 4, 8]));
    expect(padded("vela")).toBe("no padding: The pad tensor can only pad width and height: padding: 0,0,0,0,0,0,0,5");
    expect([padded("vela-nxp"), padded("vela4")]).toEqual(["yes", "yes"]);
  });

  test("transposes what moves height and width, and nothing that moves channels of a larger image", () => {
    const turned = (order: readonly number[], from = [1, 4, 6, 8]) =>
      asked("vela", "TRANSPOSE", [int8(from), numbers(order)], int8(order.map((axis) => from[axis] ?? 1)));
    expect(turned([0, 2, 1, 3])).toBe("yes");
    expect(turned([0, 3, 1, 2])).toMatch(/^no order: The following shape/);
    expect(turned([0, 1, 3, 2], [1, 1, 6, 8])).toBe("yes");
  });

  test("does not guess an axis that no constant gives", () => {
    const open: Tensor = { name: "axis", type: "int32", shape: [1] };
    expect(asked("vela", "MEAN", [int8([1, 4, 4, 8]), open], int8([1, 8]), { keep_dims: false })).toMatch(
      /^unsure axis/,
    );
    expect(asked("vela", "MEAN", [int8([1, 4, 4, 8]), numbers([-1])], int8([1, 4, 4]), { keep_dims: false })).toMatch(
      /^no axis/,
    );
  });
});

describe("Teflon", () => {
  test("takes a fused RELU6 only where the output's range ends at 6", () => {
    const to = (scale: number): Tensor => int8([1, 16, 16, 8], { quantization: { scale: [scale], zeroPoint: [-128] } });
    const said = (scale: number): string =>
      asked("teflon-rocket", "CONV_2D", [int8([1, 16, 16, 4]), weights([8, 3, 3, 4])], to(scale), {
        ...conv,
        activation: "RELU6",
      });
    expect(said(6 / 255)).toBe("yes");
    expect(said(6.4 / 255)).toBe(
      "no activation range: a fused RELU6 needs an output whose quantised range ends at 6: it ends at 6.400",
    );
  });

  test("takes scales for each channel only where all are one", () => {
    const each = (scale: number[]) =>
      weights([8, 3, 3, 4], { quantization: { scale, zeroPoint: scale.map(() => 0), axis: 0 } });
    expect(convolve("teflon-ethosu", {}, each(Array(8).fill(0.5) as number[]))).toBe("yes");
    expect(convolve("teflon-ethosu", {}, each([1, 2, 1, 1, 1, 1, 1, 1]))).toMatch(
      /^no per-channel: Per-axis quantization/,
    );
  });

  test("adds no constants", () => {
    expect(asked("teflon-rocket", "ADD", [int8([1, 4]), weights([1, 4])], int8([1, 4]))).toMatch(
      /^no constant operand/,
    );
    expect(asked("teflon-rocket", "ADD", [int8([1, 4]), int8([1, 4])], int8([1, 4]))).toBe("yes");
  });

  test("warns of a sum that has no convolution to be fused into on rocket", () => {
    const tensors = [int8([1, 4]), int8([1, 4]), int8([1, 4])];
    const nodes: Node[] = [{ spelled: "ADD", op: "Add", inputs: [0, 1], outputs: [2], attributes: {} }];
    const graph = { name: "main", tensors, nodes, inputs: [0, 1], outputs: [2] };
    const { views, model: whole } = viewOf(model("tflite", { sealed: false, graphs: [graph], main: 0 }));
    const { prerequisites } = place(views, whole, named("teflon-rocket"));
    expect(prerequisites.map(({ rule, met }) => [rule, met])).toEqual([["sums follow convolutions", "no"]]);
  });
});

const shared = new URL("../../../shared/models/tflite/", import.meta.url);

describe.skipIf(!existsSync(shared))("files that Vela 3.10 and libteflon were run on", () => {
  const on = (file: string, id: string): Placement => {
    const { views, model: whole } = viewOf(
      readTfliteModel(openModelFile(new URL(`${file}.tflite`, shared).pathname)).model,
    );
    return place(views, whole, named(id));
  };
  // File, operators on the accelerator by Vela and by Teflon for ethosu.
  const rows: readonly (readonly [string, number, number, number])[] = [
    ["micro_hey_jarvis", 45, 26, 6],
    ["micro_okay_nabu", 61, 42, 15],
    ["micro_speech_quantized", 4, 4, 0],
    ["hello_world_int8", 3, 3, 0],
    ["trained_lstm", 4, 0, 0],
  ];
  test.each(rows)("%s falls as it did", (file, total, byVela, byTeflon) => {
    const [a, b] = [on(file, "vela-nxp"), on(file, "teflon-ethosu")];
    expect([a.total, a.taken, b.taken, a.unsure + b.unsure]).toEqual([total, byVela, byTeflon, 0]);
  });
});
