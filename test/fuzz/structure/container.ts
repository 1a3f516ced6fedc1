/** Places of the other containers: JSON with its length before it, ZIP directories, ELF headers, fixed headers. */

import { crc32 } from "node:zlib";

import { below, mutateBytes, mutateJson, mutateText, pick, type Random } from "../mutate.ts";
import { changeSpots, readNumber, writeNumber, type Mutant, type Spot } from "./spot.ts";

/** Larger headers are not in the seeds. */
const JSON_LIMIT = 4 * 1024 * 1024;

/** A JSON object or array in the file, and the number before it that says its length. */
export interface JsonPart {
  readonly start: number;
  readonly end: number;
  readonly value: unknown;
  readonly length?: Spot;
}

/** Trailers and headers are looked for where JSON begins with a known length before it, or fills the file. */
export function jsonPartOf(bytes: Uint8Array): JsonPart | undefined {
  const whole = parsed(bytes, 0, bytes.length);
  if (whole !== undefined) return { start: 0, end: bytes.length, value: whole };
  for (let at = 4; at < bytes.length; at++) {
    if (bytes[at] !== 0x7b || bytes[at + 1] !== 0x22) continue;
    for (const length of [
      { at: at - 8, width: 8, what: "length of the JSON" },
      { at: at - 4, width: 4, what: "length of the JSON" },
    ] as const) {
      if (length.at < 0) continue;
      const size = readNumber(bytes, length);
      if (size < 8 || size > JSON_LIMIT || at + size > bytes.length || !endsJson(bytes, at + size)) continue;
      const value = parsed(bytes, at, at + size);
      if (value !== undefined) return { start: at, end: at + size, value, length };
    }
  }
  return undefined;
}

/** A bracket, behind it at most blanks and zeros. */
function endsJson(bytes: Uint8Array, end: number): boolean {
  let last = end - 1;
  while (last > 0 && (bytes[last] === 0x20 || bytes[last] === 0 || bytes[last] === 10)) last--;
  return bytes[last] === 0x7d;
}

