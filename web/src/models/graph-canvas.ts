/**
 * Draws a scene into a canvas, only what is in sight, and moves it: drag, wheel, two fingers, keys. What is far away loses its words,
 * then its edges' bends. Colours are the page's own, asked for again when they change.
 */

import { colourOf } from "../parts/theme.ts";
import { boxAt, headOf, frameHeadAt, meets, type Frame, type Rect, type Scene, type SceneBox } from "./graph-scene.ts";

export interface CanvasEvents {
  readonly onBox: (index: number) => void;
  readonly onFrame: (block: string) => void;
  /** The keys went to a box. */
  readonly onStep: (index: number) => void;
  /** How large it is drawn: 1 is as it is meant to be read. */
  readonly onScale: (scale: number) => void;
}

export interface GraphCanvas {
  show(scene: Scene, keep?: Anchor): void;
  select(index: number | undefined): void;
  /** Brings a box to the middle. */
  reach(index: number): void;
  zoom(factor: number): void;
  fit(): void;
  home(): void;
  /** Where a box is on the screen now, to keep what follows it there. */
  anchorOf(index: number): Anchor | undefined;
  redraw(): void;
  readColours(): void;
  close(): void;
}

export interface Anchor {
  /** Operator or block that starts there. */
  readonly start: number;
  readonly x: number;
  readonly y: number;
}

const [SCALE_LEAST, SCALE_MOST] = [0.002, 3];
/** Below these scales words, and bends of edges, could not be seen. */
const [WORDS_FROM, BENDS_FROM] = [0.42, 0.14];
const STEP = 60;
const MAP = { width: 84, height: 160, margin: 10 } as const;
/** A press that moves less than this many pixels is a click. */
const CLICK = 5;

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
export const groupOf = (kind: string): string => kinds[kind] ?? "other";

