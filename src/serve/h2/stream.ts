/** One request and its answer on a connection of HTTP/2: what came, who takes it, and what still has to go out. */

import type { Placed } from "../bag.ts";
import type { Connection } from "./connection.ts";
import type { Field } from "./hpack.ts";

/** Who takes what a request brings. */
export interface Taker {
  data(bytes: Buffer): void;
  /** Nothing more comes. */
  end(): void;
  /** Nobody waits for an answer any more. Told once, and not after the answer's end. */
  gone(): void;
  /** The answer went out whole, or gone() was told. */
  over(): void;
  /** What was sent went out, and there is room for more. */
  drained?(): void;
}

/** A request's line and fields. */
export interface Head {
  readonly method: string;
  readonly path: string;
  readonly fields: readonly Field[];
}

/** The value of a field, the first of them where there are several. */
export function valueOf({ fields }: Head, name: string): string | undefined {
  for (const field of fields) if (field.name === name) return field.value;
  return undefined;
}

export class Stream implements Placed {
  place = -1;
  readonly connection: Connection;
  readonly id: number;
  readonly head: Head;
  taker: Taker | undefined;
  /** Bytes that may still be sent, and that may still come. */
  sendWindow: number;
  window: number;
  /** Bytes that were taken and not given back to the window. */
  taken = 0;
  /** By content-length, and what came of it. */
  expected: number | undefined;
  received = 0;
  /** The caller's side is done. */
  ended = false;
  /** All of it is over. */
  closed = false;
  headed = false;
  /** What waits for a window or for the socket, the fields of the end at last. */
  readonly queue: Buffer[] = [];
  queued = 0;
  trailers: Buffer | undefined;
  /** In its connection's list of those with bytes that wait. */
  waits = false;
  /** performance.now() at which something of it last went out. */
  since = 0;

  constructor(connection: Connection, id: number, head: Head, sendWindow: number, window: number) {
    this.connection = connection;
    this.id = id;
    this.head = head;
    this.sendWindow = sendWindow;
    this.window = window;
  }

  /** A whole answer: fields, bytes, fields. */
  answer(head: Buffer, data: Buffer, trailers: Buffer): void {
    this.connection.answer(this, head, data, trailers);
  }

  /** An answer of fields alone. */
  refuse(head: Buffer): void {
    this.connection.headers(this, head, true);
  }

  begin(head: Buffer): void {
    this.connection.headers(this, head, false);
  }

  /** False: wait for drained(). */
  write(data: Buffer): boolean {
    return this.connection.data(this, data);
  }

  end(trailers: Buffer): void {
    this.connection.end(this, trailers);
  }

  /** So many bytes that came are no longer held. */
  release(bytes: number): void {
    this.connection.release(this, bytes);
  }
}
