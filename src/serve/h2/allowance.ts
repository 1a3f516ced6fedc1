/** So many at once, and so many more each second: for what a peer may do now and then, and not without end. */
export class Allowance {
  readonly #most: number;
  readonly #perSecond: number;
  #left: number;
  #since = performance.now();

  constructor(most: number, perSecond: number) {
    this.#most = this.#left = most;
    this.#perSecond = perSecond;
  }

  take(): boolean {
    if (this.#left < 1) {
      // The clock is asked when it matters.
      const now = performance.now();
      this.give(((now - this.#since) / 1000) * this.#perSecond);
      this.#since = now;
    }
    if (this.#left < 1) return false;
    this.#left--;
    return true;
  }

  /** Back: something was done that is worth it. */
  give(times: number): void {
    this.#left = Math.min(this.#most, this.#left + times);
  }
}
