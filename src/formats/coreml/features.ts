/**
 * What a Core ML model says of itself to its callers: inputs and outputs, author, licence, labels.
 * github.com/apple/coremltools/blob/main/mlmodel/format/{Model,FeatureTypes}.proto
 */

import type { Dimension, ElementType, Tensor } from "../../model/graph.ts";
import type { Message } from "../wire/protobuf.ts";

/** Inputs, outputs and states of one model. */
const FEATURE_LIMIT = 100_000;
const RANK_LIMIT = 64;
const NAME_LIMIT = 64 * 1024;
/** Facts of the maker kept, and bytes of each. */
const METADATA_KEPT = 60;
const TEXT_KEPT = 4096;

export interface Description {
  readonly inputs: readonly Tensor[];
  readonly outputs: readonly Tensor[];
  readonly states: readonly Tensor[];
  readonly functions: readonly string[];
  readonly defaultFunction?: string;
  readonly summary?: string;
  readonly version?: string;
  readonly author?: string;
  readonly licence?: string;
  readonly userDefined: Readonly<Record<string, string>>;
}

export function readDescription(message: Message): Description {
  const inputs: Tensor[] = [];
  const outputs: Tensor[] = [];
  const states: Tensor[] = [];
  const functions: string[] = [];
  let defaultFunction: string | undefined;
  let metadata: Partial<Description> & { userDefined: Record<string, string> } = { userDefined: {} };
  const keep = (into: Tensor[], inner: Message): void => {
    if (into.length >= FEATURE_LIMIT) inner.fail(`more than ${FEATURE_LIMIT} inputs or outputs`);
    into.push(feature(inner));
  };
  while (message.next()) {
    if (message.field === 1) keep(inputs, message.message());
    else if (message.field === 10) keep(outputs, message.message());
    else if (message.field === 13) keep(states, message.message());
    else if (message.field === 21) defaultFunction = message.string(NAME_LIMIT);
    else if (message.field === 100) metadata = readMetadata(message.message());
    else if (message.field === 20) {
      const inner = message.message();
      const [own, into, out] = [functions.length === 0, inputs.length === 0, outputs.length === 0];
      while (inner.next()) {
        if (inner.field === 1) functions.push(inner.string(NAME_LIMIT));
        else if (inner.field === 2 && own && into) keep(inputs, inner.message());
        else if (inner.field === 3 && own && out) keep(outputs, inner.message());
        else if (inner.field === 6 && own) keep(states, inner.message());
      }
    }
  }
  return {
    inputs,
    outputs,
    states,
    functions,
    ...(defaultFunction === undefined ? {} : { defaultFunction }),
    ...metadata,
  };
}

function readMetadata(message: Message): Partial<Description> & { userDefined: Record<string, string> } {
  const words: Partial<Record<"summary" | "version" | "author" | "licence", string>> = {};
  const userDefined: Record<string, string> = {};
  const names = { 1: "summary", 2: "version", 3: "author", 4: "licence" } as const;
  while (message.next()) {
    const { field } = message;
    if (field === 1 || field === 2 || field === 3 || field === 4) {
      const text = message.stringStart(TEXT_KEPT);
      if (text !== "") words[names[field]] = text;
    } else if (field === 100) {
      const entry = message.message();
      let [key, value] = ["", ""];
      while (entry.next()) {
        if (entry.field === 1) key = entry.stringStart(200);
        else if (entry.field === 2) value = entry.stringStart(TEXT_KEPT);
      }
      if (Object.keys(userDefined).length < METADATA_KEPT) userDefined[key] = value;
    }
  }
  return { ...words, userDefined };
}

function feature(message: Message): Tensor {
  let name = "";
  let type: Omit<Tensor, "name"> = { type: "unknown" };
  while (message.next()) {
    if (message.field === 1) name = message.string(NAME_LIMIT);
    else if (message.field === 3) type = featureType(message.message());
  }
  return { name, ...type };
}

const colours: Readonly<Record<number, string>> = {
  10: "grayscale image",
  20: "RGB image",
  30: "BGR image",
  40: "grayscale float16 image",
};

const arrays: Readonly<Record<number, ElementType>> = {
  65552: "float16",
  65568: "float32",
  65600: "float64",
  131080: "int8",
  131104: "int32",
};

function featureType(message: Message): Omit<Tensor, "name"> {
  let found: Omit<Tensor, "name"> = { type: "unknown" };
  while (message.next()) {
    switch (message.field) {
      case 1:
        found = { type: "int64", shape: [] };
        break;
      case 2:
        found = { type: "float64", shape: [] };
        break;
      case 3:
        found = { type: "string", shape: [] };
        break;
      case 4:
        found = image(message.message());
        break;
      case 5:
        found = array(message.message());
        break;
      case 6:
        found = { type: "unknown", spelled: "dictionary" };
        break;
      case 7:
        found = { type: "unknown", spelled: "sequence" };
        break;
      case 8: {
        const inner = message.message();
        while (inner.next()) if (inner.field === 1) found = array(inner.message());
        break;
      }
    }
  }
  return found;
}

/** Height and width; open where several sizes are taken. */
function image(message: Message): Omit<Tensor, "name"> {
  let [width, height]: [Dimension, Dimension] = [null, null];
  let spelled = "image";
  let flexible = false;
  while (message.next()) {
    if (message.field === 1) width = message.uint();
    else if (message.field === 2) height = message.uint();
    else if (message.field === 3) spelled = colours[message.int()] ?? spelled;
    else if (message.field === 21 || message.field === 31) flexible = true;
  }
  return { type: "unknown", spelled, shape: flexible ? [null, null] : [height, width] };
}

function array(message: Message): Omit<Tensor, "name"> {
  const shape: number[] = [];
  const others: (readonly Dimension[])[] = [];
  let type = 0;
  while (message.next()) {
    if (message.field === 1) message.ints(shape, RANK_LIMIT);
    else if (message.field === 2) type = message.int();
    else if (message.field === 21) others.push(...enumerated(message.message()));
    else if (message.field === 31) others.push(range(message.message()));
  }
  const known = arrays[type];
  const open = shape.map((size, at): Dimension => (others.every((one) => one[at] === size) ? size : null));
  // An array that says no shape may have any.
  const dimensions = shape.length > 0 ? open : others[0]?.map(() => null);
  return {
    type: known ?? "unknown",
    ...(known === undefined ? { spelled: type === 0 ? "array" : `array of type ${type}` } : {}),
    ...(dimensions === undefined ? {} : { shape: dimensions }),
  };
}

function enumerated(message: Message): readonly (readonly number[])[] {
  const out: number[][] = [];
  while (message.next()) {
    if (message.field !== 1) continue;
    const shape: number[] = [];
    const inner = message.message();
    while (inner.next()) if (inner.field === 1) inner.ints(shape, RANK_LIMIT);
    if (out.length < FEATURE_LIMIT) out.push(shape);
  }
  return out;
}

/** Sizes whose lower and upper bound are one. */
function range(message: Message): readonly Dimension[] {
  const out: Dimension[] = [];
  while (message.next()) {
    if (message.field !== 1) continue;
    if (out.length >= RANK_LIMIT) message.fail(`more than ${RANK_LIMIT} dimensions`);
    const inner = message.message();
    let [lower, upper] = [0, -1];
    while (inner.next()) {
      if (inner.field === 1) lower = inner.uint();
      else if (inner.field === 2) upper = inner.int();
    }
    out.push(lower === upper ? lower : null);
  }
  return out;
}
