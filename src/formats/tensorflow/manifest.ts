/** The weights manifest of TensorFlow.js: groups of shards, and the weights that lie in each, one after the other. */

import { FileError } from "../../base/errors.ts";
import { bytesOf, type ElementType, type Integrity, type Quantization, type Tensor } from "../../model/graph.ts";
import { at, get, listOf, textOf } from "../wire/json.ts";

/** Weights of one model. */
const WEIGHT_LIMIT = 1_000_000;
/** Shards of one model: 4 MiB each by default. */
const SHARD_LIMIT = 100_000;
/** Findings of one kind told one by one. */
const TOLD = 5;
const RANK_LIMIT = 64;

const types: Readonly<Record<string, ElementType>> = {
  float32: "float32",
  float16: "float16",
  int32: "int32",
  uint8: "uint8",
  uint16: "uint16",
  bool: "bool",
  string: "string",
  complex64: "complex64",
};

export interface Manifest {
  readonly tensors: readonly Tensor[];
  readonly needs: readonly string[];
  readonly metadata: Readonly<Record<string, string>>;
  readonly integrity: readonly Integrity[];
}

export function readManifest(value: unknown, path: string): Manifest {
  const tensors: Tensor[] = [];
  const needs: string[] = [];
  const sizes: string[] = [];
  const integrity: Integrity[] = [];
  const counts = new Map<string, number>();
  const tell: Tell = (severity, rule, says) => {
    const count = (counts.get(rule) ?? 0) + 1;
    counts.set(rule, count);
    if (count <= TOLD) integrity.push({ severity, rule, says });
  };
  if (value !== undefined && !Array.isArray(value)) tell("error", "manifest/shape", "weightsManifest is no list");
  const names = new Set<string>();
  for (const group of listOf(value)) {
    const paths = listOf(get(group, "paths")).filter((one) => typeof one === "string");
    const weights = listOf(get(group, "weights"));
    if (needs.length + paths.length > SHARD_LIMIT) throw new FileError(path, `more than ${SHARD_LIMIT} shards`, 0);
    if (tensors.length + weights.length > WEIGHT_LIMIT)
      throw new FileError(path, `more than ${WEIGHT_LIMIT} weights`, 0);
    for (const shard of paths) {
      if (isInside(shard)) needs.push(shard);
      else
        tell(
          "error",
          "needs/outside",
          `the shard ${quoted(shard)} is not in the folder of the model; it is not opened`,
        );
    }
    if (paths.length === 0 && weights.length > 0)
      tell("error", "manifest/no-shards", `${weights.length} weights are said to lie in no file`);
    sizes.push(readGroup(weights, paths, tensors, names, tell));
  }
  const told = sizes.filter((size) => size !== "").slice(0, 40);
  return { tensors, needs, metadata: told.length === 0 ? {} : { shards: told.join("; ") }, integrity };
}

type Tell = (severity: Integrity["severity"], rule: string, says: string) => void;

/** Names how many bytes the group's shards have together, where that follows from shapes. */
function readGroup(
  weights: readonly unknown[],
  paths: readonly string[],
  tensors: Tensor[],
  names: Set<string>,
  tell: Tell,
): string {
  const [first = ""] = paths;
  // Where one shard ends and the next begins is written nowhere but in the shards.
  const file = paths.length <= 1 ? first : `${first} and ${paths.length - 1} more`;
  let offset: number | undefined = 0;
  let total: number | undefined = 0;
  for (const weight of weights) {
    const { name, type, spelled, shape, quantization, bytes } = weightOf(weight, tell);
    if (names.has(name)) tell("error", "tensor/duplicate", `two weights are called ${quoted(name)}`);
    names.add(name);
    tensors.push({
      name,
      type,
      ...(spelled === undefined ? {} : { spelled }),
      ...(shape === undefined ? {} : { shape }),
      ...(quantization === undefined ? {} : { quantization }),
      data: {
        bytes: bytes ?? 0,
        file,
        ...(offset !== undefined && bytes !== undefined && paths.length === 1 ? { offset } : {}),
      },
    });
    // Strings carry their lengths with them: what comes after lies somewhere.
    offset = offset === undefined || bytes === undefined ? undefined : offset + bytes;
    total = total === undefined || bytes === undefined ? undefined : total + bytes;
  }
  if (paths.length === 0) return "";
  return total === undefined ? `${file}: size not told (strings)` : `${file}: ${total} bytes`;
}

interface Weight {
  readonly name: string;
  readonly type: ElementType;
  readonly spelled?: string;
  readonly shape?: readonly number[];
  readonly quantization?: Quantization;
  readonly bytes: number | undefined;
}

function weightOf(weight: unknown, tell: Tell): Weight {
  const name = textOf(get(weight, "name")) ?? "";
  const shape = get(weight, "shape");
  const stored = textOf(at(weight, "quantization", "dtype")) ?? textOf(get(weight, "dtype")) ?? "";
  const type = Object.hasOwn(types, stored) ? (types[stored] ?? "unknown") : "unknown";
  const whole = isShape(shape);
  if (name === "") tell("error", "tensor/unnamed", "a weight has no name");
  if (!whole) tell("error", "shape/negative", `weight ${quoted(name)} has no shape, or an impossible one`);
  if (type === "unknown") tell("error", "tensor/type", `weight ${quoted(name)} is of the type ${quoted(stored)}`);
  const quantization = quantizationOf(get(weight, "quantization"), type, name, tell);
  return {
    name,
    type,
    ...(type === "unknown" ? { spelled: stored } : {}),
    ...(whole ? { shape } : {}),
    ...(quantization === undefined ? {} : { quantization }),
    bytes: whole ? bytesOf({ type, shape }) : undefined,
  };
}

const isShape = (value: unknown): value is number[] =>
  Array.isArray(value) &&
  value.length <= RANK_LIMIT &&
  value.every((size) => typeof size === "number" && Number.isSafeInteger(size) && size >= 0);

/** value = stored x scale + min; float16 is kept as it is. */
function quantizationOf(value: unknown, type: ElementType, name: string, tell: Tell): Quantization | undefined {
  if (value === undefined || type === "float16") return undefined;
  const [scale, min] = [get(value, "scale"), get(value, "min")];
  if (typeof scale !== "number" || typeof min !== "number") {
    tell("error", "quantization/incomplete", `weight ${quoted(name)} is quantised without a scale or a least value`);
    return undefined;
  }
  return {
    scale: [scale],
    zeroPoint: scale === 0 ? [] : [Math.round(-min / scale)],
    scheme: `${type} from ${min}`,
  };
}

/** Relative, and not upwards. */
const isInside = (path: string): boolean =>
  path !== "" &&
  !/^[/\\]|^[A-Za-z][A-Za-z0-9+.-]*:/.test(path) &&
  !path.includes("\0") &&
  !path.split(/[/\\]/).includes("..");

const quoted = (text: string): string => JSON.stringify(text.slice(0, 80));
