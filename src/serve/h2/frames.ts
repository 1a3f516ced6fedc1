/** Numbers of HTTP/2 (RFC 9113, 6, 7 and 11), and frames as bytes. */

export const DATA = 0;
export const HEADERS = 1;
export const PRIORITY = 2;
export const RST_STREAM = 3;
export const SETTINGS = 4;
export const PUSH_PROMISE = 5;
export const PING = 6;
export const GOAWAY = 7;
export const WINDOW_UPDATE = 8;
export const CONTINUATION = 9;

export const END_STREAM = 0x1;
export const ACK = 0x1;
export const END_HEADERS = 0x4;
export const PADDED = 0x8;
export const WITH_PRIORITY = 0x20;

export const errors = {
  none: 0,
  protocol: 1,
  internal: 2,
  flow: 3,
  closed: 5,
  size: 6,
  refused: 7,
  cancel: 8,
  compression: 9,
  calm: 11,
} as const;

/** Settings by their numbers. */
export const TABLE_SIZE = 1;
export const ENABLE_PUSH = 2;
export const MAX_STREAMS = 3;
export const INITIAL_WINDOW = 4;
export const MAX_FRAME = 5;
export const MAX_HEADER_LIST = 6;

export const PREFACE = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "latin1");
export const HEAD_BYTES = 9;
/** Payload of a frame, and a window, where no setting says otherwise. */
export const FRAME_BYTES = 16_384;
export const WINDOW_BYTES = 65_535;
export const WINDOW_MOST = 0x7fff_ffff;

/** Writes the nine bytes before a payload; gives the offset after them. */
export function writeHead(into: Buffer, at: number, length: number, type: number, flags: number, id: number): number {
  into[at] = length >>> 16;
  into[at + 1] = length >>> 8;
  into[at + 2] = length;
  into[at + 3] = type;
  into[at + 4] = flags;
  into[at + 5] = id >>> 24;
  into[at + 6] = id >>> 16;
  into[at + 7] = id >>> 8;
  into[at + 8] = id;
  return at + HEAD_BYTES;
}

export function frame(type: number, flags: number, id: number, payload: Uint8Array): Buffer {
  const bytes = Buffer.allocUnsafe(HEAD_BYTES + payload.length);
  bytes.set(payload, writeHead(bytes, 0, payload.length, type, flags, id));
  return bytes;
}

/** A frame of one number of 32 bits: RST_STREAM, WINDOW_UPDATE. */
export function frameOf(type: number, id: number, value: number): Buffer {
  const bytes = Buffer.allocUnsafe(HEAD_BYTES + 4);
  bytes.writeUInt32BE(value, writeHead(bytes, 0, 4, type, 0, id));
  return bytes;
}

export function settingsFrame(settings: readonly (readonly [number, number])[]): Buffer {
  const payload = Buffer.alloc(6 * settings.length);
  settings.forEach(([number, value], at) => {
    payload.writeUInt16BE(number, 6 * at);
    payload.writeUInt32BE(value, 6 * at + 2);
  });
  return frame(SETTINGS, 0, 0, payload);
}

export function goawayFrame(last: number, code: number, words: string): Buffer {
  const payload = Buffer.alloc(8 + words.length);
  payload.writeUInt32BE(last, 0);
  payload.writeUInt32BE(code, 4);
  payload.write(words, 8, "latin1");
  return frame(GOAWAY, 0, 0, payload);
}
