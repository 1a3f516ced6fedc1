/**
 * Runs a program for each alert, with the alert as JSON on its standard input and no shell in between. What it prints goes to standard
 * error. Programs that do not end are ended; when too many are under way an alert is not told to another, and that is said.
 */

import { spawn } from "node:child_process";
import type { AlertEvent } from "./alert.ts";

/** Under way at one time: alerts come in bursts, and a program that hangs must not take the machine with it. */
const MOST = 8;
const LONGEST_MS = 60_000;

export interface AlertRunner {
  run(event: AlertEvent): void;
  /** Resolves when all have ended. */
  done(): Promise<void>;
}

export function createRunner(program: string, complain: (text: string) => void): AlertRunner {
  const under = new Set<Promise<void>>();
  return {
    run(event) {
      if (under.size >= MOST) {
        complain(`${program}: ${MOST} are still running; not run for ${event.metric} of ${event.device}`);
        return;
      }
      const one = runOne(program, event, complain).finally(() => under.delete(one));
      under.add(one);
    },
    async done() {
      await Promise.all(under);
    },
  };
}

function runOne(program: string, event: AlertEvent, complain: (text: string) => void): Promise<void> {
  return new Promise((done) => {
    const child = spawn(program, [], { stdio: ["pipe", 2, 2], timeout: LONGEST_MS, killSignal: "SIGKILL" });
    child.once("error", (error) => {
      complain(`${program}: ${"code" in error && error.code === "ENOENT" ? "no such program" : error.message}`);
      done();
    });
    child.once("close", (status, signal) => {
      if (signal !== null) complain(`${program}: ended by ${signal}`);
      else if (status !== 0) complain(`${program}: ended with ${status ?? "nothing"}`);
      done();
    });
    // A program that does not read its input is none the worse.
    child.stdin?.on("error", () => undefined);
    child.stdin?.end(`${JSON.stringify(event)}\n`);
  });
}
