/** Every known model against what was published of it, and against what a graph of a file would have to be. */

import { describe, expect, it } from "vitest";
import { findKnown, nearKnown, squash } from "../../src/fit/find-known.ts";
import type { BuildOptions, KnownModel } from "../../src/fit/known.ts";
import { all } from "../../src/fit/known/index.ts";
import { costOf } from "../../src/model/cost.ts";
import type { Model } from "../../src/model/graph.ts";
import { schemeOf } from "../../src/model/quantization.ts";

/** Share of deviation that folded batch normalisations and counting of small operators explain. */
const SHARE = 0.02;
/** Half of the last digit of tables in millions of parameters and billions of operations, two digits behind the point. */
const HALF_PARAMETERS = 5e3;
const HALF_MACS = 5e6;

function complaints(known: KnownModel): string[] {
  return known.published.flatMap(({ parameters, macs, input, source, within }) => {
    const cost = costOf(known.build(input === undefined ? {} : { input }));
    const off = (
      what: "parameters" | "macs",
      told: number | undefined,
      made: number | undefined,
      half: number,
    ): string[] => {
      if (told === undefined) return [];
      if (made === undefined) return [`${known.id}: ${what} cannot be told`];
      const most = (within !== undefined && (within.of ?? what) === what ? within.share : SHARE) * told + half;
      const share = (made / told - 1) * 100;
      return Math.abs(made - told) <= most
        ? []
        : [`${known.id}: ${what} ${made}, published ${told}: ${share.toFixed(1)} % (${source})`];
    };
    return [
      ...off("parameters", parameters, cost.parameters, HALF_PARAMETERS),
      ...off("macs", macs, cost.macs, HALF_MACS),
    ];
  });
}

/** What is no graph that an exporter could have written. */
function flaws(id: string, model: Model): string[] {
  const [graph] = model.graphs;
  if (graph === undefined) return [`${id}: no graph`];
  const out: string[] = [];
  const made = new Set(graph.inputs);
  const used = new Set(graph.outputs);
  graph.tensors.forEach((tensor, index) => {
    if (tensor.data !== undefined) made.add(index);
    if (tensor.shape?.some((size) => typeof size !== "number" || size < 1) !== false)
      out.push(`${id}: shape of ${tensor.name}`);
  });
  for (const node of graph.nodes) {
    if (node.op === undefined) out.push(`${id}: ${node.spelled} has no shared name`);
    for (const index of node.inputs) {
      if (index >= 0 && !made.has(index)) out.push(`${id}: ${node.name ?? ""} reads ${index} before it is made`);
      used.add(index);
    }
    for (const index of node.outputs) made.add(index);
  }
  graph.tensors.forEach((tensor, index) => {
    if (!used.has(index) && !graph.inputs.includes(index) && tensor.data !== undefined)
      out.push(`${id}: ${tensor.name} is not used`);
  });
  return out;
}

const names = (known: KnownModel): string[] => [...new Set([known.id, known.name, ...known.aliases].map(squash))];

describe("known models", () => {
  it.each(all.map((known): [string, KnownModel] => [known.id, known]))(
    "%s has the parameters and MACs that were published",
    (_, known) => {
      expect(complaints(known)).toEqual([]);
    },
  );

  it("say what their figures are held against, and explain every deviation that is allowed", () => {
    for (const known of all) {
      expect(known.source, known.id).not.toBe("");
      expect(known.published.length, known.id).toBeGreaterThan(0);
      for (const { source, within } of known.published) {
        expect(source).not.toBe("");
        if (within) expect(within.because.length).toBeGreaterThan(8);
      }
    }
  });

  const forms: readonly [string, BuildOptions][] = [
    ["ONNX", {}],
    ["TFLite", { dialect: "tflite" }],
    ["ONNX int8", { precision: "int8" }],
    ["TFLite int8", { dialect: "tflite", precision: "int8" }],
  ];

  it.each(forms)("are whole graphs as %s", (_, options) => {
    expect(all.flatMap((known) => flaws(known.id, known.build(options)))).toEqual([]);
  });

  it("cost the same MACs and parameters in either dialect and in any precision", () => {
    for (const known of all) {
      const [one, ...others] = forms.map(([, options]) => costOf(known.build(options)));
      for (const other of others) {
        expect(other.open, known.id).toBe(0);
        expect(Math.abs((other.macs ?? 0) / (one?.macs ?? 1) - 1), known.id).toBeLessThan(0.001);
        expect(Math.abs((other.parameters ?? 0) / (one?.parameters ?? 1) - 1), known.id).toBeLessThan(0.01);
      }
    }
  });

  it("are quantised in full when int8 is asked for", () => {
    const kinds = new Set(all.map((known) => schemeOf(known.build({ precision: "int8", dialect: "tflite" }))?.kind));
    expect([...kinds]).toEqual(["full integer"]);
  });

  it("are built in less than 30 ms each, half of them in less than 2", () => {
    for (const known of all) known.build({});
    const times = all.map((known) => {
      const runs = [1, 2, 3].map(() => {
        const start = performance.now();
        known.build({});
        return performance.now() - start;
      });
      return Math.min(...runs);
    });
    times.sort((a, b) => a - b);
    expect(times[Math.floor(times.length / 2)]).toBeLessThan(2);
    expect(times.at(-1)).toBeLessThan(30); // of a thousand operators, and the machine that tests is shared
  });

  it("have names that no two of them share", () => {
    const owners = new Map<string, string[]>();
    for (const known of all) for (const name of names(known)) owners.set(name, [...(owners.get(name) ?? []), known.id]);
    expect([...owners].filter(([, ids]) => ids.length > 1)).toEqual([]);
  });

  it("tell an input that is too small instead of giving shapes of nothing", () => {
    for (const known of all) {
      try {
        const [graph] = known.build({ input: [known.input[0], 1, 1] }).graphs;
        expect(graph?.tensors.every(({ shape }) => shape?.every((size) => typeof size === "number" && size > 0))).toBe(
          true,
        );
      } catch (error) {
        expect((error as Error).name, known.id).toBe("CannotError");
      }
    }
  });
});

describe("findKnown", () => {
  it("finds a model by the spellings of benchmarks", () => {
    const asked = ["MobileNet v2", "mobilenet-v2", "MobileNet_V2_1.0_224", "mobilenetv2_1.0_224_quant_edgetpu.tflite"];
    for (const name of asked) expect(findKnown(name)?.known.id, name).toBe("mobilenet_v2");
  });

  it("splits off input size and precision", () => {
    const found = findKnown("MobileNet v1 0.25 160 quant");
    expect(found?.known.id).toBe("mobilenet_v1_0.25");
    expect(found?.input).toEqual([3, 160, 160]);
    expect(found?.precision).toBe("int8");
  });

  it("leaves out a size that is the model's own", () => {
    expect(findKnown("mobilenet_v2 224x224x3")?.input).toBeUndefined();
    expect(findKnown("mobilenet_v2 (320x256)")?.input).toEqual([3, 320, 256]);
  });

  it("finds nothing for a name of something else, and says what is near", () => {
    expect(findKnown("mobilenet_v9")).toBeUndefined();
    expect(findKnown("")).toBeUndefined();
    expect(findKnown("224")).toBeUndefined();
    expect(findKnown("x".repeat(100_000))).toBeUndefined();
    expect(nearKnown("mobilnet v2").map((known) => known.id)).toContain("mobilenet_v2");
  });
});
