/** Peak throughput of chips as their sources tell it: dots on a logarithmic axis, one shape a kind of number. */

import { useEffect, useRef, useState } from "preact/hooks";
import { DataTable, type Column } from "../parts/index.ts";
import { familyHash, opsWord, type Atlas, type AtlasFamily } from "./data.ts";
import { SourceLink } from "./sources.tsx";

interface Dot {
  readonly family: AtlasFamily;
  readonly chip: string;
  readonly ops: number;
  readonly precision: string;
  readonly source: number;
  /** Of that very part; undefined when only another's power is known. */
  readonly watts: number | undefined;
}

export interface PeaksProps {
  readonly atlas: Atlas;
  readonly families: readonly AtlasFamily[];
  readonly here: ReadonlySet<string>;
}

type Shape = "circle" | "square" | "diamond" | "triangle" | "ring";

/** Numbers of one width are alike: a peak at four bits is no peak at sixteen. */
const kinds: readonly { readonly shape: Shape; readonly word: string; readonly is: RegExp }[] = [
  { shape: "circle", word: "int8", is: /^int8/ },
  { shape: "diamond", word: "fp8", is: /^(?:mx)?fp8/ },
  { shape: "square", word: "fp16, bf16 and wider", is: /^(?:b|t)?f(?:p|loat)?(?:16|32|64)/ },
  { shape: "triangle", word: "int4 and less", is: /^(?:int|fp|mxfp)[1-6]\b/ },
  { shape: "ring", word: "of which numbers is not told", is: /^unstated\b/ },
];
const kindOf = (precision: string): (typeof kinds)[number] | undefined => kinds.find(({ is }) => is.test(precision));

const ROW = 24;
const TOP = 26;

export function Peaks({ atlas, families, here }: PeaksProps) {
  const dots = families.flatMap((family) =>
    family.chips.flatMap(({ name, peak, watts }) =>
      (peak ?? []).map(({ ops, precision, source, watts: own }): Dot => ({
        family,
        chip: name,
        ops,
        precision,
        source,
        watts: (own ?? watts)?.value,
      })),
    ),
  );
  const [frame, width] = useWidth();
  if (dots.length === 0) {
    return <p class="soft">Of none of these families is a peak known from a source.</p>;
  }
  const without = families.filter(({ chips }) => chips.every(({ peak }) => peak === undefined));
  return (
    <>
      <p class="soft">
        Operations per second at most, as makers or those who wrote of them tell (a multiplication with its addition
        counts as two). Nothing here was measured.{" "}
        {without.length > 0 && `No source for ${without.length} of these families.`}
      </p>
      <ul class="atlas-legend" aria-label="Kinds of numbers">
        {kinds.map(({ shape, word }) => (
          <li key={word}>
            <svg width="14" height="14" aria-hidden="true">
              <Mark shape={shape} x={7} y={7} />
            </svg>
            {word}
          </li>
        ))}
      </ul>
      <div ref={frame} class="picture">
        {width > 0 && <DotPlot dots={dots} width={width} here={here} />}
      </div>
      <details class="as-table">
        <summary>The same as a table, with sources</summary>
        <DataTable
          label="Peak throughput"
          rows={dots}
          columns={columnsOf(atlas)}
          rowKey={({ family, chip, precision }) => `${family.id} ${chip} ${precision}`}
          noun="peak"
          sort={{ key: "ops", down: true }}
        />
      </details>
    </>
  );
}

