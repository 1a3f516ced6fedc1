/** What a run was made of, in order, as one line; and its longest parts in words. */

import type { Span } from "../../../src/delegates/delegate.ts";
import { harmless, plural, seconds } from "../parts/index.ts";

const LONGEST = 8;
const WIDTH = 1000;
/** Parts that are drawn one by one: beyond it the shortest would be thinner than a pixel. */
const DRAWN = 600;

export function Spans({ spans }: { readonly spans: readonly Span[] }) {
  const total = spans.reduce((sum, { ms }) => sum + ms, 0);
  const makers = [...new Set(spans.map(({ by }) => by))];
  const longest = spans
    .map((span, index) => ({ ...span, index }))
    .sort((a, b) => b.ms - a.ms)
    .slice(0, LONGEST);
  let x = 0;
  return (
    <section aria-label="What the run was made of">
      <h3>
        What the last run was made of{" "}
        <span class="soft">
          {plural(spans.length, "part")}, {seconds(total / 1000)}
        </span>
      </h3>
      <svg
        class="spans"
        viewBox={`0 0 ${WIDTH} 26`}
        preserveAspectRatio="none"
        height="26"
        role="img"
        aria-label="Timeline"
      >
        {spans.slice(0, DRAWN).map(({ name, by, ms }, index) => {
          const width = total === 0 ? 0 : (WIDTH * ms) / total;
          const from = x;
          x += width;
          return (
            <rect
              key={index}
              class={`by-${makers.indexOf(by) % 4}${index % 2 === 1 ? " odd" : ""}`}
              x={from}
              y="0"
              width={width}
              height="26"
            >
              <title>
                {name} by {by}: {seconds(ms / 1000)}
              </title>
            </rect>
          );
        })}
      </svg>
      <p class="graph-legend small">
        {makers.slice(0, 4).map((by, index) => (
          <span key={by}>
            <i class={`op-swatch by-${index}`} aria-hidden="true" /> {harmless(by)}
          </span>
        ))}
      </p>
      <ol class="top">
        {longest.map(({ name, ms, index }) => (
          <li key={index}>
            <span class="top-label mono">{harmless(name)}</span>
            <meter min={0} max={longest[0]?.ms ?? 1} value={ms} aria-label={name} />
            <span class="top-value">{seconds(ms / 1000)}</span>
          </li>
        ))}
      </ol>
    </section>
  );
}
