/**
 * How Vela 3 cuts a graph (ethosu/vela/pass_packing.py, extract_npu_subgraphs.py of 3.10): one list of all operators, found from the
 * outputs backwards, depth first; what runs on the CPU moves up to the inputs or down to the next of its kind where nothing stands in its
 * way; and each run of neighbours on the NPU becomes one operator of it.
 */

import type { View } from "./view.ts";

/** Operators whose inputs Vela's table does not name: they count as taking none. */
const unnamed =
  "ADD_N REDUCE_ANY ARG_MIN BATCH_MATMUL BATCH_TO_SPACE_ND CALL CAST CEIL COS CUMSUM CUSTOM DENSIFY DEPTH_TO_SPACE DIV ELU EQUAL FILL FLOOR FLOOR_DIV FLOOR_MOD GATHER_ND GATHER GREATER GREATER_EQUAL IF L2_NORMALIZATION L2_POOL_2D LOCAL_RESPONSE_NORMALIZATION LESS LESS_EQUAL LOG LOG_SOFTMAX LOGICAL_AND LOGICAL_NOT LOGICAL_OR REDUCE_MAX REDUCE_MIN MIRROR_PAD NEG NON_MAX_SUPPRESSION_V4 NON_MAX_SUPPRESSION_V5 NOT_EQUAL ONE_HOT PADV2 POW REDUCE_PROD RANGE RANK REVERSE_SEQUENCE REVERSE_V2 ROUND SCATTER_ND SEGMENT_SUM SELECT SELECT_V2 SIN SPACE_TO_BATCH_ND SPACE_TO_DEPTH SPARSE_TO_DENSE SQRT SQUARE SUM SVDF TILE TOPK_V2 UNIQUE WHERE WHILE ZEROS_LIKE BROADCAST_TO BROADCAST_ARGS GELU DYNAMIC_UPDATE_SLICE";
const UNNAMED: ReadonlySet<string> = new Set(unnamed.split(" "));
/** Two of them are named. */
const PAIRS: ReadonlySet<string> = new Set(
  "ADD SUB MUL MAXIMUM MINIMUM PRELU SQUARED_DIFFERENCE TRANSPOSE ATAN2 CONCATENATION".split(" "),
);
const FIRST: Readonly<Record<string, number>> = { SPLIT: 1, TRANSPOSE_CONV: 2 };
/** What moves no numbers: on the CPU it is not moved itself, and nothing moves past it. */
const STILL: ReadonlySet<string> = new Set(["RESHAPE", "SQUEEZE", "EXPAND_DIMS"]);
/** Moved to the top wherever they stand. */
const VARIABLES: ReadonlySet<string> = new Set(["VAR_HANDLE", "READ_VARIABLE", "CALL_ONCE"]);

/** Graphs beyond are not sorted: moving operators is quadratic. */
const SORTED = 20_000;

/** An operator in the list, or, of a concatenation on the NPU, the write of one part; a split there is one read for each part. */
interface Step {
  readonly at: number;
  readonly part?: number;
}

/**
 * Positions of what runs on the NPU, run by run, in the order they run; a concatenation stands where its first part is written, a split
 * where its last one is read. `npu`: what
 * is taken; `melted`: what is nobody's.
 */
export function velaRuns(
  views: readonly View[],
  npu: (at: number) => boolean,
  melted: (at: number) => boolean,
): number[][] {
  const order = backwards(views, npu).filter(({ at }) => !melted(at));
  const listed = order.length > SORTED ? order : moved(views, order, npu);
  const runs: number[][] = [];
  const home = new Map<number, number>();
  let last = -1;
  for (const { at } of listed) {
    if (npu(at)) {
      if (last === -1 || !npu(last)) runs.push([]);
      if (!home.has(at) || READS.has(views[at]?.spelled ?? "")) home.set(at, runs.length - 1);
    }
    last = at;
  }
  for (const [at, run] of home) runs[run]?.push(at);
  return runs.filter((run) => run.length > 0).map((run) => run.sort((a, b) => a - b));
}

