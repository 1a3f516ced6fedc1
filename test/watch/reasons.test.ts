/** What holds a clock back, what went over a link, and what somebody has set: on made machines. */

import { expect, it } from "vitest";
import { deviceIn, makeMachine, metricIn, pci, pciPath, valueIn, watchOf } from "./machine.ts";

const GPU = "0000:03:00.0";

it("xe and i915 name the reasons for which a clock is held back, by GT where there are several", () => {
  const throttle = (gt: string, thermal: number): Record<string, string> => ({
    [`tile0/${gt}/freq0/throttle/status`]: `${thermal}\n`,
    [`tile0/${gt}/freq0/throttle/reason_thermal`]: `${thermal}\n`,
    [`tile0/${gt}/freq0/throttle/reason_pl1`]: "0\n",
  });
  const two = makeMachine(pci(GPU, "8086:56a0", "030000", "xe", { ...throttle("gt0", 1), ...throttle("gt1", 0) }));
  const xe = deviceIn(watchOf(two).next(), `pci:${GPU}`);
  expect(valueIn(xe, "throttled_state", "gt0")).toBe(1);
  expect(valueIn(xe, "throttled_state", "gt0 thermal")).toBe(1);
  expect(valueIn(xe, "throttled_state", "gt0 pl1")).toBe(0);
  expect(valueIn(xe, "throttled_state", "gt1 thermal")).toBe(0);

  const one = makeMachine(
    pci(GPU, "8086:56a0", "030000", "i915", {
      "drm/card0/gt/gt0/throttle_reason_status": "1\n",
      "drm/card0/gt/gt0/throttle_reason_pl1": "1\n",
      "drm/card0/gt/gt0/throttle_reason_vr_tdc": "0\n",
    }),
  );
  const i915 = deviceIn(watchOf(one).next(), `pci:${GPU}`);
  expect(valueIn(i915, "throttled_state")).toBe(1);
  expect(valueIn(i915, "throttled_state", "pl1")).toBe(1);
  expect(valueIn(i915, "throttled_state", "vr_tdc")).toBe(0);
  expect(i915.metrics.filter(({ name }) => name === "throttled_state")).toHaveLength(3);
});

it("Intel's NPU tells its most efficient clock and the limits that were set, asleep too", () => {
  const made = makeMachine(
    pci("0000:00:0b.0", "8086:b03e", "120000", "intel_vpu", {
      "freq/current_freq": "0\n",
      "freq/hw_max_freq": "1950\n",
      "freq/hw_efficient_freq": "1300\n",
      "freq/set_min_freq": "400\n",
      "freq/set_max_freq": "1600\n",
      "power/runtime_status": "suspended\n",
    }),
  );
  const npu = deviceIn(watchOf(made).next(), "pci:0000:00:0b.0");
  expect(valueIn(npu, "clock_efficient_hertz")).toBe(1.3e9);
  expect(valueIn(npu, "clock_limit_hertz", "least")).toBe(400e6);
  expect(valueIn(npu, "clock_limit_hertz", "most")).toBe(1.6e9);
  expect(valueIn(npu, "clock_hertz")).toBe("asleep");
});

it("Tenstorrent's counters of words become bytes in a second, past the end of 32 bits", () => {
  const path = `${pciPath(GPU)}/tenstorrent/tenstorrent!0`;
  const counter = `${path}/pcie_perf_counters/slv_posted_wr_data_word_received0`;
  const made = makeMachine({
    ...pci(GPU, "1e52:b140", "120000", "tenstorrent"),
    "/sys/class/tenstorrent/tenstorrent!0": `-> ${path}`,
    [`${path}/device`]: `-> ${pciPath(GPU)}`,
    [`${path}/uevent`]: "MAJOR=240\nMINOR=0\nDEVNAME=tenstorrent/0\n",
    [counter]: "4294967290\n",
    [`${path}/pcie_perf_counters/mst_rd_data_word_received0`]: "0\n",
  });
  const { next } = watchOf(made);
  const first = deviceIn(next(), `pci:${GPU}`);
  expect(valueIn(first, "pcie_transfer_bytes", "mst_rd_data_word_received0")).toBe(0);
  made.change({ [counter]: "10\n" });
  const second = deviceIn(next(2), `pci:${GPU}`);
  expect(valueIn(second, "pcie_transfer_bytes_per_second", "slv_posted_wr_data_word_received0")).toBe(16 * 16);
  expect(metricIn(second, "pcie_transfer_bytes_per_second", "mst_rd_data_word_received0")).toMatchObject({ value: 0 });
});