export function graphCanvas(canvas: HTMLCanvasElement, events: CanvasEvents): GraphCanvas {
  const pen = canvas.getContext("2d");
  if (pen === null) throw new Error("this browser draws no canvas");
  let scene: Scene | undefined;
  let [scale, left, top] = [1, 0, 0];
  let [width, height, ratio] = [0, 0, 1];
  let selected: number | undefined;
  let hovered: number | undefined;
  let colours = new Map<string, string>();
  let frame = 0;
  const leaving = new AbortController();
  const { signal } = leaving;

  const redraw = (): void => {
    frame ||= requestAnimationFrame(() => {
      frame = 0;
      draw();
    });
  };
  const readColours = (): void => {
    const names = [
      "--fg",
      "--soft",
      "--line",
      "--bg",
      "--card",
      "--accent",
      ...colourGroups.map((group) => `--op-${group}`),
      "--op-line",
    ];
    colours = new Map(names.map((name) => [name, colourOf(name)]));
    redraw();
  };
  const colour = (name: string): string => colours.get(name) ?? "#888";

  function resize(): void {
    const box = canvas.getBoundingClientRect();
    [width, height, ratio] = [box.width, box.height, window.devicePixelRatio || 1];
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
    redraw();
  }

  function draw(): void {
    if (pen === null) return;
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, width, height);
    if (scene === undefined) return;
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
  }

  function drawLost(): void {
    if (pen === null) return;
    pen.fillStyle = colour("--soft");
    pen.font = "14px system-ui, sans-serif";
    pen.fillText("No box is in sight: 0 shows all, Home goes to the start", width / 2, height / 2);
  }

  function drawFrame(one: Frame): void {
    const { left: x, top: y, right, bottom, title } = one;
    if (pen === null) return;
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
    if (pen === null || scene === undefined) return;
    const half = scene.answer.box.height / 2;
    const path = (near: boolean): void => {
      pen.beginPath();
      for (const edge of scene?.edges ?? []) {
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
    if (pen === null) return;
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
    const box = scene?.answer.boxes[index];
    if (pen === null || box === undefined) return;
    const port = box.operators === 0;
    pen.fillStyle = colour(`--op-${groupOf(box.kind)}`);
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
    if (pen === null || pen.measureText(text).width <= room) return text;
    let [least, most] = [0, text.length];
    while (least < most) {
      const middle = (least + most + 1) >> 1;
      if (pen.measureText(`${text.slice(0, middle)}…`).width <= room) least = middle;
      else most = middle - 1;
    }
    return `${text.slice(0, least)}…`;
  }

  /** Where one is, at the edge, once the graph is larger than what is seen of it. */
  function mapPlace():
    | {
        readonly x: number;
        readonly y: number;
        readonly scale: number;
        readonly width: number;
        readonly height: number;
      }
    | undefined {
    if (scene === undefined || width < 300) return undefined;
    if (scene.height * scale < 1.5 * height && scene.width * scale < 1.5 * width) return undefined;
    const size = Math.min(MAP.width / scene.width, (height - 2 * MAP.margin) / scene.height, 1);
    const own = { width: Math.max(18, scene.width * size), height: scene.height * size };
    return { x: width - own.width - MAP.margin, y: MAP.margin, scale: size, ...own };
  }

  function drawMap(sight: Rect): void {
    const place = mapPlace();
    if (pen === null || place === undefined || scene === undefined) return;
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

  /** Never lose sight of it: at least a part of the graph stays. */
  function settle(): void {
    if (scene === undefined) return;
    const [wide, high] = [width / scale, height / scale];
    const within = (value: number, size: number, view: number): number =>
      size <= view ? (size - view) / 2 : Math.max(-view / 3, Math.min(size - (2 * view) / 3, value));
    left = within(left, scene.width, wide);
    top = scene.height <= high ? Math.min(0, Math.max(scene.height - high, top)) : within(top, scene.height, high);
    redraw();
  }

  function zoomAt(factor: number, x: number, y: number): void {
    const next = Math.max(SCALE_LEAST, Math.min(SCALE_MOST, scale * factor));
    left += x / scale - x / next;
    top += y / scale - y / next;
    scale = next;
    events.onScale(scale);
    settle();
  }

  function move(x: number, y: number): void {
    left += x / scale;
    top += y / scale;
    settle();
  }

  function home(): void {
    if (scene === undefined || width === 0) return;
    scale = Math.max(0.5, Math.min(1, width / scene.width));
    left = (scene.width - width / scale) / 2;
    top = 0;
    // A long chain is read from its top, wherever that is.
    const first = scene.boxes[0];
    if (first !== undefined && scene.width > width / scale) left = first.x - width / scale / 2;
    events.onScale(scale);
    settle();
  }

  function fit(): void {
    if (scene === undefined) return;
    scale = Math.max(SCALE_LEAST, Math.min(1, width / scene.width, height / scene.height));
    [left, top] = [0, 0];
    events.onScale(scale);
    settle();
  }

  function reach(index: number): void {
    const box = scene?.boxes[index];
    if (box === undefined) return;
    if (scale < WORDS_FROM) scale = 0.8;
    left = box.x - width / scale / 2;
    top = box.y - height / scale / 2;
    events.onScale(scale);
    settle();
  }

  const place = (event: MouseEvent): readonly [number, number] => {
    const box = canvas.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };
  const inScene = (x: number, y: number): readonly [number, number] => [left + x / scale, top + y / scale];

  function moveByMap(x: number, y: number): boolean {
    const map = mapPlace();
    if (map === undefined || scene === undefined || x < map.x - 4 || y > map.y + map.height + 4) return false;
    const side = (map.width - scene.width * map.scale) / 2;
    left = (x - map.x - side) / map.scale - width / scale / 2;
    top = (y - map.y) / map.scale - height / scale / 2;
    settle();
    return true;
  }

  const fingers = new Map<number, readonly [number, number]>();
  let travelled = 0;
  let onMap = false;
  const spread = (): number => {
    const [a, b] = [...fingers.values()];
    return a === undefined || b === undefined ? 0 : Math.hypot(a[0] - b[0], a[1] - b[1]);
  };

  canvas.addEventListener(
    "pointerdown",
    (event) => {
      if (event.button !== 0) return;
      canvas.setPointerCapture(event.pointerId);
      fingers.set(event.pointerId, place(event));
      if (fingers.size === 1) {
        travelled = 0;
        onMap = moveByMap(...place(event));
      }
    },
    { signal },
  );
  canvas.addEventListener(
    "pointermove",
    (event) => {
      const now = place(event);
      const before = fingers.get(event.pointerId);
      if (before === undefined) {
        hover(now);
        return;
      }
      const was = spread();
      fingers.set(event.pointerId, now);
      travelled += Math.hypot(now[0] - before[0], now[1] - before[1]);
      if (onMap) void moveByMap(...now);
      else if (fingers.size >= 2) {
        const [a, b] = [...fingers.values()];
        if (a !== undefined && b !== undefined && was > 0) {
          move((before[0] - now[0]) / 2, (before[1] - now[1]) / 2);
          zoomAt(spread() / was, (a[0] + b[0]) / 2, (a[1] + b[1]) / 2);
        }
      } else if (travelled > CLICK) move(before[0] - now[0], before[1] - now[1]);
    },
    { signal },
  );
  const lift = (event: PointerEvent): void => {
    const held = fingers.delete(event.pointerId);
    if (!held || fingers.size > 0 || travelled > CLICK || onMap || event.type !== "pointerup" || scene === undefined)
      return;
    const [x, y] = inScene(...place(event));
    const box = boxAt(scene, x, y);
    if (box !== undefined) return events.onBox(box.index);
    const head = frameHeadAt(scene, x, y);
    if (head !== undefined) events.onFrame(head.block);
  };
  canvas.addEventListener("pointerup", lift, { signal });
  canvas.addEventListener("pointercancel", lift, { signal });
  function hover([x, y]: readonly [number, number]): void {
    if (scene === undefined) return;
    const [a, b] = inScene(x, y);
    const over = boxAt(scene, a, b)?.index;
    canvas.classList.toggle("over", over !== undefined || frameHeadAt(scene, a, b) !== undefined);
    if (over === hovered) return;
    hovered = over;
    redraw();
  }
  canvas.addEventListener(
    "wheel",
    (event) => {
      event.preventDefault();
      const lines = event.deltaMode === 1 ? 16 : 1;
      if (event.shiftKey) return move((event.deltaX || event.deltaY) * lines, 0);
      const [x, y] = place(event);
      zoomAt(Math.exp((-event.deltaY * lines) / (event.ctrlKey ? 100 : 400)), x, y);
    },
    { signal, passive: false },
  );
  const keys: Readonly<Record<string, () => void>> = {
    ArrowLeft: () => move(-STEP, 0),
    ArrowRight: () => move(STEP, 0),
    ArrowUp: () => move(0, -STEP),
    ArrowDown: () => move(0, STEP),
    PageUp: () => move(0, -0.8 * height),
    PageDown: () => move(0, 0.8 * height),
    Home: home,
    "+": () => zoomAt(1.25, width / 2, height / 2),
    "=": () => zoomAt(1.25, width / 2, height / 2),
    "-": () => zoomAt(0.8, width / 2, height / 2),
    "0": fit,
    n: () => step(1),
    p: () => step(-1),
    Enter: () => {
      if (selected !== undefined) events.onBox(selected);
    },
  };
  canvas.addEventListener(
    "keydown",
    (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      const act = keys[event.key];
      if (act === undefined) return;
      event.preventDefault();
      act();
    },
    { signal },
  );
  function step(by: number): void {
    if (scene === undefined || scene.boxes.length === 0) return;
    const count = scene.boxes.length;
    selected = selected === undefined ? 0 : (selected + by + count) % count;
    events.onStep(selected);
    reach(selected);
  }

  const watch = new ResizeObserver(() => {
    const first = width === 0;
    resize();
    if (first) home();
  });
  watch.observe(canvas);
  readColours();
  resize();

  return {
    show(next, keep) {
      const first = scene === undefined;
      scene = next;
      selected = undefined;
      hovered = undefined;
      const box = keep === undefined ? undefined : next.boxes.find(({ index }) => startOf(next, index) === keep.start);
      if (box === undefined || keep === undefined) {
        if (first || keep === undefined) home();
      } else {
        left = box.x - keep.x / scale;
        top = box.y - keep.y / scale;
        selected = box.index;
      }
      settle();
    },
    select(index) {
      selected = index;
      redraw();
    },
    reach,
    zoom: (factor) => zoomAt(factor, width / 2, height / 2),
    fit,
    home,
    anchorOf(index) {
      const box = scene?.boxes[index];
      if (box === undefined || scene === undefined) return undefined;
      return { start: startOf(scene, index), x: (box.x - left) * scale, y: (box.y - top) * scale };
    },
    redraw,
    readColours,
    close() {
      leaving.abort();
      watch.disconnect();
      cancelAnimationFrame(frame);
    },
  };
}

/** The first operator of a box; of inputs and outputs a number that no operator has. */
function startOf({ answer }: Scene, index: number): number {
  const box = answer.boxes[index];
  if (box?.start !== undefined) return box.start;
  return -1 - index;
}
