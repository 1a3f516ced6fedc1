/**
 * TTNN and TTM0: programs compiled by tt-mlir for Tenstorrent. A size-prefixed FlatBuffer: version, tt-mlir commit, the system it was
 * compiled for, programs with their operations. The schema has no stable numbering: fields are found by how many there are, and what
 * does not fit is left out and said. https://github.com/tenstorrent/tt-mlir include/ttmlir/Target (Apache-2.0)
 */

import { FileError } from "../base/errors.ts";
import { model, type ElementType, type Graph, type Integrity, type Node, type Tensor } from "../model/graph.ts";
import type { ModelFile } from "./file.ts";
import type { Format } from "./format.ts";
import { cutShort, error, has, leftOver, plain, warning, words } from "./sealed/parts.ts";
import { FlatBuffer, type Table } from "./wire/flatbuffer.ts";

const PROGRAM_LIMIT = 4096;
const OPERATION_LIMIT = 200_000;
const PORT_LIMIT = 65_536;
const CHIP_LIMIT = 4096;
const RANK_LIMIT = 32;

/** Arch of Common/types.fbs, and its chip in the catalogue. */
const archs = [
  { says: "grayskull", chip: "grayskull" },
  { says: "wormhole_b0", chip: "wormhole" },
  { says: "blackhole", chip: "blackhole" },
] as const;

const mlirTypes: Readonly<Record<string, ElementType>> = {
  f32: "float32",
  f16: "float16",
  bf16: "bfloat16",
  i8: "int8",
  si8: "int8",
  ui8: "uint8",
  i16: "int16",
  ui16: "uint16",
  i32: "int32",
  si32: "int32",
  ui32: "uint32",
  i64: "int64",
};

const format: Format = {
  id: "ttnn",
  name: "Tenstorrent TTNN and TTMetal binary",
  vendor: "Tenstorrent",
  extensions: [".ttnn", ".ttm", ".ttb"],
  marks: [
    { at: 8, is: "TTNN" },
    { at: 8, is: "TTM0" },
    { at: 4, is: "TTNN" },
    { at: 4, is: "TTM0" },
  ],
  shows: "partly",
  matches(file) {
    // 8 with the size prefix, as ttmlir-translate writes them; 4 without.
    for (const at of [8, 4]) if (has(file, "TTNN", at) || has(file, "TTM0", at)) return 2;
    return 0;
  },
  read(file) {
    const prefixed = has(file, "TTNN", 8) || has(file, "TTM0", 8);
    const integrity: Integrity[] = [];
    if (prefixed) {
      const end = 4 + file.cursor(0, 4).u32();
      const cut = cutShort(file, end, "the binary");
      if (cut.length > 0) return described(file, undefined, cut);
      integrity.push(...leftOver(file, end, "the binary"));
    }
    return described(file, new FlatBuffer(file, { sizePrefixed: prefixed }), integrity);
  },
  sources: ["https://github.com/tenstorrent/tt-mlir/tree/main/include/ttmlir/Target"],
  checked: { files: 15, says: "13 TTNN and two TTM0 of tenstorrent/tt-mlir, all for Wormhole" },
};
export default format;

function described(file: ModelFile, buffer: FlatBuffer | undefined, integrity: Integrity[]) {
  const mark = has(file, "TTM0", 8) || has(file, "TTM0", 4) ? "TTM0" : "TTNN";
  const root = buffer?.root();
  const versionAt = root?.find(0, 8);
  const version =
    buffer && versionAt !== undefined
      ? `${buffer.u16(versionAt)}.${buffer.u16(versionAt + 2)}.${buffer.u32(versionAt + 4)}`
      : undefined;
  const fields = root ? fieldsOf(mark, root.fields) : undefined;
  const commit = root && fields ? plain(root.string(fields.commit) ?? "", 64) : "";
  if (root && !/^[0-9a-f]{7,40}$/.test(commit)) {
    integrity.push(warning("header/commit", `${JSON.stringify(commit)} is no tt-mlir commit`));
  }
  const unseen: string[] = [];
  const attempt = <T>(what: string, read: () => T): T | undefined => {
    if (!root || !fields) return undefined;
    try {
      return read();
    } catch (cause) {
      if (!(cause instanceof FileError)) throw cause;
      integrity.push(
        error(
          "schema/contents",
          `its ${what} cannot be followed: ${cause.message.split(": ").at(-1) ?? ""}`,
          cause.offset,
        ),
      );
      return undefined;
    }
  };
  const chips = attempt("system description", () => readChips(root, fields?.system ?? 0)) ?? [];
  const graphs = attempt("programs", () => readPrograms(root, fields?.programs ?? 0, mark === "TTNN")) ?? [];
  if (!root) unseen.push("commit, target and programs: the file is cut short");
  else if (graphs.length === 0) unseen.push("programs: this schema's numbering is not known");
  const main = Math.max(
    0,
    graphs.findIndex(({ name }) => name === "forward" || name === "main"),
  );
  const entry = graphs[main];
  const pick = (list: readonly number[] | undefined): Tensor[] =>
    (list ?? []).map((index) => entry?.tensors[index]).filter((one): one is Tensor => one !== undefined);
  const grids = [...new Set(chips.map(({ grid }) => grid))].join(", ");
  return model("ttnn", {
    version: version === undefined ? mark : `${mark}, ${version}`,
    sealed: true,
    producer: { name: "tt-mlir", ...(commit === "" ? {} : { version: commit }) },
    targets: [...new Set(chips.map(({ arch }) => arch))].map((arch) => {
      const known = archs[arch];
      return {
        family: "tenstorrent",
        ...(known ? { chip: known.chip } : {}),
        says: known?.says ?? `architecture ${arch}`,
      };
    }),
    requires: commit === "" ? [] : [{ what: "tt-mlir", relation: "built by", version: commit }],
    graphs,
    ...(entry ? { main, inputs: pick(entry.inputs), outputs: pick(entry.outputs) } : {}),
    metadata: words({
      container: mark,
      chips: chips.length || undefined,
      "core grid": grids,
      programs: graphs.map(({ name }) => name).join(", "),
    }),
    sections: [{ name: "binary", kind: "unknown", offset: 0, bytes: file.size }],
    integrity,
    unseen: [
      ...unseen,
      "which operation feeds which: told only in the text the compiler left beside each",
      "whether the machine's system description equals the one it was compiled for: the runtime compares them",
    ],
  });
}

