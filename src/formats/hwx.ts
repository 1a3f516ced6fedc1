/**
 * HWX: programs of Apple's Neural Engine compiler (zin_ane_compiler). Mach-O with a mark of its own: segments, ports as __FVMLIB
 * segments with their names in LC_LOADFVMLIB, the compiler's command line in LC_IDENT, shapes in stabs of the symbol table. Mach-O:
 * Apple's mach-o/loader.h; https://github.com/eiln/anecc README.md; the rest seen in files of the M1 generation.
 */

import { FileError } from "../base/errors.ts";
import { latin1 } from "../base/bytes.ts";
import { model, type ElementType, type Integrity, type Section, type Target, type Tensor } from "../model/graph.ts";
import type { ModelFile } from "./file.ts";
import type { Format } from "./format.ts";
import { cutShort, error, has, plain, word, words } from "./sealed/parts.ts";

const HEADER = 32;
/** Files seen have 11 to 14 commands; large networks one more a port and a procedure. */
const COMMAND_LIMIT = 65_536;
const COMMANDS_LIMIT = 16 * 1024 * 1024;
const SYMBOLS_LIMIT = 16 * 1024 * 1024;
const PORT_LIMIT = 4096;
const SYMTAB = 2;
const LOADFVMLIB = 6;
const IDENT = 8;
const SEGMENT_64 = 0x19;
/** VM_PROT_WRITE: a port the engine writes. */
const WRITE = 2;

/** CPU subtype, the engine's generation; only that of the M1 leads to one chip. */
const subtypes: Readonly<Record<number, string>> = { 4: "H13", 7: "H16G" };
const chips: Readonly<Record<string, string>> = { h13: "t8103" };

const types: Readonly<Record<string, ElementType>> = {
  int8: "int8",
  uint8: "uint8",
  int16: "int16",
  float16: "float16",
  float: "float32",
  uint4: "uint4",
};

const format: Format = {
  id: "hwx",
  name: "Apple Neural Engine program",
  vendor: "Apple",
  extensions: [".hwx"],
  marks: [{ at: 0, is: "\xce\xfa\xef\xbe" }],
  shows: "sealed",
  matches: (file) => (has(file, "\xce\xfa\xef\xbe") ? 2 : 0),
  read(file) {
    const cursor = file.cursor(4, HEADER - 4);
    const [cpu, subtype] = [cursor.u32(), cursor.u32()];
    const count = cursor.skip(4).u32();
    const size = cursor.u32();
    const integrity: Integrity[] = [];
    if (count > COMMAND_LIMIT || size > COMMANDS_LIMIT) {
      throw new FileError(file.name, `${count} commands in ${size} bytes are more than any program has`, 16);
    }
    const cut = cutShort(file, HEADER + size, "the load commands");
    if (cut.length > 0) throw new FileError(file.name, cut[0]?.says ?? "", file.size);
    if (cpu !== 0x80)
      integrity.push(error("header/cpu", `processor 0x${cpu.toString(16)}; the Neural Engine is 0x80`, 4));
    const found = readCommands(file, count, size, integrity);
    const ident = found.ident.split("\n").map((line) => line.trim());
    const compiler = ident.find((line) => line.includes("ane_compiler"));
    const generation = ident.find((line) => line.startsWith("-t "))?.slice(3);
    const says = generation ?? subtypes[subtype] ?? `subtype ${subtype}`;
    const shapes = readShapes(file, found.symbols, integrity);
    const ports = found.ports.map(({ name, address }) => {
      const writes = found.segments.some((one) => one.address === address && (one.protection & WRITE) !== 0);
      const plainName = name.replace(/@output$/, "");
      return { writes, tensor: { name: plainName, ...(shapes.get(name) ?? { type: "unknown", spelled: "not read" }) } };
    });
    return model("hwx", {
      ...(ident[0] === undefined || ident[0] === "" ? {} : { version: plain(ident[0], 32) }),
      sealed: true,
      ...(compiler === undefined
        ? {}
        : { producer: { name: "zin_ane_compiler", version: plain(compiler.replace(/^\S+\s+v?/, ""), 64) } }),
      targets: [targetOf(says)],
      inputs: ports.filter(({ writes }) => !writes).map(({ tensor }) => tensor),
      outputs: ports.filter(({ writes }) => writes).map(({ tensor }) => tensor),
      metadata: words({
        subtype: subtypes[subtype] ?? subtype,
        options: ident.slice(2).join(" "),
        "load commands": count,
      }),
      sections: [{ name: "header and commands", kind: "metadata", offset: 0, bytes: HEADER + size }, ...found.sections],
      integrity,
      unseen: ["operators: task descriptors for the engine", "weights as the engine wants them"],
    });
  },
  sources: [
    "https://github.com/eiln/anecc",
    "https://github.com/apple-oss-distributions/xnu/blob/main/EXTERNAL_HEADERS/mach-o/loader.h",
  ],
  checked: { files: 11, says: "H13 (M1), zin_ane_compiler 4.2.1 (tinygrad/tinygrad)" },
};
export default format;

