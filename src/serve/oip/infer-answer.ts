/** An inference response over HTTP: JSON, and bytes of outputs behind it where they were asked for. The documents: infer-request.ts. */

import { product, type Value } from "../../delegates/value.ts";
import type { Exchange } from "../door.ts";
import { Refusal, type InferAnswer } from "../engine.ts";
import { bytesOfValue, datatypeOf, quoted } from "../tensors.ts";
import type { Asked, WantedOutput } from "./infer-request.ts";
import { jsonOf, widened } from "./json-data.ts";

/** Throws Refusal for an output that cannot be written as it was asked for. */
export function sendAnswer(exchange: Exchange, answer: InferAnswer, asked: Asked): void {
  const pieces: Uint8Array[] = [];
  let outputs = "";
  const add = (name: string, value: Value, binary: boolean): void => {
    const datatype = datatypeOf(value.type);
    if (datatype === undefined) {
      throw new Refusal(
        "failed",
        `the output ${quoted(name)} is of ${value.type}, which the protocol has no datatype for`,
      );
    }
    outputs += `${outputs === "" ? "" : ","}{"name":${JSON.stringify(name)},"datatype":"${datatype.name}","shape":[${value.shape.join(",")}],`;
    if (binary) {
      const bytes = bytesOfValue(value);
      pieces.push(bytes);
      outputs += `"parameters":{"binary_data_size":${bytes.byteLength}}}`;
      return;
    }
    const json = jsonOf(value);
    if (json === undefined) {
      throw new Refusal("invalid", `${quoted(name)}: ${datatype.name} has no JSON; ask for it as binary_data`);
    }
    outputs += `"data":${json}}`;
  };
  if (asked.outputs === undefined) {
    for (const [name, value] of answer.outputs) add(name, value, asked.binary);
  } else {
    for (const wanted of asked.outputs) {
      const value = answer.outputs.get(wanted.name);
      if (value === undefined) throw new Refusal("invalid", `the model has no output ${quoted(wanted.name)}`);
      add(wanted.name, wanted.classes === 0 ? value : topClasses(value, wanted), wanted.binary);
    }
  }
  const id = asked.id === undefined ? "" : `"id":${JSON.stringify(asked.id)},`;
  const version = answer.version === "" ? "" : `"model_version":${JSON.stringify(answer.version)},`;
  const json = `{"model_name":${JSON.stringify(answer.model)},${version}${id}"outputs":[${outputs}]}`;
  if (pieces.length === 0) {
    exchange.send(200, json, jsonHeaders);
    return;
  }
  const head = Buffer.from(json);
  exchange.send(200, [head, ...pieces], {
    "content-type": "application/octet-stream",
    "inference-header-content-length": String(head.length),
  });
}

const jsonHeaders = { "content-type": "application/json" };

/**
 * The highest values with their places, as texts "value:index", a row for each of the batch.
 * https://github.com/triton-inference-server/server/blob/main/docs/protocol/extension_classification.md
 */
export function topClasses(value: Value, { name, classes }: WantedOutput): Value {
  const all = widened(value);
  if (all === undefined) throw new Refusal("invalid", `${quoted(name)}: texts have no classes`);
  const rows = value.shape.length > 1 ? (value.shape[0] ?? 1) : 1;
  const each = rows === 0 ? 0 : product(value.shape) / rows;
  const told = Math.min(classes, each);
  const texts: string[] = [];
  for (let row = 0; row < rows; row++) {
    const places = Array.from({ length: each }, (_, at) => row * each + at);
    places.sort((a, b) => {
      const [x = 0, y = 0] = [all[a], all[b]];
      return x < y ? 1 : x > y ? -1 : a - b;
    });
    for (const at of places.slice(0, told)) texts.push(`${String(all[at])}:${at - row * each}`);
  }
  return { type: "string", shape: value.shape.length > 1 ? [rows, told] : [told], data: texts };
}
