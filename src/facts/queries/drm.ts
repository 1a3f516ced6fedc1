/** Name and version of a DRM or accel driver. include/uapi/drm/drm.h, DRM_IOCTL_VERSION: any driver answers, to anyone who may open. */

import { chain, malformed, read, type Reading } from "../../base/reading.ts";
import type { Ask, Root } from "../../root/root.ts";
import { DRM_IOCTL_VERSION, drm_version } from "../../uapi/drm.ts";
import { numberIn, pack, printable } from "../../uapi/layout.ts";
import { converse, type Say } from "./conversation.ts";

export interface DrmVersion {
  /** "amdxdna_accel_driver" for the module amdxdna, "intel_vpu", "rocket", "rknpu" ... */
  readonly name: string;
  readonly major: number;
  readonly minor: number;
  readonly patch: number;
  /** Often "0" or empty: drivers stopped giving one. */
  readonly date: string;
  readonly description: string;
}

/** Room for the three texts. Longer ones are cut by the kernel, which is no error. */
const ROOM = { name: 64, date: 32, desc: 128 } as const;

export function drmVersion(root: Root, path: string): Reading<DrmVersion> {
  return sayDrmVersion(converse(root, path, false), false);
}

/** `wakes`: opening this node would resume the device. */
export function sayDrmVersion(say: Say, wakes: boolean): Reading<DrmVersion> {
  return chain(say({ ...question, ...(wakes ? { wakes } : {}) }), ({ struct, buffers }, from) => {
    const number = (field: "version_major" | "version_minor" | "version_patchlevel"): Reading<number> =>
      numberIn(drm_version, field, struct, from);
    const text = (index: number, length: "name_len" | "date_len" | "desc_len"): string => {
      const bytes = buffers[index] ?? new Uint8Array(0);
      const count = numberIn(drm_version, length, struct, from);
      return printable(bytes.subarray(0, count.state === "read" ? count.value : 0));
    };
    const [major, minor, patch] = [number("version_major"), number("version_minor"), number("version_patchlevel")];
    const name = text(0, "name_len");
    if (major.state !== "read" || minor.state !== "read" || patch.state !== "read" || name === "") {
      return malformed(from, "the recorded answer is cut short");
    }
    return read(
      {
        name,
        major: major.value,
        minor: minor.value,
        patch: patch.value,
        date: text(1, "date_len"),
        description: text(2, "desc_len"),
      },
      from,
    );
  });
}

const question: Ask = {
  name: "DRM_IOCTL_VERSION",
  code: DRM_IOCTL_VERSION,
  input: pack(drm_version, { name_len: ROOM.name, date_len: ROOM.date, desc_len: ROOM.desc }),
  pointers: [
    { at: drm_version.fields.name.offset, size: ROOM.name },
    { at: drm_version.fields.date.offset, size: ROOM.date },
    { at: drm_version.fields.desc.offset, size: ROOM.desc },
  ],
};
