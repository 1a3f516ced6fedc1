/** Lines, boxes, discs, letters and tints on pictures. All of it is cut off at the picture's edge. */

import { dot, GLYPH, plainLetters } from "./font.ts";

/** As media/picture.ts decodes them. */
export interface Canvas {
  readonly width: number;
  readonly height: number;
  readonly channels: 3 | 4;
  /** height x width x channels, row by row from the top. */
  readonly data: Uint8Array;
}

export type Colour = readonly [red: number, green: number, blue: number];

/** Hues of equal steps around the circle by the golden angle, so that neighbours in a list differ most. */
export function colourOf(index: number): Colour {
  const hue = (index * 137.508) % 360;
  const channel = (shift: number): number => {
    const k = (shift + hue / 30) % 12;
    return Math.round(255 * (0.55 - 0.45 * Math.max(-1, Math.min(k - 3, 9 - k, 1))));
  };
  return [channel(0), channel(8), channel(4)];
}

/** Pixels of a line for a picture of this size, so that boxes can be seen on large ones. */
export const strokeOf = ({ width, height }: Pick<Canvas, "width" | "height">): number =>
  Math.max(1, Math.round(Math.min(width, height) / 320));

function fillArea(
  canvas: Canvas,
  left: number,
  top: number,
  width: number,
  height: number,
  colour: Colour,
  opacity = 1,
): void {
  const [x0, x1] = [Math.max(0, Math.round(left)), Math.min(canvas.width, Math.round(left + width))];
  const [y0, y1] = [Math.max(0, Math.round(top)), Math.min(canvas.height, Math.round(top + height))];
  for (let y = y0; y < y1; y++) {
    for (let x = x0; x < x1; x++) tint(canvas, x, y, colour, opacity);
  }
}

/** A polygon's sides. */
export function outline(
  canvas: Canvas,
  corners: readonly (readonly [number, number])[],
  colour: Colour,
  stroke: number,
): void {
  corners.forEach(([x, y], at) => {
    const [nextX, nextY] = corners[(at + 1) % corners.length] ?? [x, y];
    line(canvas, x, y, nextX, nextY, colour, stroke);
  });
}

export function line(
  canvas: Canvas,
  x0: number,
  y0: number,
  x1: number,
  y1: number,
  colour: Colour,
  stroke: number,
): void {
  // What lies far outside is not walked to: coordinates are a network's.
  const far = 4 * (canvas.width + canvas.height);
  const [ax, ay, bx, by] = [x0, y0, x1, y1].map((value) => Math.max(-far, Math.min(far, value))) as [
    number,
    number,
    number,
    number,
  ];
  const steps = Math.max(1, Math.ceil(Math.max(Math.abs(bx - ax), Math.abs(by - ay))));
  for (let step = 0; step <= steps; step++) {
    const [x, y] = [ax + ((bx - ax) * step) / steps, ay + ((by - ay) * step) / steps];
    fillArea(canvas, Math.round(x - stroke / 2), Math.round(y - stroke / 2), stroke, stroke, colour);
  }
}

export function disc(canvas: Canvas, x: number, y: number, radius: number, colour: Colour): void {
  const reach = Math.ceil(radius);
  for (let dy = -reach; dy <= reach; dy++) {
    for (let dx = -reach; dx <= reach; dx++) {
      if (dx * dx + dy * dy <= radius * radius) tint(canvas, Math.round(x) + dx, Math.round(y) + dy, colour, 1);
    }
  }
}

/** Letters on a plate of the colour, whose top left corner is moved into the picture. `size`: pixels of a dot. Gives the plate's height. */
export function plate(canvas: Canvas, left: number, top: number, text: string, colour: Colour, size: number): number {
  const letters = Array.from(plainLetters(text));
  const width = (letters.length * (GLYPH.width + 1) + 1) * size;
  const height = (GLYPH.height + 2) * size;
  const x0 = Math.round(Math.max(0, Math.min(canvas.width - width, left)));
  const y0 = Math.round(Math.max(0, Math.min(canvas.height - height, top)));
  fillArea(canvas, x0, y0, width, height, colour);
  const ink: Colour = luminance(colour) > 140 ? [0, 0, 0] : [255, 255, 255];
  letters.forEach((letter, at) => {
    for (let y = 0; y < GLYPH.height; y++) {
      for (let x = 0; x < GLYPH.width; x++) {
        if (dot(letter, x, y)) {
          fillArea(canvas, x0 + (at * (GLYPH.width + 1) + x + 1) * size, y0 + (y + 1) * size, size, size, ink);
        }
      }
    }
  });
  return height;
}

/** Mixes a colour into one pixel; nothing outside of the picture. */
export function tint(
  { width, height, channels, data }: Canvas,
  x: number,
  y: number,
  colour: Colour,
  opacity: number,
): void {
  if (x < 0 || y < 0 || x >= width || y >= height) return;
  const at = (y * width + x) * channels;
  for (let channel = 0; channel < 3; channel++) {
    data[at + channel] = Math.round((data[at + channel] ?? 0) * (1 - opacity) + (colour[channel] ?? 0) * opacity);
  }
  if (channels === 4) data[at + 3] = 255;
}

const luminance = ([red, green, blue]: Colour): number => 0.299 * red + 0.587 * green + 0.114 * blue;
