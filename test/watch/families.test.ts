/** What each family's driver tells, on made machines of our own: the numbers, the rates that follow, and the reasons for gaps. */

import { expect, it } from "vitest";
import { deviceIn, hwmon, makeMachine, metricIn, node, pci, pciPath, process, valueIn, watchOf } from "./machine.ts";
import type { Files } from "./machine.ts";

const NPU = "0000:00:0b.0";
const npuFiles = pci(NPU, "8086:7d1d", "120000", "intel_vpu", {
  npu_busy_time_us: "1000000\n",
  npu_memory_utilization: "4096\n",
  npu_current_frequency_mhz: "700\n",
  npu_max_frequency_mhz: "1400\n",
  ...Object.fromEntries(["current", "hw_max", "hw_min"].map((name, at) => [`freq/${name}_freq`, `${900 + at}\n`])),
});

it("Intel's NPU: busy share from its busy time, clocks from freq/, the old names where there is no freq/", () => {
  const made = makeMachine(npuFiles);
  const { next } = watchOf(made);
  const first = deviceIn(next(), `pci:${NPU}`);
  expect(metricIn(first, "busy_ratio")).toMatchObject({ value: null, why: "first" });
  expect(valueIn(first, "busy_seconds")).toBe(1);
  expect(valueIn(first, "clock_hertz")).toBe(900e6);
  expect(metricIn(first, "clock_hertz").from).toMatch(/freq\/current_freq$/);
  made.change({ [`${pciPath(NPU)}/npu_busy_time_us`]: "1500000\n" });
  expect(valueIn(deviceIn(next(2), `pci:${NPU}`), "busy_ratio")).toBeCloseTo(0.25, 9);

  const old = makeMachine(
    Object.fromEntries<Files[string]>(Object.entries(npuFiles).filter(([path]) => !path.includes("/freq/"))),
  );
  const before = deviceIn(watchOf(old).next(), `pci:${NPU}`);
  expect(valueIn(before, "clock_hertz")).toBe(700e6);
  expect(valueIn(before, "clock_max_hertz")).toBe(1400e6);
  expect(metricIn(before, "clock_min_hertz")).toMatchObject({ value: null, why: "absent" });
});

