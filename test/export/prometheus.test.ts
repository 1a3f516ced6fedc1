/** What /metrics tells, held against the parsers of Prometheus' own Python client and, where it is, against promtool. */

import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import type { ExpositionFormat } from "../../src/export/exposition.ts";
import { SERIES_LIMIT, Exposition } from "../../src/export/exposition.ts";
import { exposedFamilies, renderPrometheus, type Exposed, type ServedModel } from "../../src/export/prometheus.ts";
import { review } from "../../src/review/review.ts";
import { openRoot } from "../../src/root/open.ts";
import { machines } from "../support/machines.ts";
import { hasProgram, unlessProgram } from "../support/programs.ts";
import { runtime, unlessRuntime } from "../support/runtimes.ts";
import { device, known, processUse, sample, unknown } from "../support/samples.ts";
import { hasShared, sharedPath, unlessShared } from "../support/shared.ts";

interface Parsed {
  readonly name: string;
  readonly type: string;
  readonly samples: readonly [name: string, labels: Record<string, string>, value: number][];
}

const client = runtime("prometheus-client");
const canParse = client !== undefined && hasProgram("python3");

function parse(text: string, format: ExpositionFormat): readonly Parsed[] {
  const script = fileURLToPath(new URL("parsers.py", import.meta.url));
  const { status, stdout, stderr } = spawnSync("python3", [script, format], {
    input: text,
    encoding: "utf8",
    maxBuffer: 2 ** 26,
    env: { ...process.env, PYTHONPATH: client },
  });
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout) as readonly Parsed[];
}

const spread = { bounds: [0.001, 0.5, 1, 10], counts: [0, 3, 4, 4], count: 5, sum: 14.25 };
const model: ServedModel = {
  name: "mobilenet",
  version: "1",
  device: "cpu",
  requests: { ok: 5, invalid: 1, "not-found": 0, busy: 2 },
  waiting: 3,
  running: 1,
  restarts: 0,
  batches: 2,
  batched: 5,
  queue_seconds: spread,
  run_seconds: spread,
};

const full: Exposed = {
  sample: sample([
    device("pci:0000:03:00.0", {
      family: "amd-gpu",
      driver: "amdgpu",
      name: 'A "quoted" \\ name\nof two lines\u001b[31m',
      power_state: "active",
      metrics: [
        known("busy_ratio", 0),
        known("temperature_celsius", 41.5, "edge"),
        known("temperature_celsius", 44, "junction"),
        known("energy_joules", 12_000),
        known("reset_count", 2),
        known("task_count", 4),
        known("mapped_page_count", 9),
        known("awake_seconds", 3),
        known("throttled_state", 1, "thermal"),
        known("memory_total_bytes", 2 ** 34),
        unknown("power_watts", "denied", "needs root"),
        unknown("clock_hertz", "asleep", "reading wakes it", "core"),
        unknown("clock_hertz", "asleep", "reading wakes it", "memory"),
      ],
      processes: [
        processUse(1, "python3", [known("busy_ratio", 0.25), known("memory_bytes", 1000)]),
        processUse(2, "python3", [known("busy_ratio", 0.5), known("engine_seconds", 7)]),
        processUse(3, "other"),
      ],
    }),
    device("of:npu", { processes: null, metrics: [unknown("busy_ratio", "first", "a rate needs two samples")] }),
  ]),
  report: review(machines["rk3588-mainline-rocket"]?.() ?? openRoot()),
  models: [model],
  http: {
    connections: 3,
    under_way: 1,
    held_bytes: 64,
    turned_away: 2,
    let_go: 0,
    refused: { queue: 4 },
    routes: [{ method: "POST", route: "/v2/models/:model/infer", answers: [[200, 5]], seconds: spread }],
  },
  grpc: [{ method: "ModelInfer", answers: [["OK", 5]], seconds: spread }],
  scrape_seconds: 0.002,
};

