/** Sizes: numbers computed by hand, and what Pillow 13.0's resize(..., BILINEAR) gave for the same pixels. */

import { describe, expect, it } from "vitest";
import { fit, luma, resize, type Pixels } from "../../src/media/resize.ts";

const row = (...data: number[]): Pixels => ({
  width: data.length,
  height: 1,
  channels: 1,
  data: Uint8Array.from(data),
});

describe("resize", () => {
  it("enlarges between the middles of pixels and repeats the edges", () => {
    // Middles of four pixels over two: 0.25, 0.75, 1.25, 1.75 of 0.5 and 1.5.
    expect(Array.from(resize(row(0, 100), 4, 1).data)).toEqual([0, 25, 75, 100]);
  });

  it("reduces by every pixel: the filter is twice as wide as the step", () => {
    // Middle of the first result is 1 of 4: weights 0.75, 0.75, 0.25 of 1.75 over pixels 0, 1, 2.
    expect(Array.from(resize(row(70, 0, 0, 0), 2, 1).data)).toEqual([30, 0]);
    expect(Array.from(resize(row(0, 0, 70, 0), 2, 1).data)).toEqual([10, 30]);
  });

  it("keeps a picture of one colour, and one of the right size, as it is", () => {
    const grey = { width: 7, height: 5, channels: 3, data: new Uint8Array(105).fill(137) };
    expect(new Set(resize(grey, 31, 2).data)).toEqual(new Set([137]));
    expect(resize(grey, 7, 5)).toEqual(grey);
  });

  it("gives Pillow's numbers", () => {
    // Image.fromarray((np.arange(5*7*3).reshape(5,7,3)*37%256).astype(np.uint8)).resize((4,3), Image.BILINEAR)
    const data = Uint8Array.from({ length: 105 }, (_, i) => (i * 37) % 256);
    expect(Array.from(resize({ width: 7, height: 5, channels: 3, data }, 4, 3).data)).toEqual(PILLOW);
  });
});

describe("fit", () => {
  const tall: Pixels = { width: 2, height: 4, channels: 1, data: Uint8Array.of(1, 1, 2, 2, 3, 3, 4, 4) };

  it("letterbox keeps the whole picture and says where it lies", () => {
    const { pixels, from, to } = fit(tall, 4, 4, "letterbox", 9);
    expect(Array.from(pixels.data)).toEqual([9, 1, 1, 9, 9, 2, 2, 9, 9, 3, 3, 9, 9, 4, 4, 9]);
    expect(from).toEqual({ x: 0, y: 0, width: 2, height: 4 });
    expect(to).toEqual({ x: 1, y: 0, width: 2, height: 4 });
  });

  it("crop takes the middle", () => {
    const { pixels, from, to } = fit(tall, 2, 2, "crop", 9);
    expect(Array.from(pixels.data)).toEqual([2, 2, 3, 3]);
    expect(from).toEqual({ x: 0, y: 1, width: 2, height: 2 });
    expect(to).toEqual({ x: 0, y: 0, width: 2, height: 2 });
  });

  it("stretch takes all of it", () => {
    expect(fit(tall, 1, 4, "stretch", 9).pixels.data).toEqual(Uint8Array.of(1, 2, 3, 4));
  });
});

it("luma weighs colours as Pillow does", () => {
  const data = Uint8Array.of(255, 0, 0, 0, 255, 0, 0, 0, 255, 10, 20, 30);
  expect(Array.from(luma({ width: 4, height: 1, channels: 3, data, done: [] }).data)).toEqual([76, 150, 29, 18]);
});

const PILLOW = [
  62, 87, 124, 163, 67, 104, 132, 169, 73, 112, 149, 174, 76, 101, 138, 177, 81, 118, 146, 183, 87, 126, 163, 188, 83,
  115, 152, 115, 95, 132, 160, 121, 101, 140, 170, 126,
];
