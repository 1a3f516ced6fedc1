/**
 * vmfb: programs compiled by IREE. A FlatBuffer with the virtual machine's bytecode, functions and their declarations; code for devices
 * and constants lie behind it. By default all of it is a ZIP too, whose first entry is the FlatBuffer, so that unzip shows the parts.
 * Schema: https://github.com/iree-org/iree runtime/src/iree/schemas/bytecode_module_def.fbs (Apache-2.0 WITH LLVM-exception)
 */

import { latin1 } from "../base/bytes.ts";
import { FileError } from "../base/errors.ts";
import {
  model,
  type Integrity,
  type Model,
  type Requirement,
  type Section,
  type Target,
  type Tensor,
} from "../model/graph.ts";
import type { ModelFile } from "./file.ts";
import type { Format } from "./format.ts";
import { featureBits, fields } from "./iree/schema.ts";
import { follow, type TableShape } from "./wire/flatbuffer-follow.ts";
import { cutArrow, insideOf } from "./mlir/names.ts";
import { cutAt, parseType } from "./mlir/types.ts";
import { FlatBuffer, type Table } from "./wire/flatbuffer.ts";
import { dataOffset, readZip, startsAsZip, stored } from "./wire/zip.ts";

/** Functions, segments, imports of one program: a large model has some thousand dispatches. */
const FUNCTION_LIMIT = 65_536;
const SEGMENT_LIMIT = 262_144;
const DEPENDENCY_LIMIT = 1024;
/** Texts of segments that are looked at: names of devices and formats. */
const TEXT_LIMIT = 96;
/** Segments begin at multiples of it. */
const ALIGNMENT = 64;
/** bytecode_offset, bytecode_length, requirements, and 8 bytes of counts. */
const DESCRIPTOR_BYTES = 20;
/** ZIP64 entries of the first file have some padding, so that its data is aligned. */
const ZIP_HEADER_LIMIT = 4096;

/** What nothing is told of. */
const signature: TableShape = {
  strings: [fields.FunctionSignatureDef.calling_convention],
  tables: { [fields.FunctionSignatureDef.attrs]: { strings: [fields.AttrDef.key, fields.AttrDef.value] } },
};
const rest: TableShape = {
  tables: {
    [fields.BytecodeModuleDef.types]: { strings: [fields.TypeDef.full_name] },
    [fields.BytecodeModuleDef.imported_functions]: {
      strings: [fields.ImportFunctionDef.full_name],
      single: { [fields.ImportFunctionDef.signature]: signature },
    },
    [fields.BytecodeModuleDef.function_signatures]: signature,
    [fields.BytecodeModuleDef.rwdata_segments]: {},
  },
  single: { [fields.BytecodeModuleDef.module_state]: {} },
};

const format: Format = {
  id: "vmfb",
  name: "IREE module",
  vendor: "IREE",
  extensions: [".vmfb"],
  shows: "sealed",
  matches(file) {
    const at = moduleAt(file);
    return at === undefined ? 0 : at.offset > 0 ? 3 : 2;
  },
  read,
  sources: [
    "https://github.com/iree-org/iree/blob/main/runtime/src/iree/schemas/bytecode_module_def.fbs",
    "https://iree.dev/developers/design-docs/function-abi/",
  ],
  checked: {
    files: 7,
    says: "files such as iree-compile 3.13 writes for CPUs (x86-64, arm64), VMVX, Vulkan and two targets at once, with and without the ZIP",
  },
};
export default format;

/** Where the FlatBuffer is, and whether a size stands before it. */
function moduleAt(file: ModelFile): { offset: number; sizePrefixed: boolean } | undefined {
  let offset = 0;
  if (startsAsZip(file)) {
    const cursor = file.cursor(26, 4);
    offset = 30 + cursor.u16() + cursor.u16();
    if (offset > ZIP_HEADER_LIMIT || offset + 16 > file.size) return undefined;
  }
  if (file.size < offset + 16) return undefined;
  const head = latin1(file.slice(offset, 12));
  if (head.slice(8, 12) === "IREE") return { offset, sizePrefixed: true };
  return head.slice(4, 8) === "IREE" ? { offset, sizePrefixed: false } : undefined;
}

interface Part {
  readonly name: string;
  readonly offset: number;
  readonly bytes: number;
}

