/**
 * Attributes of an operator from its text, generic and pretty forms alike, under the names the portable dialect (VHLO) gives them: what
 * dim_numbers, window and contracting_dims say is what MACs are counted from.
 */

import { utf8 } from "../../base/bytes.ts";
import type { Attribute } from "../../model/graph.ts";
import { cutAt } from "./types.ts";

/** Attributes of one operator, and characters of one value that are kept. */
const ATTRIBUTE_LIMIT = 64;
const VALUE_LIMIT = 240;
const LIST_LIMIT = 64;
/** Longer values are neither numbers nor lists that are kept, and are not searched for any. */
const FORM_LIMIT = 4096;

export type Attributes = Record<string, Attribute>;

/** `front` is what stands before the types of an operator, without its regions. */
export function attributesOf(front: string): Attributes {
  const out: Attributes = {};
  for (const [key, value] of pairsOf(front)) put(out, key, value);
  return out;
}

/** key = value, at the top and inside the attribute dictionaries of the operator. */
function pairsOf(text: string): [string, string][] {
  const out: [string, string][] = [];
  for (const part of cutAt(text, ",")) {
    if (out.length >= ATTRIBUTE_LIMIT) break;
    const whole = part.trim();
    const dictionary = dictionaryAt(whole);
    const front = dictionary === undefined ? whole : whole.slice(0, dictionary).trim();
    const pair = /(?:^|[\s)])([A-Za-z_][\w.$]*)\s*=\s*([^]+)$/.exec(front);
    if (pair) out.push([pair[1] ?? "", (pair[2] ?? "").trim()]);
    if (dictionary === undefined) continue;
    const inner = whole
      .slice(dictionary)
      .replace(/^<?\{/, "")
      .replace(/\}>?[^}]*$/, "");
    for (const item of cutAt(inner, ",")) {
      if (out.length >= ATTRIBUTE_LIMIT) break;
      const at = item.indexOf("=");
      const name = (at < 0 ? item : item.slice(0, at)).trim().replace(/^"|"$/g, "");
      if (/^[A-Za-z_][\w.$]*$/.test(name)) out.push([name, at < 0 ? "true" : item.slice(at + 1).trim()]);
    }
  }
  return out.slice(0, ATTRIBUTE_LIMIT);
}

/** Where `{` or `<{` of an attribute dictionary begins: not the one that is a value (`window = {`). */
function dictionaryAt(text: string): number | undefined {
  let depth = 0;
  let before = "";
  for (let at = 0; at < text.length; at++) {
    const c = text[at] ?? "";
    if (c === '"') {
      const end = text.indexOf('"', at + 1);
      at = end < 0 ? text.length : end;
    } else if (depth === 0 && (c === "{" || (c === "<" && text[at + 1] === "{")) && before !== "=") return at;
    else if ("<({[".includes(c)) depth++;
    else if (">)}]".includes(c) && !(c === ">" && text[at - 1] === "-")) depth--;
    if (c.trim() !== "") before = c;
  }
  return undefined;
}

function put(out: Attributes, key: string, value: string): void {
  if (value.length > FORM_LIMIT && key !== "value") {
    out[key] = value.startsWith('"') ? valueOf(value) : value.slice(0, VALUE_LIMIT);
    return;
  }
  switch (key) {
    case "dim_numbers":
    case "dimension_numbers":
      convolution(out, value);
      return;
    case "window":
      for (const [name, part] of pairsOf(value.replace(/^\{|\}$/g, ""))) {
        const named = Object.hasOwn(windowNames, name) ? windowNames[name] : undefined;
        if (named !== undefined) out[named] = list(part) ?? part.slice(0, VALUE_LIMIT);
      }
      return;
    case "contracting_dims":
    case "batching_dims": {
      const [left = "", right = ""] = value.split(" x ");
      const what = key === "contracting_dims" ? "contracting" : "batching";
      out[`lhs_${what}_dimensions`] = list(left) ?? [];
      out[`rhs_${what}_dimensions`] = list(right) ?? [];
      return;
    }
    case "dot_dimension_numbers":
      for (const side of ["lhs_batching", "rhs_batching", "lhs_contracting", "rhs_contracting"])
        out[`${side}_dimensions`] =
          list(new RegExp(`${side}_dimensions\\s*=\\s*(\\[[^\\]]*\\])`).exec(value)?.[1] ?? "") ?? [];
      return;
    case "value":
      return; // of constants: it is the tensor's data
    default:
      out[key] = valueOf(value);
  }
}

