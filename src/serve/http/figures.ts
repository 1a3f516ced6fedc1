/** What the server counts of connections and requests since it began; /metrics tells it. */

import type { Route } from "../door.ts";
import { Counted } from "../engine/spread.ts";

export interface HttpFigures {
  connections: number;
  under_way: number;
  /** Of these, requests that wait for their turn to be refused. */
  refusing: number;
  /** Bytes of bodies that are held. */
  held_bytes: number;
  /** Connections that were closed at once: too many. */
  turned_away: number;
  /** Connections without a request that had to make room. */
  let_go: number;
  /** Requests that were told to come again: too many under way, too much of bodies held, the queue of the model is full. */
  readonly refused: { requests: number; bodies: number; queue: number };
  /** Answers by status. */
  readonly answers: Map<number, number>;
  /** By route; undefined: none was found. */
  readonly routes: Map<Route | undefined, RouteFigures>;
}

export interface RouteFigures {
  /** Answers by status. */
  readonly answers: Map<number, number>;
  readonly seconds: Counted;
}

export const noFigures = (): HttpFigures => ({
  connections: 0,
  under_way: 0,
  refusing: 0,
  held_bytes: 0,
  turned_away: 0,
  let_go: 0,
  refused: { requests: 0, bodies: 0, queue: 0 },
  answers: new Map(),
  routes: new Map(),
});

/** An answer, `seconds` after its request came. How long an endless one took is its reader's affair. */
export function countAnswer(figures: HttpFigures, route: Route | undefined, status: number, seconds: number): void {
  const { answers, routes } = figures;
  answers.set(status, (answers.get(status) ?? 0) + 1);
  let own = routes.get(route);
  if (own === undefined) routes.set(route, (own = { answers: new Map(), seconds: new Counted() }));
  own.answers.set(status, (own.answers.get(status) ?? 0) + 1);
  if (route?.endless !== true) own.seconds.add(seconds);
}
