/**
 * ncnn .param: a network as text, one layer a line; and pnnx's text of the same shape, which names its attributes. The weights lie in a
 * .bin beside it. https://github.com/Tencent/ncnn/blob/master/docs/developer-guide/param-and-model-file-structure.md
 */

import { utf8 } from "../base/bytes.ts";
import { FileError } from "../base/errors.ts";
import {
  bytesOf,
  model,
  type Attribute,
  type Dimension,
  type ElementType,
  type Integrity,
  type Node,
  type Tensor,
} from "../model/graph.ts";
import { sharedOp } from "../model/ops.ts";
import type { ModelFile } from "./file.ts";
import type { Format } from "./format.ts";
import { layerParams, weightsOf } from "./ncnn/params.ts";
import { outputShape } from "./ncnn/shapes.ts";

/** The largest published networks have some thousand lines of a hundred bytes. */
const TEXT_LIMIT = 64 * 1024 * 1024;
const LAYER_LIMIT = 200_000;
/** Blobs of one layer: Split and Concat of wide networks have some hundred. */
const BLOB_LIMIT = 65_536;
const FINDING_LIMIT = 20;

const format: Format = {
  id: "ncnn",
  name: "ncnn network",
  vendor: "Tencent",
  extensions: [".param"],
  shows: "full",
  matches(file) {
    return /^7767517\r?\n/.test(utf8(file.head(16))) ? 2 : 0;
  },
  read(file) {
    if (file.size > TEXT_LIMIT) throw new FileError(file.name, `${file.size} bytes of text, over ${TEXT_LIMIT}`, 0);
    const net = new Net(file);
    for (const line of lines(file)) net.line(line.text, line.offset);
    return net.model();
  },
  sources: [
    "https://github.com/Tencent/ncnn/blob/master/docs/developer-guide/param-and-model-file-structure.md",
    "https://github.com/Tencent/ncnn/blob/master/docs/developer-guide/operation-param-weight-table.md",
  ],
  checked: {
    files: 89,
    says: "ncnn's benchmarks, nihui's assets and two more: all but one as they stand, and the shapes that 3,655 of their hints tell are those that follow from the layers; pnnx's text from documents only",
  },
};
export default format;

function* lines(file: ModelFile): Generator<{ text: string; offset: number }> {
  const bytes = file.slice(0, file.size);
  let start = 0;
  while (start < bytes.length) {
    const found = bytes.indexOf(0x0a, start);
    const end = found < 0 ? bytes.length : found;
    yield { text: utf8(bytes.subarray(start, end)), offset: start };
    start = end + 1;
  }
}

/** Element types as pnnx writes them behind a shape. */
const pnnxTypes: Readonly<Record<string, ElementType>> = {
  f32: "float32",
  f64: "float64",
  f16: "float16",
  bf16: "bfloat16",
  i32: "int32",
  i64: "int64",
  i16: "int16",
  i8: "int8",
  u8: "uint8",
  bool: "bool",
  c64: "complex64",
  c128: "complex128",
};

class Net {
  readonly #file: ModelFile;
  readonly #tensors: Tensor[] = [];
  readonly #blobs = new Map<string, number>();
  readonly #nodes: Node[] = [];
  readonly #inputs: number[] = [];
  readonly #consumed = new Set<number>();
  readonly #integrity: Integrity[] = [];
  #lines = 0;
  #layers = 0;
  #declared = 0;
  #pnnx = false;
  #weights = 0;
  #uncounted = 0;
  #int8 = 0;

  constructor(file: ModelFile) {
    this.#file = file;
  }

