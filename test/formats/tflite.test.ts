/**
 * TFLite against the schema's own generated reader: digests of what it says of each real file (tools/tflite-oracle.py) equal those of
 * what we read, aspect by aspect.
 */

import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { openModelFile } from "../../src/formats/file.ts";
import tflite from "../../src/formats/tflite.ts";
import { hasShared, sharedPath, unlessShared } from "../support/shared.ts";

const oracle = JSON.parse(readFileSync(new URL("tflite-oracle.json", import.meta.url), "utf8")) as Readonly<
  Record<string, Readonly<Record<string, string>>>
>;

const digest = (rows: readonly string[]): string =>
  createHash("sha256").update(rows.join("\n")).digest("hex").slice(0, 16);
const ints = (values: readonly unknown[]): string => `[${values.join(",")}]`;
/** Bit patterns of float32: what text would round. */
const bits = (values: readonly number[]): string =>
  ints(
    values.map((value) => {
      const view = new DataView(new ArrayBuffer(4));
      view.setFloat32(0, value);
      return view.getUint32(0).toString(16).padStart(8, "0");
    }),
  );

describe.skipIf(!hasShared)(`TFLite and the schema's own reader${unlessShared}`, () => {
  const here = Object.keys(oracle).filter((path) => existsSync(sharedPath(`models/${path}`)));

  it("most files of the oracle are at hand", () => {
    expect(here.length).toBeGreaterThan(25);
  });

  it.each(here)("%s", (path) => {
    const file = openModelFile(sharedPath(`models/${path}`));
    try {
      const { graphs } = tflite.read(file);
      const tensors = graphs.flatMap((graph) => graph.tensors);
      const nodes = graphs.flatMap((graph) => graph.nodes);
      const zeros = tensors.map(({ quantization: q }) => ints(q && q.scale.length > 0 ? q.zeroPoint : []));
      expect({
        names: digest(tensors.map((tensor) => tensor.name)),
        types: digest(tensors.map((tensor) => tensor.type.toUpperCase())),
        shapes: digest(tensors.map((tensor) => ints((tensor.shape ?? []).map((d) => d ?? -1)))),
        scales: digest(tensors.map((tensor) => bits(tensor.quantization?.scale ?? []))),
        zeros: digest(zeros),
        axes: digest(tensors.map(({ quantization: q }) => (q && q.scale.length > 1 ? String(q.axis ?? 0) : ""))),
        bytes: digest(tensors.map((tensor) => String(tensor.data?.bytes ?? 0))),
        operators: digest(nodes.map((node) => `${node.spelled} ${node.version ?? ""}`)),
        wiring: digest(nodes.map((node) => ints(node.inputs) + ints(node.outputs))),
        ends: digest(graphs.map((graph) => graph.name + ints(graph.inputs) + ints(graph.outputs))),
      }).toEqual(Object.fromEntries(Object.entries(oracle[path] ?? {}).filter(([aspect]) => aspect !== "options")));
    } finally {
      file.close();
    }
  });
});
