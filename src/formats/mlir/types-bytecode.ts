/** Types of MLIR bytecode by the codes of their dialects: builtin, vhlo (VhloBytecode.cpp), quant (QuantDialectBytecode.td). */

import type { Dimension, ElementType, Quantization } from "../../model/graph.ts";
import type { BytecodeReader } from "./reader.ts";
import { RANK_LIMIT, type Typed } from "./types.ts";

/** Arguments and results of one function: parameters of a network are its arguments in exported programs. */
const ARITY_LIMIT = 1_000_000;
const SCALE_LIMIT = 262_144;

export interface FunctionType {
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
}

export interface TypeContext {
  readonly reader: BytecodeReader;
  /** A type inside, by its index. */
  readonly element: (index: number) => Typed;
}

/** mlir/IR/BuiltinDialectBytecode.td: codes in the order of its list. */
export function readBuiltinType({ reader, element }: TypeContext): Typed | FunctionType {
  const code = reader.varint();
  switch (code) {
    case 0: {
      const value = reader.varint();
      return integer(value >> 2, value & 3);
    }
    case 1:
      return { type: "unknown", spelled: "index" };
    case 2:
      return functionType(reader);
    case 3:
      return scalar("bfloat16");
    case 4:
      return scalar("float16");
    case 5:
      return scalar("float32");
    case 6:
      return scalar("float64");
    case 9:
      return complex(element(reader.varint()));
    case 12:
      return { type: "resource", spelled: "none" };
    case 10:
    case 13:
    case 19:
      return ranked(reader, element);
    case 11:
    case 14:
      reader.varint();
      return ranked(reader, element);
    case 16:
    case 18:
      return unranked(element(reader.varint()));
    default:
      return { type: "unknown", spelled: `builtin type ${code}` };
  }
}

const vhloScalars: Readonly<Record<number, ElementType>> = {
  0: "bool",
  2: "bfloat16",
  3: "float16",
  4: "float32",
  5: "float64",
  6: "float8e4m3fn",
  7: "float8e5m2",
  10: "int4",
  11: "int8",
  12: "int16",
  13: "int32",
  14: "int64",
  15: "uint4",
  16: "uint8",
  17: "uint16",
  18: "uint32",
  19: "uint64",
  27: "float8e4m3fnuz",
  28: "float8e5m2fnuz",
  31: "int2",
  32: "uint2",
  37: "float4e2m1",
};

/** Element types that have no shared name, by the spelling of their builtin type. */
const vhloSpelled: Readonly<Record<number, string>> = {
  9: "index",
  29: "f8E4M3B11FNUZ",
  34: "tf32",
  35: "f8E4M3",
  36: "f8E3M4",
  38: "f6E2M3FN",
  39: "f6E3M2FN",
  40: "f8E8M0FNU",
};

/** TypeCode of VhloBytecode.cpp. */
export function readVhloType({ reader, element }: TypeContext): Typed | FunctionType {
  const code = reader.varint();
  const plain = Object.hasOwn(vhloScalars, code) ? vhloScalars[code] : undefined;
  if (plain !== undefined) return scalar(plain);
  const spelled = Object.hasOwn(vhloSpelled, code) ? vhloSpelled[code] : undefined;
  if (spelled !== undefined) return { type: "unknown", spelled };
  switch (code) {
    case 1:
      return complex(element(reader.varint()));
    case 8:
      return functionType(reader);
    case 20:
    case 41:
      return ranked(reader, element);
    case 21:
      reader.varint();
      return ranked(reader, element);
    case 22:
    case 26:
    case 33:
    case 42:
      return {
        type: "resource",
        spelled: code === 22 ? "token" : code === 26 ? "witness" : code === 33 ? "none" : "future",
      };
    case 24:
      return uniform(reader, element);
    case 25:
      return unranked(element(reader.varint()));
    case 30:
      return uniformPerAxis(reader, element);
    default:
      return { type: "unknown", spelled: code === 23 ? "tuple" : `vhlo type ${code}` };
  }
}

