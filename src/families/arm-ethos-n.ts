/** Arm Ethos-N: the larger Arm NPU, given up in 2023. Driver and libraries are open, the firmware file is not. */

import type { Source } from "../base/source.ts";
import { of, type Family } from "./family.ts";

const stack: Source = { cited: "https://github.com/ARM-software/ethos-n-driver-stack@6834c82", seen: "2026-11-25" };
const launch: Source = {
  cited: "https://www.fudzilla.com/news/ai/50902-arm-introduces-ethos-n78-npu",
  says: "Ethos N78 can have between 1 and 10 TOP/s",
  seen: "2026-11-25",
};

export default {
  id: "ethos-n",
  vendor: "Arm",
  name: "Arm Ethos-N NPU",
  says: "NPU of application processors (Ethos-N78). Its stack stopped at release 23.08, for Linux 5.4 and 5.10.",
  architecture: "MAC array",
  use: "inference",
  chips: [
    {
      id: "n78",
      name: "Ethos-N78",
      // The stack's own compatibles carry no vendor prefix. One NPU has one node "ethosn" and a child per core.
      matches: [of("ethosn"), of("ethosn-core")],
      peak: [{ ops: 10e12, precision: "unstated (largest configuration)", source: launch }],
      grouped: true,
      source: stack,
    },
  ],
  routes: [
    {
      name: "armnn",
      says: "out-of-tree driver ethosn, Arm NN with the EthosNAcc back end",
      driver: {
        module: "ethosn",
        binds: ["ethosn", "ethosn-core"],
        origin: "out-of-tree",
        openness: "open",
        licence: "GPL-2.0",
        repository: "https://github.com/ARM-software/ethos-n-driver-stack",
        source: stack,
      },
      firmware: { files: [{ path: "ethosn.bin", source: stack }], openness: "closed" },
      node: { paths: ["/dev/ethosn*"], class: "ethosn", source: stack },
      runtime: {
        libraries: ["libEthosNDriver.so*"],
        name: "Ethos-N driver library",
        openness: "open",
        licence: "Apache-2.0",
        also: ["libEthosNSupport.so*"],
        source: stack,
      },
      delegate: { id: "tflite", name: "Arm NN TFLite delegate, back end EthosNAcc", openness: "open", source: stack },
      models: [{ format: "tflite", openness: "open" }],
    },
  ],
  traps: [
    "the module loads on any machine: loaded without a device-tree node it makes no /dev/ethosn node and drives nothing",
  ],
  openness: {
    kernel: "open",
    firmware: "closed",
    runtime: "open",
    compiler: "open",
    says: "open but for the firmware; dead",
  },
  maintained: "no, since 2023",
  verified: [{ how: "documents", says: "source read; a log of the module on a board without the NPU" }],
  sources: [stack],
  unknown: ["power", "mode of the node"],
} as const satisfies Family;
