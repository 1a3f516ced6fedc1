/** What callers are told of errors: the library's words without anything of the host's. */

import { AccelctlError, FileError, MishapError } from "../../base/errors.ts";
import { Refusal } from "../engine.ts";

/** Longer ones are a library's whole log. */
const LENGTH_LIMIT = 500;
/** Absolute paths, as one that begins a word; and numbers that are addresses. */
const PATH = /(?<![\w.:/-])\/(?:[^\s/:;,"'()]+\/)+([^\s/:;,"'()]*)/g;
/** As lock.ts says who holds a device. */
const HOLDER = /\bheld by process .*/g;
const ADDRESS = /\b0x[0-9a-fA-F]{6,}\b/g;

/** `path`: of the model, which is left out wherever it stands. */
export function publicWords(error: unknown, path?: string): string {
  // A bug's words and a library's last ones are for the log.
  if (error instanceof MishapError) return mishap(error);
  if (!(error instanceof AccelctlError || error instanceof Refusal)) return "it failed";
  let text = error.message;
  if (error instanceof FileError && text.startsWith(`${error.path}: `)) text = text.slice(error.path.length + 2);
  if (path !== undefined) text = text.replaceAll(`${path}: `, "").replaceAll(path, "the file");
  text = text
    .replace(HOLDER, "held by another process")
    .replace(PATH, "$1")
    .replace(ADDRESS, "an address")
    .replace(/\s+/g, " ")
    .trim();
  return text.length > LENGTH_LIMIT ? `${text.slice(0, LENGTH_LIMIT)}…` : text;
}

function mishap({ how, signal }: MishapError): string {
  switch (how) {
    case "crashed":
      return `the model's process crashed${signal === undefined ? "" : ` (${signal})`}`;
    case "exited":
    case "killed":
      return "the model's process ended";
    case "hung":
      return "the model gave no answer in time";
    case "memory":
      return "the model took more memory than it may";
    case "flooded":
      return "the model's library printed without end";
    case "contract":
      return "the model's library gave an answer that makes no sense";
  }
}
