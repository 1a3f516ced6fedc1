/**
 * RKNX: models of Rockchip's RKNN3 family (RK182x). [RKNX][header to 0x50][FlatBuffer: version, compiler, toolkit, hardware, LLM
 * settings]; blocks begin with RKNX_SUB. Field numbers: https://github.com/lutzroeder/netron/blob/main/source/rknn-schema.js
 */

import { FileError } from "../base/errors.ts";
import { model, type Integrity, type Target } from "../model/graph.ts";
import type { Format } from "./format.ts";
import { error, has, plain, words } from "./sealed/parts.ts";
import { FlatBuffer, type Table } from "./wire/flatbuffer.ts";

const HEADER = 0x50;

const format: Format = {
  id: "rknx",
  name: "RKNX (RKNN3)",
  vendor: "Rockchip",
  extensions: [".rknx", ".rknn"],
  marks: [{ at: 0, is: "RKNX" }],
  shows: "sealed",
  matches: (file) => (has(file, "RKNX") ? 2 : 0),
  read(file) {
    const integrity: Integrity[] = [];
    let root: Table | undefined;
    try {
      root = new FlatBuffer(file, { offset: HEADER }).root();
    } catch (cause) {
      if (!(cause instanceof FileError)) throw cause;
      integrity.push(error("header/unreadable", "the description after the header cannot be read", HEADER));
    }
    const hardware = root?.table(5)?.string(0);
    const toolkit = root?.string(3);
    const llm = root?.table(10);
    return model("rknx", {
      ...(root ? { version: String(root.i32(0)) } : {}),
      sealed: true,
      ...(toolkit === undefined ? {} : { producer: { name: "RKNN3 toolkit", version: plain(toolkit) } }),
      targets: [target(hardware)],
      metadata: words({
        description: root?.string(1),
        compiler: root?.string(2),
        "LLM vocabulary": llm?.i32(1),
        "LLM hidden size": llm?.i32(2),
      }),
      sections: [
        { name: "header", kind: "metadata", offset: 0, bytes: Math.min(HEADER, file.size) },
        {
          name: "description and compiled graph",
          kind: "unknown",
          offset: HEADER,
          bytes: Math.max(0, file.size - HEADER),
        },
      ],
      integrity,
      unseen: ["operators and weights: compiled for the chip", "whether it is whole: its sizes are not documented"],
    });
  },
  sources: ["https://github.com/lutzroeder/netron/blob/main/source/rknn.js"],
  checked: { files: 0, says: "from documents only" },
};
export default format;

function target(hardware: string | undefined): Target {
  const chip = /rk182/i.test(hardware ?? "") ? "rk182x" : undefined;
  return { family: "rockchip", ...(chip === undefined ? {} : { chip }), says: plain(hardware ?? "not said", 64) };
}
