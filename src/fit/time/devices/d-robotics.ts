/** D-Robotics (Horizon) BPU. */

import type { Device } from "../estimate.ts";

export default [
  {
    id: "rdk-x5",
    name: "RDK X5 (BPU Bayes-e)",
    family: "d-robotics",
    class: "MAC array",
    targets: [],
    pool: "d-robotics",
    aliases: ["RDK X5 (Bayes-e BPU, 10 TOPS)", "RDK X5"],
    macs: { value: 5e12, precision: "int8", source: "github.com/D-Robotics/rdk_model_zoo: 10 TOPS" },
  },
] satisfies readonly Device[];
