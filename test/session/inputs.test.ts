/** Inputs: what files become, what is derived from the model, and that everything assumed is said. */

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { zipSync } from "fflate";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Port } from "../../src/delegates/delegate.ts";
import { readModel } from "../../src/inspect/describe.ts";
import { model as modelOf, type Model, type Tensor } from "../../src/model/graph.ts";
import { makeInputs, type InputOptions } from "../../src/session/inputs.ts";
import { writeNpy } from "../../src/session/npy.ts";
import { bmp } from "../support/pictures.ts";
import { hasShared, sharedPath, unlessShared } from "../support/shared.ts";
import { wav } from "../support/wav.ts";

let folder = "";
beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), "accelctl-inputs-"))));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const file = (name: string, content: string | Uint8Array): string => {
  writeFileSync(join(folder, name), content);
  return join(folder, name);
};

const give = async (ports: Port | readonly Port[], options: Partial<InputOptions>): ReturnType<typeof makeInputs> =>
  makeInputs("name" in ports ? [ports] : ports, { files: new Map(), shapes: new Map(), seed: 0, ...options });

/** Two pixels wide, one high: red 255, 0; green 0, 128; blue 10, 20. */
const two = (): string =>
  file("two.bmp", bmp({ width: 2, height: 1, bits: 24, data: Uint8Array.of(255, 0, 10, 0, 128, 20) }));
const floatPort = (...shape: Port["shape"]): Port => ({ name: "x", type: "float32", shape });
const quantised = (type: Port["type"], scale: number, zero: number, ...shape: Port["shape"]): Port => ({
  name: "x",
  type,
  shape,
  quantization: { scale, zero },
});
const numbers = async (port: Port, options: Partial<InputOptions> = {}): Promise<number[]> => {
  const { values } = await give(port, { unnamed: [two()], ...options });
  return Array.from(values.get("x")?.data as Float32Array, (value) => Math.round(value * 1000) / 1000);
};
const onnx = (metadata: Record<string, string>): Model => modelOf("onnx", { sealed: false, metadata });

