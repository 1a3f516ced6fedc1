/** amdgpu's gpu_metrics: structures laid out as a C compiler lays out the kernel's header, filled with numbers of our own. */

import { expect, it } from "vitest";
import { parseGpuTable } from "../../src/watch/gpu-table.ts";
import { deviceIn, makeMachine, metricIn, pci, pciPath, valueIn, watchOf } from "./machine.ts";

/** All bits set, as the driver fills what the firmware does not tell. Offsets are those that gcc gives for the header's structures. */
function table(
  size: number,
  format: number,
  content: number,
  fields: readonly (readonly [number, 1 | 2 | 4 | 8, number])[],
) {
  const bytes = new Uint8Array(size).fill(0xff);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, size, true);
  bytes[2] = format;
  bytes[3] = content;
  for (const [at, width, value] of fields) {
    if (width === 1) view.setUint8(at, value);
    else if (width === 2) view.setUint16(at, value, true);
    else if (width === 4) view.setUint32(at, value, true);
    else view.setBigUint64(at, BigInt(value), true);
  }
  return bytes;
}

const GPU = "0000:03:00.0";
const gpu = (bytes: Uint8Array, more: Record<string, string> = {}) =>
  makeMachine(pci(GPU, "1002:73bf", "030000", "amdgpu", { ...more, gpu_metrics: bytes }));

it.each([
  ["1.0", 80, 68],
  ["1.1", 96, 68],
  ["1.2", 104, 68],
  ["1.3", 120, 68],
  ["1.4", 288, 40],
  ["1.5", 360, 104],
  ["2.0", 120, 112],
  ["2.1", 120, 108],
  ["2.2", 128, 108],
  ["2.3", 152, 108],
  ["2.4", 168, 108],
])("version %s has its throttle status where a compiler puts it", (version, size, at) => {
  const [format = 0, content = 0] = version.split(".").map(Number);
  const parsed = parseGpuTable(table(size, format, content, [[at, 4, 0x1234]]), "t");
  if (parsed.state !== "read") throw new Error(parsed.why);
  expect([...parsed.value.values]).toEqual([["throttle_status", [0x1234n]]]);
});

it.each([
  ["1.6", 384, 104],
  ["1.6", 1664, 32],
  ["1.7", 2208, 40],
  ["1.8", 3872, 40],
])("version %s of %i bytes has its cycles and residencies in a row", (version, size, at) => {
  const [format = 0, content = 0] = version.split(".").map(Number);
  const bytes = table(size, format, content, [
    [at, 4, 1000],
    [at + 8, 4, 7],
  ]);
  const parsed = parseGpuTable(bytes, "t");
  if (parsed.state !== "read") throw new Error(parsed.why);
  expect(parsed.value.values.get("accumulation_counter")).toEqual([1000n]);
  expect(parsed.value.values.get("ppt_residency_acc")).toEqual([7n]);
});

it("a card says what holds its clock back, by kind", () => {
  // SMU_THROTTLER_TEMP_HOTSPOT_BIT 36
  const made = gpu(table(120, 1, 3, [[112, 8, 2 ** 36]]));
  const { next } = watchOf(made);
  const first = deviceIn(next(), `pci:${GPU}`);
  expect(valueIn(first, "throttled_state")).toBe(1);
  expect(valueIn(first, "throttled_state", "temperature")).toBe(1);
  expect(valueIn(first, "throttled_state", "power")).toBe(0);
  made.change({ [`${pciPath(GPU)}/gpu_metrics`]: table(120, 1, 3, [[112, 8, 0]]) });
  const second = deviceIn(next(), `pci:${GPU}`);
  expect(valueIn(second, "throttled_state")).toBe(0);
  expect(valueIn(second, "throttled_state", "temperature")).toBe(0);
});

it("a status that depends on the chip says that something does, and no more", () => {
  const device = deviceIn(watchOf(gpu(table(96, 1, 1, [[68, 4, 0x10]]))).next(), `pci:${GPU}`);
  expect(valueIn(device, "throttled_state")).toBe(1);
  expect(device.metrics.filter(({ name }) => name === "throttled_state")).toHaveLength(1);
});

it("an Instinct card: link, energy, and the share of time each limit held between two samples", () => {
  const at = (cycles: number, power: number, heat: number) =>
    table(3872, 1, 8, [
      [24, 8, 2 ** 20],
      [40, 4, cycles],
      [44, 4, 0],
      [48, 4, power],
      [52, 4, heat],
      [56, 4, 0],
      [60, 4, 0],
      [68, 2, 16],
      [70, 2, 320],
      [10, 2, 550],
    ]);
  const made = gpu(at(1000, 10, 5), { gpu_busy_percent: "5\n" });
  const { next } = watchOf(made);
  const first = deviceIn(next(), `pci:${GPU}`);
  expect(valueIn(first, "pcie_link_lanes", "firmware")).toBe(16);
  expect(valueIn(first, "pcie_link_transfers_per_second", "firmware")).toBe(32e9);
  expect(valueIn(first, "energy_joules", "socket")).toBe(16);
  expect(valueIn(first, "throttled_ratio", "power")).toBe("first");
  expect(valueIn(first, "throttled_state")).toBe("first");
  // No file gives its power, the file of its load does.
  expect(valueIn(first, "power_watts")).toBe(550);
  expect(valueIn(first, "busy_ratio")).toBe(0.05);
  made.change({ [`${pciPath(GPU)}/gpu_metrics`]: at(2000, 260, 5) });
  const second = deviceIn(next(), `pci:${GPU}`);
  expect(valueIn(second, "throttled_ratio", "power")).toBe(0.25);
  expect(valueIn(second, "throttled_ratio", "temperature of the socket")).toBe(0);
  expect(valueIn(second, "throttled_state")).toBe(1);
  // The counters began anew: a reset of the card.
  made.change({ [`${pciPath(GPU)}/gpu_metrics`]: at(10, 0, 0) });
  expect(valueIn(deviceIn(next(), `pci:${GPU}`), "throttled_ratio", "power")).toBe("first");
});