const find = (exposed: Exposed, name: string) => exposedFamilies(exposed).find((family) => family.name === name);

describe("families", () => {
  it("a metric that is not known has no series and is counted by its reason", () => {
    expect(find(full, "accelctl_device_power_watts")).toBeUndefined();
    expect(find(full, "accelctl_device_clock_hertz")).toBeUndefined();
    expect(find(full, "accelctl_metric_unread")?.values).toEqual([
      { labels: { device: "pci:0000:03:00.0", metric: "power_watts", why: "denied" }, value: 1 },
      { labels: { device: "pci:0000:03:00.0", metric: "clock_hertz", why: "asleep" }, value: 2 },
      { labels: { device: "of:npu", metric: "busy_ratio", why: "first" }, value: 1 },
    ]);
  });

  it("a metric that is 0 is told as 0", () => {
    expect(find(full, "accelctl_device_busy_ratio")?.values.map(({ value }) => value)).toEqual([0]);
  });

  it("what only grows is a counter in _total, what is counted now a gauge in the plural", () => {
    const types = Object.fromEntries(exposedFamilies(full).map(({ name, type }) => [name, type]));
    expect(types).toMatchObject({
      accelctl_device_energy_joules_total: "counter",
      accelctl_device_resets_total: "counter",
      accelctl_device_awake_seconds_total: "counter",
      accelctl_device_tasks: "gauge",
      accelctl_device_mapped_pages: "gauge",
      accelctl_device_throttled_state: "gauge",
      accelctl_model_requests_total: "counter",
      accelctl_model_queue_seconds: "histogram",
    });
  });

  it("requests are told by route and status, refusals by reason", () => {
    expect(find(full, "accelctl_http_requests_total")).toMatchObject({
      type: "counter",
      values: [{ labels: { method: "POST", route: "/v2/models/:model/infer", code: "200" }, value: 5 }],
    });
    expect(find(full, "accelctl_http_request_seconds")?.type).toBe("histogram");
    expect(find(full, "accelctl_http_refused_requests_total")?.values).toEqual([
      { labels: { reason: "queue" }, value: 4 },
    ]);
    expect(find(full, "accelctl_http_refused_connections_total")?.values).toEqual([
      { labels: { reason: "full" }, value: 2 },
      { labels: { reason: "idle" }, value: 0 },
    ]);
    expect(find(full, "accelctl_grpc_requests_total")?.values).toEqual([
      { labels: { method: "ModelInfer", code: "OK" }, value: 5 },
    ]);
  });

  it("programs of one name are one series, without their counters, and a device has at most ten and the others", () => {
    expect(find(full, "accelctl_process_busy_ratio")?.values).toEqual([
      { labels: { device: "pci:0000:03:00.0", command: "python3" }, value: 0.75 },
    ]);
    expect(exposedFamilies(full).some(({ name }) => name.includes("engine_seconds"))).toBe(false);
    const crowd = Array.from({ length: 500 }, (_, i) => processUse(i, `job-${i}`, [known("busy_ratio", i / 1000)]));
    const values =
      find({ sample: sample([device("a", { processes: crowd })]) }, "accelctl_process_busy_ratio")?.values ?? [];
    expect(values).toHaveLength(11);
    expect(values[0]).toEqual({ labels: { device: "a", command: "job-499" }, value: 0.499 });
    expect(values.at(-1)?.labels["command"]).toBe("(others)");
    expect(values.reduce((sum, { value }) => sum + value, 0)).toBeCloseTo((499 * 500) / 2 / 1000);
    expect(find({ ...full, processes: false }, "accelctl_process_busy_ratio")).toBeUndefined();
    expect(find({ ...full, processes: false }, "accelctl_device_processes")?.values[0]?.value).toBe(3);
  });

  it("a device whose processes may not be seen has no count of them", () => {
    expect(find(full, "accelctl_device_processes")?.values.map(({ labels }) => labels["device"])).toEqual([
      "pci:0000:03:00.0",
    ]);
  });

  it("every device has its verdict, and a verdict that is not known is no 0", () => {
    const report = review(machines["cloud-ai-100-configured-off"]?.() ?? openRoot());
    const [first] = report.devices;
    if (first === undefined) throw new Error("the machine has a device");
    for (const works of ["yes", "no", "unknown"] as const) {
      const told = { report: { ...report, devices: [{ ...first, verdict: { ...first.verdict, works } }] } };
      const verdicts = find(told, "accelctl_device_verdict")?.values.map(({ labels, value }) => [
        labels["verdict"],
        value,
      ]);
      expect(verdicts).toEqual(["yes", "no", "unknown"].map((verdict) => [verdict, verdict === works ? 1 : 0]));
      expect(find(told, "accelctl_device_works")?.values.map(({ value }) => value)).toEqual(
        { yes: [1], no: [0], unknown: undefined }[works],
      );
    }
    expect(find({ report }, "accelctl_findings")?.values.map(({ labels }) => labels["severity"])).toEqual([
      "error",
      "warning",
      "note",
    ]);
  });

  it("names that are none of ours, one name twice and too many series are left out and counted", () => {
    const metrics = [
      known("busy_ratio", 0.5),
      known("busy_ratio", 0.6),
      known('x{a="b"} 1\nevil_ratio', 1),
      known("__proto___ratio", 1),
      known("reset_count", -1),
    ];
    const told = { sample: sample([device("a", { metrics })]) };
    expect(find(told, "accelctl_device_busy_ratio")?.values.map(({ value }) => value)).toEqual([0.5]);
    expect(find(told, "accelctl_series_left_out")?.values[0]?.value).toBe(4);
    const out = new Exposition();
    for (let i = 0; i < SERIES_LIMIT + 5; i++) out.gauge("accelctl_x_ratio", "X.", { i: String(i) }, 1);
    expect(out.leftOut).toBe(5);
  });
});

