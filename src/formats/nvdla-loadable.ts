/**
 * NVDLA loadable: what the open NVDLA compiler makes of a network, for its runtime: a FlatBuffer without identifier with the memories
 * to be laid out, the blobs that fill them (operations for the DLA, weights), tasks and tensors. Schema: loadable.fbs of
 * https://github.com/nvdla/sw umd/core/src/common (BSD-3-Clause)
 */

import { FileError } from "../base/errors.ts";
import { model, type ElementType, type Integrity, type Section, type Tensor } from "../model/graph.ts";
import type { Format } from "./format.ts";
import { error, leftOver, plain, words } from "./sealed/parts.ts";
import { FlatBuffer, type Table } from "./wire/flatbuffer.ts";

/** Ids are of 16 bits. */
const LIST_LIMIT = 65_536;
/** Table Loadable has so many fields. */
const FIELDS = 9;
/** Findings told of one list. */
const FINDINGS = 20;

const [SET, INPUT, OUTPUT] = [2, 4, 8];
const SRAM = 1;

/** DataType */
const types: readonly ElementType[] = ["unknown", "float32", "float16", "int16", "int8"];
/** Interface */
const interfaces = ["", "DLA", "EMU"];
const NHWC = 2;

interface Version {
  readonly major: number;
  readonly text: string;
}

interface Blob {
  readonly name: string;
  readonly section: Section;
  readonly interface: number;
  readonly version: string | undefined;
}

const format: Format = {
  id: "nvdla-loadable",
  name: "NVDLA loadable",
  vendor: "NVIDIA",
  extensions: [".nvdla"],
  shows: "sealed",
  matches(file) {
    // No mark: a version 0.x at its place, lists that are there, and a blob whose size is that of its data.
    if (file.size < 64 || file.cursor(0, 4).u32() > 4096) return 0;
    const root = new FlatBuffer(file).root();
    if (root.fields > FIELDS || versionOf(root, 0)?.major !== 0) return 0;
    const [lists, blobs] = [
      [1, 2, 3].map((field) => root.vector(field, 4)?.count ?? 0),
      root.offsets(5, LIST_LIMIT, "blobs"),
    ];
    const [first] = blobs;
    if (lists.some((count) => count === 0) || first === undefined) return 0;
    const blob = root.buffer.table(first);
    return blob.string(0) !== undefined && Number(blob.u64(1)) === (blob.vector(5, 1)?.count ?? -1) ? 2 : 0;
  },
  read(file) {
    const buffer = new FlatBuffer(file);
    const root = buffer.root();
    const integrity: Integrity[] = [];
    const version = versionOf(root, 0);
    if (version === undefined) throw new FileError(file.name, "no version in it", 0);
    const blobs = root.tables(5, LIST_LIMIT, "blobs").map((blob) => readBlob(blob, integrity));
    const memories = root.tables(2, LIST_LIMIT, "memories");
    const tensors = new Map(root.tables(6, LIST_LIMIT, "tensors").map((one) => [one.u16(1), one]));
    checkMemories(memories, blobs, integrity);
    checkIds(root, memories, integrity);
    const ports = (flag: number): Tensor[] =>
      memories
        .filter((memory) => (memory.u16(2) & flag) !== 0)
        .map((memory) => tensorOf(tensors.get(memory.u16(8)), integrity));
    const [inputs, outputs] = [ports(INPUT), ports(OUTPUT)];
    const bytes = (domain: number): number =>
      memories.filter((memory) => memory.u8(1) === domain).reduce((sum, memory) => sum + Number(memory.u64(3)), 0);
    // Behind the last table may be what aligns it.
    if (file.size - buffer.reached >= 8) integrity.push(...leftOver(file, buffer.reached, "its last table"));
    return model("nvdla-loadable", {
      version: version.text,
      sealed: true,
      producer: { name: "nvdla_compiler" },
      targets: [{ family: "nvdla", says: interfacesOf(blobs) }],
      inputs,
      outputs,
      metadata: words({
        tasks: root.vector(1, 4)?.count,
        "system memory, bytes": bytes(0),
        "DLA's SRAM, bytes": bytes(SRAM),
        relocations: root.vector(7, 4)?.count,
      }),
      sections: blobs.map(({ section }) => section).filter((section) => section.bytes > 0),
      integrity,
      unseen: [
        "operators: descriptors for the DLA",
        "for which build of the DLA (full, large, small): nothing in it says so, and their descriptors differ",
      ],
    });
  },
  sources: ["https://github.com/nvdla/sw/blob/master/umd/core/src/common/loadable.fbs"],
  checked: { files: 15, says: "regression files of nvdla/sw (version 0.7.0), one of them a whole network" },
};
export default format;

/** A struct of three bytes. */
function versionOf(table: Table, field: number): Version | undefined {
  const at = table.struct(field, 3);
  if (at === undefined) return undefined;
  const [major = 0, minor = 0, patch = 0] = table.buffer.bytes(at, 3);
  return { major, text: `${major}.${minor}.${patch}` };
}

