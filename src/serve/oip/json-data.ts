/**
 * Tensor data as JSON: "data" of an input, flat or nested as its shape is, to elements; elements of an output to JSON text.
 *
 * What JSON has no number for: integers beyond 2^53 are taken and written digit by digit; NaN, Infinity and -Infinity are the texts
 * "NaN", "Infinity" and "-Infinity" both ways (as in protobuf's JSON), since JSON has no such numbers. BF16 has no JSON.
 * https://github.com/kserve/open-inference-protocol/blob/main/specification/protocol/inference_rest.md, "Tensor Data"
 */

import { bfloat16, float16, toFloat16 } from "../../base/float16.ts";
import { elementsOver, type Elements, type Value } from "../../delegates/value.ts";
import { Refusal } from "../engine.ts";
import { quoted, TEXTS_LIMIT, type Datatype } from "../tensors.ts";

/** Says that numbers came out of JSON.parse which it cannot hold: the text is to be read again, with them as texts. */
export class TooLarge extends Error {}

/** Elements of `data`; `exact`: large integers are there as texts. Throws Refusal, TooLarge. */
export function valueFromJson(
  datatype: Datatype,
  shape: readonly number[],
  count: number,
  data: unknown,
  tensor: string,
  exact: boolean,
): Value {
  const { type } = datatype;
  if (!Array.isArray(data)) {
    throw invalid(tensor, data === undefined ? "no data is given" : "data is no list");
  }
  const flat = Array.isArray(data[0]) ? flattened(data, shape, count, tensor) : (data as unknown[]);
  if (flat.length !== count) {
    throw invalid(tensor, `${datatype.name} [${shape.join(", ")}] needs ${count} elements, ${flat.length} are given`);
  }
  if (type === "string") return { type, shape, data: textsOf(flat, tensor) };
  if (type === "bfloat16") throw invalid(tensor, "BF16 has no JSON; send it as binary data");
  const elements = elementsOver(type, new ArrayBuffer(count * datatype.bytes));
  if (elements === undefined) throw new Error(`${type} has no elements`); // every row of the table but BYTES has
  if (type === "float32" || type === "float64") fillFloats(elements, flat, datatype, tensor);
  else if (type === "bool") fillBools(elements, flat, tensor);
  else if (type === "float16") fillHalves(elements, flat, datatype, tensor);
  else if (elements instanceof BigInt64Array || elements instanceof BigUint64Array) {
    fillLarge(elements, flat, datatype, tensor, exact);
  } else fillIntegers(elements, flat, datatype, tensor);
  return { type, shape, data: elements };
}

const invalid = (tensor: string, says: string): Refusal => new Refusal("invalid", `${quoted(tensor)}: ${says}`);

function misfit(tensor: string, at: number, element: unknown, { name }: Datatype): Refusal {
  const text = JSON.stringify(element);
  return invalid(tensor, `element ${at} is no ${name}: ${text.length > 60 ? `${text.slice(0, 60)}…` : text}`);
}

function fillFloats(into: Elements, from: readonly unknown[], datatype: Datatype, tensor: string): void {
  for (let at = 0; at < from.length; at++) {
    const element = from[at];
    into[at] = typeof element === "number" ? element : namedFloat(element, at, datatype, tensor);
  }
}

function namedFloat(element: unknown, at: number, datatype: Datatype, tensor: string): number {
  if (element === "NaN" || element === "Infinity" || element === "-Infinity") return Number(element);
  throw misfit(tensor, at, element, datatype);
}

function fillHalves(into: Elements, from: readonly unknown[], datatype: Datatype, tensor: string): void {
  for (let at = 0; at < from.length; at++) {
    const element = from[at];
    into[at] = toFloat16(typeof element === "number" ? element : namedFloat(element, at, datatype, tensor));
  }
}

function fillBools(into: Elements, from: readonly unknown[], tensor: string): void {
  for (let at = 0; at < from.length; at++) {
    const element = from[at];
    if (element === true || element === 1) into[at] = 1;
    else if (element !== false && element !== 0) {
      throw invalid(tensor, `element ${at} of BOOL is neither true nor false`);
    }
  }
}

