/**
 * DLA: networks that ncc-tflite compiles for MediaTek's APUs. The layout is not public, so only the name says that a file is one.
 * https://mediatek.gitlab.io/genio/doc/iot-aihub/master/ai_hub/software_architecture.html
 */

import { model } from "../model/graph.ts";
import type { Format } from "./format.ts";

/** Below this no compiled network fits. */
const SMALLEST = 1024;

const format: Format = {
  id: "mtk-dla",
  name: "MediaTek DLA",
  vendor: "MediaTek",
  extensions: [".dla"],
  shows: "sealed",
  matches: (file) => (file.extension === ".dla" && file.size >= SMALLEST ? 1 : 0),
  read: (file) =>
    model("mtk-dla", {
      sealed: true,
      targets: [{ family: "mediatek", says: "not said" }],
      sections: [{ name: "all of it", kind: "unknown", offset: 0, bytes: file.size }],
      unseen: [
        "everything: the layout is not public, and only the name says that it is one",
        "for which chip and by which Neuron SDK: the runtime tells when it is for another",
        "whether it is whole",
      ],
    }),
  sources: ["https://mediatek.gitlab.io/genio/doc/iot-aihub/master/ai_hub/software_architecture.html"],
  checked: { files: 0, says: "from its name only: the layout is not public" },
};
export default format;
