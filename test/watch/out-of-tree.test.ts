/** What drivers outside the kernel tell, in the words their sources print, on made machines; and what they do not tell. */

import { expect, it } from "vitest";
import { openRoot } from "../../src/root/open.ts";
import { openWatch } from "../../src/watch/watch.ts";
import { hasShared, sharedPath, unlessShared } from "../support/shared.ts";
import { deviceIn, hwmon, makeMachine, metricIn, node, pci, pciPath, valueIn, watchOf, type Files } from "./machine.ts";

const [ONE, TWO] = ["0000:01:00.0", "0000:02:00.0"];

it("AWS Neuron: memory by core, ECC and its share of power; of two devices nothing, as nobody says which is whose", () => {
  const tree = (name: string): Files => {
    const path = `/sys/devices/virtual/neuron_device/${name}`;
    return {
      [`/sys/class/neuron_device/${name}`]: `-> ${path}`,
      [`${path}/neuron_core0/stats/memory_usage/device_mem/total`]: "1048576\n",
      [`${path}/neuron_core0/stats/memory_usage/device_mem/present`]: "-5\n",
      [`${path}/neuron_core0/stats/memory_usage/device_mem/peak`]: "2097152\n",
      [`${path}/neuron_core1/stats/memory_usage/device_mem/total`]: "0\n",
      [`${path}/stats/hardware/sram_ecc_uncorrected`]: "3\n",
      [`${path}/stats/hardware/mem_ecc_uncorrected`]: "0\n",
      [`${path}/stats/power/utilization`]: "POWER_STATUS_VALID,1700000000,10.00,30.25,20.50\n",
    };
  };
  const made = makeMachine({ ...pci(ONE, "1d0f:7364", "088000", "neuron-driver"), ...tree("neuron0") });
  const device = deviceIn(watchOf(made).next(), `pci:${ONE}`);
  expect(valueIn(device, "memory_bytes", "neuron_core0")).toBe(2 ** 20);
  expect(valueIn(device, "memory_bytes", "neuron_core1")).toBe(0);
  expect(valueIn(device, "memory_peak_bytes", "neuron_core0")).toBe(2 ** 21);
  expect(valueIn(device, "uncorrected_error_count", "SRAM")).toBe(3);
  expect(valueIn(device, "power_use_ratio", "mean")).toBe(0.205);
  expect(metricIn(device, "busy_ratio")).toMatchObject({ value: null, why: "absent" });
  made.change({
    "/sys/devices/virtual/neuron_device/neuron0/stats/power/utilization": "POWER_STATUS_NO_DATA,1,0.00,0.00,0.00\n",
  });
  expect(valueIn(deviceIn(watchOf(made).next(), `pci:${ONE}`), "power_use_ratio")).toBe("absent");

  const two = makeMachine({
    ...pci(ONE, "1d0f:7364", "088000", "neuron-driver"),
    ...pci(TWO, "1d0f:7364", "088000", "neuron-driver"),
    ...tree("neuron0"),
    ...tree("neuron1"),
  });
  expect(metricIn(deviceIn(watchOf(two).next(), `pci:${ONE}`), "memory_bytes")).toMatchObject({
    value: null,
    why: "absent",
    says: expect.stringContaining("nothing says which") as string,
  });
});

