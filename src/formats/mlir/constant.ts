/** Where the value of a constant stands in a text, and whether it is as long as its type says. */

import { bytesOf, elementBits, elementsOf, type TensorData } from "../../model/graph.ts";
import { MARK } from "./elide.ts";
import type { Typed } from "./types.ts";

export interface ConstantText {
  readonly data: TensorData;
  /** What is wrong with it. */
  readonly wrong?: string;
  /** Its values were left out when the text was written. */
  readonly elided?: boolean;
  /** Key of a resource at the end of the file. */
  readonly resource?: string;
}

/** The literal of `dense<...>` in what an operator says; undefined where there is none. */
export function constantOf(front: string, typed: Typed): ConstantText | undefined {
  const named = /\bdense_resource<\s*(?:"([^"]*)"|([^\s>"]+))\s*>/.exec(front);
  const resource = named?.[1] ?? named?.[2];
  if (resource !== undefined) {
    const elided = resource === "__elided__";
    return { data: { bytes: 0 }, ...(elided ? { elided } : { resource }) };
  }
  const at = front.search(/\bdense<|\bsparse</);
  if (at < 0) return undefined;
  const literal = front.slice(front.indexOf("<", at) + 1);
  const width = storedBytes(typed);
  const count = elementsOf(typed.shape);
  const splat = { data: { bytes: width ?? 0 } };
  if (literal.startsWith(">")) return counted(0, count, width);
  const long = MARK.exec(literal);
  if (long) return counted(Number(long[2]), count, width);
  if (literal.startsWith("[")) return counted(valuesOf(literal), count, width);
  if (!literal.startsWith('"')) return splat;
  const body = literal.slice(1);
  const mark = MARK.exec(body);
  const hex = mark ? Number(mark[2]) : body.indexOf('"');
  if (!(mark ? body.slice(mark[0].length) : body).startsWith("0x")) return splat;
  const bytes = Math.floor((hex - 2) / 2);
  if (hex % 2 !== 0) return { data: { bytes }, wrong: `${hex - 2} hexadecimal digits, which are no whole bytes` };
  const wrong = wrongSize(bytes, typed);
  return { data: { bytes }, ...(wrong === undefined ? {} : { wrong }) };
}

/** Bytes that fit a type: all elements, one for all of them, or packed; what is wrong where they do not. */
export function wrongSize(bytes: number, typed: Typed): string | undefined {
  const width = storedBytes(typed);
  const count = elementsOf(typed.shape);
  const packed = bytesOf({ type: typed.type, ...(typed.shape === undefined ? {} : { shape: typed.shape }) });
  if (width === undefined || count === undefined || bytes === count * width || bytes === packed || bytes === width)
    return undefined;
  // One bit for each truth value, as older writers packed them.
  if (typed.type === "bool" && bytes === Math.ceil(count / 8)) return undefined;
  return `${bytes} bytes for ${count} values of ${width}`;
}

function counted(values: number, count: number | undefined, width: number | undefined): ConstantText {
  const data = { bytes: values * (width ?? 0) };
  if (count === undefined || count === values) return { data };
  return { data, wrong: `${values} values where its type has ${count}` };
}

/** In memory, and so in hexadecimal: whole bytes for each element. */
function storedBytes({ type }: Typed): number | undefined {
  const bits = elementBits[type];
  return bits === undefined ? undefined : Math.max(1, bits / 8);
}

/** Values of a short list: commas outside of the parentheses of complex numbers and outside of strings. */
function valuesOf(literal: string): number {
  const end = literal.search(/\]\s*>/);
  const inner = literal
    .slice(0, end < 0 ? literal.length : end + 1)
    .replace(/"[^"]*"/g, "s")
    .replace(/\([^)]*\)/g, "c");
  const bare = inner.replace(/[[\]\s]/g, "");
  return bare === "" ? 0 : bare.split(",").filter((word) => word !== "").length;
}
