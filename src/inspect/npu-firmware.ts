/**
 * Which "mapped inference" (the layout of a compiled network in memory) the firmware of Intel's NPU takes: told by the table of versions
 * in the firmware's header, or by the release of the package it came with. Header: vpu_boot_api.h (MIT) of the kernel's ivpu; place 7 of
 * its table and the releases' numbers: https://github.com/intel/linux-npu-driver firmware/include/api, tags v1.1.0 to v1.32.0
 */

import { FileError } from "../base/errors.ts";
import { valueOf } from "../base/reading.ts";
import { compareVersions } from "../breakages/locks.ts";
import type { Facts } from "../facts/facts.ts";
import { findFirmware } from "../facts/firmware.ts";
import { readPackageVersion } from "../facts/packages.ts";
import { unpack } from "../root/unpack.ts";

/** The table of versions begins after addresses and sizes; each is major << 16 | minor. */
const TABLE = 84;
const MAPPED_INFERENCE = 7;
/** Unpacked; the largest has 2.4 MiB. */
const FIRMWARE_LIMIT = 64 * 1024 * 1024;

interface Generation {
  /** In the driver's order. */
  readonly files: readonly string[];
  /** Release of linux-npu-driver and the number it came with, newest first. */
  readonly releases: readonly (readonly [release: string, version: string])[];
}

const generations: Readonly<Record<string, Generation>> = {
  "37xx": {
    files: ["intel/vpu/vpu_37xx_v1.bin", "intel/vpu/vpu_37xx_v0.0.bin", "intel/vpu/mtl_vpu_v0.0.bin"],
    releases: [
      ["1.2.0", "7.0"],
      ["1.1.0", "6.2"],
    ],
  },
  "40xx": {
    files: ["intel/vpu/vpu_40xx_v1.bin", "intel/vpu/vpu_40xx_v0.0.bin"],
    releases: [
      ["1.24.0", "11.13"],
      ["1.19.0", "11.10"],
      ["1.17.0", "11.9"],
      ["1.16.0", "11.7"],
      ["1.13.0", "11.6"],
      ["1.5.0", "11.4"],
    ],
  },
};

/** `generation` as in the firmware's names: 37xx. */
export function findMappedInference(facts: Facts, generation: string): { version: string; from: string } | undefined {
  const known = generations[generation];
  if (known === undefined) return undefined;
  for (const name of known.files) {
    const path = valueOf(findFirmware(facts.root, name, facts.release))?.path;
    const version = path === undefined ? undefined : readTable(facts, path);
    if (path !== undefined && version !== undefined) return { version, from: path };
  }
  const installed = valueOf(readPackageVersion(facts.root, "intel-fw-npu"));
  if (installed === undefined) return undefined;
  const row = known.releases.find(([first]) => compareVersions(installed, first) >= 0);
  return row && { version: row[1], from: `package intel-fw-npu ${installed}` };
}

function readTable(facts: Facts, path: string): string | undefined {
  const head = path.endsWith(".bin") ? valueOf(facts.root.slice(path, 0, 256)) : unpacked(facts, path);
  if (head === undefined || head.length < TABLE + 64) return undefined;
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  const version = view.getUint32(TABLE + MAPPED_INFERENCE * 4, true);
  // A header of version 1 is all there has been; the boot interface (place 0) is in every firmware.
  if (view.getUint32(0, true) !== 1 || view.getUint32(TABLE, true) === 0 || version === 0) return undefined;
  return `${version >>> 16}.${version & 0xffff}`;
}

function unpacked(facts: Facts, path: string): Uint8Array | undefined {
  const bytes = valueOf(facts.root.bytes(path));
  try {
    return bytes && unpack(bytes, path, FIRMWARE_LIMIT);
  } catch (error) {
    if (error instanceof FileError) return undefined;
    throw error;
  }
}
