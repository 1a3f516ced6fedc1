/** Pictures turned upright by an EXIF orientation, 1 to 8. CIPA DC-008, tag Orientation */

import type { Picture } from "./picture.ts";

type Pixels = Pick<Picture, "width" | "height" | "channels" | "data">;

/** Where the stored picture's first column and first row are shown. */
const shown: Readonly<Record<number, { readonly swap: boolean; readonly right: boolean; readonly bottom: boolean }>> = {
  1: { swap: false, right: false, bottom: false },
  2: { swap: false, right: true, bottom: false },
  3: { swap: false, right: true, bottom: true },
  4: { swap: false, right: false, bottom: true },
  5: { swap: true, right: false, bottom: false },
  6: { swap: true, right: true, bottom: false },
  7: { swap: true, right: true, bottom: true },
  8: { swap: true, right: false, bottom: true },
};

/** The picture as it is meant to be seen; itself for orientation 1 and for numbers that mean nothing. */
export function turned(pixels: Pixels, orientation: number): Pixels {
  const how = shown[orientation];
  if (how === undefined || orientation === 1) return pixels;
  const { width, height, channels, data } = pixels;
  const [columns, rows] = how.swap ? [height, width] : [width, height];
  const out = new Uint8Array(data.length);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const [column, row] = how.swap ? [y, x] : [x, y];
      const to =
        ((how.bottom ? rows - 1 - row : row) * columns + (how.right ? columns - 1 - column : column)) * channels;
      const from = (y * width + x) * channels;
      for (let c = 0; c < channels; c++) out[to + c] = data[from + c] ?? 0;
    }
  }
  return { width: columns, height: rows, channels, data: out };
}
