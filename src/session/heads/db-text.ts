/**
 * DB text detectors (PP-OCR det): a probability for each pixel. Regions above a threshold become the smallest turned rectangles around
 * them, grown by what training has shrunk them.
 */

import { shapeWords, single, unit, type Box, type Head } from "./head.ts";

/** Thresholds of PP-OCR's own configuration: of a pixel, of a region's mean, and how much a region is grown. */
const PIXEL = 0.3;
const REGION = 0.6;
const GROW = 1.5;
/** Pixels on the shorter side; smaller regions are specks. */
const LEAST_SIDE = 3;
const REGION_LIMIT = 1_000;

const head: Head = {
  id: "db-text",
  name: "DB text detector",
  sources: [
    "https://arxiv.org/abs/1911.08947",
    "https://github.com/PaddlePaddle/PaddleOCR ppocr/postprocess/db_postprocess.py, configs/det",
  ],
  find({ tensors, input, model, limits, file }) {
    const [tensor, ...more] = tensors;
    if (tensor === undefined || more.length > 0 || input === undefined) return undefined;
    const [one, height, width] = single(tensor, 3) ?? [];
    if (one !== 1 || height !== input.height || width !== input.width || !unit(tensor.numbers())) return undefined;
    const graph = model.graphs[model.main ?? 0];
    const paddle = /paddle/i.test(`${model.producer?.name ?? ""} ${graph?.name ?? ""} ${model.description ?? ""}`);
    const named = /(?:^|[_.-])(?:det|dbnet|text)(?:[_.-]|$)|ocr/i.test(file);
    const least = limits.score ?? REGION;
    return {
      because:
        `${shapeWords(tensor)} is one value between 0 and 1 for each pixel of the input` +
        (paddle ? ", and the file says PaddlePaddle" : named ? ", and the file's name speaks of text detection" : ""),
      sure: paddle || named,
      assumed: [
        `regions of pixels above ${PIXEL} with a mean from ${least} on (--min-score), grown by ${GROW}, as PP-OCR has it`,
      ],
      read: () => ({ boxes: regionsOf(tensor.numbers(), width, height, least).slice(0, limits.boxes) }),
    };
  },
};
export default head;

type Spot = readonly [number, number];

/** From top to bottom, then from left to right. */
function regionsOf(map: ArrayLike<number>, width: number, height: number, least: number): Box[] {
  const seen = new Uint8Array(width * height);
  const boxes: Box[] = [];
  for (let start = 0; start < seen.length && boxes.length < REGION_LIMIT; start++) {
    if (seen[start] !== 0 || (map[start] ?? 0) <= PIXEL) continue;
    const turned = smallestAround(hullOf(edgesOf(map, seen, start, width, height)));
    if (turned === undefined || Math.min(turned.w, turned.h) < LEAST_SIDE) continue;
    const score = meanIn(map, width, height, turned);
    if (score < least) continue;
    const grow = (turned.w * turned.h * GROW) / (2 * (turned.w + turned.h));
    const corners = cornersOf({ ...turned, w: turned.w + 2 * grow, h: turned.h + 2 * grow }).map(([x, y]): Spot => [
      clamp(x / width),
      clamp(y / height),
    ]);
    const [xs, ys] = [corners.map(([x]) => x), corners.map(([, y]) => y)];
    boxes.push({
      left: Math.min(...xs),
      top: Math.min(...ys),
      right: Math.max(...xs),
      bottom: Math.max(...ys),
      score,
      corners,
    });
  }
  return boxes.sort((a, b) => a.top - b.top || a.left - b.left);
}

/** Corners of the first and last pixel of each row of the region around `start`, which is marked as seen. */
function edgesOf(map: ArrayLike<number>, seen: Uint8Array, start: number, width: number, height: number): Spot[] {
  const ends = new Map<number, [number, number]>();
  const stack = [start];
  seen[start] = 1;
  for (let at = stack.pop(); at !== undefined; at = stack.pop()) {
    const [x, y] = [at % width, Math.floor(at / width)];
    const row = ends.get(y);
    if (row === undefined) ends.set(y, [x, x]);
    else {
      row[0] = Math.min(row[0], x);
      row[1] = Math.max(row[1], x);
    }
    for (let ny = Math.max(0, y - 1); ny <= Math.min(height - 1, y + 1); ny++) {
      for (let nx = Math.max(0, x - 1); nx <= Math.min(width - 1, x + 1); nx++) {
        const next = ny * width + nx;
        if (seen[next] !== 0 || (map[next] ?? 0) <= PIXEL) continue;
        seen[next] = 1;
        stack.push(next);
      }
    }
  }
  return [...ends].flatMap(([y, [first, last]]): Spot[] => [
    [first, y],
    [first, y + 1],
    [last + 1, y],
    [last + 1, y + 1],
  ]);
}

