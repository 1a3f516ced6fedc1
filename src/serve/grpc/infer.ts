/** ModelInferRequest from its bytes, ModelInferResponse to bytes: inference.proto. */

import type { Value } from "../../delegates/value.ts";
import { Refusal, type InferAnswer } from "../engine.ts";
import {
  bytesOfValue,
  datatypeNamed,
  datatypeOf,
  elementsIn,
  quoted,
  valueFromBytes,
  type Datatype,
} from "../tensors.ts";
import { hasContents, valueFromContents, writeContents } from "./contents.ts";
import { Reader, WireError, Writer } from "./wire.ts";

export type Parameter = boolean | number | bigint | string;

export interface Asked {
  readonly model: string;
  readonly version: string;
  readonly id: string;
  readonly parameters: ReadonlyMap<string, Parameter>;
  readonly inputs: ReadonlyMap<string, Value>;
  readonly outputs: readonly WantedOutput[];
  /** It came as raw contents, and so it is answered. */
  readonly raw: boolean;
}

export interface WantedOutput {
  readonly name: string;
  /** So many classes with the highest values instead of the tensor; 0: the tensor. */
  readonly classes: number;
}

export interface AskedLimits {
  /** Inputs, and wanted outputs. */
  readonly tensors: number;
  /** Elements of one tensor. */
  readonly elements: number;
}

/** Names of models and tensors, ids; a text among the parameters may be a system message. */
const [NAME_LIMIT, PARAMETER_LIMIT] = [1024, 64 * 1024];
/** Sizes of a shape: runtimes take 8 to 64. */
const SIZES_LIMIT = 64;
/** Of a request or a tensor. */
const PARAMETERS_LIMIT = 100;

interface Input {
  name: string;
  datatype: string;
  readonly shape: number[];
  contents: Reader | undefined;
}

/** Throws Refusal for what is no request that can be answered. */
export function readAsked(bytes: Buffer, limits: AskedLimits): Asked {
  try {
    return read(new Reader(bytes), limits);
  } catch (error) {
    if (error instanceof WireError) throw new Refusal("invalid", `no ModelInferRequest: ${error.message}`);
    throw error;
  }
}

function read(message: Reader, { tensors, elements }: AskedLimits): Asked {
  let [model, version, id] = ["", "", ""];
  const parameters = new Map<string, Parameter>();
  const inputs: Input[] = [];
  const outputs: WantedOutput[] = [];
  const raw: Buffer[] = [];
  const fits = (list: readonly unknown[], what: string): void => {
    if (list.length >= tensors) throw new Refusal("invalid", `more than ${tensors} ${what}`);
  };
  while (message.next()) {
    if (message.field === 1) model = message.text(NAME_LIMIT);
    else if (message.field === 2) version = message.text(NAME_LIMIT);
    else if (message.field === 3) id = message.text(NAME_LIMIT);
    else if (message.field === 4) readParameter(message.message(), parameters);
    else if (message.field === 5) {
      fits(inputs, "inputs");
      inputs.push(readInput(message.message()));
    } else if (message.field === 6) {
      fits(outputs, "outputs");
      outputs.push(readOutput(message.message()));
    } else if (message.field === 7) {
      fits(raw, "raw contents");
      raw.push(message.payload());
    }
  }
  if (raw.length > 0 && raw.length !== inputs.length) {
    throw new Refusal("invalid", `raw_input_contents has ${raw.length} entries for ${inputs.length} inputs`);
  }
  const values = new Map<string, Value>();
  inputs.forEach(({ name, datatype, shape, contents }, at) => {
    if (values.has(name)) throw new Refusal("invalid", `the input ${quoted(name)} is given twice`);
    const row = datatypeNamed(datatype, name);
    const count = elementsIn(shape, elements, name);
    const own = raw[at];
    if (own !== undefined && contents !== undefined) {
      throw new Refusal("invalid", `${quoted(name)}: raw_input_contents and contents are both given`);
    }
    values.set(
      name,
      own === undefined
        ? valueFromContents(row, shape, count, contents, name)
        : valueFromBytes(row, shape, count, own, name),
    );
  });
  return { model, version, id, parameters, inputs: values, outputs, raw: raw.length > 0 };
}

function readInput(message: Reader): Input {
  const input: Input = { name: "", datatype: "", shape: [], contents: undefined };
  const parameters = new Map<string, Parameter>();
  while (message.next()) {
    if (message.field === 1) input.name = message.text(NAME_LIMIT);
    else if (message.field === 2) input.datatype = message.text(NAME_LIMIT);
    else if (message.field === 3) message.ints(input.shape, SIZES_LIMIT);
    else if (message.field === 4) readParameter(message.message(), parameters);
    else if (message.field === 5) input.contents = message.message();
  }
  refuseSharedMemory(parameters, input.name);
  return input;
}

