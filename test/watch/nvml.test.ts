/** NVIDIA's library: asked in a process of its own, with a library of our own making in its place (built where gcc is). */

import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { openNvml, parseAnswer, type NvmlFeed } from "../../src/watch/nvml.ts";
import { deviceIn, makeMachine, metricIn, pci, process, valueIn, watchOf } from "./machine.ts";

const folder = mkdtempSync(join(tmpdir(), "accelctl-nvml-"));
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});
const compiler = spawnSync("gcc", ["--version"]).error === undefined;
const unless = compiler ? "" : " (skipped: no gcc)";

/** A library with two GPUs; `more` is put into its first function. */
function build(name: string, init: string): string {
  const [source, library] = [join(folder, `${name}.c`), join(folder, `lib${name}.so`)];
  writeFileSync(
    source,
    `#include <stdint.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>
int nvmlInit_v2(void) { ${init} }
int nvmlDeviceGetCount_v2(uint32_t *n) { *n = 2; return 0; }
int nvmlDeviceGetHandleByIndex_v2(uint32_t i, void **h) { *h = (void *)(uintptr_t)(i + 1); return 0; }
int nvmlDeviceGetPciInfo_v3(void *h, char *p) { memset(p, 0, 68); sprintf(p + 36, "00000000:%02X:00.0", h == (void *)1 ? 0x6a : 0x6b); return 0; }
int nvmlDeviceGetUtilizationRates(void *h, uint32_t *r) { r[0] = 37; r[1] = 12; return 0; }
int nvmlDeviceGetMemoryInfo(void *h, uint64_t *m) { m[0] = 85899345920ull; m[1] = 1; m[2] = 1073741824; return 0; }
int nvmlDeviceGetMemoryInfo_v2(void *h, uint64_t *m) {
  if (h != (void *)1 || *(uint32_t *)m != 0x2000028) return 25; /* NVML_ERROR_ARGUMENT_VERSION_MISMATCH */
  m[1] = 85899345920ull; m[2] = 536870912; m[3] = 1; m[4] = 268435456; return 0; }
int nvmlDeviceGetClockInfo(void *h, int type, uint32_t *c) { *c = type == 1 ? 1755 : 2619; return 0; }
int nvmlDeviceGetTemperature(void *h, int sensor, uint32_t *t) { *t = 44; return 0; }
int nvmlDeviceGetPowerUsage(void *h, uint32_t *p) { *p = 123456; return h == (void *)1 ? 0 : 4; }
int nvmlDeviceGetTotalEnergyConsumption(void *h, uint64_t *e) { *e = 5000000000000ull; return 0; }
int nvmlDeviceGetFanSpeed(void *h, uint32_t *f) { return 3; }
int nvmlDeviceGetCurrentClocksThrottleReasons(void *h, uint64_t *r) { *r = h == (void *)1 ? 0x20 : 0x1; return 0; }
int nvmlDeviceGetComputeRunningProcesses_v3(void *h, uint32_t *n, char *p) {
  *n = 2; memset(p, 0, 48); *(uint32_t *)p = 4711; *(uint64_t *)(p + 8) = 1048576; *(uint32_t *)(p + 24) = 4712; *(uint64_t *)(p + 32) = ~0ull; return 0; }
`,
  );
  const done = spawnSync("gcc", ["-shared", "-fPIC", "-w", "-o", library, source], { encoding: "utf8" });
  if (done.status !== 0) throw new Error(done.stderr);
  return library;
}

const gpus = {
  ...pci("0000:6a:00.0", "10de:2330", "030200", "nvidia"),
  ...pci("0000:6b:00.0", "10de:2330", "030200", "nvidia"),
};

it("is not loaded without leave, and the gap says how to ask", () => {
  const gpu = deviceIn(watchOf(makeMachine(gpus)).next(), "pci:0000:6a:00.0");
  expect(metricIn(gpu, "power_watts")).toMatchObject({ value: null, why: "absent" });
  expect(metricIn(gpu, "power_watts")).toHaveProperty(
    "says",
    "only NVIDIA's library tells it: --vendor loads it in a process of its own",
  );
});

