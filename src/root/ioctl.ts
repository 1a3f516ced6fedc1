/**
 * The only native door: one ioctl(2) on one character device, through libc by koffi. What is asked and what the answer means
 * is decided elsewhere (uapi, facts/queries); here the struct and its buffers go to the driver and come back.
 * docs/decisions/020-ioctl-door.md
 */

import { constants } from "node:os";
import type * as childProcess from "node:child_process";
import type * as fileSystem from "node:fs";
import type * as koffiModule from "koffi";
import type * as workerThreads from "node:worker_threads";

import { loadKoffi } from "../base/koffi.ts";
import { absent, denied, malformed, read, uncaptured, type Reading, type Unread } from "../base/reading.ts";
import { ownRequire, requireLate } from "../base/package.ts";
import { firstLine } from "../base/words.ts";
import type { Answer, Ask } from "./root.ts";

/** Machines with asm-generic ioctl numbers, 64 bit, little endian: the layouts of src/uapi hold there and not elsewhere. */
const MACHINES: readonly string[] = ["x64", "arm64", "riscv64", "loong64"];
/** A healthy driver answers in milliseconds; one that resets its device takes a second or two. */
export const DEADLINE = 5000;
/** All that one question may pass in structs and buffers; the largest answer known (a sensor table) is 3 KiB. */
const ASK_LIMIT = 1024 * 1024;
/** How the reason of a question begins that was cut off at the deadline: whoever asks more of that node should stop. */
export const NO_ANSWER = "no answer within";

/** Put one question to a driver. Questions that wake a device are asked by a child, which can be left behind when it hangs. */
export function ioctlAsk(path: string, ask: Ask): Reading<Answer> {
  const from = `${path} ${ask.name}`;
  const wrong = unaskable(ask);
  if (wrong !== undefined) return malformed(from, wrong);
  if (!MACHINES.includes(process.arch)) {
    return uncaptured(from, `ioctl numbers of ${process.arch} machines are not known here`);
  }
  const question = questionOf(path, ask);
  let outcome: Outcome;
  try {
    if (ask.wakes === true) {
      const koffi = JSON.stringify(ownRequire().resolve("koffi"));
      const script = `(${answerFromStdin.toString()})(require, ${put.toString()}, ${koffi})`;
      const reply = askChild(script, JSON.stringify(question), DEADLINE);
      if ("failed" in reply) return uncaptured(from, reply.failed);
      outcome = JSON.parse(reply.text) as Outcome; // written by answerFromStdin below
    } else {
      outcome = put(question, loadKoffi(), requireLate("node:fs") as Fs);
    }
  } catch (error) {
    return uncaptured(from, `ioctl cannot be called here: ${firstLine(error)}`);
  }
  return understand(outcome, from);
}

/** The question as plain data, as it is put and passed to a child. */
export function questionOf(path: string, { code, input, pointers = [] }: Ask): Question {
  return {
    path,
    code,
    struct: [...input],
    pointers: pointers.map(({ at, size, bytes }) => ({ at, bytes: [...(bytes ?? new Uint8Array(size))] })),
  };
}

function unaskable({ code, input, pointers = [] }: Ask): string | undefined {
  const size = (code >>> 16) & 0x3fff;
  if (size !== input.length) return `the request is for ${size} bytes and the struct has ${input.length}`;
  if (pointers.some(({ at }) => at < 0 || at + 8 > input.length)) return "a pointer lies outside of the struct";
  if (pointers.some(({ size, bytes }) => size < 0 || (bytes !== undefined && bytes.length !== size))) {
    return "a buffer is not as large as it says";
  }
  const all = pointers.reduce((sum, { size }) => sum + size, input.length);
  return all > ASK_LIMIT ? `asks for ${all} bytes, more than ${ASK_LIMIT}` : undefined;
}

export interface Question {
  readonly path: string;
  readonly code: number;
  readonly struct: readonly number[];
  readonly pointers: readonly { readonly at: number; readonly bytes: readonly number[] }[];
}

export type Outcome =
  | { readonly struct: readonly number[]; readonly buffers: readonly (readonly number[])[] }
  | { readonly failed: "stat" | "open" | "ioctl"; readonly errno: number; readonly code?: string }
  | { readonly isA: string };

