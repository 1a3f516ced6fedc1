/** Puts finer sections over coarse ones: a compiled program inside what was "graph". */

import type { Section } from "../../model/graph.ts";

/** `parts` as they are, and what of `whole` they leave. Parts that overlap each other keep the first. */
export function carve(whole: readonly Section[], parts: readonly Section[]): Section[] {
  const sorted = [...parts].filter((part) => part.bytes > 0).sort((a, b) => a.offset - b.offset);
  const out: Section[] = [];
  const kept: Section[] = [];
  let end = 0;
  for (const part of sorted) {
    if (part.offset < end) continue;
    kept.push(part);
    end = part.offset + part.bytes;
  }
  let next = 0;
  for (const section of [...whole].sort((a, b) => a.offset - b.offset)) {
    let at = section.offset;
    const stop = section.offset + section.bytes;
    while (next < kept.length && (kept[next]?.offset ?? stop) < stop) {
      const part = kept[next++];
      if (part === undefined) break;
      if (part.offset > at) out.push({ ...section, offset: at, bytes: part.offset - at });
      out.push(part);
      at = Math.max(at, part.offset + part.bytes);
    }
    if (at < stop) out.push({ ...section, offset: at, bytes: stop - at });
  }
  return [...out, ...kept.slice(next)];
}