function DotPlot({
  dots,
  width,
  here,
}: {
  readonly dots: readonly Dot[];
  readonly width: number;
  readonly here: ReadonlySet<string>;
}) {
  const rows = new Map<string, Dot[]>();
  for (const dot of dots) {
    const key = `${dot.family.id} ${dot.chip}`;
    const there = rows.get(key);
    if (there === undefined) rows.set(key, [dot]);
    else there.push(dot);
  }
  const most = (row: readonly Dot[]): number => Math.max(...row.map(({ ops }) => ops));
  const sorted = [...rows.values()].sort((a, b) => most(b) - most(a));
  const narrow = width < 560;
  const left = narrow ? 128 : 250;
  const right = narrow ? 18 : 90;
  const all = dots.map(({ ops }) => Math.log10(ops));
  const [low, high] = [Math.floor(Math.min(...all)), Math.ceil(Math.max(...all) + 0.05)];
  const x = (ops: number): number => left + ((Math.log10(ops) - low) / (high - low)) * (width - left - right);
  const height = TOP + sorted.length * ROW + 8;
  const decades = Array.from({ length: high - low + 1 }, (_, i) => 10 ** (low + i));
  return (
    <svg
      class="dots"
      width={width}
      height={height}
      role="group"
      aria-label="Peak throughput of chips, on a logarithmic axis"
    >
      <g aria-hidden="true">
        {decades.map((ops, i) => (
          <g key={ops}>
            <line class="grid" x1={x(ops)} x2={x(ops)} y1={TOP - 6} y2={height} />
            {(!narrow || i % 2 === 0) && (
              <text class="tick" x={x(ops)} y={14} text-anchor="middle">
                {opsWord(ops)}
              </text>
            )}
          </g>
        ))}
      </g>
      {!narrow && dots.some(({ watts }) => watts !== undefined) && (
        <text class="tick" x={width} y={14} text-anchor="end" aria-hidden="true">
          power
        </text>
      )}
      {sorted.map((row, i) => {
        const [first] = row;
        if (first === undefined) return null;
        const y = TOP + i * ROW + ROW / 2;
        const name = narrow ? shortened(first.chip, 16) : shortened(first.chip, 34);
        return (
          <g key={`${first.family.id} ${first.chip}`} class={here.has(first.family.id) ? "here" : undefined}>
            <line class="row" x1={left} x2={width - right} y1={y} y2={y} />
            <a href={familyHash(first.family.id)}>
              <text class="name" x={left - 10} y={y + 4} text-anchor="end">
                {name}
              </text>
            </a>
            <g
              role="img"
              aria-label={`${first.chip}: ${row.map(({ ops, precision }) => `${opsWord(ops)} ${precision}`).join(", ")}`}
            >
              {row.map((dot) => (
                <g key={dot.precision}>
                  <title>{`${dot.chip}: ${opsWord(dot.ops)} ${dot.precision}`}</title>
                  <Mark shape={kindOf(dot.precision)?.shape ?? "circle"} x={x(dot.ops)} y={y} />
                </g>
              ))}
            </g>
            {!narrow && (
              <text class="tick" x={width} y={y + 4} text-anchor="end">
                {powerWord(row)}
              </text>
            )}
          </g>
        );
      })}
    </svg>
  );
}

export function Mark({ shape, x, y }: { readonly shape: Shape; readonly x: number; readonly y: number }) {
  switch (shape) {
    case "circle":
      return <circle class="mark" cx={x} cy={y} r={5} />;
    case "ring":
      return <circle class="mark hollow" cx={x} cy={y} r={4.5} />;
    case "square":
      return <rect class="mark hollow" x={x - 4.5} y={y - 4.5} width={9} height={9} />;
    case "diamond":
      return <path class="mark" d={`M${x} ${y - 6}L${x + 6} ${y}L${x} ${y + 6}L${x - 6} ${y}Z`} />;
    case "triangle":
      return <path class="mark hollow" d={`M${x} ${y - 6}L${x + 6} ${y + 5}L${x - 6} ${y + 5}Z`} />;
  }
}

/** "75 W"; "75–150 W" where the row's parts differ; nothing where that of one part is not known. */
function powerWord(row: readonly Dot[]): string {
  const known = row.flatMap(({ watts }) => (watts === undefined ? [] : [watts]));
  if (known.length < row.length) return "";
  const [low, high] = [Math.min(...known), Math.max(...known)];
  return low === high ? `${low} W` : `${low}–${high} W`;
}

export const shortened = (text: string, most: number): string =>
  text.length <= most ? text : `${text.slice(0, most - 1)}…`;

const columnsOf = (atlas: Atlas): readonly Column<Dot>[] => [
  { key: "chip", title: "Chip", value: ({ chip }) => chip },
  {
    key: "family",
    title: "Family",
    value: ({ family }) => family.name,
    cell: ({ family }) => <a href={familyHash(family.id)}>{family.name}</a>,
  },
  { key: "ops", title: "Peak", value: ({ ops }) => ops, cell: ({ ops }) => opsWord(ops), align: "end" },
  { key: "precision", title: "Numbers", value: ({ precision }) => precision },
  {
    key: "watts",
    title: "Power",
    value: ({ watts }) => watts,
    cell: ({ watts }) => (watts === undefined ? "" : `${watts} W`),
    align: "end",
  },
  {
    key: "each",
    title: "Per watt",
    value: ({ ops, watts }) => (watts === undefined ? undefined : ops / watts),
    cell: ({ ops, watts }) => (watts === undefined ? "" : `${opsWord(ops / watts)}/W`),
    align: "end",
  },
  {
    key: "source",
    title: "Source",
    value: ({ source }) => atlas.sources[source]?.text,
    cell: ({ source }) => <SourceLink atlas={atlas} at={source} />,
  },
];

/** Width of an element, as it changes. */
export function useWidth(): [{ current: HTMLDivElement | null }, number] {
  const frame = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(0);
  useEffect(() => {
    const element = frame.current;
    if (element === null) return;
    const watcher = new ResizeObserver(() => setWidth(element.clientWidth));
    watcher.observe(element);
    return () => watcher.disconnect();
  }, []);
  return [frame, width];
}
