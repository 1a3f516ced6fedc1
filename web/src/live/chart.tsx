/** One metric of one device: its chart, and beside it in words what the crosshair stands on. */

import { useSignalEffect } from "@preact/signals";
import { useEffect, useRef, useState } from "preact/hooks";
import { announce, theme } from "../parts/index.ts";
import { follows, history, tick } from "./feed.ts";
import type { History, Series } from "./history.ts";
import { show, titleOf } from "./names.ts";
import { colourName, dashes, LINES, Plot, type Picture } from "./plot.ts";
import { clockOf, cursor, inSight, rowShown, rowsInSight, step } from "./window.ts";

export interface ChartProps {
  readonly name: string;
  /** "of processes", "of models". */
  readonly of?: string;
  readonly series: readonly Series[];
  /** All there is of it: memory_total_bytes. */
  readonly most?: number | undefined;
  /** Replaces the samples' history: serving figures have their own. */
  readonly from?: History;
}

export function Chart({ name, of, series, most, from = history.value }: ChartProps) {
  const at = useRef<HTMLDivElement>(null);
  const plot = useRef<Plot | undefined>(undefined);
  const [seen, setSeen] = useState(false);
  const seenNow = useRef(false);
  // What the effects below draw; set at each render.
  const now = useRef({ series, most, from });
  now.current = { series, most, from };

  useEffect(() => {
    const element = at.current;
    if (element === null) return;
    const watcher = new IntersectionObserver(([entry]) => setSeen(entry?.isIntersecting === true), {
      rootMargin: "200px",
    });
    watcher.observe(element);
    plot.current = new Plot(element, name);
    return () => {
      watcher.disconnect();
      plot.current?.close();
      plot.current = undefined;
    };
  }, [name]);

  const draw = (): void => {
    const { series: lines, most: whole, from: source } = now.current;
    plot.current?.draw(pictureOf(source, lines), whole, theme.peek());
  };
  useEffect(() => {
    if (!seen || at.current === null) return;
    const watcher = new ResizeObserver(draw);
    watcher.observe(at.current);
    return () => watcher.disconnect();
  }, [seen]);
  // Only what is on the screen is drawn.
  useSignalEffect(() => {
    follows(tick, inSight, theme);
    if (seenNow.current) draw();
  });
  useEffect(() => {
    seenNow.current = seen;
    if (seen) draw();
  }, [seen, series.length, from]);
  useSignalEffect(() => plot.current?.cross(cursor.value));

  const title = titleOf(name);
  const onKey = (event: KeyboardEvent): void => {
    const steps: Readonly<Record<string, number>> = { ArrowLeft: -1, ArrowRight: 1, PageUp: -10, PageDown: 10 };
    const by = steps[event.key];
    if (event.key === "Escape") cursor.value = undefined;
    else if (by !== undefined) step(by);
    else return;
    event.preventDefault();
    announce(wordsAt(from, name, series));
  };
  return (
    <figure class="chart">
      <figcaption>
        <h4>
          {title}
          {of !== undefined && <span class="soft"> {of}</span>}
        </h4>
        <code class="soft">{name}</code>
      </figcaption>
      <div
        class="plot"
        ref={at}
        role="img"
        tabIndex={0}
        aria-label={`Chart of ${title}${of === undefined ? "" : ` ${of}`}: ${summary(name, series)}. Arrow keys move along it.`}
        onKeyDown={onKey}
        onBlur={() => (cursor.value = undefined)}
      />
      <Legend name={name} series={series} from={from} />
    </figure>
  );
}

