/**
 * From instructions with their values to a graph: which values are made by whom, which are there before (inputs, constants, state,
 * scratch), and which are views that the memory plan puts where another lies.
 */

import type { Attribute, Graph, Node, Quantization, Tensor } from "../../model/graph.ts";
import { samePlace, scalarTensor, type PlanContext, type PlanGraph, type Step } from "./plan.ts";
import type { Value } from "./values.ts";

interface Draft {
  readonly step: Step;
  readonly inputs: number[];
  readonly outputs: number[];
}

export function flowOf(name: string, steps: readonly Step[], context: PlanContext): PlanGraph {
  const { values } = context;
  const runtime = runtimeScalars(steps, context);
  const isTensor = (index: number): boolean => values[index]?.kind === "tensor" || runtime.has(index);
  const flow = new Flow(values, context.inputs);
  const drafts = steps.map((step) => flow.take(step, isTensor));
  for (const index of context.outputs) flow.read(index, isTensor);
  const quantized = quantizedBy(steps);
  const places = new Map<number, number>();
  const tensors: Tensor[] = [];
  values.forEach((value, index) => {
    if (!isTensor(index)) return;
    places.set(index, tensors.length);
    tensors.push(tensorOf(value, index, flow, context, quantized.get(index)));
  });
  const place = (index: number): number => places.get(index) ?? -1;
  const present = (list: readonly number[]): number[] => list.map(place).filter((index) => index >= 0);
  const nodes: Node[] = drafts.map(({ step, inputs, outputs }) => ({
    ...step.node,
    attributes: withoutMade(step, runtime),
    inputs: inputs.map(place),
    outputs: present(outputs),
  }));
  const graph: Graph = { name, tensors, nodes, inputs: present(context.inputs), outputs: present(context.outputs) };
  return { graph, views: flow.views };
}

/** Numbers that are made while the program runs stand among the inputs; in a list their names hold their places. */
function withoutMade({ node, numbers = {} }: Step, runtime: ReadonlySet<number>): Node["attributes"] {
  const isMade = (name: string): boolean => numbers[name]?.some((index) => runtime.has(index)) ?? false;
  if (!Object.keys(numbers).some(isMade)) return node.attributes;
  const attributes: Record<string, Attribute> = {};
  for (const [name, value] of Object.entries(node.attributes)) {
    if (!isMade(name)) attributes[name] = value;
    else if (typeof value === "object") {
      attributes[name] = (numbers[name] ?? []).map((index, i) =>
        runtime.has(index) ? `value ${index}` : String(value[i] ?? ""),
      );
    }
  }
  return attributes;
}

/** Numbers that are no constants: made by an instruction, or going in or out. They are drawn as tensors without dimensions. */
function runtimeScalars(steps: readonly Step[], { values, inputs, outputs }: PlanContext): ReadonlySet<number> {
  const all = [...inputs, ...outputs, ...steps.flatMap((step) => step.outputs)];
  return new Set(all.filter((index) => values[index]?.kind === "scalar"));
}

function tensorOf(
  value: Value,
  index: number,
  flow: Flow,
  context: PlanContext,
  quantization: Quantization | undefined,
): Tensor {
  const state = flow.isState(index) ? { state: true as const } : {};
  if (value.kind === "scalar") {
    const constant = !flow.isMade(index) && !context.inputs.includes(index);
    return { ...scalarTensor(value, index, constant), ...(constant ? {} : state) };
  }
  if (value.kind !== "tensor") return { name: `value ${index}`, type: "unknown" };
  return { ...value.tensor, ...state, ...(quantization === undefined ? {} : { quantization }) };
}

/** Walks the instructions in order and knows what is there. */
class Flow {
  views = 0;
  readonly #values: readonly Value[];
  /** There: an input, a constant, made, or memory nobody fills. */
  readonly #there: Uint8Array;
  readonly #made: Uint8Array;
  readonly #state = new Set<number>();
  /** Who holds a place of planned memory now: the value, and the draft that made it. */
  readonly #holders = new Map<string, { value: number; draft: Draft | undefined }>();

