/**
 * kmodel: networks compiled by nncase for Canaan's Kendryte chips. Version 3 (K210, no mark), 4 (mark LDMK) with a list of layers; 5 to 7
 * with modules (stackvm for the CPU, k210, k510, k230) made of functions and sections. https://github.com/kendryte/nncase (Apache-2.0);
 * https://github.com/lutzroeder/netron/blob/main/source/kmodel.js
 */

import { FileError } from "../base/errors.ts";
import {
  model,
  type ElementType,
  type Integrity,
  type Model,
  type Section,
  type Target,
  type Tensor,
} from "../model/graph.ts";
import type { ModelFile } from "./file.ts";
import type { Format } from "./format.ts";
import { layers3, layers4 } from "./kmodel/layers.ts";
import { readModules } from "./kmodel/modules.ts";
import { cutShort, error, has, leftOver, note, warning, words } from "./sealed/parts.ts";

/** YOLO-like networks have some hundred. */
const LAYER_LIMIT = 65_536;
const PORT_LIMIT = 1024;
/** The K210's own memory for its accelerator. */
const KPU_MEMORY = 2 * 1024 * 1024;
const types4: readonly ElementType[] = ["float32", "uint8"];

const format: Format = {
  id: "kmodel",
  name: "kmodel",
  vendor: "Canaan",
  extensions: [".kmodel"],
  marks: [
    { at: 0, is: "LDMK" },
    { at: 0, is: "\x03\0\0\0" },
  ],
  shows: "partly",
  matches(file) {
    if (has(file, "LDMK")) return file.size >= 8 ? 2 : 0;
    return file.extension === ".kmodel" && has(file, "\x03\0\0\0") && plausible3(file) ? 1 : 0;
  },
  read(file) {
    if (!has(file, "LDMK")) return readVersion3(file);
    const version = file.cursor(4, 4).u32();
    if (version === 4) return readVersion4(file);
    if (version >= 5 && version <= 7) return readModules(file, version);
    throw new FileError(file.name, `kmodel version ${version}; 3 to 7 are known`, 4);
  },
  sources: ["https://github.com/kendryte/nncase", "https://github.com/lutzroeder/netron/blob/main/source/kmodel.js"],
  checked: {
    files: 47,
    says: "versions 3, 4 and 5 (kendryte/nncase and kendryte-standalone-demo, sipeed/MaixPy_scripts, and five repositories of their users); 6 and 7 from source only",
  },
};
export default format;

/** A K210's network: some layers, some outputs, and nothing set that the header has no meaning for. */
function plausible3(file: ModelFile): boolean {
  if (file.size < 28) return false;
  const cursor = file.cursor(4, 24);
  const [flags, arch, layers] = [cursor.u32(), cursor.u32(), cursor.u32()];
  const outputs = cursor.skip(8).u32();
  return flags <= 1 && arch === 0 && layers > 0 && layers <= LAYER_LIMIT && outputs > 0 && outputs <= PORT_LIMIT;
}

/** [version, flags, arch, layers, max start address, main memory, outputs][outputs: address, size][layers: type, size][bodies] */
function readVersion3(file: ModelFile): Model {
  const cursor = file.cursor(0, 28);
  if (cursor.u32() !== 3) cursor.fail("no kmodel there", 0);
  const [flags, arch, layers, address, memory, outputs] = [
    cursor.u32(),
    cursor.u32(),
    cursor.u32(),
    cursor.u32(),
    cursor.u32(),
    cursor.u32(),
  ];
  const integrity: Integrity[] = [];
  if (arch !== 0) integrity.push(error("header/arch", `architecture ${arch}; 0, the K210, is the only one known`, 8));
  if (outputs > PORT_LIMIT) throw new FileError(file.name, `${outputs} outputs, over ${PORT_LIMIT}`, 24);
  if (outputs === 0) integrity.push(error("tensor/count", "no outputs", 24));
  const ports = file.cursor(28, outputs * 8);
  const out: Tensor[] = Array.from({ length: outputs }, (_, index) => {
    const [at, bytes] = [ports.u32(), ports.u32()];
    if (at + bytes > memory) {
      const says = `output ${index} ends at ${at + bytes}, the main memory at ${memory}`;
      integrity.push(error("extent/past-end", says, 28 + index * 8));
    }
    return { name: `output ${index}, ${bytes} bytes at ${at}`, type: "unknown", spelled: "not said" };
  });
  const start = 28 + outputs * 8;
  const list = readLayers(file, start, layers, layers3);
  integrity.push(...list.integrity, ...endsWith(file, list));
  return model("kmodel", {
    version: "3",
    sealed: true,
    producer: { name: "nncase", version: "0.1" },
    targets: [k210],
    graphs: [list.graph],
    main: 0,
    outputs: out,
    metadata: words({
      layers,
      "8 bits": flags & 1 ? "yes" : "no",
      "main memory bytes": memory,
      "highest start address": address,
      outputs,
    }),
    sections: [{ name: "header", kind: "metadata", offset: 0, bytes: start }, ...list.sections],
    integrity,
    unseen: [
      "shapes of inputs and outputs: only their bytes are declared",
      "which layer feeds which: layers name memory, not each other",
    ],
  });
}