type Fs = typeof fileSystem;
type Koffi = typeof koffiModule;

/**
 * Open, ask, close. Must stand alone, using nothing but its parameters: its source text is also what the child runs. The type is
 * looked at before opening (opening acts) and again after (the name may have changed hands).
 */
export function put(question: Question, koffi: Koffi, fs: Fs): Outcome {
  const { O_RDWR, O_RDONLY, O_NONBLOCK, O_NOCTTY } = fs.constants;
  const failure = (failed: "stat" | "open" | "ioctl", error: unknown): Outcome => {
    const { errno = 0, code = "" } = error as { errno?: number; code?: string };
    return { failed, errno: Math.abs(errno), code };
  };
  const kindOf = (stat: { isCharacterDevice(): boolean; isFile(): boolean; isDirectory(): boolean }): string =>
    stat.isCharacterDevice() ? "" : stat.isFile() ? "regular file" : stat.isDirectory() ? "directory" : "special file";

  try {
    const kind = kindOf(fs.statSync(question.path));
    if (kind !== "") return { isA: kind };
  } catch (error) {
    return failure("stat", error);
  }
  const how = O_NONBLOCK | O_NOCTTY; // and O_CLOEXEC, which node always sets
  let fd: number;
  try {
    fd = fs.openSync(question.path, O_RDWR | how);
  } catch (error) {
    if (!["EACCES", "EROFS"].includes((error as { code?: string }).code ?? "")) return failure("open", error);
    try {
      fd = fs.openSync(question.path, O_RDONLY | how);
    } catch (again) {
      return failure("open", again);
    }
  }
  try {
    const kind = kindOf(fs.fstatSync(fd));
    if (kind !== "") return { isA: kind };
    const struct = Buffer.alloc(question.struct.length);
    struct.set(question.struct);
    const buffers = question.pointers.map(({ bytes }) => {
      const buffer = Buffer.alloc(Math.max(bytes.length, 1));
      buffer.set(bytes);
      return buffer;
    });
    question.pointers.forEach(({ at }, i) => struct.writeBigUInt64LE(koffi.address(buffers[i]), at));
    const ioctl = koffi.load(null).func("ioctl", "int", ["int", "ulong", "void *"]) as (...of: unknown[]) => number;
    for (let tries = 0; ioctl(fd, question.code, struct) < 0; tries++) {
      const errno = koffi.errno();
      const interrupted = errno === koffi.os.errno.EINTR || errno === koffi.os.errno.EAGAIN;
      if (!interrupted || tries >= 4) return { failed: "ioctl", errno };
    }
    question.pointers.forEach(({ at }) => struct.fill(0, at, at + 8));
    return {
      struct: [...struct],
      buffers: buffers.map((buffer, i) => [...buffer.subarray(0, question.pointers[i]?.bytes.length)]),
    };
  } finally {
    fs.closeSync(fd);
  }
}

/** What the child runs: a question in, an outcome out. Stands alone as `put` does. */
function answerFromStdin(require: NodeJS.Require, ask: typeof put, koffi: string): void {
  const fs = require("node:fs") as Fs;
  const question = JSON.parse(fs.readFileSync(0, "utf8")) as Question;
  fs.writeFileSync(1, JSON.stringify(ask(question, require(koffi) as Koffi, fs)));
}

/**
 * Run a script in a child and wait for what it prints, at most `deadline` ms. A process stuck inside a driver does not even
 * die of SIGKILL, and spawnSync would wait for it for ever. So a thread does the waiting, and this one only waits for a number.
 */
