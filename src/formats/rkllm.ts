/**
 * RKLLM: language models for Rockchip's librkllmrt. The layout is not public; a runtime's log ("invalid rknn llm model magic") shows
 * that it has a mark, not which. So only the name says it. https://github.com/airockchip/rknn-llm
 */

import { model } from "../model/graph.ts";
import type { Format } from "./format.ts";

/** Below this no language model fits. */
const SMALLEST = 4096;

const format: Format = {
  id: "rkllm",
  name: "RKLLM",
  vendor: "Rockchip",
  extensions: [".rkllm"],
  shows: "sealed",
  matches: (file) => (file.extension === ".rkllm" && file.size >= SMALLEST ? 1 : 0),
  read: (file) =>
    model("rkllm", {
      sealed: true,
      producer: { name: "rkllm-toolkit" },
      targets: [{ family: "rockchip", says: "not said" }],
      requires: [],
      sections: [{ name: "all of it", kind: "unknown", offset: 0, bytes: file.size }],
      unseen: [
        "everything: the layout is not public, and only the name says that it is one",
        "for which chip and by which toolkit: the runtime must be of the toolkit's release and tells when it is not",
        "whether it is whole",
      ],
    }),
  sources: ["https://github.com/airockchip/rknn-llm"],
  checked: { files: 0, says: "from its name only: the layout is not public" },
};
export default format;
