/** Verdicts over small machines of our own making, before and after a run. No hardware: what the kernel would write is written here. */

import { describe, expect, it } from "vitest";
import { absent, read } from "../../src/base/reading.ts";
import { proofLines } from "../../src/print/proof.ts";
import type { Target } from "../../src/proof/counter.ts";
import { counters, openProof, startProof } from "../../src/proof/proof.ts";
import type { Proof } from "../../src/proof/verdict.ts";
import { interrupts, moments, process, type Moments } from "./moments.ts";

const target = (more: Partial<Target> & { driver_name?: string }): Target => ({
  bus: "pci",
  address: "0000:00:0b.0",
  driver: more.driver_name === undefined ? absent("driver") : read(more.driver_name, "driver"),
  nodes: [{ path: "/dev/accel/accel0" }],
  parts: [],
  ...more,
});

const OURS = 100;
const path = "/sys/bus/pci/devices/0000:00:0b.0";
const npu = target({ driver_name: "intel_vpu" });
const accel = { to: "/dev/accel/accel0" };

interface Options {
  readonly pids?: readonly number[];
  /** Milliseconds the run takes. */
  readonly takes?: number;
  /** Measure rest first, during which these change. */
  readonly rest?: Parameters<Moments["later"]>[0];
}

async function prove(
  root: Moments,
  device: Target,
  changes: Parameters<Moments["later"]>[0],
  { pids = [OURS], takes = 10, rest }: Options = {},
): Promise<Proof> {
  const prover = openProof(root, device);
  if (rest !== undefined) {
    const resting = prover.rest(10);
    root.later(rest);
    await resting;
  }
  const run = prover.start(pids, { settle_ms: 1 });
  await new Promise((done) => setTimeout(done, takes));
  root.later(changes);
  return run.finish();
}

describe("an Intel NPU", () => {
  const before = { [`${path}/npu_busy_time_us`]: "5000\n", ...process(OURS, 1e9, [accel]) };

  it("worked where its busy time rose and nobody else has it open", async () => {
    const proof = await prove(moments(before), npu, {
      [`${path}/npu_busy_time_us`]: "10123\n",
      ...process(OURS, 1.001e9, [accel]),
    });
    expect(proof).toMatchObject({
      verdict: "worked",
      says: "the device worked",
      because: "npu-busy-time rose by 5,123 us",
    });
    expect(proof.evidence[0]).toMatchObject({
      counter: "npu-busy-time",
      before: 5000,
      after: 10123,
      unit: "us",
      moved: "yes",
    });
    expect(JSON.parse(JSON.stringify(proof))).toEqual(proof);
  });

  it("did not move where its busy time stood still while the processor was busy: this ran on the CPU", async () => {
    const proof = await prove(moments(before), npu, process(OURS, 11e9, [accel]));
    expect(proof).toMatchObject({ verdict: "did-not-move", says: "the device did not move: this ran on the CPU" });
    expect(proof.because).toMatch(
      /^npu-busy-time stayed at 5,000 us; the processor was busy with the run for 10000 ms of [\d.]+ ms$/,
    );
    expect(proofLines(proof)[0]).toBe(`${proof.says}: ${proof.because}`);
  });

  it("is not said to have left the work to the CPU where the CPU was idle too", async () => {
    const proof = await prove(moments(before), npu, process(OURS, 1e9 + 1000, [accel]));
    expect(proof).toMatchObject({ verdict: "did-not-move", says: "the device did not move: this ran elsewhere" });
  });

  it("moved for nobody can tell whom where another process has it open", async () => {
    const proof = await prove(moments({ ...before, ...process(200, 5e9, [accel]) }), npu, {
      [`${path}/npu_busy_time_us`]: "10123\n",
    });
    expect(proof).toMatchObject({
      verdict: "cannot-tell",
      says: "cannot tell: the device moved, and p200 (200) has it open too",
      held_by: [{ pid: 200, command: "p200" }],
    });
  });

  it("moved for nobody can tell whom where other users' processes are closed and rest was not measured", async () => {
    const closed = { ...before, "/proc/300/comm": "x\n", "/proc/300/fd/": null };
    const risen = { [`${path}/npu_busy_time_us`]: "10123\n" };
    expect((await prove(moments(closed), npu, risen)).says).toMatch(/processes of other users/);
    expect((await prove(moments(closed), npu, risen, { rest: {} })).verdict).toBe("worked");
  });

  it("moved for another's work where the run never opened it", async () => {
    const proof = await prove(moments({ [`${path}/npu_busy_time_us`]: "5000\n", ...process(OURS, 1e9) }), npu, {
      [`${path}/npu_busy_time_us`]: "10123\n",
    });
    expect(proof.says).toBe(
      "cannot tell: the device moved, and this run has not opened it: another's work, or a service's",
    );
  });
});

