/** Rows of benchmarks, in the shape of published-benchmarks.json and of the two tables of CSV, to what is kept of them. */

import type { Device } from "./estimate.ts";
import { plainName } from "./architecture.ts";
import { all } from "./devices/index.ts";

/** A row as published-benchmarks.json has it; what is not read here is left out. */
export interface PublishedRow {
  readonly device: string;
  readonly model: string;
  readonly runtime?: string;
  readonly precision?: string;
  readonly input?: string | readonly (number | string)[];
  readonly batch?: number;
  readonly fps?: number | null;
  readonly fps_batch8?: number | null;
  readonly latency_ms?: number | null;
  readonly params_m?: number | null;
  readonly ops_g?: number | null;
  readonly source?: string;
  readonly kind?: string;
}

let devices: ReadonlyMap<string, Device> | undefined;

/** Device by what a row calls it; its runtime decides where several share a name. */
export function deviceOf(name: string, runtime?: string): Device | undefined {
  devices ??= new Map(
    all.flatMap((device) => [device.id, ...(device.aliases ?? [])].map((alias) => [plainName(alias), device] as const)),
  );
  return devices.get(plainName(`${name} ${runtime ?? ""}`)) ?? devices.get(plainName(name));
}

export interface Made {
  readonly device: string;
  readonly how: string;
  readonly model: string;
  readonly params: number;
  readonly ops: number;
  readonly input: string;
  readonly float: boolean;
  readonly independent: boolean;
  readonly ms: number;
  readonly ms8: number;
  readonly source: string;
}

/** Milliseconds of one inference: the latency where it is told, else of a stream one by one. */
export function millisecondsOf({ latency_ms, fps, batch }: PublishedRow): number | undefined {
  if (typeof latency_ms === "number" && latency_ms > 0) return latency_ms;
  if (typeof fps === "number" && fps > 0 && (batch ?? 1) === 1) return 1000 / fps;
  return undefined;
}

/** Floating point, by the precision's words: "fp16", "FP16", "fp32/fp16", "float"; with an "int8" in it integers are meant. */
export const isFloat = (precision: string | undefined): boolean =>
  /fp|float|bf16/i.test(precision ?? "") && !/int8|w8a/i.test(precision ?? "");

export const inputWords = (input: PublishedRow["input"]): string =>
  input === undefined ? "" : typeof input === "string" ? input : input.join("x");

export function rowOf(row: PublishedRow): Made | undefined {
  const device = deviceOf(row.device, row.runtime);
  const ms = millisecondsOf(row);
  const kind = row.kind ?? "";
  if (device === undefined || ms === undefined || /estimate/.test(kind)) return undefined;
  return {
    device: device.id,
    how: "",
    model: row.model.replace("⭐", "").trim(),
    params: row.params_m ?? 0,
    ops: row.ops_g ?? 0,
    input: inputWords(row.input),
    float: isFloat(row.precision),
    independent: !kind.startsWith("vendor"),
    ms,
    ms8: typeof row.fps_batch8 === "number" && row.fps_batch8 > 0 ? 1000 / row.fps_batch8 : 0,
    source: row.source ?? "",
  };
}

/** Which size AI Hub means by a family's name (its models' pages). */
const hubNames: Readonly<Record<string, string>> = {
  yolov8_seg: "yolov8n_seg",
  yolov10_det: "yolov10n",
  yolov11_det: "yolo11n",
  yolov11_seg: "yolo11n_seg",
};

/** model,component,precision,device,runtime,ms,...,unit: what ran on the NPU. */
export function aiHubRow(row: Readonly<Record<string, string>>): Made | undefined {
  const device = deviceOf(row["device"] ?? "");
  const ms = Number(row["ms"]);
  if (device === undefined || !(ms > 0) || row["unit"] !== "NPU") return undefined;
  const [model, component] = [row["model"] ?? "", row["component"] ?? ""];
  // Components called like the model are all of it.
  const whole = plainName(component) === plainName(model) || /^yolo/.test(model);
  return {
    device: device.id,
    how: `${row["runtime"] ?? ""} ${row["precision"] ?? ""}`.trim(),
    model: whole || component === "" ? (hubNames[model] ?? model) : `${model} / ${component}`,
    params: 0,
    ops: 0,
    input: "",
    float: row["precision"] === "float",
    independent: false,
    ms,
    ms8: 0,
    source: "github.com/quic/ai-hub-models@52c080d2 perf.yaml",
  };
}

/** device,threads,powersave,gpu_device,model,min_ms,max_ms,avg_ms. */
export function ncnnRow(row: Readonly<Record<string, string>>): Made | undefined {
  const ms = Number(row["min_ms"]);
  const model = row["model"] ?? "";
  if (!(ms > 0)) return undefined;
  const gpu = Number(row["gpu_device"] || "-1") >= 0;
  return {
    device: row["device"] ?? "",
    how: gpu
      ? `Vulkan device ${row["gpu_device"] ?? ""}`
      : `${row["threads"] ?? ""} threads, powersave ${row["powersave"] ?? ""}`,
    model,
    params: 0,
    ops: 0,
    input: "",
    float: !/int8/.test(model),
    independent: false,
    ms,
    ms8: 0,
    source: "github.com/Tencent/ncnn@a4d2ea1d benchmark/README.md",
  };
}
