/**
 * Qualcomm DSP (Hexagon) capabilities. include/uapi/misc/fastrpc.h, FASTRPC_IOCTL_GET_DSP_INFO. The driver passes the question to
 * the DSP, and tells it again when the node is closed, so all of them wait for leave.
 */

import { chain, map, type Reading } from "../../base/reading.ts";
import { FASTRPC_IOCTL_GET_DSP_INFO, fastrpc_ioctl_capability } from "../../uapi/fastrpc.ts";
import { numberIn, pack } from "../../uapi/layout.ts";
import type { Answers, Say } from "./conversation.ts";

/** enum remote_dsp_attributes, https://github.com/qualcomm/fastrpc inc/remote.h */
const UNSIGNED_PD_SUPPORT = 1;
const HVX_SUPPORT_128B = 3;
const VTCM_PAGE = 4;
const VTCM_COUNT = 5;
const ARCH_VER = 6;
const HMX_SUPPORT_DEPTH = 7;
const HMX_SUPPORT_SPATIAL = 8;

/** No capability is this; the driver zeroes the field before it asks. */
const UNTOUCHED = 0xffffffff;

export function askFastrpc(say: Say) {
  const capability = (name: string, attribute_id: number): Reading<number> =>
    chain(
      say({
        name: `FASTRPC_IOCTL_GET_DSP_INFO ${name}`,
        code: FASTRPC_IOCTL_GET_DSP_INFO,
        input: pack(fastrpc_ioctl_capability, { attribute_id, capability: UNTOUCHED }),
        wakes: true,
      }),
      ({ struct }, from) => {
        const value = numberIn(fastrpc_ioctl_capability, "capability", struct, from);
        if (value.state !== "read" || value.value !== UNTOUCHED) return value;
        // Until mid 2024 the driver copied the capability over the start of the struct instead.
        return numberIn(first, "first", struct, from);
      },
    );
  const flag = (name: string, attribute: number): Reading<boolean> =>
    map(capability(name, attribute), (value) => value !== 0);

  return {
    architecture: map(capability("ARCH_VER", ARCH_VER), (value) => `v${(value & 0xff).toString(16)}`),
    hvx_128_bytes: flag("HVX_SUPPORT_128B", HVX_SUPPORT_128B),
    hmx_depth: flag("HMX_SUPPORT_DEPTH", HMX_SUPPORT_DEPTH),
    hmx_spatial: flag("HMX_SUPPORT_SPATIAL", HMX_SUPPORT_SPATIAL),
    vtcm_page: capability("VTCM_PAGE", VTCM_PAGE),
    vtcm_count: capability("VTCM_COUNT", VTCM_COUNT),
    unsigned_modules: flag("UNSIGNED_PD_SUPPORT", UNSIGNED_PD_SUPPORT),
  } satisfies Answers;
}

const first = { size: 4, fields: { first: { offset: 0, size: 4 } } } as const;
