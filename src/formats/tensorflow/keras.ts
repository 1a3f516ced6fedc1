/**
 * A Keras model as its configuration tells it: layers and how they are joined. Sequential and functional models of Keras 1 to 3 and of
 * TensorFlow.js; models inside models are graphs of their own. keras.io/guides/serialization_and_saving
 */

import { FileError } from "../../base/errors.ts";
import type { Attribute, Dimension, ElementType, Graph, Integrity, Node, Tensor } from "../../model/graph.ts";
import { at, entriesOf, get, isObject, listOf, textOf } from "../wire/json.ts";
import { activationOf, activations, layers, numberOf, wrappedShape, wrappers } from "./keras-layers.ts";
import type { Shape } from "./nodes.ts";

/** Models inside models. */
const DEPTH_LIMIT = 16;
/** Layers of one file. */
const LAYER_LIMIT = 100_000;
/** Tensors one layer takes: a concatenation of hundreds is seen. */
const INPUT_LIMIT = 10_000;
const TEXT_KEPT = 256;
const LIST_KEPT = 64;

const models: ReadonlySet<string> = new Set(["Sequential", "Functional", "Model"]);

/** Is this a model's configuration: { class_name, config }? */
export const isKerasModel = (value: unknown): boolean => models.has(textOf(get(value, "class_name")) ?? "");

export interface KerasModel {
  readonly graphs: readonly Graph[];
  readonly integrity: readonly Integrity[];
}

/** Graphs of `{ class_name, config }`, the outermost first. `weights` are found by the names of layers in theirs. */
export function readKeras(path: string, root: unknown, weights: readonly Tensor[]): KerasModel {
  const reader = new Reader(path, weights);
  reader.model(root, 0);
  return { graphs: reader.graphs, integrity: reader.integrity };
}

/** One use of a layer: Keras calls it a node. */
interface Use {
  readonly layer: string;
  readonly index: number;
  readonly inputs: readonly string[];
  readonly className: string;
  readonly config: unknown;
  readonly spec: unknown;
}

const key = (layer: string, node: number, tensor: number): string => `${layer}\0${node}\0${tensor}`;

class Reader {
  readonly graphs: Graph[] = [];
  readonly integrity: Integrity[] = [];
  readonly #path: string;
  /** Weights by each part of their names. */
  readonly #weights = new Map<string, Tensor[]>();
  readonly #left: Set<Tensor>;
  #layers = 0;

  constructor(path: string, weights: readonly Tensor[]) {
    this.#path = path;
    this.#left = new Set(weights);
    for (const tensor of weights) {
      for (const part of new Set(tensor.name.split("/").slice(0, -1))) {
        const held = this.#weights.get(part);
        if (held === undefined) this.#weights.set(part, [tensor]);
        else held.push(tensor);
      }
    }
  }

