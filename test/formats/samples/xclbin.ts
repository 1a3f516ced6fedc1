/** xclbin: an NPU's overlay with its partition, an Alveo's with a bitstream and no mirror. */

import { buildXclbin, ipLayout } from "../build/xclbin.ts";
import type { Samples } from "./samples.ts";

const engines = {
  aie_metadata: { driver_config: { hw_gen: "3", num_columns: "5", partition_num_cols: "4", start: ["1"] } },
};
const partition = Buffer.alloc(600, 1);
partition.writeUInt16LE(4, 32);

export const samples: Samples = {
  "4x4.xclbin": () =>
    buildXclbin("xilinx_v1_ipu_0_0", [
      { kind: 0, name: "dummy_bitstream", bytes: Buffer.alloc(0) },
      { kind: 8, name: "", bytes: ipLayout("vadd:vadd_1", "DPU_PDI_0:IPUV1CNN") },
      { kind: 25, name: "aie_control_con", bytes: Buffer.from(JSON.stringify(engines)) },
      { kind: 32, name: "aie_partition", bytes: partition },
    ]),
  "dpu.xclbin": () =>
    buildXclbin(
      "xilinx_u50_gen3x16_xdma_201920_3",
      [
        { kind: 0, name: "bitstream", bytes: Buffer.alloc(4000, 9) },
        { kind: 8, name: "", bytes: ipLayout("DPUCAHX8H_1:DPUCAHX8H_1") },
        { kind: 77, name: "new", bytes: Buffer.alloc(40, 3) },
      ],
      false,
    ),
};