it("an APU tells the load, power and clock of the NPU beside its GPU without asking the NPU", () => {
  const bytes = table(264, 3, 0, [
    [46, 2, 37],
    [48, 2, 0],
    [116, 2, 1500],
    [180, 2, 1267],
    [100, 2, 90],
    [228, 4, 0],
    [252, 4, 12],
  ]);
  const made = gpu(bytes);
  const { next } = watchOf(made);
  const device = deviceIn(next(), `pci:${GPU}`);
  expect(valueIn(device, "busy_ratio", "NPU column 0")).toBe(0.37);
  expect(valueIn(device, "busy_ratio", "NPU column 1")).toBe(0);
  expect(device.metrics.some(({ part }) => part === "NPU column 2")).toBe(false);
  expect(valueIn(device, "power_watts", "NPU")).toBe(1.5);
  expect(valueIn(device, "clock_hertz", "NPU")).toBe(1.267e9);
  expect(valueIn(device, "memory_write_bytes_per_second", "NPU")).toBe(90e6);
  expect(valueIn(device, "throttled_update_count", "temperature of the SoC")).toBe(12);
  expect(valueIn(deviceIn(next(), `pci:${GPU}`), "throttled_state")).toBe(0);
});

it("version 1.9 is read attribute by attribute", () => {
  // unit, type (2: u16, 4: u32, 6: u64), id, number of values
  const attribute = (type: number, id: number, values: readonly number[]): number[] => {
    const width = [1, 1, 2, 2, 4, 4, 8, 8][type] ?? 0;
    const bytes = new Uint8Array(8 + width * values.length);
    const view = new DataView(bytes.buffer);
    view.setUint32(0, ((type << 20) | (id << 10) | values.length) >>> 0, true);
    values.forEach((value, i) => {
      for (let byte = 0; byte < width; byte++)
        view.setUint8(8 + i * width + byte, Math.floor(value / 256 ** byte) % 256);
    });
    return [...bytes];
  };
  // Temperature, an attribute from the future, cycles, PPT residency, lanes.
  const body = [
    ...attribute(2, 0, [51]),
    ...attribute(4, 900, [1, 2, 3]),
    ...attribute(6, 9, [5000]),
    ...attribute(6, 11, [40]),
    ...attribute(2, 16, [8]),
  ];
  const bytes = Uint8Array.from([(8 + body.length) & 0xff, (8 + body.length) >> 8, 1, 9, 5, 0, 0, 0, ...body]);
  const parsed = parseGpuTable(bytes, "t");
  if (parsed.state !== "read") throw new Error(parsed.why);
  expect(Object.fromEntries(parsed.value.values)).toEqual({
    temperature_hotspot: [51n],
    accumulation_counter: [5000n],
    ppt_residency_acc: [40n],
    pcie_link_width: [8n],
  });
  for (let length = 0; length < bytes.length; length++) {
    expect(parseGpuTable(bytes.subarray(0, length), "t").state).toBe("malformed");
  }
});

it("a version nobody knows here says so, and one that lies about its size is nonsense", () => {
  const unknown = deviceIn(watchOf(gpu(table(500, 4, 2, []))).next(), `pci:${GPU}`);
  expect(metricIn(unknown, "throttled_state")).toMatchObject({
    value: null,
    why: "absent",
    says: "its table of version 4.2 with 500 bytes is not known here",
  });
  const short = table(120, 1, 3, []).subarray(0, 60);
  expect(metricIn(deviceIn(watchOf(gpu(short)).next(), `pci:${GPU}`), "throttled_state")).toMatchObject({
    value: null,
    why: "malformed",
  });
});

it("a GPU that sleeps is not asked for its table", () => {
  const made = gpu(table(120, 1, 3, [[112, 8, 0]]), { "power/runtime_status": "suspended\n" });
  const device = deviceIn(watchOf(made).next(), `pci:${GPU}`);
  expect(valueIn(device, "throttled_state")).toBe("asleep");
  expect(made.reads().filter((path) => path.endsWith("gpu_metrics"))).toEqual([]);
});

it("clocks that hwmon does not tell are the starred level of their list", () => {
  const made = makeMachine(
    pci(GPU, "1002:73bf", "030000", "amdgpu", {
      pp_dpm_sclk: "0: 500Mhz \n1: 2475Mhz *\n",
      pp_dpm_fclk: "S: 19Mhz *\n0: 640Mhz \n",
      pp_dpm_socclk: "0: 500Mhz \n1: 960Mhz \n",
      pp_dpm_vclk: "no clocks\n",
    }),
  );
  const device = deviceIn(watchOf(made).next(), `pci:${GPU}`);
  expect(valueIn(device, "clock_hertz", "sclk")).toBe(2.475e9);
  expect(valueIn(device, "clock_hertz", "fclk")).toBe(19e6);
  expect(metricIn(device, "clock_hertz", "socclk")).toMatchObject({ value: null, why: "absent" });
  expect(valueIn(device, "clock_hertz", "vclk")).toBe("malformed");
});