  /** The index of the graph it makes. */
  model(root: unknown, depth: number): number {
    if (depth > DEPTH_LIMIT) throw new FileError(this.#path, `models nest deeper than ${DEPTH_LIMIT}`, 0);
    const config = get(root, "config");
    const list = Array.isArray(config) ? config : listOf(get(config, "layers"));
    this.#layers += list.length;
    if (this.#layers > LAYER_LIMIT) throw new FileError(this.#path, `more than ${LAYER_LIMIT} layers`, 0);
    const index = this.graphs.length;
    const name = (textOf(get(config, "name")) ?? "").slice(0, TEXT_KEPT);
    this.graphs.push({ name, tensors: [], nodes: [], inputs: [], outputs: [] });
    const sequential = get(root, "class_name") === "Sequential";
    const draft = new Draft();
    const uses = sequential ? chained(list, config, draft) : joined(list, referencesOf(get(config, "output_layers")));
    for (const use of this.#ordered(uses)) this.#use(use, draft, depth);
    const outputs = sequential
      ? [uses.length === 0 ? draft.inputs[0] : draft.find(key(uses.at(-1)?.layer ?? "", 0, 0))]
      : referencesOf(get(config, "output_layers")).map((reference) => draft.find(reference));
    const inputs = sequential
      ? draft.inputs
      : referencesOf(get(config, "input_layers")).map((reference) => draft.find(reference));
    const found = (indexes: readonly (number | undefined)[]): number[] => {
      const whole = indexes.filter((one) => one !== undefined);
      if (whole.length < indexes.length)
        this.#tell("graph/missing-node", `an input or output of ${JSON.stringify(name)} is made by no layer`);
      return whole;
    };
    if (depth === 0) for (const tensor of this.#left) draft.tensors.push(tensor);
    this.graphs[index] = {
      name,
      tensors: draft.tensors,
      nodes: draft.nodes,
      inputs: found(inputs),
      outputs: found(outputs),
    };
    return index;
  }

  /** Layers are written in the order they were made, uses of them not always. */
  #ordered(uses: readonly Use[]): readonly Use[] {
    const made = new Set<string>();
    const waiting = new Map<string, Use[]>();
    const out: Use[] = [];
    const makers = new Set(uses.map(({ layer, index }) => `${layer}\0${index}`));
    const maker = (input: string): string => input.slice(0, input.lastIndexOf("\0"));
    const isAwaited = (one: string): boolean => makers.has(one) && !made.has(one);
    /** How many inputs of a use are known to be made: none is looked at twice. */
    const seen = new Map<Use, number>();
    const stack = [...uses].reverse();
    for (let use = stack.pop(); use !== undefined; use = stack.pop()) {
      let at = seen.get(use) ?? 0;
      while (at < use.inputs.length && !isAwaited(maker(use.inputs[at] ?? ""))) at++;
      seen.set(use, at);
      const missing = at < use.inputs.length ? maker(use.inputs[at] ?? "") : undefined;
      if (missing !== undefined) {
        const held = waiting.get(missing);
        if (held === undefined) waiting.set(missing, [use]);
        else held.push(use);
        continue;
      }
      out.push(use);
      const own = `${use.layer}\0${use.index}`;
      made.add(own);
      for (const freed of (waiting.get(own) ?? []).reverse()) stack.push(freed);
      waiting.delete(own);
    }
    if (waiting.size > 0) {
      const left = [...waiting.values()].flat();
      this.#tell("graph/cycle", `${left.length} layers wait for each other, ${JSON.stringify(left[0]?.layer)} first`);
      out.push(...left);
    }
    return out;
  }

  #use(use: Use, draft: Draft, depth: number): void {
    const { className, config, layer, index } = use;
    if (className === "InputLayer") {
      const shape = batchShape(config);
      const type = typeOf(get(config, "dtype")) ?? "float32";
      draft.inputs.push(
        draft.add(key(layer, index, 0), { name: layer, type, ...(shape === undefined ? {} : { shape }) }),
      );
      return;
    }
    const data = use.inputs.map((input) => draft.find(input));
    const missing = use.inputs.find((_, at) => data[at] === undefined);
    if (missing !== undefined) {
      const [from = ""] = missing.split("\0");
      this.#tell("graph/missing-node", `layer ${quoted(layer)} takes what ${quoted(from)} gives, which is not there`);
    }
    const inputs = data.map((one) => one ?? -1);
    const shapes = inputs.map((one) => draft.tensors[one]?.shape);
    const inner = isKerasModel(use.spec) ? this.#inner(use, draft, depth) : undefined;
    const weights = inner === undefined ? this.#weightsOf(layer, draft) : [];
    const shape = inner === undefined ? shapeOf(use, shapes) : this.#outputOf(inner, 0);
    const type = computeType(get(config, "dtype")) ?? "float32";
    const name = index === 0 ? layer : `${layer}:${index}`;
    const output = draft.add(key(layer, index, 0), { name, type, ...(shape === undefined ? {} : { shape }) });
    draft.pending.set(`${layer}\0${index}`, { type, node: draft.nodes.length });
    const op = opOf(use, inner !== undefined);
    draft.nodes.push({
      name,
      ...(op === undefined ? {} : { op }),
      spelled: className,
      inputs: [...inputs, ...weights],
      outputs: [output],
      attributes: attributesOf(config),
      ...(inner === undefined ? {} : { graphs: [inner] }),
    });
  }

  /** A model used twice is one graph. */
  #inner({ layer, spec }: Use, draft: Draft, depth: number): number {
    const held = draft.models.get(layer);
    if (held !== undefined) return held;
    const made = this.model(spec, depth + 1);
    draft.models.set(layer, made);
    return made;
  }

  #outputOf(graph: number, index: number): Shape | undefined {
    const held = this.graphs[graph];
    return held?.tensors[held.outputs[index] ?? -1]?.shape;
  }

  /** A layer used twice has its weights once. */
  #weightsOf(layer: string, draft: Draft): readonly number[] {
    const held = draft.weights.get(layer);
    if (held !== undefined) return held;
    const all = this.#weights.get(layer) ?? [];
    const own = all.filter((tensor) => tensor.name.startsWith(`${layer}/`));
    const out = (own.length > 0 ? own : all).map((tensor) => {
      this.#left.delete(tensor);
      return draft.tensors.push(tensor) - 1;
    });
    draft.weights.set(layer, out);
    return out;
  }

  #tell(rule: string, says: string): void {
    if (this.integrity.filter((finding) => finding.rule === rule).length < 5)
      this.integrity.push({ severity: "error", rule, says });
  }
}

