/**
 * The file, read by our own reader before the library gets it: TFLite 2.9 follows a file's offsets without looking where they lead, and
 * a broken one would end the process.
 */

import { CannotError, FileError } from "../../base/errors.ts";
import { openModelFile } from "../../formats/file.ts";
import { readTflite } from "../../formats/tflite/read.ts";
import type { Graph, Model } from "../../model/graph.ts";
import { delegatedFamilies } from "./devices.ts";

/** Rules of the reader whose breach leads a reader of memory astray. */
const DEADLY = /^(?:extent|tensor|buffer|graph|operator)\/(?:past-end|wrong-size|dangling|none|sparse)$/;

/** Custom operators of compilers for one device, whose delegate alone has their kernel: the family. */
const compilers: Readonly<Record<string, string>> = {
  "edgetpu-custom-op": "coral",
  "ethos-u": "ethos-u",
  NeutronGraph: "nxp-neutron",
  NEUTRON_GRAPH: "nxp-neutron",
};

export interface Checked {
  readonly graph: Graph;
  /** Nodes of all graphs. */
  readonly nodes: number;
  /** A FULLY_CONNECTED of 8-bit integers whose weights have a scale for each channel; absent where there is none. */
  readonly perChannel?: string;
}

/**
 * Throws FileError with the offset; CannotError when it cannot be opened, or has an operator that only a device's delegate knows and
 * none is asked for (`alone`).
 */
export function checkModel(path: string, alone: boolean): Checked {
  const file = openModelFile(path);
  try {
    const { graphs, integrity, customs } = readTflite(file);
    const broken = integrity.find(({ severity, rule }) => severity === "error" && DEADLY.test(rule));
    if (broken !== undefined) throw new FileError(path, broken.says, broken.offset);
    const own = customs.find(({ code }) => Object.hasOwn(compilers, code))?.code;
    if (alone && own !== undefined) {
      const family = compilers[own] ?? "";
      throw new CannotError(
        `${path}: its operator ${own} is only computed by the delegate of ${family}: --device ${family}, or --plugin with that library`,
      );
    }
    const [graph] = graphs;
    if (graph === undefined) throw new FileError(path, "the file has no subgraph");
    const perChannel = graphs.map(fullyConnectedPerChannel).find((name) => name !== undefined);
    return {
      graph,
      nodes: graphs.reduce((sum, { nodes }) => sum + nodes.length, 0),
      ...(perChannel === undefined ? {} : { perChannel }),
    };
  } finally {
    file.close();
  }
}

/** The name of the output. */
function fullyConnectedPerChannel({ nodes, tensors }: Graph): string | undefined {
  for (const { spelled, inputs, outputs } of nodes) {
    const [input, weights] = inputs.map((at) => tensors[at]);
    if (spelled !== "FULLY_CONNECTED" || input?.type !== "int8") continue;
    if ((weights?.quantization?.scale.length ?? 0) > 1) return tensors[outputs[0] ?? -1]?.name ?? "";
  }
  return undefined;
}

/** Formats that are TFLite with one operator of a compiler's: the family whose delegate has its kernel. */
const compiled: Readonly<Record<string, { readonly family: string; readonly says: string }>> = {
  "edgetpu-tflite": { family: "coral", says: "it is compiled for the Edge TPU" },
  "vela-tflite": { family: "ethos-u", says: "it is compiled by Vela for an Ethos-U" },
  "neutron-tflite": { family: "nxp-neutron", says: "it is compiled for NXP's Neutron" },
};

export const formats: readonly string[] = ["tflite", ...Object.keys(compiled)];

/** Why this device does not take the model, as far as the file tells. */
export function refusal(model: Model, device: string): string | undefined {
  const [family = device] = device.split(":", 1);
  const own = compiled[model.format];
  if (own !== undefined) {
    if (own.family !== family) return `${own.says}, and only the delegate of ${own.family} has a kernel for that`;
  } else {
    const only = delegatedFamilies[family]?.only;
    if (only !== undefined) return `${family} runs only what ${only.compiler} made of a model (${only.format})`;
  }
  const texts = model.graphs[model.main ?? 0];
  const text = texts && [...texts.inputs, ...texts.outputs].find((at) => texts.tensors[at]?.type === "string");
  if (text !== undefined)
    return `its tensor ${texts?.tensors[text]?.name ?? ""} holds texts, which are not given to TFLite here`;
  const flex = model.graphs
    .flatMap(({ nodes }) => nodes)
    .find(({ op, spelled }) => op === undefined && /^Flex[A-Z]/.test(spelled));
  return flex === undefined
    ? undefined
    : `its operator ${flex.spelled} is TensorFlow's, which TFLite has only with the Flex delegate`;
}
