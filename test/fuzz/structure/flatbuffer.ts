/**
 * Places in a FlatBuffer, found without its schema: tables by their vtables, vectors of tables, strings. What only might be an offset is
 * taken for a scalar.
 */

import { below, pick, type Random } from "../mutate.ts";
import { writeNumber, type Mutant, type Spot } from "./spot.ts";

/** Places kept of one buffer: enough to reach every kind of table. */
const SPOTS = 20_000;
/** Where buffers begin in the formats that wrap them; a size or a mark stands before. */
const STARTS = 160;

export interface Places {
  readonly spots: readonly Spot[];
  /** Offsets, lengths and vtables that are what they seem: made wrong, the buffer contradicts itself where a reader follows them. */
  readonly links: readonly Spot[];
}

/** The buffer of the file that has the most in it: inner offsets look like roots, and reach less. */
export function flatBufferPlaces(bytes: Uint8Array): Places {
  let best: Places = { spots: [], links: [] };
  for (let start = 0; start <= Math.min(STARTS, bytes.length - 16); start += 4) {
    const found = new Walk(bytes, start).places();
    if (found.links.length > best.links.length * 1.5) best = found;
  }
  return best.links.length >= 3 ? best : { spots: [], links: [] };
}

class Walk {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #start: number;
  readonly #spots: Spot[] = [];
  readonly #links: Spot[] = [];
  readonly #seen = new Set<number>();

  constructor(bytes: Uint8Array, start: number) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#start = start;
  }

  places(): Places {
    const root = this.#start + this.#u32(this.#start);
    if (root > this.#start + 4 && this.#isTable(root)) {
      this.#link(this.#start, 4, "root offset");
      const queue = [{ at: root, path: "root" }];
      for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
        if (this.#spots.length > SPOTS) break;
        if (!this.#seen.has(next.at)) queue.push(...this.#table(next.at, next.path));
      }
    }
    return { spots: this.#spots, links: this.#links };
  }

  #u32(at: number): number {
    return at + 4 <= this.#bytes.length ? this.#view.getUint32(at, true) : 0;
  }

  #link(at: number, width: 2 | 4, what: string): void {
    this.#spots.push({ at, width, what });
    this.#links.push({ at, width, what });
  }

  #isTable(at: number): boolean {
    if (at % 4 !== this.#start % 4 || at + 4 > this.#bytes.length) return false;
    const vtable = at - this.#view.getInt32(at, true);
    if (vtable < this.#start || vtable + 4 > this.#bytes.length || vtable % 2 !== 0 || vtable === at) return false;
    const [size, table] = [this.#view.getUint16(vtable, true), this.#view.getUint16(vtable + 2, true)];
    if (size < 4 || size % 2 !== 0 || size > 512 || vtable + size > this.#bytes.length) return false;
    if (table < 4 || table > 4096 || at + table > this.#bytes.length) return false;
    for (let entry = vtable + 4; entry < vtable + size; entry += 2) {
      const offset = this.#view.getUint16(entry, true);
      if (offset !== 0 && (offset < 4 || offset >= table)) return false;
    }
    return true;
  }

  #table(at: number, path: string): { at: number; path: string }[] {
    this.#seen.add(at);
    const vtable = at - this.#view.getInt32(at, true);
    const end = vtable + this.#view.getUint16(vtable, true);
    this.#link(at, 4, `${path} vtable offset`);
    this.#link(vtable, 2, `${path} vtable size`);
    // The schema's own verifiers do not hold a table's size against anything.
    this.#spots.push({ at: vtable + 2, width: 2, what: `${path} table size` });
    const inner: { at: number; path: string }[] = [];
    for (let entry = vtable + 4; entry < end; entry += 2) {
      const offset = this.#view.getUint16(entry, true);
      if (offset === 0) continue;
      const name = `${path}.${(entry - vtable - 4) / 2}`;
      this.#spots.push({ at: entry, width: 2, what: `${name} vtable entry` });
      inner.push(...this.#field(at + offset, name));
    }
    return inner;
  }

  #field(at: number, path: string): { at: number; path: string }[] {
    const to = at + this.#u32(at);
    if (at % 4 !== 0 || to < at + 4 || to + 4 > this.#bytes.length) {
      for (const width of [1, 2, 4, 8] as const)
        if (at + width <= this.#bytes.length) this.#spots.push({ at, width, what: `${path} scalar` });
      return [];
    }
    if (this.#isTable(to)) {
      this.#link(at, 4, `${path} offset`);
      return [{ at: to, path }];
    }
    const count = this.#u32(to);
    if (count > 0 && count < 100_000 && this.#isTable(to + 4 + this.#u32(to + 4))) {
      this.#link(at, 4, `${path} offset`);
      this.#link(to, 4, `${path} vector length`);
      const out: { at: number; path: string }[] = [];
      for (let i = 0; i < Math.min(count, 64); i++) {
        const element = to + 4 + i * 4;
        const table = element + this.#u32(element);
        if (!this.#isTable(table)) break;
        this.#link(element, 4, `${path}[] offset`);
        out.push({ at: table, path: `${path}[]` });
      }
      return out;
    }
    if (this.#isText(to + 4, count)) {
      this.#link(at, 4, `${path} offset`);
      this.#link(to, 4, `${path} string length`);
      return [];
    }
    this.#spots.push({ at, width: 4, what: `${path} number or offset` }, { at: to, width: 4, what: `${path} length` });
    for (let i = 0; i < Math.min(count, 8) && to + 8 + i * 4 <= this.#bytes.length; i++) {
      this.#spots.push({ at: to + 4 + i * 4, width: 4, what: `${path} element` });
    }
    return [];
  }

  /** A string: printable, with its NUL behind it. */
  #isText(at: number, length: number): boolean {
    if (length === 0 || length > 4096 || at + length >= this.#bytes.length || this.#bytes[at + length] !== 0)
      return false;
    for (let i = 0; i < length; i++) {
      const byte = this.#bytes[at + i] ?? 0;
      if (byte < 0x20 && byte !== 9 && byte !== 10 && byte !== 13) return false;
    }
    return true;
  }
}

/** One link made wrong so that no reader that follows it can be content. */
export function breakFlatBuffer(seed: Uint8Array, { links }: Places, random: Random): Mutant | undefined {
  if (links.length === 0) return undefined;
  const bytes = Uint8Array.from(seed);
  const spot = pick(random, links);
  const value = spot.what.endsWith("vtable size")
    ? pick(random, [0, 2, 3])
    : spot.what.endsWith("vtable offset")
      ? pick(random, [0x7fffffff, 0x80000000])
      : pick(random, [0x7fffffff, 0xfffffff0, bytes.length + below(random, 4096)]);
  writeNumber(bytes, spot, value);
  return { bytes, how: `${spot.what} at ${spot.at} = ${value}` };
}
