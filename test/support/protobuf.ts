/** The smallest protobuf encoder: fixtures of protobuf formats are written with it, so that no test needs a schema compiler. */

export type Piece = Uint8Array;

/** Unsigned or two's complement 64-bit varint. */
export function varint(value: number | bigint): Piece {
  let left = BigInt.asUintN(64, BigInt(value));
  const out: number[] = [];
  do {
    const bits = Number(left & 0x7fn);
    left >>= 7n;
    out.push(left === 0n ? bits : bits | 0x80);
  } while (left !== 0n);
  return Uint8Array.from(out);
}

export const concat = (pieces: readonly Piece[]): Piece => new Uint8Array(Buffer.concat(pieces));

const tag = (field: number, wire: number): Piece => varint((BigInt(field) << 3n) | BigInt(wire));

/** field = integer */
export const int = (field: number, value: number | bigint): Piece => concat([tag(field, 0), varint(value)]);

/** field = string or bytes */
export function bytes(field: number, value: string | Uint8Array): Piece {
  const payload = typeof value === "string" ? new Uint8Array(Buffer.from(value, "utf8")) : value;
  return concat([tag(field, 2), varint(payload.length), payload]);
}

/** field = message of these fields */
export const message = (field: number, ...pieces: readonly Piece[]): Piece => bytes(field, concat(pieces));

/** field = 32-bit float */
export function float(field: number, value: number): Piece {
  const payload = Buffer.alloc(4);
  payload.writeFloatLE(value);
  return concat([tag(field, 5), payload]);
}

/** field = 64-bit float */
export function double(field: number, value: number): Piece {
  const payload = Buffer.alloc(8);
  payload.writeDoubleLE(value);
  return concat([tag(field, 1), payload]);
}

/** field = packed integers */
export const packed = (field: number, values: readonly (number | bigint)[]): Piece =>
  bytes(field, concat(values.map((value) => varint(value))));

/** field = packed 32-bit floats */
export const packedFloats = (field: number, values: readonly number[]): Piece =>
  bytes(field, new Uint8Array(Float32Array.from(values).buffer));
