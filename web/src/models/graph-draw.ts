/** The picture of a scene on a canvas, of what is in sight of it. What is far away loses its words, then its edges' bends. */

import { headOf, meets, type Frame, type Rect, type Scene, type SceneBox } from "./graph-scene.ts";

/** From where it is looked at, and what of it is marked. */
export interface Look {
  readonly scale: number;
  /** Corner of what is in sight, in the scene's measure. */
  readonly left: number;
  readonly top: number;
  /** Of the canvas, and how many of its own pixels each has. */
  readonly width: number;
  readonly height: number;
  readonly ratio: number;
  readonly selected: number | undefined;
  readonly hovered: number | undefined;
  readonly colour: (name: string) => string;
}

export interface MapPlace {
  readonly x: number;
  readonly y: number;
  readonly scale: number;
  readonly width: number;
  readonly height: number;
}

/** Below these scales words, and bends of edges, could not be seen. */
export const [WORDS_FROM, BENDS_FROM] = [0.42, 0.14];
const MAP = { width: 84, height: 160, margin: 10 } as const;

const kinds: Readonly<Record<string, string>> = {
  convolution: "compute",
  matrix: "compute",
  recurrent: "compute",
  attention: "compute",
  activation: "activation",
  normalise: "activation",
  pool: "reduce",
  reduce: "reduce",
  shape: "shape",
  quantise: "quantise",
  custom: "custom",
  block: "block",
  input: "port",
  output: "port",
};
export const colourGroups = [
  "compute",
  "activation",
  "reduce",
  "shape",
  "quantise",
  "custom",
  "block",
  "port",
  "other",
] as const;
/** What becomes of a box by the target that is asked; fit.css has the colours. */
export const fitStates = ["p0", "p1", "p2", "p3", "p4", "p5", "cpu", "no", "unsure", "melted", "mixed"] as const;
export const groupOf = (kind: string): string => kinds[kind] ?? "other";

