/** The timeline: one lane for the kernel and one for each family; as a picture where there is room, and always as a list. */

import { harmless, OutLink } from "../parts/index.ts";
import { familyHash, type Atlas, type AtlasEvent, type AtlasFamily } from "./data.ts";
import { arrangeLane, spanOf, type Placed } from "./lanes.ts";
import { useWidth } from "./peaks.tsx";

export interface TimelineProps {
  readonly atlas: Atlas;
  readonly families: readonly AtlasFamily[];
  readonly here: ReadonlySet<string>;
  /** Nothing was left out: what concerns no family is shown too. */
  readonly all: boolean;
}

export const kinds: Readonly<Record<AtlasEvent["kind"], { readonly symbol: string; readonly word: string }>> = {
  chip: { symbol: "●", word: "chip" },
  driver: { symbol: "▲", word: "driver" },
  framework: { symbol: "◆", word: "kernel framework" },
  removed: { symbol: "✕", word: "driver removed" },
  ended: { symbol: "○", word: "given up" },
};

/** Below this a picture of fourteen years is too small to read: then there is only the list. */
const LEAST = 720;
const LEFT = 168;
const RIGHT = 16;
const SUB = 19;
const TOP = 44;

export function Timeline({ atlas, families, here, all }: TimelineProps) {
  const ids = new Set(families.map(({ id }) => id));
  const events = atlas.events.filter(({ family }) => (family === undefined ? all : ids.has(family)));
  const [frame, width] = useWidth();
  if (events.length === 0) return <p class="soft">No dated event of these families is known.</p>;
  const drawn = width >= LEAST;
  return (
    <>
      <ul class="atlas-legend" aria-label="Kinds of events">
        {Object.entries(kinds).map(([kind, { symbol, word }]) => (
          <li key={kind} class={`kind-${kind}`}>
            <span class="symbol" aria-hidden="true">
              {symbol}
            </span>
            {word}
          </li>
        ))}
      </ul>
      <div ref={frame} class="picture">
        {drawn && <Lanes atlas={atlas} events={events} families={families} width={width} here={here} />}
      </div>
      {drawn ? (
        <details class="as-table">
          <summary>The same as a list, with sources</summary>
          <EventList atlas={atlas} events={events} />
        </details>
      ) : width > 0 ? (
        <EventList atlas={atlas} events={events} />
      ) : null}
    </>
  );
}

interface LanesProps {
  readonly atlas: Atlas;
  readonly events: readonly AtlasEvent[];
  readonly families: readonly AtlasFamily[];
  readonly width: number;
  readonly here: ReadonlySet<string>;
}

function Lanes({ atlas, events, families, width, here }: LanesProps) {
  const spans = events.map(({ date }) => spanOf(date));
  const first = Math.floor(Math.min(...spans.map(({ from }) => from)));
  const last = Math.max(...spans.map(({ to }) => to)) + 0.25;
  const x = (year: number): number => LEFT + ((year - first) / (last - first)) * (width - LEFT - RIGHT);
  const names = new Map(families.map(({ id, name }) => [id, name]));
  const byLane = new Map<string, AtlasEvent[]>();
  for (const event of events) {
    const lane = event.family ?? "";
    const there = byLane.get(lane);
    if (there === undefined) byLane.set(lane, [event]);
    else there.push(event);
  }
  // The kernel first, then families by when they came.
  const order = [...byLane.keys()].sort((a, b) => Number(a !== "") - Number(b !== ""));
  let y = TOP;
  const lanes = order.map((id) => {
    const { placed, rows } = arrangeLane(byLane.get(id) ?? [], x, { left: LEFT, right: width - RIGHT });
    const lane = { id, placed, top: y, height: rows * SUB + 8 };
    y += lane.height;
    return lane;
  });
  const years = Array.from({ length: Math.floor(last) - first + 1 }, (_, i) => first + i);
  const releases = atlas.kernels.filter(({ date }) => spanOf(date).from >= first);
  let labelled = -Infinity;
  return (
    <svg class="lanes" width={width} height={y + 6} role="group" aria-label="Chips and kernel drivers over the years">
      <g aria-hidden="true">
        {years.map((year) => (
          <g key={year}>
            <line class="grid" x1={x(year)} x2={x(year)} y1={18} y2={y} />
            <text class="tick" x={x(year) + 3} y={13}>
              {year}
            </text>
          </g>
        ))}
        <text class="name" x={LEFT - 10} y={33} text-anchor="end">
          Linux
        </text>
        {releases.map(({ release, date }) => {
          const at = x(spanOf(date).from);
          const room = at - labelled > 27 && at < width - RIGHT - 8;
          if (room) labelled = at;
          return (
            <g key={release}>
              <line class="release" x1={at} x2={at} y1={room ? 20 : 26} y2={38} />
              {room && (
                <text class="release-name" x={at + 2} y={31}>
                  {release}
                </text>
              )}
            </g>
          );
        })}
      </g>
      {lanes.map(({ id, placed, top, height }, i) => (
        <g key={id} class={here.has(id) ? "here" : undefined}>
          <rect class={i % 2 === 0 ? "band even" : "band"} x={0} y={top} width={width} height={height} />
          {id === "" ? (
            <text class="name" x={LEFT - 10} y={top + 17} text-anchor="end">
              kernel
            </text>
          ) : (
            <a href={familyHash(id)}>
              <text class="name" x={LEFT - 10} y={top + 17} text-anchor="end">
                {short(names.get(id) ?? id)}
              </text>
            </a>
          )}
          {placed.map((one) => (
            <Event key={one.event.what} atlas={atlas} placed={one} y={top + one.row * SUB + 13} x={x} />
          ))}
        </g>
      ))}
    </svg>
  );
}

