/**
 * XXH3, 64 bits, without seed: the checksum of HEF files since header version 2. Node has none. Long input is hashed with 32-bit halves,
 * which a BigInt loop would take fifty times as long for. Algorithm: https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md
 */

const P32_1 = 0x9e3779b1;
const P32_2 = 0x85ebca77n;
const P32_3 = 0xc2b2ae3dn;
const P64_1 = 0x9e3779b185ebca87n;
const P64_2 = 0xc2b2ae3d27d4eb4fn;
const P64_3 = 0x165667b19e3779f9n;
const P64_4 = 0x85ebca77c2b2ae63n;
const P64_5 = 0x27d4eb2f165667c5n;
const PMX_1 = 0x165667919e3779f9n;
const PMX_2 = 0x9fb21c651e98df25n;

/** The 192 bytes of the specification's default secret. */
const SECRET =
  "b8fe6c3923a44bbe7c01812cf721ad1cded46de9839097db7240a4a4b7b3671fcb79e64eccc0e578825ad07dccff7221b8084674f743248ee03590e6813a264c" +
  "3c2852bb91c300cb88d0658b1b532ea371644897a20df94e3819ef46a9deacd8a8fa763fe39c343ff9dcbbc7c70b4f1d8a51e04bcdb45931c89f7ec9d9787364" +
  "eac5ac8334d3ebc3c581a0fffa1363eb170ddd51b7f0da49d316552629d4689e2b16be587d47a1fc8ff8b8d17ad031ce45cb3a8f95160428afd7fbcabb4b407e";

const STRIPE = 64;
/** 16 stripes, then the sums are scrambled. */
const BLOCK = 1024;
/** A multiple of BLOCK: what is asked of `read` at a time. */
const PIECE = 256 * 1024;

const u64 = (value: bigint): bigint => BigInt.asUintN(64, value);

/** Hash of `length` bytes that `read` gives in pieces, each asked for once or twice. */
export function xxh3(length: number, read: (offset: number, length: number) => Uint8Array): bigint {
  const secret = viewOf(Uint8Array.from(Buffer.from(SECRET, "hex")));
  return length <= 240 ? hashShort(viewOf(read(0, length)), length, secret) : hashLong(length, read, secret);
}

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

function avalanche(value: bigint): bigint {
  let hash = value ^ (value >> 37n);
  hash = u64(hash * PMX_1);
  return hash ^ (hash >> 32n);
}

function avalancheOld(value: bigint): bigint {
  let hash = value ^ (value >> 33n);
  hash = u64(hash * P64_2);
  hash ^= hash >> 29n;
  hash = u64(hash * P64_3);
  return hash ^ (hash >> 32n);
}

/** Product of 128 bits, both halves folded into one. */
function fold(a: bigint, b: bigint): bigint {
  const product = a * b;
  return u64(product) ^ (product >> 64n);
}

const rotate = (value: bigint, by: bigint): bigint => u64((value << by) | (value >> (64n - by)));

const swap64 = (value: bigint): bigint => {
  const view = new DataView(new ArrayBuffer(8));
  view.setBigUint64(0, value);
  return view.getBigUint64(0, true);
};

/** Up to 240 bytes: four ways by length. */
function hashShort(input: DataView, length: number, secret: DataView): bigint {
  const at = (offset: number): bigint => input.getBigUint64(offset, true);
  const key = (offset: number): bigint => secret.getBigUint64(offset, true);
  if (length === 0) return avalancheOld(key(56) ^ key(64));
  if (length <= 3) {
    const [first, middle, last] = [input.getUint8(0), input.getUint8(length >> 1), input.getUint8(length - 1)];
    const combined = BigInt(((first << 16) | (middle << 24) | last | (length << 8)) >>> 0);
    return avalancheOld(BigInt((secret.getUint32(0, true) ^ secret.getUint32(4, true)) >>> 0) ^ combined);
  }
  if (length <= 8) {
    const [low, high] = [input.getUint32(length - 4, true), input.getUint32(0, true)];
    const value = key(8) ^ key(16) ^ ((BigInt(high) << 32n) | BigInt(low));
    let hash = value ^ rotate(value, 49n) ^ rotate(value, 24n);
    hash = u64(hash * PMX_2);
    hash ^= u64((hash >> 35n) + BigInt(length));
    hash = u64(hash * PMX_2);
    return hash ^ (hash >> 28n);
  }
  if (length <= 16) {
    const low = key(24) ^ key(32) ^ at(0);
    const high = key(40) ^ key(48) ^ at(length - 8);
    return avalanche(u64(BigInt(length) + swap64(low) + high + fold(low, high)));
  }
  const mix = (offset: number, by: number): bigint => fold(at(offset) ^ key(by), at(offset + 8) ^ key(by + 8));
  let sum = u64(BigInt(length) * P64_1);
  if (length <= 128) {
    for (let pair = (length - 1) >> 5; pair >= 0; pair--) {
      sum = u64(sum + mix(pair * 16, pair * 32) + mix(length - pair * 16 - 16, pair * 32 + 16));
    }
    return avalanche(sum);
  }
  for (let part = 0; part < 8; part++) sum = u64(sum + mix(part * 16, part * 16));
  sum = avalanche(sum);
  for (let part = 8; part < length >> 4; part++) sum = u64(sum + mix(part * 16, (part - 8) * 16 + 3));
  return avalanche(u64(sum + mix(length - 16, 136 - 17)));
}

