/**
 * Which "mapped inference" (the layout of a compiled network in memory) the firmware of Intel's NPU takes: the table of versions in its
 * header. Header: vpu_boot_api.h (MIT) of the kernel's ivpu; place 7 of the table: https://github.com/intel/linux-npu-driver
 * firmware/include/api/vpu_nnrt_api_*.h; checked against its vpu_37xx, 40xx and 50xx of v1.32.
 */

import { FileError } from "../base/errors.ts";
import { valueOf } from "../base/reading.ts";
import type { Root } from "../root/root.ts";
import { unpack } from "../root/unpack.ts";

/** Files of each generation, in the driver's order. */
export const npuFirmware: Readonly<Record<string, readonly string[]>> = {
  "37xx": ["intel/vpu/vpu_37xx_v1.bin", "intel/vpu/vpu_37xx_v0.0.bin", "intel/vpu/mtl_vpu_v0.0.bin"],
  "40xx": ["intel/vpu/vpu_40xx_v1.bin", "intel/vpu/vpu_40xx_v0.0.bin"],
};

/** The table of versions begins after addresses and sizes; each is major << 16 | minor. */
const TABLE = 84;
const MAPPED_INFERENCE = 7;
/** Unpacked; the largest has 2.4 MiB. */
const FIRMWARE_LIMIT = 64 * 1024 * 1024;

export function readMappedInference(root: Root, path: string): string | undefined {
  const head = path.endsWith(".bin") ? valueOf(root.slice(path, 0, 256)) : unpacked(root, path);
  if (head === undefined || head.length < TABLE + 64) return undefined;
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  const version = view.getUint32(TABLE + MAPPED_INFERENCE * 4, true);
  // A header of version 1 is all there has been; the boot interface (place 0) is in every firmware.
  if (view.getUint32(0, true) !== 1 || view.getUint32(TABLE, true) === 0 || version === 0) return undefined;
  return `${version >>> 16}.${version & 0xffff}`;
}

function unpacked(root: Root, path: string): Uint8Array | undefined {
  const bytes = valueOf(root.bytes(path));
  try {
    return bytes && unpack(bytes, path, FIRMWARE_LIMIT);
  } catch (error) {
    if (error instanceof FileError) return undefined;
    throw error;
  }
}