const short = (name: string): string => (name.length <= 24 ? name : `${name.slice(0, 23)}…`);

function Event({
  atlas,
  placed,
  y,
  x,
}: {
  readonly atlas: Atlas;
  readonly placed: Placed;
  readonly y: number;
  readonly x: (year: number) => number;
}) {
  const { event, at, label, side, labelAt } = placed;
  const { from, to } = spanOf(event.date);
  const { link } = atlas.sources[event.source] ?? {};
  const words = `${event.date}: ${event.what}${event.release === undefined ? "" : ` (Linux ${event.release})`}`;
  const drawing = (
    <>
      <title>{words}</title>
      {to - from > 0.02 && <line class="span" x1={x(from)} x2={x(to)} y1={y} y2={y} />}
      <text class="symbol" x={at} y={y + 4} text-anchor="middle">
        {kinds[event.kind].symbol}
      </text>
      {label !== "" && (
        <text class="label" x={labelAt} y={y + 4} text-anchor={side === "right" ? "start" : "end"}>
          {label}
        </text>
      )}
    </>
  );
  return (
    <g class={`event kind-${event.kind}`}>
      {link === undefined ? (
        drawing
      ) : (
        <a
          href={link}
          target="_blank"
          rel="noreferrer noopener"
          aria-label={`${kinds[event.kind].word}, ${words}; source`}
        >
          {drawing}
        </a>
      )}
    </g>
  );
}

export interface EventListProps {
  readonly atlas: Atlas;
  readonly events: readonly AtlasEvent[];
  /** Of one family: its name is not told again. */
  readonly plain?: boolean;
}

export function EventList({ atlas, events, plain = false }: EventListProps) {
  const years = new Map<string, AtlasEvent[]>();
  for (const event of events) {
    const year = event.date.slice(0, 4);
    const there = years.get(year);
    if (there === undefined) years.set(year, [event]);
    else there.push(event);
  }
  const name = (id: string): string => atlas.families.find((family) => family.id === id)?.name ?? id;
  return (
    <dl class="event-list">
      {[...years].map(([year, ones]) => (
        <div key={year}>
          <dt>{year}</dt>
          <dd>
            <ul>
              {ones.map((event) => {
                const source = atlas.sources[event.source];
                return (
                  <li key={event.what} class={`kind-${event.kind}`}>
                    <span class="date">{event.date.length > 4 ? event.date.slice(5) : ""}</span>
                    <span class="symbol" aria-hidden="true">
                      {kinds[event.kind].symbol}
                    </span>
                    <span>
                      <span class="unseen">{kinds[event.kind].word}: </span>
                      {!plain && event.family !== undefined && (
                        <>
                          <a href={familyHash(event.family)}>{name(event.family)}</a>:{" "}
                        </>
                      )}
                      {harmless(event.what)}
                      {event.release !== undefined && <span class="soft"> (Linux {event.release})</span>}{" "}
                      {source?.link === undefined ? (
                        <span class="soft">{source?.text}</span>
                      ) : (
                        <span class="out">
                          <OutLink to={source.link}>source</OutLink>
                        </span>
                      )}
                    </span>
                  </li>
                );
              })}
            </ul>
          </dd>
        </div>
      ))}
    </dl>
  );
}
