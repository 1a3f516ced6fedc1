/** Process entry: streams, terminal, exit code. What cannot be tested in-process is kept this small. */

import { fstatSync, writeSync } from "node:fs";
import { main } from "./cli.ts";
import type { Terminal } from "./print/terminal.ts";

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
      // A pipe set non-blocking by whoever made it: wait a little for its reader.
      if (code !== "EAGAIN") throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
    }
  }
}

const { env } = process;
const isTerminal = mayBeTerminal(1) && process.stdout.isTTY;
const terminal: Terminal = {
  isTerminal,
  columns: isTerminal ? Math.max(40, Math.min(process.stdout.columns, 120)) : 80,
  colour: env["NO_COLOR"] === undefined && (env["FORCE_COLOR"] !== undefined || (isTerminal && env["TERM"] !== "dumb")),
  // An unset locale is what services and containers have; their readers take UTF-8 all the same.
  unicode: !/^(C|POSIX)$/.test(env["LC_ALL"] ?? env["LC_CTYPE"] ?? env["LANG"] ?? "") || !isTerminal,
};

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
