import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { matchModalias, matchOf, matchPci, matchUsb } from "../../src/families/match.ts";

const shared = new URL("../../../shared/facts/kernels.json", import.meta.url);

/** Family and chip of a PCI id, as one word. */
function pciIs(vendor: number, device: number, classCode: number, revision?: number): string | undefined {
  const found = matchPci({ vendor, device, class: classCode, revision });
  return found && `${found.family.id}/${found.chip.id}`;
}

function ofIs(compatible: string, node = "npu"): string | undefined {
  const found = matchOf([compatible], node);
  return found && `${found.family.id}/${found.chip.id}`;
}

describe("PCI ids that need a second look", () => {
  it("the revision decides which XDNA chip 1022:17f0 is", () => {
    expect(pciIs(0x1022, 0x17f0, 0x118000, 0x10)).toBe("amd-xdna/npu4");
    expect(pciIs(0x1022, 0x17f0, 0x118000, 0x11)).toBe("amd-xdna/npu5");
    expect(pciIs(0x1022, 0x17f0, 0x118000, 0x20)).toBe("amd-xdna/npu6");
  });

  it("an XDNA virtual function is marked as one only where it is one", () => {
    const virtual = (revision: number) =>
      matchPci({ vendor: 0x1022, device: 0x17f3, class: 0x118000, revision })?.match;
    expect(virtual(0x10)?.virtual).toBe(true);
    expect(virtual(0x13)?.virtual).toBeUndefined();
  });

  it("an Alveo's management function is a helper and its user function is not", () => {
    expect(matchPci({ vendor: 0x10ee, device: 0x5000, class: 0x120000 })?.match.helper).toBe(true);
    expect(matchPci({ vendor: 0x10ee, device: 0x5001, class: 0x120000 })?.match.helper).toBeUndefined();
    expect(pciIs(0x10ee, 0x5001, 0x120000)).toBe("xilinx-dpu/u200");
    expect(pciIs(0x10ee, 0x7011, 0x120000)).toBeUndefined();
  });

  it("NVIDIA is a GPU by class: no switch, bridge or sound function", () => {
    expect(pciIs(0x10de, 0x27b8, 0x030200)).toBe("nvidia/gpu");
    expect(pciIs(0x10de, 0x2b85, 0x030000)).toBe("nvidia/gpu");
    expect(pciIs(0x10de, 0x22a3, 0x068000)).toBeUndefined();
    expect(pciIs(0x10de, 0x1ad0, 0x060400)).toBeUndefined();
    expect(pciIs(0x10de, 0x22bc, 0x040300)).toBeUndefined();
  });

  it("AMD's class tells Instinct from Radeon, and the sound function is neither", () => {
    expect(pciIs(0x1002, 0x74a1, 0x120000)).toBe("amd-rocm/instinct");
    expect(pciIs(0x1002, 0x73bf, 0x030000)).toBe("amd-rocm/gpu");
    expect(pciIs(0x1002, 0xab28, 0x040300)).toBeUndefined();
  });

  it("Intel's NPU, GPU and telemetry of one processor are kept apart", () => {
    expect(pciIs(0x8086, 0x643e, 0x120000)).toBe("intel-npu/lnl");
    expect(pciIs(0x8086, 0x64a0, 0x030000)).toBe("intel-gpu/lunar-lake");
    expect(pciIs(0x8086, 0x647d, 0x118000)).toBeUndefined();
    expect(pciIs(0x8086, 0x46a6, 0x030000)).toBe("intel-gpu/gpu");
  });

  it("Google's network card is no TPU", () => {
    expect(pciIs(0x1ae0, 0x0042, 0x020000)).toBeUndefined();
    expect(pciIs(0x1ae0, 0x0063, 0x120000)).toBe("cloud-tpu/v5e");
  });
});

describe("USB sticks that change their id", () => {
  it("both ids of the Coral stick and of Myriad X are the same chip, each with its phase", () => {
    for (const { before, after } of [
      { before: [0x1a6e, 0x089a], after: [0x18d1, 0x9302] },
      { before: [0x03e7, 0x2485], after: [0x03e7, 0xf63b] },
    ] as const) {
      const first = matchUsb(before[0], before[1]);
      const second = matchUsb(after[0], after[1]);
      expect(first?.chip).toBe(second?.chip);
      expect(first?.match.phase).not.toBe(second?.match.phase);
    }
  });
});

describe("device trees", () => {
  it("vendor nodes without a mainline driver are still recognised", () => {
    expect(ofIs("rockchip,rk3588-rknpu")).toBe("rockchip/rk3588");
    expect(ofIs("nvidia,tegra194-nvdla", "nvdla")).toBe("nvdla/tegra194");
    expect(ofIs("qcom,sm8650-cdsp-pas", "remoteproc-cdsp")).toBe("qualcomm/sm8650");
  });

  it("an audio or modem DSP's remote processor is no NPU", () => {
    expect(ofIs("qcom,sm8650-adsp-pas", "remoteproc")).toBeUndefined();
    expect(ofIs("qcom,sm8650-mpss-pas", "remoteproc")).toBeUndefined();
  });

  it("Xavier's GPU counts where the kernel made a device of it, not by the tree alone", () => {
    expect(ofIs("nvidia,gv11b", "gpu")).toBeUndefined();
    expect(matchModalias("of:NgpuT(null)Cnvidia,gv11b")?.chip.id).toBe("tegra");
  });

  it.skipIf(!existsSync(shared))("every compute DSP that a harvested kernel boots is claimed (needs ../shared)", () => {
    const kernels = JSON.parse(readFileSync(shared, "utf8")) as {
      modules: { name: string; aliases?: string[] }[];
    }[];
    const seen = new Set<string>();
    for (const { modules } of kernels) {
      for (const module of modules) {
        if (!module.name.startsWith("qcom_q6v5")) continue;
        for (const alias of module.aliases ?? []) {
          const compatible = /C(qcom,[a-z0-9]+-(?:cdsp|nsp)[0-9]?-(?:pas|pil))$/.exec(alias)?.[1];
          if (compatible !== undefined) seen.add(compatible);
        }
      }
    }
    expect(seen.size).toBeGreaterThan(20);
    expect([...seen].filter((compatible) => matchOf([compatible], "remoteproc")?.family.id !== "qualcomm")).toEqual([]);
  });
});
