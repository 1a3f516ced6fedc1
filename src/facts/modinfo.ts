/**
 * What a module file says about itself: the .modinfo section of a .ko, plain or packed with xz, zstd or gzip.
 * include/linux/module.h (MODULE_INFO), ELF 64/32 both endians
 *
 * ELF 64: [0x28 e_shoff u64][0x3a e_shentsize u16][0x3c e_shnum u16][0x3e e_shstrndx u16]; ELF 32 has them at 0x20 (u32), 0x2e, 0x30, 0x32.
 */

import { Cursor, utf8 } from "../base/bytes.ts";
import { FileError } from "../base/errors.ts";
import { chain, malformed, read, type Reading } from "../base/reading.ts";
import { FILE_LIMIT, type Root } from "../root/root.ts";
import { unpack } from "../root/unpack.ts";
import { spelled } from "./modprobe.ts";

export interface Modinfo {
  readonly name: string;
  readonly licence?: string;
  readonly version?: string;
  readonly vermagic?: string;
  readonly intree: boolean;
  readonly aliases: readonly string[];
  /** As MODULE_FIRMWARE names them, relative to the firmware directories. Often incomplete. */
  readonly firmware: readonly string[];
  readonly depends: readonly string[];
  readonly softdeps: readonly string[];
  readonly parameters: readonly { readonly name: string; readonly says: string }[];
  readonly description?: string;
  readonly importNamespaces: readonly string[];
}

/** `path` is the file in the root, packed or not. */
export function readModinfo(root: Root, path: string): Reading<Modinfo> {
  return chain(root.bytes(path), (bytes, from) => {
    try {
      return read(parseModinfo(unpack(bytes, path, FILE_LIMIT), path), from);
    } catch (error) {
      if (error instanceof FileError) return malformed(from, error.message);
      throw error;
    }
  });
}

/** Throws FileError with the offset when the bytes are no whole module. */
export function parseModinfo(bytes: Uint8Array, path: string): Modinfo {
  const values = entries(section(bytes, path), path);
  const first = (key: string): string | undefined => values.get(key)?.[0];
  const words = (key: string): readonly string[] =>
    (values.get(key) ?? []).flatMap((text) => text.split(",")).filter((word) => word !== "");
  const base = path.slice(path.lastIndexOf("/") + 1).replace(/\.ko(\.\w+)?$/, "");
  return {
    name: spelled(first("name") ?? base),
    ...given("licence", first("license")),
    ...given("version", first("version")),
    ...given("vermagic", first("vermagic")),
    intree: first("intree") === "Y",
    aliases: values.get("alias") ?? [],
    firmware: values.get("firmware") ?? [],
    depends: words("depends").map(spelled),
    softdeps: values.get("softdep") ?? [],
    parameters: (values.get("parm") ?? []).map((text) => {
      const colon = text.indexOf(":");
      return colon < 0 ? { name: text, says: "" } : { name: text.slice(0, colon), says: text.slice(colon + 1) };
    }),
    ...given("description", first("description")),
    importNamespaces: values.get("import_ns") ?? [],
  };
}

function given<K extends string>(key: K, value: string | undefined): Partial<Record<K, string>> {
  return value === undefined ? {} : ({ [key]: value } as Record<K, string>); // a computed key widens to string
}

/** A .modinfo of 725 firmware names (amdgpu) has 40 KiB. */
const MODINFO_LIMIT = 4 * 1024 * 1024;
/** Section headers of one file; the largest module (amdgpu) has some 500, compilers that give each function its section 40,000. */
const SECTION_LIMIT = 200_000;

function section(bytes: Uint8Array, path: string): Uint8Array {
  if (bytes.length < 0x34 || bytes[0] !== 0x7f || bytes[1] !== 0x45 || bytes[2] !== 0x4c || bytes[3] !== 0x46) {
    throw new FileError(path, "is no ELF file", 0);
  }
  const wide = bytes[4] === 2;
  if (!wide && bytes[4] !== 1) throw new FileError(path, `ELF class ${bytes[4] ?? 0} is neither 32 nor 64 bit`, 4);
  const cursor = new Cursor(bytes, path, { littleEndian: bytes[5] !== 2 });
  const word = (): number => (wide ? cursor.size64() : cursor.u32());

  cursor.seek(wide ? 0x28 : 0x20);
  const table = word();
  cursor.seek(wide ? 0x3a : 0x2e);
  const [entrySize, shortCount, shortNames] = [cursor.u16(), cursor.u16(), cursor.u16()];
  if (table === 0) cursor.fail("has no section headers", wide ? 0x28 : 0x20);
  if (entrySize < (wide ? 64 : 40))
    cursor.fail(`section headers of ${entrySize} bytes are too short`, wide ? 0x3a : 0x2e);

  const header = (index: number) => {
    cursor.seek(table + index * entrySize);
    const name = cursor.u32();
    const type = cursor.u32();
    cursor.skip(wide ? 16 : 8);
    const [offset, size] = [word(), word()];
    return { name, type, offset, size, link: cursor.u32() };
  };
  // Counts that do not fit 16 bits stand in the first header: gABI, "Extended section numbering".
  const zero = header(0);
  const count = shortCount === 0 ? zero.size : shortCount;
  const namesAt = shortNames === 0xffff ? zero.link : shortNames;
  if (count > SECTION_LIMIT) cursor.fail(`claims ${count} sections`, wide ? 0x3c : 0x30);
  if (namesAt >= count) cursor.fail(`section names in section ${namesAt} of ${count}`, wide ? 0x3e : 0x32);

  if (table + count * entrySize > bytes.length) cursor.fail("ends within its section headers", bytes.length);

  const strings = header(namesAt);
  for (let index = 1; index < count; index++) {
    const { name, type, offset, size } = header(index);
    // SHT_NOBITS (8) takes no room in the file.
    if (type === 8 || name >= strings.size) continue;
    if (cursor.seek(strings.offset + name).left < NAME.length + 1) continue;
    if (!NAME.every((byte, i) => bytes[strings.offset + name + i] === byte)) continue;
    if (size > MODINFO_LIMIT) cursor.fail(`.modinfo of ${size} bytes`, offset);
    return cursor.seek(offset).take(size);
  }
  return cursor.fail("has no .modinfo section: no kernel module", table);
}

const NAME = [...Buffer.from(".modinfo\0")];

/** NUL-separated `key=value`; a key may come many times. Values may hold line ends. */
function entries(modinfo: Uint8Array, path: string): ReadonlyMap<string, readonly string[]> {
  const values = new Map<string, string[]>();
  for (const entry of utf8(modinfo).split("\0")) {
    const equals = entry.indexOf("=");
    if (equals <= 0) continue;
    const key = entry.slice(0, equals);
    const kept = values.get(key);
    if (kept === undefined) values.set(key, [entry.slice(equals + 1)]);
    else kept.push(entry.slice(equals + 1));
  }
  if (values.size === 0) throw new FileError(path, "its .modinfo section says nothing");
  return values;
}