/** Tensors of one graph, by the use that gives them. */
class Draft {
  readonly tensors: Tensor[] = [];
  readonly nodes: Node[] = [];
  readonly inputs: number[] = [];
  readonly weights = new Map<string, readonly number[]>();
  readonly models = new Map<string, number>();
  /** Uses that were made, so that their further outputs can be. */
  readonly pending = new Map<string, { readonly type: ElementType; readonly node: number }>();
  readonly #made = new Map<string, number>();

  add(name: string, tensor: Tensor): number {
    const index = this.tensors.push(tensor) - 1;
    this.#made.set(name, index);
    return index;
  }

  /** Outputs beyond the first (states of recurrent layers) are made when something takes them. */
  find(name: string): number | undefined {
    const held = this.#made.get(name);
    if (held !== undefined) return held;
    const [layer = "", index = "", tensor = ""] = name.split("\0");
    const use = this.pending.get(`${layer}\0${index}`);
    const node = use === undefined ? undefined : this.nodes[use.node];
    if (use === undefined || node === undefined || !/^[1-9]\d{0,3}$/.test(tensor)) return undefined;
    const made = this.add(name, { name: `${layer}:${index}:${tensor}`, type: use.type });
    this.nodes[use.node] = { ...node, outputs: [...node.outputs, made] };
    return made;
  }
}

const quoted = (text: string): string => JSON.stringify(text.slice(0, 80));

const nameOf = (layer: unknown): string =>
  (textOf(get(layer, "name")) ?? textOf(at(layer, "config", "name")) ?? "").slice(0, TEXT_KEPT);

const classOf = (layer: unknown): string => (textOf(get(layer, "class_name")) ?? "").slice(0, TEXT_KEPT);

/** A sequential model: each takes what the one before gives; the first layer says what goes in. */
function chained(list: readonly unknown[], config: unknown, draft: Draft): readonly Use[] {
  const uses: Use[] = [];
  let before: string | undefined;
  for (const [at, layer] of list.entries()) {
    const own = get(layer, "config");
    const name = nameOf(layer);
    if (before === undefined && classOf(layer) !== "InputLayer") {
      const shape = batchShape(own) ?? batchShape(config) ?? inputOf(layer);
      const type = typeOf(get(own, "dtype")) ?? "float32";
      before = key("", at, 0);
      draft.inputs.push(draft.add(before, { name: `${name}_input`, type, ...(shape === undefined ? {} : { shape }) }));
    }
    uses.push({
      layer: name,
      index: 0,
      inputs: before === undefined ? [] : [before],
      className: classOf(layer),
      config: own,
      spec: layer,
    });
    before = key(name, 0, 0);
  }
  return uses;
}

/** What a model that comes first takes. */
function inputOf(layer: unknown): Shape | undefined {
  if (!isKerasModel(layer)) return undefined;
  const config = get(layer, "config");
  const [first] = Array.isArray(config) ? config : listOf(get(config, "layers"));
  return batchShape(get(first, "config"));
}

/** A functional model: every layer lists its uses, and each use what it takes. */
function joined(list: readonly unknown[], outputs: readonly string[]): readonly Use[] {
  const uses = list.flatMap((layer): readonly Use[] => {
    const [className, config, name] = [classOf(layer), get(layer, "config"), nameOf(layer)];
    const nodes = listOf(get(layer, "inbound_nodes"));
    if (nodes.length === 0) return [{ layer: name, index: 0, inputs: [], className, config, spec: layer }];
    return nodes.map((node, index) => ({
      layer: name,
      index,
      inputs: referencesOf(node),
      className,
      config,
      spec: layer,
    }));
  });
  // A model that had an input of its own was used once before: that use is left out, and the others keep their numbers.
  const taken = new Set([...outputs, ...uses.flatMap(({ inputs }) => inputs)]);
  const counts = new Map<string, number>();
  for (const { layer } of uses) counts.set(layer, (counts.get(layer) ?? 0) + 1);
  return uses.map((use) =>
    isKerasModel(use.spec) && taken.has(key(use.layer, counts.get(use.layer) ?? 0, 0))
      ? { ...use, index: use.index + 1 }
      : use,
  );
}