describe("fdinfo", () => {
  const gpu = (driver_name: string): Target =>
    target({ driver_name, nodes: [{ path: "/dev/dri/renderD128" }, { path: "/dev/dri/card0" }] });
  const client = (lines: string): { to: string; info: string } => ({
    to: "/dev/dri/renderD128",
    info: `drm-client-id:\t7\ndrm-pdev:\t0000:00:0b.0\n${lines}`,
  });
  const xe = (cycles: number): { to: string; info: string } =>
    client(`drm-driver:\txe\ndrm-cycles-ccs:\t${cycles}\ndrm-total-cycles-ccs:\t900000\ndrm-engine-capacity-ccs:\t4\n`);

  it("of the run's process proves work whoever else uses the device", async () => {
    const root = moments({ ...process(OURS, 1e9, [xe(100)]), ...process(200, 1e9, [xe(5)]) });
    const proof = await prove(root, gpu("xe"), process(OURS, 1e9, [xe(1100)]));
    expect(proof).toMatchObject({ verdict: "worked", because: "engine-time rose by 1,000 cycles" });
    expect(proof.held_by).toBeUndefined();
  });

  it("counts a client once, however many descriptors it has", async () => {
    const root = moments(process(OURS, 1e9, [xe(100), xe(100)]));
    const proof = await prove(root, gpu("xe"), process(OURS, 1e9, [xe(110), xe(110)]));
    expect(proof.because).toBe("engine-time rose by 10 cycles");
  });

  it("that stands still proves no work of ours while another's moves", async () => {
    const root = moments({ ...process(OURS, 1e9, [xe(100)]), ...process(200, 1e9, [xe(5)]) });
    const proof = await prove(root, gpu("xe"), {
      ...process(OURS, 11e9, [xe(100)]),
      ...process(200, 1e9, [xe(99999)]),
    });
    expect(proof).toMatchObject({ verdict: "did-not-move", says: "the device did not move: this ran on the CPU" });
  });

  it("of another device is not taken for this one's", async () => {
    const other = (ns: number): { to: string; info: string } => ({
      to: "/dev/dri/renderD129",
      info: `drm-driver:\ti915\ndrm-client-id:\t8\ndrm-pdev:\t0000:03:00.0\ndrm-engine-render:\t${ns} ns\n`,
    });
    const proof = await prove(moments(process(OURS, 1e9, [other(5)])), gpu("i915"), process(OURS, 11e9, [other(5000)]));
    expect(proof.evidence.filter(({ counter }) => counter === "engine-time")).toEqual([]);
    // Its own files are not open, and the processor was busy.
    expect(proof).toMatchObject({
      verdict: "did-not-move",
      because: expect.stringContaining("open-files stayed at 0") as string,
    });
  });

  it("of a file opened during the run counts from nought", async () => {
    const i915 = client("drm-driver:\ti915\ndrm-engine-compute:\t4200 ns\n");
    const proof = await prove(moments(process(OURS, 1e9)), gpu("i915"), process(OURS, 1e9, [i915]));
    expect(proof).toMatchObject({ verdict: "worked", because: "engine-time rose by 4,200 ns" });
  });

  it("of amdgpu that stands still says nothing: ROCm's queues are not in it", async () => {
    const still = [client("drm-driver:\tamdgpu\ndrm-engine-compute:\t0 ns\ndrm-engine-gfx:\t10 ns\n")];
    const proof = await prove(moments(process(OURS, 1e9, still)), gpu("amdgpu"), process(OURS, 11e9, still));
    expect(proof.verdict).toBe("cannot-tell");
  });

  it("of panthor that stands still is a proof only while profiling is on", async () => {
    const mali: Target = { ...gpu("panthor"), bus: "platform", address: "fb000000.gpu" };
    const still = [
      { to: "/dev/dri/renderD128", info: "drm-driver:\tpanthor\ndrm-client-id:\t10\ndrm-engine-panthor:\t0 ns\n" },
    ];
    const profiling = "/sys/bus/platform/devices/fb000000.gpu/profiling";
    const verdicts = ["0\n", "3\n"].map(async (value) => {
      const root = moments({ ...process(OURS, 1e9, still), [profiling]: value });
      return (await prove(root, mali, process(OURS, 11e9, still))).verdict;
    });
    expect(await Promise.all(verdicts)).toEqual(["cannot-tell", "did-not-move"]);
  });

  it("that is denied is named with what it needs, and nothing is concluded from the rest", async () => {
    const proof = await prove(moments({ ...process(OURS, 1e9), [`/proc/${OURS}/fd/`]: null }), gpu("xe"), {});
    expect(proof.verdict).toBe("cannot-tell");
    expect(proof.blind).toContainEqual({
      path: `/proc/${OURS}/fdinfo`,
      because: expect.stringContaining("needs the user who runs it, or root") as string,
    });
  });
});

