/**
 * Intel Gaudi and Goya. include/uapi/drm/habanalabs_accel.h, DRM_IOCTL_HL_INFO (before Linux 6.7: misc/habanalabs.h, HL_IOCTL_INFO).
 * Asked on the control node only: opening /dev/accel/accelN takes the card's one compute slot, and Gaudi 2 resets when it closes.
 */

import { chain, map, type Reading } from "../../base/reading.ts";
import * as uapi from "../../uapi/habanalabs.ts";
import { HL_IOCTL_INFO } from "../../uapi/habanalabs-misc.ts";
import { hexIn, numberIn, textIn, type FieldOf, type Layout } from "../../uapi/layout.ts";
import { named, sayBuffered, type Answers, type Say } from "./conversation.ts";

/** Nodes that answer without taking the card: accel_controlD0, of older and out-of-tree drivers hl_controlD0. */
export const CONTROL_NODE = /^(accel|hl)_controlD[0-9]+$/;

export const COMPUTE_NODE_HELD_BACK =
  "opening it takes the card's one compute slot; the control node beside it (accel_controlD<N>) answers instead";

/** Drivers that look at it take 100 to 1000 in steps of 100. */
const UTILIZATION_PERIOD_MS = 100;

const statuses = new Map([
  [uapi.HL_DEVICE_STATUS_OPERATIONAL, "operational"],
  [uapi.HL_DEVICE_STATUS_IN_RESET, "in reset"],
  [uapi.HL_DEVICE_STATUS_MALFUNCTION, "malfunction"],
  [uapi.HL_DEVICE_STATUS_NEEDS_RESET, "needs reset"],
  [uapi.HL_DEVICE_STATUS_IN_DEVICE_CREATION, "in device creation"],
  [uapi.HL_DEVICE_STATUS_IN_RESET_AFTER_DEVICE_RELEASE, "in reset after device release"],
]);

export function askHabanalabs(say: Say, nodeName: string) {
  const code = nodeName.startsWith("hl_") ? HL_IOCTL_INFO : uapi.DRM_IOCTL_HL_INFO;
  const info = (name: string, op: number, layout: Layout, disturbs = false, period_ms = 0) =>
    sayBuffered(say, {
      name: `HL_INFO ${name}`,
      code,
      layout: uapi.hl_info_args,
      values: { return_size: layout.size, op, period_ms },
      pointer: "return_pointer",
      room: layout.size,
      wakes: disturbs,
    });
  const status = info("DEVICE_STATUS", uapi.HL_INFO_DEVICE_STATUS, uapi.hl_info_device_status);
  const card = info("HW_IP_INFO", uapi.HL_INFO_HW_IP_INFO, uapi.hl_info_hw_ip_info);
  const dram = info("DRAM_USAGE", uapi.HL_INFO_DRAM_USAGE, uapi.hl_info_dram_usage);
  const resets = info("RESET_COUNT", uapi.HL_INFO_RESET_COUNT, uapi.hl_info_reset_count);
  // The card's own processor answers these two; it may be busy or dead.
  const clock = info("CLK_RATE", uapi.HL_INFO_CLK_RATE, uapi.hl_info_clk_rate, true);
  const load = info(
    "DEVICE_UTILIZATION",
    uapi.HL_INFO_DEVICE_UTILIZATION,
    uapi.hl_info_device_utilization,
    true,
    UTILIZATION_PERIOD_MS,
  );

  const number = <L extends Layout>(answer: typeof card, layout: L, field: FieldOf<L>): Reading<number> =>
    chain(answer, ({ written }, from) => numberIn(layout, field, written, from));
  const ofCard = (field: FieldOf<typeof uapi.hl_info_hw_ip_info>): Reading<number> =>
    number(card, uapi.hl_info_hw_ip_info, field);
  const text = (field: "cpucp_version" | "card_name"): Reading<string> =>
    chain(card, ({ written }, from) => textIn(uapi.hl_info_hw_ip_info, field, written, from));
  const hex = (field: FieldOf<typeof uapi.hl_info_hw_ip_info>): Reading<string> =>
    chain(card, ({ written }, from) => hexIn(uapi.hl_info_hw_ip_info, field, written, from));

  return {
    status: named(number(status, uapi.hl_info_device_status, "status"), statuses),
    card_name: text("card_name"),
    firmware_version: text("cpucp_version"),
    device_id: hex("device_id"),
    revision: ofCard("revision_id"),
    module_id: ofCard("module_id"),
    server_type: ofCard("server_type"),
    security_enabled: map(ofCard("security_enabled"), (value) => value !== 0),
    dram_bytes: ofCard("dram_size"),
    dram_reserved_bytes: ofCard("reserved_dram_size"),
    dram_free_bytes: number(dram, uapi.hl_info_dram_usage, "dram_free_mem"),
    sram_bytes: ofCard("sram_size"),
    tpc_enabled_mask: hex("tpc_enabled_mask_ext"),
    hard_resets: number(resets, uapi.hl_info_reset_count, "hard_reset_cnt"),
    compute_resets: number(resets, uapi.hl_info_reset_count, "soft_reset_cnt"),
    clock_hertz: map(number(clock, uapi.hl_info_clk_rate, "cur_clk_rate_mhz"), (mhz) => mhz * 1e6),
    clock_max_hertz: map(number(clock, uapi.hl_info_clk_rate, "max_clk_rate_mhz"), (mhz) => mhz * 1e6),
    utilization_ratio: map(number(load, uapi.hl_info_device_utilization, "utilization"), (percent) => percent / 100),
  } satisfies Answers;
}
