/**
 * Which delegate runs a model: the one that takes its format, on the device that was asked for. A device that was asked for and
 * cannot be used is an error; the CPU runs in its place only where the caller allows it, and then the result says so.
 */

import { CannotError, UsageError } from "../base/errors.ts";
import type { Delegate, Session } from "../delegates/delegate.ts";
import { delegates } from "../delegates/index.ts";

export interface SessionOptions {
  /** Id of a model's format, as detected. */
  readonly format: string;
  /** cpu, or a family of the catalogue. */
  readonly device: string;
  readonly delegate?: string;
  readonly library?: string;
  readonly threads?: number;
  /** Let the CPU run what the device cannot. */
  readonly fallback: boolean;
}

export interface Opened {
  readonly session: Session;
  readonly delegate: Delegate;
  /** Why not the device that was asked for; only with `fallback`. */
  readonly instead?: string;
}

/** Throws UsageError (no such delegate), CannotError (nothing runs it there), FileError (the model). */
export async function openSession(model: string, options: SessionOptions): Promise<Opened> {
  const { format, device, fallback, library, threads } = options;
  const named = delegates.find(({ id }) => id === options.delegate);
  if (options.delegate !== undefined && named === undefined) {
    throw new UsageError(`no delegate "${options.delegate}"; there are ${delegates.map(({ id }) => id).join(", ")}`);
  }
  const able = (named === undefined ? delegates : [named]).filter(({ formats }) => formats.includes(format));
  if (able.length === 0) {
    const who = named === undefined ? "no delegate here runs" : `the delegate ${named.id} does not run`;
    const known = [...new Set(delegates.flatMap(({ formats }) => formats))].sort().join(", ");
    throw new CannotError(`${who} ${format}; formats that are run: ${known}`);
  }
  const on = able.find(({ devices }) => devices.includes(device));
  const given = { ...(library === undefined ? {} : { library }), ...(threads === undefined ? {} : { threads }) };
  if (on !== undefined) return { session: await on.open(model, { device, ...given }), delegate: on };
  const because = `no delegate here runs ${format} on ${device}`;
  const cpu = able.find(({ devices }) => devices.includes("cpu"));
  if (!fallback || cpu === undefined) {
    throw new CannotError(
      `${because}; ${cpu === undefined ? "nor on the CPU" : "--fallback cpu would run it on the CPU"}`,
    );
  }
  return { session: await cpu.open(model, { device: "cpu", ...given }), delegate: cpu, instead: because };
}