function readOutput(message: Reader): WantedOutput {
  let name = "";
  const parameters = new Map<string, Parameter>();
  while (message.next()) {
    if (message.field === 1) name = message.text(NAME_LIMIT);
    else if (message.field === 2) readParameter(message.message(), parameters);
  }
  refuseSharedMemory(parameters, name);
  const classes = parameters.get("classification") ?? 0;
  if (typeof classes === "number" && Number.isSafeInteger(classes) && classes >= 0) return { name, classes };
  throw new Refusal("invalid", `${quoted(name)}: classification is a whole number from 0`);
}

/** A tensor that is not in the message cannot be passed over. */
function refuseSharedMemory(parameters: ReadonlyMap<string, Parameter>, tensor: string): void {
  for (const name of parameters.keys()) {
    if (name.startsWith("shared_memory_")) {
      throw new Refusal("invalid", `${quoted(tensor)}: shared memory is not served; send the tensor`);
    }
  }
}

/** An entry of map<string, InferParameter>. */
function readParameter(entry: Reader, into: Map<string, Parameter>): void {
  let name = "";
  let value: Parameter | undefined;
  while (entry.next()) {
    if (entry.field === 1) name = entry.text(NAME_LIMIT);
    else if (entry.field === 2) {
      const choice = entry.message();
      while (choice.next()) {
        if (choice.field === 1) value = choice.bool();
        else if (choice.field === 2) value = BigInt.asIntN(64, choice.bigint());
        else if (choice.field === 3) value = choice.text(PARAMETER_LIMIT);
        else if (choice.field === 4) value = choice.double();
        else if (choice.field === 5) value = choice.bigint();
      }
    }
  }
  if (value === undefined) return;
  if (typeof value === "bigint" && BigInt(Number(value)) === value) value = Number(value);
  if (into.size >= PARAMETERS_LIMIT) throw new Refusal("invalid", `more than ${PARAMETERS_LIMIT} parameters`);
  into.set(name, value);
}

export interface Answered {
  readonly model: string;
  readonly version: string;
  readonly id: string;
  readonly outputs: ReadonlyMap<string, Value>;
  readonly parameters?: Readonly<Record<string, boolean | number | string>>;
}

export const answered = (
  { model, version }: InferAnswer,
  id: string,
  outputs: ReadonlyMap<string, Value>,
): Answered => ({ model, version, id, outputs });

/** A ModelInferResponse. Throws Refusal for an output that the protocol has no datatype for. */
export function writeAnswer({ model, version, id, outputs, parameters = {} }: Answered, raw: boolean): Buffer {
  const rows: { readonly name: string; readonly value: Value; readonly datatype: Datatype }[] = [];
  let asBytes = raw;
  let bytes = 256;
  for (const [name, value] of outputs) {
    const datatype = datatypeOf(value.type);
    if (datatype === undefined) {
      throw new Refusal(
        "failed",
        `the output ${quoted(name)} is of ${value.type}, which the protocol has no datatype for`,
      );
    }
    if (!hasContents(datatype)) asBytes = true;
    rows.push({ name, value, datatype });
    bytes += 128 + (ArrayBuffer.isView(value.data) ? value.data.byteLength : 0);
  }
  const out = new Writer(bytes);
  out.text(1, model);
  if (version !== "") out.text(2, version);
  if (id !== "") out.text(3, id);
  for (const [name, value] of Object.entries(parameters)) {
    const choice = new Writer(0);
    if (typeof value === "boolean") choice.bool(1, value);
    else if (typeof value === "string") choice.text(3, value);
    else if (Number.isSafeInteger(value)) choice.int(2, value);
    else choice.double(4, value);
    out.payload(4, new Writer(0).text(1, name).payload(2, choice.done()).done());
  }
  for (const { name, value, datatype } of rows) {
    const tensor = new Writer(asBytes ? 128 : 128 + (ArrayBuffer.isView(value.data) ? value.data.byteLength : 0));
    tensor.text(1, name).text(2, datatype.name).packed(3, value.shape);
    if (!asBytes) writeContents(tensor, 5, datatype, value);
    out.payload(5, tensor.done());
  }
  if (asBytes) for (const { value } of rows) out.payload(6, bytesOfValue(value));
  return out.done();
}

/** A ModelStreamInferResponse: an answer, or why there is none. */
export const writeStreamed = (answer: Buffer): Buffer => new Writer(answer.length + 16).payload(2, answer).done();
export const writeStreamError = (message: string, id: string): Buffer =>
  new Writer(256).text(1, message).payload(2, new Writer(0).text(3, id).done()).done();
