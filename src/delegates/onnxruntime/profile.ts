/**
 * What a run is made of, from the profile that ONNX Runtime writes of it (RunOptionsEnableProfiling, 1.25 and later): a JSON array of
 * events in Chrome's trace format, where "cat": "Node" with "provider" among "args" is one kernel's run. The file is ours and deleted.
 */

import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CannotError } from "../../base/errors.ts";
import type { Span } from "../delegate.ts";
import type { Ort, Pointer } from "./api.ts";

/** A run of 100,000 nodes writes some 60 MB. */
const FILE_LIMIT = 256 * 1024 * 1024;
const SPANS_LIMIT = 200_000;

/** Makes a run with options that profile it, and reads what was written. */
export async function profiled<T>(ort: Ort, run: (options: Pointer) => Promise<T>): Promise<[T, readonly Span[]]> {
  const folder = mkdtempSync(join(tmpdir(), "accelctl-profile-"));
  const options = ort.pointer("CreateRunOptions");
  try {
    ort.call("RunOptionsEnableProfiling", options, join(folder, "run"));
    const result = await run(options);
    return [result, readSpans(folder)];
  } finally {
    ort.release("ReleaseRunOptions", options);
    rmSync(folder, { recursive: true, force: true });
  }
}

function readSpans(folder: string): readonly Span[] {
  const [name] = readdirSync(folder);
  if (name === undefined) return [];
  const path = join(folder, name);
  if (statSync(path).size > FILE_LIMIT)
    throw new CannotError(`the profile of the run is larger than ${FILE_LIMIT} bytes`);
  let events: unknown;
  try {
    events = JSON.parse(readFileSync(path, "utf8"));
  } catch (cause) {
    throw new CannotError("ONNX Runtime wrote a profile of the run that is no JSON", { cause });
  }
  return spansOf(events);
}

/** Kernels in the order they ran in. */
export function spansOf(events: unknown): readonly Span[] {
  if (!Array.isArray(events)) return [];
  const found: (Span & { readonly at: number })[] = [];
  for (const event of events as unknown[]) {
    if (!isObject(event) || event["cat"] !== "Node" || !isObject(event["args"])) continue;
    const { name, ts, dur } = event;
    const { provider, op_name: operator } = event["args"];
    if (typeof name !== "string" || typeof provider !== "string" || typeof dur !== "number" || typeof ts !== "number")
      continue;
    const own = name.replace(/_kernel_time$/, "");
    found.push({
      at: ts,
      name: own !== "" || typeof operator !== "string" ? own : operator,
      by: provider,
      ms: dur / 1000,
    });
    if (found.length >= SPANS_LIMIT) break;
  }
  return found.sort((a, b) => a.at - b.at).map(({ name, by, ms }) => ({ name, by, ms }));
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