const GPU = "0000:03:00.0";
it("AMD's GPU: load, memory, labelled sensors, and the memory of compute processes", () => {
  const topology = "/sys/class/kfd/kfd/topology/nodes/1";
  const made = makeMachine({
    ...pci(GPU, "1002:73bf", "030000", "amdgpu", {
      gpu_busy_percent: "37\n",
      mem_busy_percent: "300\n",
      mem_info_vram_used: "1073741824\n",
      mem_info_vram_total: "17163091968\n",
      current_link_speed: "16.0 GT/s PCIe\n",
      current_link_width: "16\n",
      aer_dev_correctable: "RxErr 1\nBadTLP 2\nTOTAL_ERR_COR 3\n",
    }),
    ...node(pciPath(GPU), "drm", "renderD128"),
    ...hwmon(pciPath(GPU), 3, {
      name: "amdgpu\n",
      temp1_input: "41250\n",
      temp1_label: "edge\n",
      temp1_crit: "100000\n",
      temp2_input: "45000\n",
      temp2_label: "junction\n",
      power1_average: "12000000\n",
      power1_input: "99000000\n",
      power1_label: "PPT\n",
      freq1_input: "500000000\n",
      freq1_label: "sclk\n",
      freq2_input: "96000000\n",
      freq2_label: "mclk\n",
      fan1_input: "1200\n",
      pwm1: "51\n",
    }),
    [`${topology}/gpu_id`]: "4711\n",
    [`${topology}/properties`]: "cpu_cores_count 0\nsimd_count 160\nlocation_id 768\ndomain 0\n",
    "/sys/class/kfd/kfd/proc/77/vram_4711": "2097152\n",
    "/sys/class/kfd/kfd/proc/78/vram_4711": "0\n",
    ...process(77, "python3", {
      "5": [
        "/dev/dri/renderD128",
        "pos:\t0\ndrm-driver:\tamdgpu\ndrm-pdev:\t0000:03:00.0\ndrm-client-id:\t9\ndrm-memory-vram:\t1024 KiB\n",
      ],
    }),
  });
  const gpu = deviceIn(watchOf(made).next(), `pci:${GPU}`);
  expect(valueIn(gpu, "busy_ratio")).toBe(0.37);
  expect(metricIn(gpu, "memory_busy_ratio")).toMatchObject({ value: null, why: "malformed" });
  expect(valueIn(gpu, "memory_bytes")).toBe(2 ** 30);
  expect(valueIn(gpu, "temperature_celsius", "edge")).toBe(41.25);
  expect(valueIn(gpu, "temperature_celsius", "junction")).toBe(45);
  expect(valueIn(gpu, "temperature_limit_celsius", "edge")).toBe(100);
  expect(gpu.metrics.filter(({ name }) => name === "power_watts").map(({ value }) => value)).toEqual([12]);
  expect(valueIn(gpu, "clock_hertz", "mclk")).toBe(96e6);
  expect(valueIn(gpu, "fan_rpm")).toBe(1200);
  expect(valueIn(gpu, "fan_ratio")).toBe(0.2);
  expect(valueIn(gpu, "pcie_link_transfers_per_second")).toBe(16e9);
  expect(valueIn(gpu, "pcie_link_lanes")).toBe(16);
  expect(valueIn(gpu, "pcie_error_count", "correctable")).toBe(3);
  expect(gpu.processes?.map(({ pid, command, how }) => [pid, command, how])).toEqual([[77, "python3", "fdinfo"]]);
  const [user] = gpu.processes ?? [];
  if (user === undefined) throw new Error("no process");
  expect(valueIn(user, "memory_bytes", "vram")).toBe(2 ** 20);
  expect(valueIn(user, "memory_bytes", "compute")).toBe(2 ** 21);
});

const ARC = "0000:04:00.0";
const xeInfo = (cycles: number, total: number, client = 3): string =>
  `drm-driver:\txe\ndrm-client-id:\t${client}\ndrm-pdev:\t${ARC}\ndrm-cycles-ccs:\t${cycles}\ndrm-total-cycles-ccs:\t${total}\n` +
  `drm-engine-capacity-ccs:\t2\ndrm-cycles-rcs:\t0\ndrm-total-cycles-rcs:\t${total}\ndrm-total-vram0:\t8 MiB\ndrm-resident-vram0:\t4 MiB\n`;

it("Intel's GPU under xe: engines by process and added up, power from energy, clocks and throttling by tile and GT", () => {
  const gt = (name: string): Record<string, string> => ({
    [`tile0/${name}/freq0/act_freq`]: "1300\n",
    [`tile0/${name}/freq0/throttle/status`]: "1\n",
    [`tile0/${name}/gtidle/idle_residency_ms`]: "1000\n",
  });
  const made = makeMachine({
    ...pci(ARC, "8086:56a0", "030000", "xe", { ...gt("gt0"), ...gt("gt1") }),
    ...node(pciPath(ARC), "drm", "renderD129"),
    ...hwmon(pciPath(ARC), 1, {
      name: "xe\n",
      energy1_input: "5000000\n",
      energy1_label: "card\n",
      energy2_input: "1000000\n",
      energy2_label: "pkg\n",
      temp2_input: "50000\n",
      temp2_label: "pkg\n",
    }),
    ...process(50, "llama-server", {
      "7": ["/dev/dri/renderD129", xeInfo(1000, 10_000)],
      "8": ["/dev/dri/renderD129", xeInfo(1000, 10_000)],
    }),
  });
  const { next } = watchOf(made);
  const first = deviceIn(next(), `pci:${ARC}`);
  expect(valueIn(first, "power_watts", "card")).toBe("first");
  expect(valueIn(first, "throttled_state", "gt1")).toBe(1);
  made.change({
    "/proc/50/fdinfo/7": xeInfo(5000, 20_000),
    "/proc/50/fdinfo/8": xeInfo(5000, 20_000),
    [`${pciPath(ARC)}/hwmon/hwmon1/energy1_input`]: "45000000\n",
    [`${pciPath(ARC)}/tile0/gt0/gtidle/idle_residency_ms`]: "1250\n",
  });
  const gpu = deviceIn(next(1), `pci:${ARC}`);
  expect(valueIn(gpu, "power_watts", "card")).toBe(40);
  expect(valueIn(gpu, "power_watts", "pkg")).toBe(0);
  expect(valueIn(gpu, "engines_awake_ratio", "gt0")).toBe(0.75);
  expect(valueIn(gpu, "clock_hertz", "gt0")).toBe(1.3e9);
  expect(valueIn(gpu, "temperature_celsius", "pkg")).toBe(50);
  // Two engines of the kind, two descriptors of one client.
  expect(valueIn(gpu, "busy_ratio", "ccs")).toBeCloseTo(0.2, 9);
  const [user] = gpu.processes ?? [];
  if (user === undefined) throw new Error("no process");
  expect(user).toMatchObject({ pid: 50, command: "llama-server", how: "fdinfo" });
  expect(valueIn(user, "busy_ratio", "ccs")).toBeCloseTo(0.2, 9);
  expect(valueIn(user, "memory_bytes", "vram0")).toBe(4 * 2 ** 20);
});

