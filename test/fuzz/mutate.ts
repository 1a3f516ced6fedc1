/** Seeded mutation of bytes, text and JSON: the same seed gives the same cases, so that a failure can be run again. */

export type Random = () => number;

/** mulberry32: small, fast, good enough to choose positions. */
export function seeded(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** One number out of several, so that each case has its own stream and can be run alone (FNV-1a). */
export function mixed(...parts: readonly (string | number)[]): number {
  let hash = 0x811c9dc5;
  for (const char of parts.join("\0")) hash = Math.imul(hash ^ (char.codePointAt(0) ?? 0), 0x01000193);
  return hash >>> 0;
}

export const below = (random: Random, end: number): number => Math.floor(random() * end);
export const pick = <T>(random: Random, from: readonly T[]): T => from[below(random, from.length)] as T; // callers give lists that are not empty

/** Values that break arithmetic: signs, powers, ends of ranges. */
const edges = [0, 1, 2, 0x7f, 0x80, 0xff, 0x100, 0x7fff, 0x8000, 0xffff, 0x10000, 0x7fffffff, 0x80000000, 0xffffffff];

export function mutateBytes(seed: Uint8Array, random: Random): Uint8Array {
  let bytes: Uint8Array = Uint8Array.from(seed);
  const rounds = 1 + below(random, 6);
  for (let i = 0; i < rounds && bytes.length > 0; i++) {
    // Headers are where lengths live: half of the changes go there.
    const at = below(random, random() < 0.5 ? Math.min(128, bytes.length) : bytes.length);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    switch (below(random, 9)) {
      case 0:
        bytes[at] = below(random, 256);
        break;
      case 1:
        bytes[at] = (bytes[at] ?? 0) ^ (1 << below(random, 8));
        break;
      case 2:
        if (random() < 0.3) bytes = bytes.subarray(0, at);
        break;
      case 3:
        if (at + 4 <= bytes.length) view.setUint32(at, pick(random, edges), random() < 0.5);
        break;
      case 4:
        if (at + 4 <= bytes.length) {
          // Near to what stands there: offsets that are off by little pass the first checks.
          const little = random() < 0.5;
          view.setUint32(at, (view.getUint32(at, little) + below(random, 64) - 32) >>> 0, little);
        }
        break;
      case 5:
        if (at + 8 <= bytes.length) view.setBigUint64(at, BigInt(pick(random, edges)) << 32n, random() < 0.5);
        break;
      case 6:
        bytes.copyWithin(at, below(random, bytes.length), below(random, bytes.length));
        break;
      case 7:
        bytes.fill(below(random, 256), at, at + below(random, 32));
        break;
      default: {
        const insert = below(random, 16);
        const longer = new Uint8Array(bytes.length + insert);
        longer.set(bytes.subarray(0, at));
        longer.set(bytes.subarray(at), at + insert);
        bytes = longer;
      }
    }
  }
  return bytes;
}

/** What must not be typed into a shell by a person who copies a cure. */
export const CANARY = "canary";

export const oddities: readonly string[] = [
  "",
  "\0",
  "-1",
  "0x",
  "0",
  "99999999999999999999",
  "1e309",
  "\u001b[31m\u001b]0;title\u0007",
  "\u009b31m",
  "\r",
  "\t\v\f",
  "../../../etc/passwd",
  "/",
  "*".repeat(64),
  "*?".repeat(40) + "x",
  "[".repeat(64),
  "a".repeat(5000),
  " ".repeat(3000),
  "a ".repeat(3000),
  "(((((" + "a|".repeat(50),
  "\n\n",
  "\\",
  "\\\n",
  "%s%n",
  "\ufffd",
  "\ud800",
  "\u202e\u2066",
  "\u{1f600}",
  "__proto__",
  "constructor",
  "toString",
  "hasOwnProperty",
  "</td><script>alert(1)</script><img src=x>",
  "```\n# | x | [a](javascript:b)",
  `$(${CANARY})`,
  `;${CANARY}`,
  `'"\`${CANARY}`,
  "é".repeat(10),
  "NaN",
  "null",
  "0x7fffffff",
  "0000:00:0b.0",
  "pci:v00008086d*sv*sd*bc*sc*i*",
];

export function mutateText(seed: string, random: Random): string {
  let text = seed;
  const rounds = 1 + below(random, 4);
  for (let i = 0; i < rounds; i++) {
    const at = below(random, text.length + 1);
    const to = Math.min(text.length, at + below(random, 40));
    switch (below(random, 9)) {
      case 0:
        text = text.slice(0, at) + pick(random, oddities) + text.slice(to);
        break;
      case 1:
        text = text.slice(0, at);
        break;
      case 2:
        text = text.slice(0, at) + text.slice(at, to).repeat(1 + below(random, 20)) + text.slice(to);
        break;
      case 3: {
        const lines = text.split("\n");
        lines.splice(below(random, lines.length), 1, pick(random, lines), pick(random, oddities));
        text = lines.join("\n");
        break;
      }
      case 4:
        text = text.slice(0, at) + String.fromCharCode(below(random, 0x2ff)) + text.slice(at + 1);
        break;
      case 5: {
        // One word of a line replaced: what stands between blanks, colons or equals signs is what parsers take.
        const words = text.split(/([\s=:,;|]+)/);
        words[below(random, words.length)] = pick(random, oddities);
        text = words.join("");
        break;
      }
      case 6: {
        const numbers = [...text.matchAll(/[0-9]+/g)];
        if (numbers.length === 0) break;
        const number = pick(random, numbers);
        const value = pick(random, ["0", "-1", "4294967296", "18446744073709551615", "9".repeat(400), "0.5", "007"]);
        text = text.slice(0, number.index) + value + text.slice(number.index + number[0].length);
        break;
      }
      case 7:
        // A flood, kept rare: it costs.
        if (random() < 0.05) text = `${text.slice(at, at + 200)}\n`.repeat(2000) + text;
        break;
      default:
        text = text.slice(0, at) + text.slice(to);
    }
  }
  return text;
}

const values: readonly unknown[] = [
  null,
  true,
  -1,
  0.5,
  1e308,
  2 ** 53,
  "",
  "absent",
  ["denied", "x"],
  ["absent", 1],
  [],
  {},
  [[]],
  { failed: "absent" },
  { failed: { failed: 1 } },
  "../..",
  "\u0000",
];

/** JSON with parts taken out, put elsewhere or replaced by what is of another type; written as text, so "__proto__" can be a key. */
export function mutateJson(seed: unknown, random: Random): string {
  const copy = structuredClone(seed);
  const rounds = 1 + below(random, 4);
  for (let i = 0; i < rounds; i++) changeSomewhere(copy, random);
  let text = JSON.stringify(copy);
  switch (below(random, 20)) {
    case 0:
      text = text.replace(/"[a-z]+":/, '"__proto__":');
      break;
    case 1: {
      const deep = 1 + below(random, 20_000);
      const scalars = [...text.matchAll(/:("[^"]*"|[0-9]+|true|false|null)/g)];
      const scalar = scalars.length === 0 ? undefined : pick(random, scalars);
      if (scalar !== undefined) {
        const end = scalar.index + scalar[0].length;
        text = `${text.slice(0, scalar.index)}:${"[".repeat(deep)}1${"]".repeat(deep)}${text.slice(end)}`;
      }
      break;
    }
    case 2: {
      const keys = [...text.matchAll(/"([^"\\]*)":/g)];
      const key = keys.length === 0 ? undefined : pick(random, keys);
      if (key !== undefined) {
        const name = JSON.stringify(pick(random, ["__proto__", "constructor", "toString", "", "/", "//", "/a/../b"]));
        text = `${text.slice(0, key.index)}${name}:${text.slice(key.index + key[0].length)}`;
      }
      break;
    }
    case 3:
      text = text.slice(0, below(random, text.length));
      break;
    default:
  }
  return text;
}

function changeSomewhere(value: unknown, random: Random): void {
  let at = value;
  for (let depth = 0; depth < 12; depth++) {
    if (typeof at !== "object" || at === null) return;
    const holder = at as Record<string, unknown>;
    const keys = Object.keys(holder);
    const key = keys.length === 0 ? "x" : pick(random, keys);
    const inner = holder[key];
    if (typeof inner === "object" && inner !== null && random() < 0.85) {
      at = inner;
      continue;
    }
    if (typeof inner === "string" && random() < 0.8) holder[key] = mutateText(inner, random);
    else if (typeof inner === "number" && random() < 0.6) holder[key] = below(random, 2 ** 40);
    else if (random() < 0.3 && !Array.isArray(at)) Reflect.deleteProperty(holder, key);
    else holder[key] = structuredClone(pick(random, values));
    return;
  }
}
