/** Attributes of an OM's models, operators and tensors: map<string, AttrDef> of ge_ir.proto, with the numbers that newer compilers write for names. */

import type { Attribute } from "../../model/graph.ts";
import type { Message } from "../wire/protobuf.ts";
import { plain } from "./parts.ts";

/** Longest list kept as an attribute. */
const LIST_LIMIT = 64;
/** Names a compressed model numbers. */
const NAME_LIMIT = 100_000;

/** Names and values that attributes give by number. */
export interface Dictionary {
  names: readonly string[];
  values: readonly string[];
  asText: readonly boolean[];
}

/** An entry of a map<string, AttrDef>. */
export function entry(message: Message): { key: string; value: Message | undefined } {
  const inner = message.message();
  let key = "";
  let value: Message | undefined;
  while (inner.next()) {
    if (inner.field === 1) key = inner.string();
    else if (inner.field === 2) value = inner.message();
  }
  return { key, value };
}

/** A numbered name begins with NUL; what follows are digits of base 127, lowest first, each one more than it counts. */
export function nameOf(key: string, { names, asText }: Dictionary): { name: string; text: boolean } {
  if (!key.startsWith("\0")) return { name: plain(key, 96), text: false };
  let index = 0;
  let unit = 1;
  for (let i = 1; i < key.length && i < 6; i++, unit *= 127) index += (key.charCodeAt(i) - 1) * unit;
  return { name: plain(names[index] ?? "", 96), text: asText[index] === true };
}

/** False when there is nothing to keep. */
export function keep(into: Record<string, Attribute>, name: string, value: Attribute | undefined): boolean {
  if (value === undefined || name === "" || name === "__proto__") return false;
  into[name] = value;
  return true;
}

/** Scalars and short lists; tensors, graphs and the rest are no attributes a reader can show. */
export function attribute(message: Message, values?: readonly string[]): Attribute | undefined {
  while (message.next()) {
    switch (message.field) {
      case 2:
        return message.length > 4096 ? undefined : plain(message.string());
      case 3: {
        const value = message.int();
        return values === undefined ? value : plain(values[value] ?? String(value));
      }
      case 4:
        return message.float();
      case 5:
        return message.bool();
      case 15:
        return message.int();
      case 1:
        return list(message.message(), values);
    }
  }
  return undefined;
}

function list(message: Message, values?: readonly string[]): Attribute | undefined {
  const texts: string[] = [];
  const numbers: number[] = [];
  while (message.next() && texts.length <= LIST_LIMIT && numbers.length <= LIST_LIMIT) {
    if (message.field === 2) texts.push(plain(message.string(), 96));
    else if (message.field === 3 || message.field === 5) message.ints(numbers);
    else if (message.field === 4) message.floats(numbers);
  }
  if (texts.length > LIST_LIMIT || numbers.length > LIST_LIMIT) return undefined;
  if (texts.length > 0) return texts;
  if (numbers.length === 0) return undefined;
  return values === undefined ? numbers : numbers.map((value) => plain(values[value] ?? String(value), 96));
}

/** Texts of a list. */
export function strings(message: Message): string[] {
  const out: string[] = [];
  while (message.next()) {
    if (message.field !== 1) continue;
    const inner = message.message();
    while (inner.next()) {
      if (inner.field !== 2) continue;
      if (out.length >= NAME_LIMIT) inner.fail(`more than ${NAME_LIMIT} names`);
      out.push(inner.string());
    }
  }
  return out;
}

/** Booleans of a list. */
export function flags(message: Message): boolean[] {
  const out: number[] = [];
  while (message.next()) {
    if (message.field !== 1) continue;
    const inner = message.message();
    while (inner.next()) if (inner.field === 5) inner.ints(out, NAME_LIMIT);
  }
  return out.map((value) => value !== 0);
}
