/** Process entry: streams, terminal, exit code. What cannot be tested in-process is kept this small. */

import { fstatSync, writeSync } from "node:fs";
import { CannotError } from "./base/errors.ts";
import { main } from "./cli.ts";
import { terminalOf } from "./print/terminal.ts";

/**
 * Streams of Node cost 10 ms to set up. Where standard output is no terminal (a pipe, a file, /dev/null) plain writes do. Memory
 * devices (/dev/null) have major number 1.
 */
function mayBeTerminal(fd: number): boolean {
  try {
    const stat = fstatSync(fd);
    return stat.isCharacterDevice() && stat.rdev >> 8 !== 1;
  } catch {
    return false; // a closed descriptor: EBADF when written to, which is told below
  }
}

/** A reader that closes early (`accelctl | head`) is no error of ours. */
function write(fd: number, text: string): void {
  const bytes = Buffer.from(text);
  let done = 0;
  while (done < bytes.length) {
    try {
      done += writeSync(fd, bytes, done);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === "EPIPE") process.exit(0);
      // Nowhere is left to say it.
      if (code !== "EAGAIN" && fd === 2) return;
      // A pipe set non-blocking by whoever made it: wait a little for its reader.
      if (code !== "EAGAIN")
        throw new CannotError(`standard output: ${(error as Error).message.replace(/, write$/, "")}`);
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
    }
  }
}

const columns = mayBeTerminal(1) && process.stdout.isTTY ? process.stdout.columns : undefined;
const terminal = terminalOf(process.env, columns);

void main(process.argv.slice(2), { out: (text) => write(1, text), err: (text) => write(2, text), terminal }).then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    // A bug of ours keeps its stack. Node's own report would print the line it was thrown in, and bundles have long lines.
    write(
      2,
      `accelctl: a bug; please report it with this:\n${error instanceof Error ? (error.stack ?? "") : String(error)}\n`,
    );
    process.exitCode = 70;
  },
);
