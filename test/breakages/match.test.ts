import { existsSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { breakages } from "../../src/breakages/index.ts";
import { addressIn, matchLines, matchLog } from "../../src/breakages/match.ts";
import { createPrefilter } from "../../src/breakages/prefilter.ts";
import { parseKernelLog } from "../../src/facts/klog.ts";
import { unrelated } from "./unrelated.ts";

const ids = (text: string): string[] =>
  matchLog(parseKernelLog(text)).map((m) => `${m.breakage.id} ${m.address ?? "-"}`);

describe("matchLog", () => {
  it("reports a breakage once for each device, with the number of lines", () => {
    const matches = matchLog(
      parseKernelLog(
        [
          "[    1.0] intel_vpu 0000:00:0b.0: [drm] *ERROR* ivpu_fw_request(): Failed to request firmware: -2",
          "[    1.1] intel_vpu 0000:00:0b.0: probe with driver intel_vpu failed with error -2",
          "[    2.0] amdxdna 0000:c5:00.1: [drm] *ERROR* aie2_init: Running without IOMMU not supported",
        ].join("\n"),
      ),
    );
    expect(matches.map((m) => [m.breakage.id, m.address, m.line, m.count])).toEqual([
      ["intel-fw-2", "0000:00:0b.0", 1, 2],
      ["amd-no-iommu", "0000:c5:00.1", 3, 1],
    ]);
  });

  it("takes a first firmware name that failed as harmless when the driver came up", () => {
    const text = [
      "intel_vpu 0000:00:0b.0: firmware: failed to load intel/vpu/vpu_37xx_v1.bin (-2)",
      "[drm] Initialized intel_vpu 1.0.0 for 0000:00:0b.0 on minor 0",
    ].join("\n");
    const matches = matchLog(parseKernelLog(text));
    expect(matches.map((m) => [m.breakage.id, m.breakage.severity, m.recovered])).toEqual([
      ["intel-fw-fallback", "note", 2],
    ]);
  });

  it("does not call the same line harmless when the probe failed", () => {
    const text = [
      "intel_vpu 0000:00:0b.0: firmware: failed to load intel/vpu/vpu_37xx_v1.bin (-2)",
      "intel_vpu 0000:00:0b.0: [drm] *ERROR* ivpu_fw_request(): Failed to request firmware: -2",
    ].join("\n");
    expect(ids(text)).toEqual(["intel-fw-2 0000:00:0b.0"]);
  });

  it("says that a failure is over when the driver initialised the device later", () => {
    const text = [
      "intel_vpu 0000:00:0b.0: probe with driver intel_vpu failed with error -2",
      "[drm] Initialized intel_vpu 1.0.0 for 0000:00:0b.0 on minor 0",
    ].join("\n");
    expect(matchLog(parseKernelLog(text))[0]?.recovered).toBe(2);
  });

  it("leaves wordings that only programs print out of a kernel log", () => {
    const lines = parseKernelLog("xrt-smi examine: 0 devices found");
    expect(matchLog(lines)).toEqual([]);
    expect(matchLines(lines).map((m) => m.breakage.id)).toEqual(["amd-0-devices"]);
  });

  it("finds nothing in lines about other hardware", () => {
    expect(matchLog(parseKernelLog(unrelated.join("\n")))).toEqual([]);
  });

  it("stays quick on a line made to be slow", () => {
    const nasty = ["apex gasket ".repeat(5000), `${"amdxdna firmware ".repeat(60)}too`, "RKNPU ".repeat(9000)];
    const lines = Array.from({ length: 5000 }, (_, i) => ({
      seconds: undefined,
      text: nasty[i % 3] ?? "",
      number: i + 1,
    }));
    const start = performance.now();
    matchLog(lines);
    // 0.1 s where it was written: an expression that backtracks without end would take minutes.
    expect(performance.now() - start).toBeLessThan(3000);
  });

  const root = new URL("../../../shared/machines/kernel/", import.meta.url);
  it.skipIf(!existsSync(root))("reads 20,000 lines of real logs in the time of a blink", () => {
    const lines = Array.from({ length: 20_000 }, (_, i) => ({
      seconds: i,
      text: (unrelated[i % unrelated.length] ?? "").slice(15),
      number: i + 1,
    }));
    matchLog(lines);
    const times = Array.from({ length: 5 }, () => {
      const start = performance.now();
      matchLog(lines);
      return performance.now() - start;
    });
    // 10 ms where it was written; the bound leaves room for a busy machine.
    expect(Math.min(...times)).toBeLessThan(60);
  });
});

describe("addressIn", () => {
  it.each([
    ["intel_vpu 0000:00:0b.0: x", "0000:00:0b.0"],
    ["NVRM: Xid (PCI:0000:3b:00): 79, pid=1", "0000:3b:00.0"],
    ["AMD-Vi: Event logged [IO_PAGE_FAULT device=0000:C6:00.1 domain=0x0010", "0000:c6:00.1"],
    ["RKNPU fdab0000.npu: failed", "fdab0000.npu"],
    ["remoteproc remoteproc2: crash detected in cdsp: type fatal error", "remoteproc2"],
    ["tenstorrent: loaded", undefined],
    ["intel/vpu/vpu_37xx_v1.bin", undefined],
  ])("%s", (text, address) => {
    expect(addressIn(text)).toBe(address);
  });
});

describe("the prefilter", () => {
  it("finds every literal that is there, wherever it starts and in any case", () => {
    const literals = ["intel_vpu", "vpu_", "apex", "zzzz"];
    const filter = createPrefilter(literals);
    const found = (text: string): string[] => {
      const hits = new Set<string>();
      filter(text, (i) => hits.add(literals[i] ?? ""));
      return [...hits].sort();
    };
    expect(found("xxINTEL_vpu and Apex")).toEqual(["apex", "intel_vpu"]);
    expect(found("vpu_37xx")).toEqual(["vpu_"]);
    expect(found("ape")).toEqual([]);
    expect(found("")).toEqual([]);
  });

  it("never hides a line from its signature", () => {
    // Any literal of a signature, put into noise, must be found: else the signature could never match there.
    const literals = breakages.flatMap((b) => b.patterns.flatMap((p) => p.has));
    const filter = createPrefilter(literals);
    for (const [index, literal] of literals.entries()) {
      const hits = new Set<number>();
      filter(`[    1.2] some 0000:01:00.0: ${literal.toUpperCase()} tail`, (i) => hits.add(i));
      expect(hits.has(index), literal).toBe(true);
    }
  });
});
