/** --eval FILE: the answers held against rows that somebody else saw: compile decisions, or measured times. */

import { readFileSync } from "node:fs";
import { FileError } from "../base/errors.ts";

export interface Evaluation {
  readonly kind: "placement" | "latency";
  /** Tables for people. */
  readonly text: string;
}

export function evaluateFile(path: string): Evaluation {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    throw new FileError(path, (error as Error).message.replace(/^\w+: /, ""), undefined, { cause: error });
  }
  throw new FileError(path, `${text.length} bytes, and nothing here evaluates them yet`);
}
