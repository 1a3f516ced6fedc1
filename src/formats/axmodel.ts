/**
 * Axera's compiled models: a valid ONNX protobuf whose nodes are blobs for the NPU ("neu mode"), so a reader that only asks "is it
 * ONNX" would be wrong. Told by the producer, Pulsar2. Layout: facts from published files; Axera documents none.
 */

import { latin1 } from "../base/bytes.ts";
import type { Section, Tensor } from "../model/graph.ts";
import type { Format } from "./format.ts";
import onnx from "./onnx.ts";
import { carve } from "./tflite/sections.ts";

const format: Format = {
  id: "axmodel",
  name: "Axera axmodel",
  vendor: "AXERA",
  extensions: [".axmodel"],
  shows: "sealed",
  matches: (file) => (latin1(file.head(512)).includes("Pulsar2") && onnx.matches(file) > 0 ? 3 : 0),
  read(file) {
    const { graphs, main = 0, description, producer, metadata, ...rest } = onnx.read(file);
    const graph = graphs[main];
    const tensors = (indexes: readonly number[] = []) =>
      indexes.flatMap((index) => {
        const tensor = graph?.tensors[index];
        return tensor === undefined ? [] : [tensor];
      });
    // "Pulsar2 Version:  4.2-dirty" and "Pulsar2 Commit: 5e72cf06-dirty", a line each
    const [version, commit] = ["Version", "Commit"].map(
      (what) => new RegExp(`^Pulsar2 ${what}: +(\\S.{0,60})$`, "m").exec(description ?? "")?.[1],
    );
    return {
      ...rest,
      format: "axmodel",
      sealed: true,
      producer: { name: producer?.name ?? "Pulsar2", ...(version === undefined ? {} : { version }) },
      targets: [{ family: "axera", says: "an AXERA NPU; which one stands in no field that is known" }],
      graphs: [],
      inputs: tensors(graph?.inputs),
      outputs: tensors(graph?.outputs),
      metadata: { ...(commit === undefined ? {} : { commit }), ...metadata },
      sections: carve(rest.sections.map(asGraph), graph?.tensors.flatMap(partOf) ?? []),
      // Its nodes name the initializers they need in attributes.
      integrity: rest.integrity.filter(({ rule }) => rule !== "tensor/unused"),
      unseen: ["operators and weights: compiled for the NPU inside an ONNX container"],
    };
  },
  sources: ["AXERA-TECH model repositories on GitHub (files with producer_name Pulsar2)"],
  checked: { files: 6, says: "published models of Pulsar2 1.1 and 4.2 (sipeed/MaixPy, AXERA-TECH/ax-npu-kit-650)" },
};
export default format;

/** What ONNX takes for weights holds the program too: partOf() says what is what. */
const asGraph = (section: Section): Section =>
  section.kind === "weights" ? { ...section, name: "graph", kind: "graph" } : section;

/** Initializers hold the program (a name that ends with "_neu") and its parameters. */
function partOf({ name, data }: Tensor): Section[] {
  if (data?.offset === undefined || data.bytes === 0 || data.file !== undefined) return [];
  const kind = name.endsWith("_neu") ? "code" : name.endsWith("params") ? "weights" : "unknown";
  return [{ name, kind, offset: data.offset, bytes: data.bytes }];
}
