/** A reading in words: its value, or why there is none, in another look. */

import type { Reading } from "../../../src/base/reading.ts";
import { harmless, unreadWord } from "../parts/index.ts";

export interface ToldProps<T> {
  readonly reading: Reading<T>;
  readonly as?: (value: T) => string;
}

export function Told<T>({ reading, as = String }: ToldProps<T>) {
  if (reading.state === "read") return <span title={reading.from}>{harmless(as(reading.value))}</span>;
  const why = reading.why === undefined ? "" : `: ${reading.why}`;
  return (
    <span class="not-read" title={`${reading.from}${why}`}>
      {unreadWord(reading.state)}
    </span>
  );
}
