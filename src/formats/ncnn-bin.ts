/**
 * ncnn .bin: weights of a .param beside it, one after the other, each behind a tag that says how it is stored. Sizes and names are in
 * the .param. https://github.com/Tencent/ncnn/blob/master/docs/developer-guide/param-and-model-file-structure.md
 */

import { model } from "../model/graph.ts";
import type { ModelFile } from "./file.ts";
import type { Format } from "./format.ts";

/** The tag of the first weights. 0 stands before plain float32, and is no mark of anything by itself. */
const tags: Readonly<Record<number, string>> = {
  0x01306b47: "float16",
  0x01348b83: "bfloat16",
  0x000d4b38: "int8",
  0x0002c056: "float32, of a layer with int8 scales",
};

const format: Format = {
  id: "ncnn-bin",
  name: "ncnn weights",
  vendor: "Tencent",
  extensions: [".bin"],
  shows: "partly",
  matches(file) {
    if (file.size < 8) return 0;
    const tag = file.cursor(0, 4).u32();
    if (tags[tag] !== undefined) return file.extension === ".bin" ? 2 : 1;
    return tag === 0 && file.extension === ".bin" && looksLikeWeights(file) ? 1 : 0;
  },
  read(file) {
    const tag = file.cursor(0, 4).u32();
    const stored = tags[tag] ?? "float32";
    const base = file.name.slice(file.name.lastIndexOf("/") + 1);
    return model("ncnn-bin", {
      sealed: false,
      metadata: { "first weights": stored },
      sections: [{ name: "weights", kind: "weights", offset: 0, bytes: file.size }],
      integrity:
        file.size % 4 === 0
          ? []
          : [
              {
                severity: "error",
                rule: "extent/misaligned",
                says: `${file.size} bytes, and all weights are padded to 4: the end is missing`,
                offset: file.size,
              },
            ],
      needs: [`${base.replace(/\.bin$/i, "")}.param`],
      unseen: [
        "layers, shapes and where each weight begins: they are in the .param",
        "whether it is whole: how many weights there are is in the .param",
      ],
    });
  },
  sources: ["https://github.com/Tencent/ncnn/blob/master/docs/developer-guide/param-and-model-file-structure.md"],
  checked: { files: 1, says: "one published file, float16" },
};
export default format;

/** The first numbers behind the tag are such as trained weights are. */
function looksLikeWeights(file: ModelFile): boolean {
  if (file.size < 36 || file.size % 4 !== 0) return false;
  const { bytes } = file.cursor(4, 32);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let weights = 0;
  for (let at = 0; at < 32; at += 4) {
    const size = Math.abs(view.getFloat32(at, true));
    if (size > 1e-9 && size < 100) weights++;
    else if (size !== 0) return false;
  }
  return weights >= 6;
}
