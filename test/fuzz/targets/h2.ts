/** Frames of HTTP/2 with calls of gRPC in them, as they come over a connection: in pieces, wrong, out of their order. */

import { EventEmitter } from "node:events";
import type { Socket } from "node:net";
import { Gate } from "../../../src/serve/grpc/gate.ts";
import type { Method } from "../../../src/serve/grpc/call.ts";
import { Connection } from "../../../src/serve/h2/connection.ts";
import { frame, frameOf, HEAD_BYTES, PREFACE, settingsFrame } from "../../../src/serve/h2/frames.ts";
import { blockOf } from "../../../src/serve/h2/hpack.ts";
import { limitsWith } from "../../../src/serve/http/limits.ts";
import { silent } from "../../../src/serve/http/log.ts";
import { below, mutateBytes, pick, type Random } from "../mutate.ts";
import { Complaint, type Target } from "../target.ts";

/** A socket that keeps what is written. */
class Kept extends EventEmitter {
  readonly writableLength = 0;
  readonly written: Buffer[] = [];
  destroyed = false;
  write(bytes: Uint8Array): boolean {
    if (!this.destroyed) this.written.push(Buffer.from(bytes));
    return true;
  }
  cork(): void {
    // nothing is held back
  }
  uncork(): void {
    // nothing was held back
  }
  end(): this {
    return this;
  }
  destroy(): this {
    if (!this.destroyed) this.emit("close");
    this.destroyed = true;
    return this;
  }
}

const methods: readonly Method[] = [
  {
    name: "Echo",
    path: "/s/Echo",
    streams: false,
    open: true,
    act: async (call, message) => {
      await Promise.resolve(call.signal);
      call.reply(message);
    },
  },
  {
    name: "Echoes",
    path: "/s/Echoes",
    streams: true,
    open: true,
    act: async (call) => {
      for (let message = await call.next(); message !== undefined; message = await call.next())
        await call.send(message);
      call.finish();
    },
  },
];

function fields(random: Random): Buffer {
  const encoding =
    random() < 0.2 ? [["grpc-encoding", pick(random, ["gzip", "deflate", "identity", "br"])] as const] : [];
  const timeout = random() < 0.2 ? [["grpc-timeout", pick(random, ["1S", "0n", "9H", "x"])] as const] : [];
  const block = blockOf([
    [":method", random() < 0.9 ? "POST" : "GET"],
    [":scheme", "http"],
    [":path", pick(random, ["/s/Echo", "/s/Echoes", "/"])],
    ["content-type", "application/grpc"],
    ["te", "trailers"],
    ...encoding,
    ...timeout,
  ]);
  return random() < 0.2 ? Buffer.from(mutateBytes(block, random)) : block;
}

function messages(random: Random): Buffer {
  return Buffer.concat(
    Array.from({ length: below(random, 3) }, () => {
      const bytes = Buffer.alloc(5 + below(random, random() < 0.1 ? 40_000 : 40), below(random, 256));
      bytes[0] = random() < 0.9 ? 0 : below(random, 3);
      bytes.writeUInt32BE(random() < 0.9 ? bytes.length - 5 : below(random, 2 ** 32), 1);
      return bytes;
    }),
  );
}

function frames(random: Random): Buffer {
  const pieces = [PREFACE, settingsFrame(random() < 0.3 ? [[4, below(random, 70_000)]] : [])];
  let last = -1;
  for (let at = below(random, 12); at >= 0; at--) {
    const id = random() < 0.9 ? Math.max(1, last) : below(random, 9);
    const kind = below(random, 12);
    if (kind < 4) {
      last += 2;
      const block = fields(random);
      const cut = random() < 0.2 ? below(random, block.length) : block.length;
      pieces.push(frame(1, (cut === block.length ? 4 : 0) | (random() < 0.1 ? 1 : 0), last, block.subarray(0, cut)));
      if (cut < block.length) pieces.push(frame(9, 4, last, block.subarray(cut)));
    } else if (kind < 8) {
      const bytes = messages(random);
      for (let from = 0; from <= bytes.length; from += 16_000) {
        const piece = bytes.subarray(from, from + 16_000);
        const ends = from + 16_000 > bytes.length && random() < 0.7;
        pieces.push(frame(0, ends ? 1 : 0, id, piece));
      }
    } else if (kind === 8) pieces.push(frameOf(8, random() < 0.5 ? 0 : id, below(random, 2 ** 31)));
    else if (kind === 9) pieces.push(frameOf(3, id, below(random, 14)));
    else if (kind === 10) pieces.push(frame(6, below(random, 2), 0, Buffer.alloc(8)));
    else
      pieces.push(
        frame(below(random, 12), below(random, 256), id, Buffer.alloc(below(random, 30), below(random, 256))),
      );
  }
  return Buffer.concat(pieces);
}

/** What a server may send: whole frames, of streams that were opened. */
function look(written: Buffer): void {
  for (let at = 0; at < written.length;) {
    const length = at + HEAD_BYTES > written.length ? Infinity : written.readUIntBE(at, 3);
    if (at + HEAD_BYTES + length > written.length) throw new Complaint("the server sent half a frame");
    const [type = 0, id] = [written[at + 3], written.readUInt32BE(at + 5)];
    if (![0, 1, 3, 4, 6, 7, 8].includes(type)) throw new Complaint(`the server sent a frame of type ${type}`);
    if (id !== 0 && id % 2 === 0 && type !== 3) throw new Complaint(`the server opened stream ${id}`);
    at += HEAD_BYTES + length;
  }
}

export const calls: Target = {
  name: "gRPC calls",
  share: 8,
  memory: 128 * 1024 * 1024,
  make: (random) => {
    const whole = frames(random);
    const input = random() < 0.4 ? whole : mutateBytes(whole, random);
    const pieces = 1 + below(random, 5);
    return {
      input,
      run: async () => {
        const gate = new Gate(
          new Map(methods.map((one) => [one.path, one])),
          undefined,
          limitsWith({ body_bytes: 1 << 20 }),
          silent,
        );
        const socket = new Kept();
        const connection = new Connection(socket as unknown as Socket, gate, performance.now()); // all that it uses of one
        gate.connections.add(connection);
        try {
          const size = Math.ceil(input.length / pieces) || 1;
          for (let at = 0; at < input.length; at += size) {
            socket.emit("data", Buffer.from(input.subarray(at, at + size)));
            await Promise.resolve();
          }
          for (let turn = 0; turn < 3; turn++) await new Promise((done) => setImmediate(done));
          socket.destroy();
          look(Buffer.concat(socket.written));
          if (connection.streams.size > 0) throw new Complaint("a stream outlived its connection");
          if (gate.connections.size > 0 || gate.reading.size > 0) throw new Complaint("a call outlived its connection");
        } finally {
          gate.close();
        }
      },
    };
  },
};
