/**
 * Tensors of a PyTorch pickle: calls of torch._utils._rebuild_*, whose first argument names a storage outside of the pickle.
 * github.com/pytorch/pytorch/blob/main/torch/_utils.py
 */

import {
  bytesOf,
  elementBits,
  elementsOf,
  type ElementType,
  type Integrity,
  type Quantization,
  type Tensor,
  type TensorData,
} from "../../model/graph.ts";
import { globalOf, itemsOf, type Call, type Value } from "./pickle.ts";

/** Tensors of one file: optimisers' states among them. */
const TENSOR_LIMIT = 1_000_000;
/** Objects inside objects. */
const DEPTH_LIMIT = 200;
const RANK_LIMIT = 64;
const NAME_LIMIT = 512;
const TOLD = 5;

/** Storage classes and dtypes by PyTorch's names. */
const types: Readonly<Record<string, ElementType>> = {
  Float: "float32",
  Double: "float64",
  Half: "float16",
  BFloat16: "bfloat16",
  Long: "int64",
  Int: "int32",
  Short: "int16",
  Char: "int8",
  Byte: "uint8",
  Bool: "bool",
  ComplexFloat: "complex64",
  ComplexDouble: "complex128",
  QInt8: "int8",
  QUInt8: "uint8",
  QInt32: "int32",
  QUInt4x2: "uint4",
  QUInt2x4: "uint2",
  Untyped: "uint8",
  float32: "float32",
  float64: "float64",
  float16: "float16",
  bfloat16: "bfloat16",
  int64: "int64",
  int32: "int32",
  int16: "int16",
  int8: "int8",
  uint8: "uint8",
  uint16: "uint16",
  uint32: "uint32",
  uint64: "uint64",
  bool: "bool",
  complex64: "complex64",
  complex128: "complex128",
  float8_e4m3fn: "float8e4m3fn",
  float8_e4m3fnuz: "float8e4m3fnuz",
  float8_e5m2: "float8e5m2",
  float8_e5m2fnuz: "float8e5m2fnuz",
  qint8: "int8",
  quint8: "uint8",
  qint32: "int32",
};

/** Where a storage's bytes lie; undefined when the file does not hold it. */
export interface Storage {
  readonly offset: number;
  readonly bytes: number;
}

export interface Found {
  readonly tensors: readonly Tensor[];
  readonly integrity: readonly Integrity[];
  /** Keys of storages that tensors lie in. */
  readonly used: ReadonlySet<string>;
  /** Plain values at the top: epoch, version, what a trainer kept. */
  readonly facts: Readonly<Record<string, string>>;
  /** The class of the outermost object, where it is one. */
  readonly root?: string;
}

export function findTensors(value: Value, storageOf: (key: string) => Storage | undefined, prefix = ""): Found {
  const finder = new Finder(storageOf);
  finder.walk(value, prefix, 0);
  const root = typeof value === "object" && value !== null && value.kind === "call" ? globalOf(value.callee) : "";
  return {
    tensors: finder.tensors,
    integrity: finder.integrity,
    used: finder.used,
    facts: finder.facts,
    ...(root === "" || root === "collections OrderedDict" || /^torch\._/.test(root)
      ? {}
      : { root: root.replace(" ", ".") }),
  };
}

/** Containers of a module that are no part of its tensors' names. */
const silent: ReadonlySet<string> = new Set(["_parameters", "_buffers", "_modules"]);

class Finder {
  readonly tensors: Tensor[] = [];
  readonly integrity: Integrity[] = [];
  readonly used = new Set<string>();
  readonly facts: Record<string, string> = {};
  readonly #storageOf: (key: string) => Storage | undefined;
  readonly #seen = new Set<object>();
  readonly #counts = new Map<string, number>();
  /** Extents given of each storage: how far they reach, and which they are. */
  readonly #given = new Map<string, { end: number; extents: Set<string> }>();

  constructor(storageOf: (key: string) => Storage | undefined) {
    this.#storageOf = storageOf;
  }

