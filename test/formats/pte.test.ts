/**
 * ExecuTorch: programs built here, and real ones against what ExecuTorch's own reader says of them (pte-oracle.json: written with
 * executorch 1.5.1, exir._serialize.deserialize_pte_binary).
 */

import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { scalarTypes } from "../../src/formats/executorch/schema.ts";
import { modelFileOf } from "../../src/formats/file.ts";
import pte from "../../src/formats/pte.ts";
import { costOf } from "../../src/model/cost.ts";
import type { Graph, Model } from "../../src/model/graph.ts";
import { checkModel } from "../../src/model/integrity.ts";
import { expectMutantsHandled, realModels } from "../support/sealed.ts";
import { hasShared, unlessShared } from "../support/shared.ts";
import { commandStream, qnnContext, qnnOptions, velaStream, xnnpackGraph } from "./build/delegates.ts";
import { call, delegate, free, kernel, jump, plan, program, tensor, type TensorSpec } from "./build/executorch.ts";
import { samples } from "./samples/pte.ts";

const sample = (name: string): Uint8Array => samples[name]?.() ?? new Uint8Array(0);
const read = (bytes: Uint8Array): Model => pte.read(modelFileOf(bytes, "x.pte"));
const errors = (model: Model): string[] =>
  model.integrity.filter(({ severity }) => severity === "error").map(({ rule }) => rule);
const main = (model: Model): Graph =>
  model.graphs[model.main ?? 0] ?? { name: "", tensors: [], nodes: [], inputs: [], outputs: [] };
const names = (graph: Graph, indexes: readonly number[]): string[] =>
  indexes.map((index) => graph.tensors[index]?.name ?? "-");

describe("an ExecuTorch program of kernels", () => {
  const model = read(sample("kernels.pte"));
  const graph = main(model);
  const node = (spelled: string) => graph.nodes.find((one) => one.spelled === spelled);

  it("is a graph whose operators have shared names and whose arguments have PyTorch's", () => {
    expect(errors(model)).toEqual([]);
    expect(graph.nodes.map(({ op }) => op ?? "-")).toEqual([
      "Conv", "MatMul", "Split", "Add", "Identity", "Add", "Greater", "Loop", "If", "QuantizeLinear", "Gelu", "Identity", "Reshape", "-",
    ]); // prettier-ignore
    expect(node("aten::convolution.out")?.attributes).toMatchObject({ stride: [1, 1], padding: [1, 1], groups: 1 });
    expect(node("quantized_decomposed::quantize_per_tensor.out")?.attributes).toMatchObject({
      scale: 0.5,
      dtype: "CHAR",
    });
  });

  it("has what a kernel gives among its outputs, once, and what it takes among its inputs", () => {
    const ends = (spelled: string): string[][] => {
      const found = node(spelled);
      return [names(graph, found?.inputs ?? []), names(graph, found?.outputs ?? [])];
    };
    expect(ends("aten::convolution.out")).toEqual([
      ["value 0", "conv.weight", "conv.bias"],
      ["value 8", "value 9"],
    ]);
    expect(ends("aten::split_with_sizes_copy.out")).toEqual([["value 11"], ["value 18", "value 19"]]);
    expect(ends("executorch_prim::et_view.default")).toEqual([["value 28", "value 15"], ["value 30"]]);
  });

  it("draws a value the memory plan puts where another lies as made with it", () => {
    expect(model.metadata["views"]).toMatch(/^1 /);
    expect(checkModel(model, sample("kernels.pte").length).filter(({ rule }) => rule === "tensor/dangling")).toEqual(
      [],
    );
  });

  it("takes numbers made while the program runs as tensors, and state as there before", () => {
    const found = (name: string) => graph.tensors.find((one) => one.name === name);
    expect(found("value 15")).toMatchObject({ type: "int64", shape: [] });
    expect(node("executorch_prim::et_view.default")?.attributes).toEqual({ size: ["value 15", "-1"] });
    expect(found("value 12")?.data?.bytes).toBe(16);
    expect(node("aten::copy_")?.outputs).toEqual([]);
  });

  it("finds constants where the segments put them, and those outside in no file it can name", () => {
    const found = (name: string) => graph.tensors.find((one) => one.name === name);
    const base = model.sections.find(({ name }) => name === "constants")?.offset ?? 0;
    expect(found("conv.weight")?.data).toEqual({ offset: base, bytes: 216 });
    expect(found("conv.bias")?.data).toEqual({ offset: base + 224, bytes: 12 });
    expect(found("head.weight")?.data).toEqual({ bytes: 320, file: "*.ptd" });
    expect(model.unseen.join()).toMatch(/values of 1 tensors.*\.ptd/);
    expect(model.sections.map(({ name }) => name)).toEqual(expect.arrayContaining(["initial values", "named data"]));
  });

  it("gives the scale a kernel quantises with to what it makes", () => {
    const made = graph.tensors[node("quantized_decomposed::quantize_per_tensor.out")?.outputs[0] ?? -1];
    expect(made?.quantization).toEqual({ scale: [0.5], zeroPoint: [-128] });
  });

  it("holds values against the memory they are planned in", () => {
    const planned = (offset: number, memory: readonly number[]) =>
      pte.read(
        modelFileOf(
          program({
            plans: [
              plan({
                values: [tensor({ sizes: [4], planned: offset })],
                inputs: [0],
                outputs: [0],
                instructions: [free(0)],
                memory,
              }),
            ],
          }),
          "x.pte",
        ),
      ).integrity;
    expect(planned(16, [32])).toEqual([]);
    expect(planned(20, [32])[0]?.says).toBe("value 0 is planned up to byte 36 of memory 1, which has 32");
    expect(planned(0, [])[0]?.says).toBe("value 0 is planned up to byte 16 of memory 1, there are 1");
  });

  it("tells planned memory and what methods without instructions give", () => {
    expect(model.metadata).toMatchObject({ "forward memory bytes": "1024, 64", "eos()": "2, 0.5, </s>" });
    expect(model.graphs.map(({ name }) => name)).toEqual(["forward"]);
  });

  it("counts multiply-accumulates of a convolution and of a product whose weights lie outside", () => {
    expect(costOf(model).macs_at_least ?? costOf(model).macs).toBe(48 * 18 + 3 * 16 * 5);
  });
});