function Legend({
  name,
  series,
  from,
}: {
  readonly name: string;
  readonly series: readonly Series[];
  readonly from: History;
}) {
  follows(tick);
  const row = rowOf(from);
  const many = series.length > LINES;
  if (many) {
    const { mean, least, most, without } = spreadAt(series, row);
    return (
      <ul class="chart-legend">
        <li>
          <Swatch line={0} />
          <span class="part">mean of {series.length}</span>
          <span class="value">{mean === undefined ? "not read" : show(name, mean)}</span>
        </li>
        {least !== undefined && most !== undefined && (
          <li>
            <span class="line-swatch band" aria-hidden="true" />
            <span class="part">from to</span>
            <span class="value">
              {show(name, least)} – {show(name, most)}
            </span>
          </li>
        )}
        {without > 0 && <li class="why">{without} of them not read</li>}
      </ul>
    );
  }
  return (
    <ul class="chart-legend">
      {series.map((one, i) => {
        const value = one.values[row];
        return (
          <li key={one.key}>
            <Swatch line={i} />
            {one.part !== undefined && <span class="part">{one.part}</span>}
            {value === null || value === undefined ? (
              <span class="why">{from.reason(one, row) ?? "not read"}</span>
            ) : (
              <span class="value">{show(name, value)}</span>
            )}
          </li>
        );
      })}
    </ul>
  );
}

function Swatch({ line }: { readonly line: number }) {
  return (
    <svg class="line-swatch" width="22" height="8" aria-hidden="true">
      <line
        x1="0"
        y1="4"
        x2="22"
        y2="4"
        stroke={`var(${colourName(line)})`}
        stroke-width="2"
        stroke-dasharray={dashes[line % LINES]?.join(" ")}
      />
    </svg>
  );
}

/** Figures of models are sampled by this page: their rows are others than those of the samples. */
function rowOf(from: History): number {
  if (from === history.value) return rowShown();
  const { times } = from;
  const at = cursor.value ?? inSight.value.to;
  let row = times.length - 1;
  while (row > 0 && Math.abs((times[row - 1] ?? 0) - at) < Math.abs((times[row] ?? 0) - at)) row--;
  return row;
}

function spreadAt(
  series: readonly Series[],
  row: number,
): {
  readonly mean?: number;
  readonly least?: number;
  readonly most?: number;
  readonly without: number;
} {
  const values = series.flatMap(({ values: column }) => {
    const value = column[row];
    return value === null || value === undefined ? [] : [value];
  });
  const without = series.length - values.length;
  if (values.length === 0) return { without };
  let [sum, least, most] = [0, Infinity, -Infinity];
  for (const value of values) {
    sum += value;
    least = Math.min(least, value);
    most = Math.max(most, value);
  }
  return { mean: sum / values.length, least, most, without };
}

function pictureOf(from: History, series: readonly Series[]): Picture {
  const { start, stop } = from === history.value ? rowsInSight() : { start: 0, stop: from.times.length };
  const times = from.times.slice(start, stop);
  if (series.length <= LINES) {
    return { times, lines: series.map(({ values }) => ({ values: values.slice(start, stop) })), spread: false };
  }
  const rows = times.map((_, i) => spreadAt(series, start + i));
  return {
    times,
    lines: [
      { values: rows.map(({ mean }) => mean ?? null) },
      { values: rows.map(({ least }) => least ?? null) },
      { values: rows.map(({ most }) => most ?? null) },
    ],
    spread: true,
  };
}

/** "busy at 12:30:01: core 0 12 %, core 1 not read, asleep". */
function wordsAt(from: History, name: string, series: readonly Series[]): string {
  const row = rowOf(from);
  const at = from.times[row];
  const words = series.slice(0, LINES).map((one) => {
    const value = one.values[row];
    const said = value === null || value === undefined ? (from.reason(one, row) ?? "not read") : show(name, value);
    return one.part === undefined ? said : `${one.part} ${said}`;
  });
  return `${at === undefined ? "" : `${clockOf(at)}: `}${words.join(", ")}`;
}

function summary(name: string, series: readonly Series[]): string {
  const words = series.slice(0, LINES).map((one) => {
    const value = one.values.at(-1);
    const said = value === null || value === undefined ? "not read" : show(name, value);
    return one.part === undefined ? said : `${one.part} ${said}`;
  });
  const more = series.length > LINES ? ` and ${series.length - LINES} more` : "";
  return `${words.join(", ")}${more}`;
}
