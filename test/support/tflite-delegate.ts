/**
 * The external delegate of tflite-delegate.c: what it can be told. It takes ADD, MUL and SUB of float32 with operands of the output's
 * shape or of one element, and computes them itself.
 */

import { compileLibrary } from "./compile.ts";

/** All are texts, passed through OpenOptions.options. */
export interface TestDelegateOptions {
  /** Operators it takes, with commas: "ADD,MUL,SUB" are all it can. */
  readonly take?: string;
  /** Takes only the first so many nodes. */
  readonly limit?: string;
  /** Creation fails with these words through the error callback. */
  readonly refuse?: string;
  /** Preparing the graph ("fails") or its kernel ("kernel-fails") ends with an error. */
  readonly prepare?: "fails" | "kernel-fails";
  /**
   * segv, abort, exit (3), loop, alloc10g (touches 10 GiB), share10g (the same of shared memory), flood (1 GiB on stderr, then goes on), thread (leaves one running, goes
   * on), wrong-size (an output claims to be 1 GiB), fail (a run ends with an error).
   */
  readonly misbehave?:
    "segv" | "abort" | "exit" | "loop" | "alloc10g" | "share10g" | "flood" | "thread" | "wrong-size" | "fail";
  /** Where it misbehaves; in each run if not said. wrong-size and fail are of runs only. */
  readonly at?: "create" | "prepare" | "prepare-kernel" | "invoke" | "destroy";
  /** Path of a file: it misbehaves once, and makes the file first. */
  readonly once?: string;
  /** A number: of runs it misbehaves only in those whose first input begins with it. */
  readonly when?: string;
  /** Each run sleeps so many microseconds. */
  readonly sleep_us?: string;
}

/** Its path. With the flag -DWITHOUT_CREATE it lacks the plugin's functions. */
export function compileTestDelegate(folder: string, flags: readonly string[] = []): string {
  return compileLibrary("tflite-delegate.c", folder, flags);
}
