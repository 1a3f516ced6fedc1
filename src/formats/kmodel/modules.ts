/** kmodel versions 5 to 7: a header, then modules, each with memory pools (5), functions and sections, and a declared size. */

import { FileError } from "../../base/errors.ts";
import type { Cursor } from "../../base/bytes.ts";
import {
  model,
  type ElementType,
  type Integrity,
  type Model,
  type Section,
  type Target,
  type Tensor,
} from "../../model/graph.ts";
import type { ModelFile } from "../file.ts";
import { cutShort, error, leftOver, note, word, words } from "../sealed/parts.ts";

const HEADER = 32;
/** A module for each kind of processor: two or three. */
const MODULE_LIMIT = 64;
/** Functions of one module: one a fused part of the graph. */
const FUNCTION_LIMIT = 16_384;
const SECTION_LIMIT = 256;
const RANK_LIMIT = 16;
/** Where module kinds are looked for when the header has a layout that is not known. */
const SCAN = 64 * 1024;

const kinds: Readonly<Record<string, Target>> = {
  stackvm: { family: "cpu", says: "stackvm (nncase's interpreter)" },
  k210: { family: "kendryte", says: "k210" },
  k510: { family: "kendryte", says: "k510" },
  k230: { family: "kendryte", chip: "k230", says: "k230" },
};

/** datatype_t of version 5; 6 and 7 have bool before it. */
const types5: readonly ElementType[] = [
  "int8",
  "int16",
  "int32",
  "int64",
  "uint8",
  "uint16",
  "uint32",
  "uint64",
  "float16",
  "float32",
  "float64",
  "bfloat16",
];

interface Module {
  readonly kind: string;
  readonly start: number;
  readonly size: number;
  readonly functions: number;
  readonly sections: readonly Section[];
  readonly ports: readonly { inputs: readonly Tensor[]; outputs: readonly Tensor[] }[];
}

export function readModules(file: ModelFile, version: number): Model {
  const head = file.cursor(8, HEADER - 8);
  const first = version === 5 ? head.u32() : HEADER;
  const [flags, alignment, count, entryModule, entryFunction] = [
    head.u32(),
    head.u32(),
    head.u32(),
    head.u32(),
    head.u32(),
  ];
  const integrity: Integrity[] = [];
  // A version 5 of before its release has no header size there and is laid out in a way that is not documented.
  if (version === 5 && (first < HEADER || first > 4096)) return readUnknown(file);
  if (count === 0 || count > MODULE_LIMIT)
    throw new FileError(file.name, `${count} modules; 1 to ${MODULE_LIMIT} are read`, 16);
  const modules: Module[] = [];
  let at = first;
  for (let index = 0; index < count; index++) {
    const cut = cutShort(file, at + 48, `the header of module ${index}`);
    if (cut.length > 0) {
      integrity.push(...cut);
      break;
    }
    const one = readModule(file, version, at, integrity);
    modules.push(one);
    if (one.size === 0) break;
    at = one.start + one.size;
  }
  if (integrity.every(({ severity }) => severity !== "error")) {
    integrity.push(...cutShort(file, at, "the last module"), ...leftOver(file, at, "the last module"));
  }
  const main = modules[entryModule];
  const ports = main?.ports[entryFunction];
  if (!main || entryFunction >= main.functions) {
    integrity.push(
      error("graph/entry", `it starts in function ${entryFunction} of module ${entryModule}, which is not there`, 24),
    );
  }
  return model("kmodel", {
    version: String(version),
    sealed: true,
    producer: { name: "nncase" },
    targets: targetsOf(modules.map(({ kind }) => kind)),
    requires: [],
    ...(ports ? { inputs: ports.inputs, outputs: ports.outputs } : {}),
    metadata: words({
      modules: modules
        .map(({ kind, functions }) => `${kind} (${functions} function${functions === 1 ? "" : "s"})`)
        .join(", "),
      flags,
      alignment,
    }),
    sections: [
      { name: "header", kind: "metadata" as const, offset: 0, bytes: first },
      ...modules.flatMap(({ sections }) => sections),
    ],
    integrity,
    unseen: [
      "operators: the interpreter's byte code and the accelerator's commands",
      ...(ports ? [] : ["inputs and outputs: this version keeps them in the modules' type section"]),
      "which release of nncase made it; the runtime on the board must be of the same",
    ],
  });
}

