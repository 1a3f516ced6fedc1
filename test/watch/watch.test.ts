/** The sampler itself: sleeping devices are left alone, nonsense stays nonsense, things come and go, and time is what it is. */

import { expect, it } from "vitest";
import { samplesOf } from "../../src/watch/stream.ts";
import type { Sample } from "../../src/watch/sample.ts";
import { deviceIn, hwmon, makeMachine, metricIn, node, pci, pciPath, process, valueIn, watchOf } from "./machine.ts";

const SLOT = "0000:03:00.0";
const path = pciPath(SLOT);
const gpu = {
  ...pci(SLOT, "1002:73bf", "030000", "amdgpu", {
    gpu_busy_percent: "37\n",
    mem_info_vram_used: "1024\n",
    current_link_speed: "16.0 GT/s PCIe\n",
    aer_dev_fatal: "TOTAL_ERR_FATAL 0\n",
    "power/runtime_active_time": "100\n",
    "power/control": "auto\n",
  }),
  ...node(path, "drm", "renderD128"),
  ...hwmon(path, 3, { name: "amdgpu\n", temp1_input: "41000\n", energy1_input: "1\n" }),
  ...process(7, "x", { "3": ["/dev/dri/renderD128", "drm-driver:\tamdgpu\ndrm-engine-gfx:\t5 ns\n"] }),
};
const asleep = { ...gpu, [`${path}/power/runtime_status`]: "suspended\n" };

it("nothing of a sleeping device is read but what the kernel itself keeps", () => {
  const made = makeMachine(asleep);
  const { next } = watchOf(made);
  next();
  made.reads();
  const device = deviceIn(next(), `pci:${SLOT}`);
  const own = made
    .reads()
    .filter((one) => one.startsWith(`${path}/`) || one.includes("hwmon") || one.includes("fdinfo"));
  expect([...new Set(own)].sort()).toEqual([
    `${path}/aer_dev_fatal`,
    `${path}/power/runtime_active_time`,
    `${path}/power/runtime_status`,
  ]);
  expect(device.power_state).toBe("suspended");
  expect(metricIn(device, "busy_ratio")).toMatchObject({ value: null, why: "asleep" });
  expect(metricIn(device, "pcie_link_transfers_per_second")).toMatchObject({ value: null, why: "asleep" });
  expect(valueIn(device, "pcie_error_count", "fatal")).toBe(0);
  expect(device.processes).toMatchObject([{ pid: 7, how: "open", metrics: [] }]);
});

it("not even while things are looked up for the first time", () => {
  const made = makeMachine(asleep);
  watchOf(made).next();
  const touched = made.reads().filter((one) => /gpu_busy_percent|mem_info|link_speed|_input$|fdinfo/.test(one));
  expect(touched).toEqual([]);
});

it("--query reads a sleeping device", () => {
  const device = deviceIn(watchOf(makeMachine(asleep), { query: true }).next(), `pci:${SLOT}`);
  expect(valueIn(device, "busy_ratio")).toBe(0.37);
});

it("a rate is not drawn over a time in which the device slept", () => {
  const made = makeMachine(gpu);
  const { next } = watchOf(made);
  next();
  made.change({ [`${path}/power/runtime_status`]: "suspended\n" });
  next();
  made.change({ [`${path}/power/runtime_status`]: "active\n", [`${path}/hwmon/hwmon3/energy1_input`]: "9000000\n" });
  expect(metricIn(deviceIn(next(), `pci:${SLOT}`), "power_watts")).toMatchObject({ value: null, why: "first" });
  made.change({ [`${path}/hwmon/hwmon3/energy1_input`]: "29000000\n" });
  expect(valueIn(deviceIn(next(2), `pci:${SLOT}`), "power_watts")).toBe(10);
});

