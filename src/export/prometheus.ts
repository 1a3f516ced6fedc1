/**
 * What /metrics and `accelctl metrics` tell: a sample, a report and the figures of the served models as metric families. What is not
 * known has no series: it is counted, by reason, in accelctl_metric_unread. docs/deploy.md lists what to alert on.
 */

import { severities } from "../base/finding.ts";
import type { DeviceReport, Report } from "../review/report.ts";
import { version } from "../version.ts";
import type { DeviceSample, Metric, Sample } from "../watch/sample.ts";
import { Exposition, write, type Distribution, type ExpositionFormat, type Family, type Labels } from "./exposition.ts";
import { exportedName } from "./metric-names.ts";

/** As ModelFigures of serve/engine.ts, which lies above. */
export interface ServedModel {
  readonly name: string;
  readonly version: string;
  readonly device: string;
  readonly requests: Readonly<Record<string, number>>;
  readonly waiting: number;
  readonly running: number;
  readonly restarts: number;
  readonly batches: number;
  readonly batched: number;
  readonly queue_seconds: Distribution;
  readonly run_seconds: Distribution;
}

/** As HttpFigures of serve/http, with routes by their pattern. */
export interface ServedHttp {
  readonly connections: number;
  readonly under_way: number;
  readonly held_bytes: number;
  readonly turned_away: number;
  readonly let_go: number;
  readonly refused: Readonly<Record<string, number>>;
  readonly routes: readonly ServedRoute[];
}

/** Patterns, never paths: a caller could make as many of them as it likes. */
export interface ServedRoute {
  /** "GET"; empty where no route was found. */
  readonly method: string;
  readonly route: string;
  readonly answers: Iterable<readonly [code: number, count: number]>;
  readonly seconds: Distribution;
}

/** Calls of one method of gRPC, by status ("OK"). */
export interface ServedCalls {
  readonly method: string;
  readonly answers: Iterable<readonly [code: string, count: number]>;
  readonly seconds: Distribution;
}

/** What is there is told; each may be absent. */
export interface Exposed {
  readonly sample?: Sample;
  readonly report?: Report;
  readonly models?: readonly ServedModel[];
  readonly http?: ServedHttp;
  readonly grpc?: readonly ServedCalls[];
  /** Name the programs that use a device. */
  readonly processes?: boolean;
  /** Making this text, without the text itself. */
  readonly scrape_seconds?: number;
}

/** Programs are told apart by name, and only so many of a device: a pid, or a name with a number in it, would be a new series each day. */
const COMMANDS = 10;
const OTHERS = "(others)";

export const renderPrometheus = (exposed: Exposed, format: ExpositionFormat = "prometheus"): Promise<string> =>
  write(exposedFamilies(exposed), format);

/** The families by themselves, sorted as they are told: ours, devices, judgement, models. */
export function exposedFamilies(exposed: Exposed): readonly Family[] {
  const { sample, report, models, http, grpc, processes, scrape_seconds } = exposed;
  const out = new Exposition();
  out.gauge("accelctl_build_info", "Version of accelctl.", { version }, 1);
  if (sample !== undefined) tellSample(out, sample, processes ?? true);
  if (report !== undefined) tellReport(out, report);
  if (models !== undefined) for (const model of models) tellModel(out, model);
  if (http !== undefined) tellHttp(out, http);
  for (const { method, answers, seconds } of grpc ?? []) {
    for (const [code, count] of answers) {
      out.counter("accelctl_grpc_requests_total", "Calls of gRPC by method and status.", { method, code }, count);
    }
    out.histogram("accelctl_grpc_request_seconds", "Time from a call to its end.", { method }, seconds);
  }
  if (scrape_seconds !== undefined) {
    out.gauge("accelctl_scrape_duration_seconds", "Time it took to gather what is told here.", {}, scrape_seconds);
  }
  out.gauge(
    "accelctl_series_left_out",
    "Series that could not be told: of one name twice, or too many.",
    {},
    out.leftOut,
  );
  return out.families();
}