export function readQuantType({ reader, element }: TypeContext): Typed {
  const code = reader.varint();
  if (code === 4) return uniform(reader, element);
  if (code === 5) return uniformPerAxis(reader, element);
  return { type: "unknown", spelled: `quant type ${code}` };
}

const scalar = (type: ElementType): Typed => ({ type, shape: [] });

function integer(width: number, signedness: number): Typed {
  const name = width === 1 ? "bool" : `${signedness === 2 ? "u" : ""}int${width}`;
  const known = [
    "bool",
    "int2",
    "int4",
    "int8",
    "int16",
    "int32",
    "int64",
    "uint2",
    "uint4",
    "uint8",
    "uint16",
    "uint32",
    "uint64",
  ];
  const found = known.find((one) => one === name) as ElementType | undefined; // each of them is an element type
  return found === undefined ? { type: "unknown", spelled: `i${width}`, shape: [] } : scalar(found);
}

function complex({ type }: Typed): Typed {
  if (type === "float32") return scalar("complex64");
  return type === "float64" ? scalar("complex128") : { type: "unknown", spelled: "complex" };
}

function functionType(reader: BytecodeReader): FunctionType {
  const list = (): number[] => Array.from({ length: reader.count(ARITY_LIMIT, "types") }, () => reader.varint());
  const inputs = list();
  return { inputs, outputs: list() };
}

function ranked(reader: BytecodeReader, element: TypeContext["element"]): Typed {
  const rank = reader.count(RANK_LIMIT, "dimensions");
  const shape: Dimension[] = [];
  for (let i = 0; i < rank; i++) {
    const size = reader.signed();
    // ShapedType::kDynamic; -1 before 2023.
    const open = size === -(2n ** 63n) || size === -1n;
    if (!open && (size < 0n || size > BigInt(Number.MAX_SAFE_INTEGER))) reader.fail(`a dimension of ${size}`);
    shape.push(open ? null : Number(size));
  }
  return { ...element(reader.varint()), shape };
}

function unranked(inner: Typed): Typed {
  const { type, spelled, quantization } = inner;
  return {
    type,
    ...(spelled === undefined ? {} : { spelled }),
    ...(quantization === undefined ? {} : { quantization }),
  };
}

/** flags, storage, expressed, scale, zero point, least and greatest stored value. */
function uniform(reader: BytecodeReader, element: TypeContext["element"]): Typed {
  const flags = reader.varint();
  const storage = element(reader.varint());
  reader.varint();
  const scale = double(reader);
  const zero = reader.signedNumber();
  return quantised(storage, flags, { scale: [scale], zeroPoint: zero === 0 ? [] : [zero] });
}

function uniformPerAxis(reader: BytecodeReader, element: TypeContext["element"]): Typed {
  const flags = reader.varint();
  const storage = element(reader.varint());
  reader.varint();
  const axis = reader.varint();
  reader.signed();
  reader.signed();
  const scale = Array.from({ length: reader.count(SCALE_LIMIT, "scales") }, () => double(reader));
  const zeroPoint = Array.from({ length: reader.count(SCALE_LIMIT, "zero points") }, () => reader.signedNumber());
  return quantised(storage, flags, { scale, zeroPoint: zeroPoint.every((zero) => zero === 0) ? [] : zeroPoint, axis });
}

function quantised({ type, spelled }: Typed, flags: number, quantization: Quantization): Typed {
  // Bit 0: the storage is signed.
  const unsigned = (flags & 1) === 0 && /^int\d+$/.test(type) ? (`u${type}` as ElementType) : type; // uint2 to uint64 are element types
  return { type: unsigned, ...(spelled === undefined ? {} : { spelled }), quantization, shape: [] };
}

/** A double's bits as a signed number of variable length. */
function double(reader: BytecodeReader): number {
  const view = new DataView(new ArrayBuffer(8));
  view.setBigInt64(0, BigInt.asIntN(64, reader.signed()));
  return view.getFloat64(0);
}
