/**
 * TFLite converted by NXP's neutron-converter: operators that fit became NeutronGraph custom operators, whose last three inputs are the
 * NPU's microcode, weights and kernels. nxp-imx/tflite-neutron-delegate neutron_delegate.cc, neutron_delegate_utils.h (names, order of
 * inputs); pytorch/executorch backends/nxp/neutron_node_extraction.py says the same.
 */

import { model, type Integrity, type Model, type Section } from "../model/graph.ts";
import type { ModelFile } from "./file.ts";
import type { Format } from "./format.ts";
import { readTfliteModel } from "./tflite.ts";
import { hasCustomCode, type TfliteFile } from "./tflite/read.ts";
import { carve } from "./tflite/sections.ts";

/** The delegate's name for it; NXP's microcontroller documents write it in capitals. */
const CODES = ["NeutronGraph", "NEUTRON_GRAPH"];
/** In the order of the operator's last inputs. */
const parts = [
  { name: "microcode", kind: "code" },
  { name: "weights", kind: "weights" },
  { name: "kernels", kind: "code" },
] as const;

const format: Format = {
  id: "neutron-tflite",
  name: "NXP Neutron-converted TFLite",
  vendor: "NXP",
  extensions: [".tflite"],
  marks: [{ at: 4, is: "TFL3" }],
  shows: "partly",
  matches: (file) => (hasCustomCode(file, CODES) ? 3 : 0),
  read: readNeutron,
  sources: ["https://github.com/nxp-imx/tflite-neutron-delegate"],
  checked: { files: 0, says: "from the delegate's source only: no converted file is public" },
};
export default format;

function readNeutron(file: ModelFile): Model {
  const { model: base, tflite } = readTfliteModel(file, format.id, CODES);
  const integrity: Integrity[] = [...base.integrity];
  const sections = readParts(tflite, integrity);
  const nodes = tflite.graphs.flatMap((graph) => graph.nodes);
  const onCpu = nodes.filter((node) => !CODES.includes(node.spelled));
  const sum = (name: string): string =>
    String(sections.filter((part) => part.name === name).reduce((total, { bytes }) => total + bytes, 0));
  return model(format.id, {
    ...base,
    sealed: true,
    producer: { name: "neutron-converter" },
    targets: [{ family: "nxp-neutron", says: "Neutron" }],
    metadata: {
      ...base.metadata,
      microcode_bytes: sum("microcode"),
      weights_bytes: sum("weights"),
      kernels_bytes: sum("kernels"),
      npu_operators: String(nodes.length - onCpu.length),
      cpu_operators: String(onCpu.length),
    },
    sections: carve(base.sections, sections),
    integrity,
    unseen: [
      ...base.unseen,
      "which operators run on the Neutron NPU: they are microcode now",
      "for which chip, and by which release of neutron-converter: the file's layout is not public, and its firmware must match",
    ],
  });
}

function readParts(tflite: TfliteFile, integrity: Integrity[]): Section[] {
  const out: Section[] = [];
  for (const custom of tflite.customs.filter(({ code }) => CODES.includes(code))) {
    const graph = tflite.graphs[custom.graph];
    const inputs = graph?.nodes[custom.node]?.inputs.slice(-parts.length) ?? [];
    parts.forEach(({ name, kind }, i) => {
      const data = graph?.tensors[inputs[i] ?? -1]?.data;
      if (data?.offset !== undefined) out.push({ name, kind, offset: data.offset, bytes: data.bytes });
      else if (integrity.length < 64) {
        integrity.push({ severity: "error", rule: "payload/none", says: `a NeutronGraph operator has no ${name}` });
      }
    });
  }
  return out;
}
