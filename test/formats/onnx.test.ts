/**
 * ONNX against the onnx package: what it says of published files, and of small ones it wrote (tools/onnx-oracle.py,
 * tools/onnx-samples.py), equals what we read, aspect by aspect.
 */

import { createHash } from "node:crypto";
import * as fs from "node:fs";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { modelFileOf, openModelFile, type ModelFile } from "../../src/formats/file.ts";
import onnx from "../../src/formats/onnx.ts";
import type { Attribute, Graph, Model, Tensor } from "../../src/model/graph.ts";
import { inspect } from "../../src/inspect/inspect.ts";
import { costOf } from "../../src/model/cost.ts";
import { hasShared, sharedPath, unlessShared } from "../support/shared.ts";
import { refused, samples } from "./samples/onnx.ts";
import type { Samples } from "./samples/samples.ts";

vi.mock("node:fs", { spy: true });

interface Said {
  readonly version: string;
  readonly producer: string;
  readonly graphs: number;
  readonly ends: string;
  readonly operators: string;
  readonly attributes: string;
  readonly data: string;
  readonly metadata: string;
  /** Graph, name, type and shape of what the file declares: "?" is open. */
  readonly declared: readonly string[];
  /** Graph, name, scales and zero points where both are constants. */
  readonly quantised: readonly string[];
  /** Shapes of what the nodes of each graph give, as the package infers them; null where it refuses. */
  readonly inferred: readonly string[] | null;
  readonly checker: string;
}

const oracle = JSON.parse(readFileSync(new URL("onnx-oracle.json", import.meta.url), "utf8")) as Readonly<
  Record<string, Said>
>;
const said = (path: string): Said => {
  const found = oracle[path];
  if (!found) throw new Error(`the oracle says nothing of ${path}`);
  return found;
};
const rowsDigest = (rows: readonly string[]): string =>
  createHash("sha256").update(rows.join("\n")).digest("hex").slice(0, 16);

/** As tools/onnx-oracle.py: integers as such, what is none by its float32 bits. */
function number(value: number): string {
  if (Number.isSafeInteger(value)) return String(value);
  const view = new DataView(new ArrayBuffer(4));
  view.setFloat32(0, value);
  return view.getUint32(0).toString(16).padStart(8, "0");
}

function attribute(value: Attribute): string {
  if (typeof value === "bigint") return number(Number(value));
  if (typeof value === "number") return number(value);
  if (typeof value !== "object") return String(value);
  return `[${value.map((one: number | string) => (typeof one === "number" ? number(one) : one)).join(",")}]`;
}

const at = (graph: Graph, index: number): string => (index < 0 ? "" : (graph.tensors[index]?.name ?? "?"));
const ends = (graph: Graph, list: readonly number[]): string => `(${list.map((index) => at(graph, index)).join(",")})`;

function data(file: ModelFile, tensor: Tensor): string {
  const { name, type, spelled, shape = [], data: lies } = tensor;
  const summary = `${name} ${type === "unknown" ? (spelled ?? "?") : type}[${shape.join(",")}]`;
  if (tensor.sparse === true) return `${summary} ${lies?.bytes ?? 0} sparse`;
  if (lies?.file !== undefined) return `${summary} ${lies.file} ${lies.offset ?? 0} ${lies.bytes}`;
  if (lies?.offset === undefined) return `${summary} -`;
  const bytes = file.slice(lies.offset, lies.bytes);
  return `${summary} ${lies.bytes} ${createHash("sha256").update(bytes).digest("hex").slice(0, 8)}`;
}

const byName = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

function aspects(file: ModelFile, model: Model): Record<string, unknown> {
  const { graphs } = model;
  return {
    version: model.version,
    producer: [model.producer?.name, model.producer?.version].filter((word) => word !== undefined).join(" "),
    graphs: graphs.length,
    ends: rowsDigest(graphs.map((graph) => `${graph.name} ${ends(graph, graph.inputs)} ${ends(graph, graph.outputs)}`)),
    operators: rowsDigest(
      graphs.flatMap((graph) =>
        graph.nodes.map(
          ({ domain = "", spelled, name = "", version = "", inputs, outputs }) =>
            `${domain}:${spelled} ${name} ${version} ${ends(graph, inputs)} ${ends(graph, outputs)}`,
        ),
      ),
    ),
    attributes: rowsDigest(
      graphs.flatMap(({ nodes }) =>
        nodes.map(({ attributes }) =>
          Object.keys(attributes)
            .sort(byName)
            .map((key) => `${key}=${attribute(attributes[key] ?? "")}`)
            .join(" "),
        ),
      ),
    ),
    data: rowsDigest(
      graphs.flatMap(({ tensors }) =>
        tensors
          .filter((tensor) => tensor.data !== undefined)
          .sort((a, b) => Number(a.sparse ?? false) - Number(b.sparse ?? false) || byName(a.name, b.name))
          .map((tensor) => data(file, tensor)),
      ),
    ),
    metadata: rowsDigest(
      Object.keys(model.metadata)
        .sort(byName)
        .map((key) => `${key}=${model.metadata[key] ?? ""}`),
    ),
  };
}

