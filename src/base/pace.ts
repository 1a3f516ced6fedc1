/**
 * When a run may be made right here, on the thread that calls, and when on another. A short run costs less than the way to another
 * thread and back; a long one would keep everything else in this process waiting.
 */

/** Runs that typically end sooner are made here, milliseconds. */
const SHORT_MS = 2;
/** Two of so many runs made here that took longer send the next ones away; one may be the machine's doing, which is busy. */
const [LONG_MS, AMONG] = [3, 3];
/** Below this the way to another thread costs more than it can save, even where several runs could be under way at once. */
const TINY_MS = 0.1;
/** What is typical is known after so many. */
const KNOWN_RUNS = 2;
/** One run says so much of what is typical: of a shorter time half, of a longer one no more than this factor. */
const GROWTH = 1.25;
/** Runs sent away after those that were too long: at first, and at most when it happens again and again. */
const [AWAY, AWAY_LIMIT] = [16, 4096];
/** Runs here without a long one after which all that is forgotten. */
const FORGET = 256;

/** How long runs of one kind take (a model with the same input shapes). */
export class Pace {
  #runs = 0;
  #typical = 0;
  #sinceLong = FORGET;
  #away = 0;
  #next = AWAY;

  /** Short enough to be made here. */
  get short(): boolean {
    return this.#runs >= KNOWN_RUNS && this.#typical < SHORT_MS && this.#away === 0;
  }

  /** Short enough to be made here even where others are under way. */
  get tiny(): boolean {
    return this.#runs >= KNOWN_RUNS && this.#typical < TINY_MS;
  }

  ended(ms: number, here: boolean): void {
    if (this.#runs === 0) this.#typical = ms;
    else this.#typical = ms < this.#typical ? (this.#typical + ms) / 2 : Math.min(ms, this.#typical * GROWTH);
    this.#runs++;
    if (!here) {
      if (this.#away > 0) this.#away--;
      return;
    }
    this.#sinceLong++;
    if (this.#sinceLong > FORGET) this.#next = AWAY;
    if (ms < LONG_MS) return;
    if (this.#sinceLong < AMONG) {
      this.#away = this.#next;
      this.#next = Math.min(this.#next * 4, AWAY_LIMIT);
    }
    this.#sinceLong = 0;
  }
}

/** Runs made here, one after the other, keep the event loop from turning for so long, milliseconds, and no longer. */
const HELD_MS = 2;

/** Since when the loop may not have turned; undefined when it has since the last run made here. */
let since: number | undefined;
const turned = (): void => void (since = undefined);

/** Called as a run is made here. */
export function holdLoop(now: number): void {
  if (since !== undefined) return;
  since = now;
  setImmediate(turned);
}

/** Other things in this process have waited long enough. */
export const isLoopHeld = (now: number): boolean => since !== undefined && now - since > HELD_MS;

/** Resolves when the event loop has turned. */
export const loopTurn = (): Promise<void> => new Promise((done) => setImmediate(done));