it("Furiosa: sensors by label, and the heartbeat of the card whose address busname holds", () => {
  const management = (name: string, address: string, beat: number): Files => {
    const path = `/sys/devices/virtual/rngd_mgmt/${name}`;
    return {
      [`/sys/class/rngd_mgmt/${name}`]: `-> ${path}`,
      [`${path}/busname`]: `${address}\n`,
      [`${path}/heartbeat`]: `${beat}\n`,
      [`${path}/atr_error`]: "AXI Post Error: 2\nPCIe Doorbell done: 7\nDevice Error: 0\n",
    };
  };
  const made = makeMachine({
    ...pci(ONE, "1ed2:0001", "120000", "furiosa_rngd"),
    ...pci(TWO, "1ed2:0001", "120000", "furiosa_rngd"),
    ...management("rngd!npu0mgmt", TWO, 20),
    ...management("rngd!npu1mgmt", ONE, 10),
    ...hwmon(pciPath(ONE), 0, {
      name: "rngd1\n",
      temp1_input: "41000\n",
      temp1_label: "PEAK\n",
      temp10_input: "30000\n",
      temp10_label: "AMBIENT\n",
      power1_average: "98000000\n",
      power1_label: "RMS_TOTAL\n",
    }),
  });
  const { next } = watchOf(made);
  const first = next();
  const card = deviceIn(first, `pci:${ONE}`);
  expect(valueIn(card, "heartbeat_count")).toBe(10);
  expect(valueIn(deviceIn(first, `pci:${TWO}`), "heartbeat_count")).toBe(20);
  expect(valueIn(card, "transfer_event_count", "AXI Post Error")).toBe(2);
  expect(valueIn(card, "temperature_celsius", "AMBIENT")).toBe(30);
  expect(valueIn(card, "power_watts", "RMS_TOTAL")).toBe(98);
  made.change({ "/sys/devices/virtual/rngd_mgmt/rngd!npu1mgmt/heartbeat": "13\n" });
  expect(valueIn(deviceIn(next(1), `pci:${ONE}`), "heartbeats_per_second")).toBe(3);
});

it("Sophgo: load of the PCI device, sensors of the procfs folder whose dbdf is its address", () => {
  const chip = (card: number, index: number, address: string, celsius: string): Files => ({
    [`/proc/bmsophon/card${card}/bmsophon${index}/dbdf`]: `${address.slice(1)}\n`,
    [`/proc/bmsophon/card${card}/bmsophon${index}/chip_temp`]: celsius,
    [`/proc/bmsophon/card${card}/bmsophon${index}/tpu_freq`]: "1000 MHz\n",
    [`/proc/bmsophon/card${card}/bmsophon${index}/tpu_power`]: "N/A\n",
    [`/proc/bmsophon/card${card}/bmsophon${index}/tpu_volt`]: "629 mV\n",
    [`/proc/bmsophon/card${card}/board_power`]: `${30 + card} W\n`,
  });
  const made = makeMachine({
    ...pci(ONE, "1f1c:1686", "120000", "bmdrv", { npu_usage: "usage:34 avusage:2\n" }),
    ...pci(TWO, "1f1c:1686", "120000", "bmdrv", { npu_usage: "Please, set [Usage enable] to 1\n" }),
    ...chip(0, 0, TWO, "55 C\n"),
    ...chip(1, 1, ONE, "44 C\n"),
  });
  const sample = watchOf(made).next();
  const one = deviceIn(sample, `pci:${ONE}`);
  expect(valueIn(one, "busy_ratio")).toBe(0.34);
  expect(valueIn(one, "temperature_celsius", "chip")).toBe(44);
  expect(valueIn(one, "clock_hertz")).toBe(1e9);
  expect(valueIn(one, "voltage_volts", "TPU")).toBe(0.629);
  expect(valueIn(one, "power_watts", "board")).toBe(31);
  expect(metricIn(one, "power_watts", "TPU")).toMatchObject({ value: null, why: "absent" });
  const two = deviceIn(sample, `pci:${TWO}`);
  expect(valueIn(two, "temperature_celsius", "chip")).toBe(55);
  expect(metricIn(two, "busy_ratio")).toMatchObject({
    value: null,
    why: "absent",
    says: expect.stringContaining("npu_usage_enable") as string,
  });
});

it.each([
  ["sysfs", "/sys/memx1"],
  ["procfs", "/proc/memx1"],
])("MemryX: load by chip of its folder in %s, which is called as its hwmon", (_, folder) => {
  const made = makeMachine({
    ...pci(ONE, "1fe9:0100", "120000", "memx_pcie_ai_chip"),
    ...hwmon(pciPath(ONE), 0, { name: "memx1\n", temp1_input: "40000\n" }),
    [`${folder}/utilization`]: "chip0(group0):12% chip2(group1):100% \n",
    "/sys/memx0/utilization": "chip0(group0):77% \n",
  });
  const { next } = watchOf(made);
  const card = deviceIn(next(), `pci:${ONE}`);
  expect(valueIn(card, "busy_ratio", "chip 0")).toBe(0.12);
  expect(valueIn(card, "busy_ratio", "chip 2")).toBe(1);
  expect(valueIn(card, "temperature_celsius", "chip 1")).toBe(40);
  made.change({ [`${folder}/utilization`]: "\n" });
  expect(valueIn(deviceIn(next(), `pci:${ONE}`), "busy_ratio")).toBe("absent");
});

