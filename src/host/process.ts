/**
 * One child process, asked one thing at a time. Whatever becomes of it (a signal, exit(), silence, too much memory or too many words)
 * turns into one MishapError with the library's last words; the process and all it started are then gone.
 */

import { spawn, type ChildProcess } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { totalmem } from "node:os";
import { dirname, join } from "node:path";
import { CannotError, FileError, MishapError, UsageError, type Mishap } from "../base/errors.ts";
import { findPackage, LEAVE_OUT, ownFile } from "../base/package.ts";
import { closeShared, createShared, SharedMemory } from "./memory.ts";
import type { Failure, Reply, Request } from "./protocol.ts";

/** Of what is said while one thing is done. A library that logs each frame says some MB an hour. */
const FLOOD = 64 * 1024 * 1024;
/** Kept of what was said last. */
const KEPT = 8192;
/** Of it in an error. */
const SAID = 300;
/**
 * How often the child's memory is looked at while it works, milliseconds. The kernel itself refuses private memory beyond the limit;
 * this is for shared memory, tensors included, which it does not count.
 */
const LOOK = 100;
/** What Node has of its own before a library is loaded, generously. */
const OWN = 256 * 2 ** 20;
/** How long a child may take to end by itself after its session is closed, and its pipes to run dry after it ended. */
const [GRACE, DRY] = [2000, 250];

export interface Limits {
  /** Milliseconds for opening a model, and for a run. */
  readonly open_ms: number;
  readonly run_ms: number;
  /** Bytes. */
  readonly memory: number;
}

/** TensorRT and others compile for minutes; four fifths of the machine's memory. */
export const defaultLimits = (): Limits => ({
  open_ms: 600_000,
  run_ms: 300_000,
  memory: Math.floor(totalmem() * 0.8),
});

export class HostProcess {
  readonly pid: number;
  readonly shared: SharedMemory;
  readonly #child: ChildProcess;
  readonly #limits: Limits;
  /** Of whoever this is, for sentences. */
  readonly #name: string;
  #words = "";
  #said = 0;
  #waiting: { done: (reply: Reply) => void; failed: (error: Error) => void } | undefined;
  /** Why it was killed here. */
  #sentence: { how: Mishap; says: string } | undefined;
  #gone: Error | undefined;
  readonly #ended: Promise<void>;
  /** Of what is being done: when it began and how long it may take, milliseconds. */
  #since = 0;
  #within = 0;
  #looking: NodeJS.Timeout | undefined;
  #every = LOOK;