describe("delegates", () => {
  it("are named with the chip their payload was compiled for: Ethos-U", () => {
    const model = read(sample("ethosu.pte"));
    expect(errors(model)).toEqual([]);
    expect(model.sealed).toBe(true);
    expect(model.targets).toEqual([{ family: "ethos-u", chip: "u85", says: "ethos-u85-256", not: ["u65"] }]);
    expect(main(model).nodes[0]).toMatchObject({ spelled: "DelegateCall", domain: "EthosUBackend" });
    expect(model.metadata).toMatchObject({ macs_per_cycle: "256", architecture: "2.0.1", scratch_bytes: "128" });
    expect(model.sections.filter(({ kind }) => kind === "code").map(({ bytes }) => bytes)).toEqual([32]);
  });

  it("contradict themselves when stream and compile spec name two chips", () => {
    const model = read(
      oneDelegate("EthosUBackend", velaStream(commandStream(0, 6), new Uint8Array(1)), { target: "ethos-u55-128" }),
    );
    expect(errors(model)).toEqual(["target/contradicts"]);
    expect(model.targets.map(({ says, not }) => [says, not])).toEqual([["ethos-u55-64", ["u65", "u85"]]]);
  });

  it("show their own graph when they keep it: XNNPACK, also with constants inside", () => {
    for (const bytes of [sample("xnnpack.pte"), oneDelegate("XnnpackBackend", xnnpackGraph("XN00"), {})]) {
      const model = read(bytes);
      expect(errors(model)).toEqual([]);
      expect(model.sealed).toBe(false);
      const [node] = main(model).nodes;
      const inner = model.graphs[node?.graphs?.[0] ?? -1];
      expect(inner?.nodes.map(({ op }) => op)).toEqual([
        "QuantizeLinear",
        "DepthwiseConv",
        "Reshape",
        "FullyConnected",
        "Add",
      ]);
      expect(inner?.tensors[2]?.quantization).toEqual({ scale: [0.5, 0.25], zeroPoint: [], axis: 3 });
      expect(costOf(model).macs).toBe(8 * 9 + 12 * 8);
    }
  });

  it("show their own graph when they keep it: Vulkan", () => {
    const model = read(sample("vulkan.pte"));
    expect(errors(model)).toEqual([]);
    const inner = model.graphs[1];
    expect(inner?.nodes.map(({ op }) => op)).toEqual(["FullyConnected", "Softmax"]);
    expect(inner?.nodes[1]?.attributes).toEqual({ dim: -1, half_to_float: true });
    expect(costOf(model).macs).toBe(12);
  });

  it("are named with chip and build: QNN, its context behind either header", () => {
    const build = "v2.37.0.250724175447_124859";
    const short = Buffer.concat([qnnContext(build).subarray(0, 20), qnnContext(build).subarray(256)]);
    for (const bytes of [
      sample("qnn.pte"),
      oneDelegate("QnnBackend", short, { qnn_compile_spec: qnnOptions(69, 79) }),
    ]) {
      const model = read(bytes);
      expect(errors(model)).toEqual([]);
      expect(model.targets).toEqual([{ family: "qualcomm", chip: "sm8750", says: "SM8750" }]);
      expect(model.requires).toEqual([
        { what: "QNN (Qualcomm AI Runtime)", relation: "built by", version: "2.37.0.250724175447_124859" },
      ]);
      expect(model.metadata).toMatchObject({ htp_arch: "V79", qnn_backend: "HTP" });
    }
  });

  it("may name their chip in the context only: QNN without a compile spec", () => {
    const context = Buffer.from(qnnContext("v2.37.0.250724175447_124859"));
    context.write(" SM8650 ", 600, "latin1");
    const said = read(oneDelegate("QnnBackend", context, {})).targets;
    expect(said).toEqual([{ family: "qualcomm", chip: "sm8650", says: "SM8650" }]);
  });

  it("are of no Hexagon when QNN was to run on the GPU", () => {
    const spec = { qnn_compile_spec: qnnOptions(69, 0, 1) };
    expect(read(oneDelegate("QnnBackend", qnnContext("x"), spec)).targets).toEqual([{ says: "SM8750 (GPU)" }]);
  });

  it("keep MediaTek's platform and NXP's target; others are only named", () => {
    const dla = Buffer.concat([Buffer.from([1, 1, 0, 0, 0, 1, 0, 0, 0, 4, 0, 0, 0]), Buffer.alloc(4)]);
    const mediatek = read(oneDelegate("NeuropilotBackend", dla, { "platform-config": "mt6991" }));
    expect(mediatek.targets).toEqual([{ family: "mediatek", says: "mt6991" }]);
    const nxp = read(oneDelegate("NeutronBackend", Buffer.alloc(64), { target: "imxrt700" }));
    expect(nxp.targets).toEqual([{ family: "nxp-neutron", says: "imxrt700" }]);
    const apple = read(oneDelegate("CoreMLBackend", Buffer.alloc(64), {}));
    expect(apple.targets).toEqual([]);
    expect(apple.unseen.join()).toMatch(/CoreMLBackend/);
    const strange = read(oneDelegate("SomeBackend", Buffer.alloc(64), {}));
    expect([strange.sealed, main(strange).nodes[0]?.domain]).toEqual([true, "SomeBackend"]);
  });
});

