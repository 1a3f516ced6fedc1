/**
 * LZMA2: chunks of LZMA or of plain bytes, unpacked into one growing buffer that is the dictionary at the same time. The LZMA
 * stream itself is described in the LZMA specification (7-zip.org/sdk.html) and in Documentation/staging/xz.rst of the kernel.
 */

import { FileError } from "../base/errors.ts";

const STATES = 12;
const POSITION_STATES_MAX = 16;
const LENGTH_STATES = 4;
const LITERAL_STATES = 0x300;
const END_POSITION_MODEL = 14;
const FULL_DISTANCES = 128;
const ALIGN_SIZE = 16;
const PROBABILITY_INIT = 1024;

/** Where each group of probabilities lies in one array. */
const IS_MATCH = 0;
const IS_REP = IS_MATCH + STATES * POSITION_STATES_MAX;
const IS_REP_G0 = IS_REP + STATES;
const IS_REP_G1 = IS_REP_G0 + STATES;
const IS_REP_G2 = IS_REP_G1 + STATES;
const IS_REP0_LONG = IS_REP_G2 + STATES;
const DISTANCE_SLOT = IS_REP0_LONG + STATES * POSITION_STATES_MAX;
const DISTANCE_SPECIAL = DISTANCE_SLOT + LENGTH_STATES * 64;
const DISTANCE_ALIGN = DISTANCE_SPECIAL + FULL_DISTANCES;
const MATCH_LENGTH = DISTANCE_ALIGN + ALIGN_SIZE;
/** choice, choice2, low[16][8], mid[16][8], high[256] */
const LENGTH_SIZE = 2 + POSITION_STATES_MAX * 8 * 2 + 256;
const REP_LENGTH = MATCH_LENGTH + LENGTH_SIZE;
const LITERAL = REP_LENGTH + LENGTH_SIZE;
/** lc + lp is at most 4. */
const PROBABILITIES = LITERAL + (LITERAL_STATES << 4);

/** First output buffer when nothing is known of the size. */
const FIRST_OUTPUT = 64 * 1024;

export class Lzma2 {
  /** Bytes unpacked so far. */
  length = 0;
  readonly #path: string;
  readonly #limit: number;
  #output: Uint8Array;
  readonly #probabilities = new Uint16Array(PROBABILITIES);
  /** range, code: in a typed array, so that they stay 32-bit machine numbers. */
  readonly #coder = new Uint32Array(2);
  #input: Uint8Array = new Uint8Array(0);
  #at = 0;
  #end = 0;
  #state = 0;
  readonly #rep = new Uint32Array(4);
  #lc = 0;
  #lpMask = 0;
  #pbMask = 0;
  #dictionaryStart = 0;

  constructor(path: string, expected: number, limit: number) {
    this.#path = path;
    this.#limit = limit;
    this.#output = Buffer.allocUnsafe(Math.min(limit, Math.max(expected, FIRST_OUTPUT)));
  }

  /** All that was unpacked; a view. */
  finish(): Uint8Array {
    return this.#output.subarray(0, this.length);
  }

  since(start: number): Uint8Array {
    return this.#output.subarray(start, this.length);
  }