it("Intel's GPU under i915: engine time of a process, files of another device are not its own", () => {
  const info = (ns: number, pdev = ARC): string =>
    `drm-driver:\ti915\ndrm-client-id:\t4\ndrm-pdev:\t${pdev}\ndrm-engine-compute:\t${ns} ns\n`;
  const made = makeMachine({
    ...pci(ARC, "8086:56a0", "030000", "i915", {}),
    ...node(pciPath(ARC), "drm", "renderD129"),
    ...process(50, "a", { "7": ["/dev/dri/renderD129", info(0)] }),
    ...process(51, "b", { "7": ["/dev/dri/renderD129", info(0, "0000:00:02.0")] }),
  });
  const { next } = watchOf(made);
  next();
  made.change({ "/proc/50/fdinfo/7": info(250_000_000) });
  const gpu = deviceIn(next(1), `pci:${ARC}`);
  expect(gpu.processes?.map(({ pid }) => pid)).toEqual([50]);
  expect(valueIn(gpu, "busy_ratio", "compute")).toBeCloseTo(0.25, 9);
});

const platform = (name: string, compatible: string, driver: string, more: Record<string, string> = {}) => {
  const path = `/sys/devices/platform/${name}`;
  return {
    "/sys/firmware/devicetree/base/compatible": "somebody,board\0",
    [`/sys/bus/platform/devices/${name}`]: `-> ../../../devices/platform/${name}`,
    [`${path}/uevent`]: `DRIVER=${driver}\nOF_NAME=npu\nOF_FULLNAME=/npu@${name.split(".")[0] ?? ""}\nOF_COMPATIBLE_0=${compatible}\nOF_COMPATIBLE_N=1\nMODALIAS=of:NnpuT(null)C${compatible}\n`,
    [`${path}/power/runtime_status`]: "active\n",
    ...Object.fromEntries(Object.entries(more).map(([file, content]) => [`${path}/${file}`, content])),
  };
};

