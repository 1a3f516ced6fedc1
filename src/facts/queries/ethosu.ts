/**
 * Arm Ethos-U. include/uapi/drm/ethosu_accel.h, DRM_IOCTL_ETHOSU_DEV_QUERY: answered from registers read at probe. NPU_INFO had 12
 * bytes before Linux 7.3 and has 16 since; the driver fills what it does not have with zeros, so its size is asked first.
 */

import { absent, chain, map, type Reading } from "../../base/reading.ts";
import * as uapi from "../../uapi/ethosu.ts";
import { numberIn, pack } from "../../uapi/layout.ts";
import { sayBuffered, type Answers, type Say } from "./conversation.ts";

/** Bytes of struct drm_ethosu_npu_info in Linux 6.19 to 7.2, whose drivers all have them. */
const LEAST_NPU_INFO = 12;

export function askEthosu(say: Say) {
  const { drm_ethosu_dev_query: query, drm_ethosu_npu_info: info } = uapi;
  const known = chain(
    say({
      name: "DRM_IOCTL_ETHOSU_DEV_QUERY NPU_INFO size",
      code: uapi.DRM_IOCTL_ETHOSU_DEV_QUERY,
      input: pack(query, { type: uapi.DRM_ETHOSU_DEV_QUERY_NPU_INFO }),
    }),
    ({ struct }, from) => numberIn(query, "size", struct, from),
  );
  const answer = sayBuffered(say, {
    name: "DRM_IOCTL_ETHOSU_DEV_QUERY NPU_INFO",
    code: uapi.DRM_IOCTL_ETHOSU_DEV_QUERY,
    layout: query,
    values: { type: uapi.DRM_ETHOSU_DEV_QUERY_NPU_INFO, size: info.size },
    pointer: "pointer",
    room: info.size,
  });
  const end = known.state === "read" ? known.value : LEAST_NPU_INFO;
  const field = (name: keyof typeof info.fields): Reading<number> =>
    chain(answer, ({ written }, from) => {
      const { offset, size } = info.fields[name];
      return offset + size > end
        ? absent(from, `this kernel's struct has ${end} bytes and ends before ${name}`)
        : numberIn(info, name, written, from);
    });
  const id = field("id");
  const config = field("config");

  return {
    // Registers ID and CONFIG: drivers/accel/ethosu/ethosu_device.h
    architecture: map(id, (value) => `${value >>> 28}.${(value >>> 20) & 0xff}.${(value >>> 16) & 0xf}`),
    product: map(id, (value) => (value >>> 12) & 0xf),
    revision: map(id, (value) => `r${(value >>> 8) & 0xf}p${(value >>> 4) & 0xf}`),
    macs_per_cycle: map(config, (value) => 2 ** (value & 0xf)),
    command_stream_version: map(config, (value) => (value >>> 4) & 0xf),
    sram_bytes: field("sram_size"),
    pmu_counters: field("pmu_counters"),
  } satisfies Answers;
}
