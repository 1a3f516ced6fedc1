/**
 * Source: where a catalogue fact is written. Two kinds: the kernel (path plus module or document; proved by machine against
 * harvested kernels) and cited (a page or repository, optionally the words it says, and the day it was seen).
 */

export type Source =
  | { readonly kernel: string; readonly module?: string; readonly release?: string }
  | { readonly cited: string; readonly says?: string; readonly seen: string };

/** A value together with where it is written. */
export interface Fact<T> {
  readonly value: T;
  readonly source: Source;
}

export function fact<T>(value: T, source: Source): Fact<T> {
  return { value, source };
}

/** A source in one line, for evidence and generated pages. */
export function describeSource(source: Source): string {
  if ("kernel" in source) {
    const release = source.release === undefined ? "" : ` ${source.release}`;
    return `Linux${release} ${source.kernel}${source.module === undefined ? "" : ` (${source.module})`}`;
  }
  return `${source.cited} (${source.seen})`;
}