  /** Unpacks the chunks that start at `start`; returns the offset behind them. */
  decode(input: Uint8Array, start: number): number {
    this.#input = input;
    let at = start;
    let needs: "dictionary" | "properties" | "nothing" = "dictionary";
    for (;;) {
      const control = this.#byte(at);
      if (control === 0) return at + 1;
      if (control >= 3 && control < 0x80) this.#fail("unknown LZMA2 chunk", at);
      const size = (this.#byte(at + 1) << 8) + this.#byte(at + 2) + 1;
      if (control < 3) {
        if (control === 1) {
          this.#dictionaryStart = this.length;
          if (needs === "dictionary") needs = "properties";
        } else if (needs === "dictionary") this.#fail("chunk without a dictionary", at);
        at += 3;
        if (at + size > input.length) this.#truncated();
        this.#reserve(size, at);
        this.#output.set(input.subarray(at, at + size), this.length);
        this.length += size;
        at += size;
        continue;
      }
      const unpacked = size + ((control & 0x1f) << 16);
      const packed = (this.#byte(at + 3) << 8) + this.#byte(at + 4) + 1;
      const reset = (control >> 5) & 3;
      let head = at + 5;
      if (reset === 3) this.#dictionaryStart = this.length;
      else if (needs === "dictionary") this.#fail("chunk without a dictionary", at);
      if (reset >= 2) this.#setProperties(head++);
      else if (needs === "properties") this.#fail("chunk without properties", at);
      if (reset >= 1) this.#resetState();
      needs = "nothing";
      if (head + packed > input.length) this.#truncated();
      this.#reserve(unpacked, head);
      this.#chunk(head, packed, unpacked);
      at = head + packed;
    }
  }

  #byte(at: number): number {
    return this.#input[at] ?? this.#truncated();
  }

  #setProperties(at: number): void {
    let properties = this.#byte(at);
    if (properties >= 225) this.#fail("impossible LZMA properties", at);
    const pb = Math.floor(properties / 45);
    properties %= 45;
    const lp = Math.floor(properties / 9);
    this.#lc = properties % 9;
    if (this.#lc + lp > 4) this.#fail("impossible LZMA properties", at);
    this.#lpMask = (1 << lp) - 1;
    this.#pbMask = (1 << pb) - 1;
  }

  #resetState(): void {
    this.#state = 0;
    this.#rep.fill(0);
    this.#probabilities.fill(PROBABILITY_INIT);
  }

