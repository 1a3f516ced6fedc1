/**
 * Samples from a file of JSON Lines, as `watch` records them and `watch --json` prints them: one after the other, without holding the file in memory. What a
 * stranger's line holds is checked before anybody draws it.
 */

import { open, type FileHandle } from "node:fs/promises";
import { FileError } from "../base/errors.ts";
import { SAMPLE_SCHEMA, type DeviceSample, type Metric, type ProcessUse, type Sample } from "./sample.ts";

/** Of one sample: 64 devices with 200 metrics each take a megabyte. */
const LINE_LIMIT = 16 * 1024 * 1024;
const CHUNK = 256 * 1024;

/** Throws FileError for a file that cannot be read or a line that is no sample; a last line that was cut off is passed over. */
export async function* readSamples(path: string): AsyncGenerator<Sample, void, undefined> {
  let number = 0;
  for await (const { line, last } of linesOf(path)) {
    number++;
    const value = parsed(line);
    // The first line of a recording, or of one that went on in the same file: of which machine it is.
    if (isObject(value) && value["recording"] === 1) continue;
    const sample = sampleOf(value);
    if (sample !== undefined) yield sample;
    // The last line alone may be half a one: whoever wrote it was stopped.
    else if (!last || number === 1) throw new FileError(path, `line ${number} is no sample of accelctl watch --json`);
  }
  if (number === 0) throw new FileError(path, "no sample in it");
}

/** `last`: no line end came behind it. */
async function* linesOf(path: string): AsyncGenerator<{ readonly line: string; readonly last: boolean }> {
  let file: FileHandle | undefined;
  try {
    file = await open(path);
    const chunk = Buffer.alloc(CHUNK);
    let parts: Buffer[] = [];
    let length = 0;
    for (;;) {
      const { bytesRead } = await file.read(chunk, 0, CHUNK);
      if (bytesRead === 0) break;
      let from = 0;
      for (let at = chunk.indexOf(10); at >= 0 && at < bytesRead; at = chunk.indexOf(10, from)) {
        parts.push(Buffer.from(chunk.subarray(from, at)));
        yield { line: Buffer.concat(parts).toString(), last: false };
        [parts, length, from] = [[], 0, at + 1];
      }
      length += bytesRead - from;
      if (length > LINE_LIMIT) throw new FileError(path, `a line of more than ${LINE_LIMIT} bytes is no sample`);
      parts.push(Buffer.from(chunk.subarray(from, bytesRead)));
    }
    if (length > 0) yield { line: Buffer.concat(parts).toString(), last: true };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    throw new FileError(path, code === "ENOENT" ? "no such file" : `cannot be read (${code})`, undefined, {
      cause: error,
    });
  } finally {
    await file?.close();
  }
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line) as unknown;
  } catch {
    return undefined; // SyntaxError: told as no sample
  }
}

type Fields = Readonly<Record<string, unknown>>;
const isObject = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const isText = (value: unknown): value is string => typeof value === "string";
const isNumber = (value: unknown): value is number => typeof value === "number";
const isTextOrNothing = (value: unknown): boolean => value === undefined || isText(value);

/** The value itself, when it has the shape of a sample: fields of later versions are left in it. */
export function sampleOf(value: unknown): Sample | undefined {
  if (!isObject(value) || value["schema"] !== SAMPLE_SCHEMA || !Array.isArray(value["devices"])) return undefined;
  const { elapsed_seconds: elapsed } = value;
  const fits =
    isNumber(value["sequence"]) &&
    isText(value["at"]) &&
    isNumber(value["took_seconds"]) &&
    (elapsed === null || isNumber(elapsed)) &&
    value["devices"].every(isDevice);
  return fits ? (value as unknown as Sample) : undefined; // checked field by field above
}

const isDevice = (value: unknown): value is DeviceSample =>
  isObject(value) &&
  ["id", "name", "bus", "address"].every((field) => isText(value[field])) &&
  ["family", "driver", "processes_because"].every((field) => isTextOrNothing(value[field])) &&
  (value["power_state"] === null || isText(value["power_state"])) &&
  isMetrics(value["metrics"]) &&
  (value["processes"] === null || (Array.isArray(value["processes"]) && value["processes"].every(isUse)));

const isMetrics = (value: unknown): boolean => Array.isArray(value) && value.every(isMetric);

const isMetric = (value: unknown): value is Metric =>
  isObject(value) &&
  isText(value["name"]) &&
  isText(value["from"]) &&
  isTextOrNothing(value["part"]) &&
  (isNumber(value["value"]) || (value["value"] === null && isText(value["why"]) && isText(value["says"])));

const isUse = (value: unknown): value is ProcessUse =>
  isObject(value) &&
  isNumber(value["pid"]) &&
  isText(value["command"]) &&
  isTextOrNothing(value["user"]) &&
  isText(value["how"]) &&
  isMetrics(value["metrics"]);
