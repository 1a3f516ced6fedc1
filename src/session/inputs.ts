/** What a model is given: files the user names, or values made from a seed. What had to be assumed is told. */

import { existsSync } from "node:fs";
import { FileError, UsageError } from "../base/errors.ts";
import type { Port } from "../delegates/delegate.ts";
import type { Value } from "../delegates/value.ts";
import { decodePicture, isPicture, type Picture } from "../media/picture.ts";
import { isWav, readWav, type Sound } from "../media/wav.ts";
import type { Dimension, Model } from "../model/graph.ts";
import { inputFacts } from "./facts.ts";
import { fitted, fromJson, parseJson, readBytes, readNpz, readValue } from "./inputs-files.ts";
import { madeUp, mulberry32 } from "./inputs-made.ts";
import { prepareSound, timeDimension } from "./inputs-sound.ts";
import { pictureLayout, preparePicture, type GivenPicture, type PreprocessOptions } from "./preprocess.ts";

export interface Given {
  readonly values: ReadonlyMap<string, Value>;
  /** A sentence for each thing that neither the model nor the user said. */
  readonly assumed: readonly string[];
  /** Of inputs that were given a picture. */
  readonly pictures: ReadonlyMap<string, GivenPicture>;
}

export interface InputOptions {
  /**
   * Input name to file: a picture, .wav, .npy, .npz (the array of the input's name, or the only one), .pb (TensorProto), .json (nested
   * numbers), .txt for an input of texts, else raw bytes of the input's type and shape. What is no file may be a number, or JSON: 16000.
   */
  readonly files: ReadonlyMap<string, string>;
  /** Files for the inputs that they suit: .npz and .json objects name them, pictures and sound find theirs. */
  readonly unnamed?: readonly string[];
  /** Input name to shape, where the model leaves dimensions open. */
  readonly shapes: ReadonlyMap<string, readonly number[]>;
  readonly seed: number;
  readonly preprocess?: PreprocessOptions;
  /** What the model's file says of its inputs; without it, everything that is not in a port is assumed. */
  readonly model?: Model;
}

type Source =
  | { readonly kind: "picture"; readonly path: string; readonly picture: Picture }
  | { readonly kind: "sound"; readonly path: string; readonly sound: Sound }
  | { readonly kind: "arrays"; readonly path: string; readonly arrays: ReadonlyMap<string, Value> }
  | { readonly kind: "json"; readonly path: string; readonly json: unknown }
  | { readonly kind: "bytes"; readonly path: string; readonly bytes: Uint8Array };

/** Throws UsageError (no such input, shape), FileError (a file is not what it should be), CannotError (it is not there). */
export async function makeInputs(ports: readonly Port[], options: InputOptions): Promise<Given> {
  const { files, shapes, seed, preprocess = {}, model } = options;
  for (const name of [...files.keys(), ...shapes.keys()])
    if (!ports.some((port) => port.name === name)) noInput(name, ports);
  const sources = new Map<string, Source>();
  for (const [name, path] of files) {
    sources.set(name, await readSource(path, ports.find((port) => port.name === name)?.type === "string"));
  }
  const texts = ports.length > 0 && ports.every(({ type }) => type === "string");
  for (const path of options.unnamed ?? []) assign(await readSource(path, texts), ports, sources, options);
  const random = mulberry32(seed);
  const assumed: string[] = [];
  const values = new Map<string, Value>();
  const pictures = new Map<string, GivenPicture>();
  ports.forEach((port, index) => {
    const source = sources.get(port.name);
    const wanted = shapes.get(port.name);
    const shape: readonly Dimension[] = wanted === undefined ? port.shape : checked(port, wanted);
    if (source?.kind === "picture") {
      const facts = inputFacts(model, ports, index);
      const made = preparePicture(source.picture, source.path, port, shape, facts, preprocess);
      values.set(port.name, made.value);
      pictures.set(port.name, made.picture);
      assumed.push(...made.assumed);
    } else if (source?.kind === "sound") {
      const made = prepareSound(source.sound, source.path, port, shape, inputFacts(model, ports, index), preprocess);
      values.set(port.name, made.value);
      assumed.push(...made.assumed);
    } else if (source !== undefined) {
      values.set(port.name, valueOf(source, { ...port, shape }, assumed));
    } else {
      values.set(port.name, madeUp(port, closed(port, shape, assumed), random));
      assumed.push(`${port.name}: values made from seed ${seed}`);
    }
  });
  return { values, assumed, pictures };
}

function noInput(name: string, ports: readonly Port[]): never {
  throw new UsageError(`the model has no input "${name}"; it has ${ports.map((port) => port.name).join(", ")}`);
}

