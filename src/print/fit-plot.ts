/**
 * Plots of fits as SVG: how far estimates were off on each device when the model was left out (docs/fit.md), drawn from what
 * `npm run bench -- fit` computes by tools/fit-plot.mjs. Colours follow the reader's light or dark.
 */

import { escapeXml, round } from "./graph.ts";

export interface PlottedErrors {
  readonly name: string;
  readonly rows: number;
  /** Relative errors: 0.25 is 25 %. */
  readonly median: number;
  readonly p90: number;
  readonly power: number;
  readonly nearest: number;
}

const WIDTH = 760;
const LEFT = 250;
const RIGHT = 24;
const TOP = 64;
const LINE = 22;
/** Errors beyond it are drawn at the edge. */
const MOST = 1.2;

export function renderErrors(devices: readonly PlottedErrors[]): string {
  const height = TOP + devices.length * LINE + 34;
  const x = (error: number): number => LEFT + (Math.min(error, MOST) / MOST) * (WIDTH - LEFT - RIGHT);
  const ticks = [0, 0.25, 0.5, 0.75, 1].map((at) => {
    const place = round(x(at));
    return `<line class="t" x1="${place}" y1="${TOP - 8}" x2="${place}" y2="${height - 26}"/><text class="s" x="${place}" y="${height - 10}" text-anchor="middle">${at * 100} %</text>`;
  });
  const bars = [
    [0.25, "median at most"],
    [0.6, "nine of ten at most"],
  ] as const;
  const limits = bars.map(
    ([at, says]) =>
      `<line class="l" x1="${round(x(at))}" y1="${TOP - 16}" x2="${round(x(at))}" y2="${height - 26}"/><text class="s" x="${round(x(at))}" y="${TOP - 20}" text-anchor="middle">${says} ${at * 100} %</text>`,
  );
  const rows = devices.map(({ name, rows: many, median, p90, power, nearest }, i) => {
    const y = TOP + i * LINE + LINE / 2;
    const told = `${name}, ${many} rows: median ${percent(median)}, nine of ten ${percent(p90)}; power law ${percent(power)}, nearest model ${percent(nearest)}`;
    return `<g><title>${escapeXml(told)}</title><text x="${LEFT - 10}" y="${round(y + 4)}" text-anchor="end">${escapeXml(short(name))} <tspan class="s">${many}</tspan></text>
<line class="e" x1="${round(x(median))}" y1="${round(y)}" x2="${round(x(p90))}" y2="${round(y)}"/>
<path class="n" d="M${round(x(power) - 4)} ${round(y - 4)}l8 8m0-8l-8 8"/><path class="n" d="M${round(x(nearest) - 4)} ${round(y + 4)}h8l-4-8z"/>
<line class="p" x1="${round(x(p90))}" y1="${round(y - 5)}" x2="${round(x(p90))}" y2="${round(y + 5)}"/><circle class="m" cx="${round(x(median))}" cy="${round(y)}" r="5"/></g>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="Error of estimates on each device, the model left out">
<style>${style}</style>
<rect class="g" width="${WIDTH}" height="${height}"/>
<text class="s" x="12" y="18"><tspan class="k">●</tspan> median error, line to nine of ten   × power law of operations   △ nearest model measured   (number of rows beside the name)</text>
${ticks.join("\n")}
${limits.join("\n")}
${rows.join("\n")}
</svg>
`;
}

const percent = (error: number): string => `${Math.round(error * 100)} %`;
const short = (name: string): string => (name.length <= 32 ? name : `${name.slice(0, 31)}…`);

const style = `
text{font:12px system-ui,sans-serif;fill:#1b1f24}.s{font-size:11px;fill:#5b6570}.g{fill:#fff}.k{fill:#0969da}
.t{stroke:#d8dee4}.l{stroke:#9a6700;stroke-dasharray:4 3}.e{stroke:#0969da;stroke-width:2}.p{stroke:#0969da;stroke-width:2}.m{fill:#0969da}
.n{fill:none;stroke:#5b6570;stroke-width:1.4}
@media(prefers-color-scheme:dark){text{fill:#e6edf3}.s{fill:#9198a1}.g{fill:#0d1117}.k{fill:#58a6ff}.t{stroke:#30363d}.l{stroke:#d29922}.e,.p{stroke:#58a6ff}.m{fill:#58a6ff}.n{stroke:#9198a1}}
`.trim();