describe(`texts by the Python client's parsers${unlessRuntime("prometheus-client")}${unlessProgram("python3")}`, () => {
  it.skipIf(!canParse).each(["prometheus", "openmetrics"] as const)("%s holds what was told", async (format) => {
    const families = parse(await renderPrometheus(full, format), format);
    const told = exposedFamilies(full);
    const samples = families.flatMap((family) => family.samples);
    expect(samples).toEqual(
      told.flatMap((family) =>
        family.values.map(({ suffix = "", labels, value }) => [family.name + suffix, labels, value]),
      ),
    );
    // Both parsers name a counter's family without _total.
    expect(families.map(({ name, type }) => [name, type])).toEqual(
      told.map(({ name, type }) => [name.replace(/_total$/, ""), type]),
    );
    expect(samples.find(([name]) => name === "accelctl_device_busy_ratio")?.[1]["name"]).toBe(
      'A "quoted" \\ name\ufffdof two lines\ufffd[31m',
    );
  });

  it.skipIf(!canParse || !hasShared)(`of each captured machine${unlessShared}`, async () => {
    for (const name of ["rack-7.3", "usb-coral-7.3", "arm64-rocket-7.3", "vendor-oot-7.3", "clean-7.3"]) {
      const report = review(openRoot(sharedPath(`machines/kernel/${name}.tar.gz`)));
      for (const format of ["prometheus", "openmetrics"] as const) {
        const families = parse(await renderPrometheus({ report }, format), format);
        const devices = families.find((family) => family.name === "accelctl_device_info")?.samples ?? [];
        expect(devices.map(([, labels]) => labels["device"])).toEqual(report.devices.map(({ id }) => id));
      }
    }
  });
});

it.skipIf(!hasProgram("promtool"))(`promtool finds nothing to say${unlessProgram("promtool")}`, async () => {
  const input = await renderPrometheus(full);
  const { status, stdout, stderr } = spawnSync("promtool", ["check", "metrics"], { input, encoding: "utf8" });
  expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: "", stderr: "" });
});
