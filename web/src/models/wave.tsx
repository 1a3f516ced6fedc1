/** The course of a long row: for each column the least and the most of its stretch, as sound editors draw it. */

import type { Preview } from "./api.ts";

export interface WaveProps {
  readonly wave: NonNullable<Preview["wave"]>;
  readonly elements: number;
  readonly name: string;
}

const HEIGHT = 96;

export function Wave({ wave, elements, name }: WaveProps) {
  const [least, most] = [Math.min(...wave.min), Math.max(...wave.max)];
  const room = most - least || 1;
  const y = (value: number): number => Math.round((HEIGHT - 2) * (1 - (value - least) / room) * 10) / 10 + 1;
  const columns = wave.min.length;
  const single = columns === elements;
  const path = single
    ? `M${wave.max.map((value, at) => `${at} ${y(value)}`).join("L")}`
    : wave.min.map((low, at) => `M${at + 0.5} ${y(low)}V${y(wave.max[at] ?? low) - 0.5}`).join("");
  const says = `${elements.toLocaleString("en")} values of ${name}, from ${Number(least.toPrecision(4))} to ${Number(most.toPrecision(4))}`;
  return (
    <figure class="wave">
      <svg viewBox={`0 0 ${columns} ${HEIGHT}`} preserveAspectRatio="none" height={HEIGHT} role="img" aria-label={says}>
        {least < 0 && most > 0 && <line class="zero" x1="0" x2={columns} y1={y(0)} y2={y(0)} />}
        <path d={path} vector-effect="non-scaling-stroke" />
      </svg>
      <figcaption class="soft small">{says}</figcaption>
    </figure>
  );
}
