/**
 * Typed contents: InferTensorContents, a tensor as a repeated field of numbers. The datatype says which field; nothing is made before it
 * is known that the bytes for it are there.
 */

import { elementsOver, type Elements, type Value } from "../../delegates/value.ts";
import { Refusal } from "../engine.ts";
import { quoted, textOf, TEXTS_LIMIT, type Datatype } from "../tensors.ts";
import {
  bigVarintLength,
  BYTES,
  FIXED32,
  FIXED64,
  VARINT,
  varintLength,
  writeBigVarint,
  writeVarint,
  type Reader,
  type Writer,
} from "./wire.ts";

interface Field {
  readonly number: number;
  readonly name: string;
  readonly wire: typeof VARINT | typeof FIXED32 | typeof FIXED64 | typeof BYTES;
  /** Of whole numbers that are narrower here than on the wire. */
  readonly least?: number;
  readonly most?: number;
}

const int = { number: 2, name: "int_contents", wire: VARINT } as const;
const uint = { number: 4, name: "uint_contents", wire: VARINT } as const;

/** By datatype; FP16 and BF16 have none. */
const fields: Readonly<Record<string, Field>> = {
  BOOL: { number: 1, name: "bool_contents", wire: VARINT },
  INT8: { ...int, least: -0x80, most: 0x7f },
  INT16: { ...int, least: -0x8000, most: 0x7fff },
  INT32: { ...int, least: -0x8000_0000, most: 0x7fff_ffff },
  INT64: { number: 3, name: "int64_contents", wire: VARINT },
  UINT8: { ...uint, least: 0, most: 0xff },
  UINT16: { ...uint, least: 0, most: 0xffff },
  UINT32: { ...uint, least: 0, most: 0xffff_ffff },
  UINT64: { number: 5, name: "uint64_contents", wire: VARINT },
  FP32: { number: 6, name: "fp32_contents", wire: FIXED32 },
  FP64: { number: 7, name: "fp64_contents", wire: FIXED64 },
  BYTES: { number: 8, name: "bytes_contents", wire: BYTES },
};

/** Whether a datatype can be written in typed contents. */
export const hasContents = (datatype: Datatype): boolean => Object.hasOwn(fields, datatype.name);

/** The tensor that `contents` hold. Throws Refusal, WireError. */
export function valueFromContents(
  datatype: Datatype,
  shape: readonly number[],
  count: number,
  contents: Reader | undefined,
  tensor: string,
): Value {
  const field = fields[datatype.name];
  if (field === undefined) {
    throw new Refusal("invalid", `${quoted(tensor)}: ${datatype.name} is taken as raw_input_contents only`);
  }
  const { type } = datatype;
  const room = contents === undefined ? 0 : contents.bytes.length;
  const least = field.wire === FIXED32 ? 4 : field.wire === FIXED64 ? 8 : 1;
  if (count * least > room) throw tooFew(tensor, datatype, shape, count);
  if (type === "string") return { type, shape, data: textsIn(field, count, contents, tensor) };
  const data = elementsOver(type, new ArrayBuffer(count * datatype.bytes));
  if (data === undefined) throw new Error(`${type} has no elements`); // every row of the table but BYTES has
  const put = putter(field, data, tensor);
  let given = 0;
  while (contents?.next() === true) {
    if (contents.field !== field.number) throw otherField(contents, field, datatype, tensor);
    given = put(contents, given);
  }
  if (given < count) throw tooFew(tensor, datatype, shape, count, given);
  return { type, shape, data };
}

/** Appends what the current field of the reader holds after `given` elements; gives how many there are then. */
function putter(field: Field, data: Elements, tensor: string): (contents: Reader, given: number) => number {
  const { length } = data;
  const tooMany = (): never => {
    throw new Refusal("invalid", `${quoted(tensor)}: ${field.name} holds more than the shape's ${length} elements`);
  };
  const { wire } = field;
  if (wire === FIXED32 || wire === FIXED64) {
    const into = new Uint8Array(data.buffer);
    return (contents, given) => {
      const bytes = contents.fixed(wire);
      const at = given * data.BYTES_PER_ELEMENT;
      if (at + bytes.length > into.length) tooMany();
      into.set(bytes, at);
      return given + bytes.length / data.BYTES_PER_ELEMENT;
    };
  }
  let at = 0;
  const take = taker(field, data, tensor);
  return (contents, given) => {
    at = given;
    contents.varints((low, high) => {
      if (at >= length) tooMany();
      take(at++, low, high);
    });
    return at;
  };
}

