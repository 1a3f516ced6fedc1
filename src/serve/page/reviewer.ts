/**
 * Reviewer: the report as `accelctl review --json` prints it, made by a process of its own. Reading a machine takes a tenth of a
 * second to some seconds, in which this process goes on serving; and what somebody dropped on the page is read where neither a
 * hang nor its memory does harm.
 */

import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { CannotError } from "../../base/errors.ts";
import { LEAVE_OUT, ownFile } from "../../base/package.ts";

/** The slowest captured machine takes a second; a live one with sleeping devices that are asked some more. */
const REVIEW_MS = 60_000;
/** The largest report of a captured machine has 170 kB. */
const REPORT_LIMIT = 64 * 1024 * 1024;
/** Enough for its one sentence. */
const WORDS_LIMIT = 8 * 1024;

export interface Asked {
  /** As --root takes it; absent: the live machine. */
  readonly root?: string;
  readonly environments?: readonly string[];
  /** Also ask drivers where the question wakes a sleeping device. */
  readonly query?: boolean;
  /** A machine in bytes, instead of `root`. */
  readonly bytes?: Uint8Array;
  readonly signal?: AbortSignal;
}

/** The review said no; `says` is its own sentence, without its name. */
export class ReviewError extends Error {
  readonly says: string;
  constructor(says: string) {
    super(says);
    this.name = "ReviewError";
    this.says = says;
  }
}

/** JSON, as UTF-8. Rejects with ReviewError, or CannotError where no process can be started. */
export function reviewJson(asked: Asked): Promise<Buffer> {
  const { root, environments = [], query = false, bytes, signal } = asked;
  const words = [
    ...["review", "--json", "--abilities"],
    ...(query ? ["--query"] : []),
    ...(bytes !== undefined ? ["--root=-"] : root === undefined ? [] : [`--root=${root}`]),
    ...environments.map((folder) => `--env=${folder}`),
  ];
  const env = { ...process.env };
  // Meant for this process: a debugger's port, a loader of TypeScript.
  delete env["NODE_OPTIONS"];
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [commandFile(), ...words], {
      stdio: ["pipe", "pipe", "pipe"],
      env,
      timeout: REVIEW_MS,
      killSignal: "SIGKILL",
      ...(signal === undefined ? {} : { signal }),
    });
    const chunks: Buffer[] = [];
    let [length, says] = [0, ""];
    child.stdout.on("data", (chunk: Buffer) => {
      length += chunk.length;
      if (length > REPORT_LIMIT) child.kill("SIGKILL");
      else chunks.push(chunk);
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => (says = (says + text).slice(0, WORDS_LIMIT)));
    // It may have said no before it read all of it: EPIPE.
    child.stdin.on("error", () => undefined);
    child.stdin.end(bytes);
    child.on("error", (error) => reject(new CannotError(`the review could not be started: ${error.message}`)));
    child.on("close", (code, by) => {
      if (code === 0) resolve(Buffer.concat(chunks));
      else if (by !== null)
        reject(new ReviewError(length > REPORT_LIMIT ? "its report is too large" : "it took too long"));
      else reject(new ReviewError(sentence(says)));
    });
  });
}

function sentence(text: string): string {
  const line = text.trim().split("\n").at(-1) ?? "";
  return line.replace(/^accelctl: /, "").replace(/^standard input: /, "") || "the review failed without a word";
}

/** dist/accelctl.cjs, seen from a bundle beside it and from the sources. */
function commandFile(): string {
  const here = dirname(ownFile());
  const found = ["accelctl.cjs", "../../dist/accelctl.cjs"]
    .map((place) => join(here, place))
    .find((place) => existsSync(place));
  if (found === undefined) throw new CannotError(`accelctl.cjs is not found from ${ownFile()}: ${LEAVE_OUT}`);
  return found;
}
