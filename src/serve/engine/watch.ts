/** One timer that looks at all that runs, while something does: a timer for each run would cost more than many a run. */

/** Milliseconds. */
const LOOK = 250;

export class Watch {
  readonly #look: (now: number) => boolean;
  #timer: NodeJS.Timeout | undefined;

  /** `look`: false where nothing runs any more. */
  constructor(look: (now: number) => boolean) {
    this.#look = look;
  }

  /** Something runs. */
  begin(): void {
    if (this.#timer !== undefined) return;
    this.#timer = setInterval(() => {
      if (!this.#look(performance.now())) this.close();
    }, LOOK);
    this.#timer.unref();
  }

  close(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}
