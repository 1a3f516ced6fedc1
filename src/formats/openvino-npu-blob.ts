/**
 * OpenVINO NPU blob: [compiled payload][metadata: version u32, OpenVINO version 3 x u16, then what later versions added][payload size
 * u64]["OVNPU"]. The payload is an ELF for the NPU. Blobs older than 2025 have no such end and are the ELF alone.
 * https://github.com/openvinotoolkit/openvino src/plugins/intel_npu/src/plugin/src/metadata.cpp (Apache-2.0)
 */

import { FileError } from "../base/errors.ts";
import { utf8, type Cursor } from "../base/bytes.ts";
import { model, type Integrity, type Model } from "../model/graph.ts";
import type { ModelFile } from "./file.ts";
import type { Format } from "./format.ts";
import { describeNpuElf } from "./openvino/npu-elf.ts";
import { readElf } from "./sealed/elf.ts";
import { error, has, note, plain, warning, words } from "./sealed/parts.ts";

const MARK = "OVNPU";
const FOOTER = 8 + MARK.length;
/** Metadata is a few hundred bytes: layouts, sizes, one descriptor. */
const METADATA_LIMIT = 1024 * 1024;
const LIST_LIMIT = 4096;
/** BlobType of metadata 2.7 */
const kinds = ["ELF", "LLVM", "byte code"];

const format: Format = {
  id: "openvino-npu-blob",
  name: "OpenVINO NPU blob",
  vendor: "Intel",
  extensions: [".blob"],
  shows: "sealed",
  matches(file) {
    if (has(file, MARK, file.size - MARK.length)) return 2;
    // Without the mark: a little-endian ELF64 named .blob. The Myriad's blobs spell the mark in lower case.
    if (!has(file, "\x7fELF\x02\x01")) return 0;
    // The compiler's are relocatable and for no machine, which no other ELF is.
    if (has(file, "\x01\0\0\0", 16)) return 2;
    return file.extension === ".blob" ? 1 : 0;
  },
  read: (file) => (has(file, MARK, file.size - MARK.length) ? readMarked(file) : readElfBlob(file)),
  sources: [
    "https://github.com/openvinotoolkit/openvino/blob/master/src/plugins/intel_npu/src/plugin/src/metadata.cpp",
    "https://github.com/openvinotoolkit/npu_plugin_elf/tree/main/vpux_elf",
  ],
  checked: { files: 0, says: "from the sources of the plugin and of the loader only" },
};
export default format;

function readMarked(file: ModelFile): Model {
  const footer = file.cursor(file.size - FOOTER, FOOTER);
  const payload = footer.size64();
  const end = file.size - FOOTER;
  const integrity: Integrity[] = [];
  if (payload + 4 > end) {
    throw new FileError(
      file.name,
      `declares ${payload} bytes of compiled payload, the file has ${end} before its end: its beginning is missing`,
      end,
    );
  }
  if (end - payload > METADATA_LIMIT) {
    throw new FileError(file.name, `metadata of ${end - payload} bytes, over ${METADATA_LIMIT}`, payload);
  }
  const cursor = file.cursor(payload, end - payload);
  const version = cursor.u32();
  const [major, minor] = [version >>> 16, version & 0xffff];
  const found: Record<string, string | number | undefined> = {};
  let openvino: string | undefined;
  if (major === 2) {
    if (cursor.left < 6) throw new FileError(file.name, "metadata without the OpenVINO version", payload + 4);
    openvino = `${cursor.u16()}.${cursor.u16()}.${cursor.u16()}`;
    try {
      readFields(cursor, minor, found);
    } catch (cause) {
      if (!(cause instanceof FileError)) throw cause;
      integrity.push(
        error("metadata/cut-short", "the metadata is shorter than its version says", payload + cursor.offset),
      );
    }
  } else integrity.push(warning("metadata/version", `metadata version ${major}.${minor} is not known`, payload));
  const elf = payload >= 64 && has(file, "\x7fELF") ? readElf(file, payload) : undefined;
  if (found["encrypted"] === undefined && !elf) {
    integrity.push(warning("payload/kind", "the compiled payload is no ELF", 0));
  }
  integrity.push(...(elf?.integrity ?? []));
  const npu = elf && describeNpuElf(file, elf, payload);
  integrity.push(...(npu?.integrity ?? []));
  return model("openvino-npu-blob", {
    version: `${major}.${minor}`,
    sealed: true,
    producer: { name: "OpenVINO", ...(openvino === undefined ? {} : { version: openvino }) },
    targets: npu?.targets ?? [{ family: "intel-npu", says: "Intel NPU" }],
    requires: [
      ...(openvino === undefined ? [] : [{ what: "OpenVINO", relation: "exactly", version: openvino } as const]),
      ...(npu?.requires ?? []),
    ],
    ...(npu?.inputs && npu.outputs ? { inputs: npu.inputs, outputs: npu.outputs } : {}),
    metadata: words({
      ...npu?.metadata,
      ...found,
      "payload sections": elf?.sections
        .slice(0, 24)
        .map(({ name }) => name)
        .join(" "),
    }),
    sections: [
      { name: "compiled payload", kind: "unknown", offset: 0, bytes: payload },
      { name: "metadata", kind: "metadata", offset: payload, bytes: end - payload },
      { name: "footer", kind: "metadata", offset: end, bytes: FOOTER },
    ],
    integrity,
    unseen: [
      "operators and weights: compiled for the NPU",
      ...(npu?.targets[0]?.chip === undefined ? ["for which NPU generation: the payload does not say"] : []),
    ],
  });
}

