/**
 * Recordings: a file of JSON lines. The first says what it is and of which machine; each later one is a sample, or again a first line
 * where recording went on in the same file. Each line is written by one write and ends in a line feed: a crash leaves at most half a
 * line, at the end.
 */

import { closeSync, constants, fstatSync, ftruncateSync, openSync, readSync, writeSync } from "node:fs";
import { CannotError, FileError } from "../base/errors.ts";
import { valueOf } from "../base/reading.ts";
import { readKernel } from "../facts/kernel.ts";
import type { Root } from "../root/root.ts";
import { checkSample } from "./check.ts";
import { SAMPLE_SCHEMA, type Sample } from "./sample.ts";
import { sleep } from "./stream.ts";

/** First line of a recording. */
export interface RecordingHead {
  readonly recording: 1;
  /** Of the samples that follow. */
  readonly schema: number;
  readonly begun: string;
  readonly machine: { readonly name: string; readonly kernel: string | null; readonly arch: string | null };
}

/** A sample of a large server with all its processes is some 100 KiB. */
const LINE_LIMIT = 16 * 1024 * 1024;
const CHUNK = 64 * 1024;
const NEWLINE = 0x0a;

export interface Recorder {
  write(sample: Sample): void;
  close(): void;
}

/** Begins a file, or goes on with one that is a recording; anything else that is there is left as it is. */
export function openRecorder(path: string, root: Root, begun: Date): Recorder {
  const fd = attempt(path, () => openSync(path, constants.O_RDWR | constants.O_CREAT | constants.O_NONBLOCK, 0o644));
  try {
    const stat = fstatSync(fd);
    if (!stat.isFile()) throw new CannotError(`${path}: not a file; a recording is read again`);
    if (stat.size > 0 && !isRecording(fd)) {
      throw new CannotError(`${path}: is there and is no recording; give a name that is free`);
    }
    let at = wholeLines(fd, stat.size);
    // What a crash left behind the last whole line is no sample.
    if (at < stat.size) ftruncateSync(fd, at);
    const put = (value: unknown): void => {
      const bytes = Buffer.from(`${JSON.stringify(value)}\n`);
      let done = 0;
      attempt(path, () => {
        while (done < bytes.length) done += writeSync(fd, bytes, done, bytes.length - done, at + done);
      });
      at += bytes.length;
    };
    const kernel = valueOf(readKernel(root));
    const head: RecordingHead = {
      recording: 1,
      schema: SAMPLE_SCHEMA,
      begun: begun.toISOString(),
      machine: {
        name: root.name,
        kernel: (kernel && valueOf(kernel.release)) ?? null,
        arch: (kernel && valueOf(kernel.arch)) ?? null,
      },
    };
    put(head);
    return {
      write: put,
      close: () => {
        closeSync(fd);
      },
    };
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

function attempt<T>(path: string, act: () => T): T {
  try {
    return act();
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : String(error);
    throw new CannotError(`${path}: cannot be written: ${code}`, { cause: error });
  }
}

function isRecording(fd: number): boolean {
  const buffer = Buffer.alloc(64);
  const got = readSync(fd, buffer, 0, buffer.length, 0);
  return buffer.subarray(0, got).toString("latin1").startsWith('{"recording":1,');
}

/** Where the last whole line ends. */
function wholeLines(fd: number, size: number): number {
  const buffer = Buffer.alloc(CHUNK);
  for (let end = size; end > 0; end -= CHUNK) {
    const start = Math.max(0, end - CHUNK);
    readSync(fd, buffer, 0, end - start, start);
    const at = buffer.subarray(0, end - start).lastIndexOf(NEWLINE);
    if (at >= 0) return start + at + 1;
  }
  return 0;
}

/**
 * Samples of a recording, or of what `watch --json` printed, in their order. Throws FileError that names the line, after the samples
 * before it were given. `lenient`: a last line that was cut off is passed over, where samples came before it.
 */
export function* readRecording(
  path: string,
  { lenient = false }: { readonly lenient?: boolean } = {},
): Generator<Sample, void, undefined> {
  let number = 0;
  for (const { text, whole } of linesOf(path)) {
    number++;
    const wrong = (what: string): FileError => new FileError(path, `line ${number}: ${what}`);
    if (text === undefined) throw wrong(`longer than ${LINE_LIMIT} bytes, which no sample is`);
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch (cause) {
      if (!whole && lenient && number > 1) return;
      if (!whole) throw wrong("cut off in the middle: the recording was not ended, or not copied whole");
      throw new FileError(
        path,
        `line ${number}: no JSON${number === 1 ? ": not a recording of accelctl watch" : ""}`,
        undefined,
        {
          cause,
        },
      );
    }
    const head = headOf(value);
    if (head !== undefined) {
      if (head.schema !== SAMPLE_SCHEMA) throw wrong(`schema ${head.schema}; this accelctl reads ${SAMPLE_SCHEMA}`);
      continue;
    }
    const checked = checkSample(value);
    if (typeof checked === "string") {
      throw wrong(number === 1 ? "not the first line of a recording of accelctl watch" : `not a sample: ${checked}`);
    }
    yield checked;
  }
  if (number === 0) throw new FileError(path, "empty: not a recording of accelctl watch");
}

function headOf(value: unknown): Pick<RecordingHead, "schema"> | undefined {
  if (typeof value !== "object" || value === null || !("recording" in value) || value.recording !== 1) return undefined;
  return "schema" in value && typeof value.schema === "number" ? { schema: value.schema } : undefined;
}

/** `text` is undefined for a line past the limit, which ends it; `whole`: it ended in a line feed. */
function* linesOf(path: string): Generator<{ readonly text: string | undefined; readonly whole: boolean }> {
  let fd: number;
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : String(error);
    throw new CannotError(code === "ENOENT" ? `${path}: no such file` : `${path}: ${code}`, { cause: error });
  }
  try {
    if (!fstatSync(fd).isFile()) throw new CannotError(`${path}: not a file`);
    const parts: Buffer[] = [];
    let length = 0;
    for (;;) {
      const buffer = Buffer.alloc(CHUNK);
      const got = readSync(fd, buffer, 0, CHUNK, null);
      if (got === 0) break;
      let start = 0;
      for (let end = buffer.indexOf(NEWLINE); end >= 0 && end < got; end = buffer.indexOf(NEWLINE, start)) {
        parts.push(buffer.subarray(start, end));
        yield { text: Buffer.concat(parts).toString("utf8"), whole: true };
        parts.length = 0;
        length = 0;
        start = end + 1;
      }
      parts.push(buffer.subarray(start, got));
      length += got - start;
      if (length > LINE_LIMIT) {
        yield { text: undefined, whole: false };
        return;
      }
    }
    if (length > 0) yield { text: Buffer.concat(parts).toString("utf8"), whole: false };
  } finally {
    closeSync(fd);
  }
}

export interface ReplayOptions {
  /** So many times as fast as it was recorded; Infinity: without waiting. 1 when not given. */
  readonly speed?: number;
  /** From each sample to the next, however it was recorded. */
  readonly interval_seconds?: number;
  /** The longest that a recorded gap is sat through. */
  readonly longest_seconds?: number;
  /** While true, nothing comes. */
  readonly paused?: () => boolean;
  /** As readRecording has it. */
  readonly lenient?: boolean;
  readonly signal?: AbortSignal;
}

/** A gap of a night in a recording is not sat through. */
const LONGEST_SECONDS = 60;
/** So much is made up for, as timers and readers are a little late; a reader that was stopped for longer goes on where it was. */
const LATE_MS = 1000;
/** How often a pause is looked at. */
const PAUSE_MS = 100;

/**
 * At the pace at which they were taken, or another. Gaps are those of the watch's own steady clock; where recording went on in the same
 * file, the time in between is not waited for.
 */
export async function* replay(path: string, options: ReplayOptions = {}): AsyncGenerator<Sample, void, undefined> {
  const { speed = 1, interval_seconds, longest_seconds = LONGEST_SECONDS, paused, lenient = false, signal } = options;
  const ended = (): boolean => signal?.aborted === true;
  let due: number | undefined;
  for (const sample of readRecording(path, { lenient })) {
    const gap = interval_seconds ?? Math.min(Math.max(0, sample.elapsed_seconds ?? 0) / speed, longest_seconds);
    const now = performance.now();
    due = due === undefined ? now : Math.max(due + gap * 1000, now - LATE_MS);
    if (due > now) await sleep(due - now, signal);
    while (paused?.() === true && !ended()) {
      await sleep(PAUSE_MS, signal);
      due = performance.now();
    }
    if (ended()) return;
    yield sample;
  }
}
