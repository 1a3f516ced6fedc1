/** Heads on tensors made by hand: what each reads, why, and what it leaves alone. */

import { describe, expect, it } from "vitest";
import type { Value } from "../../src/delegates/value.ts";
import type { Port } from "../../src/delegates/delegate.ts";
import type { Ends } from "../../src/session/heads/head.ts";
import { heads } from "../../src/session/heads/index.ts";
import { overlapOf, suppress } from "../../src/session/heads/boxes.ts";
import { candidates, interpret, type About, type Interpretation } from "../../src/session/interpret.ts";

const float = (shape: readonly number[], data = new Float32Array(shape.reduce((a, b) => a * b, 1))): Value => ({
  type: "float32",
  shape,
  data,
});

const bare: Ends["model"] = { metadata: {}, graphs: [] };

interface Case {
  readonly outputs: Readonly<Record<string, Value>>;
  /** Of the input, NHWC. */
  readonly input?: readonly [width: number, height: number];
  readonly about?: Partial<About>;
}

function read({ outputs, input = [64, 64], about }: Case): Interpretation | undefined {
  const inputs = new Map([["x", float([1, input[1], input[0], 3], new Float32Array(0))]]);
  const all = new Map(Object.entries(outputs));
  return interpret(all, { model: bare, file: "model", ports: [], inputs, head: "auto", most: 100, ...about })?.report;
}

/** Fills [row, column] of a matrix of so many columns. */
const put = (data: Float32Array, columns: number, row: number, values: readonly number[]): void =>
  data.set(values, row * columns);

const rounded = (report: Interpretation | undefined): unknown =>
  report?.boxes?.map(({ left, top, right, bottom, class: index }) => [
    ...[left, top, right, bottom].map((side) => Math.round(side)),
    index,
  ]);

// 64 x 64 with strides 8, 16, 32: 64 + 16 + 4 cells.
const CELLS = 84;

describe("non-maximum suppression", () => {
  const box = (left: number, score: number, index = 0) => ({
    left,
    top: 0,
    right: left + 10,
    bottom: 10,
    score,
    class: index,
  });
  it("keeps the higher of two that overlap, and both where classes differ", () => {
    expect(overlapOf(box(0, 1), box(5, 1))).toBeCloseTo(1 / 3);
    expect(overlapOf(box(0, 1), box(10, 1))).toBe(0);
    const keep = { score: 0, overlap: 0.3, boxes: 9 };
    expect(suppress([box(0, 0.5), box(5, 0.9), box(20, 0.7)], keep).map(({ score }) => score)).toEqual([0.9, 0.7]);
    expect(suppress([box(0, 0.5, 1), box(5, 0.9)], keep)).toHaveLength(2);
    expect(suppress([box(0, 0.5), box(20, 0.9)], { ...keep, boxes: 1 })).toHaveLength(1);
  });
});

