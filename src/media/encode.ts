/** Pictures into files: PNG by fast-png, JPEG by jpeg-js. */

import type * as FastPng from "fast-png";
import type * as JpegJs from "jpeg-js";
import { CannotError, UsageError } from "../base/errors.ts";
import { requireLate } from "../base/package.ts";
import type { Canvas } from "./draw.ts";

const JPEG_QUALITY = 92;

type Encode = (canvas: Canvas) => Uint8Array;
const encoders: Readonly<Record<string, Encode>> = { png: encodePng, jpg: encodeJpeg, jpeg: encodeJpeg };

/** By the path's extension. Throws UsageError for one that is not written. */
export function encoderOf(path: string): Encode {
  const extension = /\.([^./]+)$/.exec(path)?.[1]?.toLowerCase() ?? "";
  const encode = Object.hasOwn(encoders, extension) ? encoders[extension] : undefined;
  if (encode === undefined) throw new UsageError(`pictures are written as .png or .jpg; not "${path}"`);
  return encode;
}

function encodePng({ width, height, channels, data }: Canvas): Uint8Array {
  const { encode } = requireLate("fast-png") as typeof FastPng;
  return encode({ width, height, channels, depth: 8, data });
}

function encodeJpeg({ width, height, channels, data }: Canvas): Uint8Array {
  const { encode } = requireLate("jpeg-js") as typeof JpegJs;
  if (width > 65_535 || height > 65_535)
    throw new CannotError(`a JPEG of ${width} x ${height} cannot be: 65,535 is the most`);
  const rgba = new Uint8Array(width * height * 4).fill(255);
  for (let from = 0, to = 0; to < rgba.length; from += channels, to += 4) {
    rgba[to] = data[from] ?? 0;
    rgba[to + 1] = data[from + 1] ?? 0;
    rgba[to + 2] = data[from + 2] ?? 0;
  }
  return encode({ width, height, data: rgba }, JPEG_QUALITY).data;
}