  #reserve(count: number, at: number): void {
    const wanted = this.length + count;
    if (wanted > this.#limit) this.#fail(`unpacks to more than ${this.#limit} bytes`, at);
    if (wanted <= this.#output.length) return;
    const grown = Buffer.allocUnsafe(Math.min(this.#limit, Math.max(wanted, this.#output.length * 2)));
    grown.set(this.#output.subarray(0, this.length));
    this.#output = grown;
  }

  #chunk(start: number, packed: number, unpacked: number): void {
    const coder = this.#coder;
    this.#at = start + 5;
    this.#end = start + packed;
    if (packed < 5) this.#fail("LZMA chunk without a start", start);
    coder[0] = 0xffffffff;
    const input = this.#input;
    coder[1] =
      ((input[start + 1] ?? 0) << 24) |
      ((input[start + 2] ?? 0) << 16) |
      ((input[start + 3] ?? 0) << 8) |
      (input[start + 4] ?? 0);

    const output = this.#output;
    const rep = this.#rep;
    const limit = this.length + unpacked;
    let position = this.length;
    let state = this.#state;
    while (position < limit) {
      const positionState = (position - this.#dictionaryStart) & this.#pbMask;
      if (this.#bit(IS_MATCH + (state << 4) + positionState) === 0) {
        output[position] = this.#literal(output, position, state);
        position++;
        state = state < 4 ? 0 : state < 10 ? state - 3 : state - 6;
        continue;
      }
      let length: number;
      if (this.#bit(IS_REP + state) === 0) {
        rep.copyWithin(1, 0, 3);
        length = this.#lengthOf(MATCH_LENGTH, positionState);
        rep[0] = this.#distance(length);
        state = state < 7 ? 7 : 10;
      } else {
        if (this.#bit(IS_REP_G0 + state) === 0) {
          if (this.#bit(IS_REP0_LONG + (state << 4) + positionState) === 0) {
            const back = (rep[0] ?? 0) + 1;
            if (back > position - this.#dictionaryStart) this.#fail("distance reaches before the start", this.#at);
            output[position] = output[position - back] ?? 0;
            position++;
            state = state < 7 ? 9 : 11;
            continue;
          }
        } else {
          const index = this.#bit(IS_REP_G1 + state) === 0 ? 1 : this.#bit(IS_REP_G2 + state) === 0 ? 2 : 3;
          const distance = rep[index] ?? 0;
          rep.copyWithin(1, 0, index);
          rep[0] = distance;
        }
        length = this.#lengthOf(REP_LENGTH, positionState);
        state = state < 7 ? 8 : 11;
      }
      const back = (rep[0] ?? 0) + 1;
      if (back > position - this.#dictionaryStart) this.#fail("distance reaches before the start", this.#at);
      if (length > limit - position) this.#fail("match reaches past the chunk", this.#at);
      if (back >= length && length > 24) output.copyWithin(position, position - back, position - back + length);
      else for (let i = position; i < position + length; i++) output[i] = output[i - back] ?? 0;
      position += length;
    }
    this.length = position;
    this.#state = state;
    this.#normalize();
    if (this.#at !== this.#end || coder[1] !== 0) this.#fail("LZMA chunk does not end where it should", this.#at);
  }

  #literal(output: Uint8Array, position: number, state: number): number {
    const inDictionary = position - this.#dictionaryStart;
    const before = inDictionary > 0 ? (output[position - 1] ?? 0) : 0;
    const context = ((inDictionary & this.#lpMask) << this.#lc) + (before >> (8 - this.#lc));
    const base = LITERAL + LITERAL_STATES * context;
    let symbol = 1;
    if (state >= 7) {
      const back = (this.#rep[0] ?? 0) + 1;
      if (back > inDictionary) this.#fail("distance reaches before the start", this.#at);
      let match = (output[position - back] ?? 0) << 1;
      let offset = 0x100;
      while (symbol < 0x100) {
        const matchBit = match & offset;
        match <<= 1;
        const bit = this.#bit(base + offset + matchBit + symbol);
        symbol = (symbol << 1) | bit;
        offset &= bit === 0 ? ~matchBit : matchBit;
      }
    } else while (symbol < 0x100) symbol = (symbol << 1) | this.#bit(base + symbol);
    return symbol & 0xff;
  }

  #lengthOf(base: number, positionState: number): number {
    if (this.#bit(base) === 0) return 2 + this.#tree(base + 2 + (positionState << 3), 8) - 8;
    if (this.#bit(base + 1) === 0) return 10 + this.#tree(base + 2 + 128 + (positionState << 3), 8) - 8;
    return 18 + this.#tree(base + 2 + 256, 256) - 256;
  }

  #distance(length: number): number {
    const lengthState = length < 6 ? length - 2 : LENGTH_STATES - 1;
    const slot = this.#tree(DISTANCE_SLOT + (lengthState << 6), 64) - 64;
    if (slot < 4) return slot;
    const bits = (slot >> 1) - 1;
    const high = (2 | (slot & 1)) << bits;
    if (slot < END_POSITION_MODEL) return high + this.#reverse(DISTANCE_SPECIAL + high - slot - 1, bits);
    return ((high >>> 0) + (this.#direct(bits - 4) << 4) + this.#reverse(DISTANCE_ALIGN, 4)) >>> 0;
  }

  #tree(base: number, size: number): number {
    let symbol = 1;
    do symbol = (symbol << 1) | this.#bit(base + symbol);
    while (symbol < size);
    return symbol;
  }

  #reverse(base: number, bits: number): number {
    let symbol = 1;
    let value = 0;
    for (let i = 0; i < bits; i++) {
      const bit = this.#bit(base + symbol);
      symbol = (symbol << 1) | bit;
      value |= bit << i;
    }
    return value;
  }

  /** Bits of equal chance. */
  #direct(count: number): number {
    const coder = this.#coder;
    let value = 0;
    for (let i = 0; i < count; i++) {
      this.#normalize();
      const half = (coder[0] ?? 0) >>> 1;
      coder[0] = half;
      const code = coder[1] ?? 0;
      const bit = code >= half ? 1 : 0;
      if (bit === 1) coder[1] = code - half;
      value = (value << 1) | bit;
    }
    return value;
  }

  #bit(index: number): 0 | 1 {
    this.#normalize();
    const coder = this.#coder;
    const probability = this.#probabilities[index] ?? 0;
    const range = coder[0] ?? 0;
    const code = coder[1] ?? 0;
    const bound = Math.imul(range >>> 11, probability) >>> 0;
    if (code < bound) {
      coder[0] = bound;
      this.#probabilities[index] = probability + ((2048 - probability) >> 5);
      return 0;
    }
    coder[0] = range - bound;
    coder[1] = code - bound;
    this.#probabilities[index] = probability - (probability >> 5);
    return 1;
  }

  #normalize(): void {
    const coder = this.#coder;
    const range = coder[0] ?? 0;
    if (range >= 0x1000000) return;
    if (this.#at >= this.#end) this.#fail("LZMA chunk ends too early", this.#at);
    coder[0] = range << 8;
    coder[1] = ((coder[1] ?? 0) << 8) | (this.#input[this.#at++] ?? 0);
  }

  #truncated(): never {
    return this.#fail(`ends in the middle: ${this.#input.length} bytes are there`, this.#input.length);
  }

  #fail(why: string, at: number): never {
    throw new FileError(this.#path, why, at);
  }
}
