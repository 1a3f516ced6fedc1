/**
 * Attributes and types of an MLIR bytecode file: an index of entries, each read when it is asked for. Those of builtin, stablehlo, vhlo
 * and quant by their codes; of other dialects as far as they are written as text. Blobs of constants are told by where they lie.
 */

import { FileError } from "../../base/errors.ts";
import { bytesOf, elementsOf, type Attribute, type Integrity, type TensorData } from "../../model/graph.ts";
import type { ModelFile } from "../file.ts";
import type { Dialect } from "./bytecode.ts";
import { BytecodeReader } from "./reader.ts";
import { readBuiltinType, readQuantType, readVhloType, type FunctionType, type TypeContext } from "./types-bytecode.ts";
import { parseType, type Typed } from "./types.ts";

/** Attributes and types of the largest programs: a location for each operator. */
const ENTRY_LIMIT = 8_000_000;
/** Types inside types, attributes inside attributes. */
const DEPTH_LIMIT = 32;
/** Values of a list that are kept: shapes, strides, permutations. */
const LIST_LIMIT = 64;
const TEXT_LIMIT = 64 * 1024;
/** What reading entries again and again may cost: a small file can name one long list from everywhere. */
const WORK_LIMIT = 20_000_000;

interface Entry {
  readonly dialect: string;
  readonly at: number;
  readonly end: number;
  /** By the dialect's own code; else text. */
  readonly coded: boolean;
}

/** An attribute as far as it is understood. */
export type Decoded =
  | { readonly is: "value"; readonly value: Attribute }
  | { readonly is: "type"; readonly type: number }
  | { readonly is: "list"; readonly items: readonly number[] }
  | { readonly is: "dictionary"; readonly pairs: ReadonlyMap<string, number> }
  | { readonly is: "data"; readonly type: number; readonly at: number; readonly bytes: number }
  | { readonly is: "resource"; readonly type: number }
  | { readonly is: "named"; readonly values: Readonly<Record<string, Attribute>> }
  | { readonly is: "other" };

const other: Decoded = { is: "other" };

export class Entries {
  readonly #file: ModelFile;
  readonly #strings: readonly string[];
  readonly #attributes: Entry[] = [];
  readonly #types: Entry[] = [];
  readonly #typed = new Map<number, Typed | FunctionType>();
  readonly #decoded = new Map<number, Decoded>();
  readonly #integrity: Integrity[];
  readonly unseen: string[] = [];
  #work = 0;