describe("what contradicts itself is told", () => {
  const broken = (spec: Partial<Parameters<typeof plan>[0]>): Model =>
    read(
      program({
        plans: [
          plan({
            values: [tensor({ sizes: [4], planned: 0 })],
            inputs: [0],
            outputs: [0],
            instructions: [free(0)],
            memory: [16],
            ...spec,
          }),
        ],
      }),
    );
  const value = (spec: TensorSpec): Model => broken({ values: [tensor(spec)] });

  it.each<[string, string, () => Model]>([
    ["an input that is no value", "value/dangling", () => broken({ inputs: [7] })],
    ["a kernel that is no operator", "operator/dangling", () => broken({ instructions: [kernel(2, 0, 0)] })],
    ["a call of a delegate that is not there", "delegate/dangling", () => broken({ instructions: [call(1, 0)] })],
    ["a jump out of the program", "instruction/jump", () => broken({ instructions: [jump(0, 9)] })],
    ["a constant that is not there", "tensor/no-data", () => value({ sizes: [4], data: 3 })],
    ["an order that is none", "tensor/dim-order", () => value({ sizes: [2, 2], order: [0, 0] })],
    ["an element type that is none", "tensor/type", () => value({ sizes: [2], type: 77 })],
    [
      "a payload that is not there",
      "delegate/no-data",
      () => broken({ delegates: [delegate("XnnpackBackend", { segment: 4 })] }),
    ],
  ])("%s", (_, rule, make) => {
    expect(errors(make())).toContain(rule);
  });

  it("a constant larger than its place", () => {
    const model = read(
      program({
        plans: [
          plan({ values: [tensor({ sizes: [64], data: 1 })], inputs: [], outputs: [0], instructions: [free(0)] }),
        ],
        inside: [new Uint8Array(0), new Uint8Array(16)],
      }),
    );
    expect(errors(model)).toEqual(["shape/impossible"]);
  });
});

