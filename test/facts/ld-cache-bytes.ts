/** Makes loader caches and small ELF files for tests, field by field as the formats say. */

export interface CacheOptions {
  readonly format?: "new" | "old" | "both";
  readonly bigEndian?: boolean;
  /** glibc before 2.33 leaves the byte order out. */
  readonly unmarked?: boolean;
}

export function ldCache(
  libraries: readonly (readonly [name: string, path: string])[],
  options: CacheOptions = {},
): Buffer {
  const format = options.format ?? "new";
  const big = options.bigEndian === true;
  const u32 = (value: number): Buffer => {
    const bytes = Buffer.alloc(4);
    if (big) bytes.writeUInt32BE(value);
    else bytes.writeUInt32LE(value);
    return bytes;
  };
  let text = "";
  const offsets = libraries.map(([name, path]) => {
    const at = text.length;
    text += `${path}\0`;
    // As ldconfig does: a name that is the end of its path is not written a second time.
    const tail = path.endsWith(name) ? at + path.length - name.length : text.length;
    if (!path.endsWith(name)) text += `${name}\0`;
    return [tail, at] as const;
  });
  const strings = Buffer.from(text);
  const old = (base: number): Buffer =>
    Buffer.concat([
      Buffer.from("ld.so-1.7.0\0"),
      u32(libraries.length),
      ...offsets.flatMap(([name, path]) => [u32(3), u32(base + name), u32(base + path)]),
    ]);
  if (format === "old") return Buffer.concat([old(0), strings]);
  const first = 48 + 24 * libraries.length;
  const fresh = Buffer.concat([
    Buffer.from("glibc-ld.so.cache1.1"),
    u32(libraries.length),
    u32(strings.length),
    Buffer.from([options.unmarked === true ? 0 : big ? 3 : 2, 0, 0, 0]),
    Buffer.alloc(16),
    ...offsets.flatMap(([name, path]) => [u32(0x303), u32(first + name), u32(first + path), Buffer.alloc(12)]),
    strings,
  ]);
  if (format === "new") return fresh;
  const before = old(0);
  return Buffer.concat([before, Buffer.alloc((8 - (before.length % 8)) % 8), fresh]);
}

export interface ElfOptions {
  readonly wide?: boolean;
  readonly bigEndian?: boolean;
  readonly machine?: number;
  readonly soname?: string;
  readonly needed?: readonly string[];
  /** Versions needed of the first library. */
  readonly versions?: readonly string[];
}

/** One loaded segment at address 0x10000, its dynamic section, version needs and strings behind the headers. */
export function elf(options: ElfOptions = {}): Buffer {
  const wide = options.wide ?? true;
  const big = options.bigEndian === true;
  const number = (bytes: 2 | 4 | 8) => (value: number) => {
    const out = Buffer.alloc(bytes);
    if (bytes === 8) out[big ? "writeBigUInt64BE" : "writeBigUInt64LE"](BigInt(value));
    else if (big) out.writeUIntBE(value, 0, bytes);
    else out.writeUIntLE(value, 0, bytes);
    return out;
  };
  const [u16, u32] = [number(2), number(4)];
  const word = number(wide ? 8 : 4);
  let text = "\0";
  const name = (value: string): number => {
    const at = text.length;
    text += `${value}\0`;
    return at;
  };
  const needed = (options.needed ?? []).map(name);
  const soname = options.soname === undefined ? undefined : name(options.soname);
  const versions = (options.versions ?? []).map(name);
  const base = 0x10000;
  const [headers, programs] = wide ? [64, 56] : [52, 32];
  const dynamicAt = headers + 2 * programs;
  const entries = needed.length + (soname === undefined ? 0 : 1) + 2 + (versions.length > 0 ? 2 : 0) + 1;
  const verneedAt = dynamicAt + entries * (wide ? 16 : 8);
  const verneed =
    versions.length === 0
      ? Buffer.alloc(0)
      : Buffer.concat([
          Buffer.concat([u16(1), u16(versions.length), u32(needed[0] ?? 0), u32(16), u32(0)]),
          ...versions.map((at, i) =>
            Buffer.concat([u32(0), u16(0), u16(0), u32(at), u32(i + 1 === versions.length ? 0 : 16)]),
          ),
        ]);
  const stringsAt = verneedAt + verneed.length;
  const strings = Buffer.from(text);
  const size = stringsAt + strings.length;
  const entry = (tag: number, value: number): Buffer => Buffer.concat([word(tag), word(value)]);
  const program = (type: number, offset: number, bytes: number): Buffer =>
    wide
      ? Buffer.concat([u32(type), u32(5), ...[offset, base + offset, 0, bytes, bytes, 4096].map(word)])
      : Buffer.concat([type, offset, base + offset, 0, bytes, bytes, 5, 4096].map(u32));
  return Buffer.concat([
    Buffer.from([0x7f, 0x45, 0x4c, 0x46, wide ? 2 : 1, big ? 2 : 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
    Buffer.concat([u16(3), u16(options.machine ?? 62), u32(1), word(0), word(headers), word(0), u32(0)]),
    Buffer.concat([headers, programs, 2, 0, 0, 0].map(u16)),
    program(1, 0, size),
    program(2, dynamicAt, entries * (wide ? 16 : 8)),
    ...needed.map((at) => entry(1, at)),
    ...(soname === undefined ? [] : [entry(14, soname)]),
    entry(5, base + stringsAt),
    entry(10, strings.length),
    ...(versions.length === 0 ? [] : [entry(0x6ffffffe, base + verneedAt), entry(0x6fffffff, 1)]),
    entry(0, 0),
    verneed,
    strings,
  ]);
}

/** A generator that gives the same numbers each run. */
export function seeded(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** A copy with a few bytes changed, or cut off somewhere. */
export function mutate(bytes: Uint8Array, random: (below: number) => number): Uint8Array {
  const copy = Uint8Array.from(bytes);
  if (random(4) === 0) return copy.subarray(0, random(copy.length));
  for (let i = 0; i <= random(8); i++) {
    // The headers decide most, so half of the changes go there.
    const at = random(2) === 0 ? random(Math.min(128, copy.length)) : random(copy.length);
    copy[at] = random(3) === 0 ? 0xff : random(256);
  }
  return copy;
}
