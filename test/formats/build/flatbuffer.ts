/** FlatBuffers for fixtures: parents before children, vtable before table, 8-byte alignment everywhere. Small, not sparing. */

export type Value =
  | { readonly kind: "scalar"; readonly bytes: Uint8Array }
  | { readonly kind: "string"; readonly text: string }
  | { readonly kind: "table"; readonly fields: Readonly<Record<number, Value>> }
  | { readonly kind: "tables"; readonly items: readonly Value[] }
  | { readonly kind: "numbers"; readonly bytes: Uint8Array; readonly count: number };

const number = (width: number, value: number | bigint): Uint8Array => {
  const bytes = Buffer.alloc(width);
  for (let i = 0, rest = BigInt.asUintN(width * 8, BigInt(value)); i < width; i++, rest >>= 8n)
    bytes[i] = Number(rest & 255n);
  return bytes;
};
export const u8 = (value: number): Value => ({ kind: "scalar", bytes: number(1, value) });
export const u16 = (value: number): Value => ({ kind: "scalar", bytes: number(2, value) });
export const u32 = (value: number): Value => ({ kind: "scalar", bytes: number(4, value) });
export const u64 = (value: number | bigint): Value => ({ kind: "scalar", bytes: number(8, value) });
export const f32 = (value: number): Value => {
  const bytes = Buffer.alloc(4);
  bytes.writeFloatLE(value);
  return { kind: "scalar", bytes };
};
/** Structs: their bytes as they lie. */
export const struct = (...parts: readonly Value[]): Value => ({
  kind: "scalar",
  bytes: Buffer.concat(parts.map((part) => ("bytes" in part ? part.bytes : new Uint8Array()))),
});
export const string = (text: string): Value => ({ kind: "string", text });
export const table = (fields: Readonly<Record<number, Value>>): Value => ({ kind: "table", fields });
/** A vector of tables or strings. */
export const vector = (...items: readonly Value[]): Value => ({ kind: "tables", items });
export const numbers = (width: 1 | 4 | 8, ...values: readonly number[]): Value => ({
  kind: "numbers",
  bytes: Buffer.concat(values.map((value) => number(width, value))),
  count: values.length,
});

/** The buffer; with an identifier at 4, and a size before it where asked. */
export function flatBuffer(root: Value, identifier = "\0\0\0\0", sizePrefixed = false): Uint8Array {
  const out: number[] = [];
  const word = (at: number, value: number, width = 4): void => {
    for (const [i, byte] of number(width, value).entries()) out[at + i] = byte;
  };
  const align = (): void => {
    while (out.length % 8 !== 0) out.push(0);
  };
  /** Appends the value and gives where it is. */
  const put = (value: Value): number => {
    align();
    if (value.kind === "string") {
      const at = out.length;
      const text = Buffer.from(value.text, "utf8");
      out.push(...number(4, text.length));
      for (const byte of text) out.push(byte);
      out.push(0);
      return at;
    }
    if (value.kind === "numbers") {
      out.push(0, 0, 0, 0); // so that elements of 8 bytes are aligned
      const at = out.length;
      out.push(...number(4, value.count), ...value.bytes);
      return at;
    }
    if (value.kind === "tables") {
      const at = out.length;
      out.push(...number(4, value.items.length), ...value.items.flatMap(() => [0, 0, 0, 0]));
      for (const [i, item] of value.items.entries()) {
        const to = put(item);
        word(at + 4 + i * 4, to - (at + 4 + i * 4));
      }
      return at;
    }
    if (value.kind !== "table") throw new Error("a scalar has no place of its own");
    const fields = Object.entries(value.fields).map(([slot, field]) => ({ slot: Number(slot), field }));
    const slots = Math.max(0, ...fields.map(({ slot }) => slot + 1));
    const vtable = out.length;
    out.push(...Array.from({ length: 4 + slots * 2 }, () => 0));
    align();
    const at = out.length;
    word(vtable, 4 + slots * 2, 2);
    out.push(...number(4, at - vtable), 0, 0, 0, 0);
    const later: [number, Value][] = [];
    for (const { slot, field } of fields) {
      align();
      word(vtable + 4 + slot * 2, out.length - at, 2);
      if (field.kind === "scalar") out.push(...field.bytes);
      else {
        later.push([out.length, field]);
        out.push(0, 0, 0, 0);
      }
    }
    word(vtable + 2, out.length - at, 2);
    for (const [where, child] of later) word(where, put(child) - where);
    return at;
  };
  out.push(0, 0, 0, 0, ...Buffer.from(identifier, "latin1"));
  word(0, put(root));
  align();
  const bytes = Uint8Array.from(out);
  return sizePrefixed ? Buffer.concat([number(4, bytes.length), bytes]) : bytes;
}
