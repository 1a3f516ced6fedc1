/** RKNN, encrypted: rknn-toolkit2's export_encrypted_rknn_model. Nothing but its mark is known. */

import { model } from "../model/graph.ts";
import type { Format } from "./format.ts";
import { has } from "./sealed/parts.ts";

const format: Format = {
  id: "rknn-encrypted",
  name: "RKNN, encrypted",
  vendor: "Rockchip",
  extensions: [".rknn"],
  marks: [{ at: 0, is: "CYPTRKNN" }],
  shows: "sealed",
  matches: (file) => (has(file, "CYPTRKNN") ? 2 : 0),
  read: (file) =>
    model("rknn-encrypted", {
      sealed: true,
      producer: { name: "rknn-toolkit2" },
      targets: [{ family: "rockchip", says: "not said" }],
      metadata: { encrypted: "yes" },
      sections: [
        { name: "mark", kind: "metadata", offset: 0, bytes: 8 },
        { name: "encrypted", kind: "unknown", offset: 8, bytes: file.size - 8 },
      ],
      unseen: [
        "target, toolkit, inputs, outputs, operators and weights: the file is encrypted, the runtime on the board decrypts it",
        "whether it is whole: no size is declared",
      ],
    }),
  sources: ["https://github.com/lutzroeder/netron/blob/main/source/rknn.js"],
  checked: { files: 0, says: "from documents only" },
};
export default format;
