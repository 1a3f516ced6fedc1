/**
 * ModelProto: the outermost message of an ONNX file, and of formats built on it (axmodel). Schema as in tensor.ts.
 */

import { FileError } from "../../base/errors.ts";
import { model, type Graph, type Model, type Section, type Target } from "../../model/graph.ts";
import type { ModelFile } from "../file.ts";
import { BYTES, glimpse, protobuf, VARINT, type Glimpse, type Message } from "../wire/protobuf.ts";
import { checkFlow, checkUnused, finishNodes } from "./check.ts";
import { Context, label, type Draft } from "./draft.ts";
import { readFunction, readGraph, readOpset } from "./graph.ts";
import { attachQuantization } from "./quantization.ts";
import { inferShapes } from "./shapes.ts";
import { readEntry } from "./tensor.ts";

/** ModelProto's fields by number, with their wire type. */
const modelFields: Readonly<Partial<Record<number, number>>> = {
  1: VARINT, // ir_version
  2: BYTES, // producer_name
  3: BYTES, // producer_version
  4: BYTES, // domain
  5: VARINT, // model_version
  6: BYTES, // doc_string
  7: BYTES, // graph
  8: BYTES, // opset_import
  14: BYTES, // metadata_props
  20: BYTES, // training_info
  25: BYTES, // functions
  26: BYTES, // configuration
};
/** GraphProto's fields: 1 node .. 16 metadata_props; 3, 4, 6 to 9 are reserved. */
const graphFields: ReadonlySet<number> = new Set([1, 2, 5, 10, 11, 12, 13, 14, 15, 16]);
/** Newest IR version of onnx 1.23; a number far beyond is no IR version. */
const NEWEST_IR = 14;
const IR_LIMIT = 1000;
/** Outermost fields: opsets, metadata, functions. */
const TOP_LIMIT = 100_000;
/** Bytes of the documentation that are kept. */
const DOC_LIMIT = 16 * 1024;
/** protobuf's own parsers take no message beyond this. */
const PROTOBUF_LIMIT = 2 ** 31 - 1;
/** Runs of initializers told as sections; more means that they are interleaved, and no section says it well. */
const RUNS_LIMIT = 16;

/** How sure it is that a file holds a ModelProto: 2 when its fields and its graph's fields are ONNX's, 1 when it is cut short. */
export function looksLikeOnnx(file: ModelFile): 0 | 1 | 2 {
  const [first = 0] = file.head(1);
  // Tags of the fields above; most files are told apart by this byte alone
  if ((first & 7) !== VARINT && (first & 7) !== BYTES) return 0;
  const seen = glimpse(file, 64);
  if (!seen || !seen.fields.every((field) => modelFields[field.field] === field.wire)) return 0;
  const of = (number: number): Glimpse | undefined => seen.fields.find(({ field }) => field === number);
  const version = of(1)?.value;
  if (version !== undefined && (version < 1 || version > IR_LIMIT)) return 0;
  const graph = of(7);
  if (graph) return isGraph(file, graph) && (version !== undefined || of(8)) ? 2 : 0;
  // Without a graph: a file cut short, whose graph or opset begins and does not end
  if (!seen.cut || version === undefined) return 0;
  return seen.cutIn === 7 && file.extension === ".onnx"
    ? 2
    : seen.cutIn !== undefined && modelFields[seen.cutIn] === BYTES
      ? 1
      : 0;
}

function isGraph(file: ModelFile, { start, length }: Glimpse): boolean {
  if (length === 0) return true;
  try {
    const graph = protobuf(file, start, length);
    return graph.next() && graphFields.has(graph.field) && graph.wire === BYTES;
  } catch (error) {
    if (error instanceof FileError) return false;
    throw error;
  }
}

interface Top {
  version?: number;
  producer: string;
  producerVersion: string;
  domain: string;
  modelVersion: number;
  doc: string;
  graph?: Message;
  graphAt: number;
  readonly opsets: Map<string, number>;
  readonly metadata: Record<string, string>;
  readonly training: Message[];
  readonly functions: Message[];
}

