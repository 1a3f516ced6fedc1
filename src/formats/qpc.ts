/**
 * QPC: Qualcomm's program container for Cloud AI cards (programqpc.bin). [mark, version, compression, size, base, images][table of
 * images][names][images]; addresses in the table count from `base`. Images: network.elf, networkdesc.bin, constants.bin and more.
 * QAicQpc.cpp and AICNetworkDesc.proto of https://github.com/quic/software-kit-for-qualcomm-cloud-ai-100 (BSD-3-Clause-Clear)
 */

import { FileError } from "../base/errors.ts";
import { model, type Integrity, type Section } from "../model/graph.ts";
import type { ModelFile } from "./file.ts";
import type { Format } from "./format.ts";
import { readDescription, type Description } from "./qpc/description.ts";
import { cutShort, error, has, leftOver, note, plain, word, words } from "./sealed/parts.ts";
import { protobuf } from "./wire/protobuf.ts";

const MARK = "\x7c\xcd\xa1\0";
const HEADER = 40;
const ENTRY = 32;
/** Containers have four to ten images. */
const IMAGE_LIMIT = 256;
const NAME_LIMIT = 128;
/** Major version of the published header. */
const KNOWN = 0;
const NETWORK = "network.elf";
const DESCRIPTION = "networkdesc.bin";
/** Largest description read: one with an entry for each operator of a language model has some megabytes. */
const DESCRIPTION_LIMIT = 64 * 1024 * 1024;

const kinds: Readonly<Record<string, Section["kind"]>> = {
  [NETWORK]: "code",
  "constants.bin": "weights",
  [DESCRIPTION]: "metadata",
  "constantsdesc.bin": "metadata",
};

const format: Format = {
  id: "qpc",
  name: "QPC",
  vendor: "Qualcomm",
  extensions: [".bin", ".qpc"],
  marks: [{ at: 0, is: MARK }],
  shows: "sealed",
  matches: (file) => (has(file, MARK) ? 2 : 0),
  read(file) {
    const cursor = file.cursor(4, HEADER - 4);
    const [major, minor] = [cursor.u8(), cursor.u8()];
    const compression = cursor.u16();
    const [size, base] = [Number(cursor.u64()), cursor.u64()];
    const [count, table] = [Number(cursor.u64()), cursor.u64()];
    const integrity: Integrity[] = [];
    if (major !== KNOWN) integrity.push(note("header/version", `container version ${major}.${minor}`, 4));
    if (count > IMAGE_LIMIT) throw new FileError(file.name, `${count} images, over ${IMAGE_LIMIT}`, 24);
    const images = readImages(file, Number(table - base), count, base, integrity);
    const end = Math.max(size, ...images.map(({ offset, bytes }) => offset + bytes));
    if (end > size) integrity.push(error("extent/wrong-size", `images end at ${end}, the container at ${size}`, 8));
    integrity.push(...cutShort(file, end, "the container"), ...leftOver(file, end, "the container"));
    if (!images.some(({ name }) => name === NETWORK)) {
      integrity.push(error("program/empty", `it has no ${NETWORK}, which every container must have`));
    }
    const network = describe(file, images, integrity);
    return model("qpc", {
      version: `${major}.${minor}`,
      sealed: true,
      producer: { name: "qaic-compile" },
      targets: [{ family: "qaic", says: "Cloud AI" }],
      inputs: network?.inputs ?? [],
      outputs: network?.outputs ?? [],
      metadata: words({
        network: network?.name,
        "description's version": network?.version,
        cores: network?.cores,
        batch: network?.batch,
        "combinations of shapes": network?.shapes,
        compression: compression === 1 ? "slow path" : compression,
      }),
      sections: [{ name: "header", kind: "metadata", offset: 0, bytes: HEADER + count * ENTRY }, ...images],
      integrity,
      unseen: [
        "operators: programs for the card's processors, in network.elf",
        "for which card: the runtime tells when it does not fit",
        ...(network === undefined ? [`inputs and outputs: no ${DESCRIPTION} of it could be read`] : []),
      ],
    });
  },
  sources: ["https://github.com/quic/software-kit-for-qualcomm-cloud-ai-100"],
  checked: { files: 0, says: "from the runtime's published source only" },
};
export default format;

function describe(file: ModelFile, images: readonly Section[], integrity: Integrity[]): Description | undefined {
  const image = images.find(({ name }) => name === DESCRIPTION);
  if (image === undefined || image.bytes > DESCRIPTION_LIMIT || image.offset + image.bytes > file.size)
    return undefined;
  try {
    return readDescription(protobuf(file, image.offset, image.bytes));
  } catch (cause) {
    if (!(cause instanceof FileError)) throw cause;
    integrity.push(error("protobuf/contents", `${DESCRIPTION}: ${cause.message}`, image.offset));
    return undefined;
  }
}

function readImages(file: ModelFile, at: number, count: number, base: bigint, integrity: Integrity[]): Section[] {
  if (at < HEADER || at + count * ENTRY > file.size) {
    throw new FileError(file.name, `its table of ${count} images would lie at ${at}`, 32);
  }
  const cursor = file.cursor(at, count * ENTRY);
  return Array.from({ length: count }, (_, index) => {
    // Of constants.bin: how many of its bytes are static.
    const [bytes] = [Number(cursor.u64()), cursor.u64()];
    const [nameAt, offset] = [Number(cursor.u64() - base), Number(cursor.u64() - base)];
    const name = nameOf(file, nameAt);
    if (name === undefined || offset < HEADER) {
      const says = `image ${index} has its name at ${nameAt} and its bytes at ${offset}`;
      integrity.push(error("extent/past-end", says, at + index * ENTRY));
    }
    const known = name !== undefined && Object.hasOwn(kinds, name) ? kinds[name] : undefined;
    return {
      name: name ?? `image ${index}`,
      kind: known ?? "unknown",
      offset: Math.max(0, offset),
      bytes: offset < HEADER ? 0 : bytes,
    };
  });
}

function nameOf(file: ModelFile, at: number): string | undefined {
  if (at < HEADER || at >= file.size) return undefined;
  const name = plain(word(file.slice(at, Math.min(NAME_LIMIT, file.size - at))));
  return name === "" ? undefined : name;
}
