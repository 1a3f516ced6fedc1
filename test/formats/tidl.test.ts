import { describe, expect, it } from "vitest";
import { modelFileOf } from "../../src/formats/file.ts";
import format from "../../src/formats/tidl.ts";
import { mutated } from "./build/broken.ts";
import { buildIo } from "./build/tidl.ts";
import { samples } from "./samples/tidl.ts";

const sample = (name: string): Buffer => Buffer.from(samples[name]?.() ?? []);
const read = (bytes: Uint8Array, name: string) => format.read(modelFileOf(bytes, name));

describe("tidl", () => {
  it.each([
    ["old_tidl_net.bin", "20230208", "TDA4VM", "j721e", 4],
    ["subgraph_0_tidl_net.bin", "20240401", "AM62A", "am62a", 5],
  ])("tells device, version and parts of %s", (name, version, says, chip, parts) => {
    const model = read(sample(name), name);
    expect(model.version).toBe(version);
    expect(model.targets).toEqual([{ family: "ti-tidl", chip, says }]);
    expect(model.requires).toEqual([{ what: "TIDL network version", relation: "exactly", version }]);
    expect(model.sections.map(({ kind }) => kind)).toEqual(["graph", "code", "weights", "code"].slice(0, parts - 1));
    expect(model.sections.find(({ kind }) => kind === "weights")?.bytes).toBe(4096);
    expect(model.needs).toEqual([name.replace("_net.bin", "_io_1.bin")]);
    expect(model.integrity).toEqual([]);
  });

  it.each([
    ["old_tidl_io_1.bin", "20230208", [1, 1, 200, 5]],
    ["subgraph_0_tidl_io_1.bin", "20240401", [1, 200, 5]],
    ["cores_tidl_io_1.bin", "after 20240401", [1, 200, 5]],
  ])("reads the ports of %s", (name, since, shape) => {
    const model = read(sample(name), name);
    expect(model.version).toBe(`I/O descriptor, ${since}`);
    expect(model.inputs).toEqual([
      { name: "input", type: "uint8", shape: [1, 3, 480, 640], quantization: { scale: [0.5], zeroPoint: [128] } },
    ]);
    expect(model.outputs?.[0]).toEqual({ name: "dets", type: "float32", shape });
    expect(model.outputs?.[1]?.name).toBe("labels");
    expect(model.needs).toEqual([name.replace("_io_1.bin", "_net.bin")]);
    expect(model.integrity).toEqual([]);
  });

  // 94616 bytes has a descriptor that tidl-tools 10.0 wrote for AM62A (MattMak0402/od-8220-20250423, with one input and two outputs).
  it("has layouts of the sizes that are published", () => {
    expect(buildIo(3, 1, [], []).length).toBe(94616);
  });

  it("does not take a descriptor of another size for one", () => {
    const bytes = sample("old_tidl_io_1.bin").subarray(4);
    expect(format.matches(modelFileOf(bytes, "x.bin"))).toBe(0);
    const cut = sample("old_tidl_io_1.bin").subarray(0, -4);
    expect(read(cut, "a_tidl_io_1.bin").integrity.map(({ rule }) => rule)).toEqual(["extent/wrong-size"]);
  });

  it("says where it cannot tell whether a network is whole", () => {
    const bytes = sample("subgraph_0_tidl_net.bin");
    bytes.fill(0, 88, 256);
    const model = read(bytes, "a_tidl_net.bin");
    expect(model.unseen.join(" ")).toContain("whether it is whole");
    expect(model.integrity.map(({ rule }) => rule)).toEqual(["extent/unknown"]);
  });

  it("sees parts that lie over each other and impossible shapes", () => {
    const net = sample("old_tidl_net.bin");
    net.writeUInt32LE(4096, 88 + 32 + 8);
    expect(read(net, "a_tidl_net.bin").integrity.map(({ rule }) => rule)).toContain("extent/overlap");
    const io = sample("old_tidl_io_1.bin");
    io.writeInt32LE(-1, 8 + 4 * 32 * 4);
    expect(read(io, "a_tidl_io_1.bin").integrity.map(({ rule }) => rule)).toEqual(["shape/impossible"]);
  });

  it("answers mutants with a model or a FileError", () => {
    for (const name of Object.keys(samples)) mutated(format, sample(name), name, 300);
  });
});
