/**
 * A client of gRPC that costs as little as it can: whole frames over a socket, made once, as a client of HTTP/1.1 in the other benches sends
 * whole requests. After the first request the fields are points into the table that it filled, as every client's are.
 */

import { connect, type Socket } from "node:net";

const [DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY, WINDOW_UPDATE] = [0, 1, 3, 4, 6, 7, 8];
const FRAME_BYTES = 16_384;
const WINDOW = 1 << 30;

export class GrpcClient {
  readonly #socket: Socket;
  readonly #message: Buffer;
  readonly #answered: (client: GrpcClient, bytes: number) => void;
  readonly #first: Buffer;
  readonly #later: Buffer;
  #id = -1;
  #rest: Buffer = Buffer.alloc(0);
  /** Of an answer: bytes of messages that came. */
  #bytes = 0;
  /** Of the connection, in bytes that may be sent; of each stream as it begins; of the one that is sent. */
  #window = 65_535;
  #streamWindow = 65_535;
  #left = 0;
  #sent = 0;
  #taken = 0;

  /** `answered` hears of each end, with the bytes of its messages: none where it was refused. */
  constructor(port: number, path: string, message: Uint8Array, answered: (client: GrpcClient, bytes: number) => void) {
    this.#answered = answered;
    this.#message = Buffer.concat([Buffer.alloc(5), message]);
    this.#message.writeUInt32BE(message.length, 1);
    const text = (value: string): Buffer => Buffer.concat([Buffer.of(value.length), Buffer.from(value, "latin1")]);
    // POST, http; then :path, :authority, content-type and te into the table.
    const fields = [Buffer.of(0x83, 0x86, 0x44), text(path), Buffer.of(0x41), text("localhost"), Buffer.of(0x5f)];
    fields.push(text("application/grpc"), Buffer.of(0x40), text("te"), text("trailers"));
    this.#first = frame(HEADERS, 4, Buffer.concat(fields));
    this.#later = frame(HEADERS, 4, Buffer.of(0x83, 0x86, 0xc1, 0xc0, 0xbf, 0xbe));
    this.#socket = connect({ port, host: "127.0.0.1", noDelay: true });
    this.#socket.on("data", (bytes) => this.#take(bytes));
    this.#socket.on("error", (error) => {
      throw error;
    });
  }

  open(): Promise<void> {
    return new Promise((done) =>
      this.#socket.once("connect", () => {
        const window = Buffer.alloc(10);
        window.writeUInt16BE(4, 0);
        window.writeUInt32BE(WINDOW, 2);
        const more = Buffer.alloc(4);
        more.writeUInt32BE(WINDOW);
        const preface = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "latin1");
        this.#socket.write(
          Buffer.concat([preface, frame(SETTINGS, 0, window.subarray(0, 6)), frame(WINDOW_UPDATE, 0, more)]),
        );
        done();
      }),
    );
  }

  close(): void {
    this.#socket.destroy();
  }

  send(): void {
    const head = this.#id < 0 ? this.#first : this.#later;
    this.#id += 2;
    this.#bytes = this.#sent = 0;
    this.#left = this.#streamWindow;
    head.writeUInt32BE(this.#id, 5);
    const { length } = this.#message;
    if (length > FRAME_BYTES) {
      this.#socket.write(Buffer.from(head));
      this.#more();
      return;
    }
    this.#window -= length;
    const bytes = Buffer.concat([head, frame(DATA, 1, this.#message)]);
    bytes.writeUInt32BE(this.#id, head.length + 5);
    this.#socket.write(bytes);
  }

  /** What windows allow of a long message. */
  #more(): void {
    const { length } = this.#message;
    this.#socket.cork();
    while (this.#sent < length) {
      const size = Math.min(FRAME_BYTES, this.#window, this.#left, length - this.#sent);
      if (size <= 0) break;
      const head = Buffer.alloc(9);
      head.writeUIntBE(size, 0, 3);
      head[4] = this.#sent + size === length ? 1 : 0;
      head.writeUInt32BE(this.#id, 5);
      this.#socket.write(head);
      this.#socket.write(this.#message.subarray(this.#sent, this.#sent + size));
      this.#sent += size;
      this.#window -= size;
      this.#left -= size;
    }
    this.#socket.uncork();
  }

  #take(chunk: Buffer): void {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    let at = 0;
    while (bytes.length - at >= 9) {
      const length = bytes.readUIntBE(at, 3);
      const [type, flags] = [bytes[at + 3] ?? 0, bytes[at + 4] ?? 0];
      if (bytes.length - at < 9 + length) break;
      const from = at + 9;
      at = from + length;
      if (type === DATA) this.#bytes += length;
      else if (type === SETTINGS && (flags & 1) === 0) this.#settings(bytes.subarray(from, at));
      else if (type === PING && (flags & 1) === 0) this.#socket.write(frame(PING, 1, bytes.subarray(from, at)));
      else if (type === WINDOW_UPDATE) {
        const stream = bytes.readUInt32BE(from - 4);
        if (stream === 0) this.#window += bytes.readUInt32BE(from);
        else if (stream === this.#id) this.#left += bytes.readUInt32BE(from);
        if (this.#sent > 0) this.#more();
      } else if (type === GOAWAY || type === RST_STREAM) throw new Error(`the server sent frame ${type}`);
      if ((type === HEADERS || type === DATA) && (flags & 1) !== 0) {
        this.#refill();
        this.#answered(this, this.#bytes);
      }
    }
    this.#rest = bytes.subarray(at);
  }

  #settings(bytes: Buffer): void {
    for (let at = 0; at + 6 <= bytes.length; at += 6) {
      if (bytes.readUInt16BE(at) !== 4) continue;
      const window = bytes.readUInt32BE(at + 2);
      this.#left += window - this.#streamWindow;
      this.#streamWindow = window;
    }
    this.#socket.write(frame(SETTINGS, 1, Buffer.alloc(0)));
    if (this.#sent > 0) this.#more();
  }

  #refill(): void {
    this.#taken += this.#bytes;
    if (this.#taken < WINDOW / 4) return;
    const more = Buffer.alloc(4);
    more.writeUInt32BE(this.#taken);
    this.#socket.write(frame(WINDOW_UPDATE, 0, more));
    this.#taken = 0;
  }
}

/** Of the connection, until a stream's number is put in. */
function frame(type: number, flags: number, payload: Uint8Array): Buffer {
  const bytes = Buffer.alloc(9 + payload.length);
  bytes.writeUIntBE(payload.length, 0, 3);
  bytes[3] = type;
  bytes[4] = flags;
  bytes.set(payload, 9);
  return bytes;
}
