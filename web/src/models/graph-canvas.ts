/**
 * A scene in a canvas, moved by drag, wheel, two fingers and keys; graph-draw.ts draws it. Colours are the page's own, asked for again
 * when they change.
 */

import { colourOf } from "../parts/theme.ts";
import { colourGroups, drawScene, fitStates, mapPlace, WORDS_FROM, type Look } from "./graph-draw.ts";
import { boxAt, frameHeadAt, type Scene } from "./graph-scene.ts";

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
const STEP = 60;
/** A press that moves less than this many pixels is a click. */
const CLICK = 5;

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

  const look = (): Look => ({ scale, left, top, width, height, ratio, selected, hovered, colour });
  const redraw = (): void => {
    frame ||= requestAnimationFrame(() => {
      frame = 0;
      if (scene !== undefined) drawScene(pen, scene, look());
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
      ...fitStates.map((state) => `--fit-${state}`),
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
    const map = scene === undefined ? undefined : mapPlace(scene, look());
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
