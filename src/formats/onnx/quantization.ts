/**
 * Which tensors of an ONNX graph are quantised, and how: QuantizeLinear and DequantizeLinear with constant scales, the QLinear operators
 * (onnx/docs/Operators.md), onnxruntime's own (onnxruntime/docs/ContribOperators.md), quantization_annotation. Only scales and zero
 * points that are constant and small are read.
 */

import type { Quantization } from "../../model/graph.ts";
import { label, USED, type Context, type Draft, type DraftNode } from "./draft.ts";
import { VALUES_LIMIT } from "./tensor.ts";

/** Scales read in one file, all tensors together: one for each channel of the widest networks comes to some 100,000. */
const SCALES_LIMIT = 1_000_000;

/** Quantised tensor, its scale, its zero point: positions among inputs, "out" for the output. Axis: of weights. */
interface Row {
  readonly tensor: number | "out";
  readonly scale: number;
  readonly zeroPoint: number;
  readonly axis?: number;
}

const row = (tensor: number | "out", scale: number, zeroPoint: number, axis?: number): Row =>
  axis === undefined ? { tensor, scale, zeroPoint } : { tensor, scale, zeroPoint, axis };
const unary: readonly Row[] = [row(0, 1, 2), row("out", 3, 4)];
const binary: readonly Row[] = [row(0, 1, 2), row(3, 4, 5), row("out", 6, 7)];

/** Axis -1: the last dimension. */
const rows: Readonly<Record<string, readonly Row[]>> = {
  QLinearConv: [row(0, 1, 2), row(3, 4, 5, 0), row("out", 6, 7)],
  QLinearMatMul: [row(0, 1, 2), row(3, 4, 5, -1), row("out", 6, 7)],
  QLinearAdd: binary,
  QLinearMul: binary,
  QLinearSigmoid: unary,
  QLinearLeakyRelu: unary,
  QLinearSoftmax: unary,
  QLinearAveragePool: unary,
  QLinearGlobalAveragePool: unary,
  QLinearReduceMean: unary,
  QGemm: [row(0, 1, 2), row(3, 4, 5, -1), row("out", 7, 8)],
  MatMulIntegerToFloat: [row(0, 2, 4), row(1, 3, 5, -1)],
  DynamicQuantizeMatMul: [row(1, 2, 3, -1)],
};

/** Attach quantisation to the tensors of a graph. */
export function attachQuantization(draft: Draft, context: Context): void {
  const state = { scales: 0 };
  for (const node of draft.nodes) {
    const { spelled } = node;
    if (spelled === "QuantizeLinear" || spelled === "DequantizeLinear") attachLinear(node, draft, context, state);
    else if (spelled.startsWith("MatMulNBits")) attachBlocks(node, draft);
    else if (Object.hasOwn(rows, spelled)) {
      for (const { tensor, scale, zeroPoint, axis } of rows[spelled] ?? []) {
        const index = tensor === "out" ? node.outputs[0] : node.inputs[tensor];
        attach(draft, context, state, index, node.inputs[scale], node.inputs[zeroPoint], axis, undefined);
      }
    }
  }
  for (const { tensor, scale, zeroPoint } of draft.annotations) {
    const [index, scales, zeros] = [tensor, scale, zeroPoint].map((name) =>
      name === undefined ? undefined : draft.find(name),
    );
    if (index === undefined) {
      context.findings.add(
        "error",
        "tensor/dangling",
        `a quantisation is given for ${label(tensor)}, which does not exist`,
      );
      continue;
    }
    for (const used of [scales, zeros]) if (used !== undefined) draft.flag(used, USED);
    attach(draft, context, state, index, scales, zeros, undefined, undefined);
  }
}

function attachLinear(node: DraftNode, draft: Draft, context: Context, state: { scales: number }): void {
  const index = node.spelled === "QuantizeLinear" ? node.outputs[0] : node.inputs[0];
  const { axis, block_size: block } = node.attributes;
  attach(
    draft,
    context,
    state,
    index,
    node.inputs[1],
    node.inputs[2],
    typeof axis === "number" ? axis : 1,
    typeof block === "number" && block > 0 ? block : undefined,
  );
}

/** onnxruntime's weights of a few bits: packed in bytes, scales in rows of blocks. */
function attachBlocks(node: DraftNode, draft: Draft): void {
  const weights = draft.tensors[node.inputs[1] ?? -1];
  const { bits, block_size: block } = node.attributes;
  if (!weights || typeof block !== "number") return;
  weights.quantization = {
    scale: [],
    zeroPoint: [],
    scheme: `${typeof bits === "number" ? bits : 4} bits, blocks of ${block}`,
  };
}

function attach(
  draft: Draft,
  context: Context,
  state: { scales: number },
  index: number | undefined,
  scaleIndex: number | undefined,
  zeroIndex: number | undefined,
  axis: number | undefined,
  block: number | undefined,
): void {
  const tensor = draft.tensors[index ?? -1];
  const scaleConstant = draft.constants.get(scaleIndex ?? -1);
  if (!tensor || !scaleConstant || tensor.quantization) return;
  if (block !== undefined || scaleConstant.shape.length > 1) {
    tensor.quantization = {
      scale: [],
      zeroPoint: [],
      ...(axis === undefined ? {} : { axis: fromStart(axis, scaleConstant.shape.length) }),
      scheme: block === undefined ? `scales [${scaleConstant.shape.join(",")}]` : `blocks of ${block}`,
    };
    return;
  }
  const scale = state.scales > SCALES_LIMIT ? undefined : scaleConstant.values(VALUES_LIMIT);
  if (!scale) return;
  state.scales += scale.length;
  const zeroPoint = draft.constants.get(zeroIndex ?? -1)?.values(VALUES_LIMIT) ?? [];
  const shape = tensor.shape;
  const along =
    scaleConstant.shape.length === 1 && scale.length > 1 ? fromStart(axis ?? 0, shape?.length ?? 0) : undefined;
  tensor.quantization = { scale, zeroPoint, ...(along === undefined ? {} : { axis: along }) } satisfies Quantization;
  check(context, tensor.name, scale, zeroPoint, along === undefined ? undefined : (shape?.[along] ?? undefined));
}

const fromStart = (axis: number, rank: number): number => (axis < 0 ? Math.max(0, axis + rank) : axis);

function check(
  context: Context,
  name: string,
  scale: readonly number[],
  zeroPoint: readonly number[],
  channels: number | string | undefined,
): void {
  if (scale.some((one) => !Number.isFinite(one))) {
    context.findings.add("error", "quantization/nan-scale", `${label(name)} has a scale that is no finite number`);
  } else if (scale.some((one) => one <= 0)) {
    context.findings.add(
      "warning",
      "quantization/scale",
      `${label(name)} has a scale of ${Math.min(...scale.slice(0, 1000))}`,
    );
  }
  if (zeroPoint.length > 0 && zeroPoint.length !== scale.length) {
    context.findings.add(
      "error",
      "quantization/count",
      `${label(name)} has ${scale.length} scales and ${zeroPoint.length} zero points`,
    );
  }
  if (typeof channels === "number" && channels !== scale.length) {
    context.findings.add(
      "error",
      "quantization/count",
      `${label(name)} has ${scale.length} scales for ${channels} channels`,
    );
  }
}
