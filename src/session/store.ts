/** Real numbers as an input's type stores them: floats of any width, quantised integers, plain integers. */

import { toBfloat16, toFloat16 } from "../base/float16.ts";
import type { Port } from "../delegates/delegate.ts";
import type { ElementType } from "../model/graph.ts";

/** Least and most of the integers that are stored. */
export const integers: Readonly<Partial<Record<ElementType, readonly [number, number]>>> = {
  uint8: [0, 255],
  int8: [-128, 127],
  uint16: [0, 65535],
  int16: [-32768, 32767],
  uint32: [0, 2 ** 32 - 1],
  int32: [-(2 ** 31), 2 ** 31 - 1],
  int64: [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
  uint64: [0, Number.MAX_SAFE_INTEGER],
};

const floats: Readonly<Partial<Record<ElementType, (value: number) => number>>> = {
  float64: (value) => value,
  float32: (value) => value,
  float16: toFloat16,
  bfloat16: toBfloat16,
};

export const isFloat = (type: ElementType): boolean => floats[type] !== undefined;

/** What the input's array holds for a real number; undefined for types that hold none (bool, string, 4 bits). */
export function storer({ type, quantization }: Port): ((real: number) => number) | undefined {
  const float = floats[type];
  if (float !== undefined) return float;
  const range = integers[type];
  if (range === undefined) return undefined;
  const { scale, zero } = quantization ?? { scale: 1, zero: 0 };
  const [least, most] = range;
  return (real) => {
    const value = real / scale;
    // Halves away from zero, as TFLite's quantisation rounds.
    const rounded = (value < 0 ? -Math.round(-value) : Math.round(value)) + zero;
    return rounded > least ? Math.min(rounded, most) : least;
  };
}

/** The real numbers that a quantised input can hold. */
export function realRange({
  type,
  quantization,
}: Pick<Port, "type" | "quantization">): readonly [number, number] | undefined {
  const range = integers[type];
  if (range === undefined || quantization === undefined) return undefined;
  const { scale, zero } = quantization;
  return [scale * (range[0] - zero), scale * (range[1] - zero)];
}

/** Four digits: enough to recognise a range by. */
export const short = (value: number): string => String(Number(value.toPrecision(4)));
