/** Floats of 16 bits, which JavaScript of Node 20 has no array for. */

/** IEEE 754 binary16. */
export function float16(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

const word = new DataView(new ArrayBuffer(8));

/** The upper half of an IEEE 754 binary32. */
export function bfloat16(bits: number): number {
  word.setUint32(0, bits << 16);
  return word.getFloat32(0);
}

/** Bits of the binary16 that is nearest, ties to even; infinity beyond 65504. */
export function toFloat16(value: number): number {
  word.setFloat64(0, value);
  const sign = (word.getUint16(0) & 0x8000) >>> 0;
  const size = Math.abs(value);
  if (Number.isNaN(size)) return 0x7e00;
  if (size >= 65520) return sign | 0x7c00;
  const exponent = Math.max(-14, Math.floor(Math.log2(size)));
  // Units of the last place; a carry runs into the exponent as it should.
  const units = roundEven(size / 2 ** (exponent - 10));
  return sign | (units < 1024 ? units : ((exponent + 14) << 10) + units);
}

/** Bits of the bfloat16 that is nearest, ties to even. */
export function toBfloat16(value: number): number {
  word.setFloat32(0, value);
  const bits = word.getUint32(0);
  if (Number.isNaN(value)) return 0x7fc0;
  return ((bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16) & 0xffff;
}

function roundEven(value: number): number {
  const down = Math.floor(value);
  const rest = value - down;
  return rest > 0.5 || (rest === 0.5 && down % 2 === 1) ? down + 1 : down;
}
