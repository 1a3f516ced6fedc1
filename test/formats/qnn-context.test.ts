import { describe, expect, it } from "vitest";
import { modelFileOf } from "../../src/formats/file.ts";
import qnn from "../../src/formats/qnn-context.ts";
import { expectMutantsHandled } from "../support/sealed.ts";
import { context, samples } from "./samples/qnn-context.ts";

describe("qnn-context", () => {
  it.each(Object.entries(samples))("tells SDK, chip and sizes of %s", (name, make) => {
    const model = qnn.read(modelFileOf(make(), name));
    expect(model.integrity).toEqual([]);
    expect(model.targets).toEqual([{ family: "qualcomm", chip: "sm8650", says: "SM8650" }]);
    expect(model.requires).toEqual([
      { what: "QNN (Qualcomm AI Runtime)", relation: "built by", version: "2.37.0.250724175447_124859" },
    ]);
    expect(model.sections.at(-1)?.bytes).toBe(context.length);
    expect(model.metadata["signature"]).toBe("0x1234");
  });

  it("knows a bare context by its words and its text, and says that its end cannot be told", () => {
    const file = modelFileOf(context, "model.bin");
    expect(qnn.matches(file)).toBe(2);
    expect(qnn.read(file).unseen.join()).toContain("whether the file is whole");
    const silent = Buffer.concat([context.subarray(0, 16), Buffer.alloc(64, 1)]);
    expect(qnn.matches(modelFileOf(silent, "model.bin"))).toBe(1);
    expect(qnn.matches(modelFileOf(silent, "model.dat"))).toBe(0);
    expect(qnn.read(modelFileOf(silent, "model.bin")).targets[0]?.says).toContain("not said");
  });

  it("survives mutants", () => {
    for (const [name, make] of Object.entries(samples)) expectMutantsHandled(qnn, make(), name, 500);
    expectMutantsHandled(qnn, context, "model.bin", 500);
  });
});
