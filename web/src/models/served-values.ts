/**
 * What goes to a served model by the Open Inference Protocol: values made up or of a picture's pixels, as JSON; and as a command. Pure.
 * https://github.com/kserve/open-inference-protocol/blob/main/specification/protocol/inference_rest.md
 */

import type { Port } from "../../../src/delegates/delegate.ts";
import type { ModelState } from "../../../src/serve/engine.ts";

export interface Tensor {
  readonly name: string;
  readonly datatype: string;
  readonly shape: readonly number[];
  readonly data: readonly (number | string | boolean)[];
}

export interface InferOutput extends Tensor {
  readonly parameters?: unknown;
}

/** Element types that the protocol has a datatype and JSON for. */
const names: Readonly<Partial<Record<Port["type"], string>>> = {
  bool: "BOOL",
  uint8: "UINT8",
  uint16: "UINT16",
  uint32: "UINT32",
  uint64: "UINT64",
  int8: "INT8",
  int16: "INT16",
  int32: "INT32",
  int64: "INT64",
  float32: "FP32",
  float64: "FP64",
  string: "BYTES",
};
export const typeNamed = (type: Port["type"]): string | undefined => names[type];

/** As JSON some 40 MB: what a browser writes in a second. */
const ELEMENTS = 4_000_000;

export type Served = Pick<ModelState, "name" | "version" | "inputs" | "status" | "streams">;

/** Why it cannot be run from here; undefined: it can. */
export function whyNot({ status, streams, inputs }: Served): string | undefined {
  if (status !== "ready") return "It does not serve now, so it cannot be run.";
  if (streams)
    return "It writes texts: talk to it by the chat interface, as below, or with any client of OpenAI's API.";
  if (inputs.length === 0) return "It takes no input that could be made up.";
  const strange = inputs.find(({ type }) => typeNamed(type) === undefined);
  if (strange !== undefined)
    return `Its input ${strange.name} is of ${strange.type}, which has no JSON: send it as bytes, by a program.`;
  const large = inputs.find((port) => count(sizesOf(port)) > ELEMENTS);
  if (large !== undefined)
    return `Its input ${large.name} has more than ${ELEMENTS} values: send it as bytes, by a program.`;
  return undefined;
}

/** What the model leaves open is taken as 1. */
export const sizesOf = ({ shape }: Port): readonly number[] =>
  shape.map((size) => (typeof size === "number" && size > 0 ? size : 1));
const count = (sizes: readonly number[]): number => sizes.reduce((all, size) => all * size, 1);

/** The same each time: a run can be compared with the last one. */
export function valuesMade(port: Port): Tensor {
  const shape = sizesOf(port);
  const data = Array.from({ length: count(shape) }, (_, i): number | string | boolean => {
    // Spreads evenly over 0 to 1, by the golden ratio.
    const part = (i * 0.618034) % 1;
    if (port.type === "string") return "text";
    if (port.type === "bool") return part >= 0.5;
    if (port.type === "uint8") return Math.floor(part * 256);
    if (port.type === "int8") return Math.floor(part * 256) - 128;
    if (port.type === "float32" || port.type === "float64") return Number(part.toFixed(4));
    // Mostly places in a table of words: what is small is in it.
    return Math.floor(part * 2);
  });
  return { name: port.name, datatype: typeNamed(port.type) ?? port.type, shape, data };
}

export interface PictureLayout {
  readonly height: number;
  readonly width: number;
  readonly channels: 1 | 3;
  readonly first: boolean;
}

/** Smaller ones are rather tables than pictures. */
const SMALLEST = 16;

/** [batch, height, width, channels] or [batch, channels, height, width], of 1 or 3 channels. */
export function pictureLayout({ shape, type }: Port): PictureLayout | undefined {
  if (shape.length !== 4 || !["uint8", "int8", "float32", "float64"].includes(type)) return undefined;
  const [batch, a, b, c] = shape;
  if (typeof batch === "number" && batch > 1) return undefined;
  if (typeof b !== "number" || b < SMALLEST) return undefined;
  if (typeof a === "number" && a >= SMALLEST && (c === 1 || c === 3)) {
    return { height: a, width: b, channels: c, first: false };
  }
  if (typeof c === "number" && c >= SMALLEST && (a === 1 || a === 3)) {
    return { height: b, width: c, channels: a, first: true };
  }
  return undefined;
}
export const isPicture = (port: Port): boolean => pictureLayout(port) !== undefined;

/** RGBA bytes, row by row, as the model takes them. */
export function fromPixels(
  pixels: ArrayLike<number>,
  { width, height, channels, first }: PictureLayout,
  type: Port["type"],
): readonly number[] {
  const area = width * height;
  const out = new Array<number>(area * channels);
  for (let at = 0; at < area; at++) {
    const [r = 0, g = 0, b = 0] = [pixels[4 * at], pixels[4 * at + 1], pixels[4 * at + 2]];
    // Brightness as televisions have it. ITU-R BT.601
    const values = channels === 3 ? [r, g, b] : [Math.round(0.299 * r + 0.587 * g + 0.114 * b)];
    values.forEach((value, channel) => {
      const stored = type === "uint8" ? value : type === "int8" ? value - 128 : Number((value / 255).toFixed(5));
      out[first ? channel * area + at : at * channels + channel] = stored;
    });
  }
  return out;
}

export function inferAt(
  { name, version }: Pick<ModelState, "name" | "version">,
  what: "" | "/infer" = "/infer",
): string {
  const of = version === "" ? "" : `/versions/${encodeURIComponent(version)}`;
  return `/v2/models/${encodeURIComponent(name)}${of}${what}`;
}

/** Longer lists of values are made by the shell. */
const WRITTEN = 8;

/** Names go into the command within single quotes, in which a shell reads nothing but their end. */
const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

export const describeCommand = (model: Served, origin: string): string =>
  `curl ${quoted(`${origin}${inferAt(model, "")}`)}`;

export function curlCommand(model: Served, origin: string): string {
  const inputs = model.inputs.map(valuesMade);
  const at = quoted(`${origin}${inferAt(model)}`);
  if (inputs.every(({ data }) => data.length <= WRITTEN)) {
    return `curl ${at} -d ${quoted(JSON.stringify({ inputs }))}`;
  }
  // jq makes as many zeros as are wanted.
  const body = inputs.map(
    ({ name, datatype, shape, data }) =>
      `{name: ${JSON.stringify(name)}, datatype: "${datatype}", shape: [${shape.join(", ")}], data: [range(${data.length}) | ${datatype === "BYTES" ? '"text"' : datatype === "BOOL" ? "false" : "0"}]}`,
  );
  return `jq -nc ${quoted(`{inputs: [${body.join(", ")}]}`)} | curl ${at} -d @-`;
}

export function chatCommand({ name }: Pick<ModelState, "name">, origin: string): string {
  const body = { model: name, stream: true, messages: [{ role: "user", content: "Hello" }] };
  return `curl -N ${quoted(`${origin}/v1/chat/completions`)} -H 'content-type: application/json' -d ${quoted(JSON.stringify(body))}`;
}
