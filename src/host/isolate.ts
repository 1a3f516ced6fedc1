/**
 * A session whose library works in a child process. It is a Session like any other, and outlives its process: after a mishap the next
 * run starts a new one and opens the model again. docs/decisions/040-child-process-per-session.md
 */

import { resolve } from "node:path";
import { CannotError, MishapError } from "../base/errors.ts";
import type {
  Delegate,
  OpenOptions,
  Placement,
  Port,
  ProbeOptions,
  Ran,
  Seen,
  Session,
} from "../delegates/delegate.ts";
import { elementsOver, lengthOf, product, type Value } from "../delegates/value.ts";
import { defaultLimits, HostProcess, type Limits } from "./process.ts";
import type { Reply, Told } from "./protocol.ts";
import { Streams } from "./stream.ts";
import type { SharedMemory } from "./memory.ts";

export type { Limits } from "./process.ts";

export interface IsolatedSession extends Session {
  /** Of the process that works, for whoever looks at the kernel's counters; another one after a mishap. */
  readonly pid: number;
  /** A value in the shared memory: what is written into it, run() need not copy. Its elements are zero. */
  allocate(input: string, shape: readonly number[]): Value;
  run(inputs: ReadonlyMap<string, Value>, options?: RunOptions): Promise<Ran>;
}

export interface RunOptions {
  /** Milliseconds instead of the session's limit. */
  readonly timeout_ms?: number;
  /** Outputs are handed out where they lie in the shared memory, without a copy: they hold until the session's next run. */
  readonly lent?: boolean;
  /** Ends the process: a library cannot be interrupted. */
  readonly signal?: AbortSignal;
}

interface Opened {
  readonly host: HostProcess;
  readonly inputs: readonly Port[];
  readonly outputs: readonly Port[];
  readonly version: string;
  readonly placement: Placement;
  readonly streams: boolean;
}

/** Opens `model` by the delegate in a process of its own. Throws what the delegate throws, or MishapError. */
export async function isolate(
  delegate: Delegate,
  model: string,
  options: Omit<OpenOptions, "lending">,
  limits: Partial<Limits> = {},
  signal?: AbortSignal,
): Promise<IsolatedSession> {
  const all = { ...defaultLimits(), ...limits };
  const path = resolve(model);
  const open = async (abort?: AbortSignal): Promise<Opened> => {
    const host = new HostProcess(delegate.name, all);
    try {
      const { memory } = all;
      const reply = await host.ask(
        { ask: "open", delegate: delegate.id, model: path, options, memory, parent: process.pid },
        all.open_ms,
        abort,
      );
      if (reply.done !== "open") throw new CannotError(`${delegate.name}: its process answered something else`);
      return { ...reply, host };
    } catch (error) {
      await host.end();
      throw named(error, path, model);
    }
  };
  return sessionOver(delegate, await open(signal), open, all);
}

/** What the delegate's library sees. Throws what the delegate throws, or MishapError. */
export async function probeIsolated(
  delegate: Delegate,
  options: ProbeOptions,
  limits: Partial<Limits> = {},
): Promise<readonly Seen[]> {
  const all = { ...defaultLimits(), ...limits };
  const host = new HostProcess(delegate.name, all);
  try {
    const request = { ask: "probe", delegate: delegate.id, options, memory: all.memory, parent: process.pid } as const;
    const reply = await host.ask(request, all.open_ms);
    return reply.done === "probe" ? reply.seen : [];
  } finally {
    await host.end();
  }
}

