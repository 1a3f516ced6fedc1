/** Which token comes next, from the model's scores. The same scores, settings and seed give the same token, on every machine. */

import type { Settings } from "./settings.ts";

/** Draws tokens of one run; undefined when a score is no number. */
export function sampler({ temperature, top_k, top_p, seed }: Settings): (scores: Float32Array) => number | undefined {
  if (temperature === 0) return mostProbable;
  const random = splitmix32(seed);
  return (scores) => {
    const best = mostProbable(scores);
    if (best === undefined) return undefined;
    const highest = scores[best] ?? 0;
    let [sum, least] = [0, 0];
    for (const score of scores) sum += Math.exp((score - highest) / temperature);
    if (top_k === 0 || top_k >= scores.length) {
      // Tokens rarer than this have less than 1 - top_p together: none is needed, and few are left to sort.
      least = top_p < 1 ? ((1 - top_p) / scores.length) * sum : 0;
    }
    let kept: { readonly token: number; readonly weight: number }[] = [];
    for (let token = 0; token < scores.length; token++) {
      const weight = Math.exp(((scores[token] ?? 0) - highest) / temperature);
      if (weight < least || weight === 0) continue;
      kept.push({ token, weight });
      if (top_k > 0 && kept.length >= 2 * top_k + 64) {
        kept = strongest(kept, top_k);
        least = kept.at(-1)?.weight ?? 0;
      }
    }
    kept = strongest(kept, top_k === 0 ? kept.length : top_k);
    // Of those that are left, as few as hold top_p of them.
    const all = kept.reduce((total, { weight }) => total + weight, 0);
    let [held, count] = [0, 0];
    while (count < kept.length && (count === 0 || held < top_p * (top_k === 0 ? sum : all))) {
      held += kept[count++]?.weight ?? 0;
    }
    let left = random() * held;
    for (const { token, weight } of kept.slice(0, count)) {
      left -= weight;
      if (left < 0) return token;
    }
    return kept[count - 1]?.token;
  };
}

const strongest = <T extends { readonly token: number; readonly weight: number }>(all: T[], most: number): T[] =>
  all.sort((a, b) => b.weight - a.weight || a.token - b.token).slice(0, most);

function mostProbable(scores: Float32Array): number | undefined {
  let [best, highest] = [-1, -Infinity];
  for (let token = 0; token < scores.length; token++) {
    const score = scores[token] ?? NaN;
    if (score > highest) [best, highest] = [token, score];
    else if (Number.isNaN(score)) return undefined;
  }
  return best < 0 ? undefined : best;
}

/** Small, the same everywhere; public domain. */
function splitmix32(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x9e3779b9) >>> 0;
    let t = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
    t = Math.imul(t ^ (t >>> 15), 0x735a2d97);
    return ((t ^ (t >>> 15)) >>> 0) / 4294967296;
  };
}