function checked(port: Port, wanted: readonly number[]): readonly number[] {
  const wrong =
    wanted.length !== port.shape.length ||
    port.shape.some((size, at) => typeof size === "number" && size !== wanted[at]);
  if (!wrong) return wanted;
  const own = port.shape.map((size) => String(size ?? "?")).join(", ");
  throw new UsageError(`input "${port.name}" has the shape [${own}], not [${wanted.join(", ")}]`);
}

function closed({ name }: Port, shape: readonly Dimension[], assumed: string[]): number[] {
  const open = shape.filter((size) => typeof size !== "number");
  if (open.length > 0) {
    assumed.push(`${name}: 1 for what its shape leaves open (${open.map((size) => size ?? "?").join(", ")})`);
  }
  return shape.map((size) => (typeof size === "number" ? size : 1));
}

const FILE_NAME = /^[^\s]+\.(?:txt|json|npy|npz|pb|bin|md)$/i;
/** A number, or an array of JSON: what an argument may be instead of a file. */
const LITERAL = /^(?:-?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?|\[.*\])$/is;

/** `text`: it goes into an input of texts, where what is no file is a text itself, unless its name ends as a file's. */
async function readSource(path: string, text: boolean): Promise<Source> {
  if (text && !FILE_NAME.test(path) && !existsSync(path)) return { kind: "json", path, json: [path] };
  if (LITERAL.test(path) && !existsSync(path)) {
    return { kind: "json", path, json: parseJson(new TextEncoder().encode(path.replace(/^(-?)\./, "$10.")), path) };
  }
  const bytes = readBytes(path);
  if (isPicture(bytes, path)) return { kind: "picture", path, picture: await decodePicture(bytes, path) };
  if (isWav(bytes) || /\.wave?$/i.test(path)) return { kind: "sound", path, sound: readWav(bytes, path) };
  if (path.endsWith(".npz")) return { kind: "arrays", path, arrays: readNpz(bytes, path) };
  if (path.endsWith(".json")) return { kind: "json", path, json: parseJson(bytes, path) };
  return { kind: "bytes", path, bytes };
}

const isObject = (json: unknown): json is Readonly<Record<string, unknown>> =>
  typeof json === "object" && json !== null && !Array.isArray(json);

/** Gives a file without a name to the inputs that it is for. */
function assign(source: Source, ports: readonly Port[], sources: Map<string, Source>, options: InputOptions): void {
  const named =
    source.kind === "arrays" && !(ports.length === 1 && source.arrays.size === 1)
      ? [...source.arrays.keys()]
      : source.kind === "json" && isObject(source.json)
        ? Object.keys(source.json)
        : undefined;
  if (named !== undefined) {
    for (const name of named) {
      if (!ports.some((port) => port.name === name)) noInput(name, ports);
      if (sources.has(name)) throw new UsageError(`input "${name}" is given twice`);
      const json = source.kind === "json" && isObject(source.json) ? source.json[name] : undefined;
      sources.set(name, source.kind === "json" ? { ...source, json } : source);
    }
    return;
  }
  const free = ports.filter((port) => !sources.has(port.name));
  const suited = free.filter((port) => suits(source, port, ports, options));
  const [port, ...more] = suited.length > 0 ? suited : free;
  if (port === undefined) throw new UsageError(`${source.path}: every input of the model is given already`);
  if (more.length > 0) {
    throw new UsageError(
      `${source.path}: write NAME=${source.path}; the model has ${ports.map(({ name }) => name).join(", ")}`,
    );
  }
  sources.set(port.name, source);
}

function suits(source: Source, port: Port, ports: readonly Port[], { model, preprocess }: InputOptions): boolean {
  const { expected, channelsFirst } = inputFacts(model, ports, ports.indexOf(port));
  if (source.kind === "picture") {
    return port.shape.length > 2 && pictureLayout(port.shape, channelsFirst, preprocess?.layout) !== undefined;
  }
  if (source.kind === "sound") return expected?.kind === "audio" || timeDimension(port) !== undefined;
  return false;
}

function valueOf(source: Exclude<Source, { kind: "picture" | "sound" }>, port: Port, assumed: string[]): Value {
  if (source.kind === "json")
    return fitted(fromJson(source.json, source.path, port, assumed), source.path, port, assumed);
  if (source.kind === "arrays") {
    const value =
      source.arrays.get(port.name) ?? (source.arrays.size === 1 ? [...source.arrays.values()][0] : undefined);
    if (value !== undefined) return fitted(value, source.path, port, assumed);
    throw new FileError(source.path, `no "${port.name}" in it; it holds ${[...source.arrays.keys()].join(", ")}`);
  }
  const shape = port.shape.map((size) => (typeof size === "number" ? size : 1));
  return readValue(source.bytes, source.path, port, shape, assumed);
}