/** Read a file whose outermost message is a ModelProto. */
export function readOnnx(file: ModelFile, format: string): Model {
  const context = new Context(file);
  const top = readTop(file, context);
  if (!top.graph) throw new FileError(file.name, "an ONNX model without a graph", file.size);
  readGraph(top.graph, context.draft(), context);
  const functions = new Map<string, number>();
  for (const message of top.functions) {
    const draft = context.draft();
    functions.set(readFunction(message, draft, context), context.drafts.length - 1);
  }
  for (const message of top.training) readTraining(message, context);
  for (const draft of context.drafts) finishNodes(draft, context, top.opsets, functions);
  // A body is finished when its operator is met: what it takes from outside, scales too, has been read, and what it gives is needed
  const finished = new Set<Draft>();
  const finishDraft = (draft: Draft): void => {
    if (finished.has(draft)) return;
    finished.add(draft);
    checkFlow(draft, context);
    attachQuantization(draft, context);
    inferShapes(draft, context, finishDraft);
  };
  context.drafts.forEach(finishDraft);
  for (const draft of context.drafts) checkUnused(draft, context);
  checkTop(top, context);
  const compiled = epContexts(context);
  const { metadata } = top;
  const author = metadata["model_author"] ?? metadata["author"];
  const licence = metadata["model_license"] ?? metadata["license"];
  const labels = readLabels(metadata["names"]);
  return model(format, {
    sealed: false,
    ...(top.version === undefined ? {} : { version: `IR ${top.version}` }),
    ...(top.producer === ""
      ? {}
      : { producer: { name: top.producer, ...(top.producerVersion === "" ? {} : { version: top.producerVersion }) } }),
    graphs: context.drafts.map(finish),
    main: 0,
    metadata: describe(top),
    ...(labels ? { labels } : {}),
    ...(author === undefined ? {} : { author }),
    ...(licence === undefined ? {} : { licence }),
    ...(top.doc === "" ? {} : { description: top.doc }),
    sections: sections(top, context),
    integrity: context.findings.list(),
    needs: [...context.needs],
    targets: compiled.targets,
    unseen: compiled.unseen,
  });
}

function readTop(file: ModelFile, context: Context): Top {
  const top: Top = {
    producer: "",
    producerVersion: "",
    domain: "",
    modelVersion: 0,
    doc: "",
    graphAt: 0,
    opsets: new Map(),
    metadata: {},
    training: [],
    functions: [],
  };
  const message = protobuf(file);
  let fields = 0;
  while (message.next()) {
    if (++fields > TOP_LIMIT) message.fail(`more than ${TOP_LIMIT} fields in the outermost message`);
    switch (message.field) {
      case 1:
        top.version = message.int();
        break;
      case 2:
        top.producer = message.stringStart(1024);
        break;
      case 3:
        top.producerVersion = message.stringStart(1024);
        break;
      case 4:
        top.domain = message.stringStart(1024);
        break;
      case 5:
        top.modelVersion = message.int();
        break;
      case 6:
        top.doc = message.stringStart(DOC_LIMIT);
        break;
      case 7:
        if (top.graph) context.findings.add("error", "graph/twice", "the file holds more than one graph", message.at);
        top.graph = message.message();
        top.graphAt = message.at;
        break;
      case 8:
        readOpset(message.message(), top.opsets);
        break;
      case 14:
        readEntry(message.message(), top.metadata);
        break;
      case 20:
        top.training.push(message.message());
        break;
      case 25:
        top.functions.push(message.message());
        break;
      case 26:
        message.skim();
        break;
      default:
        context.findings.add(
          "warning",
          "protobuf/unknown-field",
          `field ${message.field} of the model is not in the schema`,
          message.at,
        );
    }
  }
  return top;
}

/** TrainingInfoProto: 1 initialization, 2 algorithm. They see the main graph's values. */
function readTraining(message: Message, context: Context): void {
  while (message.next()) {
    if (message.field !== 1 && message.field !== 2) continue;
    const draft = context.draft(context.drafts[0]);
    readGraph(message.message(), draft, context);
    if (draft.name === "") draft.name = message.field === 1 ? "training: initialization" : "training: algorithm";
  }
}