it.skipIf(!compiler)(`tells load, memory, clocks, power and processes of each GPU${unless}`, async () => {
  const feed = openNvml(build("whole", "return 0;"));
  try {
    const { next } = watchOf(makeMachine(gpus), { vendor: feed });
    expect(valueIn(deviceIn(next(), "pci:0000:6a:00.0"), "busy_ratio")).toBe("first");
    for (let i = 0; i < 200 && feed.latest() === undefined; i++) await new Promise((done) => setTimeout(done, 50));
    const sample = next();
    const gpu = deviceIn(sample, "pci:0000:6a:00.0");
    expect(valueIn(gpu, "busy_ratio")).toBe(0.37);
    // Without what the driver keeps for itself, which the older question counts.
    expect(valueIn(gpu, "memory_bytes")).toBe(2 ** 28);
    expect(valueIn(gpu, "memory_total_bytes")).toBe(80 * 2 ** 30);
    expect(valueIn(gpu, "clock_hertz")).toBe(1.755e9);
    expect(valueIn(gpu, "clock_hertz", "memory")).toBe(2.619e9);
    expect(valueIn(gpu, "temperature_celsius")).toBe(44);
    expect(valueIn(gpu, "power_watts")).toBe(123.456);
    expect(valueIn(gpu, "energy_joules")).toBe(5e9);
    expect(valueIn(gpu, "throttled_state")).toBe(1);
    expect(metricIn(gpu, "fan_ratio")).toMatchObject({ why: "absent", says: "this GPU or driver does not tell it" });
    expect(metricIn(gpu, "pcie_replay_count")).toHaveProperty("says", "this NVIDIA library is too old to tell it");
    expect(gpu.processes?.map(({ pid, how, metrics }) => [pid, how, metrics[0]?.value])).toEqual([
      [4711, "vendor's library", 1048576],
      [4712, "vendor's library", null],
    ]);
    const other = deviceIn(sample, "pci:0000:6b:00.0");
    expect(valueIn(other, "memory_bytes")).toBe(2 ** 30);
    expect(valueIn(other, "throttled_state")).toBe(0);
    expect(metricIn(other, "power_watts")).toMatchObject({ why: "denied", says: "only root may ask it" });
  } finally {
    feed.close();
  }
});

const saysOf = async (library: string): Promise<unknown> => {
  const feed = openNvml(library);
  try {
    for (let i = 0; i < 200 && feed.latest() === undefined; i++) await new Promise((done) => setTimeout(done, 50));
    return feed.latest();
  } finally {
    feed.close();
  }
};

it.skipIf(!compiler)(`a library that fails, crashes or is not there takes nothing with it${unless}`, async () => {
  expect(await saysOf(build("old", "return 18;"))).toEqual({ failed: "library and driver are of different versions" });
  expect(await saysOf(build("crash", 'fprintf(stderr, "oh no\\n"); abort();'))).toEqual({
    failed: "its process ended (SIGABRT): oh no",
  });
  expect(await saysOf(join(folder, "libnone.so"))).toMatchObject({
    failed: expect.stringMatching(/^cannot be loaded/) as unknown,
  });
});

it("an answer that is none is told, never thrown", () => {
  expect(parseAnswer("rubbish")).toEqual({ failed: 'its process printed "rubbish"' });
  expect(parseAnswer("null")).toHaveProperty("failed");
  expect(parseAnswer('{"gpus":[{"address":5},null]}')).toEqual({ gpus: [] });
});

it("a program that got the number of one before it is told by its own name", () => {
  const made = makeMachine({ ...gpus, ...process(4711, "first", {}) });
  const feed: NvmlFeed = {
    latest: () => ({
      gpus: [{ address: "0000:6a:00.0", values: {}, processes: [{ pid: 4711, bytes: 4096 }] }],
      age_ms: 0,
    }),
    close: () => undefined,
  };
  const { next } = watchOf(made, { vendor: feed });
  const commands = (): readonly string[] | undefined =>
    deviceIn(next(), "pci:0000:6a:00.0").processes?.map(({ command }) => command);
  expect(commands()).toEqual(["first"]);
  const later = process(4711, "second", {});
  made.change({ ...later, "/proc/4711/stat": (later["/proc/4711/stat"] as string).replace(" 47110 ", " 99999 ") });
  expect(commands()).toEqual(["second"]);
});
