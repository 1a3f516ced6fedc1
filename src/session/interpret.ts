/**
 * Outputs as people read them: boxes, points, classes of pixels, by the head that the evidence names, in pixels of the picture that was
 * given. Without evidence nothing is read, and without a picture coordinates are those of the model's input.
 */

import { UsageError } from "../base/errors.ts";
import type { Port } from "../delegates/delegate.ts";
import { numbersOf, type Value } from "../delegates/value.ts";
import {
  shapeWords,
  type ClassMap,
  type Ends,
  type Findings,
  type Match,
  type Plain,
  type Point,
} from "./heads/head.ts";
import { heads } from "./heads/index.ts";
import type { Labels } from "./labels.ts";

/** A rectangle in pixels. */
export interface Area {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** How a picture came into the model's input: the part of it that is seen, and where in the input that lies. */
export interface Placed {
  readonly width: number;
  readonly height: number;
  readonly from: Area;
  readonly to: Area;
}

export interface About {
  readonly model: Ends["model"];
  /** Name of the model's file. */
  readonly file: string;
  readonly ports: readonly Port[];
  /** What went in: its shape tells the size of the input. */
  readonly inputs: ReadonlyMap<string, Value>;
  readonly labels?: Labels;
  /** auto, none, or the id of a head. */
  readonly head: string;
  readonly score?: number;
  /** Boxes at most; classes of a map at most. */
  readonly most: number;
  readonly placed?: Placed;
}

export interface Interpretation {
  readonly head: string;
  readonly name: string;
  /** The evidence: reads on from "because". */
  readonly because: string;
  readonly assumed: readonly string[];
  /** What coordinates are pixels of; shares of the input, 0 to 1, where its size is not known. */
  readonly coordinates: { readonly of: "picture" | "input"; readonly width: number; readonly height: number };
  readonly boxes?: readonly BoxReport[];
  readonly poses?: readonly PoseReport[];
  /** Classes that pixels were given, most frequent first. */
  readonly classes?: readonly ClassReport[];
}

export interface BoxReport {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
  readonly score: number;
  readonly class?: number;
  readonly label?: string;
  readonly points?: readonly Point[];
  readonly corners?: readonly (readonly [number, number])[];
}

export interface PoseReport {
  readonly points: readonly Point[];
  readonly bones: readonly (readonly [number, number])[];
}

export interface ClassReport {
  readonly index: number;
  readonly label?: string;
  readonly pixels: number;
  /** Share of the picture. */
  readonly ratio: number;
}

/** With the map itself, which is for drawing and no part of a report. */
export interface Read {
  readonly report: Interpretation;
  readonly map?: ClassMap;
}

export const headChoices: readonly string[] = ["auto", "none", ...heads.map(({ id }) => id)];

/** Undefined where no head fits the evidence. Throws UsageError where the head that was asked for does not fit. */
export function interpret(outputs: ReadonlyMap<string, Value>, about: About): Read | undefined {
  if (about.head === "none") return undefined;
  const ends = endsOf(outputs, about);
  for (const head of heads) {
    if (about.head !== "auto" && about.head !== head.id) continue;
    const match = head.find(ends);
    if (match === undefined || (about.head === "auto" && !match.sure)) continue;
    return reportOf(head, match, about, ends.input);
  }
  if (about.head === "auto") return undefined;
  const { tensors, input } = ends;
  throw new UsageError(
    `--head ${about.head}: the outputs are not laid out so: ${tensors.map(shapeWords).join(", ")}` +
      (input === undefined
        ? "; and no input looks like a picture"
        : ` for an input of ${input.width} x ${input.height}`),
  );
}

/** Heads whose shapes fit, without enough evidence to be read unasked. */
export function candidates(outputs: ReadonlyMap<string, Value>, about: About): readonly string[] {
  const ends = endsOf(outputs, about);
  return heads.filter((head) => head.find(ends) !== undefined).map(({ id }) => id);
}

function endsOf(outputs: ReadonlyMap<string, Value>, about: About): Ends {
  const { inputs, labels, model, file, score, most, ports } = about;
  const tensors = [...outputs].flatMap(([name, value]) => {
    const port = ports.find((one) => one.name === name);
    return plainOf(name, value, port) ?? [];
  });
  const input = inputSize(inputs);
  return {
    tensors,
    model,
    file,
    limits: { boxes: most, ...(score === undefined ? {} : { score }) },
    ...(input === undefined ? {} : { input }),
    ...(labels === undefined ? {} : { labels }),
  };
}

/** Numbers of an output with its quantisation undone; undefined for texts and types below a byte. */
export function plainOf(name: string, value: Value, port: Port | undefined): Plain | undefined {
  const { type, shape } = value;
  let made: ArrayLike<number> | undefined;
  if (
    numbersOf({ ...value, data: ArrayBuffer.isView(value.data) ? value.data.subarray(0, 0) : value.data }) === undefined
  )
    return undefined;
  return { name, type, shape, numbers: () => (made ??= realOf(value, port)) };
}

/** real = scale * (stored - zero), where the port says so. */
export function realOf(value: Value, port: Port | undefined): ArrayLike<number> {
  const stored = numbersOf(value) ?? [];
  const { scale = 1, zero = 0 } = port?.quantization ?? {};
  if (port?.quantization === undefined && (stored instanceof Float32Array || stored instanceof Float64Array))
    return stored;
  return Float32Array.from({ length: stored.length }, (_, at) => scale * (Number(stored[at]) - zero));
}

/** Of the first input that is laid out as a picture: [1, height, width, channels] or [1, channels, height, width]. */
function inputSize(
  inputs: ReadonlyMap<string, Value>,
): { readonly width: number; readonly height: number } | undefined {
  const channels = [1, 3, 4];
  for (const { shape } of inputs.values()) {
    const [, a = 0, b = 0, c = 0] = shape;
    if (shape.length !== 4) continue;
    if (channels.includes(c) && a > 4 && b > 4) return { height: a, width: b };
    if (channels.includes(a) && b > 4 && c > 4) return { height: b, width: c };
  }
  return undefined;
}

function reportOf(
  { id, name }: { readonly id: string; readonly name: string },
  match: Match,
  { labels, placed, most }: About,
  input: { readonly width: number; readonly height: number } | undefined,
): Read {
  const found = match.read();
  const target = targetOf(placed, input);
  const highestClass = (found.boxes ?? []).reduce((most, box) => Math.max(most, box.class ?? -1), -1);
  // Lists of detectors may be longer than what was found, and hold holes; a list that is too short names nothing rightly.
  const fits = labels !== undefined && highestClass < labels.length;
  const says =
    labels === undefined || fits ? [] : [`${labels.length} labels do not reach class ${highestClass} and are not used`];
  const map = found.map === undefined ? undefined : seenOf(found.map, placed, input);
  return {
    report: {
      head: id,
      name,
      because: match.because,
      assumed: [...match.assumed, ...says],
      coordinates: { of: placed === undefined ? "input" : "picture", width: target.width, height: target.height },
      ...(found.boxes === undefined
        ? {}
        : { boxes: found.boxes.map((box) => boxReport(box, target, fits ? labels : undefined)) }),
      ...(found.poses === undefined
        ? {}
        : {
            poses: found.poses.map(({ points, bones }) => ({
              points: points.map((point) => placedPoint(point, target)),
              bones,
            })),
          }),
      ...(map === undefined ? {} : { classes: classesOf(map, labels, most) }),
    },
    ...(map === undefined ? {} : { map }),
  };
}

/** Turns shares of the input into pixels of the picture or, without one, of the input. */
interface Target {
  readonly width: number;
  readonly height: number;
  readonly x: (share: number) => number;
  readonly y: (share: number) => number;
}

function targetOf(
  placed: Placed | undefined,
  input: { readonly width: number; readonly height: number } | undefined,
): Target {
  const { width, height } = input ?? { width: 1, height: 1 };
  const round =
    input === undefined ? (value: number): number => value : (value: number): number => Math.round(value * 100) / 100;
  if (placed === undefined)
    return { width, height, x: (share) => round(share * width), y: (share) => round(share * height) };
  const { from, to } = placed;
  return {
    width: placed.width,
    height: placed.height,
    x: (share) => round(from.x + ((share * width - to.x) * from.width) / to.width),
    y: (share) => round(from.y + ((share * height - to.y) * from.height) / to.height),
  };
}

const placedPoint = (point: Point, { x, y }: Target): Point => ({ ...point, x: x(point.x), y: y(point.y) });

function boxReport(box: NonNullable<Findings["boxes"]>[number], target: Target, labels: Labels | undefined): BoxReport {
  const label = box.class === undefined ? undefined : labels?.[box.class];
  const across = (value: number): number => Math.max(0, Math.min(target.width, target.x(value)));
  const down = (value: number): number => Math.max(0, Math.min(target.height, target.y(value)));
  return {
    left: across(box.left),
    top: down(box.top),
    right: across(box.right),
    bottom: down(box.bottom),
    score: box.score,
    ...(box.class === undefined ? {} : { class: box.class }),
    ...(label === undefined ? {} : { label }),
    ...(box.points === undefined ? {} : { points: box.points.map((point) => placedPoint(point, target)) }),
    ...(box.corners === undefined ? {} : { corners: box.corners.map(([x, y]) => [target.x(x), target.y(y)] as const) }),
  };
}

/** The part of a map that shows the picture, without a letterbox's border. */
function seenOf(
  map: ClassMap,
  placed: Placed | undefined,
  input: { readonly width: number; readonly height: number } | undefined,
): ClassMap {
  if (placed === undefined || input === undefined) return map;
  const { to } = placed;
  const [across, down] = [map.width / input.width, map.height / input.height];
  const [x0, y0] = [Math.round(to.x * across), Math.round(to.y * down)];
  const width = Math.max(1, Math.min(map.width - x0, Math.round(to.width * across)));
  const height = Math.max(1, Math.min(map.height - y0, Math.round(to.height * down)));
  if (width === map.width && height === map.height) return map;
  const classes = new Uint32Array(width * height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) classes[y * width + x] = map.classes[(y + y0) * map.width + x + x0] ?? 0;
  }
  return { width, height, classes };
}

function classesOf({ classes }: ClassMap, labels: Labels | undefined, most: number): ClassReport[] {
  const counts = new Map<number, number>();
  for (let at = 0; at < classes.length; at++) {
    const index = classes[at] ?? 0;
    counts.set(index, (counts.get(index) ?? 0) + 1);
  }
  const highest = [...counts.keys()].reduce((most, index) => Math.max(most, index), -1);
  const named = labels !== undefined && highest < labels.length ? labels : undefined;
  return [...counts]
    .sort((a, b) => b[1] - a[1] || a[0] - b[0])
    .slice(0, most)
    .map(([index, pixels]) => {
      const label = named?.[index];
      return { index, ...(label === undefined ? {} : { label }), pixels, ratio: pixels / classes.length };
    });
}
