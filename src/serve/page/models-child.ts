/**
 * The process that reads models of strangers and prepares their runs, so that none of them can hold up or take down the server. Built
 * as dist/page-child.js; started by models-worker.ts and by nobody else. It ends with its parent.
 */

import { loadKoffi } from "../../base/koffi.ts";
import { AccelctlError, FileError, UsageError } from "../../base/errors.ts";
import { fitAnswer, placedAnswer } from "./models-fit.ts";
import { graphAnswer, operatorAnswer, operatorsAnswer } from "./models-graph.ts";
import { answerRead, readFiles, type ReadModel } from "./models-read.ts";
import { runWork } from "./models-run.ts";
import type { Work, WorkReply } from "./models-worker.ts";

/** Models that are kept after they were read: of a few tabs. A graph of 20,000 operators has some 30 MB. */
const KEPT = 4;
/** linux/prctl.h */
const SET_PARENT_DEATH_SIGNAL = 1;
const KILL = 9;

const kept = new Map<string, ReadModel>();

dieWithParent();
process.on("disconnect", () => process.exit(0));
process.on("message", (message: { readonly id: number; readonly work: Work }) => {
  void answer(message.work).then((reply) => process.send?.({ id: message.id, reply }));
});

async function answer(work: Work): Promise<WorkReply> {
  try {
    return { done: await workOf(work) };
  } catch (error) {
    if (!(error instanceof AccelctlError)) {
      return {
        failed: { kind: "bug", message: error instanceof Error ? (error.stack ?? error.message) : String(error) },
      };
    }
    const kind = error instanceof UsageError ? "usage" : error instanceof FileError ? "file" : "cannot";
    return { failed: { kind, message: error.message } };
  }
}

function workOf(work: Work): unknown {
  switch (work.ask) {
    case "read":
      return answerRead(read(work.files), work);
    case "graph":
      return graphAnswer(modelOf(work.files), work.wish);
    case "operators":
      return operatorsAnswer(modelOf(work.files), work.wish);
    case "operator":
      return operatorAnswer(modelOf(work.files), work.node, work.graph, work.by);
    case "fit":
      return work.wish.target === undefined
        ? fitAnswer(modelOf(work.files), work.wish, work.root)
        : placedAnswer(modelOf(work.files), work.wish);
    case "run":
      return runWork(work);
  }
}

/** Uploads are never written to again, so their paths say what they are. */
function read(files: readonly string[]): ReadModel {
  const key = files.join("\0");
  const known = kept.get(key) ?? readFiles(files);
  kept.delete(key);
  kept.set(key, known);
  const [oldest] = kept.keys();
  if (kept.size > KEPT && oldest !== undefined) kept.delete(oldest);
  return known;
}

function modelOf(files: readonly string[]): NonNullable<ReadModel["described"]>["model"] {
  const { described, broken } = read(files);
  if (described === undefined) throw broken ?? new UsageError("this file is no model, so it has no graph");
  return described.model;
}

function dieWithParent(): void {
  const parent = Number(process.argv[2]);
  const prctl = loadKoffi()
    .load(null)
    .func("int prctl(int option, unsigned long a, unsigned long b, unsigned long c, unsigned long d)");
  prctl(SET_PARENT_DEATH_SIGNAL, KILL, 0, 0, 0);
  // It may have died between starting this process and the line above.
  if (process.ppid !== parent) process.exit(0);
}
