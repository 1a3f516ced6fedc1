/** What heads for faces share: five points, one class. */

import type { Point } from "./head.ts";

const names = ["right eye", "left eye", "nose", "right mouth corner", "left mouth corner"];

/** Five points of ten numbers, x and y in turn. */
export const fivePoints = (of: (at: number) => readonly [number, number]): Point[] =>
  names.map((name, at) => {
    const [x, y] = of(at);
    return { name, x, y };
  });
