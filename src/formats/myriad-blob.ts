/**
 * Myriad blob: a network compiled by OpenVINO's MYRIAD plugin (to 2022.3) or blobconverter. An ELF-like header with the mark in lower
 * case, then mv_blob_header, then inputs, outputs, stages and constants. Layout: OpenVINO 2022, vpu/backend/blob_format.hpp and
 * blob_reader.cpp (Apache-2.0); https://github.com/luxonis/depthai-core src/openvino/BlobReader.cpp
 */

import { model, type ElementType, type Integrity, type Tensor } from "../model/graph.ts";
import type { ModelFile } from "./file.ts";
import type { Format } from "./format.ts";
import { cutShort, error, has, leftOver, note, word, words } from "./sealed/parts.ts";

const START = 0x34;
/** 20 words of mv_blob_header. */
const HEADER = 80;
const MAGIC = 9709;
/** SHAVE cores and CMX slices of a Myriad X. */
const CORES = 20;
const PORT_LIMIT = 1024;
const NAME_LIMIT = 4096;
/** DimsOrder codes have a nibble a dimension. */
const RANK_LIMIT = 8;

/** vpu::DataType */
const types: readonly ElementType[] = ["float16", "uint8", "int32", "float32", "int8"];

const format: Format = {
  id: "myriad-blob",
  name: "Myriad blob",
  vendor: "Intel",
  extensions: [".blob"],
  marks: [{ at: 0, is: "\x7felf" }],
  shows: "sealed",
  matches: (file) => (has(file, "\x7felf") && file.size >= START + 4 && file.cursor(START, 4).u32() === MAGIC ? 2 : 0),
  read(file) {
    const cursor = file.cursor(START, HEADER);
    const next = (): number => cursor.u32();
    if (next() !== MAGIC) cursor.fail("no Myriad blob header there", 0);
    const size = next();
    const [major, minor, inputCount, outputCount, stages] = [next(), next(), next(), next(), next()];
    const [inputBytes, outputBytes, batch, bss] = [next(), next(), next(), next()];
    const [slices, shaves] = [next(), next()];
    const flags = [next(), next(), next()];
    const [inputs, outputs, stageAt, constants] = [next(), next(), next(), next()];
    const integrity: Integrity[] = cutShort(file, size, "what the header declares");
    const named = major >= 2022 && hasNames(file, size, inputCount, outputCount);
    const behind = named ? ": the ports once more, as OpenVINO 2022.1 names them" : "";
    if (size < file.size) integrity.push(...leftOver(file, size, `what the header declares${behind}`));
    const order = [START + HEADER, inputs, outputs, stageAt, constants, size];
    if (order.some((at, i) => at < (order[i - 1] ?? 0))) {
      integrity.push(
        error("extent/order", "inputs, outputs, stages and constants are not one after the other", START + 64),
      );
    }
    if (slices === 0 || slices > CORES || shaves > CORES) {
      integrity.push(
        error("header/cores", `${shaves} SHAVE cores and ${slices} slices; a Myriad X has 16 and 20`, START + 44),
      );
    }
    if (flags.some((flag) => flag > 1)) {
      integrity.push(error("header/flags", `stage flags ${flags.join(", ")} are no yes or no`, START + 52));
    }
    const readable = constants <= file.size && inputs >= START + HEADER;
    const dims = major >= 6 ? constants : undefined;
    const [ins, outs] = readable
      ? [
          readPorts(file, inputs, outputs, dims, inputCount, "inputs", integrity),
          readPorts(file, outputs, stageAt, dims, outputCount, "outputs", integrity),
        ]
      : [[], []];
    const stageHold = Math.max(0, constants - stageAt);
    if (stages * 12 > stageHold) {
      integrity.push(error("extent/wrong-size", `${stages} stages do not fit ${stageHold} bytes`, stageAt));
    }
    return model("myriad-blob", {
      version: `${major}.${minor}`,
      sealed: true,
      producer: { name: "OpenVINO MYRIAD plugin", ...(major >= 2021 ? { version: `${major}.${minor}` } : {}) },
      targets: [{ family: "movidius", chip: "myriad-x", says: `Myriad X, ${shaves} SHAVE cores` }],
      // The plugin's importer takes blobs of its own version only; from 2021.4 on that is OpenVINO's.
      requires: major >= 2021 ? [{ what: "OpenVINO", relation: "built by", version: `${major}.${minor}` }] : [],
      inputs: ins,
      outputs: outs,
      metadata: words({
        stages,
        batch,
        "SHAVE cores": shaves,
        "CMX slices": slices,
        "input bytes": inputBytes,
        "output bytes": outputBytes,
        "working memory bytes": bss,
        "stages on": ["hardware", "SHAVE", "DMA"].filter((_, i) => flags[i] === 1).join(", "),
      }),
      sections: [
        { name: "header", kind: "metadata", offset: 0, bytes: inputs },
        { name: "inputs", kind: "metadata", offset: inputs, bytes: Math.max(0, outputs - inputs) },
        { name: "outputs", kind: "metadata", offset: outputs, bytes: Math.max(0, stageAt - outputs) },
        { name: "stages", kind: "code", offset: stageAt, bytes: stageHold },
        { name: "constants", kind: "weights", offset: constants, bytes: Math.max(0, size - constants) },
        ...(named
          ? [{ name: "names of ports", kind: "metadata" as const, offset: size, bytes: file.size - size }]
          : []),
      ],
      integrity,
      unseen: ["operators and weights: stages for the Myriad X, without a public list of their numbers"],
    });
  },
  sources: [
    "https://github.com/luxonis/depthai-core/blob/main/src/openvino/BlobReader.cpp",
    "https://github.com/openvinotoolkit/openvino/tree/releases/2022/3/src/plugins/intel_myriad",
  ],
  checked: {
    files: 61,
    says: "blob versions 5.0, 6.0, 2021.4 and 2022.1 (luxonis/depthai-experiments, geaxgx/depthai_blazepose and depthai_hand_tracker)",
  },
};
export default format;

