/** Numbers that QNN's public headers (QnnTypes.h) and every format of QAIRT share: element types, kinds of tensors, encodings. */

import type { ElementType, Quantization } from "../../model/graph.ts";

const types: Readonly<Record<number, ElementType>> = {
  0x0004: "int4",
  0x0008: "int8",
  0x0016: "int16",
  0x0032: "int32",
  0x0064: "int64",
  0x0104: "uint4",
  0x0108: "uint8",
  0x0116: "uint16",
  0x0132: "uint32",
  0x0164: "uint64",
  0x0216: "float16",
  0x0232: "float32",
  0x0264: "float64",
  0x0304: "int4",
  0x0308: "int8",
  0x0316: "int16",
  0x0332: "int32",
  0x0404: "uint4",
  0x0408: "uint8",
  0x0416: "uint16",
  0x0432: "uint32",
  0x0508: "bool",
  0x0608: "string",
};

export function qnnType(code: number): { readonly type: ElementType; readonly spelled?: string } {
  const type = Object.hasOwn(types, code) ? types[code] : undefined;
  return type === undefined ? { type: "unknown", spelled: `type 0x${code.toString(16).padStart(4, "0")}` } : { type };
}

/** Qnn_TensorType_t */
export const APP_WRITE = 0;
export const APP_READ = 1;
export const APP_READWRITE = 2;
export const STATIC = 4;

/** One encoding as the tools of SNPE print it: bits, min, max, scale, offset. */
export interface Encoding {
  readonly bits: number;
  readonly min: number;
  readonly max: number;
  readonly scale: number;
  readonly offset: number;
}

/** An encoding whose numbers belong together: the range is as many steps as the bits have, and begins at the offset. */
export function isEncoding({ bits, min, max, scale, offset }: Encoding): boolean {
  if (!(bits >= 2 && bits <= 32) || !(scale > 0) || !(max >= min)) return false;
  const range = scale * (2 ** bits - 1);
  return Math.abs(max - min - range) <= 0.02 * range && Math.abs(min - scale * offset) <= 0.02 * range;
}

/** QNN counts from the offset, scale * (value + offset): the zero point is the offset turned over. */
export function quantizationOf(encodings: readonly Encoding[], axis?: number): Quantization | undefined {
  if (encodings.length === 0 || !encodings.every(isEncoding)) return undefined;
  const symmetric = encodings.every(({ offset }) => offset === 0);
  return {
    scale: encodings.map(({ scale }) => scale),
    zeroPoint: symmetric ? [] : encodings.map(({ offset }) => (offset === 0 ? 0 : -offset)),
    ...(axis === undefined ? {} : { axis }),
    scheme: `${encodings[0]?.bits ?? 0} bits`,
  };
}
