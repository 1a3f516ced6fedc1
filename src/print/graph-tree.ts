/**
 * Blocks of a long graph, and blocks within them: what repeats becomes "12 × Conv, Relu, Add", which opens into its 12 blocks, each of
 * which opens into operators. Operators stand in the order they run, so a block is always a stretch of that order. No block opens
 * into more than a person can follow.
 */

import type { Node } from "../model/graph.ts";

export interface Stretch {
  /** Operators from `from` up to, not including, `to`. */
  readonly from: number;
  readonly to: number;
  /** What makes two stretches alike. */
  readonly sign: string;
  readonly title: string;
  /** How many blocks alike it is; 1 where it is one. */
  readonly repeats: number;
  /** What it opens into; none of an operator. */
  readonly children: readonly Stretch[];
}

/** Boxes that a person can still follow. */
export const READABLE = 150;
/** Operators of the longest block looked for: a transformer layer has some 60 in ONNX, with open shapes some 300. */
const PERIOD_LIMIT = 512;
/** Repeats inside repeats: stages of blocks of layers. */
const PASSES = 4;
/** Of what makes stretches alike, as text: beyond it they are counted as unlike, so that repeats of repeats cannot grow it without end. */
const SIGN_LIMIT = 4096;

/** At most READABLE stretches that cover all nodes. */
export function foldTree(nodes: readonly Node[]): readonly Stretch[] {
  let stretches = nodes.map((node, at): Stretch => {
    const name = node.op ?? node.spelled;
    return { from: at, to: at + 1, sign: name, title: name, repeats: 1, children: [] };
  });
  for (let pass = 0; pass < PASSES && stretches.length > READABLE; pass++) {
    const next = foldRepeats(stretches);
    if (next.length === stretches.length) break;
    stretches = next;
  }
  return readable(stretches, nodes);
}

/** The names of a stretch for addresses: it stays the same as long as the file does. */
export const stretchId = ({ from, to }: Stretch): string => `${from}-${to}`;

/** Fewer boxes than this tell nothing of a model. */
const TELLING = 6;

/** Blocks to open at first, so that there is something to see: the largest, until some boxes are shown. */
export function openAtFirst(tree: readonly Stretch[]): ReadonlySet<string> {
  const open = new Set<string>();
  let shown = [...tree];
  while (shown.length < TELLING) {
    const largest = shown
      .filter(({ children }) => children.length > 0)
      .reduce<Stretch | undefined>(
        (most, one) => (most && most.to - most.from >= one.to - one.from ? most : one),
        undefined,
      );
    if (largest === undefined) break;
    open.add(stretchId(largest));
    shown = shown.flatMap((one) => (one === largest ? one.children : [one]));
  }
  return open;
}

/** Where the names of its operators lead: "encoder/layer.3" of encoder/layer.3/attn/MatMul and encoder/layer.3/Add. */
export function commonPath(nodes: readonly Node[]): string | undefined {
  let common: string[] | undefined;
  for (const { name } of nodes) {
    if (name === undefined || name === "") continue;
    // The last word is the operator's own.
    const words = name
      .split("/")
      .filter((word) => word !== "")
      .slice(0, -1);
    if (common === undefined) common = words;
    else {
      let same = 0;
      while (same < common.length && common[same] === words[same]) same++;
      common.length = same;
    }
    if (common.length === 0) return undefined;
  }
  return common?.join("/");
}

/** From each place the repeat that covers most. */
function foldRepeats(stretches: readonly Stretch[]): Stretch[] {
  const out: Stretch[] = [];
  const { periods, counts } = repeatsOf(stretches);
  let at = 0;
  while (at < stretches.length) {
    const [period, repeats] = [periods[at] ?? 0, counts[at] ?? 1];
    const first = stretches[at];
    if (first === undefined) break;
    if (repeats < 2 || period * repeats < 3) {
      out.push(first);
      at++;
      continue;
    }
    const blocks: Stretch[] = [];
    for (let block = 0; block < repeats; block++) {
      blocks.push(one(stretches.slice(at + block * period, at + (block + 1) * period)));
    }
    out.push(several(blocks));
    at += period * repeats;
  }
  return out;
}

