/**
 * Rockchip's vendor driver. src/uapi/rknpu.ts says where its interface is written. Every ioctl powers the NPU up, and in some
 * releases it stays up, so all of them wait for leave; the version is also in DRM_IOCTL_VERSION, which costs nothing.
 */

import { chain, map, type Reading } from "../../base/reading.ts";
import { hexIn, numberIn, pack } from "../../uapi/layout.ts";
import * as uapi from "../../uapi/rknpu.ts";
import type { Answers, Say } from "./conversation.ts";

export function askRknpu(say: Say, nodeName: string) {
  const code = nodeName === "rknpu" ? uapi.IOCTL_RKNPU_ACTION : uapi.DRM_IOCTL_RKNPU_ACTION;
  const action = (name: string, flags: number) =>
    say({ name: `RKNPU_ACTION ${name}`, code, input: pack(uapi.rknpu_action, { flags }), wakes: true });
  const number = (name: string, flags: number): Reading<number> =>
    chain(action(name, flags), ({ struct }, from) => numberIn(uapi.rknpu_action, "value", struct, from));

  return {
    driver_version: map(number("GET_DRV_VERSION", uapi.RKNPU_GET_DRV_VERSION), driverVersion),
    hardware_version: chain(action("GET_HW_VERSION", uapi.RKNPU_GET_HW_VERSION), ({ struct }, from) =>
      hexIn(uapi.rknpu_action, "value", struct, from),
    ),
    clock_hertz: number("GET_FREQ", uapi.RKNPU_GET_FREQ),
    iommu_enabled: map(number("GET_IOMMU_EN", uapi.RKNPU_GET_IOMMU_EN), (value) => value !== 0),
    sram_bytes: number("GET_TOTAL_SRAM_SIZE", uapi.RKNPU_GET_TOTAL_SRAM_SIZE),
    sram_free_bytes: number("GET_FREE_SRAM_SIZE", uapi.RKNPU_GET_FREE_SRAM_SIZE),
  } satisfies Answers;
}

/** Two decimal digits each: 908 is 0.9.8. */
export function driverVersion(code: number): string {
  return `${Math.floor(code / 10_000)}.${Math.floor(code / 100) % 100}.${code % 100}`;
}
