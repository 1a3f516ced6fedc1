/**
 * What became of the graph: which nodes a delegate took, read back from the runtime. The C API does not tell it, but while a delegate
 * prepares the graph it is handed a TfLiteContext that does; so the delegate's Prepare is replaced by one that calls it and then looks.
 * Layouts: tensorflow/lite/c/common.h of 2.9 and LiteRT's tflite/core/c/common.h (2026-11), whose structs begin alike.
 */

import { builtinOperators } from "../../formats/tflite/schema.ts";
import type { Partition, Span } from "../delegate.ts";
import type { KoffiFunction, Pointer, Tflite } from "./api.ts";

/** A delegate that takes more nodes than this, or a plan that has them, is no plan that was read right. */
const NODE_LIMIT = 250_000;
const OK = 0;
/** BuiltinOperator of a node that a delegate put in the place of others. */
const DELEGATE = 51;

export interface Plan {
  readonly nodes: { readonly all: number; readonly taken: number };
  readonly partitions: readonly Partition[];
}

export interface Watch {
  /** Undefined before the delegate has prepared a graph, or when what was found made no sense. */
  readonly plan: () => Plan | undefined;
  /** Of the run that ended; with `profile` only. */
  readonly spans: () => readonly Span[];
  /** The delegate works as it came from its library again. */
  readonly release: () => void;
}

/** The layouts were looked up for these versions of TfLiteVersion(). */
export function knowsLayout(version: string): boolean {
  const [major, minor] = version.split(".").map(Number);
  return major === 2 && minor !== undefined && minor >= 9;
}

/** A node of the execution plan. */
interface Planned {
  readonly by: string;
  readonly name: string;
  readonly nodes: number;
  readonly operators: Readonly<Record<string, number>>;
}

type Layouts = ReturnType<typeof layoutsOf>;

/** As far as they are read. */
function layoutsOf({ koffi }: Tflite) {
  const pointers = (...names: readonly string[]): Record<string, string> =>
    Object.fromEntries(names.map((name) => [name, "void *"]));
  const callback = koffi.proto("int", ["void *", "void *"]);
  return {
    delegate: koffi.struct(pointers("data", "Prepare")),
    context: koffi.struct({
      tensors_size: "size_t",
      ...pointers("GetExecutionPlan", "tensors", "impl", "ResizeTensor", "ReportError", "AddTensors"),
      GetNodeAndRegistration: "void *",
    }),
    node: koffi.struct({
      ...pointers("inputs", "outputs", "intermediates", "temporaries", "user_data", "builtin_data", "custom_data"),
      custom_size: "int",
      delegate: "void *",
    }),
    registration: koffi.struct({
      ...pointers("init", "free", "prepare", "invoke", "profiling_string"),
      builtin_code: "int32_t",
      custom_name: "const char *",
    }),
    params: koffi.struct(pointers("delegate", "nodes", "inputs", "outputs")),
    getPlan: koffi.proto("int", ["void *", "_Out_ void **"]),
    getNode: koffi.proto("int", ["void *", "int", "_Out_ void **", "_Out_ void **"]),
    /** Prepare and invoke alike. */
    callback,
    callbackPointer: koffi.pointer(callback),
  };
}

const layouts = new WeakMap<Tflite, Layouts>();

/** Watches a delegate that is not yet applied; undefined when it prepares nothing by itself (an opaque delegate of newer headers). */
export function watch(tflite: Tflite, delegate: Pointer, name: string, profile: boolean): Watch | undefined {
  const { koffi } = tflite;
  let types = layouts.get(tflite);
  if (types === undefined) layouts.set(tflite, (types = layoutsOf(tflite)));
  const own = types;
  const { Prepare: original } = koffi.decode(delegate, own.delegate) as { Prepare: Pointer | null };
  if (original === null || original === 0n) return undefined;
  const prepare = koffi.decode(original, own.callback) as KoffiFunction;
  // One for each subgraph, by its context: a changed shape prepares it anew.
  const plans = new Map<Pointer, readonly Planned[] | undefined>();
  const timer = profile ? makeTimer(tflite, own) : undefined;
  const looking = (context: Pointer, self: Pointer): number => {
    const status = prepare(context, self) as number;
    if (status === OK) plans.set(context, readPlan(tflite, own, context, name, timer));
    return status;
  };
  const callback = koffi.register(looking, own.callbackPointer);
  const at = koffi.offsetof(own.delegate, "Prepare");
  koffi.encode(delegate, at, "void *", callback);
  return {
    plan: () => {
      const known = [...plans.values()];
      if (known.length === 0 || known.includes(undefined)) return undefined;
      return summary(known.flatMap((plan) => plan ?? []));
    },
    spans: () => timer?.take() ?? [],
    release: () => {
      koffi.encode(delegate, at, "void *", original);
      koffi.unregister(callback);
      timer?.release();
    },
  };
}