/** A typed array wraps what does not fit it: what comes back is held against what went in. */
function fillIntegers(into: Elements, from: readonly unknown[], datatype: Datatype, tensor: string): void {
  for (let at = 0; at < from.length; at++) {
    const element = from[at];
    into[at] = element as number;

    if (into[at] !== element) throw misfit(tensor, at, element, datatype);
  }
}

const DIGITS = /^-?\d{1,20}$/;

function fillLarge(
  into: BigInt64Array | BigUint64Array,
  from: readonly unknown[],
  datatype: Datatype,
  tensor: string,
  exact: boolean,
): void {
  for (let at = 0; at < from.length; at++) {
    const element = from[at];
    let own: bigint;
    if (Number.isSafeInteger(element)) own = BigInt(element as number);
    else if (typeof element === "string" && DIGITS.test(element)) own = BigInt(element);
    else if (typeof element === "number" && !exact) throw new TooLarge();
    else throw misfit(tensor, at, element, datatype);
    into[at] = own;
    if (into[at] !== own) throw misfit(tensor, at, element, datatype);
  }
}

function textsOf(flat: readonly unknown[], tensor: string): string[] {
  if (flat.length > TEXTS_LIMIT) throw invalid(tensor, `${flat.length} texts, over ${TEXTS_LIMIT}`);
  flat.forEach((text, at) => {
    if (typeof text !== "string") throw invalid(tensor, `element ${at} of BYTES is no text`);
  });
  return flat as string[];
}

/** Lists in lists, which have to be what the shape says. */
function flattened(data: readonly unknown[], shape: readonly number[], count: number, tensor: string): unknown[] {
  const flat: unknown[] = [];
  const walk = (list: readonly unknown[], level: number): void => {
    if (list.length !== shape[level]) {
      throw invalid(
        tensor,
        level < shape.length
          ? `a list of ${list.length} stands in data where the shape [${shape.join(", ")}] has ${shape[level] ?? 0}`
          : `data is nested deeper than the shape [${shape.join(", ")}]`,
      );
    }
    const deeper = level + 1 < shape.length;
    for (const one of list) {
      if (Array.isArray(one)) walk(one, level + 1);
      else if (deeper) throw invalid(tensor, `data is not nested as the shape [${shape.join(", ")}] says`);
      else flat.push(one);
    }
    if (flat.length > count) throw invalid(tensor, `more than ${count} elements are given`);
  };
  walk(data, 0);
  return flat;
}

/** A string, or a number; integers that a double does not hold are put into quotes. One pass, whatever the text. */
const WORDS = /"[^"\\]*(?:\\[^][^"\\]*)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;
const LARGE = /^-?\d{16,}$/;

/** The same JSON text with large integers as texts. */
export const withLargeAsTexts = (text: string): string =>
  text.replace(WORDS, (word) => (LARGE.test(word) ? `"${word}"` : word));

/** JSON text of a tensor's data, flat; undefined where it has none (BF16). */
export function jsonOf({ type, data }: Value): string | undefined {
  if (!ArrayBuffer.isView(data)) return JSON.stringify(data);
  if (type === "bfloat16") return undefined;
  if (type === "bool") return `[${Array.from(data as Uint8Array, (one) => one !== 0).join(",")}]`;
  if (type === "float16") return floats(Float32Array.from(data as Uint16Array, float16));
  if (data instanceof BigInt64Array || data instanceof BigUint64Array) return `[${data.join(",")}]`;
  return floats(data);
}

/** join() would do, but what it makes lives until the next full collection (docs/decisions/065). */
function floats(data: Exclude<Elements, BigInt64Array | BigUint64Array>): string {
  const text = JSON.stringify(Array.from(data));
  // What JSON has no number for stands there as null.
  return text.includes("n") ? `[${data.join(",").replace(/NaN|-?Infinity/g, '"$&"')}]` : text;
}

/** Numbers of bfloat16, for those who look at them. */
export const widened = ({ type, data }: Value): ArrayLike<number | bigint> | undefined => {
  if (!ArrayBuffer.isView(data)) return undefined;
  if (type === "float16") return Float32Array.from(data as Uint16Array, float16);
  return type === "bfloat16" ? Float32Array.from(data as Uint16Array, bfloat16) : data;
};
