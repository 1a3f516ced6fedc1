/**
 * Header fields of HTTP/2 as they lie on the wire (HPACK, RFC 7541): the reading side whole, and what a server writes that keeps no table,
 * which the format allows. What a field is worth to HTTP (RFC 9113, 8.2) is decided once, when its text is read, and not each time that
 * it is pointed at.
 */

/** The block cannot be read, and with it no later one of the connection. */
export class HpackError extends Error {
  override readonly name = "HpackError";
}

/** What a field is: a part of the request's line, one that needs a look, one that HTTP/2 has no place for, or any other. */
export type Kind = "method" | "scheme" | "authority" | "path" | "te" | "content-length" | "wrong" | "plain";

export interface Field {
  readonly name: string;
  readonly value: string;
  /** As the format counts it: both texts and 32 bytes for what holds them. */
  readonly size: number;
  readonly kind: Kind;
}

/** SETTINGS_HEADER_TABLE_SIZE where nobody says otherwise, and nobody does. */
export const TABLE_BYTES = 4096;
const ENTRY_BYTES = 32;

/** Field blocks of one connection, in their order. */
export class FieldReader {
  /** The newest last; of the oldest, those that were forgotten leave their places for a while. */
  readonly #table: (Field | undefined)[] = [];
  #oldest = 0;
  #bytes = 0;
  #most = TABLE_BYTES;
  #block: Buffer = none;
  #at = 0;
  #end = 0;

  /** Hands out each field. Throws HpackError. */
  read(block: Buffer, from: number, to: number, take: (field: Field) => void): void {
    this.#block = block;
    this.#at = from;
    this.#end = to;
    let begun = false;
    while (this.#at < this.#end) {
      const first = block[this.#at] ?? 0;
      if (first >= 0x80) take(this.#entry(this.#integer(7)));
      else if (first >= 0x40) {
        const field = this.#literal(6);
        this.#add(field);
        take(field);
      } else if (first >= 0x20) {
        // A new size of the table stands before all fields.
        if (begun) throw new HpackError("the table's size changes amid fields");
        this.#resize(this.#integer(5));
        continue;
      } else take(this.#literal(4));
      begun = true;
    }
    this.#block = none;
  }

  #entry(index: number): Field {
    const fixed = standing();
    const field = index < fixed.length ? fixed[index] : this.#table[this.#table.length - 1 - (index - fixed.length)];
    if (field === undefined || index === 0) throw new HpackError(`there is no entry ${index}`);
    return field;
  }

  #literal(bits: number): Field {
    const index = this.#integer(bits);
    const known = index === 0 ? undefined : this.#entry(index);
    const name = known?.name ?? this.#text();
    const value = this.#text();
    return fieldOf(name, value);
  }

  #add(field: Field): void {
    this.#bytes += field.size;
    this.#table.push(field);
    this.#evict();
  }

