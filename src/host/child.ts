/**
 * The child process in which a vendor's library works: it serves one session, asked over Node's channel (protocol.ts). It is started
 * by isolate.ts and by nobody else. It dies with its parent, leaves no core dump, and has a limit of memory.
 */

import { readFileSync } from "node:fs";
import { AccelctlError, CannotError, FileError, MishapError, UsageError } from "../base/errors.ts";
import { loadKoffi, type Koffi } from "../base/koffi.ts";
import type { Delegate, Ran, Session } from "../delegates/delegate.ts";
import { delegates } from "../delegates/index.ts";
import { elementsOver, type Elements, type Value } from "../delegates/value.ts";
import { SharedMemory } from "./memory.ts";
import { SHARED_FD, type Failure, type Reply, type Request, type Told } from "./protocol.ts";

/** prctl(2), setrlimit(2): the numbers are those of linux/prctl.h and asm-generic/resource.h. */
const [SET_PARENT_DEATH_SIGNAL, KILL, LIMIT_DATA, LIMIT_CORE] = [1, 9, 2, 4];
/** fcntl(2): the numbers are those of asm-generic/fcntl.h. */
const [GET_FLAGS, SET_FLAGS, NONBLOCK] = [3, 4, 0o4000];

let session: Session | undefined;
let memory: SharedMemory | undefined;
let pieces: AsyncGenerator<string, Ran, undefined> | undefined;
/** Kept for outputs that the delegate did not put into the shared memory itself, by output. */
const slots = new Map<string, ArrayBuffer>();

process.on("message", (request: Request) => {
  void answer(request).then(
    (reply) => process.send?.(reply),
    (error: unknown) => process.send?.({ failed: failureOf(error) } satisfies Reply),
  );
});
// Whoever started it is gone.
process.on("disconnect", () => process.exit(0));

async function answer(request: Request): Promise<Reply> {
  switch (request.ask) {
    case "open": {
      confine(request.memory, request.parent);
      memory = new SharedMemory(SHARED_FD, "second");
      const own = memory;
      session = await delegateOf(request.delegate).open(request.model, {
        ...request.options,
        lending: { allocate: (bytes) => own.allocate(bytes) },
      });
      const { inputs, outputs, version, placement } = session;
      return { done: "open", inputs, outputs, version, placement, streams: session.stream !== undefined };
    }
    case "probe": {
      confine(request.memory, request.parent);
      const { probe, name } = delegateOf(request.delegate);
      if (probe === undefined) throw new CannotError(`${name} cannot be asked for devices`);
      return { done: "probe", seen: await probe(request.options) };
    }
    case "run": {
      if (session === undefined || memory === undefined) throw new CannotError("no model is open");
      return toldOf(await session.run(new Map(request.inputs.map(valueOf))), memory);
    }
    case "stream":
      if (session?.stream === undefined) throw new CannotError("no model is open that writes a text");
      pieces = session.stream(new Map(request.inputs.map(valueOf)), request.options);
      return nextPiece();
    case "next":
      return nextPiece();
    case "stop":
      await pieces?.return(undefined as never); // what it returns is not looked at
      pieces = undefined;
      return { done: "stop" };
    case "close":
      await session?.close();
      session = undefined;
      return { done: "close" };
  }
}

async function nextPiece(): Promise<Reply> {
  if (pieces === undefined || memory === undefined) throw new CannotError("no text has begun");
  const step = await pieces.next();
  if (step.done !== true) return { done: "piece", text: step.value };
  pieces = undefined;
  return toldOf(step.value, memory);
}

function delegateOf(id: string): Delegate {
  const found = delegates.find((delegate) => delegate.id === id);
  if (found === undefined) throw new CannotError(`no delegate "${id}"`);
  return found;
}