function read(file: ModelFile): Model {
  const where = moduleAt(file);
  if (where === undefined) throw new FileError(file.name, "no IREE module where one must be", 0);
  const zip = where.offset > 0 ? readZip(file) : undefined;
  const names = new Map<number, Part>();
  for (const entry of zip?.entries ?? []) {
    const offset = dataOffset(file, entry);
    if (entry.method !== stored)
      throw new FileError(file.name, `${entry.name} is compressed, which no loader reads`, entry.header);
    names.set(offset, { name: entry.name, offset, bytes: entry.bytes });
  }
  const buffer = new FlatBuffer(file, where);
  const f = fields.BytecodeModuleDef;
  const root = buffer.root();
  const integrity: Integrity[] = [...(zip?.integrity ?? [])];
  const error = (rule: string, says: string, offset: number): void => {
    if (integrity.length < 20) integrity.push({ severity: "error", rule, says, offset: Math.min(offset, file.size) });
  };
  follow(root, rest);
  const name = root.string(f.name);
  if (name === undefined) throw new FileError(file.name, "a module without a name", root.at);
  const base = where.sizePrefixed ? Math.ceil(buffer.end / ALIGNMENT) * ALIGNMENT : buffer.end;
  const segments = root.tables(f.rodata_segments, SEGMENT_LIMIT, "segments of constants");
  const texts: string[] = [];
  const sections: Section[] = [
    { name: "module", kind: "graph", offset: where.offset, bytes: buffer.end - where.offset },
  ];
  for (const [index, segment] of segments.entries()) {
    const s = fields.RodataSegmentDef;
    const inside = segment.vector(s.embedded_data, 1);
    if (inside !== undefined && inside.count <= TEXT_LIMIT) texts.push(latin1(buffer.bytes(inside.at, inside.count)));
    const part = inside === undefined ? external(segment, base, index, file, error) : undefined;
    if (part !== undefined) sections.push(sectionOf(file, part.at, part.count, index, names.get(part.at)?.name));
  }
  checkFunctions(root, error);
  const functions = exportsOf(root, error);
  const [main] = [...functions].sort((a, b) => rank(a.name) - rank(b.name));
  const declared = main?.declaration === undefined ? undefined : portsOf(main.declaration);
  const version = root.u32(f.bytecode_version);
  const release = `${version >>> 16}.${version & 0xffff}`;
  const formats = formatsOf(texts);
  const features = root.u32(f.requirements);
  return model("vmfb", {
    sealed: true,
    version: `bytecode ${release}`,
    producer: { name: "IREE" },
    targets: formats.map((says): Target => (says.startsWith("amdaie") ? { family: "amd-xdna", says } : { says })),
    requires: [{ what: "IREE VM bytecode", relation: "at least", version: release }, ...dependenciesOf(root)],
    ...(declared === undefined ? {} : { inputs: declared.inputs, outputs: declared.outputs }),
    metadata: {
      module: name,
      container: zip === undefined ? "FlatBuffer" : "ZIP",
      functions: functions
        .filter((one) => one.name !== "__init" && one.name !== "__deinit")
        .slice(0, 32)
        .map((one) => one.declaration ?? one.name)
        .join("; ")
        .slice(0, 4096),
      ...listed("devices", after(texts, "hal.device.id")),
      ...listed(
        "features",
        featureBits.filter((word, bit) => word !== "" && (features & (1 << bit)) !== 0),
      ),
      ...Object.fromEntries(
        root
          .tables(f.attrs, DEPENDENCY_LIMIT, "attributes")
          .slice(0, 32)
          .map((table) => [
            (table.string(fields.AttrDef.key) ?? "").slice(0, 80),
            (table.string(fields.AttrDef.value) ?? "").slice(0, 240),
          ]),
      ),
    },
    sections,
    integrity,
    unseen: [
      "which operators it computes: they are compiled into code for its devices",
      ...(formats.length === 0 ? ["what it is compiled for: no name of an executable's format is in it"] : []),
    ],
  });
}

/** A stretch behind the FlatBuffer. */
function external(
  segment: Table,
  base: number,
  index: number,
  file: ModelFile,
  error: (rule: string, says: string, offset: number) => void,
): { at: number; count: number } | undefined {
  const s = fields.RodataSegmentDef;
  const offset = Number(segment.u64(s.external_data_offset));
  const bytes = Number(segment.u64(s.external_data_length));
  if (bytes === 0) return undefined;
  const at = base + offset;
  if (!Number.isSafeInteger(at) || !Number.isSafeInteger(at + bytes) || at + bytes > file.size) {
    error(
      "extent/past-end",
      `segment ${index} lies at ${at} and has ${bytes} bytes, the file ${file.size}`,
      segment.at,
    );
    return undefined;
  }
  return { at, count: bytes };
}

/** Code for a device or constants: the ZIP's name tells, else how the bytes begin. */
function sectionOf(file: ModelFile, offset: number, bytes: number, index: number, name: string | undefined): Section {
  const head = latin1(file.slice(offset, Math.min(12, bytes)));
  const code =
    name === undefined
      ? head.startsWith("\x7fELF") || head.slice(8, 12) === "IREE" || /^[A-Z0-9]{4}$/.test(head.slice(4, 8))
      : /\.(?:so|fb|dll|dylib|wasm|spv|hsaco|metallib|ptx|pdi|xclbin)$/.test(name);
  return { name: name ?? `segment ${index}`, kind: code ? "code" : "weights", offset, bytes };
}

