/** --eval FILE: the answers held against rows that somebody else saw: compile decisions, or measured times. */

import { readFileSync } from "node:fs";
import { FileError } from "../base/errors.ts";
import { evaluateLatency, type LatencyEvaluation } from "./evaluate-latency.ts";
import { decisionsOf, evaluatePlacement, type PlacementEvaluation } from "./evaluate-placement.ts";
import { all as targets } from "./targets/index.ts";
import type { PublishedRow } from "./time/rows.ts";

export type Evaluation =
  ({ readonly kind: "placement" } & PlacementEvaluation) | ({ readonly kind: "latency" } & LatencyEvaluation);

/** Bytes of a table of rows; beyond it is something else. */
const LIMIT = 256 * 1024 * 1024;

/** `models`: a folder with the files that rows name; without it what the repository holds of them, and known models. */
export function evaluateFile(path: string, models?: string): Evaluation {
  const content = parsed(path);
  const decisions = decisionsOf(content);
  if (decisions !== undefined) {
    const options = models === undefined ? { targets } : { targets, models };
    return { kind: "placement", ...evaluatePlacement(decisions, options) };
  }
  const rows = publishedOf(content);
  if (rows.length > 0) return { kind: "latency", ...evaluateLatency(rows) };
  throw new FileError(
    path,
    `no rows of either shape: compile decisions have target, tool, model and accel_ops, measured times device, model, and latency_ms or fps`,
  );
}

function parsed(path: string): unknown {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new FileError(path, code === "ENOENT" ? "no such file" : message, undefined, { cause: error });
  }
  if (text.length > LIMIT) throw new FileError(path, `${text.length} characters are no table of rows`);
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw new FileError(path, `no JSON: ${(error as Error).message}`, undefined, { cause: error });
  }
}

/** A list of rows, alone or as `rows`; those without a device and a model are left out. */
function publishedOf(content: unknown): readonly PublishedRow[] {
  const rows: unknown = Array.isArray(content) ? content : (content as { rows?: unknown } | null)?.rows; // JSON: any shape
  return Array.isArray(rows) ? rows.filter(isPublished) : [];
}

function isPublished(row: unknown): row is PublishedRow {
  if (typeof row !== "object" || row === null) return false;
  const { device, model, latency_ms: ms, fps } = row as Record<string, unknown>; // JSON: any shape
  return typeof device === "string" && typeof model === "string" && (typeof ms === "number" || typeof fps === "number");
}