/** Sums of eight lanes, as halves: [low, high, low, high, ...]. */
function hashLong(length: number, read: (offset: number, length: number) => Uint8Array, secret: DataView): bigint {
  const start = [P32_3, P64_1, P64_2, P64_3, P64_4, P32_2, P64_5, BigInt(P32_1)];
  const sums = Uint32Array.from(start.flatMap((value) => [Number(value & 0xffffffffn), Number(value >> 32n)]));
  const keys = Uint32Array.from({ length: 48 }, (_, index) => secret.getUint32(index * 4, true));
  const blocks = Math.floor((length - 1) / BLOCK);
  const end = blocks * BLOCK;
  for (let offset = 0; offset < end; offset += PIECE) {
    const view = viewOf(read(offset, Math.min(PIECE, end - offset)));
    for (let at = 0; at < view.byteLength; at += BLOCK) {
      for (let stripe = 0; stripe < BLOCK / STRIPE; stripe++)
        accumulate(sums, view, at + stripe * STRIPE, keys, stripe * 2);
      scramble(sums, keys);
    }
  }
  const rest = viewOf(read(end, length - end));
  const stripes = Math.floor((length - 1 - end) / STRIPE);
  for (let stripe = 0; stripe < stripes; stripe++) accumulate(sums, rest, stripe * STRIPE, keys, stripe * 2);
  // The last 64 bytes, which may overlap what was hashed, with keys that lie off the words.
  const offWords = Uint32Array.from({ length: 16 }, (_, index) => secret.getUint32(121 + index * 4, true));
  accumulate(sums, viewOf(read(length - STRIPE, STRIPE)), 0, offWords, 0);
  const lane = (index: number): bigint => (BigInt(sums[index * 2 + 1] ?? 0) << 32n) | BigInt(sums[index * 2] ?? 0);
  let hash = u64(BigInt(length) * P64_1);
  for (let pair = 0; pair < 4; pair++) {
    const key = (by: number): bigint => secret.getBigUint64(11 + pair * 16 + by, true);
    hash = u64(hash + fold(lane(pair * 2) ^ key(0), lane(pair * 2 + 1) ^ key(8)));
  }
  return avalanche(hash);
}

/** One stripe into the sums; `from` counts 32-bit words of the keys. */
function accumulate(sums: Uint32Array, view: DataView, at: number, keys: Uint32Array, from: number): void {
  for (let lane = 0; lane < 16; lane += 2) {
    const low = view.getUint32(at + lane * 4, true);
    const high = view.getUint32(at + lane * 4 + 4, true);
    const x = (low ^ (keys[from + lane] ?? 0)) >>> 0;
    const y = (high ^ (keys[from + lane + 1] ?? 0)) >>> 0;
    add(sums, lane ^ 2, low, high);
    add(sums, lane, Math.imul(x, y) >>> 0, upper(x, y));
  }
}

function add(sums: Uint32Array, lane: number, low: number, high: number): void {
  const sum = (sums[lane] ?? 0) + low;
  sums[lane] = sum;
  sums[lane + 1] = (sums[lane + 1] ?? 0) + high + (sum > 0xffffffff ? 1 : 0);
}

/** Upper half of a product of 32-bit numbers: sums of 16-bit products, none of which leaves 32 bits. */
function upper(x: number, y: number): number {
  const [x0, x1, y0, y1] = [x & 0xffff, x >>> 16, y & 0xffff, y >>> 16];
  const first = (Math.imul(x1, y0) >>> 0) + (Math.imul(x0, y0) >>> 16);
  const second = (Math.imul(x0, y1) >>> 0) + (first & 0xffff);
  return (Math.imul(x1, y1) + (first >>> 16) + (second >>> 16)) >>> 0;
}

function scramble(sums: Uint32Array, keys: Uint32Array): void {
  for (let lane = 0; lane < 16; lane += 2) {
    const [low, high] = [sums[lane] ?? 0, sums[lane + 1] ?? 0];
    // Shifted right by 47, the upper half alone is left.
    const x = (low ^ (high >>> 15) ^ (keys[32 + lane] ?? 0)) >>> 0;
    const y = (high ^ (keys[33 + lane] ?? 0)) >>> 0;
    sums[lane] = Math.imul(x, P32_1);
    sums[lane + 1] = upper(x, P32_1) + Math.imul(y, P32_1);
  }
}