it.each([
  ["each core", "NPU load:  Core0: 12%, Core1:  0%, Core2:  7%,\n", { "core 0": 0.12, "core 1": 0, "core 2": 0.07 }],
  ["the whole", "NPU load:  30%\n", { "": 0.3 }],
] as const)("Rockchip's vendor driver tells the load of %s", (_, text, loads) => {
  const made = makeMachine({
    ...platform("fdab0000.npu", "rockchip,rk3588-rknpu", "RKNPU", { "devfreq/fdab0000.npu/cur_freq": "1000000000\n" }),
    "/sys/class/devfreq/fdab0000.npu": "-> ../../devices/platform/fdab0000.npu/devfreq/fdab0000.npu",
    "/sys/devices/platform/fdab0000.npu/devfreq/fdab0000.npu/load": "12@1000000000Hz\n",
    "/sys/devices/platform/fdab0000.npu/devfreq/fdab0000.npu/max_freq": "1000000000\n",
    "/sys/kernel/debug/rknpu/load": text,
    "/sys/class/thermal/thermal_zone9/type": "npu-thermal\n",
    "/sys/class/thermal/thermal_zone9/temp": "38846\n",
    "/sys/class/thermal/thermal_zone0/type": "gpu-thermal\n",
    "/sys/class/thermal/thermal_zone0/temp": "99000\n",
  });
  const npu = deviceIn(watchOf(made).next(), "platform:fdab0000.npu");
  for (const [part, load] of Object.entries(loads)) {
    expect(valueIn(npu, "busy_ratio", part === "" ? undefined : part)).toBe(load);
  }
  expect(valueIn(npu, "clock_hertz")).toBe(1e9);
  expect(valueIn(npu, "clock_max_hertz")).toBe(1e9);
  expect(valueIn(npu, "governor_load_ratio")).toBe(0.12);
  expect(npu.metrics.filter(({ name }) => name === "temperature_celsius").map(({ value }) => value)).toEqual([38.846]);
  expect(metricIn(npu, "power_watts")).toMatchObject({ value: null, why: "absent" });
});

it("a load that only root may read says so", () => {
  const made = makeMachine({
    ...platform("fdab0000.npu", "rockchip,rk3588-rknpu", "RKNPU"),
    "/sys/kernel/debug/rknpu/load": null,
  });
  const npu = deviceIn(watchOf(made).next(), "platform:fdab0000.npu");
  expect(metricIn(npu, "busy_ratio")).toMatchObject({ value: null, why: "denied", says: "only root may read it" });
});

it("mainline's drivers of small NPUs tell how long they were awake, and who has the node open", () => {
  const made = makeMachine({
    ...platform("7fe00000.npu", "arm,ethos-u65", "ethosu", {
      "power/runtime_active_time": "5000\n",
      "power/control": "auto\n",
    }),
    ...node("/sys/devices/platform/7fe00000.npu", "accel", "accel0"),
    ...process(60, "detect (x) y", { "4": ["/dev/accel/accel0"] }),
    ...process(61, "other", { "4": ["/dev/null"] }),
  });
  const { next } = watchOf(made);
  expect(next().devices.map(({ id }) => id)).toEqual(["platform:7fe00000.npu"]);
  made.change({ "/sys/devices/platform/7fe00000.npu/power/runtime_active_time": "5400\n" });
  const npu = deviceIn(next(1), "platform:7fe00000.npu");
  expect(valueIn(npu, "awake_ratio")).toBeCloseTo(0.4, 9);
  expect(npu.processes).toEqual([{ pid: 60, command: "detect (x) y", user: "root", how: "open", metrics: [] }]);
  expect(metricIn(npu, "busy_ratio")).toMatchObject({ value: null, why: "absent" });
});

const CARD = "0000:05:00.0";
const classOf = (name: string, member: string, attributes: Record<string, string>, dev: string) => {
  const path = `${pciPath(CARD)}/${name}/${member}`;
  return {
    [`/sys/class/${name}/${member}`]: `-> ${path}`,
    [`${path}/device`]: `-> ${pciPath(CARD)}`,
    [`${path}/uevent`]: `MAJOR=240\nMINOR=0\nDEVNAME=${dev}\n`,
    ...Object.fromEntries(Object.entries(attributes).map(([file, content]) => [`${path}/${file}`, content])),
  };
};

