/** Process entry: streams, terminal, exit code. What cannot be tested in-process is kept this small. */

import { main } from "./cli.ts";
import type { Terminal } from "./print/terminal.ts";

// A reader that closes early (`accelctl | head`) is no error of ours.
for (const stream of [process.stdout, process.stderr]) {
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit(0);
    throw error;
  });
}

const { env } = process;
const isTerminal = process.stdout.isTTY;
const terminal: Terminal = {
  isTerminal,
  columns: isTerminal ? Math.max(40, Math.min(process.stdout.columns, 120)) : 80,
  colour: env["NO_COLOR"] === undefined && (env["FORCE_COLOR"] !== undefined || (isTerminal && env["TERM"] !== "dumb")),
  // An unset locale is what services and containers have; their readers take UTF-8 all the same.
  unicode: !/^(C|POSIX)$/.test(env["LC_ALL"] ?? env["LC_CTYPE"] ?? env["LANG"] ?? "") || !isTerminal,
};

void main(process.argv.slice(2), {
  out: (text) => process.stdout.write(text),
  err: (text) => process.stderr.write(text),
  terminal,
}).then((code) => {
  process.exitCode = code;
});
