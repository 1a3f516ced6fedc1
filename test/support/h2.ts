/** A client of HTTP/2 that says exactly what it is told, right or wrong, and tells each frame that comes. */

import { connect, type Socket } from "node:net";
import { FieldReader } from "../../src/serve/h2/hpack.ts";
import { frame, PREFACE, settingsFrame } from "../../src/serve/h2/frames.ts";

export interface Seen {
  readonly type: number;
  readonly flags: number;
  readonly id: number;
  readonly payload: Buffer;
  /** Of HEADERS. */
  readonly fields: Readonly<Record<string, string>>;
}

export interface RawClient {
  readonly socket: Socket;
  readonly seen: Seen[];
  send(...frames: readonly Uint8Array[]): void;
  /** The first frame, seen already or to come, that is asked for; undefined: the server closed first. */
  until(wanted: (frame: Seen) => boolean): Promise<Seen | undefined>;
  /** Resolves when the server closed. */
  readonly closed: Promise<void>;
}

export async function rawClient(
  port: number,
  settings: readonly (readonly [number, number])[] = [],
): Promise<RawClient> {
  const socket = connect(port, "127.0.0.1");
  await new Promise((done) => socket.once("connect", done));
  socket.on("error", () => undefined);
  const closed = new Promise<void>((done) => socket.once("close", () => done()));
  const seen: Seen[] = [];
  const reader = new FieldReader();
  let waiting: (() => void)[] = [];
  let rest: Buffer = Buffer.alloc(0);
  const tell = (): void => {
    const those = waiting;
    waiting = [];
    for (const one of those) one();
  };
  let over = false;
  void closed.then(() => {
    over = true;
    tell();
  });
  socket.on("data", (bytes) => {
    rest = Buffer.concat([rest, bytes]);
    for (;;) {
      const length = rest.length < 9 ? Infinity : rest.readUIntBE(0, 3);
      if (rest.length < 9 + length) break;
      const payload = Buffer.from(rest.subarray(9, 9 + length));
      const fields: Record<string, string> = {};
      if (rest[3] === 1) reader.read(payload, 0, length, ({ name, value }) => (fields[name] = value));
      seen.push({ type: rest[3] ?? 0, flags: rest[4] ?? 0, id: rest.readUInt32BE(5), payload, fields });
      rest = rest.subarray(9 + length);
    }
    tell();
  });
  socket.write(Buffer.concat([PREFACE, settingsFrame(settings)]));
  return {
    socket,
    seen,
    closed,
    send: (...frames) => void socket.write(Buffer.concat(frames)),
    async until(wanted) {
      for (;;) {
        const found = seen.find(wanted);
        if (found !== undefined || over) return found;
        await new Promise<void>((done) => waiting.push(done));
      }
    },
  };
}

/** Bytes as a message of gRPC: flag, length, and what is there. */
export function framed(bytes: Uint8Array, { flag = 0, length = bytes.length } = {}): Buffer {
  const whole = Buffer.concat([Buffer.alloc(5), bytes]);
  whole[0] = flag;
  whole.writeUInt32BE(length, 1);
  return whole;
}

export const dataFrame = (id: number, bytes: Uint8Array, ends = true): Buffer => frame(0, ends ? 1 : 0, id, bytes);
