/** Pictures of formats that have no decoder here, by sharp (libvips), where it is installed. https://sharp.pixelplumbing.com */

import { CannotError, FileError } from "../base/errors.ts";
import { installing, requireLate } from "../base/package.ts";
import { PIXEL_LIMIT, type Picture } from "./picture.ts";

/** The part of sharp that is used. */
type Sharp = (
  input: Uint8Array,
  options: { limitInputPixels: number; failOn: "truncated"; pages: 1 },
) => {
  metadata(): Promise<{ orientation?: number }>;
  autoOrient(): ReturnType<Sharp>;
  toColourspace(space: "srgb"): ReturnType<Sharp>;
  raw(options: { depth: "uchar" }): {
    toBuffer(options: { resolveWithObject: true }): Promise<{
      readonly data: Buffer;
      readonly info: { readonly width: number; readonly height: number; readonly channels: number };
    }>;
  };
};

/** Throws CannotError where sharp is not installed, FileError in libvips' words. */
export function decodeBySharp(format: string): (bytes: Uint8Array, path: string) => Promise<Picture> {
  return async (bytes, path) => {
    const sharp = load(path, format);
    try {
      const read = (): ReturnType<Sharp> =>
        sharp(bytes, { limitInputPixels: PIXEL_LIMIT, failOn: "truncated", pages: 1 });
      const { orientation = 1 } = await read().metadata();
      const { data, info } = await read()
        .autoOrient()
        .toColourspace("srgb")
        .raw({ depth: "uchar" })
        .toBuffer({ resolveWithObject: true });
      return {
        width: info.width,
        height: info.height,
        ...coloured(data, info.channels),
        done: orientation === 1 ? [] : [`turned as its EXIF orientation ${orientation} says`],
      };
    } catch (error) {
      const words = error instanceof Error ? error.message.split("\n", 1)[0] : String(error);
      throw new FileError(path, `${format} by sharp: ${words ?? ""}`, undefined, { cause: error });
    }
  };
}

function load(path: string, format: string): Sharp {
  try {
    return requireLate("sharp") as Sharp;
  } catch (cause) {
    throw new CannotError(`${path}: ${format} is decoded by sharp, which is not installed: ${installing("sharp")}`, {
      cause,
    });
  }
}

/** Grey, with or without alpha, as RGB. */
function coloured(data: Uint8Array, channels: number): Pick<Picture, "channels" | "data"> {
  if (channels === 3 || channels === 4) {
    return { channels, data: new Uint8Array(data.buffer, data.byteOffset, data.length) };
  }
  const wide = channels === 2 ? 4 : 3;
  const out = new Uint8Array((data.length / channels) * wide);
  for (let from = 0, to = 0; from < data.length; from += channels, to += wide) {
    out.fill(data[from] ?? 0, to, to + 3);
    if (wide === 4) out[to + 3] = data[from + 1] ?? 0;
  }
  return { channels: wide, data: out };
}
