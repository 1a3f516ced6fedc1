/**
 * RBLN: networks compiled for Rebellions' NPUs. The layout is not public, so only the name says that a file is one.
 * https://docs.rbln.ai/v0.12.0/ko/software/api/python/python_api.html
 */

import { model } from "../model/graph.ts";
import type { Format } from "./format.ts";

/** Below this no compiled network fits. */
const SMALLEST = 1024;

const format: Format = {
  id: "rbln",
  name: "RBLN",
  vendor: "Rebellions",
  extensions: [".rbln"],
  shows: "sealed",
  matches: (file) => (file.extension === ".rbln" && file.size >= SMALLEST ? 1 : 0),
  read: (file) =>
    model("rbln", {
      sealed: true,
      targets: [{ family: "rebellions", says: "not said" }],
      sections: [{ name: "all of it", kind: "unknown", offset: 0, bytes: file.size }],
      unseen: [
        "everything: the layout is not public, and only the name says that it is one",
        "for which NPU: the runtime refuses one that does not match",
        "whether it is whole",
      ],
    }),
  sources: ["https://docs.rbln.ai/v0.12.0/ko/software/api/python/python_api.html"],
  checked: { files: 0, says: "from its name only: the layout is not public" },
};
export default format;
