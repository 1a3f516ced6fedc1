/** One chart on a canvas, by uPlot: lines that break where nothing was read, hatched where none of them was, one crosshair for all. */

import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { colourOf } from "../parts/index.ts";
import { show, unitOf } from "./names.ts";
import { clockOf, cursor, inSight, zoom } from "./window.ts";

export interface Line {
  readonly values: readonly (number | null)[];
}

export interface Picture {
  readonly times: readonly number[];
  /** Up to LINES of them, or three: mean, least and most of many. */
  readonly lines: readonly Line[];
  readonly spread: boolean;
}

/** More parts than this are drawn as their mean within the range they span: nobody tells ten lines apart. */
export const LINES = 6;
/** Lines differ by colour and by dash. */
export const dashes: readonly (readonly number[])[] = [[], [7, 3], [2, 2.5], [9, 3, 2, 3], [4, 4], [12, 4]];
export const colourName = (line: number): string => `--line-${(line % LINES) + 1}`;

const HEIGHT = 116;
const AXIS = 58;
/** Seconds between ticks of time. uPlot's own steps leave a picture of five minutes with one tick. */
const STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 21_600, 43_200, 86_400];
const FONT = "11px system-ui, sans-serif";

export class Plot {
  readonly #at: HTMLElement;
  readonly #name: string;
  #plot: uPlot | undefined;
  #drawn = "";
  #most: number | undefined;
  #hatch: CanvasPattern | null = null;
  #gaps: readonly (readonly [number, number])[] = [];

  constructor(at: HTMLElement, name: string) {
    this.#at = at;
    this.#name = name;
  }

