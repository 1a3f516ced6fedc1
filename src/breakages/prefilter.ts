/**
 * Finds which of many literals occur in a line, in one pass: Wu and Manber's multi-pattern search ("A fast algorithm for
 * multi-pattern searching", 1994) with blocks of two characters. Cheap enough to ask every line of a log before any expression
 * runs on it. Case is ignored by folding with 0x20, which joins a few signs too: a hit is a reason to look, no match.
 */

/** Calls `hit` with the index of each literal found in `text`; an index may be reported more than once. */
export type Prefilter = (text: string, hit: (literal: number) => void) => void;

/** Shortest literal allowed: the window that slides over the text has this length. */
export const SHORTEST = 4;

const fold = (text: string, at: number): number => text.charCodeAt(at) | 0x20;
const block = (first: number, second: number): number => ((first & 0x7f) << 7) | (second & 0x7f);

export function createPrefilter(literals: readonly string[]): Prefilter {
  const skip = new Uint8Array(1 << 14).fill(SHORTEST - 1);
  const buckets = new Map<number, number[]>();
  for (const [index, literal] of literals.entries()) {
    if (literal.length < SHORTEST) throw new Error(`a literal needs ${SHORTEST} characters: ${literal}`);
    for (let end = 1; end < SHORTEST; end++) {
      const key = block(fold(literal, end - 1), fold(literal, end));
      skip[key] = Math.min(skip[key] ?? 0, SHORTEST - 1 - end);
      if (end === SHORTEST - 1) buckets.set(key, [...(buckets.get(key) ?? []), index]);
    }
  }
  return (text, hit) => {
    let end = SHORTEST - 1;
    while (end < text.length) {
      const key = block(fold(text, end - 1), fold(text, end));
      const step = skip[key] ?? 0;
      if (step > 0) {
        end += step;
        continue;
      }
      for (const index of buckets.get(key) ?? []) {
        if (occurs(literals[index] ?? "", text, end - SHORTEST + 1)) hit(index);
      }
      end++;
    }
  };
}

function occurs(literal: string, text: string, start: number): boolean {
  if (start + literal.length > text.length) return false;
  for (let i = 0; i < literal.length; i++) {
    if (fold(literal, i) !== fold(text, start + i)) return false;
  }
  return true;
}
