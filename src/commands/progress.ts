/** What is going on, on standard error and only for people: one line that is written over, from the second second on. */

import { harmless } from "../print/terminal.ts";
import type { Invocation } from "./command.ts";

const QUIET_MS = 1000;
/** The line tells the seconds, and so that something still goes on. */
const STEP_MS = 250;

export interface Progress {
  readonly say: (what: string) => void;
  /** Takes the line away. */
  readonly end: () => void;
}

export function progressOf({ err }: Pick<Invocation, "err">, terminal = process.stderr.isTTY): Progress {
  const start = performance.now();
  let words = "";
  let shown = "";
  let timer: NodeJS.Timeout | undefined;
  const show = (): void => {
    const elapsed = performance.now() - start;
    if (elapsed < QUIET_MS) return;
    const line = `${harmless(words.slice(0, 70))} (${Math.floor(elapsed / 1000)} s)`;
    // Back to the first column, and the rest of the old line away.
    if (line !== shown) err(`\r\u001b[K${line}`);
    shown = line;
  };
  return {
    say(what) {
      words = what;
      if (!terminal) return;
      timer ??= setInterval(show, STEP_MS).unref();
    },
    end() {
      clearInterval(timer);
      timer = undefined;
      if (shown !== "") err("\r\u001b[K");
      shown = "";
    },
  };
}