/** From the outputs to the inputs, an operator once all that take from it are listed; then turned around. */
function backwards(views: readonly View[], npu: (at: number) => boolean): Step[] {
  const producers = new Map<number, number>();
  const uses = new Map<number, number>();
  views.forEach(({ node }, at) => {
    for (const output of node.outputs) if (output >= 0) producers.set(output, at);
    for (const input of node.inputs) if (input >= 0) uses.set(input, (uses.get(input) ?? 0) + 1);
  });
  const waiting = views.map(({ node }) => node.outputs.filter((output) => (uses.get(output) ?? 0) > 0).length);
  const isRead = (at: number): boolean => READS.has(views[at]?.spelled ?? "") && npu(at) && (waiting[at] ?? 0) > 0;
  views.forEach(({ node }, at) => {
    if (!isRead(at)) return;
    for (const input of node.inputs) if (input >= 0) uses.set(input, (uses.get(input) ?? 0) + (waiting[at] ?? 1) - 1);
  });
  const out: Step[] = [];
  const stack: (number | Step)[] = [];
  const list = (at: number): void => {
    const inputs = views[at]?.node.inputs ?? [];
    if (!isWritten(views[at]) || !npu(at)) {
      out.push({ at });
      for (let input = inputs.length - 1; input >= 0; input--) stack.push(inputs[input] ?? -1);
    } else for (const part of inputs) stack.push(part, { at, part });
  };
  const drain = (): void => {
    for (let top = stack.pop(); top !== undefined; top = stack.pop()) {
      if (typeof top !== "number") {
        out.push(top);
        continue;
      }
      const left = (uses.get(top) ?? 0) - 1;
      uses.set(top, left);
      const at = producers.get(top);
      if (left !== 0 || at === undefined) continue;
      if (isRead(at)) {
        list(at);
        continue;
      }
      waiting[at] = (waiting[at] ?? 0) - 1;
      if (waiting[at] === 0) list(at);
    }
  };
  views.forEach((_, at) => {
    if (waiting[at] !== 0) return;
    waiting[at] = -1;
    list(at);
    drain();
  });
  return out.reverse();
}

const READS: ReadonlySet<string> = new Set(["SPLIT", "SPLIT_V", "UNPACK"]);

/** Part by part. */
const isWritten = (view: View | undefined): boolean => view?.spelled === "CONCATENATION" || view?.spelled === "PACK";

/** The operator's inputs by Vela's table: the first image and the second. */
function images({ spelled, node, constant }: View): readonly number[] {
  if (UNNAMED.has(spelled)) return [];
  const first = FIRST[spelled] ?? 0;
  const second = PAIRS.has(spelled) || (spelled === "FULLY_CONNECTED" && constant[1] === false) ? first + 1 : undefined;
  return [first, ...(second === undefined ? [] : [second])].flatMap((at) => node.inputs[at] ?? []);
}

function moved(views: readonly View[], order: readonly Step[], npu: (at: number) => boolean): Step[] {
  const made = new Set(views.flatMap(({ node }) => node.outputs));
  const enters = (view: View, tensor: number): boolean => {
    const at = view.node.inputs.indexOf(tensor);
    return tensor >= 0 && !made.has(tensor) && view.constant[at] !== true;
  };
  const early = ({ at }: Step): boolean => {
    const view = views[at];
    if (view === undefined || npu(at) || STILL.has(view.spelled)) return false;
    const taken = images(view);
    return VARIABLES.has(view.spelled) || (taken.length > 0 && taken.every((tensor) => enters(view, tensor)));
  };
  const isStill = ({ at }: Step): boolean => STILL.has(views[at]?.spelled ?? "");
  const index = ({ at }: Step): number => views[at]?.index ?? at;
  const top = order.filter(early).sort((a, b) => index(a) - index(b));
  const rest = order.filter((step) => !early(step));
  for (const step of [...rest].reverse()) {
    if (npu(step.at) || isStill(step)) continue;
    const from = rest.indexOf(step);
    const given = new Set(views[step.at]?.node.outputs);
    let to = from + 1;
    for (; to < rest.length; to++) {
      const next = rest[to];
      const view = next === undefined ? undefined : views[next.at];
      if (next === undefined || view === undefined || !npu(next.at)) break;
      if ((next.part === undefined ? images(view) : [next.part]).some((tensor) => given.has(tensor))) break;
    }
    const stop = rest[to];
    if (to === from + 1 || (stop !== undefined && (npu(stop.at) || isStill(stop)))) continue;
    rest.splice(from, 1);
    rest.splice(to - 1, 0, step);
  }
  return [...top, ...rest];
}
