/**
 * What is under way, for lists that change with every request. A Set would do, but for one thing: after a few additions and removals V8
 * gives it a new table, and the old one points to the new one; once one of them is old, all that follow it stay until the next full
 * collection, with the requests that stood in them. Half a kilobyte of each request lived on so, and full collections of 25 ms came
 * every three seconds (docs/decisions/065).
 */

export interface Placed {
  /** Where it stands in its bag; -1: in none. */
  place: number;
}

const stays = (): void => undefined;

/** A controller for many requests, one after the other: a target that loses its last listener drops its entry of a Map, as above. */
export function lastingController(): AbortController {
  const controller = new AbortController();
  controller.signal.addEventListener("abort", stays);
  return controller;
}

export class Bag<T extends Placed> {
  readonly #all: T[] = [];

  get size(): number {
    return this.#all.length;
  }

  add(one: T): void {
    one.place = this.#all.push(one) - 1;
  }

  /** Nothing happens where it is in no bag. */
  delete(one: T): void {
    const { place } = one;
    if (place < 0) return;
    one.place = -1;
    const last = this.#all.pop();
    if (last === undefined || last === one) return;
    this.#all[place] = last;
    last.place = place;
  }

  /** A copy: who walks it may add and remove. */
  all(): T[] {
    return [...this.#all];
  }

  find(wanted: (one: T) => boolean): T | undefined {
    return this.#all.find(wanted);
  }
}
