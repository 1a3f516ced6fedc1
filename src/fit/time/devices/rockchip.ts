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

const int8 = (tops: number, source: string): Partial<Device> => ({
  macs: { value: (tops * 1e12) / 2, precision: "int8", source },
});
/** RKNPU1 is VeriSilicon's design; RKNPU2 is Rockchip's own. */
const before = { line: "verisilicon" };

export default [
  npu(
    "rk3588-1core",
    "RK3588, one NPU core",
    "rk3588",
    ["RK3588 (single core)", "RK3588 NPU, 1 core", "RK3588 NPU, single core (each of 3 parallel instances)"],
    int8(2, "wiki.t-firefly.com/en/iCore-3588Q/usage_npu.html: 6 TOPS, of three cores"),
  ),
  npu("rk3588-3cores", "RK3588, three NPU cores", "rk3588", ["RK3588 3 cores", "RK3588 NPU"]),
  npu(
    "rk3576-1core",
    "RK3576, one NPU core",
    "rk3576",
    ["RK3576 (single core)"],
    int8(3, "github.com/airockchip/rknn-toolkit2: 6 TOPS in int8, of two cores"),
  ),
  npu(
    "rk3566-rk3568",
    "RK3566 and RK3568",
    "rk3568",
    ["RK3566/RK3568", "RK3566/68 NPU", "RK3566 1 core"],
    int8(1, "mbb.eet-china.com/tags/17067.html, RK3568: int8, int16 and fp16, up to 1 TOPS"),
  ),
  npu("rk3562", "RK3562", "rk3562", ["RK3562"]),
  npu("rv1109", "RV1109", undefined, ["RV1109"], {
    ...before,
    ...int8(1.2, "bbs.sunsili.com/archiver/tid-225702.html: int8 and int16, up to 1.2 TOPS"),
  }),
  npu("rv1126", "RV1126", undefined, ["RV1126"], {
    ...before,
    ...int8(2, "huggingface.co/opencv/opencv_zoo@443b117d: NPU 2.0 TOPS, 8 and 16 bit"),
  }),
  npu("rk1808", "RK1808", "rk1808", ["RK1808"], before),
] satisfies readonly Device[];
