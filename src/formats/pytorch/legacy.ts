/**
 * What torch.save wrote before version 1.6, and still does when asked to: five pickles one after another, then the bytes of every
 * storage. And before 0.1.10: a tar of pickles. github.com/pytorch/pytorch/blob/main/torch/serialization.py (_legacy_load)
 */

import { FileError } from "../../base/errors.ts";
import { latin1, withoutEnd } from "../../base/bytes.ts";
import type { Integrity } from "../../model/graph.ts";
import type { ModelFile } from "../file.ts";
import { itemsOf, walkPickle, type Pickle, type Value } from "./pickle.ts";
import type { Storage } from "./tensors.ts";

/** Pickle of the number 0x1950a86a20f9469cfc6c, which all begin with. */
const magic = "\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.";
/** All pickles of one file; storages come after and are not read. */
const PICKLE_LIMIT = 64 * 1024 * 1024;
/** Entries of a tar looked at. */
const TAR_LIMIT = 1000;

export const isLegacy = (file: ModelFile): boolean => latin1(file.head(magic.length)) === magic;

/** Its first entry has one of the names torch.save gave. */
export const isLegacyTar = (file: ModelFile): boolean =>
  file.size >= 512 &&
  latin1(file.slice(257, 5)) === "ustar" &&
  /^(?:\.\/)?(?:sys_info|pickle|storages|tensors)$/.test(nameIn(file, 0));

export interface Legacy {
  readonly object: Pickle;
  readonly storages: ReadonlyMap<string, Storage>;
  readonly integrity: readonly Integrity[];
  /** Where storages begin. */
  readonly data: number;
  readonly littleEndian: boolean;
}

export function readLegacy(file: ModelFile): Legacy {
  const bytes = file.head(PICKLE_LIMIT);
  let end = magic.length;
  const next = (): Pickle => {
    const pickle = walkPickle(bytes, file.name, 0, end);
    ({ end } = pickle);
    return pickle;
  };
  const version = next().value;
  if (version !== 1001) throw new FileError(file.name, "a version of the file that is not 1001", magic.length);
  const system = next().value;
  const object = next();
  const keys = itemsOf(next().value);
  const littleEndian = pairOf(system, "little_endian") !== false;
  const { storages, integrity } = readStorages(file, keys, end, sizesOf(object.value), littleEndian);
  return { object, storages, integrity, data: end, littleEndian };
}

const pairOf = (value: Value, key: string): Value | undefined =>
  typeof value === "object" && value !== null && value.kind === "dict"
    ? value.pairs.find(([own]) => own === key)?.[1]
    : undefined;

/** Bytes of one element by storage key: the list of storages tells only how many elements each has. */
function sizesOf(root: Value): ReadonlyMap<string, number> {
  const out = new Map<string, number>();
  const seen = new Set<object>();
  const stack: Value[] = [root];
  for (let value = stack.pop(); value !== undefined; value = stack.pop()) {
    if (typeof value !== "object" || value === null || seen.has(value)) continue;
    seen.add(value);
    if (value.kind === "persistent") {
      const [kind, storage, key] = itemsOf(value.id);
      if (kind === "storage" && typeof key === "string" && typeof storage === "object" && storage?.kind === "global")
        out.set(key, elementBytes[storage.name.replace(/Storage$/, "")] ?? 1);
    } else if (value.kind === "call") {
      stack.push(value.callee, value.args);
      if (value.state !== undefined) stack.push(value.state);
      for (const item of value.items ?? []) stack.push(item);
      for (const [, item] of value.pairs ?? []) stack.push(item);
    } else if (value.kind === "dict") for (const [, item] of value.pairs) stack.push(item);
    else if (value.kind === "list" || value.kind === "tuple" || value.kind === "set")
      for (const item of value.items) stack.push(item);
  }
  return out;
}

const elementBytes: Readonly<Record<string, number>> = {
  Float: 4,
  Double: 8,
  Half: 2,
  BFloat16: 2,
  Long: 8,
  Int: 4,
  Short: 2,
  ComplexFloat: 8,
  ComplexDouble: 16,
  QInt32: 4,
};

function readStorages(
  file: ModelFile,
  keys: readonly Value[],
  start: number,
  sizes: ReadonlyMap<string, number>,
  littleEndian: boolean,
): { storages: ReadonlyMap<string, Storage>; integrity: readonly Integrity[] } {
  const storages = new Map<string, Storage>();
  const integrity: Integrity[] = [];
  let at = start;
  for (const key of keys) {
    if (typeof key !== "string") throw new FileError(file.name, "the list of storages holds what is no name", start);
    const count = file.cursor(at, 8, littleEndian).size64();
    const bytes = count * (sizes.get(key) ?? 1);
    if (at + 8 + bytes > file.size) {
      const says = `storage ${JSON.stringify(key.slice(0, 40))} of ${bytes} bytes leaves the file`;
      throw new FileError(file.name, says, at);
    }
    storages.set(key, { offset: at + 8, bytes });
    at += 8 + bytes;
  }
  if (at < file.size)
    integrity.push({
      severity: "warning",
      rule: "extent/trailing",
      says: `${file.size - at} bytes after the last storage`,
      offset: at,
    });
  return { storages, integrity };
}

function nameIn(file: ModelFile, at: number): string {
  const name = latin1(file.slice(at, 100));
  const end = name.indexOf("\0");
  return end < 0 ? name : name.slice(0, end);
}

/** Names of a tar's entries. Throws FileError when one leaves the file, or the end is missing. */
export function tarNames(file: ModelFile): readonly string[] {
  const names: string[] = [];
  let at = 0;
  for (;;) {
    const header = file.slice(at, 512);
    if (header.every((byte) => byte === 0)) return names;
    const digits = withoutEnd(latin1(header.subarray(124, 136)), "\0 ").trim();
    if (latin1(header.subarray(257, 262)) !== "ustar" || !/^[0-7]{1,12}$/.test(digits))
      throw new FileError(file.name, "no entry of a tar archive there", at);
    if (names.length >= TAR_LIMIT) throw new FileError(file.name, `more than ${TAR_LIMIT} entries`, at);
    names.push(nameIn(file, at).slice(0, 200));
    at += 512 + Math.ceil(parseInt(digits, 8) / 512) * 512;
  }
}
