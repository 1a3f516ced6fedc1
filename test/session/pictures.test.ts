/** Real models on real pictures, from the command line to the picture that is drawn. What is true of them is known: a cat, a bird, a pose. */

import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { decode } from "fast-png";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import tflite from "../../src/delegates/tflite.ts";
import type { RunResult } from "../../src/session/result.ts";
import { median } from "../../src/session/statistics.ts";
import { run } from "../support/run.ts";
import { sharedPath } from "../support/shared.ts";

const at = (name: string): string => sharedPath(`models/tflite-edgetpu/${name}`);
const here = tflite.find({}).state === "read" && existsSync(at("squat.bmp"));

describe.skipIf(!here)("models on pictures (skipped: no TFLite here, or no ../shared)", () => {
  let folder = "";
  beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), "accelctl-pictures-"))));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const result = async (model: string, picture: string, ...words: readonly string[]): Promise<RunResult> => {
    const { code, out, err } = await run("run", at(model), at(picture), "--device", "cpu", "--json", ...words);
    expect([code, err]).toEqual([0, ""]);
    return JSON.parse(out) as RunResult;
  };

  it("a cat is a cat", async () => {
    for (const model of ["mobilenet_v1_0.25_128_quant.tflite", "mobilenet_v1_0.5_160_quant.tflite"]) {
      const { outputs, read } = await result(model, "cat.bmp", "--labels", at("imagenet_labels.txt"));
      expect(read).toBeUndefined();
      expect(outputs[0]?.scores).toBe("probabilities");
      expect([model, outputs[0]?.top?.[0]?.label]).toEqual([model, expect.stringMatching(/cat/)]);
    }
  });

  it("a person's points lie where MoveNet's published reference has them", async () => {
    const drawn = join(folder, "squat.png");
    const { read } = await result("movenet_single_pose_lightning_ptq.tflite", "squat.bmp", "--annotate", drawn);
    expect([read?.head, read?.coordinates]).toEqual(["movenet", { of: "picture", width: 500, height: 610 }]);
    const rows = readFileSync(at("movenet_single_pose_lightning_ptq_reference.csv"), "utf8")
      .trim()
      .split("\n")
      .slice(1);
    const points = read?.poses?.[0]?.points ?? [];
    expect(points).toHaveLength(rows.length);
    // The reference's picture was scaled by another filter, and the network's grid has 48 cells: half of the points lie within one, all within
    // three (the hip that the arm hides is off by two).
    const off = rows.map((row, index) => {
      const [, , , , x = NaN, y = NaN] = row.split(",").map(Number);
      const point = points[index] ?? { x: NaN, y: NaN };
      return Math.max(Math.abs(point.x / 500 - x), Math.abs(point.y / 610 - y));
    });
    expect(median(off)).toBeLessThan(1 / 48);
    expect(Math.max(...off)).toBeLessThan(3 / 48);
    const { width, height, data } = decode(readFileSync(drawn));
    expect([width, height]).toEqual([500, 610]);
    const { x = 0, y = 0 } = points[0] ?? {};
    // The nose's disc is of the first colour.
    const pixel = (Math.round(y) * width + Math.round(x)) * (data.length / width / height);
    expect(data[pixel]).toBe(255);
  });

  it("a bird is the bird's class, over the ground", async () => {
    const { read } = await result("deeplabv3_mnv2_dm05_pascal_quant.tflite", "bird.bmp");
    expect(read?.head).toBe("segmentation");
    // PASCAL VOC: 0 is the background, 3 a bird.
    expect(read?.classes?.map(({ index }) => index)).toEqual([0, 3]);
    expect(read?.classes?.[1]?.ratio).toBeGreaterThan(0.1);
  });

  it("one face is found, where it is", async () => {
    const { read } = await result(
      "../tflite/mp_face_detection_short_range.tflite",
      "grace_hopper.bmp",
      "--mean",
      "127.5",
      "--std",
      "127.5",
    );
    expect(read?.head).toBe("mediapipe");
    expect(read?.boxes).toHaveLength(1);
    const [box] = read?.boxes ?? [];
    const eye = box?.points?.[0] ?? { x: 0, y: 0 };
    // Her right eye is left of the middle, at 219, 186.
    expect([Math.abs(eye.x - 219) < 15, Math.abs(eye.y - 186) < 15, (box?.score ?? 0) > 0.8]).toEqual([
      true,
      true,
      true,
    ]);
  });

  it("nothing is drawn without a picture", async () => {
    const { code, err } = await run(
      "run",
      at("mobilenet_v1_0.25_128_quant.tflite"),
      "--annotate",
      join(folder, "none.png"),
    );
    expect([code, err]).toEqual([
      2,
      expect.stringContaining("--annotate draws onto the picture that was given, and none was"),
    ]);
  });
});
