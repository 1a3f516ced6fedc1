/** The last hour of samples, as the lines they were sent as: bounded in time, number and bytes. */

import type { Sample } from "../../watch/sample.ts";

/** What the page can show at most. */
const KEPT_MS = 3_600_000;
/** An hour at one a second; quicker ones are kept for less. */
const COUNT = 3_600;
/** A sample of a server with 16 devices has some 20 kB: an hour of them would be 70 MB. */
const BYTES = 32 * 1024 * 1024;

/** A recording is shown whole, if it is no longer than a browser can draw. */
const RECORDED_COUNT = 86_400;

export class SampleRing {
  readonly #kept: { readonly at: number; readonly text: string }[] = [];
  readonly #kept_ms: number;
  readonly #count: number;
  #bytes = 0;

  constructor(recorded = false) {
    this.#kept_ms = recorded ? Infinity : KEPT_MS;
    this.#count = recorded ? RECORDED_COUNT : COUNT;
  }

  /** Returns it as text. */
  push(sample: Sample): string {
    const text = JSON.stringify(sample);
    const at = Date.parse(sample.at);
    this.#kept.push({ at, text });
    this.#bytes += text.length;
    while (this.#tooMuch(at)) this.#bytes -= this.#kept.shift()?.text.length ?? 0;
    return text;
  }

  #tooMuch(now: number): boolean {
    const [first] = this.#kept;
    if (first === undefined || this.#kept.length === 1) return false;
    return this.#kept.length > this.#count || this.#bytes > BYTES || now - first.at > this.#kept_ms;
  }

  /** Those after a moment (milliseconds since 1970), oldest first. */
  texts(since: number): string[] {
    return this.#kept.filter(({ at }) => at > since).map(({ text }) => text);
  }
}
