/** Outputs small enough to be sent and drawn: first values, the course of a long row, a picture, classes of pixels. */

import type { Port } from "../../delegates/delegate.ts";
import type { Value } from "../../delegates/value.ts";
import type { ClassMap } from "../../session/heads/head.ts";
import { plainOf, type ClassReport } from "../../session/interpret.ts";
import type { MapPreview, Preview } from "./models-types.ts";

const FIRST = 16;
/** Columns of a course: as many as a wide screen has pixels for it. */
const COLUMNS = 600;
/** A row this short is told by its values. */
const ROW_LEAST = 48;
/** Sides of what is drawn as a picture. */
const [SIDE_LEAST, SIDE_MOST] = [12, 320];

export function previewOf(output: string, value: Value, port: Port | undefined, format: string): Preview {
  const numbers = plainOf(output, value, port)?.numbers();
  if (numbers === undefined) return { output, elements: value.data.length, first: [] };
  const sizes = value.shape.filter((size) => size !== 1);
  const image = imageOf(value.shape, numbers, format);
  return {
    output,
    elements: numbers.length,
    first: Array.from({ length: Math.min(FIRST, numbers.length) }, (_, at) => numbers[at] ?? 0),
    ...(sizes.length === 1 && numbers.length >= ROW_LEAST ? { wave: courseOf(numbers) } : {}),
    ...(image === undefined ? {} : { image }),
  };
}

function courseOf(numbers: ArrayLike<number>): NonNullable<Preview["wave"]> {
  const columns = Math.min(COLUMNS, numbers.length);
  const [min, max]: [number[], number[]] = [[], []];
  for (let column = 0; column < columns; column++) {
    const from = Math.floor((column * numbers.length) / columns);
    const to = Math.floor(((column + 1) * numbers.length) / columns);
    let [least, most] = [Infinity, -Infinity];
    for (let at = from; at < to; at++) {
      const number = numbers[at] ?? 0;
      if (number < least) least = number;
      if (number > most) most = number;
    }
    // JSON has no infinity; a stretch of NaN alone has neither.
    min.push(Number.isFinite(least) ? least : 0);
    max.push(Number.isFinite(most) ? most : 0);
  }
  return { min, max };
}

/** [1, c, h, w] or [1, h, w, c] of 1 or 3 channels, or [1, h, w]; where both could be, channels are where the format has them. */
function imageOf(shape: readonly number[], numbers: ArrayLike<number>, format: string): Preview["image"] {
  const [batch, ...rest] = shape.length === 4 || (shape.length === 3 && shape[0] === 1) ? shape : [1, ...shape];
  if (batch !== 1 || numbers.length === 0) return undefined;
  const [a = 0, b = 0, c = 0] = rest;
  const last = format.includes("tflite") || format === "tfjs" || format === "keras";
  const layouts =
    rest.length === 2
      ? [{ channels: 1, height: a, width: b, first: true }]
      : rest.length === 3
        ? [
            { channels: a, height: b, width: c, first: true },
            { channels: c, height: a, width: b, first: false },
          ]
        : [];
  const fits = layouts.filter(
    ({ channels, height, width }) =>
      (channels === 1 || channels === 3) &&
      Math.min(height, width) >= SIDE_LEAST &&
      height < 20 * width &&
      width < 20 * height,
  );
  const layout = fits.find(({ first }) => first !== last) ?? fits[0];
  if (layout === undefined) return undefined;
  const { channels, height, width, first } = layout;
  const scale = Math.min(1, SIDE_MOST / Math.max(width, height));
  const [across, down] = [Math.max(1, Math.round(width * scale)), Math.max(1, Math.round(height * scale))];
  const [from, to] = rangeOf(numbers);
  const bytes = new Uint8Array(across * down * channels);
  for (let y = 0; y < down; y++) {
    const row = Math.min(height - 1, Math.floor(((y + 0.5) * height) / down));
    for (let x = 0; x < across; x++) {
      const column = Math.min(width - 1, Math.floor(((x + 0.5) * width) / across));
      for (let channel = 0; channel < channels; channel++) {
        const at = first ? (channel * height + row) * width + column : (row * width + column) * channels + channel;
        const share = to > from ? ((numbers[at] ?? 0) - from) / (to - from) : 0;
        bytes[(y * across + x) * channels + channel] = Number.isFinite(share) ? Math.round(share * 255) : 0;
      }
    }
  }
  const data = Buffer.from(bytes).toString("base64");
  return { width: across, height: down, channels: channels === 3 ? 3 : 1, data, from, to };
}

function rangeOf(numbers: ArrayLike<number>): readonly [number, number] {
  let [least, most] = [Infinity, -Infinity];
  for (let at = 0; at < numbers.length; at++) {
    const number = numbers[at] ?? 0;
    if (!Number.isFinite(number)) continue;
    if (number < least) least = number;
    if (number > most) most = number;
  }
  return most >= least ? [least, most] : [0, 0];
}

/** Classes beyond 255 are drawn as nothing; a report tells of 100 at most. */
export function mapPreview(map: ClassMap, classes: readonly ClassReport[]): MapPreview {
  const shown = classes.slice(0, 255).map(({ index }) => index);
  const places = new Map(shown.map((index, at) => [index, at]));
  const scale = Math.min(1, SIDE_MOST / Math.max(map.width, map.height));
  const [width, height] = [Math.max(1, Math.round(map.width * scale)), Math.max(1, Math.round(map.height * scale))];
  const bytes = new Uint8Array(width * height);
  for (let y = 0; y < height; y++) {
    const row = Math.min(map.height - 1, Math.floor(((y + 0.5) * map.height) / height));
    for (let x = 0; x < width; x++) {
      const column = Math.min(map.width - 1, Math.floor(((x + 0.5) * map.width) / width));
      bytes[y * width + x] = places.get(map.classes[row * map.width + column] ?? 0) ?? 255;
    }
  }
  return { width, height, data: Buffer.from(bytes).toString("base64"), classes: shown };
}
