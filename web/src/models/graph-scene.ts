/**
 * A graph with its places, ready to be drawn and searched: boxes in rows, edges with their bounds, frames around blocks that were
 * opened. Only arithmetic; graph-draw.ts draws it.
 */

import type { GraphAnswer } from "./api.ts";

export interface Rect {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

export interface SceneBox extends Rect {
  readonly index: number;
  readonly x: number;
  readonly y: number;
}

export interface SceneEdge extends Rect {
  readonly points: readonly number[];
  readonly from: number;
  readonly to: number;
}

export interface Frame extends Rect {
  readonly block: string;
  readonly title: string;
  readonly depth: number;
}

export interface Scene {
  readonly answer: GraphAnswer;
  readonly width: number;
  readonly height: number;
  readonly boxes: readonly SceneBox[];
  readonly edges: readonly SceneEdge[];
  /** Outer before inner. */
  readonly frames: readonly Frame[];
}

/** Around the boxes of a block; outer ones stand further out at the sides. */
const [PAD, PAD_MORE, PAD_HIGH] = [12, 8, 9] as const;
/** A frame's title stands outside, at its right: the titles of frames that begin at one box are below each other. */
export const HEAD = { height: 17, room: 6, width: 260 } as const;

export function sceneOf(answer: GraphAnswer): Scene {
  const { width, height } = answer.box;
  const boxes = answer.boxes.map((_, index): SceneBox => {
    const [x, y] = [answer.at[2 * index] ?? 0, answer.at[2 * index + 1] ?? 0];
    return { index, x, y, left: x - width / 2, right: x + width / 2, top: y - height / 2, bottom: y + height / 2 };
  });
  const edges = answer.edges.map(({ from, to }, index): SceneEdge => {
    const points = answer.lines[index] ?? [];
    const [xs, ys] = [points.filter((_, i) => i % 2 === 0), points.filter((_, i) => i % 2 === 1)];
    return {
      points,
      from,
      to,
      left: Math.min(...xs),
      right: Math.max(...xs),
      top: Math.min(...ys),
      bottom: Math.max(...ys),
    };
  });
  return { answer, width: answer.width, height: answer.height, boxes, edges, frames: framesOf(answer, boxes) };
}

/** Blocks are stretches of operators, "from-to": one lies in another where its stretch does. */
function framesOf(answer: GraphAnswer, boxes: readonly SceneBox[]): Frame[] {
  const parse = (block: string): readonly [number, number] => {
    const [from = "0", to = "0"] = block.split("-");
    return [Number(from), Number(to)];
  };
  const opened = answer.opened.map(({ block, title }) => ({ block, title, stretch: parse(block) }));
  return opened
    .flatMap(({ block, title, stretch: [from, to] }) => {
      const inside = boxes.filter(({ index }) => {
        const { within } = answer.boxes[index] ?? {};
        if (within === undefined) return false;
        const [a, b] = parse(within);
        return from <= a && b <= to;
      });
      if (inside.length === 0) return [];
      const depth = opened.filter(
        ({ block: other, stretch: [a, b] }) => other !== block && a <= from && to <= b,
      ).length;
      const pad = PAD + PAD_MORE * (3 - Math.min(3, depth));
      return [
        {
          block,
          title,
          depth,
          left: Math.min(...inside.map(({ left }) => left)) - pad,
          right: Math.max(...inside.map(({ right }) => right)) + pad,
          top: Math.min(...inside.map(({ top }) => top)) - PAD_HIGH,
          bottom: Math.max(...inside.map(({ bottom }) => bottom)) + PAD_HIGH,
        },
      ];
    })
    .sort((a, b) => a.depth - b.depth);
}

export const meets = (a: Rect, b: Rect): boolean =>
  a.left <= b.right && a.right >= b.left && a.top <= b.bottom && a.bottom >= b.top;

const holds = (rect: Rect, x: number, y: number): boolean =>
  x >= rect.left && x <= rect.right && y >= rect.top && y <= rect.bottom;

export const boxAt = ({ boxes }: Scene, x: number, y: number): SceneBox | undefined =>
  boxes.findLast((box) => holds(box, x, y));

/** The innermost frame whose title is there. */
export const frameHeadAt = ({ frames }: Scene, x: number, y: number): Frame | undefined =>
  frames.findLast((frame) => holds(headOf(frame), x, y));

export function headOf({ right, top, depth }: Frame): Rect {
  const from = top + depth * HEAD.height;
  return { left: right + HEAD.room, right: right + HEAD.room + HEAD.width, top: from, bottom: from + HEAD.height };
}

/** The box that shows an operator, or the block that holds it by its stretch of operators. */
export const boxOfNode = ({ answer, boxes }: Scene, node: number): SceneBox | undefined =>
  boxes.find(({ index }) => answer.boxes[index]?.node === node);
