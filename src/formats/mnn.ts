/**
 * MNN: Alibaba's networks for phones and boards, a FlatBuffer without a mark of its own. Weights stand in it or in a file beside it
 * (NAME.mnn.weight). Schema: https://github.com/alibaba/MNN schema/default (Apache-2.0), see mnn/schema.ts.
 */

import { FileError } from "../base/errors.ts";
import { model, type Section } from "../model/graph.ts";
import type { ModelFile } from "./file.ts";
import type { Format } from "./format.ts";
import { attributesOf, fieldsOf, idOf, wordOf } from "./mnn/fields.ts";
import { opType, readGraphs } from "./mnn/read.ts";
import { opParameters } from "./mnn/schema.ts";
import { FlatBuffer } from "./wire/flatbuffer.ts";

/** Operators looked at before a file is taken for one. */
const LOOKED_AT = 4;
const OPERATOR_LIMIT = 250_000;

const format: Format = {
  id: "mnn",
  name: "MNN",
  vendor: "Alibaba",
  extensions: [".mnn"],
  shows: "full",
  matches: (file) => (isMnn(file) ? 1 : 0),
  read(file) {
    const root = new FlatBuffer(file).root();
    const weightFile = `${file.name.slice(file.name.lastIndexOf("/") + 1)}.weight`;
    const { graphs, integrity, custom, outside } = readGraphs(root, weightFile);
    const { extraInfo, ...said } = { extraInfo: root.table(idOf("Net", "extraInfo")), ...attributesOf("Net", root) };
    const version = extraInfo?.string(idOf("ExtraInfo", "version"));
    const text = (key: string): Record<string, string> => {
      const value = (said as Record<string, unknown>)[key];
      return typeof value === "string" && value !== "" ? { [key]: value } : {};
    };
    const sections: Section[] = [{ name: "flatbuffer", kind: "graph", offset: 0, bytes: file.size }];
    return model("mnn", {
      sealed: false,
      ...(version === undefined ? {} : { version }),
      producer: { name: "MNN", ...(version === undefined ? {} : { version }) },
      graphs,
      main: 0,
      metadata: {
        "converted from": wordOf(root, "Net", "sourceType"),
        usage: wordOf(root, "Net", "usage"),
        ...text("bizCode"),
        ...text("mnn_uuid"),
      },
      sections,
      integrity,
      needs: outside,
      unseen: [
        "shapes between operators: the runtime finds them, and what follows from the inputs is told here",
        ...custom.slice(0, 20).map((name) => `what the plug-in ${name} computes`),
      ],
    });
  },
  sources: ["https://github.com/alibaba/MNN/tree/master/schema/default"],
  checked: {
    files: 78,
    says: "74 files that MNN 3.6.1's converter makes of ONNX and TFLite (float32, float16, 8 and 4 bits, weights beside it), operator by operator as its own dump has them, multiply-accumulates as of what they were made of; 4 of its repository's benchmarks",
  },
};
export default format;

/** A root as the schema has it, and operators whose types, parameters and tensors fit each other: no other file is so by chance. */
function isMnn(file: ModelFile): boolean {
  if (file.size < 64) return false;
  const start = file.cursor(0, 8).u32();
  if (start < 12 || start > 4096 || start % 2 !== 0 || start + 4 > file.size) return false;
  try {
    const buffer = new FlatBuffer(file);
    const root = buffer.root();
    const known = fieldsOf("Net").size;
    // A later schema may have some more.
    if (root.fields < 4 || root.fields > known + 4) return false;
    const names = root.vector(idOf("Net", "tensorName"), 4);
    const operators = root.vector(idOf("Net", "oplists"), 4);
    if (names === undefined || operators === undefined || names.count === 0 || operators.count === 0) return false;
    if (
      operators.count > OPERATOR_LIMIT ||
      root.i8(idOf("Net", "sourceType")) < 0 ||
      root.i8(idOf("Net", "sourceType")) > 8
    )
      return false;
    buffer.string(names.at);
    for (let i = 0; i < Math.min(LOOKED_AT, operators.count); i++) {
      const table = buffer.table(buffer.follow(operators.at + i * 4));
      if (table.fields > fieldsOf("Op").size + 4) return false;
      const type = opType(table.i32(idOf("Op", "type")));
      const kind = table.u8(idOf("Op", "main_type"));
      const outputs = table.i32s(idOf("Op", "outputIndexes"), 4096, "outputs");
      if (type === undefined || kind >= opParameters.length + 16 || outputs === undefined) return false;
      if (outputs.some((index) => index < 0 || index >= names.count)) return false;
      table.string(idOf("Op", "name"));
    }
    return true;
  } catch (error) {
    if (error instanceof FileError) return false;
    throw error;
  }
}
