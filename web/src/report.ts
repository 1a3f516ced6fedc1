/** The machine in sight: the server's, one that was dropped here, or the one a static page holds. All views share it. */

import { signal } from "@preact/signals";
import type { Report } from "../../src/review/report.ts";
import type { About } from "../../src/serve/page/about.ts";
import { ApiError, ask, sentence } from "./api.ts";
import { announce } from "./parts/index.ts";

export type Source =
  /** `name`: of the captured machine that the server shows; absent: its own. */
  | { readonly kind: "server"; readonly name?: string }
  /** Dropped: shown by this page alone, or reviewed by the server from its bytes. */
  | { readonly kind: "file"; readonly name: string }
  /** Exported: there is no server. */
  | { readonly kind: "static" };

export type Shown =
  | { readonly state: "loading"; readonly source: Source }
  | { readonly state: "ready"; readonly source: Source; readonly report: Report }
  | { readonly state: "failed"; readonly source: Source; readonly says: string };

export const shown = signal<Shown>({ state: "loading", source: { kind: "server" } });
/** What went wrong with a file that was dropped; what was shown before stays. */
export const dropFailed = signal<string | undefined>(undefined);
/** A file is being looked at. */
export const dropBusy = signal<string | undefined>(undefined);

/** A report has some hundred kB; a browser parses this much in a second. */
const REPORT_LIMIT = 64 * 1024 * 1024;
/** What the server takes (REVIEW_LIMIT of src/serve/page/report.ts): told before it is sent for nothing. */
const UPLOAD_LIMIT = 256 * 1024 * 1024;

let asked = 0;

/** Asks the server; `query` also asks drivers where that wakes a sleeping device. */
export async function loadReport(options: { readonly query?: boolean } = {}): Promise<void> {
  const own = ++asked;
  const before = shown.value.source;
  const source: Source = before.kind === "server" ? before : { kind: "server" };
  shown.value = { state: "loading", source };
  try {
    const [{ machine }, report] = await Promise.all([
      ask<About>("api/about"),
      ask<Report>(options.query === true ? "api/report?query=1" : "api/report"),
    ]);
    const named: Source = machine === null ? { kind: "server" } : { kind: "server", name: machine };
    if (own === asked) shown.value = { state: "ready", source: named, report };
  } catch (error) {
    if (own === asked) shown.value = { state: "failed", source, says: sentence(error) };
  }
}

/** The report of an exported page, to come back to. */
let exported: Report | undefined;

export function showStatic(report: Report): void {
  exported = report;
  shown.value = { state: "ready", source: { kind: "static" }, report };
}

/** From a file that was dropped, back to what the page came with. */
export function goHome(): void {
  if (exported === undefined) void loadReport();
  else showStatic(exported);
}

/** A report is shown as it is; anything else goes to the server to be reviewed. */
export async function showFile(file: File): Promise<void> {
  dropFailed.value = undefined;
  dropBusy.value = file.name;
  try {
    const report = (await reportIn(file)) ?? (await reviewOf(file));
    asked++;
    shown.value = { state: "ready", source: { kind: "file", name: file.name }, report };
    announce(`${file.name} is shown`);
  } catch (error) {
    dropFailed.value = `${file.name}: ${sentence(error)}`;
  } finally {
    dropBusy.value = undefined;
  }
}

async function reviewOf(file: File): Promise<Report> {
  if (exported !== undefined) {
    throw new ApiError(
      0,
      "this page can show a report (accelctl review --json), and has no server to look at anything else",
    );
  }
  if (file.size > UPLOAD_LIMIT) throw new ApiError(413, "larger than the server takes");
  if (file.size === 0) throw new ApiError(400, "the file is empty");
  return ask<Report>("api/review", {
    method: "POST",
    body: file,
    headers: { "content-type": "application/octet-stream" },
  });
}

/** Undefined where the file is no report at all; throws where it is one that makes no sense. */
async function reportIn(file: File): Promise<Report | undefined> {
  const head = await file.slice(0, 256).text();
  if (!/^\s*\{\s*"schema"\s*:\s*\d+\s*,\s*"machine"\s*:/.test(head)) return undefined;
  if (file.size > REPORT_LIMIT) throw new Error("larger than any report");
  let value: unknown;
  try {
    value = JSON.parse(await file.text());
  } catch (error) {
    throw new Error(
      `a report that ends or breaks in the middle (${error instanceof Error ? error.message : "no JSON"})`,
      {
        cause: error,
      },
    );
  }
  return checkReport(value);
}

/** Enough that the views find what they draw; the schema is docs/report.schema.json. */
export function checkReport(value: unknown): Report {
  const is = (one: unknown): one is Record<string, unknown> => typeof one === "object" && one !== null;
  const all = (one: unknown, holds: (item: Record<string, unknown>) => boolean): boolean =>
    Array.isArray(one) && one.every((item: unknown) => is(item) && holds(item));
  const isLayer = (layer: Record<string, unknown>): boolean =>
    typeof layer["name"] === "string" && typeof layer["is"] === "string" && all(layer["evidence"], () => true);
  const isRoute = (route: Record<string, unknown>): boolean =>
    typeof route["name"] === "string" && all(route["layers"], isLayer);
  const isDevice = (device: Record<string, unknown>): boolean =>
    typeof device["id"] === "string" &&
    typeof device["name"] === "string" &&
    is(device["verdict"]) &&
    is(device["ids"]) &&
    is(device["driver"]) &&
    Array.isArray(device["parts"]) &&
    all(device["nodes"], (node) => is(node["mode"]) && is(node["owner"]) && is(node["group"]) && is(node["opens"])) &&
    all(device["routes"], isRoute);
  const isFinding = (finding: Record<string, unknown>): boolean =>
    typeof finding["rule"] === "string" && typeof finding["says"] === "string" && all(finding["evidence"], () => true);
  if (!is(value) || value["schema"] !== 1) {
    throw new Error(`report of schema ${is(value) ? String(value["schema"]) : "?"}; this page knows schema 1`);
  }
  const machine = value["machine"];
  if (
    !is(machine) ||
    !["model", "distribution", "arch", "cpu", "memory_bytes", "container", "virtual"].every((name) =>
      is(machine[name]),
    ) ||
    !is(value["kernel"]) ||
    !["version", "taint", "accel"].every((name) => is((value["kernel"] as Record<string, unknown>)[name])) ||
    !all(value["devices"], isDevice) ||
    !all(value["dormant"], isDevice) ||
    !all(value["findings"], isFinding) ||
    !all(value["blind"], (blind) => typeof blind["path"] === "string")
  ) {
    throw new Error("calls itself a report and lacks what one has");
  }
  return value as unknown as Report; // checked above as far as it is drawn
}