/** Convex hull, Andrew's monotone chain. */
function hullOf(spots: Spot[]): Spot[] {
  const sorted = spots.sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  const half = (list: readonly Spot[]): Spot[] => {
    const out: Spot[] = [];
    for (const spot of list) {
      for (let [a, b] = out.slice(-2); a && b && cross(a, b, spot) <= 0; [a, b] = out.slice(-2)) out.pop();
      out.push(spot);
    }
    return out.slice(0, -1);
  };
  return [...half(sorted), ...half([...sorted].reverse())];
}

const cross = (a: Spot, b: Spot, c: Spot): number => (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]);

/** Centre, direction of the first side (a unit vector), lengths of the sides. */
interface Turned {
  readonly x: number;
  readonly y: number;
  readonly ux: number;
  readonly uy: number;
  readonly w: number;
  readonly h: number;
}

/** One side of the smallest rectangle lies along an edge of the hull. */
function smallestAround(hull: readonly Spot[]): Turned | undefined {
  let best: Turned | undefined;
  for (const [at, a] of hull.entries()) {
    const b = hull[(at + 1) % hull.length];
    if (b === undefined) continue;
    const length = Math.hypot(b[0] - a[0], b[1] - a[1]);
    if (length === 0) continue;
    const [ux, uy] = [(b[0] - a[0]) / length, (b[1] - a[1]) / length];
    let [u0, u1, v0, v1] = [Infinity, -Infinity, Infinity, -Infinity];
    for (const [x, y] of hull) {
      const [u, v] = [x * ux + y * uy, y * ux - x * uy];
      [u0, u1, v0, v1] = [Math.min(u0, u), Math.max(u1, u), Math.min(v0, v), Math.max(v1, v)];
    }
    const [w, h, u, v] = [u1 - u0, v1 - v0, (u0 + u1) / 2, (v0 + v1) / 2];
    if (best === undefined || w * h < best.w * best.h - 1e-9)
      best = { x: u * ux - v * uy, y: u * uy + v * ux, ux, uy, w, h };
  }
  return best;
}

/** From the top left, clockwise. */
function cornersOf({ x, y, ux, uy, w, h }: Turned): Spot[] {
  const spots = [
    [-1, -1],
    [1, -1],
    [1, 1],
    [-1, 1],
  ].map(([a = 0, b = 0]): Spot => [x + (a * w * ux - b * h * uy) / 2, y + (a * w * uy + b * h * ux) / 2]);
  const first = spots.reduce(
    (least, [sx, sy], at) => (sx + sy < (spots[least]?.[0] ?? 0) + (spots[least]?.[1] ?? 0) - 1e-9 ? at : least),
    0,
  );
  return [...spots.slice(first), ...spots.slice(0, first)];
}

/** Mean of the pixels whose centres lie inside. */
function meanIn(map: ArrayLike<number>, width: number, height: number, turned: Turned): number {
  const corners = cornersOf(turned);
  const [xs, ys] = [corners.map(([x]) => x), corners.map(([, y]) => y)];
  let [sum, count] = [0, 0];
  for (let y = Math.max(0, Math.floor(Math.min(...ys))); y < Math.min(height, Math.ceil(Math.max(...ys))); y++) {
    for (let x = Math.max(0, Math.floor(Math.min(...xs))); x < Math.min(width, Math.ceil(Math.max(...xs))); x++) {
      const [dx, dy] = [x + 0.5 - turned.x, y + 0.5 - turned.y];
      if (
        Math.abs(dx * turned.ux + dy * turned.uy) > turned.w / 2 ||
        Math.abs(dy * turned.ux - dx * turned.uy) > turned.h / 2
      )
        continue;
      sum += map[y * width + x] ?? 0;
      count++;
    }
  }
  return count === 0 ? 0 : sum / count;
}

const clamp = (share: number): number => Math.max(0, Math.min(1, share));
