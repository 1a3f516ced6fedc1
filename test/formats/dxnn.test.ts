import { describe, expect, it } from "vitest";
import { FileError } from "../../src/base/errors.ts";
import { modelFileOf } from "../../src/formats/file.ts";
import format from "../../src/formats/dxnn.ts";
import { mutated } from "./build/broken.ts";
import { buildDxnn } from "./build/dxnn.ts";
import { samples } from "./samples/dxnn.ts";

const read = (bytes: Uint8Array) => format.read(modelFileOf(bytes, "net.dxnn"));
const sample = (name: string): Buffer => Buffer.from(samples[name]?.() ?? []);

describe("dxnn", () => {
  it("tells compiler, NPU, tasks and ports of version 6", () => {
    const model = read(sample("six.dxnn"));
    expect(model.version).toBe("6");
    expect(model.producer).toEqual({ name: "DX-COM", version: "1.18.1" });
    expect(model.targets).toEqual([{ family: "deepx", says: "M1A_4K" }]);
    expect(model.requires).toEqual([{ what: "DX-RT", relation: "at least", version: "2.0.0" }]);
    // The model's input goes to the CPU's task, whose model is not opened; its output comes from the NPU.
    expect(model.inputs).toEqual([{ name: "image", type: "unknown" }]);
    expect(model.outputs).toEqual([{ name: "scores", type: "uint16", shape: [1] }]);
    expect(model.metadata.tasks).toBe("cpu_0 (CPU), npu_0 (NPU)");
    expect(model.sections.filter(({ kind }) => kind === "weights").map(({ bytes }) => bytes)).toEqual([5000]);
    expect(model.integrity).toEqual([]);
  });

  it.each(["eight.dxnn", "nine.dxnn"])("reads the tensors of %s", (name) => {
    const model = read(sample(name));
    expect(model.version).toBe(name === "eight.dxnn" ? "8" : "9");
    expect(model.inputs).toEqual([{ name: "input.1", type: "uint8", shape: [1, 224, 224, 3] }]);
    expect(model.outputs).toEqual([{ name: "495", type: "float32", shape: [1, 1000] }]);
    expect(model.metadata["compiled as"]).toBe("release");
    expect(model.integrity).toEqual([]);
  });

  it("sees a header of version 9 that was changed", () => {
    const bytes = sample("nine.dxnn");
    const at = bytes.indexOf("M1A_4K");
    bytes.write("M1B", at);
    expect(read(bytes).integrity.map(({ rule }) => rule)).toContain("checksum/wrong");
  });

  it("sees an output that its memory cannot hold", () => {
    const task = {
      outputs: [{ name: "y", dtype_encoded: "INT32", shape_encoded: [1, 64], memory: { size: 128, type: "DRAM" } }],
    };
    const model = read(buildDxnn({ version: 7, tasks: { npu_0: { rmap: Buffer.alloc(8), rmap_info: task } } }));
    expect(model.integrity.map(({ rule }) => rule)).toEqual(["extent/wrong-size"]);
  });

  it("says that a version it does not know is not checked", () => {
    const bytes = sample("six.dxnn");
    bytes.writeUInt32LE(11, 4);
    expect(read(bytes).integrity.map(({ severity }) => severity)).toEqual(["error"]);
  });

  it("sees parts that lie over each other, descriptions that are no JSON and a version that contradicts itself", () => {
    const bytes = sample("six.dxnn");
    const header = JSON.parse(bytes.subarray(8, bytes.indexOf(0, 8)).toString()) as Record<string, never>;
    const changed = (
      edit: (header: { version: number; data: Record<string, { offset: number; size: number }> }) => void,
    ) => {
      const copy = structuredClone(header) as never;
      edit(copy);
      const out = Buffer.from(bytes);
      out.fill(0, 8, 8192);
      out.write(JSON.stringify(copy), 8);
      return read(out).integrity.map(({ rule }) => rule);
    };
    expect(changed((one) => (one.version = 7))).toEqual(["header/version"]);
    expect(changed(({ data }) => Object.assign(data.graph_info ?? {}, { size: 4 }))).toContain("description/malformed");
    expect(changed(({ data }) => Object.assign(data.graph_info ?? {}, { offset: 0 }))).toContain("extent/overlap");
    expect(() => changed(({ data }) => Object.assign(data.graph_info ?? {}, { offset: -1 }))).toThrow(FileError);
  });

  it("answers mutants with a model or a FileError", () => {
    for (const name of Object.keys(samples)) mutated(format, sample(name), name, 300);
  });
});