/** Fields by the minor version that brought them. */
function readFields(cursor: Cursor, minor: number, found: Record<string, string | number | undefined>): void {
  if (minor >= 1) {
    const count = cursor.size64();
    if (count * 8 > cursor.left) cursor.fail(`${count} start schedules do not fit`);
    if (count > 0) found["start schedules"] = count;
    cursor.skip(count * 8);
  }
  if (minor >= 2) {
    const batch = cursor.u64();
    if (batch > 0n) found["batch"] = String(batch);
  }
  if (minor >= 3) {
    const counts = [cursor.size64(), cursor.size64()];
    for (const [side, count] of counts.entries()) {
      if (count > LIST_LIMIT) cursor.fail(`${count} layouts, over ${LIST_LIMIT}`);
      const layouts = Array.from({ length: count }, () => plain(utf8(cursor.take(cursor.u16())), 64));
      found[side === 0 ? "input layouts" : "output layouts"] = layouts.join(" ");
    }
  }
  if (minor >= 4) {
    const compiler = cursor.u32();
    if (compiler > 0) found["compiler version"] = `${compiler >>> 16}.${compiler & 0xffff}`;
  }
  if (minor >= 5 && cursor.u8() !== 0) found["encrypted"] = "yes";
  if (minor >= 6) {
    const length = cursor.size64();
    if (length > 0) found["compatibility"] = plain(utf8(cursor.take(length)));
  }
  if (minor >= 7) found["payload kind"] = kinds[cursor.u8()] ?? "unknown";
}

function readElfBlob(file: ModelFile): Model {
  const elf = readElf(file, file.size);
  const npu = describeNpuElf(file, elf, file.size);
  const named = npu.targets[0]?.chip !== undefined;
  return model("openvino-npu-blob", {
    version: "without metadata",
    sealed: true,
    producer: { name: "Intel NPU compiler" },
    targets: npu.targets,
    requires: npu.requires,
    ...(npu.inputs && npu.outputs ? { inputs: npu.inputs, outputs: npu.outputs } : {}),
    metadata: words({
      ...npu.metadata,
      "payload sections": elf.sections
        .slice(0, 24)
        .map(({ name }) => name)
        .join(" "),
    }),
    sections: elf.sections.map(({ name, kind, offset, bytes }) => ({ name, kind, offset, bytes })),
    integrity: [...elf.integrity, ...npu.integrity, ...behind(file, elf.end)],
    unseen: [
      "which OpenVINO made it: blobs before 2025 do not say",
      "operators and weights: compiled for the NPU",
      ...(named ? [] : ["that it is an NPU's at all: an ELF named .blob has no other mark"]),
    ],
  });
}

/** Behind the ELF stands nothing but padding, or metadata whose own end is missing. */
function behind(file: ModelFile, end: number): Integrity[] {
  if (end >= file.size) return [];
  const rest = file.slice(end, Math.min(file.size - end, METADATA_LIMIT));
  if (file.size % 16 === 0 && rest.every((byte) => byte === 0))
    return [note("extent/trailing", `${file.size - end} zeros after the ELF`, end)];
  const says = `${file.size - end} bytes after the ELF, and not the mark ${MARK} that ends metadata: the end is missing`;
  return [error("extent/trailing", says, end)];
}
