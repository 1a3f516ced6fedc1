/**
 * What NVIDIA's library tells: load, memory, clocks, power, temperature, fan, throttling, processes. NVIDIA's driver tells the kernel's
 * files nothing of it. The library runs in a process of its own that answers once a period; a sample takes what was answered last, and
 * says so where that is too old. Only with leave (--vendor): it wakes GPUs that sleep. https://docs.nvidia.com/deploy/nvml-api/
 */

import { spawn } from "node:child_process";
import { ownRequire } from "../base/package.ts";
import { oneLine } from "../base/words.ts";
import type { Meter, Named } from "./meter.ts";
import type { Place } from "./place.ts";
import type { Metric } from "./sample.ts";
import { known, metricOf, unknown } from "./value.ts";

export interface NvmlProcess {
  readonly pid: number;
  /** Null where the driver does not tell (under WSL, in a virtual machine). */
  readonly bytes: number | null;
}

export interface NvmlGpu {
  /** 0000:65:00.0 */
  readonly address: string;
  /** Value in base units, or the code of NVML's error. By `name` or `name[part]`. */
  readonly values: Readonly<Record<string, number | { readonly error: number }>>;
  readonly processes: readonly NvmlProcess[];
}

export interface NvmlFeed {
  /** What was answered last and how long ago; or why nothing is. */
  latest(): { readonly gpus: readonly NvmlGpu[]; readonly age_ms: number } | { readonly failed: string } | undefined;
  close(): void;
}

/** An answer is a few KiB for each GPU; more comes from no NVML. */
const ANSWER_LIMIT = 1024 * 1024;
const PERIOD_MS = 1000;
/** Three periods without an answer: what was said before does not hold any more. */
const STALE_MS = 3 * PERIOD_MS + 500;

export function openNvml(library = "libnvidia-ml.so.1"): NvmlFeed {
  let last: { gpus: readonly NvmlGpu[]; at: number } | undefined;
  let failed: string | undefined;
  let text = "";
  let words = "";
  const script = `(${answerForEver.toString()})(require, ${JSON.stringify(ownRequire().resolve("koffi"))}, ${JSON.stringify(library)}, ${PERIOD_MS})`;
  const child = spawn(process.execPath, ["-e", script], { stdio: ["pipe", "pipe", "pipe"] });
  child.unref();
  for (const stream of [child.stdin, child.stdout, child.stderr]) {
    if ("unref" in stream && typeof stream.unref === "function") (stream.unref as () => void).call(stream);
    stream.on("error", () => undefined); // the process ended, which is told by its end
  }
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
    text += chunk;
    if (text.length > ANSWER_LIMIT) {
      failed = "NVIDIA's library answers without end";
      child.kill("SIGKILL");
      return;
    }
    for (let end = text.indexOf("\n"); end >= 0; end = text.indexOf("\n")) {
      const answer = parseAnswer(text.slice(0, end));
      text = text.slice(end + 1);
      if ("failed" in answer) failed = answer.failed;
      else [last, failed] = [{ gpus: answer.gpus, at: performance.now() }, undefined];
    }
  });
  child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
    words = (words + chunk).slice(-400);
  });
  child.once("error", (error) => (failed ??= error.message));
  child.once("exit", (status, signal) => {
    last = undefined;
    failed ??= `its process ended (${signal ?? `status ${status ?? "unknown"}`})${words === "" ? "" : `: ${oneLine(words)}`}`;
  });
  return {
    latest() {
      if (failed !== undefined) return { failed };
      return last === undefined ? undefined : { gpus: last.gpus, age_ms: performance.now() - last.at };
    },
    close: () => void child.kill("SIGKILL"),
  };
}

