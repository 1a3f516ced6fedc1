import { describe, expect, it } from "vitest";
import { FileError } from "../../src/base/errors.ts";
import { modelFileOf } from "../../src/formats/file.ts";
import format from "../../src/formats/xclbin.ts";
import { mutated } from "./build/broken.ts";
import { buildXclbin, ipLayout } from "./build/xclbin.ts";
import { samples } from "./samples/xclbin.ts";

const read = (bytes: Uint8Array) => format.read(modelFileOf(bytes, "x.xclbin"));
const sample = (name: string): Buffer => Buffer.from(samples[name]?.() ?? []);
const rules = (bytes: Uint8Array): string[] => read(bytes).integrity.map(({ rule }) => rule);

describe("xclbin", () => {
  it("tells processor, columns and kernels of an NPU's overlay", () => {
    const model = read(sample("4x4.xclbin"));
    expect(model.version).toBe("2.11.598");
    expect(model.targets).toEqual([{ family: "amd-xdna", chip: "npu1", says: "AIE2 (generation 3)" }]);
    expect(model.metadata).toMatchObject({
      platform: "xilinx_v1_ipu_0_0",
      "AI engine columns": "5",
      "columns of a partition": "4",
      kernels: "vadd:vadd_1, DPU_PDI_0:IPUV1CNN",
    });
    expect(model.sections.find(({ name }) => name.startsWith("AI engine partition"))).toMatchObject({
      kind: "code",
      bytes: 600,
    });
    expect(model.sections.at(-1)?.name).toBe("mirror of the header");
    expect(model.integrity).toEqual([]);
  });

  it("tells an Alveo's board by its platform", () => {
    const model = read(sample("dpu.xclbin"));
    expect(model.targets).toEqual([{ family: "xilinx-dpu", chip: "u50", says: "xilinx_u50_gen3x16_xdma_201920_3" }]);
    expect(model.sections.map(({ name }) => name)).toContain("kind 77 new");
    expect(model.integrity).toEqual([]);
  });

  it("sees a length, sections and blocks that contradict the file", () => {
    const longer = sample("4x4.xclbin");
    longer.writeBigUInt64LE(1_000_000n, 304);
    expect(rules(longer)).toContain("extent/past-end");
    const over = sample("dpu.xclbin");
    over.writeBigUInt64LE(460n, 480 + 40);
    expect(rules(over)).toContain("extent/overlap");
    const blocks = ipLayout("a");
    blocks.writeUInt32LE(9, 0);
    expect(rules(buildXclbin("xilinx_v1_ipu_0_0", [{ kind: 8, name: "", bytes: blocks }]))).toEqual([
      "extent/past-end",
    ]);
    expect(rules(buildXclbin("xilinx_v1_ipu_0_0", [{ kind: 25, name: "", bytes: Buffer.from("{") }]))).toEqual([
      "description/malformed",
    ]);
    const many = sample("4x4.xclbin");
    many.writeUInt32LE(100_000, 448);
    expect(() => read(many)).toThrow(FileError);
  });

  it("answers mutants with a model or a FileError", () => {
    for (const name of Object.keys(samples)) mutated(format, sample(name), name, 300);
  });
});
