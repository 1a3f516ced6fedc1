import { describe, expect, it } from "vitest";
import { modelFileOf } from "../../src/formats/file.ts";
import npu from "../../src/formats/openvino-npu-blob.ts";
import { npuElf } from "./build/npu-elf.ts";
import { samples } from "./samples/openvino-npu-blob.ts";
import { bytesOf, expectMutantsHandled, expectTruncationsTold } from "../support/sealed.ts";

const u16 = (...values: number[]): Uint8Array => Uint8Array.from(values.flatMap((value) => [value & 255, value >> 8]));
const elf = bytesOf("\x7fELF\x02\x01\x01", "\0".repeat(57), "payload");
const build = (minor: number, ...fields: (number | bigint | string | Uint8Array)[]): Uint8Array =>
  bytesOf(elf, (2 << 16) | minor, u16(2025, 3, 0), ...fields, BigInt(elf.length), "OVNPU");
const read = (bytes: Uint8Array, name = "x.blob") => npu.read(modelFileOf(bytes, name));

describe("OpenVINO NPU blob", () => {
  it("tells metadata version and the OpenVINO it needs, whatever the name", () => {
    const bytes = build(0);
    expect(npu.matches(modelFileOf(bytes, "model.bin"))).toBe(2);
    const model = read(bytes);
    expect(model.version).toBe("2.0");
    expect(model.producer).toEqual({ name: "OpenVINO", version: "2025.3.0" });
    expect(model.requires).toEqual([{ what: "OpenVINO", relation: "exactly", version: "2025.3.0" }]);
    expect(model.targets[0]?.family).toBe("intel-npu");
    expect(model.integrity).toEqual([]);
  });

  it("reads what later metadata versions added", () => {
    const layout = bytesOf(u16(4), "NCHW");
    const model = read(build(7, 1n, 99n, 4n, 1n, 0n, layout, (7 << 16) | 2, "\x00", 5n, "NPU40", "\x00"));
    expect(model.metadata).toMatchObject({
      "start schedules": "1",
      batch: "4",
      "input layouts": "NCHW",
      "compiler version": "7.2",
      compatibility: "NPU40",
      "payload kind": "ELF",
    });
    expect(model.integrity).toEqual([]);
  });

  it("says what contradicts itself", () => {
    expect(read(build(2, 9n)).integrity[0]?.rule).toBe("metadata/cut-short");
    const bytes = Buffer.from(build(0));
    bytes.writeBigUInt64LE(5000n, bytes.length - 13);
    expect(() => read(bytes)).toThrow(/its beginning is missing/);
  });

  it("takes an ELF named .blob for one of before 2025, and says that only the name does", () => {
    const file = modelFileOf(elf, "x.blob");
    expect(npu.matches(file)).toBe(1);
    expect(npu.matches(modelFileOf(elf, "x.so"))).toBe(0);
    expect(npu.read(file).unseen.join(" ")).toMatch(/no other mark/);
  });

  it("tells generation, versions and ports from the ELF inside, whatever the name", () => {
    const bytes = samples["40xx.blob"]?.() ?? new Uint8Array(0);
    expect(npu.matches(modelFileOf(bytes, "cache.bin"))).toBe(2);
    const model = read(bytes);
    expect(model.targets).toEqual([{ family: "intel-npu", chip: "lnl", says: "Intel NPU 40xx" }]);
    expect(model.requires).toEqual([
      { what: "mapped inference of 40xx firmware", relation: "series", version: "11" },
      { what: "mapped inference of 40xx firmware", relation: "at least", version: "11.10" },
    ]);
    expect(model.inputs).toEqual([{ name: "images", type: "uint8", shape: [1, 3, 32, 32] }]);
    expect(model.outputs).toEqual([{ name: "scores", type: "float32", shape: [1, 10] }]);
    expect(model.metadata).toMatchObject({
      network: "net",
      "compiled for": "VPUX40XX",
      tiles: "2",
      "mapped inference": "11.10.0",
      "ELF of the loader": "1.2.3",
    });
    expect(model.integrity).toEqual([]);
    const meteor = read(npuElf({ arch: 3, mapped: [7, 0, 0] }));
    expect(meteor.targets.map(({ chip }) => chip)).toEqual(["mtl", "arl"]);
    expect(read(npuElf({ arch: 9, mapped: [1, 0, 0] })).requires).toEqual([]);
  });

  it("tells truncations and survives mutants", () => {
    const bytes = build(7, 1n, 99n, 4n, 0n, 0n, 0, "\x00", 0n, "\x00");
    expectMutantsHandled(npu, bytes, "x.blob", 1000);
    // Cut, the mark at the end is gone: no longer recognised by content, and by name only as an ELF.
    expect(npu.matches(modelFileOf(bytes.subarray(0, -1), "x.bin"))).toBe(0);
    expectTruncationsTold(npu, bytes.subarray(0, 60), "x.blob");
  });
});
