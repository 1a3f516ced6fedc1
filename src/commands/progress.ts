/** What is going on, on standard error and only for people: one line that is written over, from the second second on. */

import type { Invocation } from "./command.ts";

const QUIET_MS = 1000;
/** Lines are not written faster than they can be read. */
const STEP_MS = 100;

export interface Progress {
  readonly say: (what: string) => void;
  /** Takes the line away. */
  readonly end: () => void;
}

export function progressOf({ err }: Pick<Invocation, "err">, terminal = process.stderr.isTTY): Progress {
  const start = performance.now();
  let last = -Infinity;
  let shown = false;
  return {
    say(what) {
      const now = performance.now();
      if (!terminal || now - start < QUIET_MS || now - last < STEP_MS) return;
      last = now;
      shown = true;
      // Back to the first column, and the rest of the old line away.
      err(`\r\u001b[K${what.slice(0, 78)}`);
    },
    end() {
      if (shown) err("\r\u001b[K");
      shown = false;
    },
  };
}