  line(text: string, offset: number): void {
    const words = text.trim().split(/\s+/);
    if (words[0] === "") return;
    this.#lines++;
    if (this.#lines === 1) return; // the magic
    if (this.#lines === 2) this.#counts(words, offset);
    else if (this.#nodes.length < this.#layers) this.#layer(words, offset);
    else this.#tell("warning", "graph/count", `more lines than the ${this.#layers} layers it says`, offset);
  }

  #counts([layers = "", blobs = ""]: string[], offset: number): void {
    if (!/^\d{1,9}$/.test(layers) || !/^\d{1,9}$/.test(blobs)) {
      throw new FileError(this.#file.name, "no counts of layers and blobs on the second line", offset);
    }
    this.#layers = Number(layers);
    this.#declared = Number(blobs);
    if (this.#layers > LAYER_LIMIT) {
      throw new FileError(this.#file.name, `${layers} layers, over ${LAYER_LIMIT}`, offset);
    }
  }

  #layer([spelled = "", name = "", bottoms = "", tops = "", ...rest]: string[], offset: number): void {
    const from = /^\d{1,9}$/.test(bottoms) ? Number(bottoms) : -1;
    const to = /^\d{1,9}$/.test(tops) ? Number(tops) : -1;
    if (from < 0 || to < 0 || from > BLOB_LIMIT || to > BLOB_LIMIT || from + to > rest.length) {
      const says = `layer ${this.#nodes.length} (${spelled.slice(0, 40)}) names fewer blobs than it counts`;
      throw new FileError(this.#file.name, says, offset);
    }
    const inputs = rest.slice(0, from).map((blob) => this.#blob(blob));
    const outputs = rest.slice(from, from + to).map((blob) => this.#blob(blob));
    for (const index of inputs) this.#consumed.add(index);
    const params = readParams(spelled, rest.slice(from + to));
    if (spelled.includes(".") || spelled.startsWith("pnnx")) this.#pnnx = true;
    if (spelled === "Input" || spelled === "pnnx.Input") this.#inputs.push(...outputs);
    this.#shapes(spelled, params, inputs, outputs);
    for (const [key, value] of Object.entries(params)) {
      if (key.startsWith("@")) inputs.push(this.#attribute(`${name}.${key.slice(1)}`, value));
      else if (key.startsWith("#")) this.#shaped(key.slice(1), value);
    }
    const weights = weightsOf(spelled, params);
    if (weights === undefined) this.#uncounted++;
    else this.#weights += weights;
    if (typeof params["int8_scale_term"] === "number" && params["int8_scale_term"] !== 0) this.#int8++;
    const op = sharedOp("ncnn", spelled);
    this.#nodes.push({
      name,
      spelled,
      ...(op === undefined ? {} : { op }),
      inputs,
      outputs,
      attributes: Object.fromEntries(Object.entries(params).filter(([key]) => !/^[@#]/.test(key))),
    });
  }

  #blob(name: string): number {
    const held = this.#blobs.get(name);
    if (held !== undefined) return held;
    const index = this.#tensors.length;
    this.#blobs.set(name, index);
    this.#tensors.push({ name, type: "float32" });
    return index;
  }

  /**
   * Input says its shape; any layer may carry hints of its outputs' shapes: rank, w, h, c of each (parameter 30). Others follow from
   * what the layer takes.
   */
  #shapes(
    spelled: string,
    params: Readonly<Record<string, Attribute>>,
    inputs: readonly number[],
    outputs: readonly number[],
  ): void {
    const hints = params["30"];
    const taken = inputs.map((index) => this.#tensors[index]?.shape);
    outputs.forEach((index, nth) => {
      const shape = Array.isArray(hints)
        ? hinted(hints.slice(nth * 4, nth * 4 + 4) as number[])
        : spelled === "Input" || spelled === "MemoryData"
          ? declared(params)
          : outputShape(spelled, params, taken, nth);
      const tensor = this.#tensors[index];
      if (shape !== undefined && tensor) this.#tensors[index] = { ...tensor, shape };
    });
  }

  /** pnnx: #blob=(1,3,?,224)f32 */
  #shaped(blob: string, value: Attribute): void {
    const index = this.#blobs.get(blob);
    const typed = shapeAndType(String(value));
    const tensor = index === undefined ? undefined : this.#tensors[index];
    if (index !== undefined && tensor && typed) this.#tensors[index] = { ...tensor, ...typed };
  }

  /** pnnx: @weight=(16,3,3,3)f32, whose bytes are a file of the archive beside it. */
  #attribute(name: string, value: Attribute): number {
    const typed = shapeAndType(String(value)) ?? { type: "unknown" as const, spelled: String(value).slice(0, 40) };
    const tensor: Tensor = { name, ...typed };
    const bytes = bytesOf(tensor);
    this.#tensors.push({ ...tensor, data: { bytes: bytes ?? 0, file: this.#bin() } });
    return this.#tensors.length - 1;
  }

  #bin(): string {
    const base = this.#file.name.slice(this.#file.name.lastIndexOf("/") + 1);
    return `${base.replace(/\.param$/i, "")}.bin`;
  }

  #tell(severity: Integrity["severity"], rule: string, says: string, offset: number): void {
    if (this.#integrity.length < FINDING_LIMIT) this.#integrity.push({ severity, rule, says, offset });
  }

  model(): ReturnType<typeof model> {
    const { size } = this.#file;
    if (this.#lines < 2) throw new FileError(this.#file.name, "ends before the counts of layers and blobs", size);
    if (this.#nodes.length < this.#layers) {
      const says = `${this.#nodes.length} of the ${this.#layers} layers it says are there: the end is missing`;
      this.#tell("error", "graph/count", says, size);
    }
    if (this.#blobs.size !== this.#declared && this.#nodes.length === this.#layers) {
      const says = `${this.#blobs.size} blobs are named, ${this.#declared} declared`;
      this.#tell("error", "graph/count", says, 8);
    }
    const last = this.#file.tail(1)[0];
    if (last !== 0x0a) {
      const says =
        "the last line has no end, and ncnn's and pnnx's tools end every line: it was cut, or edited by hand";
      this.#tell("error", "text/open-line", says, size);
    }
    const outputs = [...this.#blobs.values()].filter((index) => !this.#consumed.has(index));
    const withWeights = this.#pnnx
      ? this.#tensors.some(({ data }) => data !== undefined)
      : this.#weights + this.#uncounted > 0;
    return model("ncnn", {
      version: this.#pnnx ? "pnnx text, 7767517" : "7767517",
      sealed: false,
      graphs: [{ name: "", tensors: this.#tensors, nodes: this.#nodes, inputs: this.#inputs, outputs }],
      main: 0,
      metadata: {
        ...(this.#weights > 0 && this.#uncounted === 0 ? { parameters: String(this.#weights) } : {}),
        ...(this.#int8 > 0 ? { quantisation: `int8 in ${this.#int8} ${this.#int8 === 1 ? "layer" : "layers"}` } : {}),
      },
      sections: [{ name: "network", kind: "graph", offset: 0, bytes: size }],
      integrity: this.#integrity,
      needs: withWeights ? [this.#bin()] : [],
      unseen: this.#pnnx ? [] : ["whether weights are stored as float32, float16 or int8: the .bin says"],
    });
  }
}

/** k=v pairs; arrays are -23300 minus the index with their length first, or, newer, values after commas. */
function readParams(spelled: string, words: readonly string[]): Record<string, Attribute> {
  const names = Object.hasOwn(layerParams, spelled) ? (layerParams[spelled] ?? {}) : {};
  const entries = words.flatMap((word): [string, Attribute][] => {
    const equals = word.indexOf("=");
    if (equals <= 0) return [];
    const text = word.slice(equals + 1);
    const key = word.slice(0, equals);
    const number = /^-?\d{1,6}$/.test(key) ? Number(key) : undefined;
    if (number === undefined) return [[key.slice(0, 80), text.slice(0, 256)]]; // pnnx: a name, a word
    const isArray = number <= -23300;
    const id = isArray ? -23300 - number : number;
    const values = text.split(",");
    return [
      [names[id] ?? String(id), isArray ? numbers(values.slice(1)) : values.length > 1 ? numbers(values) : value(text)],
    ];
  });
  return Object.fromEntries(entries);
}

const numbers = (values: readonly string[]): number[] => values.slice(0, 4096).map(Number);

const value = (text: string): Attribute =>
  text !== "" && Number.isFinite(Number(text)) ? Number(text) : text.slice(0, 256);

/** ncnn keeps w, h, d, c; shapes are told the way others do, channels first. 0 is a dimension left open. */
function declared(params: Readonly<Record<string, Attribute>>): Dimension[] | undefined {
  const dimension = (key: string): number | undefined => {
    const given = params[key];
    return typeof given === "number" && given > 0 ? given : undefined;
  };
  const [w, h, c, d] = ["w", "h", "c", "d"].map(dimension);
  if (c !== undefined) return [c, ...(d === undefined ? [] : [d]), h ?? null, w ?? null];
  if (h !== undefined) return [h, w ?? null];
  return w === undefined ? undefined : [w];
}

function hinted([rank, w = 0, h = 0, c = 0]: number[]): Dimension[] | undefined {
  const open = (value: number): Dimension => (value > 0 ? value : null);
  if (rank === 1) return [open(w)];
  if (rank === 2) return [open(h), open(w)];
  if (rank === 3) return [open(c), open(h), open(w)];
  return undefined;
}

function shapeAndType(text: string): { type: ElementType; shape: Dimension[] } | undefined {
  const match = /^\(([^)]*)\)([a-z0-9]+)$/.exec(text);
  const spelled = match?.[2] ?? "";
  if (match === null || !Object.hasOwn(pnnxTypes, spelled)) return undefined;
  const shape =
    (match[1] ?? "") === ""
      ? []
      : (match[1] ?? "").split(",").map((word) => (/^\d{1,15}$/.test(word) ? Number(word) : null));
  return { type: pnnxTypes[spelled] ?? "unknown", shape };
}