/** OpenVINO 2022.1 writes inputs and outputs once more behind the blob, with the names its own interface has for them. */
const hasNames = (file: ModelFile, at: number, inputs: number, outputs: number): boolean => {
  if (file.size - at < 16) return false;
  const cursor = file.cursor(at, 8);
  return cursor.u32() === inputs && cursor.u32() === outputs;
};

/**
 * index u32, offset i32, name length u32, name, type u32, order u32, rank u32, dims (place, offset), strides (place, offset). Before
 * blob version 6 the sizes and strides themselves stand there: `constants` is undefined.
 */
function readPorts(
  file: ModelFile,
  from: number,
  to: number,
  constants: number | undefined,
  count: number,
  what: string,
  integrity: Integrity[],
): Tensor[] {
  const out: Tensor[] = [];
  if (to < from || to > file.size || count > PORT_LIMIT) {
    integrity.push(error("tensor/count", `${count} ${what} in ${to - from} bytes`, from));
    return out;
  }
  const cursor = file.cursor(from, to - from);
  for (let index = 0; index < count; index++) {
    const at = from + cursor.offset;
    if (cursor.left < 12 || cursor.u32() !== index) {
      integrity.push(error("tensor/count", `${count} ${what} declared, ${index} found`, at));
      return out;
    }
    const length = cursor.skip(4).u32();
    if (length > NAME_LIMIT || cursor.left < length + (constants === undefined ? 12 : 28)) {
      integrity.push(error("extent/past-end", `${what} ${index}: its name of ${length} bytes does not fit`, at));
      return out;
    }
    const name = word(cursor.take(length));
    const [code, order, rank] = [cursor.u32(), cursor.u32(), cursor.u32()];
    const type = types[code] ?? "unknown";
    let shape: number[] | undefined;
    if (constants === undefined) {
      const here = from + cursor.offset;
      if (rank * 8 > cursor.left) {
        integrity.push(error("extent/past-end", `${what} ${index}: ${rank} dimensions do not fit`, at));
        return out;
      }
      shape = readShape(file, here, order, rank);
      cursor.skip(rank * 8);
    } else {
      const [place, offset] = [cursor.u32(), cursor.u32()];
      cursor.skip(8);
      // place 3: in the constants of this blob; the only one an importer takes.
      shape = place === 3 ? readShape(file, constants + offset, order, rank) : undefined;
    }
    if (shape === undefined) {
      integrity.push(
        error("shape/impossible", `${what} ${index}: no ${rank} dimensions of order 0x${order.toString(16)}`, at),
      );
    }
    if (type === "unknown") integrity.push(note("tensor/type", `${name}: type ${code} is not known`, at));
    out.push({
      name,
      type,
      ...(type === "unknown" ? { spelled: `type ${code}` } : {}),
      ...(shape ? { shape } : {}),
    });
  }
  return out;
}

/** Sizes lie innermost first in the order the code spells, a nibble each; told outermost first by the dimension they are of (NCHW). */
function readShape(file: ModelFile, at: number, order: number, rank: number): number[] | undefined {
  if (rank === 0 || rank > RANK_LIMIT || at + rank * 4 > file.size) return undefined;
  const cursor = file.cursor(at, rank * 4);
  const sizes: { dimension: number; size: number }[] = [];
  for (let i = 0; i < rank; i++) {
    const dimension = Math.floor(order / 16 ** i) % 16;
    if (dimension === 0 || sizes.some((one) => one.dimension === dimension)) return undefined;
    sizes.push({ dimension, size: cursor.u32() });
  }
  return sizes.sort((a, b) => b.dimension - a.dimension).map(({ size }) => size);
}