function tellSample(out: Exposition, sample: Sample, processes: boolean): void {
  const at = Date.parse(sample.at) / 1000;
  if (Number.isFinite(at)) out.gauge("accelctl_sample_timestamp_seconds", "When the devices were read.", {}, at);
  out.gauge("accelctl_sample_duration_seconds", "Time it took to read all devices.", {}, sample.took_seconds);
  out.gauge("accelctl_devices", "Accelerators that are watched.", {}, sample.devices.length);
  const unread = new Map<string, { labels: Labels; count: number }>();
  for (const device of sample.devices) {
    const labels = labelsOf(device);
    for (const metric of device.metrics) tellMetric(out, device.id, labels, metric, unread);
    if (device.power_state !== null) {
      const help = "Runtime power state in the kernel's words: 1 of the state it is in.";
      out.gauge("accelctl_device_power_state", help, { ...labels, state: device.power_state }, 1);
    }
    tellProcesses(out, device, labels, processes);
  }
  for (const { labels, count } of unread.values()) {
    const help = "Metrics without a value, by reason: asleep, first, denied, absent, uncaptured, malformed.";
    out.gauge("accelctl_metric_unread", help, labels, count);
  }
}

/** The same for a device in every family, so that families can be joined by all of them or by `device` alone. */
const labelsOf = (device: Pick<DeviceSample, "id" | "family" | "name" | "driver">): Labels => ({
  device: device.id,
  family: device.family ?? "",
  name: device.name,
  driver: device.driver ?? "",
});

function tellMetric(
  out: Exposition,
  device: string,
  labels: Labels,
  metric: Metric,
  unread: Map<string, { labels: Labels; count: number }>,
): void {
  const exported = exportedName(metric.name);
  if (exported === undefined) {
    out.leaveOut();
    return;
  }
  const { name, type, help } = exported;
  if (metric.value === null || !Number.isFinite(metric.value)) {
    const why = metric.value === null ? metric.why : "malformed";
    const key = JSON.stringify([device, metric.name, why]);
    const { count } = unread.get(key) ?? { count: 0 };
    unread.set(key, { labels: { device, metric: metric.name, why }, count: count + 1 });
    return;
  }
  out[type](`accelctl_device_${name}`, help, { ...labels, part: metric.part ?? "" }, metric.value);
}

function tellProcesses(out: Exposition, device: DeviceSample, labels: Labels, byName: boolean): void {
  if (device.processes === null) return;
  const help = "Processes that have it open or compute on it, as far as this user may see.";
  out.gauge("accelctl_device_processes", help, labels, device.processes.length);
  if (!byName) return;
  for (const [command, { count, sums }] of usesByCommand(device)) {
    const own = { device: device.id, command };
    out.gauge("accelctl_process_holders", "Processes of this name that have the device open.", own, count);
    for (const [metric, sum] of sums) {
      const exported = exportedName(metric);
      // The sum of what processes counted falls when one of them ends: no counter.
      if (exported?.type !== "gauge") continue;
      out.gauge(`accelctl_process_${exported.name}`, `Of the processes of this name: ${exported.help}`, own, sum);
    }
  }
}

interface Uses {
  count: number;
  readonly sums: Map<string, number>;
}

function usesByCommand(device: DeviceSample): ReadonlyMap<string, Uses> {
  const all = new Map<string, Uses>();
  const add = (
    into: Map<string, Uses>,
    command: string,
    count: number,
    sums: Iterable<readonly [string, number]>,
  ): void => {
    const uses = into.get(command) ?? { count: 0, sums: new Map<string, number>() };
    uses.count += count;
    for (const [metric, value] of sums) uses.sums.set(metric, (uses.sums.get(metric) ?? 0) + value);
    into.set(command, uses);
  };
  for (const use of device.processes ?? []) {
    const known = use.metrics.flatMap(({ name, value }) =>
      value !== null && Number.isFinite(value) ? [[name, value] as const] : [],
    );
    add(all, use.command, 1, known);
  }
  if (all.size <= COMMANDS) return all;
  const weight = ({ sums }: Uses): number => sums.get("busy_ratio") ?? 0;
  const memory = ({ sums }: Uses): number => sums.get("memory_bytes") ?? 0;
  const ranked = [...all].sort(
    ([a, x], [b, y]) => weight(y) - weight(x) || memory(y) - memory(x) || y.count - x.count || (a < b ? -1 : 1),
  );
  const kept = new Map(ranked.slice(0, COMMANDS));
  for (const [, uses] of ranked.slice(COMMANDS)) add(kept, OTHERS, uses.count, uses.sums);
  return kept;
}

