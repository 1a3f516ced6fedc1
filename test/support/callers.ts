/**
 * Callers of a server that keep account of every request: raw sockets, one request under way on each, numbers of its own in each request
 * and looked for in its answer. For benches and tests that ask more of a server than it can do.
 */

import { connect, type Socket } from "node:net";

export interface Offer {
  readonly port: number;
  /** Whose input x [batch, 4] comes back as its only output. */
  readonly model: string;
  readonly seconds: number;
  /** Open at once at most. */
  readonly connections: number;
  /** Requests a second, in an even stream that does not wait for answers; absent: each connection asks again when it was answered. */
  readonly rate?: number;
  /** A connection for each request. */
  readonly fresh?: boolean;
  /** Callers come from so many addresses of the loopback network, from 127.0.0.2 on. */
  readonly addresses?: number;
  /** The first of their last numbers; 2. */
  readonly from?: number;
}

export interface Tally {
  /** Requests that were due; of these not sent, since all connections were in use. */
  due: number;
  unsent: number;
  /** Handed to a socket. Each is one of answered (by status), closed, unconnected or lost. */
  asked: number;
  readonly answered: Record<string, number>;
  /** 200 with other numbers than were sent, and answers that ended in the middle. */
  wrong: number;
  /** 429 and 503 that do not say when to come again. */
  silent: number;
  /** The connection was taken and ended without an answer, by what the socket said. */
  readonly closed: Record<string, number>;
  /** The connection was never taken. */
  readonly unconnected: Record<string, number>;
  /** Nothing came: neither answer nor end, LOST_MS after the last was sent. */
  lost: number;
  /** Milliseconds from when a request was due to its answer, of those with 200, and of those refused; null where there were none. */
  p50: number | null;
  p99: number | null;
  refused_p99: number | null;
}

const LOST_MS = 15_000;

interface Caller {
  readonly socket: Socket;
  text: string;
  due: number;
  busy: boolean;
  connected: boolean;
  /** What must stand in the answer. */
  expected: string;
}

/** Asks for so long, waits for what is on its way, and says what became of each. */
export async function offer(wanted: Offer): Promise<Tally> {
  const { port, model, rate, seconds, fresh = false, addresses = 1, from = 2 } = wanted;
  const tally: Tally = {
    due: 0,
    unsent: 0,
    asked: 0,
    answered: {},
    wrong: 0,
    silent: 0,
    closed: {},
    unconnected: {},
    lost: 0,
    p50: null,
    p99: null,
    refused_p99: null,
  };
  const times: number[] = [];
  const refused: number[] = [];
  const open = new Set<Caller>();
  const free: Caller[] = [];
  let opened = 0;
  let made = 0;
  let under = 0;
  const end = performance.now() + seconds * 1000;

  const make = (): Caller => {
    const localAddress = `127.0.0.${from + (opened++ % addresses)}`;
    const socket = connect({ port, host: "127.0.0.1", localAddress, noDelay: true });
    const caller: Caller = { socket, text: "", due: 0, busy: false, connected: false, expected: "" };
    let code = "";
    open.add(caller);
    socket.on("connect", () => (caller.connected = true));
    socket.on("data", (bytes: Buffer) => take(caller, bytes));
    socket.on("error", (error: NodeJS.ErrnoException) => (code = error.code ?? error.message));
    socket.on("close", () => {
      open.delete(caller);
      if (!caller.busy) return;
      caller.busy = false;
      under--;
      const how = caller.text !== "" ? "in the middle" : code === "" ? "end" : code;
      if (caller.text !== "") tally.wrong++;
      count(caller.connected ? tally.closed : tally.unconnected, how);
      again();
    });
    return caller;
  };
  const send = (caller: Caller, due: number): void => {
    const n = made++;
    const numbers = `[${n & 0xffff},${n >> 16},-${(n % 977) + 1},0.5]`;
    caller.expected = `"data":${numbers}`;
    caller.due = due;
    caller.busy = true;
    caller.text = "";
    tally.asked++;
    under++;
    const body = `{"inputs":[{"name":"x","datatype":"FP32","shape":[1,4],"data":${numbers}}]}`;
    const more = fresh ? "connection: close\r\n" : "";
    caller.socket.write(
      `POST /v2/models/${model}/infer HTTP/1.1\r\nhost: localhost\r\n${more}content-length: ${body.length}\r\n\r\n${body}`,
    );
  };
  const take = (caller: Caller, bytes: Buffer): void => {
    caller.text += bytes.toString("latin1");
    const { text } = caller;
    const head = text.indexOf("\r\n\r\n");
    if (head < 0) return;
    const length = Number(/content-length: *(\d+)/i.exec(text.slice(0, head))?.[1]);
    if (text.length - head - 4 < length) return;
    caller.text = "";
    // Told before it asked: as it is closed for having been idle.
    if (!caller.busy) return;
    caller.busy = false;
    under--;
    const status = text.slice(9, 12);
    count(tally.answered, status);
    const now = performance.now();
    if (status === "200") {
      times.push(now - caller.due);
      if (!text.includes(caller.expected, head)) tally.wrong++;
    } else {
      refused.push(now - caller.due);
      if ((status === "429" || status === "503") && !/\nretry-after: \d/i.test(text.slice(0, head))) tally.silent++;
    }
    const ends = fresh || /\nconnection: close/i.test(text.slice(0, head));
    if (ends) {
      open.delete(caller);
      caller.socket.end();
    } else if (rate !== undefined) free.push(caller);
    again(ends ? undefined : caller);
  };
  /** Without a rate: who was answered asks again. */
  const again = (caller?: Caller): void => {
    if (rate !== undefined) return;
    const now = performance.now();
    if (now >= end) return;
    tally.due++;
    send(caller ?? make(), now);
  };
  const due = (at: number): void => {
    tally.due++;
    for (let caller = free.pop(); caller !== undefined; caller = free.pop()) {
      if (!open.has(caller) || !caller.socket.writable) continue;
      send(caller, at);
      return;
    }
    if (open.size >= wanted.connections) tally.unsent++;
    else send(make(), at);
  };

  if (rate === undefined) for (let i = 0; i < wanted.connections; i++) again();
  else await stream(rate, end, due);
  await pause(Math.max(0, end - performance.now()));
  for (const last = performance.now(); under > 0 && performance.now() - last < LOST_MS;) await pause(20);
  tally.lost = under;
  for (const { socket } of open) socket.destroy();
  [tally.p50, tally.p99, tally.refused_p99] = [at(times, 0.5), at(times, 0.99), at(refused, 0.99)];
  return tally;
}

