import { describe, expect, it } from "vitest";
import { modelFileOf } from "../../src/formats/file.ts";
import format from "../../src/formats/qpc.ts";
import { mutated } from "./build/broken.ts";
import { buildQpc, description } from "./samples/qpc.ts";

const read = (bytes: Uint8Array) => format.read(modelFileOf(bytes, "programqpc.bin"));
const rules = (bytes: Uint8Array): string[] => read(bytes).integrity.map(({ rule }) => rule);

describe("qpc", () => {
  it.each([0n, 0x7f1b_a800_0000n])("tells its images, from base %s", (base) => {
    const found = read(buildQpc({ base }));
    expect([found.version, found.targets[0]?.family]).toEqual(["0.1", "qaic"]);
    expect(found.sections.map(({ name, kind, bytes }) => [name, kind, bytes])).toEqual([
      ["header", "metadata", 168],
      ["networkdesc.bin", "metadata", description.length],
      ["network.elf", "code", 2000],
      ["constantsdesc.bin", "metadata", 24],
      ["constants.bin", "weights", 4096],
    ]);
    const [, , network] = found.sections;
    expect(buildQpc({ base })[network?.offset ?? 0]).toBe(6);
    expect(found.inputs).toEqual([{ name: "data", type: "float32", shape: [1, 3, 224, 224] }]);
    expect(found.outputs).toEqual([
      { name: "prob", type: "uint8", shape: [1, 1000], quantization: { scale: [0.25], zeroPoint: [7] } },
    ]);
    expect(found.metadata).toMatchObject({ network: "resnet", cores: "4", "description's version": "9.0" });
    expect(found.integrity).toEqual([]);
  });

  it("sees what is cut, what is missing and what is newer", () => {
    expect(rules(buildQpc().subarray(0, 5000))).toEqual(["extent/past-end"]);
    expect(rules(buildQpc({ images: [["networkdesc.bin", 40]] }))).toEqual(["program/empty", "protobuf/contents"]);
    expect(rules(buildQpc({ major: 1 }))).toEqual(["header/version"]);
    expect(() => read(buildQpc({ count: 100_000 }))).toThrow(/over 256/u);
    expect(() => read(buildQpc({ count: 250 }))).toThrow(/table of 250 images/u);
  });

  it("an address before its base is told, not followed", () => {
    const bytes = buildQpc({ base: 4096n });
    bytes.fill(0, 40 + 16, 40 + 24);
    expect(rules(bytes)).toEqual(["extent/past-end"]);
  });

  it("answers mutants with a model or a FileError", () => {
    mutated(format, buildQpc(), "programqpc.bin", 600);
  });
});
