/** Does an ONNX graph hold together: every value comes from somewhere, once, before it is used (onnx/docs/IR.md). */

import {
  DECLARED,
  INITIALIZER,
  INPUT,
  label,
  OUTER,
  PRODUCED,
  USED,
  type Context,
  type Draft,
  type DraftNode,
} from "./draft.ts";

/** Opset version of the node's domain, and the graph of the function or bodies it calls. */
export function finishNodes(
  draft: Draft,
  context: Context,
  opsets: ReadonlyMap<string, number>,
  functions: ReadonlyMap<string, number>,
): void {
  const own = draft.opsets ?? draft.parent?.opsets;
  if (own && !draft.opsets) draft.opsets = own;
  const versions = draft.opsets ?? opsets;
  for (const [index, node] of draft.nodes.entries()) {
    const domain = node.domain ?? "";
    const version = versions.get(domain);
    if (version !== undefined) node.version = version;
    else if (!context.missing.has(domain)) {
      context.missing.add(domain);
      context.findings.add(
        "error",
        "opset/missing",
        `operators of the domain ${label(domain === "" ? "ai.onnx" : domain)} are used, and no opset of it is named`,
        draft.places[index],
      );
    }
    if (functions.size > 0) linkFunction(node, domain, functions);
  }
}

function linkFunction(node: DraftNode, domain: string, functions: ReadonlyMap<string, number>): void {
  const { overload } = node.attributes;
  const called = functions.get(`${domain}::${node.spelled}${typeof overload === "string" ? `:${overload}` : ""}`);
  if (called !== undefined) node.graphs = [...(node.graphs ?? []), called];
}

/**
 * Values taken from graphs around this one become tensors of it (type and shape, no data: it is counted there); what nobody gives is
 * dangling, what is given later is out of order.
 */
export function checkFlow(draft: Draft, context: Context): void {
  const { tensors, nodes, flags } = draft;
  const ready = new Uint8Array(tensors.length);
  for (let index = 0; index < tensors.length; index++) {
    const flag = flags[index] ?? 0;
    if ((flag & (INPUT | INITIALIZER)) === 0) continue;
    ready[index] = 1;
    if ((flag & PRODUCED) !== 0) {
      context.findings.add(
        "error",
        "tensor/defined-twice",
        `${label(tensors[index]?.name ?? "")} is given by a node and is an ${flag & INPUT ? "input" : "initializer"} too`,
      );
    }
  }
  for (let at = 0; at < nodes.length; at++) {
    const node = nodes[at];
    if (!node) continue;
    for (const input of node.inputs) {
      if (input < 0 || ready[input] === 1) continue;
      missing(draft, context, input, node, draft.places[at]);
      ready[input] = 1;
    }
    for (const output of node.outputs) if (output >= 0) ready[output] = 1;
  }
  for (const output of draft.outputs) if (ready[output] !== 1) missing(draft, context, output, undefined, undefined);
}

function missing(
  draft: Draft,
  context: Context,
  index: number,
  node: DraftNode | undefined,
  at: number | undefined,
): void {
  const tensor = draft.tensors[index];
  if (!tensor) return;
  const by = node === undefined ? "as an output" : `by ${label(node.name ?? node.spelled)}`;
  if (draft.is(index, PRODUCED)) {
    context.findings.add("error", "graph/order", `${label(tensor.name)} is used ${by} before a node gives it`, at);
    return;
  }
  for (let outer = draft.parent; outer; outer = outer.parent) {
    const found = outer.find(tensor.name);
    if (found === undefined || !outer.is(found, INPUT | INITIALIZER | PRODUCED)) continue;
    outer.flag(found, USED);
    draft.flag(index, OUTER);
    const source = outer.tensors[found];
    if (source && !draft.is(index, DECLARED)) {
      tensor.type = source.type;
      if (source.spelled !== undefined) tensor.spelled = source.spelled;
      if (source.shape !== undefined) tensor.shape = source.shape;
      if (source.quantization !== undefined) tensor.quantization = source.quantization;
    }
    const constant = outer.constants.get(found);
    if (constant) draft.constants.set(index, constant);
    return;
  }
  context.findings.add("error", "tensor/dangling", `${label(tensor.name)} is used ${by} and nothing gives it`, at);
}

/** After all graphs have been checked: initializers that no graph uses. */
export function checkUnused(draft: Draft, context: Context): void {
  for (let index = 0; index < draft.tensors.length; index++) {
    const flag = draft.flags[index] ?? 0;
    const name = draft.tensors[index]?.name ?? "";
    if ((flag & (INITIALIZER | USED)) === INITIALIZER) {
      context.findings.add("note", "tensor/unused", `initializer ${label(name)} is used by no node`);
    } else if ((flag & (INITIALIZER | INPUT | PRODUCED | USED | OUTER)) === 0) {
      context.findings.add("warning", "tensor/dangling", `${label(name)} is described, and no node gives or takes it`);
    }
  }
}
