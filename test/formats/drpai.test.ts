import { describe, expect, it } from "vitest";
import format from "../../src/formats/drpai.ts";
import { modelFileOf } from "../../src/formats/file.ts";
import { mutated } from "./build/broken.ts";
import { deployed } from "./samples/drpai.ts";

const bytesOf = (value: unknown): Uint8Array => Buffer.from(JSON.stringify(value));
const read = (value: unknown) => format.read(modelFileOf(bytesOf(value), "deploy.json"));
const rules = (value: unknown): string[] => read(value).integrity.map(({ rule }) => rule);

describe("drpai", () => {
  it("tells which functions the DRP-AI computes, and the tensors between them", () => {
    const found = read(deployed);
    const [graph] = found.graphs;
    expect(graph?.nodes.map(({ spelled, domain, inputs, outputs }) => [spelled, domain, inputs, outputs])).toEqual([
      ["mera_drp_main_0", "mera_drp", [0], [1, 2]],
      ["fused_multiply", undefined, [2, 3], [4]],
    ]);
    expect(graph?.inputs.map((entry) => graph.tensors[entry])).toEqual([
      { name: "input1", type: "float32", shape: [1, 3, 416, 416] },
    ]);
    expect(graph?.outputs).toEqual([1, 4]);
    expect(graph?.tensors[3]).toEqual({
      name: "p26",
      type: "float16",
      shape: [8, 1, 1],
      data: { bytes: 16, file: "deploy.params" },
    });
    expect(found.metadata).toEqual({ "functions on the DRP-AI": "1", "functions on the CPU": "1" });
    expect(found.needs).toEqual(["deploy.so", "deploy.params"]);
    expect(found.integrity).toEqual([]);
  });

  it("is known by a function of the DRP-AI: TVM writes such graphs for every device", () => {
    const matches = (text: string): number => format.matches(modelFileOf(Buffer.from(text), "deploy.json"));
    const text = JSON.stringify(deployed);
    expect(matches(text)).toBe(2);
    expect(matches(text.replaceAll("mera_drp", "vitis_ai"))).toBe(0);
    expect(matches('{"modelTopology": {"nodes": []}, "Compiler": "mera_drp"}')).toBe(0);
  });

  it.each([
    ["a head that is no output", { heads: [[1, 2, 0]] }, ["tensor/dangling"]],
    ["an argument that is no node", { arg_nodes: [0, 2, 40] }, ["tensor/dangling"]],
    ["rows that count otherwise", { node_row_ptr: [0, 1, 2, 3, 4] }, ["tensor/count"]],
    ["neither types nor shapes", { attrs: {} }, ["tensor/count", "tensor/count"]],
  ])("finds %s", (_, more, expected) => {
    expect(rules({ ...deployed, ...more })).toEqual(expected);
  });

  it("more outputs than memory is no reason to make them", () => {
    const [input, drp, ...rest] = deployed.nodes;
    const attrs = { ...drp?.attrs, num_outputs: "4000000000" };
    const found = read({ ...deployed, nodes: [input, { ...drp, attrs }, ...rest] });
    expect(found.graphs[0]?.tensors.length).toBe(3);
    expect(found.integrity.length).toBeGreaterThan(0);
  });

  it("answers mutants with a model or a FileError", () => {
    mutated(format, Buffer.from(JSON.stringify(deployed, undefined, 2)), "deploy.json", 600);
  });
});
