import { describe, expect, it } from "vitest";
import { breakage } from "../../src/breakages/index.ts";
import { checkLock, compareVersions, lock, locks } from "../../src/breakages/locks.ts";

describe("compareVersions", () => {
  it.each([
    ["1.2.3", "1.2.3", 0],
    ["1.2", "1.2.0", 0],
    ["v0.9.8", "0.9.8", 0],
    ["0.9.10", "0.9.9", 1],
    ["570.124.04", "570.124.06", -1],
    ["1.17.16", "1.17.17", -1],
    ["2.5.0", "2.5.0.post1", -1],
    ["7.0-rc3", "7.0", -1],
    ["1.0~beta", "1.0", -1],
    ["6.4.3.p2.336687", "6.4.3.5.293908", 1],
    ["", "1", -1],
    ["99999999999999999999", "99999999999999999998", 1],
  ])("%s against %s", (a, b, sign) => {
    expect(Math.sign(compareVersions(a, b))).toBe(sign);
    expect(Math.sign(compareVersions(b, a))).toBe(-sign || 0);
  });
});

describe("version locks", () => {
  it("have unique ids, and what they break is in the table", () => {
    expect(new Set(locks.map((row) => row.id)).size).toBe(locks.length);
    for (const row of locks) if (row.breakage !== undefined) expect(breakage(row.breakage).family).toBe(row.family);
  });

  it.each([
    ["hailo-driver-library", "4.20.0", "4.20.0", "fits"],
    ["hailo-driver-library", "4.20.0", "4.22.0", "broken"],
    ["hailo-driver-library", undefined, "4.22.0", "unknown"],
    ["intel-npu-loader", "1.17.16", undefined, "broken"],
    ["intel-npu-loader", "1.21.9", undefined, "fits"],
    ["rknn-runtime-driver", "0.9.3", "1.6.0", "broken"],
    ["rknn-runtime-driver", "0.9.6", "2.3.0", "fits"],
    ["rknn-runtime-driver", "0.9.4", "2.3.0", "unknown"],
    ["rknn-runtime-driver", "0.8.2", "1.5.0", "fits"],
    ["rknn-model-runtime", "1.5.0", "1.5.2", "broken"],
    ["coral-tflite", "16.0", "2.5.0.post1", "fits"],
    ["coral-tflite", "16.0", "2.14.0", "broken"],
    ["coral-tflite", "15.0", "2.14.0", "unknown"],
    ["coral-gasket-kernel", "6.8.0-45-generic", "1.0-18", "broken"],
    ["coral-gasket-kernel", "6.1.0-21-amd64", "1.0-18", "fits"],
    ["amdxdna-firmware", "1.1.2.64", "6.19.12", "broken"],
    ["amdxdna-firmware", "1.0.0.63", "6.19.12", "fits"],
    ["amdxdna-firmware", "1.1.2.64", "7.3.4", "fits"],
    ["gaudi-stack", "1.15.0-479", "1.15.0+x", "fits"],
    ["tensorrt-engine", "10.0.1", "9.3.0", "fits"],
    ["cann-hdk", "24.1.1", "8.0", "unknown"],
  ] as const)("%s: %s with %s %s", (id, left, right, state) => {
    expect(checkLock(lock(id), left, right)).toBe(state);
  });
});