it("Tenstorrent: clocks and heartbeat of the class device, sensors of hwmon; a hung card's ones are no clock", () => {
  const made = makeMachine({
    ...pci(CARD, "1e52:401e", "120000", "tenstorrent"),
    ...classOf(
      "tenstorrent",
      "tenstorrent!0",
      { tt_aiclk: "500\n", tt_axiclk: "4294967295\n", tt_heartbeat: "100\n" },
      "tenstorrent/0",
    ),
    ...hwmon(pciPath(CARD), 2, {
      name: "wormhole\n",
      temp1_input: "40000\n",
      temp1_label: "asic_temp\n",
      temp1_max: "75000\n",
      power1_input: "25000000\n",
    }),
  });
  const { next } = watchOf(made);
  next();
  made.change({ [`${pciPath(CARD)}/tenstorrent/tenstorrent!0/tt_heartbeat`]: "110\n" });
  const card = deviceIn(next(1), `pci:${CARD}`);
  expect(valueIn(card, "clock_hertz")).toBe(500e6);
  expect(valueIn(card, "axi_clock_hertz")).toBe("malformed");
  expect(valueIn(card, "heartbeats_per_second")).toBe(10);
  expect(valueIn(card, "temperature_celsius", "asic_temp")).toBe(40);
  expect(valueIn(card, "temperature_max_celsius", "asic_temp")).toBe(75);
  expect(valueIn(card, "power_watts")).toBe(25);
});

it("Coral on PCIe: temperature and trip points of the apex class", () => {
  const made = makeMachine({
    ...pci(CARD, "1ac1:089a", "088000", "apex"),
    ...classOf("apex", "apex_0", { temp: "47300\n", trip_point0_temp: "85000\n" }, "apex_0"),
  });
  const coral = deviceIn(watchOf(made).next(), `pci:${CARD}`);
  expect(valueIn(coral, "temperature_celsius")).toBe(47.3);
  expect(valueIn(coral, "throttle_celsius")).toBe(85);
  expect(valueIn(coral, "power_watts")).toBe("absent");
});

it("Gaudi: clocks and power of sysfs, the rest of its control node only with leave", () => {
  const made = makeMachine({
    ...pci(CARD, "1da3:1020", "120000", "habanalabs", { clk_cur_freq_mhz: "1800\n", max_power: "600000\n" }),
    ...node(pciPath(CARD), "accel", "accel_controlD0"),
    ...hwmon(pciPath(CARD), 2, { name: "gaudi2\n", temp1_input: "33000\n", power1_input: "95000000\n" }),
  });
  const gaudi = deviceIn(watchOf(made).next(), `pci:${CARD}`);
  expect(valueIn(gaudi, "clock_hertz")).toBe(1.8e9);
  expect(valueIn(gaudi, "power_limit_watts")).toBe(600);
  expect(valueIn(gaudi, "power_watts")).toBe(95);
  expect(metricIn(gaudi, "busy_ratio")).toMatchObject({ value: null, why: "asleep" });
  expect(metricIn(gaudi, "memory_bytes").value).toBe(null);
  const asked = made.reads().filter((path) => path.includes("HL_INFO"));
  expect(asked.map((path) => path.split(" ").at(-1))).toEqual(["HW_IP_INFO", "DRAM_USAGE"]);
});

it("AMD's NPU is not asked, which would wake it", () => {
  const made = makeMachine({
    ...pci(CARD, "1022:1502", "118000", "amdxdna"),
    ...node(pciPath(CARD), "accel", "accel0"),
  });
  const npu = deviceIn(watchOf(made).next(), `pci:${CARD}`);
  expect(metricIn(npu, "power_watts")).toMatchObject({ value: null, why: "asleep" });
  expect(made.reads().filter((path) => path.includes("AMDXDNA"))).toEqual([]);
  const asked = watchOf(made, { query: true }).next();
  expect(metricIn(deviceIn(asked, `pci:${CARD}`), "power_watts")).toMatchObject({ value: null });
  expect(
    [...new Set(made.reads().filter((path) => path.includes("AMDXDNA")))].map((path) => path.split(" ").at(-1)).sort(),
  ).toEqual(["CLOCK_METADATA", "RESOURCE_INFO", "SENSORS"]);
});

