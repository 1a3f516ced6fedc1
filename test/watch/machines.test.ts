/** Every captured machine is sampled without a word of complaint, and what its truth file knows is what the sample says. */

import { readdirSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { openRoot } from "../../src/root/open.ts";
import type { DeviceSample, Metric, Sample } from "../../src/watch/sample.ts";
import { openWatch } from "../../src/watch/watch.ts";
import { hasShared, sharedPath, unlessShared } from "../support/shared.ts";

const machines = hasShared
  ? ["kernel", "sysfs", "text", "dtb"].flatMap((kind) =>
      readdirSync(sharedPath(`machines/${kind}`))
        .filter((name) => !name.endsWith(".json"))
        .map((name) => `${kind}/${name}`),
    )
  : [];
const sampleOf = (name: string): Sample => openWatch(openRoot(sharedPath(`machines/${name}`))).sample();
const device = (sample: Sample, id: string): DeviceSample | undefined => sample.devices.find((one) => one.id === id);
const metric = (of: DeviceSample | undefined, name: string): Metric | undefined =>
  of?.metrics.find((one) => one.name === name);

describe.skipIf(!hasShared)(`captured machines${unlessShared}`, () => {
  it.each(machines)("%s is sampled, and each gap has its reason", (name) => {
    const { devices } = sampleOf(name);
    expect(new Set(devices.map(({ id }) => id)).size).toBe(devices.length);
    for (const { id, metrics } of devices) {
      const keys = metrics.map((one) => `${one.name} ${one.part ?? ""}`);
      expect([id, keys.filter((key, at) => keys.indexOf(key) !== at)]).toEqual([id, []]);
      for (const one of metrics) {
        if (one.value === null) expect(one.says.length).toBeGreaterThan(5);
        else expect(Number.isFinite(one.value)).toBe(true);
        expect(one.from).not.toBe("");
      }
    }
  });

  it("an NPU that slept when it was saved tells what its driver counts, and no clock", () => {
    const npu = device(sampleOf("kernel/intel-npu-bound-7.3.tar.gz"), "pci:0000:00:02.0");
    expect(npu).toMatchObject({ family: "intel-npu", driver: "intel_vpu", power_state: "suspended", processes: null });
    expect(metric(npu, "busy_seconds")?.value).toBe(0);
    expect(metric(npu, "memory_bytes")?.value).toBe(68_722_688);
    expect(metric(npu, "clock_hertz")).toMatchObject({ value: null, why: "asleep" });
    expect(metric(npu, "busy_ratio")).toMatchObject({ value: null, why: "uncaptured" });
    expect(metric(npu, "power_watts")).toMatchObject({ value: null, why: "absent" });
  });

  it("vector engines tell their clock and their link", () => {
    const sample = sampleOf("sysfs/hwloc_32intel64-2p8co2t+8ve.tar.bz2");
    const engines = sample.devices.filter(({ family }) => family === "nec-ve");
    expect(engines.length).toBe(8);
    for (const engine of engines) {
      expect(metric(engine, "clock_hertz")?.value).toBe(1.4e9);
      expect(metric(engine, "pcie_link_lanes")?.value).toBe(16);
    }
  });

  it("the processor of a saved machine has memory and no load", () => {
    const cpu = device(sampleOf("sysfs/hwloc_nvidia-dgx-gb10.tar.bz2"), "cpu:0");
    expect(metric(cpu, "memory_total_bytes")?.value).toBe(128_520_671_232);
    expect(metric(cpu, "clock_hertz")?.value).toBeGreaterThan(1e9);
    expect(metric(cpu, "busy_ratio")).toMatchObject({ value: null, why: "uncaptured" });
  });
});
