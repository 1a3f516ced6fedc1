/**
 * An inference request over HTTP: JSON, with tensors in it or as bytes behind it (Triton's binary tensor data extension), or the bytes
 * of the only input alone (its raw binary request).
 * https://github.com/kserve/open-inference-protocol/blob/main/specification/protocol/inference_rest.md, "Inference Request"
 * https://github.com/triton-inference-server/server/blob/main/docs/protocol/extension_binary_data.md
 */

import type { Value } from "../../delegates/value.ts";
import { product } from "../../delegates/value.ts";
import { HttpError } from "../door.ts";
import { Refusal, type ModelState } from "../engine.ts";
import { notJson } from "../http/exchange.ts";
import { datatypeNamed, datatypeOf, elementsIn, quoted, valueFromBytes } from "../tensors.ts";
import { TooLarge, valueFromJson, withLargeAsTexts } from "./json-data.ts";

export interface WantedOutput {
  readonly name: string;
  readonly binary: boolean;
  /** So many classes with the highest values instead of the tensor; 0: the tensor. */
  readonly classes: number;
}

export interface Asked {
  /** Goes back in the answer. */
  readonly id: string | undefined;
  readonly inputs: ReadonlyMap<string, Value>;
  /** Undefined: all. */
  readonly outputs: readonly WantedOutput[] | undefined;
  /** Of outputs that are not named. */
  readonly binary: boolean;
  /** 0 is served first. */
  readonly priority: number | undefined;
  /** performance.now() from which on nobody waits. */
  readonly deadline: number | undefined;
  /** Parameters that are none of the protocol's. */
  readonly others: Readonly<Record<string, string>> | undefined;
}

export interface AskedLimits {
  readonly tensors: number;
  readonly elements: number;
}

type Fields = Readonly<Record<string, unknown>>;

/** `header`: the request's Inference-Header-Content-Length. Throws HttpError 400, Refusal "invalid". */
export function readAsked(
  body: Buffer,
  header: string | undefined,
  state: ModelState | undefined,
  limits: AskedLimits,
): Asked {
  if (header === undefined) return readJson(body, none, limits);
  const length = /^\d{1,15}$/.test(header) ? Number(header) : -1;
  if (length < 0 || length > body.length) {
    throw new HttpError(
      400,
      `inference-header-content-length ${quoted(header)} is not within the body of ${body.length} bytes`,
    );
  }
  if (length === 0) return readRaw(body, state, limits);
  return readJson(body.subarray(0, length), body.subarray(length), limits);
}

const none = Buffer.alloc(0);

function readJson(json: Buffer, bytes: Buffer, limits: AskedLimits): Asked {
  const text = json.toString("utf8");
  let fields: unknown;
  try {
    fields = JSON.parse(text);
  } catch (error) {
    throw notJson(error);
  }
  try {
    return readFields(fields, bytes, limits, false);
  } catch (error) {
    if (!(error instanceof TooLarge)) throw error;
    return readFields(JSON.parse(withLargeAsTexts(text)), bytes, limits, true);
  }
}

const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const invalid = (says: string): Refusal => new Refusal("invalid", says);

function readFields(fields: unknown, bytes: Buffer, limits: AskedLimits, exact: boolean): Asked {
  if (!isFields(fields)) throw invalid("the request is no JSON object");
  const { id, inputs, outputs } = fields;
  if (id !== undefined && typeof id !== "string") throw invalid("id is no text");
  if (!Array.isArray(inputs)) throw invalid(inputs === undefined ? "no inputs are given" : "inputs is no list");
  if (inputs.length > limits.tensors) throw invalid(`more than ${limits.tensors} inputs`);
  const values = new Map<string, Value>();
  let at = 0;
  for (const input of inputs as readonly unknown[]) at = readInput(input, bytes, at, values, limits, exact);
  if (at !== bytes.length) throw invalid(`${bytes.length - at} bytes of the body belong to no input`);
  const parameters = parametersOf(fields, "the request");
  const binary = parameters["binary_data_output"] === true;
  return {
    id,
    inputs: values,
    outputs: outputs === undefined ? undefined : readOutputs(outputs, binary, limits),
    binary,
    ...readParameters(parameters),
  };
}

/** Adds the input's value; returns where the bytes of the next begin. */
function readInput(
  input: unknown,
  bytes: Buffer,
  at: number,
  values: Map<string, Value>,
  limits: AskedLimits,
  exact: boolean,
): number {
  if (!isFields(input) || typeof input["name"] !== "string") throw invalid("an input has no name");
  const { name, datatype, shape, data } = input as { name: string } & Fields;
  if (values.has(name)) throw invalid(`the input ${quoted(name)} is given twice`);
  if (typeof datatype !== "string") throw invalid(`${quoted(name)}: no datatype is given`);
  const row = datatypeNamed(datatype, name);
  if (!isShape(shape)) throw invalid(`${quoted(name)}: shape is no list of sizes`);
  const count = elementsIn(shape, limits.elements, name);
  const size = binarySize(input, name);
  if (size === undefined) {
    values.set(name, valueFromJson(row, shape, count, data, name, exact));
    return at;
  }
  if (data !== undefined) throw invalid(`${quoted(name)}: data and binary_data_size are both given`);
  if (at + size > bytes.length) {
    throw invalid(`${quoted(name)}: binary_data_size is ${size}, and ${bytes.length - at} bytes are left of the body`);
  }
  values.set(name, valueFromBytes(row, shape, count, bytes.subarray(at, at + size), name));
  return at + size;
}

