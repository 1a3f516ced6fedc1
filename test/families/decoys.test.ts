// Look-alikes: none is claimed by a family, and what a kernel module is said to claim it claims in a real kernel.
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { cpuFeatures } from "../../src/families/cpu-features.ts";
import { decoys } from "../../src/families/decoys.ts";
import { matchCpu, matchDecoyPci, matchOf, matchPci } from "../../src/families/match.ts";

const shared = fileURLToPath(new URL("../../../shared/", import.meta.url));
const aliases = (archive: string): string =>
  execFileSync("tar", ["xzOf", `${shared}${archive}`, "--wildcards", "*/modules.alias"], {
    encoding: "utf8",
    maxBuffer: 64 * 1024 * 1024,
  });

const numbers = (id: string, pciClass: number) => {
  const [vendor = "", device = ""] = id.split(":");
  return { vendor: parseInt(vendor, 16), device: parseInt(device, 16), class: pciClass };
};

describe("look-alikes", () => {
  test("no family claims one", () => {
    for (const { match, says } of decoys) {
      if (match.bus === "pci" && match.device !== undefined) {
        expect(matchPci(numbers(`${match.vendor}:${match.device}`, 0x120000)), says).toBeUndefined();
      }
      if (match.bus === "of") expect(matchOf([match.compatible], "npu", true), says).toBeUndefined();
    }
  });

  test("a compression engine of class 1200 is quiet and an unknown device of that class is not", () => {
    expect(matchDecoyPci(numbers("19e5:a250", 0x120000))?.says).toContain("compresses");
    expect(matchDecoyPci(numbers("dead:beef", 0x120000))).toBeUndefined();
    expect(matchDecoyPci(numbers("19e5:d802", 0x120000))).toBeUndefined();
  });

  test("a network processor and a timer are none, whatever their name", () => {
    expect(matchOf(["airoha,en7581-npu"], "npu", true)).toBeUndefined();
    expect(matchOf(["renesas,tpu-r8a779g0", "renesas,tpu"], "tpu", true)).toBeUndefined();
  });

  test.skipIf(!existsSync(`${shared}machines/kernel`))(
    "every PCI look-alike with a module stands in the aliases of a real kernel (skipped without ../shared)",
    () => {
      const texts = [
        aliases("machines/kernel/clean-7.3.tar.gz"),
        aliases("machines/kernel/arm64-vendor-7.3.tar.gz"),
        aliases("machines/kernel/rack-6.1.tar.gz"),
      ];
      let proved = 0;
      for (const { match, source, says } of decoys) {
        if (match.bus !== "pci" || match.device === undefined || !("kernel" in source)) continue;
        // NVMe is claimed by class; QuickAssist's older chips share one line in the table and have a module each.
        if (source.module === undefined || source.module === "nvme") continue;
        const module = source.module.startsWith("qat_") ? "qat_\\w+" : source.module;
        const pattern = new RegExp(
          `^alias pci:v0000${match.vendor.toUpperCase()}d0000${match.device.toUpperCase()}\\S* ${module}$`,
          "m",
        );
        expect(
          texts.some((text) => pattern.test(text)),
          `${match.vendor}:${match.device} ${says}`,
        ).toBe(true);
        proved++;
      }
      expect(proved).toBeGreaterThan(30);
    },
  );
});

describe("VeriSilicon", () => {
  test("vivante,gc is an NPU only where the node is named npu", () => {
    expect(matchOf(["vivante,gc"], "npu")?.family.id).toBe("verisilicon");
    expect(matchOf(["vivante,gc"], "gpu")).toBeUndefined();
  });

  test("the SoC alone is a hint and no device", () => {
    expect(matchOf(["fsl,imx8mp-evk", "fsl,imx8mp"], "")).toBeUndefined();
    expect(matchOf(["fsl,imx8mp-evk", "fsl,imx8mp"], "", true)?.family.id).toBe("verisilicon");
  });
});

describe("CPU", () => {
  test("every common architecture is a chip of the family", () => {
    for (const arch of ["x86_64", "i686", "aarch64", "armv7l", "riscv64", "ppc64le", "s390x", "loongarch64"]) {
      expect(matchCpu(arch)?.family.id, arch).toBe("cpu");
    }
  });

  test("no flag stands twice for one architecture", () => {
    const keys = cpuFeatures.map((feature) => `${feature.arch} ${feature.flag}`);
    expect(new Set(keys).size).toBe(keys.length);
  });
});