/** The child's lines are NVIDIA's library's: checked as anybody's. */
export function parseAnswer(line: string): { readonly gpus: readonly NvmlGpu[] } | { readonly failed: string } {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return { failed: `its process printed ${JSON.stringify(oneLine(line).slice(0, 60))}` };
  }
  if (typeof value !== "object" || value === null) return { failed: "its process answered nothing that makes sense" };
  if ("failed" in value) return { failed: oneLine(String(value.failed)) };
  const gpus = "gpus" in value && Array.isArray(value.gpus) ? (value.gpus as unknown[]) : [];
  return { gpus: gpus.filter(isGpu) };
}

function isGpu(value: unknown): value is NvmlGpu {
  if (typeof value !== "object" || value === null || !("address" in value) || !("values" in value)) return false;
  const { address, values } = value;
  return (
    typeof address === "string" &&
    typeof values === "object" &&
    values !== null &&
    "processes" in value &&
    Array.isArray(value.processes)
  );
}

/** What is asked of each GPU, by the names it is told under. */
const ASKED: readonly { readonly name: string; readonly part?: string; readonly from: string }[] = [
  { name: "busy_ratio", from: "nvmlDeviceGetUtilizationRates" },
  { name: "memory_busy_ratio", from: "nvmlDeviceGetUtilizationRates" },
  { name: "memory_bytes", from: "nvmlDeviceGetMemoryInfo" },
  { name: "memory_total_bytes", from: "nvmlDeviceGetMemoryInfo" },
  { name: "clock_hertz", from: "nvmlDeviceGetClockInfo" },
  { name: "clock_hertz", part: "memory", from: "nvmlDeviceGetClockInfo" },
  { name: "temperature_celsius", from: "nvmlDeviceGetTemperature" },
  { name: "power_watts", from: "nvmlDeviceGetPowerUsage" },
  { name: "power_limit_watts", from: "nvmlDeviceGetEnforcedPowerLimit" },
  { name: "energy_joules", from: "nvmlDeviceGetTotalEnergyConsumption" },
  { name: "fan_ratio", from: "nvmlDeviceGetFanSpeed" },
  { name: "throttled_state", from: "nvmlDeviceGetCurrentClocksThrottleReasons" },
  { name: "pcie_replay_count", from: "nvmlDeviceGetPcieReplayCounter" },
];

/** nvmlReturn_t, as far as the words help. */
const ERRORS: Readonly<Partial<Record<number, string>>> = {
  3: "this GPU or driver does not tell it",
  4: "only root may ask it",
  13: "this NVIDIA library is too old to tell it",
  15: "the GPU has fallen off the bus",
  16: "a reset is needed",
};
const NO_PERMISSION = 4;

export function nvmlMeter({ device }: Place, feed: NvmlFeed): Meter {
  const gives: readonly Named[] = ASKED;
  return {
    safe: false,
    gives,
    read(): readonly Metric[] {
      const gpu = gpuOf(feed, device.address);
      if ("why" in gpu) return gives.map(({ name, part, from }) => unknown(name, part, from, gpu.why, gpu.says));
      return gives.map(({ name, part, from }) => {
        const value = gpu.values[part === undefined ? name : `${name}[${part}]`];
        if (typeof value === "number") return metricOf(name, part, { state: "read", value, from });
        const error = value?.error;
        const says =
          (error === undefined ? undefined : ERRORS[error]) ??
          `NVIDIA's library answers with error ${error ?? "unknown"}`;
        return unknown(name, part, from, error === NO_PERMISSION ? "denied" : "absent", says);
      });
    },
  };
}

/** Processes that compute on it, with their memory. */
export function nvmlProcesses(feed: NvmlFeed, address: string): readonly { pid: number; metrics: readonly Metric[] }[] {
  const gpu = gpuOf(feed, address);
  if ("why" in gpu) return [];
  return gpu.processes
    .filter(({ pid }) => Number.isSafeInteger(pid) && pid > 0)
    .map(({ pid, bytes }) => {
      const from = "nvmlDeviceGetComputeRunningProcesses";
      const metric =
        bytes === null
          ? unknown("memory_bytes", undefined, from, "absent", "the driver does not tell it by process here")
          : known("memory_bytes", undefined, from, bytes);
      return { pid, metrics: [metric] };
    });
}

