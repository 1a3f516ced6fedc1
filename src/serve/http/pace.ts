/**
 * Pace: refusals one after the other. Who is refused at once asks again at once, and a server that is asked ten times what it can do
 * would do nothing but refuse. Those beyond the pace are told later, in the order in which they came, and cannot ask meanwhile.
 */

/** Milliseconds between two looks at who is to be told. */
const TICK_MS = 10;
/** That wait; more are told at once: requests that one caller sends ahead on one connection cannot pile up. */
const WAITING = 4096;

export class Pace {
  readonly #each: number;
  readonly #most: number;
  /** That may be told now. */
  #left: number;
  #filled = performance.now();
  #queue: (() => void)[] = [];
  #at = 0;
  #timer: NodeJS.Timeout | undefined;
  #ended = false;

  constructor(perSecond: number) {
    this.#each = 1000 / perSecond;
    // What is saved up in a tenth of a second: a few refusals never wait.
    this.#most = Math.max(1, perSecond / 10);
    this.#left = this.#most;
  }

  get waiting(): number {
    return this.#queue.length - this.#at;
  }

  /** Calls `tell`, now or in its turn. */
  take(tell: () => void): void {
    this.#fill();
    if (this.#ended || this.waiting >= WAITING || (this.waiting === 0 && this.#left >= 1)) {
      this.#left--;
      tell();
      return;
    }
    this.#queue.push(tell);
    this.#timer ??= setInterval(() => this.#tick(), TICK_MS).unref();
  }

  /** Tells all that wait, and from now on at once. */
  end(): void {
    this.#ended = true;
    while (this.waiting > 0) this.#next();
    this.#rest();
  }

  #tick(): void {
    this.#fill();
    for (; this.waiting > 0 && this.#left >= 1; this.#left--) this.#next();
    this.#rest();
  }

  #next(): void {
    const tell = this.#queue[this.#at++];
    // The front of the list is cut off now and then, not each time.
    if (this.#at > WAITING) {
      this.#queue = this.#queue.slice(this.#at);
      this.#at = 0;
    }
    tell?.();
  }

  #rest(): void {
    if (this.waiting > 0) return;
    this.#queue = [];
    this.#at = 0;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #fill(): void {
    const now = performance.now();
    this.#left = Math.min(this.#most, this.#left + (now - this.#filled) / this.#each);
    this.#filled = now;
  }
}