function readBlob(blob: Table, integrity: Integrity[]): Blob {
  const name = plain(blob.string(0) ?? "", 128);
  const data = blob.vector(5, 1);
  const size = Number(blob.u64(1));
  if (size !== (data?.count ?? 0) && integrity.length < FINDINGS) {
    integrity.push(error("extent/wrong-size", `blob ${name} of ${size} bytes has ${data?.count ?? 0}`, blob.at));
  }
  const kind = blob.u32(2);
  // Without an interface and a part of it: weights and pictures.
  const raw = kind === 0 && blob.u32(3) === 0;
  return {
    name,
    interface: kind,
    version: versionOf(blob, 4)?.text,
    section: { name, kind: raw ? "weights" : "code", offset: data?.at ?? blob.at, bytes: data?.count ?? 0 },
  };
}

/** "DLA 0.11.0, EMU 0.0.1": what the blobs were made for. */
function interfacesOf(blobs: readonly Blob[]): string {
  const found = blobs.flatMap((blob) => {
    const name = interfaces[blob.interface] ?? `interface ${blob.interface}`;
    return name === "" ? [] : [`${name} ${blob.version ?? ""}`.trim()];
  });
  const versions = [...new Set(blobs.flatMap(({ version }) => version ?? []))];
  const said = [...new Set(found)];
  return said.length > 0 ? said.join(", ") : `DLA ${versions.join(", ")}`.trim();
}

/** Contents are named, and lie within their memory. */
function checkMemories(memories: readonly Table[], blobs: readonly Blob[], integrity: Integrity[]): void {
  const sizes = new Map(blobs.map(({ name, section }) => [name, section.bytes]));
  for (const memory of memories) {
    const contents = memory.strings(5, LIST_LIMIT, "contents");
    const offsets = memory.vector(6, 8);
    if ((memory.u16(2) & SET) === 0 || integrity.length >= FINDINGS) continue;
    for (const [index, name] of contents.entries()) {
      const bytes = sizes.get(plain(name, 128));
      const offset =
        offsets !== undefined && index < offsets.count ? Number(memory.buffer.u64(offsets.at + 8 * index)) : 0;
      if (bytes === undefined) {
        integrity.push(
          error(
            "tensor/dangling",
            `memory ${memory.u16(0)} is filled from ${plain(name, 80)}, which is no blob`,
            memory.at,
          ),
        );
      } else if (offset + bytes > Number(memory.u64(3))) {
        integrity.push(
          error(
            "extent/past-end",
            `${plain(name, 80)} does not fit memory ${memory.u16(0)} of ${memory.u64(3)} bytes`,
            memory.at,
          ),
        );
      }
    }
  }
}

/** Tasks name addresses, addresses name memories; what is submitted is a task. */
function checkIds(root: Table, memories: readonly Table[], integrity: Integrity[]): void {
  const memoryIds = new Set(memories.map((memory) => memory.u16(0)));
  const addresses = root.tables(3, LIST_LIMIT, "addresses");
  const addressIds = new Set(addresses.map((address) => address.u16(0)));
  const tasks = root.tables(1, LIST_LIMIT, "tasks");
  const taskIds = new Set(tasks.map((task) => task.u16(0)));
  const missing = (what: string, id: number, at: number): void => {
    if (integrity.length < FINDINGS) integrity.push(error("tensor/dangling", `${what} ${id} is not there`, at));
  };
  for (const address of addresses) if (!memoryIds.has(address.u16(1))) missing("memory", address.u16(1), address.at);
  for (const task of tasks) for (const id of ids(task, 3)) if (!addressIds.has(id)) missing("address", id, task.at);
  for (const entry of root.tables(8, LIST_LIMIT, "submissions")) {
    for (const id of ids(entry, 1)) if (!taskIds.has(id)) missing("task", id, entry.at);
  }
  for (const event of root.tables(4, LIST_LIMIT, "events")) event.u16(0);
  for (const entry of root.tables(7, LIST_LIMIT, "relocations")) {
    if (!addressIds.has(entry.u16(0))) missing("address", entry.u16(0), entry.at);
  }
}

function ids(table: Table, field: number): number[] {
  const vector = table.vector(field, 2);
  return Array.from({ length: Math.min(vector?.count ?? 0, LIST_LIMIT) }, (_, index) =>
    table.buffer.u16((vector?.at ?? 0) + 2 * index),
  );
}

function tensorOf(found: Table | undefined, integrity: Integrity[]): Tensor {
  if (found === undefined) {
    integrity.push(error("tensor/dangling", "an input or output has no tensor"));
    return { name: "", type: "unknown" };
  }
  const name = plain(found.string(0) ?? "", 128);
  const [n, c, h, w] = [found.i32(10), found.i32(11), found.i32(12), found.i32(13)];
  const shape = found.u8(5) === NHWC ? [n, h, w, c] : [n, c, h, w];
  const code = found.u8(6);
  const type = types[code] ?? "unknown";
  if (shape.some((size) => size < 1) && integrity.length < FINDINGS) {
    integrity.push(error("shape/impossible", `${name}: [${shape.join(", ")}]`, found.at));
  }
  return { name, type, ...(type === "unknown" ? { spelled: `type ${code}` } : {}), shape };
}