export function drawScene(pen: CanvasRenderingContext2D, scene: Scene, look: Look): void {
  const { scale, left, top, width, height, ratio, selected, hovered, colour } = look;
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  pen.clearRect(0, 0, width, height);
  pen.save();
  pen.translate(-left * scale, -top * scale);
  pen.scale(scale, scale);
  const sight: Rect = { left, top, right: left + width / scale, bottom: top + height / scale };
  for (const one of scene.frames) if (meets({ ...one, right: headOf(one).right }, sight)) drawFrame(one);
  drawEdges(sight);
  pen.textAlign = "center";
  pen.textBaseline = "middle";
  let drawn = 0;
  for (const box of scene.boxes) {
    if (!meets(box, sight)) continue;
    drawBox(box);
    drawn++;
  }
  pen.restore();
  if (drawn === 0) drawLost();
  drawMap(sight);

  function drawLost(): void {
    pen.fillStyle = colour("--soft");
    pen.font = "14px system-ui, sans-serif";
    pen.fillText("No box is in sight: 0 shows all, Home goes to the start", width / 2, height / 2);
  }

  function drawFrame(one: Frame): void {
    const { left: x, top: y, right, bottom, title } = one;
    pen.fillStyle = colour("--card");
    pen.strokeStyle = colour("--op-line");
    pen.lineWidth = 1 / Math.max(scale, 0.4);
    pen.setLineDash([5, 4]);
    pen.beginPath();
    pen.roundRect(x, y, right - x, bottom - y, 8);
    pen.globalAlpha = 0.55;
    pen.fill();
    pen.globalAlpha = 1;
    pen.stroke();
    pen.setLineDash([]);
    if (scale < WORDS_FROM) return;
    pen.fillStyle = colour("--soft");
    pen.font = "600 11px system-ui, sans-serif";
    pen.textAlign = "left";
    pen.textBaseline = "middle";
    const head = headOf(one);
    pen.fillText(fitted(`▾ ${title}`, head.right - head.left), head.left, (head.top + head.bottom) / 2);
  }

  function drawEdges(sight: Rect): void {
    const half = scene.answer.box.height / 2;
    const path = (near: boolean): void => {
      pen.beginPath();
      for (const edge of scene.edges) {
        const own = edge.from === selected || edge.to === selected;
        if (own !== near || !meets(edge, sight)) continue;
        trace(edge.points, half);
      }
    };
    pen.strokeStyle = colour("--op-line");
    pen.lineWidth = Math.max(1.1, 0.7 / scale);
    path(false);
    pen.stroke();
    pen.strokeStyle = colour("--accent");
    pen.lineWidth = Math.max(2, 1.4 / scale);
    path(true);
    pen.stroke();
    if (scale < WORDS_FROM) return;
    pen.fillStyle = colour("--op-line");
    for (const { points, to } of scene.edges) {
      const [x, y] = [points.at(-2) ?? 0, (points.at(-1) ?? 0) - half];
      if (y < sight.top || y > sight.bottom || scene.boxes[to] === undefined) continue;
      pen.beginPath();
      pen.moveTo(x, y);
      pen.lineTo(x - 3.5, y - 6);
      pen.lineTo(x + 3.5, y - 6);
      pen.fill();
    }
  }

  /** Straight down out of a box and into the next, curved between. */
  function trace(points: readonly number[], half: number): void {
    const last = points.length - 2;
    for (let at = 0; at <= last; at += 2) {
      const x = points[at] ?? 0;
      const y = (points[at + 1] ?? 0) + (at === 0 ? half : at === last ? -half : 0);
      if (at === 0) {
        pen.moveTo(x, y);
        continue;
      }
      const before = points[at - 2] ?? 0;
      const from = (points[at - 1] ?? 0) + (at === 2 ? half : 0);
      const middle = (from + y) / 2;
      if (scale < BENDS_FROM || before === x) pen.lineTo(x, y);
      else pen.bezierCurveTo(before, middle, x, middle, x, y);
    }
  }

  function drawBox({ index, x, y, left: from, right, top: up, bottom }: SceneBox): void {
    const box = scene.answer.boxes[index];
    if (box === undefined) return;
    const port = box.operators === 0;
    const state = scene.answer.states?.[index];
    pen.fillStyle = colour(state === undefined || state === null ? `--op-${groupOf(box.kind)}` : `--fit-${state}`);
    pen.strokeStyle =
      index === selected ? colour("--accent") : index === hovered ? colour("--fg") : colour("--op-line");
    pen.lineWidth = index === selected ? Math.max(3, 2 / scale) : 1 / Math.max(scale, 0.4);
    if (scale < BENDS_FROM) {
      pen.fillRect(from, up, right - from, bottom - up);
      if (index === selected) pen.strokeRect(from, up, right - from, bottom - up);
      return;
    }
    const radius = port ? (bottom - up) / 2 : 6;
    if (box.block !== undefined) {
      // A second edge behind it: there is more inside.
      pen.beginPath();
      pen.roundRect(from + 4, up + 4, right - from, bottom - up, radius);
      pen.fill();
      pen.stroke();
    }
    pen.beginPath();
    pen.roundRect(from, up, right - from, bottom - up, radius);
    pen.fill();
    pen.stroke();
    if (scale < WORDS_FROM) return;
    const room = right - from - 14;
    pen.fillStyle = colour("--fg");
    pen.font = "600 12.5px system-ui, sans-serif";
    const second = box.path ?? box.detail;
    pen.fillText(fitted(box.title, room), x, second === "" ? y : y - 7);
    if (second === "") return;
    pen.fillStyle = colour("--soft");
    pen.font = "11px system-ui, sans-serif";
    pen.fillText(fitted(box.path === undefined ? second : `${box.operators} · ${box.path}`, room), x, y + 9);
  }

  function fitted(text: string, room: number): string {
    if (pen.measureText(text).width <= room) return text;
    let [least, most] = [0, text.length];
    while (least < most) {
      const middle = (least + most + 1) >> 1;
      if (pen.measureText(`${text.slice(0, middle)}…`).width <= room) least = middle;
      else most = middle - 1;
    }
    return `${text.slice(0, least)}…`;
  }

  function drawMap(sight: Rect): void {
    const place = mapPlace(scene, look);
    if (place === undefined) return;
    pen.save();
    pen.translate(place.x, place.y);
    pen.globalAlpha = 0.92;
    pen.fillStyle = colour("--bg");
    pen.strokeStyle = colour("--line");
    pen.lineWidth = 1;
    pen.fillRect(-4, -4, place.width + 8, place.height + 8);
    pen.strokeRect(-4, -4, place.width + 8, place.height + 8);
    pen.globalAlpha = 1;
    const side = (place.width - scene.width * place.scale) / 2;
    for (const box of scene.boxes) {
      const kind = scene.answer.boxes[box.index]?.kind ?? "";
      pen.fillStyle =
        box.index === selected ? colour("--accent") : groupOf(kind) === "port" ? colour("--fg") : colour("--op-line");
      pen.fillRect(
        side + box.left * place.scale,
        box.top * place.scale,
        Math.max(1, (box.right - box.left) * place.scale),
        Math.max(1, (box.bottom - box.top) * place.scale),
      );
    }
    pen.strokeStyle = colour("--accent");
    pen.lineWidth = 1.5;
    const y = Math.max(0, sight.top * place.scale);
    const bottom = Math.min(place.height, sight.bottom * place.scale);
    pen.strokeRect(-3, y, place.width + 6, Math.max(4, bottom - y));
    pen.restore();
  }
}

/** Where one is, at the edge, once the graph is larger than what is seen of it. */
export function mapPlace(scene: Scene, { scale, width, height }: Look): MapPlace | undefined {
  if (width < 300) return undefined;
  if (scene.height * scale < 1.5 * height && scene.width * scale < 1.5 * width) return undefined;
  const size = Math.min(MAP.width / scene.width, (height - 2 * MAP.margin) / scene.height, 1);
  const own = { width: Math.max(18, scene.width * size), height: scene.height * size };
  return { x: width - own.width - MAP.margin, y: MAP.margin, scale: size, ...own };
}
