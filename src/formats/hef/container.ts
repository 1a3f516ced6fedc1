/**
 * Header of a HEF: big-endian; versions 0 to 3 differ in what stands behind the protobuf message and in their checksum (MD5, CRC-32,
 * XXH3). https://github.com/hailo-ai/hailort hailort/libhailort/src/hef/hef_internal.hpp, hef.cpp (MIT)
 */

import type * as Crypto from "node:crypto";
import type * as Zlib from "node:zlib";
import { FileError } from "../../base/errors.ts";
import { requireLate } from "../../base/package.ts";
import type { Integrity, Section } from "../../model/graph.ts";
import type { ModelFile } from "../file.ts";
import { cutShort, error, hex } from "../sealed/parts.ts";
import { xxh3 } from "./xxh3.ts";

/** Checksums are taken of this many bytes: 0.3 s of XXH3. Files of language models have gigabytes. */
const CHECK_LIMIT = 64 * 1024 * 1024;
const PIECE = 256 * 1024;
/** Bytes of each version's header. */
const sizes = [32, 28, 44, 56];

export interface Container {
  readonly version: number;
  /** The protobuf message: as declared, and not beyond the file's end. */
  readonly proto: { readonly offset: number; readonly declared: number; readonly bytes: number };
  /** Configuration words, which messages of version 1 and later point into. */
  readonly words: { readonly offset: number; readonly bytes: number };
  readonly sections: readonly Section[];
  readonly integrity: readonly Integrity[];
  /** Bytes declared are all there. */
  readonly whole: boolean;
  readonly checksum: string;
}

export function readContainer(file: ModelFile): Container {
  const common = file.cursor(0, 12, false).skip(4);
  const [version, declared] = [common.u32(), common.u32()];
  const size = sizes[version];
  if (size === undefined)
    throw new FileError(file.name, `HEF header of version ${version}, and 3 is the last known`, 4);
  const header = file.cursor(12, size - 12, false);
  const after: { name: string; kind: Section["kind"]; bytes: number }[] = [];
  let check: Check;
  if (version === 0) {
    check = { kind: "MD5", expected: hex(header.skip(4).take(16)), proto: false };
  } else if (version === 1) {
    check = { kind: "CRC-32", expected: header.u32().toString(16).padStart(8, "0"), proto: false };
    after.push({ name: "configuration (registers and weights)", kind: "weights", bytes: header.size64() });
  } else {
    const sum = header.u64();
    const words = header.size64();
    const padding = version === 2 ? 0 : header.u32();
    if (padding > words) {
      throw new FileError(file.name, `padding of ${padding} bytes in a configuration of ${words}`, 28);
    }
    const extra = version === 2 ? 0 : header.size64();
    const proto = version === 2 ? 0n : header.u64();
    after.push(
      { name: "padding", kind: "padding", bytes: padding },
      { name: "configuration (registers and weights)", kind: "weights", bytes: words - padding },
      { name: "external resources", kind: "unknown", bytes: extra },
    );
    // Where the message has a checksum of its own, HailoRT leaves the other to the chip.
    check = { kind: "XXH3", expected: hash(proto === 0n ? sum : proto), proto: proto !== 0n };
  }
  const sections: Section[] = [
    { name: "header", kind: "metadata", offset: 0, bytes: size },
    version === 0
      ? { name: "networks (registers and weights in a message)", kind: "weights", offset: size, bytes: declared }
      : { name: "networks (message)", kind: "graph", offset: size, bytes: declared },
  ];
  let end = size + declared;
  let words = { offset: end, bytes: 0 };
  for (const part of after) {
    if (part.kind === "weights") words = { offset: end, bytes: part.bytes };
    if (part.bytes > 0) sections.push({ ...part, offset: end });
    end += part.bytes;
  }
  const integrity: Integrity[] = [...cutShort(file, end, "what the header declares")];
  const whole = integrity.length === 0;
  if (end < file.size) {
    integrity.push(
      error(
        "extent/trailing",
        `${file.size - end} bytes that the header does not know of: HailoRT refuses the file`,
        end,
      ),
    );
  }
  const checked =
    whole && end === file.size ? verify(file, size, check.proto ? declared : end - size, check) : undefined;
  if (checked?.fits === false) integrity.push(error("checksum/mismatch", checked.says, size));
  return {
    version,
    proto: { offset: size, declared, bytes: Math.min(declared, Math.max(0, file.size - size)) },
    words,
    sections,
    integrity,
    whole,
    checksum: checked?.says ?? `${check.kind} not checked: the file's length is not what its header says`,
  };
}

interface Check {
  readonly kind: "MD5" | "CRC-32" | "XXH3";
  readonly expected: string;
  /** Of the protobuf message alone. */
  readonly proto: boolean;
}

const hash = (value: bigint): string => value.toString(16).padStart(16, "0");

function verify(file: ModelFile, offset: number, bytes: number, check: Check): { fits?: boolean; says: string } {
  const of = check.proto ? "the protobuf message" : "what follows the header";
  if (bytes > CHECK_LIMIT) {
    return { says: `${check.kind} of ${of} not checked: over ${CHECK_LIMIT / 1024 / 1024} MiB` };
  }
  const found = digest(file, offset, bytes, check.kind);
  const fits = found === check.expected;
  return {
    fits,
    says: fits
      ? `${check.kind} of ${of} fits`
      : `${check.kind} of ${of} is ${found}, the header says ${check.expected}: bytes were changed after compilation`,
  };
}

function digest(file: ModelFile, offset: number, bytes: number, kind: Check["kind"]): string {
  if (kind === "XXH3") return hash(xxh3(bytes, (at, length) => file.slice(offset + at, length)));
  const each = (take: (piece: Uint8Array) => void): void => {
    for (let at = 0; at < bytes; at += PIECE) take(file.slice(offset + at, Math.min(PIECE, bytes - at)));
  };
  if (kind === "MD5") {
    const { createHash } = requireLate("node:crypto") as typeof Crypto;
    const md5 = createHash("md5");
    each((piece) => md5.update(piece));
    return md5.digest("hex");
  }
  const { crc32 } = requireLate("node:zlib") as typeof Zlib;
  let crc = 0;
  each((piece) => {
    crc = crc32(piece, crc);
  });
  return crc.toString(16).padStart(8, "0");
}
