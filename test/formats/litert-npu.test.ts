import { describe, expect, it } from "vitest";
import { modelFileOf } from "../../src/formats/file.ts";
import litert from "../../src/formats/litert-npu.ts";
import tflite from "../../src/formats/tflite.ts";
import type { Model } from "../../src/model/graph.ts";
import { expectMutantsHandled } from "../support/sealed.ts";
import { flexMap } from "./build/tflite.ts";
import { context, dispatch, samples, stamp } from "./samples/litert-npu.ts";

const read = (bytes: Uint8Array): Model => litert.read(modelFileOf(bytes, "a.tflite"));
const sample = (name: string): Uint8Array => samples[name]?.() ?? new Uint8Array();

describe("models that LiteRT compiled", () => {
  it("are told from plain TFLite by their operator", () => {
    for (const name of Object.keys(samples)) {
      const file = modelFileOf(sample(name), name);
      expect([litert.matches(file), tflite.matches(file)], name).toEqual([3, 2]);
    }
  });

  it("are none when no operator has the code that stands in the table", () => {
    expect(litert.matches(modelFileOf(dispatch(context(), { operators: 0 }), "a.tflite"))).toBe(0);
  });

  it("say their chip, and Qualcomm's the QNN that wrote them", () => {
    const model = read(sample("litert_qualcomm.tflite"));
    expect(model.targets).toEqual([{ family: "qualcomm", chip: "sm8750", says: "SM8750" }]);
    expect(model.producer).toEqual({ name: "QNN", version: "2.40.0.251030114326_189385" });
    expect(model.integrity).toEqual([]);
    const other = read(sample("litert_mediatek.tflite"));
    expect(other.targets).toEqual([{ family: "mediatek", says: "MediaTek mt6989" }]);
    expect(other.metadata).toMatchObject({ byte_code_bytes: "64", npu_operators: "1", cpu_operators: "1" });
    expect(other.unseen.join()).toContain("1 operator stays on the CPU");
  });

  it("of a maker the catalogue has no family for say it in their own words", () => {
    const model = read(dispatch(context(), { metadata: { LiteRtStamp: stamp("Google", "Tensor_G5") } }));
    expect(model.targets).toEqual([{ says: "Google Tensor_G5" }]);
    expect(model.producer).toBeUndefined();
    expect(read(sample("litert_unstamped.tflite")).targets).toEqual([{ says: "not said" }]);
  });

  it("tell byte code from the graph, once for operators that share it", () => {
    const bytes = sample("litert_unstamped.tflite");
    const code = read(bytes).sections.filter(({ kind }) => kind === "code");
    expect(code).toEqual([{ name: "byte code", kind: "code", offset: bytes.length - 48, bytes: 48 }]);
    expect(read(sample("litert_old.tflite")).metadata["byte_code_bytes"]).toBe("96");
  });

  it("whose byte code is not all there are told broken", () => {
    const bytes = sample("litert_qualcomm.tflite");
    const rules = (given: Uint8Array): string[] => read(given).integrity.map(({ rule }) => rule);
    expect(rules(bytes.subarray(0, bytes.length - 1))).toContain("extent/past-end");
    expect(rules(dispatch(context(), { options: flexMap({ name: "x" }) }))).toContain("payload/none");
  });

  it("survive mutation", () => {
    for (const [name, make] of Object.entries(samples)) expectMutantsHandled(litert, make(), name);
  });
});