describe("a Rockchip NPU by rocket", () => {
  const cores = ["fdab0000.npu", "fdac0000.npu", "fdad0000.npu"];
  const rocket = target({ driver_name: "rocket", bus: "platform", address: "fdab0000.npu", parts: cores });
  const lines = (counts: readonly number[]): Record<string, string | Uint8Array | null> =>
    interrupts(counts.map((count, at) => [24 + at, count, 0, `GICv3 ${142 + at} Level     ${cores[at] ?? ""}`]));
  const power = (core: number, status: string, ms: number): Record<string, string> => ({
    [`/sys/bus/platform/devices/${cores[core] ?? ""}/power/runtime_status`]: `${status}\n`,
    [`/sys/bus/platform/devices/${cores[core] ?? ""}/power/runtime_active_time`]: `${ms}\n`,
  });
  const asleep = { ...power(0, "suspended", 50), ...power(1, "suspended", 50), ...power(2, "suspended", 50) };
  const before = { ...lines([3, 3, 3]), ...asleep, ...process(OURS, 1e9, [accel]) };

  it("worked where a core woke up and its interrupts came", async () => {
    const proof = await prove(moments(before), rocket, { ...lines([3, 15, 3]), ...power(1, "active", 60) });
    expect(proof).toMatchObject({ verdict: "worked", because: "interrupts rose by 12 interrupts" });
  });

  it("did not move where all cores slept", async () => {
    const proof = await prove(
      moments({ ...asleep, ...process(OURS, 1e9, [accel]) }),
      rocket,
      process(OURS, 11e9, [accel]),
    );
    expect(proof).toMatchObject({
      verdict: "did-not-move",
      says: "the device did not move: this ran on the CPU",
      because: expect.stringContaining("awake stayed at 50 ms (it slept all the while)") as string,
    });
  });

  it("did not move where it was awake and no interrupt came: each of its jobs ends in one", async () => {
    const awake = { ...before, ...power(0, "active", 50), ...power(1, "active", 50), ...power(2, "active", 50) };
    const proof = await prove(moments(awake), rocket, { ...power(0, "active", 60), ...process(OURS, 11e9, [accel]) });
    expect(proof).toMatchObject({
      verdict: "did-not-move",
      because: expect.stringContaining("interrupts stayed at 9") as string,
    });
  });

  it("is not proved by having been woken", async () => {
    const proof = await prove(moments({ ...asleep, ...process(OURS, 1e9, [accel]) }), rocket, power(0, "active", 60));
    expect(proof.says).toBe("cannot tell: the device was awake, which is not yet work");
  });
});

