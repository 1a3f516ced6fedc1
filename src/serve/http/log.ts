/**
 * Log of the server: one line an event to standard error, as JSON (field names of OpenTelemetry's: trace_id, span_id) or as text for
 * people. Lines of one turn of the event loop go out in one write.
 */

import { writeSync } from "node:fs";

export const levels = ["error", "warn", "info", "debug"] as const;
export type Level = (typeof levels)[number];
export type Fields = Readonly<Record<string, string | number | boolean | undefined>>;

export interface Log {
  /** Whether a line of this level is written at all: spares the making of its fields. */
  writes(level: Level): boolean;
  line(level: Level, message: string, fields?: Fields): void;
  /** Writes what waits. */
  flush(): void;
}

export interface LogOptions {
  readonly format?: "text" | "json";
  readonly level?: Level;
  /** Takes whole lines; standard error when absent. */
  readonly write?: (text: string) => void;
}

/** Bytes that wait for the end of the turn; beyond, they are written at once. */
const WAITING = 64 << 10;

export function openLog({ format = "text", level = "info", write = toStandardError }: LogOptions = {}): Log {
  const upTo = levels.indexOf(level);
  const render = format === "json" ? jsonLine : textLine;
  let waiting = "";
  const flush = (): void => {
    const text = waiting;
    waiting = "";
    if (text !== "") write(text);
  };
  return {
    writes: (of) => levels.indexOf(of) <= upTo,
    line(of, message, fields = {}) {
      if (levels.indexOf(of) > upTo) return;
      if (waiting === "") setImmediate(flush);
      waiting += render(of, message, fields);
      if (waiting.length > WAITING || of === "error") flush();
    },
    flush,
  };
}

/** A log that nobody reads. */
export const silent: Log = { writes: () => false, line: () => undefined, flush: () => undefined };

const jsonLine = (level: Level, message: string, fields: Fields): string =>
  `${JSON.stringify({ time: new Date().toISOString(), level, message, ...fields })}\n`;

function textLine(level: Level, message: string, fields: Fields): string {
  let text = `${new Date().toISOString()} ${level.padEnd(5)} ${oneLine(message)}`;
  for (const [name, value] of Object.entries(fields)) {
    if (value !== undefined) text += ` ${name}=${typeof value === "string" ? quoted(value) : String(value)}`;
  }
  return `${text}\n`;
}

const quoted = (value: string): string => (/^[\w./:@+-]+$/.test(value) ? value : JSON.stringify(value));

/** What a caller wrote may hold line ends and colours of a terminal. */
const oneLine = (text: string): string => text.replace(/[\u0000-\u001f\u007f-\u009f]+/g, " ");

function toStandardError(text: string): void {
  try {
    writeSync(2, text);
  } catch {
    // EAGAIN, EPIPE: nobody reads, and a server does not end for it.
  }
}