describe("a picture", () => {
  it("goes in as its shape says: channels last or first, one channel as luma, four with alpha", async () => {
    const preprocess = { std: [1] };
    expect(await numbers(floatPort(1, 1, 2, 3), { preprocess })).toEqual([255, 0, 10, 0, 128, 20]);
    expect(await numbers(floatPort(1, 3, 1, 2), { preprocess })).toEqual([255, 0, 0, 128, 10, 20]);
    expect(await numbers(floatPort(3, 1, 2), { preprocess })).toEqual([255, 0, 0, 128, 10, 20]);
    expect(await numbers(floatPort(1, 1, 1, 2), { preprocess })).toEqual([77, 77]);
    expect(await numbers(floatPort(1, 4, 1, 2), { preprocess })).toEqual([255, 0, 0, 128, 10, 20, 255, 255]);
    expect(await numbers(floatPort(2, 1, 2, 3), { preprocess })).toEqual([
      255, 0, 10, 0, 128, 20, 255, 0, 10, 0, 128, 20,
    ]);
  });

  it("goes in as flags say", async () => {
    const port = floatPort(1, 3, 1, 2);
    expect(await numbers(port, { preprocess: { color: "bgr", std: [1] } })).toEqual([10, 20, 0, 128, 255, 0]);
    expect(await numbers(port, { preprocess: { mean: [127.5], std: [127.5] } })).toEqual([
      1, -1, -1, 0.004, -0.922, -0.843,
    ]);
    expect(await numbers(port, { preprocess: { mean: [5, 0, 10], std: [1, 2, 10] } })).toEqual([250, -5, 0, 64, 0, 1]);
    const { assumed } = await give(port, {
      unnamed: [two()],
      preprocess: { mean: [0.5], std: [0.5], color: "rgb" },
    });
    expect(assumed).toEqual(["x: mean and std are below 1 and taken as of pixels from 0 to 1"]);
    await expect(numbers(port, { preprocess: { mean: [1, 2] } })).rejects.toThrow(
      "--mean takes one number or 3; not 2",
    );
  });

  it("without any word goes in from 0 to 1, and that is said", async () => {
    const { values, assumed } = await give(floatPort(1, 3, 1, 2), { unnamed: [two()] });
    expect(Array.from(values.get("x")?.data as Float32Array)).toEqual(
      Array.from(Float32Array.of(1, 0, 0, 128 / 255, 10 / 255, 20 / 255)),
    );
    expect(assumed).toEqual([
      "x: red, green and blue in this order (--color bgr turns it)",
      "x: values from 0 to 1: nothing says otherwise (--mean 127.5 --std 127.5 for -1 to 1, --std 1 for 0 to 255)",
    ]);
  });

  it("goes in as the quantisation says", async () => {
    expect(await numbers(quantised("uint8", 1 / 128, 128, 1, 1, 2, 3))).toEqual([255, 0, 10, 0, 128, 20]);
    expect(await numbers(quantised("int8", 1 / 255, -128, 1, 1, 2, 3))).toEqual([127, -128, -118, -128, 0, -108]);
    expect(await numbers({ name: "x", type: "int32", shape: [1, 1, 2, 3] })).toEqual([255, 0, 10, 0, 128, 20]);
    // (255 - 100) / 50 = 3.1, by 0.1 is 31, and 5 more.
    const flags = { preprocess: { mean: [100], std: [50] } };
    expect(await numbers(quantised("int8", 0.1, 5, 1, 1, 2, 3), flags)).toEqual([36, -15, -13, -15, 11, -11]);
    const { assumed } = await give(quantised("uint8", 1 / 128, 128, 1, 1, 2, 3), { unnamed: [two()] });
    expect(assumed[1]).toBe("x: pixels as they are, 0 to 255, which are -1 to 0.9922 to the model");
  });

  it("goes in as the quantisation behind a float input says", async () => {
    const tensors: Tensor[] = [
      { name: "x", type: "float32", shape: [1, 1, 2, 3] },
      { name: "q", type: "int8", shape: [1, 1, 2, 3], quantization: { scale: [1 / 127.5], zeroPoint: [0] } },
    ];
    const nodes = [{ spelled: "QUANTIZE", inputs: [0], outputs: [1], attributes: {} }];
    const graphs = [{ name: "main", tensors, nodes, inputs: [0], outputs: [1] }];
    const model = modelOf("tflite", { sealed: false, graphs });
    expect(await numbers(floatPort(1, 1, 2, 3), { model })).toEqual([1, -1, -0.922, -1, 0.004, -0.843]);
  });

  it("goes in as metadata say: TFLite's normalisation, ONNX's pixel format and range, Ultralytics' letterbox", async () => {
    const expects = [{ kind: "image", color: "rgb", mean: [100], std: [10] }] as const;
    const tflite = modelOf("tflite", { sealed: false, expects });
    expect(await numbers(floatPort(1, 1, 2, 3), { model: tflite })).toEqual([15.5, -10, -9, -10, 2.8, -8]);
    const model = onnx({ "Image.BitmapPixelFormat": "Bgr8", "image.nominalpixelrange": "NominalRange_0_255" });
    const { values, assumed } = await give(floatPort(1, 3, 1, 2), { unnamed: [two()], model });
    expect(Array.from(values.get("x")?.data as Float32Array)).toEqual([10, 20, 0, 128, 255, 0]);
    expect(assumed).toEqual(["x: BGR, as its ONNX metadata says", "x: (pixel - 0) / 1, as its ONNX metadata says"]);
    const yolo = await give(floatPort(1, 3, 4, 4), { unnamed: [two()], model: { ...onnx({}), author: "Ultralytics" } });
    expect(yolo.assumed[0]).toBe(
      "x: the picture's 2x1 pixels become 4x2 of 4x4, the border is grey (114), as Ultralytics feeds its models",
    );
  });

  it("says how it was sized, and where it lies", async () => {
    const port = floatPort(1, 3, 4, 4);
    const letterbox = await give(port, { unnamed: [two()], preprocess: { resize: "letterbox" } });
    expect(letterbox.pictures.get("x")?.placed).toEqual({
      width: 2,
      height: 1,
      from: { x: 0, y: 0, width: 2, height: 1 },
      to: { x: 0, y: 1, width: 4, height: 2 },
    });
    expect((await give(port, { unnamed: [two()] })).assumed[0]).toBe(
      "x: the picture's 2x1 pixels are stretched to 4x4 (--resize letterbox or crop keep its proportions)",
    );
  });

  it("closes open sizes by the picture, in steps of 32, or by --shape", async () => {
    const port = floatPort("N", 3, "H", "W");
    const big = file("big.bmp", bmp({ width: 100, height: 40, bits: 24, data: new Uint8Array(12000) }));
    const open = await give(port, { unnamed: [big] });
    expect(open.values.get("x")?.shape).toEqual([1, 3, 32, 96]);
    expect(open.assumed[0]).toBe(
      "x: 96x32 pixels, from the picture's own size in steps of 32 (--shape says otherwise)",
    );
    const shapes = new Map([["x", [1, 3, 8, 8]]]);
    expect((await give(port, { unnamed: [big], shapes })).values.get("x")?.shape).toEqual([1, 3, 8, 8]);
    const row = await give(floatPort("N", 3, 64, "W"), { unnamed: [big] });
    expect(row.values.get("x")?.shape).toEqual([1, 3, 64, 160]);
  });

  it("finds its input among others, and is refused by one that takes none", async () => {
    const ports: Port[] = [{ name: "size", type: "int64", shape: [2] }, floatPort(1, 3, 1, 2)];
    const { values, assumed } = await give(ports, { unnamed: [two()] });
    expect(values.get("x")?.shape).toEqual([1, 3, 1, 2]);
    expect(assumed).toContain("size: values made from seed 0");
    await expect(give(floatPort(1, 784), { files: new Map([["x", two()]]) })).rejects.toThrow(
      /two\.bmp: a picture, and input "x" is float32 \[1, 784\], which takes none$/,
    );
  });
});