  /** `most`: what the whole is, where that is known (all memory). */
  draw(picture: Picture, most: number | undefined, look: string): void {
    const width = this.#at.clientWidth;
    if (width === 0) return;
    this.#most = most;
    this.#gaps = gapsOf(picture);
    const data = [picture.times, ...picture.lines.map(({ values }) => values)] as unknown as uPlot.AlignedData;
    // Colours and number of lines are settled when a plot is made.
    const made = `${look} ${picture.lines.length} ${picture.spread}`;
    if (this.#plot === undefined || this.#drawn !== made) {
      this.#plot?.destroy();
      this.#drawn = made;
      this.#plot = new uPlot(this.#options(picture, width), data, this.#at);
    } else {
      if (this.#plot.width !== width) this.#plot.setSize({ width, height: HEIGHT });
      this.#plot.setData(data, true);
    }
    this.cross(cursor.peek());
  }

  cross(at: number | undefined): void {
    const plot = this.#plot;
    if (plot === undefined) return;
    const left = at === undefined ? -10 : plot.valToPos(at, "x");
    if (Math.abs((plot.cursor.left ?? -10) - left) > 0.5) plot.setCursor({ left, top: left < 0 ? -10 : 4 }, false);
  }

  close(): void {
    this.#plot?.destroy();
    this.#plot = undefined;
  }

  #options(picture: Picture, width: number): uPlot.Options {
    const unit = unitOf(this.#name);
    const soft = colourOf("--soft");
    const grid = { stroke: colourOf("--line-soft"), width: 1 };
    const ticks = { stroke: colourOf("--line-soft"), width: 1, size: 3 };
    const axis = { stroke: soft, font: FONT, grid, ticks, gap: 3 };
    const line = (i: number): uPlot.Series => ({
      stroke: colourOf(colourName(i)),
      width: 1.5,
      dash: [...(dashes[i % LINES] ?? [])],
      // A value between two gaps is a point, or it would not be seen.
      points: { show: lonely, size: 4, fill: colourOf(colourName(i)) },
    });
    const bound: uPlot.Series = { stroke: "transparent", points: { show: false } };
    return {
      width,
      height: HEIGHT,
      padding: [8, 26, 0, 0],
      legend: { show: false },
      cursor: {
        y: false,
        drag: { x: true, y: false, setScale: false },
        points: { size: 6 },
      },
      select: { show: true, left: 0, top: 0, width: 0, height: 0 },
      scales: {
        x: {
          time: true,
          range: () => {
            const { from, to } = inSight.peek();
            return [from, to];
          },
        },
        y: { range: (_, least, most) => this.#range(least, most) },
      },
      axes: [
        {
          ...axis,
          size: 22,
          space: 62,
          incrs: [...STEPS],
          values: (_plot, splits, _axis, _space, step) => splits.map((at) => clockOf(at, step < 60)),
        },
        {
          ...axis,
          size: AXIS,
          space: 28,
          ...(unit.base === 2 ? { incrs: powersOfTwo } : {}),
          values: (_, splits) => splits.map((value) => show(this.#name, value)),
        },
      ],
      series: picture.spread ? [{}, line(0), bound, bound] : [{}, ...picture.lines.map((_, i) => line(i))],
      ...(picture.spread ? { bands: [{ series: [3, 2], fill: colourOf("--band") }] } : {}),
      hooks: {
        drawAxes: [(plot) => this.#drawGaps(plot)],
        setCursor: [
          (plot) => {
            const { idx, left = -1 } = plot.cursor;
            cursor.value = left < 0 || idx === null || idx === undefined ? undefined : plot.data[0][idx];
          },
        ],
        setSelect: [
          (plot) => {
            const { left, width: wide } = plot.select;
            if (wide < 6) return; // a click
            zoom.value = { from: plot.posToVal(left, "x"), to: plot.posToVal(left + wide, "x") };
            plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
          },
        ],
      },
    };
  }

  #range(least: number | null, most: number | null): [number, number] {
    const unit = unitOf(this.#name);
    // uPlot gives null for both where there is no value at all.
    const [low, high] = [least ?? 0, Math.max(most ?? 0, this.#most ?? -Infinity)];
    const top = Math.max(unit.most ?? -Infinity, high);
    if (unit.least !== undefined) {
      // What is a share of a whole ends at the whole; anything else has some room above it.
      const roof = top <= 0 ? 1 : top === unit.most || top === this.#most ? top : top * 1.08;
      return [Math.min(unit.least, low), roof];
    }
    const room = Math.max((high - low) * 0.15, Math.abs(high) * 0.02, 1);
    return [low - room, high + room];
  }

  #drawGaps(plot: uPlot): void {
    if (this.#gaps.length === 0) return;
    const { ctx, bbox } = plot;
    this.#hatch ??= hatchOf(ctx);
    if (this.#hatch === null) return;
    ctx.save();
    ctx.beginPath();
    ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
    ctx.clip();
    ctx.fillStyle = this.#hatch;
    for (const [from, to] of this.#gaps) {
      const left = plot.valToPos(from, "x", true);
      ctx.fillRect(left, bbox.top, Math.max(2, plot.valToPos(to, "x", true) - left), bbox.height);
    }
    ctx.restore();
  }
}

const powersOfTwo = Array.from({ length: 60 }, (_, i) => 2 ** i);

function lonely(plot: uPlot, line: number, first: number, last: number): boolean {
  const values = plot.data[line];
  if (values === undefined) return false;
  for (let i = first; i <= last; i++) {
    if (values[i] != null && values[i - 1] == null && values[i + 1] == null) return true;
  }
  return false;
}

/** From the last value before a gap to the first after it, where no line has one. */
function gapsOf({ times, lines }: Picture): [number, number][] {
  const gaps: [number, number][] = [];
  let begun: number | undefined;
  for (const [row, at] of times.entries()) {
    const empty = lines.every(({ values }) => values[row] === null || values[row] === undefined);
    if (empty) begun ??= times[row - 1] ?? at;
    else if (begun !== undefined) {
      gaps.push([begun, at]);
      begun = undefined;
    }
  }
  if (begun !== undefined) gaps.push([begun, times.at(-1) ?? begun]);
  return gaps;
}

function hatchOf(ctx: CanvasRenderingContext2D): CanvasPattern | null {
  const tile = document.createElement("canvas");
  const size = Math.round(7 * devicePixelRatio);
  tile.width = tile.height = size;
  const brush = tile.getContext("2d");
  if (brush === null) return null;
  brush.strokeStyle = colourOf("--gap-lines");
  brush.lineWidth = devicePixelRatio;
  brush.beginPath();
  for (const shift of [-size, 0, size]) {
    brush.moveTo(shift, size);
    brush.lineTo(shift + size, 0);
  }
  brush.stroke();
  return ctx.createPattern(tile, "repeat");
}