/** Declared types and shapes; where the file leaves a dimension open, what we worked out may stand. */
function declaredOtherwise(model: Model, declared: readonly string[]): string[] {
  return declared.filter((row) => {
    const [graph = "", name = "", value = ""] = row.split("\t");
    const tensor = model.graphs[Number(graph)]?.tensors.find((one) => one.name === name);
    if (!tensor) return true;
    const type = tensor.type === "unknown" ? (tensor.spelled ?? "?") : tensor.type;
    const shape = /\[([^[\]]*)\]$/.exec(value);
    if (!shape) return type !== value;
    const dimensions = shape[1] === "" ? [] : (shape[1] ?? "").split(",");
    return !(
      type === value.slice(0, shape.index) &&
      tensor.shape?.length === dimensions.length &&
      dimensions.every((one, index) => one === "?" || one === String(tensor.shape?.[index]))
    );
  });
}

/** Tensors whose scales are constants, in each graph by name. */
const quantised = (model: Model): string[] =>
  model.graphs.flatMap(({ tensors, nodes, inputs }, index) => {
    // What graphs around this one give is told there
    const own = new Set([...inputs, ...nodes.flatMap((node) => [...node.outputs])]);
    return tensors
      .filter((tensor, at) => tensor.quantization !== undefined && (own.has(at) || tensor.data !== undefined))
      .sort((a, b) => byName(a.name, b.name))
      .map(({ name, quantization: { scale = [], zeroPoint = [], scheme } = {} }) => {
        const values = `[${scale.map(number).join(",")}][${zeroPoint.map(number).join(",")}]`;
        return `${index}\t${name}\t${scheme === undefined ? values : "blocks"}`;
      });
  });

/** Where both know a dimension they must agree; what the package knows and we do not is counted. */
function compareShapes(model: Model, inferred: readonly string[]): { wrong: string[]; missing: number; known: number } {
  const wrong: string[] = [];
  let missing = 0;
  let known = 0;
  inferred.forEach((row, index) => {
    const graph = model.graphs[index];
    const outputs = graph?.nodes.flatMap((node) => node.outputs) ?? [];
    row.split(" ").forEach((text, position) => {
      const tensor = graph?.tensors[outputs[position] ?? -1];
      if (text === "-" || !tensor) return;
      const shape = text === "()" ? [] : text.split(",");
      const closed = !shape.includes("?");
      if (closed) known++;
      if (tensor.shape === undefined || (closed && tensor.shape.some((one) => typeof one !== "number"))) {
        if (closed) missing++;
      }
      const differs =
        tensor.shape !== undefined &&
        (tensor.shape.length !== shape.length ||
          shape.some((one, axis) => {
            const ours = tensor.shape?.[axis];
            return one !== "?" && typeof ours === "number" && String(ours) !== one;
          }));
      if (differs) wrong.push(`${index} ${tensor.name}: ${text}, we say ${tensor.shape.join(",")}`);
    });
  });
  return { wrong, missing, known };
}

/** Gives how many shapes the package knows, and how many of them we do not. */
function holds(path: string, file: ModelFile): { known: number; missing: number } {
  const found = said(path);
  const model = onnx.read(file);
  const { declared, quantised: scales, inferred, checker, ...digests } = found;
  expect(aspects(file, model)).toEqual(digests);
  expect(declaredOtherwise(model, declared)).toEqual([]);
  expect(quantised(model)).toEqual(scales);
  const errors = model.integrity.filter(({ severity }) => severity === "error");
  if (checker === "ok") expect(errors).toEqual([]);
  const { wrong, ...counts } = compareShapes(model, inferred ?? []);
  expect(wrong).toEqual([]);
  return counts;
}