  constructor(values: readonly Value[], inputs: readonly number[]) {
    this.#values = values;
    this.#there = new Uint8Array(values.length);
    this.#made = new Uint8Array(values.length);
    values.forEach((value, index) => {
      if (value.kind === "tensor" && value.tensor.data !== undefined) this.#there[index] = 1;
    });
    for (const index of inputs) {
      if (index < 0) continue;
      this.#there[index] = 1;
      this.#hold(index, undefined);
    }
  }

  isState(index: number): boolean {
    return this.#state.has(index);
  }

  isMade(index: number): boolean {
    return this.#made[index] === 1;
  }

  take(step: Step, isTensor: (index: number) => boolean): Draft {
    let [inputs, outputs] = [step.inputs, step.outputs];
    if (step.unsorted === true) {
      // Inputs come first: after the last argument that is there, all are outputs.
      const last = inputs.findLastIndex((index) => index < 0 || this.#there[index] === 1 || !isTensor(index));
      const split = last + 1 < inputs.length ? last + 1 : inputs.length;
      [inputs, outputs] = [inputs.slice(0, split), inputs.slice(split)];
    }
    const draft: Draft = { step, inputs: [], outputs: [] };
    for (const index of inputs) {
      if (index < 0) draft.inputs.push(-1);
      else if (isTensor(index)) {
        if (step.scratch?.includes(index) === true) this.#setState(index);
        else this.read(index, isTensor);
        draft.inputs.push(index);
      }
    }
    while (draft.inputs.at(-1) === -1) draft.inputs.pop();
    for (const index of outputs) {
      if (index < 0 || !isTensor(index)) continue;
      this.#made[index] = 1;
      this.#hold(index, draft);
      // What was there before is written in place: it is not made anew.
      if (this.#there[index] === 1) continue;
      this.#there[index] = 1;
      draft.outputs.push(index);
    }
    return draft;
  }

  read(index: number, isTensor: (index: number) => boolean): void {
    const value = this.#values[index];
    if (value === undefined || !isTensor(index) || this.#there[index] === 1) return;
    this.#there[index] = 1;
    if (value.kind === "scalar") {
      this.#state.add(index);
      return;
    }
    const holder = this.#holders.get(keyOf(value) ?? "");
    const held = holder === undefined ? undefined : this.#values[holder.value];
    if (holder !== undefined && held !== undefined && samePlace(value, held)) {
      // A view that needs no kernel: whoever filled the memory made this value too.
      this.views++;
      if (holder.draft === undefined) this.#state.add(index);
      else {
        holder.draft.outputs.push(index);
        this.#made[index] = 1;
      }
    } else if (keyOf(value) !== undefined) this.#state.add(index);
  }

  /** Once it was made it is no state. */
  #setState(index: number): void {
    if (this.#there[index] === 1) return;
    this.#there[index] = 1;
    this.#state.add(index);
  }

  #hold(index: number, draft: Draft | undefined): void {
    const value = this.#values[index];
    const key = value === undefined ? undefined : keyOf(value);
    if (key !== undefined) this.#holders.set(key, { value: index, draft });
  }
}

/** A place in planned memory. */
const keyOf = (value: Value): string | undefined =>
  value.kind === "tensor" && value.planned !== undefined
    ? `${value.planned.memory}:${value.planned.offset}`
    : undefined;

/** Scale and zero point of tensors that a kernel quantises, or takes as quantised: they are arguments of the kernel. */
function quantizedBy(steps: readonly Step[]): ReadonlyMap<number, Quantization> {
  const out = new Map<number, Quantization>();
  for (const { node, inputs, outputs } of steps) {
    const quantizes = /::quantize_per_tensor\b/.test(node.spelled);
    if (!quantizes && !/::dequantize_per_tensor\b/.test(node.spelled)) continue;
    const { scale, zero_point: zero } = node.attributes;
    const tensor = quantizes ? outputs[0] : inputs[0];
    if (typeof scale !== "number" || typeof zero !== "number" || tensor === undefined) continue;
    out.set(tensor, { scale: [scale], zeroPoint: [zero] });
  }
  return out;
}
