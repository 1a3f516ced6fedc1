/** Devices in the order of their medians, each with its bounds on one logarithmic scale. A row is a button that tells more. */

import { useEffect, useRef, useState } from "preact/hooks";
import type { FitRowAnswer } from "./api.ts";
import { fitMarks, milliseconds } from "./fit-words.ts";

export interface Plotted {
  readonly row: FitRowAnswer;
  readonly median: number;
  readonly low: number;
  readonly high: number;
}

export interface FitPlotProps {
  readonly rows: readonly Plotted[];
  readonly chosen: string | undefined;
  readonly onChoose: (device: string) => void;
}

const HEIGHT = 28;
const PAD = 8;

/** Powers of ten, with 2 and 5 between them where there are few. */
function ticksOf(from: number, to: number): readonly number[] {
  const steps = to - from <= 2 ? [1, 2, 5] : [1];
  return Array.from({ length: Math.ceil(to) - Math.floor(from) + 1 }, (_, i) => Math.floor(from) + i)
    .flatMap((power) => steps.map((step) => step * 10 ** power))
    .filter((ms) => Math.log10(ms) >= from - 1e-9 && Math.log10(ms) <= to + 1e-9);
}

export function FitPlot({ rows, chosen, onChoose }: FitPlotProps) {
  const frame = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(0);
  useEffect(() => {
    const at = frame.current;
    if (at === null) return;
    const look = new ResizeObserver(([entry]) => setWidth(Math.floor(entry?.contentRect.width ?? 0)));
    look.observe(at);
    return () => look.disconnect();
  }, []);
  const from = Math.floor(Math.log10(Math.min(...rows.map(({ low }) => low))) * 2) / 2;
  const to = Math.ceil(Math.log10(Math.max(...rows.map(({ high }) => high))) * 2) / 2;
  const x = (ms: number): number => PAD + ((Math.log10(ms) - from) / Math.max(0.5, to - from)) * (width - 2 * PAD);
  const decades = ticksOf(from, to);
  return (
    <div class="fit-plot">
      <div class="fit-axis" aria-hidden="true">
        <span class="fit-unit">milliseconds</span>
        <div ref={frame}>
          <svg width={width} height={20}>
            {decades.map((ms) => (
              <text key={ms} x={x(ms)} y={14} text-anchor="middle">
                {milliseconds(ms)}
              </text>
            ))}
          </svg>
        </div>
        <span />
      </div>
      <ol>
        {rows.map(({ row, median, low, high }) => {
          const mark = fitMarks[row.placements[0]?.fits ?? "unknown"];
          const words = `${row.name}: ${mark.word}; ${milliseconds(median)} ms, ${milliseconds(low)} to ${milliseconds(high)} ms${row.estimate.from === "class" ? ", not from measurements of it" : ""}`;
          return (
            <li key={row.device}>
              <button
                type="button"
                class="fit-row"
                aria-pressed={row.device === chosen}
                title={words}
                onClick={() => onChoose(row.device)}
              >
                <span class="fit-row-name">
                  <span class={`fit-symbol ${mark.tone}`} aria-hidden="true">
                    {mark.symbol}
                  </span>
                  <span class="unseen">{mark.word}: </span> {row.name}
                  {row.here && <b class="fit-here">here</b>}
                </span>
                <svg width={width} height={HEIGHT} aria-hidden="true">
                  {decades.map((ms) => (
                    <line key={ms} class="fit-grid" x1={x(ms)} x2={x(ms)} y1={0} y2={HEIGHT} />
                  ))}
                  {width > 0 && (
                    <>
                      <rect
                        class={`fit-bounds ${row.estimate.from === "class" ? "by-class" : row.estimate.kind}`}
                        x={x(low)}
                        y={HEIGHT / 2 - 4}
                        width={Math.max(2, x(high) - x(low))}
                        height={8}
                        rx={4}
                      />
                      <circle class="fit-median" cx={x(median)} cy={HEIGHT / 2} r={5} />
                    </>
                  )}
                </svg>
                <span class="fit-row-ms">
                  {row.estimate.from === "class" && "~"}
                  {milliseconds(median)}{" "}
                  <span class="soft">
                    ({milliseconds(low)} to {milliseconds(high)})
                  </span>
                </span>
              </button>
            </li>
          );
        })}
      </ol>
      <p class="soft small fit-key">
        <svg width="34" height="12" aria-hidden="true">
          <rect class="fit-bounds" x="1" y="2" width="32" height="8" rx="4" />
          <circle class="fit-median" cx="17" cy="6" r="5" />
        </svg>{" "}
        as its maker would publish it{" "}
        <svg width="34" height="12" aria-hidden="true">
          <rect class="fit-bounds independent" x="1" y="2" width="32" height="8" rx="4" />
          <circle class="fit-median" cx="17" cy="6" r="5" />
        </svg>{" "}
        as others would measure it{" "}
        <svg width="34" height="12" aria-hidden="true">
          <rect class="fit-bounds by-class" x="1" y="2" width="32" height="8" rx="4" />
          <circle class="fit-median" cx="17" cy="6" r="5" />
        </svg>{" "}
        ~ by its class and peak or its compiler's estimate, not by measurements. Where two bars overlap, the devices
        cannot be told apart.
      </p>
    </div>
  );
}
