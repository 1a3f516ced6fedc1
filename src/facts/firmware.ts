/** Firmware files where the kernel looks for them. Documentation/driver-api/firmware/fw_search_path.rst */

import type { Reading } from "../base/reading.ts";
import type { Root } from "../root/root.ts";

export interface FirmwareFile {
  /** As the driver asks for it: intel/vpu/vpu_37xx_v1.bin */
  readonly name: string;
  /** Where it was found, packed suffix included: /lib/firmware/intel/vpu/vpu_37xx_v1.bin.zst */
  readonly path: string;
  readonly bytes: Reading<number>;
}

/** Order: firmware_class.path parameter, /lib/firmware/updates/RELEASE, /lib/firmware/updates, /lib/firmware/RELEASE, /lib/firmware; plain, .zst, .xz. */
export function findFirmware(root: Root, name: string, release: string | undefined): Reading<FirmwareFile> {
  void root;
  void name;
  void release;
  throw new Error("facts/firmware");
}

/** Names may hold one `*` per path element (qcom/<any>/cdsp.mbn): all files that match, sorted. */
export function findFirmwareLike(
  root: Root,
  pattern: string,
  release: string | undefined,
): Reading<readonly FirmwareFile[]> {
  void root;
  void pattern;
  void release;
  throw new Error("facts/firmware");
}