/** Sizes of a shape: runtimes take 8 to 64. */
const SIZES_LIMIT = 64;

function isShape(shape: unknown): shape is number[] {
  if (!Array.isArray(shape) || shape.length > SIZES_LIMIT) return false;
  for (const size of shape) if (!Number.isSafeInteger(size)) return false;
  return true;
}

function binarySize(input: Fields, name: string): number | undefined {
  if (input["parameters"] === undefined) return undefined;
  const parameters = parametersOf(input, quoted(name));
  refuseSharedMemory(parameters, name);
  const size = parameters["binary_data_size"];
  if (size === undefined) return undefined;
  if (!Number.isSafeInteger(size) || (size as number) < 0)
    throw invalid(`${quoted(name)}: binary_data_size is no size`);
  return size as number;
}

function parametersOf(of: Fields, whose: string): Fields {
  const parameters = of["parameters"];
  if (parameters === undefined || parameters === null) return nothing;
  if (!isFields(parameters)) throw invalid(`${whose}: parameters is no JSON object`);
  return parameters;
}

const nothing: Fields = {};

function refuseSharedMemory(parameters: Fields, name: string): void {
  if (parameters["shared_memory_region"] !== undefined) {
    throw invalid(`${quoted(name)}: shared memory is not served; send the tensor`);
  }
}

function readOutputs(outputs: unknown, binary: boolean, { tensors }: AskedLimits): WantedOutput[] | undefined {
  if (!Array.isArray(outputs)) throw invalid("outputs is no list");
  if (outputs.length > tensors) throw invalid(`more than ${tensors} outputs`);
  // Clients write an empty list where they mean all.
  if (outputs.length === 0) return undefined;
  const names = new Set<string>();
  return outputs.map((output: unknown) => {
    if (!isFields(output) || typeof output["name"] !== "string") throw invalid("an output has no name");
    const name = output["name"];
    if (names.has(name)) throw invalid(`the output ${quoted(name)} is asked for twice`);
    names.add(name);
    const parameters = parametersOf(output, quoted(name));
    refuseSharedMemory(parameters, name);
    const { binary_data = binary, classification = 0 } = parameters;
    if (typeof binary_data !== "boolean") throw invalid(`${quoted(name)}: binary_data is neither true nor false`);
    if (!Number.isSafeInteger(classification) || (classification as number) < 0) {
      throw invalid(`${quoted(name)}: classification is no number of classes`);
    }
    return { name, binary: binary_data, classes: classification as number };
  });
}

/** Of the protocol and of Triton; what is none of them is an option of a language model. */
const known = new Set([
  "priority",
  "timeout",
  "sequence_id",
  "sequence_start",
  "sequence_end",
  "binary_data_output",
  "headers",
]);
/** Priorities that are told apart (engine/config.ts). */
const LEAST = 9;
const PARAMETERS_LIMIT = 100;

function readParameters(parameters: Fields): Pick<Asked, "priority" | "deadline" | "others"> {
  if (parameters === nothing) return unsaid;
  const { sequence_id, priority = 0, timeout = 0 } = parameters;
  if (sequence_id !== undefined && sequence_id !== 0 && sequence_id !== "") throw invalid("sequences are not served");
  if (!isWhole(priority)) throw invalid("the parameter priority is a whole number from 0");
  if (!isWhole(timeout)) throw invalid("the parameter timeout is a whole number of microseconds");
  const others = Object.entries(parameters).filter(([name]) => !known.has(name));
  if (others.length > PARAMETERS_LIMIT) throw invalid(`more than ${PARAMETERS_LIMIT} parameters`);
  return {
    // 1 is Triton's first, and 0 the model's own.
    priority: priority === 0 ? undefined : Math.min(priority - 1, LEAST),
    deadline: timeout === 0 ? undefined : performance.now() + timeout / 1000,
    others: others.length === 0 ? undefined : Object.fromEntries(others.map(([name, value]) => [name, wordOf(value)])),
  };
}

const unsaid = { priority: undefined, deadline: undefined, others: undefined };
const isWhole = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
const wordOf = (value: unknown): string =>
  typeof value === "boolean" ? (value ? "yes" : "no") : typeof value === "string" ? value : JSON.stringify(value);

/** The body is the only input, whose shape follows from the model: at most one size is open, and is what fills it. */
function readRaw(bytes: Buffer, state: ModelState | undefined, limits: AskedLimits): Asked {
  const [port, another] = state?.inputs ?? [];
  if (port === undefined || another !== undefined) {
    throw invalid("a body without a JSON header is taken by models of one input");
  }
  const { name, type } = port;
  const row = datatypeOf(type);
  if (row === undefined) throw invalid(`${quoted(name)} is of ${type}, which the protocol has no datatype for`);
  const open = port.shape.filter((size) => typeof size !== "number").length;
  const fixed = product(port.shape.filter((size) => typeof size === "number"));
  // A text comes as one element, with its length before it.
  const elements = row.bytes === 0 ? 1 : bytes.length / row.bytes;
  const rest = open === 0 ? 1 : elements / fixed;
  if (open > 1 || !Number.isInteger(rest) || rest * fixed !== elements) {
    throw invalid(`${quoted(name)}: ${bytes.length} bytes do not tell a shape; send it with a JSON header`);
  }
  const shape = port.shape.map((size) => (typeof size === "number" ? size : rest));
  const value = valueFromBytes(row, shape, elementsIn(shape, limits.elements, name), bytes, name);
  return { id: undefined, inputs: new Map([[name, value]]), outputs: undefined, binary: true, ...unsaid };
}
