/** Width and height that a stranger's file claims, before anything is allocated for them. */

import { FileError } from "../base/errors.ts";
import { PIXEL_LIMIT } from "./picture.ts";

/** Throws FileError where a side is 0 or the pixels are beyond PIXEL_LIMIT. */
export function checkMeasures(path: string, width: number, height: number, offset: number): void {
  if (width < 1 || height < 1) throw new FileError(path, `a picture of ${width}x${height} pixels`, offset);
  if (width * height > PIXEL_LIMIT) {
    throw new FileError(path, `${width}x${height} pixels; at most ${PIXEL_LIMIT / 1e6} million are read`, offset);
  }
}
