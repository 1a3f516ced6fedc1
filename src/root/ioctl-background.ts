/**
 * Questions to drivers that are put again and again, without waiting: one child asks them, and what it was answered last is there for
 * whoever asks next. A child that hangs is left behind, as with a single question (ioctl.ts).
 */

import { spawn, type ChildProcess } from "node:child_process";
import type * as fileSystem from "node:fs";
import type * as lineReader from "node:readline";
import { ownRequire } from "../base/package.ts";
import { uncaptured, type Reading } from "../base/reading.ts";
import { DEADLINE, NO_ANSWER, put, questionOf, understand, type Outcome } from "./ioctl.ts";
import type { Answer, Ask } from "./root.ts";

export interface BackgroundAsker {
  /** What was answered last, if that was a moment ago; else undefined. The question is on its way again if it comes often. */
  ask(path: string, ask: Ask): Reading<Answer> | undefined;
  close(): void;
}

/** Whoever samples once a second takes the answer of the second before; what is older says nothing of now. */
const FRESH_MS = 2500;
/** Outcomes are kept by question: a device has a handful. */
const KEPT_LIMIT = 256;
/** An outcome is JSON of at most a megabyte of struct and buffers, each byte up to four characters. */
const LINE_LIMIT = 8 * 1024 * 1024;

export function openBackgroundAsker(now: () => number = () => performance.now()): BackgroundAsker {
  const answers = new Map<string, { readonly outcome: Outcome; readonly at: number }>();
  /** On their way, since when; and when each was last wanted. */
  const asked = new Map<string, number>();
  const wanted = new Map<string, number>();
  let child: ChildProcess | undefined;
  let text = "";

  const leave = (): void => {
    child?.kill("SIGKILL");
    child = undefined;
    text = "";
    asked.clear();
  };
  const take = (chunk: string): void => {
    text += chunk;
    if (text.length > LINE_LIMIT) return leave();
    for (let end = text.indexOf("\n"); end >= 0; end = text.indexOf("\n")) {
      const { key, outcome } = JSON.parse(text.slice(0, end)) as { key: string; outcome: Outcome }; // written by answerLines below
      text = text.slice(end + 1);
      asked.delete(key);
      if (answers.size >= KEPT_LIMIT) answers.clear();
      answers.set(key, { outcome, at: now() });
    }
  };
  const start = (): ChildProcess => {
    const koffi = JSON.stringify(ownRequire().resolve("koffi"));
    const script = `(${answerLines.toString()})(require, ${put.toString()}, ${koffi})`;
    const begun = spawn(process.execPath, ["-e", script], {
      stdio: ["pipe", "pipe", "ignore"],
      env: { ...process.env, NODE_OPTIONS: "" },
    });
    begun.unref();
    for (const stream of [begun.stdin, begun.stdout]) {
      if ("unref" in stream && typeof stream.unref === "function") (stream.unref as () => void).call(stream);
      stream.on("error", () => undefined); // told by its end
    }
    begun.stdout.setEncoding("utf8").on("data", take);
    for (const end of ["error", "exit"]) {
      begun.once(end, () => {
        if (child === begun) leave();
      });
    }
    return begun;
  };

  return {
    ask(path, ask) {
      const from = `${path} ${ask.name}`;
      const question = questionOf(path, ask);
      const key = JSON.stringify(question);
      if ([...asked.values()].some((at) => now() - at > DEADLINE)) {
        leave();
        return uncaptured(from, `${NO_ANSWER} ${DEADLINE / 1000} s`);
      }
      const before = wanted.get(key);
      if (wanted.size >= KEPT_LIMIT) wanted.clear();
      wanted.set(key, now());
      // Whoever comes seldom asks for himself: an answer would be old before he comes again.
      if (before === undefined || now() - before > FRESH_MS) return undefined;
      if (!asked.has(key)) {
        asked.set(key, now());
        child ??= start();
        child.stdin?.write(`${key}\n`);
      }
      const last = answers.get(key);
      if (last === undefined || now() - last.at > FRESH_MS) return undefined;
      return understand(last.outcome, from);
    },
    close: leave,
  };
}

/** What the child runs: questions in, one a line, outcomes out. Stands alone, as its text is passed on. Ends with its standard input. */
function answerLines(require: NodeJS.Require, ask: typeof put, koffi: string): void {
  const fs = require("node:fs") as typeof fileSystem;
  const lines = (require("node:readline") as typeof lineReader).createInterface({ input: process.stdin });
  lines.on("line", (key) => {
    const outcome = ask(JSON.parse(key) as Parameters<typeof put>[0], require(koffi) as Parameters<typeof put>[1], fs);
    process.stdout.write(`${JSON.stringify({ key, outcome })}\n`);
  });
}