function gpuOf(feed: NvmlFeed, address: string): NvmlGpu | { readonly why: "first" | "absent"; readonly says: string } {
  const latest = feed.latest();
  if (latest === undefined) return { why: "first", says: "NVIDIA's library has not answered yet" };
  if ("failed" in latest) return { why: "absent", says: `NVIDIA's library: ${latest.failed}` };
  if (latest.age_ms > STALE_MS) {
    return { why: "absent", says: `NVIDIA's library has not answered for ${Math.round(latest.age_ms / 1000)} s` };
  }
  return (
    latest.gpus.find((gpu) => gpu.address === address) ?? {
      why: "absent",
      says: "NVIDIA's library does not know this GPU",
    }
  );
}

/**
 * What the child runs; stands alone, as its text is passed on. A GPU is asked each time anew for its handle: one that fell off the bus is
 * then told so. Structures of nvml.h: nvmlPciInfo_t is 68 bytes with the address as text at 36, nvmlUtilization_t two u32, nvmlMemory_t
 * three u64 (total, free, used), nvmlMemory_v2_t its version and four (total, reserved, free, used), nvmlProcessInfo_t 24 bytes (u32 pid, u64 memory at 8).
 */
function answerForEver(require: NodeJS.Require, koffiPath: string, library: string, period: number): void {
  const say = (value: unknown): void => void process.stdout.write(`${JSON.stringify(value)}\n`);
  // The parent's end is ours.
  process.stdin
    .on("end", () => process.exit(0))
    .on("error", () => process.exit(0))
    .resume();
  type Call = (...args: unknown[]) => number;
  interface Library {
    func(name: string, result: string, args: string[]): Call;
  }
  const koffi = require(koffiPath) as { load(path: string): Library };
  let lib: Library;
  try {
    lib = koffi.load(library);
  } catch (error) {
    say({
      failed: `cannot be loaded: ${error instanceof Error ? (error.message.split("\n")[0] ?? "") : String(error)}`,
    });
    process.exit(0);
  }
  const MISSING = 13; // NVML_ERROR_FUNCTION_NOT_FOUND
  const call = (name: string, args: string[]): Call => {
    try {
      return lib.func(name, "int", args);
    } catch {
      return () => MISSING; // an older library has fewer
    }
  };
  const status = call("nvmlInit_v2", [])();
  if (status !== 0) {
    say({
      failed:
        status === 9
          ? "its driver is not loaded"
          : status === 18
            ? "library and driver are of different versions"
            : `nvmlInit gave ${status}`,
    });
    process.exit(0);
  }
  const handle = call("nvmlDeviceGetHandleByIndex_v2", ["uint32_t", "void *"]);
  const pci = call("nvmlDeviceGetPciInfo_v3", ["void *", "void *"]);
  const count = call("nvmlDeviceGetCount_v2", ["void *"]);
  const one = (name: string): Call => call(name, ["void *", "void *"]);
  const two = (name: string): Call => call(name, ["void *", "int", "void *"]);
  const utilization = one("nvmlDeviceGetUtilizationRates");
  const memory = one("nvmlDeviceGetMemoryInfo");
  // The older one counts what the driver keeps for itself as used; nvidia-smi does not.
  const memory2 = one("nvmlDeviceGetMemoryInfo_v2");
  const clock = two("nvmlDeviceGetClockInfo");
  const temperature = two("nvmlDeviceGetTemperature");
  const running = call("nvmlDeviceGetComputeRunningProcesses_v3", ["void *", "void *", "void *"]);
  /** Name, function, bytes of the answer, and how it becomes base units. */
  const numbers: [string, Call, 4 | 8, (value: number) => number][] = [
    ["power_watts", one("nvmlDeviceGetPowerUsage"), 4, (value) => value / 1000],
    ["power_limit_watts", one("nvmlDeviceGetEnforcedPowerLimit"), 4, (value) => value / 1000],
    ["energy_joules", one("nvmlDeviceGetTotalEnergyConsumption"), 8, (value) => value / 1000],
    ["fan_ratio", one("nvmlDeviceGetFanSpeed"), 4, (value) => Math.min(1, value / 100)],
    // Bit 0 is idleness, which holds nothing back; bit 1 a clock that somebody set.
    [
      "throttled_state",
      one("nvmlDeviceGetCurrentClocksThrottleReasons"),
      8,
      (value) => (Math.floor(value / 4) > 0 ? 1 : 0),
    ],
    ["pcie_replay_count", one("nvmlDeviceGetPcieReplayCounter"), 4, (value) => value],
  ];
  const round = (): void => {
    const number = Buffer.alloc(8);
    const total = count(number) === 0 ? Math.min(number.readUInt32LE(0), 64) : 0;
    const gpus = [];
    for (let index = 0; index < total; index++) {
      const pointer = Buffer.alloc(8);
      if (handle(index, pointer) !== 0) continue;
      const gpu = pointer.readBigUInt64LE(0);
      const info = Buffer.alloc(68);
      if (pci(gpu, info) !== 0) continue;
      const values: Record<string, number | { error: number }> = {};
      const put = (name: string, code: number, value: () => number): void => {
        values[name] = code === 0 ? value() : { error: code };
      };
      const rates = Buffer.alloc(8);
      const rated = utilization(gpu, rates);
      put("busy_ratio", rated, () => rates.readUInt32LE(0) / 100);
      put("memory_busy_ratio", rated, () => rates.readUInt32LE(4) / 100);
      // version (size, and 2 above it), total, reserved, free, used; of the older one total, free, used
      const room = Buffer.alloc(40);
      room.writeUInt32LE(0x2000028, 0);
      let [told, totalAt, usedAt] = [memory2(gpu, room), 8, 32];
      if (told !== 0) [told, totalAt, usedAt] = [memory(gpu, room), 0, 16];
      put("memory_total_bytes", told, () => Number(room.readBigUInt64LE(totalAt)));
      put("memory_bytes", told, () => Number(room.readBigUInt64LE(usedAt)));
      const word = Buffer.alloc(8);
      put("clock_hertz", clock(gpu, 1, word), () => word.readUInt32LE(0) * 1e6);
      put("clock_hertz[memory]", clock(gpu, 2, word), () => word.readUInt32LE(0) * 1e6);
      put("temperature_celsius", temperature(gpu, 0, word), () => word.readUInt32LE(0));
      for (const [name, ask, size, base] of numbers) {
        word.fill(0);
        put(name, ask(gpu, word), () => base(size === 4 ? word.readUInt32LE(0) : Number(word.readBigUInt64LE(0))));
      }
      const MOST = 256;
      const table = Buffer.alloc(24 * MOST);
      const found = Buffer.alloc(8);
      found.writeUInt32LE(MOST, 0);
      const processes = [];
      if (running(gpu, found, table) === 0) {
        for (let at = 0; at < Math.min(found.readUInt32LE(0), MOST); at++) {
          const bytes = table.readBigUInt64LE(at * 24 + 8);
          // All ones: not available.
          processes.push({ pid: table.readUInt32LE(at * 24), bytes: bytes > 0xffffffffffffn ? null : Number(bytes) });
        }
      }
      // "00000000:65:00.0", of old libraries "0000:65:00.0"
      const text = info.toString("latin1", 36, 68).replace(/\0.*$/s, "").toLowerCase();
      gpus.push({ address: text.replace(/^0000(?=[0-9a-f]{4}:)/, ""), values, processes });
    }
    say({ gpus });
  };
  round();
  setInterval(round, period);
}
