/**
 * The last bench of the same model on the same machine, so that the next can say what changed. Kept in
 * $XDG_STATE_HOME/accelctl/bench.json, or ~/.local/state; nothing of it leaves the machine. XDG Base Directory Specification 0.8
 */

import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, isAbsolute, join } from "node:path";

const SCHEMA = 1;
/** The oldest are forgotten beyond. */
const ENTRIES_LIMIT = 500;
const FILE_LIMIT = 4 * 1024 * 1024;

export interface Entry {
  /** UTC, ISO 8601. */
  readonly when: string;
  readonly p50_ms: number;
  readonly min_ms: number;
  readonly runs: number;
}

export type History = ReadonlyMap<string, Entry>;

export function historyPath(env: Readonly<Record<string, string | undefined>>): string {
  const state = env["XDG_STATE_HOME"];
  // The specification: a path that is not absolute is to be ignored.
  const base = state !== undefined && isAbsolute(state) ? state : join(env["HOME"] ?? homedir(), ".local", "state");
  return join(base, "accelctl", "bench.json");
}

/** Whatever of the file makes sense; a broken file is an empty one, and the next bench writes it anew. */
export function readHistory(path: string): Map<string, Entry> {
  const out = new Map<string, Entry>();
  let value: unknown;
  try {
    if (statSync(path).size > FILE_LIMIT) return out;
    value = JSON.parse(readFileSync(path, "utf8"));
  } catch {
    // Not there, not readable, no JSON: there is no last run.
    return out;
  }
  if (!isObject(value) || value["schema"] !== SCHEMA || !isObject(value["entries"])) return out;
  for (const [key, entry] of Object.entries(value["entries"])) {
    if (!isObject(entry)) continue;
    const { when, p50_ms: p50, min_ms: min, runs } = entry;
    if (typeof when === "string" && typeof p50 === "number" && typeof min === "number" && typeof runs === "number") {
      out.set(key, { when, p50_ms: p50, min_ms: min, runs });
    }
  }
  return out;
}

/** Written beside and moved over, so that nobody reads half of it. The reason in a sentence where it could not be kept. */
export function writeHistory(path: string, history: History): string | undefined {
  const newest = [...history].sort(([, a], [, b]) => (a.when < b.when ? 1 : -1)).slice(0, ENTRIES_LIMIT);
  const entries = Object.fromEntries(newest.sort(([a], [b]) => (a < b ? -1 : 1)));
  const beside = `${path}.${process.pid}`;
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    writeFileSync(beside, `${JSON.stringify({ schema: SCHEMA, entries }, undefined, 2)}\n`, { mode: 0o600 });
    renameSync(beside, path);
    return undefined;
  } catch (error) {
    if (existsSync(beside)) rmSync(beside);
    return `not kept for the next time: ${error instanceof Error ? (error.message.split(",", 1)[0] ?? "") : String(error)}`;
  }
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