describe("heads of detectors", () => {
  it("YOLOv5: three rows a cell, in pixels or in shares of the input", () => {
    for (const scale of [1, 1 / 64]) {
      const data = new Float32Array(3 * CELLS * 7);
      put(data, 7, 5, [32 * scale, 16 * scale, 20 * scale, 10 * scale, 0.9, 0.1, 0.8]);
      put(data, 7, 6, [33 * scale, 16 * scale, 20 * scale, 10 * scale, 0.8, 0.1, 0.8]);
      // Pixels are told from shares by what lies far off.
      put(data, 7, 7, [60 * scale, 60 * scale, 4 * scale, 4 * scale, 0.1, 0.9, 0.9]);
      const report = read({ outputs: { out: float([1, 3 * CELLS, 7], data) } });
      expect(report?.head).toBe("yolov5");
      expect(rounded(report)).toEqual([[22, 11, 42, 21, 1]]);
      expect(report?.boxes?.[0]?.score).toBeCloseTo(0.72);
      expect(report?.because).toContain("three rows for each cell that strides 8, 16 and 32 make of 64 x 64");
    }
  });

  it("YOLOv8: one column a cell; its labels name the classes", () => {
    const data = new Float32Array(6 * CELLS);
    [40, 24, 16, 8, 0.2, 0.7].forEach((value, row) => (data[row * CELLS + 10] = value));
    const outputs = { output0: float([1, 6, CELLS], data) };
    const report = read({ outputs, about: { labels: ["cat", "dog"] } });
    expect([report?.head, rounded(report), report?.boxes?.[0]?.label]).toEqual([
      "yolov8",
      [[32, 20, 48, 28, 1]],
      "dog",
    ]);
  });

  it("YOLOv8 pose: what the file says of its points decides between points and classes", () => {
    const data = new Float32Array(56 * CELLS);
    [40, 24, 16, 8, 0.9, 41, 25, 0.8].forEach((value, row) => (data[row * CELLS + 3] = value));
    const outputs = { output0: float([1, 56, CELLS], data) };
    const model = { ...bare, metadata: { task: "pose", kpt_shape: "[17, 3]" } };
    const report = read({ outputs, about: { model, labels: ["person"] } });
    expect(report?.boxes?.[0]?.points?.[0]).toEqual({
      name: "nose",
      x: 41,
      y: 25,
      score: expect.closeTo(0.8) as number,
    });
    // Without that, 56 rows are read as nothing.
    expect(read({ outputs })).toBeUndefined();
  });

  it("YOLOX: sizes are logarithms, places are cells", () => {
    const data = new Float32Array(CELLS * 7);
    // Cell (2, 1) of stride 16 is row 64 + 1 * 4 + 2.
    put(data, 7, 70, [0.5, 0.5, Math.log(2), Math.log(0.5), 0.9, 0.2, 0.9]);
    const report = read({ outputs: { out: float([1, CELLS, 7], data) } });
    expect([report?.head, rounded(report)]).toEqual(["yolox", [[24, 20, 56, 28, 1]]]);
  });

  it("YOLOv8 before decoding: distances are means of distributions, in one tensor or two", () => {
    const maps: Record<string, Value> = {};
    for (const [at, side] of [8, 4, 2].entries()) {
      const data = new Float32Array(side * side * 66).fill(-20);
      if (side === 4) {
        const cell = (1 * 4 + 2) * 66;
        // Left 1, top 2, right 3, bottom 4 cells.
        [1, 2, 3, 4].forEach((distance, of) => (data[cell + of * 16 + distance] = 20));
        data[cell + 65] = 3;
      }
      maps[`m${at}`] = float([1, side, side, 66], data);
    }
    const sure = read({ outputs: maps, about: { file: "yolo11n.tflite" } });
    expect([sure?.head, rounded(sure)]).toEqual(["yolo-maps", [[24, 0, 64, 64, 1]]]);
    expect(sure?.boxes?.[0]?.score).toBeCloseTo(1 / (1 + Math.exp(-3)));
    // Without a name these channels might be an older head's.
    expect(read({ outputs: maps })).toBeUndefined();
  });

  it("rows of a sorted list: scores fall and classes are whole", () => {
    const good = Float32Array.from([8, 8, 24, 32, 0.9, 3, 0, 0, 10, 10, 0.3, 1, 0, 0, 0, 0, 0, 0]);
    const report = read({ outputs: { out: float([1, 3, 6], good) } });
    expect([report?.head, rounded(report)]).toEqual([
      "nms-rows",
      [
        [8, 8, 24, 32, 3],
        [0, 0, 10, 10, 1],
      ],
    ]);
    expect(read({ outputs: { out: float([1, 3, 6], good.slice().reverse()) } })).toBeUndefined();
  });

  it("DetectionOutput: seven columns, shares of the input, ended by a picture below 0", () => {
    const data = Float32Array.from([0, 2, 0.8, 0.25, 0.5, 0.5, 1, -1, 0, 0, 0, 0, 0, 0, 0, 1, 0.9, 0, 0, 1, 1]);
    const report = read({ outputs: { detection_out: float([1, 1, 3, 7], data) } });
    expect(rounded(report)).toEqual([[16, 32, 32, 64, 2]]);
  });

  it("TFLite_Detection_PostProcess: the operator says which output is which, in any order", () => {
    const names = ["count", "scores", "classes", "boxes"];
    const tensors = names.map((name) => ({ name, type: "float32" as const }));
    const node = { spelled: "TFLite_Detection_PostProcess", inputs: [], outputs: [3, 2, 1, 0], attributes: {} };
    const graph = { name: "g", tensors, nodes: [node], inputs: [], outputs: [0, 1, 2, 3] };
    const outputs = {
      count: float([1], Float32Array.of(1)),
      scores: float([1, 2], Float32Array.of(0.9, 0.8)),
      classes: float([1, 2], Float32Array.of(1, 0)),
      boxes: float([1, 2, 4], Float32Array.of(0.25, 0, 0.5, 1, 0, 0, 1, 1)),
    };
    const report = read({ outputs, about: { model: { metadata: {}, graphs: [graph] } } });
    expect([report?.head, rounded(report)]).toEqual(["nms-outputs", [[0, 16, 64, 32, 1]]]);
  });

  it("outputs named as the Object Detection API's count classes from 1", () => {
    const outputs = {
      "detection_boxes:0": float([1, 1, 4], Float32Array.of(0, 0, 1, 1)),
      "detection_classes:0": float([1, 1], Float32Array.of(1)),
      "detection_scores:0": float([1, 1], Float32Array.of(0.9)),
      "num_detections:0": float([1], Float32Array.of(1)),
    };
    expect(read({ outputs, about: { labels: ["person"] } })?.boxes?.[0]).toMatchObject({ class: 0, label: "person" });
  });

  it("MediaPipe's faces: offsets from anchors that its options make", () => {
    const [boxes, scores] = [new Float32Array(896 * 16), new Float32Array(896).fill(-9)];
    // Row 2 x (16 x 3 + 5) is the first anchor of cell (5, 3) of stride 8: centre 44, 28.
    const row = 2 * (16 * 3 + 5);
    scores[row] = 4;
    put(boxes, 16, row, [0, 4, 20, 40, -5, -6]);
    const outputs = { regressors: float([1, 896, 16], boxes), classificators: float([1, 896, 1], scores) };
    const report = read({ outputs, input: [128, 128] });
    expect([report?.head, rounded(report)]).toEqual(["mediapipe", [[34, 12, 54, 52, undefined]]]);
    expect(report?.boxes?.[0]?.points?.[0]).toEqual({ name: "right eye", x: 39, y: 22 });
    expect(read({ outputs, input: [192, 192] })).toBeUndefined();
  });

  it("RetinaFace: offsets from boxes of its published sizes", () => {
    const rows = 2 * CELLS;
    const [offsets, pairs] = [new Float32Array(rows * 4), new Float32Array(rows * 2)];
    for (let row = 0; row < rows; row++) pairs[row * 2] = 1;
    // Second box (32 pixels) of cell (1, 2) of stride 8: centre 12, 20.
    const row = 2 * (2 * 8 + 1) + 1;
    pairs.set([0.1, 0.9], row * 2);
    offsets.set([1.25, 0, 0, Math.log(0.5) / 0.2], row * 4);
    const outputs = { a: float([1, rows, 4], offsets), b: float([1, rows, 2], pairs), c: float([1, rows, 10]) };
    const report = read({ outputs });
    expect([report?.head, rounded(report)]).toEqual(["retinaface", [[0, 12, 32, 28, undefined]]]);
    expect(report?.boxes?.[0]?.points).toHaveLength(5);
  });

  it("SCRFD: distances in strides from a cell's corner", () => {
    const outputs: Record<string, Value> = {};
    for (const [stride, cells] of [
      [8, 64],
      [16, 16],
      [32, 4],
    ] as const) {
      const [scores, sides] = [new Float32Array(cells * 2), new Float32Array(cells * 8)];
      if (stride === 16) {
        scores[2 * 5] = 0.8;
        sides.set([1, 0.5, 1, 1.5], 2 * 5 * 4);
      }
      outputs[`score_${stride}`] = float([cells * 2, 1], scores);
      outputs[`bbox_${stride}`] = float([cells * 2, 4], sides);
    }
    // Cell 5 is (1, 1): its corner lies at 16, 16.
    const report = read({ outputs });
    expect([report?.head, rounded(report)]).toEqual(["scrfd", [[0, 8, 32, 40, undefined]]]);
  });

  it("YuNet: by the names of its outputs", () => {
    const outputs: Record<string, Value> = {};
    for (const [stride, cells] of [
      [8, 64],
      [16, 16],
      [32, 4],
    ] as const) {
      const [ones, boxes] = [new Float32Array(cells), new Float32Array(cells * 4)];
      if (stride === 8) {
        ones[9] = 0.9;
        boxes.set([0.5, 0.5, 0, Math.log(2)], 9 * 4);
      }
      outputs[`cls_${stride}`] = float([1, cells, 1], ones);
      outputs[`obj_${stride}`] = float([1, cells, 1], ones);
      outputs[`bbox_${stride}`] = float([1, cells, 4], boxes);
      outputs[`kps_${stride}`] = float([1, cells, 10]);
    }
    const report = read({ outputs });
    expect([report?.head, rounded(report)]).toEqual(["yunet", [[8, 4, 16, 20, undefined]]]);
    expect(report?.boxes?.[0]?.score).toBeCloseTo(0.9);
  });

  it("UltraFace: as many rows as its boxes over 320 x 240", () => {
    const [corners, pairs] = [new Float32Array(4420 * 4), new Float32Array(4420 * 2)];
    pairs.set([0.05, 0.95], 200);
    corners.set([0.25, 0.5, 0.5, 1], 400);
    const report = read({
      outputs: { scores: float([1, 4420, 2], pairs), boxes: float([1, 4420, 4], corners) },
      input: [320, 240],
    });
    expect([report?.head, rounded(report)]).toEqual(["ultraface", [[80, 120, 160, 240, undefined]]]);
  });

  it("DETR: a class more than labels is no object", () => {
    const logits = Float32Array.of(0, 5, 0, 0, 0, 9);
    const places = Float32Array.of(0.5, 0.5, 0.5, 0.25, 0.1, 0.1, 0.1, 0.1);
    const outputs = { logits: float([1, 2, 3], logits), pred_boxes: float([1, 2, 4], places) };
    const report = read({ outputs, about: { labels: ["cat", "dog"] } });
    expect(rounded(report)).toEqual([[16, 24, 48, 40, 1]]);
    expect(report?.assumed.join()).toContain('the last class is "no object"');
  });
});

