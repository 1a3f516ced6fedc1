/**
 * OpenVINO IR, versions 5 to 11: the graph as XML, its constants in a .bin beside it.
 * https://docs.openvino.ai/2025/documentation/openvino-ir-format.html
 */

import { utf8 } from "../base/bytes.ts";
import { FileError } from "../base/errors.ts";
import { model, type Graph } from "../model/graph.ts";
import type { Format } from "./format.ts";
import { IrGraphs } from "./openvino/graph.ts";
import { Xml, type XmlOpen } from "./wire/xml.ts";

/** Facts of conversion told: parameters of the Model Optimizer are some fifty. */
const METADATA_KEPT = 200;
const TEXT_KEPT = 1024;
const LABEL_LIMIT = 100_000;

const format: Format = {
  id: "openvino-ir",
  name: "OpenVINO IR",
  vendor: "Intel",
  extensions: [".xml"],
  shows: "full",
  matches(file) {
    const head = utf8(file.head(8192));
    return /^\uFEFF?\s*(?:<\?xml[^>]*\?>\s*)?(?:<!--(?:[^-]|-(?!->))*-->\s*)*<net\s[^>]*\bversion\s*=/.test(head)
      ? 2
      : 0;
  },
  read(file) {
    const xml = new Xml(file);
    const root = xml.next();
    if (root?.kind !== "open" || root.name !== "net")
      throw new FileError(file.name, "the outermost element is no <net>", 0);
    const base = file.name.slice(file.name.lastIndexOf("/") + 1);
    const bin = `${base.replace(/\.xml$/i, "")}.bin`;
    const graphs = new IrGraphs(xml, bin);
    const facts: Facts = { values: new Map(), labels: [] };
    graphs.read(root.attributes["name"] ?? "", (open) => {
      if (open.name === "rt_info" || open.name === "meta_data") readFacts(xml, [], facts);
      else xml.skip();
    });
    const rest = xml.rest();
    if (rest !== undefined) {
      const says = "something follows the end of the network, where XML allows nothing";
      graphs.integrity.push({ severity: "error", rule: "xml/trailing", says, offset: rest });
    }
    const [main] = graphs.graphs;
    const hasWeights = graphs.graphs.some(({ tensors }) => tensors.some(({ data }) => data !== undefined));
    const version = root.attributes["version"];
    return model("openvino-ir", {
      ...(version === undefined ? {} : { version }),
      sealed: false,
      ...producer(facts.values),
      graphs: graphs.graphs,
      main: 0,
      metadata: {
        ...quantisation(graphs.graphs),
        ...opsets(main),
        ...Object.fromEntries([...facts.values].slice(0, METADATA_KEPT)),
      },
      ...(facts.labels.length > 0 ? { labels: facts.labels } : {}),
      sections: [{ name: "graph", kind: "graph", offset: 0, bytes: file.size }],
      integrity: graphs.integrity,
      needs: hasWeights ? [bin] : [],
    });
  },
  sources: ["https://docs.openvino.ai/2025/documentation/openvino-ir-format.html"],
  checked: {
    files: 2,
    says: "two published files, version 10; and files such as OpenVINO 2026.4.1 writes, version 11 (open dimensions and ranks, every type, weights of four bits, a branch, a loop): operators, wiring, types, shapes and extents are what it reads back; by hand also 1,750 ONNX and TFLite files it converted, whose operations count the same in both",
  },
};
export default format;

interface Facts {
  readonly values: Map<string, string>;
  labels: readonly string[];
}

/** rt_info: `<key value="..."/>`, `<info name="key" value="..."/>`, or nested; told by their path. */
function readFacts(xml: Xml, path: readonly string[], facts: Facts): void {
  for (let event = xml.next(); event !== undefined && event.kind !== "close"; event = xml.next()) {
    if (event.kind === "text") tell(path, event.text.trim(), facts);
    else {
      const inner = [...path, keyOf(event)];
      const { value } = event.attributes;
      if (value !== undefined) tell(inner, value, facts);
      readFacts(xml, inner, facts);
    }
  }
}

const keyOf = (open: XmlOpen): string =>
  (open.name === "info" ? (open.attributes["name"] ?? "info") : open.name).slice(0, 80);

function tell(path: readonly string[], value: string, facts: Facts): void {
  const key = path.join("/");
  if (key === "model_info/labels") facts.labels = value.split(/\s+/).filter(Boolean).slice(0, LABEL_LIMIT);
  else if (key !== "" && value !== "" && facts.values.size < METADATA_KEPT)
    facts.values.set(key, value.slice(0, TEXT_KEPT));
}

function producer(values: ReadonlyMap<string, string>): { producer?: { name: string; version: string } } {
  const runtime = values.get("OpenVINO Runtime") ?? values.get("Runtime_version");
  if (runtime !== undefined) return { producer: { name: "OpenVINO", version: runtime } };
  const optimizer = values.get("MO_version");
  return optimizer === undefined ? {} : { producer: { name: "OpenVINO Model Optimizer", version: optimizer } };
}

function opsets(graph: Graph | undefined): { opsets?: string } {
  const sets = new Set(graph?.nodes.flatMap(({ domain }) => (domain === undefined ? [] : [domain])));
  return sets.size === 0 ? {} : { opsets: [...sets].sort(byNumber).slice(0, 40).join(", ") };
}

const byNumber = (a: string, b: string): number => a.localeCompare(b, "en", { numeric: true });

/**
 * In words: FakeQuantize with its levels stands where values are rounded to integers when run; a constant of few bits behind which a
 * Convert stands is a compressed weight.
 */
function quantisation(graphs: readonly Graph[]): { quantisation?: string } {
  const levels = new Map<string, number>();
  const compressed = new Map<string, number>();
  for (const { nodes, tensors } of graphs) {
    const constants = new Set(nodes.filter(({ op }) => op === "Constant").flatMap(({ outputs }) => outputs));
    for (const { spelled, attributes, inputs } of nodes) {
      if (spelled === "FakeQuantize") count(levels, String(attributes["levels"] ?? "?"));
      const tensor = tensors[inputs[0] ?? -1];
      if (spelled !== "Convert" || tensor === undefined || !constants.has(inputs[0] ?? -1)) continue;
      const type = tensor.type === "unknown" ? (tensor.spelled ?? "") : tensor.type;
      // Shapes and indexes are converted too; those are int32 and int64.
      if (!/64|32|bool/.test(type)) count(compressed, type);
    }
  }
  const words = [
    ...[...levels].map(([level, times]) => `FakeQuantize to ${level} levels, ${times} times`),
    ...[...compressed].map(([type, times]) => `${times} weights compressed to ${type}`),
  ];
  return words.length === 0 ? {} : { quantisation: words.join("; ") };
}

function count(map: Map<string, number>, key: string): void {
  map.set(key, (map.get(key) ?? 0) + 1);
}
