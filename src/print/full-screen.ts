/**
 * Holds a terminal while something is drawn on its full screen, and gives it back on every way out: the end, signals, a crash, being
 * stopped by ^Z and continued.
 */

import { writeSync } from "node:fs";
import type { ReadStream, WriteStream } from "node:tty";
import { ENTER, flush, keysOf, LEAVE, Screen } from "./screen.ts";

export interface FullScreen {
  readonly size: () => { readonly columns: number; readonly rows: number };
  /** One write, of what differs from what is shown. */
  readonly draw: (lines: readonly string[]) => void;
  readonly close: () => void;
}

export interface FullScreenEvents {
  readonly key: (key: string) => void;
  readonly resize: () => void;
  /** The terminal is gone, or a signal asks to end: the exit code that says so. */
  readonly end: (code: number) => void;
}

/** How long the rest of a key's sequence may take over a slow line. */
const ESCAPE_MS = 60;
/** A stop that comes has come by then. */
const STOP_MS = 50;
/** What to say when the terminal tells no size (a serial line): what they always had. */
const [COLUMNS, ROWS] = [80, 24];

const ends = { SIGINT: 2, SIGTERM: 15, SIGHUP: 1, SIGQUIT: 3 } as const;

export function openFullScreen(events: FullScreenEvents): FullScreen {
  const { stdin, stdout }: { stdin: ReadStream; stdout: WriteStream } = process;
  const screen = new Screen();
  let held = false;
  let rest = "";
  let timer: NodeJS.Timeout | undefined;
  let stopping: NodeJS.Timeout | undefined;

  const write = (text: string): void => {
    const done = writeWhole(Buffer.from(text));
    if (done === "whole") return;
    // A terminal that stands still is drawn wholly with the next frame, which ends a sequence that was cut.
    screen.forget();
    if (done === "gone") events.end(128 + ends.SIGHUP);
  };
  const take = (): void => {
    if (held) return;
    held = true;
    stdin.setRawMode(true);
    screen.forget();
    write(ENTER);
  };
  const give = (): void => {
    if (!held) return;
    held = false;
    write(LEAVE);
    try {
      stdin.setRawMode(false);
    } catch {
      // EIO: the terminal is gone
    }
  };
  const stop = (): void => {
    give();
    // The default action stops this process, and the others of its job as the terminal's own ^Z would.
    process.removeListener("SIGTSTP", stop);
    process.kill(0, "SIGTSTP");
    // Without a shell above that could continue it, the kernel stops nobody: then nothing has happened.
    stopping = setTimeout(resume, STOP_MS);
  };
  const resume = (): void => {
    clearTimeout(stopping);
    process.removeListener("SIGTSTP", stop);
    process.on("SIGTSTP", stop);
    // The shell has had the terminal and may have changed its modes, also where it stopped us without asking.
    give();
    take();
    events.resize();
  };
  const keys = (names: readonly string[]): void => {
    for (const name of names) {
      if (name === "ctrl-z") stop();
      else if (name === "ctrl-l") {
        screen.forget();
        events.resize();
      } else events.key(name);
    }
  };
  const data = (chunk: string): void => {
    clearTimeout(timer);
    const read = keysOf(rest + chunk);
    rest = read.rest;
    keys(read.keys);
    if (rest === "") return;
    timer = setTimeout(() => {
      const pending = rest;
      rest = "";
      keys(flush(pending));
    }, ESCAPE_MS);
  };
  const resize = (): void => {
    screen.forget();
    events.resize();
  };
  const gone = (): void => events.end(128 + ends.SIGHUP);
  const signals = Object.entries(ends).map(([signal, number]) => [signal, () => events.end(128 + number)] as const);
  const crash = (): void => give();

  stdin.setEncoding("utf8").on("data", data).on("end", gone).on("error", gone);
  stdout.on("resize", resize).on("error", gone);
  for (const [signal, listener] of signals) process.on(signal, listener);
  process.on("SIGTSTP", stop).on("SIGCONT", resume).on("exit", give).on("uncaughtExceptionMonitor", crash);
  take();

  return {
    size: () => ({ columns: stdout.columns || COLUMNS, rows: stdout.rows || ROWS }),
    draw(lines) {
      const text = screen.draw(lines, stdout.columns || COLUMNS);
      if (held && text !== "") write(text);
    },
    close() {
      clearTimeout(timer);
      clearTimeout(stopping);
      for (const [signal, listener] of signals) process.removeListener(signal, listener);
      process.removeListener("SIGTSTP", stop).removeListener("SIGCONT", resume);
      process.removeListener("exit", give).removeListener("uncaughtExceptionMonitor", crash);
      stdin.removeListener("data", data).removeListener("end", gone).removeListener("error", gone);
      stdout.removeListener("resize", resize).removeListener("error", gone);
      stdin.pause();
      give();
    },
  };
}

/** EAGAIN: somebody made the terminal non-blocking, and it is slow. */
function writeWhole(bytes: Uint8Array): "whole" | "slow" | "gone" {
  let done = 0;
  for (let tries = 0; done < bytes.length;) {
    try {
      done += writeSync(1, bytes, done);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EAGAIN") return "gone";
      if (++tries > 20) return "slow";
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
    }
  }
  return "whole";
}
