/**
 * Layers for a drawing: each box below all that lead to it, the order within a layer by the middle of its neighbours (Sugiyama's
 * method, two sweeps). Long edges get a place in every layer they cross, so that they run beside the boxes.
 */

import type { BoxGraph } from "./graph-fold.ts";

export interface Placed {
  readonly x: number;
  readonly y: number;
}

export interface Layout {
  readonly width: number;
  readonly height: number;
  /** Middle of each box. */
  readonly boxes: readonly Placed[];
  /** Points of each edge, first to last. */
  readonly edges: readonly (readonly Placed[])[];
}

export const BOX = { width: 168, height: 40 } as const;
const GAP = { x: 24, y: 34 } as const;
/** Room of an edge that passes a layer. */
const LANE = 14;
const SWEEPS = 6;
/** Places for passing edges in all; beyond this they run straight. */
const LANE_LIMIT = 20_000;

interface Place {
  readonly layer: number;
  readonly width: number;
  readonly up: number[];
  readonly down: number[];
  x: number;
}

export function layOut({ boxes, edges }: BoxGraph): Layout {
  const layerOf = layers(boxes.length, edges);
  const places: Place[] = boxes.map((_, i) => ({ layer: layerOf[i] ?? 0, width: BOX.width, up: [], down: [], x: 0 }));
  const chains: number[][] = [];
  for (const { from, to } of edges) {
    const chain = [from];
    for (let layer = (layerOf[from] ?? 0) + 1; layer < (layerOf[to] ?? 0) && places.length < LANE_LIMIT; layer++) {
      chain.push(places.length);
      places.push({ layer, width: LANE, up: [], down: [], x: 0 });
    }
    chain.push(to);
    chains.push(chain);
    chain.forEach((place, i) => {
      const next = chain[i + 1];
      if (next === undefined) return;
      places[place]?.down.push(next);
      places[next]?.up.push(place);
    });
  }
  const rows: number[][] = [];
  places.forEach((place, i) => (rows[place.layer] ??= []).push(i));
  for (const row of rows) spread(row, places);
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    const down = sweep % 2 === 0;
    for (const row of down ? rows : rows.toReversed()) order(row, places, down);
  }
  const left = Math.min(...places.map((place) => place.x - place.width / 2));
  const right = Math.max(...places.map((place) => place.x + place.width / 2));
  const at = (index: number): Placed => {
    const place = places[index];
    return {
      x: (place?.x ?? 0) - left + GAP.x,
      y: GAP.y + BOX.height / 2 + (place?.layer ?? 0) * (BOX.height + GAP.y),
    };
  };
  return {
    width: right - left + 2 * GAP.x,
    height: rows.length * (BOX.height + GAP.y) + GAP.y,
    boxes: boxes.map((_, i) => at(i)),
    edges: chains.map((chain) => chain.map(at)),
  };
}

/** Longest way from a start. Edges go from lower to higher numbers; others (a file out of order) are left out of it. */
function layers(count: number, edges: BoxGraph["edges"]): readonly number[] {
  const layer = new Array<number>(count).fill(0);
  for (const { from, to } of edges.toSorted((a, b) => a.to - b.to)) {
    if (from < to) layer[to] = Math.max(layer[to] ?? 0, (layer[from] ?? 0) + 1);
  }
  return layer;
}

function spread(row: readonly number[], places: readonly Place[]): void {
  let x = 0;
  for (const index of row) {
    const place = places[index];
    if (place === undefined) continue;
    place.x = x + place.width / 2;
    x += place.width + GAP.x;
  }
  for (const index of row) {
    const place = places[index];
    if (place !== undefined) place.x -= x / 2;
  }
}

/** Sorts a row by the middle of its neighbours, and puts each place there where there is room. */
function order(row: number[], places: readonly Place[], down: boolean): void {
  const wish = new Map<number, number>();
  for (const index of row) {
    const place = places[index];
    const near = (down ? place?.up : place?.down) ?? [];
    const sum = near.reduce((total, other) => total + (places[other]?.x ?? 0), 0);
    wish.set(index, near.length === 0 ? (place?.x ?? 0) : sum / near.length);
  }
  row.sort((a, b) => (wish.get(a) ?? 0) - (wish.get(b) ?? 0) || a - b);
  let end = -Infinity;
  let shift = 0;
  for (const index of row) {
    const place = places[index];
    if (place === undefined) continue;
    const wanted = wish.get(index) ?? 0;
    place.x = Math.max(wanted, end + place.width / 2);
    shift += wanted - place.x;
    end = place.x + place.width / 2 + GAP.x;
  }
  // What was pushed to the right is moved back as a whole.
  const back = shift / Math.max(1, row.length);
  for (const index of row) {
    const place = places[index];
    if (place !== undefined) place.x += back;
  }
}
