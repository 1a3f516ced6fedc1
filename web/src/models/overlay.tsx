/** The picture that went in, with what was read drawn over it: classes of pixels, boxes, bones and points, as `--annotate` draws them. */

import { useEffect, useRef, useState } from "preact/hooks";
import type { Interpretation } from "../../../src/session/interpret.ts";
import { ErrorBox, plural } from "../parts/index.ts";
import type { MapPreview } from "./api.ts";
import { fromBase64 } from "./output.tsx";

export interface OverlayProps {
  readonly picture: Blob;
  /** As it was decoded there, upright. */
  readonly size: { readonly width: number; readonly height: number } | undefined;
  readonly read: Interpretation | undefined;
  readonly map: MapPreview | undefined;
}

/** Drawn at most so wide: a phone's picture has 50 million pixels. */
const SIDE = 1000;
/** Points below this score are guesses of the network. */
const POINT_LEAST = 0.2;
const TINT = 0.5;

export function Overlay({ picture, size, read, map }: OverlayProps) {
  const at = useRef<HTMLCanvasElement>(null);
  const [failed, setFailed] = useState(false);
  const [shown, setShown] = useState(true);
  useEffect(() => {
    let gone = false;
    createImageBitmap(picture, { imageOrientation: "from-image" }).then(
      (bitmap) => {
        if (!gone && at.current !== null)
          draw(at.current, bitmap, size, shown ? read : undefined, shown ? map : undefined);
        bitmap.close();
      },
      () => setFailed(true),
    );
    return () => {
      gone = true;
    };
  }, [picture, read, map, shown]);
  if (failed) return <ErrorBox says="this browser cannot show the picture; what was read of it stands below" />;
  const found = [
    read?.boxes === undefined ? "" : plural(read.boxes.length, "box", "boxes"),
    read?.poses === undefined ? "" : plural(read.poses.length, "pose"),
    read?.classes === undefined ? "" : plural(read.classes.length, "class", "classes"),
  ].filter(Boolean);
  return (
    <figure class="overlay">
      <canvas
        ref={at}
        role="img"
        aria-label={`The picture that went in${found.length > 0 ? `, with ${found.join(", ")}` : ""}`}
      />
      {found.length > 0 && (
        <figcaption>
          <label class="check small">
            <input type="checkbox" checked={shown} onChange={(event) => setShown(event.currentTarget.checked)} />
            Draw {found.join(", ")}
          </label>
        </figcaption>
      )}
    </figure>
  );
}

/** The hues of src/media/draw.ts: neighbours in a list are far apart. */
const hue = (index: number): string => `hsl(${(index * 137.508) % 360} 90% 50%)`;

function draw(
  canvas: HTMLCanvasElement,
  bitmap: ImageBitmap,
  size: OverlayProps["size"],
  read: Interpretation | undefined,
  map: MapPreview | undefined,
): void {
  const scale = Math.min(1, SIDE / Math.max(bitmap.width, bitmap.height));
  canvas.width = Math.max(1, Math.round(bitmap.width * scale));
  canvas.height = Math.max(1, Math.round(bitmap.height * scale));
  const pen = canvas.getContext("2d");
  if (pen === null) return;
  pen.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  if (map !== undefined) tint(pen, map, canvas);
  if (read?.coordinates.of !== "picture") return;
  const across = canvas.width / (size?.width ?? bitmap.width);
  const down = canvas.height / (size?.height ?? bitmap.height);
  const line = Math.max(1.5, Math.min(canvas.width, canvas.height) / 200);
  pen.lineWidth = line;
  pen.lineJoin = "round";
  for (const box of read.boxes ?? []) {
    pen.strokeStyle = hue(box.class ?? 0);
    pen.beginPath();
    if (box.corners === undefined) {
      pen.rect(box.left * across, box.top * down, (box.right - box.left) * across, (box.bottom - box.top) * down);
    } else {
      box.corners.forEach(([x, y], index) => {
        if (index === 0) pen.moveTo(x * across, y * down);
        else pen.lineTo(x * across, y * down);
      });
      pen.closePath();
    }
    pen.stroke();
    points(pen, box.points ?? [], across, down, line, box.class ?? 0);
  }
  for (const { points: all, bones } of read.poses ?? []) {
    pen.strokeStyle = "#fff";
    for (const [from, to] of bones) {
      const [a, b] = [all[from], all[to]];
      if (a === undefined || b === undefined || (a.score ?? 1) < POINT_LEAST || (b.score ?? 1) < POINT_LEAST) continue;
      pen.beginPath();
      pen.moveTo(a.x * across, a.y * down);
      pen.lineTo(b.x * across, b.y * down);
      pen.stroke();
    }
    points(pen, all, across, down, line, undefined);
  }
  // Names last: no box lies over one.
  pen.font = `600 ${Math.max(11, Math.round(line * 6))}px system-ui, sans-serif`;
  pen.textBaseline = "bottom";
  for (const { class: index, label, score, left, top } of read.boxes ?? []) {
    const text = `${label ?? (index === undefined ? "" : `#${index}`)} ${Math.round(score * 100)}%`.trim();
    const wide = pen.measureText(text).width + 6;
    const high = Math.max(11, line * 6) + 5;
    const y = Math.max(high, top * down);
    pen.fillStyle = "#000c";
    pen.fillRect(left * across, y - high, wide, high);
    pen.fillStyle = "#fff";
    pen.fillText(text, left * across + 3, y - 2);
  }
}

function points(
  pen: CanvasRenderingContext2D,
  all: readonly { readonly x: number; readonly y: number; readonly score?: number }[],
  across: number,
  down: number,
  line: number,
  colour: number | undefined,
): void {
  const radius = all.length > 100 ? line * 0.7 : line * 1.4;
  all.forEach(({ x, y, score = 1 }, index) => {
    if (score < POINT_LEAST) return;
    pen.fillStyle = hue(colour ?? index);
    pen.beginPath();
    pen.arc(x * across, y * down, radius, 0, 7);
    pen.fill();
  });
}

/** The most frequent class is mostly the background, and stays as it is where it is class 0. */
function tint(pen: CanvasRenderingContext2D, map: MapPreview, { width, height }: HTMLCanvasElement): void {
  const bytes = fromBase64(map.data);
  const layer = document.createElement("canvas");
  [layer.width, layer.height] = [map.width, map.height];
  const own = layer.getContext("2d");
  if (own === null) return;
  const colours = map.classes.map((index) => rgb(own, hue(index)));
  const pixels = own.createImageData(map.width, map.height);
  const plain = map.classes[0] === 0 ? 0 : -1;
  bytes.forEach((place, pixel) => {
    const colour = colours[place];
    if (place === plain || colour === undefined) return;
    pixels.data.set([...colour, 255], 4 * pixel);
  });
  own.putImageData(pixels, 0, 0);
  pen.save();
  pen.globalAlpha = TINT;
  pen.imageSmoothingEnabled = false;
  pen.drawImage(layer, 0, 0, width, height);
  pen.restore();
}

function rgb(pen: CanvasRenderingContext2D, colour: string): readonly [number, number, number] {
  pen.fillStyle = colour;
  pen.fillRect(0, 0, 1, 1);
  const [r = 0, g = 0, b = 0] = pen.getImageData(0, 0, 1, 1).data;
  return [r, g, b];
}