it.each([
  ["nothing", ""],
  ["blanks", " \n"],
  ["a word", "unsupported\n"],
  ["more than all of it", "101\n"],
  ["less than nothing", "-1\n"],
  ["an endless number", `${"9".repeat(5000)}\n`],
  ["all ones", "18446744073709551615\n"],
  ["bytes", new Uint8Array([0, 255, 254, 1, 10, 7])],
  ["infinity", "1e999\n"],
])("a load of %s is nonsense, never a number", (_, content) => {
  const made = makeMachine({ ...gpu, [`${path}/gpu_busy_percent`]: content });
  expect(metricIn(deviceIn(watchOf(made).next(), `pci:${SLOT}`), "busy_ratio")).toMatchObject({
    value: null,
    why: "malformed",
  });
});

it("hostile fdinfo and stat give no numbers and no exception", () => {
  const lines = Array.from({ length: 3000 }, (_, i) => `drm-engine-e${i}:\t${"9".repeat(30)} ns\n`).join("");
  const made = makeMachine({
    ...gpu,
    "/proc/7/fdinfo/3": `drm-driver:\tamdgpu\n${lines}drm-memory-vram:\t99999999999999999999 GiB\ndrm-total-__proto__:\t5\n`,
    "/proc/7/stat": "7 ",
  });
  const { next } = watchOf(made);
  next();
  const device = deviceIn(next(), `pci:${SLOT}`);
  for (const metric of device.processes?.[0]?.metrics ?? []) {
    if (metric.value !== null) expect(metric.value).toBeLessThanOrEqual(Number.MAX_SAFE_INTEGER);
  }
});

it("what may not be read says who may", () => {
  const made = makeMachine({ ...gpu, [`${path}/gpu_busy_percent`]: null });
  expect(metricIn(deviceIn(watchOf(made).next(), `pci:${SLOT}`), "busy_ratio")).toEqual({
    name: "busy_ratio",
    from: `${path}/gpu_busy_percent`,
    value: null,
    why: "denied",
    says: "only root may read it",
  });
});

it("each metric's path is looked up once: later samples list nothing", () => {
  const made = makeMachine({ ...gpu, "/sys/kernel/uevent_seqnum": "5\n" });
  const lists: string[] = [];
  const root = {
    ...made.root,
    list: (at: string) => (lists.push(at), made.root.list(at)),
    real: (at: string) => (lists.push(at), made.root.real(at)),
  };
  const { next } = watchOf({ ...made, root });
  next();
  lists.length = 0;
  next();
  expect(lists.filter((at) => !at.startsWith("/proc"))).toEqual(
    ["/sys/class/kfd/kfd/proc"].filter((at) => lists.includes(at)),
  );
});

it("a device that is plugged in later is seen when the kernel has told of it; what stayed keeps its counts", () => {
  const other = "0000:05:00.0";
  const made = makeMachine({ ...gpu, "/sys/kernel/uevent_seqnum": "5\n" });
  const { next } = watchOf(made);
  for (let i = 0; i < 6; i++) next();
  made.change({
    ...pci(other, "8086:7d1d", "120000", "intel_vpu", { npu_memory_utilization: "4096\n" }),
    "/sys/kernel/uevent_seqnum": "6\n",
    [`${path}/hwmon/hwmon3/energy1_input`]: "5000001\n",
  });
  const sample = next();
  expect(sample.devices.map(({ id }) => id)).toEqual([`pci:${SLOT}`, `pci:${other}`]);
  expect(valueIn(deviceIn(sample, `pci:${SLOT}`), "power_watts")).toBe(5);
  made.change({ [`/sys/bus/pci/devices/${other}`]: undefined, "/sys/kernel/uevent_seqnum": "7\n" });
  for (let i = 0; i < 5; i++) next();
  expect(next().devices.map(({ id }) => id)).toEqual([`pci:${SLOT}`]);
});