/** Functions' bytecode lies in the module's. */
function checkFunctions(root: Table, error: (rule: string, says: string, offset: number) => void): void {
  const f = fields.BytecodeModuleDef;
  const descriptors = root.vector(f.function_descriptors, DESCRIPTOR_BYTES);
  const code = root.vector(f.bytecode_data, 1);
  if (descriptors === undefined || code === undefined) {
    error("function/none", "the module has no functions or no bytecode", root.at);
    return;
  }
  if (descriptors.count > FUNCTION_LIMIT)
    root.buffer.fail(`${descriptors.count} functions, over ${FUNCTION_LIMIT}`, descriptors.at);
  for (let i = 0; i < descriptors.count; i++) {
    const at = descriptors.at + i * DESCRIPTOR_BYTES;
    const [offset, length] = [root.buffer.i32(at), root.buffer.i32(at + 4)];
    if (offset < 0 || length < 0 || offset + length > code.count)
      error(
        "extent/past-end",
        `function ${i} has bytecode at ${offset} to ${offset + length}, the module ${code.count} bytes`,
        at,
      );
  }
}

interface Exported {
  readonly name: string;
  /** sync func @main(%input0: tensor<4xf32>) -> (%output0: tensor<4xf32>) */
  readonly declaration: string | undefined;
}

function exportsOf(root: Table, error: (rule: string, says: string, offset: number) => void): Exported[] {
  const f = fields.BytecodeModuleDef;
  const signatures = root.tables(f.function_signatures, FUNCTION_LIMIT, "signatures of functions");
  const e = fields.ExportFunctionDef;
  return root.tables(f.exported_functions, FUNCTION_LIMIT, "exported functions").map((table) => {
    const name = table.string(e.local_name) ?? "";
    const ordinal = table.i32(e.internal_ordinal);
    const signature = signatures[ordinal];
    if (signature === undefined)
      error(
        "function/dangling",
        `${name.slice(0, 80)} is function ${ordinal}, there are ${signatures.length}`,
        table.at,
      );
    const attributes = signature?.tables(fields.FunctionSignatureDef.attrs, DEPENDENCY_LIMIT, "attributes") ?? [];
    const said = attributes.find((one) => one.string(fields.AttrDef.key) === "iree.abi.declaration");
    return { name, declaration: said?.string(fields.AttrDef.value) };
  });
}

/** The function a person would call first: main, forward, one that is declared, the initialiser last. */
const rank = (name: string): number =>
  name === "main" || name === "forward" ? 0 : name.startsWith("__") ? 3 : name.endsWith("$async") ? 2 : 1;

function portsOf(declaration: string): { inputs: Tensor[]; outputs: Tensor[] } | undefined {
  const open = declaration.indexOf("(");
  if (open < 0) return undefined;
  const [takes = "", gives = ""] = cutArrow(declaration.slice(open));
  const ports = (text: string): Tensor[] => {
    const plain = text.trim();
    const inner = plain.startsWith("(") ? insideOf(plain) : plain;
    return cutAt(inner, ",").flatMap((part) => {
      const [label = "", ...type] = cutAt(part, ":");
      const spelled = (cutAt(type.join(":").trim(), " ")[0] ?? "").trim();
      return spelled === "" ? [] : [{ name: label.trim().replace(/^%/, ""), ...parseType(spelled) }];
    });
  };
  return { inputs: ports(takes), outputs: ports(gives) };
}

/** Modules of the runtime it calls, and from which version on. */
function dependenciesOf(root: Table): Requirement[] {
  const d = fields.ModuleDependencyDef;
  return root.tables(fields.BytecodeModuleDef.dependencies, DEPENDENCY_LIMIT, "dependencies").map((table) => ({
    what: `IREE module ${(table.string(d.name) ?? "").slice(0, 80)}`,
    relation: "at least" as const,
    version: String(table.u32(d.minimum_version)),
  }));
}

const isName = (text: string): boolean => /^[\w.+*-]{1,80}$/.test(text);
/** Names that compilers' back ends give to executables. */
const known =
  /^(?:vmvx-bytecode-fb|(?:embedded|system)-(?:elf|dll|dylib|wasm)-\w+|vulkan-spirv-fb(?:-\w+)?|cuda-nvptx-fb|rocm-hsaco-fb|hip-\w+-fb|metal(?:-msl|lib)-fb|webgpu-(?:wgsl|spirv)-fb|amdaie-[\w-]+)$/;

/** What stands behind a key among the texts of the module. */
const after = (texts: readonly string[], key: string): string[] =>
  [...new Set(texts.filter((text, at) => texts[at - 1] === key && isName(text)))].sort();

const formatsOf = (texts: readonly string[]): string[] =>
  [...new Set([...texts.filter((text) => known.test(text)), ...after(texts, "hal.executable.format")])].sort();

const listed = (key: string, words: readonly string[]): Record<string, string> =>
  words.length === 0 ? {} : { [key]: words.join(", ") };