  constructor(
    file: ModelFile,
    data: BytecodeReader,
    offsets: BytecodeReader,
    strings: readonly string[],
    dialects: readonly Dialect[],
    integrity: Integrity[],
  ) {
    this.#file = file;
    this.#strings = strings;
    this.#integrity = integrity;
    const attributes = offsets.count(ENTRY_LIMIT, "attributes");
    const types = offsets.count(ENTRY_LIMIT, "types");
    let at = data.at;
    for (const [list, count] of [
      [this.#attributes, attributes],
      [this.#types, types],
    ] as const) {
      while (list.length < count) {
        const index = offsets.varint();
        const dialect = dialects[index] ?? offsets.fail(`dialect ${index}, there are ${dialects.length}`);
        const group = offsets.count(count - list.length, "attributes or types of one dialect");
        if (group === 0) offsets.fail("a dialect without attributes or types");
        for (let i = 0; i < group; i++) {
          const { value, flag } = offsets.flagged();
          if (at + value > data.end) offsets.fail("attributes and types go past their section");
          list.push({ dialect: dialect.name, at, end: at + value, coded: flag });
          at += value;
        }
      }
    }
    if (offsets.left > 0) offsets.fail(`${offsets.left} bytes after the last offset`);
    if (at !== data.end) data.fail(`${data.end - at} bytes after the last type`, at);
  }

  /** What a value of the type is; of a function type, nothing. */
  type(index: number, depth = 0): Typed {
    const found = this.#type(index, depth);
    return "inputs" in found ? { type: "unknown", spelled: "function" } : found;
  }

  functionType(index: number): FunctionType | undefined {
    const found = this.#type(index, 0);
    return "inputs" in found ? found : undefined;
  }

  attribute(index: number, depth = 0): Decoded {
    const held = this.#decoded.get(index);
    if (held !== undefined) return held;
    const entry = this.#attributes[index];
    if (entry === undefined) this.#fail(`attribute ${index}, there are ${this.#attributes.length}`, 0);
    if (depth > DEPTH_LIMIT) this.#fail(`more than ${DEPTH_LIMIT} attributes inside each other`, entry.at);
    this.#spend(1, entry.at);
    const decoded = this.#decode(entry);
    this.#decoded.set(index, decoded);
    return decoded;
  }

  /** As a graph's attribute; undefined for what is none: types, long lists, values of dialects that are not known. */
  plain(index: number, depth = 0): Attribute | undefined {
    const found = this.attribute(index, depth);
    switch (found.is) {
      case "value":
        return found.value;
      case "data":
        return this.#smallData(found);
      case "list": {
        if (found.items.length > LIST_LIMIT) return undefined;
        const items = found.items.map((item) => this.plain(item, depth + 1));
        if (items.every((item) => typeof item === "number")) return items;
        return items.every((item) => typeof item === "string") ? items : undefined;
      }
      default:
        return undefined;
    }
  }

  text(index: number): string | undefined {
    const found = this.attribute(index);
    return found.is === "value" && typeof found.value === "string" ? found.value : undefined;
  }

  /** The data of a constant's value, and the type it is of. */
  constant(index: number, label: string): TensorData | undefined {
    const found = this.attribute(index);
    // The blob lies among the resources, as long as its type says.
    if (found.is === "resource") return { bytes: bytesOf(this.type(found.type)) ?? 0 };
    if (found.is !== "data") return undefined;
    const typed = this.type(found.type);
    const { at, bytes } = found;
    const count = elementsOf(typed.shape);
    const expected = bytesOf(typed);
    if (expected === bytes) return { offset: at, bytes };
    // One element for all of them; whole bytes for parts of one; one bit for each truth value.
    const width =
      expected === undefined || count === undefined || count === 0 ? undefined : Math.max(1, expected / count);
    const fits =
      width === undefined ||
      count === undefined ||
      bytes === Math.ceil(width) ||
      bytes === count * Math.ceil(width) ||
      (typed.type === "bool" && (bytes === Math.ceil(count / 8) || bytes === 1));
    if (!fits)
      this.#integrity.push({
        severity: "error",
        rule: "constant/wrong-size",
        says: `${label}: ${bytes} bytes for ${count} values of ${width}`,
        offset: at,
      });
    return { bytes };
  }

