/** What was read from the outputs, drawn onto a copy of the picture: a tint for each class of pixels, boxes, bones, points, names. */

import { colourOf, disc, line, outline, plate, strokeOf, tint, type Canvas } from "../media/draw.ts";
import type { Interpretation, PoseReport, Read } from "./interpret.ts";
import type { TopEntry } from "./top.ts";

export type Picture = Canvas;

/** Points below this score are guesses of the network and would only confuse. */
const POINT_LEAST = 0.2;
const TINT = 0.55;
/** Names of classes of a map that are written, largest first. */
const LEGEND = 8;

/** `top` is written into the corner where there is nothing else to draw. */
export function annotate(picture: Canvas, read: Read | undefined, top: readonly TopEntry[] | undefined): Canvas {
  const canvas = { ...picture, data: picture.data.slice() };
  const stroke = strokeOf(canvas);
  if (read?.map !== undefined) tintMap(canvas, read.map, read.report.classes ?? []);
  for (const box of read?.report.boxes ?? []) {
    const colour = colourOf(box.class ?? 0);
    const corners = box.corners ?? [
      [box.left, box.top],
      [box.right, box.top],
      [box.right, box.bottom],
      [box.left, box.bottom],
    ];
    outline(canvas, corners, colour, stroke);
    for (const { x, y, score } of box.points ?? [])
      if ((score ?? 1) >= POINT_LEAST) disc(canvas, x, y, 1.5 * stroke, colour);
  }
  // Names last: no box lies over one.
  for (const { class: index, label, score, left, top: y } of read?.report.boxes ?? []) {
    const name = label ?? (index === undefined ? "" : `#${index}`);
    plate(canvas, left, y - 9 * stroke, `${name} ${Math.round(score * 100)}%`.trim(), colourOf(index ?? 0), stroke);
  }
  for (const pose of read?.report.poses ?? []) drawPose(canvas, pose, stroke);
  let down = 0;
  const legend = (index: number, text: string): void =>
    void (down += plate(canvas, 0, down, text, colourOf(index), stroke));
  for (const { index, label, ratio } of (read?.report.classes ?? []).slice(0, LEGEND)) {
    legend(index, `${label ?? `#${index}`} ${Math.round(ratio * 100)}%`);
  }
  if (read === undefined) for (const one of top ?? []) legend(one.index, topWords(one));
  return canvas;
}

const topWords = ({ index, label, value, share }: TopEntry): string =>
  `${(label ?? `#${index}`).slice(0, 40)} ${share === undefined ? String(Number(value.toPrecision(3))) : `${Math.round(share * 100)}%`}`;

function drawPose(canvas: Canvas, { points, bones }: PoseReport, stroke: number): void {
  const seen = (at: number): PoseReport["points"][number] | undefined => {
    const point = points[at];
    return point !== undefined && (point.score ?? 1) >= POINT_LEAST ? point : undefined;
  };
  for (const [from, to] of bones) {
    const [a, b] = [seen(from), seen(to)];
    if (a !== undefined && b !== undefined) line(canvas, a.x, a.y, b.x, b.y, [255, 255, 255], stroke);
  }
  points.forEach((point, at) => {
    if (seen(at) !== undefined) disc(canvas, point.x, point.y, (points.length > 100 ? 1 : 2) * stroke, colourOf(at));
  });
}

/** The most frequent class of a picture is mostly its background, and stays as it is where it is class 0. */
function tintMap(canvas: Canvas, map: NonNullable<Read["map"]>, classes: NonNullable<Interpretation["classes"]>): void {
  const plain = classes[0]?.index === 0 ? 0 : -1;
  for (let y = 0; y < canvas.height; y++) {
    const row = Math.min(map.height - 1, Math.floor(((y + 0.5) * map.height) / canvas.height));
    for (let x = 0; x < canvas.width; x++) {
      const column = Math.min(map.width - 1, Math.floor(((x + 0.5) * map.width) / canvas.width));
      const index = map.classes[row * map.width + column] ?? 0;
      if (index !== plain) tint(canvas, x, y, colourOf(index), TINT);
    }
  }
}