function targetOf(says: string): Target {
  const key = says.toLowerCase();
  const chip = Object.hasOwn(chips, key) ? chips[key] : undefined;
  return { family: "apple-ane", ...(chip === undefined ? {} : { chip }), says: plain(says, 32) };
}

interface Symbols {
  readonly offset: number;
  readonly bytes: number;
}

interface Commands {
  ident: string;
  symbols: Symbols | undefined;
  readonly ports: { name: string; address: number }[];
  readonly segments: { address: number; protection: number }[];
  readonly sections: Section[];
}

function readCommands(file: ModelFile, count: number, size: number, integrity: Integrity[]): Commands {
  const found: Commands = { ident: "", symbols: undefined, ports: [], segments: [], sections: [] };
  const cursor = file.cursor(HEADER, size);
  for (let index = 0; index < count; index++) {
    const start = cursor.offset;
    if (cursor.left < 8) {
      integrity.push(error("header/commands", `${count} load commands declared, ${index} fit`, HEADER + start));
      break;
    }
    const [command, length] = [cursor.u32(), cursor.u32()];
    if (length < 8 || start + length > size) {
      integrity.push(error("header/commands", `load command ${index} of ${length} bytes does not fit`, HEADER + start));
      break;
    }
    const body = cursor.take(length - 8);
    const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
    const u32 = (at: number): number => (at + 4 <= body.length ? view.getUint32(at, true) : 0);
    const u64 = (at: number): number => (at + 8 <= body.length ? Number(view.getBigUint64(at, true)) : 0);
    if (command === SEGMENT_64 && body.length >= 64) {
      const name = word(body.subarray(0, 16));
      const [address, offset, bytes] = [u64(16), u64(32), u64(40)];
      found.segments.push({ address, protection: u32(52) });
      integrity.push(...cutShort(file, offset + bytes, `segment ${name}`));
      const sections = u32(56);
      if (64 + sections * 80 > body.length) {
        integrity.push(error("header/commands", `segment ${name}: ${sections} sections do not fit`, HEADER + start));
        continue;
      }
      for (let i = 0; i < sections && bytes > 0; i++) {
        const at = 64 + i * 80;
        const section = word(body.subarray(at, at + 16));
        const from = u32(at + 48);
        const held = u64(at + 40);
        if (from < offset || from + held > offset + bytes) {
          integrity.push(error("extent/past-end", `section ${section} leaves its segment ${name}`, HEADER + start));
        }
        found.sections.push({
          name: `${name} ${section}`,
          kind: section === "__text" ? "code" : "weights",
          offset: from,
          bytes: held,
        });
      }
    } else if (command === LOADFVMLIB && u32(0) >= 8 && found.ports.length < PORT_LIMIT) {
      found.ports.push({ name: word(body.subarray(Math.min(u32(0) - 8, body.length))), address: u32(8) });
    } else if (command === IDENT) {
      found.ident = latin1(body.subarray(0, Math.min(body.length, 4096))).replace(/\0[^]*$/, "");
    } else if (command === SYMTAB) {
      integrity.push(...cutShort(file, u32(0) + u32(4) * 16, "the symbol table"));
      integrity.push(...cutShort(file, u32(8) + u32(12), "the symbols' names"));
      found.symbols = { offset: u32(8), bytes: u32(12) };
    }
  }
  return found;
}

/**
 * Stabs of the symbol table: `float16:t5=r1;2;0` defines a type, `input:t11=ar1;0;1;12=s4096n:ar1;0;64;13=s64c:...:5` a port: sizes
 * with their strides and letters, outermost first, then the number of the element's type.
 */
function readShapes(
  file: ModelFile,
  symbols: Symbols | undefined,
  integrity: Integrity[],
): Map<string, Pick<Tensor, "type" | "shape" | "spelled">> {
  const out = new Map<string, Pick<Tensor, "type" | "shape" | "spelled">>();
  if (!symbols || symbols.bytes > SYMBOLS_LIMIT || symbols.offset + symbols.bytes > file.size) return out;
  const names = latin1(file.slice(symbols.offset, symbols.bytes)).split("\0");
  const byNumber = new Map<string, string>();
  for (const name of names) {
    const simple = /^(\w+):t(\d+)=r/.exec(name);
    if (simple) byNumber.set(simple[2] ?? "", simple[1] ?? "");
    const port = /^(.+):t\d+=((?:ar1;0;\d+;\d+=s\d+[a-z]:)+)(\d+)$/.exec(name.slice(0, 1024));
    if (!port) continue;
    const shape = [...(port[2] ?? "").matchAll(/ar1;0;(\d+);/g)].map(([, size]) => Number(size));
    if (shape.some((size) => size === 0)) {
      integrity.push(error("shape/impossible", `${plain(port[1] ?? "", 80)}: [${shape.join(", ")}]`, symbols.offset));
    }
    const spelled = byNumber.get(port[3] ?? "") ?? `type ${port[3]}`;
    const type = (Object.hasOwn(types, spelled) ? types[spelled] : undefined) ?? "unknown";
    out.set(port[1] ?? "", { type, shape, ...(type === "unknown" ? { spelled } : {}) });
  }
  return out;
}