  #smallData(found: Decoded & { is: "data" }): number[] | undefined {
    const typed = this.type(found.type);
    const count = elementsOf(typed.shape);
    const width = typed.type === "int64" ? 8 : typed.type === "int32" ? 4 : typed.type === "bool" ? 1 : 0;
    if (width === 0 || count === undefined || count > LIST_LIMIT) return undefined;
    const cursor = this.#file.cursor(found.at, found.bytes);
    const read = (): number =>
      width === 8 ? Number(BigInt.asIntN(64, cursor.u64())) : width === 4 ? cursor.u32() | 0 : cursor.u8();
    if (found.bytes === width) return Array<number>(count).fill(read());
    if (found.bytes !== width * count) return undefined;
    return Array.from({ length: count }, read);
  }

  #type(index: number, depth: number): Typed | FunctionType {
    const held = this.#typed.get(index);
    if (held !== undefined) return held;
    const entry = this.#types[index];
    if (entry === undefined) this.#fail(`type ${index}, there are ${this.#types.length}`, 0);
    if (depth > DEPTH_LIMIT) this.#fail(`more than ${DEPTH_LIMIT} types inside each other`, entry.at);
    this.#spend(1, entry.at);
    const context: TypeContext = {
      reader: new BytecodeReader(this.#file, entry.at, entry.end),
      element: (inner) => this.type(inner, depth + 1),
    };
    const typed = entry.coded ? this.#codedType(entry, context) : parseType(this.#asText(entry));
    if (!("inputs" in typed) && (typed.shape?.some((d) => typeof d === "number" && !Number.isSafeInteger(d)) ?? false))
      this.#fail("a type with an impossible shape", entry.at);
    this.#typed.set(index, typed);
    return typed;
  }

  #codedType({ dialect }: Entry, context: TypeContext): Typed | FunctionType {
    if (dialect === "builtin") return readBuiltinType(context);
    if (dialect === "vhlo") return readVhloType(context);
    if (dialect === "quant") return readQuantType(context);
    if (dialect === "stablehlo" || dialect === "mhlo") return { type: "resource", spelled: "!stablehlo.token" };
    return { type: "unknown", spelled: `!${dialect}` };
  }

  #asText({ at, end }: Entry): string {
    return new BytecodeReader(this.#file, at, end).cstring(TEXT_LIMIT);
  }

  #decode(entry: Entry): Decoded {
    if (!entry.coded) {
      const length = entry.end - entry.at;
      return length > 0 && length <= TEXT_LIMIT ? { is: "value", value: this.#asText(entry) } : other;
    }
    const reader = new BytecodeReader(this.#file, entry.at, entry.end);
    const code = reader.varint();
    if (entry.dialect === "builtin") return this.#builtin(code, reader);
    if (entry.dialect === "vhlo") return this.#vhlo(code, reader);
    if (entry.dialect === "stablehlo" || entry.dialect === "mhlo") return stablehlo(code, reader);
    return other;
  }

  /** mlir/IR/BuiltinDialectBytecode.td: codes in the order of its list. */
  #builtin(code: number, reader: BytecodeReader): Decoded {
    switch (code) {
      case 0:
        return this.#list(reader);
      case 1: {
        const pairs = new Map<string, number>();
        const count = reader.count(LIST_LIMIT * 1024, "attributes", 2);
        this.#spend(count, reader.at);
        for (let i = 0; i < count; i++) pairs.set(this.text(reader.varint()) ?? `attribute ${i}`, reader.varint());
        return { is: "dictionary", pairs };
      }
      case 2:
      case 3:
        return { is: "value", value: this.#string(reader.varint(), reader) };
      case 4:
      case 5:
        return { is: "value", value: this.text(reader.varint()) ?? "" };
      case 6:
        return { is: "type", type: reader.varint() };
      case 7:
        return { is: "value", value: true };
      case 8:
        return this.#integer(reader);
      case 16:
        return { is: "resource", type: reader.varint() };
      case 17: {
        const width = bytesOf({ ...this.type(reader.varint()), shape: [] }) ?? 0;
        const count = reader.varint();
        const bytes = reader.varint();
        const at = reader.skip(bytes);
        if (count > LIST_LIMIT || count * width !== bytes || ![1, 4, 8].includes(width)) return other;
        const cursor = this.#file.cursor(at, bytes);
        const read = (): number =>
          width === 8 ? Number(BigInt.asIntN(64, cursor.u64())) : width === 4 ? cursor.u32() | 0 : cursor.u8();
        return { is: "value", value: Array.from({ length: count }, read) };
      }
      case 18:
        return this.#data(reader);
      default:
        return other;
    }
  }

  /** AttributeCode of VhloBytecode.cpp. */
  #vhlo(code: number, reader: BytecodeReader): Decoded {
    const word = Object.hasOwn(vhloEnums, code) ? vhloEnums[code] : undefined;
    if (word !== undefined) {
      const number = reader.varint();
      return { is: "value", value: word.split(" ")[number] ?? String(number) };
    }
    switch (code) {
      case 1:
        return this.#list(reader);
      case 2:
        return { is: "value", value: reader.varint() !== 0 };
      case 9:
        return this.#integer(reader);
      case 14:
        return { is: "value", value: this.#string(reader.varint(), reader) };
      case 15:
        return this.#data(reader);
      case 17:
        return { is: "type", type: reader.varint() };
      default:
        return other;
    }
  }

  #list(reader: BytecodeReader): Decoded {
    const count = reader.count(ENTRY_LIMIT, "attributes of a list");
    this.#spend(count, reader.at);
    return { is: "list", items: Array.from({ length: count }, () => reader.varint()) };
  }

  #integer(reader: BytecodeReader): Decoded {
    const typed = this.type(reader.varint());
    const bits = typed.spelled === "index" ? 64 : (bytesOf({ ...typed, shape: [] }) ?? 64) * 8;
    const value = bits <= 8 ? BigInt(reader.byte()) : reader.signed();
    const plain = Number(value);
    return { is: "value", value: typed.type === "bool" ? value !== 0n : Number.isSafeInteger(plain) ? plain : value };
  }

  #data(reader: BytecodeReader): Decoded {
    const type = reader.varint();
    const bytes = reader.varint();
    return { is: "data", type, at: reader.skip(bytes), bytes };
  }

  #string(index: number, reader: BytecodeReader): string {
    return this.#strings[index] ?? reader.fail(`string ${index}, there are ${this.#strings.length}`);
  }

  #spend(work: number, at: number): void {
    this.#work += work;
    if (this.#work > WORK_LIMIT) this.#fail("its attributes take more work than any real program's", at);
  }

  #fail(why: string, at: number): never {
    throw new FileError(this.#file.name, why, at);
  }
}