describe("sound", () => {
  const tone = (): string =>
    file("tone.wav", wav({ coding: 1, bits: 16, channels: 1, rate: 8000, samples: [0, 0.5, -0.5, 0.25] }));

  it("is cut or filled up to the input, and says its rate", async () => {
    const short = await give(floatPort(1, 2), { unnamed: [tone()] });
    expect(Array.from(short.values.get("x")?.data as Float32Array)).toEqual([0, 0.5]);
    expect(short.assumed).toEqual([
      "x: 8000 samples a second as the file has; nothing says what the model wants (--rate does)",
      "x: the first 2 of 4 samples",
    ]);
    const long = await give(floatPort(6), { unnamed: [tone()], preprocess: { rate: 8000 } });
    expect(Array.from(long.values.get("x")?.data as Float32Array)).toEqual([0, 0.5, -0.5, 0.25, 0, 0]);
    expect(long.assumed).toEqual(["x: 4 samples, then silence up to 6"]);
  });

  it("is resampled as flags or metadata say, and is 16-bit numbers for an int16 input", async () => {
    const open = await give(floatPort(1, "T"), { unnamed: [tone()], preprocess: { rate: 16000 } });
    expect(open.values.get("x")?.shape).toEqual([1, 8]);
    const model = modelOf("tflite", { sealed: false, expects: [{ kind: "audio", rate: 4000 }] });
    const half = await give(floatPort(1, 2), { unnamed: [tone()], model });
    expect(half.assumed).toEqual(["x: resampled from 8000 to 4000 samples a second, as its metadata says"]);
    const whole = await give({ name: "x", type: "int16", shape: [4] }, { unnamed: [tone()] });
    expect(Array.from(whole.values.get("x")?.data as Int16Array)).toEqual([0, 16384, -16384, 8192]);
  });
});