function sessionOver(
  delegate: Delegate,
  first: Opened,
  reopen: () => Promise<Opened>,
  limits: Limits,
): IsolatedSession {
  let current = first;
  let closed = false;
  let last: Promise<unknown> = Promise.resolve();
  let slots = new Map<string, ArrayBuffer>();

  const live = async (): Promise<Opened> => {
    if (current.host.alive) return current;
    await current.host.end();
    slots = new Map();
    current = await reopen();
    return current;
  };
  const runOne = async (inputs: ReadonlyMap<string, Value>, options: RunOptions): Promise<Ran> => {
    const { host, outputs } = await live();
    const told = [...inputs].map(([name, value]) => tell(name, value, host.shared, slots));
    const reply = await host.ask({ ask: "run", inputs: told }, options.timeout_ms ?? limits.run_ms, options.signal);
    return ran(reply, outputs, host.shared, delegate.name, options.lent === true);
  };
  /** Takes a turn, and waits for it; the answer ends it. */
  const turn = async (): Promise<() => void> => {
    const before = last;
    let end: () => void = () => undefined;
    last = new Promise<void>((done) => (end = done));
    await before;
    return end;
  };
  const streams = new Streams(turn, async (inputs) => {
    if (closed) throw new CannotError("the session is closed");
    const { host, outputs } = await live();
    return {
      host,
      inputs: [...inputs].map(([name, value]) => tell(name, value, host.shared, slots)),
      within: limits.run_ms,
      ran: (reply) => ran(reply, outputs, host.shared, delegate.name, false),
    };
  });
  return {
    get inputs() {
      return current.inputs;
    },
    get outputs() {
      return current.outputs;
    },
    get version() {
      return current.version;
    },
    get placement() {
      return current.placement;
    },
    get pid() {
      return current.host.pid;
    },
    allocate(input, shape) {
      const port = current.inputs.find(({ name }) => name === input);
      if (port === undefined) throw new CannotError(`the model has no input "${input}"`);
      const own = elementsOver(port.type, new ArrayBuffer(0));
      if (own === undefined) throw new CannotError(`input "${input}" is of ${port.type}, which is not held here`);
      const bytes = lengthOf(port.type, product(shape)) * own.BYTES_PER_ELEMENT;
      return { type: port.type, shape, data: elementsOver(port.type, current.host.shared.allocate(bytes)) ?? own };
    },
    run(inputs, options = {}) {
      if (closed) return Promise.reject(new CannotError("the session is closed"));
      // One after the other: the process is one, and lends its memory.
      const run = last.then(() => runOne(inputs, options));
      last = run.catch(() => undefined);
      return run;
    },
    ...(first.streams ? { stream: streams.begin } : {}),
    async close() {
      if (closed) return;
      closed = true;
      await streams.end();
      await last;
      await current.host.end();
    },
  };
}

function ran(reply: Reply, ports: readonly Port[], shared: SharedMemory, by: string, lent: boolean): Ran {
  if (!("done" in reply) || reply.done !== "run") throw new CannotError(`${by}: its process answered something else`);
  return {
    outputs: new Map(reply.outputs.map((one) => [one.name, take(one, ports, shared, by, lent)])),
    spans: reply.spans,
    ...(reply.figures === undefined ? {} : { figures: reply.figures }),
  };
}

/** Puts elements where the child sees them, unless they lie there already. */
function tell(name: string, { type, shape, data }: Value, shared: SharedMemory, slots: Map<string, ArrayBuffer>): Told {
  if (!ArrayBuffer.isView(data)) return { name, type, shape, texts: data };
  const bytes = data.byteLength;
  const own = shared.offsetOf(data.buffer as ArrayBuffer);
  if (own !== undefined) return { name, type, shape, offset: own + data.byteOffset, bytes };
  const known = slots.get(name);
  let slot = known;
  if (slot === undefined || slot.byteLength < bytes) {
    slot = shared.allocate(known === undefined ? bytes : Math.max(bytes, 2 * known.byteLength));
    slots.set(name, slot);
  }
  new Uint8Array(slot).set(new Uint8Array(data.buffer, data.byteOffset, bytes));
  return { name, type, shape, offset: shared.offsetOf(slot) ?? 0, bytes };
}

/** Copies out of the shared memory unless it is lent, and believes nothing: the library that wrote it may have written anything. */
function take(told: Told, ports: readonly Port[], shared: SharedMemory, by: string, lent: boolean): Value {
  const { name, type, shape, offset, bytes, texts } = told;
  const wrong = (says: string): MishapError =>
    new MishapError(`${by}: output "${name}" ${says}`, { how: "contract", words: "" });
  if (!ports.some((port) => port.name === name)) throw wrong("is none of the model's");
  if (texts !== undefined) return { type, shape, data: texts };
  const own = elementsOver(type, new ArrayBuffer(0));
  if (own === undefined) throw wrong(`is of ${type}, which is not held here`);
  const needed = lengthOf(type, product(shape)) * own.BYTES_PER_ELEMENT;
  if (bytes !== needed) {
    throw wrong(`has ${String(bytes)} bytes, and ${type} [${shape.join(", ")}] needs ${needed}`);
  }
  const there = shared.view(offset ?? 0, needed);
  if (lent) return { type, shape, data: elementsOver(type, there) ?? own };
  const buffer = new ArrayBuffer(needed);
  new Uint8Array(buffer).set(new Uint8Array(there));
  return { type, shape, data: elementsOver(type, buffer) ?? own };
}

/** The name that the caller gave, in the place of the whole path. */
function named(error: unknown, path: string, model: string): unknown {
  if (error instanceof Error && path !== model) error.message = error.message.replaceAll(path, model);
  return error;
}