describe("interrupts", () => {
  const qaic = target({ driver_name: "qaic" });
  const msi = { [`${path}/msi_irqs/27`]: "msi\n", ...process(OURS, 1e9, [accel]) };
  const row = (count: number): Record<string, string | Uint8Array | null> =>
    interrupts([[27, 0, count, "PCI-MSI-0000:00:0b.0 0-edge      qaic_dbc, qaic_dbc"]]);

  it("alone prove nothing while their rate at rest is not known", async () => {
    const proof = await prove(moments({ ...msi, ...row(4) }), qaic, row(9));
    expect(proof.says).toBe("cannot tell: the device moved, and how much it moves at rest was not measured");
  });

  it("above their rate at rest prove work, and as many as at rest do not", async () => {
    const root = (): Moments => moments({ ...msi, ...row(0) });
    // Ten in 10 ms at rest, then a run of 10 ms.
    expect((await prove(root(), qaic, row(1000), { rest: row(10) })).verdict).toBe("worked");
    const few = await prove(root(), qaic, row(11), { rest: row(10) });
    expect(few.verdict).toBe("cannot-tell");
    expect(few.evidence.find(({ counter }) => counter === "interrupts")?.because).toMatch(/as many come at rest/);
  });

  it("of a line shared with another device prove nothing, and none at all is none of ours either", async () => {
    const etnaviv = target({ driver_name: "etnaviv", bus: "platform", address: "38500000.npu" });
    const line = (count: number): Record<string, string | Uint8Array | null> =>
      interrupts([[40, count, 0, "GICv3 45 Level     38500000.npu, 38000000.gpu"]]);
    const proof = await prove(moments({ ...line(5), ...process(OURS, 1e9, [accel]) }), etnaviv, line(50), { rest: {} });
    expect(proof.says).toBe("cannot tell: the device shares its interrupt line with 38000000.gpu");
    const none = await prove(
      moments({ ...line(5), ...process(OURS, 1e9, [accel]) }),
      etnaviv,
      process(OURS, 11e9, [accel]),
    );
    expect(none.verdict).toBe("did-not-move");
  });

  it("of a vector that its driver asks for during the run are no difference of two counts", async () => {
    const root = moments({ ...msi, ...interrupts([]) });
    const proof = await prove(root, qaic, row(5000), { rest: {} });
    expect(proof.evidence.find(({ counter }) => counter === "interrupts")).toMatchObject({ moved: "unknown" });
  });

  it("are read one by one where the kernel offers them so", () => {
    const root = moments({ ...msi, ...row(4), "/sys/kernel/irq/27/per_cpu_count": "1,2,3\n" });
    const counter = counters(root, qaic).find(({ kind }) => kind.id === "interrupts");
    expect(counter?.path).toBe("/sys/kernel/irq/{27}/per_cpu_count");
    expect(counter?.read()).toMatchObject({ value: { value: 6 } });
  });
});