/** For each place the period whose repeats from there on cover most, the shortest of equals, and how many they are. */
function repeatsOf(stretches: readonly Stretch[]): { readonly periods: Int32Array; readonly counts: Int32Array } {
  const ids = new Map<string, number>();
  // Words as numbers: compared often.
  const signs = Int32Array.from(stretches, ({ sign }, at) => {
    if (sign.length >= SIGN_LIMIT) return -1 - at;
    const id = ids.get(sign) ?? ids.size;
    ids.set(sign, id);
    return id;
  });
  const length = signs.length;
  const [periods, counts, covered] = [new Int32Array(length), new Int32Array(length), new Int32Array(length)];
  for (let period = 1; period <= PERIOD_LIMIT && 2 * period <= length; period++) {
    let run = 0;
    for (let at = length - period - 1; at >= 0; at--) {
      run = signs[at] === signs[at + period] ? run + 1 : 0;
      if (run < period) continue;
      const more = Math.floor(run / period);
      if (more * period <= (covered[at] ?? 0)) continue;
      covered[at] = more * period;
      periods[at] = period;
      counts[at] = more + 1;
    }
  }
  return { periods, counts };
}

/** A block of these, one after the other. */
function one(parts: readonly Stretch[]): Stretch {
  const [first, last] = [parts[0], parts.at(-1)];
  if (first === undefined || last === undefined) throw new Error("a block of nothing");
  if (parts.length === 1) return first;
  return {
    from: first.from,
    to: last.to,
    sign: `(${parts.map(({ sign }) => sign).join(",")})`.slice(0, SIGN_LIMIT),
    title: shorten(parts.map(titleOf)),
    repeats: 1,
    children: parts,
  };
}

/** Blocks that are alike; through stretches of them where they are more than can be followed. */
function several(blocks: readonly Stretch[]): Stretch {
  const [first, last] = [blocks[0], blocks.at(-1)];
  if (first === undefined || last === undefined) throw new Error("no blocks");
  return {
    from: first.from,
    to: last.to,
    sign: `${blocks.length}x${first.sign}`,
    title: first.repeats > 1 ? `(${titleOf(first)})` : first.title,
    repeats: blocks.length,
    children: blocks.length <= READABLE ? blocks : inParts(blocks).map(several),
  };
}

/** "12 × Conv, Relu" */
export const titleOf = ({ repeats, title }: Stretch): string => (repeats > 1 ? `${repeats} × ${title}` : title);

function shorten(names: readonly string[]): string {
  const shown = names.slice(0, 4).join(", ");
  return names.length > 4 ? `${shown} ... (${names.length})` : shown;
}

/** Nothing repeats, and they are more than can be followed: parts of equal length, named by what they hold most of. */
function readable(stretches: readonly Stretch[], nodes: readonly Node[]): readonly Stretch[] {
  if (stretches.length <= READABLE) return stretches.map((stretch) => readableInside(stretch, nodes));
  return inParts(stretches).map((parts): Stretch => {
    const [first, last] = [parts[0], parts.at(-1)];
    if (first === undefined || last === undefined) throw new Error("a part of nothing");
    const children = readable(parts, nodes);
    if (parts.length === 1) return children[0] ?? first;
    return {
      from: first.from,
      to: last.to,
      sign: "",
      title: parts.length <= 4 ? shorten(parts.map(titleOf)) : mostOf(nodes.slice(first.from, last.to)),
      repeats: 1,
      children,
    };
  });
}

/** A block that was found may be longer than a page, too. */
function readableInside(stretch: Stretch, nodes: readonly Node[]): Stretch {
  return stretch.children.length === 0 ? stretch : { ...stretch, children: readable(stretch.children, nodes) };
}

function inParts<T>(all: readonly T[]): T[][] {
  const size = Math.ceil(all.length / (READABLE / 2));
  const out: T[][] = [];
  for (let at = 0; at < all.length; at += size) out.push(all.slice(at, at + size));
  return out;
}

function mostOf(nodes: readonly Node[]): string {
  const counts = new Map<string, number>();
  for (const node of nodes) counts.set(node.op ?? node.spelled, (counts.get(node.op ?? node.spelled) ?? 0) + 1);
  const sorted = [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
  return sorted
    .slice(0, 3)
    .map(([name, count]) => `${name} ${count}`)
    .join(", ");
}