function checkTop(top: Top, context: Context): void {
  const { findings, file } = context;
  if (top.version === undefined) findings.add("error", "model/no-version", "no IR version is given");
  else if (top.version < 1) findings.add("error", "model/version", `an IR version of ${top.version}`);
  else if (top.version > NEWEST_IR)
    findings.add(
      "warning",
      "model/version",
      `IR version ${top.version} is newer than the ${NEWEST_IR} this reader knows`,
    );
  if ((top.version ?? 0) >= 3 && top.opsets.size === 0) findings.add("error", "opset/missing", "no opset is named");
  for (const [domain, version] of top.opsets) {
    if (version < 1 || version > 100_000)
      findings.add(
        "error",
        "opset/version",
        `opset ${label(domain === "" ? "ai.onnx" : domain)} of version ${version}`,
      );
  }
  if (file.size > PROTOBUF_LIMIT)
    findings.add(
      "error",
      "protobuf/too-large",
      `${file.size} bytes in one protobuf message: its parsers stop at 2 GiB`,
    );
  const main = context.drafts[0];
  if (main?.nodes.length === 0) findings.add("warning", "graph/empty", "the graph has no operators");
  if (main?.outputs.length === 0) findings.add("error", "graph/no-output", "the graph has no outputs");
}

function describe(top: Top): Record<string, string> {
  const out: Record<string, string> = {};
  for (const [domain, version] of top.opsets) out[`opset ${domain === "" ? "ai.onnx" : domain}`] = `${version}`;
  if (top.domain !== "") out["domain"] = top.domain;
  if (top.modelVersion !== 0) out["model version"] = `${top.modelVersion}`;
  return { ...out, ...top.metadata };
}

/** Ultralytics writes {0: 'person', 1: 'bicycle'} under "names". */
function readLabels(names: string | undefined): string[] | undefined {
  if (names?.startsWith("{") !== true) return undefined;
  const labels = [...names.matchAll(/\d+:\s*(?:'([^']*)'|"([^"]*)")/g)].map(
    ([, single, double]) => single ?? double ?? "",
  );
  return labels.length > 0 ? labels : undefined;
}

/** Execution providers that onnxruntime names in EPContext nodes, with the family of the catalogue their blob is for. */
const providers: Readonly<Record<string, string>> = {
  QNN: "qualcomm",
  QNNExecutionProvider: "qualcomm",
  OpenVINOExecutionProvider: "intel-npu",
  VitisAIExecutionProvider: "amd-xdna",
};

/** EPContext nodes (com.microsoft): a part compiled for one accelerator, inside or beside the file. */
function epContexts(context: Context): { readonly targets: Target[]; readonly unseen: string[] } {
  const targets = new Map<string, Target>();
  let count = 0;
  for (const draft of context.drafts) {
    for (const { spelled, attributes } of draft.nodes) {
      if (spelled !== "EPContext") continue;
      count++;
      const { source, embed_mode: embedded, ep_cache_context: cache, hardware_architecture: hardware } = attributes;
      const provider = typeof source === "string" ? source : "";
      const says = [provider, typeof hardware === "string" ? hardware : ""].filter((word) => word !== "").join(" ");
      const family = Object.hasOwn(providers, provider) ? providers[provider] : undefined;
      if (says !== "") targets.set(says, { says, ...(family === undefined ? {} : { family }) });
      if (embedded !== 0 || typeof cache !== "string" || cache === "") continue;
      if (/^\/|^[A-Za-z]:|(?:^|[/\\])\.\.(?:[/\\]|$)/.test(cache)) {
        const says = `an EPContext node names ${label(cache)}, outside of the model's folder`;
        context.findings.add("error", "external/outside", says);
      } else context.needs.add(cache);
    }
  }
  const unseen =
    count === 0
      ? []
      : [
          `what ${count === 1 ? "the EPContext node holds" : `${count} EPContext nodes hold`}: compiled for one accelerator`,
        ];
  return { targets: [...targets.values()], unseen };
}

function sections(top: Top, context: Context): Section[] {
  const from = top.graphAt;
  const to = top.graph?.end ?? from;
  const runs = context.weights.length <= RUNS_LIMIT ? context.weights : [];
  const out: Section[] = [];
  const add = (name: string, kind: Section["kind"], start: number, end: number): void => {
    if (end > start) out.push({ name, kind, offset: start, bytes: end - start });
  };
  add("model", "metadata", 0, from);
  let at = from;
  for (const run of runs) {
    add("graph", "graph", at, run.from);
    add("initializers", "weights", run.from, run.to);
    at = run.to;
  }
  add("graph", "graph", at, to);
  add("model", "metadata", to, context.file.size);
  return out;
}

/** What was gathered, without what only reading needs. */
function finish({ name, tensors, nodes, inputs, outputs }: Draft): Graph {
  return { name, tensors, nodes, inputs, outputs };
}
