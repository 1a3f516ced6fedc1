/**
 * Intel NPU parameters. include/uapi/drm/ivpu_accel.h, DRM_IOCTL_IVPU_GET_PARAM: answered from what the driver remembers, without
 * waking the device. Not asked: ENGINE_HEARTBEAT (wakes it) and UNIQUE_INFERENCE_ID (asking changes it).
 */

import { chain, map, read, type Reading } from "../../base/reading.ts";
import * as uapi from "../../uapi/ivpu.ts";
import { hexIn, numberIn, pack } from "../../uapi/layout.ts";
import { named, type Answers, type Say } from "./conversation.ts";

/** Places in the firmware's table of interface versions. drivers/accel/ivpu/vpu_boot_api.h, vpu_jsm_api.h */
const BOOT_API = 0;
const JSM_API = 4;

export function askIvpu(say: Say) {
  const param = (name: string, param: number, index = 0) =>
    say({
      name: `DRM_IOCTL_IVPU_GET_PARAM ${name}`,
      code: uapi.DRM_IOCTL_IVPU_GET_PARAM,
      input: pack(uapi.drm_ivpu_param, { param, index }),
    });
  const number = (...of: Parameters<typeof param>): Reading<number> =>
    chain(param(...of), ({ struct }, from) => numberIn(uapi.drm_ivpu_param, "value", struct, from));
  const hex = (...of: Parameters<typeof param>): Reading<string> =>
    chain(param(...of), ({ struct }, from) => hexIn(uapi.drm_ivpu_param, "value", struct, from));
  const can = (name: string, index: number): Reading<boolean> =>
    map(number(`CAPABILITIES ${name}`, uapi.DRM_IVPU_PARAM_CAPABILITIES, index), (value) => value !== 0);

  return {
    device_id: hex("DEVICE_ID", uapi.DRM_IVPU_PARAM_DEVICE_ID),
    device_revision: number("DEVICE_REVISION", uapi.DRM_IVPU_PARAM_DEVICE_REVISION),
    platform: named(
      number("PLATFORM_TYPE", uapi.DRM_IVPU_PARAM_PLATFORM_TYPE),
      new Map([[uapi.DRM_IVPU_PLATFORM_TYPE_SILICON, "silicon"]]),
    ),
    core_clock_hertz: number("CORE_CLOCK_RATE", uapi.DRM_IVPU_PARAM_CORE_CLOCK_RATE),
    contexts: number("NUM_CONTEXTS", uapi.DRM_IVPU_PARAM_NUM_CONTEXTS),
    firmware_boot_api: apiVersion(number("FW_API_VERSION boot", uapi.DRM_IVPU_PARAM_FW_API_VERSION, BOOT_API)),
    firmware_jsm_api: apiVersion(number("FW_API_VERSION JSM", uapi.DRM_IVPU_PARAM_FW_API_VERSION, JSM_API)),
    tile_config: hex("TILE_CONFIG", uapi.DRM_IVPU_PARAM_TILE_CONFIG),
    sku: hex("SKU", uapi.DRM_IVPU_PARAM_SKU),
    preempt_buffer_bytes: number("PREEMPT_BUFFER_SIZE", uapi.DRM_IVPU_PARAM_PREEMPT_BUFFER_SIZE),
    can_stream_metrics: can("METRIC_STREAMER", uapi.DRM_IVPU_CAP_METRIC_STREAMER),
    can_use_dma_range: can("DMA_MEMORY_RANGE", uapi.DRM_IVPU_CAP_DMA_MEMORY_RANGE),
    can_manage_command_queues: can("MANAGE_CMDQ", uapi.DRM_IVPU_CAP_MANAGE_CMDQ),
    can_import_user_memory: can("BO_CREATE_FROM_USERPTR", uapi.DRM_IVPU_CAP_BO_CREATE_FROM_USERPTR),
  } satisfies Answers;
}

/** Major in the upper half, minor in the lower: "3.24". */
function apiVersion(reading: Reading<number>): Reading<string> {
  return chain(reading, (value, from) => read(`${value >>> 16}.${value & 0xffff}`, from));
}
