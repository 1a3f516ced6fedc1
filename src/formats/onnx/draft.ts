/** What is gathered while an ONNX file is walked: graphs that still grow, names that become indexes, findings that stay few. */

import { FileError } from "../../base/errors.ts";
import { sharedOp } from "../../model/ops.ts";
import type { Attribute, Dimension, ElementType, Integrity, Quantization, TensorData } from "../../model/graph.ts";
import type { ModelFile } from "../file.ts";
import type { Constant } from "./tensor.ts";

/** Nodes of one file: the largest published graphs have some 100,000. */
const NODE_LIMIT = 300_000;
/** Tensors of one file, all graphs together. */
const TENSOR_LIMIT = 600_000;
/** Graphs of one file: bodies of If and Loop, functions, training. */
const GRAPH_LIMIT = 20_000;
/** Findings of one rule that are told one by one; of the rest the count. */
const FINDINGS_EACH = 20;

/** What is known of a tensor beside its facts. */
export const INPUT = 1;
export const INITIALIZER = 2;
export const PRODUCED = 4;
export const USED = 8;
export const OUTPUT = 16;
/** A value_info (or input, output) gave it a type. */
export const DECLARED = 32;
/** Comes from a graph outside of this one. */
export const OUTER = 64;

export interface DraftTensor {
  name: string;
  type: ElementType;
  spelled?: string;
  shape?: readonly Dimension[];
  quantization?: Quantization;
  data?: TensorData;
  values?: readonly number[];
  sparse?: boolean;
}

export interface DraftNode {
  name?: string;
  op?: string;
  spelled: string;
  domain?: string;
  version?: number;
  inputs: number[];
  outputs: number[];
  attributes: Record<string, Attribute>;
  graphs?: number[];
}

/** A graph that is being read. */
export class Draft {
  name = "";
  readonly tensors: DraftTensor[] = [];
  readonly flags: number[] = [];
  readonly nodes: DraftNode[] = [];
  /** Where each node lies in the file. */
  readonly places: number[] = [];
  readonly inputs: number[] = [];
  readonly outputs: number[] = [];
  /** Constant data by tensor: initializers and the values of Constant nodes. */
  readonly constants = new Map<number, Constant>();
  /** Names of the scale and zero point of a tensor, of quantization_annotation. */
  readonly annotations: { readonly tensor: string; readonly scale?: string; readonly zeroPoint?: string }[] = [];
  /** Opset versions, where a function brings its own. */
  opsets: ReadonlyMap<string, number> | undefined;
  readonly parent: Draft | undefined;
  readonly #index = new Map<string, number>();
  readonly #context: Context;

  constructor(context: Context, parent?: Draft) {
    this.#context = context;
    this.parent = parent;
  }

  /** Index of the tensor of that name; a new one where it is met first. */
  intern(name: string): number {
    const held = this.#index.get(name);
    if (held !== undefined) return held;
    this.#index.set(name, this.tensors.length);
    return this.add(name);
  }

  /** A tensor that no name leads to: data of an attribute. */
  add(name: string): number {
    this.#context.count("tensors", TENSOR_LIMIT);
    this.tensors.push({ name, type: "unknown" });
    this.flags.push(0);
    return this.tensors.length - 1;
  }

  find(name: string): number | undefined {
    return this.#index.get(name);
  }

  flag(tensor: number, flag: number): void {
    this.flags[tensor] = (this.flags[tensor] ?? 0) | flag;
  }

  is(tensor: number, flag: number): boolean {
    return ((this.flags[tensor] ?? 0) & flag) !== 0;
  }
}

/** What all graphs of one file share. */
export class Context {
  readonly file: ModelFile;
  readonly drafts: Draft[] = [];
  readonly needs = new Set<string>();
  readonly findings = new Findings();
  /** Domains used without an opset, told once each. */
  readonly missing = new Set<string>();
  /** Extents of initializers in the main graph's message, merged where they touch. */
  readonly weights: { from: number; to: number }[] = [];
  readonly #counts = { nodes: 0, tensors: 0, graphs: 0 };
  readonly #ops = new Map<string, string | undefined>();

  constructor(file: ModelFile) {
    this.file = file;
  }

  count(what: "nodes" | "tensors" | "graphs", limit: number): void {
    if (++this.#counts[what] > limit) throw new FileError(this.file.name, `more than ${limit} ${what}`, 0);
  }

  draft(parent?: Draft): Draft {
    this.count("graphs", GRAPH_LIMIT);
    const draft = new Draft(this, parent);
    this.drafts.push(draft);
    return draft;
  }

  node(): void {
    this.count("nodes", NODE_LIMIT);
  }

  /** Shared name of an operator, looked up once for each spelling. */
  op(domain: string, spelled: string): string | undefined {
    const key = domain === "" ? spelled : `${domain}:${spelled}`;
    if (this.#ops.has(key)) return this.#ops.get(key);
    const op = sharedOp("onnx", spelled, domain);
    this.#ops.set(key, op);
    return op;
  }
}

/** Findings, few of each rule: a broken file breaks a rule ten thousand times. */
export class Findings {
  readonly #all: Integrity[] = [];
  readonly #seen = new Map<string, number>();

  add(severity: Integrity["severity"], rule: string, says: string, offset?: number): void {
    const count = (this.#seen.get(rule) ?? 0) + 1;
    this.#seen.set(rule, count);
    if (count > FINDINGS_EACH) return;
    this.#all.push({ severity, rule, says, ...(offset === undefined ? {} : { offset }) });
  }

  list(): Integrity[] {
    const more = [...this.#seen].filter(([, count]) => count > FINDINGS_EACH);
    return [
      ...this.#all,
      ...more.map(([rule, count]): Integrity => {
        const severity = this.#all.find((finding) => finding.rule === rule)?.severity ?? "note";
        return { severity, rule, says: `and ${count - FINDINGS_EACH} more of these` };
      }),
    ];
  }
}

/** A name for a message: quoted, and short. */
export const label = (name: string): string => JSON.stringify(name.length > 80 ? `${name.slice(0, 77)}...` : name);
