/** Requests held against what a model takes. Everything that is wrong with one is said here, before it waits. */

import { elementBytes, lengthOf, product, type Value } from "../../delegates/value.ts";
import type { Port } from "../../delegates/delegate.ts";
import { Refusal, type InferRequest } from "../engine.ts";
import { PRIORITIES } from "./config.ts";

export interface Measured {
  /** Of the first dimension, the same of all inputs; 0 where they differ or have none. */
  readonly rows: number;
  readonly bytes: number;
}

/** What a text of so many characters takes, about. */
const BYTES_PER_CHARACTER = 2;

/** Throws Refusal "invalid". */
export function measure(
  { inputs, outputs, priority }: InferRequest,
  ports: { readonly inputs: readonly Port[]; readonly outputs: readonly Port[] },
): Measured {
  if (priority !== undefined && !(Number.isInteger(priority) && priority >= 0 && priority < PRIORITIES)) {
    throw invalid(`priority is a whole number from 0 to ${PRIORITIES - 1}`);
  }
  let rows = -1;
  let bytes = 0;
  for (const port of ports.inputs) {
    const value = inputs.get(port.name);
    if (value === undefined) throw invalid(`input "${port.name}" is not given`);
    bytes += checkValue(port, value);
    const own = value.shape[0] ?? 0;
    rows = rows === -1 || rows === own ? own : 0;
  }
  if (inputs.size !== ports.inputs.length) {
    const unknown = [...inputs.keys()].find((name) => !ports.inputs.some((port) => port.name === name));
    throw invalid(`the model has no input ${shown(unknown ?? "")}; it has ${namesOf(ports.inputs)}`);
  }
  for (const name of outputs ?? []) {
    if (!ports.outputs.some((port) => port.name === name)) {
      throw invalid(`the model has no output ${shown(name)}; it has ${namesOf(ports.outputs)}`);
    }
  }
  return { rows: Math.max(0, rows), bytes };
}

/** Its bytes. */
function checkValue({ name, type, shape: wanted }: Port, { type: given, shape, data }: Value): number {
  if (given !== type) throw invalid(`input "${name}" is of ${type}; ${given} is given`);
  if (shape.length !== wanted.length) throw misshapen(name, wanted, shape);
  for (let at = 0; at < shape.length; at++) {
    const [size, own] = [wanted[at], shape[at] ?? -1];
    if (typeof size === "number" ? size !== own : !(Number.isSafeInteger(own) && own > 0)) {
      throw misshapen(name, wanted, shape);
    }
  }
  const elements = product(shape);
  if (!ArrayBuffer.isView(data)) {
    if (type !== "string") throw invalid(`input "${name}" is of ${type}, and texts are given`);
    if (data.length !== elements) throw invalid(wrongLength(name, shape, elements, data.length));
    return data.reduce((sum, text) => sum + text.length * BYTES_PER_CHARACTER, 0);
  }
  if (type === "string") throw invalid(`input "${name}" is of texts, and numbers are given`);
  // Of a type that is not held none are right.
  if (elementBytes(type) !== data.BYTES_PER_ELEMENT) {
    throw invalid(`input "${name}" is of ${type}, and its elements are given as others`);
  }
  const length = lengthOf(type, elements);
  if (data.length !== length) throw invalid(wrongLength(name, shape, length, data.length));
  return data.byteLength;
}

const invalid = (says: string): Refusal => new Refusal("invalid", says);

const misshapen = (name: string, wanted: Port["shape"], shape: readonly number[]): Refusal =>
  invalid(
    `input "${name}" has the shape [${wanted.map((size) => (typeof size === "number" ? size : (size ?? "?"))).join(", ")}]; [${shape.join(", ")}] is given`,
  );

const wrongLength = (name: string, shape: readonly number[], needed: number, given: number): string =>
  `input "${name}": [${shape.join(", ")}] needs ${needed} elements, ${given} are given`;

const namesOf = (ports: readonly Port[]): string => ports.map(({ name }) => name).join(", ");

const shown = (name: string): string => JSON.stringify(name.length > 80 ? `${name.slice(0, 80)}…` : name);