it("what fits two heads is named and not read", () => {
  const outputs = new Map([["out", float([1, 56, CELLS])]]);
  const inputs = new Map([["x", float([1, 64, 64, 3], new Float32Array(0))]]);
  const about: About = { model: bare, file: "m", ports: [], inputs, head: "auto", most: 9 };
  expect([interpret(outputs, about), candidates(outputs, about)]).toEqual([undefined, ["yolov8"]]);
});

it("labels of another model change no classes", () => {
  const data = new Float32Array(3 * CELLS * 7);
  put(data, 7, 5, [32, 16, 20, 10, 0.9, 0.1, 0.8]);
  put(data, 7, 7, [60, 60, 4, 4, 0.1, 0.9, 0.9]);
  const report = read({ outputs: { out: float([1, 3 * CELLS, 7], data) }, about: { labels: ["only one"] } });
  expect(report?.boxes?.[0]).toMatchObject({ class: 1 });
  expect(report?.boxes?.[0]?.label).toBeUndefined();
  expect(report?.assumed.join()).toContain("1 labels do not reach class 1 and are not used");
});

it("a map of any whole numbers is counted, however many there are", () => {
  const side = 600;
  const data = BigInt64Array.from({ length: side * side }, (_, at) => BigInt(at) - 5n);
  const report = read({
    outputs: { map: { type: "int64", shape: [1, side, side], data } },
    input: [side, side],
    about: { most: 3, labels: ["a"] },
  });
  expect(report?.classes).toHaveLength(3);
});