export function askChild(
  script: string,
  input: string,
  deadline: number,
): { readonly text: string } | { readonly failed: string } {
  const { Worker: Thread } = requireLate("node:worker_threads") as typeof workerThreads;
  const shared = new SharedArrayBuffer(HEAD + 8 * ASK_LIMIT);
  const state = new Int32Array(shared, 0, 4);
  const worker = new Thread(`(${supervise.toString()})(require)`, {
    eval: true,
    execArgv: [],
    workerData: { shared, head: HEAD, script, input, node: process.execPath } satisfies Supervision,
  });
  worker.on("error", () => undefined); // seen as no answer
  worker.unref();
  const came = Atomics.wait(state, 0, 0, deadline);
  const pid = Atomics.load(state, 2);
  if (came === "timed-out" && pid > 0) {
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // gone in the meantime
    }
  }
  void worker.terminate();
  if (came === "timed-out") return { failed: `${NO_ANSWER} ${deadline / 1000} s` };
  const text = Buffer.from(new Uint8Array(shared, HEAD, Atomics.load(state, 1)).slice()).toString("utf8");
  return Atomics.load(state, 0) === 1 ? { text } : { failed: `the asking process failed: ${text}` };
}

/** Before the text in the shared memory: done (1 well, 2 badly), length of the text, pid of the child. */
const HEAD = 16;

interface Supervision {
  readonly shared: SharedArrayBuffer;
  readonly head: number;
  readonly script: string;
  readonly input: string;
  /** The node program. */
  readonly node: string;
}

/** The thread that waits for the child. Stands alone as `put` does. */
function supervise(require: NodeJS.Require): void {
  const { workerData } = require("node:worker_threads") as { workerData: Supervision };
  const { spawn } = require("node:child_process") as typeof childProcess;
  const state = new Int32Array(workerData.shared, 0, 4);
  const finish = (how: 1 | 2, text: string): void => {
    if (Atomics.load(state, 0) !== 0) return;
    const bytes = Buffer.from(text).subarray(0, workerData.shared.byteLength - workerData.head);
    new Uint8Array(workerData.shared, workerData.head).set(bytes);
    Atomics.store(state, 1, bytes.length);
    Atomics.store(state, 0, how);
    Atomics.notify(state, 0);
  };
  const child = spawn(workerData.node, ["-e", workerData.script], {
    stdio: ["pipe", "pipe", "pipe"],
    env: { ...process.env, NODE_OPTIONS: "" },
  });
  Atomics.store(state, 2, child.pid ?? 0);
  const [out, err]: [Buffer[], Buffer[]] = [[], []];
  child.stdout.on("data", (chunk: Buffer) => out.push(chunk));
  child.stderr.on("data", (chunk: Buffer) => err.push(chunk));
  child.stdin.on("error", () => undefined);
  child.on("error", (error) => finish(2, error.message));
  child.on("close", (status, signal) => {
    if (status === 0) finish(1, Buffer.concat(out).toString("utf8"));
    else {
      const said = /^\w*Error:.*$/m.exec(Buffer.concat(err).toString("utf8"));
      finish(2, said?.[0] ?? (signal === null ? `exit status ${String(status)}` : signal));
    }
  });
  child.stdin.end(workerData.input);
}

/** What came of a question, as a reading. */
export function understand(outcome: Outcome, from: string): Reading<Answer> {
  if ("isA" in outcome) return malformed(from, `it is a ${outcome.isA}, not a character device`);
  if ("struct" in outcome) {
    const buffers = outcome.buffers.map((bytes) => Uint8Array.from(bytes));
    return read({ struct: Uint8Array.from(outcome.struct), buffers }, from);
  }
  const name = outcome.code ?? errnoName(outcome.errno);
  return unreadFor(outcome.failed, name, from);
}

/** What an errno means as a reading. The driver's refusal to know the question is an answer: there is no such thing here. */
function unreadFor(failed: "stat" | "open" | "ioctl", name: string, from: string): Unread {
  const why = `${failed}: ${name}`;
  if (name === "EACCES" || name === "EPERM") return denied(from, why);
  if (failed !== "ioctl") return name === "ENOENT" || name === "ENOTDIR" ? absent(from, why) : malformed(from, why);
  if (UNKNOWN_QUESTION.includes(name)) return absent(from, `${why}: this driver does not answer it`);
  return malformed(from, why);
}

const UNKNOWN_QUESTION: readonly string[] = ["ENOTTY", "EINVAL", "EOPNOTSUPP", "ENOTSUP", "ENOSYS"];

function errnoName(errno: number): string {
  return Object.entries(constants.errno).find(([, value]) => value === errno)?.[0] ?? `errno ${errno}`;
}
