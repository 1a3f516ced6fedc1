/**
 * ExecuTorch program (.pte): PyTorch's format for devices. Methods as lists of kernel and delegate calls in a flatbuffer, constants and
 * delegates' payloads in segments after it. https://github.com/pytorch/executorch/blob/main/schema/program.fbs
 */

import { model } from "../model/graph.ts";
import { readProgram } from "./executorch/program.ts";
import type { Format } from "./format.ts";
import { has } from "./sealed/parts.ts";

const format: Format = {
  id: "pte",
  name: "ExecuTorch program",
  vendor: "PyTorch",
  extensions: [".pte"],
  // The identifier never changed since the first public file of 2023.
  marks: [{ at: 4, is: "ET12" }],
  shows: "full",
  matches: (file) => (file.size >= 16 && has(file, "ET12", 4) ? 2 : 0),
  read: (file) => model("pte", { ...readProgram(file), producer: { name: "ExecuTorch" } }),
  sources: [
    "https://github.com/pytorch/executorch/blob/main/schema/program.fbs",
    "https://github.com/pytorch/executorch/blob/main/backends/arm/arm_vela.py",
    "https://github.com/pytorch/executorch/blob/main/backends/xnnpack/serialization/schema.fbs",
    "https://github.com/pytorch/executorch/blob/main/backends/vulkan/serialization/schema.fbs",
    "https://github.com/pytorch/executorch/blob/main/backends/qualcomm/serialization/qc_compiler_spec.fbs",
  ],
  checked: {
    files: 7,
    says:
      "published files (kernels, Ethos-U55, Hexagon), and 14 that ExecuTorch 1.5.1 wrote (kernels, control flow, state, dynamic shapes, " +
      "XNNPACK, Vulkan): tensors, types, shapes, operators and their arguments as its own reader gives them; Ethos-U65 and U85 and " +
      "the other back ends from documents only",
  },
};
export default format;
