import { describe, expect, it } from "vitest";
import { modelFileOf } from "../../src/formats/file.ts";
import nbg from "../../src/formats/nbg.ts";
import { expectMutantsHandled, expectTruncationsTold, realModels } from "../support/sealed.ts";
import { nbg as buildNbg, nbgPort } from "./samples/nbg.ts";

const port = (name: string, rank: number, format: number, quant: number, fixed: number, scale: number, zero: number) =>
  nbgPort({ name, rank, format, quant, fixed, scale, zero });
const build = (inputs: Uint8Array, outputs: Uint8Array, count = 1) =>
  buildNbg({ 0: inputs, 1: outputs, 5: Buffer.from("commands") }, { inputs: count });
const read = (bytes: Uint8Array) => nbg.read(modelFileOf(bytes, "x.nb"));

describe("NBG", () => {
  it("tells target, ports with quantisation, and sizes", () => {
    const model = read(build(port("data", 2, 2, 2, 0, 0.5, 128), port("prob", 1, 3, 1, 7, 1, 0)));
    expect(model.integrity).toEqual([]);
    expect(model.targets[0]).toMatchObject({ family: "verisilicon", chip: "amlogic" });
    expect(model.inputs).toEqual([
      { name: "data", type: "uint8", shape: [8, 4], quantization: { scale: [0.5], zeroPoint: [128] } },
    ]);
    expect(model.outputs?.[0]?.quantization?.scale).toEqual([2 ** -7]);
    expect(model.sections.find(({ kind }) => kind === "weights")?.bytes).toBe(8);
  });

  it("says what contradicts itself", () => {
    const input = port("data", 2, 2, 2, 0, 0.5, 0);
    const rules = (bytes: Uint8Array) => read(bytes).integrity.map(({ rule }) => rule);
    expect(rules(build(input, input, 2))).toContain("extent/wrong-size");
    expect(rules(build(port("data", 9, 2, 2, 0, 0.5, 0), input))).toContain("shape/impossible");
    expect(rules(build(port("data", 2, 2, 2, 0, NaN, 0), input))).toContain("quantization/nan-scale");
    expect(rules(build(input, input).subarray(0, -1))).toContain("extent/past-end");
  });

  it("reads the names of tensors that Amlogic's tool writes behind it", () => {
    const plain = build(port("data", 2, 2, 2, 0, 0.5, 0), port("prob", 1, 3, 1, 7, 1, 0));
    const named = Buffer.concat([plain, Buffer.from("tensorname:data,0:customer:input,0,0:")]);
    expect(read(named).integrity).toEqual([]);
    expect(read(named).metadata["tensor names"]).toBe("data,0:customer:input,0,0:");
    expect(read(named.subarray(0, -3)).integrity.map(({ rule }) => rule)).toEqual(["extent/past-end"]);
  });

  const real = realModels("nbg");
  it.skipIf(real.length === 0)("reads the real file: ports, layers, target id", () => {
    for (const { name, bytes, file } of real) {
      const model = nbg.read(file());
      expect(model.integrity).toEqual([]);
      expect(model.version).toBe("0x1001e");
      expect(model.targets[0]?.says).toContain("0xba");
      expect(model.inputs).toEqual([{ name: "input[0]", type: "float32", shape: [64, 64, 3, 1] }]);
      expect(model.outputs).toEqual([{ name: "uid_3_out_0", type: "float32", shape: [32, 32, 8, 1] }]);
      expectTruncationsTold(nbg, bytes(), name);
      expectMutantsHandled(nbg, bytes(), name, 500);
    }
  });
});