  constructor(name: string, limits: Limits) {
    this.#name = name;
    this.#limits = limits;
    const fd = createShared();
    try {
      this.shared = new SharedMemory(fd, "first");
      const env = { ...process.env };
      // Meant for this process: a debugger's port, a loader of TypeScript.
      delete env["NODE_OPTIONS"];
      this.#child = spawn(process.execPath, [childFile()], {
        stdio: ["ignore", "pipe", "pipe", "ipc", fd],
        // A group of its own: what the library starts goes with it.
        detached: true,
        env,
      });
    } finally {
      closeShared(fd);
    }
    this.pid = this.#child.pid ?? 0;
    this.#ended = new Promise((ended) => this.#watch(ended));
    this.#hold(false);
  }

  /** Is it there to be asked? */
  get alive(): boolean {
    return this.#gone === undefined;
  }

  /** Throws what the delegate threw, or MishapError. Never two at once. */
  async ask(request: Request, within: number, signal?: AbortSignal): Promise<Exclude<Reply, { failed: Failure }>> {
    if (this.#gone !== undefined) throw this.#gone;
    signal?.throwIfAborted();
    this.#said = 0;
    this.#within = within;
    this.#since = performance.now();
    this.#watchClosely(within);
    const abort = signal === undefined ? undefined : (): void => this.#kill("killed", "was stopped, as was asked");
    if (abort !== undefined) signal?.addEventListener("abort", abort);
    try {
      const reply = await new Promise<Reply>((done, failed) => {
        this.#waiting = { done, failed };
        this.#child.send(request, this.#sent);
      });
      if ("failed" in reply) throw errorOf(reply.failed, this.#name, this.lastWords());
      return reply;
    } catch (error) {
      signal?.throwIfAborted();
      throw error;
    } finally {
      this.#waiting = undefined;
      if (abort !== undefined) signal?.removeEventListener("abort", abort);
    }
  }

  /** Closes the session and waits for the end; what does not end by itself is ended. Never throws. */
  async end(): Promise<void> {
    if (this.#gone === undefined) {
      await this.ask({ ask: "close" }, GRACE).catch(() => undefined);
      if (this.#child.connected) this.#child.disconnect();
      this.#hold(true);
      const late = setTimeout(() => this.#kill("hung", "did not end"), GRACE);
      await this.#ended;
      clearTimeout(late);
    } else await this.#ended;
    this.shared.close();
  }

  /** On one line; empty when nothing was said. */
  lastWords(): string {
    const text = this.#words
      .replace(/\u001b\[[0-9;]*[A-Za-z]/g, "")
      .replace(/[\s\u0000-\u001f\u007f]+/g, " ")
      .trim();
    return text.length > SAID ? `…${text.slice(1 - SAID)}` : text;
  }

  #watch(ended: () => void): void {
    const child = this.#child;
    // Not the process's own "close": where this side has disconnected first, Node never emits it.
    let open = 0;
    let empty: (() => void) | undefined;
    for (const stream of [child.stdout, child.stderr]) {
      if (stream !== null) open++;
      stream?.once("close", () => (--open === 0 ? empty?.() : undefined));
      stream?.setEncoding("latin1");
      stream?.on("data", (text: string) => {
        this.#said += text.length;
        this.#words = (this.#words + text).slice(-KEPT);
        if (this.#said > FLOOD) this.#kill("flooded", `wrote more than ${FLOOD / 1024 / 1024} MB of log in one go`);
      });
      stream?.on("error", () => undefined);
    }
    child.on("message", (reply: Reply) => this.#waiting?.done(reply));
    const over = (error: Error): void => {
      if (this.#gone !== undefined) return;
      this.#gone = error;
      // What it started and left behind.
      this.#killGroup();
      this.#waiting?.failed(error);
      ended();
    };
    child.on("error", (error) => over(new CannotError(`${this.#name}: no process could be started: ${error.message}`)));
    child.on("exit", (status, signal) => {
      // Last words may still be in the pipes; a process that the library started may hold them open.
      const dry = setTimeout(() => over(this.#mishap(status, signal)), DRY);
      empty = () => {
        clearTimeout(dry);
        over(this.#mishap(status, signal));
      };
      if (open === 0) empty();
    });
  }

  #mishap(status: number | null, signal: NodeJS.Signals | null): MishapError {
    const words = this.lastWords();
    const last = words === "" ? "" : `; its last words: ${words}`;
    const tell = (how: Mishap, says: string): MishapError =>
      new MishapError(`${this.#name}: its process ${says}${last}`, {
        how,
        words,
        ...(signal === null || this.#sentence !== undefined ? {} : { signal }),
        ...(status === null ? {} : { status }),
      });
    if (this.#sentence !== undefined) return tell(this.#sentence.how, this.#sentence.says);
    if (signal === "SIGKILL") {
      return tell("killed", "was killed from outside (SIGKILL), as the kernel does when memory runs out: see dmesg");
    }
    if (signal !== null) {
      return tell(
        "crashed",
        `crashed (${signal}) with a limit of ${Math.round(this.#limits.memory / 2 ** 20)} MiB of memory`,
      );
    }
    return tell("exited", `ended by itself (exit ${String(status)}), which no library should do`);
  }

  /**
   * One timer for many runs, since making and ending one costs more than a small run: it looks at clock and memory while something is
   * done, and lets go of the caller's event loop once nothing is.
   */
  #watchClosely(within: number): void {
    const every = Math.min(LOOK, Math.max(1, within / 4));
    if (this.#looking !== undefined && every >= this.#every) return;
    clearInterval(this.#looking);
    this.#every = every;
    this.#hold(true);
    this.#looking = setInterval(() => {
      if (this.#waiting === undefined) {
        clearInterval(this.#looking);
        this.#looking = undefined;
        this.#every = LOOK;
        this.#hold(false);
      } else if (performance.now() - this.#since > this.#within) {
        this.#kill("hung", `gave no answer within ${seconds(this.#within)}`);
      } else this.#look();
    }, every);
  }

  /** The end of the process is told by itself a little later, and says more. */
  readonly #sent = (error: Error | null): void => {
    if (error === null) return;
    setTimeout(() => {
      const { exitCode, signalCode } = this.#child;
      if (exitCode === null && signalCode === null) this.#kill("exited", "cannot be reached");
    }, DRY);
  };

  #look(): void {
    let status: string;
    try {
      status = readFileSync(`/proc/${this.pid}/status`, "latin1");
    } catch {
      return; // it has just ended, which is told by itself
    }
    // In kB, whatever the size of a page: 16 KiB on a Raspberry Pi 5. A process that is ending has neither line.
    const lines = [...status.matchAll(/^Rss(?:Anon|Shmem):\s+(\d+) kB$/gm)];
    const bytes = lines.reduce((sum, [, kilobytes]) => sum + Number(kilobytes) * 1024, 0);
    if (bytes > this.#limits.memory + OWN) {
      this.#kill("memory", `took more memory than its limit of ${Math.round(this.#limits.memory / 2 ** 20)} MiB`);
    }
  }

  #kill(how: Mishap, says: string): void {
    this.#sentence ??= { how, says };
    this.#killGroup();
  }

  #killGroup(): void {
    if (this.pid === 0) return;
    try {
      process.kill(-this.pid, "SIGKILL");
    } catch {
      // ESRCH: all of them are gone.
    }
  }

  /** A session that is idle keeps nobody's process alive. */
  #hold(held: boolean): void {
    const child = this.#child;
    const streams = [child.stdout, child.stderr, child.channel] as readonly ({ ref(): void; unref(): void } | null)[];
    for (const one of [child, ...streams]) {
      if (held) one?.ref();
      else one?.unref();
    }
  }
}

const seconds = (ms: number): string => `${ms < 10_000 ? ms / 1000 : Math.round(ms / 1000)} s`;

/** Beside this bundle, or where the build puts it, when this runs from its sources or as a benchmark; else in the package itself. */
function childFile(): string {
  const here = dirname(ownFile());
  const places = ["host.cjs", "../../dist/host.cjs", "../host.cjs"].map((place) => join(here, place));
  const found = places.find((path) => existsSync(path)) ?? packagedChild();
  if (found === undefined) throw new CannotError(`accelctl's host.cjs is not found from ${ownFile()}: ${LEAVE_OUT}`);
  return found;
}

/** For somebody's bundle of the library. */
function packagedChild(): string | undefined {
  const found = findPackage("accelctl");
  const path = join(found?.folder ?? "", "dist/host.cjs");
  return found !== undefined && existsSync(path) ? path : undefined;
}

function errorOf({ kind, message, path, offset, stack }: Failure, name: string, words: string): Error {
  switch (kind) {
    case "cannot":
      return new CannotError(message);
    case "usage":
      return new UsageError(message);
    case "file": {
      const where = offset === undefined ? `${path ?? ""}: ` : `${path ?? ""}: offset 0x${offset.toString(16)}: `;
      return new FileError(path ?? "", message.startsWith(where) ? message.slice(where.length) : message, offset);
    }
    case "bug":
      return Object.assign(new Error(`${name}: ${message}`), stack === undefined ? {} : { stack });
    default:
      return new MishapError(message, { how: kind, words });
  }
}
