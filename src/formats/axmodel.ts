/**
 * Axera's compiled models: a valid ONNX protobuf whose nodes are blobs for the NPU ("neu mode"), so a reader that only asks "is it
 * ONNX" would be wrong. Told by the producer, Pulsar2. Layout: facts from published files; Axera documents none.
 */

import { latin1 } from "../base/bytes.ts";
import type { Format } from "./format.ts";
import onnx from "./onnx.ts";

const format: Format = {
  id: "axmodel",
  name: "Axera axmodel",
  vendor: "AXERA",
  extensions: [".axmodel"],
  shows: "sealed",
  matches: (file) => (latin1(file.head(512)).includes("Pulsar2") && onnx.matches(file) > 0 ? 3 : 0),
  read(file) {
    const { graphs, main = 0, ...rest } = onnx.read(file);
    const graph = graphs[main];
    const tensors = (indexes: readonly number[] = []) =>
      indexes.flatMap((index) => {
        const tensor = graph?.tensors[index];
        return tensor === undefined ? [] : [tensor];
      });
    return {
      ...rest,
      format: "axmodel",
      sealed: true,
      targets: [{ family: "axera", says: "an AXERA NPU; which one stands in no field that is known" }],
      graphs: [],
      inputs: tensors(graph?.inputs),
      outputs: tensors(graph?.outputs),
      unseen: ["operators and weights: compiled for the NPU inside an ONNX container"],
    };
  },
  sources: ["AXERA-TECH model repositories on GitHub (files with producer_name Pulsar2)"],
  checked: { files: 2, says: "two published models" },
};
export default format;
