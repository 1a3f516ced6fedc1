/**
 * MLIR types as text: tensor<1x3x?xf32>, tensor<*xi8>, !quant.uniform<i8:f32, 0.5:3>, f32, and what is none of a tensor (tokens, tuples).
 * https://mlir.llvm.org/docs/Dialects/Builtin/#rankedtensortype, https://mlir.llvm.org/docs/Dialects/QuantDialect/
 */

import type { Dimension, ElementType, Quantization, Tensor } from "../../model/graph.ts";

/** Ranks of published programs stay below 10; what is beyond this is no tensor. */
export const RANK_LIMIT = 64;
/** Scales of one per-axis type: channels of the widest layers. */
const SCALE_LIMIT = 262_144;
/** Of a type that is no tensor, so much is kept. */
const SPELLED = 120;

/** What a type says of a value. */
export type Typed = Pick<Tensor, "type" | "spelled" | "shape" | "quantization">;

/* prettier-ignore */
const elements: Readonly<Record<string, ElementType>> = {
  f64: "float64", f32: "float32", f16: "float16", bf16: "bfloat16",
  f8E4M3FN: "float8e4m3fn", f8E5M2: "float8e5m2", f8E4M3FNUZ: "float8e4m3fnuz", f8E5M2FNUZ: "float8e5m2fnuz", f4E2M1FN: "float4e2m1",
  i64: "int64", i32: "int32", i16: "int16", i8: "int8", i4: "int4", i2: "int2", i1: "bool",
  si64: "int64", si32: "int32", si16: "int16", si8: "int8", si4: "int4", si2: "int2",
  ui64: "uint64", ui32: "uint32", ui16: "uint16", ui8: "uint8", ui4: "uint4", ui2: "uint2",
  "complex<f32>": "complex64", "complex<f64>": "complex128",
};

/** Storage types of quantised ones: u8 and i8 as the quant dialect writes them. */
const storages: Readonly<Record<string, ElementType>> = { u16: "uint16", u8: "uint8", u4: "uint4", u2: "uint2" };

/** A type by its text. What is no tensor and no number keeps its spelling. */
export function parseType(text: string): Typed {
  const whole = text.trim();
  const inner = /^(?:tensor|memref|vector)<([^]*)>$/.exec(whole)?.[1];
  if (inner === undefined) {
    // Tokens and futures order operators and hold nothing.
    if (/^!?[\w.]*(?:token|future)\b|^none$/.test(whole)) return { type: "resource", spelled: whole.slice(0, SPELLED) };
    return { ...elementType(whole), ...(Object.hasOwn(elements, whole) ? { shape: [] } : {}) };
  }
  const parts = cutAt(inner, ",")[0] ?? "";
  if (parts.startsWith("*x")) return elementType(parts.slice(2));
  const shape: Dimension[] = [];
  let rest = parts;
  for (let found = /^(\?|\d+)x/.exec(rest); found; found = /^(\?|\d+)x/.exec(rest)) {
    if (shape.length >= RANK_LIMIT) break;
    shape.push(found[1] === "?" ? null : Number(found[1]));
    rest = rest.slice(found[0].length);
  }
  return { ...elementType(rest.trim()), shape };
}

export function elementType(text: string): Typed {
  const name = text.replace(/\s+/g, "");
  if (Object.hasOwn(elements, name)) return { type: elements[name] ?? "unknown" };
  const uniform = /^!quant\.uniform<([^]*)>$/.exec(text.trim())?.[1];
  if (uniform !== undefined) return quantised(uniform);
  return { type: "unknown", spelled: text.trim().slice(0, SPELLED) };
}

/** `i8<-127:127>:f32:1, {0.1:2, 0.3}`: storage with its range, expressed type, axis; a scale and a zero point, or one for each channel. */
function quantised(text: string): Typed {
  const [head = "", ...rest] = cutAt(text, ",");
  const [storage = "", , ...axes] = cutAt(head, ":").map((part) => part.trim());
  const plain = storage.replace(/<[^]*$/, "");
  const type = elements[plain] ?? storages[plain] ?? "unknown";
  const values = rest.join(",").trim();
  const axis = axes.length === 1 && /^\d+$/.test(axes[0] ?? "") ? Number(axes[0]) : undefined;
  const pairs = values
    .replace(/[{}\s]/g, "")
    .split(",")
    .slice(0, SCALE_LIMIT);
  const scale = pairs.map((pair) => Number(pair.split(":")[0]));
  const zeroPoint = pairs.map((pair) => Number(pair.split(":")[1] ?? 0));
  const blocks = values.startsWith("{{") || (axes[0] ?? "").startsWith("{");
  const quantization: Quantization = blocks
    ? { scale: [], zeroPoint: [], scheme: `blocks ${axes.join(":").slice(0, SPELLED)}` }
    : { scale, zeroPoint: zeroPoint.some((z) => z !== 0) ? zeroPoint : [], ...(axis === undefined ? {} : { axis }) };
  return {
    type,
    ...(type === "unknown" ? { spelled: `!quant.uniform<${head.slice(0, SPELLED)}>` } : {}),
    quantization,
  };
}

/** Cut at a mark that stands outside brackets and strings; "->" and "=>" are no brackets. */
export function cutAt(text: string, mark: string): string[] {
  if (!text.includes(mark)) return [text];
  const out: string[] = [];
  const wanted = mark.charCodeAt(0);
  let depth = 0;
  let from = 0;
  for (let at = 0; at < text.length; at++) {
    const c = text.charCodeAt(at);
    if (depth === 0 && c === wanted) {
      out.push(text.slice(from, at));
      from = at + 1;
    } else if (c === 0x28 || c === 0x3c || c === 0x5b || c === 0x7b) depth++;
    else if (c === 0x29 || c === 0x5d || c === 0x7d) depth--;
    else if (c === 0x3e) {
      const before = text.charCodeAt(at - 1);
      if (before !== 0x2d && before !== 0x3d) depth--;
    } else if (c === 0x22) {
      const end = text.indexOf('"', at + 1);
      at = end < 0 ? text.length : end;
    }
  }
  out.push(text.slice(from));
  return out;
}
