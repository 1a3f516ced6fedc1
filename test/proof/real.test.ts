/**
 * The readers against what real kernels wrote: Debian kernels that booted with emulated accelerators (../shared/machines/kernel) and
 * this machine, whose disk is a device with interrupts like any other.
 */

import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  closeSync,
  fsyncSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { read } from "../../src/base/reading.ts";
import { findDevices } from "../../src/devices/find.ts";
import { factsOf } from "../../src/review/judge.ts";
import { targetAt, type Counter, type Target } from "../../src/proof/counter.ts";
import { parseInterrupts } from "../../src/proof/interrupt-rows.ts";
import { counters, openProof, startProof } from "../../src/proof/proof.ts";
import { openRoot } from "../../src/root/open.ts";
import type { Root } from "../../src/root/root.ts";
import { smallRoot } from "../facts/small-root.ts";
import { hasShared, sharedPath, unlessShared } from "../support/shared.ts";

const find = (name: string): { target: Target; all: readonly Counter[] }[] => {
  const root = openRoot(sharedPath(`machines/kernel/${name}.tar.gz`));
  const { devices } = findDevices(factsOf(root, {}));
  return devices.map((target) => ({ target, all: counters(root, target) }));
};
const of = (found: ReturnType<typeof find>, address: string, kind: string): readonly Counter[] =>
  found.find(({ target }) => target.address === address)?.all.filter((one) => one.kind.id === kind) ?? [];

describe.skipIf(!hasShared)(`captured kernels${unlessShared}`, () => {
  it("Intel's NPU: busy time, its one vector, and when it was awake", () => {
    const found = find("intel-npu-bound-7.3");
    const [busy] = of(found, "0000:00:02.0", "npu-busy-time");
    expect(busy?.read()).toMatchObject({ state: "read", value: { value: 0 } });
    const [line] = of(found, "0000:00:02.0", "interrupts");
    expect(line?.read()).toMatchObject({ state: "read", value: { value: 4, word: "27" } });
    const [awake] = of(found, "0000:00:02.0", "awake");
    expect(awake?.read()).toMatchObject({ state: "read", value: { value: 3984, word: "suspended" } });
  });

  it("rocket: one line and one power state for each of three cores", () => {
    const found = find("arm64-rocket-7.3");
    const [line] = of(found, "7fe40000.npu", "interrupts");
    expect(line?.read()).toMatchObject({ value: { value: 0, word: "24, 25, 26" } });
    expect(line?.still).toBe("proof");
    const awake = of(found, "7fe40000.npu", "awake").map((one) => one.read());
    expect(awake).toMatchObject([{ value: { value: 63 } }, { value: { value: 62 } }, { value: { value: 59 } }]);
  });

  it("ethosu: two devices on lines of one name are told apart by the device tree", () => {
    const found = find("arm64-ethosu-7.3");
    expect(of(found, "7fe00000.npu", "interrupts").map((one) => one.read())).toMatchObject([{ value: { word: "21" } }]);
    expect(of(found, "7fe10000.npu", "interrupts").map((one) => one.read())).toMatchObject([{ value: { word: "22" } }]);
  });

  it("gasket, tt-kmd and qaic: vectors of their own, with many handlers or many vectors", () => {
    const found = find("vendor-oot-7.3");
    const [apex] = of(found, "0000:00:08.0", "interrupts");
    expect(apex?.read()).toMatchObject({
      value: { value: 0, word: "27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39" },
    });
    expect(of(found, "0000:00:08.0", "gasket-interrupts")[0]?.read()).toMatchObject({
      state: "read",
      value: { value: 0 },
    });
    expect(of(found, "0000:00:0b.0", "card-transfers")).toHaveLength(6);
    const [qaic] = of(find("qaic-7.3"), "0000:00:05.0", "interrupts");
    expect(qaic?.shared).toBeUndefined();
  });

  it("a Coral stick: requests over USB", () => {
    const found = find("usb-coral-7.3").flatMap(({ target, all }) => (target.bus === "usb" ? [all] : []));
    const sent = found.flatMap((all) => all.filter((one) => one.kind.id === "usb-requests").map((one) => one.read()));
    expect(sent.length).toBeGreaterThan(0);
    for (const reading of sent) expect(reading).toMatchObject({ state: "read" });
  });

  it("every counter that is found on any machine reads a number, or says why not", () => {
    const names = readdirSync(sharedPath("machines/kernel")).filter((name) => name.endsWith(".tar.gz"));
    let numbers = 0;
    for (const name of names) {
      for (const { all } of find(name.replace(".tar.gz", ""))) {
        for (const counter of all) {
          const reading = counter.read();
          if (reading.state === "read") {
            expect(Number.isFinite(reading.value.value), counter.path).toBe(true);
            numbers++;
          } else expect(reading.state, counter.path).not.toBe("malformed");
        }
      }
    }
    expect(numbers).toBeGreaterThan(30);
  });

  it("nothing moves between two readings of one capture, and no capture is said to have worked", async () => {
    for (const name of ["intel-npu-bound-7.3", "arm64-rocket-7.3", "usb-coral-7.3"]) {
      const root = openRoot(sharedPath(`machines/kernel/${name}.tar.gz`));
      for (const device of findDevices(factsOf(root, {})).devices.filter(({ bus }) => bus !== "cpu")) {
        const proof = await startProof(root, device, { pids: [1], settle_ms: 0 }).finish();
        expect(proof.verdict, `${name} ${device.address}`).not.toBe("worked");
      }
    }
  });
});

