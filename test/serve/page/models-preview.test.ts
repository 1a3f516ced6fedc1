/** Outputs as they are sent to the page for drawing. */

import { expect, it } from "vitest";
import { mapPreview, previewOf } from "../../../src/serve/page/models-preview.ts";

const float = (shape: readonly number[], of: (at: number) => number) => ({
  type: "float32" as const,
  shape,
  data: Float32Array.from({ length: shape.reduce((all, size) => all * size, 1) }, (_, at) => of(at)),
});

it("a long row keeps the least and the most of each stretch", () => {
  const value = float([1, 16_000], (at) => (at === 8000 ? 5 : Math.sin(at / 10)));
  const { wave, elements, first } = previewOf("y", value, undefined, "onnx");
  expect(elements).toBe(16_000);
  expect(first).toHaveLength(16);
  expect(wave?.max).toHaveLength(600);
  expect(Math.max(...(wave?.max ?? []))).toBe(5);
  expect(Math.min(...(wave?.min ?? []))).toBeCloseTo(-1, 2);
});

it("what is no number is drawn as nothing, and stays out of JSON's way", () => {
  const value = float([100], (at) => (at < 50 ? NaN : Infinity));
  const { wave } = previewOf("y", value, undefined, "onnx");
  expect(JSON.parse(JSON.stringify(wave))).toEqual(wave);
});

it("channels are where the format has them", () => {
  // Red above, blue below, in both layouts.
  const last = float([1, 16, 16, 3], (at) => (at % 3 === (at < 8 * 48 ? 0 : 2) ? 1 : 0));
  const first = float([1, 3, 16, 16], (at) => {
    const [channel, row] = [Math.floor(at / 256), Math.floor((at % 256) / 16)];
    return channel === (row < 8 ? 0 : 2) ? 1 : 0;
  });
  for (const [value, format] of [
    [last, "tflite"],
    [first, "onnx"],
  ] as const) {
    const { image } = previewOf("y", value, undefined, format);
    const bytes = Buffer.from(image?.data ?? "", "base64");
    expect([image?.width, image?.height, image?.channels]).toEqual([16, 16, 3]);
    expect([...bytes.subarray(0, 3)]).toEqual([255, 0, 0]);
    expect([...bytes.subarray(-3)]).toEqual([0, 0, 255]);
  }
});

it("rows of boxes are no picture, and large pictures are made smaller", () => {
  expect(
    previewOf(
      "y",
      float([1, 84, 8400], () => 0),
      undefined,
      "onnx",
    ).image,
  ).toBeUndefined();
  const { image } = previewOf(
    "y",
    float([1, 1, 1200, 600], (at) => at),
    undefined,
    "onnx",
  );
  expect([image?.width, image?.height, image?.channels]).toEqual([160, 320, 1]);
});

it("classes of pixels become places in the list of classes", () => {
  const map = mapPreview({ width: 2, height: 2, classes: [15, 0, 15, 7] }, [
    { index: 15, pixels: 2, ratio: 0.5 },
    { index: 0, pixels: 1, ratio: 0.25 },
  ]);
  expect(map.classes).toEqual([15, 0]);
  expect([...Buffer.from(map.data, "base64")]).toEqual([0, 1, 0, 255]);
});