describe.skipIf(!hasShared)(`ONNX and the onnx package${unlessShared}`, () => {
  const here = Object.keys(oracle).filter(
    (path) => !path.startsWith("samples/") && existsSync(sharedPath(`models/${path}`)),
  );

  it("most files of the oracle are at hand", () => {
    expect(here.length).toBeGreaterThan(25);
  });

  const counts = { known: 0, missing: 0 };

  it.each(here)("%s", (path) => {
    const file = openModelFile(sharedPath(`models/${path}`));
    try {
      const { known, missing } = holds(path, file);
      counts.known += known;
      counts.missing += missing;
    } finally {
      file.close();
    }
  });

  it("of the shapes the package infers nearly all are known here: what branches give is not merged", () => {
    expect(counts.known).toBeGreaterThan(1000);
    expect(counts.missing / counts.known).toBeLessThan(0.03);
  });
});

describe("what the onnx package writes", () => {
  it.each(Object.entries(samples))("%s", (name, make) => {
    holds(`samples/${name}`, modelFileOf(make(), name));
  });
});

/** What the package's checker refuses (it lets a type that does not exist pass), and the rule it breaks here. */
const rules: Readonly<Record<string, string>> = {
  "broken-external-parent.onnx": "external/outside",
  "broken-external-inner-parent.onnx": "external/outside",
  "broken-external-absolute.onnx": "external/outside",
  "broken-external-drive.onnx": "external/outside",
  "broken-external-share.onnx": "external/outside",
  "broken-order.onnx": "graph/order",
  "broken-dangling.onnx": "tensor/dangling",
  "broken-twice.onnx": "tensor/defined-twice",
  "broken-shadow.onnx": "tensor/defined-twice",
  "broken-no-data.onnx": "tensor/no-data",
  "broken-data-twice.onnx": "tensor/data-twice",
  "broken-field.onnx": "tensor/data-field",
  "broken-size.onnx": "extent/wrong-size",
  "broken-type.onnx": "tensor/type",
  "broken-opset.onnx": "opset/missing",
  "broken-attribute.onnx": "attribute/type",
  "broken-sparse.onnx": "tensor/sparse",
  "broken-version.onnx": "model/no-version",
};

describe("what the onnx package refuses is an error", () => {
  it.each(Object.entries(refused))("%s", (name, make) => {
    const errors = onnx.read(modelFileOf(make(), name)).integrity.filter(({ severity }) => severity === "error");
    expect(errors.map(({ rule }) => rule)).toContain(rules[name]);
    expect(said(`samples/${name}`).checker === "ok").toBe(name === "broken-type.onnx");
  });
});

describe("external data", () => {
  const make = (which: Samples, name: string): Uint8Array => which[name]?.() ?? new Uint8Array();

  it("is told with its file, its place and its size", () => {
    const read = onnx.read(modelFileOf(make(samples, "external.onnx"), "external.onnx"));
    expect(read.needs).toEqual(["weights/w.bin"]);
    expect(read.graphs[0]?.tensors.find(({ name }) => name === "w")?.data).toEqual({
      file: "weights/w.bin",
      offset: 4096,
      bytes: 48,
    });
    expect(costOf(read)).toMatchObject({ macs: 12, parameters: 12, weight_bytes: 48 });
  });

  it("that leaves the folder is no file the model needs", () => {
    for (const name of Object.keys(refused).filter((one) => one.startsWith("broken-external"))) {
      expect(onnx.read(modelFileOf(make(refused, name), name)).needs, name).toEqual([]);
    }
  });

  it("is never opened, a link in its place is not followed", () => {
    const folder = mkdtempSync(join(tmpdir(), "accelctl-onnx-"));
    try {
      const path = join(folder, "external.onnx");
      writeFileSync(path, make(samples, "external.onnx"));
      mkdirSync(join(folder, "weights"));
      symlinkSync("/etc/passwd", join(folder, "weights/w.bin"));
      vi.mocked(fs.openSync).mockClear();
      const { needs, integrity } = inspect(path);
      expect(vi.mocked(fs.openSync).mock.calls.map(([opened]) => opened)).toEqual([path]);
      expect(needs).toEqual(["weights/w.bin"]);
      expect(integrity).toEqual([]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