/** The PCI device below the disk of the temporary directory's machine; any disk will do. */
function disk(): string | undefined {
  for (const block of readdirSync("/sys/block")) {
    const real = realpathSync(`/sys/block/${block}`);
    const address = [...real.matchAll(/\/([0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7])/g)].at(-1)?.[1];
    if (address !== undefined) return address;
  }
  return undefined;
}

/** /sys of one machine over everything else of another. */
function over(below: Root, sys: Root): Root {
  const of = (path: string): Root => (path.startsWith("/sys/") ? sys : below);
  return {
    ...below,
    text: (path) => of(path).text(path),
    list: (path) => of(path).list(path),
    stat: (path) => of(path).stat(path),
  };
}

const address = process.platform === "linux" ? disk() : undefined;
const live = openRoot();

describe("this machine", () => {
  it("its interrupt table is read whole", () => {
    const rows = parseInterrupts(readFileSync("/proc/interrupts", "utf8"));
    expect(rows.length).toBeGreaterThan(0);
    for (const { count, chip } of rows) {
      expect(count).toBeGreaterThanOrEqual(0);
      expect(chip).not.toBe("");
    }
  });

  it.skipIf(address === undefined)("its disk's interrupts move when it writes (skipped: no disk on PCI)", async () => {
    const scratch = mkdtempSync(join(tmpdir(), "accelctl-proof-"));
    try {
      const run = startProof(live, targetAt(live, "pci", address ?? ""), { pids: [process.pid] });
      const file = openSync(join(scratch, "written"), "w");
      for (let i = 0; i < 50; i++) {
        writeSync(file, Buffer.alloc(65_536, i));
        fsyncSync(file);
      }
      closeSync(file);
      const { evidence } = await run.finish();
      expect(evidence.find(({ counter }) => counter === "interrupts")).toMatchObject({ moved: "yes" });
    } finally {
      rmSync(scratch, { recursive: true });
    }
  });

  it("its CPU is proved by the processor time of this process", async () => {
    const cpu = findDevices(factsOf(live, {})).devices.find(({ bus }) => bus === "cpu");
    expect(cpu).toBeDefined();
    if (cpu === undefined) return;
    const run = startProof(live, cpu, { pids: [process.pid] });
    // As long as it takes on a machine that has other work too.
    const begun = process.cpuUsage().user;
    while (process.cpuUsage().user - begun < 20_000) Math.sqrt(begun);
    const proof = await run.finish();
    expect(proof).toMatchObject({ verdict: "worked", says: "the CPU worked" });
    const [time] = proof.evidence;
    expect(((time?.after ?? 0) - (time?.before ?? 0)) / 1e6).toBeGreaterThan(5);
  });

  it("a process that computes on the CPU beside an NPU that stands still is found out", async () => {
    const scratch = mkdtempSync(join(tmpdir(), "accelctl-proof-"));
    // A file in the place of the node, and an NPU of our own making; the process, its files and its time are real.
    const node = join(scratch, "accel0");
    writeFileSync(node, "");
    const npu = smallRoot({ "/sys/bus/pci/devices/0000:00:0b.0/npu_busy_time_us": "5000\n" });
    const program = `require("fs").openSync(${JSON.stringify(node)}); console.log("open"); setInterval(() => { const until = Date.now() + 50; while (Date.now() < until); }, 1)`;
    const child = spawn(process.execPath, ["-e", program], { stdio: ["ignore", "pipe", "inherit"] });
    try {
      await once(child.stdout, "data");
      const target: Target = {
        bus: "pci",
        address: "0000:00:0b.0",
        driver: read("intel_vpu", "made by hand"),
        nodes: [{ path: node }],
        parts: [],
      };
      const run = startProof(over(live, npu), target, { pids: [child.pid ?? 0] });
      await new Promise((done) => setTimeout(done, 200));
      const proof = await run.finish();
      expect(proof).toMatchObject({ verdict: "did-not-move", says: "the device did not move: this ran on the CPU" });
      expect(proof.evidence.find(({ counter }) => counter === "open-files")).toMatchObject({ after: 1 });
    } finally {
      child.kill("SIGKILL");
      rmSync(scratch, { recursive: true });
    }
  });

  it("two readings around a run cost less than 2 ms", async () => {
    const target = address === undefined ? targetAt(live, "platform", "none") : targetAt(live, "pci", address);
    const prover = openProof(live, target);
    const costs: number[] = [];
    for (let i = 0; i < 50; i++) {
      const start = performance.now();
      const run = prover.start([process.pid], { settle_ms: 0 });
      const proof = run.finish();
      // All of the reading is done before finish() first waits.
      costs.push(performance.now() - start);
      await proof;
    }
    // The quick tenth of them: on a busy machine the others hold what else works there.
    const undisturbed = costs.sort((a, b) => a - b)[5] ?? NaN;
    expect(undisturbed).toBeLessThan(2);
  });
});
