/** Rockchip NPUs: rknn_model_zoo's table is of one core, with RKNPU2 for RK35xx and RKNPU1 before. */

import type { Device } from "../estimate.ts";

const npu = (
  id: string,
  name: string,
  chip: string | undefined,
  aliases: readonly string[],
  rest: Partial<Device> = {},
): Device => ({
  id,
  name,
  family: "rockchip",
  ...(chip === undefined ? {} : { chip }),
  class: "MAC array",
  targets: [],
  pool: "rknn",
  float: "when half",
  aliases,
  ...rest,
});

export default [
  npu("rk3588-1core", "RK3588, one NPU core", "rk3588", [
    "RK3588 (single core)",
    "RK3588 NPU, 1 core",
    "RK3588 NPU, single core (each of 3 parallel instances)",
  ]),
  npu("rk3588-3cores", "RK3588, three NPU cores", "rk3588", ["RK3588 3 cores", "RK3588 NPU"]),
  npu("rk3576-1core", "RK3576, one NPU core", "rk3576", ["RK3576 (single core)"]),
  npu("rk3566-rk3568", "RK3566 and RK3568", "rk3568", ["RK3566/RK3568", "RK3566/68 NPU", "RK3566 1 core"]),
  npu("rk3562", "RK3562", "rk3562", ["RK3562"]),
  npu("rv1109", "RV1109", undefined, ["RV1109"]),
  npu("rv1126", "RV1126", undefined, ["RV1126"]),
  npu("rk1808", "RK1808", "rk1808", ["RK1808"]),
] satisfies readonly Device[];