  walk(value: Value, path: string, depth: number): void {
    if (typeof value !== "object" || value === null) {
      if (depth === 1 && value !== null && Object.keys(this.facts).length < 40)
        this.facts[path.slice(0, 80)] = String(value).slice(0, 200);
      return;
    }
    if (this.#seen.has(value) || this.tensors.length >= TENSOR_LIMIT) return;
    this.#seen.add(value);
    if (depth > DEPTH_LIMIT) {
      this.#tell("warning", "pickle/depth", `what lies deeper than ${DEPTH_LIMIT} objects is not looked at`);
      return;
    }
    switch (value.kind) {
      case "call":
        if (this.#tensor(value, path, depth)) return;
        this.walk(value.args, path, depth + 1);
        if (value.state !== undefined) this.walk(value.state, path, depth + 1);
        value.items?.forEach((item, index) => this.walk(item, join(path, String(index)), depth + 1));
        for (const [key, item] of value.pairs ?? []) this.walk(item, join(path, keyOf(key)), depth + 1);
        return;
      case "dict":
        for (const [key, item] of value.pairs) this.walk(item, join(path, keyOf(key)), depth + 1);
        return;
      case "list":
      case "tuple":
      case "set":
        value.items.forEach((item, index) => this.walk(item, join(path, String(index)), depth + 1));
        return;
    }
  }

  /** Is the call one that makes a tensor? Then it is added. */
  #tensor(call: Call, path: string, depth: number): boolean {
    const args = itemsOf(call.args);
    switch (globalOf(call.callee)) {
      case "torch._utils _rebuild_tensor":
      case "torch._utils _rebuild_tensor_v2":
        this.#add(path, args, undefined, undefined);
        return true;
      case "torch._utils _rebuild_tensor_v3":
        this.#add(path, args, globalOf(args[6]), undefined);
        return true;
      case "torch._utils _rebuild_qtensor":
        this.#add(path, args, undefined, quantization(args[4]));
        return true;
      case "torch._utils _rebuild_parameter":
      case "torch._utils _rebuild_parameter_with_state":
        if (args[0] !== undefined) this.walk(args[0], path, depth + 1);
        return true;
      case "torch._tensor _rebuild_from_type_v2": {
        // (function, class, arguments, state): a tensor of a class of its own.
        const [callee = null, , inner = null] = args;
        this.walk({ kind: "call", callee, args: inner }, path, depth + 1);
        return true;
      }
      case "torch._utils _rebuild_sparse_tensor":
      case "torch._utils _rebuild_sparse_csr_tensor": {
        const [indices, values] = itemsOf(args[1]);
        const before = this.tensors.length;
        if (indices !== undefined) this.walk(indices, join(path, "indices"), depth + 1);
        if (values !== undefined) this.walk(values, join(path, "values"), depth + 1);
        for (let at = before; at < this.tensors.length; at++) {
          const tensor = this.tensors[at];
          if (tensor !== undefined) this.tensors[at] = { ...tensor, sparse: true };
        }
        return true;
      }
      case "torch._utils _rebuild_meta_tensor_no_storage":
        this.#push(path, { type: typeNamed(globalOf(args[0])) ?? "unknown", ...shaped(sizesOf(args[1])) });
        return true;
      default:
        return false;
    }
  }

  #push(path: string, tensor: Omit<Tensor, "name">): void {
    this.tensors.push({ name: path.slice(0, NAME_LIMIT), ...tensor });
  }

