/**
 * Reasons for people: those that differ only in the value found are told once. A reason ends in ": VALUE"; what comes before is the
 * constraint, in the compiler's words.
 */

export interface Reason {
  readonly op: string;
  readonly rule?: string | undefined;
  readonly because: string;
  readonly nodes: readonly number[];
}

/** Of the same operator and constraint together, those of most nodes first; what is said of the whole model stays before them. */
export function joinReasons(reasons: readonly Reason[]): readonly Reason[] {
  const groups = new Map<string, Reason[]>();
  for (const reason of reasons) {
    const key = [reason.op, reason.rule ?? "", stemOf(reason.because)].join("\0");
    const held = groups.get(key);
    if (held === undefined) groups.set(key, [reason]);
    else held.push(reason);
  }
  const joined = [...groups.values()].map((group): Reason => {
    const [first = NOTHING] = group;
    const nodes = group.flatMap((one) => one.nodes);
    return { ...first, because: becauseOf(group.map(({ because }) => because)), nodes };
  });
  return joined.sort((a, b) => Number(b.op === "*") - Number(a.op === "*") || b.nodes.length - a.nodes.length);
}

/** "too large: 7x7 (and 3 other values)". */
export function becauseOf(all: readonly string[]): string {
  const [first = ""] = all;
  const stem = stemOf(first);
  const values = [...new Set(all.map((one) => one.slice(stem.length + 2)))].filter((value) => value !== "");
  const others = values.length - 1;
  return others < 1
    ? first
    : `${stem}: ${values[0] ?? ""} (and ${others === 1 ? "another value" : `${others} other values`})`;
}

/** What stands before the value. */
export function stemOf(because: string): string {
  const at = because.lastIndexOf(": ");
  return at < 0 ? because : because.slice(0, at);
}

const NOTHING: Reason = { op: "", because: "", nodes: [] };
