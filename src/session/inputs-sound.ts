/** From sound to an input: which dimension is time, which rate, which numbers. What the caller does not say is said. */

import { FileError } from "../base/errors.ts";
import type { Port } from "../delegates/delegate.ts";
import type { Value } from "../delegates/value.ts";
import { resample } from "../media/resample.ts";
import type { Sound } from "../media/wav.ts";
import type { Dimension } from "../model/graph.ts";
import type { InputFacts } from "./facts.ts";
import { ELEMENT_LIMIT, fill, newElements } from "./inputs-made.ts";
import type { PreprocessOptions } from "./preprocess.ts";
import { isFloat, storer } from "./store.ts";

/** The dimension that is time: the only one that is not 1, or the last open one. */
export function timeDimension({ shape, type }: Pick<Port, "shape" | "type">): number | undefined {
  if (type === "string" || type === "bool" || shape.length === 0) return undefined;
  const long = shape.flatMap((size, at) => (typeof size === "number" && size > 1 ? [at] : []));
  if (long.length > 1) return undefined;
  if (long[0] !== undefined) return long[0];
  const open = shape.flatMap((size, at) => (typeof size === "number" ? [] : [at]));
  return open.at(-1);
}

/** Throws FileError for an input that is no row of samples. */
export function prepareSound(
  sound: Sound,
  path: string,
  port: Port,
  shape: readonly Dimension[],
  { expected, source }: InputFacts,
  options: PreprocessOptions,
): { readonly value: Value; readonly assumed: readonly string[] } {
  const time = timeDimension({ shape, type: port.type });
  const store = storer(port);
  const takes = isFloat(port.type) || port.type === "int16" || port.quantization !== undefined;
  if (time === undefined || store === undefined || !takes) {
    const own = `${port.type} [${shape.map((size) => String(size ?? "?")).join(", ")}]`;
    throw new FileError(path, `sound, and input "${port.name}" is ${own}, which is no row of samples`);
  }
  const assumed: string[] = [];
  const tell = (says: string): void => void assumed.push(`${port.name}: ${says}`);
  if (sound.channels > 1) tell(`the mean of the sound's ${sound.channels} channels`);
  const rate = options.rate ?? expected?.rate ?? sound.rate;
  if (options.rate === undefined && expected?.rate === undefined) {
    tell(`${rate} samples a second as the file has; nothing says what the model wants (--rate does)`);
  } else if (rate !== sound.rate) {
    const why = options.rate === undefined ? `, as ${source ?? "its metadata"} says` : "";
    tell(`resampled from ${sound.rate} to ${rate} samples a second${why}`);
  }
  const size = shape[time];
  const all = Math.min(ELEMENT_LIMIT, Math.ceil((sound.mono.length * rate) / sound.rate));
  const length = typeof size === "number" ? size : all;
  const samples = resample(sound.mono, sound.rate, rate, length);
  if (typeof size !== "number") tell(`${length} samples, the whole sound (--shape says otherwise)`);
  else if (all > length) tell(`the first ${length} of ${all} samples`);
  else if (all < length) tell(`${all} samples, then silence up to ${length}`);
  const full = shape.map((own, at) => (at === time ? length : typeof own === "number" ? own : 1));
  const data = newElements(port, full);
  const plain = port.type === "int16" && port.quantization === undefined;
  if (plain) tell("samples as 16-bit numbers, -32768 to 32767");
  fill(data, (at) => store((samples[at] ?? 0) * (plain ? 32768 : 1)));
  return { value: { type: port.type, shape: full, data }, assumed };
}
