/** ONNX: Open Neural Network Exchange, a protobuf ModelProto. https://github.com/onnx/onnx/blob/main/docs/IR.md */

import type { Format } from "./format.ts";
import { looksLikeOnnx, readOnnx } from "./onnx/read.ts";

const format: Format = {
  id: "onnx",
  name: "ONNX",
  vendor: "Linux Foundation AI & Data",
  extensions: [".onnx"],
  shows: "full",
  matches: looksLikeOnnx,
  read: (file) => readOnnx(file, "onnx"),
  sources: [
    "https://github.com/onnx/onnx/blob/main/onnx/onnx.proto",
    "https://github.com/onnx/onnx/blob/main/docs/IR.md",
    "https://github.com/onnx/onnx/blob/main/docs/ExternalData.md",
  ],
  checked: {
    files: 28,
    says: "28 published files, and small ones the onnx package 1.23.2 writes (functions, bodies, sparse and external data, every type): operators, wiring, attributes, types, shapes, data and scales are what that package reads, shapes worked out here agree with those it infers; by hand also the 2,033 models of the package's own tests",
  },
};
export default format;