/** Calls `due` so many times a second. setImmediate: a timer is no finer than a millisecond. */
function stream(rate: number, end: number, due: (at: number) => void): Promise<void> {
  const every = 1000 / rate;
  let next = performance.now();
  return new Promise((done) => {
    const tick = (): void => {
      const now = performance.now();
      for (; next <= now; next += every) due(next);
      if (now < end) setImmediate(tick);
      else done();
    };
    tick();
  });
}

export interface Crowd {
  readonly port: number;
  /** All opened at once. */
  readonly connections: number;
  readonly seconds: number;
  readonly addresses?: number;
  readonly from?: number;
}

/** What became of the connections of a crowd. */
export interface CrowdTally {
  connected: number;
  /** Last word of the server before it ended the connection, by status. */
  readonly told: Record<string, number>;
  /** Ended without a word, by what the socket said. */
  readonly closed: Record<string, number>;
  readonly unconnected: Record<string, number>;
  /** Still open when it was over. */
  held: number;
}

/**
 * Connections that want nothing good, all at once: half say nothing, a quarter send headers that never end, a quarter a body that never
 * ends, a byte a second.
 */
export async function crowd({ port, connections, seconds, addresses = 1, from = 2 }: Crowd): Promise<CrowdTally> {
  const tally: CrowdTally = { connected: 0, told: {}, closed: {}, unconnected: {}, held: 0 };
  const slow = new Set<Socket>();
  const open = new Set<Socket>();
  for (let i = 0; i < connections; i++) {
    const socket = connect({ port, host: "127.0.0.1", localAddress: `127.0.0.${from + (i % addresses)}` });
    let [connected, text, code] = [false, "", ""];
    open.add(socket);
    socket.on("connect", () => {
      tally.connected++;
      connected = true;
      if (i % 4 < 2) return;
      const length = i % 4 === 2 ? "x-slow: " : "content-length: 100000\r\n\r\n";
      socket.write(`POST /v2/models/identity/infer HTTP/1.1\r\nhost: localhost\r\n${length}`);
      slow.add(socket);
    });
    socket.on("data", (bytes: Buffer) => (text += bytes.toString("latin1")));
    socket.on("error", (error: NodeJS.ErrnoException) => (code = error.code ?? error.message));
    socket.on("close", () => {
      slow.delete(socket);
      if (!open.delete(socket)) return;
      const status = /^HTTP\/1\.1 (\d{3})/.exec(text)?.[1];
      if (status !== undefined) count(tally.told, status);
      else count(connected ? tally.closed : tally.unconnected, code === "" ? "end" : code);
    });
  }
  const trickle = setInterval(() => {
    for (const socket of slow) if (socket.writable) socket.write("a");
  }, 1000);
  await pause(seconds * 1000);
  clearInterval(trickle);
  tally.held = open.size;
  const left = [...open];
  open.clear();
  for (const socket of left) socket.destroy();
  return tally;
}

function count(into: Record<string, number>, name: string): void {
  into[name] = (into[name] ?? 0) + 1;
}

function at(times: number[], share: number): number | null {
  times.sort((a, b) => a - b);
  return times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? null;
}

const pause = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms));
