/** C structs in memory of ours: members laid out as C lays them out, each on a multiple of its own size. Little-endian machines. */

const pointerBytes = process.arch === "arm" || process.arch === "ia32" ? 4 : 8;

const sizes = {
  u8: 1,
  i8: 1,
  u16: 2,
  u32: 4,
  i32: 4,
  f32: 4,
  u64: 8,
  i64: 8,
  pointer: pointerBytes,
  size: pointerBytes,
} as const;

type Scalar = keyof typeof sizes;
/** A number, an array of them, or another struct within. */
export type Member = Scalar | readonly [of: Scalar, count: number] | Layout<string>;

export interface Layout<Name extends string> {
  readonly bytes: number;
  readonly align: number;
  readonly at: Readonly<Record<Name, number>>;
  readonly members: Readonly<Record<Name, Member>>;
}

export function layoutOf<Name extends string>(members: Readonly<Record<Name, Member>>): Layout<Name> {
  const at: Partial<Record<Name, number>> = {};
  let [end, most] = [0, 1];
  for (const name of Object.keys(members) as Name[]) {
    const [bytes, align] = extentOf(members[name]);
    at[name] = Math.ceil(end / align) * align;
    end = (at[name] ?? 0) + bytes;
    most = Math.max(most, align);
  }
  // Every name of `members` has been given its place.
  return { bytes: Math.ceil(end / most) * most, align: most, at: at as Record<Name, number>, members };
}

/** A union: all members at its beginning. */
export function unionOf<Name extends string>(members: Readonly<Record<Name, Member>>): Layout<Name> {
  const extents = Object.values<Member>(members).map(extentOf);
  const align = Math.max(...extents.map(([, own]) => own));
  const bytes = Math.ceil(Math.max(...extents.map(([own]) => own)) / align) * align;
  const at: Partial<Record<Name, number>> = {};
  for (const name of Object.keys(members) as Name[]) at[name] = 0;
  return { bytes, align, at: at as Record<Name, number>, members };
}

function extentOf(member: Member): readonly [bytes: number, align: number] {
  if (typeof member === "string") return [sizes[member], sizes[member]];
  if ("bytes" in member) return [member.bytes, member.align];
  return [sizes[member[0]] * member[1], sizes[member[0]]];
}

/** So many structs in a row, zeroed, in memory that stays in its place; `buffer` is handed to the library. */
export class Structs<Name extends string> {
  readonly buffer: Buffer;
  readonly #layout: Layout<Name>;
  readonly #view: DataView;

  /** Over `memory` where it is given: of the library. */
  constructor(layout: Layout<Name>, count = 1, memory?: ArrayBuffer) {
    this.#layout = layout;
    // Not of Node's pool, and not in V8's heap.
    this.buffer =
      memory === undefined ? Buffer.allocUnsafeSlow(Math.max(1, layout.bytes * count)).fill(0) : Buffer.from(memory);
    this.#view = new DataView(this.buffer.buffer, this.buffer.byteOffset, this.buffer.byteLength);
  }

  /** Of an array, the element at `at`. */
  get(name: Name, index = 0, at = 0): number {
    const [place, kind] = this.#locate(name, index, at);
    switch (kind) {
      case "u8":
        return this.#view.getUint8(place);
      case "i8":
        return this.#view.getInt8(place);
      case "u16":
        return this.#view.getUint16(place, true);
      case "u32":
        return this.#view.getUint32(place, true);
      case "i32":
        return this.#view.getInt32(place, true);
      case "f32":
        return this.#view.getFloat32(place, true);
      default:
        return Number(this.big(name, index, at));
    }
  }

  /** 64 bits, a size or a pointer. */
  big(name: Name, index = 0, at = 0): bigint {
    const [place, kind] = this.#locate(name, index, at);
    if (sizes[kind] === 4) return BigInt(this.#view.getUint32(place, true));
    return kind === "i64" ? this.#view.getBigInt64(place, true) : this.#view.getBigUint64(place, true);
  }

  set(name: Name, value: number | bigint, index = 0, at = 0): void {
    const [place, kind] = this.#locate(name, index, at);
    if (kind === "f32") this.#view.setFloat32(place, Number(value), true);
    else if (sizes[kind] === 8) this.#view.setBigUint64(place, BigInt.asUintN(64, BigInt(value)), true);
    else if (sizes[kind] === 4) this.#view.setUint32(place, Number(value), true);
    else if (sizes[kind] === 2) this.#view.setUint16(place, Number(value), true);
    else this.#view.setUint8(place, Number(value));
  }

  /** A text in an array of characters, up to its NUL. */
  text(name: Name, index = 0): string {
    const member: Member = this.#layout.members[name];
    const count = Array.isArray(member) ? Number(member[1]) : 0;
    const start = index * this.#layout.bytes + this.#layout.at[name];
    const bytes = this.buffer.subarray(start, start + count);
    const end = bytes.indexOf(0);
    return bytes.toString("utf8", 0, end < 0 ? count : end);
  }

  /** The bytes of one of them, where they lie. */
  bytes(index = 0): Buffer {
    return this.buffer.subarray(index * this.#layout.bytes, (index + 1) * this.#layout.bytes);
  }

  #locate(name: Name, index: number, at: number): [place: number, kind: Scalar] {
    const member: Member = this.#layout.members[name];
    const start = index * this.#layout.bytes + this.#layout.at[name];
    if (typeof member === "string") return [start, member];
    if ("bytes" in member) throw new RangeError(`${name} is a struct`);
    return [start + at * sizes[member[0]], member[0]];
  }
}
