/**
 * Texts that come piece by piece from a session in a child process. A piece is computed when it is asked for, so that whoever stops
 * asking stops the model too; one that does not give up the piece it is at in time goes down with its process.
 */

import { CannotError } from "../base/errors.ts";
import type { Ran } from "../delegates/delegate.ts";
import type { Value } from "../delegates/value.ts";
import type { HostProcess } from "./process.ts";
import type { Reply, Told } from "./protocol.ts";

/** For the piece that is computed when the caller has had enough, milliseconds. */
const GRACE = 2000;

type Values = ReadonlyMap<string, Value>;
type Options = Readonly<Record<string, string>>;
type Pieces = AsyncGenerator<string, Ran, undefined>;

/** What a text needs when its turn has come. */
export interface Begun {
  readonly host: HostProcess;
  readonly inputs: readonly Told[];
  /** Milliseconds for all pieces together; what the caller does between them does not count. */
  readonly within: number;
  readonly ran: (reply: Reply) => Ran;
}

export class Streams {
  readonly #turn: () => Promise<() => void>;
  readonly #begin: (inputs: Values) => Promise<Begun>;
  /** Ends each text that has begun. */
  readonly #open = new Set<() => Promise<void>>();
  #closed = false;

  constructor(turn: () => Promise<() => void>, begin: (inputs: Values) => Promise<Begun>) {
    this.#turn = turn;
    this.#begin = begin;
  }

  readonly begin = (inputs: Values, options?: Options): Pieces => {
    const stop = new AbortController();
    const pieces = this.#pieces(inputs, options, stop.signal);
    const end = async <T>(ended: Promise<T>): Promise<T> => {
      const late = setTimeout(() => stop.abort(new CannotError("the text was given up")), GRACE);
      return ended.finally(() => clearTimeout(late));
    };
    return {
      next: () => pieces.next(),
      return: (value) => end(pieces.return(value)),
      throw: (error) => end(pieces.throw(error)),
      [Symbol.asyncIterator]() {
        return this;
      },
    };
  };

  /** No text goes on; what is computed right now ends first. */
  async end(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#open].map((end) => end()));
  }

  async *#pieces(inputs: Values, options: Options | undefined, signal: AbortSignal): Pieces {
    const endTurn = await this.#turn();
    let idle: Promise<unknown> = Promise.resolve();
    // Nobody may ever ask for the next piece: closing does not wait for that.
    const end = async (): Promise<void> => {
      await idle.catch(() => undefined);
      endTurn();
    };
    let host: HostProcess | undefined;
    let going = false;
    try {
      this.#open.add(end);
      const begun = await this.#begin(inputs);
      ({ host } = begun);
      let left = begun.within;
      for (;;) {
        if (this.#closed) throw new CannotError("the session is closed");
        const ask = going
          ? ({ ask: "next" } as const)
          : ({ ask: "stream", inputs: begun.inputs, ...(options === undefined ? {} : { options }) } as const);
        const start = performance.now();
        const asked = host.ask(ask, Math.max(1, left), signal);
        idle = asked;
        going = true;
        const reply = await asked.catch((error: unknown) => {
          going = false;
          throw error;
        });
        left -= performance.now() - start;
        if (reply.done !== "piece") {
          going = false;
          return begun.ran(reply);
        }
        yield reply.text;
      }
    } finally {
      this.#open.delete(end);
      if (going && !this.#closed && host?.alive === true) await host.ask({ ask: "stop" }, GRACE).catch(() => undefined);
      endTurn();
    }
  }
}
