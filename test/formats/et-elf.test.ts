import { describe, expect, it } from "vitest";
import etElf from "../../src/formats/et-elf.ts";
import { modelFileOf } from "../../src/formats/file.ts";
import { expectMutantsHandled, realModels } from "../support/sealed.ts";
import { etElf as build, samples } from "./samples/et-elf.ts";

const score = (bytes: Uint8Array, name: string): number => etElf.matches(modelFileOf(bytes, name));

describe("kernels of ET-SoC-1", () => {
  it("are ELF for bare RISC-V: a mark that only the name makes likely", () => {
    expect(score(build(), "conv.elf")).toBe(2);
    expect(score(build(), "conv")).toBe(1);
    expect(score(build(undefined, { machine: 62 }), "conv.elf")).toBe(0); // x86-64
    expect(score(build(undefined, { flags: 5 }), "fw.elf")).toBe(0); // doubles, which its cores have not
    expect(score(build(undefined, { type: 3 }), "libc.elf")).toBe(0); // a shared object
  });

  it("tell their code, and that nothing in them names the chip", () => {
    const model = etElf.read(modelFileOf(build(), "conv.elf"));
    expect(model.producer?.name).toContain("GCC");
    expect(model.targets).toEqual([{ family: "et-soc1", chip: "et-soc1", says: "RISC-V (ELF machine 243)" }]);
    expect(model.unseen.join(" ")).toContain("any bare RISC-V program looks like this");
    expect(model.sections.map(({ name, kind }) => [name, kind])).toEqual([
      [".text", "code"],
      [".rodata", "weights"],
      [".comment", "metadata"],
      [".shstrtab", "metadata"],
    ]);
    expect(model.integrity).toEqual([]);
  });

  it("that ask for a program interpreter are no kernels, and that is said", () => {
    const model = etElf.read(modelFileOf(samples["hosted.elf"]?.() ?? new Uint8Array(), "a.elf"));
    expect(model.integrity.map(({ rule }) => rule)).toEqual(["target/unlikely"]);
  });

  it("survive mutation", () => {
    expectMutantsHandled(etElf, build(), "a.elf");
  });
});

describe.each(realModels("et-elf"))("$name", ({ truth, file }) => {
  it("says what the manifest says", () => {
    const model = etElf.read(file());
    expect(model.version).toBe(truth);
    expect(model.producer?.name).toMatch(/^GCC: .*8\.2\.0/);
    expect(model.sections.filter(({ kind }) => kind === "code").length).toBeGreaterThan(0);
  });
});