/** Stores one varint of two halves. */
function taker(field: Field, data: Elements, tensor: string): (at: number, low: number, high: number) => void {
  if (data instanceof BigInt64Array || data instanceof BigUint64Array) {
    const halves = new Uint32Array(data.buffer);
    return (at, low, high) => {
      halves[2 * at] = low;
      halves[2 * at + 1] = high;
    };
  }
  const { least, most } = field;
  if (least === undefined || most === undefined) {
    return (at, low, high) => {
      data[at] = low === 0 && high === 0 ? 0 : 1;
    };
  }
  return (at, low, high) => {
    // A negative number is written in 64 bits; some write 32.
    const value = least < 0 ? low | 0 : low;
    if (value < least || value > most || (high !== 0 && (least === 0 || high !== 0xffff_ffff))) {
      throw new Refusal("invalid", `${quoted(tensor)}: element ${at} is out of the datatype's range`);
    }
    data[at] = value;
  };
}

function textsIn(field: Field, count: number, contents: Reader | undefined, tensor: string): string[] {
  if (count > TEXTS_LIMIT) throw new Refusal("invalid", `${quoted(tensor)}: ${count} texts, over ${TEXTS_LIMIT}`);
  const texts: string[] = [];
  while (contents?.next() === true) {
    if (contents.field !== field.number) {
      throw new Refusal("invalid", `${quoted(tensor)}: BYTES belong into ${field.name}, field ${field.number}`);
    }
    if (texts.length === count) {
      throw new Refusal("invalid", `${quoted(tensor)}: more texts are given than its shape has, ${count}`);
    }
    texts.push(textOf(contents.payload(), tensor));
  }
  if (texts.length < count) {
    throw new Refusal("invalid", `${quoted(tensor)}: ${count} texts are needed, ${texts.length} are given`);
  }
  return texts;
}

const tooFew = (tensor: string, datatype: Datatype, shape: readonly number[], count: number, given?: number): Refusal =>
  new Refusal(
    "invalid",
    `${quoted(tensor)}: ${datatype.name} [${shape.join(", ")}] needs ${count} elements, ` +
      (given === undefined ? "fewer are given" : `${given} are given`),
  );

const otherField = (contents: Reader, field: Field, datatype: Datatype, tensor: string): Refusal =>
  new Refusal(
    "invalid",
    `${quoted(tensor)}: ${datatype.name} belongs into ${field.name}, field ${field.number}; field ${contents.field} is given`,
  );

/** Writes InferTensorContents as field `number` of the message that `out` writes. */
export function writeContents(out: Writer, number: number, datatype: Datatype, { data }: Value): void {
  const field = fields[datatype.name];
  if (field === undefined) throw new Error(`${datatype.name} has no contents`); // whoever calls has asked hasContents()
  const tag = field.number * 8 + BYTES;
  if (!ArrayBuffer.isView(data)) {
    const lengths = data.map((text) => Buffer.byteLength(text));
    const whole = lengths.reduce((sum, length) => sum + 1 + varintLength(length) + length, 0);
    out.filled(number, whole, (into, at) => {
      data.forEach((text, index) => {
        into[at++] = tag;
        at = writeVarint(into, at, lengths[index] ?? 0);
        at += into.write(text, at);
      });
    });
    return;
  }
  const length = field.wire === VARINT ? varintsLength(data) : data.byteLength;
  out.filled(number, 1 + varintLength(length) + length, (into, at) => {
    into[at++] = tag;
    at = writeVarint(into, at, length);
    if (field.wire !== VARINT) into.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), at);
    else if (isBig(data)) for (const value of data) at = writeBigVarint(into, at, value);
    else for (const value of data) at = writeVarint(into, at, value);
  });
}

const isBig = (data: Elements): data is BigInt64Array | BigUint64Array =>
  data instanceof BigInt64Array || data instanceof BigUint64Array;

function varintsLength(data: Elements): number {
  let sum = 0;
  if (isBig(data)) for (const value of data) sum += bigVarintLength(value);
  else for (const value of data) sum += varintLength(value);
  return sum;
}