function readModule(file: ModelFile, version: number, start: number, integrity: Integrity[]): Module {
  const cursor = file.cursor(start, version === 6 ? 32 : version === 7 ? 40 : 48);
  const kind = word(cursor.take(16));
  const next = (): number => cursor.u32();
  next(); // the module's own version
  let [size, pools, sections, functions] = [0, 0, 0, 0];
  let header = cursor.length;
  if (version === 5) {
    header = next();
    size = next();
    pools = next() + next();
    sections = next();
    functions = next();
  } else if (version === 6) {
    [size, sections, functions] = [next(), next(), next()];
  } else {
    [sections, functions] = [next(), next()];
    next();
    size = cursor.size64();
  }
  if (!Object.hasOwn(kinds, kind))
    integrity.push(error("module/kind", `module of kind ${JSON.stringify(kind)} is not known`, start));
  const none = { kind, start, size, functions, sections: [], ports: [] };
  const end = start + size;
  if (size < header || pools > MODULE_LIMIT || functions > FUNCTION_LIMIT || sections > SECTION_LIMIT) {
    integrity.push(
      error(
        "module/counts",
        `module ${kind}: ${size} bytes, ${functions} functions, ${sections} sections are no module`,
        start,
      ),
    );
    return none;
  }
  if (end > file.size) {
    integrity.push(...cutShort(file, end, `module ${kind}`));
    return none;
  }
  try {
    const body = file.cursor(start, size).seek(header + pools * 8);
    const ports = Array.from({ length: functions }, () => readFunction(body, version));
    const list = Array.from({ length: sections }, () => readSection(body, version, kind, start));
    if (body.offset < size)
      integrity.push(
        note("extent/trailing", `${size - body.offset} bytes of module ${kind} in no section`, start + body.offset),
      );
    return { ...none, sections: list, ports };
  } catch (cause) {
    if (!(cause instanceof FileError)) throw cause;
    integrity.push(
      error("module/contents", `module ${kind}: its functions and sections do not fit its ${size} bytes`, start),
    );
    return none;
  }
}

function readFunction(cursor: Cursor, version: number): { inputs: Tensor[]; outputs: Tensor[] } {
  const at = cursor.offset;
  if (version !== 5) {
    const size = version === 6 ? cursor.skip(12).u32() : (cursor.skip(24), cursor.size64());
    if (size < 24) cursor.fail(`function header of ${size} bytes`, at);
    cursor.seek(at + size);
    return { inputs: [], outputs: [] };
  }
  const [header, size] = [cursor.u32(), cursor.u32()];
  const [inputs, outputs] = [cursor.skip(8).u32(), cursor.u32()];
  if (header < 32 || size < header || (inputs + outputs) * 16 > size)
    cursor.fail(`function header of ${size} bytes`, at);
  cursor.seek(at + header);
  const read = (count: number, side: string): Tensor[] => {
    // memory_range: place u8, type u8, module u16, start u32, bytes u32
    const types = Array.from({ length: count }, () => {
      const code = cursor.skip(1).u8();
      cursor.skip(10);
      return code;
    });
    return types.map((code, index) => {
      const rank = cursor.u32();
      if (rank > RANK_LIMIT) cursor.fail(`${rank} dimensions, over ${RANK_LIMIT}`);
      const type = types5[code] ?? "unknown";
      const shape = Array.from({ length: rank }, () => cursor.u32());
      return { name: `${side} ${index}`, type, ...(type === "unknown" ? { spelled: `type ${code}` } : {}), shape };
    });
  };
  const ports = { inputs: read(inputs, "input"), outputs: read(outputs, "output") };
  if (cursor.offset > at + size) cursor.fail("a function's parameters leave its header", at);
  cursor.seek(at + size);
  return ports;
}

function readSection(cursor: Cursor, version: number, kind: string, start: number): Section {
  const name = word(cursor.take(16));
  let [from, bytes, size] = [0, 0, Infinity];
  if (version === 5) {
    [from, bytes] = [cursor.skip(4).u32(), cursor.u32()];
    cursor.skip(4);
  } else if (version === 6) {
    size = cursor.u32();
    [from, bytes] = [cursor.skip(4).u32(), cursor.u32()];
    cursor.skip(8);
  } else {
    size = cursor.skip(8).size64();
    [from, bytes] = [cursor.size64(), cursor.size64()];
    cursor.skip(8);
  }
  if (from + bytes > size) cursor.fail(`section ${name} of ${size} bytes holds ${bytes} at ${from}`);
  const offset = cursor.skip(from).offset;
  cursor.skip(bytes);
  const aligned = (cursor.offset + 7) & ~7;
  cursor.seek(Math.min(aligned, cursor.length));
  return {
    name: `${kind} ${name}`,
    kind: name.startsWith(".text") ? "code" : name.startsWith(".rdata") ? "weights" : "unknown",
    offset: start + offset,
    bytes,
  };
}

const targetsOf = (found: readonly string[]): Target[] =>
  [...new Set(found)].map((kind) => (Object.hasOwn(kinds, kind) ? kinds[kind] : undefined) ?? { says: kind });

/** A header that is not known: version, and which kinds of module are named near the beginning. */
function readUnknown(file: ModelFile): Model {
  const head = Buffer.from(file.head(SCAN)).toString("latin1");
  const found = Object.keys(kinds).filter((kind) => head.includes(`${kind}\0`));
  if (found.length === 0)
    throw new FileError(file.name, "version 5 with a header that is not known, and no module in it", 8);
  return model("kmodel", {
    version: "5",
    sealed: true,
    producer: { name: "nncase" },
    targets: targetsOf(found),
    metadata: words({
      modules: found.join(", "),
      header: "of before the release of version 5; its layout is not documented",
    }),
    sections: [{ name: "all of it", kind: "unknown", offset: 0, bytes: file.size }],
    unseen: ["inputs, outputs, sizes: the header's layout is not documented", "whether it is whole", "operators"],
  });
}