function readPlan(
  tflite: Tflite,
  types: Layouts,
  context: Pointer,
  by: string,
  timer: Timer | undefined,
): readonly Planned[] | undefined {
  const { koffi } = tflite;
  const functions = koffi.decode(context, types.context) as Record<string, Pointer>;
  const getPlan = koffi.decode(functions["GetExecutionPlan"] ?? 0n, types.getPlan) as KoffiFunction;
  const getNode = koffi.decode(functions["GetNodeAndRegistration"] ?? 0n, types.getNode) as KoffiFunction;
  const out: [Pointer | null] = [null];
  if (getPlan(context, out) !== OK || out[0] === null) return undefined;
  const plan = intsAt(tflite, out[0]);
  const [node, registration]: [[Pointer | null], [Pointer | null]] = [[null], [null]];
  const look = (index: number): { node: NodeFields; kernel: KernelFields; at: [Pointer, Pointer] } | undefined => {
    if (getNode(context, index, node, registration) !== OK || node[0] === null || registration[0] === null)
      return undefined;
    return {
      node: koffi.decode(node[0], types.node) as NodeFields,
      kernel: koffi.decode(registration[0], types.registration) as KernelFields,
      at: [node[0], registration[0]],
    };
  };
  const planned: Planned[] = [];
  for (const index of plan ?? []) {
    const found = look(index);
    if (found === undefined) return undefined;
    const { delegate, builtin_data: data } = found.node;
    let one: Planned;
    if (delegate === null || delegate === 0n) {
      const operator = operatorOf(found.kernel);
      one = { by: "CPU", name: operator, nodes: 1, operators: { [operator]: 1 } };
    } else {
      if (data === null) return undefined;
      const params = koffi.decode(data, types.params) as { delegate: Pointer | null; nodes: Pointer | null };
      // Of another kind of delegate: then its parameters have another layout.
      if (params.delegate !== delegate || params.nodes === null) return undefined;
      const operators: Record<string, number> = {};
      const nodes = intsAt(tflite, params.nodes);
      for (const taken of nodes ?? []) {
        const kernel = look(taken)?.kernel;
        if (kernel === undefined) return undefined;
        const operator = operatorOf(kernel);
        operators[operator] = (operators[operator] ?? 0) + 1;
      }
      one = { by: found.kernel.custom_name ?? by, name: by, nodes: nodes?.length ?? 0, operators };
    }
    planned.push(one);
    timer?.attach(found.at, found.kernel.invoke, one);
  }
  return planned;
}

interface NodeFields {
  readonly builtin_data: Pointer | null;
  readonly delegate: Pointer | null;
}

interface KernelFields {
  readonly invoke: Pointer | null;
  readonly builtin_code: number;
  readonly custom_name: string | null;
}

function operatorOf({ builtin_code: code, custom_name: custom }: KernelFields): string {
  const builtin = builtinOperators[code];
  return (builtin === "CUSTOM" || code === DELEGATE ? custom : builtin) ?? `BUILTIN ${code}`;
}

/** TfLiteIntArray: a count and so many ints. */
function intsAt({ koffi }: Tflite, at: Pointer): readonly number[] | undefined {
  const count = koffi.decode(at, "int") as number;
  if (count < 0 || count > NODE_LIMIT) return undefined;
  return count === 0 ? [] : [...new Int32Array(koffi.view(at, 4 + 4 * count), 4)];
}

/** Neighbours that the same one computes are one part; a delegate's part is one node of the plan. */
function summary(plan: readonly Planned[]): Plan {
  const partitions: { by: string; nodes: number; operators: Record<string, number> }[] = [];
  for (const { by, nodes, operators } of plan) {
    const last = partitions.at(-1);
    if (last === undefined || by !== "CPU" || last.by !== "CPU") {
      partitions.push({ by, nodes, operators: { ...operators } });
      continue;
    }
    last.nodes += nodes;
    for (const [name, count] of Object.entries(operators)) last.operators[name] = (last.operators[name] ?? 0) + count;
  }
  const taken = plan.reduce((sum, { by, nodes }) => (by === "CPU" ? sum : sum + nodes), 0);
  return { nodes: { all: plan.reduce((sum, { nodes }) => sum + nodes, 0), taken }, partitions };
}

interface Timer {
  attach(at: readonly [node: Pointer, registration: Pointer], invoke: Pointer | null, planned: Planned): void;
  take(): readonly Span[];
  release(): void;
}

/** Every node of the plan has its own copy of its kernel's functions: `invoke` there is replaced by one that holds a watch to it. */
function makeTimer(tflite: Tflite, types: Layouts): Timer {
  const { koffi } = tflite;
  const kernels = new Map<Pointer, KoffiFunction>();
  const timed = new Map<Pointer, { readonly invoke: KoffiFunction; readonly planned: Planned }>();
  let spans: Span[] = [];
  const timing = (context: Pointer, node: Pointer): number => {
    const known = timed.get(node);
    if (known === undefined) return 1;
    const start = performance.now();
    const status = known.invoke(context, node) as number;
    const { by, name, nodes } = known.planned;
    spans.push({
      name: by === "CPU" ? name : `${nodes} node${nodes === 1 ? "" : "s"}`,
      by,
      ms: performance.now() - start,
    });
    return status;
  };
  const callback = koffi.register(timing, types.callbackPointer);
  const address = koffi.address(callback);
  const offset = koffi.offsetof(types.registration, "invoke");
  return {
    attach([node, registration], original, planned) {
      if (original === null || original === 0n) return;
      let invoke = timed.get(node)?.invoke;
      if (original !== address || invoke === undefined) {
        invoke = kernels.get(original) ?? (koffi.decode(original, types.callback) as KoffiFunction);
        kernels.set(original, invoke);
        koffi.encode(registration, offset, "void *", callback);
      }
      timed.set(node, { invoke, planned });
    },
    take() {
      const taken = spans;
      spans = [];
      return taken;
    },
    release: () => koffi.unregister(callback),
  };
}