describe("other counters", () => {
  const rknpu = target({ driver_name: "RKNPU", bus: "platform", address: "fdab0000.npu" });

  it("read rknpu's load of one and of three cores, and say that it is root's", async () => {
    const load = "/sys/kernel/debug/rknpu/load";
    const values = ["NPU load:  5%\n", "NPU load:  Core0: 12%, Core1:  0%, Core2:  7%,\n"].map((text) =>
      counters(moments({ [load]: text }), rknpu)
        .find(({ kind }) => kind.id === "rknpu-load")
        ?.read(),
    );
    expect(values).toMatchObject([{ value: { value: 5 } }, { value: { value: 19 } }]);
    const proof = await prove(moments({ [load]: null, ...process(OURS, 1e9, [accel]) }), rknpu, {});
    expect(proof.blind).toEqual([{ path: load, because: expect.stringContaining("needs root") as string }]);
    expect(proof.says).toBe("no counter on this route: cannot tell");
  });

  it("take no proof from a load of nought after a run of milliseconds", async () => {
    const files = { "/proc/rknpu/load": "NPU load:  0%\n", ...process(OURS, 1e9, [accel]) };
    const proof = await prove(moments(files), rknpu, process(OURS, 11e9, [accel]));
    expect(proof.verdict).toBe("cannot-tell");
  });

  it("count what was sent to a USB stick, and whether the run opened it", async () => {
    const coral = target({ bus: "usb", address: "4-1", nodes: [] });
    const stick = "/sys/bus/usb/devices/4-1";
    const before = { [`${stick}/urbnum`]: "13\n", [`${stick}/busnum`]: "4\n", [`${stick}/devnum`]: "2\n" };
    const open = [{ to: "/dev/bus/usb/004/002" }];
    const sent = { [`${stick}/urbnum`]: "60\n" };
    const worked = await prove(moments({ ...before, ...process(OURS, 1e9, open) }), coral, sent, { rest: {} });
    expect(worked).toMatchObject({ verdict: "worked", because: "usb-requests rose by 47 requests" });
    const still = await prove(moments({ ...before, ...process(OURS, 1e9) }), coral, process(OURS, 11e9));
    expect(still).toMatchObject({ verdict: "did-not-move", says: "the device did not move: this ran on the CPU" });
  });

  it("add up the Edge TPU's interrupts, and follow Tenstorrent's counts over their 32 bits", async () => {
    const apex = moments({ [`${path}/apex/apex_0/interrupt_counts`]: "0x00: 4\n0x01: 0\n0x0c: 3\n" });
    const counts = counters(apex, target({ driver_name: "apex" })).find(({ kind }) => kind.id === "gasket-interrupts");
    expect(counts?.read()).toMatchObject({ value: { value: 7 } });
    const flits = `${path}/tenstorrent/tenstorrent!0/pcie_perf_counters/mst_rd_data_word_received0`;
    const card = target({ driver_name: "tenstorrent" });
    const before = { [flits]: "4294967290\n", ...process(OURS, 1e9, [accel]) };
    expect((await prove(moments(before), card, { [flits]: "700\n" }, { rest: {} })).verdict).toBe("worked");
  });

  it("take a GPU's sleep, its energy and its clock for signs of being awake, not of work", async () => {
    const gpu = target({ driver_name: "xe", nodes: [] });
    const slept = `${path}/tile0/gt0/gtidle/idle_residency_ms`;
    const used = `${path}/hwmon/hwmon3/energy1_input`;
    const clock = `${path}/devfreq/x/trans_stat`;
    const stat = (changes: number): string =>
      `     From  :   To\n   time(ms)\n*  300  : 0 10\nTotal transition : ${changes}\n`;
    const before = { [slept]: "1000\n", [used]: "500\n", [clock]: stat(12) };
    const busy = { [slept]: "1011\n", [used]: "90000\n", [clock]: stat(13) };
    const proof = await prove(moments(before), gpu, busy, { takes: 30, rest: { [slept]: "1010\n", [used]: "510\n" } });
    expect(proof.says).toBe("cannot tell: the device was awake, which is not yet work");
    const moved = proof.evidence.filter(({ moved }) => moved === "yes").map(({ counter }) => counter);
    expect(moved.sort()).toEqual(["clock-changes", "energy", "idle-residency"]);
    const idle = await prove(
      moments({ ...before, ...process(OURS, 1e9) }),
      gpu,
      { [slept]: "9000\n", ...process(OURS, 11e9) },
      { takes: 30 },
    );
    expect(idle).toMatchObject({ verdict: "did-not-move", says: "the device did not move: this ran on the CPU" });
  });

  it("take AMD's load for work where it was nought before, and for nothing where it is nought", async () => {
    const busy = `${path}/gpu_busy_percent`;
    const amd = target({ driver_name: "amdgpu" });
    const files = { [busy]: "0\n", ...process(OURS, 1e9, [accel]) };
    expect((await prove(moments(files), amd, { [busy]: "40\n" }, { rest: {} })).because).toBe("gpu-busy rose by 40 %");
    expect((await prove(moments(files), amd, process(OURS, 11e9, [accel]), { rest: {} })).verdict).toBe("cannot-tell");
  });

  it("are none on a route that has none, and the sentence says so", async () => {
    const proof = await prove(
      moments(process(OURS, 1e9, [accel])),
      target({ driver_name: "nvidia" }),
      process(OURS, 11e9, [accel]),
    );
    expect(proof).toMatchObject({ verdict: "cannot-tell", says: "no counter on this route: cannot tell" });
    expect(proofLines(proof)[0]).toMatch(/^no counter on this route: cannot tell; the kernel shows nothing/);
  });

  it("that make no sense are malformed, not nought", async () => {
    const files = { [`${path}/npu_busy_time_us`]: "many\n", ...process(OURS, 1e9, [accel]) };
    const proof = await prove(moments(files), npu, {});
    expect(proof.verdict).toBe("cannot-tell");
    expect(proof.blind).toEqual([{ path: `${path}/npu_busy_time_us`, because: 'not a number: "many"' }]);
  });
});

describe("the CPU", () => {
  const cpu = target({ bus: "cpu", address: "cpu0", nodes: [] });

  it("worked where the run's processes used it", async () => {
    const proof = await prove(moments(process(OURS, 1e9)), cpu, process(OURS, 1.25e9));
    expect(proof).toMatchObject({ verdict: "worked", says: "the CPU worked" });
    expect(proof.because).toMatch(/^250 ms of processor time in [\d.]+ ms$/);
  });

  it("is not judged by a process that has ended", async () => {
    const run = startProof(moments({}), cpu, { pids: [OURS], settle_ms: 0 });
    expect(await run.finish()).toMatchObject({ verdict: "cannot-tell", evidence: [] });
  });
});
