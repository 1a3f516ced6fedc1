/**
 * Layout: where the fields of a kernel struct lie, and how to write and read one. The files beside this one are made by
 * tools/uapi.mjs from the kernel's uapi headers; their names are the header's. All machines we ask are little endian, 64 bit.
 */

import { absent, malformed, read, type Reading } from "../base/reading.ts";
import { latin1 } from "../base/bytes.ts";

export interface Field {
  readonly offset: number;
  readonly size: number;
  readonly signed?: true;
}

export interface Layout {
  readonly size: number;
  readonly fields: Readonly<Record<string, Field>>;
}

export type FieldOf<L extends Layout> = keyof L["fields"] & string;

/** The struct as bytes: the values given, all else zero. */
export function pack<L extends Layout>(layout: L, values: Partial<Record<FieldOf<L>, number>>): Uint8Array {
  const bytes = new Uint8Array(layout.size);
  const view = new DataView(bytes.buffer);
  for (const [name, value] of Object.entries<number | undefined>(values)) {
    const field = layout.fields[name];
    if (field === undefined || value === undefined) continue;
    if (field.size === 1) view.setUint8(field.offset, value);
    else if (field.size === 2) view.setUint16(field.offset, value, true);
    else if (field.size === 4) view.setUint32(field.offset, value, true);
    else view.setBigUint64(field.offset, BigInt(value), true);
  }
  return bytes;
}

/**
 * One integer of a struct the kernel wrote. `start` places the struct within the bytes (an array of them). A field past the
 * bytes is absent: this kernel's struct is older and ends before it.
 */
export function numberIn<L extends Layout>(
  layout: L,
  name: FieldOf<L>,
  bytes: Uint8Array,
  from: string,
  start = 0,
): Reading<number> {
  const value = bigintIn(layout, name, bytes, from, start);
  if (value.state !== "read") return value;
  const number = Number(value.value);
  return Number.isSafeInteger(number)
    ? read(number, from)
    : malformed(from, `${name} is 0x${value.value.toString(16)}, which no such quantity can be`);
}

/** Masks, ids and addresses, which are not quantities: "0x3f". */
export function hexIn<L extends Layout>(
  layout: L,
  name: FieldOf<L>,
  bytes: Uint8Array,
  from: string,
  start = 0,
): Reading<string> {
  const value = bigintIn(layout, name, bytes, from, start);
  return value.state === "read" ? read(`0x${value.value.toString(16)}`, from) : value;
}

/** A char array, up to its NUL or its end. Drivers print ASCII there; anything else is shown as U+FFFD. */
export function textIn<L extends Layout>(
  layout: L,
  name: FieldOf<L>,
  bytes: Uint8Array,
  from: string,
  start = 0,
): Reading<string> {
  const field = fieldIn(layout, name, bytes, from, start);
  if (field.state !== "read") return field;
  const end = field.value.indexOf(0);
  return read(printable(end < 0 ? field.value : field.value.subarray(0, end)), from);
}

/** Text a driver gave, safe to print. */
export function printable(bytes: Uint8Array): string {
  return latin1(bytes)
    .replace(/[^\x20-\x7e]/g, "\ufffd")
    .trim();
}

function bigintIn(layout: Layout, name: string, bytes: Uint8Array, from: string, start: number): Reading<bigint> {
  const found = fieldIn(layout, name, bytes, from, start);
  if (found.state !== "read") return found;
  const { value } = found;
  if (value.length > 8) return malformed(from, `${name} is no integer but ${value.length} bytes`);
  let integer = 0n;
  for (let i = value.length - 1; i >= 0; i--) integer = (integer << 8n) | BigInt(value[i] ?? 0);
  return read(layout.fields[name]?.signed ? BigInt.asIntN(value.length * 8, integer) : integer, from);
}

function fieldIn(layout: Layout, name: string, bytes: Uint8Array, from: string, start: number): Reading<Uint8Array> {
  const field = layout.fields[name];
  if (field === undefined) return malformed(from, `no field ${name} is known`);
  const at = start + field.offset;
  if (at + field.size > bytes.length) {
    return absent(from, `this kernel's answer ends before ${name}: it has ${bytes.length} bytes`);
  }
  return read(bytes.subarray(at, at + field.size), from);
}