function tellReport(out: Exposition, report: Report): void {
  const help = "Of the machine as reviewed: kernel release, architecture.";
  const arch = report.machine.arch.state === "read" ? report.machine.arch.value : "";
  out.gauge("accelctl_machine_info", help, { kernel: report.kernel.release ?? "", arch }, 1);
  for (const device of report.devices) tellDevice(out, device);
  for (const severity of severities) {
    const count = report.findings.filter((finding) => finding.severity === severity).length;
    out.gauge("accelctl_findings", "Findings of the review.", { severity }, count);
  }
  // One rule may find the same twice on a device, by different evidence.
  const open = new Map<string, { labels: Labels; count: number }>();
  for (const { device, rule, severity, route = "" } of report.findings) {
    const labels = { device, route, rule, severity };
    const key = JSON.stringify(labels);
    open.set(key, { labels, count: (open.get(key)?.count ?? 0) + 1 });
  }
  for (const { labels, count } of open.values()) {
    out.gauge("accelctl_finding", "Findings that are open, by rule (accelctl explain tells each).", labels, count);
  }
}

const verdicts = ["yes", "no", "unknown"] as const;

function tellDevice(out: Exposition, device: DeviceReport): void {
  const driver = device.driver.state === "read" ? device.driver.value : "";
  const labels = labelsOf({
    id: device.id,
    name: device.name,
    driver,
    ...(device.family ? { family: device.family } : {}),
  });
  const info = { chip: device.chip ?? "", bus: device.bus, address: device.address };
  const driver_version = device.driver_version?.state === "read" ? device.driver_version.value : "";
  out.gauge("accelctl_device_info", "What the device is.", { ...labels, ...info, driver_version }, 1);
  for (const verdict of verdicts) {
    const told = "Does a route from this device to a result work? 1 of the verdict, 0 of the others.";
    out.gauge("accelctl_device_verdict", told, { ...labels, verdict }, device.verdict.works === verdict ? 1 : 0);
  }
  const works = "1 where a route of the device works, 0 where none does; no series where that is not known.";
  if (device.verdict.works !== "unknown") {
    out.gauge("accelctl_device_works", works, labels, device.verdict.works === "yes" ? 1 : 0);
  }
  for (const route of device.routes) {
    if (route.works === "unknown") continue;
    const own = { device: device.id, route: route.name, open: String(route.open) };
    const told = "1 where this route works, 0 where it does not; no series where that is not known.";
    out.gauge("accelctl_route_works", told, own, route.works === "yes" ? 1 : 0);
  }
}

function tellModel(out: Exposition, model: ServedModel): void {
  const labels = { model: model.name, version: model.version, device: model.device };
  for (const [status, count] of Object.entries(model.requests)) {
    out.counter("accelctl_model_requests_total", "Requests by how they ended.", { ...labels, status }, count);
  }
  out.gauge("accelctl_model_waiting_requests", "Requests in the queue now.", labels, model.waiting);
  out.gauge("accelctl_model_running_requests", "Requests that are computed now.", labels, model.running);
  out.counter("accelctl_model_restarts_total", "Times its child process was started anew.", labels, model.restarts);
  out.counter("accelctl_model_batches_total", "Times the model was run.", labels, model.batches);
  out.counter("accelctl_model_batched_requests_total", "Requests in those runs.", labels, model.batched);
  out.histogram("accelctl_model_queue_seconds", "Time requests waited.", labels, model.queue_seconds);
  out.histogram("accelctl_model_run_seconds", "Time runs of the model took.", labels, model.run_seconds);
}

function tellHttp(out: Exposition, http: ServedHttp): void {
  for (const { method, route, answers, seconds } of http.routes) {
    for (const [code, count] of answers) {
      const labels = { method, route, code: String(code) };
      out.counter("accelctl_http_requests_total", "Requests by route and status.", labels, count);
    }
    out.histogram("accelctl_http_request_seconds", "Time from headers to answer.", { method, route }, seconds);
  }
  out.gauge("accelctl_http_connections", "Open connections.", {}, http.connections);
  out.gauge("accelctl_http_requests_in_flight", "Requests that are not answered yet.", {}, http.under_way);
  out.gauge("accelctl_http_bodies_bytes", "Bytes of requests' bodies that are held.", {}, http.held_bytes);
  for (const [reason, count] of Object.entries(http.refused)) {
    const help =
      "Requests that were told to come again: too many under way (requests), too much held (bodies), a model's queue full (queue).";
    out.counter("accelctl_http_refused_requests_total", help, { reason }, count);
  }
  const help = "Connections that were ended: too many (full), or without a request when others needed room (idle).";
  out.counter("accelctl_http_refused_connections_total", help, { reason: "full" }, http.turned_away);
  out.counter("accelctl_http_refused_connections_total", help, { reason: "idle" }, http.let_go);
}
