/**
 * Cascades: operations whose feature maps do not fit fast memory together run in stripes, one behind the other, so that only a few rows
 * between them are kept. Which ones, and how high the stripes are, as Vela decides for memory that spills (cascade_builder.py of 3.10).
 */

import type { Lowered } from "./vela-lowering.ts";
import { up, type Volume } from "./vela-machine.ts";

export interface Stripe {
  /** Rows of output and of input at a time. */
  readonly out: number;
  readonly into: number;
}

export interface Cascade {
  /** Positions of the first and the last operation. */
  readonly first: number;
  readonly last: number;
  readonly bytes: number;
  readonly stripes: readonly Stripe[];
}

export interface Sizes {
  /** Bytes of a feature map as it is stored. */
  readonly of: (ref: Lowered["ifm"]) => number;
  readonly linear: (tensor: string) => boolean;
  readonly readers: (tensor: string) => number;
  /** Bytes of an operation's filter. */
  readonly filter: (operation: Lowered) => number;
}

export function cascadesOf(operations: readonly Lowered[], sizes: Sizes, limit: number): readonly Cascade[] {
  const found: Cascade[] = [];
  for (let first = 0; first < operations.length; first++) {
    const last = reachOf(operations, first, sizes, limit);
    if (last === first) continue;
    found.push(...striped(operations, first, last, sizes, limit));
    first = last;
  }
  return found;
}

function cascadable(operation: Lowered): boolean {
  const { unit, ifm, ifm2, ofm, kernel } = operation;
  if (unit === "vector" || unit === "sum" || unit === "copy" || operation.name.startsWith("Conv2DBackprop"))
    return false;
  if (ifm.part !== undefined || ofm.shape[0] <= kernel.sy) return false;
  return unit !== "elementwise" || ifm2 === undefined || ifm2.tensor.startsWith("=");
}

/** The last operation that still has to be behind the one before, for it does not fit as a whole; all in the lowest stripes. */
function reachOf(operations: readonly Lowered[], first: number, sizes: Sizes, limit: number): number {
  const start = operations[first];
  if (start === undefined || !cascadable(start)) return first;
  let buffers = 0;
  let best = first;
  for (let at = first; ; at++) {
    const [producer, current] = [operations[at], operations[at + 1]];
    if (producer === undefined || current === undefined || !cascadable(current)) return best;
    const { tensor, shape, part, bits } = producer.ofm;
    if (current.ifm.tensor !== tensor || sizes.readers(tensor) !== 1 || sizes.linear(tensor) || part !== undefined)
      return best;
    if (String(current.ifm.shape) !== String(shape)) return best;
    const whole = sizes.of(current.ifm) + (current.unit === "elementwise" ? 0 : sizes.of(current.ofm));
    const rows = operations[at + 2]?.kernel.sy ?? 1;
    buffers += (rolling(current.kernel.sy, inputRows(current, rows), shape) * bits) / 8;
    if (whole < limit || buffers > limit) return best;
    best = at + 1;
  }
}

/** Rows that stay between two operations, in bricks of 16 channels. */
const rolling = (made: number, taken: number, [, width, depth]: Volume): number =>
  up(made + taken, taken) * width * up(depth, 16);

function inputRows({ kernel, ifm, upscale }: Lowered, rows: number): number {
  const height = (kernel.h - 1) * kernel.dy + 1;
  const needed = Math.ceil(
    ((rows - 1) * kernel.sy + height + (upscale === "nearest" ? 1 : 0)) / (upscale === "none" ? 1 : 2),
  );
  return Math.min(needed, ifm.shape[0]);
}

/**
 * Cascades with the highest stripes that fit; higher ones may break one into several, but into no more than the first try did. Where no
 * try fits it stays one, of the lowest stripes: as many rows as the next operation steps over.
 */
function striped(
  operations: readonly Lowered[],
  first: number,
  last: number,
  sizes: Sizes,
  limit: number,
): readonly Cascade[] {
  const height = operations[last]?.ofm.shape[0] ?? 1;
  const lowest = (at: number): number => operations[at + 1]?.kernel.sy ?? 1;
  let best: readonly Cascade[] | undefined;
  for (let rows = lowest(last) + 1; rows <= Math.floor(height / 2); rows++) {
    const cascades = broken(operations, first, stripesOf(operations, first, last, rows), sizes, limit);
    if (cascades === undefined || (best !== undefined && cascades.length > best.length)) break;
    best = cascades;
  }
  if (best !== undefined) return best;
  const stripes = operations.slice(first, last + 1).map((one, at) => {
    const out = lowest(first + at);
    return { out, into: inputRows(one, out) };
  });
  return [{ first, last, bytes: limit, stripes }];
}

/** From the rows of the last one's output to those of the first one's. */
function stripesOf(operations: readonly Lowered[], first: number, last: number, rows: number): readonly Stripe[] {
  const stripes: Stripe[] = [];
  let out = rows;
  for (let at = last; at >= first; at--) {
    const member = operations[at];
    if (member === undefined) break;
    stripes.unshift({ out, into: inputRows(member, out) });
    out = Math.min(member.ifm.shape[0], (member.upscale === "none" ? out : out + (out % 2)) * member.kernel.sy);
  }
  return stripes;
}

/** A new cascade begins where the rows between no longer fit. undefined: something would stand alone that does not fit alone. */
function broken(
  operations: readonly Lowered[],
  first: number,
  stripes: readonly Stripe[],
  sizes: Sizes,
  limit: number,
): readonly Cascade[] | undefined {
  const cascades: Cascade[] = [];
  for (let from = 0; from < stripes.length;) {
    const start = operations[first + from];
    if (start === undefined) return undefined;
    let bytes = sizes.filter(start);
    let to = from;
    for (; to + 1 < stripes.length; to++) {
      const [producer, current] = [operations[first + to], operations[first + to + 1]];
      const [made, taken] = [stripes[to], stripes[to + 1]];
      if (producer === undefined || current === undefined || made === undefined || taken === undefined)
        return undefined;
      const more = (rolling(made.out, taken.into, producer.ofm.shape) * producer.ofm.bits) / 8 + sizes.filter(current);
      if (bytes + more > limit) break;
      bytes += more;
    }
    if (to === from && sizes.of(start.ifm) + sizes.of(start.ofm) + sizes.filter(start) > limit) return undefined;
    if (to > from)
      cascades.push({ first: first + from, last: first + to, bytes, stripes: stripes.slice(from, to + 1) });
    from = to + 1;
  }
  return cascades;
}