const windowNames: Readonly<Record<string, string>> = {
  stride: "window_strides",
  pad: "padding",
  lhs_dilate: "lhs_dilation",
  rhs_dilate: "rhs_dilation",
};

/** [b, 0, 1, f]x[0, 1, i, o]->[b, 0, 1, f]; a number stands for the spatial dimension of that number. */
function convolution(out: Attributes, value: string): void {
  const found = /\[([^\]]*)\]\s*x\s*\[([^\]]*)\]\s*->\s*\[([^\]]*)\]/.exec(value);
  if (!found) {
    // #stablehlo.conv<raw input_batch_dimension = 0, ...>: what the short form cannot say.
    for (const [, name = "", number = ""] of value.matchAll(/(\w+_dimensions?)\s*=\s*(-?\d+|\[[-\d\s,]*\])/g))
      out[name] = number.startsWith("[") ? (list(number) ?? []) : Number(number);
    return;
  }
  for (const [side, text, [first, second]] of [
    ["input", found[1], ["b", "f"]],
    ["kernel", found[2], ["i", "o"]],
    ["output", found[3], ["b", "f"]],
  ] as const) {
    const words = (text ?? "").split(",").map((word) => word.trim());
    const names = side === "kernel" ? ["input_feature", "output_feature"] : ["batch", "feature"];
    out[`${side}_${names[0] ?? ""}_dimension`] = words.indexOf(first);
    out[`${side}_${names[1] ?? ""}_dimension`] = words.indexOf(second);
    const spatial = words.map((word, at): [number, number] => [Number(word), at]).filter(([n]) => Number.isInteger(n));
    out[`${side}_spatial_dimensions`] = spatial.sort((a, b) => a[0] - b[0]).map(([, at]) => at);
  }
}

function valueOf(text: string): Attribute {
  const typed = /^(-?\d+)(?:\s*:\s*[\w!.]+)?$/.exec(text)?.[1];
  if (typed !== undefined) return Number.isSafeInteger(Number(typed)) ? Number(typed) : BigInt(typed);
  const real = /^(-?\d+\.\d+(?:[eE][-+]?\d+)?)(?:\s*:\s*[\w!.]+)?$/.exec(text)?.[1];
  if (real !== undefined) return Number(real);
  if (text === "true" || text === "false") return text === "true";
  const string = /^"([^"]*)"/.exec(text)?.[1];
  if (string !== undefined) return textOf(string).slice(0, VALUE_LIMIT);
  return list(text) ?? text.slice(0, VALUE_LIMIT);
}

/** [1, 2], [[0, 1], [0, 1]], array<i64: 1, 2>, dense<[1, 2]> : tensor<2xi64>; undefined for what is no list of integers. */
export function list(text: string): number[] | undefined {
  const inner =
    /^(?:array<[\w!]+:?|dense<)?\s*([-\d\s,[\]]*|(?:true|false)(?:,\s*(?:true|false))*)>?(?:\s*:\s*[\w<>!]+)?$/.exec(
      text.trim().replace(/\s+/g, " "), // long runs of blanks would be tried in every way
    )?.[1];
  if (inner === undefined) return undefined;
  const words = inner
    .replace(/[[\]\s]/g, "")
    .split(",")
    .filter((word) => word !== "");
  if (words.length > LIST_LIMIT || words.some((word) => !/^-?\d+$|^true$|^false$/.test(word))) return undefined;
  return words.map((word) => (word === "true" ? 1 : word === "false" ? 0 : Number(word)));
}

/** Text of a string literal: two hexadecimal digits after a backslash are a byte. */
export function textOf(literal: string): string {
  const plain = literal.replace(/\\([0-9a-fA-F]{2}|.)/g, (_, code: string) =>
    code.length === 2 ? String.fromCharCode(parseInt(code, 16)) : code === "n" ? "\n" : code === "t" ? "\t" : code,
  );
  // The file was read as Latin-1, byte by byte; names are UTF-8.
  return /[^\0-\x7f]/.test(plain) ? utf8(Uint8Array.from(plain, (c) => c.charCodeAt(0) & 0xff)) : plain;
}
