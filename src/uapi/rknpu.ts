/**
 * Rockchip's vendor driver rknpu, which no kernel header describes. Numbers as its drivers/rknpu/include/rknpu_ioctl.h gives
 * them in 0.8.2 to 0.9.8 (https://github.com/rockchip-linux/kernel); the DRM number agrees with a published trace of
 * librknnrt 2.3.0. The actions named here only read; most others set clocks, power and resets, and 4 (GET_VOLT) is left out
 * because ports of the driver to boards without an NPU supply dereference a null regulator in it and take the kernel down.
 */

import type { Layout } from "./layout.ts";

/** On a DRM node: _IOWR('d', DRM_COMMAND_BASE + 0, struct rknpu_action) */
export const DRM_IOCTL_RKNPU_ACTION = 0xc0086440;
/** On /dev/rknpu, where the driver was built without DRM: _IOWR('r', 0, struct rknpu_action) */
export const IOCTL_RKNPU_ACTION = 0xc0087200;

export const RKNPU_GET_HW_VERSION = 0;
export const RKNPU_GET_DRV_VERSION = 1;
export const RKNPU_GET_FREQ = 2;
export const RKNPU_GET_IOMMU_EN = 18;
export const RKNPU_GET_TOTAL_SRAM_SIZE = 22;
export const RKNPU_GET_FREE_SRAM_SIZE = 23;

export const rknpu_action = {
  size: 8,
  fields: {
    flags: { offset: 0, size: 4 },
    value: { offset: 4, size: 4 },
  },
} as const satisfies Layout;