it("ET-SoC-1: errors by kind and the memory its driver holds", () => {
  const made = makeMachine(
    pci(ONE, "1e0a:eb01", "120000", "ET", {
      "err_stats/ce_count": "DramCeEvent:              4\nThermThrottleCeEvent:     1\n",
      "err_stats/uce_count": "DramUceEvent:             0\n",
      "mem_stats/cma_allocated": "256 MB\n",
    }),
  );
  const card = deviceIn(watchOf(made).next(), `pci:${ONE}`);
  expect(valueIn(card, "corrected_error_count", "DramCeEvent")).toBe(4);
  expect(valueIn(card, "corrected_error_count", "ThermThrottleCeEvent")).toBe(1);
  expect(valueIn(card, "uncorrected_error_count", "DramUceEvent")).toBe(0);
  expect(valueIn(card, "memory_bytes", "host")).toBe(2 ** 28);
  expect(metricIn(card, "busy_ratio")).toMatchObject({ says: expect.stringContaining("dev_mngt_service") as string });
});

it("DEEPX: how often its driver brought it back", () => {
  const path = "/sys/devices/virtual/dxrt/dxrt0";
  const made = makeMachine({
    ...pci(ONE, "1ff4:0100", "120000", "dx_dma_pcie"),
    "/sys/class/dxrt/dxrt0": `-> ${path}`,
    [`${path}/recovery/recovery_count`]: "2\n",
    [`${path}/recovery/recovery_fail_count`]: "1\n",
  });
  const card = deviceIn(watchOf(made).next(), `pci:${ONE}`);
  expect(valueIn(card, "recovery_count")).toBe(2);
  expect(valueIn(card, "failed_recovery_count")).toBe(1);
});

it.each([
  ["Hailo", "1e60:2864", "hailo", /hailortcli/],
  ["Axelera", "1f9d:1100", "axl", /no file for it/],
  ["Rebellions", "1eff:1250", "rebellions", /daemon/],
  ["Ascend", "19e5:d802", "devdrv_device_driver", /npu-smi/],
  ["DEEPX", "1ff4:0100", "dx_dma_pcie", /dxrt-cli/],
])("%s: in place of a load stands who could be asked", (_, id, driver, says) => {
  const card = deviceIn(watchOf(makeMachine(pci(ONE, id, "120000", driver))).next(), `pci:${ONE}`);
  expect(metricIn(card, "busy_ratio")).toMatchObject({
    value: null,
    why: "absent",
    says: expect.stringMatching(says) as string,
  });
});

it("a card without a driver says so, whoever could be asked", () => {
  const card = deviceIn(watchOf(makeMachine(pci(ONE, "1e60:2864", "120000", undefined))).next(), `pci:${ONE}`);
  expect(metricIn(card, "busy_ratio")).toMatchObject({ says: "no driver is bound" });
});

it.skipIf(!hasShared)(`the captured Xeon Phi has 61 cores and 7.75 GiB${unlessShared}`, () => {
  const root = openRoot(sharedPath("machines/sysfs/hwloc_32em64t-2n8c+dax+nvme+mic+dimms.tar.bz2"));
  const phi = openWatch(root)
    .sample()
    .devices.find(({ family }) => family === "xeon-phi");
  expect(phi?.metrics.find(({ name }) => name === "core_count")?.value).toBe(61);
  expect(phi?.metrics.find(({ name }) => name === "memory_total_bytes")?.value).toBe(7.75 * 2 ** 30);
});

it("a load that is none of the known words is nonsense, not 0", () => {
  const made = makeMachine({
    ...pci(ONE, "1f1c:1686", "120000", "bmdrv", { npu_usage: "usage:-1 avusage:0\n" }),
    ...node(pciPath(ONE), "accel", "accel0"),
  });
  expect(valueIn(deviceIn(watchOf(made).next(), `pci:${ONE}`), "busy_ratio")).toBe("malformed");
});