it("the processor: share of time by core, memory, load, package temperature and power", () => {
  const stat = (busy: number, idle: number): string =>
    `cpu  ${busy * 2} 0 0 ${idle * 2} 0 0 0 0 0 0\ncpu0 ${busy} 0 0 ${idle} 0 0 0 0 0 0\ncpu1 ${busy} 0 0 ${idle} 0 0 0 0 0 0\nintr 1\n`;
  const made = makeMachine({
    "/proc/version": "Linux version 6.18.0 (x@y) #1 SMP\n",
    "/proc/sys/kernel/osrelease": "6.18.0\n",
    "/proc/sys/kernel/arch": "x86_64\n",
    "/proc/cpuinfo":
      "processor\t: 0\nmodel name\t: Some Processor\nflags\t\t: fpu avx2 lm\n\nprocessor\t: 1\nmodel name\t: Some Processor\nflags\t\t: fpu avx2 lm\n",
    "/proc/stat": stat(100, 100),
    "/proc/meminfo": "MemTotal: 1000 kB\nMemFree: 100 kB\nMemAvailable: 400 kB\n",
    "/proc/loadavg": "0.50 1.00 2.25 1/200 999\n",
    "/sys/devices/system/cpu/cpufreq/policy0/scaling_cur_freq": "1000000\n",
    "/sys/devices/system/cpu/cpufreq/policy1/scaling_cur_freq": "3000000\n",
    "/sys/devices/system/cpu/cpu0/thermal_throttle/core_throttle_count": "2\n",
    "/sys/class/powercap/intel-rapl:0/name": "package-0\n",
    "/sys/class/powercap/intel-rapl:0/energy_uj": "1999000000\n",
    "/sys/class/powercap/intel-rapl:0/max_energy_range_uj": "2000000000\n",
    ...hwmon("/sys/devices/platform/coretemp.0", 0, {
      name: "coretemp\n",
      temp1_input: "55000\n",
      temp1_label: "Package id 0\n",
    }),
  });
  const { next } = watchOf(made);
  next();
  made.change({ "/proc/stat": stat(130, 170), "/sys/class/powercap/intel-rapl:0/energy_uj": "9000000\n" });
  const cpu = deviceIn(next(1), "cpu:0");
  expect(valueIn(cpu, "busy_ratio")).toBe(0.3);
  expect(valueIn(cpu, "busy_ratio", "core 1")).toBe(0.3);
  expect(valueIn(cpu, "memory_bytes")).toBe(600 * 1024);
  expect(valueIn(cpu, "load_tasks", "15 min")).toBe(2.25);
  expect(valueIn(cpu, "clock_hertz", "fastest")).toBe(3e9);
  expect(valueIn(cpu, "temperature_celsius", "Package id 0")).toBe(55);
  expect(valueIn(cpu, "throttle_count")).toBe(2);
  // The counter began again at 0.
  expect(valueIn(cpu, "power_watts", "package-0")).toBeCloseTo(10, 9);
});

it("a core that is taken offline takes nothing back of what was counted, and a count that cannot be read is none", () => {
  const count = (core: number): string => `/sys/devices/system/cpu/cpu${core}/thermal_throttle/core_throttle_count`;
  const processor = {
    "/proc/cpuinfo": "processor\t: 0\nmodel name\t: Some Processor\n",
    "/proc/sys/kernel/arch": "x86_64\n",
  };
  const made = makeMachine({ ...processor, [count(0)]: "2\n", [count(1)]: "5\n" });
  const { next } = watchOf(made);
  const cpu = (): ReturnType<typeof deviceIn> => deviceIn(next(), "cpu:0");
  expect(valueIn(cpu(), "throttle_count")).toBe(7);
  made.change({ [count(0)]: "3\n", [count(1)]: undefined });
  const later = cpu();
  expect(valueIn(later, "throttle_count")).toBe(8);
  expect(valueIn(later, "throttles_per_second")).toBe(1);
  const wrong = watchOf(makeMachine({ ...processor, [count(0)]: "many\n" }));
  expect(valueIn(deviceIn(wrong.next(), "cpu:0"), "throttle_count")).toBe("malformed");
});
