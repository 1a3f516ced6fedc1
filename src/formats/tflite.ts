/**
 * TFLite (LiteRT): a graph for CPU kernels and delegates, in one flatbuffer with its weights. Files compiled for an accelerator are
 * TFLite too, with one operator of its maker: see edgetpu.ts, vela.ts, neutron.ts. https://ai.google.dev/edge/litert
 */

import { model, type Model, type Section } from "../model/graph.ts";
import type { ModelFile } from "./file.ts";
import type { Format } from "./format.ts";
import { readMetadata } from "./tflite/metadata.ts";
import { isTflite, readTflite, type TfliteFile } from "./tflite/read.ts";

const format: Format = {
  id: "tflite",
  name: "TensorFlow Lite / LiteRT",
  vendor: "Google",
  extensions: [".tflite", ".lite"],
  marks: [{ at: 4, is: "TFL3" }],
  shows: "full",
  matches: (file) => (isTflite(file) ? 2 : 0),
  read: (file) => readTfliteModel(file).model,
  sources: [
    "https://github.com/google-ai-edge/LiteRT/blob/main/tflite/converter/schema/schema.fbs",
    "https://github.com/tensorflow/tflite-support/blob/master/tensorflow_lite_support/metadata/metadata_schema.fbs",
  ],
  checked: {
    files: 300,
    says: "26 plain and 13 compiled ones, of TOCO, MLIR, MediaPipe, Vela and edgetpu_compiler, and small ones written with the code of ai-edge-litert 2.3.0 (every table of options, signatures, sparse constants, data behind and beside the flatbuffer): all that its generated reader says; 261 more (test files of LiteRT, tflite-micro, tflite-support, MediaPipe and Coral, wake words) by version, findings, and multiplications counted anew",
  },
};
export default format;

/** The model as any TFLite file is described, and what the compilers' variants need to go on; `known`: custom codes they explain. */
export function readTfliteModel(
  file: ModelFile,
  id = "tflite",
  known: readonly string[] = [],
): { model: Model; tflite: TfliteFile } {
  const tflite = readTflite(file);
  const { used, appended, ...found } = readMetadata(file, tflite);
  const all = new Set([...tflite.used, ...used]);
  tflite.buffers.check(all);
  const custom = [...new Set(tflite.customs.map(({ code }) => code))]
    .filter((code) => !code.startsWith("Flex") && !known.includes(code))
    .sort();
  const sections: Section[] = tflite.buffers.sections(tflite.used, appended);
  if (appended < file.size) {
    const bytes = file.size - appended;
    sections.push({ name: "associated files", kind: "metadata", offset: appended, bytes });
  }
  return {
    tflite,
    model: model(id, {
      ...found,
      sealed: false,
      version: String(tflite.version),
      graphs: tflite.graphs,
      ...(tflite.graphs.length > 0 ? { main: 0 } : {}),
      sections,
      integrity: tflite.integrity,
      needs: tflite.needs,
      unseen: custom.slice(0, 20).map((code) => `what the custom operator ${code} computes: only its own kernel knows`),
    }),
  };
}