/** Every ["layer", node, tensor] in a value, in order; Keras 3 puts them under keras_history. */
function referencesOf(value: unknown): readonly string[] {
  const out: string[] = [];
  const stack = [value];
  for (let one = stack.pop(); one !== undefined && out.length < INPUT_LIMIT; one = stack.pop()) {
    if (Array.isArray(one)) {
      const [layer, node, tensor] = one as readonly unknown[];
      if (typeof layer === "string" && typeof node === "number" && typeof tensor === "number")
        out.push(key(layer.slice(0, TEXT_KEPT), node, tensor));
      else
        for (const inner of (one as readonly unknown[]).slice().reverse()) if (inner !== undefined) stack.push(inner);
    } else if (isObject(one)) {
      if (get(one, "class_name") === "__keras_tensor__") stack.push(at(one, "config", "keras_history"));
      else
        for (const [, inner] of [...entriesOf(one)].reverse())
          if (isObject(inner) || Array.isArray(inner)) stack.push(inner);
    }
  }
  return out;
}

function batchShape(config: unknown): Shape | undefined {
  const value = get(config, "batch_input_shape") ?? get(config, "batch_shape") ?? get(config, "batchInputShape");
  return Array.isArray(value) && value.length <= LIST_KEPT ? value.map(numberOf) : undefined;
}

function shapeOf({ className, config }: Use, shapes: readonly (Shape | undefined)[]): Shape | undefined {
  const own = (name: string): (typeof layers)[string] | undefined =>
    Object.hasOwn(layers, name) ? layers[name] : undefined;
  const shape = wrappers.has(className)
    ? wrappedShape(className, config, own(classOf(get(config, "layer")))?.shape, shapes)
    : shapes.length === 0
      ? undefined
      : own(className)?.shape?.(config, shapes);
  return shape?.every((size: Dimension) => size === null || (typeof size === "number" && Number.isSafeInteger(size)))
    ? shape
    : undefined;
}

function opOf({ className, config }: Use, model: boolean): string | undefined {
  if (model) return "Call";
  if (className === "Activation") {
    const name = activationOf(get(config, "activation")) ?? "linear";
    return Object.hasOwn(activations, name) ? activations[name] : undefined;
  }
  const inner = wrappers.has(className) ? classOf(get(config, "layer")) : className;
  return Object.hasOwn(layers, inner) ? layers[inner]?.op : undefined;
}

/** Numbers and words of a layer's configuration; how its weights were first filled is no matter of the model. */
function attributesOf(config: unknown): Readonly<Record<string, Attribute>> {
  const out: Record<string, Attribute> = {};
  for (const [name, value] of entriesOf(config)) {
    if (skipped.has(name) || /_(?:initializer|regularizer|constraint)$/.test(name)) continue;
    if (name === "activation" || name === "recurrent_activation") {
      const activation = activationOf(value);
      if (activation !== undefined) out[name] = activation;
    } else if (typeof value === "number" || typeof value === "boolean") out[name] = value;
    else if (typeof value === "string") out[name] = value.slice(0, TEXT_KEPT);
    else if (name === "layer") out[name] = classOf(value);
    else if (Array.isArray(value) && value.length > 0 && value.length <= LIST_KEPT) {
      const numbers = value.flat(1).filter((one) => typeof one === "number");
      if (numbers.length > 0) out[name] = numbers;
    }
  }
  return out;
}

const skipped: ReadonlySet<string> = new Set([
  "name",
  "trainable",
  "dtype",
  "batch_input_shape",
  "batch_shape",
  "layers",
]);

const types: Readonly<Record<string, ElementType>> = {
  float16: "float16",
  bfloat16: "bfloat16",
  float32: "float32",
  float64: "float64",
  int8: "int8",
  int16: "int16",
  int32: "int32",
  int64: "int64",
  uint8: "uint8",
  uint16: "uint16",
  uint32: "uint32",
  bool: "bool",
  string: "string",
  complex64: "complex64",
};

/** A type by its name; of a policy, the one it is stored in. */
function typeOf(value: unknown): ElementType | undefined {
  const name = textOf(value) ?? textOf(at(value, "config", "name")) ?? "";
  if (name.startsWith("mixed_")) return "float32";
  return Object.hasOwn(types, name) ? types[name] : undefined;
}

/** A mixed policy computes in the type it is named after. */
function computeType(value: unknown): ElementType | undefined {
  const name = textOf(value) ?? textOf(at(value, "config", "name")) ?? "";
  return typeOf(name.replace(/^mixed_/, ""));
}
