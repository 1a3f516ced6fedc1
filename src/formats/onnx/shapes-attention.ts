/** Shapes of attention: ONNX's own operator and onnxruntime's (onnx/docs/Operators.md, onnxruntime/docs/ContribOperators.md). */

import type { Dimension } from "../../model/graph.ts";
import type { Rule, Step } from "./shapes.ts";

export function attentionRules(): [string, Rule][] {
  return [
    ["Attention", (step) => (step.node.domain === "com.microsoft" ? fused(step) : attention(step))],
    ["QAttention", fused],
    ["MultiHeadAttention", multiHead],
    ["GroupQueryAttention", grouped],
  ];
}

const times = (a: Dimension, b: Dimension): Dimension =>
  typeof a === "number" && typeof b === "number" ? a * b : null;
const plus = (a: Dimension, b: Dimension): Dimension => (typeof a === "number" && typeof b === "number" ? a + b : null);
const over = (a: Dimension, b: Dimension): Dimension =>
  typeof a === "number" && typeof b === "number" && b > 0 && a % b === 0 ? a / b : null;

/** Heads in a dimension of their own, or side by side in the last one, where attributes say how many. */
function attention(step: Step): void {
  const [query, key, value] = [step.shape(0), step.shape(1), step.shape(2)];
  if (query?.length === 4 && value?.length === 4) {
    const [batch = null, heads = null, steps = null] = query;
    step.set(0, [batch, heads, steps, value[3] ?? null]);
    const total = plus(key?.[2] ?? null, step.has(4) ? (step.shape(4)?.[2] ?? null) : 0);
    step.set(1, [batch, key?.[1] ?? null, total, key?.[3] ?? null]);
    step.set(2, [batch, value[1] ?? null, total, value[3] ?? null]);
    step.set(3, [batch, heads, steps, total]);
  } else if (query?.length === 3 && value?.length === 3) {
    const [batch = null, steps = null] = query;
    const [heads, shared] = [step.int("q_num_heads", 0), step.int("kv_num_heads", 0)];
    if (heads === 0 || shared === 0) return;
    const width = over(value[2] ?? null, shared);
    const total = plus(value[1] ?? null, step.has(4) ? (step.shape(4)?.[2] ?? null) : 0);
    step.set(0, [batch, steps, times(width, heads)]);
    step.set(1, [batch, shared, total, over(key?.[2] ?? null, shared)]);
    step.set(2, [batch, shared, total, width]);
    step.set(3, [batch, heads, steps, total]);
  }
}

/** onnxruntime's with the projection inside: queries, keys and values side by side in the weights. */
function fused(step: Step): void {
  const input = step.shape(0);
  if (input?.length !== 3) return;
  const sizes = step.ints("qkv_hidden_sizes");
  step.set(0, [input[0] ?? null, input[1] ?? null, sizes?.[2] ?? over(step.shape(1)?.[1] ?? null, 3)], "float32");
}

function multiHead(step: Step): void {
  const [query, value] = [step.shape(0), step.shape(2)];
  const [batch = null, steps = null, heads = null, , width = null] = query ?? [];
  if (query?.length === 5) step.set(0, [batch, steps, times(heads, width)]);
  else if (query?.length === 3 && value?.length === 3) step.set(0, [batch, steps, value[2] ?? null]);
  else if (query?.length === 3 && value?.length === 4)
    step.set(0, [batch, steps, times(value[1] ?? null, value[3] ?? null)]);
}

/** Without keys of their own, queries hold keys and values too. */
function grouped(step: Step): void {
  const query = step.shape(0);
  if (query?.length !== 3) return;
  const [batch = null, steps = null, width = null] = query;
  const [heads, shared] = [step.int("num_heads", 0), step.int("kv_num_heads", 0)];
  step.set(0, [batch, steps, step.has(1) ? width : times(over(width, heads + 2 * shared), heads)]);
}