describe("other heads", () => {
  it("MoveNet: y before x, in shares of the input", () => {
    const data = new Float32Array(51);
    data.set([0.5, 0.25, 0.9]);
    const report = read({ outputs: { out: float([1, 1, 17, 3], data) } });
    expect(report?.poses?.[0]?.points[0]).toEqual({ name: "nose", x: 16, y: 32, score: expect.closeTo(0.9) as number });
  });

  it("DB text: a region becomes a rectangle that is grown", () => {
    const data = new Float32Array(64 * 64);
    for (let y = 20; y < 30; y++) data.fill(0.9, y * 64 + 10, y * 64 + 50);
    // A speck, and a region that is too faint.
    data[5] = 1;
    for (let y = 50; y < 60; y++) data.fill(0.4, y * 64 + 10, y * 64 + 50);
    const outputs = { "sigmoid_0.tmp_0": float([1, 1, 64, 64], data) };
    const model = { ...bare, producer: { name: "PaddlePaddle" } };
    // 40 x 10 grows by 400 x 1.5 / 100 = 6 on each side.
    expect(rounded(read({ outputs, about: { model } }))).toEqual([[4, 14, 56, 36, undefined]]);
    expect(read({ outputs })).toBeUndefined();
    expect(read({ outputs, about: { head: "db-text" } })?.boxes).toHaveLength(1);
  });

  it("a turned region keeps its corners", () => {
    const data = new Float32Array(64 * 64);
    for (let y = 0; y < 64; y++) {
      for (let x = 0; x < 64; x++) if (Math.abs(x - y) <= 4 && x + y > 40 && x + y < 90) data[y * 64 + x] = 0.9;
    }
    const report = read({ outputs: { out: float([1, 1, 64, 64], data) }, about: { file: "text_det.onnx" } });
    const [first, second] = report?.boxes?.[0]?.corners ?? [];
    const slope = ((second?.[1] ?? 0) - (first?.[1] ?? 0)) / ((second?.[0] ?? 0) - (first?.[0] ?? 0));
    expect(Math.abs(Math.abs(slope) - 1)).toBeLessThan(0.1);
  });

  it("maps of classes: whole numbers of an ArgMax, or the highest of a pixel's values", () => {
    const whole: Value = {
      type: "int64",
      shape: [1, 64, 64],
      data: BigInt64Array.from({ length: 4096 }, (_, at) => (at < 1024 ? 2n : 0n)),
    };
    expect(read({ outputs: { ArgMax: whole }, about: { labels: ["ground", "cat", "dog"] } })?.classes).toEqual([
      { index: 0, label: "ground", pixels: 3072, ratio: 0.75 },
      { index: 2, label: "dog", pixels: 1024, ratio: 0.25 },
    ]);
    const scores = new Float32Array(3 * 32 * 32);
    scores.fill(1, 32 * 32, 32 * 32 + 512);
    const outputs = { out: float([1, 3, 32, 32], scores) };
    expect(read({ outputs, about: { file: "unet.onnx" } })?.classes?.map(({ index, ratio }) => [index, ratio])).toEqual(
      [
        [0, 0.5],
        [1, 0.5],
      ],
    );
    // Three values a pixel may as well be a picture.
    expect(read({ outputs })).toBeUndefined();
  });

  it("coordinates are those of the picture where one was given, whatever its way into the input", () => {
    const data = new Float32Array(51);
    data.set([0.5, 0.5, 1]);
    // 200 x 100 letterboxed into 64 x 64: 64 x 32, 16 below the top.
    const placed = {
      width: 200,
      height: 100,
      from: { x: 0, y: 0, width: 200, height: 100 },
      to: { x: 0, y: 16, width: 64, height: 32 },
    };
    const report = read({ outputs: { out: float([1, 1, 17, 3], data) }, about: { placed } });
    expect(report?.coordinates).toEqual({ of: "picture", width: 200, height: 100 });
    expect(report?.poses?.[0]?.points[0]).toMatchObject({ x: 100, y: 50 });
  });

  it("quantised outputs are read as the real numbers they stand for", () => {
    const data = new Uint8Array(51);
    data.set([100, 50, 200]);
    const port: Port = { name: "out", type: "uint8", shape: [1, 1, 17, 3], quantization: { scale: 0.005, zero: 0 } };
    const report = read({ outputs: { out: { type: "uint8", shape: [1, 1, 17, 3], data } }, about: { ports: [port] } });
    expect(report?.poses?.[0]?.points[0]).toMatchObject({ x: 16, y: 32 });
  });

  it("none is read where none is asked for, and one that does not fit is an error", () => {
    const outputs = { out: float([1, 1, 17, 3]) };
    expect(read({ outputs, about: { head: "none" } })).toBeUndefined();
    expect(() => read({ outputs, about: { head: "yolov5" } })).toThrow(
      "--head yolov5: the outputs are not laid out so: out [1, 1, 17, 3] for an input of 64 x 64",
    );
  });
});

it("every head has an id of its own, a name, and a source", () => {
  expect(new Set(heads.map(({ id }) => id)).size).toBe(heads.length);
  for (const { id, name, sources } of heads) {
    expect(id).toMatch(/^[a-z][a-z0-9-]+$/);
    expect(name).not.toBe("");
    expect(sources.every((source) => source.startsWith("https://"))).toBe(true);
    expect(sources.length).toBeGreaterThan(0);
  }
});

it("no head takes outputs of another kind, whatever their numbers", () => {
  for (const shape of [
    [1, 1000],
    [1, 10],
    [2, 1, 128],
    [1, 16, 4],
    [1, 64, 64, 3],
    [1, 3, 64, 64],
    [1, 100, 6],
  ]) {
    const data = Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, at) => Math.sin(at * 7.3) * 3);
    expect([shape, read({ outputs: { out: float(shape, data) } })?.head]).toEqual([shape, undefined]);
  }
});