function parsed(bytes: Uint8Array, from: number, to: number): unknown {
  const first = bytes[from];
  if (first !== 0x7b && first !== 0x5b && first !== 0x20 && first !== 0x0a) return undefined;
  try {
    const value: unknown = JSON.parse(Buffer.from(bytes.subarray(from, to)).toString("utf8").replace(/\0+$/, ""));
    return typeof value === "object" && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

export function changeJson(seed: Uint8Array, { start, end, value, length }: JsonPart, random: Random): Mutant {
  const text = Buffer.from(mutateJson(value, random));
  const bytes = Buffer.concat([seed.subarray(0, start), text, seed.subarray(end)]);
  if (length !== undefined) writeNumber(bytes, length, text.length);
  return { bytes, how: "JSON changed" };
}

/** Text with line ends, as .param, .xml and MLIR are. */
export function isText(bytes: Uint8Array): boolean {
  const head = bytes.subarray(0, 4096);
  return (
    head.length > 0 &&
    head.every((byte) => byte >= 0x20 || byte === 9 || byte === 10 || byte === 13) &&
    head.includes(10)
  );
}

export const changeText = (seed: Uint8Array, random: Random): Mutant => ({
  bytes: Buffer.from(mutateText(Buffer.from(seed).toString("utf8"), random)),
  how: "text changed",
});

export interface Zip {
  readonly spots: readonly Spot[];
  readonly entries: readonly {
    readonly local: number;
    readonly data: number;
    readonly size: number;
    readonly central: number;
  }[];
  readonly end: number;
}

/** The directory of an archive that ends the file; stored entries can be changed with their checksums made right. */
export function zipOf(bytes: Uint8Array): Zip | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let end = bytes.length - 22;
  while (end >= 0 && end > bytes.length - 1024 && view.getUint32(end, true) !== 0x06054b50) end--;
  if (end < 0 || view.getUint32(end, true) !== 0x06054b50) return undefined;
  const spots: Spot[] = [
    { at: end + 8, width: 2, what: "entries on this disk" },
    { at: end + 10, width: 2, what: "entries" },
    { at: end + 12, width: 4, what: "bytes of the directory" },
    { at: end + 16, width: 4, what: "offset of the directory" },
    { at: end + 20, width: 2, what: "comment length" },
  ];
  const entries: { local: number; data: number; size: number; central: number }[] = [];
  let at = view.getUint32(end + 16, true);
  for (let i = 0; i < 64 && at + 46 <= end && view.getUint32(at, true) === 0x02014b50; i++) {
    for (const [offset, width, what] of [
      [8, 2, "flags"],
      [10, 2, "method"],
      [16, 4, "checksum"],
      [20, 4, "packed size"],
      [24, 4, "size"],
      [28, 2, "name length"],
      [30, 2, "extra length"],
      [32, 2, "comment length"],
      [42, 4, "local header offset"],
    ] as const)
      spots.push({ at: at + offset, width, what: `entry ${i} ${what}` });
    const local = view.getUint32(at + 42, true);
    if (local + 30 <= bytes.length) {
      for (const [offset, width, what] of [
        [0, 4, "local mark"],
        [8, 2, "local method"],
        [18, 4, "local packed size"],
        [22, 4, "local size"],
        [26, 2, "local name length"],
        [28, 2, "local extra length"],
      ] as const)
        spots.push({ at: local + offset, width, what: `entry ${i} ${what}` });
      const data = local + 30 + view.getUint16(local + 26, true) + view.getUint16(local + 28, true);
      const size = view.getUint32(at + 20, true);
      if (view.getUint16(at + 10, true) === 0 && size > 0 && data + size <= bytes.length)
        entries.push({ local, data, size, central: at });
    }
    at += 46 + view.getUint16(at + 28, true) + view.getUint16(at + 30, true) + view.getUint16(at + 32, true);
  }
  return entries.length + spots.length > 5 ? { spots, entries, end } : undefined;
}

/** A number of the directory, or the contents of a stored entry, whose checksum is made right. */
export function changeZip(seed: Uint8Array, zip: Zip, random: Random): Mutant | undefined {
  if (zip.entries.length === 0 || random() < 0.4) return changeSpots(seed, zip.spots, random);
  const { local, data, size, central } = pick(random, zip.entries);
  const bytes = Uint8Array.from(seed);
  const inner = bytes.subarray(data, data + size);
  const changed = isText(inner) ? changeText(inner, random).bytes : mutateBytes(inner, random);
  inner.set(changed.subarray(0, size));
  if (changed.length < size) inner.fill(0x20, changed.length);
  const sum = crc32(inner);
  writeNumber(bytes, { at: local + 14, width: 4, what: "" }, sum);
  writeNumber(bytes, { at: central + 16, width: 4, what: "" }, sum);
  return { bytes, how: `contents of the entry at ${local}` };
}

/** What a reader of the directory must not take: entries beyond the file, a directory that is not where it should be. */
export function breakZip(seed: Uint8Array, { spots, end }: Zip, random: Random): Mutant | undefined {
  const bytes = Uint8Array.from(seed);
  const offset = spots.filter(({ what }) => /local header offset|offset of the directory/.test(what));
  const spot = random() < 0.3 ? ({ at: end + 10, width: 2, what: "entries" } as const) : pick(random, offset);
  const value =
    spot.width === 2 ? readNumber(bytes, spot) + 1 + below(random, 100) : bytes.length + below(random, 1000);
  writeNumber(bytes, spot, value);
  if (spot.width === 2) writeNumber(bytes, { at: end + 8, width: 2, what: "" }, value);
  return { bytes, how: `${spot.what} = ${value}` };
}

/** ELF64 headers: the file's, its sections', its segments'. */
export function elfSpots(bytes: Uint8Array): { spots: Spot[]; links: Spot[]; end?: number } {
  const spots: Spot[] = [];
  const links: Spot[] = [];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 64 || view.getUint32(0, false) !== 0x7f454c46 || bytes[4] !== 2) return { spots, links };
  for (const [at, width, what] of [
    [32, 8, "program headers' offset"],
    [40, 8, "section headers' offset"],
    [54, 2, "program header size"],
    [56, 2, "program headers"],
    [58, 2, "section header size"],
    [60, 2, "section headers"],
    [62, 2, "names' index"],
  ] as const)
    spots.push({ at, width, what });
  const table = Number(view.getBigUint64(40, true));
  const count = view.getUint16(60, true);
  const end = table + count * 64;
  if (count > 0) links.push({ at: 40, width: 8, what: "section headers' offset" });
  for (let i = 1; i < Math.min(count, 64); i++) {
    const at = table + i * 64;
    if (at + 64 > bytes.length) break;
    const type = view.getUint32(at + 4, true);
    for (const [offset, width, what] of [
      [0, 4, "name"],
      [4, 4, "type"],
      [8, 8, "flags"],
      [24, 8, "offset"],
      [32, 8, "size"],
    ] as const) {
      const spot = { at: at + offset, width, what: `section ${i} ${what}` };
      spots.push(spot);
      if ((what === "offset" || what === "size") && type !== 8 && type !== 0) links.push(spot);
    }
  }
  return { spots, links, end };
}

/** Numbers of the header that say where the file ends, give or take a header: no other number comes so near. */
export function sizeSpots(bytes: Uint8Array): Spot[] {
  const spots: Spot[] = [];
  if (bytes.length < 512) return spots;
  for (let at = 0; at < 64; at += 4) {
    for (const spot of [
      { at, width: 4, what: "declared size" },
      { at, width: 4, bigEndian: true, what: "declared size" },
    ] as const) {
      const left = bytes.length - readNumber(bytes, spot);
      if (left >= 0 && left <= 128) spots.push(spot);
    }
  }
  return spots;
}

/** Every number a fixed header can have in it: the first stretch and the last, in both widths. */
export function headerSpots(bytes: Uint8Array): Spot[] {
  const spots: Spot[] = [];
  const add = (from: number, to: number): void => {
    for (let at = from; at + 4 <= to; at += 4) {
      spots.push({ at, width: 4, what: "header word" });
      if (at % 8 === 0 && at + 8 <= to) spots.push({ at, width: 8, what: "header word" });
      if (at < 64)
        spots.push(
          { at, width: 4, bigEndian: true, what: "header word" },
          { at: at + 2, width: 2, what: "header half" },
        );
    }
  };
  add(0, Math.min(512, bytes.length));
  add(Math.max(0, bytes.length - 64), bytes.length);
  return spots;
}
