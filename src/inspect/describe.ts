/** From a file to an inspection: find the format, read, check, count. Everything about the machine is joined elsewhere (fit.ts). */

import { FileError } from "../base/errors.ts";
import { detectFormat } from "../formats/detect.ts";
import { openModelFile, type ModelFile } from "../formats/file.ts";
import type { Format } from "../formats/format.ts";
import { formats } from "../formats/index.ts";
import { costOf, countOperators } from "../model/cost.ts";
import type { Graph, Model, Quantization, Tensor } from "../model/graph.ts";
import { checkModel } from "../model/integrity.ts";
import { schemeOf } from "../model/quantization.ts";
import { INSPECTION_SCHEMA, type Inspection, type NoModel, type TensorReport } from "./inspection.ts";

export interface DescribeOptions {
  /** List every tensor. */
  readonly tensors?: boolean;
}

export interface Described {
  readonly model: Model;
  readonly format: Format;
  readonly inspection: Inspection;
}

/** Reads a model file: its graphs, or what a sealed one says of itself. Throws FileError for what is no model, or broken. */
export function readModel(path: string): Model {
  return withFile(path, (file) => {
    const detected = detectFormat(file);
    if (detected.is === "other") throw new FileError(path, noModelSentence(noModel(file, detected.looks)));
    return read(file, detected.format);
  });
}

/** A model with all that can be said of it, or what the file is instead. */
export function describeFile(path: string, options: DescribeOptions = {}): Described | NoModel {
  return withFile(path, (file) => describeOpened(file, options));
}

/** The same of a file that is open, or held in memory. */
export function describeOpened(file: ModelFile, options: DescribeOptions = {}): Described | NoModel {
  const detected = detectFormat(file);
  if (detected.is === "other") return noModel(file, detected.looks);
  const model = read(file, detected.format);
  return { model, format: detected.format, inspection: inspectionOf(file, detected.format, model, options) };
}

export const isModel = (described: Described | NoModel): described is Described => "model" in described;

/** "this.tflite is a Git LFS pointer ...; git lfs pull": without the name, which errors put first. */
export function noModelSentence({ looks }: NoModel): string {
  return `no model: ${looks.says}${looks.cure === undefined ? "" : `; ${looks.cure}`}`;
}

function withFile<T>(path: string, use: (file: ModelFile) => T): T {
  const file = openModelFile(path);
  try {
    return use(file);
  } finally {
    file.close();
  }
}

function read(file: ModelFile, format: Format): Model {
  const model = format.read(file);
  const integrity = checkModel(model, file.size);
  return integrity.length === 0 ? model : { ...model, integrity };
}

const baseName = (path: string): string => path.slice(path.lastIndexOf("/") + 1);

const noModel = (file: ModelFile, looks: NoModel["looks"]): NoModel => ({
  schema: INSPECTION_SCHEMA,
  file: { name: baseName(file.name), bytes: file.size },
  format: null,
  looks,
});

/** The same of a model that lies in no file: one built from its paper. */
export function describeBuilt(model: Model, name: string): Inspection {
  const format = formats.find(({ id }) => id === model.format);
  if (format === undefined) throw new Error(`no format "${model.format}"`);
  return inspectionOf({ name, size: 0 }, format, model, {});
}

function inspectionOf(
  file: Pick<ModelFile, "name" | "size">,
  format: Format,
  model: Model,
  options: DescribeOptions,
): Inspection {
  const main = model.graphs[model.main ?? 0];
  const scheme = schemeOf(model);
  const { version, producer, labels, author, licence, description } = model;
  return {
    schema: INSPECTION_SCHEMA,
    file: { name: baseName(file.name), bytes: file.size },
    format: {
      id: format.id,
      name: format.name,
      vendor: format.vendor,
      ...(version === undefined ? {} : { version }),
      shows: format.shows,
      checked: format.checked.files,
    },
    sealed: model.sealed,
    ...(producer === undefined ? {} : { producer }),
    targets: model.targets,
    requires: model.requires,
    inputs: (model.inputs ?? tensorsAt(main, "inputs")).map(tensorReport),
    outputs: (model.outputs ?? tensorsAt(main, "outputs")).map(tensorReport),
    graphs: model.graphs.map(({ name, nodes, tensors }) => ({
      name,
      operators: nodes.length,
      tensors: tensors.length,
    })),
    operators: countOperators(model),
    ...(scheme === undefined ? {} : { quantization: scheme }),
    cost: costOf(model),
    ...(options.tensors === true
      ? {
          tensors: model.graphs.flatMap((graph, index) =>
            graph.tensors.map((tensor) => ({ graph: index, ...tensorReport(tensor) })),
          ),
        }
      : {}),
    ...(labels === undefined ? {} : { labels }),
    ...(author === undefined ? {} : { author }),
    ...(licence === undefined ? {} : { licence }),
    ...(description === undefined ? {} : { description }),
    metadata: model.metadata,
    sections: model.sections,
    integrity: model.integrity,
    needs: model.needs,
    unseen: model.unseen,
  };
}

const tensorsAt = (graph: Graph | undefined, which: "inputs" | "outputs"): readonly Tensor[] =>
  graph === undefined ? [] : graph[which].map((index) => graph.tensors[index]).filter((tensor) => tensor !== undefined);

/** Without what leads from tensor to tensor. */
function told({ scale, zeroPoint, axis, scheme }: Quantization): Quantization {
  return { scale, zeroPoint, ...(axis === undefined ? {} : { axis }), ...(scheme === undefined ? {} : { scheme }) };
}

function tensorReport({ name, type, spelled, shape, quantization, data, sparse }: Tensor): TensorReport {
  return {
    name,
    type: (type === "unknown" || type === "block") && spelled !== undefined ? spelled : type,
    shape: shape ?? null,
    ...(quantization === undefined ? {} : { quantization: told(quantization) }),
    ...(data === undefined ? {} : { data }),
    ...(sparse === true ? { sparse } : {}),
  };
}