/** From before the library is loaded: what it does from then on has these limits. */
function confine(bytes: number, parent: number): void {
  const koffi = loadKoffi();
  const library = koffi.load(null);
  const prctl = library.func(
    "int prctl(int option, unsigned long a, unsigned long b, unsigned long c, unsigned long d)",
  );
  prctl(SET_PARENT_DEATH_SIGNAL, KILL, 0, 0, 0);
  // It may have died between starting this process and the line above.
  if (process.ppid !== parent) process.exit(0);
  const limit = library.func("int setrlimit(int resource, const uint64_t *limits)");
  limit(LIMIT_CORE, new BigUint64Array([0n, 0n]));
  const now = Number(/^VmData:\s+(\d+) kB$/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1] ?? 0) * 1024;
  const most = BigInt(Math.floor(now + bytes));
  sayAll(library);
  endPlainly(koffi);
  // On 32-bit machines the struct is of two longs of 32 bits.
  if (process.arch === "arm" || process.arch === "ia32") {
    const short = Number(most > 0xffff_ffffn ? 0xffff_ffffn : most);
    limit(LIMIT_DATA, new BigUint64Array(new Uint32Array([short, short]).buffer));
  } else limit(LIMIT_DATA, new BigUint64Array([most, most]));
}

/**
 * Node makes its standard output and error non-blocking as soon as one of its own modules looks at them (node:util does from Node 22
 * on). C's streams drop what does not fit then, a library's last words with it.
 */
function sayAll(library: ReturnType<Koffi["load"]>): void {
  const fcntl = library.func("int fcntl(int fd, int command, int argument)") as (...words: number[]) => number;
  for (const { fd } of [process.stdout, process.stderr]) fcntl(fd, SET_FLAGS, fcntl(fd, GET_FLAGS, 0) & ~NONBLOCK);
}

/**
 * A library may call exit() on a thread of its own. Node, taken down from there, aborts: instead the last of what exit() does is
 * to end the process with the status that was given, after the library's words are flushed. Handlers run last registered first. glibc
 * alone has on_exit(3).
 */
function endPlainly(koffi: Koffi): void {
  const library = koffi.load(null);
  const find = library.func("void *dlsym(void *handle, const char *name)") as (
    handle: null,
    name: string,
  ) => bigint | null;
  const [exit, flush] = [find(null, "_exit"), find(null, "fflush")];
  if (find(null, "on_exit") === null || exit === null || flush === null) return;
  library.func("int on_exit(void *handler, void *argument)")(exit, null);
  library.func("int __cxa_atexit(void *handler, void *argument, void *library)")(flush, null, null);
}

function valueOf({ name, type, shape, offset, bytes, texts }: Told): [string, Value] {
  if (texts !== undefined) return [name, { type, shape, data: texts }];
  const data = elementsOver(type, memory?.view(offset ?? 0, bytes ?? 0) ?? new ArrayBuffer(0));
  if (data === undefined) throw new CannotError(`input "${name}" is of ${type}, which is not held here`);
  return [name, { type, shape, data }];
}

function toldOf({ outputs, spans, figures }: Ran, shared: SharedMemory): Reply {
  const told = [...outputs].map(([name, { type, shape, data }]): Told => {
    if (!ArrayBuffer.isView(data)) return { name, type, shape, texts: data };
    const bytes = data.byteLength;
    const lent = shared.offsetOf(data.buffer as ArrayBuffer);
    if (lent !== undefined) return { name, type, shape, offset: lent + data.byteOffset, bytes };
    const slot = slotFor(name, bytes, shared);
    new Uint8Array(slot).set(bytesOf(data));
    return { name, type, shape, offset: shared.offsetOf(slot) ?? 0, bytes };
  });
  return { done: "run", outputs: told, spans, ...(figures === undefined ? {} : { figures }) };
}

/** As large as was ever needed, and twice as large when more is: outputs may vary in shape. */
function slotFor(name: string, bytes: number, shared: SharedMemory): ArrayBuffer {
  const known = slots.get(name);
  if (known !== undefined && known.byteLength >= bytes) return known;
  const slot = shared.allocate(known === undefined ? bytes : Math.max(bytes, 2 * known.byteLength));
  slots.set(name, slot);
  return slot;
}

const bytesOf = (data: Elements): Uint8Array => new Uint8Array(data.buffer, data.byteOffset, data.byteLength);

function failureOf(error: unknown): Failure {
  if (error instanceof FileError) {
    const { path, offset } = error;
    return { kind: "file", message: error.message, path, ...(offset === undefined ? {} : { offset }) };
  }
  if (error instanceof MishapError) return { kind: error.how, message: error.message };
  if (error instanceof UsageError) return { kind: "usage", message: error.message };
  if (error instanceof AccelctlError) return { kind: "cannot", message: error.message };
  const { message, stack } = error instanceof Error ? error : new Error(String(error));
  return { kind: "bug", message, ...(stack === undefined ? {} : { stack }) };
}
