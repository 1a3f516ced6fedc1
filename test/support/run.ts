/** Runs the command line in this process and keeps what it wrote. */

import { main } from "../../src/cli.ts";
import { plainTerminal } from "../../src/print/terminal.ts";

export async function run(...argv: readonly string[]): Promise<{ code: number; out: string; err: string }> {
  let out = "";
  let err = "";
  const code = await main(argv, {
    out: (text) => (out += text),
    err: (text) => (err += text),
    terminal: plainTerminal,
  });
  return { code, out, err };
}
