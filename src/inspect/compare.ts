/** What differs between two models: inputs and outputs, operators, quantisation, cost, targets. */

import type { Inspection, TensorReport } from "./inspection.ts";
import { relationWords } from "./relation.ts";

export interface Difference {
  /** What is compared: format, input 0, operator Conv, parameters ... */
  readonly what: string;
  /** null: the model has none. */
  readonly left: string | number | null;
  readonly right: string | number | null;
}

export interface Comparison {
  readonly schema: 1;
  readonly left: string;
  readonly right: string;
  readonly differences: readonly Difference[];
}

export function compareModels(left: Inspection, right: Inspection): Comparison {
  const rows: [string, string | number | undefined, string | number | undefined][] = [
    ["format", formatWords(left), formatWords(right)],
    ["made by", producerWords(left), producerWords(right)],
    ["compiled for", targetWords(left), targetWords(right)],
    ["requires", requireWords(left), requireWords(right)],
    ["file bytes", left.file.bytes, right.file.bytes],
    ...pairs(left.inputs, right.inputs, "input"),
    ...pairs(left.outputs, right.outputs, "output"),
    ["quantised", left.quantization?.says, right.quantization?.says],
    ["MACs", left.cost.macs, right.cost.macs],
    ["parameters", left.cost.parameters, right.cost.parameters],
    ["weight bytes", left.cost.weight_bytes, right.cost.weight_bytes],
    ["peak activation bytes", left.cost.peak_activation_bytes, right.cost.peak_activation_bytes],
    ...operatorPairs(left, right),
    ...labelPairs(left, right),
    ["says", left.description, right.description],
    ["author", left.author, right.author],
    ["licence", left.licence, right.licence],
    ...metadataPairs(left, right),
    ["wrong with the file", wrongWords(left), wrongWords(right)],
  ];
  return {
    schema: 1,
    left: left.file.name,
    right: right.file.name,
    differences: rows
      .filter(([, a, b]) => a !== b)
      .map(([what, a, b]) => ({ what, left: a ?? null, right: b ?? null })),
  };
}

const formatWords = ({ format }: Inspection): string =>
  format.version === undefined ? format.name : `${format.name} ${format.version}`;

const producerWords = ({ producer }: Inspection): string | undefined =>
  producer === undefined ? undefined : [producer.name, producer.version].filter((part) => part !== undefined).join(" ");

const targetWords = ({ targets }: Inspection): string | undefined =>
  targets.length === 0 ? undefined : targets.map((target) => target.says).join(", ");

function pairs(
  left: readonly TensorReport[],
  right: readonly TensorReport[],
  name: string,
): [string, string | undefined, string | undefined][] {
  return Array.from({ length: Math.max(left.length, right.length) }, (_, i) => [
    `${name} ${i}`,
    words(left[i]),
    words(right[i]),
  ]);
}

const requireWords = ({ requires }: Inspection): string | undefined =>
  requires.length === 0
    ? undefined
    : requires.map(({ what, relation, version }) => `${what} ${relationWords({ relation, version })}`).join(", ");

const wrongWords = ({ integrity }: Inspection): string | undefined =>
  integrity.length === 0 ? undefined : integrity.map(({ says }) => says).join("; ");

/** How many, and the first that is another. */
function labelPairs(left: Inspection, right: Inspection): [string, string | undefined, string | undefined][] {
  const [a, b] = [left.labels ?? [], right.labels ?? []];
  const at = Array.from({ length: Math.max(a.length, b.length) }).findIndex((_, i) => a[i] !== b[i]);
  const tell = (labels: readonly string[]): string | undefined =>
    labels.length === 0 ? undefined : `${labels.length}, number ${at} is ${labels[at] ?? "none"}`;
  return at < 0 ? [] : [["labels", tell(a), tell(b)]];
}

function metadataPairs(left: Inspection, right: Inspection): [string, string | undefined, string | undefined][] {
  const keys = [...new Set([...Object.keys(left.metadata), ...Object.keys(right.metadata)])].sort();
  const value = ({ metadata }: Inspection, key: string): string | undefined =>
    Object.hasOwn(metadata, key) ? metadata[key] : undefined;
  return keys.map((key) => [`in its words: ${key}`, value(left, key), value(right, key)]);
}

/** Names alone make no difference to who uses a model by position; they are told with it. */
function words(tensor: TensorReport | undefined): string | undefined {
  if (tensor === undefined) return undefined;
  const shape =
    tensor.shape === null ? "[?]" : `[${tensor.shape.map((dimension) => String(dimension ?? "?")).join(", ")}]`;
  const { scale, zeroPoint } = tensor.quantization ?? { scale: [], zeroPoint: [] };
  const quantised =
    scale.length === 0
      ? ""
      : scale.length === 1
        ? ` scale ${Number((scale[0] ?? 0).toPrecision(9))}, zero point ${zeroPoint[0] ?? 0}`
        : ` ${scale.length} scales`;
  return `${tensor.name} ${tensor.type} ${shape}${quantised}`;
}

/** Shared names where there are any, so that an ONNX file can be held against the TFLite made from it. */
function operatorPairs(left: Inspection, right: Inspection): [string, number | undefined, number | undefined][] {
  const [a, b] = [counts(left), counts(right)];
  return [...new Set([...a.keys(), ...b.keys()])].sort().map((name) => [`operator ${name}`, a.get(name), b.get(name)]);
}

function counts({ operators }: Inspection): Map<string, number> {
  const out = new Map<string, number>();
  for (const row of operators) {
    const name = row.op ?? row.spelled;
    out.set(name, (out.get(name) ?? 0) + row.count);
  }
  return out;
}