  /** (storage, offset in elements, sizes, strides, ...) */
  #add(path: string, args: readonly Value[], dtype: string | undefined, quantized: Quantization | undefined): void {
    const [storage, start, sizes, strides] = args;
    const id =
      typeof storage === "object" && storage !== null && storage.kind === "persistent" ? itemsOf(storage.id) : [];
    const [kind, storageClass, key, , count] = id;
    const shape = sizesOf(sizes);
    const label = JSON.stringify(path.slice(0, 80));
    if (
      kind !== "storage" ||
      typeof key !== "string" ||
      shape === undefined ||
      typeof start !== "number" ||
      start < 0
    ) {
      this.#tell("error", "tensor/unreadable", `tensor ${label} is rebuilt from what is no storage, offset and shape`);
      return;
    }
    const className = globalOf(storageClass);
    const stored = typeNamed(className.replace(/Storage$/, ""));
    const type = (dtype === undefined || dtype === "" ? stored : typeNamed(dtype)) ?? "unknown";
    this.used.add(key);
    const bits = elementBits[type];
    const data =
      bits === undefined
        ? undefined
        : this.#extent(key, label, { type, shape, bits, start, strides: sizesOf(strides) });
    const storageBits = elementBits[stored ?? "unknown"];
    const held = this.#storageOf(key);
    if (held !== undefined && typeof count === "number" && storageBits !== undefined) {
      const expected = Math.ceil((count * storageBits) / 8);
      if (expected !== held.bytes)
        this.#tell(
          "error",
          "storage/size",
          `storage ${key.slice(0, 40)} of ${label} has ${held.bytes} bytes, ${expected} are said`,
        );
    }
    this.#push(path, {
      type,
      ...(type === "unknown" ? { spelled: (dtype ?? className).replace(" ", ".").slice(0, 80) } : {}),
      shape,
      ...(quantized === undefined ? {} : { quantization: quantized }),
      ...(data === undefined ? {} : { data }),
    });
  }

  /** Bytes from the first element to the last; an offset only where they are just the tensor's own. */
  #extent(
    key: string,
    label: string,
    view: {
      readonly type: ElementType;
      readonly shape: readonly number[];
      readonly bits: number;
      readonly start: number;
      readonly strides: readonly number[] | undefined;
    },
  ): TensorData | undefined {
    const { type, shape, bits, start, strides } = view;
    const storage = this.#storageOf(key);
    const size = bytesOf({ type, shape }) ?? 0;
    if (storage === undefined) {
      this.#tell("error", "storage/missing", `storage ${key.slice(0, 40)} of ${label} is not in the file`);
      return undefined;
    }
    const empty = elementsOf(shape) === 0;
    const reach = empty ? 0 : shape.reduce((sum, length, at) => sum + (length - 1) * (strides?.[at] ?? 0), 1);
    const from = Math.floor((start * bits) / 8);
    const span = strides === undefined ? size : Math.ceil((reach * bits) / 8);
    if (!Number.isSafeInteger(span) || span < 0 || from + span > storage.bytes) {
      const says = `${label} reaches to byte ${from + span} of its storage, which has ${storage.bytes}`;
      this.#tell("error", "extent/past-storage", says, storage.offset);
      return undefined;
    }
    const given = this.#given.get(key) ?? { end: 0, extents: new Set() };
    this.#given.set(key, given);
    const extent = `${from}+${span}`;
    const apart = from >= given.end || given.extents.has(extent);
    given.extents.add(extent);
    given.end = Math.max(given.end, from + span);
    // Views that share a part of a storage, or leave gaps in it, are no extents of their own.
    return span === size && apart ? { offset: storage.offset + from, bytes: size } : { bytes: apart ? span : 0 };
  }

  #tell(severity: Integrity["severity"], rule: string, says: string, offset?: number): void {
    const count = (this.#counts.get(rule) ?? 0) + 1;
    this.#counts.set(rule, count);
    if (count <= TOLD) this.integrity.push({ severity, rule, says, ...(offset === undefined ? {} : { offset }) });
  }
}

const join = (path: string, key: string): string =>
  silent.has(key) || key === "" ? path : path === "" ? key : `${path}.${key}`;

const keyOf = (key: Value): string =>
  typeof key === "string" ? key.slice(0, 200) : typeof key === "number" || typeof key === "bigint" ? String(key) : "?";

/** "torch float16", "torch HalfStorage" without its ending. */
const typeNamed = (name: string): ElementType | undefined => {
  const last = name.slice(name.lastIndexOf(" ") + 1);
  return Object.hasOwn(types, last) ? types[last] : undefined;
};

/** A tuple of sizes, or torch.Size of one. */
function sizesOf(value: Value | undefined): readonly number[] | undefined {
  if (typeof value === "object" && value !== null && value.kind === "call" && globalOf(value.callee) === "torch Size")
    return sizesOf(itemsOf(value.args)[0]);
  if (typeof value !== "object" || value === null || (value.kind !== "tuple" && value.kind !== "list"))
    return undefined;
  const sizes = value.items.filter((size) => typeof size === "number" && Number.isSafeInteger(size) && size >= 0);
  return sizes.length === value.items.length && sizes.length <= RANK_LIMIT ? (sizes as number[]) : undefined;
}

const shaped = (shape: readonly number[] | undefined): { shape?: readonly number[] } =>
  shape === undefined ? {} : { shape };

/** (scheme, scale, zero point), or (scheme, scales, zero points, axis) where the lists are tensors of their own. */
function quantization(value: Value | undefined): Quantization | undefined {
  const [scheme, scale, zero, axis] = itemsOf(value);
  const name = globalOf(scheme).replace("torch ", "");
  if (typeof scale === "number")
    return {
      scale: [scale],
      zeroPoint: typeof zero === "number" ? [zero] : [],
      ...(name === "" ? {} : { scheme: name }),
    };
  return name === ""
    ? undefined
    : { scale: [], zeroPoint: [], ...(typeof axis === "number" ? { axis } : {}), scheme: name };
}
