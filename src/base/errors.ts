/**
 * The few errors thrown on purpose. Each message is one sentence with the path, option or offset in it; anything else that is
 * thrown is a bug and keeps its stack. Exit codes: docs/exit-codes in `accelctl help`.
 */

export abstract class AccelctlError extends Error {
  abstract readonly exitCode: number;
}

/** The command was typed wrong; the message says what to type instead. Exit 2. */
export class UsageError extends AccelctlError {
  override readonly name = "UsageError";
  readonly exitCode = 2;
}

/** A file was read and is not what it should be: truncated, hostile, of another kind. Exit 3. */
export class FileError extends AccelctlError {
  override readonly name = "FileError";
  readonly exitCode = 3;
  readonly path: string;
  readonly offset: number | undefined;
  constructor(path: string, why: string, offset?: number, options?: ErrorOptions) {
    super(offset === undefined ? `${path}: ${why}` : `${path}: offset 0x${offset.toString(16)}: ${why}`, options);
    this.path = path;
    this.offset = offset;
  }
}

/** It was asked for rightly and cannot be done here: permission, missing tool, unsupported machine. Exit 3. */
export class CannotError extends AccelctlError {
  override readonly name: string = "CannotError";
  readonly exitCode = 3;
}

/** How a process that ran a vendor's library went wrong. */
export type Mishap = "crashed" | "exited" | "killed" | "hung" | "memory" | "flooded" | "contract";

/** A vendor's library took its process down, hung, or broke its contract. Nothing of this process is harmed. Exit 3. */
export class MishapError extends CannotError {
  override readonly name = "MishapError";
  readonly how: Mishap;
  /** SIGSEGV, SIGABRT ...; of "crashed" and "killed". */
  readonly signal: string | undefined;
  /** Of "exited". */
  readonly status: number | undefined;
  /** The library's last words on standard output and error; may be empty. */
  readonly words: string;
  constructor(
    message: string,
    { how, signal, status, words }: { how: Mishap; signal?: string; status?: number; words: string },
  ) {
    super(message);
    this.how = how;
    this.signal = signal;
    this.status = status;
    this.words = words;
  }
}