describe("values", () => {
  const npy = (type: "float32" | "float64" | "int64", data: Float32Array | Float64Array | BigInt64Array): Uint8Array =>
    writeNpy({ type, shape: [1, data.length], data }) ?? new Uint8Array();

  it("of a .npz go to the inputs it names", async () => {
    const ports = [floatPort(1, 2), { ...floatPort(2), name: "y/a:0" }];
    const arrays = {
      "x.npy": npy("float32", Float32Array.of(1, 2)),
      "y/a:0.npy": npy("float32", Float32Array.of(3, 4)),
    };
    const { values, assumed } = await give(ports, { unnamed: [file("a.npz", zipSync(arrays))] });
    expect([...values].map(([name, { data }]) => [name, ...(data as Float32Array)])).toEqual([
      ["x", 1, 2],
      ["y/a:0", 3, 4],
    ]);
    expect(assumed).toEqual(["y/a:0: [1, 2] taken as [2]"]);
    const other = file(
      "b.npz",
      zipSync({ "z.npy": npy("float32", Float32Array.of(1)), "w.npy": npy("float32", Float32Array.of(1)) }),
    );
    await expect(give(ports, { unnamed: [other] })).rejects.toThrow('the model has no input "z"; it has x, y/a:0');
    await expect(give(ports, { files: new Map([["x", other]]) })).rejects.toThrow('no "x" in it; it holds z, w');
  });

  it("of real numbers are quantised for a quantised input, and that is said", async () => {
    const port = quantised("int8", 0.5, 10, 1, 3);
    for (const path of [
      file("q.npy", npy("float32", Float32Array.of(1, -2.3, 900))),
      file("q.json", "[[1, -2.3, 900]]"),
    ]) {
      const { values, assumed } = await give(port, { unnamed: [path] });
      expect(Array.from(values.get("x")?.data as Int8Array)).toEqual([12, 5, 127]);
      expect(assumed).toEqual([
        `x: ${path.endsWith("y") ? "float32" : "float64"} quantised to int8 with scale 0.5 and zero point 10`,
      ]);
    }
    const stored = await give(port, { unnamed: [file("s.json", "[[1, 2, 3]]")] });
    expect(Array.from(stored.values.get("x")?.data as Int8Array)).toEqual([1, 2, 3]);
    expect(stored.assumed).toEqual(["x: whole numbers, taken as int8 and not quantised"]);
  });

  it("of a wider type are taken where they fit", async () => {
    const port: Port = { name: "x", type: "int32", shape: [1, 2] };
    const { values, assumed } = await give(port, { unnamed: [file("i.npy", npy("int64", BigInt64Array.of(5n, -6n)))] });
    expect(Array.from(values.get("x")?.data as Int32Array)).toEqual([5, -6]);
    expect(assumed).toEqual(["x: int64 as int32"]);
    const large = file("l.npy", npy("int64", BigInt64Array.of(5n, 2n ** 40n)));
    await expect(give(port, { unnamed: [large] })).rejects.toThrow("it holds 1099511627776, which is no int32");
    const double = await give(floatPort(1, 1), { unnamed: [file("d.npy", npy("float64", Float64Array.of(0.1)))] });
    expect(double.assumed).toEqual(["x: float64 rounded to float32"]);
  });

  it("may be typed instead of a file, or come from an object of JSON", async () => {
    const ports: Port[] = [floatPort(1, 2), { name: "rate", type: "int64", shape: [] }];
    const files = new Map([
      ["x", "[0.5, 1]"],
      ["rate", "16000"],
    ]);
    expect((await give(ports, { files })).values.get("rate")?.data).toEqual(BigInt64Array.of(16000n));
    const object = file("o.json", '{"x": [[1, 2]], "rate": 8000}');
    expect((await give(ports, { unnamed: [object] })).values.get("rate")?.data).toEqual(BigInt64Array.of(8000n));
  });

  it("of a text file are one text, or a text for each line", async () => {
    const path = file("t.txt", "one\ntwo\n");
    const port = (...shape: Port["shape"]): Port => ({ name: "x", type: "string", shape });
    expect((await give(port(1), { unnamed: [path] })).values.get("x")?.data).toEqual(["one\ntwo"]);
    expect((await give(port(1, 2), { unnamed: [path] })).values.get("x")).toMatchObject({
      shape: [1, 2],
      data: ["one", "two"],
    });
  });
});

describe.skipIf(!hasShared)(`the metadata of real models${unlessShared}`, () => {
  it("says what goes into MobileNet, and its pictures go in as Pillow would make them", async () => {
    const path = sharedPath("models/tflite-edgetpu/mobilenet_v1_0.25_128_quant.tflite");
    const model = readModel(path);
    expect(model.expects).toEqual([{ kind: "image", color: "rgb", mean: [127.5], std: [127.5] }]);
    const port: Port = quantised("uint8", 0.0078125, 128, 1, 128, 128, 3);
    const { values, assumed } = await give(port, { unnamed: [sharedPath("models/tflite-edgetpu/cat.bmp")], model });
    const { data } = values.get("x") ?? {};
    // Sum and a weighted sum of Image.open("cat.bmp").convert("RGB").resize((128, 128), Image.BILINEAR), Pillow 13.0.
    let [sum, weighted] = [0, 0];
    for (const [i, value] of (data as Uint8Array).entries()) {
      sum += value;
      weighted = (weighted + value * (i % 1009)) % 1_000_003;
    }
    expect([sum, weighted]).toEqual(PILLOW_CAT);
    expect(assumed.slice(1)).toEqual([
      "x: RGB, as its metadata says",
      "x: pixels as they are, 0 to 255, which are -1 to 0.9922 to the model",
    ]);
  });
});

const PILLOW_CAT = [5586025, 809020];