it("a sensor that went with its driver is looked up anew under its new number", () => {
  const made = makeMachine({ ...gpu, "/sys/kernel/uevent_seqnum": "5\n" });
  const { next } = watchOf(made);
  next();
  made.change({
    "/sys/class/hwmon/hwmon3": undefined,
    [`${path}/hwmon/hwmon3/temp1_input`]: undefined,
    [`${path}/hwmon/hwmon3/energy1_input`]: undefined,
    [`${path}/hwmon/hwmon3/name`]: undefined,
    ...hwmon(path, 9, { name: "amdgpu\n", temp1_input: "50000\n" }),
  });
  expect(metricIn(deviceIn(next(), `pci:${SLOT}`), "temperature_celsius")).toMatchObject({
    value: null,
    why: "absent",
  });
  expect(valueIn(deviceIn(next(6), `pci:${SLOT}`), "temperature_celsius")).toBe(50);
});

it("on a saved machine no rate follows from two samples of one moment", () => {
  const { next } = watchOf(makeMachine(gpu, "directory"));
  next();
  expect(metricIn(deviceIn(next(), `pci:${SLOT}`), "power_watts")).toMatchObject({ value: null, why: "uncaptured" });
});

it("processes come and go, a pid that is used again is another process, and other users' are counted", () => {
  const made = makeMachine({ ...gpu, "/proc/8/fd/0": "" }, "live", ["/proc/8/fd"]);
  const { next } = watchOf(made);
  expect(deviceIn(next(), `pci:${SLOT}`)).toMatchObject({
    processes: [{ pid: 7, command: "x" }],
    processes_because: "1 process of another user cannot be looked into: root can",
  });
  made.change({
    "/proc/7/stat": "7 (y) S 1 1 1 0 -1 4194560 0 0 0 0 0 0 0 0 20 0 1 0 999 0 0\n",
    "/proc/7/comm": "y\n",
    ...process(9, "z", { "12": ["/dev/dri/renderD128"] }),
  });
  expect(deviceIn(next(), `pci:${SLOT}`).processes?.map(({ pid, command }) => [pid, command])).toEqual([
    [7, "y"],
    [9, "z"],
  ]);
  made.change(
    Object.fromEntries(
      ["/proc/9/comm", "/proc/9/stat", "/proc/9/fd/12", "/proc/9/fdinfo/12"].map((one) => [one, undefined]),
    ),
  );
  expect(deviceIn(next(), `pci:${SLOT}`).processes?.map(({ pid }) => pid)).toEqual([7]);
});

it("without --processes nobody's open files are looked at", () => {
  const made = makeMachine(gpu);
  const device = deviceIn(watchOf(made, { processes: false }).next(), `pci:${SLOT}`);
  expect(device).toMatchObject({ processes: null, processes_because: "not asked for" });
  expect(made.reads().filter((one) => one.startsWith("/proc/7"))).toEqual([]);
});

const emptySample = (sequence: number): Sample => ({
  schema: 1,
  sequence,
  at: "",
  elapsed_seconds: null,
  took_seconds: 0,
  devices: [],
});

it("the timer does not drift, and leaves out what a slow reader missed", { retry: 5 }, async () => {
  const begin = performance.now();
  const times: number[] = [];
  let sequence = 0;
  const watch = { sample: () => (times.push(performance.now() - begin), emptySample(sequence++)) };
  for await (const sample of samplesOf(watch, { interval_seconds: 0.05, count: 6 })) {
    if (sample.sequence === 2) await new Promise((done) => setTimeout(done, 120));
  }
  const at = times.map((time) => Math.round(time / 50));
  expect(at.slice(0, 3)).toEqual([0, 1, 2]);
  // Two were missed; the next is on the beat again.
  expect(at[3]).toBeGreaterThanOrEqual(5);
  for (const time of times.slice(1)) expect((time + 2) % 50).toBeLessThan(35);
});

it("ends at once when aborted in the middle of waiting", async () => {
  const end = new AbortController();
  const begin = performance.now();
  let count = 0;
  setTimeout(() => {
    end.abort();
  }, 30);
  for await (const sample of samplesOf(
    { sample: () => emptySample(count++) },
    { interval_seconds: 3600, signal: end.signal },
  )) {
    expect(sample.sequence).toBe(0);
  }
  expect(performance.now() - begin).toBeLessThan(60_000);
});