  #resize(bytes: number): void {
    if (bytes > TABLE_BYTES) throw new HpackError(`a table of ${bytes} bytes is more than was offered`);
    this.#most = bytes;
    this.#evict();
  }

  /** The oldest go; one that is larger than the table takes all with it, itself too. */
  #evict(): void {
    while (this.#bytes > this.#most) {
      this.#bytes -= this.#table[this.#oldest]?.size ?? 0;
      this.#table[this.#oldest++] = undefined;
    }
    if (this.#oldest > 128 || this.#oldest === this.#table.length) {
      this.#table.splice(0, this.#oldest);
      this.#oldest = 0;
    }
  }

  #integer(bits: number): number {
    const most = (1 << bits) - 1;
    let value = (this.#block[this.#at++] ?? 0) & most;
    if (value < most) return value;
    for (let shift = 0; shift <= 21; shift += 7) {
      if (this.#at >= this.#end) throw new HpackError("a number is cut off");
      const byte = this.#block[this.#at++] ?? 0;
      value += (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    throw new HpackError("a number is too large");
  }

  #text(): string {
    if (this.#at >= this.#end) throw new HpackError("a text is cut off");
    const packed = (this.#block[this.#at] ?? 0) >= 0x80;
    const length = this.#integer(7);
    const from = this.#at;
    this.#at += length;
    if (this.#at > this.#end) throw new HpackError("a text is cut off");
    return packed ? unpacked(this.#block, from, this.#at) : this.#block.toString("latin1", from, this.#at);
  }
}

const none = Buffer.alloc(0);

const TOKEN = /^[!#$%&'*+.^_`|~\da-z-]+$/;
/** RFC 9113, 8.2.1: no ends of lines or texts, no space at either end. */
const VALUE = /^(?:[^\0\r\n\t ](?:[^\0\r\n]*[^\0\r\n\t ])?)?$/;
/** Of a connection, which in HTTP/2 are frames. */
const ofConnection = new Set(["connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade"]);

function fieldOf(name: string, value: string): Field {
  return { name, value, size: name.length + value.length + ENTRY_BYTES, kind: kindOf(name, value) };
}

function kindOf(name: string, value: string): Kind {
  if (!VALUE.test(value)) return "wrong";
  if (name === ":method" || name === ":scheme" || name === ":authority" || name === ":path") {
    return name.slice(1) as "method" | "scheme" | "authority" | "path";
  }
  if (!TOKEN.test(name) || ofConnection.has(name)) return "wrong";
  if (name === "te") return value === "trailers" ? "te" : "wrong";
  return name === "content-length" ? (/^\d{1,15}$/.test(value) ? name : "wrong") : "plain";
}

/** RFC 7541, appendix A: names, and values where there are; an empty first, since indexes begin with 1. */
const STANDING =
  ":authority||:method|GET|:method|POST|:path|/|:path|/index.html|:scheme|http|:scheme|https|:status|200|:status|204|:status|206|" +
  ":status|304|:status|400|:status|404|:status|500|accept-charset||accept-encoding|gzip, deflate|accept-language||accept-ranges||" +
  "accept||access-control-allow-origin||age||allow||authorization||cache-control||content-disposition||content-encoding||" +
  "content-language||content-length||content-location||content-range||content-type||cookie||date||etag||expect||expires||from||" +
  "host||if-match||if-modified-since||if-none-match||if-range||if-unmodified-since||last-modified||link||location||max-forwards||" +
  "proxy-authenticate||proxy-authorization||range||referer||refresh||retry-after||server||set-cookie||strict-transport-security||" +
  "transfer-encoding||user-agent||vary||via||www-authenticate|";
let made: Field[] | undefined;
function standing(): readonly Field[] {
  if (made === undefined) {
    const words = `||${STANDING}`.split("|");
    made = Array.from({ length: words.length / 2 }, (_, at) => fieldOf(words[2 * at] ?? "", words[2 * at + 1] ?? ""));
  }
  return made;
}

/** Bits of each byte's code, RFC 7541, appendix B. Codes follow from them: shorter ones first, and of one length in the bytes' order. */
const LENGTHS = [
  13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28,
  28, 28, 28, 6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6, 5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10,
  13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6, 15, 5, 6, 5, 6,
  5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5, 6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28, 20, 22, 20, 20, 22, 22, 22, 23,
  22, 23, 23, 23, 23, 23, 24, 23, 24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24, 22, 21, 20, 22, 22,
  23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23, 21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23, 26, 26,
  20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25, 19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27,
  27, 20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23, 26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27,
  27, 27, 27, 26, 30,
];
const END = 256;

/** Two places for each knot: where 0 and where 1 leads, a knot or, negative, ~ a byte. */
let knots: Int16Array | undefined;
function codes(): Int16Array {
  if (knots !== undefined) return knots;
  knots = new Int16Array(2 * END + 2);
  let used = 1;
  let code = 0;
  let before = 0;
  const order = LENGTHS.map((bits, byte) => ({ bits, byte })).sort((a, b) => a.bits - b.bits || a.byte - b.byte);
  for (const { bits, byte } of order) {
    code <<= bits - before;
    before = bits;
    let knot = 0;
    for (let bit = bits - 1; bit > 0; bit--) {
      const place = 2 * knot + ((code >> bit) & 1);
      knot = knots[place] ?? 0;
      if (knot === 0) knots[place] = knot = used++;
    }
    knots[2 * knot + (code & 1)] = ~byte;
    code++;
  }
  return knots;
}

function unpacked(bytes: Buffer, from: number, to: number): string {
  const tree = codes();
  // The shortest code has five bits.
  const text = Buffer.allocUnsafe(Math.ceil(((to - from) * 8) / 5));
  let [length, knot, since, ones] = [0, 0, 0, true];
  for (let at = from; at < to; at++) {
    const byte = bytes[at] ?? 0;
    for (let bit = 7; bit >= 0; bit--) {
      const one = (byte >> bit) & 1;
      const next = tree[2 * knot + one] ?? 0;
      since++;
      ones &&= one === 1;
      if (next >= 0) knot = next;
      else {
        if (~next === END) throw new HpackError("a text holds its end");
        text[length++] = ~next;
        [knot, since, ones] = [0, 0, true];
      }
    }
  }
  // What fills the last byte is the beginning of the end's code, which is all ones.
  if (since > 7 || !ones) throw new HpackError("a text is not filled up with ones");
  return text.toString("latin1", 0, length);
}

/** Fields as a block that points at nothing but the standing table and leaves nothing behind. Values are ASCII. */
export function blockOf(fields: readonly (readonly [name: string, value: string])[]): Buffer {
  const pieces: Buffer[] = [];
  for (const [name, value] of fields) {
    const entries = standing();
    const whole = entries.findIndex((one, at) => at > 0 && one.name === name && one.value === value);
    const named = entries.findIndex((one) => one.name === name);
    if (whole > 0) pieces.push(integer(0x80, 7, whole));
    else if (named > 0) pieces.push(integer(0, 4, named), textOf(value));
    else pieces.push(Buffer.of(0), textOf(name), textOf(value));
  }
  return Buffer.concat(pieces);
}

const textOf = (text: string): Buffer => Buffer.concat([integer(0, 7, text.length), Buffer.from(text, "latin1")]);

function integer(flags: number, bits: number, value: number): Buffer {
  const most = (1 << bits) - 1;
  if (value < most) return Buffer.of(flags | value);
  const bytes = [flags | most];
  for (value -= most; value >= 0x80; value >>>= 7) bytes.push((value & 0x7f) | 0x80);
  return Buffer.of(...bytes, value);
}