/** [LDMK, 4, flags, target, constants, main memory, nodes, inputs, outputs, reserved][inputs, their shapes, outputs][constants][nodes][bodies] */
function readVersion4(file: ModelFile): Model {
  const cursor = file.cursor(8, 32);
  const [, target, constants, memory, nodes, inputs, outputs] = [
    cursor.u32(),
    cursor.u32(),
    cursor.u32(),
    cursor.u32(),
    cursor.u32(),
    cursor.u32(),
    cursor.u32(),
  ];
  if (inputs > PORT_LIMIT || outputs > PORT_LIMIT) {
    throw new FileError(file.name, `${inputs} inputs and ${outputs} outputs, over ${PORT_LIMIT}`, 32);
  }
  const integrity: Integrity[] = [];
  if (target > 1) integrity.push(error("header/target", `target ${target}; 0 (CPU) and 1 (K210) are known`, 12));
  if (inputs === 0 || outputs === 0) integrity.push(error("tensor/count", "no inputs or no outputs", 32));
  const start = 40 + inputs * 32 + outputs * 16;
  const ports = file.cursor(40, start - 40);
  /** memory, type, start, bytes */
  const range = (): { type: ElementType; bytes: number; place: number } => {
    const [place, code] = [ports.u32(), ports.u32()];
    const [from, bytes] = [ports.u32(), ports.u32()];
    const room = [constants, memory, KPU_MEMORY][place];
    if (room !== undefined && from + bytes > room) {
      const says = `${bytes} bytes at ${from} of memory ${place}, which has ${room}`;
      integrity.push(error("extent/past-end", says, 40 + ports.offset - 16));
    }
    if (place > 2 || code > 1) {
      integrity.push(error("tensor/type", `memory ${place} with type ${code} is none`, 40 + ports.offset - 16));
    }
    return { type: types4[code] ?? "unknown", bytes, place };
  };
  const ins = Array.from({ length: inputs }, range);
  const inputTensors = ins.map(({ type, bytes, place }, index): Tensor => {
    const shape = [ports.u32(), ports.u32(), ports.u32(), ports.u32()];
    const elements = shape.reduce((product, size) => product * size, 1);
    const inRows = place === 2 && kpuBytes(shape) === bytes;
    if (type !== "unknown" && !inRows && elements * (type === "uint8" ? 1 : 4) !== bytes) {
      integrity.push(
        error(
          "extent/wrong-size",
          `input ${index}: ${shape.join("x")} ${type} is not ${bytes} bytes`,
          40 + ports.offset,
        ),
      );
    }
    return { name: `input ${index}`, type, shape };
  });
  const outs = Array.from({ length: outputs }, range);
  const list = readLayers(file, start + constants, nodes, layers4);
  integrity.push(...list.integrity, ...endsWith(file, list));
  return model("kmodel", {
    version: "4",
    sealed: true,
    producer: { name: "nncase", version: "0.2" },
    targets: [target === 1 ? k210 : target === 0 ? cpu : { says: `target ${target}` }],
    graphs: [list.graph],
    main: 0,
    inputs: inputTensors,
    outputs: outs.map(({ type, bytes }, index) => ({ name: `output ${index}, ${bytes} bytes`, type })),
    metadata: words({ layers: nodes, "main memory bytes": memory }),
    sections: [
      { name: "header", kind: "metadata" as const, offset: 0, bytes: start },
      { name: "constants", kind: "weights" as const, offset: start, bytes: constants },
      ...list.sections,
    ],
    integrity,
    unseen: [
      "shapes of outputs: only their bytes are declared",
      "which layer feeds which: layers name memory, not each other",
    ],
  });
}

const k210: Target = { family: "kendryte", says: "K210" };
const cpu: Target = { family: "cpu", says: "CPU" };

/** What a picture takes in the accelerator's memory: rows of 64 bytes, into which narrow ones go by two or four channels. */
function kpuBytes([batch = 1, channels = 1, height = 1, width = 1]: readonly number[]): number {
  const together = width <= 16 ? 4 : width <= 32 ? 2 : 1;
  return batch * Math.ceil(width / 64) * height * Math.ceil(channels / together) * 64;
}

/** Bodies are padded to 8 bytes, the last one's padding is not written: a whole file may end 4 bytes before its last layer. */
const isUnpadded = (file: ModelFile, end: number, last: number): boolean =>
  last > 4 && end % 8 === 0 && end - file.size === 4;

function endsWith(file: ModelFile, { end, last }: { end: number; last: number }): Integrity[] {
  if (isUnpadded(file, end, last)) {
    return [note("extent/padding", "the padding of the last layer, 4 bytes, is not written", file.size)];
  }
  return [...cutShort(file, end, "the last layer"), ...leftOver(file, end, "the last layer")];
}

/** count x (type, body size), then the bodies, which hold weights and commands. */
function readLayers(
  file: ModelFile,
  at: number,
  count: number,
  names: Readonly<Record<number, string>>,
): { graph: Model["graphs"][number]; end: number; last: number; sections: Section[]; integrity: Integrity[] } {
  if (count > LAYER_LIMIT)
    throw new FileError(file.name, `${count} layers, over ${LAYER_LIMIT}`, Math.min(at, file.size));
  const integrity: Integrity[] = [];
  const table = file.cursor(at, count * 8);
  let end = at + count * 8;
  let last = 0;
  const nodes = Array.from({ length: count }, (_, index) => {
    const [type, bytes] = [table.u32(), table.u32()];
    end += bytes;
    last = bytes;
    const spelled = names[type];
    if (spelled === undefined)
      integrity.push(warning("operator/unknown", `layer ${index} has type ${type}`, at + index * 8));
    return { spelled: spelled ?? `type ${type}`, inputs: [], outputs: [], attributes: { bytes } };
  });
  const bodies = at + count * 8;
  return {
    graph: { name: "", tensors: [], nodes, inputs: [], outputs: [] },
    end,
    last,
    sections: [
      { name: "layers", kind: "graph", offset: at, bytes: count * 8 },
      {
        name: "layer bodies (commands and weights)",
        kind: "weights",
        offset: bodies,
        bytes: (isUnpadded(file, end, last) ? file.size : end) - bodies,
      },
    ],
    integrity: integrity.slice(0, 20),
  };
}