it.each(Object.keys(samples))("mutants of %s are described, refused or told within a second", (name) => {
  expectMutantsHandled(pte, sample(name), name, 400);
});

/** One call of one delegate whose payload lies inside. */
function oneDelegate(
  id: string,
  payload: Uint8Array,
  specs: Readonly<Record<string, Uint8Array | string>>,
): Uint8Array {
  const bytes = Object.fromEntries(
    Object.entries(specs).map(([key, spec]) => [key, typeof spec === "string" ? Buffer.from(spec) : spec]),
  );
  return program({
    plans: [
      plan({
        values: [tensor({ sizes: [1, 4], planned: 0 }), tensor({ sizes: [1, 4], planned: 16 })],
        inputs: [0],
        outputs: [1],
        instructions: [call(0, 0, 1)],
        memory: [32],
        delegates: [delegate(id, { inline: 0 }, bytes)],
      }),
    ],
    inline: [payload],
  });
}

interface OraclePlan {
  readonly name: string;
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
  readonly memory: readonly number[];
  /** Value, type, sizes, index of its data. */
  readonly tensors: readonly (readonly [number, string, readonly number[], number])[];
  /** Spelled, numbers of its arguments. */
  readonly operators: readonly (readonly [string, readonly number[]])[];
}

describe.skipIf(!hasShared)(`published programs and ExecuTorch's own reader${unlessShared}`, () => {
  const oracle = JSON.parse(readFileSync(new URL("pte-oracle.json", import.meta.url), "utf8")) as Readonly<
    Record<string, readonly OraclePlan[]>
  >;

  it.each(realModels("pte").filter(({ name }) => Object.hasOwn(oracle, name)))("$name", ({ name, file, truth }) => {
    const model = pte.read(file());
    expect(errors(model)).toEqual([]);
    const kernels = new Set(
      model.graphs.flatMap(({ nodes }) => nodes.map(({ spelled }) => spelled.replace(/\.\w+$/, ""))),
    );
    for (const [, kernel = ""] of (/kernels \[(.*?)\]/.exec(truth)?.[1] ?? "").matchAll(/'([^']+)'/g))
      expect(kernels).toContain(kernel);
    expect(model.targets.map(({ says }) => says)).toEqual([/accelerator (\S+)/.exec(truth)?.[1]].filter(Boolean));
    (oracle[name] ?? []).forEach((said, at) => {
      const graph = model.graphs[at] ?? main(model);
      const indexOf = new Map(graph.tensors.map((one, index) => [one.name, index]));
      const place = (value: number): number => indexOf.get(`value ${value}`) ?? -1;
      expect(graph.name).toBe(said.name);
      expect(graph.tensors.map(({ type, shape }) => [type, shape])).toEqual(
        said.tensors.map(([, type, sizes]) => [
          Object.values(scalarTypes).find((one) => one.name === type)?.type,
          sizes,
        ]),
      );
      expect(graph.tensors.map(({ data }) => data !== undefined)).toEqual(said.tensors.map(([, , , data]) => data > 0));
      expect(graph.nodes.map((node) => node.domain ?? node.spelled)).toEqual(
        said.operators.map(([spelled]) => spelled),
      );
      said.operators.forEach(([, args], index) => {
        const node = graph.nodes[index];
        const ends = new Set([...(node?.inputs ?? []), ...(node?.outputs ?? [])]);
        for (const argument of args.map(place).filter((one) => one >= 0)) expect(ends).toContain(argument);
      });
      expect([graph.inputs, graph.outputs]).toEqual([said.inputs.map(place), said.outputs.map(place)]);
      expect(model.metadata[`${said.name} memory bytes`]).toBe(said.memory.slice(1).join(", "));
    });
  });
});
