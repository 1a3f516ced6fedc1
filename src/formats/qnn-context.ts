/**
 * QNN context binaries: graphs that Qualcomm's AI Engine Direct prepared for one chip (.bin, .serialized). Their layout is not public;
 * told are the SDK that wrote one, the chip where it is named, and the sizes of the header ExecuTorch puts before it
 * (https://github.com/pytorch/executorch backends/qualcomm/runtime/backends/QnnCustomProtocol.h, BSD-3-Clause).
 */

import { model, type Integrity, type Model, type Section } from "../model/graph.ts";
import type { ModelFile } from "./file.ts";
import type { Format } from "./format.ts";
import { cutShort, error, has, leftOver, words } from "./sealed/parts.ts";
import { beginsAsContext, contextTarget, contextText } from "./sealed/qnn.ts";

/** ExecuTorch's mark, then a signature and the size of the context. */
const MARK = "\xcd\xab\x78\x56";
/** Of headers since contexts are aligned, and before. */
const ALIGNED = 256;
const SHORT = 20;

const format: Format = {
  id: "qnn-context",
  name: "QNN context binary",
  vendor: "Qualcomm",
  extensions: [".bin", ".serialized"],
  shows: "sealed",
  matches,
  read: readContext,
  sources: [
    "https://github.com/lutzroeder/netron/blob/main/source/qnn.js",
    "https://github.com/pytorch/executorch/blob/main/backends/qualcomm/runtime/backends/QnnCustomProtocol.h",
  ],
  checked: { files: 0, says: "from the words netron knows and ExecuTorch's published header only" },
};
export default format;

function matches(file: ModelFile): 0 | 1 | 2 {
  if (has(file, MARK) && file.size > SHORT) {
    const { at } = wrapped(file);
    return beginsAsContext(file, at) ? 2 : 1;
  }
  if (!beginsAsContext(file)) return 0;
  if (contextText(file, 0, file.size).build !== undefined) return 2;
  return format.extensions.includes(file.extension) ? 1 : 0;
}

/** Where the context begins and how many bytes its header gives it. */
function wrapped(file: ModelFile): { at: number; bytes: number } {
  const bytes = file.cursor(12, 8).size64();
  const short = SHORT + bytes === file.size || (!beginsAsContext(file, ALIGNED) && beginsAsContext(file, SHORT));
  return { at: short ? SHORT : ALIGNED, bytes };
}

function readContext(file: ModelFile): Model {
  const integrity: Integrity[] = [];
  const sections: Section[] = [];
  let [at, bytes] = [0, file.size];
  let signature: string | undefined;
  const marked = has(file, MARK);
  if (marked) {
    ({ at, bytes } = wrapped(file));
    signature = `0x${file.cursor(4, 8).u64().toString(16)}`;
    sections.push({ name: "ExecuTorch's header", kind: "metadata", offset: 0, bytes: at });
    integrity.push(...cutShort(file, at + bytes, "the context"), ...leftOver(file, at + bytes, "the context"));
    if (!beginsAsContext(file, at)) {
      integrity.push(error("header/mark", "no context binary follows ExecuTorch's header", Math.min(at, file.size)));
    }
  }
  sections.push({ name: "context", kind: "code", offset: at, bytes });
  const { build, soc } = contextText(file, Math.min(at, file.size), bytes);
  return model("qnn-context", {
    sealed: true,
    producer: { name: "QAIRT (QNN)", ...(build === undefined ? {} : { version: build }) },
    targets: [contextTarget(soc)],
    requires: build === undefined ? [] : [{ what: "QNN (Qualcomm AI Runtime)", relation: "built by", version: build }],
    metadata: words({ "SDK build": build, chip: soc, signature }),
    sections,
    integrity,
    unseen: [
      "graphs, inputs, outputs, operators and weights: the layout is not public; QnnSystemContext_getBinaryInfo of libQnnSystem reads it",
      ...(soc === undefined ? ["which chip or HTP architecture it was prepared for"] : []),
      ...(marked ? [] : ["whether the file is whole: where its size stands is not public"]),
    ],
  });
}
