/**
 * Offline models of Cambricon's CNRT (MLU100 to MLU270). The layout is not public: only the mark is, from what other readers look for
 * and one published file. The text file .cambricon_twins beside it describes inputs and outputs.
 */

import { model } from "../model/graph.ts";
import type { Format } from "./format.ts";
import { has } from "./sealed/parts.ts";

const marks = [
  { at: 0, is: "\x7fMEF" },
  { at: 0, is: "cambricon_offline" },
];

const format: Format = {
  id: "cambricon",
  name: "Cambricon offline model",
  vendor: "Cambricon",
  extensions: [".cambricon"],
  marks,
  shows: "sealed",
  matches: (file) => (marks.some(({ is }) => has(file, is)) ? 2 : 0),
  read: (file) =>
    model("cambricon", {
      sealed: true,
      targets: [{ family: "cambricon", says: "not said" }],
      sections: [{ name: "all of it", kind: "unknown", offset: 0, bytes: file.size }],
      unseen: [
        "everything but its mark: the layout is not public",
        "inputs and outputs: the .cambricon_twins beside it, where there is one, says them in words",
        "for which MLU: the runtime tells when it is for another",
        "whether it is whole",
      ],
    }),
  sources: [
    "https://github.com/lutzroeder/netron/blob/main/source/cambricon.js",
    "https://github.com/mindspore-ai/graphengine",
    "https://github.com/Cambricon/CNStream",
  ],
  checked: { files: 1, says: "normalize.cambricon of Cambricon/CNStream, for MLU270: its mark only" },
};
export default format;