/** version and commit came first always; a uuid or schema hash came between commit and system later. */
function fieldsOf(mark: string, count: number): { commit: number; system: number; programs: number } | undefined {
  if (mark === "TTNN")
    return count <= 4 ? { commit: 1, system: 2, programs: 3 } : { commit: 1, system: 3, programs: 4 };
  return count <= 5 ? { commit: 1, system: 2, programs: count - 1 } : { commit: 2, system: 3, programs: 5 };
}

function readChips(root: Table | undefined, field: number): { arch: number; grid: string }[] {
  const system = root?.table(field);
  if (!system) return [];
  // Descriptions of the host's processors came before the chips' later.
  const chips = system.tables(system.fields >= 6 ? 1 : 0, CHIP_LIMIT, "chips");
  return chips.map((chip) => {
    const at = chip.find(1, 8);
    const grid = at === undefined ? "" : `${chip.buffer.i32(at)}x${chip.buffer.i32(at + 4)}`;
    return { arch: chip.u32(0), grid };
  });
}

/** name, inputs, outputs, operations { type, value, text }; the text is MLIR. */
function readPrograms(root: Table | undefined, field: number, listed: boolean): Graph[] {
  return (root?.tables(field, PROGRAM_LIMIT, "programs") ?? []).map((program) => {
    // TTMetal has command queues there.
    const texts = (listed ? program.tables(3, OPERATION_LIMIT, "operations") : []).map((one) =>
      one.fields >= 3 ? (one.string(2) ?? "") : "",
    );
    const nodes = texts.map((text): Node => {
      const spelled = /^(?:%[^=]*= )?"([\w.]+)"/.exec(text)?.[1] ?? "operation";
      return { spelled, inputs: [], outputs: [], attributes: {} };
    });
    const inputs = program
      .tables(1, PORT_LIMIT, "inputs")
      .map((one, index) => readPort(one, `arg${index}`, texts, index));
    const outputs = program
      .tables(2, PORT_LIMIT, "outputs")
      .map((one, index) => readPort(one, `result${index}`, texts));
    return {
      name: plain(program.string(0) ?? "", 64),
      tensors: [...inputs, ...outputs],
      nodes,
      inputs: inputs.map((_, index) => index),
      outputs: outputs.map((_, index) => inputs.length + index),
    };
  });
}

/** A TensorRef: its description is its last field, and the shape the description's first. The type stands in the compiler's text. */
function readPort(table: Table, name: string, texts: readonly string[], argument?: number): Tensor {
  const shape = table.table(table.fields - 1)?.i32s(0, RANK_LIMIT, "dimensions");
  const mlir = shape && typeOf(texts, shape, argument);
  const type = mlir === undefined ? undefined : mlirTypes[mlir];
  return {
    name,
    type: type ?? "unknown",
    ...(type === undefined ? { spelled: mlir ?? "not read" } : {}),
    ...(shape ? { shape } : {}),
  };
}

/** `"ttnn.to_layout"(%arg0, %0) <..> : (tensor<64x128xf32, ...`: an argument's type where it is an operation's first operand, a result's last. */
function typeOf(texts: readonly string[], shape: readonly number[], argument: number | undefined): string | undefined {
  const sized = `tensor<${shape.map((size) => `${size}x`).join("")}`;
  const mark = argument === undefined ? "-> " : ": (";
  const text =
    argument === undefined
      ? texts.findLast((one) => one.includes(`-> ${sized}`))
      : texts.find((one) => one.includes(`(%arg${argument},`) || one.includes(`(%arg${argument})`));
  const at = text?.indexOf(mark + sized) ?? -1;
  return at < 0 ? undefined : /^(\w+?)[,>]/.exec(text?.slice(at + mark.length + sized.length, at + 200) ?? "")?.[1];
}