/** Enumerations of VhloEnums.td by their attribute's code, values by number. */
const vhloEnums: Readonly<Record<number, string>> = {
  3: "EQ NE GE GT LE LT",
  4: "NOTYPE FLOAT TOTALORDER SIGNED UNSIGNED",
  5: "API_VERSION_UNSPECIFIED API_VERSION_ORIGINAL API_VERSION_STATUS_RETURNING API_VERSION_STATUS_RETURNING_UNIFIED API_VERSION_TYPED_FFI",
  7: "FFT IFFT RFFT IRFFT",
  11: "DEFAULT HIGH HIGHEST",
  12: "DEFAULT THREE_FRY PHILOX",
  13: "- UNIFORM NORMAL",
  16: "TRANSPOSE_INVALID NO_TRANSPOSE TRANSPOSE ADJOINT",
};

/** AttributeCode of StablehloBytecode.cpp: what MACs need. */
function stablehlo(code: number, reader: BytecodeReader): Decoded {
  const numbers = (): number[] =>
    Array.from({ length: reader.count(LIST_LIMIT, "dimensions") }, () => reader.signedNumber());
  const named = (fields: readonly string[]): Decoded => ({
    is: "named",
    values: Object.fromEntries(
      fields.map((field) => [field, field.endsWith("dimensions") ? numbers() : reader.signedNumber()]),
    ),
  });
  if (code === 4)
    return named(
      ["input_batch_dimension", "input_feature_dimension", "input_spatial_dimensions"].concat(
        ["kernel_input_feature_dimension", "kernel_output_feature_dimension", "kernel_spatial_dimensions"],
        ["output_batch_dimension", "output_feature_dimension", "output_spatial_dimensions"],
      ),
    );
  if (code === 5)
    return named([
      "lhs_batching_dimensions",
      "rhs_batching_dimensions",
      "lhs_contracting_dimensions",
      "rhs_contracting_dimensions",
    ]);
  const words = { 2: "EQ NE GE GT LE LT", 3: "NOTYPE FLOAT TOTALORDER SIGNED UNSIGNED", 8: "DEFAULT HIGH HIGHEST" };
  const word = Object.entries(words).find(([number]) => Number(number) === code)?.[1];
  return word === undefined ? other : { is: "value", value: word.split(" ")[reader.varint()] ?? "?" };
}
